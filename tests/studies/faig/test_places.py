import numpy as np
import pytest
import torch

from srlab.studies.faig.places import depth_curve, evenness, shuffled_differences

LAYERS = [f"conv{index}" for index in range(5)]


def masks(*counts):
    """Five convolutions of 20 filters, of which the first `counts` are chosen."""
    return {
        name: (torch.arange(20) < count).reshape(4, 5)
        for name, count in zip(LAYERS, counts, strict=True)
    }


def test_the_curve_counts_filters_up_to_each_layer():
    np.testing.assert_allclose(depth_curve(masks(1, 0, 1, 0, 2)), [0.25, 0.25, 0.5, 0.5, 1])
    with pytest.raises(ValueError, match="no chosen filter"):
        depth_curve(masks(0, 0, 0, 0, 0))


def test_all_filters_are_even_and_one_layer_is_not():
    assert evenness(masks(20, 20, 20, 20, 20)) == pytest.approx(1)
    assert evenness(masks(3, 3, 3, 3, 3)) == pytest.approx(1)
    assert evenness(masks(0, 0, 9, 0, 0)) == 0
    assert 0 < evenness(masks(0, 0, 9, 9, 0)) < evenness(masks(0, 6, 6, 6, 0)) < 1


def test_shuffling_undoes_a_difference_of_depth():
    front, back = masks(10, 10, 0, 0, 0), masks(0, 0, 0, 10, 10)
    found = shuffled_differences(back, front, draws=400)
    assert found.shape == (400,)
    assert abs(found.mean()) < 0.02
    assert np.abs(found).max() < 0.75  # the difference before shuffling
    same = shuffled_differences(masks(0, 0, 9, 0, 0), masks(0, 0, 4, 0, 0), draws=3)
    np.testing.assert_array_equal(same, 0)
