"""Files that appear whole or not at all: written beside their place, then moved there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replace_file(path: str | Path) -> Iterator[Path]:
    """A path of the same ending to write to; afterwards, it takes the place of `path`.

    An error on the way, a full disk for one, leaves the former file and nothing else. Folders
    that are missing are made; what is no file, such as /dev/stdout, is written to as it is.

    >>> with replace_file("raw.npz") as path: numpy.savez(path, map=map)
    """
    path = Path(path).resolve()  # the file itself where `path` is a link to it
    if path.exists() and not path.is_file():
        yield path
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def replace_text(path: str | Path, text: str) -> None:
    """The same for a whole text, in UTF-8."""
    with replace_file(path) as temporary:
        temporary.write_text(text, "utf-8")
