"""The paths that attribution integrates along: progressive deblurring and straight lines.

A path is a value, made by `deblur` or `straight`, that is later given the image where it ends.
Without a number of steps its nodes are chosen as gradients are found; with one they lie where a
quadrature rule puts them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from srlab.attribution.integral import TOLERANCE, AdaptivePath, Curve, Path, Tree
from srlab.degradations.filters import filter2d, gaussian_kernel
from srlab.images import check_images

# Where the gradient is taken within each step. Steps are even in alpha, those of arcs on the curve.
PLACES = {"left": 0.0, "midpoint": 0.5, "right": 1.0}  # right: LAM's public code
RULES = (*PLACES, *(f"arc-{place}" for place in PLACES))


@dataclass(frozen=True)
class Cut:
    """Where on a curve gradients are taken: in steps by a rule, or as a tolerance asks."""

    rule: str | None = None  # by default equal arcs
    steps: int | None = None
    tolerance: float = TOLERANCE

    def __post_init__(self) -> None:
        if not 0 < self.tolerance < 1:
            raise ValueError(
                f"a tolerance is a share of the attribution, 0.05 for 5 %; got {self.tolerance}"
            )
        if self.rule is not None and self.rule not in RULES:
            known = ", ".join(RULES)
            raise ValueError(f"unknown quadrature rule {self.rule!r}; srlab has {known}")
        if self.rule is not None and self.steps is None:
            raise ValueError(
                f"the rule {self.rule!r} needs a number of steps; LAM's public code has "
                'rule="right", steps=50, and without a rule the nodes follow from the tolerance'
            )
        if self.steps is not None and self.steps < 1:
            raise ValueError(f"a path integral needs at least 1 step, got {self.steps}")

    def along(self, curve: Curve, arc: Callable[[np.ndarray], np.ndarray]) -> Path | AdaptivePath:
        """The path; `arc` maps fractions of the curve's length to positions."""
        if self.steps is None:
            return AdaptivePath(curve, arc, self.tolerance)
        of_arcs, _, place = (self.rule or "arc-midpoint").rpartition("-")
        fractions, measure = np.linspace(0, 1, self.steps + 1), arc if of_arcs else np.asarray
        within = fractions[:-1] + PLACES[place] * np.diff(fractions)
        return Path(curve, tuple(measure(fractions).tolist()), tuple(measure(within).tolist()))


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
    cut = Cut(rule, steps, tolerance)

    def path(image: Tensor) -> Path | AdaptivePath:
        def curve(positions: Tensor) -> Tensor:  # the width falls linearly
            kernels = gaussian_kernel(sigma * (1 - positions.double()), size=kernel_size)
            return filter2d(image.expand(len(positions), -1, -1, -1), kernels)

        return cut.along(curve, arc_positions(curve))

    return path


def deblurring(image: Tensor, **settings: Any) -> Path | AdaptivePath:
    """The path `deblur(**settings)` of one image (C, h, w)."""
    return deblur(**settings)(image)


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
    cut = Cut(rule, steps, tolerance)
    if isinstance(baseline, str):
        if baseline not in BASELINES:
            raise ValueError(
                f"a baseline is {' or '.join(map(repr, BASELINES))}, an image (1, 3, h, w) or a "
                f"function of the image, got {baseline!r}"
            )
        baseline = BASELINES[baseline]
    elif isinstance(baseline, Tensor):
        check_images(baseline)

    def path(image: Tensor) -> Path | AdaptivePath:
        start = baseline if isinstance(baseline, Tensor) else baseline(image[None])
        if start.shape != (1, *image.shape):
            raise ValueError(
                f"the baseline has shape {tuple(start.shape)}, the LR image (1, 3, h, w) = "
                f"{(1, *image.shape)}"
            )
        return cut.along(_between(start.to(image)[0], image), np.asarray)

    return path


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
    return Cut(rule, steps, tolerance).along(_between(baseline, end), np.asarray)


def _between(baseline: Tree, end: Tree) -> Curve:
    def curve(positions: Tensor) -> Tree:
        def point(a: Tensor, b: Tensor) -> Tensor:
            return torch.lerp(a, b, positions.to(a).reshape(-1, *[1] * a.ndim))

        return tree_map(point, baseline, end)

    return curve


def arc_positions(curve: Callable[[Tensor], Tensor]) -> Callable[[np.ndarray], np.ndarray]:
    """The map from fractions of the curve's L1 length to the positions where they are reached."""
    grid = torch.linspace(0, 1, 129, dtype=torch.float64)
    moves = curve(grid).diff(dim=0).abs().flatten(1).sum(dim=1).cpu().double().numpy()
    length = np.concatenate([[0.0], np.cumsum(moves)])
    if length[-1] == 0:  # a flat image: nothing moves, any positions will do
        return np.asarray
    return lambda fractions: np.interp(fractions, length / length[-1], grid.numpy())
