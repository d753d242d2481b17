"""The cache's key counts what outputs depend on and nothing else."""

import shutil

import pytest

from srlab.book import cache
from srlab.book.cache import PACKAGE, cache_key, digest, reached, versions
from srlab.book.project import find_notebooks
from srlab.studies.ddr import RECORDED


def test_digest_sees_names_contents_and_values(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("1")
    two.write_text("2")
    base = digest([one, two], tmp_path, "x")
    assert digest([two, one], tmp_path, "x") == base
    assert digest([one], tmp_path, "x") != base
    assert digest([one, two], tmp_path, "y") != base
    one.write_text("2")
    two.write_text("1")
    assert digest([one, two], tmp_path, "x") != base


def keys(repository):
    return {n.name: cache_key(n, {}) for n in find_notebooks(repository)}


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A copy of srlab that may be edited, in place of the installed one."""
    skip = shutil.ignore_patterns("__pycache__", "weights")
    shutil.copytree(PACKAGE, tmp_path / "srlab", ignore=skip)
    monkeypatch.setattr(cache, "PACKAGE", tmp_path / "srlab")
    monkeypatch.setattr(cache, "RUNNER", tmp_path / "srlab/book/runner.py")
    yield tmp_path / "srlab"
    clear()


def clear():
    cache.imported.cache_clear()
    cache._data.cache_clear()
    cache.face.cache_clear()


@pytest.mark.parametrize(
    ("edited", "papers"),
    [
        ("pages/lam.py", set()),
        ("pages/lam.css", set()),
        ("cli/lam.py", set()),
        ("studies/faig/effects.py", {"faig"}),
        ("studies/ddr/natural_statistics.safetensors", {"ddr"}),
        ("attribution/lam.py", {"lam"}),
        ("explorers/lam.js", {"ddr", "faig", "lam", "redsr"}),
    ],
)
def test_an_edit_runs_again_what_reaches_it(library, repository, edited, papers):
    before = keys(repository)
    with (library / edited).open("ab") as file:
        file.write(b"\n# another line")
    clear()
    after = keys(repository)
    again = {name.split("/")[0] for name in before if before[name] != after[name]}
    assert again - {"your_network"} == papers


@pytest.mark.parametrize("edited", ["book/runner.py", "images.py", "data/assets.csv"])
def test_what_all_need_runs_all_again(library, repository, edited):
    before = keys(repository)
    with (library / edited).open("ab") as file:
        file.write(b"\n")
    clear()
    after = keys(repository)
    again = {name for name in before if before[name] != after[name]}
    assert len(again) > len(before) - 5


@pytest.mark.parametrize(
    "used",
    ["import srlab\n\nfound = srlab.lam(1)", "from srlab import lam", "from srlab import lam as f"],
)
def test_a_name_of_the_face_reaches_where_it_is_defined(used, tmp_path):
    (tmp_path / "page.py").write_text(used)
    found = {file.relative_to(PACKAGE).as_posix() for file in reached(tmp_path / "page.py")}
    assert {"__init__.py", "__init__.pyi", "attribution/lam.py", "images.py"} <= found
    assert not {"attribution/faig.py", "representation/embedding.py"} & found


def test_checkpoints_count(repository):
    [notebook] = find_notebooks(repository, ["ddr/global_residual"])
    weights = set((PACKAGE / "checkpoints/weights").iterdir())
    assert weights <= reached(notebook.source)


def test_the_sweep_that_the_book_shows_counts(repository):
    [notebook] = find_notebooks(repository, ["ddr/residual_everywhere"])
    assert RECORDED in reached(notebook.source)


def test_versions_name_the_packages_that_compute_and_draw():
    assert {"python", "torch", "numpy", "plotly", "scikit-learn"} <= set(versions())
