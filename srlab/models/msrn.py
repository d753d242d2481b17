"""MSRN (Li et al., ECCV 2018): 3×3 and 5×5 convolutions side by side, crossed once."""

import torch
from torch import Tensor, nn

from srlab.models.blocks import PixelShuffleUpsampler, SuperResolver, conv3x3


class MultiScaleBlock(nn.Module):
    """Two rows of a 3×3 beside a 5×5 convolution; the second row sees both of the first."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.narrow = nn.ModuleList(conv3x3(width, width) for width in (channels, 2 * channels))
        self.wide = nn.ModuleList(
            nn.Conv2d(width, width, 5, padding=2) for width in (channels, 2 * channels)
        )
        self.relu = nn.ReLU()
        self.fuse = nn.Conv2d(4 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        seen = x
        for narrow, wide in zip(self.narrow, self.wide, strict=True):
            seen = torch.cat([self.relu(narrow(seen)), self.relu(wide(seen))], dim=1)
        return x + self.fuse(seen)


class MSRN(SuperResolver):
    """Multi-scale blocks, the outputs of all of which are fused at the end."""

    def __init__(self, *, scale: int = 4, channels: int = 64, num_blocks: int = 8) -> None:
        super().__init__(scale)
        self.head = conv3x3(3, channels)
        self.body = nn.ModuleList(MultiScaleBlock(channels) for _ in range(num_blocks))
        self.fusion = nn.Sequential(
            nn.Conv2d(channels * (num_blocks + 1), channels, 1), conv3x3(channels, channels)
        )
        self.upsampler = PixelShuffleUpsampler(channels, scale, activation=nn.Identity)
        self.tail = conv3x3(channels, 3)
        self.taps = ("head", *(f"body.{index}" for index in range(num_blocks)), "fusion")

    def extract(self, lr: Tensor) -> Tensor:
        found = [self.head(lr)]
        for block in self.body:
            found.append(block(found[-1]))
        return self.fusion(torch.cat(found, dim=1))
