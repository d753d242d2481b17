"""The networks that a run begins with."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from srlab.checkpoints.files import read_checkpoint
from srlab.models import build
from srlab.networks.state_dicts import load_weights
from srlab.training.recipes import Recipe


@contextmanager
def drawn_by(seed: int) -> Iterator[None]:
    """Weights made inside are drawn by this seed; torch's own generator is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def initial_model(recipe: Recipe) -> nn.Module:
    """The network before its first step: drawn by the recipe's seed, and loaded where it starts.

    `recipe.start` names a shipped checkpoint for a part of the network ("" is all of it).
    """
    with drawn_by(recipe.seed):
        model = build(recipe.architecture, **recipe.hyperparameters)
    own = model.state_dict()
    start = {
        f"{part}.{key}".removeprefix("."): tensor
        for part, name in recipe.start.items()
        for key, tensor in read_checkpoint(name)[0].items()
    }
    load_weights(model, {key: start.get(key, tensor) for key, tensor in own.items()})
    return model
