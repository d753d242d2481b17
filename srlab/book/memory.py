"""A bound on the memory of the processes that this one starts, such as a notebook's kernel."""

import threading

import psutil

INTERVAL = 0.5  # seconds between looks


class MemoryLimit:
    """Child processes started while it is entered are killed if they take more than `limit` bytes.

    They count together. Kernels are processes of their own, which a Dask worker's limit does not
    see. `None` only measures.
    """

    def __init__(self, limit: int | None) -> None:
        self.limit, self.peak = limit, 0
        self.exceeded = False
        self._process = psutil.Process()
        self._others: set[psutil.Process] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "MemoryLimit":
        self._others = set(self._process.children())
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
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
        while not self._over.wait(INTERVAL):
            taken = {child: _resident(child) for child in self._started()}
            self.peak = max(self.peak, sum(taken.values()))
            if self.limit is not None and sum(taken.values()) > self.limit:
                self.exceeded = True
                max(taken, key=lambda child: taken[child]).kill()

    def _started(self) -> list[psutil.Process]:
        """With all that they have started themselves."""
        mine = [child for child in self._process.children() if child not in self._others]
        return [*mine, *(one for child in mine for one in _descendants(child))]


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:  # it has ended
        return []


def _resident(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0
