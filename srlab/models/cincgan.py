"""CinCGAN (Yuan et al., CVPRW 2018): unpaired blind SR by a cycle in a cycle."""

from torch import Tensor, nn
from torch.nn import functional as F

from srlab.degradations.filters import downsample
from srlab.models.blocks import ResidualBlock, SuperResolver, conv3x3, he_initialization
from srlab.models.srresnet import SRResNet


class CinCGAN(SuperResolver):
    """CinCGAN’s restoring half: `inner` cleans the LR image, `outer` enlarges what it gives.

    Its partners in training (the generators back and the discriminators) are not part of it.
    """

    def __init__(
        self, *, scale: int = 4, channels: int = 64, num_blocks: int = 16, inner_blocks: int = 6
    ) -> None:
        super().__init__(scale)
        self.inner = SRResNet(scale=1, channels=channels, num_blocks=inner_blocks)
        self.outer = SRResNet(scale=scale, channels=channels, num_blocks=num_blocks)
        names = {"inner": self.inner.taps, "outer": self.outer.taps}
        self.taps = tuple(f"{part}.{tap}" for part, taps in names.items() for tap in taps)

    def extract(self, lr: Tensor) -> Tensor:
        """The cleaned LR image (B, 3, h, w)."""
        return self.inner(lr)

    def reconstruct(self, features: Tensor, lr: Tensor) -> Tensor:
        return self.outer(features)


class CycleDegrader(nn.Module):
    """HR (B, 3, scale·h, scale·w) → LR (B, 3, h, w): the outer cycle's way back."""

    def __init__(self, *, scale: int = 4, channels: int = 64, num_blocks: int = 6) -> None:
        super().__init__()
        self.scale = scale
        self.head = conv3x3(3 * scale**2, channels)
        self.body = nn.Sequential(*(ResidualBlock(channels) for _ in range(num_blocks)))
        self.tail = conv3x3(channels, 3)
        he_initialization(self)
        nn.init.zeros_(self.tail.weight)  # begins as the bicubic reduction

    def forward(self, hr: Tensor) -> Tensor:
        features = self.body(self.head(F.pixel_unshuffle(hr, self.scale)))
        return self.tail(features) + downsample(hr, self.scale)
