"""SRVGGNetCompact, of Real-ESRGAN (Wang et al., ICCVW 2021): plain convolutions on the LR grid."""

from torch import Tensor, nn
from torch.nn import functional as F

from srlab.models.blocks import DirectUpsampler, SuperResolver, conv3x3


class SRVGG(SuperResolver):
    """Convolutions with learnt rectifiers; the input, its pixels repeated, is added to the output.

    `num_blocks` of them follow the first: 32 in the published general-x4v3, 16 in that for anime.
    """

    def __init__(self, *, scale: int = 4, channels: int = 64, num_blocks: int = 32) -> None:
        super().__init__(scale)
        layers: list[nn.Module] = [conv3x3(3, channels), nn.PReLU(channels)]
        for _ in range(num_blocks):
            layers += [conv3x3(channels, channels), nn.PReLU(channels)]
        self.body = nn.Sequential(*layers)
        self.upsampler = DirectUpsampler(channels, scale)
        self.taps = tuple(f"body.{index}" for index in range(1, len(layers), 2))

    def extract(self, lr: Tensor) -> Tensor:
        return self.body(lr)

    def reconstruct(self, features: Tensor, lr: Tensor) -> Tensor:
        repeated = F.interpolate(lr, scale_factor=self.scale, mode="nearest")
        return self.upsampler(features) + repeated
