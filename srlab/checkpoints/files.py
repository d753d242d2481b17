"""Weights with their story in one file: safetensors whose header says how the network was made."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor, nn

from srlab.files import kind_of_file, replace_file
from srlab.models import build
from srlab.networks.state_dicts import (
    HEADER,
    CheckpointError,
    bits_apart,
    few,
    fingerprint,
    is_safetensors,
    load_weights,
    read_safetensors,
    restored,
    stored,
)

WEIGHTS = Path(str(files("srlab.checkpoints") / "weights"))
PACKED = ".safetensors.gz"  # a tenth smaller; `pack` makes them


@dataclass(frozen=True)
class Provenance:
    """How a checkpoint came to be; everything needed to rebuild, rerun and distrust it."""

    name: str
    architecture: str
    hyperparameters: dict[str, Any]
    recipe: dict[str, Any] = field(default_factory=dict)  # as `Recipe.as_dict` writes it
    step: int = 0
    data: dict[str, str] = field(default_factory=dict)  # image set → digest of its pixels
    psnr: dict[str, float] = field(default_factory=dict)  # image set → dB of the stored weights
    accuracy: dict[str, float] = field(default_factory=dict)  # … of a classifier, 0 to 1
    history: list[dict[str, float]] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    hardware: str = ""
    seconds: float = 0.0
    date: str = ""
    source: dict[str, str] = field(default_factory=dict)  # of weights that others published


def shipped_checkpoints() -> tuple[str, ...]:
    """Names that `load_checkpoint` finds without a path; `name@1000` is a snapshot at step 1000."""
    return tuple(sorted(path.name.removesuffix(PACKED) for path in WEIGHTS.glob(f"*{PACKED}")))


def shipped_file(name: str) -> Path:
    """Where a shipped checkpoint lies, or would."""
    return WEIGHTS / f"{name}{PACKED}"


def versions() -> dict[str, str]:
    """Of the packages that decide a network's numbers."""
    return {name: version(name) for name in ("srlab", "torch", "numpy")}


def save_checkpoint(
    path: str | Path,
    weights: Mapping[str, Tensor],
    provenance: Provenance,
    *,
    bits: int = 16,
    fine: bool = False,
) -> Path:
    """Write weights, rounded as `stored` says, with their provenance; the file appears whole."""
    path = Path(path)
    held, int8 = stored(weights, bits, fine=fine)
    whole = restored(held, int8)
    if infinite := [name for name, tensor in whole.items() if not tensor.isfinite().all()]:
        raise CheckpointError(f"not finite in {bits} bits, not saved: {few(infinite)}")
    with replace_file(path) as temporary:
        save_file(held, temporary, metadata=header(provenance, int8=int8))
    return path


def header(provenance: Provenance, **told: Any) -> dict[str, str]:
    """A file's: how the network was made, and how the file holds its weights."""
    notes = not_default(provenance) | {key: value for key, value in told.items() if value}
    return {HEADER: json.dumps(notes, separators=(",", ":"))}


def not_default(made: Any) -> dict[str, Any]:
    """{field: value} of a dataclass, and of those in it, without what is as by default.

    So files need not be written anew when a field is added. A default stays what it was.
    """
    found = {}
    for one in fields(made):
        value = getattr(made, one.name)
        usual = one.default if one.default_factory is MISSING else one.default_factory()
        if value != usual:
            found[one.name] = not_default(value) if is_dataclass(value) else value
    return found


def load_checkpoint(name: str | Path) -> tuple[nn.Module, Provenance]:
    """A network in eval mode, float32, with its provenance: a shipped name or a path.

    >>> model, provenance = load_checkpoint("srresnet-gr")
    """
    weights, provenance = read_checkpoint(name)
    try:
        model = build(provenance.architecture, **provenance.hyperparameters)
    except ValueError as error:
        raise CheckpointError(f"{name} was made by another version of srlab: {error}") from error
    load_weights(model, weights)
    return model.eval(), provenance


def read_checkpoint(name: str | Path) -> tuple[dict[str, Tensor], Provenance]:
    """Weights (float32) and provenance without building the network."""
    held, int8, provenance = read_stored(name)
    return restored(held, int8), provenance


def read_provenance(name: str | Path) -> Provenance:
    """The header alone."""
    return _read(name)[-1]


def read_stored(name: str | Path) -> tuple[dict[str, Tensor], dict[str, str], Provenance]:
    """(what `stored` made of the weights: tensors, and whose steps are whose; provenance)."""
    held, told, provenance = _read(name)
    if told["beside"]:
        start, expected = told["beside"]
        base = begun_as(provenance)
        if fingerprint(base) != expected:
            raise CheckpointError(f"{name} was packed beside another {start} than this srlab has")
        held = bits_apart(held, base)
    return held, told["int8"], provenance


def begun_as(provenance: Provenance) -> dict[str, Tensor]:
    """What the parts of a network that began as shipped ones are stored as, by its own names."""
    return {
        f"{part}.{key}" if part else key: own
        for part, start in provenance.recipe.get("start", {}).items()
        for key, own in read_stored(start)[0].items()
    }


def _read(name: str | Path) -> tuple[dict[str, Tensor], dict[str, Any], Provenance]:
    """(tensors as the file has them, how it has them, provenance)."""
    path = _path(name)
    held, notes = read_safetensors(path) if is_safetensors(path) else ({}, None)
    if notes is None:
        raise _foreign(path)
    told = {key: notes.pop(key) for key in ("int8", "beside")}
    try:
        return held, told, Provenance(**notes)
    except TypeError as error:
        raise CheckpointError(
            f"the provenance in {path} was written by another version of srlab: {error}"
        ) from error


def _path(name: str | Path) -> Path:
    if name in shipped_checkpoints():
        return shipped_file(name)
    path = Path(name)
    if path.is_file():
        return path
    raise CheckpointError(
        f"no checkpoint {str(name)!r}: not a file, and not one of the shipped "
        f"{', '.join(shipped_checkpoints()) or '(none)'}"
    )


def _foreign(path: Path) -> CheckpointError:
    if kind := kind_of_file(path):
        return CheckpointError(f"{path} is no checkpoint but {kind}")
    return CheckpointError(
        f"{path} was not written by srlab (no provenance in its header); "
        "build your network and use load_weights(model, read_weights(path))"
    )
