"""A map laid over a picture: its opacity is how much, its colour in which direction."""

import numpy as np
from torch import Tensor

from srlab.files import picture_url

RAISED, LOWERED = (0, 128, 255), (255, 64, 0)  # blue and red, told apart by every eye
FAINT = 2.0  # opacity is stored as magnitude^(1/FAINT), to keep faint pixels in 8 bit


def overlay_url(shown: Tensor) -> str:
    """A map (h, w) in [−1, 1] as a picture: opaque where it is large, blue above 0, red below."""
    values = shown.numpy()
    opacity = (np.abs(values) ** (1 / FAINT) * 255).round().astype(np.uint8)
    colour = np.where(values[..., None] > 0, RAISED, LOWERED).astype(np.uint8)
    return picture_url(np.dstack([colour, opacity]))


def percent(value: float) -> str:
    """0.0012 → "0.12 %", 1 → "100 %"."""
    return f"{100 * value:.{2 if value < 0.995 else 3}g} %"
