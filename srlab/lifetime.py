"""Processes end together: at a signal, the command with its children; a child with its parent.

As an extension of IPython, it binds a notebook's kernel to the process that started it.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import active_children
from threading import Thread, current_thread, main_thread
from typing import Any

ENDING = tuple(signal.Signals[name] for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
SIGNALS = (signal.SIGINT, *ENDING)
UNTOUCHED = (signal.SIG_DFL, signal.default_int_handler)
INTERVAL = 0.5  # seconds between looks at the parent
PARENT_DEATH_SIGNAL = 1  # prctl's PR_SET_PDEATHSIG


@contextmanager
def ending_at_signals() -> Iterator[None]:
    """While it is entered, Ctrl-C, TERM and HUP end the children at once, this process in order.

    It leaves by an exception, so that all it has is written: KeyboardInterrupt at Ctrl-C, at the
    others SystemExit with the code that shells give them (143, 129). A signal that is ignored, as
    HUP is under nohup, stays so.
    """
    before = {number: signal.getsignal(number) for number in SIGNALS}
    mine = [number for number in SIGNALS if before[number] in UNTOUCHED]
    if current_thread() is not main_thread():
        mine = []  # signals are the main thread's alone
    for number in mine:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number in mine:
            signal.signal(number, before[number])


def _end(number: int, _frame: Any) -> None:
    for child in active_children():
        child.kill()
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    for other in ENDING:  # `timeout` sends its signal twice
        signal.signal(other, signal.SIG_IGN)
    raise SystemExit(128 + number)


def end_at_once() -> None:
    """From now on signals end this process without a word: it has nothing to write or to tell."""
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def end_with_parent(parent: int | None = None) -> None:
    """End this process as soon as the one that started it has ended, whatever either is doing.

    `parent` is its number, told by itself: so it is missed even where it ended before this call.
    Linux ends the process in the middle of any computation, with the thread that started it,
    which therefore has to wait for it. Other POSIX systems end it between two steps of Python's.
    On Windows, where multiprocessing and ipykernel watch, nothing is done.
    """
    if os.name != "posix":
        return
    shown = os.getppid()
    be_killed_with_parent()
    Thread(target=_outlive, args=(shown, parent or shown), daemon=True).start()


def be_killed_with_parent() -> None:
    """What of this Linux does by itself, for a process that is to have no threads."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _outlive(shown: int, told: int) -> None:
    """They are two numbers where a script stands between parent and child."""
    while os.getppid() == shown and _runs(told):
        time.sleep(INTERVAL)
    os.kill(os.getpid(), signal.SIGKILL)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def load_ipython_extension(_shell: Any) -> None:
    """Called in a kernel that starts with `--ext=srlab.lifetime`."""
    end_with_parent(int(os.environ["JPY_PARENT_PID"]))
