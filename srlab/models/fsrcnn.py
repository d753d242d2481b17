"""FSRCNN (Dong et al., ECCV 2016): a thin network on the LR grid and one transposed convolution."""

from torch import Tensor, nn

from srlab.models.blocks import SuperResolver, conv3x3, he_initialization


class FSRCNN(SuperResolver):
    """FSRCNN(d, s, m): `channels` d, `mapping_channels` s, `num_blocks` m 3×3 mapping layers."""

    def __init__(
        self, *, scale: int = 4, channels: int = 56, mapping_channels: int = 12, num_blocks: int = 4
    ) -> None:
        super().__init__()
        self.scale = scale
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
        self.taps = ("head", *(f"body.{index}" for index in range(num_blocks + 2)))
        he_initialization(self, slope=0.25)
        nn.init.normal_(self.tail.weight, std=1e-3)

    def reconstruct(self, features: Tensor, lr: Tensor) -> Tensor:
        return self.tail(features)
