"""The critic of adversarial training."""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class PatchDiscriminator(nn.Sequential):
    """(B, 3, H, W) → (B, 1, h, w) logits "this part is a photograph"; at least 16×16 pixels.

    It judges overlapping patches (Isola et al., CVPR 2017), and spectral normalization bounds how
    steeply (Miyato et al., ICLR 2018). Small batches unsettle the batch normalization of SRGAN's
    own discriminator; this one trains narrow networks calmly. `stride` 1 suits LR images.
    """

    def __init__(self, *, channels: int = 32, stride: int = 2) -> None:
        layers: list[nn.Module] = []
        widths = (3, channels, 2 * channels, 4 * channels)
        shapes = [(*widths, 4, stride) for widths in pairwise(widths)]
        for shape in [*shapes, (widths[-1], widths[-1], 3, 1)]:
            layers += [spectral_norm(nn.Conv2d(*shape, padding=1)), nn.LeakyReLU(0.2)]
        super().__init__(*layers, spectral_norm(nn.Conv2d(widths[-1], 1, 3, padding=1)))

    def forward(self, images: Tensor) -> Tensor:
        if min(images.shape[-2:]) < 16:
            raise ValueError(
                f"the discriminator needs at least 16×16 pixels, got {tuple(images.shape)}"
            )
        return super().forward(images)
