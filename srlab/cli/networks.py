"""Networks, devices and their errors as a command line names them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import torch

    from srlab.networks.advice import Setting

Device = Annotated[str, typer.Option(help='"auto", "cpu", "cuda", "cuda:1", "mps".')]

OF_NETWORK = {"multiple": "multiple", "output": "output", "value_range": "range"}


@contextmanager
def from_here() -> Iterator[None]:
    """Packages of this folder are found; errors name options where the library names keywords."""
    from srlab.networks.advice import AdvisedError

    sys.path.insert(0, str(Path.cwd()))
    try:
        yield
    except AdvisedError as error:
        raise ValueError(error.advice.written(as_option)) from error


def as_option(setting: "Setting") -> str:
    """A keyword as it is written here: crop=128 → --crop 128, multiple=8 → --network …,multiple=8.

    Values lose their quotes, and pairs stand in square brackets: (0, 255) → [0,255].
    """
    value = setting.value.strip("'").translate(str.maketrans("()", "[]", " "))
    if setting.name in OF_NETWORK:
        return f"--network …,{OF_NETWORK[setting.name]}={value}"
    return f"--{setting.name} {value}"


def device_named(name: str) -> "torch.device":
    """The device of that name, if a tensor can be made on it."""
    import torch

    from srlab.devices import pick_device

    try:
        return torch.empty(0, device=pick_device(name)).device
    except Exception as error:
        raise ValueError(f"no device {name!r} on this machine: {error}") from error
