import json

import numpy as np
import pytest

from srlab.studies.study import (
    MIME,
    Outcome,
    Study,
    Verdict,
    exceeds,
    judge,
    mean_interval,
    reaches,
    stays_below,
    together,
)
from srlab.studies.verdict import measured_words, number, verdict_words

HELD, FAILED, OPPOSITE, UNDECIDED = Outcome


def study(**changed):
    claims = {"more": "a < b & c", "less": "d > e"}
    return Study("ddr/demo", claim="claim", source="DDR, Sec. 1", claims=claims, **changed)


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        ([HELD, HELD], Verdict.REPRODUCED),
        ([HELD, FAILED], Verdict.MIXED),
        ([OPPOSITE, HELD], Verdict.MIXED),
        ([FAILED, FAILED], Verdict.NOT_REPRODUCED),
        ([FAILED, OPPOSITE], Verdict.NOT_REPRODUCED),
        ([OPPOSITE, FAILED], Verdict.OPPOSITE),
        ([FAILED, UNDECIDED], Verdict.UNDECIDED),
        ([UNDECIDED, FAILED], Verdict.UNDECIDED),
    ],
)
def test_the_claims_decide_the_verdict(outcomes, verdict):
    assert judge(dict(zip("ab", outcomes, strict=True))) is verdict


def test_controls_decide_nothing():
    own = study(controls={"linear": "on a linear projection too"})
    own.measure("CHI", 12.5)
    record = own.verdict(more=True, less=True, linear=False)
    assert record.verdict is Verdict.REPRODUCED
    assert record.controls == {"on a linear projection too": FAILED}


def test_one_measure_stands_for_the_finding():
    own = study()
    own.measure("CHI", 12.5)
    own.measure("gain", 0.5, headline=True)
    with pytest.raises(ValueError, match="'gain' or 'loss'"):
        own.measure("loss", 0.5, headline=True)
    assert own.verdict(more=True, less=True).headline == "gain"


def test_an_interval_is_given_or_computed_of_the_values_or_their_span():
    own = study()
    for name, interval in {"given": (0, 9), "computed": mean_interval, "spanned": None}.items():
        assert own.measure(name, [1.0, 2.0, 6.0], interval=interval) == 3
    assert own.interval["given"] == (0, 9)
    assert own.interval["computed"] == mean_interval(np.array([1.0, 2.0, 6.0]))
    assert own.interval["spanned"] == (1, 6)
    own.measure("alone", 3.0)
    assert "alone" not in own.interval


@pytest.mark.parametrize(
    ("judged", "above", "across", "beneath", "on"),
    [
        (reaches, HELD, UNDECIDED, FAILED, HELD),
        (stays_below, FAILED, UNDECIDED, HELD, FAILED),
        (exceeds, HELD, UNDECIDED, OPPOSITE, UNDECIDED),
    ],
)
def test_an_interval_decides_by_its_two_ends(judged, above, across, beneath, on):
    found = [judged(one, 20) for one in ((21, 30), (19, 30), (1, 19), (20, 20))]
    assert found == [above, across, beneath, on]
    for wrong in ((30, 19), (float("nan"), 1)):
        with pytest.raises(ValueError, match="is no interval"):
            judged(wrong, 20)


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([HELD, True], HELD),
        ([HELD, UNDECIDED], UNDECIDED),
        ([HELD, OPPOSITE], FAILED),
        ([UNDECIDED, False], FAILED),
        ([OPPOSITE, OPPOSITE], OPPOSITE),
        ([], UNDECIDED),
    ],
)
def test_a_clause_of_several_parts_holds_only_whole(parts, whole):
    assert together(*parts) is whole


def test_our_own_questions_are_answered_not_reproduced():
    own = study(own_question=True)
    own.measure("CHI", 12.5)
    assert (
        "own question: no" in own.verdict(more=False, less=False)._repr_mimebundle_()["text/html"]
    )
    asked = {"verdict": "reproduced", "checks": {}, "own_question": True}
    assert verdict_words(asked) == "✔ own question: yes"
    assert verdict_words({**asked, "verdict": "mixed", "checks": {"a": HELD, "b": FAILED}}) == (
        "◐ own question: in part (1 of 2, headline held)"
    )


def test_a_claim_shows_what_the_paper_says():
    own = study(says={"more": "Sec. 1: “more is more”"})
    assert (
        "a &lt; b &amp; c<br><small>The paper, Sec. 1: “more is more”</small>" in own._repr_html_()
    )
    own.measure("CHI", 12.5)
    assert own.verdict(more=True, less=True).says == {"a < b & c": "Sec. 1: “more is more”"}
    with pytest.raises(ValueError, match="belongs to claims, not to other"):
        study(says={"other": "…"})


@pytest.mark.parametrize("outcomes", [{"more": True}, {"more": True, "less": True, "new": True}])
def test_only_what_was_stated_is_judged(outcomes):
    own = study()
    own.measure("CHI", 12.5)
    with pytest.raises(ValueError, match="judges what was stated before: missing"):
        own.verdict(**outcomes)


def test_what_stays_open_is_not_judged():
    own = study()
    own.measure("CHI", 12.5)
    assert own.verdict(more=True, less=None).checks == {"a < b & c": HELD}
    with pytest.raises(ValueError, match="judges none of its claims"):
        own.verdict(more=None, less=None)


def test_the_record_survives_json():
    own = study(image_set="photographs")
    own.measure("CHI", [12, 13])
    own.networks.append("edsr")
    bundle = own.verdict(more=True, less=np.True_, notes={"left out": []})._repr_mimebundle_()
    values = json.loads(json.dumps(bundle[MIME]))
    assert values["finding"] == "ddr/demo"
    assert values["verdict"] == "reproduced"
    assert values["checks"] == {"a < b & c": "held", "d > e": "held"}
    assert values["measured"] == {"CHI": 12.5}
    assert values["interval"] == {"CHI": [12, 13]}
    assert (values["image_set"], values["checkpoints"]) == ("photographs", ["edsr"])
    assert values["parameters"] == {"left out": []}


def test_what_was_trained_here_is_no_checkpoint():
    own = study(train=True)
    own.networks.append("edsr")
    own.measure("CHI", 1)
    assert own.verdict(more=True, less=True).checkpoints == []


def test_the_page_shows_claims_paper_and_spread_escaped():
    own = study()
    assert "a &lt; b &amp; c" in own._repr_html_()
    own.measure("CHI", 396.2, interval=(380, 410), paper="<large>")
    page = own.verdict(more=False, less=True)._repr_mimebundle_()["text/html"]
    assert "&lt;large&gt;" in page
    assert "380 to 410" in page
    assert "<b>Headline:</b> a &lt; b &amp; c</td><td data-outcome='failed'>✘ failed</td>" in page
    assert "mixed (1 of 2, headline failed)" in page


def test_one_number_has_no_spread_and_several_have_theirs():
    own = study()
    assert own.measure("one", 3) == 3
    assert own.measure("two", np.array([1.0, 3.0])) == 2
    own.measure("alone", [5])
    assert own.interval == {"two": (1, 3), "alone": (5, 5)}


@pytest.mark.parametrize("values", [float("nan"), [1, float("inf")], []])
def test_what_is_no_number_is_no_measurement(values):
    with pytest.raises(ValueError, match="no measurement"):
        study().measure("CHI", values)


def test_nothing_is_measured_twice_judged_without_measures_or_claimless():
    own = study()
    with pytest.raises(ValueError, match="measured nothing"):
        own.verdict(more=True, less=True)
    own.measure("CHI", 1)
    with pytest.raises(ValueError, match="twice"):
        own.measure("CHI", 1)
    with pytest.raises(ValueError, match="at least one claim"):
        Study("ddr/demo", claim="", source="", claims={})
    with pytest.raises(ValueError, match="claim and control at once"):
        study(controls={"more": "again"})


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
    [(0, "0.000"), (0.2134, "0.213"), (26.44, "26.4"), (1830.4, "1\u202f830"), (-2e-5, "−2.0e−05")],
)
def test_numbers_are_short(value, text):
    assert number(value) == text


def test_a_spread_is_shown_where_there_is_one():
    record = {"measured": {"a": 2.0, "b": 3.0, "c": 4.0}}
    record["interval"] = {"a": (1.5, 2.5), "b": (3.0, 3.0)}
    assert [measured_words(record, name) for name in "abc"] == [
        "2.00 (1.50 to 2.50)",
        "3.00",
        "4.00",
    ]
