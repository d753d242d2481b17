"""SRResNet as first published, with batch normalization: SRGAN's generator (Ledig et al., 2017)."""

from torch import Tensor, nn

from srlab.models.blocks import PixelShuffleUpsampler, SuperResolver, conv3x3, he_initialization


class NormalizedBlock(nn.Module):
    """x + norm(conv(prelu(norm(conv(x)))))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = conv3x3(channels, channels)
        self.norm1 = nn.BatchNorm2d(channels)
        self.activation = nn.PReLU()
        self.conv2 = conv3x3(channels, channels)
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.norm2(self.conv2(self.activation(self.norm1(self.conv1(x)))))


class SRResNetBN(SuperResolver):
    """Normalized blocks within a skip of features, no global residual.

    `closing` is what follows the body's last convolution: "norm" as published, or "prelu". A
    `bounded` network's answer is (tanh + 1) / 2, which stays in [0, 1].
    """

    long_skip = True

    def __init__(
        self,
        *,
        scale: int = 4,
        channels: int = 64,
        num_blocks: int = 16,
        closing: str = "norm",
        bounded: bool = False,
    ) -> None:
        closings = {"norm": nn.BatchNorm2d(channels), "prelu": nn.PReLU()}
        if closing not in closings:
            raise ValueError(f'closing is "norm" or "prelu", got {closing!r}')
        super().__init__(scale)
        self.bounded = bounded
        self.head = nn.Sequential(nn.Conv2d(3, channels, 9, padding=4), nn.PReLU())
        blocks = [NormalizedBlock(channels) for _ in range(num_blocks)]
        last = nn.Sequential(conv3x3(channels, channels), closings[closing])
        self.body = nn.Sequential(*blocks, last)
        self.upsampler = PixelShuffleUpsampler(channels, scale, activation=nn.PReLU)
        self.tail = nn.Conv2d(channels, 3, 9, padding=4)
        he_initialization(self, slope=0.25)

    def reconstruct(self, features: Tensor, lr: Tensor) -> Tensor:
        sr = super().reconstruct(features, lr)
        return (sr.tanh() + 1) / 2 if self.bounded else sr
