"""EDSR (Lim et al., CVPRW 2017): residual blocks on the LR grid, one long skip around them."""

from torch import Tensor, nn

from srlab.models.blocks import PixelShuffleUpsampler, ResidualBlock, SuperResolver, conv3x3


class ScaledResidualBlock(ResidualBlock):
    """x + scale · conv(relu(conv(x))): keeps wide networks calm."""

    def __init__(self, channels: int, residual_scale: float) -> None:
        super().__init__(channels)
        self.residual_scale = residual_scale

    def forward(self, x: Tensor) -> Tensor:
        return x + self.residual_scale * self.conv2(self.relu(self.conv1(x)))


class EDSR(SuperResolver):
    """The published baseline; the large one has 256 channels, 32 blocks and `residual_scale` 0.1.

    `centred` takes the mean colour off and puts it back, as the published weights need.
    """

    long_skip = True

    def __init__(
        self,
        *,
        scale: int = 4,
        channels: int = 64,
        num_blocks: int = 16,
        residual_scale: float = 1.0,
        centred: bool = False,
    ) -> None:
        super().__init__(scale)
        self.centred = centred
        blocks = [ScaledResidualBlock(channels, residual_scale) for _ in range(num_blocks)]
        self.head = conv3x3(3, channels)
        self.body = nn.Sequential(*blocks, conv3x3(channels, channels))
        self.upsampler = PixelShuffleUpsampler(channels, scale, activation=nn.Identity)
        self.tail = conv3x3(channels, 3)
