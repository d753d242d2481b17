"""How regular a patch is, and which way its texture runs (cf. LAM, Fig. 6 and 8)."""

import numpy as np
import torch
from torch import Tensor

from srlab.attribution.targets import gradient_map, tapered
from srlab.images import luma

PEAKS = 9  # frequencies: behind the taper a wave fills 3×3


def spectral_peakiness(pixels: Tensor) -> Tensor:
    """Share (B,) of the energy in the `PEAKS` strongest frequencies of pixels (B, 3, h, w).

    It is 1 for a wave, high for stripes and grids, a few per cent for noise; brightness and
    contrast do not matter. The energy is that of the picture's slopes, |f|² times the power of its
    luma, since natural pictures' power falls like 1/|f|². A frequency and its negative count as
    one. A flat patch has none: 0.
    Compare only patches of one size.
    """
    height, width = pixels.shape[-2:]
    if min(height, width) < 8:
        raise ValueError(f"a spectrum needs at least 8×8 pixels, got {height}×{width}")
    grey = luma(pixels.double())
    power = torch.fft.fft2(tapered(grey)).abs().square()
    rows, columns = (torch.fft.fftfreq(side, dtype=grey.dtype) for side in (height, width))
    slopes = power * (rows[:, None] ** 2 + columns**2).to(power.device)
    energy = slopes.flatten(1).sort(dim=1, descending=True).values
    total = energy.sum(dim=1)
    flat = total <= 1e-12 * height * width
    share = energy[:, : 2 * PEAKS].sum(dim=1) / torch.where(flat, 1, total)
    return torch.where(flat, 0, share)


def edge_strength(pixels: Tensor) -> Tensor:
    """Mean gradient magnitude (B,) of pixels (B, 3, h, w), per pixel and channel."""
    return gradient_map(pixels).mean(dim=(1, 2, 3))


def texture_direction(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Which way the luma of pixels (B, 3, h, w) changes least, and how clear that is.

    Unit vectors (B, 2) as (row, column), of either sign, and coherence (B,): 1 for stripes, 0 where
    no direction is preferred. From the eigenvectors of the structure tensor, with slopes across two
    pixels: those to one neighbour each share a pixel, and make noise run diagonally.
    """
    grey = luma(pixels.double())[:, 0]
    down, right = grey[:, 2:, 1:-1] - grey[:, :-2, 1:-1], grey[:, 1:-1, 2:] - grey[:, 1:-1, :-2]
    slopes = torch.stack([down, right], dim=1).flatten(2)
    values, vectors = torch.linalg.eigh(slopes @ slopes.transpose(1, 2))
    total = values.sum(dim=1)
    flat = total <= 1e-12 * slopes.shape[-1]
    coherence = (values[:, 1] - values[:, 0]) / torch.where(flat, 1, total)
    return vectors[:, :, 0], torch.where(flat, 0, coherence)


def elongation(shown: np.ndarray, centre: tuple[float, float], along: np.ndarray) -> float:
    """log of how far a map (h, w) reaches along a direction over how far across it.

    Root mean square distances from `centre` (row, column), weighted with the map; `along` is a unit
    vector (row, column). 0: as far either way.
    """
    if shown.ndim != 2 or not shown.any():
        raise ValueError(f"expected a map (h, w) that is not all zero, got shape {shown.shape}")
    rows, columns = (
        place - middle for place, middle in zip(np.indices(shown.shape), centre, strict=True)
    )
    reach = [
        (shown * (rows * way[0] + columns * way[1]) ** 2).sum()
        for way in (along, (-along[1], along[0]))
    ]
    return float(np.log(reach[0] / reach[1]) / 2)
