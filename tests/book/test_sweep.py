"""A sweep: all points of a grid, each once, whatever befalls a point, a worker or the whole run."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from srlab.book import sweep
from srlab.book.cache import library_key
from srlab.book.memory import MemoryLimit
from srlab.book.points import grid, read_outcome, run_point
from srlab.book.project import Notebook, find_notebooks
from srlab.book.runner import run_notebooks
from srlab.book.sweep import run_sweep
from srlab.book.twins import read_source
from srlab.pages.sweep import TABLE
from srlab.studies.sweeps import read_results

PARAMETERS = 'amount = 3\nseeds = [0]\nmark = ""'
FINDING = """
from srlab.studies.study import Study
study = Study("{name}", claim="more is more", source="Euclid", claims={{"more": "amount > 1.5"}})
study.measure("amount", amount, interval=(amount - 1, amount + 1))
study.measure("of seeds", sum(seeds))
study.verdict(more=amount > 1.5)
"""
THREADS = "import os\nassert os.environ['OMP_NUM_THREADS'] == '1'"
STOPS = "print(1 / (amount - 2))"
KILLS_ITS_WORKER = """
import os, pathlib, signal, time
if mark and not pathlib.Path(mark).exists():
    pathlib.Path(mark).touch()
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)
"""
WAITS = "import time\ntime.sleep(0 if amount == 1 else 60 * bool(mark))"


def swept(root: Path, target: Path, axes, names=(), **options):
    lines: list[str] = []
    outcomes = run_sweep(
        names, axes, target, root=root, report=lines.append, progress=False, **options
    )
    return outcomes, lines


def kernels(mark: str) -> list[int]:
    """The notebooks' processes that have this mark in their environment."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if mark in process.environ() and "ipykernel_launcher" in process.cmdline():
                found.append(process.pid)
    return found


@pytest.fixture
def study(write_notebook, checkout, monkeypatch):
    """Two notebooks: "plain" always runs, "frail" stops where amount is 2."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    write_notebook("plain", THREADS, FINDING.format(name="plain"), parameters=PARAMETERS)
    cells = (STOPS, KILLS_ITS_WORKER, FINDING.format(name="frail"))
    write_notebook("frail", *cells, parameters=PARAMETERS)
    return checkout


def test_every_point_is_run_once_whatever_befalls_others(study, tmp_path, monkeypatch):
    monkeypatch.setenv("SRLAB_SWEPT", "1")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)  # two workers on two cores: a thread each
    target, mark = tmp_path / "out", tmp_path / "mark"
    axes, environment = {"amount": [1, 2, 3], "mark": [str(mark)]}, dict(os.environ)
    outcomes, lines = swept(study, target, axes, workers=2)
    assert os.environ == environment

    assert not kernels("SRLAB_SWEPT")  # that of the killed worker neither
    assert mark.exists()  # a worker was killed, replaced, and its point repeated
    states = {(own["finding"], own["choice"]["amount"]): own["state"] for own in outcomes}
    assert states == {
        **{("plain", amount): "done" for amount in (1, 2, 3)},
        ("frail", 1): "done",
        ("frail", 2): "failed",
        ("frail", 3): "done",
    }
    assert lines[0] == "6 points, 0 of them done before"
    (story,) = [line for line in lines if "stopped" in line]
    assert story.startswith("frail (amount=2) stopped in cell [3]:\n    print(1 / (amount - 2))")
    assert story.endswith("ZeroDivisionError: division by zero")
    assert all(own["seconds"] > 0 and own["memory"] > 0 for own in outcomes)

    page = (target / "index.html").read_text()
    assert "4 ✔" not in page
    assert "3 ✔ reproduced" in page
    assert "2 ✘ not reproduced" in page
    assert "1 failed" in page
    rows = read_results(target / TABLE)
    kept = {(row["finding"], row["parameter.amount"], row["measure"]): row for row in rows}
    assert kept["plain", "3", "amount"]["value"] == 3
    assert kept["plain", "3", "amount"]["low"] == 2
    assert kept["frail", "2", None]["error"] in story

    finished = {path: path.stat().st_mtime_ns for path in target.rglob("outcome.json")}
    assert len(finished) == 6
    again, lines = swept(study, target, axes, workers=1)
    assert lines[0] == "6 points, 5 of them done before"
    changed = [path for path, then in finished.items() if path.stat().st_mtime_ns != then]
    assert ["frail" in path.parts for path in changed] == [True]
    assert [own["record"] for own in again] == [own["record"] for own in outcomes]

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    given = {"amount": 3, "mark": str(mark)}
    run_notebooks(["plain"], root=study, parameters=given, report=lines.append)
    serial = json.loads(Notebook(study, "plain").record.read_text())
    (record,) = [
        own["record"]
        for own in outcomes
        if (own["finding"], own["choice"]["amount"]) == ("plain", 3)
    ]
    assert {name: serial[name] for name in record} == record


def test_an_interrupted_sweep_keeps_what_finished_and_goes_on(study, tmp_path, write_notebook):
    write_notebook("slow", WAITS, FINDING.format(name="slow"), parameters=PARAMETERS)
    target = tmp_path / "out"
    words = ["slow", "-p", "amount=1", "-p", "amount=2", "--out", str(target), "--workers", "1"]
    run = [sys.executable, "-c", "from srlab.cli import main; main()", "sweep", *words]
    started = subprocess.Popen(
        [*run, "-p", "mark=wait"],
        cwd=study,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # in the background, as CI may run this, Ctrl-C is ignored unless it is restored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        deadline = time.monotonic() + 60
        while not list(target.rglob("outcome.json")) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1)
        os.killpg(started.pid, signal.SIGINT)  # what Ctrl-C sends, to all of them
        _, told = started.communicate(timeout=30)
    finally:
        if started.poll() is None:
            os.killpg(started.pid, signal.SIGKILL)
            started.communicate()
    assert started.returncode == 130, told
    assert told.endswith("Stopped. Finished points stay; the same command does the others.\n")
    assert "Traceback" not in told
    assert {row["parameter.amount"] for row in read_results(target / TABLE)} == {"1"}
    (first,) = target.rglob("outcome.json")
    then = first.stat().st_mtime_ns
    points = grid(find_notebooks(study, ["slow"]), {"amount": [1, 2], "mark": ["wait"]})
    assert read_outcome(str(target), points[0])["state"] == "done"
    assert read_outcome(str(target), points[1]) is None
    assert first.stat().st_mtime_ns == then


def test_what_a_notebook_does_not_take_is_refused_before_any_runs(study, tmp_path):
    for axes, words in [
        ({"amuont": [1]}, "frail has no parameter amuont; it has amount, seeds, mark"),
        ({"seeds": [5, [1]]}, r"frail takes seeds as a list such as \[0\], got 5"),
    ]:
        with pytest.raises(ValueError, match=words):
            swept(study, tmp_path / "out", axes)
    assert not (tmp_path / "out").exists()


def test_another_sweep_on_this_machine_is_not_in_the_way(study, tmp_path):
    with socket.socket() as other:
        with suppress(OSError):  # somebody's Dask has it already
            other.bind(("", 8787))  # where Dask would have its dashboard
            other.listen()
        (outcome,), _ = swept(study, tmp_path / "out", {"amount": [3]}, ["plain"])
    assert outcome["state"] == "done", outcome["error"]


def test_a_scheduler_that_does_not_answer_is_told(study, tmp_path, monkeypatch):
    monkeypatch.setitem(sweep.QUIET, "distributed.comm.timeouts.connect", "1s")
    with pytest.raises(OSError, match=r"tcp://127\.0\.0\.1:9"):
        swept(study, tmp_path / "out", {"amount": [1]}, scheduler="tcp://127.0.0.1:9")


def test_points_of_a_changed_notebook_are_other_points(study, write_notebook):
    def point():
        return grid(find_notebooks(study, ["plain"]), {"amount": [1]})[0]

    before = point()
    write_notebook("plain", FINDING.format(name="plain"), parameters=PARAMETERS)
    assert before.folder == point().folder
    assert before.key != point().key


def test_folders_say_what_is_not_as_usual_and_never_meet(study):
    axes = {"seeds": [[0], [1], [0, 1]], "mark": ["a/b", "ab"], "amount": [7]}
    points = grid(find_notebooks(study, ["plain"]), axes)
    assert len({point.folder for point in points}) == 6
    assert points[0].folder.startswith("plain/amount=7,mark=ab-")
    assert points[2].folder.startswith("plain/amount=7,seeds=1,mark=ab-")
    assert points[0].words == "plain (seeds=[0], mark=a/b)"


def test_a_points_place_is_all_its_parameters_whatever_the_sweep_varies(study):
    plain = find_notebooks(study, ["plain"])

    def places(**axes):
        return [point.folder for point in grid(plain, axes)]

    assert places(amount=[1, 1]) == places(amount=[1]) == places(amount=[1], seeds=[[0]])
    assert places(amount=[1, 2])[1:] == places(amount=[2])
    assert places(amount=[3]) == places()
    assert not {*places(amount=[1, 2])} & {*places(amount=[1, 2], seeds=[[5]])}
    (alone,) = grid(plain, {"amount": [1, 1]})
    assert alone.words == "plain"


def test_a_second_sweep_into_a_folder_keeps_the_first_and_shows_both(study, tmp_path):
    target = tmp_path / "out"
    swept(study, target, {"amount": [1, 1]}, ["plain"])
    (first,) = target.rglob("outcome.json")
    then = first.read_text()
    _, lines = swept(study, target, {"amount": [2], "seeds": [[5]]}, ["plain"])
    assert lines == ["1 points, 0 of them done before"]
    _, lines = swept(study, target, {"amount": [1]}, ["plain"])
    assert lines == ["1 points, 1 of them done before"]
    assert first.read_text() == then
    rows = read_results(target / TABLE)
    told = {(row["parameter.amount"], row["parameter.seeds"], row["measure"]) for row in rows}
    assert {own[:2] for own in told} == {("1", "[0]"), ("2", "[5]")}
    assert "2 points: " in (target / "index.html").read_text()


def test_modules_and_files_are_looked_for_where_the_command_is_given(
    write_notebook, checkout, tmp_path, monkeypatch
):
    reader = tmp_path / "reader"
    reader.mkdir()
    (reader / "own_network.py").write_text("layers = 7")
    (reader / "weights.txt").write_text("0.5")
    code = "import importlib\nprint(importlib.import_module(module).layers, open(weights).read())"
    write_notebook("your", code, parameters='module = ""\nweights = ""')
    monkeypatch.chdir(reader)
    given = {"module": "own_network", "weights": "weights.txt"}
    run_notebooks(["your"], root=checkout, parameters=given, report=lambda _line: None)
    axes = {name: [value] for name, value in given.items()}
    (outcome,), _ = swept(checkout, Path("out"), axes, ["your"])
    assert outcome["state"] == "done", outcome["error"]
    (point,) = (reader / "out").rglob("notebook.ipynb")
    for page in (Notebook(checkout, "your").page, point):
        assert "7 0.5" in page.read_text()
    assert sorted(path.name for path in reader.iterdir() if path.name != "__pycache__") == [
        "out",
        "own_network.py",
        "weights.txt",
    ]


def one_point(study):
    (notebook,) = find_notebooks(study, ["plain"])
    (point,) = grid([notebook], {"amount": [1]})
    return point, read_source(notebook.source)


def test_a_notebook_that_takes_too_much_memory_is_an_outcome(study, tmp_path):
    outcome = run_point(*one_point(study), str(tmp_path / "out"), library_key(), 2**20)
    assert outcome["state"] == "failed"
    assert outcome["error"].startswith("needed more than 0.0 GiB of memory and was stopped")
    assert outcome["record"] is None


def test_a_worker_with_another_srlab_refuses(study, tmp_path):
    with pytest.raises(RuntimeError, match=r"another srlab, or other packages.* It has python 3"):
        run_point(*one_point(study), str(tmp_path / "out"), "another", None)
    assert not (tmp_path / "out").exists()


def test_children_that_take_too_much_are_stopped():
    hungry = "import time; x = bytearray(200 * 2**20); time.sleep(30)"
    with MemoryLimit(100 * 2**20) as limit:
        child = subprocess.run([sys.executable, "-c", hungry])
    assert child.returncode == -signal.SIGKILL
    assert limit.peak > 100 * 2**20
    assert limit.story.startswith("needed more than 0.1 GiB of memory")
    with MemoryLimit(None) as limit:
        subprocess.run([sys.executable, "-c", "import time; time.sleep(0.8)"], check=True)
    assert limit.story is None
    assert limit.peak > 0


def test_children_from_before_the_limit_are_neither_counted_nor_stopped():
    hungry = [sys.executable, "-c", "x = bytearray(200 * 2**20); print(); input()"]
    with subprocess.Popen(hungry, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()  # its memory is taken
        with MemoryLimit(100 * 2**20) as limit:
            subprocess.run([sys.executable, "-c", "import time; time.sleep(1.2)"], check=True)
        assert limit.story is None
        assert 0 < limit.peak < 100 * 2**20
        assert other.poll() is None
        other.communicate(b"\n")
    assert other.returncode == 0


SBATCH = """#!/bin/sh
cp "$1" job.sh  # the file is deleted as soon as this ends
sh job.sh > job.log 2>&1 &
echo "Submitted batch job $!"
"""


def test_the_file_for_slurm_works_where_sbatch_starts_a_job(
    study, tmp_path, repository, monkeypatch
):
    """Slurm's two commands replaced: what they are given runs here."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in {"sbatch": SBATCH, "scancel": '#!/bin/sh\nkill "$@"\n'}.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)
    monkeypatch.setenv("DASK_JOBQUEUE__SLURM__LOCAL_DIRECTORY", str(tmp_path))
    script = repository / "book" / "_static" / "sweep_on_slurm.py"
    (tmp_path / script.name).write_text(script.read_text().replace("JOBS = 8", "JOBS = 1"))
    words = ["frail", "-p", "amount=1", "-p", "amount=3", "--out", str(tmp_path / "out")]
    command = [sys.executable, str(tmp_path / script.name), *words]
    ran = subprocess.run(command, cwd=study, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert "2 points finished, 0 failed" in ran.stdout
    rows = read_results(tmp_path / "out" / TABLE)
    assert {row["state"] for row in rows} == {"done"}
