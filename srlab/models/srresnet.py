"""SRResNet without batch normalization (Ledig et al., CVPR 2017), the generator of SRGAN too."""

from torch import nn

from srlab.models.blocks import (
    PixelShuffleUpsampler,
    ResidualBlock,
    SuperResolver,
    conv3x3,
    he_initialization,
    picture_tail,
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
        super().__init__(scale)
        self.global_residual, self.long_skip = global_residual, long_skip
        self.head = nn.Sequential(conv3x3(3, channels), nn.LeakyReLU(0.1))
        blocks = [ResidualBlock(channels) for _ in range(num_blocks)]
        last = [conv3x3(channels, channels)] if long_skip else []
        self.body = nn.Sequential(*blocks, *last)
        self.upsampler = PixelShuffleUpsampler(channels, scale)
        self.tail = picture_tail(channels)
        he_initialization(self, slope=0.1, calm=blocks)
