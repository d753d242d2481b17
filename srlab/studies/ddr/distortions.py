"""Pictures under several distortions and strengths, and the crops that are to be told apart.

The five distortions of LIVE (Sheikh et al. 2006), made from any picture; or LIVE's own pictures.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from srlab.data.datasets import load_images
from srlab.data.labelled import live
from srlab.degradations.filters import add_noise, blur, downsample, jpeg
from srlab.images import crop, crop_to_multiple, image_from_array, image_to_array
from srlab.studies.ddr.codecs import fast_fading, jpeg2000

# name → the operator, and its strengths from mild to strong
DISTORTIONS: dict[str, tuple[Callable[..., Tensor], tuple[float, ...]]] = {
    "JPEG": (jpeg, (60, 30, 15, 7)),  # quality
    "JPEG2000": (jpeg2000, (10, 20, 40, 80)),  # times smaller
    "white noise": (add_noise, (6 / 255, 12 / 255, 24 / 255, 48 / 255)),  # σ
    "blur": (blur, (0.7, 1.2, 2.0, 3.5)),  # σ in pixels
    "fast fading": (fast_fading, (0.7, 0.5, 0.3, 0.15)),  # share of packets received
}


class Crops(NamedTuple):
    """One crop of each distorted picture."""

    images: Tensor  # (N, 3, size, size) in [0, 1], 8 bits deep
    distortions: np.ndarray  # (N,) names
    contents: np.ndarray  # (N,) names of the pictures
    levels: np.ndarray  # (N,) from 1, mild to strong


def distorted_crops(
    image_set: str, *, count: int | None = None, size: int = 96, each: int = 1
) -> Crops:
    """The central crops of the first `count` pictures of a set under all distortions.

    Pictures are halved first, so that their own compression and noise count little. "live" takes
    the distorted pictures of LIVE as they are: four distortions, JPEG2000 is not among them. With
    `each` above 1 the crop's nearest neighbours that do not overlap are taken too.
    """
    if image_set == "live":
        return _crops(_live(count), size, each)
    return _crops(_synthesised(load_images(image_set, limit=count)), size, each)


Distorted = tuple[Tensor, str, str, int]  # image (3, H, W), distortion, content, level


def _live(count: int | None) -> Iterable[Distorted]:
    pictures = live()
    chosen = list(dict.fromkeys(picture.reference for picture in pictures))[:count]
    for image, distortion, reference, level in pictures:
        if level and reference in chosen:
            yield image, distortion, reference, level


def _synthesised(pictures: dict[str, Tensor]) -> Iterable[Distorted]:
    for number, (name, picture) in enumerate(pictures.items()):
        image = downsample(crop_to_multiple(picture[None], 2), 2).clamp(0, 1)
        rng = np.random.default_rng((0, number))
        for distortion, (distort, strengths) in DISTORTIONS.items():
            for level, strength in enumerate(strengths, start=1):
                drawn = (rng,) if distort is add_noise else ()
                shown = image_to_array(distort(image, strength, *drawn)[0])  # 8 bits
                yield image_from_array(shown), distortion, name, level


def _crops(distorted: Iterable[Distorted], size: int, each: int) -> Crops:
    found = [
        (crop(image, top, left, size, size), *labels)
        for image, *labels in distorted
        for top, left in _middle(image, size, each)
    ]
    images, distortions, contents, levels = zip(*found, strict=True)
    return Crops(torch.stack(images), np.array(distortions), np.array(contents), np.array(levels))


def _middle(image: Tensor, size: int, each: int) -> list[tuple[int, int]]:
    """The central crop, moved up and left to where a block of 8×8 pixels begins, and neighbours."""
    centre = [(extent - size) // 2 // 8 * 8 for extent in image.shape[-2:]]
    rows, columns = (
        range(middle % size, extent - size + 1, size)
        for middle, extent in zip(centre, image.shape[-2:], strict=True)
    )
    places = [(top, left) for top in rows for left in columns]
    places.sort(key=lambda place: np.hypot(*np.subtract(place, centre)))
    if len(places) < each:
        raise ValueError(
            f"{each} crops of {size}×{size} pixels do not fit into {tuple(image.shape[-2:])}; "
            f"ask for {len(places)} at most"
        )
    return places[:each]
