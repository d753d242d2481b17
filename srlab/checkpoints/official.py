"""Networks with the weights that their authors published, in srlab's names and conventions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isqrt, prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from srlab.data.assets import OFFICIAL_WEIGHTS, weights_file
from srlab.models import build
from srlab.models.blocks import MEAN
from srlab.networks.state_dicts import (
    CheckpointError,
    existing,
    load_weights,
    read_weights,
    state_dicts,
)

Names = dict[str, str]  # ".theirs." → ".ours.", parts of dotted names, replaced in this order


@dataclass(frozen=True)
class OfficialProvenance:
    """Where published weights come from, and what they may be used for."""

    name: str
    architecture: str
    hyperparameters: dict[str, Any]
    repository: str  # on GitHub
    commit: str  # or the tag of the release
    path: str
    sha256: str  # of the published file; one that holds it in 16 bits has another
    licence: str
    citation: str  # key in book/references.bib


@dataclass(frozen=True)
class _Published:
    """How a published state dict becomes one of ours."""

    architecture: str
    hyperparameters: dict[str, Any]
    names: Names
    constants: dict[str, Any] = field(default_factory=dict)  # in the file; fixed in our network
    filled: dict[str, Any] = field(default_factory=dict)  # in our network; fixed in theirs
    unused: tuple[str, ...] = ()  # beginnings of names: of other scales, of the training
    parts: tuple[str, ...] = ()  # the state dicts that belong to it, where the file holds several
    any_scale: bool = False  # the file tells it; else it is that of the hyperparameters
    high: float = 1.0  # the network was trained on values in [0, high]
    first: tuple[str, ...] = ("head.weight",)  # what the image meets, in our names
    last: tuple[str, ...] = ("upsampler.0.weight", "upsampler.0.bias")  # what makes the SR image


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
_FSRCNN: Names = {
    ".feature_extract.": ".head.0.",
    ".activation_1.": ".head.1.",
    ".shrink.": ".body.0.0.",
    ".activation_2.": ".body.0.1.",
    **{f".map_{index}.": f".body.{index}.0." for index in range(1, 5)},
    ".activation_3.": ".body.4.1.",
    ".expand.": ".body.5.0.",
    ".activation_4.": ".body.5.1.",
    ".deconv.": ".tail.",
}
_SRGAN: Names = {
    ".block1.": ".head.",
    ".block8.0.conv.": ".upsampler.0.",
    ".block8.0.prelu.": ".upsampler.2.",
    ".block8.1.conv.": ".upsampler.3.",
    ".block8.1.prelu.": ".upsampler.5.",
    ".block8.2.": ".tail.",
    **{f".block{index + 2}.": f".body.{index}." for index in range(6)},
    **{f".bn{index}.": f".norm{index}." for index in (1, 2)},
    ".prelu.": ".activation.",
}


def _rrdb(blocks: int) -> Names:
    """RRDBNet as Real-ESRGAN and BasicSR name it, and as ESRGAN did at first."""
    return {
        ".conv_first.": ".head.",
        ".RRDB_trunk.": ".body.",
        **{f".{closing}.": f".body.{blocks}." for closing in ("conv_body", "trunk_conv")},
        **{f".{up}1.": ".upsampler.1." for up in ("conv_up", "upconv")},
        **{f".{up}2.": ".upsampler.4." for up in ("conv_up", "upconv")},
        **{f".{last}.": ".tail.0." for last in ("conv_hr", "HRconv")},
        ".conv_last.": ".tail.2.",
        **_numbered(".rdb{}.", ".body.{}.", 3),
        **_numbered(".RDB{}.", ".body.{}.", 3),
        **_numbered(".conv{}.", ".convs.{}.", 5),
    }


_AWARE: Names = {  # what the generators of DASR and ReDSR share
    ".head.0.": ".head.",
    ".tail.0.2.": ".upsampler.3.",
    ".tail.0.": ".upsampler.",
    ".tail.1.": ".tail.0.",
    **{f".body.{group}.body.5.": f".body.{group}.last." for group in range(5)},
    **{f".body.{group}.body.": f".body.{group}.blocks." for group in range(5)},
    ".ca.conv_du.": ".attention.",
}
_DASR: Names = {".G.": ".", ".E.encoder_q.E.": ".encoder.", **_AWARE}
_REDSR: Names = {
    **{f".ConvNet.{3 * index + 1}.": f".encoder.{2 * index}." for index in range(6)},
    **{f".ConvNet.{3 * index + 2}.": f".encoder.{2 * index + 1}." for index in range(6)},
    ".compress.": ".told.layers.",
    ".prelu.": ".activation.",
    **_numbered(".prelu{}.", ".activations.{}.", 3),
    **_AWARE,
}
_IDENTITY = [[[[float(row == column)]] for column in range(3)] for row in range(3)]


def _mean_shift(layer: str, high: float = 1) -> dict[str, Any]:
    """Layers that take the training pictures' mean off ("sub") and put it back on ("add")."""
    shifts = {"sub": -high, "add": high}
    return {
        f"{layer.format(name)}.{kind}": value
        for name, sign in shifts.items()
        for kind, value in {"weight": _IDENTITY, "bias": [sign * own for own in MEAN]}.items()
    }


PUBLISHED: dict[str, _Published] = {
    "imdn": _Published("imdn", {"scale": 4}, _IMDN),
    "rfdn": _Published("rfdn", {"scale": 4}, _RFDN, high=255.0),
    "pan": _Published("pan", {"scale": 4}, _PAN),
    "carn-m": _Published(
        "carn",
        {"scale": 4, "groups": 4, "recursive": True},
        _CARN_M,
        constants=_mean_shift("{}_mean.shifter"),
        unused=("upsample.up2.", "upsample.up3."),
    ),
    "fsrcnn-nhat": _Published(  # no rectifier between the mapping layers
        "fsrcnn",
        {"scale": 4, "colour": "ycbcr"},
        _FSRCNN,
        filled={f"body.{index}.1.weight": [1.0] * 12 for index in range(1, 4)},
    ),
    "srgan-leftthomas": _Published(
        "srresnet-bn",
        {"scale": 4, "num_blocks": 5, "closing": "prelu", "bounded": True},
        _SRGAN,
        filled={
            f"body.{block}.norm{index}.num_batches_tracked": 0
            for block in range(5)
            for index in (1, 2)
        },
    ),
    "realesrgan-anime-6b": _Published("rrdbnet", {"scale": 4, "num_blocks": 6}, _rrdb(6)),
    "realesrgan-x4plus": _Published("rrdbnet", {"scale": 4}, _rrdb(23)),
}
# Weights that srlab does not fetch: `official_from_file` reads them where a reader has them.
BROUGHT: dict[str, _Published] = {
    "dasr": _Published(
        "dasr",
        {"scale": 4},
        _DASR,
        constants=_mean_shift("G.{}_mean", 255),
        unused=("E.encoder_k.", "E.encoder_q.mlp.", "E.queue"),
        any_scale=True,
        high=255.0,
        first=("head.weight", "encoder.0.weight"),
        last=("tail.0.weight", "tail.0.bias"),
    ),
    "redsr": _Published(
        "redsr",
        {"scale": 4, "published_encoder": True},
        _REDSR,
        constants=_mean_shift("{}_mean"),
        parts=("model_DP_state_dict", "model_SRN_state_dict"),
        any_scale=True,
    ),
    "esrgan": _Published("rrdbnet", {"scale": 4}, _rrdb(23)),
}


def load_official(name: str) -> tuple[nn.Module, OfficialProvenance]:
    """A published ×4 network in eval mode, fed [0, 1] like all of srlab's, and where it is from.

    Looks in $SRLAB_DATA/weights, then in the cache, then downloads. Every tensor of the file has
    its place in the network, and every weight of the network comes from the file.

    >>> model, provenance = load_official("imdn")
    """
    if name in BROUGHT:
        raise ValueError(
            f"srlab does not fetch the weights of {name!r}; with a file of your own, "
            f"srlab.checkpoints.official.official_from_file({name!r}, path) loads it"
        )
    if name not in PUBLISHED:
        raise ValueError(f"no published network {name!r}; srlab has {', '.join(PUBLISHED)}")
    published, source = PUBLISHED[name], OFFICIAL_WEIGHTS[name]
    weights = _ours(published, _theirs(published, weights_file(name)))
    model = _network(published, published.hyperparameters, weights)
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
    return model, provenance


def official_from_file(name: str, path: str | Path, **hyperparameters: Any) -> nn.Module:
    """A published network with weights that you have, in eval mode, fed [0, 1].

    The scale of DASR and ReDSR is read from the file; it is ×4 for the others. `hyperparameters`
    are those that a file does not share with the published one.

    >>> model = official_from_file("dasr", "model_600.pt")
    """
    known = PUBLISHED | BROUGHT
    if name not in known:
        raise ValueError(f"no published network {name!r}; srlab has {', '.join(known)}")
    published = known[name]
    weights = _ours(published, _theirs(published, Path(path)))
    found = {"scale": _scale(weights)} if published.any_scale else {}
    try:
        return _network(published, published.hyperparameters | found | hyperparameters, weights)
    except CheckpointError as error:
        hint = f"it enlarges by {found['scale']}" if found else "of another scale it needs scale="
        raise CheckpointError(f"{path}: {error} ({hint})") from error


def _network(
    published: _Published, hyperparameters: Mapping[str, Any], weights: Mapping[str, Tensor]
) -> nn.Module:
    model = build(published.architecture, **hyperparameters)
    load_weights(model, _fed_unit_range(published, weights))
    return model.eval()


def _theirs(published: _Published, path: Path) -> Mapping[str, Tensor]:
    """The file's tensors by their names, of all parts that belong to the network."""
    if not published.parts:
        return read_weights(path)
    found = state_dicts(existing(path))
    if missing := [part for part in published.parts if part not in found]:
        raise CheckpointError(
            f"{path} is no published file of {published.architecture}: it lacks the state dicts "
            f"{', '.join(missing)} and holds {', '.join(found) if any(found) else 'one alone'}"
        )
    return {name: own for part in published.parts for name, own in found[part].items()}


def _scale(weights: Mapping[str, Tensor]) -> int:
    """What sub-pixel convolutions from C to scale²·C channels enlarge by, one after another."""
    convolutions = [
        own
        for name, own in weights.items()
        if name.startswith("upsampler.") and name.endswith(".weight")
    ]
    return prod(isqrt(own.shape[0] // own.shape[1]) for own in convolutions)


def _ours(published: _Published, theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The file's tensors under our names, and what theirs have fixed.

    Constants are compared, other scales left out.
    """
    for name, value in published.constants.items():
        if name not in theirs or not _equal(theirs[name], torch.tensor(value)):
            raise CheckpointError(f"{name} of the published file is not what srlab builds in")
    filled = {name: torch.tensor(value) for name, value in published.filled.items()}
    return filled | {
        _renamed(name, published.names): tensor
        for name, tensor in theirs.items()
        if name not in published.constants and not name.startswith(published.unused)
    }


def _renamed(name: str, names: Names) -> str:
    dotted = f".{name}"
    for theirs, ours in names.items():
        dotted = dotted.replace(theirs, ours)
    return dotted[1:]


def _equal(one: Tensor, other: Tensor) -> bool:
    """Up to a rounding of float32."""
    return one.shape == other.shape and torch.allclose(one, other, rtol=1e-6, atol=0)


def _fed_unit_range(published: _Published, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """First and last convolution scaled, so that [0, 1] does what [0, high] did."""
    high = published.high
    factors = dict.fromkeys(published.first, high) | dict.fromkeys(published.last, 1 / high)
    return {name: tensor * factors.get(name, 1) for name, tensor in weights.items()}
