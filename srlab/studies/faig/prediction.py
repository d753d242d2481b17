"""Telling a picture's degradation from the filters that matter on it (FAIG, Sec. 5.3)."""

from collections.abc import Mapping

import numpy as np

from srlab.attribution.faig import FilterAttribution, Masks, overlap_score, top_filters


def overlap_scores(
    attribution: FilterAttribution, discriminative: Masks, fraction: float
) -> np.ndarray:
    """(N,) overlap of each image's own top filters with the `discriminative` ones (Eq. 8)."""
    return np.array(
        [
            overlap_score(top_filters(attribution.scores([index]), fraction), discriminative)
            for index in range(len(attribution.start))
        ]
    )


def best_threshold(scores: np.ndarray, present: np.ndarray) -> float:
    """The threshold on scores (N,) that tells images with a degradation from those without.

    `present` (N,) says which have it. Both kinds of image count equally; of equally good
    thresholds it is the middle one.
    """
    if present.all() or not present.any():
        raise ValueError("a threshold needs images with the degradation and images without it")
    values = np.unique(scores)
    between = np.concatenate([values[:1] - 1e-6, (values[1:] + values[:-1]) / 2])
    hits = [(scores[present] > t).mean() + (scores[~present] <= t).mean() for t in between]
    best = np.flatnonzero(np.isclose(hits, max(hits)))
    return float(between[best[len(best) // 2]])


def called(scores: Mapping[str, np.ndarray], thresholds: Mapping[str, float]) -> np.ndarray:
    """(N,) names of the degradations whose score exceeds its threshold by most, or misses least."""
    names = list(scores)
    margins = np.stack([scores[name] - thresholds[name] for name in names])
    return np.array(names)[margins.argmax(axis=0)]
