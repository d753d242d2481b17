"""A degradation as a few numbers: what an oracle is told, and what probes look for in a code."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from srlab.degradations.pipeline import Degradation

# Blur as the symmetric matrix whose square is the kernel's covariance, in pixels: it turns and
# widens without a jump, which two widths and an angle do not. Noise in image units.
VECTOR = ("blur xx", "blur yy", "blur xy", "noise")


def degradation_vectors(degradations: Sequence[Degradation]) -> Tensor:
    """(N, 4), the entries named in `VECTOR`; all are 0 without blur and noise.

    >>> degradation_vectors([Degradation(blur_sigma=2, noise_sigma=0.1)])
    tensor([[2.0000, 2.0000, 0.0000, 0.1000]])
    """
    return torch.tensor([_vector(one) for one in degradations], dtype=torch.float32)


def _vector(degradation: Degradation) -> tuple[float, float, float, float]:
    along, across, angle = degradation.blur_axes
    mean, half = (along + across) / 2, (along - across) / 2
    cos, sin = math.cos(2 * angle), math.sin(2 * angle)
    return mean + half * cos, mean - half * cos, half * sin, degradation.noise_sigma
