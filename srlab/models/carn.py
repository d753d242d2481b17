"""CARN (Ahn et al., ECCV 2018): residual blocks that cascade, within a block and between blocks."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from srlab.models.blocks import PixelShuffleUpsampler, SuperResolver, conv3x3

STEPS = 3  # of every cascade


class Residual(nn.Module):
    """relu(x + body(x)): two convolutions; where they are in groups, a 1×1 one mixes these."""

    def __init__(self, channels: int, groups: int, *, mixed: bool) -> None:
        super().__init__()
        one, two = (nn.Conv2d(channels, channels, 3, padding=1, groups=groups) for _ in range(2))
        self.body = nn.Sequential(one, nn.ReLU(), two)
        if mixed:
            self.body.extend([nn.ReLU(), nn.Conv2d(channels, channels, 1)])
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(x + self.body(x))


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

    centred = True

    def __init__(
        self, *, scale: int = 4, channels: int = 64, groups: int = 1, recursive: bool = False
    ) -> None:
        super().__init__(scale)
        if groups > 1 and not recursive:
            raise ValueError("CARN has groups only where its blocks are shared: recursive=True")
        residual = partial(Residual, channels, groups, mixed=recursive)
        self.head = conv3x3(3, channels)
        self.body = Cascade(channels, lambda: Cascade(channels, residual, shared=recursive))
        self.upsampler = PixelShuffleUpsampler(channels, scale, groups=groups, activation=nn.ReLU)
        self.tail = conv3x3(channels, 3)
        self.taps = ("head", *(f"body.fusions.{step}" for step in range(STEPS)))
