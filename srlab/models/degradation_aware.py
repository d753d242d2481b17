"""What DASR and ReDSR share: a code of the degradation, and a generator that it steers."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from torch import Tensor, nn
from torch.nn import functional as F

from srlab.models.blocks import (
    PixelShuffleUpsampler,
    SuperResolver,
    conv3x3,
    he_initialization,
    mean_colour,
)

Activation = Callable[[], nn.Module]
KERNEL = 3  # side of the predicted filters


class BlindSuperResolver(SuperResolver):
    """A network that first describes how its input was degraded: the representation, or code."""

    def represent(self, lr: Tensor) -> Tensor:
        """(B, 3, h, w) → (B, D): the degradation representation."""
        raise NotImplementedError

    def extract_under(self, lr: Tensor, representation: Tensor) -> Tensor:
        """(B, 3, h, w), (B, D) → (B, C, h, w): the features if this were the degradation."""
        raise NotImplementedError

    def extract(self, lr: Tensor) -> Tensor:
        return self.extract_under(lr, self.represent(lr))

    def restore(self, lr: Tensor, representation: Tensor) -> Tensor:
        """(B, 3, h, w), (B, D) → (B, 3, scale·h, scale·w): super-resolved under a given code."""
        return self.reconstruct(self.extract_under(lr, representation), lr)

    def guided_by(self, lr: Tensor, other: Tensor) -> Tensor:
        """Super-resolve `lr` with the code that `other` (B, 3, h', w') would get."""
        return self.restore(lr, self.represent(other))


def filter_each(features: Tensor, kernels: Tensor) -> Tensor:
    """Each channel of each image by its own filter: (B, C, h, w), (B, C, K, K); zeros around."""
    batch, channels, height, width = features.shape
    groups = batch * channels
    weight = kernels.reshape(groups, 1, *kernels.shape[-2:])
    given = features.reshape(1, groups, height, width)
    padding = kernels.shape[-1] // 2
    return F.conv2d(given, weight, padding=padding, groups=groups).reshape(features.shape)


class DegradationAwareConv(nn.Module):
    """Each channel filtered as the code says, mixed, and added to channels weighed by the code."""

    def __init__(self, channels: int, code: int, reduction: int, activation: Activation) -> None:
        super().__init__()
        narrow = max(channels // reduction, 1)
        self.kernel = nn.Sequential(
            nn.Linear(code, code, bias=False),
            activation(),
            nn.Linear(code, channels * KERNEL**2, bias=False),
        )
        self.activation = activation()
        self.conv = nn.Conv2d(channels, channels, 1)
        self.attention = nn.Sequential(
            nn.Conv2d(code, narrow, 1, bias=False),
            activation(),
            nn.Conv2d(narrow, channels, 1, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        kernels = self.kernel(code).reshape(*x.shape[:2], KERNEL, KERNEL)
        filtered = self.conv(self.activation(filter_each(x, kernels)))
        return filtered + x * self.attention(code[:, :, None, None])


class DegradationAwareBlock(nn.Module):
    """Two degradation-aware convolutions, a plain one after each, and a skip around all."""

    def __init__(self, channels: int, code: int, reduction: int, activation: Activation) -> None:
        super().__init__()
        self.da_conv1 = DegradationAwareConv(channels, code, reduction, activation)
        self.da_conv2 = DegradationAwareConv(channels, code, reduction, activation)
        self.conv1 = conv3x3(channels, channels)
        self.conv2 = conv3x3(channels, channels)
        self.activations = nn.ModuleList(activation() for _ in range(3))

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        first, second, third = self.activations
        between = second(self.conv1(first(self.da_conv1(x, code))))
        return x + self.conv2(third(self.da_conv2(between, code)))


class DegradationAwareGroup(nn.Module):
    """Blocks and a convolution, with a skip around them."""

    def __init__(self, channels: int, blocks: Iterable[DegradationAwareBlock]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.last = conv3x3(channels, channels)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        features = x
        for block in self.blocks:
            features = block(features, code)
        return x + self.last(features)


class DegradationAwareNetwork(BlindSuperResolver):
    """An encoder's code steers groups of degradation-aware blocks (DASR, Fig. 3).

    A subclass makes `encoder` (lr → representation) and says what each group is told. It has
    `tail_layers` convolutions on the HR grid, one as published; at most 2 keep the margin.
    """

    encoder: nn.Module
    activation: Activation
    slope: float  # that initialization counts with
    centred = True

    def __init__(
        self,
        *,
        scale: int = 4,
        channels: int = 64,
        num_groups: int = 5,
        num_blocks: int = 5,
        code: int = 64,
        reduction: int = 8,
        tail_layers: int = 1,
        global_residual: bool = False,
    ) -> None:
        super().__init__(scale)
        self.global_residual = global_residual
        self.head = conv3x3(3, channels)
        self.body = nn.ModuleList()
        block = partial(DegradationAwareBlock, channels, code, reduction, self.activation)
        for _ in range(num_groups):
            self.body.append(DegradationAwareGroup(channels, (block() for _ in range(num_blocks))))
        self.body.append(conv3x3(channels, channels))
        self.upsampler = PixelShuffleUpsampler(channels, scale, activation=nn.Identity)
        self.tail = nn.Sequential()
        for _ in range(tail_layers - 1):
            self.tail.extend([conv3x3(channels, channels), self.activation()])
        self.tail.append(conv3x3(channels, 3))
        last = [part for name, part in self.named_modules() if name.endswith((".conv2", ".last"))]
        he_initialization(self, self.slope, calm=last)

    def group_codes(self, representation: Tensor) -> Sequence[Tensor]:
        """(B, D) → for each group (B, code)."""
        raise NotImplementedError

    def represent(self, lr: Tensor) -> Tensor:
        return self.encoder(lr)

    def extract_under(self, lr: Tensor, representation: Tensor) -> Tensor:
        *groups, last = self.body.children()
        features = shallow = self.head(lr - mean_colour(lr))
        for group, code in zip(groups, self.group_codes(representation), strict=True):
            features = group(features, code)
        return shallow + last(features)
