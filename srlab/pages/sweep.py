"""A sweep as one HTML page: for each finding a figure and its points; no request leaves it."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.io

from srlab.files import replace_at
from srlab.pages.lam import HEAD, source
from srlab.studies.study import number
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
    sections = [_section(name, own, first=not i) for i, (name, own) in enumerate(findings.items())]
    return DOCUMENT.format(
        head=HEAD.format(title="Sweep", kind="srlab", css=source("lam.css") + CSS),
        summary=html.escape(_summary(rows)),
        sections="".join(sections),
        js=THEME,
    )


def _summary(rows: Sequence[Row]) -> str:
    outcomes = [outcome_words(own[0]) for own in by_point(rows)]
    counts = {words: outcomes.count(words) for words in OUTCOMES if words in outcomes}
    told = ", ".join(f"{count} {words}" for words, count in counts.items())
    return f"{len(outcomes)} points: {told}" if outcomes else "No point has finished."


def _section(name: str, rows: Sequence[Row], *, first: bool) -> str:
    figure = plotly.io.to_html(
        effects_figure(rows),
        full_html=False,
        include_plotlyjs=first,
        config={"displaylogo": False, "responsive": True},
    )
    heads = (varied(rows) or "point", "outcome", "checks", "measured", "s")
    head = "".join(f"<th>{html.escape(words)}</th>" for words in heads)
    lines = "".join(map(_line, by_point(rows)))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"
    return (
        f"<section><h2>{html.escape(name)}</h2>"
        f"<div class='wide'><div class='figure'>{figure}</div></div>"
        f"<details><summary>All points</summary><div class='wide'>{table}</div></details></section>"
    )


def _line(rows: Sequence[Row]) -> str:
    """A point's line of the table."""
    point = rows[0]
    measured = [f"{row['measure']}: {number(row['value'])}" for row in rows if row["measure"]]
    told = [point["error"]] if point["error"] else measured
    seconds = "" if point["seconds"] is None else f"{point['seconds']:.0f}"
    cells = (
        html.escape(point["point"]),
        outcome_words(point),
        f"{point['held']}/{point['checks']}",
        "<br>".join(html.escape(text).replace("\n", "<br>") for text in told),
        seconds,
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


CSS = """
.wide { overflow-x: auto; }
.figure { min-width: 40rem; }
table { border-collapse: collapse; }
th, td { padding: 0.2rem 0.8rem 0.2rem 0; text-align: left; vertical-align: top; }
td { border-top: 1px solid var(--line); font-size: 0.85rem; }
"""
THEME = """
const dark = matchMedia("(prefers-color-scheme: dark)");
function dress() {
  const style = getComputedStyle(document.body);
  const [ink, line] = ["--ink", "--line"].map((name) => style.getPropertyValue(name).trim());
  for (const graph of document.querySelectorAll(".plotly-graph-div")) {
    const axes = Object.keys(graph.layout).filter((key) => /^[xy]axis/.test(key));
    const lines = axes.map((axis) => [`${axis}.gridcolor`, line]);
    Plotly.relayout(graph, { "font.color": ink, ...Object.fromEntries(lines) });
  }
}
dark.addEventListener("change", dress);
dress();
"""
DOCUMENT = """{head}
<body>
<header><h1>Sweep</h1><p>{summary}</p></header>
<main>{sections}</main>
<script type="module">{js}</script>
</body>
</html>
"""
