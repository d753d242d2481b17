"""The plane of principal components in 8 bits."""

import numpy as np
import pytest

from srlab.representation.embedding import principal_components
from srlab.representation.plane import principal_plane


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(size=(60, 2)) @ rng.normal(size=(2, 900)) + rng.normal(size=(60, 900)) / 9 + 5


def test_places_are_the_first_two_principal_components(points) -> None:
    places, exact = principal_plane(points).places(points), principal_components(points, 2)
    assert np.abs(places - exact).max() < 2e-3 * np.abs(exact).max()
    np.testing.assert_allclose(places.mean(axis=0), 0, atol=1e-9)


def test_others_fall_by_the_same_axes(points) -> None:
    plane = principal_plane(points)
    assert plane.axes.dtype == np.int8
    midway = (points[:1] + points[1:2]) / 2
    np.testing.assert_allclose(plane.places(midway)[0], plane.places(points[:2]).mean(axis=0))
    np.testing.assert_allclose(plane.places(points[7:9]), plane.places(points)[7:9], rtol=1e-12)
