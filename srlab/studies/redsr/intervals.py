"""Whether one network is ahead of another: intervals over trainings and pictures together."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from srlab.statistics import middle, rank_correlation
from srlab.studies.study import Interval


def by_picture(values: np.ndarray, pictures: Sequence | np.ndarray) -> np.ndarray:
    """(..., N) → (..., P): means over the windows of each picture, in the order they first come."""
    pictures = np.asarray(pictures)
    names = dict.fromkeys(pictures.tolist())
    return np.stack([values[..., pictures == name].mean(axis=-1) for name in names], axis=-1)


def gain(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """(S, ...) and (S', ...) → ours minus theirs of equally many trainings, the first ones."""
    count = min(len(ours), len(theirs))
    return np.asarray(ours)[:count] - np.asarray(theirs)[:count]


def trainings_interval(values: np.ndarray) -> Interval:
    """95 % bootstrap interval of the mean of values (S, P).

    Trainings and pictures are both drawn with replacement: what holds must hold for others of
    either. A single training is taken as it is.
    """
    _check(values)
    means = [values[rows][:, columns].mean() for rows, columns in _draws(values.shape)]
    return middle(means)


def rise_interval(values: np.ndarray, steps: Sequence[int]) -> Interval:
    """95 % bootstrap interval of Spearman's ρ of step and mean, of values (steps, P)."""
    _check(values)
    drawn = (columns for _, columns in _draws((1, values.shape[1])))
    ranks = [rank_correlation(steps, values[:, rows].mean(axis=1)) for rows in drawn]
    return middle(ranks, nan_policy="omit")  # ρ of equal values is undefined


def left_out_interval(
    statistic: Callable[[np.ndarray], float], pictures: Sequence | np.ndarray
) -> Interval:
    """95 % interval by the jackknife: `statistic` of rows (N,) without each picture in turn.

    For what a bootstrap would bend, because a point drawn twice lies at no distance from itself.
    """
    pictures = np.asarray(pictures)
    names = np.unique(pictures)
    if len(names) < 3:
        raise ValueError(f"a jackknife needs 3 pictures at least, got {len(names)}")
    rest = np.array([statistic(pictures != name) for name in names])
    spread = np.sqrt((len(names) - 1) * np.square(rest - rest.mean()).mean())
    whole = statistic(np.ones(len(pictures), bool))
    return float(whole - 1.96 * spread), float(whole + 1.96 * spread)


def _draws(shape: tuple[int, int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    for _ in range(1000):
        rows, columns = (rng.integers(count, size=count) for count in shape)
        yield rows, columns


def _check(values: np.ndarray) -> None:
    if values.ndim != 2 or not values.size or not np.isfinite(values).all():
        raise ValueError(f"expected finite values of two axes, got shape {values.shape}")
