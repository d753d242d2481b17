"""The networks that a run begins with."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

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
    start = {key: old for key, old in _inherited(recipe.start).items() if key in own}
    load_weights(model, {**own, **start})
    return model


def _inherited(start: Mapping[str, str]) -> dict[str, Tensor]:
    return {
        f"{part}.{key}" if part else key: tensor
        for part, name in start.items()
        for key, tensor in read_checkpoint(name)[0].items()
    }
