"""Which rectangle of its inputs an operation needs for a rectangle of its result.

`step` answers for one operation, and says how to compute just that rectangle, exactly. Operations
that no rule knows are computed whole. Rows and columns are the last two axes of any value.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Size, Tensor
from torch.nn import functional as F
from torch.utils._pytree import tree_flatten, tree_unflatten

from srlab.attribution.graph import Operation, Ref
from srlab.networks.layout import channels_last

aten = torch.ops.aten


class Span(NamedTuple):
    """Rows or columns, first … stop - 1."""

    first: int
    stop: int

    @property
    def size(self) -> int:
        """How many."""
        return self.stop - self.first

    def within(self, other: "Span") -> slice:
        """Where they lie in a value that holds `other`."""
        return slice(self.first - other.first, self.stop - other.first)


class Box(NamedTuple):
    """A rectangle of a value."""

    rows: Span
    columns: Span

    def around(self, other: "Box") -> "Box":
        """The smallest rectangle that holds both."""
        pairs = zip(self, other, strict=True)
        return Box(*(Span(min(a.first, b.first), max(a.stop, b.stop)) for a, b in pairs))


def whole(shape: Size) -> Box:
    """All of a value of that shape; an axis that it lacks has one place."""
    rows, columns = (1, 1, *shape)[-2:]
    return Box(Span(0, rows), Span(0, columns))


@dataclass(frozen=True)
class Step:
    """What an operation reads, of each of its `refs`, and how it makes its result of that."""

    reads: list[Box]
    run: Callable[..., Any]


Rule = Callable[[Operation, list[Size], Size, Box], Step | None]


def step(operation: Operation, shapes: Sequence[Size], box: Box) -> Step | None:
    """How to compute `box` of an operation's result, or None where only the whole is safe."""
    taken = [shapes[ref.place] for ref in operation.refs()]
    result = shapes[next(place for place in operation.places if place is not None)]
    rule = RULES.get(operation.name)
    if rule is None or min(map(len, (result, *taken))) < 2:
        return None
    return rule(operation, taken, result, box)


def call(operation: Operation) -> Callable[..., Any]:
    """The operation as a function of its refs' values, in any memory layout."""
    if operation.name in ("view", "_unsafe_view"):
        operation = replace(operation, function=aten.reshape.default)
    function, keywords, refs = operation.function, operation.keywords, operation.refs()
    places = [i for i, own in enumerate(operation.arguments) if isinstance(own, Ref)]
    if len(places) == len(refs):  # as nearly always: no value inside a list

        def run(*values: Tensor) -> Any:
            arguments = list(operation.arguments)
            for place, value in zip(places, values, strict=True):
                arguments[place] = value
            return function(*arguments, **keywords)

        return run
    leaves, structure = tree_flatten((operation.arguments, keywords))

    def run_nested(*values: Tensor) -> Any:
        left = iter(values)
        filled = [next(left) if isinstance(leaf, Ref) else leaf for leaf in leaves]
        arguments, named = tree_unflatten(filled, structure)
        return function(*arguments, **named)

    return run_nested


# Rules --------------------------------------------------------------------------------------------


def pointwise(operation: Operation, taken: list[Size], result: Size, box: Box) -> Step | None:
    """Each place of the result is made of the same place of the inputs, or of a broadcast one."""
    leaves, structure = tree_flatten((operation.arguments, operation.keywords))
    constants = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Tensor) and leaf.ndim]
    shapes = [*taken, *(leaves[i].shape for i in constants)]
    boxes = [own for own in (_broadcast(shape, result, box) for shape in shapes) if own]
    if len(boxes) < len(shapes):
        return None
    reads, cuts = boxes[: len(taken)], boxes[len(taken) :]
    for index, own in zip(constants, cuts, strict=True):
        leaves[index] = _cut_constant(leaves[index], own)
    arguments, keywords = tree_unflatten(leaves, structure)
    return Step(reads, call(replace(operation, arguments=arguments, keywords=keywords)))


def _broadcast(shape: Size, result: Size, box: Box) -> Box | None:
    """The part of an input that meets `box` of the result."""
    spans = []
    for extent, whole_extent, span in zip((1, 1, *shape)[-2:], result[-2:], box, strict=True):
        if extent not in (1, whole_extent):
            return None
        spans.append(span if extent == whole_extent else Span(0, 1))
    return Box(*spans)


def _cut_constant(constant: Tensor, box: Box) -> Tensor:
    rows, columns = (slice(*span) for span in box)
    return constant[..., columns] if constant.ndim == 1 else constant[..., rows, columns]


def alongside(operation: Operation, taken: list[Size], result: Size, box: Box) -> Step | None:
    """Other axes are cut, joined, averaged or renamed; rows and columns stay what they are."""
    constant = any(isinstance(leaf, Tensor) for leaf in tree_flatten(operation.arguments)[0])
    if constant or any(shape[-2:] != result[-2:] for shape in taken):
        return None
    if operation.name in RESHAPES:
        value, sizes = operation.arguments[:2]
        if not isinstance(sizes, list | tuple):  # a view as another kind of numbers
            return None
        sizes = [*sizes[:-2], *(span.size for span in box)]
        operation = replace(operation, arguments=(value, sizes))
    elif not _spares_places(operation, len(taken[0])):
        return None
    return Step([box] * len(taken), call(operation))


RESHAPES = ("view", "_unsafe_view", "reshape", "expand")


def _spares_places(operation: Operation, ndim: int) -> bool:
    """Whether the axes that an operation is told leave out the last two."""
    given = _named(operation)
    if operation.name == "permute":
        return [axis % ndim for axis in given["dims"]][-2:] == [ndim - 2, ndim - 1]
    told = [given[name] for name in ("dim", "dim0", "dim1") if given.get(name) is not None]
    axes = [axis for own in told for axis in (own if isinstance(own, list | tuple) else [own])]
    ndim += operation.name == "unsqueeze"
    return bool(axes) and all(axis % ndim < ndim - 2 for axis in axes)


def _named(operation: Operation) -> dict[str, Any]:
    """All arguments of an operation by name, its defaults too."""
    schema = operation.function._schema.arguments
    defaults = {own.name: own.default_value for own in schema}
    given = dict(zip(defaults, operation.arguments, strict=False))
    return defaults | given | operation.keywords


def normalize(operation: Operation, taken: list[Size], _: Size, box: Box) -> Step | None:
    """Batch normalisation by what was learnt; by the batch itself it needs all of it."""
    return None if operation.arguments[5] or len(taken) > 1 else Step([box], call(operation))


def convolve(operation: Operation, taken: list[Size], _: Size, box: Box) -> Step | None:
    """A convolution of two axes, transposed or not."""
    _, weight, bias, stride, padding, dilation, transposed, _, groups = operation.arguments
    if len(taken) > 1 or len(taken[0]) != 4:
        return None
    weight = channels_last(weight)
    axes = zip(box, taken[0][-2:], weight.shape[-2:], stride, padding, dilation, strict=True)
    cuts = [_transposed(*axis) if transposed else _convolved(*axis) for axis in axes]
    (rows, above, below), (columns, left, right) = cuts
    around = [left, right, above, below]
    if transposed:

        def run(x: Tensor) -> Tensor:
            grown = F.conv_transpose2d(x, weight, bias, stride, 0, 0, groups, dilation)
            return F.pad(grown, around) if any(around) else grown

    elif above == below and left == right:

        def run(x: Tensor) -> Tensor:
            return F.conv2d(x, weight, bias, stride, (above, left), dilation, groups)

    else:

        def run(x: Tensor) -> Tensor:
            return F.conv2d(F.pad(x, around), weight, bias, stride, 0, dilation, groups)

    return Step([Box(rows, columns)], run)


def _convolved(
    span: Span, extent: int, kernel: int, stride: int, padding: int, dilation: int
) -> tuple[Span, int, int]:
    """What of an axis is read, and how many zeros go before and behind it."""
    first = span.first * stride - padding
    stop = (span.stop - 1) * stride - padding + dilation * (kernel - 1) + 1
    read = Span(min(max(first, 0), extent), max(min(stop, extent), 0))
    return read, read.first - first, stop - read.stop


def _transposed(
    span: Span, extent: int, kernel: int, stride: int, padding: int, dilation: int
) -> tuple[Span, int, int]:
    """The same, where stride enlarges; places that were made too many are taken off (below 0)."""
    reach = dilation * (kernel - 1)
    first = max(-(-(span.first + padding - reach) // stride), 0)
    stop = min((span.stop - 1 + padding) // stride + 1, extent)
    begin, end = first * stride, (stop - 1) * stride + reach + 1
    return Span(first, stop), begin - (span.first + padding), span.stop + padding - end


def shuffle(operation: Operation, _: list[Size], __: Size, box: Box) -> Step | None:
    """Channels become places (pixel shuffle)."""
    factor, run = operation.arguments[1], call(operation)
    read = Box(*(Span(span.first // factor, (span.stop - 1) // factor + 1) for span in box))
    grown = Box(*(Span(factor * span.first, factor * span.stop) for span in read))
    rows, columns = (own.within(all_) for own, all_ in zip(box, grown, strict=True))
    if grown == box:
        return Step([read], run)
    return Step([read], lambda x: run(x)[..., rows, columns])


def unshuffle(operation: Operation, _: list[Size], __: Size, box: Box) -> Step | None:
    """Places become channels."""
    factor = operation.arguments[1]
    return Step([Box(*(Span(factor * s.first, factor * s.stop) for s in box))], call(operation))


def resample(operation: Operation, taken: list[Size], result: Size, box: Box) -> Step | None:
    """Rows and columns are weighted sums of rows and columns, each axis by itself."""
    if box == whole(result) or len(result) != 4:
        return None
    rows, columns = (
        _AxisCut(_axis_weights(operation, taken[0], result, axis), span)
        for axis, span in zip((-2, -1), box, strict=True)
    )
    return Step([Box(rows.read, columns.read)], lambda x: columns(rows(x, -2), -1))


def surround(operation: Operation, taken: list[Size], _: Size, box: Box) -> Step | None:
    """A constant around rows and columns; where it is less than nothing, these are cut."""
    given = _named(operation)
    pad = [*given["pad"], 0, 0]
    if any(pad[4:]):
        return None
    axes = zip(box, taken[0][-2:], (pad[2], pad[0]), strict=True)
    cuts = [_convolved(span, extent, 1, 1, before, 1) for span, extent, before in axes]
    (rows, above, below), (columns, left, right) = cuts
    if min(rows.size, columns.size) < 1:
        return None
    around, value = [left, right, above, below], given["value"]
    return Step([Box(rows, columns)], lambda x: F.pad(x, around, value=value))


def _axis_weights(operation: Operation, shape: Size, result: Size, axis: int) -> Tensor:
    """(out, in) of one axis: what the operation makes of pictures that are 1 at one place."""
    own, other = [2, 2], -3 - axis  # two: of one column, antialiasing keeps the rows
    own[axis] = shape[axis]
    basis = torch.eye(shape[axis], dtype=torch.float64).unsqueeze(other).expand(-1, *own)[None]
    given = _named(operation)
    if "output_size" in given:
        own[axis] = result[axis]
        given |= {"output_size": own, "scales_h" if axis == -1 else "scales_w": None}
    else:  # left, right, top, bottom
        pad = given["padding"]
        given["padding"] = [0, 0, *pad[2:]] if axis == -2 else [*pad[:2], 0, 0]
    answer = operation.function(*({**given, next(iter(given)): basis}.values()))
    return answer.select(other, 0)[0].T


class _AxisCut:
    """Some places of one axis, as weighted sums of the places that they need."""

    def __init__(self, weights: Tensor, span: Span) -> None:
        weights = weights[span.first : span.stop]
        used = weights.any(dim=0).nonzero().flatten()
        first, stop = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, 1)
        self.read, self.weights = Span(first, stop), weights[:, first:stop]
        self.copied = torch.equal(self.weights, torch.eye(stop - first, dtype=weights.dtype))

    def __call__(self, x: Tensor, axis: int) -> Tensor:
        if self.copied:
            return x
        weights = self.weights.to(x)
        return weights @ x if axis == -2 else x @ weights.T


def cut(operation: Operation, taken: list[Size], result: Size, box: Box) -> Step | None:
    """A slice: of another axis, or of rows or columns without steps."""
    given, ndim = _named(operation), len(result)
    axis, extent = given["dim"] % ndim - ndim, taken[0][given["dim"]]
    if axis < -2:
        return alongside(operation, taken, result, box)
    if given["step"] != 1:
        return None
    first, _, _ = slice(given["start"], given["end"]).indices(extent)
    spans = list(box)
    spans[axis] = Span(*(first + place for place in box[axis]))
    return Step([Box(*spans)], lambda x: x)


POINTWISE = (
    *("abs", "add", "alias", "clamp", "clamp_max", "clamp_min", "clone", "detach", "div", "elu"),
    *("exp", "gelu", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "lift_fresh_copy"),
    *("log", "maximum", "minimum", "mish", "mul", "neg", "pow", "reciprocal", "relu", "relu6"),
    *("rsqrt", "rsub", "sigmoid", "silu", "softplus", "sqrt", "square", "sub", "tanh", "where"),
    *("_prelu_kernel", "_to_copy"),
)
ALONGSIDE = (
    *("amax", "amin", "cat", "expand", "mean", "permute", "select", "split", "split_with_sizes"),
    *("softmax", "_softmax", "squeeze", "stack", "sum", "transpose", "unbind", "unsqueeze", "var"),
    *("view", "_unsafe_view"),
)
RULES: dict[str, Rule] = {
    **dict.fromkeys(POINTWISE, pointwise),
    **dict.fromkeys(ALONGSIDE, alongside),
    "convolution": convolve,
    "native_batch_norm": normalize,
    "pixel_shuffle": shuffle,
    "pixel_unshuffle": unshuffle,
    "upsample_nearest2d": resample,
    "_upsample_nearest_exact2d": resample,
    "upsample_bilinear2d": resample,
    "upsample_bicubic2d": resample,
    "_upsample_bilinear2d_aa": resample,
    "_upsample_bicubic2d_aa": resample,
    "reflection_pad2d": resample,
    "replication_pad2d": resample,
    "constant_pad_nd": surround,
    "slice": cut,
}
