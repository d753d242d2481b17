"""What guidance brings a blind network, and what false guidance costs it (DDR, Sec. 5, Tab. 2)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from srlab.metrics import psnr, ssim
from srlab.models.guided import GuidedSRResNet
from srlab.studies.ddr.natural_statistics import niqe

METRICS = ("PSNR, dB", "SSIM", "NIQE")


@torch.no_grad()
def restored_quality(
    restore: Callable[[Tensor], Tensor],
    versions: Mapping[str, Tensor],
    hr: Tensor,
    *,
    batch_size: int = 4,
) -> Iterator[dict[str, Any]]:
    """A row for each degradation and content, with its METRICS.

    `versions` are LR images (N, 3, h, w) of `hr` (N, 3, H, W) by degradation. NIQE judges all
    pictures of a degradation together: it is the same in their rows.
    """
    for kind, lr in versions.items():
        sr = torch.cat([restore(some) for some in lr.split(batch_size)])
        natural = niqe(sr.clamp(0, 1).cpu())
        measured = (measure(sr, hr, border=4).tolist() for measure in (psnr, ssim))
        for content, values in enumerate(zip(*measured, strict=True)):
            own = dict(zip(METRICS, (*values, natural), strict=True))
            yield {"degradation": kind, "content": content, **own}


@torch.no_grad()
def exchanged_guidance(
    model: GuidedSRResNet, versions: Mapping[str, Tensor], hr: Tensor, *, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean PSNR in dB of the first `count` contents under guidance that is not their own.

    (true degradation, told degradation) of the same content, and (true degradation,) of the next
    content under the same degradation.
    """

    def quality(lr: Tensor, other: Tensor) -> float:
        return float(psnr(model.guided_by(lr, other), hr[:count], border=4).mean())

    few = {kind: lr[:count] for kind, lr in versions.items()}
    told = [[quality(lr, other) for other in few.values()] for lr in few.values()]
    content = [quality(few[kind], lr.roll(-1, 0)[:count]) for kind, lr in versions.items()]
    return np.array(told), np.array(content)
