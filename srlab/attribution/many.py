"""Many local attribution maps of one LR image for much less than each by itself."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import torch
from torch import Tensor

from srlab.attribution.lam import Attribution, one_image
from srlab.attribution.objective import (
    Network,
    Part,
    Split,
    Whole,
    comfortable_batch,
    frozen,
    in_parts,
)
from srlab.attribution.paths import RunningIntegral, check_differentiable, image_path
from srlab.attribution.targets import Target

RADII = (1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64)  # LR pixels, tried in turn
CROPS = 64  # parts that pass the end of a network together

Box = tuple[slice, slice]  # LR rows and columns


class Group(NamedTuple):
    """Targets whose gradients one backward pass finds, since each stays in a box of its own."""

    members: list[int]
    boxes: list[Box]


def local_attributions(
    model: Network,
    lr: Tensor,
    targets: Sequence[Target],
    *,
    baseline: str | Tensor = "blur",
    path: str = "deblur",
    rule: str = "arc-midpoint",
    steps: int = 16,
    sigma: float = 1.2,
    kernel_size: int = 9,
    batch_size: int | None = None,
    keep_gradients: bool = False,
) -> list[Attribution]:
    """What `local_attribution` gives for each target, in their order, to rounding.

    All targets share the forward passes. Behind them each has a backward pass of its own, but
    targets of srlab's networks that provably see different LR pixels share that too.

    >>> grid = [patch_target(top, left) for top in range(0, 160, 32) for left in range(0, 160, 32)]
    >>> maps = local_attributions(model, lr, grid)
    """
    chosen = image_path(
        one_image(lr),
        baseline=baseline,
        path=path,
        rule=rule,
        steps=steps,
        sigma=sigma,
        kernel_size=kernel_size,
    )
    if not targets:
        return []
    running = [RunningIntegral(keep_gradients=keep_gradients) for _ in targets]
    with frozen(model), torch.inference_mode(False):
        network = in_parts(model)
        groups = _groups(network, lr.clone(), targets)
        for points, moves in chosen.pieces(batch_size or comfortable_batch(lr)):
            values, gradients = _values_and_gradients(network, points, targets, groups)
            for own, value, gradient in zip(running, values, gradients, strict=True):
                own.add(value, gradient, moves)
        starts, ends = (
            _values(network, chosen.curve(torch.tensor([at], dtype=torch.float64)), targets)
            for at in (0.0, 1.0)
        )
    return [
        Attribution.of(own.finish(start, end), chosen)
        for own, start, end in zip(running, starts, ends, strict=True)
    ]


def _values_and_gradients(
    network: Whole | Split, points: Tensor, targets: Sequence[Target], groups: Sequence[Group]
) -> tuple[list[Tensor], list[Tensor]]:
    """Of each target at n points (n, 3, h, w): the values (n,) and their gradients."""
    with torch.enable_grad():
        leaf = points.detach().clone().requires_grad_()
        features = network.features(leaf.clone())
        check_differentiable(features)
        parts = [network.part(target, features) for target in targets]
        values, inner, direct = _read(network, features.detach(), points.detach(), parts)
        gradients: list[Tensor] = [points] * len(targets)
        for number, group in enumerate(groups):
            above = torch.zeros_like(features)
            for index in group.members:
                above[..., parts[index].rows, parts[index].columns] += inner[index]
            (below,) = torch.autograd.grad(
                features, leaf, above, retain_graph=number < len(groups) - 1
            )
            for index, box in zip(group.members, group.boxes, strict=True):
                own = torch.zeros_like(below)
                own[..., *box] = below[..., *box]
                own[..., parts[index].lr_rows, parts[index].lr_columns] += direct[index]
                gradients[index] = own
    return values, gradients


@torch.no_grad()
def _values(network: Whole | Split, point: Tensor, targets: Sequence[Target]) -> list[float]:
    """Of each target at one point (1, 3, h, w)."""
    features = network.features(point.clone())
    parts = [network.part(target, features) for target in targets]
    cuts = [part.cut(features, point) for part in parts]
    return [float(part.target(network.finish(*cut))) for part, cut in zip(parts, cuts, strict=True)]


def _read(
    network: Whole | Split, features: Tensor, lr: Tensor, parts: Sequence[Part]
) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Values (n,) of all parts and their gradients by the features' and by the LR image's part."""
    cuts = [
        tuple(piece.clone().requires_grad_() for piece in part.cut(features, lr)) for part in parts
    ]
    values: dict[int, Tensor] = {}
    order = sorted(range(len(parts)), key=lambda index: cuts[index][0].shape)
    for _, same in groupby(order, key=lambda index: cuts[index][0].shape):
        rows = list(same)
        for first in range(0, len(rows), CROPS):
            some = rows[first : first + CROPS]
            pieces = zip(*(cuts[index] for index in some), strict=True)
            sr = network.finish(*(torch.cat(column) for column in pieces))
            for index, own in zip(some, sr.split(len(lr)), strict=True):
                values[index] = parts[index].target(own).reshape(len(lr))
    total = torch.stack([value.sum() for value in values.values()]).sum()
    check_differentiable(total)
    leaves = [piece for cut in cuts for piece in cut]
    found = torch.autograd.grad(total, leaves, materialize_grads=True)
    return [values[i].detach() for i in range(len(parts))], list(found[::2]), list(found[1::2])


def _groups(network: Whole | Split, lr: Tensor, targets: Sequence[Target]) -> list[Group]:
    """As few groups as a simple search finds; each alone where no boxes can be proved."""
    everything = (slice(None), slice(None))
    alone = [Group([index], [everything]) for index in range(len(targets))]
    if not isinstance(network, Split) or len(targets) < 2:
        return alone
    parts = [network.part(target, lr) for target in targets]
    for radius in RADII:
        boxes = [_box(part, radius, lr) for part in parts]
        groups = _packed(boxes)
        if len(groups) == len(targets):
            return alone
        if all(_blind_outside(network, lr, *pair) for pair in zip(parts, boxes, strict=True)):
            return groups
    return alone


def _packed(boxes: Sequence[Box]) -> list[Group]:
    """Each box in the first group in which it touches none."""
    groups: list[Group] = []
    for index, box in enumerate(boxes):
        for group in groups:
            if all(_apart(box, other) for other in group.boxes):
                break
        else:
            groups.append(group := Group([], []))
        group.members.append(index)
        group.boxes.append(box)
    return groups


def _apart(one: Box, other: Box) -> bool:
    return any(a.stop <= b.start or b.stop <= a.start for a, b in zip(one, other, strict=True))


def _box(part: Part, radius: int, lr: Tensor) -> Box:
    """The LR pixels within `radius` of a part."""
    rows, columns = (
        slice(max(0, (own.start or 0) - radius), min(extent, (own.stop or extent) + radius))
        for own, extent in zip((part.lr_rows, part.lr_columns), lr.shape[-2:], strict=True)
    )
    return rows, columns


@torch.no_grad()
def _blind_outside(network: Split, lr: Tensor, part: Part, box: Box) -> bool:
    """Whether NaN everywhere outside the box leaves the part's features finite.

    NaN passes every sum and product, even with zero: what stays finite was not connected.
    """
    spoilt = torch.full_like(lr, torch.nan)
    spoilt[..., *box] = lr[..., *box]
    seen = network.features(spoilt)[..., part.rows, part.columns]
    return bool(torch.isfinite(seen).all())
