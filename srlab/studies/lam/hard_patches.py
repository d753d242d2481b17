"""Hard sub-images, on which networks fail and differ: what LAM is shown on (Gu & Dong, Sec. 4.1).

A sub-image is hard where the mean PSNR over the networks is low and its spread between them is
high. Nothing is drawn: the same pictures and networks give the same patches.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
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

    Several sets are joined by +, as in "urban100-30+b100"; `limit` then counts in each.

    Candidates lie on a grid with `stride` HR pixels (default size/2, and never less, so that no
    two share more than half); `limit` takes only the first pictures, `per_picture` at most so
    many patches of each. Every network is given each candidate's LR image by itself. A candidate's
    hardness is the mean of two ranks: by low mean PSNR and by high standard deviation between the
    networks (with a single network by the first alone). A network's PSNRs are kept in the cache
    folder; they are measured again when its answer to the first candidate is not what it was.

    >>> patches = hard_patches("photographs", {"SRResNet": one, "FSRCNN": other}, 10)
    """
    stride = size // 2 if stride is None else stride
    _check(networks, k, size, scale, stride)
    images = {
        name: crop_to_multiple(image, scale)
        for one in image_set.split("+")
        for name, image in load_images(one, limit=limit).items()
    }
    places = _grid(images, size, stride, scale)
    settings = {
        "images": image_digest(images),
        "size": size,
        "scale": scale,
        "stride": stride,
        "values": [0, 1],
    }
    quality = {}
    for name, network in networks.items():
        with frozen(network):
            quality[name] = _quality(name, network, images, places, settings, device)
    hardness = _hardness(np.stack(list(quality.values())))
    order = _hardest(hardness, places, per_picture)
    if len(order) < k:
        raise ValueError(
            f"{image_set} holds {len(order)} sub-images of {size}×{size}, {k} were asked for; "
            "ask for fewer or smaller ones, or take a larger set"
        )
    chosen = order[:k]
    pairs = [_pair(images, places[index], size, scale) for index in chosen]
    return HardPatches(
        lr=torch.cat([lr for lr, _ in pairs]).to(device),
        hr=torch.cat([hr for _, hr in pairs]).to(device),
        pictures=tuple(places[index][0] for index in chosen),
        corners=np.array([places[index][1:] for index in chosen]),
        psnr={name: values[chosen] for name, values in quality.items()},
        hardness=hardness[chosen],
        candidates=len(places),
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


def _grid(images: Mapping[str, Tensor], size: int, stride: int, scale: int) -> list[Place]:
    """Corners of all candidates, the grid in the middle of its picture."""
    places = []
    for name, image in images.items():
        rows, columns = (_starts(extent, size, stride, scale) for extent in image.shape[-2:])
        places += [(name, top, left) for top in rows for left in columns]
    return places


def _starts(extent: int, size: int, stride: int, scale: int) -> range:
    if extent < size:
        return range(0)
    first = (extent - size) % stride // 2 // scale * scale
    return range(first, extent - size + 1, stride)


def _pair(
    images: Mapping[str, Tensor], place: Place, size: int, scale: int
) -> tuple[Tensor, Tensor]:
    """(lr, hr), each a batch of one; cut first, so that a candidate is a picture of its own.

    Bicubic reduction overshoots at edges, and files cannot hold that. Nor can every network: the
    published PAN answers −0.06 at an edge with 1e20.
    """
    name, top, left = place
    hr = crop(images[name], top, left, size, size)[None]
    return downsample(hr, scale).clamp(0, 1), hr


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
    name: str,
    network: Network,
    images: Mapping[str, Tensor],
    places: list[Place],
    settings: dict[str, Any],
    device: torch.device | str,
) -> np.ndarray:
    """PSNR of each candidate (N,), from the cache if this network was measured before."""
    size, scale = settings["size"], settings["scale"]
    first = network(_pair(images, places[0], size, scale)[0].to(device)) if places else None
    file = _cached(settings, first)
    with suppress(OSError, ValueError):
        values = np.load(file)
        if values.shape == (len(places),):
            return values
    measured = []
    for place in tqdm(
        places, f"hard patches: {name}", unit="patch", delay=2, leave=False, mininterval=1
    ):
        lr, hr = (image.to(device) for image in _pair(images, place, size, scale))
        measured.append(psnr(network(lr), hr, border=scale).item())
    values = np.array(measured)
    _keep(file, values)
    return values


def _cached(settings: dict[str, Any], answer: Tensor | None) -> Path:
    """The file for these candidates and a network that answers so to the first of them."""
    digest = hashlib.sha256(json.dumps(settings).encode())
    if answer is not None:
        digest.update(answer.cpu().numpy().tobytes())
    return Path(pooch.os_cache("srlab")) / "hard_patches" / f"{digest.hexdigest()[:24]}.npy"


def _keep(file: Path, values: np.ndarray) -> None:
    """Write it whole; a folder that cannot be written to costs time only."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_suffix(".tmp.npy")
        np.save(temporary, values)
        temporary.replace(file)
