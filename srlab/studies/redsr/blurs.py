"""Degradations as the blind networks met them in training: ×4, kernels of 21 HR pixels."""

from collections.abc import Iterable
from typing import Any

from srlab.degradations.pipeline import Degradation

GAUSSIAN8 = {  # widest and narrowest width in HR pixels by scale, after IKC (Gu et al., CVPR 2019)
    2: (0.8, 1.6),
    3: (1.35, 2.4),
    4: (1.8, 3.2),
}


def blurred(sigma: float, **more: Any) -> Degradation:
    """A blur of `sigma` HR pixels; `more` are other fields of `Degradation`."""
    return Degradation(scale=4, blur_sigma=sigma, kernel_size=21, **more)


def blurs(widths: Iterable[float]) -> dict[str, Degradation]:
    """{"σ 1.4": round blur} for each width."""
    return {f"σ {width:g}": blurred(width) for width in widths}


def gaussian8(scale: int = 4) -> tuple[Degradation, ...]:
    """The eight isotropic blurs, evenly spaced, that blind SR is tested with (DASR, ReDSR Tab. 1).

    >>> [degradation.blur_sigma for degradation in gaussian8()]
    [1.8, 2.0, 2.2, 2.4, 2.6, 2.8, 3.0, 3.2]
    """
    if scale not in GAUSSIAN8:
        raise ValueError(f"Gaussian8 is defined for the scales {[*GAUSSIAN8]}, got {scale}")
    low, high = GAUSSIAN8[scale]
    widths = (round(low + (high - low) * step / 7, 4) for step in range(8))
    return tuple(Degradation(scale=scale, blur_sigma=width, kernel_size=21) for width in widths)
