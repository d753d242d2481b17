"""A trained network by its recipe's name: loaded as shipped, or trained here and now."""

from functools import cache

import torch
from torch import nn

from srlab.checkpoints import load_checkpoint
from srlab.training.fit import fit
from srlab.training.recipes import recipe


@cache
def network(
    name: str, *, train: bool = False, device: torch.device = torch.device("cpu")
) -> nn.Module:
    """The network in eval mode on `device`; `train` runs its recipe, once in a process."""
    model = fit(recipe(name), device=device.type).model() if train else load_checkpoint(name)[0]
    return model.to(device)
