"""What the findings on filters share: degradations, and outputs under other weights.

The degradations are FAIG's (Xie et al., NeurIPS 2021, Sec. 4.1), in pixels of the HR grid.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from srlab.attribution.faig import Weights
from srlab.capture import frozen
from srlab.degradations.pipeline import Degradation
from srlab.degradations.windows import Windows
from srlab.images import image_to_array
from srlab.metrics import psnr

CLEAN = Degradation(scale=2, resampling="bilinear")
KINDS = {
    "clean": CLEAN,
    "blur": replace(CLEAN, blur_sigma=2.0),
    "noise": replace(CLEAN, noise_sigma=0.1),
    "JPEG": replace(CLEAN, jpeg_quality=30),
}

Panels = dict[tuple[str, str], np.ndarray]  # {(row, column): picture}
Notes = dict[tuple[str, str], str]


@torch.no_grad()
def restored(model: nn.Module, weights: Weights, lr: Tensor, *, batch_size: int = 8) -> Tensor:
    """What `model` makes of lr (N, 3, h, w) with other weights; its own stay as they are."""
    with frozen(model):
        parts = lr.split(batch_size)
        return torch.cat([functional_call(model, dict(weights), (part,)) for part in parts])


def restored_psnr(model: nn.Module, weights: Weights, windows: Windows) -> dict[str, np.ndarray]:
    """PSNR-Y in dB of each window, in every kind: {kind: (N,)}."""
    border = windows.hr.shape[-1] // next(iter(windows.lr.values())).shape[-1]
    return {
        kind: psnr(restored(model, weights, lr), windows.hr, border=border).cpu().numpy()
        for kind, lr in windows.lr.items()
    }


@torch.no_grad()
def first_window(
    networks: Mapping[str, Callable[[Tensor], Tensor]], windows: Windows
) -> tuple[Panels, Notes]:
    """What networks (columns) make of the first window in every kind (rows), with PSNR-Y as notes.

    >>> panels, notes = first_window({"target": partial(restored, model, target)}, windows)
    >>> picture_grid(panels, notes=notes)
    """
    panels, notes = {}, {}
    for kind, lr in windows.lr.items():
        for title, network in networks.items():
            sr = network(lr[:1])
            quality = psnr(sr, windows.hr[:1], border=sr.shape[-1] // lr.shape[-1]).item()
            panels[kind, title] = image_to_array(sr[0])
            notes[kind, title] = f"{quality:.1f} dB"
    return panels, notes
