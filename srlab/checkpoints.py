"""Weights with their story in one file: safetensors whose header says how the network was made."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from srlab.models import build

WEIGHTS = Path(str(files("srlab") / "weights"))
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
    history: list[dict[str, float]] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    hardware: str = ""
    seconds: float = 0.0
    date: str = ""


class CheckpointError(ValueError):
    """A checkpoint that is missing, damaged, not srlab's, or does not fit its network."""


def shipped_checkpoints() -> tuple[str, ...]:
    """Names that `load_checkpoint` finds without a path; `name@1000` is a snapshot at step 1000."""
    return tuple(sorted(path.stem for path in WEIGHTS.glob("*.safetensors")))


def save_checkpoint(
    path: str | Path, weights: Mapping[str, Tensor], provenance: Provenance
) -> Path:
    """Write weights as float16 with their provenance; the file appears whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    half = {name: tensor.detach().cpu().half().contiguous() for name, tensor in weights.items()}
    temporary = path.with_suffix(".tmp")
    header = {HEADER: json.dumps(asdict(provenance), separators=(",", ":"))}
    save_file(half, temporary, metadata=header)
    return temporary.replace(path)


def load_checkpoint(name: str | Path) -> tuple[nn.Module, Provenance]:
    """A network in eval mode, float32, with its provenance: a shipped name or a path.

    >>> model, provenance = load_checkpoint("srresnet-gr")
    """
    weights, provenance = read_checkpoint(name)
    model = build(provenance.architecture, **provenance.hyperparameters)
    load_weights(model, weights)
    return model.eval(), provenance


def read_checkpoint(name: str | Path) -> tuple[dict[str, Tensor], Provenance]:
    """Weights (float32) and provenance without building the network."""
    path = _path(name)
    try:
        with safe_open(path, framework="pt") as file:
            header = (file.metadata() or {}).get(HEADER)
            if header is None:
                raise CheckpointError(
                    f"{path.name} was not written by srlab (no provenance in its header); "
                    "build your network and use load_weights(model, read_weights(path))"
                )
            weights = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise CheckpointError(
            f"{path} is damaged or no safetensors file ({error}); download or train it again"
        ) from error
    return weights, Provenance(**json.loads(header))


def read_provenance(name: str | Path) -> Provenance:
    """The header alone."""
    return read_checkpoint(name)[1]


def _path(name: str | Path) -> Path:
    shipped = WEIGHTS / f"{name}.safetensors"
    if shipped.is_file():
        return shipped
    path = Path(name)
    if path.is_file():
        return path
    raise CheckpointError(
        f"no checkpoint {str(name)!r}: not a file, and not one of the shipped "
        f"{', '.join(shipped_checkpoints()) or '(none)'}"
    )


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """The state dict of a foreign file: .safetensors, or .pth read without running pickled code.

    Unwraps the usual envelopes (params_ema, params, state_dict, …) and strips "module.".
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"no weights file at {path}")
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                weights: Any = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        else:
            weights = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise CheckpointError(f"{path} cannot be read as weights: {error}") from error
    for envelope in ("params_ema", "params", "state_dict", "model_state_dict", "model"):
        if isinstance(weights, dict) and isinstance(weights.get(envelope), dict):
            weights = weights[envelope]
            break
    if not isinstance(weights, dict) or not all(isinstance(w, Tensor) for w in weights.values()):
        raise CheckpointError(f"{path} holds no state dict (a mapping of names to tensors)")
    return {key.removeprefix("module."): tensor for key, tensor in weights.items()}


def load_weights(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Load strictly; otherwise say which names or shapes do not fit."""
    own = model.state_dict()
    missing, surplus = own.keys() - weights.keys(), weights.keys() - own.keys()
    shapes = [
        f"{key}: file {tuple(weights[key].shape)}, network {tuple(own[key].shape)}"
        for key in own.keys() & weights.keys()
        if weights[key].shape != own[key].shape
    ]
    if missing or surplus or shapes:
        raise CheckpointError(
            f"the weights do not fit {type(model).__name__}: "
            f"missing {_few(missing)}; unexpected {_few(surplus)}; other shapes {_few(shapes)}"
        )
    model.load_state_dict(dict(weights))


def _few(names: Any) -> str:
    names = sorted(names)
    return (
        ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "") or "none"
    )
