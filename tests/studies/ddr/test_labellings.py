import numpy as np
import pytest
import torch

from srlab.data.datasets import Pairs
from srlab.degradations import Degradation
from srlab.representation.embedding import separability
from srlab.studies.ddr.labellings import both_indices, class_ratio, sample_row


@pytest.fixture
def pairs():
    """20 contents of two pictures, clean and blurred; patch i is of brightness i / 39."""
    lr = (torch.arange(40.0) / 39).reshape(-1, 1, 1, 1).expand(-1, 3, 4, 4)
    degradations = (Degradation(), Degradation(blur_sigma=1))
    return Pairs(lr, lr[::2], degradations, tuple(10 * "a" + 10 * "b"))


def test_points_sorted_by_degradation_have_a_ratio_below_one(pairs):
    noise = np.random.default_rng(0).normal(size=(40, 2))
    points = noise + 9 * np.tile([[0, 0], [1, 0]], (20, 1))
    found = both_indices(points, pairs)
    assert found["by class"] == separability(points, np.repeat(["a", "b"], 20)).index
    assert found["by degradation"] == separability(points, np.tile(["clean", "blur"], 20)).index
    ratio, low, high = class_ratio(points, pairs)
    assert ratio == pytest.approx(found["by class"] / found["by degradation"])
    assert low < ratio < 1
    assert high < 1
    turned = noise + 9 * np.repeat([[0, 0], [1, 0]], 20, axis=0)
    assert class_ratio(turned, pairs)[1] > 1


def test_a_sample_shows_the_same_contents_under_each_degradation(pairs):
    rows = sample_row(pairs, 2)
    assert [*rows] == [str(degradation) for degradation in pairs.degradations]
    clean, blurred = rows.values()
    assert clean.shape == (4, 8, 3)
    assert clean[0, ::4, 0].tolist() == [0, round(255 * 38 / 39)]
    assert blurred[0, ::4, 0].tolist() == [round(255 / 39), 255]
