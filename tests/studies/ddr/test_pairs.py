import numpy as np
from sklearn.metrics import calinski_harabasz_score

from srlab.studies.ddr.spectrum import pair_separability


def test_each_pair_has_the_index_of_its_own_points_in_the_order_of_the_labels():
    rng = np.random.default_rng(0)
    labels = np.tile(["noise", "clean", "blur"], 20)
    points = rng.normal(size=(60, 2)) + np.tile([[0, 0], [1, 0], [9, 0]], (20, 1))
    matrix = pair_separability(points, labels)
    assert np.isnan(np.diagonal(matrix)).all()
    np.testing.assert_array_equal(matrix, matrix.T)
    noise_and_blur = labels != "clean"
    expected = calinski_harabasz_score(points[noise_and_blur], labels[noise_and_blur])
    np.testing.assert_allclose(matrix[0, 2], expected)
    assert matrix[0, 1] < matrix[1, 2] < matrix[0, 2]


def test_a_third_label_changes_nothing_between_two():
    rng = np.random.default_rng(1)
    labels, points = np.repeat(["a", "b", "c"], 10), rng.normal(size=(30, 3))
    two = pair_separability(points[:20], labels[:20])
    np.testing.assert_array_equal(pair_separability(points, labels)[:2, :2], two)
