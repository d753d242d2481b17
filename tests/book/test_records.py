"""The table of verdicts, on the scoreboard and in the README."""

import json

import pytest

from srlab.book.card import card_html
from srlab.book.project import Notebook
from srlab.book.recorded import Run, read_recorded, take_over
from srlab.book.records import (
    MARKERS,
    key_number,
    markdown_table,
    read_record,
    read_records,
    write_readme,
)
from srlab.checkpoints.files import read_provenance
from srlab.studies.verdict import number

RECORD = {
    "finding": "a/one",
    "claim": "A | [claim] of *two*",
    "source": "Euclid, I.1",
    "criterion": "ratio > 1.5",
    "verdict": "mixed",
    "checks": {"ratio > 1.5": "held", "ratio < 2": "failed"},
    "measured": {"z": 2.0, "ratio": 1830.0, "third": 0.5, "fourth": 1.0},
    "interval": {"z": [1.5, 2.5]},
    "image_set": "photographs",
    "paper": {},
    "says": {},
    "controls": {},
}


OUTCOME = {
    "finding": "a/one",
    "date": "2026-11-29",
    "hardware": "a laptop",
    "seconds": 12.5,
    "record": {**RECORD, "image_set": "b100", "verdict": "reproduced", "checks": {"x": "held"}},
}


def test_table_says_title_and_verdict(checkout, write_notebook):
    write_notebook("a/one", "print(amount)")
    row = markdown_table("findings.md", checkout, [RECORD], [], "/{}".format).splitlines()[3]
    assert row == "| [Title of a/one](/a/one) | ◐ mixed (1 of 2, headline held) | – | – |"
    own = markdown_table("findings.md", checkout, [{**RECORD, "own_question": True}], [], str)
    assert "◐ own question: in part (1 of 2, headline held)" in own


def test_a_finding_is_told_by_a_number_that_the_paper_reports_too():
    assert key_number({**RECORD, "paper": {"third": "one half"}}) == "third"
    assert key_number({**RECORD, "paper": {}}) == "z"
    assert key_number({**RECORD, "paper": {"third": "one half"}, "headline": "z"}) == "z"


def test_recorded_runs_are_columns_of_their_own(checkout, write_notebook, tmp_path):
    write_notebook("a/one", "print(amount)")
    place = tmp_path / "sweep" / "a" / "one"
    place.mkdir(parents=True)
    (place / "outcome.json").write_text(json.dumps(OUTCOME))
    stopped = {**OUTCOME, "record": None}
    for name, outcome in {"stopped": stopped, "gone": {**OUTCOME, "finding": "a/gone"}}.items():
        (place.parent / name).mkdir()
        (place.parent / name / "outcome.json").write_text(json.dumps(outcome))
    for column in ("literature", "others", "literature"):  # the last replaces the first
        (new,) = take_over(checkout, column, str(tmp_path / "sweep"), "abc1234")
    assert new.record == OUTCOME["record"]
    runs = read_recorded(checkout)
    assert [(run.column, run.image_set, run.commit) for run in runs] == [
        ("literature", "b100", "abc1234"),
        ("others", "b100", "abc1234"),
    ]
    row = markdown_table("findings.md", checkout, [RECORD], runs, str).splitlines()[3]
    assert row.endswith("| b100: ✔ reproduced | b100: ✔ reproduced |")


def test_results_stand_beside_the_papers_numbers(checkout, write_notebook):
    write_notebook("a/one", "print(amount)")
    record = {**RECORD, "paper": {"ratio": "2 to | 3", "z": "near 2"}}
    run = Run("a/one", "literature", "b100", record, "2026-11-29", "abc1234")
    table = markdown_table("results.md", checkout, [record], [run], "/{}".format)
    rows = table.splitlines()[2:]
    assert rows[0].endswith(r"](/a/one) | ratio | 2 to \| 3 | 1 830 | b100: 1 830 | – |")
    assert rows[1].startswith("| ″ | z | near 2 | 2.00 (1.50 to 2.50) | b100: 2.00 (1.50 to 2.50)")
    assert len(rows) == 2


def test_a_card_opens_a_page_with_its_verdicts():
    run = Run("a/one", "others", "b<100", RECORD, "2026-11-29", "abc1234")
    card = card_html({**RECORD, "own_question": True}, [run, run._replace(finding="a/two")])
    assert "◐ own question: in part (1 of 2, headline held)</strong> on photographs" in card
    assert "1 of 2 criteria were met; the headline was met." in card
    assert "<b>Question</b>: A | [claim] of *two*" in card
    assert "<b>Headline:</b> ratio &gt; 1.5</td><td data-outcome='held'>✔ held</td>" in card
    assert "<td>ratio &lt; 2</td><td data-outcome='failed'>✘ failed</td>" in card
    made = "networks that others trained (b&lt;100, 2026-11-29, commit abc1234)"
    assert f"{made}: ◐ mixed (1 of 2, headline held)." in card
    assert card.count("abc1234") == 1
    assert "Recorded runs" not in card_html(RECORD, [])


def test_each_network_counts_once_in_what_a_paper_cost(checkout):
    one = {"checkpoints": ["fsrcnn", "srresnet-gr@1000"], "hardware": "a laptop", "seconds": 90.0}
    two = {"checkpoints": ["srresnet-gr", "trained-here"], "hardware": "a desktop", "seconds": 30.0}
    steps = [read_provenance(name).step for name in ("fsrcnn", "srresnet-gr")]
    rows = markdown_table("compute.md", checkout, [one, two], [], str).splitlines()[2:]
    assert rows[0] == "| Networks | 2 | – |"
    assert rows[1] == f"| Training steps | {number(sum(steps))} | – |"
    assert rows[3] == "| Minutes of the pages | 2.00 | a desktop; a laptop |"


def test_only_what_a_sweep_left_is_recorded(checkout, tmp_path):
    with pytest.raises(ValueError, match="no column 'paper'; there are literature, others"):
        take_over(checkout, "paper", str(tmp_path), "abc1234")
    with pytest.raises(FileNotFoundError, match="no sweep left anything"):
        take_over(checkout, "others", str(tmp_path), "abc1234")
    assert read_recorded(checkout) == []


def test_a_notebook_that_was_not_run_has_no_record(tmp_path):
    with pytest.raises(ValueError, match="a/one has no verdict; run it with `srlab run a/one`"):
        read_record(Notebook(tmp_path, "a/one"))


def test_table_without_records_says_how_to_get_them(checkout):
    assert "make book" in markdown_table("findings.md", checkout, [], [], str)


def test_records_stand_in_the_order_of_the_syllabus(checkout, write_notebook):
    for name in ("b/two", "a/one", "a/other"):
        write_notebook(name, "print(amount)")
        record = Notebook(checkout, name).record
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(json.dumps({**RECORD, "finding": name}))
    assert [record["finding"] for record in read_records(checkout)] == ["b/two", "a/one", "a/other"]


def test_readme_changes_between_its_markers_only(checkout, write_notebook):
    write_notebook("a/one", "print(amount)")
    record = Notebook(checkout, "a/one").record
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps(RECORD))
    stranger = record.with_name("gone.json")  # of a notebook that is no more
    stranger.write_text(json.dumps(RECORD))
    assert len(read_records(checkout)) == 1
    readme = checkout / "README.md"
    readme.write_text(f"before\n{MARKERS[0]}\nold\n{MARKERS[1]}\nafter\n")
    assert write_readme(checkout)
    text = readme.read_text()
    assert text.startswith(f"before\n{MARKERS[0]}\n| Finding")
    assert text.endswith(f"{MARKERS[1]}\nafter\n")
    assert "old" not in text
    assert "notebooks/a/one.py" in text
    assert not write_readme(checkout)


def test_readme_without_markers_is_refused(checkout):
    (checkout / "README.md").write_text("nothing here")
    with pytest.raises(ValueError, match=r"README\.md needs the lines <!-- findings -->"):
        write_readme(checkout)


def test_the_readme_has_its_markers(repository):
    text = (repository / "README.md").read_text()
    assert 0 <= text.find(MARKERS[0]) < text.find(MARKERS[1])
