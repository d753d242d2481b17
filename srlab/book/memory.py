"""A bound on the memory of the processes that this one starts, such as a notebook's kernel."""

import threading
from contextlib import suppress

import psutil

INTERVAL = 0.5  # seconds between looks


class MemoryLimit:
    """Child processes started while it is entered are killed if they take more than `limit` bytes.

    They count together. Kernels are processes of their own, which a Dask worker's limit does not
    see. `None` only measures.
    """

    def __init__(self, limit: int | None) -> None:
        self.limit, self.peak = limit, 0
        self.story: str | None = None  # what happened, if the limit was exceeded
        self._before: set[psutil.Process] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "MemoryLimit":
        self._before = set(psutil.Process().children(recursive=True))
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(INTERVAL):
            taken = self._taken()
            self.peak = max(self.peak, sum(taken.values()))
            if self.limit is not None and sum(taken.values()) > self.limit:
                self.story = (
                    f"needed more than {self.limit / 2**30:.1f} GiB of memory and was stopped; "
                    "give workers more, or run fewer of them at a time"
                )
                max(taken, key=lambda child: taken[child]).kill()

    def _taken(self) -> dict[psutil.Process, int]:
        """{process: bytes} of those started since, with all that they have started themselves."""
        taken = {}
        for child in set(psutil.Process().children(recursive=True)) - self._before:
            with suppress(psutil.Error):  # it has ended
                taken[child] = child.memory_info().rss
        return taken
