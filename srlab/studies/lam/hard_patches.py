"""Hard sub-images, on which networks fail and differ: what LAM is shown on (Gu & Dong, Sec. 4.1).

A sub-image is hard where the mean PSNR over the networks is low and its spread between them is
high. Nothing is drawn: the same pictures and networks give the same patches.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pooch
import torch
from scipy.stats import rankdata
from torch import Tensor
from tqdm.auto import tqdm

from srlab.attribution.objective import Network
from srlab.capture import frozen
from srlab.data.datasets import image_digest, load_images
from srlab.degradations.filters import downsample
from srlab.files import replace_file
from srlab.images import crop, crop_to_multiple
from srlab.metrics import psnr


@dataclass(frozen=True)
class HardPatches:
    """The k hardest sub-images, hardest first."""

    lr: Tensor  # (k, 3, size/scale, size/scale)
    hr: Tensor  # (k, 3, size, size)
    pictures: tuple[str, ...]  # k names of the pictures they were cut from
    corners: np.ndarray  # (k, 2) top, left in HR pixels
    psnr: dict[str, np.ndarray]  # network → (k,) dB of luma, without a border of `scale` pixels
    hardness: np.ndarray  # (k,) 0 to 1: mean of its two ranks among all candidates
    candidates: int  # sub-images that were compared

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def names(self) -> tuple[str, ...]:
        """Picture and corner, to call a patch by: "china 128,256"."""
        places = zip(self.pictures, self.corners, strict=True)
        return tuple(f"{picture} {top},{left}" for picture, (top, left) in places)


def hard_patches(
    image_set: str,
    networks: Mapping[str, Network],
    k: int,
    *,
    size: int = 256,
    scale: int = 4,
    stride: int | None = None,
    limit: int | None = None,
    per_picture: int | None = None,
    device: torch.device | str = "cpu",
) -> HardPatches:
    """The k hardest size × size sub-images of a set for `networks`, which enlarge by `scale`.

    Sets are joined by +, as in "urban100-30+b100"; `limit` then counts in each.
    Candidates lie on a grid with `stride` HR pixels (default size/2, and never less, so that no
    two share more than half); `limit` takes only the first pictures, `per_picture` at most so
    many patches of each. Every network sees each candidate by itself. A candidate's hardness is the
    mean of two ranks: by low mean PSNR and by high standard deviation between the networks (with a
    single network by the first alone). A network's PSNRs are kept in the cache folder, and measured
    again when its answer to the first candidate is not what it was.

    >>> patches = hard_patches("photographs", {"SRResNet": one, "FSRCNN": other}, 10)
    """
    stride = size // 2 if stride is None else stride
    _check(networks, k, size, scale, stride)
    images = {
        name: crop_to_multiple(image, scale)
        for one in image_set.split("+")
        for name, image in load_images(one, limit=limit).items()
    }
    some = _Candidates(images, size, scale, stride)
    quality = {name: _quality(name, own, some, device) for name, own in networks.items()}
    hardness = _hardness(np.stack(list(quality.values())))
    chosen = _hardest(hardness, some.places, per_picture)[:k]
    if len(chosen) < k:
        raise ValueError(
            f"{image_set} holds {len(chosen)} sub-images of {size}×{size}, {k} were asked for; "
            "ask for fewer or smaller ones, or take a larger set"
        )
    lr, hr = (torch.cat(own).to(device) for own in zip(*map(some.pair, chosen), strict=True))
    return HardPatches(
        lr=lr,
        hr=hr,
        pictures=tuple(some.places[index][0] for index in chosen),
        corners=np.array([some.places[index][1:] for index in chosen]),
        psnr={name: values[chosen] for name, values in quality.items()},
        hardness=hardness[chosen],
        candidates=len(some.places),
    )


Place = tuple[str, int, int]  # picture, top and left in HR pixels


def _check(networks: Mapping[str, Any], k: int, size: int, scale: int, stride: int) -> None:
    if not networks or k < 1:
        raise ValueError(f"hard patches need networks and k ≥ 1, got {len(networks)} and {k}")
    if size % scale or stride % scale:
        raise ValueError(
            f"size {size} and stride {stride} should be multiples of the scale {scale}"
        )
    if 2 * stride < size:
        raise ValueError(
            f"a stride of {stride} lets patches of {size} share more than half; take at least "
            f"{size // 2}"
        )


@dataclass(frozen=True)
class _Candidates:
    """Sub-images on a grid in the middle of each picture."""

    images: dict[str, Tensor]
    size: int
    scale: int
    stride: int

    @cached_property
    def places(self) -> list[Place]:
        """Their corners."""
        places = []
        for name, image in self.images.items():
            rows, columns = map(self._starts, image.shape[-2:])
            places += [(name, top, left) for top in rows for left in columns]
        return places

    def _starts(self, extent: int) -> range:
        first = (extent - self.size) % self.stride // 2 // self.scale * self.scale
        return range(first, max(extent - self.size + 1, first), self.stride)

    def pair(self, index: int) -> tuple[Tensor, Tensor]:
        """(lr, hr), each a batch of one; cut first, so that a candidate is a picture of its own.

        Bicubic reduction overshoots at edges, and files cannot hold that. Nor can every network:
        the published PAN answers −0.06 at an edge with 1e20.
        """
        name, top, left = self.places[index]
        hr = crop(self.images[name], top, left, self.size, self.size)[None]
        return downsample(hr, self.scale).clamp(0, 1), hr


def _hardness(quality: np.ndarray) -> np.ndarray:
    """PSNR (networks, candidates) → (candidates,); 1 is hardest by both ranks."""
    ranks = [rankdata(-quality.mean(axis=0))]
    if len(quality) > 1:
        ranks.append(rankdata(quality.std(axis=0).round(9)))
    return np.mean(ranks, axis=0) / quality.shape[1]


def _hardest(hardness: np.ndarray, places: list[Place], per_picture: int | None) -> list[int]:
    """Indices from the hardest on; where equal, in the order of the candidates."""
    taken: dict[str, int] = {}
    order = []
    for index in np.argsort(-hardness, kind="stable").tolist():
        name = places[index][0]
        taken[name] = taken.get(name, 0) + 1
        if per_picture is None or taken[name] <= per_picture:
            order.append(index)
    return order


@torch.no_grad()
def _quality(
    name: str, network: Network, some: _Candidates, device: torch.device | str
) -> np.ndarray:
    """PSNR of each candidate (N,), from the cache if this network was measured before."""

    def answer(index: int) -> tuple[Tensor, Tensor]:
        lr, hr = (image.to(device) for image in some.pair(index))
        return network(lr), hr

    every = range(len(some.places))
    with frozen(network):
        file = _cached(some, answer(0)[0] if every else None)
        with suppress(OSError, ValueError):
            values = np.load(file)
            if values.shape == (len(every),):
                return values
        bar = tqdm(
            every, f"hard patches: {name}", unit="patch", delay=2, leave=False, mininterval=1
        )
        values = np.array([psnr(*answer(index), border=some.scale).item() for index in bar])
    with (
        suppress(OSError),
        replace_file(file) as temporary,
    ):  # where it cannot be kept, it costs time
        np.save(temporary, values)
    return values


def _cached(some: _Candidates, answer: Tensor | None) -> Path:
    """The file for these candidates and a network that answers so to the first of them."""
    settings = {
        "images": image_digest(some.images),
        "size": some.size,
        "scale": some.scale,
        "stride": some.stride,
        "values": [0, 1],
    }
    digest = hashlib.sha256(json.dumps(settings).encode())
    if answer is not None:
        digest.update(answer.cpu().numpy().tobytes())
    return Path(pooch.os_cache("srlab")) / "hard_patches" / f"{digest.hexdigest()[:24]}.npy"
