"""Feature maps to look at: a layer's strongest components, and how much of a picture they show.

DDR (Liu et al., Sec. A.13) shows, for each picture, the eight maps with the largest eigenvalues.
Read as: each channel is a vector of h·w pixels, and the principal components over the channels of
one picture are the maps; an eigenvalue is the variance of its map over the pixels.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.images import luma
from srlab.representation.embedding import features

BORDER = 4  # pixels that are left out on each side
REACH = 2  # pixels around a map's that may explain it


class PrincipalMaps(NamedTuple):
    """The strongest maps of each picture, and which share of the layer's variance each holds."""

    maps: Tensor  # (N, count, h, w), centred; strongest first
    shares: Tensor  # (N, count), falling, adding up to at most 1


def principal_maps(features: Tensor, count: int = 8) -> PrincipalMaps:
    """Principal components over the channels of features (N, C, h, w), picture by picture.

    Eigenvectors have no sign: each map is turned so that its largest value is positive.
    """
    if features.ndim != 4 or not 0 < count <= features.shape[1]:
        raise ValueError(
            f"expected features (N, C, h, w) with at least {count} channels and count ≥ 1, "
            f"got {tuple(features.shape)}"
        )
    flat = features.double().flatten(2)  # (N, C, h·w)
    flat = flat - flat.mean(dim=2, keepdim=True)
    values, vectors = torch.linalg.eigh(flat @ flat.mT)  # (N, C), (N, C, C), ascending
    strongest = vectors.flip(2)[..., :count]
    maps = strongest.mT @ flat
    top = maps.gather(2, maps.abs().argmax(dim=2, keepdim=True))
    maps = maps * torch.where(top < 0, -1.0, 1.0)
    total = values.clamp(min=0).sum(dim=1, keepdim=True).clamp(min=torch.finfo(values.dtype).tiny)
    shares = values.clamp(min=0).flip(1)[:, :count] / total
    return PrincipalMaps(maps.reshape(-1, count, *features.shape[2:]).float(), shares.float())


def layer_maps(
    model: nn.Module, lr: Tensor, layers: Sequence[str], *, count: int = 8, batch_size: int = 10
) -> dict[str, PrincipalMaps]:
    """Principal maps of several layers for images (N, 3, h, w), on the CPU: {layer: maps}."""
    found = features(model, lr, layers, batch_size=batch_size)
    return {layer: principal_maps(own, count) for layer, own in found.items()}


def edges(images: Tensor) -> Tensor:
    """Gradient magnitude of the luma by central differences: (N, 3, h, w) → (N, h, w)."""
    down, right = torch.gradient(luma(images)[:, 0], dim=(1, 2))
    return (down**2 + right**2).sqrt()


def edge_correlation(maps: Tensor, images: Tensor) -> Tensor:
    """Pearson's r, over the pixels, of the maps' activity and the images' edges: (N,).

    Activity is the root of the summed squares of the maps (N, K, h, w): it counts each map by its
    eigenvalue and does not depend on signs. `BORDER` pixels are left out on each side, where
    zero padding leaves a frame. A picture without any edge has r = 0.
    """
    _check_same_size(maps, images, BORDER)
    pairs = [_inside(maps.pow(2).sum(dim=1).sqrt(), BORDER), _inside(edges(images), BORDER)]
    one, two = (values.flatten(1) - values.flatten(1).mean(dim=1, keepdim=True) for values in pairs)
    return F.cosine_similarity(one.double(), two.double(), dim=1, eps=1e-12)


def content_share(maps: Tensor, images: Tensor, *, border: int = BORDER) -> Tensor:
    """Share of the maps' variance that the images explain linearly (R²), in [0, 1]: (N,).

    Regressors are the luma of all pixels at most `REACH` away: a map that repeats the picture, or
    any small linear filter of it, scores 1; one that ignores it about (number of regressors)
    divided by (number of pixels). Maps count by their variance.
    """
    _check_same_size(maps, images, border)
    side = 2 * REACH + 1
    padded = F.pad(luma(images), (REACH,) * 4, mode="reflect")
    around = F.unfold(padded, side).reshape(len(images), side**2, *images.shape[2:])
    inputs = _inside(around, border).flatten(2).mT.double()  # (N, pixels, side²)
    outputs = _inside(maps, border).flatten(2).mT.double()  # (N, pixels, K)
    inputs, outputs = (values - values.mean(dim=1, keepdim=True) for values in (inputs, outputs))
    basis, sizes, _ = torch.linalg.svd(inputs, full_matrices=False)
    basis = basis * (sizes > 1e-6 * sizes[:, :1].clamp(min=1e-12))[:, None]
    explained = (basis.mT @ outputs).pow(2).sum(dim=(1, 2))
    return explained / outputs.pow(2).sum(dim=(1, 2)).clamp(min=1e-12)


def degradation_share(features: Tensor, versions: int, *, border: int = BORDER) -> Tensor:
    """Share of a layer's variance that goes with the degradation, contents held fixed: (N,).

    Row i·K + k of the features (N·K, C, h, w) is content i under degradation k of K `versions`.
    Channels are centred over all rows and pixels; what the versions of a content have in common
    is their mean, the rest is the degradation's: 0 where all versions are alike, 1 where they
    cancel. `border` pixels are left out on each side.
    """
    if versions < 2 or len(features) % versions:
        raise ValueError(
            f"{len(features)} rows are no whole number of contents under {versions} degradations"
        )
    own = _inside(features.double(), border)
    own = own - own.mean(dim=(0, 2, 3), keepdim=True)
    own = own.reshape(-1, versions, *own.shape[1:])
    common = own.mean(dim=1).pow(2).sum(dim=(1, 2, 3))
    total = own.pow(2).sum(dim=(2, 3, 4)).mean(dim=1)
    return 1 - common / total.clamp(min=torch.finfo(total.dtype).tiny)


def _inside(values: Tensor, border: int) -> Tensor:
    """(…, h, w) without its frame."""
    return values[..., border : values.shape[-2] - border, border : values.shape[-1] - border]


def _check_same_size(maps: Tensor, images: Tensor, border: int) -> None:
    if (len(maps), *maps.shape[2:]) != (len(images), *images.shape[2:]):
        raise ValueError(
            f"maps {tuple(maps.shape)} and images {tuple(images.shape)} differ in number or size; "
            "compare maps on the LR grid with LR images"
        )
    if min(images.shape[2:]) <= 2 * border + 1:
        raise ValueError(f"a border of {border} leaves nothing of {tuple(images.shape[2:])} pixels")
