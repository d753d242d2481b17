"""What IMDN and RFDN share: distilling blocks in a row, all of whose outputs are fused."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from srlab.models.blocks import DirectUpsampler, SuperResolver, conv3x3

SLOPE = 0.05


class DistillationNetwork(SuperResolver):
    """`block(channels)` makes one of its blocks."""

    def __init__(
        self, block: Callable[[int], nn.Module], *, scale: int, channels: int, num_blocks: int
    ) -> None:
        super().__init__(scale)
        self.head = conv3x3(3, channels)
        self.body = nn.ModuleList(block(channels) for _ in range(num_blocks))
        self.fusion = nn.Sequential(
            nn.Conv2d(channels * num_blocks, channels, 1),
            nn.LeakyReLU(SLOPE),
            conv3x3(channels, channels),
        )
        self.upsampler = DirectUpsampler(channels, scale)
        self.taps = ("head", *(f"body.{index}" for index in range(num_blocks)), "fusion")

    def extract(self, lr: Tensor) -> Tensor:
        features = shallow = self.head(lr)
        found = []
        for block in self.body:
            features = block(features)
            found.append(features)
        return shallow + self.fusion(torch.cat(found, dim=1))

    def reconstruct(self, features: Tensor, lr: Tensor) -> Tensor:
        return self.upsampler(features)
