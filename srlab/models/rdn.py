"""RDN (Zhang et al., CVPR 2018): dense convolutions, fused within each block and over all."""

import torch
from torch import Tensor, nn

from srlab.models.blocks import PixelShuffleUpsampler, SuperResolver, conv3x3


class ResidualDenseBlock(nn.Module):
    """Each convolution sees the outputs of all before it; their fusion is added to the input."""

    def __init__(self, channels: int, growth: int, num_layers: int) -> None:
        super().__init__()
        widths = [channels + index * growth for index in range(num_layers + 1)]
        self.convs = nn.ModuleList(conv3x3(width, growth) for width in widths[:-1])
        self.fuse = nn.Conv2d(widths[-1], channels, 1)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        seen = x
        for conv in self.convs:
            seen = torch.cat([seen, self.relu(conv(seen))], dim=1)
        return x + self.fuse(seen)


class RDN(SuperResolver):
    """Dense blocks, all of whose outputs are fused at the end, within a skip of features."""

    def __init__(
        self,
        *,
        scale: int = 4,
        channels: int = 64,
        num_blocks: int = 16,
        growth: int = 64,
        num_layers: int = 8,
    ) -> None:
        super().__init__(scale)
        self.head = conv3x3(3, channels)
        self.second = conv3x3(channels, channels)
        self.body = nn.ModuleList(
            ResidualDenseBlock(channels, growth, num_layers) for _ in range(num_blocks)
        )
        self.fusion = nn.Sequential(
            nn.Conv2d(channels * num_blocks, channels, 1), conv3x3(channels, channels)
        )
        self.upsampler = PixelShuffleUpsampler(channels, scale, activation=nn.Identity)
        self.tail = conv3x3(channels, 3)
        blocks = (f"body.{index}" for index in range(num_blocks))
        self.taps = ("head", "second", *blocks, "fusion")

    def extract(self, lr: Tensor) -> Tensor:
        shallow = self.head(lr)
        found, deep = [], self.second(shallow)
        for block in self.body:
            deep = block(deep)
            found.append(deep)
        return shallow + self.fusion(torch.cat(found, dim=1))
