"""The same windows of pictures under several degradations: what most findings look at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from srlab.degradations.pipeline import Degradation
from srlab.images import crop, crop_to_multiple

Item = TypeVar("Item")
Place = tuple[str, int, int]  # picture, top, left


@dataclass(frozen=True)
class Windows:
    """The same N windows under several degradations."""

    hr: Tensor  # (N, 3, size, size)
    lr: dict[str, Tensor]  # kind → (N, 3, size/scale, size/scale)
    pictures: tuple[str, ...]  # N names of the pictures they were cut from

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def stacked(self) -> Tensor:
        """(K·N, 3, h, w): all LR windows, kind after kind."""
        return torch.cat([*self.lr.values()])

    @property
    def kind_labels(self) -> np.ndarray:
        """(K·N,) the kind of each of the `stacked` windows: the classes that DDR separates."""
        return np.repeat([*self.lr], len(self))

    @property
    def picture_labels(self) -> np.ndarray:
        """(K·N,) the picture that each of the `stacked` windows was cut from."""
        return np.tile(self.pictures, len(self.lr))

    def to(self, device: torch.device | str) -> "Windows":
        """The same on a device."""
        moved = {kind: own.to(device) for kind, own in self.lr.items()}
        return replace(self, hr=self.hr.to(device), lr=moved)


def windows(
    images: Mapping[str, Tensor],
    kinds: Mapping[str, Degradation],
    *,
    count: int,
    size: int = 128,
    seed: int = 0,
) -> Windows:
    """`count` windows of size × size HR pixels, spread evenly over the pictures, in every kind.

    Pictures are degraded whole and cut afterwards, so that a blurred window saw its true
    surroundings. No two windows overlap. All degradations have one scale; with scale=1, `images`
    are what the network is given, and `size` is in their pixels.

    >>> pictures = {"noise": torch.rand(3, 96, 96)}
    >>> kinds = {"clean": Degradation(scale=2), "blur": Degradation(scale=2, blur_sigma=2)}
    >>> found = windows(pictures, kinds, count=4, size=32)
    >>> found.hr.shape, found.lr["blur"].shape
    (torch.Size([4, 3, 32, 32]), torch.Size([4, 3, 16, 16]))
    >>> found.kind_labels[:5].tolist()
    ['clean', 'clean', 'clean', 'clean', 'blur']
    """
    if len(scales := {degradation.scale for degradation in kinds.values()}) != 1:
        raise ValueError(f"windows of several kinds need one scale, got {sorted(scales)}")
    (scale,) = scales
    whole = {name: crop_to_multiple(image, scale) for name, image in images.items()}
    places = places_in(whole, count, size=size, stride=size, seed=seed)
    used = dict.fromkeys(name for name, *_ in places)
    lr = {}
    for number, (kind, degradation) in enumerate(kinds.items()):
        degraded = degrade_whole({name: whole[name] for name in used}, degradation, (seed, number))
        lr[kind] = cut(degraded, [(n, y // scale, x // scale) for n, y, x in places], size // scale)
    return Windows(cut(whole, places, size), lr, tuple(name for name, *_ in places))


def places_in(
    images: Mapping[str, Tensor], count: int, *, size: int, stride: int, seed: int
) -> list[Place]:
    """`count` places of size × size pixels on a grid, drawn from the pictures in turn."""
    grids = []
    for name, image in images.items():
        rows, columns = (range(0, extent - size + 1, stride) for extent in image.shape[-2:])
        grids.append([(name, top, left) for top in rows for left in columns])
    places = in_turn(grids, np.random.default_rng(seed))
    if not 0 < count <= len(places):
        raise ValueError(
            f"{count} windows of {size}×{size} were asked for, and these {len(images)} pictures "
            f"hold {len(places)}; ask for fewer or smaller ones, or give more pictures"
        )
    return places[:count]


def degrade_whole(
    images: Mapping[str, Tensor], degradation: Degradation, seed: tuple[int, ...]
) -> dict[str, Tensor]:
    """Pictures (3, H, W) under one degradation, each with its own noise."""
    return {
        name: degradation(image, np.random.default_rng((*seed, number)))
        for number, (name, image) in enumerate(images.items())
    }


def cut(images: Mapping[str, Tensor], places: Iterable[Place], size: int) -> Tensor:
    """(N, 3, size, size) at N places."""
    return torch.stack([crop(images[name], top, left, size, size) for name, top, left in places])


def in_turn(groups: Iterable[Sequence[Item]], rng: np.random.Generator) -> list[Item]:
    """One of each group at random, then a second of each, …, until all were taken."""
    ranked = [
        (rank, group[index])
        for group in groups
        for rank, index in enumerate(rng.permutation(len(group)))
    ]
    return [item for _, item in sorted(ranked, key=lambda pair: pair[0])]
