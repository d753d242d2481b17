"""A batch of images, each under a degradation of its own."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from srlab.degradations.filters import add_noise, filter2d, gaussian_kernel
from srlab.degradations.pipeline import Degradation

Streams = Sequence[np.random.Generator]


def degrade_each(images: Tensor, degradations: Sequence[Degradation], streams: Streams) -> Tensor:
    """(B, 3, H, W), B degradations of one scale → (B, 3, H/scale, W/scale); own streams of noise.

    Blurs of one kernel size, noise or none behind them, are applied to the whole batch in one
    pass on its device. Otherwise the images that drew the same degradation are computed together.
    """
    frames = {_without_blur_and_noise(one) for one in degradations}
    frame = frames.pop()
    if not frames and frame.kernel_size is not None and frame.jpeg_quality is None:
        return _at_once(images, degradations, frame, streams)
    out: list[Tensor] = [images] * len(images)
    for degradation in dict.fromkeys(degradations):
        rows = [index for index, own in enumerate(degradations) if own == degradation]
        degraded = degradation(images[rows], [streams[row] for row in rows])
        for row, image in zip(rows, degraded, strict=True):
            out[row] = image
    return torch.stack(out)


def _without_blur_and_noise(degradation: Degradation) -> Degradation:
    return replace(degradation, blur_sigma=0.0, blur_sigma_y=None, blur_angle=0.0, noise_sigma=0.0)


def _at_once(
    images: Tensor, degradations: Sequence[Degradation], frame: Degradation, streams: Streams
) -> Tensor:
    """Blur, then what all have in common (the frame), then noise."""
    axes = torch.tensor([one.blur_axes for one in degradations], dtype=torch.float64)
    noise = torch.tensor([one.noise_sigma for one in degradations])
    if axes[:, :2].any():
        images = filter2d(images, gaussian_kernel(*axes.T, size=frame.kernel_size))
    degraded = frame(images)
    return add_noise(degraded, noise, streams) if noise.any() else degraded
