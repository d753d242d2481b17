"""A trained network by its recipe's name: loaded as shipped, or trained here and now."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import torch
from torch import Tensor, nn

from srlab.checkpoints import CheckpointError, load_checkpoint, shipped_checkpoints
from srlab.training.recipes import recipe, seed_names

Group = TypeVar("Group", bound=Hashable)


@cache
def network(name: str, *, train: bool = False, device: torch.device | str = "cpu") -> nn.Module:
    """The network in eval mode on `device`; `train` runs its recipe, once in a process.

    Its layout is the one in which convolutions take a third less time.
    """
    if train:
        from srlab.training.fit import fit  # loads what takes seconds, and only training needs

        model = fit(recipe(name), device=torch.device(device).type).model()
    else:
        model = load_checkpoint(name)[0]
    return model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def obtainable(names: Iterable[str], *, train: bool = False) -> list[str]:
    """Those of `names` that `network` can give: all if it may train, else the shipped ones."""
    names = list(names)
    found = names if train else [name for name in names if name in shipped_checkpoints()]
    if not found:
        raise CheckpointError(
            f"none of {', '.join(names) or '(no names)'} is shipped; `srlab train NAME` makes one"
        )
    return found


def obtainable_groups(
    wanted: Mapping[Group, Iterable[str]], *, train: bool = False
) -> tuple[dict[Group, list[str]], list[str]]:
    """({group: those of its names that are `obtainable`}, the other names); no group is empty."""
    names = {group: list(own) for group, own in wanted.items()}
    every = [name for own in names.values() for name in own]
    here = set(obtainable(every, train=train))
    found = {group: [name for name in own if name in here] for group, own in names.items()}
    return {group: own for group, own in found.items() if own}, [n for n in every if n not in here]


@dataclass(frozen=True)
class Tuned:
    """A network before and after it was trained on."""

    name: str  # of the network after
    start: str  # of the one before
    model: nn.Module  # of their architecture
    baseline: dict[str, Tensor]  # weights before
    target: dict[str, Tensor]  # weights after


def tuned(
    name: str,
    seeds: Iterable[int],
    *,
    train: bool = False,
    device: torch.device | str = "cpu",
) -> list[Tuned]:
    """The seeds of a recipe that goes on from another's network, with that network.

    Those that `obtainable` knows. `train` trains on from the shipped start, as the recipe did.
    """
    starts = {own: recipe(own).start[""] for own in seed_names(name, seeds)}
    known = set(obtainable(starts.values()))
    names = obtainable([own for own, start in starts.items() if start in known], train=train)
    found = []
    for own in names:
        before = network(starts[own], device=device)
        after = network(own, train=train, device=device)
        found.append(Tuned(own, starts[own], after, before.state_dict(), after.state_dict()))
    return found
