"""The card that opens a finding's page: how it came out, before a reader scrolls for it."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

from srlab.book.recorded import COLUMNS, Run
from srlab.studies.study import SIGNS, Outcome, verdict_words


def card_html(record: Mapping[str, Any], recorded: Sequence[Run]) -> str:
    """The verdict of this run with every claim's outcome, and what recorded runs came to."""
    claims = "".join(
        f"<li>{SIGNS[Outcome(outcome)]} {outcome}: {html.escape(text)}</li>"
        for text, outcome in record["checks"].items()
    )
    runs = "".join(_run(run) for run in recorded if run.finding == record["finding"])
    return (
        f"<aside class='srlab-verdict srlab-card' data-verdict='{record['verdict']}'>"
        f"<p><strong>{_words(record)}</strong> on {html.escape(record['image_set'])}, "
        f"in the run that made this page; <a href='#verdict'>numbers</a>.</p>"
        f"<ul>{claims}</ul>{f'<p>Recorded runs:</p><ul>{runs}</ul>' if runs else ''}</aside>"
    )


def _run(run: Run) -> str:
    column = COLUMNS[run.column].lower()
    made = f"{run.image_set}, {run.date}, commit {run.commit}"
    return f"<li>{html.escape(column)} ({html.escape(made)}): {_words(run.record)}</li>"


def _words(record: Mapping[str, Any]) -> str:
    own = record.get("own_question", False)
    return html.escape(verdict_words(record["verdict"], record["checks"], own_question=own))
