"""What a network has from the one it started from need not be stored twice.

Of a tensor that is as it was, an empty one is kept; of a convolution in which few kernels changed,
those kernels.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

PLACES, KERNELS = ".changed", ".kernels"  # suffixes of the two tensors kept of a convolution
Weights = Mapping[str, Tensor]


def own_weights(weights: Weights, inherited: Weights) -> dict[str, Tensor]:
    """Of `weights`, what differs from the `inherited` ones; `whole_weights` undoes it."""
    own: dict[str, Tensor] = {}
    for key, tensor in weights.items():
        old = inherited.get(key)
        if old is None or old.shape != tensor.shape:
            own[key] = tensor
        elif torch.equal(tensor, old):
            own[key] = tensor.new_empty(0)
        elif (
            tensor.ndim == 4
            and len(places := _changed(tensor, old)) < tensor[:, :, 0, 0].numel() / 2
        ):
            own[key + PLACES], own[key + KERNELS] = places, tensor.flatten(0, 1)[places]
        else:
            own[key] = tensor
    return own


def whole_weights(own: Weights, inherited: Weights) -> dict[str, Tensor]:
    """All weights again."""
    whole: dict[str, Tensor] = {}
    for key, tensor in own.items():
        name = key.removesuffix(KERNELS)
        if name != key:
            kernels = inherited[name].flatten(0, 1).clone()
            kernels[own[name + PLACES].long()] = tensor
            whole[name] = kernels.unflatten(0, inherited[name].shape[:2])
        elif not key.endswith(PLACES):
            whole[key] = tensor if tensor.numel() else inherited[key]
    return whole


def _changed(tensor: Tensor, old: Tensor) -> Tensor:
    """Which kernels (out · in, counted through) differ, int32."""
    return (tensor != old).flatten(2).any(dim=2).flatten().nonzero().flatten().int()
