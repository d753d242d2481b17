"""ReDSR (Liu et al., ECCV 2024): a code of the degradation, good if it can reproduce it."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.degradations.filters import downsample
from srlab.degradations.pipeline import Degradation
from srlab.models.blocks import conv3x3, he_initialization
from srlab.models.degradation_aware import DegradationAwareBlock, DegradationAwareNetwork

CENTRE, SPREAD = 0.45, 0.25  # of the values in natural images: the code stalls without
SLOPE = 0.25  # of a PReLU at birth
REDUCTION = 8
SMALLEST = 24  # LR pixels: three left, after three strides of 2, for a border of two
# What an oracle is told: blur as the symmetric matrix whose square is the kernel's covariance, in
# pixels, which turns and widens without a jump as two widths and an angle do not; and the noise.
VECTOR = ("blur xx", "blur yy", "blur xy", "noise")
TOLD = (4.0, 4.0, 4.0, 25 / 255)  # the usual extent of a degradation vector's entries


def degradation_vectors(degradations: Sequence[Degradation]) -> Tensor:
    """(N, 4), the entries named in `VECTOR`; all are 0 without blur and noise.

    >>> degradation_vectors([Degradation(blur_sigma=2, noise_sigma=0.1)])
    tensor([[2.0000, 2.0000, 0.0000, 0.1000]])
    """
    return torch.tensor([_vector(one) for one in degradations], dtype=torch.float32)


def _vector(degradation: Degradation) -> tuple[float, float, float, float]:
    along, across, angle = degradation.blur_axes
    mean, half = (along + across) / 2, (along - across) / 2
    cos, sin = math.cos(2 * angle), math.sin(2 * angle)
    return mean + half * cos, mean - half * cos, half * sin, degradation.noise_sigma


class AveragingEncoder(nn.Sequential):
    """(B, 3, h, w) → (B, code): 4×4 convolutions of stride 2 and 5×5 ones in turn, averaged.

    The authors' code mirrors the border and takes values as they are, which needs `SMALLEST`
    pixels a side. Unless `as_published`, ours repeats the border and centres values: it learns
    within hundreds of steps, and describes any picture.
    """

    def __init__(self, channels: int, code: int, *, as_published: bool) -> None:
        widths = (3, *(channels * factor for factor in (1, 1, 2, 2, 4)), code)
        border: Literal["reflect", "replicate"] = "reflect" if as_published else "replicate"
        layers: list[nn.Module] = []
        for index, (before, after) in enumerate(pairwise(widths)):
            size, stride, padding = ((4, 2, 1), (5, 1, 2))[index % 2]
            conv = nn.Conv2d(before, after, size, stride, padding, padding_mode=border)
            layers += [conv, nn.PReLU()]
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.as_published = as_published
        he_initialization(self, SLOPE)

    def forward(self, lr: Tensor) -> Tensor:
        if not self.as_published:
            return super().forward((lr - CENTRE) / SPREAD)
        if min(lr.shape[-2:]) < SMALLEST:
            raise ValueError(
                f"ReDSR's published encoder mirrors borders at an eighth of the size, so it takes "
                f"LR pictures from {SMALLEST}×{SMALLEST}; got {lr.shape[-2]}×{lr.shape[-1]}"
            )
        return super().forward(lr)


class OracleEncoder(nn.Sequential):
    """(B, 4) → (B, code): five fully connected layers on the true degradation vector (Tab. 2)."""

    def __init__(self, width: int, code: int) -> None:
        layers: list[nn.Module] = []
        for before, after in pairwise((len(TOLD), width, width, width, width, code)):
            layers += [nn.Linear(before, after), nn.PReLU()]
        super().__init__(*layers[:-1])

    def forward(self, vectors: Tensor) -> Tensor:
        return super().forward(vectors / vectors.new_tensor(TOLD))


class Degrader(nn.Module):
    """(hr (B, 3, scale·h, scale·w), (B, code)) → lr: degrades as the code says (Sec. 3.2).

    It corrects the bicubic reduction, and works on the LR grid, where each pixel holds the HR
    pixels it covers; the published one works on the HR grid, at sixteen times the cost.
    """

    def __init__(self, *, scale: int, channels: int, num_blocks: int, code: int) -> None:
        super().__init__()
        self.scale = scale
        self.told = CodeFor(num_blocks, code)
        self.head = nn.Sequential(conv3x3(3 * scale**2, channels), nn.PReLU())
        self.body = nn.ModuleList(
            DegradationAwareBlock(channels, code, REDUCTION, nn.PReLU) for _ in range(num_blocks)
        )
        self.tail = conv3x3(channels, 3)
        he_initialization(self, SLOPE, calm=[self.tail])  # begins as the bicubic reduction

    def forward(self, hr: Tensor, code: Tensor) -> Tensor:
        features = self.head(F.pixel_unshuffle((hr - CENTRE) / SPREAD, self.scale))
        for block, own in zip(self.body, self.told(code), strict=True):
            features = block(features, own)
        return downsample(hr, self.scale) + SPREAD * self.tail(features)


class CodeFor(nn.Module):
    """(B, code) → `count` times (B, code): each listener is told in its own words."""

    def __init__(self, count: int, code: int) -> None:
        super().__init__()
        self.count = count
        self.layers = nn.Sequential(
            nn.Linear(code, code, bias=False), nn.PReLU(), nn.Linear(code, count * code)
        )

    def forward(self, code: Tensor) -> Sequence[Tensor]:
        return self.layers(code).chunk(self.count, dim=1)


class ReDSR(DegradationAwareNetwork):
    """Encoder and generator: what is needed to restore; `Degrader` belongs to the training.

    `oracle` puts fully connected layers in the encoder's place, which are told the true
    degradation; a picture alone then tells them nothing, and they assume that it is clean.
    `published_encoder` has the borders and values of the authors' code, for their weights. `sizes`
    are those of every `DegradationAwareNetwork`.
    """

    activation, slope = nn.PReLU, SLOPE

    def __init__(
        self,
        *,
        encoder_channels: int = 64,
        code: int = 64,
        oracle: bool = False,
        published_encoder: bool = False,
        **sizes: Any,
    ) -> None:
        super().__init__(code=code, **sizes)
        self.told = CodeFor(len(self.body) - 1, code)
        self.code, self.oracle = code, oracle
        self.encoder = (
            OracleEncoder(encoder_channels, code)
            if oracle
            else AveragingEncoder(encoder_channels, code, as_published=published_encoder)
        )

    def represent(self, lr: Tensor) -> Tensor:
        if self.oracle:
            return self.represent_known(lr.new_zeros(len(lr), len(TOLD)))
        return self.encoder(lr)

    def represent_known(self, vectors: Tensor) -> Tensor:
        """(B, 4) `degradation_vectors` → (B, code): what an oracle makes of the truth."""
        return self.encoder(vectors)

    def group_codes(self, representation: Tensor) -> Sequence[Tensor]:
        return self.told(representation)
