"""The card that opens a finding's page: how it came out, before a reader scrolls for it."""

from collections.abc import Sequence

from srlab.book.recorded import COLUMNS, Run
from srlab.book.records import Record, key_number
from srlab.pages.templates import markup, page
from srlab.studies.verdict import clauses_html, measured_words, sentence, verdict_words


def card_html(record: Record, recorded: Sequence[Run]) -> str:
    """The verdict of this run in words, one number, and what recorded runs came to."""
    name = key_number(record)
    runs = [
        {
            **run._asdict(),
            "column": COLUMNS[run.column].lower(),
            "words": verdict_words(run.record),
        }
        for run in recorded
        if run.finding == record["finding"]
    ]
    return page(
        "card.html",
        record={"own_question": False, **record},
        words=verdict_words(record),
        sentence=sentence(record),
        measure=name,
        number=measured_words(record, name),
        said=record["paper"].get(name, ""),
        clauses=markup(clauses_html(record["checks"], headline=True)),
        runs=runs,
    )
