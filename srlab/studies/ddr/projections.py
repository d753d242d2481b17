"""What a projection keeps of the points it draws, and what it makes up."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from scipy.spatial.distance import pdist, squareform

from srlab.representation.embedding import METHODS, Method, embed
from srlab.studies.ddr.restarts import RunsIndex, runs_index, side_by_side

DIMENSIONS: dict[Method, tuple[int, ...]] = {"tsne": (2, 3), "pca": (2, 3, 10)}  # DDR, Tab. 9


def projection_indices(
    points: np.ndarray, labels: Sequence | np.ndarray, groups: Sequence | np.ndarray, *, runs: int
) -> dict[tuple[str, int], RunsIndex]:
    """Index of points (N, D) by `labels` in every projection: {("t-SNE", 2): …, ("PCA", 10): …}.

    t-SNE starts from `runs` random places; PCA has but one end. `groups` are the contents.
    """
    found = {}
    for method, numbers in DIMENSIONS.items():
        for number in numbers:
            run = partial(embed, points, method=method, dimensions=number, init="random")
            seeds = range(runs if method == "tsne" else 1)
            embeddings = side_by_side(partial(run, seed=seed) for seed in seeds)
            found[METHODS[method], number] = runs_index(embeddings, labels, groups)
    return found


def kept_neighbours(points: np.ndarray, embedding: np.ndarray, *, neighbours: int = 10) -> float:
    """Share in [0, 1] of every point's nearest `neighbours` that stay its nearest when embedded.

    `points` (N, D) and `embedding` (N, d) are the same N points.
    """
    if len(points) != len(embedding) or not 0 < neighbours < len(points):
        raise ValueError(
            f"{neighbours} neighbours of {len(points)} points with {len(embedding)} embedded: both "
            "hold the same points, more of them than neighbours"
        )
    before, after = (_nearest(own, neighbours) for own in (points, embedding))
    same = [len(np.intersect1d(a, b)) for a, b in zip(before, after, strict=True)]
    return float(np.mean(same) / neighbours)


def _nearest(points: np.ndarray, count: int) -> np.ndarray:
    """(N, count) indices of every point's nearest others."""
    distances = squareform(pdist(points))
    if not distances.any():
        raise ValueError(f"all {len(points)} points coincide: none is nearer to one than another")
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1, kind="stable")[:, :count]


def cloud_sizes(points: np.ndarray, labels: Sequence | np.ndarray) -> np.ndarray:
    """Root mean square distance (K,) of the points of each label, in order, to their centre."""
    return np.array([np.sqrt(own.var(axis=0).sum()) for own in _clouds(points, labels)])


def cloud_distances(points: np.ndarray, labels: Sequence | np.ndarray) -> np.ndarray:
    """Distances (K·(K−1)/2,) between the centres of every two labels, in order."""
    return pdist(np.stack([own.mean(axis=0) for own in _clouds(points, labels)]))


def readings(
    points: np.ndarray, embedding: np.ndarray, labels: Sequence | np.ndarray
) -> tuple[float, float, float]:
    """What one would like to read off a picture (N, d) of points (N, D) with K labels (N,).

    (share of neighbours kept, largest cloud / smallest, longest distance between clouds /
    shortest); those of the points themselves as the `embedding` are the truth.
    """
    sizes, distances = cloud_sizes(embedding, labels), cloud_distances(embedding, labels)
    kept = kept_neighbours(points, embedding)
    return kept, float(sizes.max() / sizes.min()), float(distances.max() / distances.min())


def _clouds(points: np.ndarray, labels: Sequence | np.ndarray) -> list[np.ndarray]:
    labels = np.asarray(labels)
    return [points[labels == name].astype(np.float64) for name in np.unique(labels)]


def structureless(points: np.ndarray) -> np.ndarray:
    """As many points (N, D), as wide along each coordinate, but one Gaussian cloud: no clusters.

    Shuffling coordinates would not do: a coordinate with two humps keeps them, and thus clusters.
    """
    return np.random.default_rng(0).normal(points.mean(axis=0), points.std(axis=0), points.shape)
