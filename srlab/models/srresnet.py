"""SRResNet without batch normalization (Ledig et al., CVPR 2017), the generator of SRGAN too."""

from torch import Tensor, nn

from srlab.degradations.filters import upsample
from srlab.models.blocks import (
    PixelShuffleUpsampler,
    ResidualBlock,
    SuperResolver,
    conv3x3,
    he_initialization,
)


class SRResNet(SuperResolver):
    """Residual blocks on the LR grid, then pixel-shuffle upsampling.

    `global_residual` adds the bilinearly enlarged input to the output image: the one switch
    that decides whether deep features separate degradations (DDR, Sec. 4.3). `long_skip` adds the
    head's features to the body's, which then end in a convolution, as first published.
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        channels: int = 64,
        num_blocks: int = 16,
        global_residual: bool = True,
        long_skip: bool = False,
    ) -> None:
        super().__init__()
        self.scale, self.global_residual, self.long_skip = scale, global_residual, long_skip
        self.head = nn.Sequential(conv3x3(3, channels), nn.LeakyReLU(0.1))
        blocks = [ResidualBlock(channels) for _ in range(num_blocks)]
        last = [conv3x3(channels, channels)] if long_skip else []
        self.body = nn.Sequential(*blocks, *last)
        self.upsampler = PixelShuffleUpsampler(channels, scale)
        self.tail = nn.Sequential(
            conv3x3(channels, channels), nn.LeakyReLU(0.1), conv3x3(channels, 3)
        )
        self.taps = ("head", *(f"body.{index}" for index in range(len(self.body))))
        he_initialization(self, slope=0.1)
        for block in blocks:  # small residuals keep a deep stack calm
            for conv in (block.conv1, block.conv2):
                conv.weight.data = conv.weight.data * 0.1

    def extract(self, lr: Tensor) -> Tensor:
        shallow = self.head(lr)
        deep = self.body(shallow)
        return shallow + deep if self.long_skip else deep

    def reconstruct(self, features: Tensor, lr: Tensor) -> Tensor:
        sr = self.tail(self.upsampler(features))
        return sr + upsample(lr, self.scale, "bilinear") if self.global_residual else sr
