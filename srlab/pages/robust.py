"""Repeated maps on a page: under other baselines and in other windows."""

from typing import Any

import numpy as np

from srlab.attribution.agreement import overlap
from srlab.attribution.lam import Attribution, signed
from srlab.attribution.paths import SIGMA
from srlab.attribution.robustness import Robustness
from srlab.pages.overlay import overlay_url, percent

WIDTH, HEIGHT, HIGHEST = 600, 200, 4.0  # of the curves' drawing; its upper edge, in even steps
COLOURS = ("#56B4E9", "#0072B2", "#009E73", "#E69F00", "#D55E00", "#CC79A7")


def shown_robustness(found: Robustness) -> dict[str, Any]:
    """What a page shows of them: maps with their numbers, ranges, and a curve for every blur."""
    default = found.by_sigma.get(SIGMA, next(iter(found.by_sigma.values())))
    curves = {sigma: own.step_sizes().cpu().numpy() for sigma, own in found.by_sigma.items()}
    top = max(HIGHEST, *(len(sizes) * sizes.max() for sizes in curves.values()))
    return {
        "sigmas": {
            f"σ {sigma:g}": {**_panel(own), "common": percent(overlap(own, default))}
            for sigma, own in found.by_sigma.items()
        },
        "windows": {f"{side}×{side}": _panel(own) for side, own in found.by_window.items()},
        "sigma_range": _words(found.sigma_range()),
        "window_range": _words(found.window_range()) if found.by_window else "",
        "curves": {
            f"σ {sigma:g}": {"points": _points(sizes, top), "colour": COLOURS[i % len(COLOURS)]}
            for i, (sigma, sizes) in enumerate(curves.items())
        },
        "even": f"{HEIGHT * (1 - 1 / top):.1f}",
        "top": f"{top:.2g}",
    }


def _panel(own: Attribution) -> dict[str, str]:
    return {"map": overlay_url(signed(own).cpu()), "di": f"{own.diffusion_index:.2f}"}


def _points(sizes: np.ndarray, top: float) -> str:
    """A polyline over the path's length: the size of each step, where 1 is an even share."""
    across = (np.arange(len(sizes)) + 0.5) / len(sizes) * WIDTH
    up = HEIGHT * (1 - len(sizes) * sizes / top)
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, up, strict=True))


def _words(ends: tuple[float, float]) -> str:
    return "{:.2f} to {:.2f}".format(*ends)
