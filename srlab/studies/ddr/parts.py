"""A degradation's parts – blur, noise, JPEG – and the same degradation without some of them."""

from dataclasses import replace
from typing import Any

from srlab.degradations.pipeline import Degradation

# A shift of the grid is no part: nothing is lost by it, and no method can know it.
_OFF: dict[str, dict[str, Any]] = {
    "blur": {"blur_sigma": 0.0, "blur_sigma_y": None},
    "noise": {"noise_sigma": 0.0},
    "JPEG": {"jpeg_quality": None},
}


def parts(degradation: Degradation) -> tuple[str, ...]:
    """Which of "blur", "noise" and "JPEG" it is made of."""
    has = {
        "blur": degradation.widest_sigma > 0,
        "noise": degradation.noise_sigma > 0,
        "JPEG": degradation.jpeg_quality is not None,
    }
    return tuple(name for name in _OFF if has[name])


def without(degradation: Degradation, *names: str) -> Degradation:
    """The degradation with the named parts left out; all else, its scale and shift too, stays."""
    unknown = set(names) - set(_OFF)
    if unknown:
        raise ValueError(f"a degradation's parts are {', '.join(_OFF)}, not {', '.join(unknown)}")
    off = {key: value for name in names for key, value in _OFF[name].items()}
    return replace(degradation, **off)
