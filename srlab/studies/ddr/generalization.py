"""Does a network treat unseen degradations like those it knows? Indices from features alone.

SRGA (Liu et al., "Evaluating the Generalization Ability of Super-Resolution Networks", 2022):
features of the last layer, projected by PCA, follow a generalized Gaussian; the Kullback–Leibler
divergence from that of a reference set to that of a degraded one is small where the network acts
alike on both. The text leaves open how the distribution is fitted: srlab matches moments.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaln

SHAPES = (0.05, 50.0)  # fitted shapes stay in here: from all but a spike to all but a box


class GeneralizedGaussian(NamedTuple):
    """Density ∝ exp(−(|x|/scale)^shape) around 0: 2 is the Gaussian, 1 the Laplacian."""

    scale: float
    shape: float


def fit_generalized_gaussian(values: np.ndarray) -> GeneralizedGaussian:
    """The generalized Gaussian around 0 with the E|x| and E[x²] of `values` (any shape).

    The two moments fix scale and shape; a shape beyond `SHAPES` is set to its nearer end.
    """
    values = np.abs(np.asarray(values, np.float64))
    if values.size == 0 or not np.isfinite(values).all() or not values.any():
        raise ValueError(
            "expected finite values, not all zero, to fit a distribution; got "
            f"{values.size} values, the largest {values.max(initial=0):g}"
        )
    root = np.sqrt((values**2).mean())
    ratio = 2 * np.log(values.mean() / root)

    def excess(shape: float) -> float:
        return 2 * gammaln(2 / shape) - gammaln(1 / shape) - gammaln(3 / shape) - ratio

    low, high = SHAPES
    inside = excess(low) < 0 < excess(high)
    shape = brentq(excess, low, high) if inside else low if excess(low) >= 0 else high
    scale = root * np.exp((gammaln(1 / shape) - gammaln(3 / shape)) / 2)
    return GeneralizedGaussian(float(scale), float(shape))


def divergence(reference: GeneralizedGaussian, candidate: GeneralizedGaussian) -> float:
    """Kullback–Leibler divergence KL(reference ‖ candidate) in nats, in closed form."""
    a, b = reference.shape, candidate.shape
    log_ratio = np.log(reference.scale / candidate.scale)
    heights = np.log(a / b) - log_ratio + gammaln(1 / b) - gammaln(1 / a)
    spread = np.exp(b * log_ratio + gammaln((b + 1) / a) - gammaln(1 / a))
    return float(heights + spread - 1 / a)


def srga(reference: np.ndarray, candidate: np.ndarray) -> float:
    """SRGA of a degraded set against a reference: smaller means the network acts alike on both.

    Both are principal components (N, D) of one layer under **one** projection, so that a shift or
    turn of the features counts; all N·D coordinates of a set make its distribution. A common
    factor on both cancels: networks with large and small features can be compared.
    """
    if reference.ndim != 2 or candidate.ndim != 2 or reference.shape[1] != candidate.shape[1]:
        raise ValueError(
            "expected two sets of components (N, D) with one D from one projection, got shapes "
            f"{reference.shape} and {candidate.shape}"
        )
    return divergence(fit_generalized_gaussian(reference), fit_generalized_gaussian(candidate))
