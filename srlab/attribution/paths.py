"""The paths that attribution integrates along: progressive deblurring and straight lines.

Without a number of steps a path's nodes are chosen as gradients are found; with one they lie where
a quadrature rule puts them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from srlab.attribution.integral import TOLERANCE, AdaptivePath, Curve, Path, Tree
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


def straight(
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
    sigma: float = 1.2,
    kernel_size: int = 9,
    rule: str | None = None,
    steps: int | None = None,
    tolerance: float = TOLERANCE,
) -> Path | AdaptivePath:
    """From the image (C, h, w) blurred with `sigma` LR pixels to the image itself (LAM, Eq. 2).

    The width falls linearly, sigma·(1 − alpha). σ 1.2, a 9×9 kernel and mirrored borders are
    those of LAM's public code. Rules with equal arc measure the L1 length of this image path.
    """

    def curve(positions: Tensor) -> Tensor:
        kernels = gaussian_kernel(sigma * (1 - positions.double()), size=kernel_size)
        return filter2d(image.expand(len(positions), -1, -1, -1), kernels)

    return _path(curve, rule, steps, tolerance, arc_positions(curve))


def image_path(
    image: Tensor,
    *,
    baseline: str | Tensor = "blur",
    path: str = "deblur",
    rule: str | None = None,
    steps: int | None = None,
    tolerance: float = TOLERANCE,
    sigma: float = 1.2,
    kernel_size: int = 9,
) -> Path | AdaptivePath:
    """The path to an image (3, h, w) by its name, as `lam.local_attribution` explains it."""
    cut = {"rule": rule, "steps": steps, "tolerance": tolerance}
    deblur = deblurring(image, sigma=sigma, kernel_size=kernel_size, **cut)  # type: ignore[arg-type]
    if path == "deblur":
        if isinstance(baseline, Tensor) or baseline != "blur":
            raise ValueError('the path "deblur" begins at baseline "blur"; use path="linear"')
        return deblur
    if path != "linear":
        raise ValueError(f'path is "deblur" or "linear", got {path!r}')
    if isinstance(baseline, Tensor):
        if baseline.shape != (1, *image.shape):
            raise ValueError(
                f"the baseline has shape {tuple(baseline.shape)}, the LR image (1, 3, h, w) = "
                f"{(1, *image.shape)}"
            )
        start = check_images(baseline).to(image)[0]
    elif baseline not in ("blur", "black"):
        raise ValueError(f'baseline is "blur", "black" or an image, got {baseline!r}')
    else:
        blurred = baseline == "blur"
        start = deblur.curve(torch.zeros(1))[0] if blurred else torch.zeros_like(image)
    return straight(start, image, **cut)  # type: ignore[arg-type]


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
    chosen = named_rule(rule or "arc-midpoint")
    if steps is None:
        if rule is not None:
            raise ValueError(
                f'the rule {rule!r} needs a number of steps; LAM\'s public code has rule="right", '
                "steps=50, and without a rule the nodes follow from the tolerance"
            )
        return AdaptivePath(curve, arc, tolerance)
    if steps < 1:
        raise ValueError(f"a path integral needs at least 1 step, got {steps}")
    fractions, measure = np.linspace(0, 1, steps + 1), arc if chosen.arc else np.asarray
    within = fractions[:-1] + chosen.place * np.diff(fractions)
    return Path(curve, tuple(measure(fractions).tolist()), tuple(measure(within).tolist()))


def named_rule(name: str) -> Rule:
    """The quadrature rule of that name."""
    if name not in RULES:
        raise ValueError(f"unknown quadrature rule {name!r}; srlab has {', '.join(RULES)}")
    return RULES[name]
