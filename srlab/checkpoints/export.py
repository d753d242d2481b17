"""A network as one ONNX file: for the page that computes, and for whatever else reads ONNX."""

import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from srlab.capture import capture, frozen
from srlab.extras import require
from srlab.files import replace_file
from srlab.networks.contract import checked
from srlab.networks.foreign import NetworkError
from srlab.networks.state_dicts import restored, stored

PAGE_OPERATORS = {  # what srlab.explorers.engine runs, by ONNX's names; a test compares
    *("Abs", "Add", "Cast", "Clip", "Concat", "Constant", "Conv", "ConvTranspose"),
    *("DepthToSpace", "DequantizeLinear", "Div", "Elu", "Exp", "Flatten", "Gather", "Gemm"),
    *("GlobalAveragePool", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Log", "Max"),
    *("MaxPool", "Min", "Mod", "Mul", "Neg", "PRelu", "Pad", "Pow", "Reciprocal", "ReduceMean"),
    *("ReduceProd", "Relu", "Reshape", "Resize", "Shape", "Sigmoid", "Slice", "Softplus"),
    *("Split", "Sqrt", "Squeeze", "Sub", "Tanh", "Unsqueeze"),
}
SMALL = 64  # weights of fewer numbers are stored as they are
EXAMPLE = (40, 48)  # LR pixels of the picture that a network is traced with
LEAST = 32  # LR pixels a side that the trace is to hold from
FEATURES = "features"  # what a layer's output is called in the file


@dataclass(frozen=True)
class Exported:
    """An ONNX file, and whether the book's page runs it."""

    path: Path
    bytes: int
    missing: tuple[str, ...]  # operators that the page's engine lacks, by ONNX's names

    def __str__(self) -> str:
        written = f"{self.path}: {self.bytes / 1000:,.0f} kB"
        if not self.missing:
            return f"{written}, which the book's page runs"
        return f"{written}; the book's page cannot run it, it lacks {', '.join(self.missing)}"


def export(
    network: nn.Module,
    path: str | Path,
    *,
    layer: str = "",
    about: Mapping[str, Any] | None = None,
) -> Exported:
    """Write lr (1, 3, h, w) → sr (1, 3, scale·h, scale·w), of any h and w, as ONNX.

    Weights are the network's bit by bit, in 8 or 16 bits each where that is enough, as in srlab's
    own files. `about` is kept with them, as JSON. What `layer` (a dotted module name) puts out on
    the way to sr is called "features" in the file. The explorer of the book runs the file on a
    reader's picture, unless it lacks an operator: those are named. `NetworkError` where torch's
    exporter fails, as of networks whose code depends on the picture's values.

    >>> print(export(load("edsr"), "edsr.onnx"))  # doctest: +SKIP
    edsr.onnx: 172 kB, which the book's page runs
    """
    with frozen(network):
        proto = _traced(network, layer)
    _shrink(proto.graph)
    for node in proto.graph.node:  # where in the source a node came from is most of the file
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    del proto.graph.value_info[:]
    entry = proto.metadata_props.add()
    entry.key, entry.value = "srlab", json.dumps(dict(about or {}), separators=(",", ":"))
    require("onnx", "export").checker.check_model(proto)
    content = proto.SerializeToString()
    with replace_file(path) as temporary:
        temporary.write_bytes(content)
    used = {node.op_type for node in proto.graph.node}
    return Exported(Path(path), len(content), tuple(sorted(used - PAGE_OPERATORS)))


class _WithFeatures(nn.Module):
    """lr → (sr, what the layer puts out on the way)."""

    def __init__(self, network: nn.Module, layer: str) -> None:
        super().__init__()
        self.network, self.layer = network, layer

    def forward(self, lr: Tensor) -> tuple[Tensor, Tensor]:
        with capture(self.network, [self.layer], detach=False) as found:
            sr = self.network(lr)
        return sr, found[self.layer]


def _traced(network: nn.Module, layer: str) -> Any:
    """As torch's exporter has it, for every size of picture."""
    for package in ("onnx", "onnxscript"):
        require(package, "export")
    like = next((own.detach() for own in network.parameters()), torch.zeros(()))
    lr = like.new_full((1, 3, *EXAMPLE), 0.5)
    try:
        with torch.no_grad():
            checked(network(lr.clone()), tuple(lr.shape))
    except RuntimeError as error:
        size = "×".join(map(str, EXAMPLE))
        raise NetworkError(
            f"the network fails on a picture of {size}, and a file is for every size: {error}"
        ) from error
    sides = [torch.export.Dim(side, min=LEAST) for side in ("height", "width")]
    exact = torch.export.Dim.STATIC
    with _silence():
        try:
            program = torch.onnx.export(
                _WithFeatures(network, layer) if layer else network,
                (lr,),
                dynamo=True,
                verbose=False,
                input_names=["lr"],
                output_names=["sr", FEATURES] if layer else ["sr"],
                dynamic_shapes=((exact, exact, *sides),),
            )
        except torch.onnx.OnnxExporterError as error:
            raise NetworkError(
                "torch cannot write this network as ONNX for pictures of every size: "
                f"{_reason(error)}"
            ) from error
    proto = cast(Any, program).model_proto
    del proto.graph.output[1:]  # a tensor of that name inside, and one output
    return proto


@contextmanager
def _silence() -> Iterator[None]:
    """Without what torch's exporter says of packages that it would not need."""
    speaker = logging.getLogger("torch.onnx")
    level = speaker.level
    speaker.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        speaker.setLevel(level)


def _reason(error: BaseException) -> str:
    """What lies at the bottom of an error, in a line."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in f"{error}".splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _shrink(graph: Any) -> None:
    """Hold weights in 8 or 16 bits wherever that gives them back bit by bit."""
    from onnx import numpy_helper

    nodes, tensors = [], []
    for tensor in graph.initializer:
        values = torch.from_numpy(numpy_helper.to_array(tensor).copy())
        if held := _held(tensor.name, values):
            parts, node = held
            nodes.append(node)
            tensors += [numpy_helper.from_array(own.numpy(), name) for name, own in parts.items()]
        else:
            tensors.append(tensor)
    nodes += graph.node
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(tensors)
    graph.node.extend(nodes)


def _held(name: str, values: Tensor) -> tuple[dict[str, Tensor], Any] | None:
    """A tensor in fewer bits, by name, and the node that restores it; None where none would."""
    from onnx import TensorProto, helper

    if values.dtype != torch.float32 or values.numel() < SMALL:
        return None
    for bits in (8, 16):
        held, int8 = stored({name: values}, bits)
        if not torch.equal(restored(held, int8)[name], values):
            continue
        if name in int8:
            parts = {f"{name}.int8": held[name], f"{name}.step": held[int8[name]].float()}
            return parts, helper.make_node("DequantizeLinear", [*parts], [name], axis=0)
        parts = {f"{name}.half": held[name]}
        return parts, helper.make_node("Cast", [*parts], [name], to=TensorProto.FLOAT)
    return None
