"""A command that ends ends all that it started, whatever they do, and keeps what was finished."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import product
from pathlib import Path

import psutil
import pytest

from srlab.book.kernels import FORKS

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")

# On Linux a step of Python's that never ends is ended as well.
ENDLESS = "sum(range(10**15))" if sys.platform == "linux" else "time.sleep(10**6)"
WAITS = f"""
import os, pathlib, time
if "HURRY" not in os.environ:
    pathlib.Path("begun").touch()
    {ENDLESS}
"""
COMPILES_FOR_EVER = f"""
from srlab.book import build
first = build.JUPYTER_BOOK.partition("from jupyter_book")[0]
build.JUPYTER_BOOK = first + 'open("begun", "w").close(); {ENDLESS}'
"""
TRAINS_FOR_EVER = """
from dataclasses import replace
from test_training import TINY
from srlab.training import recipes
long = replace(TINY, steps=10**6, image_sets=("photographs",), snapshots=())
recipes.RECIPES["long"] = long
"""
MARK = "SRLAB_ENDING"  # a variable that all processes of a command inherit
SECONDS = 20  # in which all have ended, on a machine busy with the other tests
CODES = {"TERM": 143, "HUP": 129, "INT": 130, "KILL": -signal.SIGKILL}


class Command:
    """`srlab …` in a session of its own; `before` is what its processes execute first."""

    def __init__(self, folder: Path, *words: str, before: str = "") -> None:
        program = folder / "program.py"
        program.write_text(
            f"{before}\nfrom srlab.cli import main\nif __name__ == '__main__':\n    main()\n"
        )
        self.mark = f"{folder}-{time.monotonic_ns()}"
        tests = str(Path(__file__).parents[1] / "training")
        path = os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")])
        self.process = subprocess.Popen(
            [sys.executable, str(program), *words],
            cwd=folder,
            env=os.environ | {MARK: self.mark, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=heed,
        )

    def all_processes(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(MARK) == self.mark:
                    found.append(process)
        return found

    def end(self, name: str) -> str:
        """What it says after a signal, which terminals send to all that they see."""
        send = os.killpg if name in {"INT", "HUP"} else os.kill
        send(self.process.pid, getattr(signal, f"SIG{name}"))
        _, told = self.process.communicate(timeout=SECONDS)
        assert self.process.returncode == CODES[name], told
        assert until(lambda: not self.all_processes(), seconds=SECONDS), self.all_processes()
        if name != "HUP":  # which ends multiprocessing's tracker of resources as well
            assert "Traceback" not in told
        assert ("Stopped. " in told) == (name != "KILL")
        return told


def heed() -> None:
    """As in the foreground: what is ignored here, in CI for instance, is not by the command."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def until(true: Callable[[], object], *, seconds: float) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.1)
    return bool(true())


@pytest.fixture
def begin() -> Iterator[Callable[..., Command]]:
    """Commands of which nothing is left after the test, whatever it finds."""
    begun: list[Command] = []

    def start(*arguments: object, **options: str) -> Command:
        begun.append(Command(*arguments, **options))
        return begun[-1]

    yield start
    for command in begun:
        for process in command.all_processes():
            with suppress(psutil.Error):
                process.kill()
        command.process.communicate()


@pytest.mark.parametrize(
    ("verb", "name"),
    [
        *(("run a", name) for name in CODES),
        *product(("book", "sweep a --out out"), ("TERM", "KILL")),
    ],
)
def test_kernels_end_in_the_middle_of_a_cell(verb, name, checkout, write_notebook, begin):
    write_notebook("a", WAITS)
    command = begin(checkout, *verb.split())
    assert until((checkout / "begun").exists, seconds=60)
    time.sleep(0.5)  # the kernel is in the middle of its cell
    assert any("ipykernel_launcher" in own.cmdline() for own in command.all_processes())
    command.end(name)


@pytest.mark.skipif(not FORKS, reason="kernels are forked on Linux alone")
@pytest.mark.parametrize("name", ["TERM", "KILL"])
def test_forked_kernels_end_in_the_middle_of_a_cell(name, checkout, write_notebook, begin):
    for notebook in "abc":
        write_notebook(notebook, WAITS)
    command = begin(checkout, "run", *"abc", "--workers", "1")
    assert until((checkout / "begun").exists, seconds=60)
    forks = [own for own in command.all_processes() if "forkserver" in " ".join(own.cmdline())]
    assert len(forks) == 2  # what forks, and the kernel
    command.end(name)


@pytest.mark.parametrize("verb", ["run", "sweep"])
def test_finished_work_stays_and_the_same_command_does_the_rest(
    verb, checkout, write_notebook, begin, monkeypatch
):
    write_notebook("a", "print(amount)")
    write_notebook("b", WAITS)
    words = (verb, "a", "b", "--workers", "1", *(["--out", "out"] * (verb == "sweep")))
    command = begin(checkout, *words)
    assert until((checkout / "begun").exists, seconds=60)
    told = command.end("TERM")
    assert "Finished p" in told

    monkeypatch.setenv("HURRY", "1")
    again = begin(checkout, *words)
    told, errors = again.process.communicate(timeout=60)
    assert again.process.returncode == 0, errors
    if verb == "sweep":
        assert "2 points, 1 of them done before" in told
        assert "2 points finished, 0 failed" in told
    else:
        assert [line.split()[:2] for line in told.splitlines()] == [["a", "cached"], ["b", "ran"]]


@pytest.mark.parametrize("name", ["TERM", "KILL"])
def test_the_compiler_of_the_pages_ends(name, checkout, begin):
    command = begin(checkout, "book", before=COMPILES_FOR_EVER)
    assert until((checkout / "begun").exists, seconds=60)
    command.end(name)


@pytest.mark.parametrize(
    ("devices", "name"), [("1", "INT"), ("2", "TERM"), ("2", "HUP"), ("2", "KILL")]
)
def test_all_processes_of_a_training_end_and_its_state_stays(devices, name, tmp_path, begin):
    words = ("train", "long", "--device", "cpu", "--devices", devices, "--folder", "run")
    command = begin(tmp_path, *words, before=TRAINS_FOR_EVER)
    state = tmp_path / "run" / "state.pt"
    assert until(state.is_file, seconds=100)
    told = command.end(name)
    assert state.is_file()
    assert told.count("goes on from the last state saved in run;") == (name != "KILL")


IGNORES = """
import os, signal
from srlab.lifetime import ending_at_signals
signal.signal(signal.SIGHUP, signal.SIG_IGN)
with ending_at_signals():
    os.kill(os.getpid(), signal.SIGHUP)
    print("goes on")
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        print("in order")
"""


def test_what_nohup_ignores_stays_ignored_and_a_second_signal_cuts_nothing_short():
    ran = subprocess.run([sys.executable, "-c", IGNORES], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (143, "goes on\nin order\n")
