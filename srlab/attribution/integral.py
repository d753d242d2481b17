"""Path integrals of gradients, Σ ∇f(point)·step: LAM in image space, FAIG in weight space.

A point is a tensor, or any nest of tuples, lists and dicts of tensors. A path is a curve together
with the nodes where gradients are taken: given beforehand, or chosen as gradients are found.

Between two nodes the gradient of a network changes in jumps, where a ReLU opens or closes, at
places that are not known. A jump Δ at a random place of an interval h that is split in the middle
is off by Δ·h/√12 in the root mean square, and jumps add up in squares: this is the error that is
expected, and the tolerance is for.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from math import inf, nan
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import allow_mutation_on_saved_tensors
from torch.utils._pytree import tree_flatten, tree_leaves, tree_map, tree_unflatten

Tree = Any  # a tensor, or a nest of tuples, lists and dicts of tensors
Curve = Callable[[Tensor], Tree]  # positions (n,) in [0, 1] → n points stacked on a new first axis
Function = Callable[[Tree], Tensor]  # n stacked points → (n,)
TOLERANCE = 0.05  # of an attribution, as Σ |error| / Σ |attribution|
INCOMPLETE = 0.05  # completeness error from which on it is told


class InexactWarning(UserWarning):
    """An attribution that is further off than it should be."""


@contextmanager
def gathered_inexactness() -> Iterator[list[str]]:
    """Within it, what `InexactWarning` tells goes to a list, for a page that says it once.

    >>> with gathered_inexactness() as told:
    ...     maps = [lam(network, lr, target, path=deblur(steps=4)) for target in targets]
    """
    texts: list[str] = []
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", InexactWarning)
        yield texts
    for one in told:
        if issubclass(one.category, InexactWarning):
            texts.append(str(one.message))
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


@dataclass(frozen=True)
class Path:
    """A curve cut into steps, with one node in each where the gradient is taken."""

    curve: Curve
    bounds: tuple[float, ...]  # steps + 1 positions, from 0 to 1
    nodes: tuple[float, ...]  # steps positions
    tolerance: ClassVar[None] = None  # nothing was asked of the attribution

    def pieces(self, size: int) -> Iterator[tuple[Tree, Tree]]:
        """(points, steps) of up to `size` nodes at a time, stacked on a new first axis."""
        for first in range(0, len(self.nodes), size):
            points = self.curve(positions(self.nodes[first : first + size]))
            ends = self.curve(positions(self.bounds[first : first + size + 1]))
            yield points, tree_map(lambda end: end[1:] - end[:-1], ends)


@dataclass(frozen=True)
class AdaptivePath:
    """A curve whose nodes are chosen as gradients are found: more where those change more."""

    curve: Curve
    measure: Callable[[np.ndarray], np.ndarray] = np.asarray  # fractions of the way → positions
    tolerance: float = TOLERANCE
    least: int = 16  # intervals to begin with: with fewer, smooth networks are less exact
    most: int = 128  # intervals after which it ends, exact enough or not

    def through(self, fractions: Sequence[float]) -> Path:
        """Each node stands for the places nearer to it than to any other."""
        middles = [(first + last) / 2 for first, last in pairwise(fractions)]
        ways = ([0.0, *middles, 1.0], fractions)
        bounds, nodes = (tuple(self.measure(np.array(own)).tolist()) for own in ways)
        return Path(self.curve, bounds, nodes)


@dataclass(frozen=True)
class Integral:
    """∫ ∇f·dγ along a path, split over the components of γ."""

    attribution: Tree  # like one point; its sum approximates end − start
    start: float  # f where the path begins
    end: float  # f where it ends
    completeness_error: float  # |Σ attribution − (end − start)| / |end − start|
    error: float  # expected Σ |error| / Σ |attribution|, of what is `shown`; nan for one node
    path: Path  # with the nodes that were taken
    values: np.ndarray  # (steps,) f at the nodes
    contributions: np.ndarray  # (steps,) what each step added to Σ attribution
    gradients: Tree | None  # at the nodes, stacked on a new first axis; None unless kept


@dataclass(frozen=True)
class Node:
    """A position on a curve, with a function's value and gradient."""

    position: float
    value: float
    gradient: Tree


def everything(attribution: Tree) -> Tensor:
    """All its values, (n,)."""
    return torch.cat([leaf.flatten() for leaf in tree_leaves(attribution)])


def integrate(
    function: Callable[[Tree], Tensor],
    path: Path | AdaptivePath,
    *,
    batch_size: int | None = None,
    keep_gradients: bool = False,
    shown: Callable[[Tree], Tensor] = everything,
) -> Integral:
    """Sum gradient × step along `path`; keeps no graph and leaves no gradient anywhere.

    `function` maps one point to a scalar. With `batch_size` it is given up to that many points,
    stacked on a new first axis, and returns one value each: faster where a GPU is to be filled.
    `keep_gradients` returns those of all nodes too, at the cost of their memory. `shown`, linear,
    is what of an attribution the error is expected of, by default all of it.

    >>> weights = line(baseline_weights, target_weights, steps=16)
    >>> integrate(lambda weights: loss(functional_call(model, weights, lr), hr), weights)
    """

    def alone(points: Tree) -> Tensor:
        return function(tree_map(lambda leaf: leaf[0], points)).reshape(1)

    size, batched = batch_size or 1, function if batch_size else alone
    with torch.inference_mode(False):  # a caller's inference mode would forbid gradients
        if isinstance(path, AdaptivePath):
            path, chosen = _chosen(batched, path, size, shown)
            nodes = iter(chosen)
        else:
            nodes = _taken(batched, path.curve, path.nodes, size)
        total = _Sum(path, shown, keep_gradients=keep_gradients)
        for node in nodes:
            total.add(node)
        start, end = (total.value(position, batched) for position in (0.0, 1.0))
    return total.finish(start, end)


def integrate_each(
    functions: Callable[[Tensor], Tensor],
    path: Path,
    *,
    shown: Callable[[Tree], Tensor] = everything,
) -> list[Integral]:
    """`integrate` for n functions of a tensor that are computed together.

    `functions` maps one point, with an axis of one in front, to (n,); it runs once a node forward
    and n times backward.
    """
    sums: list[_Sum] = []
    with torch.inference_mode(False):
        for place in path.nodes:
            values, gradients = _values_and_gradients(functions, path.curve(positions([place])))
            sums = sums or [_Sum(path, shown, keep_gradients=False) for _ in values]
            for total, value, gradient in zip(sums, values, gradients, strict=True):
                total.add(Node(place, value, gradient))
        with torch.no_grad():
            ends = [functions(path.curve(positions([place]))).tolist() for place in (0.0, 1.0)]
    return [total.finish(*own) for total, *own in zip(sums, *ends, strict=True)]


def _values_and_gradients(
    functions: Callable[[Tensor], Tensor], points: Tensor
) -> tuple[list[float], list[Tensor]]:
    """Of one point (1, …): n values, and n gradients of its shape without the axis of one."""
    with torch.enable_grad():
        leaf = points.detach().clone().requires_grad_()
        values = functions(leaf)
        _check_differentiable(values)
        gradients = [torch.autograd.grad(own, leaf, retain_graph=True)[0][0] for own in values]
    return values.tolist(), gradients


def _taken(function: Function, curve: Curve, places: Sequence[float], size: int) -> Iterator[Node]:
    """The nodes, of which `size` pass the function together."""
    for first in range(0, len(places), size):
        some = places[first : first + size]
        values, gradients = value_and_gradient(function, curve(positions(some)))
        for row, (place, value) in enumerate(zip(some, values.tolist(), strict=True)):
            yield Node(place, value, tree_map(lambda leaf, row=row: leaf[row], gradients))


def _chosen(
    function: Function, path: AdaptivePath, size: int, shown: Callable[[Tree], Tensor]
) -> tuple[Path, list[Node]]:
    """Nodes as dense as the tolerance asks: the interval with the largest error is halved."""

    def take(fractions: list[float]) -> dict[float, Node]:
        places = path.measure(np.array(fractions)).tolist()
        return dict(zip(fractions, _taken(function, path.curve, places, size), strict=True))

    def between(ends: tuple[float, float]) -> _Gap:
        middle = path.measure(np.array([sum(ends) / 2]))[0]
        return _gap(path.curve, [found[end] for end in ends], middle, shown)

    found, gaps = take(np.linspace(0, 1, path.least + 1).tolist()), dict[tuple, _Gap]()
    while True:
        fractions = sorted(found)
        gaps = {ends: gaps.get(ends) or between(ends) for ends in pairwise(fractions)}
        room = path.most - len(gaps)
        square, part = (torch.stack(own).sum(dim=0) for own in zip(*gaps.values(), strict=True))
        if room < 1 or _share(square, part) <= path.tolerance:
            return path.through(fractions), [found[fraction] for fraction in fractions]
        worst = sorted(gaps, key=lambda ends: -float(gaps[ends].square.sqrt().sum()))
        found |= take([sum(ends) / 2 for ends in worst[: min(size, room)]])


class _Gap(NamedTuple):
    """What lies between two nodes, as shown."""

    square: Tensor  # of the error that a jump makes at a random place between them
    part: Tensor  # of the attribution


def _gap(
    curve: Curve, nodes: Sequence[Node], middle: float, shown: Callable[[Tree], Tensor]
) -> _Gap:
    """The first node stands for the way to the position `middle`, the second for the rest."""
    points = curve(positions([nodes[0].position, middle, nodes[1].position]))
    halves = [tree_map(lambda leaf, i=i: leaf[i + 1] - leaf[i], points) for i in (0, 1)]
    lengths = [sum(float(leaf.abs().sum()) for leaf in tree_leaves(half)) for half in halves]
    aside = lengths[0] / (sum(lengths) or 1) - 1 / 2
    jump = tree_map(torch.sub, nodes[1].gradient, nodes[0].gradient)
    error = shown(product(jump, tree_map(torch.add, *halves)))
    first, second = (
        shown(product(node.gradient, half)) for node, half in zip(nodes, halves, strict=True)
    )
    return _Gap((1 / 12 + aside**2) * error.square(), first + second)


def _share(square: Tensor, shown: Tensor) -> float:
    size = float(shown.abs().sum())
    return float(square.sqrt().sum()) / size if size else 0.0


class _Sum:
    """Σ gradient × step, node by node, and the error that is expected of it."""

    def __init__(
        self, path: Path, shown: Callable[[Tree], Tensor], *, keep_gradients: bool
    ) -> None:
        self.path, self.shown, self.keep = path, shown, keep_gradients
        self.total: Tree = None
        self.square: Tensor | None = None
        self.kept: list[Tree] = []
        self.values: list[float] = []
        self.contributions: list[float] = []
        self.last: Node | None = None

    def add(self, node: Node) -> None:
        """Take in the next node."""
        number = len(self.values)
        bounds = self.path.bounds[number : number + 2]
        ends = self.path.curve(positions(bounds))
        products = product(node.gradient, tree_map(lambda leaf: leaf[1] - leaf[0], ends))
        self.total = products if self.total is None else tree_map(torch.add, self.total, products)
        self.contributions.append(float(sum(leaf.double().sum() for leaf in tree_leaves(products))))
        self.values.append(node.value)
        if self.last is not None:
            square = _gap(self.path.curve, (self.last, node), bounds[0], self.shown).square
            self.square = square if self.square is None else self.square + square
        if self.keep:
            self.kept.append(node.gradient)
        self.last = node

    @torch.no_grad()
    def value(self, position: float, function: Function) -> float:
        """The function there, unless a node has it."""
        known = dict(zip(self.path.nodes, self.values, strict=True))
        if position not in known:
            known[position] = float(function(self.path.curve(positions([position]))))
        return known[position]

    def finish(self, start: float, end: float) -> Integral:
        """The integral of a function that goes from `start` to `end`; finite, or refused."""
        shares = np.array(self.contributions)
        if not np.isfinite([start, end, *shares]).all():
            raise ValueError(
                f"the path integral is not finite (f: {start:g} → {end:g}, sum {shares.sum():g}): "
                "the function or its gradient is NaN or infinite somewhere on the path; a square "
                "root, division or logarithm of an exact zero is the usual cause"
            )
        kept = tree_map(lambda *parts: torch.stack(parts), *self.kept) if self.keep else None
        return Integral(
            attribution=self.total,
            start=start,
            end=end,
            completeness_error=completeness_error(float(shares.sum()), end - start),
            error=nan if self.square is None else _share(self.square, self.shown(self.total)),
            path=self.path,
            values=np.array(self.values),
            contributions=shares,
            gradients=kept,
        )


def completeness_error(total: float, difference: float) -> float:
    """|total − difference| / |difference|; 0 where both are zero, infinite where only one is."""
    if total == difference:
        return 0.0
    return abs(total - difference) / abs(difference) if difference else inf


def tell_inexact(
    error: float, completeness: float, tolerance: float | None, *, causes: str, stacklevel: int = 3
) -> None:
    """Warn of an attribution that misses its tolerance, or does not add up."""
    told = []
    if tolerance is not None and error > tolerance:
        told.append(f"its expected error is {error:.1%} where {tolerance:.1%} were asked for")
    if completeness > INCOMPLETE:
        told.append(
            f"its sum misses the change of what it explains by {completeness:.1%}; causes are "
            f"too few steps, a network that is not the same twice, {causes}"
        )
    if told:
        warnings.warn(
            f"the attribution is not exact: {'; '.join(told)}", InexactWarning, stacklevel
        )


def product(gradient: Tree, step: Tree) -> Tree:
    """What a step changes, by component; of complex ones the real part (with the conjugate)."""
    return tree_map(lambda g, s: (g * s.conj()).real if g.is_complex() else g * s, gradient, step)


def positions(numbers: Any) -> Tensor:
    """(n,) as a curve takes them."""
    return torch.as_tensor(numbers, dtype=torch.float64)


def value_and_gradient(function: Function, points: Tree) -> tuple[Tensor, Tree]:
    """The function of n stacked points, (n,), and its gradient at each, like the points.

    A network that overwrites what its gradient needs, or that runs parts again, is as good as any.
    """
    try:
        return _differentiated(function, points, torch.autograd.grad)
    except RuntimeError as error:
        if "use_reentrant" in str(error):
            return _differentiated(function, points, _backward)
        if "modified by an inplace operation" not in str(error):
            raise
    with allow_mutation_on_saved_tensors():  # the network overwrites what its gradient needs
        return _differentiated(function, points, torch.autograd.grad)


def _differentiated(
    function: Function, points: Tree, differentiate: Callable[..., Sequence[Tensor]]
) -> tuple[Tensor, Tree]:
    with torch.enable_grad():
        leaves, structure = tree_flatten(points)
        leaves = [leaf.detach().clone().requires_grad_() for leaf in leaves]
        values = function(tree_unflatten(leaves, structure))
        if values.shape != leaves[0].shape[:1]:
            raise ValueError(
                f"the function returned shape {tuple(values.shape)} for {len(leaves[0])} points; "
                "it should return one number for each"
            )
        _check_differentiable(values)
        gradients = differentiate(values.sum(), leaves, materialize_grads=True)
    return values.detach(), tree_unflatten(gradients, structure)


def _backward(value: Tensor, leaves: Sequence[Tensor], **_: bool) -> list[Tensor]:
    """For reentrant checkpoints, which know no other way."""
    value.backward()  # type: ignore[no-untyped-call]
    return [torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in leaves]


def _check_differentiable(values: Tensor) -> None:
    """Refuse what autograd has lost sight of."""
    if not values.requires_grad:
        raise ValueError(
            "the function's value carries no gradient; does it run under torch.no_grad, "
            "detach its result or leave torch?"
        )
