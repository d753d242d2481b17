"""Where in a network chosen filters sit, and whether that could be chance."""

import numpy as np
from scipy.stats import entropy

from srlab.attribution.faig import Masks, filter_depths


def depth_curve(masks: Masks) -> np.ndarray:
    """(layers,) share of the chosen filters that lie up to each convolution, in running order."""
    counts = _counts(masks)
    return np.cumsum(counts) / counts.sum()


def evenness(masks: Masks) -> float:
    """Entropy of how chosen filters divide among the convolutions, over that of all filters.

    1 if each holds its share of them; near 0 if one holds all. May exceed 1 where small
    convolutions hold more than their share.
    """
    return float(entropy(_counts(masks)) / entropy([mask.numel() for mask in masks.values()]))


def shuffled_differences(one: Masks, other: Masks, *, draws: int, seed: int = 0) -> np.ndarray:
    """(draws,) differences of mean depth between the two sets when their labels are shuffled."""
    depths = [filter_depths(masks) for masks in (one, other)]
    pooled, first = np.concatenate(depths), len(depths[0])
    rng = np.random.default_rng(seed)
    shuffled = rng.permuted(np.tile(pooled, (draws, 1)), axis=1)
    return shuffled[:, :first].mean(axis=1) - shuffled[:, first:].mean(axis=1)


def _counts(masks: Masks) -> np.ndarray:
    counts = np.array([int(mask.sum()) for mask in masks.values()])
    if not counts.sum():
        raise ValueError("there is no chosen filter to place")
    return counts
