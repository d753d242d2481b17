"""Networks with the weights that their authors published, in srlab's names and conventions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from srlab.assets import OFFICIAL_WEIGHTS, weights_file
from srlab.checkpoints import CheckpointError, load_weights, read_weights
from srlab.models import build
from srlab.models.blocks import MEAN

Names = dict[str, str]  # ".theirs." → ".ours.", parts of dotted names, replaced in this order


@dataclass(frozen=True)
class OfficialProvenance:
    """Where published weights come from, and what they may be used for."""

    name: str
    architecture: str
    hyperparameters: dict[str, Any]
    repository: str  # on GitHub
    commit: str
    path: str
    sha256: str
    licence: str
    citation: str  # key in book/references.bib


@dataclass(frozen=True)
class _Published:
    """How a published state dict becomes one of ours."""

    architecture: str
    hyperparameters: dict[str, Any]
    names: Names
    constants: dict[str, Any] = field(default_factory=dict)  # in the file; fixed in our network
    unused: tuple[str, ...] = ()  # beginnings of names: of other scales
    high: float = 1.0  # the network was trained on values in [0, high]


def _numbered(theirs: str, ours: str, count: int) -> Names:
    """{theirs with 1, 2, …: ours with 0, 1, …}."""
    return {theirs.format(index + 1): ours.format(index) for index in range(count)}


_FUSED: Names = {".fea_conv.": ".head.", ".LR_conv.": ".fusion.2.", ".c.0.": ".fusion.0."}
_IMDN: Names = {
    **_FUSED,
    **_numbered(".IMDB{}.", ".body.{}.", 6),
    **_numbered(".c{}.", ".convs.{}.", 4),
    ".c5.": ".fuse.",
    ".cca.conv_du.": ".attention.excite.",
}
_RFDN: Names = {
    **_FUSED,
    **_numbered(".B{}.", ".body.{}.", 4),
    **_numbered(".c{}_d.", ".distil.{}.", 3),
    **_numbered(".c{}_r.", ".refine.{}.", 3),
    ".c4.": ".last.",
    ".c5.": ".fuse.",
    ".esa.conv1.": ".attention.reduce.",
    ".esa.conv_f.": ".attention.fine.",
    ".esa.conv2.": ".attention.stride.",
    ".esa.conv_max.": ".attention.coarse.0.",
    ".esa.conv3.": ".attention.coarse.2.",
    ".esa.conv3_.": ".attention.coarse.4.",
    ".esa.conv4.": ".attention.expand.",
}
_PAN: Names = {
    ".conv_first.": ".head.",
    ".SCPA_trunk.": ".body.",
    ".conv1_a.": ".plain.0.",
    ".k1.0.": ".plain.2.",
    ".conv1_b.": ".attended.0.",
    ".PAConv.k2.": ".attended.2.gate.",
    ".PAConv.k3.": ".attended.2.before.",
    ".PAConv.k4.": ".attended.2.after.",
    ".conv3.": ".merge.",
    ".trunk_conv.": ".body.16.",
    **_numbered(".upconv{}.", ".upsampler.{}.1.", 2),
    **_numbered(".att{}.conv.", ".upsampler.{}.2.gate.", 2),
    **_numbered(".HRconv{}.", ".upsampler.{}.4.", 2),
    ".conv_last.": ".tail.",
}
_CARN_M: Names = {
    ".entry.": ".head.",
    ".exit.": ".tail.",
    ".upsample.up4.body.": ".upsampler.",
    **_numbered(".b{}.b1.", ".body.units.{}.units.0.", 3),
    **{
        f".b{block + 1}.c{step + 1}.body.": f".body.units.{block}.fusions.{step}."
        for block in range(3)
        for step in range(3)
    },
    **_numbered(".c{}.body.", ".body.fusions.{}.", 3),
}
_IDENTITY = [[[[float(row == column)]] for column in range(3)] for row in range(3)]

PUBLISHED: dict[str, _Published] = {
    "imdn": _Published("imdn", {"scale": 4}, _IMDN),
    "rfdn": _Published("rfdn", {"scale": 4}, _RFDN, high=255.0),
    "pan": _Published("pan", {"scale": 4}, _PAN),
    "carn-m": _Published(
        "carn",
        {"scale": 4, "groups": 4, "recursive": True},
        _CARN_M,
        constants={
            "sub_mean.shifter.weight": _IDENTITY,
            "sub_mean.shifter.bias": [-value for value in MEAN],
            "add_mean.shifter.weight": _IDENTITY,
            "add_mean.shifter.bias": list(MEAN),
        },
        unused=("upsample.up2.", "upsample.up3."),
    ),
}


def load_official(name: str) -> tuple[nn.Module, OfficialProvenance]:
    """A published ×4 network in eval mode, fed [0, 1] like all of srlab's, and where it is from.

    Looks in $SRLAB_DATA/weights, then in the cache, then downloads. Every tensor of the file has
    its place in the network, and every weight of the network comes from the file.

    >>> model, provenance = load_official("imdn")
    """
    if name not in PUBLISHED:
        raise ValueError(f"no published network {name!r}; srlab has {', '.join(PUBLISHED)}")
    published, source = PUBLISHED[name], OFFICIAL_WEIGHTS[name]
    model = build(published.architecture, **published.hyperparameters)
    weights = _ours(published, read_weights(weights_file(name)))
    load_weights(model, _fed_unit_range(weights, published.high))
    provenance = OfficialProvenance(
        name,
        published.architecture,
        published.hyperparameters,
        source.repository,
        source.commit,
        source.path,
        source.sha256,
        source.licence,
        source.citation,
    )
    return model.eval(), provenance


def _ours(published: _Published, theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The file's tensors under our names; constants are compared, other scales left out."""
    for name, value in published.constants.items():
        if name not in theirs or not torch.equal(theirs[name], torch.tensor(value)):
            raise CheckpointError(f"{name} of the published file is not what srlab builds in")
    return {
        _renamed(name, published.names): tensor
        for name, tensor in theirs.items()
        if name not in published.constants and not name.startswith(published.unused)
    }


def _renamed(name: str, names: Names) -> str:
    dotted = f".{name}"
    for theirs, ours in names.items():
        dotted = dotted.replace(theirs, ours)
    return dotted[1:]


def _fed_unit_range(weights: Mapping[str, Tensor], high: float) -> dict[str, Tensor]:
    """First and last convolution scaled, so that [0, 1] does what [0, high] did."""
    factors = {"head.weight": high, "upsampler.0.weight": 1 / high, "upsampler.0.bias": 1 / high}
    return {name: tensor * factors.get(name, 1.0) for name, tensor in weights.items()}
