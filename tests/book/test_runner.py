"""Running notebooks: what is run, what is kept, and what a failure leaves behind."""

import json
import os
from pathlib import Path

import nbformat
import pytest

from srlab.book import cache, runner
from srlab.book.project import Notebook
from srlab.book.runner import NotebookError, run_notebooks

FINDING = """
from srlab.studies.study import Study
study = Study("{name}", claim="two is more", source="Euclid", claims={{"more": "ratio > 1.5"}})
study.measure("ratio", amount, interval=(1, 4))
study.measure("a later one", 1)
study.verdict(more=amount / 1 > 1.5)
"""


@pytest.fixture(autouse=True)
def _settled(monkeypatch):
    """The library's key, held still: sources that change under a test are another test's matter."""
    monkeypatch.setattr(cache, "library_key", lambda: "library")


def run(root: Path, *names: str, **options):
    lines: list[str] = []
    runs = run_notebooks(names, root=root, report=lines.append, **options)
    assert len(lines) == len(runs)
    return {done.name: done.cached for done in runs}, lines


def outputs(page: Path) -> str:
    cells = nbformat.read(page, as_version=4).cells
    return "".join(
        output.get("text", "")
        for cell in cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )


@pytest.mark.parametrize(("own", "limit"), [("1", "1"), ("8", "4"), ("", "4")])
def test_kernels_keep_a_lower_limit_of_threads(own, limit, monkeypatch):
    monkeypatch.setattr(
        os, "environ", {f"{name}_NUM_THREADS": own for name in runner.THREAD_LIMITS}
    )
    runner._share_machine(4)
    assert {os.environ[f"{name}_NUM_THREADS"] for name in runner.THREAD_LIMITS} == {limit}


def test_two_at_a_time_share_the_cores(checkout, write_notebook, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    names = ("one", "two")
    for name in names:
        write_notebook(name, "import os\nprint(os.getppid(), os.environ['OMP_NUM_THREADS'])")
    assert run(checkout)[0] == dict.fromkeys(names, False)
    for name in names:
        parent, threads = outputs(Notebook(checkout, name).page).split()
        assert int(parent) != os.getpid()
        assert int(threads) == max(1, os.cpu_count() // 2)


@pytest.mark.usefixtures("here")
def test_runs_once_then_only_what_changed(checkout, write_notebook, monkeypatch):
    write_notebook("a/one", "print(amount)")
    write_notebook("two", "print(amount)")
    page = Notebook(checkout, "two").page
    assert run(checkout)[0] == {"a/one": False, "two": False}
    assert outputs(page) == "3\n"
    cached, lines = run(checkout)
    assert cached == {"a/one": True, "two": True}
    assert all("cached" in line for line in lines)
    write_notebook("two", "print(amount + 1)")
    assert run(checkout)[0] == {"a/one": True, "two": False}
    assert outputs(page) == "4\n"
    monkeypatch.setattr(
        cache, "versions", lambda: {"torch": "another"}
    )  # sources, weights, versions
    assert run(checkout, "a")[0] == {"a/one": False}
    assert run(checkout, "a")[0] == {"a/one": True}
    assert run(checkout, "a", force=True)[0] == {"a/one": False}


@pytest.mark.usefixtures("here")
def test_parameters_are_injected_and_part_of_the_key(checkout, write_notebook):
    lines = "amount = 3\nseed = 0"
    write_notebook("one", "print(amount, seed)", parameters=lines, quick='{"amount": 1}')
    page = Notebook(checkout, "one").page
    run(checkout, parameters={"seed": 7}, quick=True)
    assert outputs(page) == "1 7\n"
    kept = nbformat.read(page, as_version=4).metadata.srlab.parameters
    assert kept == {"amount": 1, "seed": 7}
    assert run(checkout, parameters={"seed": 7}, quick=True)[0] == {"one": True}
    assert run(checkout)[0] == {"one": False}
    assert outputs(page) == "3 0\n"


def test_unknown_parameters_are_refused_with_the_known_ones(checkout, write_notebook):
    write_notebook("one", "print(amount)", parameters="amount = {1: 3}  # a = b\nseed = 0")
    with pytest.raises(ValueError, match="no parameter amuont; it has amount, seed"):
        run(checkout, parameters={"amuont": 7})
    assert not Notebook(checkout, "one").page.exists()


def test_unknown_notebooks_are_refused_with_the_known_ones(checkout, write_notebook):
    write_notebook("a/one", "print(amount)")
    with pytest.raises(ValueError, match="no notebook b; there are a/one"):
        run(checkout, "b")


@pytest.mark.usefixtures("here")
def test_a_failure_tells_all_and_leaves_the_book_as_it_was(checkout, write_notebook):
    def files():
        book = checkout / "book"
        return {path: path.read_bytes() for path in book.rglob("*") if path.is_file()}

    def stop() -> str:
        write_notebook("one", "print(amount)", "secret = 6 * 7\nprint(1 / 0)")
        with pytest.raises(NotebookError) as caught:
            run(checkout)
        return str(caught.value)

    untouched, failed = files(), checkout / "_build" / "failed" / "one.ipynb"
    story = stop()
    assert files() == untouched
    assert "one stopped in cell [3]" in story
    assert "print(1 / 0)" in story
    assert "ZeroDivisionError: division by zero" in story
    assert str(failed) in story
    assert "ZeroDivisionError" in failed.read_text()

    write_notebook("one", "print(amount)")
    run(checkout)
    assert not failed.exists()
    good = files()
    stop()
    assert files() == good


@pytest.mark.usefixtures("here")
def test_a_killed_kernel_is_a_failure_with_a_name(checkout, write_notebook):
    write_notebook(
        "one", "print(amount)", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    with pytest.raises(NotebookError, match=r"one stopped: .*died.*memory"):
        run(checkout)
    assert not Notebook(checkout, "one").page.exists()
    assert outputs(Notebook(checkout, "one").failed) == "3\n"  # what ran before is kept


@pytest.mark.usefixtures("here")
def test_a_record_lies_beside_its_page_with_what_the_run_adds(checkout, write_notebook):
    write_notebook("a/one", FINDING.format(name="a/one"))
    run(checkout)
    path = Notebook(checkout, "a/one").record
    record = json.loads(path.read_text())
    assert record["verdict"] == "reproduced"
    assert list(record["measured"]) == ["ratio", "a later one"]  # in the notebook's own order
    assert record["seconds"] > 0
    assert record["hardware"]
    assert {"python", "torch", "plotly"} <= set(record["versions"])
    path.unlink()
    assert run(checkout)[0] == {"a/one": False}  # a page without its record is half a result


@pytest.mark.usefixtures("here")
def test_a_record_under_another_name_is_refused(checkout, write_notebook):
    write_notebook("one", FINDING.format(name="two"))
    with pytest.raises(NotebookError, match="one records a finding called 'two'"):
        run(checkout)
    assert not Notebook(checkout, "one").page.exists()
