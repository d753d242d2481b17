"""How tensors lie in memory: channels last for srlab's own networks, a fifth faster on a CPU.

A stranger's network may read its features by `view`, which that layout does not allow.
"""

import torch
from torch import Tensor


def laid_out(tensor: Tensor, model: object) -> Tensor:
    """Images or filters (N, C, h, w), channels last where `model` is one of srlab's networks.

    A subclass defined elsewhere counts as a stranger; tensors of other shapes stay as they are.
    """
    ours = type(model).__module__.startswith("srlab.models.")
    return channels_last(tensor) if ours and tensor.ndim == 4 else tensor


def channels_last(tensor: Tensor) -> Tensor:
    """(N, C, h, w) in the layout in which convolutions on a CPU take a fifth less time."""
    return tensor.contiguous(memory_format=torch.channels_last)
