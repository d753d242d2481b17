"""Patches under two labellings: what they show, and how they were degraded (DDR, Sec. 4.2)."""

import numpy as np

from srlab.data.datasets import Pairs
from srlab.images import image_to_array
from srlab.representation.embedding import separability, separability_ratio


def both_indices(points: np.ndarray, pairs: Pairs) -> dict[str, float]:
    """Caliński–Harabasz index of the patches' points (N·K, D) under each labelling."""
    labels = {"by class": pairs.content_labels, "by degradation": pairs.degradation_labels}
    return {label: separability(points, own).index for label, own in labels.items()}


def class_ratio(points: np.ndarray, pairs: Pairs) -> tuple[float, float, float]:
    """The index by class over that by degradation, with its bootstrap interval over contents.

    (ratio, low, high): above 1 the points (N·K, D) are sorted by what the patches show.
    """
    groups = np.repeat(np.arange(len(pairs.contents)), len(pairs.degradations))
    return separability_ratio(points, pairs.content_labels, pairs.degradation_labels, groups)


def sample_row(pairs: Pairs, count: int = 4) -> dict[str, np.ndarray]:
    """{degradation: `count` of the contents beside one another, (h, count·w, 3) uint8}."""
    chosen = np.linspace(0, len(pairs.contents) - 1, count, dtype=int)
    number = len(pairs.degradations)
    return {
        str(degradation): np.concatenate(
            [image_to_array(pairs.lr[number * content + k]) for content in chosen], axis=1
        )
        for k, degradation in enumerate(pairs.degradations)
    }
