import json

import numpy as np
import pytest

from srlab.studies.study import MIME, Finding, Verdict, mean_interval, number, record

FINDING = Finding("ddr/demo", "claim", "DDR, Sec. 1", "Criterion: a < b & c.")


def judged(**checks):
    return record(FINDING, checks=checks, measured={"CHI": 12.5}, image_set="photographs")


@pytest.mark.parametrize(
    ("checks", "verdict"),
    [
        ({"a": True, "b": True}, Verdict.REPRODUCED),
        ({"a": True, "b": False}, Verdict.PARTLY),
        ({"a": False}, Verdict.NOT_REPRODUCED),
    ],
)
def test_the_checks_decide_the_verdict(checks, verdict):
    assert judged(**checks).verdict == verdict


def test_the_record_survives_json():
    bundle = judged(held=True)._repr_mimebundle_()
    values = json.loads(json.dumps(bundle[MIME]))
    assert values["finding"] == "ddr/demo"
    assert values["verdict"] == "reproduced"
    assert values["claim"] == FINDING.claim
    assert values["measured"] == {"CHI": 12.5}


def test_the_table_shows_criterion_paper_and_spread_escaped():
    page = record(
        FINDING,
        checks={"x < y": False},
        measured={"CHI": 396.2},
        interval={"CHI": (380, 410)},
        paper={"CHI": "<large>"},
        image_set="photographs",
    )._repr_mimebundle_()["text/html"]
    assert "a &lt; b &amp; c" in page
    assert "&lt;large&gt;" in page
    assert "380 to 410" in page
    assert "✘ failed: x &lt; y" in page


def test_nan_strangers_and_emptiness_are_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        record(FINDING, checks={"a": True}, measured={"CHI": float("nan")}, image_set="x")
    with pytest.raises(ValueError, match="no measurement is called PSNR"):
        record(
            FINDING,
            checks={"a": True},
            measured={"CHI": 1},
            paper={"PSNR": "30"},
            image_set="x",
        )
    with pytest.raises(ValueError, match="at least one check"):
        record(FINDING, checks={}, measured={"CHI": 1}, image_set="x")


def test_the_interval_of_a_mean_narrows_like_the_root_of_the_count():
    values = np.random.default_rng(1).normal(3, 1, 4000)
    low, high = mean_interval(values)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 / 4000**0.5, rel=0.1)
    few_low, few_high = mean_interval(values[:40])
    assert few_high - few_low == pytest.approx(10 * (high - low), rel=0.3)
    assert mean_interval(np.full(5, 2.0)) == (2.0, 2.0)


@pytest.mark.parametrize("values", [np.zeros((2, 2)), np.zeros(0), np.array([1.0, np.nan])])
def test_the_interval_of_a_mean_refuses_what_has_none(values):
    with pytest.raises(ValueError, match="one a content"):
        mean_interval(values)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.000"), (0.2134, "0.213"), (26.44, "26.4"), (1830.4, "1\u202f830"), (2e-5, "2.0e-05")],
)
def test_numbers_are_short(value, text):
    assert number(value) == text
