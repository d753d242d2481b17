"""A sweep as one HTML page: for each finding a figure and its points; no request leaves it."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.io

from srlab.files import replace_at
from srlab.pages.templates import markup, page
from srlab.studies.verdict import number
from srlab.studies.sweeps import (
    OUTCOMES,
    Row,
    by_point,
    effects_figure,
    outcome_words,
    result_rows,
    table_bytes,
    varied,
)

TABLE, PAGE = "results.parquet", "index.html"


def write_results(target: str, outcomes: Sequence[Mapping[str, Any]]) -> None:
    """results.parquet and index.html below a sweep's folder or address."""
    rows = result_rows(outcomes)
    replace_at(f"{target}/{TABLE}", table_bytes(rows))
    replace_at(f"{target}/{PAGE}", results_page(rows).encode())


def results_page(rows: Sequence[Row]) -> str:
    """One self-contained HTML page: for each finding a figure and a table of its points."""
    findings: dict[str, list[Row]] = {}
    for row in rows:
        findings.setdefault(row["finding"], []).append(row)
    shown = {
        name: _finding(own, first=not index) for index, (name, own) in enumerate(findings.items())
    }
    return page(
        "sweep.html",
        title="Sweep",
        kind="srlab",
        summary=_summary(rows),
        findings=shown,
    )


def _summary(rows: Sequence[Row]) -> str:
    outcomes = [outcome_words(own[0]) for own in by_point(rows)]
    counts = {words: outcomes.count(words) for words in OUTCOMES if words in outcomes}
    told = ", ".join(f"{count} {words}" for words, count in counts.items())
    return f"{len(outcomes)} points: {told}" if outcomes else "No point has finished."


def _finding(rows: Sequence[Row], *, first: bool) -> dict[str, Any]:
    figure = plotly.io.to_html(
        effects_figure(rows),
        full_html=False,
        include_plotlyjs=first,
        config={"displaylogo": False, "responsive": True},
    )
    points = [_point(own) for own in by_point(rows)]
    return {"figure": markup(figure), "varied": varied(rows) or "point", "points": points}


def _point(rows: Sequence[Row]) -> dict[str, Any]:
    """A point's line of the table."""
    point = rows[0]
    measured = [f"{row['measure']}: {number(row['value'])}" for row in rows if row["measure"]]
    return {
        "name": point["point"],
        "outcome": outcome_words(point),
        "held": point["held"],
        "checks": point["checks"],
        "told": [point["error"]] if point["error"] else measured,
        "seconds": "" if point["seconds"] is None else f"{point['seconds']:.0f}",
    }
