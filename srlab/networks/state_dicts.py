"""State dicts out of files of any origin: in envelopes, under prefixes, beside a run's notes."""

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from srlab.files import kind_of_file

# Where a network lies in the files of training codes; the running average before the last state.
USUAL = (
    *("params_ema", "net_g_ema", "g_ema", "model_ema", "ema"),
    *("params", "net_g", "generator", "state_dict", "model_state_dict", "model", "net"),
)
TORCH = (b"PK\x03\x04", b"\x80")  # what torch.save begins with, now and formerly
LONGEST_HEADER = 10**8  # bytes, of safetensors


class CheckpointError(ValueError):
    """Weights that are missing, damaged, of another origin, or do not fit their network."""


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """The network's own among the state dicts in a file."""
    found = state_dicts(path)
    place = _usual(found)
    if place is None:
        raise CheckpointError(
            f"{path} holds several state dicts, {', '.join(found)}: save the one that you mean"
        )
    return found[place]


def state_dicts(path: Path) -> dict[str, dict[str, Tensor]]:
    """{dotted place in the file, "" for all of it: tensors by name}; no pickled code is run.

    The content decides, whatever the file is called. Numbers and texts beside tensors are left,
    and wrappers' prefixes taken off.
    """
    if is_safetensors(path):
        with opened(path) as file:
            return {"": _unwrapped(tensors_of(file))}
    content = _unpickled(path)
    if found := {place: _unwrapped(tensors) for place, tensors in _places(content)}:
        return found
    inside = f": {few(map(str, content))}" if isinstance(content, Mapping) else ""
    raise CheckpointError(
        f"{path} holds no state dict (a mapping of names to tensors) but a "
        f"{type(content).__name__}{inside}"
    )


def _places(content: Any, place: str = "") -> Iterator[tuple[str, dict[str, Tensor]]]:
    """What holds tensors, innermost: around a state dict there are only notes."""
    if not isinstance(content, Mapping):
        return
    named = {key: value for key, value in content.items() if isinstance(key, str)}
    inner = [pair for key, value in named.items() for pair in _places(value, f"{place}.{key}")]
    tensors = {key: value.detach() for key, value in named.items() if isinstance(value, Tensor)}
    if inner:
        yield from inner
    elif tensors:
        yield place.removeprefix("."), tensors


def _usual(places: Iterable[str]) -> str | None:
    """The only place, or the first of `USUAL` that holds one."""
    places = list(places)
    for name in ("", *USUAL):
        found = [place for place in places if f"{place}.".startswith(f"{name}." if name else "")]
        if len(found) == 1:
            return found[0]
    return None


def _unwrapped(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without what DataParallel, AveragedModel and torch.compile put into names."""
    if any(name.startswith("module.") for name in weights):
        weights = {name: tensor for name, tensor in weights.items() if name != "n_averaged"}
    return {
        re.sub(r"^(module\.|_orig_mod\.)+", "", name).replace("._orig_mod.", "."): tensor
        for name, tensor in weights.items()
    }


def under_names(weights: Mapping[str, Tensor], names: Set[str]) -> dict[str, Tensor]:
    """The weights by a network's `names`, if one prefix is all that tells them apart.

    Beside the network's own, a file may hold other networks under other prefixes. Otherwise the
    weights as they are.
    """
    if weights.keys() != names and weights and names:
        if (prefix := _prefix(names, weights.keys())) is not None:
            return {name: weights[prefix + name] for name in names}
        prefix = _prefix(weights.keys(), names)
        if prefix is not None and len(weights) == len(names):
            return {prefix + name: tensor for name, tensor in weights.items()}
    return dict(weights)


def _prefix(inner: Set[str], outer: Set[str]) -> str | None:
    """The only one under which `outer` holds the names of `inner`, and no others."""
    some = min(inner)
    prefixes = {name.removesuffix(some) for name in outer if name.endswith(f".{some}")}
    found = [
        prefix
        for prefix in prefixes
        if {name.removeprefix(prefix) for name in outer if name.startswith(prefix)} == inner
    ]
    return found[0] if len(found) == 1 else None


def existing(path: str | Path) -> Path:
    """The path, if a file is there."""
    if not Path(path).is_file():
        raise CheckpointError(f"no weights file at {path}")
    return Path(path)


def is_safetensors(path: Path) -> bool:
    """By content; by name where that says nothing."""
    with path.open("rb") as file:
        start = file.read(9)
    if start[8:] == b"{" and int.from_bytes(start[:8], "little") < LONGEST_HEADER:
        return True
    return path.suffix == ".safetensors" and not start.startswith(TORCH)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A safetensors file."""
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except SafetensorError as error:
        kind = kind_of_file(path)
        raise CheckpointError(
            f"{path} is damaged or no safetensors file ({f'it is {kind}' if kind else error}); "
            "download or train it again"
        ) from error


def tensors_of(file: Any) -> dict[str, Tensor]:
    """All of an opened safetensors file."""
    return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no mapping)


def _unpickled(path: Path) -> Any:
    try:
        with path.open("rb") as file:  # a path's suffix would have a say
            return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load raises whatever the damage provokes
        foreign = re.search(r"GLOBAL (\S+)", str(error))
        kind = None if foreign else kind_of_file(path)
        if foreign:
            reason = (
                f"holds more than tensors, which srlab does not run: {foreign[1]}; where you trust "
                "it, save the network's state_dict() alone"
            )
        elif kind:
            reason = f"is no file of weights but {kind}"
        else:
            reason = "is damaged or cut short; download it again"
        raise CheckpointError(f"{path} {reason}") from error


def few(names: Iterable[str]) -> str:
    """The first three in the order of the alphabet, and how many more there are."""
    first, rest = sorted(names)[:3], sorted(names)[3:]
    return (", ".join(first) + (f" and {len(rest)} more" if rest else "")) or "none"
