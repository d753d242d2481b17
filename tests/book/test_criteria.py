"""No criterion moves silently."""

import pytest

from srlab.book.criteria import REASONS, criterion_digest, read_register, register, unregistered

STUDY = """
from srlab.studies.study import Study
study = Study("one", claim="It holds", source="Here", claims={"more": "it is more than 2"})
"""


def test_the_repository_is_in_step(repository):
    stale = ", ".join(unregistered(repository))
    assert not stale, f'run: python -m srlab.book.criteria "revised: why" (out of step: {stale})'


def test_every_line_says_why(repository):
    assert all(line.reason.startswith(REASONS) for line in read_register(repository))


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
