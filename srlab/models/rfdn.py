"""RFDN (Liu et al., ECCVW 2020): distillation by 1×1 convolutions and spatial attention."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.models.blocks import DirectUpsampler, SuperResolver, conv3x3

SLOPE = 0.05


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


class RFDN(SuperResolver):
    """Blocks in a row, all of whose outputs are fused at the end."""

    def __init__(self, *, scale: int = 4, channels: int = 50, num_blocks: int = 4) -> None:
        super().__init__()
        if channels < 2:
            raise ValueError(f"RFDN distils half of its channels, at least 2, got {channels}")
        self.scale = scale
        self.head = conv3x3(3, channels)
        self.body = nn.ModuleList(ResidualDistillationBlock(channels) for _ in range(num_blocks))
        self.fusion = nn.Sequential(
            nn.Conv2d(channels * num_blocks, channels, 1),
            nn.LeakyReLU(SLOPE),
            conv3x3(channels, channels),
        )
        self.upsampler = DirectUpsampler(channels, scale)
        self.taps = ("head", *(f"body.{index}" for index in range(num_blocks)), "fusion")
        self.reconstruct_margin = 1

    def extract(self, lr: Tensor) -> Tensor:
        features = shallow = self.head(lr)
        found = []
        for block in self.body:
            features = block(features)
            found.append(features)
        return shallow + self.fusion(torch.cat(found, dim=1))

    def reconstruct(self, features: Tensor, lr: Tensor) -> Tensor:
        return self.upsampler(features)
