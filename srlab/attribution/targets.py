"""What an attribution explains: a number measured on a part of the SR image.

A *measure* maps a window (B, 3, height + 1, width + 1) to one number an image, (B,): the window and
one more row and column, which forward differences need. `MEASURES` names those that srlab has. None
has an undefined gradient at flat places.
"""

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from srlab.degradations.filters import upsample
from srlab.images import crop, luma

Target = Callable[[Tensor], Tensor]  # sr (B, 3, H, W) → one number an image, (B,)
Measure = Callable[[Tensor], Tensor]  # window (B, 3, height + 1, width + 1) → (B,)
SUMMED = (1, 2, 3)


def gradient_map(window: Tensor) -> Tensor:
    """√(dh² + dw²) of forward differences: (B, 3, h + 1, w + 1) → (B, 3, h, w).

    An exactly flat place has magnitude zero, and so has its gradient, which the plain square root
    would make NaN.
    """
    down = window[..., 1:, :-1] - window[..., :-1, :-1]
    right = window[..., :-1, 1:] - window[..., :-1, :-1]
    squares = down**2 + right**2
    flat = squares == 0
    return torch.where(flat, 0, torch.where(flat, 1, squares).sqrt())


def gradient_magnitude(window: Tensor) -> Tensor:
    """D of LAM: `gradient_map` summed over RGB and all pixels but the last row and column."""
    return gradient_map(window).sum(dim=SUMMED)


def edges(angle: float = 0.0) -> Measure:
    """Σ |difference along one direction|: `angle` 0 finds upright edges, 90° level ones."""
    turn = math.radians(angle)

    def measure(window: Tensor) -> Tensor:
        down = window[..., 1:, :-1] - window[..., :-1, :-1]
        right = window[..., :-1, 1:] - window[..., :-1, :-1]
        return (math.cos(turn) * right + math.sin(turn) * down).abs().sum(dim=SUMMED)

    return measure


def colour(window: Tensor) -> Tensor:
    """Chroma energy: Σ (channel − mean of the channels)², zero where the window is grey."""
    pixels = _pixels(window)
    return (pixels - pixels.mean(dim=1, keepdim=True)).square().sum(dim=SUMMED)


def brightness(window: Tensor) -> Tensor:
    """Luma summed over the window."""
    return luma(_pixels(window)).sum(dim=SUMMED)


def frequency_band(low: float = 0.25, high: float = 0.5) -> Measure:
    """Energy of the frequencies low ≤ |f| < high, in cycles per SR pixel (the grid ends at 0.5).

    The window is `tapered` first. Bands that tile 0 … 0.75 add up to the energy of what that leaves
    (Parseval).
    """
    if not 0 <= low < high:
        raise ValueError(f"a band is 0 ≤ low < high in cycles per pixel, got {low} to {high}")

    def measure(window: Tensor) -> Tensor:
        spectrum = torch.fft.fft2(tapered(_pixels(window)), norm="ortho")
        rows, columns = (
            torch.fft.fftfreq(extent, dtype=window.dtype, device=window.device)
            for extent in spectrum.shape[-2:]
        )
        radius = torch.hypot(rows[:, None], columns)
        inside = (low <= radius) & (radius < high)
        energy = torch.view_as_real(spectrum).square().sum(dim=-1)
        return (energy * inside).sum(dim=SUMMED)

    return measure


def masked(mask: Tensor) -> Measure:
    """The gradient magnitude at the places of a boolean `mask` (height, width) of the window."""

    def measure(window: Tensor) -> Tensor:
        return (gradient_map(window) * mask.to(window)).sum(dim=SUMMED)

    return measure


MEASURES: dict[str, Callable[..., Measure]] = {
    "gradient": lambda: gradient_magnitude,
    "edges": edges,
    "colour": lambda: colour,
    "band": frequency_band,
    "brightness": lambda: brightness,
}


def named_measure(name: str) -> Measure:
    """The measure of that name, numbers behind a colon.

    >>> measure = named_measure("edges:90")  # level edges
    >>> measure = named_measure("band:0.25,0.5")  # the finest structure
    """
    known, _, numbers = name.partition(":")
    if known not in MEASURES:
        raise ValueError(f"unknown target {known!r}; srlab has {', '.join(MEASURES)}")
    make = MEASURES[known]
    try:
        values = [float(number) for number in numbers.split(",")] if numbers else []
        inspect.signature(make).bind(*values)
    except (TypeError, ValueError) as error:
        settings = ", ".join(str(one) for one in inspect.signature(make).parameters.values())
        raise ValueError(f"{known} takes ({settings}), as in edges:90; got {name!r}") from error
    return make(*values)


@dataclass(frozen=True)
class PatchTarget:
    """A number measured on a rectangle of the SR image; callable: sr (B, 3, H, W) → (B,)."""

    top: int  # SR pixels
    left: int
    size: int = 16  # rows
    measure: Measure = gradient_magnitude
    width: int | None = None  # columns; None: as many as rows

    def __post_init__(self) -> None:
        if min(self.shape) < 1:
            raise ValueError(f"a patch has at least 1 pixel a side, got {self.shape}")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.size, self.size if self.width is None else self.width

    def __call__(self, sr: Tensor) -> Tensor:
        """(B, 3, H, W) → (B,)."""
        rows, columns = self.shape
        return self.measure(crop(sr, self.top, self.left, rows + 1, columns + 1))

    def distance(self, size: Sequence[int], scale: float) -> Tensor:
        """(h, w) of each LR pixel of an h × w image from the middle of the patch, LR pixels."""
        down, across = (
            torch.arange(extent) - ((first + own / 2) / scale - 0.5)
            for extent, first, own in zip(size, (self.top, self.left), self.shape, strict=True)
        )
        return torch.hypot(down[:, None], across)

    def check_inside(self, height: int, width: int) -> None:
        """Refuse an SR image of height × width that does not hold the patch."""
        rows, columns = self.shape
        last = height - rows - 1, width - columns - 1
        if min(last) < 0:
            raise ValueError(
                f"the {height}×{width} SR image is too small for a patch of {rows}×{columns}: with "
                f"the pixel more that forward differences need it holds {max(height - 1, 0)}×"
                f"{max(width - 1, 0)}; choose a smaller patch or a larger picture"
            )
        if not (0 <= self.top <= last[0] and 0 <= self.left <= last[1]):
            raise ValueError(
                f"a {rows}×{columns} patch at row {self.top}, column {self.left} leaves the "
                f"{height}×{width} SR image (forward differences need one pixel more); "
                f"choose top in 0..{last[0]} and left in 0..{last[1]}"
            )


def patch(
    top: int, left: int, size: int = 16, *, measure: Measure = gradient_magnitude
) -> PatchTarget:
    """What LAM explains: the gradient magnitude in size × size SR pixels from (top, left).

    `measure` explains something else, by `named_measure` or any function of windows
    (B, 3, size + 1, size + 1) → (B,).

    >>> patch(96, 96, 16)(torch.rand(1, 3, 128, 128)).shape
    torch.Size([1])
    >>> level_edges = patch(96, 96, 16, measure=named_measure("edges:90"))
    """
    return PatchTarget(top, left, size, measure)


def error_target(hr: Tensor, top: int, left: int, size: int = 16) -> PatchTarget:
    """Mean squared error of luma against hr (1, 3, H, W), in size × size SR pixels."""
    wanted = luma(crop(hr, top, left, size, size))

    def measure(window: Tensor) -> Tensor:
        return (luma(_pixels(window)) - wanted).square().mean(dim=SUMMED)

    return PatchTarget(top, left, size, measure)


def mask_target(mask: Tensor) -> PatchTarget:
    """The gradient magnitude where a boolean `mask` (H, W), of the size of the SR image, is true.

    The last row and column have no forward difference and never count.
    """
    if mask.ndim != 2 or mask.dtype != torch.bool:
        raise ValueError(
            f"a mask is boolean (H, W), of the size of the SR image; got {mask.dtype} "
            f"{tuple(mask.shape)}"
        )
    places = mask[:-1, :-1].nonzero()
    if not len(places):
        raise ValueError("the mask is empty (its last row and column have no forward difference)")
    (top, left), (bottom, right) = places.amin(dim=0).tolist(), places.amax(dim=0).tolist()
    rows, columns = bottom - top + 1, right - left + 1
    inside = mask[top : top + rows, left : left + columns].clone()
    return PatchTarget(top, left, rows, masked(inside), columns)


class Residual(nn.Module):
    """What a network adds to the picture's bicubic enlargement: SR − bicubic, as a network."""

    def __init__(self, network: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.network = network

    def forward(self, lr: Tensor) -> Tensor:
        """(B, 3, h, w) → (B, 3, scale·h, scale·w), around 0."""
        sr = self.network(lr.clone())  # a foreign network may change its input
        return sr - upsample(lr, sr.shape[-1] // lr.shape[-1])


def residual(network: Callable[[Tensor], Tensor]) -> Residual:
    """The network less bicubic enlargement, so that any target is one of SR − bicubic.

    The enlarged picture is subtracted at every point of an attribution's path, so that what passes
    a skip from input to output, and would dominate the map, is not counted. Bicubic is that of
    `degradations.filters.upsample`: a = −0.5, each row's weights summing to 1 at the borders.

    >>> network = torch.nn.Upsample(scale_factor=2, mode="bilinear")
    >>> sr_less_bicubic = residual(network)(torch.rand(1, 3, 24, 24))
    >>> found = lam(residual(network), torch.rand(1, 3, 24, 24), patch(16, 16, 8))
    """
    return Residual(network)


def tapered(pixels: Tensor) -> Tensor:
    """Freed of its mean and faded out towards the borders, whose jumps would fill all bands.

    The Hann window, (B, C, h, w) → the same.
    """
    rows, columns = (
        torch.hann_window(extent + 2, periodic=False, dtype=pixels.dtype, device=pixels.device)
        for extent in pixels.shape[-2:]
    )
    centred = pixels - pixels.mean(dim=(2, 3), keepdim=True)
    return centred * rows[1:-1, None] * columns[1:-1]


def _pixels(window: Tensor) -> Tensor:
    """The window without the additional row and column."""
    return window[..., :-1, :-1]
