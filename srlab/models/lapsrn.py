"""LapSRN (Lai et al., CVPR 2017): a pyramid, whose every level adds detail to a larger picture."""

from torch import Tensor, nn

from srlab.degradations.filters import upsample
from srlab.models.blocks import SuperResolver, conv3x3, he_initialization, upsampling_stages

SLOPE = 0.2


def _convolutions(channels: int, num_layers: int) -> nn.Sequential:
    rows = (
        nn.Sequential(conv3x3(channels, channels), nn.LeakyReLU(SLOPE)) for _ in range(num_layers)
    )
    return nn.Sequential(*rows)


def _enlargement(channels: int, factor: int) -> nn.Sequential:
    """(B, C, h, w) → (B, C, factor·h, factor·w)."""
    spread = nn.ConvTranspose2d(channels, channels, factor + 2, stride=factor, padding=1)
    return nn.Sequential(spread, nn.LeakyReLU(SLOPE))


class LapSRN(SuperResolver):
    """Convolutions and an enlargement of the features for each factor of 2.

    Published for luma, with a learned enlargement of the picture, and trained on the pictures of
    all levels. Here RGB, bilinear enlargement, and the training of all networks.
    """

    def __init__(self, *, scale: int = 4, channels: int = 64, num_layers: int = 10) -> None:
        super().__init__(scale)
        self.factors = upsampling_stages(scale)
        if not self.factors:
            raise ValueError(f"LapSRN enlarges: its scale is 2 at least, got {scale}")
        self.head = nn.Sequential(conv3x3(3, channels), nn.LeakyReLU(SLOPE))
        self.body = nn.ModuleList(_convolutions(channels, num_layers) for _ in self.factors)
        self.upsampler = nn.ModuleList(_enlargement(channels, factor) for factor in self.factors)
        self.tails = nn.ModuleList(conv3x3(channels, 3) for _ in self.factors)
        he_initialization(self, slope=SLOPE, calm=self.tails)

    def extract(self, lr: Tensor) -> Tensor:
        return self.body[0](self.head(lr))

    def reconstruct(self, features: Tensor, lr: Tensor) -> Tensor:
        picture = lr
        for level, factor in enumerate(self.factors):
            embedded = self.body[level](features) if level else features
            features = self.upsampler[level](embedded)
            picture = upsample(picture, factor, "bilinear") + self.tails[level](features)
        return picture
