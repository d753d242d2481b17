"""Small networks of the kinds of blocks that restoration networks of today are made of.

Written from the papers, with random weights: what matters is which operations they use. Windows are
of 4×4 pixels, so pictures are multiples of 4. All work on features (B, WIDTH, h, w).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.models.swinir import SwinGroup

WIDTH, WINDOW = 8, 4


def windows(x: Tensor) -> Tensor:
    """(B, C, h, w) → (B, windows, WINDOW², C)."""
    parts = x.unflatten(3, (-1, WINDOW)).unflatten(2, (-1, WINDOW))
    return parts.permute(0, 2, 4, 3, 5, 1).flatten(3, 4).flatten(1, 2)


def picture(parts: Tensor, like: Tensor) -> Tensor:
    """Back again."""
    rows, columns = (extent // WINDOW for extent in like.shape[-2:])
    grid = parts.unflatten(1, (rows, columns)).unflatten(3, (WINDOW, WINDOW))
    return grid.permute(0, 5, 1, 3, 2, 4).flatten(4, 5).flatten(2, 3)


class OverlappingWindows(nn.Module):
    """HAT: a window's pixels ask those of a larger window around it."""

    def __init__(self) -> None:
        super().__init__()
        self.ask, self.know = nn.Conv2d(WIDTH, WIDTH, 1), nn.Conv2d(WIDTH, 2 * WIDTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        around = F.unfold(self.know(x), WINDOW + 2, stride=WINDOW, padding=1)
        key, value = around.unflatten(1, (2, WIDTH, -1)).permute(1, 0, 4, 3, 2)
        seen = F.scaled_dot_product_attention(windows(self.ask(x)), key, value)
        return x + picture(seen, x)


class AcrossChannels(nn.Module):
    """Restormer: channels attend to channels, by what they have in common over the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Conv2d(WIDTH, 3 * WIDTH, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.qkv(x).flatten(2).chunk(3, dim=1)
        likeness = F.normalize(query, dim=-1) @ F.normalize(key, dim=-1).mT
        return x + (likeness.softmax(dim=-1) @ value).view_as(x)


class SimpleGates(nn.Module):
    """NAFNet: a norm of channels, gates without activation, channels weighed by their means."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.widen = nn.LayerNorm(WIDTH), nn.Conv2d(WIDTH, 2 * WIDTH, 3, padding=1)
        self.weigh = nn.Conv2d(WIDTH, WIDTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        one, other = self.widen(normed).chunk(2, dim=1)
        gated = one * other
        return x + gated * self.weigh(F.adaptive_avg_pool2d(gated, 1))


class Dictionary(nn.Module):
    """ATD: pixels ask a learnt dictionary, are sorted by its words, and attend to their like."""

    def __init__(self, words: int = 6, group: int = 64) -> None:
        super().__init__()
        self.words, self.group = nn.Parameter(torch.randn(words, WIDTH)), group
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        pixels = x.flatten(2).mT  # (B, h·w, C)
        likeness = (pixels @ self.words.T).softmax(dim=-1)
        told = pixels + likeness @ self.words
        order = likeness.argmax(dim=-1).argsort(dim=-1, stable=True)
        alike = told.gather(1, order[..., None].expand_as(told)).unflatten(1, (-1, self.group))
        found = F.scaled_dot_product_attention(*self.qkv(alike).chunk(3, dim=-1)).flatten(1, 2)
        back = torch.zeros_like(told).scatter(1, order[..., None].expand_as(told), found)
        return x + back.mT.view_as(x)


class LargeKernel(nn.Module):
    """PLKSR: a large kernel on a part of the channels."""

    def __init__(self, size: int = 11) -> None:
        super().__init__()
        self.large = nn.Conv2d(WIDTH // 2, WIDTH // 2, size, padding=size // 2)

    def forward(self, x: Tensor) -> Tensor:
        part, rest = x.chunk(2, dim=1)
        return torch.cat([F.gelu(self.large(part)), rest], dim=1)


def scanned(decay: Tensor, given: Tensor) -> Tensor:
    """h(t) = decay(t)·h(t − 1) + given(t) along the last axis, in log₂ steps."""
    length, reach = given.shape[-1], 1
    while reach < length:
        before = F.pad(given, (reach, 0))[..., :length]
        given = given + decay * before
        decay = decay * F.pad(decay, (reach, 0), value=1.0)[..., :length]
        reach *= 2
    return given


class SelectiveScan(nn.Module):
    """MambaIR: a recurrence along rows and back, whose step, input and output the pixels choose."""

    def __init__(self, states: int = 3) -> None:
        super().__init__()
        self.choose = nn.Conv2d(WIDTH, WIDTH + 2 * states, 1)
        self.rates = nn.Parameter(-torch.rand(WIDTH, states) - 0.1)

    def forward(self, x: Tensor) -> Tensor:
        states = self.rates.shape[1]
        step, write, read = self.choose(x).flatten(2).split([WIDTH, states, states], dim=1)
        step, pixels = F.softplus(step)[:, :, None], x.flatten(2)[:, :, None]  # (B, C, 1, h·w)
        decay, given = (step * self.rates[..., None]).exp(), step * write[:, None] * pixels
        both = scanned(decay, given) + scanned(decay.flip(-1), given.flip(-1)).flip(-1)
        return x + (both * read[:, None]).sum(dim=2).view_as(x)


class Fourier(nn.Module):
    """FFC, SwinFIR: a convolution of the spectrum sees the whole picture."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(2 * WIDTH, 2 * WIDTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        spectrum = torch.fft.rfft2(x, norm="ortho")
        mixed = F.leaky_relu(self.mix(torch.cat([spectrum.real, spectrum.imag], dim=1)))
        spectrum = torch.complex(*mixed.chunk(2, dim=1))
        return x + torch.fft.irfft2(spectrum, s=x.shape[-2:], norm="ortho")


class Reparametrised(nn.Module):
    """ECBSR, RepVGG: branches that are one convolution, whose weights forward adds up."""

    def __init__(self) -> None:
        super().__init__()
        self.square = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.point = nn.Conv2d(WIDTH, WIDTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        identity = torch.eye(WIDTH, dtype=x.dtype, device=x.device)[..., None, None]
        weight = self.square.weight + F.pad(self.point.weight + identity, (1, 1, 1, 1))
        return F.leaky_relu(F.conv2d(x, weight, self.square.bias + self.point.bias, padding=1))


class Recurrent(nn.Module):
    """SRFBN, DRCN: one layer over and over, which remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.again = nn.Conv2d(2 * WIDTH, WIDTH, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        memory = torch.zeros_like(x)
        for _ in range(3):
            memory = self.again(torch.cat([x, memory], dim=1)).tanh()
        return memory


class Shifted(nn.Module):
    """SwinIR: windows, and windows that lie half a window apart."""

    def __init__(self) -> None:
        super().__init__()
        self.group = SwinGroup(WIDTH, 2, 2, WINDOW, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.group(x)


BLOCKS: dict[str, Callable[[], nn.Module]] = {
    "shifted windows": Shifted,
    "overlapping windows": OverlappingWindows,
    "attention across channels": AcrossChannels,
    "simple gates": SimpleGates,
    "dictionary": Dictionary,
    "large kernel": LargeKernel,
    "selective scan": SelectiveScan,
    "Fourier": Fourier,
    "reparametrised": Reparametrised,
    "recurrent": Recurrent,
}


class Network(nn.Module):
    """A convolution, a block, a pixel shuffle; the enlarged input is added."""

    def __init__(self, block: str, *, scale: int = 2, channels: int = 3) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.scale = scale
        self.head = nn.Conv2d(channels, WIDTH, 3, padding=1)
        self.block = BLOCKS[block]()
        self.tail = nn.Conv2d(WIDTH, channels * scale**2, 3, padding=1)

    def forward(self, lr: Tensor) -> Tensor:
        sr = F.pixel_shuffle(self.tail(self.block(self.head(lr))), self.scale)
        return sr + F.interpolate(lr, scale_factor=self.scale, mode="nearest")


class ManyAnswers(Network):
    """It returns what it made on the way, too."""

    def forward(self, lr: Tensor) -> dict[str, Tensor]:
        return {"features": self.head(lr), "image": super().forward(lr)}
