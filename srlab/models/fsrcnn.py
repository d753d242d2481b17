"""FSRCNN (Dong et al., ECCV 2016): a thin network on the LR grid and one transposed convolution."""

from torch import Tensor, nn
from torch.nn import functional as F

from srlab.models.blocks import SuperResolver, conv3x3, he_initialization

# Luma and chroma in [0, 1], grey at 0.5, as JPEG has them (ITU-R BT.601, full range)
TO_YCBCR = (
    (0.299, 0.587, 0.114),
    (-0.168736, -0.331264, 0.5),
    (0.5, -0.418688, -0.081312),
)
TO_RGB = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))
GREY = (0.0, 128 / 255, 128 / 255)


class FSRCNN(SuperResolver):
    """FSRCNN(d, s, m): `channels` d, `mapping_channels` s, `num_blocks` m 3×3 mapping layers.

    With `colour` "ycbcr" it works on luma and chroma; images are RGB all the same.
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        channels: int = 56,
        mapping_channels: int = 12,
        num_blocks: int = 4,
        colour: str = "rgb",
    ) -> None:
        if colour not in ("rgb", "ycbcr"):
            raise ValueError(f'colour is "rgb" or "ycbcr", got {colour!r}')
        super().__init__(scale)
        self.colour = colour
        self.head = nn.Sequential(nn.Conv2d(3, channels, 5, padding=2), nn.PReLU(channels))
        shrink = nn.Sequential(nn.Conv2d(channels, mapping_channels, 1), nn.PReLU(mapping_channels))
        mapping = [
            nn.Sequential(conv3x3(mapping_channels, mapping_channels), nn.PReLU(mapping_channels))
            for _ in range(num_blocks)
        ]
        expand = nn.Sequential(nn.Conv2d(mapping_channels, channels, 1), nn.PReLU(channels))
        self.body = nn.Sequential(shrink, *mapping, expand)
        self.tail = nn.ConvTranspose2d(
            channels, 3, 9, stride=scale, padding=4, output_padding=scale - 1
        )
        he_initialization(self, slope=0.25)
        nn.init.normal_(self.tail.weight, std=1e-3)

    def extract(self, lr: Tensor) -> Tensor:
        return self.body(self.head(to_ycbcr(lr) if self.colour == "ycbcr" else lr))

    def reconstruct(self, features: Tensor, lr: Tensor) -> Tensor:
        sr = self.tail(features)
        return from_ycbcr(sr) if self.colour == "ycbcr" else sr


def to_ycbcr(images: Tensor) -> Tensor:
    """RGB (B, 3, H, W) as luma and chroma."""
    return F.conv2d(images, _pointwise(images, TO_YCBCR), images.new_tensor(GREY))


def from_ycbcr(images: Tensor) -> Tensor:
    """And back."""
    grey = images.new_tensor(GREY)[:, None, None]
    return F.conv2d(images - grey, _pointwise(images, TO_RGB))


def _pointwise(images: Tensor, matrix: tuple[tuple[float, ...], ...]) -> Tensor:
    return images.new_tensor(matrix)[:, :, None, None]
