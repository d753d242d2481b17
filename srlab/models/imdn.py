"""IMDN (Hui et al., ACM MM 2019): features are distilled step by step, the rest goes on."""

import torch
from torch import Tensor, nn

from srlab.models.blocks import DirectUpsampler, SuperResolver, conv3x3

SLOPE = 0.05


class ContrastAttention(nn.Module):
    """Channels weighed by their mean plus standard deviation over the picture."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        narrow = max(channels // reduction, 1)
        self.excite = nn.Sequential(
            nn.Conv2d(channels, narrow, 1), nn.ReLU(), nn.Conv2d(narrow, channels, 1), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean(dim=(2, 3), keepdim=True)
        variance = (x - mean).square().mean(dim=(2, 3), keepdim=True)
        contrast = (variance + 1e-12).sqrt()  # a flat picture has a gradient, too
        return x * self.excite(contrast + mean)


class DistillationBlock(nn.Module):
    """Four convolutions; each keeps a quarter of its channels and hands on the others."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.kept = channels // 4
        self.passed = channels - self.kept
        self.convs = nn.ModuleList(
            [
                conv3x3(channels, channels),
                conv3x3(self.passed, channels),
                conv3x3(self.passed, channels),
                conv3x3(self.passed, self.kept),
            ]
        )
        self.activation = nn.LeakyReLU(SLOPE)
        self.attention = ContrastAttention(4 * self.kept)
        self.fuse = nn.Conv2d(4 * self.kept, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        *refining, last = self.convs
        passed, distilled = x, []
        for conv in refining:
            kept, passed = self.activation(conv(passed)).split([self.kept, self.passed], dim=1)
            distilled.append(kept)
        distilled.append(last(passed))
        return x + self.fuse(self.attention(torch.cat(distilled, dim=1)))


class IMDN(SuperResolver):
    """Blocks in a row, all of whose outputs are fused at the end."""

    def __init__(self, *, scale: int = 4, channels: int = 64, num_blocks: int = 6) -> None:
        super().__init__()
        if channels < 4:
            raise ValueError(f"IMDN keeps a quarter of its channels, at least 4, got {channels}")
        self.scale = scale
        self.head = conv3x3(3, channels)
        self.body = nn.ModuleList(DistillationBlock(channels) for _ in range(num_blocks))
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
