"""Correlations, and how sure they are: NaN where one side is constant, never a guess."""

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

Values = Sequence | np.ndarray


def linear_correlation(x: Values, y: Values) -> float:
    """Pearson's r of two (N,) sequences; NaN where one of them is constant."""
    pairs = _pairs(x, y)
    if (np.ptp(pairs, axis=1) == 0).any():
        return float("nan")
    return float(np.corrcoef(pairs)[0, 1])


def rank_correlation(x: Values, y: Values) -> float:
    """Spearman's ρ of two (N,) sequences; NaN where one of them is constant."""
    from scipy.stats import rankdata  # takes a second to load; most commands rank nothing

    return linear_correlation(*rankdata(_pairs(x, y), axis=1))


def _pairs(x: Values, y: Values) -> np.ndarray:
    """(2, N): both sequences in float64, if there is a correlation of them."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.shape != y.shape or x.ndim != 1 or len(x) < 3:
        raise ValueError(
            f"a correlation needs at least 3 pairs, got shapes {x.shape} and {y.shape}"
        )
    return np.stack([x, y])


def partial_rank_correlation(x: Values, y: Values, given: Values) -> float:
    """Spearman's ρ of x and y (N,) at equal `given` (N,): of what their ranks do not owe to it.

    NaN where one of the three is constant, or `given` alone decides x or y.
    """
    xy, xz, yz = (rank_correlation(*pair) for pair in ((x, y), (x, given), (y, given)))
    left = (1 - xz**2) * (1 - yz**2)
    return (xy - xz * yz) / float(np.sqrt(left)) if left > 1e-12 else float("nan")


def rank_correlation_interval(
    x: Values, y: Values, groups: Values, *, draws: int = 2000
) -> tuple[float, float]:
    """95 % bootstrap interval of Spearman's ρ: whole `groups` (N,) are drawn with replacement.

    Relatives – seeds and snapshots of one recipe – belong in one group, or the interval comes out
    too narrow. Draws in which the correlation is undefined do not count.
    """
    x, y, groups = np.asarray(x), np.asarray(y), np.asarray(groups)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    if not len(x) == len(y) == len(groups) or len(members) < 3:
        raise ValueError(
            f"an interval needs a group for each pair and at least 3 groups, got {len(x)} and "
            f"{len(y)} values in {len(members)} groups of {len(groups)}"
        )
    if np.isnan(rank_correlation(x, y)):
        raise ValueError("one of the two sequences is constant: it has no ranks to correlate")
    drawn = drawn_groups(members, draws, np.random.default_rng(0))
    return middle([rank_correlation(x[rows], y[rows]) for rows in drawn], nan_policy="omit")


def middle(
    values: Values, *, nan_policy: Literal["propagate", "omit"] = "propagate"
) -> tuple[float, float]:
    """The middle 95 % of bootstrap draws (draws,): NaN where one is, unless they are omitted."""
    quantile = np.nanquantile if nan_policy == "omit" else np.quantile
    low, high = quantile(values, [0.025, 0.975])
    return float(low), float(high)


def drawn_groups(
    members: Sequence[np.ndarray], draws: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """The rows of as many whole groups, drawn with replacement; `members` are each group's rows."""
    for _ in range(draws):
        drawn = rng.integers(len(members), size=len(members))
        yield np.concatenate([members[index] for index in drawn])
