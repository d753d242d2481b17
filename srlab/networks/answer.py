"""What a network answered with: the SR image in it, checked."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from srlab.networks.advice import LUMA, ContractError, RangeError, SizeError, which_part


def pick(answer: Any, output: str | None) -> Tensor:
    """The image in what a network returned; a tuple, list or dict needs `output` to say where."""
    parts: Mapping[Any, Any] = {}
    if isinstance(answer, Mapping):
        parts = answer
    elif isinstance(answer, Sequence):
        parts = dict(enumerate(answer))
    found = [part for key, part in parts.items() if str(key) == output]
    if found:
        answer = found[0]
    elif parts:
        raise which_part(answer, parts)
    elif output is not None:
        raise ContractError(f"the network returns one {type(answer).__name__}: no output to choose")
    if not isinstance(answer, Tensor):
        raise ContractError(f"the network returns a {type(answer).__name__}, not a tensor")
    return answer


def checked(answer: Any, shape: tuple[int, ...]) -> Tensor:
    """A network's answer to LR images of a `shape` (B, 3, h, w), if it is their SR image."""
    sr = pick(answer, None)
    if sr.ndim != 4 or sr.shape[:2] != shape[:2]:
        grey = sr.ndim == 4 and sr.shape[1] == 1
        raise ContractError(
            f"the network maps {shape} to {tuple(sr.shape)}; srlab needs RGB to RGB, "
            f"(B, 3, h, w) to (B, 3, scale·h, scale·w){LUMA if grey else ''}"
        )
    if not sr.is_floating_point():
        found, instead = (
            ("complex values", "the real part or the magnitude")
            if sr.is_complex()
            else ("whole numbers", "them before rounding")
        )
        raise ContractError(
            f"the network returns {found}, {sr.dtype}; srlab needs real floating-point values: "
            f"return {instead}"
        )
    if not torch.isfinite(sr.detach()).all():
        raise RangeError("the network's output holds NaN or infinity; are its weights loaded?")
    scale_of(sr, shape)
    return sr


def scale_of(sr: Tensor, shape: tuple[int, ...]) -> int:
    """How much an answer is larger than what was fed; refuses what is no whole multiple."""
    (rows, columns), (height, width) = sr.shape[-2:], shape[-2:]
    if rows < height or rows % height or columns * height != rows * width:
        padded = " (is what was padded cut off?)" if rows > height else ""
        raise SizeError(
            f"{height}×{width} pixels became {rows}×{columns}{padded}, no whole multiple"
        )
    return rows // height
