"""DRLN (Anwar and Barnes, TPAMI 2020): dense residual units, and blocks of them that cascade."""

import torch
from torch import Tensor, nn

from srlab.models.blocks import ChannelAttention, PixelShuffleUpsampler, SuperResolver, conv3x3
from srlab.models.carn import Residual

REDUCTION = 5  # 64 channels are weighed by way of 12


def _mean(x: Tensor) -> Tensor:
    return x.mean(dim=(2, 3), keepdim=True)


class DenseResidualBlock(nn.Module):
    """Three residual units, each as wide as all that it sees, fused and weighed by channel.

    The published "Laplacian" attention has three dilated 3×3 convolutions on the channels' means,
    a map of one pixel, which meets no weight but the middle ones: 1×1 convolutions do as much.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.units = nn.ModuleList(Residual(channels * 2**k, 1, mixed=False) for k in range(3))
        self.fuse = nn.Sequential(nn.Conv2d(8 * channels, channels, 1), nn.ReLU())
        self.attention = ChannelAttention(channels, REDUCTION, _mean)

    def forward(self, x: Tensor) -> Tensor:
        for unit in self.units:
            x = torch.cat([x, unit(x)], dim=1)
        return self.attention(self.fuse(x))


class CascadingGroup(nn.Module):
    """x + the last of its blocks, each of which is fed the fusion of all before it."""

    def __init__(self, channels: int, num_blocks: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(DenseResidualBlock(channels) for _ in range(num_blocks))
        self.fusions = nn.ModuleList(
            nn.Sequential(conv3x3(channels * (index + 2), channels), nn.ReLU())
            for index in range(num_blocks)
        )

    def forward(self, x: Tensor) -> Tensor:
        seen, fused = x, x
        for block, fusion in zip(self.blocks, self.fusions, strict=True):
            seen = torch.cat([seen, block(fused)], dim=1)
            fused = fusion(seen)
        return x + fused


class DRLN(SuperResolver):
    """Cascading groups within a long skip; the published network has six, of 20 blocks in all."""

    long_skip = True

    def __init__(
        self, *, scale: int = 4, channels: int = 64, num_groups: int = 6, num_blocks: int = 3
    ) -> None:
        super().__init__(scale)
        self.head = conv3x3(3, channels)
        self.body = nn.Sequential(
            *(CascadingGroup(channels, num_blocks) for _ in range(num_groups))
        )
        self.upsampler = PixelShuffleUpsampler(channels, scale, activation=nn.ReLU)
        self.tail = conv3x3(channels, 3)
