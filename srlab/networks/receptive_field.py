"""How far an SR pixel can possibly see: the theoretical receptive field of any network."""

import copy
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from srlab.networks.answer import checked

HEIGHTS = (8, 16, 32, 64, 128)  # of the probing pictures: as thin as the network takes them
CHANNELS = (3, 1, 4)  # … and of as many channels
WIDTHS = (64, 128, 256, 512, 1024)
PHASES = 8  # neighbouring LR columns tried: strides and windows repeat within so many


class ReceptiveField(NamedTuple):
    """Height and width in LR pixels of what one SR pixel depends on; math.inf when it is all."""

    rows: float
    columns: float

    def __str__(self) -> str:
        """One number for a square."""
        rows, columns = ("global" if math.isinf(side) else f"{side:.0f}" for side in self)
        return rows if rows == columns else f"{rows}×{columns}"


def receptive_field(model: Callable[[Tensor], Tensor], *, largest: int = 1024) -> ReceptiveField:
    """Rows and columns of the LR image that one SR pixel depends on.

    The widest over the scale² phases of an SR pixel (and over those of strides and windows up to
    8 LR pixels), in the middle of a picture. What is measured is the support of the gradient
    for weights in general position: one LR column (or row) is made NaN, which sums,
    products, activations, maxima and means pass on whatever their weights, so that neither a
    silent rectifier nor a gradient too small for a float can hide a dependence. A weight that
    happens to be zero counts. A field that does not fit into `largest` (at most 1024) LR pixels
    counts as global.

    `model` is any callable (B, 3, h, w) → (B, 3, scale·h, scale·w), or of 1 or 4 channels; a
    module is probed as a copy on the CPU, in float32 or, where that overflows, in float64, and
    stays untouched. Raises ValueError when it does not take such pictures, or keeps NaN from
    spreading (torch.nan_to_num, sorting, rounding to integers).

    >>> receptive_field(load_checkpoint("fsrcnn")[0])
    ReceptiveField(rows=15, columns=15)
    """
    return _measured(_prepared(model), largest)


def counted_receptive_field(model: nn.Module, *, largest: int = 1024) -> ReceptiveField:
    """The numbers that papers print: 1 + Σ (kernel − 1) over the longest way through the layers.

    It counts the layers behind the upsampler as if they, too, worked on the LR grid, where one of
    their pixels is only a part of an LR pixel (LAM, Tab. 1: 75 for EDSR, whose SR pixels depend
    on 73×73). So enlarging is taken out of a copy: nn.PixelShuffle, nn.Upsample, the stride of
    nn.ConvTranspose2d, and what follows an attribute `scale`. Raises ValueError for a network
    that enlarges in another way, or also what it reduced before.
    """
    probe = _prepared(model)
    _put_on_one_grid(probe.network)
    try:
        scale = probe.scale()
    except Exception as failure:  # a foreign network may raise anything
        raise ValueError(
            f"{type(model).__name__} does not run when none of its layers enlarges, so they "
            "cannot be counted; receptive_field measures it"
        ) from failure
    if scale != 1:
        raise ValueError(
            f"{type(model).__name__} enlarges by other means than nn.PixelShuffle, nn.Upsample, "
            "nn.ConvTranspose2d or an attribute `scale`, so its layers cannot be counted; "
            "receptive_field measures it"
        )
    return _measured(probe, largest)


@dataclass(frozen=True)
class _Probe:
    """A network, and the pictures it takes."""

    network: Any
    height: int
    dtype: torch.dtype
    channels: int

    def turned(self) -> "_Probe":
        """The same with rows and columns exchanged."""
        return replace(self, network=lambda lr: self.network(lr.mT.contiguous()).mT)

    def picture(self, width: int) -> Tensor:
        shape = (1, self.channels, self.height, width)
        return torch.rand(shape, dtype=self.dtype, generator=torch.Generator().manual_seed(0))

    @torch.no_grad()
    def scale(self) -> int:
        """How much it enlarges; refuses a network whose answer is no finite, larger picture."""
        picture = self.picture(WIDTHS[0])
        return checked(self.network(picture), tuple(picture.shape)).shape[-1] // WIDTHS[0]

    @torch.no_grad()
    def touched(self, width: int, column: int) -> Tensor:
        """Which SR columns depend on an LR column, (scale·width,) of bool."""
        picture = self.picture(width)
        picture[..., column] = torch.nan
        found = self.network(picture).isnan().any(dim=2).any(dim=1)[0]
        if not found.any():
            raise ValueError(
                "the network lets no NaN through, by which its receptive field is measured"
            )
        return found


def _prepared(model: Any) -> _Probe:
    """A copy of the network in the quickest precision, on the thinnest pictures, that it takes."""
    module = isinstance(model, nn.Module)
    errors: list[Exception] = []
    network = copy.deepcopy(model).cpu().eval() if module else model
    for dtype, channels, height in product((torch.float32, torch.float64), CHANNELS, HEIGHTS):
        probe = _Probe(network.to(dtype) if module else model, height, dtype, channels)
        try:
            probe.scale()
            probe.turned().scale()
            return probe
        except Exception as failure:  # a foreign network may raise anything
            errors += [failure] if channels == CHANNELS[0] else []
    raise ValueError(
        f"the network takes no picture of {WIDTHS[0]} × {HEIGHTS[0]} to {HEIGHTS[-1]} pixels; "
        f"the last one failed: {errors[-1]}"
    ) from errors[-1]


def _measured(probe: _Probe, largest: int) -> ReceptiveField:
    scale, turned = probe.scale(), probe.turned()
    across = _fitting(probe, [width for width in WIDTHS if width <= largest], scale)
    down = _fitting(turned, [width for width in WIDTHS if across[0] <= width <= largest], scale)
    columns = _extent(probe, *across, scale)
    return ReceptiveField(columns if down == across else _extent(turned, *down, scale), columns)


_Reaches = set[tuple[int, int]]  # (first, last) SR column from an LR column's own place


def _fitting(probe: _Probe, widths: list[int], scale: int) -> tuple[int, _Reaches]:
    """The first picture that holds what its middle columns reach; nothing where none does."""
    for width in widths:
        if reaches := _reaches(probe, width, scale):
            return width, reaches
    return (widths or WIDTHS)[-1], set()


def _extent(probe: _Probe, width: int, reaches: _Reaches, scale: int) -> float:
    """Columns seen by the SR pixel that sees most."""
    if not reaches:
        return math.inf
    if len(reaches) == 1:
        return _regular(*min(reaches), scale)
    return _irregular(probe, width, reaches, scale)


def _middle(width: int) -> range:
    return range(width // 2, width // 2 + PHASES)


def _reaches(probe: _Probe, width: int, scale: int) -> _Reaches:
    """What the middle LR columns reach; nothing when one comes near the edge of the picture."""
    reaches = set()
    for column in _middle(width):
        reached = probe.touched(width, column).nonzero().flatten()
        first, last = int(reached[0]), int(reached[-1])
        if first < PHASES * scale or last >= (width - PHASES) * scale:
            return set()
        reaches.add((first - scale * column, last - scale * column))
    return reaches


def _regular(first: int, last: int, scale: int) -> int:
    """Columns seen by the phase that sees most, when all LR columns reach equally far."""
    return max((phase - first) // scale + (last - phase) // scale + 1 for phase in range(scale))


def _irregular(probe: _Probe, width: int, reaches: _Reaches, scale: int) -> int:
    """The same when they do not: for every SR pixel of the middle, both ends are looked up."""
    middle = _middle(width)
    pixels = slice(scale * middle.start, scale * middle.stop)
    far = max(max(-first, last) for first, last in reaches) // scale + 2
    begin, end = max(0, middle.start - far), min(width, middle.stop + far)
    leftmost = _outermost(probe, width, range(begin, middle.stop), pixels)
    rightmost = _outermost(probe, width, range(end - 1, middle.start - 1, -1), pixels)
    return int((rightmost - leftmost).max()) + 1


def _outermost(probe: _Probe, width: int, columns: Iterable[int], pixels: slice) -> Tensor:
    """For each SR column the first of `columns` on which it depends."""
    found = torch.full((pixels.stop - pixels.start,), -1)
    for column in columns:
        touched = probe.touched(width, column)[pixels]
        found = torch.where((found < 0) & touched, column, found)
        if (found >= 0).all():
            break
    return found


class _OneOfEach(nn.Module):
    """Every count-th channel: what a pixel shuffle leaves when nothing is enlarged."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :: self.count]


def _put_on_one_grid(network: nn.Module) -> None:
    """Take the enlarging out of a network's layers."""
    for owner in list(network.modules()):
        if isinstance(vars(owner).get("scale"), int):
            vars(owner)["scale"] = 1
        for name, layer in owner.named_children():
            if isinstance(layer, nn.PixelShuffle):
                setattr(owner, name, _OneOfEach(layer.upscale_factor**2))
            elif isinstance(layer, nn.Upsample):
                setattr(owner, name, nn.Identity())
            elif isinstance(layer, nn.ConvTranspose2d):
                setattr(owner, name, _without_stride(layer))


def _without_stride(layer: nn.ConvTranspose2d) -> nn.Conv2d:
    return nn.Conv2d(
        layer.in_channels,
        layer.out_channels,
        layer.kernel_size,  # type: ignore[arg-type]  # a pair
        padding="same",
        groups=layer.groups,
    ).to(layer.weight.dtype)
