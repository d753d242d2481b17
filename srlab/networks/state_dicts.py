"""State dicts out of files of any origin: in envelopes, under prefixes, beside a run's notes."""

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from srlab.files import kind_of_file

# Where a network lies in the files of training codes; the running average before the last state.
USUAL = (
    *("params_ema", "net_g_ema", "g_ema", "model_ema", "ema"),
    *("params", "net_g", "generator", "state_dict", "model_state_dict", "model", "net"),
)
TORCH = (b"PK\x03\x04", b"\x80")  # what torch.save begins with, now and formerly
GZIP = b"\x1f\x8b"
DAMAGES = (SafetensorError, gzip.BadGzipFile, EOFError, zlib.error)
LONGEST_HEADER = 10**8  # bytes, of safetensors
HEADER = "srlab"  # where in it srlab writes


class CheckpointError(ValueError):
    """Weights that are missing, damaged, of another origin, or do not fit their network."""


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """The state dict of any file: of safetensors or torch.save, without running pickled code.

    The usual envelopes (params_ema, params, state_dict, net_g, …) are unwrapped, and "module." and
    "_orig_mod." are stripped. What srlab holds in 8 or 16 bits is restored to float32.
    """
    found = state_dicts(existing(path))
    place = _usual(found)
    if place is None:
        raise CheckpointError(
            f"{path} holds several state dicts, {', '.join(found)}: save the one that you mean"
        )
    return found[place]


def load_weights(model: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Load strictly, and return the weights by the network's names.

    A prefix before all of these ("model.", "net_g.") is taken off, or put on. Otherwise it is said
    which names or shapes do not fit.
    """
    weights = under_names(weights, model.state_dict().keys())
    if wrong := misfit(model, weights):
        raise CheckpointError(wrong)
    model.load_state_dict(weights)
    return weights


def misfit(model: nn.Module, weights: Mapping[str, Tensor]) -> str | None:
    """Which names or shapes of a state dict are not the network's, in words; None where it fits."""
    own = model.state_dict()
    missing, surplus = own.keys() - weights.keys(), weights.keys() - own.keys()
    shapes = [
        f"{key}: file {tuple(weights[key].shape)}, network {tuple(own[key].shape)}"
        for key in own.keys() & weights.keys()
        if weights[key].shape != own[key].shape
    ]
    if not (missing or surplus or shapes):
        return None
    return (
        f"the weights do not fit {type(model).__name__}: "
        f"missing {few(missing)}; unexpected {few(surplus)}; other shapes {few(shapes)}"
    )


def state_dicts(path: Path) -> dict[str, dict[str, Tensor]]:
    """{dotted place in the file, "" for all of it: tensors by name}; no pickled code is run.

    The content decides, whatever the file is called. Numbers and texts beside tensors are left,
    and wrappers' prefixes taken off.
    """
    if is_safetensors(path):
        held, notes = read_safetensors(path)
        if notes and notes["beside"]:
            raise CheckpointError(
                f"{path} holds only what differs from srlab's {notes['beside'][0]}; "
                "load_checkpoint and read_checkpoint read both"
            )
        return {"": _unwrapped(restored(held, notes["int8"]) if notes else held)}
    content = _unpickled(path)
    if found := {place: _unwrapped(tensors) for place, tensors in _places(content)}:
        return found
    inside = f": {few([*map(str, content)])}" if isinstance(content, Mapping) else ""
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
    some, found = min(inner), []
    for prefix in {name.removesuffix(some) for name in outer if name.endswith(f".{some}")}:
        if {name.removeprefix(prefix) for name in outer if name.startswith(prefix)} == inner:
            found.append(prefix)
    return found[0] if len(found) == 1 else None


def existing(path: str | Path) -> Path:
    """The path, if a file is there."""
    if not Path(path).is_file():
        raise CheckpointError(f"no weights file at {path}")
    return Path(path)


def is_safetensors(path: Path) -> bool:
    """By content, also of what gzip packed; by name where that says nothing."""
    try:
        with _content(path) as file:
            start = file.read(9)
    except DAMAGES:
        start = b""
    if start[8:] == b"{" and int.from_bytes(start[:8], "little") < LONGEST_HEADER:
        return True
    return path.suffix == ".safetensors" and not start.startswith(TORCH)


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any] | None]:
    """Tensors as a file holds them, and what srlab wrote into its header; None: it wrote nothing.

    Where it did, `restored(tensors, notes["int8"])` are the weights; if `notes["beside"]` are a
    shipped name and the `fingerprint` of its tensors, after `bits_apart` from these.
    """
    try:
        with _content(path) as file:
            content = file.read()
        tensors = dict(sorted(load(content).items()))
    except DAMAGES as error:
        kind = kind_of_file(path)
        raise CheckpointError(
            f"{path} is damaged or no safetensors file ({f'it is {kind}' if kind else error}); "
            "download or train it again"
        ) from error
    end = 8 + int.from_bytes(content[:8], "little")
    text = (json.loads(content[8:end]).get("__metadata__") or {}).get(HEADER)
    try:
        return tensors, None if text is None else {"int8": {}, "beside": None, **json.loads(text)}
    except (TypeError, ValueError) as error:
        raise CheckpointError(
            f"the header of {path} was written by another version of srlab: {error}"
        ) from error


def _content(path: Path) -> BufferedIOBase:
    """The file, opened, unpacked where gzip packed it."""
    with path.open("rb") as file:
        packed = file.read(len(GZIP)) == GZIP
    return gzip.open(path) if packed else path.open("rb")


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


def few(names: Collection[str]) -> str:
    """The first three in the order of the alphabet, and how many more there are."""
    first, more = sorted(names)[:3], len(names) - 3
    return (", ".join(first) or "none") + (f" and {more} more" if more > 0 else "")


# How srlab's files hold weights: in 16 bits each, or matrices and convolutions in 8 with a step a
# row. Of a tensor in whole numbers, int8 (rows, …), another holds what a unit is worth in each row
# (output channel), bfloat16 (rows,). Which is whose stands in the JSON under "srlab" in the
# safetensors' header: {"int8": {tensor: tensor of its steps}}. All others are float16, or indices
# as they are. `fine` are whole numbers of 16 bits, and all others as they are: an attribution map
# moves by a fifth of what it does in float16, in equal room.
HALF_MAXIMUM = 65504  # of float16
Weights = Mapping[str, Tensor]


def stored(
    weights: Weights, bits: int = 16, *, fine: bool = False
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """(tensors, {tensor in whole numbers: tensor of its steps}), as a file holds them.

    `restored` gives them back, and what it gives is held exactly.
    In 8 bits, each row of a matrix or convolution is told in 127 steps of its largest weight; with
    `fine` in 16384 to 32767, and the rest is kept whole. A counter beyond the range of float16
    becomes its largest; indices stay as they are.
    """
    if bits not in (8, 16) or (fine and bits != 16):
        raise ValueError(f"weights are stored in 8 or 16 bits, got {bits}, and finely in 16 alone")
    held: dict[str, Tensor] = {}
    int8: dict[str, str] = {}
    for key, given in sorted(weights.items()):  # in one order, the same file
        tensor = given.detach().cpu().contiguous()
        if not tensor.is_floating_point():
            held[key] = tensor if tensor.ndim else tensor.clamp(max=HALF_MAXIMUM).half()
        elif tensor.ndim < 2 or (bits == 16 and not fine):
            held[key] = tensor if fine else tensor.half()
        else:
            int8[key] = f"{key}.steps"
            held[key], held[int8[key]] = _in_steps(tensor, fine=fine)
    return held, int8


def restored(held: Weights, int8: Mapping[str, str]) -> dict[str, Tensor]:
    """What `stored` held: what had fewer bits in float32, all else as it is."""
    halves = {key: own.float() for key, own in held.items() if own.dtype == torch.float16}
    counted = {
        key: (held[key].flatten(1).float() * held[steps].float()[:, None]).view_as(held[key])
        for key, steps in int8.items()
    }
    whole = {**held, **halves, **counted}
    return {key: own for key, own in whole.items() if key not in int8.values()}


def rounded(weights: Weights, bits: int = 16, *, fine: bool = False) -> dict[str, Tensor]:
    """Weights as they come back from a file, float32."""
    return restored(*stored(weights, bits, fine=fine))


def bits_apart(held: Weights, other: Weights) -> dict[str, Tensor]:
    """Where two of what `stored` holds differ, bit by bit; what only the first has, as it is.

    Its own inverse: of the difference and `other` it makes `held` again.
    """
    whole = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}

    def apart(own: Tensor, beside: Tensor | None) -> Tensor:
        if beside is None or (own.shape, own.dtype) != (beside.shape, beside.dtype):
            return own
        kind = whole[own.element_size()]
        return (own.view(kind) ^ beside.view(kind)).view(own.dtype)

    return {key: apart(own, other.get(key)) for key, own in held.items()}


def fingerprint(held: Weights) -> str:
    """Of the bits, whatever the order of names."""
    digest = hashlib.sha256()
    for key, own in sorted(held.items()):
        digest.update(key.encode() + own.contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def _in_steps(tensor: Tensor, *, fine: bool) -> tuple[Tensor, Tensor]:
    """(int8, or int16 if `fine`; step (rows,)); what was rounded once stays as it is.

    For a step is a bfloat16, and a fine one a power of two.
    """
    whole = torch.int16 if fine else torch.int8
    most = torch.iinfo(whole).max
    largest = tensor.flatten(1).abs().amax(dim=1).float()
    power = torch.ldexp(torch.ones_like(largest), largest.frexp().exponent - 15)
    step = (power if fine else largest / most).bfloat16()
    unit = step.float().where(step > 0, 1.0)
    counted = (tensor.flatten(1) / unit[:, None]).round().clamp(-most, most)
    return counted.view_as(tensor).to(whole), step
