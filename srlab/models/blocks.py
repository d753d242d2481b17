"""Building blocks shared by the networks. Nothing works in place: features stay what they were."""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from srlab.degradations.filters import upsample

MEAN = (0.4488, 0.4371, 0.4040)  # colour of DIV2K, which some networks take off and put back
STAGES: dict[int, tuple[int, ...]] = {1: (), 2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2)}


def upsampling_stages(scale: int) -> tuple[int, ...]:
    """The factors, 2 or 3, in which networks enlarge by `scale`."""
    if scale not in STAGES:
        raise ValueError(f"scale is one of {sorted(STAGES)}, got {scale}")
    return STAGES[scale]


def mean_colour(images: Tensor) -> Tensor:
    """(3, 1, 1): the mean colour of DIV2K, as the images are stored."""
    return images.new_tensor(MEAN)[:, None, None]


def conv3x3(in_channels: int, out_channels: int) -> nn.Conv2d:
    """A size-preserving 3×3 convolution."""
    return nn.Conv2d(in_channels, out_channels, 3, padding=1)


def he_initialization(
    network: nn.Module, slope: float = 0.0, *, calm: Iterable[nn.Module] = ()
) -> None:
    """Normal weights after He et al. (ICCV 2015) and zero biases in every convolution.

    `slope` is that of the (leaky) rectifier behind the convolutions. The parts that are to be
    `calm` get a tenth of the weights: small residuals keep a deep stack calm at birth.
    """
    for module in _convolutions([network]):
        nn.init.kaiming_normal_(module.weight, a=slope)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    for module in _convolutions(calm):
        module.weight.data = module.weight.data * 0.1


def _convolutions(parts: Iterable[nn.Module]) -> Iterator[nn.Conv2d]:
    modules = (module for part in parts for module in part.modules())
    return (module for module in modules if isinstance(module, nn.Conv2d))


def mirrored(images: Tensor, multiple: int) -> Tensor:
    """Continued by reflection, down and to the right, until the sides are multiples of so much."""
    height, width = images.shape[-2:]
    return F.pad(images, (0, -width % multiple, 0, -height % multiple), mode="reflect")


def gate(channels: int, reduction: int) -> nn.Sequential:
    """(B, C, 1, 1) → a weight in (0, 1) for each channel, by way of fewer."""
    narrow = max(channels // reduction, 1)
    return nn.Sequential(
        nn.Conv2d(channels, narrow, 1), nn.ReLU(), nn.Conv2d(narrow, channels, 1), nn.Sigmoid()
    )


class ChannelAttention(nn.Module):
    """Channels weighed by a `statistic` of the picture: (B, C, h, w) → (B, C, 1, 1)."""

    def __init__(
        self, channels: int, reduction: int, statistic: Callable[[Tensor], Tensor]
    ) -> None:
        super().__init__()
        self.excite, self.statistic = gate(channels, reduction), statistic

    def forward(self, x: Tensor) -> Tensor:
        return x * self.excite(self.statistic(x))


class NonLocal(nn.Module):
    """Each position adds what it finds alike, anywhere in the picture (Wang et al., CVPR 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = max(channels // 2, 1)
        self.query = nn.Conv2d(channels, narrow, 1)
        self.key = nn.Conv2d(channels, narrow, 1)
        self.value = nn.Conv2d(channels, narrow, 1)
        self.expand = nn.Conv2d(narrow, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.expand(look_around(self.query(x), self.key(x), self.value(x)))


def look_around(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attention of all positions to all: three (B, C, h, w) → (B, C, h, w)."""
    likeness = query.flatten(2).mT @ key.flatten(2)
    return (value.flatten(2) @ likeness.softmax(dim=2).mT).unflatten(2, query.shape[-2:])


def picture_tail(channels: int, slope: float = 0.1) -> nn.Sequential:
    """Features to RGB by two convolutions."""
    return nn.Sequential(conv3x3(channels, channels), nn.LeakyReLU(slope), conv3x3(channels, 3))


class ResidualBlock(nn.Module):
    """x + conv(relu(conv(x))): the residual block without batch normalization (EDSR)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = conv3x3(channels, channels)
        self.relu = nn.ReLU()
        self.conv2 = conv3x3(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(self.relu(self.conv1(x)))


class Modulation(nn.Linear):
    """A code (B, D) scales and shifts the channels of each of some blocks, at birth by nothing."""

    def __init__(self, code: int, num_blocks: int, channels: int) -> None:
        super().__init__(code, 2 * num_blocks * channels)
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)

    def through(self, blocks: nn.ModuleList | nn.Sequential, x: Tensor, code: Tensor) -> Tensor:
        """(B, C, h, w) after all blocks, each of them modulated."""
        for block, factor in zip(blocks, self(code).chunk(len(blocks), dim=1), strict=True):
            gain, shift = factor[:, :, None, None].chunk(2, dim=1)
            x = block(x) * (1 + gain) + shift
        return x


class Skip(nn.Module):
    """x + body(x), the body's layers one after another."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class PixelShuffleUpsampler(nn.Sequential):
    """(B, C, h, w) → (B, C, scale·h, scale·w) in stages of 2 or 3, an `activation` after each."""

    def __init__(
        self,
        channels: int,
        scale: int,
        *,
        groups: int = 1,
        activation: Callable[[], nn.Module] = lambda: nn.LeakyReLU(0.1),
    ) -> None:
        layers: list[nn.Module] = []
        for factor in upsampling_stages(scale):
            layers += [
                nn.Conv2d(channels, channels * factor**2, 3, padding=1, groups=groups),
                nn.PixelShuffle(factor),
                activation(),
            ]
        super().__init__(*layers)


class DirectUpsampler(nn.Sequential):
    """(B, C, h, w) → RGB (B, 3, scale·h, scale·w) in one step, as light networks do."""

    def __init__(self, channels: int, scale: int) -> None:
        super().__init__(conv3x3(channels, 3 * scale**2), nn.PixelShuffle(scale))


class SuperResolver(nn.Module):
    """What srlab asks of its own networks beyond (B, 3, h, w) → (B, 3, scale·h, scale·w).

    `forward` is split in two: `extract` (lr → features on the LR grid) and `reconstruct`
    (features, lr → sr). These are what most networks do; others have their own. `long_skip` adds
    the head's features to the body's, `global_residual` the enlarged input to the output; what is
    `centred` takes the mean colour off and, without a global residual, puts it back.
    """

    head: Any
    body: Any
    upsampler: Any
    tail: Any
    long_skip = False
    global_residual = False
    centred = False

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale

    @cached_property
    def taps(self) -> tuple[str, ...]:
        """The head and each part of the body; a network of another make says its own."""
        return ("head", *(f"body.{name}" for name, _ in self.body.named_children()))

    def extract(self, lr: Tensor) -> Tensor:
        """(B, 3, h, w) → (B, C, h, w)."""
        shallow = self.head(lr - mean_colour(lr) if self.centred else lr)
        deep = self.body(shallow)
        return shallow + deep if self.long_skip else deep

    def reconstruct(self, features: Tensor, lr: Tensor) -> Tensor:
        """(B, C, h, w), (B, 3, h, w) → (B, 3, scale·h, scale·w)."""
        sr = self.tail(self.upsampler(features))
        if self.global_residual:
            return sr + upsample(lr, self.scale, "bilinear")
        return sr + mean_colour(lr) if self.centred else sr

    def forward(self, lr: Tensor) -> Tensor:
        return self.reconstruct(self.extract(lr), lr)
