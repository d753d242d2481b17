"""The switch that trains networks in a notebook instead of loading them."""

import os
import shutil

import pytest

from srlab.book.project import find_notebooks
from srlab.book.records import extract_record
from srlab.book.runner import chosen_parameters, execute
from srlab.book.twins import read_source


@pytest.mark.parametrize(("name", "settings"), [("ddr/training_evolution", {"live_steps": 20})])
def test_networks_train_in_the_notebook(name, settings, repository, tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "OMP_NUM_THREADS", "1")
    shutil.copytree(repository / "notebooks", tmp_path / "notebooks")
    shutil.copy(repository / "_toc.yml", tmp_path)
    (notebook,) = find_notebooks(tmp_path, [name])
    chosen = chosen_parameters(notebook, {"train": True, **settings}, quick=True)
    source = read_source(notebook.source)
    page = execute(source, tmp_path / "executed.ipynb", chosen, folder=tmp_path)
    record = extract_record(page)
    assert record["parameters"]["train"] is True
    assert record["checkpoints"] == []
    assert record["measured"]["CHI at the end, with GR, over seeds"] >= 0
