"""Sweeps: plain papermill, one point after another, against `srlab sweep`; one worker against two.

Wall-clock, for the work is done in other processes: meaningful only where nothing else runs.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import papermill

from bench.row import Row
from srlab.book.points import Point, grid
from srlab.book.project import Notebook, find_notebooks, find_root
from srlab.book.sweep import run_sweep

NAME = "ddr/global_residual"
AXES: dict[str, list[Any]] = {"training_seeds": [[0], [1]], "perplexity": [4, 8, 16]}


def sweep() -> Iterator[Row]:
    """Six points of a quick notebook."""
    points = grid(find_notebooks(find_root(), [NAME]), AXES, quick=True)
    plain = _seconds(lambda folder: _plain(points, folder))
    one, two = (
        _seconds(lambda folder, workers=workers: _swept(folder, workers)) for workers in (1, 2)
    )
    words = f"sweep, {len(points)} points"
    yield Row(f"{words}, one worker", "papermill, one after another", plain, one, 0.8)
    yield Row(f"{words}, two workers", "srlab sweep, one worker", one, two, 1.5)


def _plain(points: list[Point], folder: Path) -> None:
    twin = Notebook(find_root(), NAME).twin
    for number, point in enumerate(points):
        out = folder / f"{number}.ipynb"
        papermill.execute_notebook(twin, out, parameters=point.parameters, progress_bar=False)


def _swept(folder: Path, workers: int) -> None:
    run_sweep([NAME], AXES, folder, quick=True, workers=workers, report=str, progress=False)


def _seconds(run: Any) -> float:
    with TemporaryDirectory() as folder:
        begun = time.perf_counter()
        run(Path(folder))
        return time.perf_counter() - begun
