"""LPIPS, a learned perceptual distance (Zhang et al., CVPR 2018), where its weights lie.

Features of SqueezeNet 1.1 (Iandola et al., 2016), trained on ImageNet, at seven depths; at each,
squared differences of unit vectors are weighted by what people saw, and averaged over the image.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from srlab.data.assets import own_folder

FEATURES, LINEAR = "squeezenet1_1_imagenet_fp16.npz", "lpips_v0.1_squeeze.pth"
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet
STAGES = ((True, 2), (True, 2), (True, 1), (False, 1), (False, 1), (False, 1))  # pooled, fires
Layer = tuple[Tensor, Tensor]  # weight and bias


def lpips_distance() -> Callable[[Tensor, Tensor], Tensor] | None:
    """(sr, hr), both (B, 3, H, W) in [0, 1], → (B,) on the CPU; lower is better. Or None.

    It needs two files in $SRLAB_DATA/weights: `FEATURES`, the network as arrays, and `LINEAR`, the
    weights that the authors of LPIPS published for it. srlab does not fetch them.
    """
    folder = own_folder("weights")
    if folder is None or not all((folder / file).is_file() for file in (FEATURES, LINEAR)):
        return None
    layers, weights = _layers(folder / FEATURES), _weights(folder / LINEAR)

    @torch.no_grad()
    def distance(sr: Tensor, hr: Tensor) -> Tensor:
        pair = (_features(_standardized(images.cpu()), layers) for images in (sr, hr))
        depths = zip(*pair, weights, strict=True)
        return torch.stack([_apart(own, other, weight) for own, other, weight in depths]).sum(dim=0)

    return distance


def _layers(file: Path) -> list[Layer]:
    """The 25 convolutions in front of SqueezeNet's classifier."""
    with np.load(file) as kept:
        return [
            (
                torch.from_numpy(kept[f"conv{index}_weight"]).float(),
                torch.from_numpy(kept[f"conv{index}_bias"]).float(),
            )
            for index in range(25)
        ]


def _weights(file: Path) -> list[Tensor]:
    """Seven (1, C, 1, 1), one a depth."""
    kept = torch.load(file, map_location="cpu", weights_only=True)
    return [kept[f"lin{depth}.model.1.weight"] for depth in range(1 + len(STAGES))]


def _standardized(images: Tensor) -> Tensor:
    mean, spread = (torch.tensor(values).reshape(1, 3, 1, 1) for values in (MEAN, SPREAD))
    return (images.float().clamp(0, 1) - mean) / spread


def _features(images: Tensor, layers: Sequence[Layer]) -> Iterator[Tensor]:
    """Behind the first convolution, and behind each stage."""
    rest = iter(layers)
    found = F.relu(F.conv2d(images, *next(rest), stride=2))
    yield found
    for pooled, fires in STAGES:
        if pooled:
            found = F.max_pool2d(found, 3, stride=2, ceil_mode=True)
        for _ in range(fires):
            found = _fire(found, rest)
        yield found


def _fire(features: Tensor, rest: Iterator[Layer]) -> Tensor:
    """Squeezed to a few channels, then seen through 1×1 and 3×3 filters side by side."""
    few = F.relu(F.conv2d(features, *next(rest)))
    seen = F.conv2d(few, *next(rest)), F.conv2d(few, *next(rest), padding=1)
    return F.relu(torch.cat(seen, dim=1))


def _apart(one: Tensor, other: Tensor, weight: Tensor) -> Tensor:
    """(B, C, h, w) twice and (1, C, 1, 1) → (B,)."""
    units = (own / (own.norm(dim=1, keepdim=True) + 1e-10) for own in (one, other))
    first, second = units
    return (weight * (first - second).square()).sum(dim=1).mean(dim=(1, 2))
