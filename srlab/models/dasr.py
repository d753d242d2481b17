"""DASR (Wang et al., CVPR 2021): degradations told apart by contrast steer a blind network."""

from collections.abc import Sequence
from functools import partial

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
        self.width = widths[-1]
        he_initialization(self, slope=SLOPE)


class ContrastHead(nn.Sequential):
    """(B, D) → (B, D): what contrast compares; the generator is fed the representation itself."""

    def __init__(self, width: int) -> None:
        super().__init__(nn.Linear(width, width), nn.LeakyReLU(SLOPE), nn.Linear(width, width))


class DASR(DegradationAwareNetwork):
    """The representation, compressed, steers all groups alike (Sec. 3.2).

    The head that contrast needs is no part of it: `ContrastHead` belongs to the training.
    `global_residual` adds the bilinearly enlarged input in place of the mean colour.
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        channels: int = 64,
        num_groups: int = 5,
        num_blocks: int = 5,
        encoder_channels: int = 64,
        code: int = 64,
        reduction: int = 8,
        tail_layers: int = 1,
        global_residual: bool = False,
    ) -> None:
        super().__init__(
            scale=scale,
            channels=channels,
            num_groups=num_groups,
            num_blocks=num_blocks,
            code=code,
            reduction=reduction,
            tail_layers=tail_layers,
            global_residual=global_residual,
            activation=partial(nn.LeakyReLU, SLOPE),
            slope=SLOPE,
        )
        self.encoder = encoder = ContrastiveEncoder(encoder_channels)
        self.width = encoder.width  # of the representation
        self.compress = nn.Sequential(
            nn.Linear(encoder.width, code, bias=False), nn.LeakyReLU(SLOPE)
        )

    def group_codes(self, representation: Tensor) -> Sequence[Tensor]:
        return [self.compress(representation)] * (len(self.body) - 1)
