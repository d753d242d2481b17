"""Patches of every degree of regularity, from the crops of a grid over all pictures of a set."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from torch import Tensor

from srlab.data.datasets import load_images
from srlab.images import center_crop, crop
from srlab.studies.lam.regularity import edge_strength, spectral_peakiness

WINDOW = 16  # side of the middle in which a patch must have edges, HR pixels


@dataclass(frozen=True)
class RegularPatches:
    """k patches, from the least to the most regular."""

    hr: Tensor  # (k, 3, size, size)
    sets: tuple[str, ...]  # k names of the image sets
    pictures: tuple[str, ...]  # k names of the pictures
    names: tuple[str, ...]  # picture and corner: "china 96,192"
    peakiness: np.ndarray  # (k,) of their middle context × context pixels
    candidates: int  # crops that are not flat

    def __len__(self) -> int:
        return len(self.names)


def patches_by_regularity(
    image_set: str,
    k: int,
    *,
    size: int,
    stride: int,
    context: int,
    least: float,
    limit: int | None = None,
) -> RegularPatches:
    """k (or all) of the crops, every n-th when sorted by spectral peakiness.

    Crops of size × size HR pixels whose middle has a mean gradient below `least` are left out.
    Several sets are joined by +; `limit` counts pictures in each.

    >>> patches_by_regularity("textures", 5, size=192, stride=96, context=96, least=0.02).names
    """
    images = {
        (own, name): image
        for own in image_set.split("+")
        for name, image in load_images(own, limit=limit).items()
    }
    places, peakiness = [], []
    for key, image in images.items():
        tops, lefts = (range(0, extent - size + 1, stride) for extent in image.shape[-2:])
        for top, left in product(tops, lefts):
            hr = crop(image, top, left, size, size)[None]
            if edge_strength(center_crop(hr, WINDOW)).item() >= least:
                places.append((*key, top, left))
                peakiness.append(spectral_peakiness(center_crop(hr, context)).item())
    if not places:
        raise ValueError(
            f"{image_set} holds no crop of {size}×{size} whose middle has a mean gradient of "
            f"{least} or more; ask for smaller crops or a lower gradient"
        )
    order = np.argsort(peakiness)
    chosen = order[np.linspace(0, len(order) - 1, min(k, len(order))).round().astype(int)]
    places = [places[index] for index in chosen]
    cuts = [crop(images[own, name], top, left, size, size) for own, name, top, left in places]
    return RegularPatches(
        hr=torch.stack(cuts),
        sets=tuple(own for own, *_ in places),
        pictures=tuple(name for _, name, *_ in places),
        names=tuple(f"{name} {top},{left}" for _, name, top, left in places),
        peakiness=np.array(peakiness)[chosen],
        candidates=len(order),
    )
