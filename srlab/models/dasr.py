"""DASR (Wang et al., CVPR 2021): degradations told apart by contrast steer a blind network."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from torch import Tensor, nn

from srlab.models.blocks import he_initialization
from srlab.models.degradation_aware import DegradationAwareNetwork

SLOPE = 0.1  # of the leaky rectifiers
STRIDES = (1, 1, 2, 1, 2, 1)  # of the encoder's convolutions


class ContrastiveEncoder(nn.Sequential):
    """(B, 3, h, w) → (B, 4·channels): six convolutions, averaged over the picture."""

    def __init__(self, channels: int) -> None:
        widths = (3, *(channels * factor for factor in (1, 1, 2, 2, 4, 4)))
        layers: list[nn.Module] = []
        for before, after, stride in zip(widths[:-1], widths[1:], STRIDES, strict=True):
            layers += [
                nn.Conv2d(before, after, 3, stride, padding=1),
                nn.BatchNorm2d(after),
                nn.LeakyReLU(SLOPE),
            ]
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        he_initialization(self, slope=SLOPE)


class ContrastHead(nn.Sequential):
    """(B, D) → (B, D): what contrast compares; the generator is fed the representation itself."""

    def __init__(self, width: int) -> None:
        super().__init__(nn.Linear(width, width), nn.LeakyReLU(SLOPE), nn.Linear(width, width))


class DASR(DegradationAwareNetwork):
    """The representation, compressed, steers all groups alike (Sec. 3.2).

    The head that contrast needs is no part of it: `ContrastHead` belongs to the training. `sizes`
    are those of every `DegradationAwareNetwork`.
    """

    activation, slope = staticmethod(partial(nn.LeakyReLU, SLOPE)), SLOPE

    def __init__(self, *, encoder_channels: int = 64, code: int = 64, **sizes: Any) -> None:
        super().__init__(code=code, **sizes)
        self.encoder = ContrastiveEncoder(encoder_channels)
        self.width = 4 * encoder_channels  # of the representation
        self.compress = nn.Sequential(nn.Linear(self.width, code, bias=False), self.activation())

    def group_codes(self, representation: Tensor) -> Sequence[Tensor]:
        return [self.compress(representation)] * (len(self.body) - 1)
