"""The paths that attribution integrates along: progressive deblurring and straight lines.

A path is a value, made by `deblur` or `straight`, that is later given the image where it ends.
Without a number of steps its nodes are chosen as gradients are found; with one they lie where a
quadrature rule puts them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from srlab.attribution.integral import (
    TOLERANCE,
    AdaptivePath,
    Curve,
    Path,
    Tree,
    check_tolerance,
)
from srlab.degradations.filters import filter2d, gaussian_kernel
from srlab.images import check_images


@dataclass(frozen=True)
class Rule:
    """Where the gradient is taken within each step, and what the steps have in common."""

    place: float  # 0: where the step begins, ½: its middle, 1: where it ends
    arc: bool = False  # steps of equal length on the curve instead of equal length in alpha


RULES = {
    "left": Rule(0.0),
    "midpoint": Rule(0.5),
    "right": Rule(1.0),  # LAM's public code
    "arc-left": Rule(0.0, arc=True),
    "arc-midpoint": Rule(0.5, arc=True),
    "arc-right": Rule(1.0, arc=True),
}


SIGMA, KERNEL_SIZE = 1.2, 9  # of the blur that LAM's public code begins with
ImagePath = Callable[[Tensor], Path | AdaptivePath]  # image (3, h, w) → the path that ends there
Baseline = str | Tensor | Callable[[Tensor], Tensor]


def deblur(
    *,
    sigma: float = SIGMA,
    kernel_size: int = KERNEL_SIZE,
    rule: str | None = None,
    steps: int | None = None,
    tolerance: float = TOLERANCE,
) -> ImagePath:
    """LAM's path: from the image blurred with `sigma` LR pixels to the image itself (Eq. 2).

    Gradients are taken at as many places as the map's error needs to fall to `tolerance`; `steps`
    fixes their number, and `rule` then names a quadrature of `RULES`. LAM's public code is
    `deblur(rule="right", steps=50)`.

    >>> path = deblur(steps=16)(torch.rand(3, 24, 24))
    >>> len(path.nodes)
    16
    """
    cut: dict[str, Any] = {"rule": rule, "steps": steps, "tolerance": tolerance}
    check_cut(**cut)
    return partial(deblurring, sigma=sigma, kernel_size=kernel_size, **cut)


def straight(
    baseline: Baseline = "black",
    *,
    rule: str | None = None,
    steps: int | None = None,
    tolerance: float = TOLERANCE,
) -> ImagePath:
    """The straight line to the image, as integrated gradients have it.

    It begins at "black", at LAM's "blur", at an image (1, 3, h, w), or at what a function such as
    a `Degradation` makes of the image (1, 3, h, w). The rest is as in `deblur`.

    >>> path = straight("blur", steps=8)(torch.rand(3, 24, 24))
    >>> path = straight(lambda image: image / 2, steps=8)(torch.rand(3, 24, 24))
    """
    cut: dict[str, Any] = {"rule": rule, "steps": steps, "tolerance": tolerance}
    check_cut(**cut)
    if isinstance(baseline, str):
        if baseline not in BASELINES:
            raise ValueError(
                f"a baseline is {' or '.join(map(repr, BASELINES))}, an image (1, 3, h, w) or a "
                f"function of the image, got {baseline!r}"
            )
        baseline = BASELINES[baseline]
    elif isinstance(baseline, Tensor):
        check_images(baseline)
    return partial(_from_baseline, baseline=baseline, **cut)


def _from_baseline(
    image: Tensor, *, baseline: Tensor | Callable[[Tensor], Tensor], **cut: Any
) -> Path | AdaptivePath:
    start = baseline if isinstance(baseline, Tensor) else baseline(image[None])
    if start.shape != (1, *image.shape):
        raise ValueError(
            f"the baseline has shape {tuple(start.shape)}, the LR image (1, 3, h, w) = "
            f"{(1, *image.shape)}"
        )
    return line(start.to(image)[0], image, **cut)


def _blurred(images: Tensor) -> Tensor:
    return filter2d(images, gaussian_kernel(SIGMA, size=KERNEL_SIZE))


BASELINES: dict[str, Callable[[Tensor], Tensor]] = {"black": torch.zeros_like, "blur": _blurred}


def line(
    baseline: Tree,
    end: Tree,
    *,
    rule: str | None = None,
    steps: int | None = None,
    tolerance: float = TOLERANCE,
) -> Path | AdaptivePath:
    """The straight line from `baseline` to `end`; its arc length is even in alpha."""

    def curve(positions: Tensor) -> Tree:
        def between(a: Tensor, b: Tensor) -> Tensor:
            return torch.lerp(a, b, positions.to(a).reshape(-1, *[1] * a.ndim))

        return tree_map(between, baseline, end)

    return _path(curve, rule, steps, tolerance, np.asarray)


def deblurring(
    image: Tensor,
    *,
    sigma: float = SIGMA,
    kernel_size: int = KERNEL_SIZE,
    rule: str | None = None,
    steps: int | None = None,
    tolerance: float = TOLERANCE,
) -> Path | AdaptivePath:
    """The path `deblur` of one image (C, h, w).

    The width falls linearly, sigma·(1 − alpha). σ 1.2, a 9×9 kernel and mirrored borders are
    those of LAM's public code. Rules with equal arc measure the L1 length of this image path.
    """

    def curve(positions: Tensor) -> Tensor:
        kernels = gaussian_kernel(sigma * (1 - positions.double()), size=kernel_size)
        return filter2d(image.expand(len(positions), -1, -1, -1), kernels)

    return _path(curve, rule, steps, tolerance, arc_positions(curve))


def arc_positions(
    curve: Callable[[Tensor], Tensor], *, resolution: int = 128
) -> Callable[[np.ndarray], np.ndarray]:
    """The map from fractions of the curve's L1 length to the positions where they are reached."""
    grid = torch.linspace(0, 1, resolution + 1, dtype=torch.float64)
    moves = curve(grid).diff(dim=0).abs().flatten(1).sum(dim=1).cpu().double().numpy()
    length = np.concatenate([[0.0], np.cumsum(moves)])
    if length[-1] == 0:  # a flat image: nothing moves, any positions will do
        return np.asarray
    return lambda fractions: np.interp(fractions, length / length[-1], grid.numpy())


def _path(
    curve: Curve,
    rule: str | None,
    steps: int | None,
    tolerance: float,
    arc: Callable[[np.ndarray], np.ndarray],
) -> Path | AdaptivePath:
    """The curve cut by a rule into steps, by default equal arcs, or to a tolerance."""
    check_cut(rule, steps, tolerance)
    if steps is None:
        return AdaptivePath(curve, arc, tolerance)
    chosen = named_rule(rule or "arc-midpoint")
    fractions, measure = np.linspace(0, 1, steps + 1), arc if chosen.arc else np.asarray
    within = fractions[:-1] + chosen.place * np.diff(fractions)
    return Path(curve, tuple(measure(fractions).tolist()), tuple(measure(within).tolist()))


def check_cut(rule: str | None, steps: int | None, tolerance: float) -> None:
    """Refuse what no path can be cut by."""
    check_tolerance(tolerance)
    if rule is not None:
        named_rule(rule)
        if steps is None:
            raise ValueError(
                f'the rule {rule!r} needs a number of steps; LAM\'s public code has rule="right", '
                "steps=50, and without a rule the nodes follow from the tolerance"
            )
    if steps is not None and steps < 1:
        raise ValueError(f"a path integral needs at least 1 step, got {steps}")


def named_rule(name: str) -> Rule:
    """The quadrature rule of that name."""
    if name not in RULES:
        raise ValueError(f"unknown quadrature rule {name!r}; srlab has {', '.join(RULES)}")
    return RULES[name]
