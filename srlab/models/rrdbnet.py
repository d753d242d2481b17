"""RRDBNet (Wang et al., ECCVW 2018), the generator of ESRGAN: dense blocks within residuals."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.models.blocks import (
    SuperResolver,
    conv3x3,
    he_initialization,
    mirrored,
    picture_tail,
    upsampling_stages,
)

SLOPE, SHARE = 0.2, 0.2  # SHARE of each residual is added


class DenseBlock(nn.Module):
    """Five convolutions, each of which sees the outputs of all before it."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        widths = [channels + index * growth for index in range(5)]
        self.convs = nn.ModuleList(
            conv3x3(width, channels if index == 4 else growth) for index, width in enumerate(widths)
        )
        self.activation = nn.LeakyReLU(SLOPE)

    def forward(self, x: Tensor) -> Tensor:
        *growing, last = self.convs
        seen = x
        for conv in growing:
            seen = torch.cat([seen, self.activation(conv(seen))], dim=1)
        return x + SHARE * last(seen)


class ResidualInResidual(nn.Module):
    """Three dense blocks and a skip around them."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*(DenseBlock(channels, growth) for _ in range(3)))

    def forward(self, x: Tensor) -> Tensor:
        return x + SHARE * self.body(x)


class RRDBNet(SuperResolver):
    """Dense blocks with a long skip, enlargement by repeated pixels.

    With `folded` = 2 each square of 2×2 pixels enters as one of more channels, and is enlarged by
    so much more: Real-ESRGAN at ×2. The picture is mirrored up to whole squares and cut back.
    """

    long_skip = True

    def __init__(
        self,
        *,
        scale: int = 4,
        channels: int = 64,
        num_blocks: int = 23,
        growth: int = 32,
        folded: int = 1,
    ) -> None:
        super().__init__(scale)
        self.folded = folded
        self.head = conv3x3(3 * folded**2, channels)
        blocks = [ResidualInResidual(channels, growth) for _ in range(num_blocks)]
        self.body = nn.Sequential(*blocks, conv3x3(channels, channels))
        stages: list[nn.Module] = []
        for factor in upsampling_stages(scale * folded):
            enlarge = nn.Upsample(scale_factor=factor, mode="nearest")
            stages += [enlarge, conv3x3(channels, channels), nn.LeakyReLU(SLOPE)]
        self.upsampler = nn.Sequential(*stages)
        self.tail = picture_tail(channels, SLOPE)
        he_initialization(self, slope=SLOPE, calm=blocks)  # as published

    def extract(self, lr: Tensor) -> Tensor:
        return super().extract(F.pixel_unshuffle(mirrored(lr, self.folded), self.folded))

    def reconstruct(self, features: Tensor, lr: Tensor) -> Tensor:
        height, width = lr.shape[-2:]
        sr = super().reconstruct(features, lr)
        return sr[..., : self.scale * height, : self.scale * width]
