"""A trained network by its recipe's name: loaded as shipped, or trained here and now."""

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeVar

import torch
from torch import Tensor, nn

from srlab.checkpoints.files import load_checkpoint, shipped_checkpoints
from srlab.networks.state_dicts import CheckpointError
from srlab.training.recipes import recipe, seed_names

Place = TypeVar("Place", bound=Hashable)
CLASSIFIERS = {  # image set → {architecture: recipe}
    "cifar10": {"resnet18": "resnet18-cifar10-c32", "rcan": "rcan-cifar10-maxpool"},
    "photographs+textures": {"resnet18": "resnet18-photographs", "rcan": "rcan-photographs"},
}


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


def obtainable_places(
    wanted: Mapping[Place, str], *, train: bool = False
) -> tuple[dict[Place, str], list[str]]:
    """({place: name} of the names that are `obtainable`, the other names)."""
    here = set(obtainable(wanted.values(), train=train))
    found = {place: name for place, name in wanted.items() if name in here}
    return found, [name for name in wanted.values() if name not in here]


def left_out(names: Iterable[str]) -> str:
    """What a page says of networks that it does without; nothing where it has them all."""
    named = ", ".join(names)
    return f"No weights are on board of {named}, which no number here includes." if named else ""


def shipped_steps(name: str, steps: Collection[int] | None = None) -> dict[int, str]:
    """{step: name} of a recipe's snapshots that ship, and of its end: {250: "redsr-8@250", …}.

    With `steps`, of these snapshots alone.
    """
    base, end = recipe(name), recipe(name).steps
    asked = [step for step in base.snapshots if steps is None or step in steps]
    files = {step: f"{name}@{step}" for step in asked if step < end} | {end: name}
    return {step: file for step, file in files.items() if file in shipped_checkpoints()}


def subject_classifiers(
    architecture: str,
    image_set: str,
    seeds: Iterable[int] = (0,),
    *,
    classes: int = 10,
    train: bool = False,
    steps: int | None = None,
    device: torch.device | str = "cpu",
) -> dict[str, nn.Module]:
    """{name: classifier} for the pictures of a `subject_task`, of every seed that ships.

    With `train` they learn here and now: photographs from their left halves, for `steps` or as
    long as the shipped ones; of an image set for which none ships, the first `classes` pictures.
    """
    known = image_set in CLASSIFIERS
    base = CLASSIFIERS[image_set if known else "photographs+textures"][architecture]
    if not train:
        if not known:
            raise CheckpointError(
                f"no classifier of {image_set!r} ships, only of {', '.join(CLASSIFIERS)}; "
                "have one trained (train=True), or take one of these image sets"
            )
        names = obtainable(seed_names(base, seeds))
        return {name: network(name, device=device) for name in names}
    from srlab.training.fit import fit  # loads what takes seconds, and only training needs

    own = recipe(base)
    if not known:
        left = tuple(f"{name}-left" for name in image_set.split("+"))
        sizes = {**own.hyperparameters, "num_classes": classes}
        own = replace(own, image_sets=left, hyperparameters=sizes)
    if image_set != "cifar10":
        own = replace(own, steps=steps or own.steps)
    kind = torch.device(device).type
    runs = {seed: fit(own.seeded(seed), device=kind, progress=False) for seed in seeds}
    return {f"{architecture}, seed {seed}": run.model().to(device) for seed, run in runs.items()}


@dataclass(frozen=True)
class Tuned:
    """A network before and after it was trained on."""

    name: str  # of the network after
    start: str  # of the one before
    model: nn.Module  # of their architecture
    baseline: dict[str, Tensor]  # weights before
    target: dict[str, Tensor]  # weights after


def tuned(
    name: str, seeds: Iterable[int], *, train: bool = False, device: torch.device | str = "cpu"
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


def tuned_along(name: str, *, device: torch.device | str = "cpu") -> dict[int, Tuned]:
    """{step: as `tuned`} at each snapshot of a recipe that ships, and at its end."""
    start = recipe(name).start[""]
    before = network(start, device=device).state_dict()
    found = {}
    for step, own in shipped_steps(name).items():
        after = network(own, device=device)
        found[step] = Tuned(own, start, after, before, after.state_dict())
    return found
