"""What the findings on filters share: degradations, and outputs under other weights.

The degradations are FAIG's (Xie et al., NeurIPS 2021, Sec. 5.1), in pixels of the HR grid.
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
def typical_window(
    networks: Mapping[str, Callable[[Tensor], Tensor]], windows: Windows
) -> tuple[Panels, Notes]:
    """What networks (columns) make of one window in every kind (rows), with PSNR-Y as notes.

    The window is the one that tells most truly what the networks do: how far their PSNRs lie from
    that of the first network comes closest, over all panels, to the mean over windows.

    >>> panels, notes = typical_window({"target": partial(restored, model, target)}, windows)
    >>> picture_grid(panels, notes=notes)
    """
    sr = {
        (kind, title): network(lr)
        for kind, lr in windows.lr.items()
        for title, network in networks.items()
    }
    border = windows.hr.shape[-1] // next(iter(windows.lr.values())).shape[-1]
    quality = {key: psnr(own, windows.hr, border=border) for key, own in sr.items()}
    first = next(iter(networks))
    apart = torch.stack([own - quality[kind, first] for (kind, _), own in quality.items()])
    at = int((apart - apart.mean(dim=1, keepdim=True)).square().sum(dim=0).argmin())
    panels = {key: image_to_array(own[at]) for key, own in sr.items()}
    return panels, {key: f"{own[at]:.1f} dB" for key, own in quality.items()}
