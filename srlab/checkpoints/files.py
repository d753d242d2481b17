"""Weights with their story in one file: safetensors whose header says how the network was made."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor, nn

from srlab.checkpoints.inheritance import own_weights, whole_weights
from srlab.checkpoints.storage import restored_weights, rounded, stored
from srlab.files import kind_of_file, replace_file
from srlab.models import build
from srlab.networks.state_dicts import (
    CheckpointError,
    existing,
    few,
    is_safetensors,
    opened,
    read_state_dict,
    tensors_of,
    under_names,
)

WEIGHTS = Path(str(files("srlab.checkpoints") / "weights"))
HEADER = "srlab"


@dataclass(frozen=True)
class Provenance:
    """How a checkpoint came to be; everything needed to rebuild, rerun and distrust it."""

    name: str
    architecture: str
    hyperparameters: dict[str, Any]
    recipe: dict[str, Any] = field(default_factory=dict)
    step: int = 0
    data: dict[str, str] = field(default_factory=dict)  # image set → digest of its pixels
    psnr: dict[str, float] = field(default_factory=dict)  # image set → dB of the stored weights
    accuracy: dict[str, float] = field(default_factory=dict)  # … of a classifier, 0 to 1
    history: list[dict[str, float]] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    hardware: str = ""
    seconds: float = 0.0
    date: str = ""
    inherited: dict[str, str] = field(default_factory=dict)  # checkpoint it needs → its digest


def shipped_checkpoints() -> tuple[str, ...]:
    """Names that `load_checkpoint` finds without a path; `name@1000` is a snapshot at step 1000."""
    return tuple(sorted(path.stem for path in WEIGHTS.glob("*.safetensors")))


def versions() -> dict[str, str]:
    """Of the packages that decide a network's numbers."""
    return {name: version(name) for name in ("srlab", "torch", "numpy")}


def save_checkpoint(
    path: str | Path, weights: Mapping[str, Tensor], provenance: Provenance, *, bits: int = 16
) -> Path:
    """Write weights, rounded to `bits`, with their provenance; the file appears whole or not.

    What the network still has from the checkpoints it started from is left in those.
    """
    path = Path(path)
    whole = rounded(weights, bits)
    if infinite := [name for name, tensor in whole.items() if not tensor.isfinite().all()]:
        raise CheckpointError(f"not finite in {bits} bits, not saved: {few(infinite)}")
    start = provenance.recipe.get("start", {})
    parents = _parents(start)
    kept = own_weights(whole, _joined(start, parents))
    if any(kept.get(name) is not tensor for name, tensor in whole.items()):
        digests = {name: _digest(own) for name, own in parents.items()}
        provenance = replace(provenance, inherited=digests)
    header = {HEADER: json.dumps(asdict(provenance), separators=(",", ":"))}
    with replace_file(path) as temporary:
        save_file(stored(kept, bits), temporary, metadata=header)
    return path


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
    path = _path(name)
    with _opened(path) as file:
        provenance = _provenance(path, file)
        weights = restored_weights(tensors_of(file))
    if provenance.inherited:
        weights = whole_weights(weights, _inherited(path, provenance))
    return weights, provenance


def inherited_weights(start: Mapping[str, str]) -> dict[str, Tensor]:
    """What a network has from where it started: {part of the network, "" for all: checkpoint}."""
    return _joined(start, _parents(start))


def _parents(start: Mapping[str, str]) -> dict[str, dict[str, Tensor]]:
    """{checkpoint: its weights}, each read once."""
    return {name: read_checkpoint(name)[0] for name in dict.fromkeys(start.values())}


def _joined(
    start: Mapping[str, str], parents: Mapping[str, Mapping[str, Tensor]]
) -> dict[str, Tensor]:
    return {
        f"{part}.{key}" if part else key: tensor
        for part, name in start.items()
        for key, tensor in parents[name].items()
    }


def _inherited(path: Path, provenance: Provenance) -> dict[str, Tensor]:
    """The weights that a file refers to, if the checkpoints are those it was made with."""
    start = provenance.recipe["start"]
    parents = _parents(start)
    for name, digest in provenance.inherited.items():
        if _digest(parents[name]) != digest:
            raise CheckpointError(
                f"{path} holds what it changed of {name!r}, but of another {name!r} than this one; "
                "train it again"
            )
    return _joined(start, parents)


def _digest(weights: Mapping[str, Tensor]) -> str:
    found = hashlib.sha256()
    for key, tensor in sorted(weights.items()):
        found.update(key.encode() + tensor.half().contiguous().numpy().tobytes())
    return found.hexdigest()


def read_provenance(name: str | Path) -> Provenance:
    """The header alone."""
    path = _path(name)
    with _opened(path) as file:
        return _provenance(path, file)


def _path(name: str | Path) -> Path:
    if name in shipped_checkpoints():
        return WEIGHTS / f"{name}.safetensors"
    path = Path(name)
    if path.is_file():
        return path
    raise CheckpointError(
        f"no checkpoint {str(name)!r}: not a file, and not one of the shipped "
        f"{', '.join(shipped_checkpoints()) or '(none)'}"
    )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    if not is_safetensors(path):
        raise _foreign(path)
    with opened(path) as file:
        yield file


def _foreign(path: Path) -> CheckpointError:
    if kind := kind_of_file(path):
        return CheckpointError(f"{path} is no checkpoint but {kind}")
    return CheckpointError(
        f"{path} was not written by srlab (no provenance in its header); "
        "build your network and use load_weights(model, read_weights(path))"
    )


def _provenance(path: Path, file: Any) -> Provenance:
    header = (file.metadata() or {}).get(HEADER)
    if header is None:
        raise _foreign(path)
    try:
        return Provenance(**json.loads(header))
    except (TypeError, ValueError) as error:
        raise CheckpointError(
            f"the provenance in {path} was written by another version of srlab: {error}"
        ) from error


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """The state dict of any file: of safetensors or torch.save, without running pickled code.

    One of srlab's own is read as by `read_checkpoint`. Of others the usual envelopes (params_ema,
    params, state_dict, net_g, …) are unwrapped, and "module." and "_orig_mod." are stripped.
    """
    path = existing(path)
    if is_safetensors(path):
        with opened(path) as file:
            if HEADER in (file.metadata() or {}):
                return read_checkpoint(path)[0]
    return read_state_dict(path)


def load_weights(model: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Load strictly, and return the weights by the network's names.

    A prefix before all of these ("model.", "net_g.") is taken off, or put on. Otherwise it is said
    which names or shapes do not fit.
    """
    own = model.state_dict()
    weights = under_names(weights, own.keys())
    missing, surplus = own.keys() - weights.keys(), weights.keys() - own.keys()
    shapes = [
        f"{key}: file {tuple(weights[key].shape)}, network {tuple(own[key].shape)}"
        for key in own.keys() & weights.keys()
        if weights[key].shape != own[key].shape
    ]
    if missing or surplus or shapes:
        raise CheckpointError(
            f"the weights do not fit {type(model).__name__}: "
            f"missing {few(missing)}; unexpected {few(surplus)}; other shapes {few(shapes)}"
        )
    model.load_state_dict(weights)
    return weights
