from dataclasses import replace

import numpy as np
import pytest
import torch

from srlab.attribution.faig import discriminative_scores, faig
from srlab.degradations.windows import windows
from srlab.studies.faig import rankings
from srlab.studies.faig.outputs import KINDS
from srlab.studies.faig.rankings import (
    RANKINGS,
    attributions,
    fine_tuned,
    fine_tuned_along,
    flat_scores,
    scores_by_kind,
    scores_by_ranking,
)
from srlab.studies.study import Study

PICTURES = {"a": torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))}


@pytest.fixture
def cut():
    kinds = {kind: KINDS[kind] for kind in ("clean", "blur", "noise")}
    return windows(PICTURES, kinds, count=2, size=32)


def test_each_kind_of_window_is_attributed_by_itself(net, cut):
    found = attributions(net, cut, ["noise", "blur"], steps=2)
    assert list(found) == ["noise", "blur"]
    assert list(attributions(net, cut, steps=2)) == ["clean", "blur", "noise"]
    weights = (net.baseline, net.target)
    expected = faig(net.model, *weights, cut.lr["blur"], cut.hr, steps=2)
    for own in (found["blur"].scores(), scores_by_kind(net, cut, ["blur"], steps=2)["blur"]):
        np.testing.assert_array_equal(flat_scores(own), flat_scores(expected.scores()))


def test_every_ranking_scores_every_filter_for_every_kind(net, cut):
    attributed = attributions(net, cut, ["blur", "noise"], steps=2)
    found = scores_by_ranking(net, attributed, cut, steps=2, seed=3)
    assert set(found) == {(ranking, kind) for ranking in RANKINGS for kind in ("blur", "noise")}
    flat = {key: flat_scores(own) for key, own in found.items()}
    assert len({own.shape for own in flat.values()}) == 1
    blur, noise = (attributed[kind].scores() for kind in ("blur", "noise"))
    np.testing.assert_array_equal(
        flat["FAIG", "blur"], flat_scores(discriminative_scores(blur, [noise]))
    )
    np.testing.assert_allclose(flat["FAIG", "blur"], -flat["FAIG", "noise"])
    np.testing.assert_array_equal(flat["|Δθ|", "blur"], flat["|Δθ|", "noise"])
    assert (flat["random", "blur"] != flat["random", "noise"]).any()


def test_a_study_keeps_tuned_networks_and_their_starts_in_mind(net, monkeypatch):
    asked = []
    monkeypatch.setattr(rankings, "tuned", lambda *what, **how: asked.append((what, how)) or [net])
    study = Study("faig/x", claim="…", source="…", claims={"a": "…"}, device="cpu", train=True)
    assert fine_tuned(study, "after", [0]) == [net]
    assert asked == [(("after", [0]), {"train": True, "device": "cpu"})]
    fine_tuned(study, "after", [0])
    assert study.networks == ["before", "after"]


def test_along_a_training_the_start_is_kept_in_mind_once(net, monkeypatch):
    moments = {5: replace(net, name="after@5"), 9: net}
    monkeypatch.setattr(rankings, "tuned_along", lambda *_, **__: moments)
    study = Study("faig/x", claim="…", source="…", claims={"a": "…"}, device="cpu")
    assert fine_tuned_along(study, "after") is moments
    assert study.networks == ["before", "after@5", "after"]
