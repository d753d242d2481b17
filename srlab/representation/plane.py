"""A plane that was fitted once and takes in points that it never saw."""

from dataclasses import dataclass

import numpy as np

from srlab.representation.embedding import principal_components

LARGEST = 127  # of 8 bits with a sign


@dataclass(frozen=True)
class Plane:
    """Two axes in 8 bits, on which points (N, D) have places (N, 2)."""

    axes: np.ndarray  # (D, 2) int8
    step: np.ndarray  # (2,) length of an axis' 1
    origin: np.ndarray  # (2,) what lies at (0, 0)

    def places(self, points: np.ndarray) -> np.ndarray:
        """(N, 2) float64 of points (N, D), the plane's own or others."""
        return points.astype(np.float64) @ self.axes * self.step - self.origin

    def packed(self) -> bytes:
        """The axes, one after the other, a byte a dimension."""
        return self.axes.T.tobytes()


def principal_plane(points: np.ndarray) -> Plane:
    """The plane of the first two principal components of (N, D), its origin at their mean.

    Eight bits move places by about a thousandth of the plane's extent, and a quarter of the bytes
    lets a page ship it.

    >>> points = np.random.default_rng(0).normal(size=(40, 500))
    >>> principal_plane(points).places(points[:3]).shape
    (3, 2)
    """
    scores = principal_components(points, 2)
    exact = (points - points.mean(axis=0)).T.astype(np.float64) @ scores / (scores**2).sum(axis=0)
    step = np.abs(exact).max(axis=0) / LARGEST
    axes = (exact / step).round().astype(np.int8)
    (origin,) = Plane(axes, step, np.zeros(2)).places(points.mean(axis=0, keepdims=True))
    return Plane(axes, step, origin)
