"""Run the notebooks that changed, each in its own kernel, and keep their pages and records."""

import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from traitlets.config import Config

from srlab.book.cache import cache_key, versions
from srlab.book.kernels import fork_kernels
from srlab.book.project import Notebook, find_notebooks, find_root
from srlab.book.records import extract_record, write_record
from srlab.book.twins import read_source
from srlab.files import replace_text
from srlab.lifetime import end_at_once, end_with_parent
from srlab.studies.parameters import check_given, offered

METADATA = "srlab"  # where an executed notebook keeps its key, seconds, hardware and versions
THREAD_LIMITS = ("OMP", "MKL", "OPENBLAS", "NUMBA")
# glibc would give the memory of large tensors back to the system, which clears it for the next:
# a tenth of a notebook's time. Other systems do not know these names.
KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**32), "MALLOC_TRIM_THRESHOLD_": str(2**32)}
# Messages to a kernel stay unread by others on the machine, and its own log stays off the terminal.
# Nothing is left to do in a kernel after its last cell, and to end it gently takes a second. It
# ends with the process that started it as well, in the middle of a cell if need be.
KERNEL = Config(
    {
        "KernelManager": {"transport_encryption": "auto"},
        "AsyncKernelManager": {"transport_encryption": "auto"},
        "NotebookClient": {
            "extra_arguments": ["--IPKernelApp.log_level=CRITICAL", "--ext=srlab.lifetime"],
            "shutdown_kernel": "immediate",
        },
    }
)
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class NotebookError(RuntimeError):
    """A notebook that stopped, told with its name, the cell and the error."""


@dataclass(frozen=True)
class Run:
    """What became of one notebook."""

    name: str
    seconds: float  # wall-clock of the execution, also where it was taken from the cache
    cached: bool


def run_notebooks(
    names: Iterable[str] = (),
    *,
    root: Path | None = None,
    parameters: Mapping[str, Any] | None = None,
    quick: bool = False,
    force: bool = False,
    workers: int = 2,
    report: Callable[[str], None] = print,
) -> list[Run]:
    """Execute the named notebooks (all of them by default) where anything they depend on changed.

    `parameters` replace those of the notebook's parameters cell, `quick` takes the short ones of
    that cell's metadata first, `force` ignores the cache. One line a notebook goes to `report`.
    Raises `NotebookError` at the first that stops; its page and record stay as they were.
    """
    root = root or find_root()
    jobs = []
    for notebook in find_notebooks(root, names):
        chosen = chosen_parameters(notebook, parameters or {}, quick=quick)
        if chosen:
            check_given(chosen, known_parameters(notebook), name=notebook.name)
        jobs.append((notebook, chosen, cache_key(notebook, chosen)))
    width = max((len(notebook.name) for notebook, *_ in jobs), default=0)
    runs = []

    def tell(run: Run) -> None:
        runs.append(run)
        state = "cached" if run.cached else "ran"
        report(f"{run.name:<{width}}  {state:<6}  {run.seconds:6.1f} s")

    waiting = []
    for job in jobs:
        cached = None if force else _cached(job[0], job[2])
        if cached is None:
            waiting.append(job)
        else:
            tell(cached)
    if waiting:
        _run_all(waiting, workers, tell)
    return runs


def chosen_parameters(
    notebook: Notebook, given: Mapping[str, Any], *, quick: bool
) -> dict[str, Any]:
    """What replaces a notebook's parameters: quick ones where they are asked for, then `given`."""
    short = parameters_cell(notebook).metadata.get("quick", {}) if quick else {}
    return {**json.loads(json.dumps(short)), **given}


def known_parameters(notebook: Notebook) -> dict[str, Any]:
    """{name: default} of the parameters cell."""
    return offered(parameters_cell(notebook).source)


def parameters_cell(notebook: Notebook) -> NotebookNode:
    """The cell whose values may be replaced, with `quick` ones in its metadata; or an empty one."""
    cells = read_source(notebook.source).cells
    tagged = (cell for cell in cells if "parameters" in cell.metadata.get("tags", ()))
    return next(tagged, nbformat.v4.new_code_cell())


def _cached(notebook: Notebook, key: str) -> Run | None:
    """The run that is on disk, page and record, if it has this key."""
    if not notebook.page.is_file():
        return None
    page = nbformat.read(notebook.page, as_version=4)
    kept = page.metadata.get(METADATA, {})
    complete = notebook.record.is_file() or extract_record(page) is None
    if kept.get("key") != key or not complete:
        return None
    return Run(notebook.name, kept["seconds"], cached=True)


def _run_all(
    jobs: list[tuple[Notebook, dict[str, Any], str]], workers: int, tell: Callable[[Run], None]
) -> None:
    workers = max(1, min(workers, len(jobs)))
    threads = max(1, (os.cpu_count() or 1) // workers)
    forking = len(jobs) > 2 * workers  # what it takes pays off from a worker's second kernel on
    pool = ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_begin, initargs=(threads, os.getpid(), forking)
    )
    with pool:
        futures: list[Future[Run]] = [pool.submit(run_notebook, *job) for job in jobs]
        try:
            for future in as_completed(futures):
                tell(future.result())
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _begin(threads: int, parent: int, forking: bool) -> None:
    """What each worker does first."""
    end_at_once()
    end_with_parent(parent)
    _share_machine(threads)
    if forking:
        fork_kernels()


def _share_machine(threads: int) -> None:
    """Kernels inherit this: together they use the machine's cores once."""
    os.environ.update(kernel_environment(threads))


def kernel_environment(threads: int) -> dict[str, str]:
    """Variables that keep a kernel to so many threads, a lower limit stays, and to its memory."""
    own = os.environ.get("OMP_NUM_THREADS", "")
    limit = min(threads, int(own)) if own.isdecimal() else threads
    return KEPT_MEMORY | {f"{name}_NUM_THREADS": str(limit) for name in THREAD_LIMITS}


def run_notebook(notebook: Notebook, parameters: Mapping[str, Any], key: str) -> Run:
    """Execute one notebook and replace its page and record, or keep the failed copy elsewhere.

    Files and modules that its parameters name are looked for in the working folder.
    """
    start = time.perf_counter()
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "executed.ipynb"
        try:
            page = execute(read_source(notebook.source), copy, parameters, folder=Path.cwd())
        except (papermill.PapermillExecutionError, DeadKernelError) as error:
            raise NotebookError(_story(notebook, error, copy)) from None
    page.metadata[METADATA] = {
        "key": key,
        "parameters": dict(parameters),
        "seconds": round(time.perf_counter() - start, 1),
        "versions": versions(),
    }
    try:
        page.metadata[METADATA] |= _circumstances(extract_record(page))
        write_record(notebook, page)
    except ValueError as error:
        raise NotebookError(f"{notebook.name} ran, but its record is wrong: {error}") from error
    replace_text(notebook.page, nbformat.writes(page))
    notebook.failed.unlink(missing_ok=True)
    return Run(notebook.name, page.metadata[METADATA]["seconds"], cached=False)


def execute(
    source: NotebookNode, copy: Path, parameters: Mapping[str, Any], *, folder: Path
) -> NotebookNode:
    """Papermill over a notebook, whose kernel works in `folder`; `copy` grows with it."""
    logging.getLogger("papermill").setLevel(logging.ERROR)  # it warns of parameters it cannot read
    os.environ["PLOTLY_RENDERER"] = "plotly_mimetype"  # figures as JSON, no copy of plotly.js
    page = papermill.execute_notebook(
        source,
        copy,
        parameters=dict(parameters),
        kernel_name="python3",
        language="python",
        progress_bar=False,
        config=KERNEL,
        cwd=folder,
    )
    page.metadata.pop("papermill", None)
    for cell in page.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
    return page


def what_stopped(error: Exception) -> str:
    """The cell and the error at which a notebook stopped."""
    if not isinstance(error, papermill.PapermillExecutionError):
        return f"stopped: {error} (out of memory?)"
    cell = "\n    ".join(error.source.splitlines())
    told = ANSI.sub("", f"{error.ename}: {error.evalue}")
    return f"stopped in cell [{error.exec_count}]:\n    {cell}\n{told}"


def _circumstances(record: dict[str, Any] | None) -> dict[str, Any]:
    """The hardware, and how the checkpoints that the finding names came to be."""
    from srlab.checkpoints.files import read_provenance
    from srlab.devices import hardware

    names = record["checkpoints"] if record else ()
    provenance = [vars(read_provenance(name)) for name in names]
    return {"hardware": hardware(), "checkpoints": provenance}


def _story(notebook: Notebook, error: Exception, copy: Path) -> str:
    """Name, cell and error; the copy with the full traceback moves to where the story says."""
    lines = [f"{notebook.name} {what_stopped(error)}"]
    if copy.is_file():
        replace_text(notebook.failed, copy.read_text("utf-8"))
        lines.append(f"With its traceback: {notebook.failed}")
    lines.append("The book keeps the page it had.")
    return "\n".join(lines)
