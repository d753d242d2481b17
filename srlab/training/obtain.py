"""A trained network by its recipe's name: loaded as shipped, or trained here and now."""

from collections.abc import Iterable
from functools import cache

import torch
from torch import nn

from srlab.checkpoints import CheckpointError, load_checkpoint, shipped_checkpoints
from srlab.training.fit import fit
from srlab.training.recipes import recipe


@cache
def network(name: str, *, train: bool = False, device: torch.device | str = "cpu") -> nn.Module:
    """The network in eval mode on `device`; `train` runs its recipe, once in a process."""
    if train:
        return fit(recipe(name), device=torch.device(device).type).model().to(device)
    return load_checkpoint(name)[0].to(device)


def obtainable(names: Iterable[str], *, train: bool = False) -> list[str]:
    """Those of `names` that `network` can give: all if it may train, else the shipped ones."""
    names = list(names)
    found = names if train else [name for name in names if name in shipped_checkpoints()]
    if not found:
        raise CheckpointError(
            f"none of {', '.join(names) or '(no names)'} is shipped; `srlab train NAME` makes one"
        )
    return found
