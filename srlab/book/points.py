"""One point of a sweep: a notebook under one choice of parameters, run where a worker is."""

import hashlib
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import fsspec
import nbformat
import papermill
from nbformat import NotebookNode

from srlab.book.cache import cache_key, library_key, versions
from srlab.book.memory import MemoryLimit
from srlab.book.project import Notebook
from srlab.book.records import extract_record
from srlab.book.runner import chosen_parameters, execute, known_parameters, what_stopped
from srlab.files import replace_at
from srlab.studies.parameters import check_given
from srlab.studies.sweeps import DONE, FAILED, OUTCOME

EXECUTED = "notebook.ipynb"  # beside the outcome
LONGEST = 80  # letters of a folder's name that say the choice

Outcome = dict[str, Any]


@dataclass(frozen=True)
class Point:
    """A notebook and what replaces its parameters."""

    name: str  # "ddr/global_residual"
    choice: dict[str, Any]  # of the parameters that the sweep varies
    parameters: dict[str, Any]  # all that is replaced
    defaults: dict[str, Any]  # of all parameters
    key: str  # equal keys mean equal outputs

    @property
    def settings(self) -> dict[str, Any]:
        """All parameters, in the notebook's order: what tells this point from any other."""
        return {**self.defaults, **self.parameters}

    @property
    def folder(self) -> str:
        """Where its results lie below the sweep's: "ddr/global_residual/image_set=b100-3f9a…".

        Named for what is not as usual; whatever else a sweep varies, equal points have one place.
        """
        settings = self.settings
        unusual = {n: v for n, v in settings.items() if _text(v) != _text(self.defaults[n])}
        digest = hashlib.sha256(_text(settings).encode()).hexdigest()
        words = re.sub(r"[^\w.,=+-]+", "", _said(unusual, ","))[:LONGEST]
        return f"{self.name}/{words}-{digest[:8]}"

    @property
    def words(self) -> str:
        """Name and choice, for people."""
        return f"{self.name} ({_said(self.choice, ', ')})" if self.choice else self.name

    def outcome(self, *, error: str | None, record: Any = None, **measured: Any) -> Outcome:
        """What became of it: a record, or an error that says why there is none."""
        return {
            "finding": self.name,
            "choice": self.choice,
            "parameters": self.parameters,
            "settings": self.settings,
            "key": self.key,
            "state": FAILED if error else DONE,
            "error": error,
            "record": record,
            **measured,
        }


def grid(
    notebooks: Sequence[Notebook], axes: Mapping[str, Sequence[Any]], *, quick: bool = False
) -> list[Point]:
    """All combinations of the axes' values, for each notebook; refuses what one does not take.

    Equal combinations are one point.
    """
    varied = [name for name, values in axes.items() if len({_text(value) for value in values}) > 1]
    points: dict[str, Point] = {}
    for notebook in notebooks:
        known = known_parameters(notebook)
        for values in product(*axes.values()):
            given = dict(zip(axes, values, strict=True))
            check_given(given, known, name=notebook.name)
            parameters = chosen_parameters(notebook, given, quick=quick)
            key = cache_key(notebook, parameters)
            choice = {name: given[name] for name in varied}
            point = Point(notebook.name, choice, parameters, known, key)
            points.setdefault(point.folder, point)
    return [*points.values()]


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _said(choice: Mapping[str, Any], between: str) -> str:
    return between.join(f"{name}={value}" for name, value in choice.items())


def read_outcome(target: str, point: Point) -> Outcome | None:
    """What an earlier run left for this very point; None for nothing, or for something else."""
    files, root = fsspec.url_to_fs(target)
    try:
        outcome = json.loads(files.cat_file(f"{root}/{point.folder}/{OUTCOME}"))
    except (FileNotFoundError, ValueError):
        return None
    return {**outcome, "choice": point.choice} if outcome.get("key") == point.key else None


def run_point(
    point: Point,
    source: NotebookNode,
    target: str,
    library: str,
    memory: int | None,
    home: Path | None = None,
) -> Outcome:
    """Execute one point and leave its notebook and outcome below `target`, any fsspec address.

    A point that stops is an outcome too, with its cell and error. `library` is the key of the
    srlab that asks, `memory` the bytes that the notebook may take. Its parameters are read
    relative to the folder `home`, where this machine has it. The outcome is written last: where
    there is one, the point is finished.
    """
    from srlab.devices import hardware  # loads torch, which the process that asks does without

    if library != library_key():
        told = ", ".join(f"{name} {version}" for name, version in versions().items())
        raise RuntimeError(
            "this worker has another srlab, or other packages, than the machine that asked; "
            f"install the same there. It has {told}"
        )
    start, record, error = time.perf_counter(), None, None
    with TemporaryDirectory() as folder, MemoryLimit(memory) as limit:
        copy = Path(folder) / EXECUTED
        try:
            there = home if home and home.is_dir() else Path(folder)
            page = execute(source, copy, point.parameters, folder=there)
            record = extract_record(page)
        except (papermill.PapermillExecutionError, RuntimeError) as stopped:
            error = limit.story or what_stopped(stopped)
            page = nbformat.read(copy, as_version=4) if copy.is_file() else source
    outcome = point.outcome(
        error=error,
        record=record,
        seconds=round(time.perf_counter() - start, 1),
        memory=limit.peak,
        date=datetime.now(UTC).date().isoformat(),
        versions=versions(),
        hardware=hardware(),
    )
    told = json.dumps(outcome, indent=1, ensure_ascii=False)
    for name, text in {EXECUTED: nbformat.writes(page), OUTCOME: told}.items():
        replace_at(f"{target}/{point.folder}/{name}", text.encode())
    return outcome
