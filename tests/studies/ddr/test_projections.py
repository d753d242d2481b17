import numpy as np
import pytest

from srlab.representation.embedding import principal_components, separability
from srlab.studies.ddr.projections import (
    cloud_distances,
    cloud_sizes,
    kept_neighbours,
    projection_indices,
    readings,
    structureless,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_a_turned_picture_keeps_all_neighbours_and_a_shuffled_one_few(rng):
    points = rng.normal(size=(60, 5))
    turn, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    assert kept_neighbours(points, 2 * points @ turn + 1) == 1
    assert kept_neighbours(points, rng.permutation(points)) < 0.4
    assert kept_neighbours(points, points[:, :3]) > kept_neighbours(points, points[:, :1])
    with pytest.raises(ValueError, match="60 neighbours of 60 points with 60 embedded"):
        kept_neighbours(points, points, neighbours=60)
    with pytest.raises(ValueError, match="all 60 points coincide"):
        kept_neighbours(np.ones((60, 5)), points)


def test_sizes_and_distances_are_those_of_the_clouds():
    square = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1.0]])
    points = np.concatenate([square, 3 * square + np.array([10, 0]), square + np.array([0, 5])])
    labels = np.repeat(["a", "b", "c"], 4)
    np.testing.assert_allclose(cloud_sizes(points, labels), np.sqrt([2, 18, 2]))
    np.testing.assert_allclose(cloud_distances(points, labels), [10, 5, np.sqrt(125)])


def test_the_truth_is_read_off_the_points_and_a_stretched_picture_tells_another_story():
    square = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1.0]])
    points = np.concatenate([square, 3 * square + np.array([10, 0]), square + np.array([0, 5])])
    labels = np.repeat(["a", "b", "c"], 4)
    np.testing.assert_allclose(readings(points, points, labels), [1, 3, np.sqrt(125) / 5])
    flat = readings(points, points * [1, 10], labels)
    np.testing.assert_allclose(flat[1:], [3, np.hypot(10, 50) / 10])
    assert flat[0] < 1


def test_nothing_is_left_of_the_structure_but_its_widths(rng):
    apart = np.where(np.arange(400) % 2, 5.0, -5.0)[:, None] * [1, 2, 0.1] + rng.normal(size=3)
    mixed = structureless(apart)
    np.testing.assert_allclose(mixed.std(axis=0), apart.std(axis=0), rtol=0.1)
    np.testing.assert_allclose(mixed.mean(axis=0), apart.mean(axis=0), atol=2)
    assert abs(np.corrcoef(mixed.T)[0, 1]) < 0.15
    assert (np.abs(mixed[:, 0] - mixed[:, 0].mean()) < 2).mean() > 0.2  # full where there was a gap
    np.testing.assert_array_equal(mixed, structureless(apart))


def test_every_projection_has_its_index(rng):
    points, labels = rng.normal(size=(45, 12)), np.tile([0, 1, 2], 15)
    points[:, :2] += 4 * np.eye(3)[labels][:, :2]
    found = projection_indices(points, labels, np.arange(45), runs=2)
    assert {place: len(own.values) for place, own in found.items()} == {
        ("t-SNE", 2): 2,
        ("t-SNE", 3): 2,
        ("PCA", 2): 1,
        ("PCA", 3): 1,
        ("PCA", 10): 1,
    }
    plane = principal_components(points)[:, :2]
    assert found["PCA", 2].mean == pytest.approx(separability(plane, labels).index, rel=1e-4)
    assert found["PCA", 2].mean > found["PCA", 3].mean > found["PCA", 10].mean
