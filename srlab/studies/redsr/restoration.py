"""Windows restored by blind networks, by an oracle that is told the truth, and by enlarging them.

What a table of blind super-resolution holds: one measure for each network and degradation.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import torch
from torch import Tensor

from srlab.degradations.filters import upsample
from srlab.degradations.pipeline import Degradation
from srlab.degradations.windows import Windows
from srlab.metrics import psnr
from srlab.models.redsr import ReDSR, degradation_vectors
from srlab.networks.layout import laid_out

Network = Callable[[Tensor], Tensor]  # (N, 3, h, w) → (N, 3, scale·h, scale·w)


def bicubic(scale: int) -> Network:
    """The baseline: it enlarges, and knows of no degradation."""
    return partial(upsample, scale=scale)


@torch.no_grad()
def restored_windows(
    network: Network, lr: Tensor, degradation: Degradation, *, batch_size: int = 10
) -> Tensor:
    """LR windows (N, 3, h, w) of one degradation → (N, 3, scale·h, scale·w).

    Whoever is blind sees the windows alone; ReDSR's oracle is also told the degradation.
    """
    lr = laid_out(lr, network)
    if isinstance(network, ReDSR) and network.oracle:
        network = _told(network, degradation)
    return torch.cat([network(part) for part in lr.split(batch_size)])


def psnr_by_degradation(
    network: Network,
    windows: Windows,
    degradations: Mapping[str, Degradation],
    *,
    measure: Callable[..., Tensor] = psnr,
) -> dict[str, np.ndarray]:
    """PSNR of luma in dB of each restored window under each kind: {kind: (N,)}.

    `degradations` are those the windows were made with, by the same names; `measure` may be
    `metrics.ssim`. The border cut off is the scale.
    """
    if strangers := degradations.keys() - windows.lr.keys():
        raise ValueError(
            f"no windows of {', '.join(sorted(strangers))}; there are {', '.join(windows.lr)}"
        )
    found = {}
    for kind, degradation in degradations.items():
        sr = restored_windows(network, windows.lr[kind], degradation)
        found[kind] = measure(sr, windows.hr, border=degradation.scale).cpu().numpy()
    return found


def _told(oracle: ReDSR, degradation: Degradation) -> Network:
    vector = degradation_vectors([degradation])

    def restore(lr: Tensor) -> Tensor:
        code = oracle.represent_known(vector.to(lr.device).expand(len(lr), -1))
        return oracle.restore(lr, code)

    return restore
