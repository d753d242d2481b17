"""RNAN (Zhang et al., ICLR 2019): blocks that weigh each value by a mask, partly non-local."""

from torch import Tensor, nn

from srlab.models.blocks import (
    NonLocal,
    PixelShuffleUpsampler,
    ResidualBlock,
    SuperResolver,
    conv3x3,
)


class Mask(nn.Module):
    """(B, C, h, w) → weights in (0, 1) of the same shape, seen on a coarser grid as well."""

    def __init__(self, channels: int, *, non_local: bool) -> None:
        super().__init__()
        self.look = NonLocal(channels) if non_local else nn.Identity()
        self.fine = ResidualBlock(channels)
        self.reduce = nn.Conv2d(channels, channels, 3, stride=2, padding=1)
        self.coarse = nn.Sequential(ResidualBlock(channels), ResidualBlock(channels))
        self.enlarge = nn.ConvTranspose2d(channels, channels, 6, stride=2, padding=2)
        self.weigh = nn.Sequential(
            ResidualBlock(channels), nn.Conv2d(channels, channels, 1), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        fine = self.fine(self.look(x))
        coarse = self.enlarge(self.coarse(self.reduce(fine)))
        height, width = x.shape[-2:]
        return self.weigh(fine + coarse[..., :height, :width])


class AttentionBlock(nn.Module):
    """x + mask · trunk between residual blocks."""

    def __init__(self, channels: int, *, non_local: bool = False) -> None:
        super().__init__()
        self.before = ResidualBlock(channels)
        self.trunk = nn.Sequential(ResidualBlock(channels), ResidualBlock(channels))
        self.mask = Mask(channels, non_local=non_local)
        self.after = nn.Sequential(ResidualBlock(channels), ResidualBlock(channels))

    def forward(self, x: Tensor) -> Tensor:
        x = self.before(x)
        return self.after(x + self.mask(x) * self.trunk(x))


class RNAN(SuperResolver):
    """`num_blocks` local blocks between two non-local ones, within a skip of features."""

    long_skip = True

    def __init__(self, *, scale: int = 4, channels: int = 64, num_blocks: int = 8) -> None:
        super().__init__(scale)
        self.head = conv3x3(3, channels)
        local = [AttentionBlock(channels) for _ in range(num_blocks)]
        first, last = (AttentionBlock(channels, non_local=True) for _ in range(2))
        self.body = nn.Sequential(first, *local, last)
        self.upsampler = PixelShuffleUpsampler(channels, scale, activation=nn.Identity)
        self.tail = conv3x3(channels, 3)
