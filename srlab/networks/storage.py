"""How files hold weights: in 16 bits each, or matrices and convolutions in 8 with a step a row.

Of a tensor in 8 bits, int8 (rows, …), another holds what a unit is worth in each row (output
channel), bfloat16 (rows,). Which is whose stands in the JSON under "srlab" in the safetensors'
header: {"int8": {tensor: tensor of its steps}}. All others are float16, or indices as they are.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

LARGEST = 127
HALF_MAXIMUM = 65504  # of float16
Weights = Mapping[str, Tensor]


def stored(weights: Weights, bits: int = 16) -> tuple[dict[str, Tensor], dict[str, str]]:
    """(tensors, {tensor in 8 bits: tensor of its steps}), as a file holds them.

    `restored` gives them back, and what it gives is held exactly.
    In 8 bits, each row of a matrix or convolution is told in 127 steps of its largest weight.
    A counter beyond the range of float16 becomes its largest; indices stay as they are.
    """
    if bits not in (8, 16):
        raise ValueError(f"weights are stored in 8 or 16 bits, got {bits}")
    held: dict[str, Tensor] = {}
    int8: dict[str, str] = {}
    for key, given in sorted(weights.items()):  # in one order, the same file
        tensor = given.detach().cpu().contiguous()
        if not tensor.is_floating_point():
            held[key] = tensor if tensor.ndim else tensor.clamp(max=HALF_MAXIMUM).half()
        elif bits == 16 or tensor.ndim < 2:
            held[key] = tensor.half()
        else:
            int8[key] = f"{key}.steps"
            held[key], held[int8[key]] = _in_steps(tensor)
    return held, int8


def restored(held: Weights, int8: Mapping[str, str]) -> dict[str, Tensor]:
    """What `stored` held: what had fewer bits in float32, all else as it is."""
    return {
        key: _out_of_steps(tensor, held[int8[key]])
        if key in int8
        else tensor.float()
        if tensor.dtype == torch.float16
        else tensor
        for key, tensor in held.items()
        if key not in int8.values()
    }


def rounded(weights: Weights, bits: int = 16) -> dict[str, Tensor]:
    """Weights as they come back from a file, float32."""
    return restored(*stored(weights, bits))


def _in_steps(tensor: Tensor) -> tuple[Tensor, Tensor]:
    """(int8, step (rows,)): a step is a bfloat16, so that what was rounded once stays as it is."""
    largest = tensor.flatten(1).abs().amax(dim=1).float()
    step = (largest / LARGEST).bfloat16()
    unit = step.float().where(step > 0, 1.0)
    counted = (tensor.flatten(1) / unit[:, None]).round().clamp(-LARGEST, LARGEST)
    return counted.view_as(tensor).to(torch.int8), step


def _out_of_steps(counted: Tensor, step: Tensor) -> Tensor:
    return (counted.flatten(1).float() * step.float()[:, None]).view_as(counted)
