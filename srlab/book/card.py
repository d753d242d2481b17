"""The card that opens a finding's page: how it came out, before a reader scrolls for it."""

from collections.abc import Sequence

from srlab.book.recorded import COLUMNS, Run
from srlab.book.records import WORDS, Record
from srlab.pages.templates import markup, page
from srlab.studies.verdict import clauses_html, sentence


def card_html(record: Record, recorded: Sequence[Run]) -> str:
    """The verdict of this run in words, one number, and what recorded runs came to."""
    return page(
        "card.html",
        **WORDS,
        record=record,
        sentence=sentence(record),
        clauses=markup(clauses_html(record["checks"], headline=True)),
        columns=COLUMNS,
        runs=[run for run in recorded if run.finding == record["finding"]],
    )
