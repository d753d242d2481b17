"""Networks, devices and their errors as a command line names them."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import torch

Device = Annotated[str, typer.Option(help='"auto", "cpu", "cuda", "cuda:1", "mps".')]

VALUE = r"=('[^']*'|\([^)]*\)|\d+)"
OPTIONS = re.compile(rf"(?<=\s)(crop|reduce|network){VALUE}")
SETTINGS = re.compile(rf"(?<=\s)(multiple|output|value_range){VALUE}")


@contextmanager
def from_here() -> Iterator[None]:
    """Packages of this folder are found; errors name options where the library names keywords."""
    sys.path.insert(0, str(Path.cwd()))
    try:
        yield
    except ValueError as error:
        if (words := as_options(f"{error}")) == f"{error}":
            raise
        raise ValueError(words) from error


def as_options(words: str) -> str:
    """The same with Python's keywords as they are written here.

    >>> as_options("cut it, crop=128; or pad, multiple=8")
    'cut it, --crop 128; or pad, --network …,multiple=8'
    """
    words = OPTIONS.sub(lambda found: f"--{found[1]} {_written(found[2])}", words)
    words = SETTINGS.sub(lambda found: f"--network …,{found[1]}={_written(found[2])}", words)
    return words.replace("…,value_range=", "…,range=")


def _written(value: str) -> str:
    """'0' → 0, (0, 255) → [0,255]."""
    return value.strip("'").translate(str.maketrans("()", "[]", " "))


def device_named(name: str) -> "torch.device":
    """The device of that name, if a tensor can be made on it."""
    import torch

    from srlab.devices import pick_device

    try:
        return torch.empty(0, device=pick_device(name)).device
    except Exception as error:
        raise ValueError(f"no device {name!r} on this machine: {error}") from error
