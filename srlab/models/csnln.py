"""CSNLN (Mei et al., CVPR 2020): enlarged by patches that, reduced, look like the place."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.models.blocks import (
    ResidualBlock,
    SuperResolver,
    conv3x3,
    look_around,
    mirrored,
    upsampling_stages,
)
from srlab.models.dbpn import enlargement, reduction

SHARPNESS = 10  # of the choice among patches


def _pointwise(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 1), nn.PReLU())


class _Attention(nn.Module):
    """What is asked, what answers and what is taken over, of each position by itself."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = max(channels // 2, 1)
        self.query, self.key = (_pointwise(channels, narrow) for _ in range(2))
        self.value = _pointwise(channels, channels)


class CrossScaleAttention(_Attention):
    """(B, C, h, w) → (B, C, factor·h, factor·w), put together from patches of the features."""

    def __init__(self, channels: int, factor: int) -> None:
        super().__init__(channels)
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        factor, (height, width) = self.factor, x.shape[-2:]
        whole = mirrored(x, factor)
        coarse = (whole.shape[-2] // factor, whole.shape[-1] // factor)
        reduced = F.interpolate(whole, size=coarse, mode="bilinear", align_corners=False)
        queries = F.unfold(self.query(x), 3, padding=1)  # (B, 9c, places)
        keys = F.normalize(F.unfold(self.key(reduced), 3, padding=1), dim=1)  # (B, 9c, patches)
        window = {"kernel_size": 3 * factor, "padding": factor, "stride": factor}
        patches = F.unfold(self.value(whole), **window)
        likeness = (SHARPNESS * queries).mT @ keys  # (B, places, patches)
        chosen = patches @ likeness.softmax(dim=2).mT
        # Nine patches meet in most pixels; their sum is divided by six, as published.
        return F.fold(chosen, (factor * height, factor * width), **window) / 6


class SameScaleAttention(_Attention):
    """Each position becomes what looks like it, anywhere in the picture."""

    def forward(self, x: Tensor) -> Tensor:
        return look_around(self.query(x), self.key(x), self.value(x))


class MutualProjection(nn.Module):
    """Both attentions, enlarged; that of one scale is corrected by where they differ."""

    def __init__(self, channels: int, factor: int) -> None:
        super().__init__()
        self.across = CrossScaleAttention(channels, factor)
        self.within = SameScaleAttention(channels)
        self.enlarge = enlargement(channels, factor)
        self.correct = ResidualBlock(channels)

    def forward(self, x: Tensor) -> Tensor:
        own = self.enlarge(self.within(x))
        return own + self.correct(self.across(x) - own)


class Stage(nn.Module):
    """Features enlarged by a factor, corrected by what their reduction misses of the first ones."""

    def __init__(self, channels: int, factor: int, scale: int) -> None:
        super().__init__()
        self.project = MutualProjection(channels, factor)
        self.gather = reduction(channels, scale)
        self.spread = enlargement(channels, scale)

    def forward(self, x: Tensor, low: Tensor) -> Tensor:
        high = self.project(x)
        return high + self.spread(low - self.gather(high))


class CSNLN(SuperResolver):
    """`num_turns` searches for self-exemplars, which share their weights; all of them are fused.

    Memory grows with the square of the number of pixels. At ×3 the published kernels are larger.
    """

    def __init__(self, *, scale: int = 4, channels: int = 128, num_turns: int = 12) -> None:
        super().__init__(scale)
        self.num_turns = num_turns
        self.head = nn.Sequential(
            conv3x3(3, channels), nn.PReLU(), conv3x3(channels, channels), nn.PReLU()
        )
        self.stages, reached = nn.ModuleList(), 1
        for factor in upsampling_stages(scale):
            reached *= factor
            self.stages.append(Stage(channels, factor, reached))
        self.back = nn.Sequential(
            reduction(channels, scale), conv3x3(channels, channels), nn.PReLU()
        )
        self.tail = conv3x3(num_turns * channels, 3)
        self.taps = ("head", *(f"stages.{index}" for index in range(len(self.stages))))

    def extract(self, lr: Tensor) -> Tensor:
        return self.head(lr)

    def reconstruct(self, features: Tensor, lr: Tensor) -> Tensor:
        found = []
        for turn in range(self.num_turns):
            high = features
            for stage in self.stages:
                high = stage(high, features)
            found.append(high)
            if turn < self.num_turns - 1:
                features = self.back(high)
        return self.tail(torch.cat(found, dim=1))
