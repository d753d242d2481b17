import numpy as np
import pytest
import torch

from srlab.attribution.faig import FilterAttribution
from srlab.studies.faig.prediction import best_threshold, called, overlap_scores


def test_each_image_is_scored_by_its_own_filters():
    magnitude = {"conv": torch.tensor([[[4.0, 3, 0, 0]], [[0, 5.0, 6, 0]], [[0, 0, 1.0, 2]]])}
    found = FilterAttribution(magnitude, magnitude, *(np.zeros(3) for _ in range(4)))
    discriminative = {"conv": torch.tensor([[True, True, False, False]])}
    np.testing.assert_array_equal(overlap_scores(found, discriminative, 0.5), [1, 0.5, 0])


def test_the_threshold_lies_between_the_two_kinds():
    scores = np.array([0.1, 0.2, 0.6, 0.9])
    assert best_threshold(scores, np.array([False, False, True, True])) == pytest.approx(0.4)
    noisy = np.array([0.1, 0.7, 0.6, 0.9])  # one without scores higher than one with
    assert 0.1 < best_threshold(noisy, np.array([False, False, True, True])) < 0.9
    with pytest.raises(ValueError, match="with the degradation and images without"):
        best_threshold(scores, np.ones(4, bool))


def test_both_kinds_count_equally():
    scores = np.array([0.0, 0.3, 0.3, 0.3, 0.3, 0.5])
    present = np.array([False, False, False, True, False, True])
    assert best_threshold(scores, present) == pytest.approx(0.4)


def test_the_widest_margin_is_called():
    scores = {"blur": np.array([0.6, 0.2, 0.1]), "noise": np.array([0.7, 0.5, 0.2])}
    names = called(scores, {"blur": 0.3, "noise": 0.5})
    np.testing.assert_array_equal(names, ["blur", "noise", "blur"])
