"""Degradations as the blind networks met them in training: ×4, kernels of 21 HR pixels."""

from collections.abc import Iterable
from typing import Any

from srlab.degradations.pipeline import Degradation


def blurred(sigma: float, **more: Any) -> Degradation:
    """A blur of `sigma` HR pixels; `more` are other fields of `Degradation`."""
    return Degradation(scale=4, blur_sigma=sigma, kernel_size=21, **more)


def blurs(widths: Iterable[float]) -> dict[str, Degradation]:
    """{"σ 1.4": round blur} for each width."""
    return {f"σ {width:g}": blurred(width) for width in widths}
