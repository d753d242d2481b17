"""Every operator of the page's engine against torch: forward, gradient, and what it reaches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from srlab.checkpoints.export import PAGE_OPERATORS

TRY = """({ op, attributes, inputs, outputs, need, slopes }) => {
  const heap = new Heap();
  const given = inputs.map((own) => own && ("c" in own ? tensor(own.c, own.h, own.w) : own));
  const keep = (name, make) => make();
  const { steps, made } = OPERATORS[op](attributes, given, { heap, keep, outputs });
  const ys = made ?? [steps[0].y];
  const y = ys.length > 1 ? concatenation(ys) : null;
  const last = y ? y.y : ys[0];
  const isPicture = (own) => own && "c" in own;
  const sources = given.filter(isPicture);
  const values = inputs.filter(isPicture).map(({ data }) => Float32Array.from(data));
  const plan = new Plan(heap, heap.top, sources, y ? [...steps, y] : steps, last, need);
  sources.forEach((x, i) => write(heap.floats, x, x.at, cut(values[i], x, x.need)));
  plan.forward();
  const result = read(heap.floats, last, last.at);
  plan.backward(slopes);
  return {
    shape: [last.c, last.h, last.w], result: [...result], needs: sources.map((x) => x.need),
    gradients: sources.map((x) => [...uncut(read(heap.floats, x, x.grad), x, x.need)]),
  };
}"""


@dataclass
class Case:
    """An operator as ONNX has it, and what torch makes of the same inputs."""

    op: str
    torch: Callable[..., Tensor | Sequence[Tensor]]
    inputs: Sequence[Any] = ((5, 9, 11),)  # shapes of pictures (c, h, w); tensors are constants
    attributes: dict[str, Any] = field(default_factory=dict)
    low: float = -2.0  # of the values, up to 2
    outputs: int = 1
    tight: bool = True  # the gradient is nowhere zero in what is reached
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.op


def noise(*shape: int, low: float = -2.0, seed: int = 0) -> Tensor:
    drawn = torch.rand(*shape, generator=torch.Generator().manual_seed(seed))
    return low + (2 - low) * drawn


def pads(own: int) -> list[int]:
    return [own] * 4


WEIGHT, BIAS = noise(6, 5, 3, 3, seed=1), noise(6, seed=2)
TRANSPOSED = {
    (size, scale, pad): noise(5, 3, size, size, seed=size)
    for size, scale, pad in ((9, 4, 4), (4, 2, 1), (6, 3, 2))
}
WHOLE = torch.tensor

POINTWISE = [
    Case("Abs", torch.abs),
    Case(
        "Clip", lambda x, *_: x.clamp(-0.5, 1), ((5, 9, 11), WHOLE(-0.5), WHOLE(1.0)), tight=False
    ),
    Case("Elu", F.elu),
    Case("Exp", torch.exp),
    Case("HardSigmoid", lambda x: (0.3 * x + 0.5).clamp(0, 1), attributes={"alpha": 0.3}),
    Case("HardSwish", F.hardswish),
    Case("Identity", lambda x: x + 0),
    Case("LeakyRelu", lambda x: F.leaky_relu(x, 0.1), attributes={"alpha": 0.1}),
    Case("Log", torch.log, low=0.1),
    Case("Neg", torch.neg),
    Case("Pow", lambda x, _: x**3, ((5, 9, 11), WHOLE(3.0))),
    Case("PRelu", lambda x, a: F.prelu(x, a.flatten()), ((5, 9, 11), noise(5, 1, 1, seed=3))),
    Case("PRelu", lambda x, a: F.prelu(x, a.flatten()), ((5, 9, 11), noise(1, seed=3)), name="1"),
    Case("Reciprocal", torch.reciprocal, low=0.5),
    Case("Relu", torch.relu, tight=False),
    Case("Sigmoid", torch.sigmoid),
    Case("Softplus", F.softplus),
    Case("Sqrt", torch.sqrt, low=0.1),
    Case("Tanh", torch.tanh),
]
TWO = ((5, 9, 11), (5, 9, 11))
ARITHMETIC = [
    Case("Add", torch.add, TWO),
    Case("Sub", torch.sub, TWO),
    Case("Mul", torch.mul, TWO),
    Case("Div", torch.div, TWO, low=0.5),
    Case("Max", torch.maximum, TWO, tight=False),
    Case("Min", torch.minimum, TWO, tight=False),
    Case("Add", torch.add, ((5, 9, 11), noise(1, 5, 1, 1)), name="Add of a bias"),
    Case("Sub", torch.sub, (WHOLE(1.0), (5, 9, 11)), name="Sub from 1"),
    Case("Mul", torch.mul, ((5, 9, 11), WHOLE(0.2)), name="Mul by a number"),
    Case("Mul", torch.mul, ((5, 9, 11), (5, 1, 1)), name="Mul by channel attention"),
    Case("Mul", torch.mul, ((5, 9, 11), (1, 9, 11)), name="Mul by pixel attention"),
    Case("Div", torch.div, ((5, 9, 11), noise(5, 1, 1, low=0.5)), name="Div by constants"),
]


def resized(mode: str, **settings: Any) -> Callable[..., Tensor]:
    return lambda x, *_: F.interpolate(x, mode=mode, **settings)


def scales(h: float, w: float) -> list[Any]:
    return [(5, 9, 11), None, WHOLE([1.0, 1.0, h, w])]


def sizes(h: int, w: int) -> list[Any]:
    return [(5, 9, 11), None, None, WHOLE([1, 5, h, w])]


HALF = "pytorch_half_pixel"
ONNX_CUBIC = {"mode": "cubic", "cubic_coeff_a": -0.75, "coordinate_transformation_mode": HALF}
ROWS_AND_COLUMNS = [
    Case(
        "Conv",
        lambda x, w, b: F.conv2d(x, w, b, padding=1),
        ((5, 9, 11), WEIGHT, BIAS),
        {"pads": pads(1)},
    ),
    Case(
        "Conv",
        lambda x, w, b: F.conv2d(x, w, b, 2),
        ((5, 9, 11), WEIGHT, BIAS),
        {"strides": [2, 2]},
        name="Conv in strides",
        tight=False,
    ),
    Case(
        "Conv",
        lambda x, w: F.conv2d(x, w, stride=3, padding=1),
        ((5, 9, 11), noise(13, 5, 1, 1)),
        {"strides": [3, 3], "pads": pads(1)},
        name="Conv of 13",
        tight=False,
    ),
    Case(
        "Conv",
        lambda x, w: F.conv2d(x, w, dilation=2, padding=2),
        ((5, 9, 11), WEIGHT),
        {"dilations": [2, 2], "pads": pads(2)},
        name="Conv dilated",
        tight=False,
    ),
    Case(
        "Conv",
        lambda x, w: F.conv2d(x, w, groups=2, padding=1),
        ((6, 9, 11), noise(4, 3, 3, 3)),
        {"group": 2, "pads": pads(1)},
        name="Conv in groups",
    ),
    Case(
        "Conv",
        lambda x, k: F.conv2d(x, k.reshape(5, 1, 3, 3), groups=5, padding=1),
        ((5, 9, 11), (45, 1, 1)),
        {"group": 5, "pads": pads(1), "kernel_shape": [3, 3]},
        name="Conv with computed kernels",
    ),
    *(
        Case(
            "ConvTranspose",
            lambda x, w, b, s=scale, p=pad: F.conv_transpose2d(
                x, w, b, s, p, (s + 2 * p - w.shape[-1]) % s
            ),
            ((5, 9, 11), own, BIAS[:3]),
            {
                "strides": [scale] * 2,
                "pads": pads(pad),
                "output_padding": [(scale + 2 * pad - size)] * 2,
            },
            name=f"ConvTranspose {size}",
            tight=False,
        )
        for (size, scale, pad), own in TRANSPOSED.items()
    ),
    Case(
        "DepthToSpace",
        lambda x: F.pixel_shuffle(x, 2),
        ((12, 5, 6),),
        {"blocksize": 2, "mode": "CRD"},
    ),
    Case(
        "DepthToSpace",
        lambda x: F.pixel_shuffle(x.reshape(1, 4, 3, 5, 6).transpose(1, 2).reshape(1, 12, 5, 6), 2),
        ((12, 5, 6),),
        {"blocksize": 2, "mode": "DCR"},
        name="DepthToSpace by depth",
    ),
    Case(
        "MaxPool",
        lambda x: F.max_pool2d(x, 3, 2),
        attributes={"kernel_shape": [3, 3], "strides": [2, 2]},
        tight=False,
    ),
    Case(
        "MaxPool",
        lambda x: F.max_pool2d(x, 3, 2, 1),
        attributes={"kernel_shape": [3, 3], "strides": [2, 2], "pads": pads(1)},
        tight=False,
        name="MaxPool padded",
    ),
    Case(
        "Resize",
        resized("nearest", scale_factor=2),
        scales(2, 2),
        {
            "mode": "nearest",
            "coordinate_transformation_mode": "asymmetric",
            "nearest_mode": "floor",
        },
    ),
    Case(
        "Resize",
        resized("bilinear", scale_factor=4),
        scales(4, 4),
        {"mode": "linear", "coordinate_transformation_mode": HALF},
        name="Resize linear",
        tight=False,
    ),
    Case(
        "Resize",
        resized("bilinear", size=(23, 17)),
        sizes(23, 17),
        {"mode": "linear", "coordinate_transformation_mode": HALF},
        name="Resize to a size",
        tight=False,
    ),
    Case(
        "Resize",
        resized("bilinear", size=(18, 33), align_corners=True),
        sizes(18, 33),
        {"mode": "linear", "coordinate_transformation_mode": "align_corners"},
        name="Resize corners",
        tight=False,
    ),
    Case(
        "Resize",
        resized("bicubic", scale_factor=3),
        scales(3, 3),
        ONNX_CUBIC,
        name="Resize cubic",
        tight=False,
    ),
    Case(
        "Resize",
        resized("bicubic", scale_factor=2, antialias=True),
        scales(2, 2),
        {**ONNX_CUBIC, "cubic_coeff_a": -0.5, "exclude_outside": 1},
        name="Resize by Pillow's cubic",
        tight=False,
    ),
    Case(
        "Pad",
        lambda x, _: F.pad(x, (1, 2, 3, 4), "reflect"),
        ((5, 9, 11), WHOLE([0, 0, 3, 1, 0, 0, 4, 2])),
        {"mode": "reflect"},
        tight=False,
    ),
    Case(
        "Pad",
        lambda x, _: F.pad(x, (1, 2, 3, 4), "replicate"),
        ((5, 9, 11), WHOLE([0, 0, 3, 1, 0, 0, 4, 2])),
        {"mode": "edge"},
        name="Pad by the edge",
        tight=False,
    ),
    Case(
        "Pad",
        lambda x, _: F.pad(x, (1, 2, 3, 4)),
        ((5, 9, 11), WHOLE([0, 0, 3, 1, 0, 0, 4, 2])),
        name="Pad with zeros",
    ),
    Case(
        "Slice",
        lambda x, *_: x[:, 1:4, 2:-1, ::2],
        ((5, 9, 11), WHOLE([1, 2, 0]), WHOLE([4, -1, 99]), WHOLE([1, 2, 3]), WHOLE([1, 1, 2])),
        tight=False,
    ),
]
CHANNELS = [
    Case("Concat", lambda *xs: torch.cat(xs, 1), ((5, 9, 11), (3, 9, 11), (4, 9, 11)), {"axis": 1}),
    Case(
        "Split",
        lambda x, s: x.split(s.tolist(), 1),
        ((7, 9, 11), WHOLE([2, 1, 4])),
        {"axis": 1},
        outputs=3,
    ),
    Case("ReduceMean", lambda x, _: x.mean((2, 3), keepdim=True), ((5, 9, 11), WHOLE([2, 3]))),
    Case(
        "ReduceMean",
        lambda x, _: x.mean(1, keepdim=True),
        ((5, 9, 11), WHOLE([1])),
        name="ReduceMean of channels",
    ),
    Case("GlobalAveragePool", lambda x: x.mean((2, 3), keepdim=True)),
    Case(
        "Gemm",
        lambda x, w, b: F.linear(x.flatten(1), w, b)[..., None, None],
        ((5, 1, 1), noise(7, 5), noise(7, seed=4)),
        {"transB": 1},
    ),
    *(
        Case(op, lambda x, *_: x + 0, ((5, 1, 1), WHOLE([1, -1])))
        for op in ("Flatten", "Reshape", "Squeeze", "Unsqueeze")
    ),
]
CASES = [*POINTWISE, *ARITHMETIC, *ROWS_AND_COLUMNS, *CHANNELS]


def test_every_operator_that_export_promises_is_there(engine):
    known = set(engine.evaluate("[...Object.keys(OPERATORS), ...Object.keys(FOLDS)]"))
    assert known == PAGE_OPERATORS
    assert {case.op for case in CASES} == set(engine.evaluate("Object.keys(OPERATORS)"))


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("part", ["inside", "corner", "whole"])
def test_an_operator_is_torchs_forward_and_backward_on_what_it_reaches(engine, case, part):
    """On a rectangle of its result; outside what it says to need, the gradient is zero."""
    given = [
        noise(1, *own, low=case.low, seed=n).requires_grad_() if isinstance(own, tuple) else own
        for n, own in enumerate(case.inputs)
    ]
    answer = case.torch(*(own for own in given if own is not None))
    whole = answer if isinstance(answer, Tensor) else torch.cat(list(answer), 1)
    h, w = whole.shape[-2:]
    top, bottom, left, right = {
        "inside": (h // 3, h // 3 + 2, w // 3, w // 3 + 3),
        "corner": (0, 2, w - 2, w),
        "whole": (0, h, 0, w),
    }[part]
    need = [top, min(h, bottom), max(0, left), min(w, right)]
    expected = whole[..., need[0] : need[1], need[2] : need[3]]
    slopes = noise(*expected.shape, seed=9)
    pictures = [own for own in given if own is not None and own.requires_grad]
    wanted = torch.autograd.grad((expected * slopes).sum(), pictures)
    found = engine.evaluate(TRY, message(case, given, need, slopes))
    assert found["shape"] == list(whole.shape[1:])
    close(found["result"], expected)
    for own, reached, gradient in zip(found["gradients"], found["needs"], wanted, strict=True):
        close(own, gradient)
        places = gradient[0].abs().sum(0).nonzero()
        if len(places) and case.tight:
            (first, across), (last, behind) = places.amin(0).tolist(), places.amax(0).tolist()
            assert reached == [first, last + 1, across, behind + 1]


def message(case: Case, given: Sequence[Tensor | None], need: list[int], slopes: Tensor) -> dict:
    def written(own: Tensor | None) -> dict[str, Any] | None:
        if own is None:
            return None
        data = own.detach().flatten().tolist()
        if not own.requires_grad:
            return {"shape": list(own.shape), "data": data}
        return {**dict(zip("chw", own.shape[1:], strict=True)), "data": data}

    return {
        "op": case.op,
        "attributes": case.attributes,
        "inputs": [written(own) for own in given],
        "outputs": case.outputs,
        "need": need,
        "slopes": slopes.flatten().tolist(),
    }


def close(found: list[float], wanted: Tensor) -> None:
    wanted = wanted.detach().flatten()
    torch.testing.assert_close(
        torch.tensor(found, dtype=torch.float32),
        wanted,
        rtol=2e-5,
        atol=2e-5 * float(wanted.abs().max()),
    )
