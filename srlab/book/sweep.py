"""Many notebooks under many parameters, on Dask: this machine's processes or a cluster."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
from dask import config
from dask.utils import parse_bytes
from distributed import Client, Future, LocalCluster, wait
from tqdm.auto import tqdm

from srlab.book.cache import library_key
from srlab.book.points import Outcome, Point, grid, read_outcome, run_point
from srlab.book.project import find_notebooks, find_root
from srlab.book.runner import kernel_environment
from srlab.book.twins import read_source
from srlab.pages.sweep import write_results
from srlab.studies.sweeps import DONE, FAILED, outcomes_in, told_apart

QUIET = {  # a worker that dies is this module's to tell, not a traceback's
    "logging.distributed": "critical",
    "distributed.scheduler.worker-saturation": 1.0,  # a point waits where any worker can take it
    "distributed.scheduler.allowed-failures": 3,
    "distributed.comm.timeouts.connect": "10s",
}


def run_sweep(
    names: Iterable[str],
    axes: Mapping[str, Sequence[Any]],
    target: str | Path,
    *,
    root: Path | None = None,
    quick: bool = False,
    force: bool = False,
    workers: int = 2,
    memory: str | None = None,
    scheduler: str | None = None,
    report: Callable[[str], None] = print,
    progress: bool = True,
) -> list[Outcome]:
    """Run what is missing, out of date or failed of a grid; all its outcomes, in its order.

    `axes` are {parameter: values}. `target` is a folder or any address that fsspec opens; all
    workers must reach it. Without `scheduler`, "tcp://…", `workers` processes are started here:
    they share the machine's cores, and each notebook may take `memory` ("4 GiB"; by default its
    share of the machine's). A point that stops does not stop the others. Interrupted, it leaves
    the points that finished. What other sweeps left in `target` stays, and stands in its table.
    """
    root = root or find_root()
    notebooks = find_notebooks(root, names)
    points = grid(notebooks, axes, quick=quick)
    # an address that means the same in every process
    target = str(target).rstrip("/") if "://" in str(target) else str(Path(target).resolve())
    old = {} if force else {point.folder: read_outcome(target, point) for point in points}
    outcomes = {folder: own for folder, own in old.items() if own and own["state"] == DONE}
    waiting = [point for point in points if point.folder not in outcomes]
    report(f"{len(points)} points, {len(outcomes)} of them done before")
    try:
        if waiting:
            sources = {notebook.name: read_source(notebook.source) for notebook in notebooks}
            workers = max(1, min(workers, len(waiting)))
            with _client(scheduler, workers, memory) as (client, limit):
                shared = (target, library_key(), limit, Path.cwd())
                futures = {
                    client.submit(run_point, point, sources[point.name], *shared, pure=False): point
                    for point in waiting
                }
                for point, outcome in _finishing(client, futures, progress=progress):
                    outcomes[point.folder] = outcome
                    if outcome["state"] == FAILED:
                        report(f"{point.words} {outcome['error']}")
    finally:
        own = [point.folder for point in points]
        here = [outcomes[folder] for folder in own if folder in outcomes]
        left = outcomes_in(target).items()
        others = [old for folder, old in left if folder not in own and "settings" in old]
        write_results(target, told_apart([*here, *others]))
    return here


@contextmanager
def _client(
    scheduler: str | None, workers: int, memory: str | None
) -> Iterator[tuple[Client, int | None]]:
    """A client, and how many bytes a notebook may take."""
    limit = parse_bytes(memory) if memory else None
    with config.set(QUIET), _same_environment(), ExitStack() as stack:
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        if not scheduler:
            scheduler = stack.enter_context(_local_cluster(workers))
            limit = limit or psutil.virtual_memory().total // workers
        yield stack.enter_context(Client(scheduler)), limit


def _local_cluster(workers: int) -> LocalCluster:
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        memory_limit=0,  # what a notebook takes is bounded where it runs, in its own process
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": ":0"},  # any port: 8787 is another sweep's
        env=kernel_environment(max(1, (os.cpu_count() or 1) // workers)),
        silence_logs=logging.CRITICAL,
    )


@contextmanager
def _same_environment() -> Iterator[None]:
    """Dask leaves what it gives its workers in this process's environment as well."""
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _finishing(
    client: Client, futures: Mapping[Future, Point], *, progress: bool
) -> Iterator[tuple[Point, Outcome]]:
    """Each point as it finishes, under a bar that says how many are done, run and failed."""
    pending, failed = set(futures), 0
    with tqdm(total=len(futures), unit="point", disable=not progress) as bar:
        while pending:
            running = min(len(pending), sum(client.nthreads().values()))
            bar.set_postfix({"running": running, "failed": failed})
            for future in wait(pending, return_when="FIRST_COMPLETED").done:
                pending.remove(future)
                point, error = futures[future], future.exception()
                left = point.outcome(error=f"left nothing: {error}") if error else future.result()
                failed += left["state"] == FAILED
                bar.update()
                yield point, left
