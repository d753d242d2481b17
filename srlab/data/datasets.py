"""Image sets by name, degraded pairs of them, and the sampler that training draws from."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from srlab.data.assets import EMBEDDED, IMAGE_SETS, image_set_files
from srlab.degradations.pipeline import Degradation, DegradationSpace, degrade_each
from srlab.degradations.windows import cut, degrade_whole, places_in
from srlab.images import center_crop, crop_to_multiple, image_to_array, read_image


def image_sets() -> tuple[str, ...]:
    """Every name that `load_images` knows, embedded sets first."""
    return (*EMBEDDED, *IMAGE_SETS)


def load_images(name: str, *, limit: int | None = None) -> dict[str, Tensor]:
    """An image set as {picture name: (3, H, W) in [0, 1]}, in a fixed order.

    >>> list(load_images("photographs", limit=2))
    ['astronaut', 'coffee']
    """
    if name not in image_sets():
        raise ValueError(f"unknown image set {name!r}; srlab has {', '.join(image_sets())}")
    find = _embedded_files if name in EMBEDDED else image_set_files
    return {stem: read_image(path) for stem, path in find(name, limit=limit).items()}


def _embedded_files(name: str, *, limit: int | None = None) -> dict[str, Path]:
    sources = {stem: place.split("/") for stem, place in list(EMBEDDED[name].items())[:limit]}
    return {stem: Path(str(files(package) / file)) for stem, (package, file) in sources.items()}


def image_digest(images: dict[str, Tensor]) -> str:
    """A short fingerprint of names and 8-bit pixels: what a checkpoint says it was trained on."""
    digest = hashlib.sha256()
    for name, image in images.items():
        digest.update(name.encode() + image_to_array(image).tobytes())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Pairs:
    """Aligned patches under several degradations; row i·K + k is content i under degradation k."""

    lr: Tensor  # (N·K, 3, h, w)
    hr: Tensor  # (N, 3, scale·h, scale·w)
    degradations: tuple[Degradation, ...]  # K
    contents: tuple[str, ...]  # N, the picture each patch was cut from

    @property
    def degradation_labels(self) -> np.ndarray:
        """(N·K,) names of the degradations, the classes of the DDR findings."""
        return np.tile([str(degradation) for degradation in self.degradations], len(self.contents))

    @property
    def content_labels(self) -> np.ndarray:
        """(N·K,) names of the pictures."""
        return np.repeat(self.contents, len(self.degradations))


def degraded_patches(
    images: dict[str, Tensor],
    degradations: Sequence[Degradation],
    *,
    count: int,
    size: int = 32,
    scale: int = 4,
    seed: int = 0,
) -> Pairs:
    """`count` LR patches of size × size, each under every degradation, with the same contents.

    Pictures are reduced by `scale` and degraded **whole**, on the LR grid, and cut afterwards, so
    that a blurred patch saw its true surroundings. Places are drawn without replacement from a
    half-overlapping grid, spread evenly over the pictures. Each picture has its own noise.
    """
    if any(degradation.scale != 1 for degradation in degradations):
        raise ValueError("these degradations act on the LR grid: leave their scale at 1")
    whole = {name: crop_to_multiple(image, scale) for name, image in images.items()}
    reduced = degrade_whole(whole, Degradation(scale=scale), ())
    places = places_in(reduced, count, size=size, stride=size // 2, seed=seed)
    versions = [
        cut(degrade_whole(reduced, degradation, (seed, index)), places, size)
        for index, degradation in enumerate(degradations)
    ]
    hr = cut(whole, [(name, scale * y, scale * x) for name, y, x in places], scale * size)
    lr, names = torch.stack(versions, dim=1).flatten(0, 1), tuple(name for name, *_ in places)
    return Pairs(lr, hr, tuple(degradations), names)


class PatchSampler:
    """Training batches: random crops, flips and turns of pictures that sit decoded in memory.

    `batch(step)` depends on `(seed, step)` alone, so a resumed run sees the same data without
    any state. Crops carry the degradation's margin, which is cut off again after it was applied.
    `crops_per_draw` crops of one picture share a degradation; `chunk` parts the batch into them.
    """

    def __init__(
        self,
        images: Sequence[Tensor],
        *,
        space: DegradationSpace,
        lr_size: int,
        batch_size: int,
        seed: int,
        crops_per_draw: int = 1,
    ) -> None:
        self.crops_per_draw = crops_per_draw
        self.space, self.lr_size, self.batch_size, self.seed = space, lr_size, batch_size, seed
        self.size = lr_size * space.scale + 2 * space.margin  # of a crop, HR pixels
        shortest = min((min(image.shape[-2:]) for image in images), default=0)
        if shortest < (side := lr_size * space.scale):
            raise ValueError(
                f"a training crop of {side}×{side} HR pixels does not fit: the smallest of "
                f"{len(images)} pictures has a side of {shortest}"
            )
        self.pictures = [_at_least(image_to_array(image), self.size) for image in images]

    def batch(self, step: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """(lr (B, 3, s, s), hr (B, 3, scale·s, scale·s)) for this step."""
        return self.drawn_batch(step, device)[:2]

    def drawn_batch(
        self, step: int, device: torch.device
    ) -> tuple[Tensor, Tensor, list[Degradation]]:
        """The same, and the B degradations; B is batch_size · crops_per_draw.

        The first batch_size rows are one crop of each draw, the next as many another of each.
        """
        rng = np.random.default_rng((self.seed, step))
        crops = [self._crops(rng) for _ in range(self.batch_size)]
        rows = torch.stack([crop for view in zip(*crops, strict=True) for crop in view])
        wide = rows.to(device).permute(0, 3, 1, 2).float() / 255
        drawn = [self.space.draw(rng) for _ in crops] * self.crops_per_draw
        lr = center_crop(degrade_each(wide, drawn, rng.spawn(len(wide))), self.lr_size)
        return lr, center_crop(wide, self.lr_size * self.space.scale), drawn

    def _crops(self, rng: np.random.Generator) -> list[Tensor]:
        picture = self.pictures[rng.integers(len(self.pictures))]
        return [self._crop(picture, rng) for _ in range(self.crops_per_draw)]

    def _crop(self, picture: Tensor, rng: np.random.Generator) -> Tensor:
        rows, columns = picture.shape[:2]
        top, left = rng.integers(rows - self.size + 1), rng.integers(columns - self.size + 1)
        patch = picture[top : top + self.size, left : left + self.size]
        patch = torch.rot90(patch, int(rng.integers(4)))
        return patch.flip(0) if rng.integers(2) else patch


def _at_least(picture: np.ndarray, size: int) -> Tensor:
    """(H, W, 3), mirrored outwards where a side is shorter than a crop with its margin."""
    short = [max(size - side, 0) for side in picture.shape[:2]]
    border = [(pad // 2, pad - pad // 2) for pad in short]
    return torch.from_numpy(np.pad(picture, (*border, (0, 0)), mode="reflect"))
