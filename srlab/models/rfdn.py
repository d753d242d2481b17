"""RFDN (Liu et al., ECCVW 2020): distillation by 1×1 convolutions and spatial attention."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.models.blocks import conv3x3
from srlab.models.distillation import SLOPE, DistillationNetwork


class SpatialAttention(nn.Module):
    """Positions weighed by what a coarse copy of the features sees: "enhanced" (RFANet, 2020)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = max(channels // 4, 1)
        self.reduce = nn.Conv2d(channels, narrow, 1)
        self.stride = nn.Conv2d(narrow, narrow, 3, stride=2)
        self.coarse = nn.Sequential(
            conv3x3(narrow, narrow),
            nn.ReLU(),
            conv3x3(narrow, narrow),
            nn.ReLU(),
            conv3x3(narrow, narrow),
        )
        self.fine = nn.Conv2d(narrow, narrow, 1)
        self.expand = nn.Conv2d(narrow, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        reduced = self.reduce(x)
        coarse = self.stride(reduced)
        window = [min(7, extent) for extent in coarse.shape[-2:]]  # all of a tiny picture
        coarse = self.coarse(F.max_pool2d(coarse, window, stride=3))
        back = F.interpolate(coarse, x.shape[-2:], mode="bilinear", align_corners=False)
        return x * self.expand(back + self.fine(reduced)).sigmoid()


class ResidualDistillationBlock(nn.Module):
    """Three refinements, each also distilled to half of the channels, and spatial attention."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        kept = channels // 2
        self.distil = nn.ModuleList(nn.Conv2d(channels, kept, 1) for _ in range(3))
        self.refine = nn.ModuleList(conv3x3(channels, channels) for _ in range(3))
        self.last = conv3x3(channels, kept)
        self.fuse = nn.Conv2d(4 * kept, channels, 1)
        self.attention = SpatialAttention(channels)
        self.activation = nn.LeakyReLU(SLOPE)

    def forward(self, x: Tensor) -> Tensor:
        distilled = []
        for distil, refine in zip(self.distil, self.refine, strict=True):
            distilled.append(self.activation(distil(x)))
            x = self.activation(refine(x) + x)
        distilled.append(self.activation(self.last(x)))
        return self.attention(self.fuse(torch.cat(distilled, dim=1)))


class RFDN(DistillationNetwork):
    """Blocks in a row, all of whose outputs are fused at the end."""

    def __init__(self, *, scale: int = 4, channels: int = 50, num_blocks: int = 4) -> None:
        if channels < 2:
            raise ValueError(f"RFDN distils half of its channels, at least 2, got {channels}")
        super().__init__(
            ResidualDistillationBlock, scale=scale, channels=channels, num_blocks=num_blocks
        )
