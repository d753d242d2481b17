"""A network after DAN (Luo et al., NeurIPS 2020): restoring and estimating take turns."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from srlab.models.blocks import (
    Modulation,
    PixelShuffleUpsampler,
    ResidualBlock,
    conv3x3,
    he_initialization,
    picture_tail,
)
from srlab.models.degradation_aware import BlindSuperResolver

SLOPE = 0.1


class Estimator(nn.Sequential):
    """(B, C, h, w) → (B, code): strided convolutions, averaged over the picture."""

    def __init__(self, channels: int, width: int, code: int) -> None:
        layers: list[nn.Module] = []
        for before, after in pairwise((channels, width, 2 * width, 2 * width)):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.LeakyReLU(SLOPE)]
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2 * width, code))


class Restorer(nn.Module):
    """Residual blocks, each channel of them scaled and shifted as the code says."""

    def __init__(self, channels: int, num_blocks: int, code: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(ResidualBlock(channels) for _ in range(num_blocks))
        self.modulation = Modulation(code, num_blocks, channels)
        he_initialization(self, slope=SLOPE, calm=self.blocks)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        return self.modulation.through(self.blocks, x, code)


class DAN(BlindSuperResolver):
    """An estimator reads a short code off the restored features, by which they are restored anew.

    Weights are shared by the `iterations`. It learns from the loss on the SR image alone. Unlike
    the published network, it estimates from features on the LR grid and no true kernel is shown
    to it, so that it differs from a one-branch network in the second branch alone.
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        channels: int = 64,
        num_blocks: int = 10,
        estimator_channels: int = 64,
        code: int = 10,
        iterations: int = 4,
        global_residual: bool = True,
    ) -> None:
        super().__init__(scale)
        self.iterations, self.global_residual = iterations, global_residual
        self.head = nn.Sequential(conv3x3(3, channels), nn.LeakyReLU(SLOPE))
        self.estimator = Estimator(2 * channels, estimator_channels, code)
        self.upsampler = PixelShuffleUpsampler(channels, scale)
        self.tail = picture_tail(channels, SLOPE)
        self.taps = ("head", *(f"restorer.blocks.{index}" for index in range(num_blocks)))
        he_initialization(self, slope=SLOPE)
        self.restorer = Restorer(channels, num_blocks, code)

    def represent(self, lr: Tensor) -> Tensor:
        """The last estimate."""
        return self._alternate(lr)[1]

    def extract(self, lr: Tensor) -> Tensor:
        return self._alternate(lr)[0]

    def extract_under(self, lr: Tensor, representation: Tensor) -> Tensor:
        return self.restorer(self.head(lr), representation)

    def _alternate(self, lr: Tensor) -> tuple[Tensor, Tensor]:
        """(features, code) after the last turn."""
        features = shallow = self.head(lr)
        for _ in range(self.iterations):
            code = self.estimator(torch.cat([shallow, features], dim=1))
            features = self.restorer(shallow, code)
        return features, code
