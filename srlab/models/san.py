"""SAN (Dai et al., CVPR 2019): second-order channel attention and non-local blocks."""

import torch
from torch import Tensor, nn

from srlab.models.blocks import (
    ChannelAttention,
    NonLocal,
    PixelShuffleUpsampler,
    ResidualBlock,
    Skip,
    SuperResolver,
    conv3x3,
    look_around,
)

ITERATIONS = 5  # of Newton and Schulz
RIDGE = 1e-6  # on the covariances' diagonal: a flat picture has a root, and a gradient, too


def matrix_root(matrices: Tensor, iterations: int = ITERATIONS) -> Tensor:
    """Square roots of symmetric positive matrices (B, C, C), by coupled Newton–Schulz steps."""
    trace = matrices.diagonal(dim1=1, dim2=2).sum(dim=1)[:, None, None]
    identity = torch.eye(matrices.shape[-1], dtype=matrices.dtype, device=matrices.device)
    root, inverse = matrices / trace, identity.expand_as(matrices)
    for _ in range(iterations):
        step = (3 * identity - inverse @ root) / 2
        root, inverse = root @ step, step @ inverse
    return root * trace.sqrt()


def second_order(x: Tensor) -> Tensor:
    """(B, C, h, w) → (B, C, 1, 1): means over the root of the channels' covariance."""
    with torch.autocast(x.device.type, enabled=False):  # roots need their digits
        wide = x.to(torch.promote_types(x.dtype, torch.float32)).flatten(2)
        centred = wide - wide.mean(dim=2, keepdim=True)
        ridge = RIDGE * torch.eye(wide.shape[1], dtype=wide.dtype, device=wide.device)
        covariance = centred @ centred.mT / wide.shape[2] + ridge
        return matrix_root(covariance).mean(dim=2)[:, :, None, None].to(x.dtype)


class RegionNonLocal(NonLocal):
    """Each position adds what it finds alike, anywhere in its quarter of the picture."""

    def forward(self, x: Tensor) -> Tensor:
        parts = torch.stack([self.query(x), self.key(x), self.value(x)])
        rows = [
            torch.cat([look_around(*part) for part in row.tensor_split(2, dim=4)], dim=3)
            for row in parts.tensor_split(2, dim=3)
        ]
        return x + self.expand(torch.cat(rows, dim=2))


def second_order_group(channels: int, num_blocks: int, reduction: int) -> Skip:
    """Residual blocks and second-order attention, with a skip around them."""
    blocks = [ResidualBlock(channels) for _ in range(num_blocks)]
    attention = ChannelAttention(channels, reduction, second_order)
    return Skip(*blocks, attention, conv3x3(channels, channels))


class SAN(SuperResolver):
    """Groups between two non-local blocks; every group is fed the shallow features, too."""

    def __init__(
        self,
        *,
        scale: int = 4,
        channels: int = 64,
        num_groups: int = 20,
        num_blocks: int = 10,
        reduction: int = 16,
    ) -> None:
        super().__init__(scale)
        self.head = conv3x3(3, channels)
        self.before = RegionNonLocal(channels)
        self.body = nn.ModuleList(
            second_order_group(channels, num_blocks, reduction) for _ in range(num_groups)
        )
        self.source = nn.Parameter(torch.zeros(1))  # share of the shallow features
        self.after = RegionNonLocal(channels)
        self.upsampler = PixelShuffleUpsampler(channels, scale, activation=nn.Identity)
        self.tail = conv3x3(channels, 3)
        groups = (f"body.{index}" for index in range(num_groups))
        self.taps = ("head", "before", *groups, "after")

    def extract(self, lr: Tensor) -> Tensor:
        shallow = self.head(lr)
        features = self.before(shallow)
        for group in self.body:
            features = group(features) + self.source * shallow
        return self.after(features) + shallow
