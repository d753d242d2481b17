"""CARN (Ahn et al., ECCV 2018): residual blocks that cascade, within a block and between blocks."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from srlab.models.blocks import PixelShuffleUpsampler, SuperResolver, conv3x3, mean_colour

STEPS = 3  # of every cascade


class Residual(nn.Module):
    """relu(x + body(x))."""

    def __init__(self, *body: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*body)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(x + self.body(x))


def plain_residual(channels: int) -> Residual:
    """Two convolutions."""
    return Residual(conv3x3(channels, channels), nn.ReLU(), conv3x3(channels, channels))


def efficient_residual(channels: int, groups: int) -> Residual:
    """Two convolutions in groups, which a 1×1 convolution mixes."""
    one, two = (nn.Conv2d(channels, channels, 3, padding=1, groups=groups) for _ in range(2))
    return Residual(one, nn.ReLU(), two, nn.ReLU(), nn.Conv2d(channels, channels, 1))


class Cascade(nn.Module):
    """Each step sees the outputs of all before it; with `shared`, the steps are one module."""

    def __init__(
        self, channels: int, unit: Callable[[], nn.Module], *, shared: bool = False
    ) -> None:
        super().__init__()
        self.units = nn.ModuleList(unit() for _ in range(1 if shared else STEPS))
        self.fusions = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels * (step + 2), channels, 1), nn.ReLU())
            for step in range(STEPS)
        )

    def forward(self, x: Tensor) -> Tensor:
        seen = x
        for step, fusion in enumerate(self.fusions):
            unit = self.units[step % len(self.units)]
            seen = torch.cat([seen, unit(x)], dim=1)
            x = fusion(seen)
        return x


class CARN(SuperResolver):
    """Three cascading blocks of three; CARN-M is `groups=4, recursive=True`."""

    def __init__(
        self, *, scale: int = 4, channels: int = 64, groups: int = 1, recursive: bool = False
    ) -> None:
        super().__init__()
        self.scale = scale

        def residual() -> nn.Module:
            return efficient_residual(channels, groups) if recursive else plain_residual(channels)

        if groups > 1 and not recursive:
            raise ValueError("CARN has groups only where its blocks are shared: recursive=True")
        self.head = conv3x3(3, channels)
        self.body = Cascade(channels, lambda: Cascade(channels, residual, shared=recursive))
        self.upsampler = PixelShuffleUpsampler(channels, scale, groups=groups, activation=nn.ReLU)
        self.tail = conv3x3(channels, 3)
        self.taps = ("head", *(f"body.fusions.{step}" for step in range(STEPS)))

    def extract(self, lr: Tensor) -> Tensor:
        return self.body(self.head(lr - mean_colour(lr)))

    def reconstruct(self, features: Tensor, lr: Tensor) -> Tensor:
        return self.tail(self.upsampler(features)) + mean_colour(lr)
