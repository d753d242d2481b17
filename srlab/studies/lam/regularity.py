"""How regular a patch is: stripes and grids have peaks in their spectrum (cf. LAM, Fig. 8)."""

import torch
from torch import Tensor

from srlab.attribution.targets import gradient_map, tapered
from srlab.images import luma


def spectral_peakiness(pixels: Tensor, *, peaks: int = 9) -> Tensor:
    """Share (B,) of the energy in the `peaks` strongest frequencies of pixels (B, 3, h, w).

    It is 1 for a wave, high for stripes and grids, a few per cent for noise; brightness and
    contrast do not matter. The energy is that of the picture's slopes, |f|² times the power of its
    luma, since natural pictures' power falls like 1/|f|². A frequency and its negative count as
    one. Behind the taper a wave fills 3×3 frequencies, hence nine. A flat patch has none: 0.
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
    share = energy[:, : 2 * peaks].sum(dim=1) / torch.where(flat, 1, total)
    return torch.where(flat, 0, share)


def edge_strength(pixels: Tensor) -> Tensor:
    """Mean gradient magnitude (B,) of pixels (B, 3, h, w), per pixel and channel."""
    return gradient_map(pixels).mean(dim=(1, 2, 3))
