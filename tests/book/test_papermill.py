"""Papermill as people know it: a twin, from any folder, with parameters on the command line."""

import subprocess
import sys
from pathlib import Path

import nbformat

from srlab.studies.ddr import RECORDED
from srlab.studies.study import MIME

PAPERMILL = "from papermill.__main__ import papermill; papermill()"


def papermill(repository: Path, folder: Path, *words: str) -> subprocess.CompletedProcess:
    twin = repository / "notebooks" / "ddr" / "residual_everywhere.ipynb"
    command = [sys.executable, "-c", PAPERMILL, str(twin), "out.ipynb", "--no-progress-bar"]
    return subprocess.run([*command, *words], cwd=folder, capture_output=True, text=True)


def test_a_twin_runs_from_any_folder(repository, tmp_path):
    (tmp_path / "own.parquet").write_bytes(RECORDED.read_bytes())
    ran = papermill(repository, tmp_path, "-p", "results", "own.parquet")
    assert ran.returncode == 0, ran.stderr
    cells = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    (record,) = [o.data[MIME] for o in outputs if MIME in o.get("data", {})]
    assert record["image_set"] == "own.parquet"


def test_a_parameter_that_it_does_not_have_stops_it(repository, tmp_path):
    ran = papermill(repository, tmp_path, "-p", "result", "own.parquet")
    assert ran.returncode == 1
    assert "this notebook has no parameter result; it has results" in ran.stderr
