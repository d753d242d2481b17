"""How outcomes are worded: criterion and result apart, the headline first, long tables folded."""

import pytest

from srlab.studies.verdict import OPEN_ROWS, Outcome, sentence, verdict_html

HELD, FAILED, OPPOSITE = Outcome.HELD, Outcome.FAILED, Outcome.OPPOSITE
OPEN = Outcome.UNDECIDED


def record(**changes):
    own = {"verdict": "mixed", "checks": {"a > 1": HELD, "b > 1": FAILED}, "controls": {}}
    return {**own, "measured": {"a": 2.0}, "interval": {}, "paper": {}, **changes}


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ([HELD], "The criterion was met."),
        ([FAILED], "The criterion was not met."),
        ([HELD, HELD], "All 2 criteria were met."),
        ([OPPOSITE, HELD], "1 of 2 criteria were met; the headline came out the other way round."),
        ([FAILED, FAILED], "None of 2 criteria were met; the headline was not met."),
        (
            [FAILED, OPEN, OPEN],
            "None of 3 criteria were met; the headline was not met, 2 stayed undecided.",
        ),
    ],
)
def test_one_sentence_says_what_came_out(outcomes, said):
    assert sentence({"checks": dict(enumerate(outcomes))}) == said


def test_criterion_and_result_stand_apart():
    page = verdict_html(record())
    assert "<th>Criterion</th><th>Result</th>" in page
    assert page.index("a &gt; 1") < page.index("✔ held") < page.index("b &gt; 1")
    assert page.count("Headline:") == 1
    assert "decide nothing" not in page
    assert "decide nothing" in verdict_html(record(controls={"c": HELD}))


def test_what_the_paper_reports_comes_first_and_the_rest_is_folded():
    measured = {f"m{index}": float(index) for index in range(OPEN_ROWS + 3)}
    page = verdict_html(record(measured=measured, paper={"m8": "eight"}))
    opened, folded = page.split("<summary>3 more measurements")
    assert opened.index(">m8<") < opened.index(">m0<")
    assert ">m4<" in opened
    assert ">m5<" in folded
    assert "more measurement" not in verdict_html(record())


def test_one_more_measurement_is_no_plural():
    measured = {f"m{index}": float(index) for index in range(OPEN_ROWS + 1)}
    assert "<summary>1 more measurement<" in verdict_html(record(measured=measured))
