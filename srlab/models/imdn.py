"""IMDN (Hui et al., ACM MM 2019): features are distilled step by step, the rest goes on."""

import torch
from torch import Tensor, nn

from srlab.models.blocks import ChannelAttention, conv3x3
from srlab.models.distillation import SLOPE, DistillationNetwork


def contrast(x: Tensor) -> Tensor:
    """(B, C, h, w) → (B, C, 1, 1): mean plus standard deviation over the picture."""
    mean = x.mean(dim=(2, 3), keepdim=True)
    variance = (x - mean).square().mean(dim=(2, 3), keepdim=True)
    return (variance + 1e-12).sqrt() + mean  # a flat picture has a gradient, too


class DistillationBlock(nn.Module):
    """Four convolutions; each keeps a quarter of its channels and hands on the others."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.kept = channels // 4
        self.passed = channels - self.kept
        widths = (channels, self.passed, self.passed)
        self.convs = nn.ModuleList(conv3x3(width, channels) for width in widths)
        self.convs.append(conv3x3(self.passed, self.kept))
        self.activation = nn.LeakyReLU(SLOPE)
        self.attention = ChannelAttention(4 * self.kept, 16, contrast)
        self.fuse = nn.Conv2d(4 * self.kept, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        *refining, last = self.convs
        passed, distilled = x, []
        for conv in refining:
            kept, passed = self.activation(conv(passed)).split([self.kept, self.passed], dim=1)
            distilled.append(kept)
        distilled.append(last(passed))
        return x + self.fuse(self.attention(torch.cat(distilled, dim=1)))


class IMDN(DistillationNetwork):
    """Blocks in a row, all of whose outputs are fused at the end."""

    def __init__(self, *, scale: int = 4, channels: int = 64, num_blocks: int = 6) -> None:
        if channels < 4:
            raise ValueError(f"IMDN keeps a quarter of its channels, at least 4, got {channels}")
        super().__init__(DistillationBlock, scale=scale, channels=channels, num_blocks=num_blocks)
