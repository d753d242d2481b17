"""Does a network treat unseen degradations like those it knows? Indices from features alone.

SRGA (Liu et al., "Evaluating the Generalization Ability of Super-Resolution Networks", 2022):
features of the last layer, projected by PCA, follow a generalized Gaussian; the Kullback–Leibler
divergence from that of a reference set to that of a degraded one is small where the network acts
alike on both. The text leaves open how the distribution is fitted: srlab matches moments.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaln
from scipy.stats import rankdata

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
            f"expected finite values, not all zero, to fit a distribution; got {values.size} values"
            + (" that are all zero" if values.size and not values.any() else "")
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


def rank_correlation(x: Sequence | np.ndarray, y: Sequence | np.ndarray) -> float:
    """Spearman's ρ of two (N,) sequences; NaN where one of them is constant."""
    x, y = rankdata(x), rankdata(y)
    if len(x) != len(y) or len(x) < 3:
        raise ValueError(
            f"a rank correlation needs at least 3 pairs, got {len(x)} and {len(y)} values"
        )
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def partial_rank_correlation(
    x: Sequence | np.ndarray, y: Sequence | np.ndarray, given: Sequence | np.ndarray
) -> float:
    """Spearman's ρ of x and y (N,) at equal `given` (N,): of what their ranks do not owe to it.

    NaN where one of the three is constant, or `given` alone decides x or y.
    """
    xy, xz, yz = (rank_correlation(*pair) for pair in ((x, y), (x, given), (y, given)))
    left = (1 - xz**2) * (1 - yz**2)
    return (xy - xz * yz) / float(np.sqrt(left)) if left > 1e-12 else float("nan")


def rank_correlation_interval(
    x: Sequence | np.ndarray,
    y: Sequence | np.ndarray,
    groups: Sequence | np.ndarray,
    *,
    draws: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Bootstrap interval of Spearman's ρ: whole `groups` (N,) are drawn with replacement.

    Relatives – seeds and snapshots of one recipe – belong in one group, or the interval comes out
    too narrow. Draws in which the correlation is undefined do not count.
    """
    rng = np.random.default_rng(seed)
    x, y, groups = np.asarray(x), np.asarray(y), np.asarray(groups)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    if not len(x) == len(y) == len(groups) or len(members) < 3:
        raise ValueError(
            f"an interval needs a group for each pair and at least 3 groups, got {len(x)} and "
            f"{len(y)} values in {len(members)} groups of {len(groups)}"
        )
    if np.isnan(rank_correlation(x, y)):
        raise ValueError("one of the two sequences is constant: it has no ranks to correlate")
    values = []
    for _ in range(draws):
        rows = np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
        values.append(rank_correlation(x[rows], y[rows]))
    low, high = np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
