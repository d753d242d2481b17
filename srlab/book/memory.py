"""A bound on the memory of the processes that this one starts, such as a notebook's kernel."""

import threading
from types import TracebackType

import psutil

INTERVAL = 0.5  # seconds between looks


class MemoryLimit:
    """While it is entered, child processes that together take more than `limit` bytes are killed.

    Kernels are processes of their own, which a Dask worker's limit does not see. `None` only
    measures.
    """

    def __init__(self, limit: int | None) -> None:
        self.limit, self.peak = limit, 0
        self.exceeded = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "MemoryLimit":
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def story(self) -> str | None:
        """What happened, if the limit was exceeded."""
        if not self.exceeded or self.limit is None:
            return None
        return (
            f"needed more than {self.limit / 2**30:.1f} GiB of memory and was stopped; "
            "give workers more, or run fewer of them at a time"
        )

    def _watch(self) -> None:
        own = psutil.Process()
        while not self._over.wait(INTERVAL):
            taken = {child: _resident(child) for child in own.children(recursive=True)}
            self.peak = max(self.peak, sum(taken.values()))
            if self.limit is not None and sum(taken.values()) > self.limit:
                self.exceeded = True
                max(taken, key=lambda child: taken[child]).kill()


def _resident(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0
