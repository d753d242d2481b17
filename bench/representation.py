"""Representations: peak memory of a full decomposition against the streamed one."""

import tracemalloc
from collections.abc import Callable, Iterator

import numpy as np
from sklearn.decomposition import PCA

from bench.row import Row
from srlab.representation.embedding import separability, stream_components

DIMENSIONS, BATCH = 8192, 100  # of a point: 32 channels of 16×16


def representation() -> Iterator[Row]:
    """Twice the points: full decomposition doubles its memory, the streamed one hardly grows."""
    for count in (500, 1000):
        yield _row(count)


def _row(count: int) -> Row:
    def batches() -> Iterator[np.ndarray]:
        for first in range(0, count, BATCH):
            yield _points(first, BATCH)

    full, theirs = _peak(lambda: _full(count))
    streamed, ours = _peak(lambda: stream_components(batches))
    labels = np.arange(count) % 3
    index = separability(full, labels).index
    error = abs(separability(streamed, labels).index / index - 1)
    what = f"50 components of {count} × {DIMENSIONS}"
    # the streamed index may differ by 5 %: what incremental fitting costs
    return Row(what, "full PCA in float64", theirs, ours, count / 500, 0.05, error, "MB")


def _full(count: int) -> np.ndarray:
    points = np.concatenate([_points(first, BATCH) for first in range(0, count, BATCH)])
    return PCA(50, svd_solver="full").fit_transform(points.astype(np.float64))


def _points(first: int, count: int) -> np.ndarray:
    """Three classes in a cloud whose variances fall like those of features."""
    rng = np.random.default_rng(first)
    cloud = rng.normal(size=(count, DIMENSIONS)) / np.sqrt(1 + np.arange(DIMENSIONS))
    cloud[np.arange(count), (first + np.arange(count)) % 3] += 3
    return cloud.astype(np.float32)


def _peak(function: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    """Its result and the most megabytes that were allocated at once."""
    tracemalloc.start()
    try:
        result = function()
        return result, tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()
