from dataclasses import replace

import numpy as np
import pytest
import torch

from srlab.attribution.faig import FilterAttribution, filters_by_degradation
from srlab.degradations.windows import windows
from srlab.studies.faig.outputs import KINDS
from srlab.studies.faig.prediction import (
    Prediction,
    best_threshold,
    called,
    overlap_scores,
    predict_by_features,
    predict_by_filters,
)
from srlab.studies.faig.rankings import attributions, scores_by_kind

TWO = {kind: KINDS[kind] for kind in ("blur", "noise")}
PICTURES = {
    name: torch.rand(3, 48, 48, generator=torch.Generator().manual_seed(index))
    for index, name in enumerate("abcdefghi")
}


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


def test_a_prediction_counts_right_answers():
    truth, scores = np.array(["blur", "blur", "noise"]), {"blur": np.array([0.9, 0.2, 0.7])}
    own = Prediction(truth, np.array(["blur", "noise", "noise"]), scores, {"blur": 0.5})
    assert own.accuracy == pytest.approx(2 / 3)
    np.testing.assert_array_equal(own.detected("blur"), [True, False, False])


def parts(*names, seed=0):
    return windows({name: PICTURES[name] for name in names}, TWO, count=3, size=32, seed=seed)


def test_filters_predict_every_window_with_and_without_the_original(net):
    known, unseen = parts(*"abc"), parts(*"def", seed=1)
    masks = filters_by_degradation(scores_by_kind(net, known, steps=2), 0.2)
    asked = {"fraction": 0.2, "steps": 2}
    (told,) = predict_by_filters([net], [masks], known, unseen, **asked)
    (blind,) = predict_by_filters([net], [masks], known, unseen, **asked, original=False)
    for own in (told, blind):
        np.testing.assert_array_equal(own.truth, ["blur"] * 3 + ["noise"] * 3)
        np.testing.assert_array_equal(own.called, called(own.scores, own.thresholds))
    expected = overlap_scores(
        attributions(net, unseen, ["noise"], steps=2)["noise"], masks["blur"], 0.2
    )
    np.testing.assert_array_equal(told.scores["blur"][3:], expected)
    assert any((told.scores[kind] != blind.scores[kind]).any() for kind in TWO)


def test_all_networks_share_thresholds(net):
    known, unseen = parts(*"abc"), parts(*"def", seed=1)
    halfway = {name: (own + net.target[name]) / 2 for name, own in net.baseline.items()}
    other = replace(net, target=halfway)
    nets, asked = [net, other], {"fraction": 0.2, "steps": 2}
    masks = [filters_by_degradation(scores_by_kind(own, known, steps=2), 0.2) for own in nets]
    found = predict_by_filters(nets, masks, known, unseen, **asked)
    on_known = predict_by_filters(nets, masks, known, known, **asked)
    scores = np.concatenate([own.scores["blur"] for own in on_known])
    present = np.concatenate([own.truth == "blur" for own in on_known])
    assert {own.thresholds["blur"] for own in found} == {best_threshold(scores, present)}


def test_features_tell_blur_from_noise_on_windows_they_have_not_seen(net):
    known = [parts(*"abc"), parts(*"def", seed=1)]
    own = predict_by_features(net.model, "body.0", list(TWO), known, parts(*"ghi", seed=2))
    np.testing.assert_array_equal(own.truth, ["blur"] * 3 + ["noise"] * 3)
    assert own.accuracy == 1
