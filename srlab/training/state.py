"""The resumable part of a training run: one file, replaced atomically."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from torch import Tensor

from srlab.files import replace_file

KEPT = ("identity", "step", "seconds", "precision", "history", "weights")


class RunState:
    """How far a run has come: step, seconds, curves, kept weights; without a folder, in memory.

    It goes on in the precision in which it began, wherever that is.
    """

    def __init__(self, folder: str | Path | None, identity: dict[str, Any]) -> None:
        self.identity = identity  # of recipe and data: a state of another run is refused
        self.step, self.seconds, self.precision = 0, 0.0, ""
        self.history: list[dict[str, float]] = []
        self.weights: dict[int, dict[str, Tensor]] = {}
        self.path = None if folder is None else _writable(Path(folder)) / "state.pt"

    def restore(
        self, parts: Sequence[Any], *, tell: Callable[[Any], Any] = lambda saved: saved
    ) -> None:
        """Load the file, if there is one, into `parts` (model, optimizer, schedule).

        `tell` gives all processes what the one with the folder has read.
        """
        saved = tell(self._read())
        if saved is None:
            return
        try:
            for part, value in zip(parts, saved["parts"], strict=True):
                part.load_state_dict(value)
        except torch.OutOfMemoryError:
            raise
        except (KeyError, ValueError, RuntimeError) as error:
            raise ValueError(
                f"{self.path} is of another version of srlab; finish the run with that one, or "
                "delete the file to train from the start"
            ) from error
        vars(self).update({name: saved[name] for name in KEPT})

    def _read(self) -> dict[str, Any] | None:
        if self.path is None or not self.path.is_file():
            return None
        try:
            saved = torch.load(self.path, map_location="cpu", weights_only=True)
            identity, _ = saved["identity"], saved["parts"]
        except Exception as error:  # torch.load raises whatever the damage provokes
            raise ValueError(
                f"{self.path} is damaged or no state of a run; delete it to train from the start"
            ) from error
        if identity != self.identity:
            raise ValueError(
                f"{self.path} belongs to another recipe or other data; "
                "give this run a folder of its own, or delete that file"
            )
        return saved

    def save(self, parts: Sequence[Any]) -> None:
        """Write everything; a kill in mid-write leaves the former file."""
        if self.path is None:
            return
        content = {name: getattr(self, name) for name in KEPT}
        content["parts"] = [part.state_dict() for part in parts]
        with replace_file(self.path) as temporary:
            torch.save(content, temporary)


@contextmanager
def alone_in(folder: str | Path | None) -> Iterator[None]:
    """No other run writes there meanwhile; the system ends the lock with the process."""
    if folder is None:
        yield
        return
    lock = FileLock(_writable(Path(folder)) / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise OSError(
            f"another training is running in {folder}; wait for its end, or give this one a "
            "folder of its own"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _writable(folder: Path) -> Path:
    """The folder, made if it is missing; better refused now than after the first interval."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise OSError(f"cannot write to {folder} ({error.strerror}); choose another") from error
