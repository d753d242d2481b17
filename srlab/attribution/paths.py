"""Path integrals of gradients, Σ ∇f(point)·step: LAM in image space, FAIG in weight space.

A point is a tensor, or any nest of tuples, lists and dicts of tensors. A path is a curve together
with the places where gradients are taken; a quadrature rule chooses those places.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_leaves, tree_map, tree_unflatten

from srlab.degradations.filters import filter2d, gaussian_kernel
from srlab.images import check_images

Tree = Any  # a tensor, or a nest of tuples, lists and dicts of tensors
Curve = Callable[[Tensor], Tree]  # positions (n,) in [0, 1] → n points stacked on a new first axis


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


@dataclass(frozen=True)
class Path:
    """A curve cut into steps, with one node in each where the gradient is taken."""

    curve: Curve
    bounds: tuple[float, ...]  # steps + 1 positions, from 0 to 1
    nodes: tuple[float, ...]  # steps positions

    def pieces(self, size: int) -> Iterator[tuple[Tree, Tree]]:
        """(points, steps) of up to `size` nodes at a time, stacked on a new first axis."""
        for first in range(0, len(self.nodes), size):
            points = self.curve(_positions(self.nodes[first : first + size]))
            ends = self.curve(_positions(self.bounds[first : first + size + 1]))
            yield points, tree_map(lambda end: end[1:] - end[:-1], ends)


@dataclass(frozen=True)
class Integral:
    """∫ ∇f·dγ along a path, split over the components of γ."""

    attribution: Tree  # like one point; its sum approximates end − start
    start: float  # f where the path begins
    end: float  # f where it ends
    completeness_error: float  # |Σ attribution − (end − start)| / |end − start|
    values: np.ndarray  # (steps,) f at the nodes
    contributions: np.ndarray  # (steps,) what each step added to Σ attribution
    gradients: Tree | None  # at the nodes, stacked on a new first axis; None unless kept


def integrate(
    function: Callable[[Tree], Tensor],
    path: Path,
    *,
    batch_size: int | None = None,
    keep_gradients: bool = False,
) -> Integral:
    """Sum gradient × step along `path`; keeps no graph and leaves no gradient anywhere.

    `function` maps one point to a scalar. With `batch_size` it is given up to that many points,
    stacked on a new first axis, and returns one value each: faster where a GPU is to be filled.
    `keep_gradients` returns those of all nodes too, at the cost of their memory.

    >>> weights = straight(baseline_weights, target_weights, steps=16)
    >>> integrate(lambda weights: loss(functional_call(model, weights, lr), hr), weights)
    """
    batched = function if batch_size else _one_at_a_time(function)
    running = RunningIntegral(keep_gradients=keep_gradients)
    with torch.inference_mode(False):  # a caller's inference mode would forbid gradients
        for points, steps in path.pieces(batch_size or 1):
            running.add(*_value_and_gradient(batched, points), steps)
        with torch.no_grad():
            ends = [batched(path.curve(_positions([position]))) for position in (0.0, 1.0)]
        start, end = (float(value) for value in torch.cat(ends))
    return running.finish(start, end)


class RunningIntegral:
    """The sum gradient × step, node by node."""

    def __init__(self, *, keep_gradients: bool = False) -> None:
        self.total: Tree = None
        self.kept: list[Tree] | None = [] if keep_gradients else None
        self.values: list[Tensor] = []
        self.contributions: list[Tensor] = []

    def add(self, values: Tensor, gradients: Tree, steps: Tree) -> None:
        """Take in n nodes: f (n,), its gradients and the steps, both stacked on a first axis."""
        products = tree_map(torch.mul, gradients, steps)
        added = tree_map(lambda product: product.sum(dim=0), products)
        self.total = added if self.total is None else tree_map(torch.add, self.total, added)
        self.values.append(values)
        self.contributions.append(sum(leaf.flatten(1).sum(dim=1) for leaf in tree_leaves(products)))
        if self.kept is not None:
            self.kept.append(gradients)

    def finish(self, start: float, end: float) -> Integral:
        """The integral of a function that is `start` where the path begins and `end` where it ends.

        Refuses one that is not finite.
        """
        shares = torch.cat(self.contributions).cpu().double().numpy()
        if not np.isfinite([start, end, *shares]).all():
            raise ValueError(
                f"the path integral is not finite (f: {start:g} → {end:g}, sum {shares.sum():g}): "
                "the function or its gradient is NaN or infinite somewhere on the path; a square "
                "root, division or logarithm of an exact zero is the usual cause"
            )
        return Integral(
            attribution=self.total,
            start=start,
            end=end,
            completeness_error=completeness_error(shares.sum(), end - start),
            values=torch.cat(self.values).cpu().double().numpy(),
            contributions=shares,
            gradients=tree_map(lambda *parts: torch.cat(parts), *self.kept) if self.kept else None,
        )


def completeness_error(total: float, difference: float) -> float:
    """|total − difference| / |difference|; 0 where both are zero, infinite where only one is."""
    if total == difference:
        return 0.0
    return abs(total - difference) / abs(difference) if difference else math.inf


def straight(baseline: Tree, end: Tree, *, rule: str = "midpoint", steps: int = 16) -> Path:
    """The straight line from `baseline` to `end`; its arc length is even in alpha."""

    def curve(positions: Tensor) -> Tree:
        def between(a: Tensor, b: Tensor) -> Tensor:
            return torch.lerp(a, b, positions.to(a).reshape(-1, *[1] * a.ndim))

        return tree_map(between, baseline, end)

    place = named_rule(rule).place
    return Path(curve, *_cut(place, np.linspace(0, 1, _checked(steps) + 1)))


def deblurring(
    image: Tensor,
    *,
    sigma: float = 1.2,
    kernel_size: int = 9,
    rule: str = "arc-midpoint",
    steps: int = 16,
) -> Path:
    """From the image (C, h, w) blurred with `sigma` LR pixels to the image itself (LAM, Eq. 2).

    The width falls linearly, sigma·(1 − alpha). σ 1.2, a 9×9 kernel and mirrored borders are
    those of LAM's public code. Rules with equal arc measure the L1 length of this image path.
    """

    def curve(positions: Tensor) -> Tensor:
        kernels = gaussian_kernel(sigma * (1 - positions.double()), size=kernel_size)
        return filter2d(image.expand(len(positions), -1, -1, -1), kernels)

    chosen = named_rule(rule)
    measure = arc_positions(curve) if chosen.arc else np.asarray
    return Path(curve, *_cut(chosen.place, np.linspace(0, 1, _checked(steps) + 1), measure))


def image_path(
    image: Tensor,
    *,
    baseline: str | Tensor = "blur",
    path: str = "deblur",
    rule: str = "arc-midpoint",
    steps: int = 16,
    sigma: float = 1.2,
    kernel_size: int = 9,
) -> Path:
    """The path to an image (3, h, w) by its name, as `lam.local_attribution` explains it."""
    deblur = deblurring(image, sigma=sigma, kernel_size=kernel_size, rule=rule, steps=steps)
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
        return straight(check_images(baseline).to(image)[0], image, rule=rule, steps=steps)
    if baseline not in ("blur", "black"):
        raise ValueError(f'baseline is "blur", "black" or an image, got {baseline!r}')
    start = deblur.curve(torch.zeros(1))[0] if baseline == "blur" else torch.zeros_like(image)
    return straight(start, image, rule=rule, steps=steps)


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


def named_rule(name: str) -> Rule:
    """The quadrature rule of that name."""
    if name not in RULES:
        raise ValueError(f"unknown quadrature rule {name!r}; srlab has {', '.join(RULES)}")
    return RULES[name]


def _cut(
    place: float, fractions: np.ndarray, measure: Callable[[np.ndarray], np.ndarray] = np.asarray
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """(bounds, nodes) for evenly spaced `fractions` of whatever `measure` counts."""
    within = fractions[:-1] + place * np.diff(fractions)
    return tuple(measure(fractions).tolist()), tuple(measure(within).tolist())


def _checked(steps: int) -> int:
    if steps < 1:
        raise ValueError(f"a path integral needs at least 1 step, got {steps}")
    return steps


def _positions(numbers: Any) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def _one_at_a_time(function: Callable[[Tree], Tensor]) -> Callable[[Tree], Tensor]:
    return lambda points: function(tree_map(lambda leaf: leaf[0], points)).reshape(1)


def _value_and_gradient(function: Callable[[Tree], Tensor], points: Tree) -> tuple[Tensor, Tree]:
    with torch.enable_grad():
        leaves, structure = tree_flatten(points)
        leaves = [leaf.detach().clone().requires_grad_() for leaf in leaves]
        values = function(tree_unflatten(leaves, structure))
        if values.shape != leaves[0].shape[:1]:
            raise ValueError(
                f"the function returned shape {tuple(values.shape)} for {len(leaves[0])} points; "
                "it should return one number for each"
            )
        check_differentiable(values)
        gradients = torch.autograd.grad(values.sum(), leaves, materialize_grads=True)
    return values.detach(), tree_unflatten(gradients, structure)


def check_differentiable(values: Tensor) -> None:
    """Refuse what autograd has lost sight of."""
    if not values.requires_grad:
        raise ValueError(
            "the function's value carries no gradient; does it run under torch.no_grad, "
            "detach its result or leave torch?"
        )
