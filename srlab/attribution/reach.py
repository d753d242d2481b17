"""Which rectangle of its inputs an operation needs for a rectangle of its result.

`step` answers for one operation, and says how to compute just that rectangle, exactly. Operations
that no rule knows are computed whole. Rows and columns are the last two axes of any value.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Size, Tensor
from torch.nn import functional as F
from torch.utils._pytree import tree_leaves, tree_map

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


class Box(NamedTuple):
    """A rectangle of a value."""

    rows: Span
    columns: Span

    def around(self, other: "Box") -> "Box":
        """The smallest rectangle that holds both."""
        pairs = zip(self, other, strict=True)
        return Box(*(Span(min(a.first, b.first), max(a.stop, b.stop)) for a, b in pairs))

    def of(self, value: Tensor, held: "Box") -> Tensor:
        """This rectangle of a value, of which there is the rectangle `held`."""
        pairs = zip(self, held, strict=True)
        rows, columns = (slice(a.first - b.first, a.stop - b.first) for a, b in pairs)
        return value if self == held else value[..., rows, columns]


def whole(shape: Size) -> Box:
    """All of a value of that shape; an axis that it lacks has one place."""
    rows, columns = (1, 1, *shape)[-2:]
    return Box(Span(0, rows), Span(0, columns))


class Step(NamedTuple):
    """What an operation reads, of each value that it takes, and how it makes its result of that."""

    reads: list[Box]
    run: Callable[..., Any]


Rule = Callable[[Operation, list[Size], Size, Box], Step | None]


def step(operation: Operation, shapes: Sequence[Size], box: Box) -> Step | None:
    """How to compute `box` of an operation's result, or None where only the whole is safe."""
    taken = [shapes[place] for place in operation.taken]
    result = shapes[next(place for place in operation.places if place is not None)]
    rule = RULES.get(operation.name)
    if rule is None or min(map(len, (result, *taken))) < 2:
        return None
    return rule(operation, taken, result, box)


def call(operation: Operation) -> Callable[..., Any]:
    """The operation as a function of the values that it takes, in any memory layout."""
    if operation.name in ("view", "_unsafe_view"):
        operation = replace(operation, function=aten.reshape.default)

    def run(*values: Tensor) -> Any:
        left = iter(values)
        arguments = _filled(operation.arguments, left)
        keywords = {name: _filled(own, left) for name, own in operation.keywords.items()}
        return operation.function(*arguments, **keywords)

    return run


def _filled(argument: Any, values: Iterator[Tensor]) -> Any:
    """The argument with the next of the values wherever a `Ref` is meant."""
    if isinstance(argument, Ref):
        return next(values)
    if isinstance(argument, list | tuple):
        return [_filled(own, values) for own in argument]
    return argument


# Rules --------------------------------------------------------------------------------------------


def pointwise(operation: Operation, taken: list[Size], _: Size, box: Box) -> Step:
    """Each place of the result is made of the same place of the inputs, or of a broadcast one."""

    def met(shape: Size) -> Box:
        pairs = zip(whole(shape), box, strict=True)
        return Box(*(all_ if all_.size == 1 else own for all_, own in pairs))

    def cut_constant(leaf: Any) -> Any:
        if not isinstance(leaf, Tensor) or leaf.ndim == 0:
            return leaf
        return met(leaf.shape).of(torch.atleast_2d(leaf), whole(leaf.shape))

    arguments, keywords = tree_map(cut_constant, (operation.arguments, operation.keywords))
    operation = replace(operation, arguments=arguments, keywords=keywords)
    return Step([met(shape) for shape in taken], call(operation))


def alongside(operation: Operation, taken: list[Size], result: Size, box: Box) -> Step | None:
    """Other axes are cut, joined, averaged or renamed; rows and columns stay what they are."""
    constant = any(isinstance(leaf, Tensor) for leaf in tree_leaves(operation.arguments))
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
    if transposed:

        def run(x: Tensor) -> Tensor:
            grown = F.conv_transpose2d(x, weight, bias, stride, 0, 0, groups, dilation)
            return _padded(grown, left, right, above, below)

    else:
        high, wide = min(above, below), min(left, right)  # the rest of the zeros goes before it
        rest = left - wide, right - wide, above - high, below - high

        def run(x: Tensor) -> Tensor:
            return F.conv2d(_padded(x, *rest), weight, bias, stride, (high, wide), dilation, groups)

    return Step([Box(rows, columns)], run)


def _padded(x: Tensor, *around: int) -> Tensor:
    return F.pad(x, around) if any(around) else x


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
    return Step([read], lambda x: box.of(run(x), grown))


def unshuffle(operation: Operation, _: list[Size], __: Size, box: Box) -> Step | None:
    """Places become channels."""
    factor = operation.arguments[1]
    return Step([Box(*(Span(factor * s.first, factor * s.stop) for s in box))], call(operation))


def resample(operation: Operation, taken: list[Size], result: Size, box: Box) -> Step | None:
    """Rows and columns are weighted sums of rows and columns, each axis by itself."""
    if box == whole(result) or len(result) != 4:
        return None
    (rows, down), (columns, across) = (
        _weighted(_axis_weights(operation, taken[0], result, axis), span, axis)
        for axis, span in zip((-2, -1), box, strict=True)
    )
    return Step([Box(rows, columns)], lambda x: across(down(x)))


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


def _weighted(weights: Tensor, span: Span, axis: int) -> tuple[Span, Callable[[Tensor], Tensor]]:
    """The places of one axis that those of the span need, and how they are made of these."""
    weights = weights[span.first : span.stop]
    used = weights.any(dim=0).nonzero().flatten()
    first, stop = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, 1)
    weights = weights[:, first:stop]
    if torch.equal(weights, torch.eye(stop - first, dtype=weights.dtype)):
        return Span(first, stop), lambda x: x
    if axis == -2:
        return Span(first, stop), lambda x: weights.to(x) @ x
    return Span(first, stop), lambda x: x @ weights.to(x).T


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
