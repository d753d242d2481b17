"""Residual channel attention (RCAN, Zhang et al., ECCV 2018): one backbone, two tails.

DDR (Sec. A.10) trains the same body once to super-resolve and once to classify, to ask whether
the task or the structure decides what deep features mean.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from srlab.models.blocks import (
    PixelShuffleUpsampler,
    Skip,
    SuperResolver,
    conv3x3,
    gate,
    he_initialization,
    picture_tail,
)

PICTURE = 32  # pixels across a picture of CIFAR-10
POOLED = 2**3  # … that three poolings of 2 in a row make one of


class ChannelAttentionBlock(nn.Module):
    """x + a(x) · r(x): a residual whose channels are weighed by their means over the picture."""

    def __init__(self, channels: int, reduction: int = 4) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            conv3x3(channels, channels), nn.ReLU(), conv3x3(channels, channels)
        )
        self.attention = nn.Sequential(nn.AdaptiveAvgPool2d(1), *gate(channels, reduction))

    def forward(self, x: Tensor) -> Tensor:
        residual = self.residual(x)
        return x + self.attention(residual) * residual


def _backbone(channels: int, num_blocks: int, num_groups: int = 0) -> tuple[nn.Module, nn.Module]:
    """(head, body): what the super-resolver and the classifier share."""
    head = nn.Sequential(conv3x3(3, channels), nn.LeakyReLU(0.1))

    def blocks() -> list[nn.Module]:
        return [ChannelAttentionBlock(channels) for _ in range(num_blocks)]

    groups = [Skip(*blocks(), conv3x3(channels, channels)) for _ in range(num_groups)]
    return head, nn.Sequential(*(*groups, conv3x3(channels, channels)) if groups else blocks())


def _initialize(network: nn.Module) -> None:
    """As SRResNet does."""
    blocks = [part for part in network.modules() if isinstance(part, ChannelAttentionBlock)]
    he_initialization(network, slope=0.1, calm=(block.residual for block in blocks))


class RCAN(SuperResolver):
    """Channel attention on the LR grid, then pixel-shuffle upsampling.

    Without `num_groups`, `num_blocks` blocks in a row; the published network has 10 groups of 20
    blocks, a long skip around them, which comes with the groups, and no global residual.
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        channels: int = 64,
        num_blocks: int = 16,
        num_groups: int | None = None,
        global_residual: bool = True,
    ) -> None:
        super().__init__(scale)
        self.global_residual, self.long_skip = global_residual, num_groups is not None
        self.head, self.body = _backbone(channels, num_blocks, num_groups or 0)
        self.upsampler = PixelShuffleUpsampler(channels, scale)
        self.tail = picture_tail(channels)
        _initialize(self)


class RCANClassifier(nn.Module):
    """RCAN's backbone with a classification tail: (B, 3, h, w) in [0, 1] → (B, num_classes).

    The tail is a fully connected layer on the features' means over the picture, or, with
    `max_pooling`, on what three max-poolings leave of a 32×32 picture (DDR, Sec. A.10).
    """

    def __init__(
        self,
        *,
        num_classes: int = 10,
        channels: int = 64,
        num_blocks: int = 16,
        max_pooling: bool = False,
    ) -> None:
        super().__init__()
        self.max_pooling = max_pooling
        self.head, self.body = _backbone(channels, num_blocks)
        self.taps = ("head", *(f"body.{index}" for index in range(num_blocks)))
        pixels = (PICTURE // POOLED) ** 2 if max_pooling else 1
        self.tail = nn.Linear(channels * pixels, num_classes)
        _initialize(self)

    def forward(self, images: Tensor) -> Tensor:
        if self.max_pooling and images.shape[-2:] != (PICTURE, PICTURE):
            raise ValueError(
                f"with max_pooling RCANClassifier takes {PICTURE}×{PICTURE} pixels, "
                f"got {tuple(images.shape)}"
            )
        deep = self.body(self.head(images))
        pooled = F.max_pool2d(deep, POOLED).flatten(1) if self.max_pooling else deep.mean((2, 3))
        return self.tail(pooled)
