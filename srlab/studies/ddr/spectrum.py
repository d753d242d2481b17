"""Degrees of one degradation as a spectrum: how far every two of its levels separate (DDR A.9)."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations
from typing import NamedTuple

import numpy as np

from srlab.representation.embedding import (
    embed,
    principal_components,
    separability,
    separability_draws,
)
from srlab.statistics import middle, rank_correlation
from srlab.studies.ddr.restarts import side_by_side

Project = Callable[[np.ndarray], np.ndarray]  # points (n, D) → (n, d)


class LevelPairs(NamedTuple):
    """Separability of every two of L levels: symmetric, NaN on the diagonal."""

    matrix: np.ndarray  # (L, L)
    draws: np.ndarray  # (draws, L, L), of bootstrap draws over contents


def compact(points: np.ndarray) -> np.ndarray:
    """Contents under levels (N, L, D) in at most N·L coordinates that keep every distance."""
    flat = points.reshape(-1, points.shape[2])
    return principal_components(flat, dimensions=len(flat)).reshape(*points.shape[:2], -1)


def level_pairs(
    points: np.ndarray, *, project: Project = principal_components, draws: int = 0
) -> LevelPairs:
    """Caliński–Harabasz index of each pair of levels, projected without the other levels.

    `points` (N, L, D) hold N contents under L levels. Every pair is projected by itself, as in
    the paper, so that no third level decides what is kept of two.
    """
    if points.ndim != 3 or points.shape[1] < 2:
        raise ValueError(
            f"expected points (contents, levels, dimensions) of at least two levels, got shape "
            f"{points.shape}"
        )
    contents, levels, _ = points.shape
    matrix = np.full((levels, levels), np.nan)
    drawn = np.full((draws, levels, levels), np.nan)
    labels, groups = np.tile([0, 1], contents), np.repeat(np.arange(contents), 2)
    for pair in combinations(range(levels), 2):
        shown = project(points[:, pair].reshape(2 * contents, -1))
        index = separability(shown, labels).index
        matrix[pair] = matrix[pair[::-1]] = index
        if draws:
            values = separability_draws(shown, labels, groups, draws=draws)
            drawn[:, *pair] = drawn[:, *pair[::-1]] = values
    return LevelPairs(matrix, drawn)


def pair_separability(points: np.ndarray, labels: Sequence | np.ndarray) -> np.ndarray:
    """Caliński–Harabasz index of each two labels' points by themselves: symmetric (K, K).

    `points` (N, D) are those of all K labels (N,), which keep the order they first come in; the
    diagonal is NaN. `level_pairs` projects each pair anew instead.
    """
    labels = np.asarray(labels)
    names = list(dict.fromkeys(labels.tolist()))
    matrix = np.full((len(names), len(names)), np.nan)
    for one, other in combinations(range(len(names)), 2):
        own = np.isin(labels, (names[one], names[other]))
        index = separability(points[own], labels[own]).index
        matrix[one, other] = matrix[other, one] = index
    return matrix


def plane_pairs(points: np.ndarray, runs: int) -> np.ndarray:
    """Index (L, L) of each pair of levels (N, L, D) in the plane: mean over `runs` of t-SNE."""
    starts = [partial(embed, seed=seed, init="random") for seed in range(runs)]
    found = side_by_side(partial(level_pairs, points, project=start) for start in starts)
    return np.mean([own.matrix for own in found], axis=0)


def outer_lead(matrix: np.ndarray) -> float:
    """How many times better the outermost two levels separate than the best of all other pairs."""
    rows, columns = np.triu_indices(len(matrix), 1)
    inner = columns - rows < len(matrix) - 1
    return float(matrix[0, -1] / matrix[rows, columns][inner].max())


def distance_rank(matrix: np.ndarray, levels: Sequence[float]) -> float:
    """Spearman's ρ over the pairs of levels: matrix (L, L) against the distance of the levels."""
    rows, columns = np.triu_indices(len(levels), 1)
    values = np.asarray(levels, float)
    return rank_correlation(matrix[rows, columns], np.abs(values[rows] - values[columns]))


def distance_rank_interval(pairs: LevelPairs, levels: Sequence[float]) -> tuple[float, float]:
    """95 % bootstrap interval of `distance_rank` over contents."""
    if not len(pairs.draws):
        raise ValueError(
            "these pairs were made without bootstrap draws: pass draws= to level_pairs"
        )
    return middle([distance_rank(drawn, levels) for drawn in pairs.draws])


def nested_share(matrix: np.ndarray) -> float:
    """Share of level triples a < b < c whose outer pair separates better than both inner ones.

    Unlike `distance_rank` it needs no measure of distance: only the order of the levels.
    """
    triples = list(combinations(range(len(matrix)), 3))
    return float(np.mean([matrix[a, c] > max(matrix[a, b], matrix[b, c]) for a, b, c in triples]))


def by_distance(matrix: np.ndarray) -> np.ndarray:
    """Mean index (L−1,) of the pairs that are 1, 2, … L−1 steps apart."""
    return np.array([np.diagonal(matrix, offset).mean() for offset in range(1, len(matrix))])


def grades(pairs: LevelPairs, levels: Sequence[float]) -> dict[str, float]:
    """A spectrum in numbers: ρ with the distance and its interval, median index, nested share."""
    low, high = distance_rank_interval(pairs, levels)
    return {
        "rho": distance_rank(pairs.matrix, levels),
        "low": low,
        "high": high,
        "median": float(np.nanmedian(pairs.matrix)),
        "nested": nested_share(pairs.matrix),
    }
