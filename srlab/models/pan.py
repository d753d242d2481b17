"""PAN (Zhao et al., ECCVW 2020): every pixel of a feature is weighed by itself."""

import torch
from torch import Tensor, nn

from srlab.models.blocks import SuperResolver, conv3x3, upsampling_stages

SLOPE = 0.2


class PixelAttention(nn.Module):
    """x · sigmoid(gate(x)), where the gate mixes the channels of one pixel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gate = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gate(x).sigmoid()


class AttendedConvolution(nn.Module):
    """after(before(x) · sigmoid(gate(x)))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gate = nn.Conv2d(channels, channels, 1)
        self.before = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.after = nn.Conv2d(channels, channels, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.before(x) * self.gate(x).sigmoid())


class SelfCalibratedBlock(nn.Module):
    """Half of the channels goes the plain way, half the attended one."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.plain = nn.Sequential(
            nn.Conv2d(channels, half, 1, bias=False),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(half, half, 3, padding=1, bias=False),
            nn.LeakyReLU(SLOPE),
        )
        self.attended = nn.Sequential(
            nn.Conv2d(channels, half, 1, bias=False),
            nn.LeakyReLU(SLOPE),
            AttendedConvolution(half),
            nn.LeakyReLU(SLOPE),
        )
        self.merge = nn.Conv2d(2 * half, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.merge(torch.cat([self.plain(x), self.attended(x)], dim=1))


class PAN(SuperResolver):
    """Self-calibrated blocks, enlargement by repeated pixels, bilinear global residual."""

    long_skip = global_residual = True

    def __init__(
        self,
        *,
        scale: int = 4,
        channels: int = 40,
        upsampler_channels: int = 24,
        num_blocks: int = 16,
    ) -> None:
        super().__init__(scale)
        if channels < 2:
            raise ValueError(f"PAN halves its channels, at least 2, got {channels}")
        self.head = conv3x3(3, channels)
        blocks = [SelfCalibratedBlock(channels) for _ in range(num_blocks)]
        self.body = nn.Sequential(*blocks, conv3x3(channels, channels))
        self.upsampler = nn.Sequential()
        for factor in upsampling_stages(scale):
            self.upsampler.append(_stage(channels, upsampler_channels, factor))
            channels = upsampler_channels
        self.tail = conv3x3(channels, 3)


def _stage(before: int, after: int, factor: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Upsample(scale_factor=factor, mode="nearest"),
        conv3x3(before, after),
        PixelAttention(after),
        nn.LeakyReLU(SLOPE),
        conv3x3(after, after),
        nn.LeakyReLU(SLOPE),
    )
