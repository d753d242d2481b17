"""What a sweep found: all its points in one table, and one figure a finding."""

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Any

import fsspec
import plotly.graph_objects as go
import pyarrow as pa
from pyarrow import parquet

from srlab.figures.dots import GridPoint, effects_over_grid
from srlab.studies.verdict import SYMBOLS, Outcome, Verdict

PARAMETER = "parameter."  # how the columns of what varies begin
SHOWN = 3  # measures in a figure; a notebook records the most telling ones first
DONE, FAILED = "done", "failed"  # the states of a point
OUTCOME = "outcome.json"  # what became of a point, in its folder
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


def outcomes_in(target: str | Path) -> dict[str, dict[str, Any]]:
    """{folder: outcome} of all points that sweeps left below a folder or address of fsspec."""
    files, root = fsspec.url_to_fs(str(target))
    found = {}
    for path in files.find(root):
        folder, _, name = path.removeprefix(f"{root}/").rpartition("/")
        if name == OUTCOME:
            with suppress(ValueError):
                found[folder] = json.loads(files.cat_file(path))
    return found


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
        "held": sum(outcome == Outcome.HELD for outcome in checks.values()),
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
    chosen = {(outcome["finding"], name) for outcome in outcomes for name in outcome["choice"]}
    values: dict[tuple[str, str], set[str]] = {}  # by finding and name
    for outcome in outcomes:
        for name, value in outcome["settings"].items():
            values.setdefault((outcome["finding"], name), set()).add(_plain(value))
    telling = chosen | {place for place, found in values.items() if len(found) > 1}

    def choice(outcome: Mapping[str, Any]) -> dict[str, Any]:
        settings, finding = outcome["settings"].items(), outcome["finding"]
        return {name: value for name, value in settings if (finding, name) in telling}

    return [{**outcome, "choice": choice(outcome)} for outcome in outcomes]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def table_bytes(rows: Sequence[Row]) -> bytes:
    """The rows as a Parquet file."""
    chosen = dict.fromkeys(name for row in rows for name in row if name.startswith(PARAMETER))
    schema = pa.schema([*SCHEMA, *((name, pa.string()) for name in chosen)])
    binary = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows, schema), binary, compression="zstd")
    return binary.getvalue()


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


def effects_figure(
    rows: Sequence[Row],
    measures: Sequence[str] | None = None,
    levels: Mapping[str, float] | None = None,
) -> go.Figure:
    """One finding's points over the grid: verdicts, and by default its first three measures.

    `levels` are dotted lines, {measure: value}.
    """
    wanted = measures or list(dict.fromkeys(row["measure"] for row in rows if row["measure"]))
    points = {}
    for own in by_point(rows):
        measured = {
            row["measure"]: (row["value"], row["low"], row["high"])
            for row in own
            if row["measure"] in wanted[:SHOWN]
        }
        points[own[0]["point"]] = GridPoint(outcome_words(own[0]), measured)
    return effects_over_grid(points, OUTCOMES, levels=levels, y_title=varied(rows))


def varied(rows: Sequence[Row]) -> str:
    """The parameters that tell points apart, in the order of the points' names."""
    names = dict.fromkeys(n for row in rows for n in row if n.startswith(PARAMETER) and row[n])
    return " · ".join(name.removeprefix(PARAMETER) for name in names)


def outcome_words(row: Row) -> str:
    """How a point came out: "✔ reproduced", "no verdict", "failed"."""
    return FAILED if row["state"] == FAILED else JUDGED.get(row["verdict"], UNJUDGED)


def by_point(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows of each point."""
    groups = groupby(rows, key=lambda row: (row["finding"], row["point"]))
    return [list(own) for _, own in groups]
