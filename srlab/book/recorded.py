"""Runs that a build does not repeat: on the literature's pictures, with networks of others.

They are the scoreboard's other columns. `python -m srlab.book.recorded literature FOLDER COMMIT`
takes over what a sweep left in FOLDER, which ran at COMMIT.
"""

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from pyarrow import parquet

from srlab.book.project import find_notebooks, find_root
from srlab.files import replace_file
from srlab.studies.sweeps import OUTCOME, outcomes_in

TABLE = "book/recorded.parquet"
COLUMNS = {"literature": "Pictures of the literature", "others": "Networks that others trained"}


class Run(NamedTuple):
    """One recorded run of a notebook."""

    finding: str
    column: str  # one of COLUMNS
    image_set: str
    record: dict[str, Any]  # as a run of the book leaves it
    date: str = ""
    commit: str = ""
    hardware: str = ""
    seconds: float = 0.0


def read_recorded(root: Path) -> list[Run]:
    """All recorded runs, by finding, column and image set."""
    file = root / TABLE
    rows = parquet.read_table(file).to_pylist() if file.is_file() else []
    return [Run(**{**row, "record": json.loads(row["record"])}) for row in rows]


def take_over(root: Path, column: str, folder: str, commit: str) -> list[Run]:
    """Put a sweep's judged points into the table, where older ones of the same place go.

    Points of notebooks that are no more, and those that failed, are left out.
    """
    if column not in COLUMNS:
        raise ValueError(f"no column {column!r}; there are {', '.join(COLUMNS)}")
    known = {notebook.name for notebook in find_notebooks(root)}
    if not (found := outcomes_in(folder)):
        raise FileNotFoundError(f"no sweep left anything in {folder}: there is no {OUTCOME} below")
    new = [
        Run(column=column, commit=commit, image_set=one["record"]["image_set"], **_told(one))
        for one in found.values()
        if one["record"] and one["finding"] in known
    ]
    kept = {run[:3]: run for run in [*read_recorded(root), *new]}  # one for each place
    rows = [
        {**run._asdict(), "record": json.dumps(run.record, ensure_ascii=False)}
        for _, run in sorted(kept.items())
    ]
    with replace_file(root / TABLE) as temporary:
        parquet.write_table(pa.Table.from_pylist(rows), temporary, compression="zstd")
    return new


def _told(outcome: dict[str, Any]) -> dict[str, Any]:
    return {name: outcome[name] for name in ("finding", "date", "hardware", "seconds", "record")}


if __name__ == "__main__":
    for run in take_over(find_root(), *sys.argv[1:4]):
        print(run.finding, run.image_set, run.record["verdict"])
