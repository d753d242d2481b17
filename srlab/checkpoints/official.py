"""Networks with the weights that their authors published, in srlab's names and conventions."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from math import isqrt, prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from srlab.checkpoints.files import PACKED, Provenance, load_checkpoint, save_checkpoint
from srlab.checkpoints.pack import pack
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


@dataclass(frozen=True)
class _Published:
    """How a published state dict becomes one of ours, as a table of `official.toml` says it."""

    architecture: str
    hyperparameters: dict[str, Any]
    names: dict[str, str]  # ".theirs." → ".ours.", parts of dotted names, replaced in this order
    constants: dict[str, Any] = field(default_factory=dict)  # in the file; fixed in our network
    filled: dict[str, Any] = field(default_factory=dict)  # in our network; fixed in theirs
    unused: Sequence[str] = ()  # parts of names: of other scales, of the training, indices
    transposed: Sequence[str] = ()  # parts of names of matrices that lie the other way round
    parts: Sequence[str] = ()  # the state dicts that belong to it, where the file holds several
    any_scale: bool = False  # the file tells it; else it is that of the hyperparameters
    high: float = 1.0  # the network was trained on values in [0, high]
    first: Sequence[str] = ("head.weight",)  # what the image meets, in our names
    last: Sequence[str] = ("upsampler.0.weight", "upsampler.0.bias")  # what makes the SR image
    brought: bool = False  # by the reader: srlab does not fetch these weights


def _published(rows: Mapping[str, dict[str, Any]], name: str) -> _Published:
    """A table, with the values of the layers that it names by `mean_shift`."""
    own, other = rows[name], rows.get(rows[name].get("like", ""), {})
    row = {**other, **own, "names": other.get("names", {}) | own.get("names", {})}
    row.pop("like", None)
    layer, unit = row.pop("mean_shift", ""), row.pop("mean_unit", 1.0)
    return _Published(**row, constants=_mean_shift(layer, unit) if layer else {})


def _mean_shift(layer: str, unit: float) -> dict[str, Any]:
    """Layers that take the training pictures' mean off ("sub") and put it back on ("add")."""
    constants = {}
    for name, sign in {"sub": -unit, "add": unit}.items():
        constants[f"{layer.format(name)}.weight"] = torch.eye(3)[..., None, None].tolist()
        constants[f"{layer.format(name)}.bias"] = [sign * own for own in MEAN]
    return constants


_ROWS = tomllib.loads(files("srlab.checkpoints").joinpath("official.toml").read_text("utf-8"))
_KNOWN = {name: _published(_ROWS, name) for name in _ROWS}
PUBLISHED = {name: own for name, own in _KNOWN.items() if not own.brought}
BROUGHT = {name: own for name, own in _KNOWN.items() if own.brought}

ABOARD = Path(str(files("srlab.checkpoints") / "published"))  # what travels with srlab


def on_board(name: str) -> Path | None:
    """The file of published weights that travels with srlab; None where they are downloaded."""
    path = ABOARD / f"{name}{PACKED}"
    return path if path.is_file() else None


def load_official(name: str) -> nn.Module:
    """A published network in eval mode, fed [0, 1] like all of srlab's.

    What travels with srlab (rounded to 16 bits) is taken from there; the rest is looked for in
    $SRLAB_DATA/weights, then in the cache, then downloaded. Every tensor of the file has its place
    in the network, and every weight of the network comes from the file. Where that is from and
    what it may be used for stands in `srlab.data.assets.OFFICIAL_WEIGHTS`.

    >>> model = load_official("rfdn")
    """
    if name in BROUGHT:
        raise ValueError(
            f"srlab does not fetch the weights of {name!r}; with a file of your own, "
            f"srlab.checkpoints.official.official_from_file({name!r}, path) loads it"
        )
    if name not in PUBLISHED:
        raise ValueError(f"no published network {name!r}; srlab has {', '.join(PUBLISHED)}")
    path = on_board(name)
    return load_checkpoint(path)[0] if path else official_from_file(name, weights_file(name))


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
    model = build(published.architecture, **published.hyperparameters | found | hyperparameters)
    try:
        load_weights(model, _fed_unit_range(published, weights))
    except CheckpointError as error:
        hint = f"it enlarges by {found['scale']}" if found else "of another scale it needs scale="
        raise CheckpointError(f"{path}: {error} ({hint})") from error
    return model.eval()


def take_on_board(
    name: str, psnr: Mapping[str, float], moved: str, folder: str | Path = ABOARD
) -> Path:
    """Write published weights as srlab carries them, `fine`, with where they are from.

    What was measured is told: `psnr` of the network, {image set: dB}, and how far rounding `moved`
    it.
    """
    published, source = PUBLISHED[name], OFFICIAL_WEIGHTS[name]
    made = Provenance(
        name=name,
        architecture=published.architecture,
        hyperparameters=published.hyperparameters,
        psnr=dict(psnr),
        source={
            "address": source.address,
            "sha256": source.sha256,
            "licence": f"{source.licence}, see LICENCES beside this file",
            "citation": source.citation,
            "changed": "matrices in whole numbers of 16 bits, a step a row; fed [0, 1]",
            "moved": moved,
        },
    )
    weights = official_from_file(name, weights_file(name)).state_dict()
    with TemporaryDirectory() as own:
        return pack(save_checkpoint(Path(own) / name, weights, made, fine=True), folder)


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
    return prod(
        isqrt(own.shape[0] // own.shape[1])
        for name, own in weights.items()
        if name.startswith("upsampler.") and name.endswith(".weight")
    )


def _ours(published: _Published, theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The file's tensors under our names, and what theirs have fixed; constants are compared."""
    for name, value in published.constants.items():
        if name not in theirs or not _equal(theirs[name], torch.tensor(value)):
            raise CheckpointError(f"{name} of the published file is not what srlab builds in")
    filled = {name: torch.tensor(value) for name, value in published.filled.items()}
    return filled | {
        _renamed(name, published.names): tensor.mT if _has(name, published.transposed) else tensor
        for name, tensor in theirs.items()
        if name not in published.constants and not _has(name, published.unused)
    }


def _has(name: str, parts: Sequence[str]) -> bool:
    return any(part in f".{name}." for part in parts)


def _renamed(name: str, names: Mapping[str, str]) -> str:
    dotted = f".{name}."
    for theirs, ours in names.items():
        dotted = dotted.replace(theirs, ours)
    return dotted[1:-1]


def _equal(one: Tensor, other: Tensor) -> bool:
    """Up to a rounding of float32."""
    return one.shape == other.shape and torch.allclose(one, other, rtol=1e-6, atol=0)


def _fed_unit_range(published: _Published, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """First and last convolution scaled, so that [0, 1] does what [0, high] did."""
    high = published.high
    factors = dict.fromkeys(published.first, high) | dict.fromkeys(published.last, 1 / high)
    return {name: tensor * factors.get(name, 1) for name, tensor in weights.items()}
