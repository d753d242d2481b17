"""No criterion moves silently."""

import re

import pytest

from srlab.book.criteria import (
    REASONS,
    criterion_digest,
    read_register,
    register,
    stated,
    unregistered,
)
from srlab.book.project import Notebook, find_notebooks
from srlab.book.recorded import read_recorded

PLACE = r"((before )?(Sec|Tab|Fig|Eq|App)\. |[Aa]bstract|a footnote)"  # of a paper
STUDY = """
from srlab.studies.study import Study
study = Study("one", claim="It holds", source="Here", claims={"more": "it is more than 2"})
"""


def test_the_repository_is_in_step(repository):
    stale = ", ".join(unregistered(repository))
    assert not stale, f'run: python -m srlab.book.criteria "revised: why" (out of step: {stale})'


def test_every_line_says_why(repository):
    assert all(line.reason.startswith(REASONS) for line in read_register(repository))


def test_each_claim_of_a_paper_has_its_sentence(repository):
    for notebook in find_notebooks(repository):
        if (study := stated(notebook.source)) and not study.get("own_question"):
            assert study.get("says", {}).keys() == study["claims"].keys(), notebook.name
            wrong = [text for text in study["says"].values() if not re.match(PLACE, text)]
            assert not wrong, f"{notebook.name}: no section, table or figure: {wrong}"


def test_recorded_runs_were_judged_by_the_criterion_in_force(repository):
    for run in read_recorded(repository):
        study = stated(Notebook(repository, run.finding).source)
        assert {*run.record["checks"]} <= {*study["claims"].values()}, run.finding


def test_a_change_needs_a_line_of_its_own(checkout, write_notebook):
    write_notebook("one", STUDY)
    write_notebook("explorer", "print(amount)")
    assert [line.finding for line in register(checkout, "before the first run")] == ["one"]
    assert not unregistered(checkout)
    source = write_notebook("one", STUDY.replace("more than 2", "more than 1"))
    assert unregistered(checkout) == {"one": criterion_digest(source)}
    register(checkout, "revised: two was a slip")
    assert [line.reason for line in read_register(checkout)] == [
        "before the first run",
        "revised: two was a slip",
    ]
    assert not unregistered(checkout)


@pytest.mark.parametrize("reason", ["", "better", "revised: "])
def test_a_reason_is_one(checkout, reason):
    with pytest.raises(ValueError, match="a reason is"):
        register(checkout, reason)


def test_other_prose_changes_nothing(write_notebook):
    before = criterion_digest(write_notebook("one", STUDY))
    again = criterion_digest(write_notebook("one", STUDY.replace("It holds", "It stands"), "1"))
    assert before == again
