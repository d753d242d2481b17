"""How far every two of several labels separate in one picture of all of them."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from srlab.representation.embedding import separability


def pair_separability(points: np.ndarray, labels: Sequence | np.ndarray) -> np.ndarray:
    """Caliński–Harabasz index of each two labels' points by themselves: symmetric (K, K).

    `points` (N, D) are those of all K labels (N,), which keep the order they first come in; the
    diagonal is NaN. `spectrum.level_pairs` projects each pair anew instead.
    """
    labels = np.asarray(labels)
    names = list(dict.fromkeys(labels.tolist()))
    matrix = np.full((len(names), len(names)), np.nan)
    for one, other in combinations(range(len(names)), 2):
        own = np.isin(labels, (names[one], names[other]))
        index = separability(points[own], labels[own]).index
        matrix[one, other] = matrix[other, one] = index
    return matrix
