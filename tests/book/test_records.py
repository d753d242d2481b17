"""The table of verdicts, on the scoreboard and in the README."""

import json

import pytest

from srlab.book.project import Notebook
from srlab.book.records import (
    MARKERS,
    read_records,
    verdict_table,
    verdict_words,
    write_readme,
)

RECORD = {
    "finding": "a/one",
    "claim": "A | [claim] of *two*",
    "source": "Euclid, I.1",
    "criterion": "ratio > 1.5",
    "verdict": "mixed",
    "checks": {"ratio > 1.5": "held", "ratio < 2": "failed"},
    "measured": {"z": 2.0, "ratio": 1830.0, "third": 0.5, "fourth": 1.0},
    "interval": {"z": (1.5, 2.5)},
}


def test_table_says_claim_criterion_measure_and_verdict():
    row = verdict_table([RECORD], lambda name: f"/{name}").splitlines()[2]
    assert r"[A \| \[claim\] of \*two\*](/a/one) (Euclid, I.1)" in row
    assert "z: 2.00 (1.50 to 2.50)<br>ratio: 1\u202f830<br>third: 0.500 |" in row
    assert row.startswith("| ◐&nbsp;mixed (1 of 2, headline held) |")
    assert "fourth" not in row


def test_a_verdict_in_words_is_that_of_the_last_run(tmp_path):
    notebook = Notebook(tmp_path, "a/one")
    with pytest.raises(ValueError, match="a/one has no verdict; run it with `srlab run a/one`"):
        verdict_words(notebook)
    notebook.record.parent.mkdir(parents=True)
    notebook.record.write_text(json.dumps({**RECORD, "verdict": "not reproduced"}))
    assert verdict_words(notebook) == "✘\u00a0not\u00a0reproduced"


def test_table_without_records_says_how_to_get_them():
    assert "make book" in verdict_table([], str)


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
    assert text.startswith(f"before\n{MARKERS[0]}\n| Verdict")
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
