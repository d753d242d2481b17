"""The network that a run begins with."""

import torch
from torch import nn

from srlab.checkpoints import load_weights, read_checkpoint
from srlab.models import build
from srlab.training.recipes import Recipe


def initial_model(recipe: Recipe) -> nn.Module:
    """The network before its first step: drawn by the recipe's seed, and loaded where it starts.

    `recipe.start` names a shipped checkpoint for a part of the network ("" is all of it).
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = build(recipe.architecture, **recipe.hyperparameters)
    for part, checkpoint in recipe.start.items():
        module = model.get_submodule(part)
        weights, wanted = read_checkpoint(checkpoint)[0], module.state_dict().keys()
        load_weights(module, {key: weights[key] for key in wanted & weights.keys()})
    return model
