"""What a sweep found: all its points in one table, one figure a finding, one page."""

import html
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import fsspec
import plotly.graph_objects as go
import plotly.io
import pyarrow as pa
from pyarrow import parquet

from srlab.files import replace_at
from srlab.findings import SYMBOLS, Verdict, number
from srlab.plotting import Effect, effects_over_grid
from srlab.report import HEAD, source

TABLE, PAGE = "results.parquet", "index.html"
RECORDED = Path(__file__).with_name("global_residual_sweep.parquet")  # one that the book shows
PARAMETER = "parameter."  # how the columns of what varies begin
SHOWN = 3  # measures in a figure; a notebook records the most telling ones first
DONE, FAILED = "done", "failed"  # the states of a point
UNJUDGED = "no verdict"
JUDGED = {verdict.value: f"{SYMBOLS[verdict]} {verdict}" for verdict in Verdict}
OUTCOMES = (*JUDGED.values(), UNJUDGED, FAILED)
SCHEMA = (
    *(("finding", pa.string()), ("point", pa.string()), ("state", pa.string())),
    *(("error", pa.string()), ("verdict", pa.string()), ("held", pa.int32())),
    *(("checks", pa.int32()), ("measure", pa.string()), ("value", pa.float64())),
    *(("low", pa.float64()), ("high", pa.float64()), ("seconds", pa.float64())),
    *(("memory", pa.int64()), ("date", pa.string()), ("hardware", pa.string())),
    ("versions", pa.string()),
)

Row = dict[str, Any]


def result_rows(outcomes: Iterable[Mapping[str, Any]]) -> list[Row]:
    """One row for each measurement of each point, in order; one for a point without any."""
    return [row for outcome in outcomes for row in _point_rows(outcome)]


def _point_rows(outcome: Mapping[str, Any]) -> list[Row]:
    record = outcome["record"] or {}
    checks = record.get("checks", {})
    choice = {name: _plain(value) for name, value in outcome["choice"].items()}
    point = {
        **{name: outcome.get(name) for name in ("finding", "state", "error", "seconds")},
        **{name: outcome.get(name) for name in ("memory", "date", "hardware")},
        "versions": json.dumps(outcome.get("versions")),
        "point": " · ".join(choice.values()) or "alone",
        **{f"{PARAMETER}{name}": value for name, value in choice.items()},
        "verdict": record.get("verdict"),
        "held": sum(checks.values()),
        "checks": len(checks),
    }
    spread = record.get("interval", {})
    measured = record.get("measured") or {None: None}
    return [
        {**point, "measure": name, "value": value, "low": low, "high": high}
        for name, value in measured.items()
        for low, high in [spread.get(name, (value, value))]
    ]


def told_apart(outcomes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Points of any sweeps, each with the choice that tells it from the others of its finding."""
    choices: dict[str, set[str]] = {}  # names, by finding
    values: dict[tuple[str, str], set[str]] = {}  # by finding and name
    for outcome in outcomes:
        finding = outcome["finding"]
        choices.setdefault(finding, set()).update(outcome["choice"])
        for name, value in outcome["settings"].items():
            values.setdefault((finding, name), set()).add(_plain(value))
    for (finding, name), found in values.items():
        if len(found) > 1:
            choices[finding].add(name)
    return [
        {
            **outcome,
            "choice": {
                name: value
                for name, value in outcome["settings"].items()
                if name in choices[outcome["finding"]]
            },
        }
        for outcome in outcomes
    ]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def write_results(target: str, outcomes: Sequence[Mapping[str, Any]]) -> None:
    """results.parquet and index.html below a sweep's folder or address."""
    rows = result_rows(outcomes)
    chosen = dict.fromkeys(name for row in rows for name in row if name.startswith(PARAMETER))
    schema = pa.schema([*SCHEMA, *((name, pa.string()) for name in chosen)])
    binary = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows, schema), binary, compression="zstd")
    replace_at(f"{target}/{TABLE}", binary.getvalue())
    replace_at(f"{target}/{PAGE}", results_page(rows).encode())


def read_results(path: str | Path) -> list[Row]:
    """The rows of a results.parquet, from a file or any address that fsspec opens."""
    with fsspec.open(str(path)) as binary:
        content = binary.read()
    try:
        table = parquet.read_table(pa.BufferReader(content))
    except pa.ArrowInvalid as error:
        raise ValueError(f"{path} is damaged or no Parquet table: {error}") from error
    if missing := [name for name, _ in SCHEMA if name not in table.column_names]:
        raise ValueError(f"{path} is no table of a sweep: it lacks {', '.join(missing)}")
    return table.to_pylist()


def effects_figure(rows: Sequence[Row], measures: Sequence[str] | None = None) -> go.Figure:
    """One finding's points over the grid: verdicts, and by default its first three measures."""
    wanted = measures or list(dict.fromkeys(row["measure"] for row in rows if row["measure"]))
    points = {}
    for own in _by_point(rows):
        measured = {
            row["measure"]: (row["value"], row["low"], row["high"])
            for row in own
            if row["measure"] in wanted[:SHOWN]
        }
        points[own[0]["point"]] = Effect(outcome_words(own[0]), measured)
    return effects_over_grid(points, OUTCOMES, y_title=varied(rows))


def varied(rows: Sequence[Row]) -> str:
    """The parameters that tell points apart, in the order of the points' names."""
    names = {name: 0 for row in rows for name in row if name.startswith(PARAMETER) and row[name]}
    return " · ".join(name.removeprefix(PARAMETER) for name in names)


def outcome_words(row: Row) -> str:
    """How a point came out: "✔ reproduced", "no verdict", "failed"."""
    return FAILED if row["state"] == FAILED else JUDGED.get(row["verdict"], UNJUDGED)


def results_page(rows: Sequence[Row]) -> str:
    """One self-contained HTML page: for each finding a figure and a table of its points."""
    findings: dict[str, list[Row]] = {}
    for row in rows:
        findings.setdefault(row["finding"], []).append(row)
    sections = [_section(name, own, first=not i) for i, (name, own) in enumerate(findings.items())]
    return DOCUMENT.format(
        head=HEAD.format(title="Sweep", kind="srlab", css=source("report.css") + CSS),
        summary=html.escape(_summary(rows)),
        sections="".join(sections),
        js=THEME,
    )


def _summary(rows: Sequence[Row]) -> str:
    outcomes = [outcome_words(own[0]) for own in _by_point(rows)]
    counts = {words: outcomes.count(words) for words in OUTCOMES if words in outcomes}
    told = ", ".join(f"{count} {words}" for words, count in counts.items())
    return f"{len(outcomes)} points: {told}" if outcomes else "No point has finished."


def _by_point(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows of each point."""
    groups = groupby(rows, key=lambda row: (row["finding"], row["point"]))
    return [list(own) for _, own in groups]


def _section(name: str, rows: Sequence[Row], *, first: bool) -> str:
    figure = plotly.io.to_html(
        effects_figure(rows),
        full_html=False,
        include_plotlyjs=first,
        config={"displaylogo": False, "responsive": True},
    )
    heads = (varied(rows) or "point", "outcome", "checks", "measured", "s")
    head = "".join(f"<th>{html.escape(words)}</th>" for words in heads)
    lines = "".join(map(_line, _by_point(rows)))
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
