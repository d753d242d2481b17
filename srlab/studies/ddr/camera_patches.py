"""Patches of the same places, taken by different cameras in different qualities (DDR, Sec. A.3)."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from srlab.data.datasets import load_images
from srlab.data.labelled import CameraPicture, city100
from srlab.degradations.filters import downsample
from srlab.degradations.windows import in_turn
from srlab.images import check_images, crop, crop_to_multiple
from srlab.studies.ddr.cameras import CAMERAS

QUALITIES = ("high", "low")


class CameraPatches(NamedTuple):
    """Row i·K + k is place i under class k."""

    images: Tensor  # (N·K, 3, size, size) in [0, 1]
    cameras: np.ndarray  # (N·K,)
    qualities: np.ndarray  # (N·K,)
    scenes: np.ndarray  # (N·K,)

    @property
    def classes(self) -> np.ndarray:
        """(N·K,) camera and quality in words."""
        return np.array([f"{c}, {q}" for c, q in zip(self.cameras, self.qualities, strict=True)])


def camera_patches(
    image_set: str, *, count: int, size: int = 32, limit: int | None = None
) -> CameraPatches:
    """`count` places, each as two cameras show it in two qualities.

    "city100" takes its photographs; any other image set (its first `limit` pictures, halved) is
    seen through `CAMERAS`, which are simulated. Places lie at the same share of width and height
    in all four pictures of a scene, spread evenly over the scenes.
    """
    taken = city100() if image_set == "city100" else _simulated(image_set, limit)
    shots: dict[str, dict[tuple[str, str], Tensor]] = {}
    for picture in taken:
        check_images(picture.image)
        shots.setdefault(picture.scene, {})[picture.camera, picture.quality] = picture.image
    parts = []
    for scene, row, column in _places(shots, count, size, np.random.default_rng(0)):
        for (camera, quality), image in shots[scene].items():
            top, left = (
                round(share * (extent - size))
                for share, extent in zip((row, column), image.shape[-2:], strict=True)
            )
            parts.append((crop(image, top, left, size, size), camera, quality, scene))
    images, *labels = zip(*parts, strict=True)
    return CameraPatches(torch.stack(images), *map(np.array, labels))


def _simulated(image_set: str, limit: int | None) -> Iterable[CameraPicture]:
    for number, (name, picture) in enumerate(load_images(image_set, limit=limit).items()):
        scene = downsample(crop_to_multiple(picture[None], 4), 2).clamp(0, 1)
        for index, (camera, take) in enumerate(CAMERAS.items()):
            for reach, quality in enumerate(QUALITIES, start=1):
                rng = np.random.default_rng((0, number, index, reach))
                yield CameraPicture(take(scene, rng, reach=reach)[0], camera, quality, name)


def _places(
    shots: Mapping[str, Mapping[tuple[str, str], Tensor]],
    count: int,
    size: int,
    rng: np.random.Generator,
) -> list[tuple[str, float, float]]:
    """(scene, share of the height, share of the width) of each place, half overlapping at most."""
    grids = []
    for scene, pictures in shots.items():
        heights, widths = zip(*(image.shape[-2:] for image in pictures.values()), strict=True)
        rows, columns = (
            np.linspace(0, 1, 1 + (min(extents) - size) // (size // 2))
            for extents in (heights, widths)
        )
        grids.append([(scene, row, column) for row in rows for column in columns])
    found = in_turn(grids, rng)
    if len(found) < count:
        raise ValueError(
            f"{count} patches of {size}×{size} pixels do not fit: these {len(shots)} scenes hold "
            f"{len(found)}; ask for fewer or smaller patches"
        )
    return found[:count]
