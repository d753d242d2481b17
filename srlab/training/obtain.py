"""A trained network by its recipe's name: loaded as shipped, or trained here and now."""

from functools import cache

import torch
from torch import nn

from srlab.checkpoints import load_checkpoint
from srlab.training.fit import fit
from srlab.training.recipes import recipe


@cache
def network(name: str, *, train: bool = False, device: torch.device | str = "cpu") -> nn.Module:
    """The network in eval mode on `device`; `train` runs its recipe, once in a process."""
    if train:
        return fit(recipe(name), device=torch.device(device).type).model().to(device)
    return load_checkpoint(name)[0].to(device)
