"""How files hold weights: in 16 bits each, or matrices and convolutions in 8 with a step a row."""

from collections.abc import Mapping

import torch
from torch import Tensor

STEP = ".int8_step"  # suffix of what a unit is worth in each row (output channel) of a tensor
LARGEST = 127
HALF_MAXIMUM = 65504  # of float16
Weights = Mapping[str, Tensor]


def stored(weights: Weights, bits: int = 16) -> dict[str, Tensor]:
    """As a file holds them; `restored_weights` gives them back, and what it gives is held exactly.

    In 8 bits, each row of a matrix or convolution is told in 127 steps of its largest weight.
    A counter beyond the range of float16 becomes its largest; indices stay as they are.
    """
    if bits not in (8, 16):
        raise ValueError(f"weights are stored in 8 or 16 bits, got {bits}")
    held: dict[str, Tensor] = {}
    for key, given in weights.items():
        tensor = given.detach().cpu().contiguous()
        if not tensor.is_floating_point():
            held[key] = tensor if tensor.ndim else tensor.clamp(max=HALF_MAXIMUM).half()
        elif bits == 16 or tensor.ndim < 2:
            held[key] = tensor.half()
        elif tensor.ndim == 3:  # some of a convolution's kernels: their rows are elsewhere
            held[key] = tensor.float()
        else:
            held[key], held[key + STEP] = _in_steps(tensor)
    return held


def restored_weights(held: Weights) -> dict[str, Tensor]:
    """What `stored` held, float32; whole numbers that index something stay as they are."""
    return {
        key: _out_of_steps(tensor, held[key + STEP])
        if key + STEP in held
        else tensor.float()
        if tensor.is_floating_point()
        else tensor
        for key, tensor in held.items()
        if not key.endswith(STEP)
    }


def rounded(weights: Weights, bits: int = 16) -> dict[str, Tensor]:
    """Weights as they come back from a file, float32."""
    return restored_weights(stored(weights, bits))


def _in_steps(tensor: Tensor) -> tuple[Tensor, Tensor]:
    """(int8, step (rows,)): a step is a bfloat16, so that what was rounded once stays as it is."""
    largest = tensor.flatten(1).abs().amax(dim=1).float()
    step = (largest / LARGEST).bfloat16()
    unit = step.float().where(step > 0, 1.0)
    counted = (tensor.flatten(1) / unit[:, None]).round().clamp(-LARGEST, LARGEST)
    return counted.view_as(tensor).to(torch.int8), step


def _out_of_steps(counted: Tensor, step: Tensor) -> Tensor:
    return (counted.flatten(1).float() * step.float()[:, None]).view_as(counted)
