"""The processes that share a training: one on one device, or one for each of several."""

import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from srlab.extras import require
from srlab.lifetime import end_at_once, end_with_parent
from srlab.training.recipes import Recipe
from srlab.training.share import share_size

if TYPE_CHECKING:
    from lightning_fabric import Fabric

STARTED_BY = "SRLAB_STARTED_BY"  # the variable that tells a process the first one's number
GRACE = 10.0  # seconds in which the first process ends those that have met the same error


@contextmanager
def processes(
    recipe: Recipe, *, device: str = "auto", devices: int = 1, nodes: int = 1, strategy: str = "ddp"
) -> Iterator["Fabric"]:
    """What `fit` needs to train a recipe on several devices, with a process for each.

    Unless Slurm or torchrun have started all of them, the first runs its command again for each
    of the others. None outlives the first or an error of another, and what all meet, an error or
    a signal, is told once.
    """
    if devices < 1 or nodes < 1:
        raise ValueError(f"devices and nodes are 1 or more, got {devices} and {nodes}")
    if strategy != "ddp":
        raise ValueError(f'strategy is "ddp", got {strategy!r}; weights are not split over devices')
    share_size(recipe.batch_size, devices * nodes)  # refused before anything is started
    if devices * nodes == 1:
        yield on_device(device)
        return
    ddp = require("lightning_fabric.strategies", "train").DDPStrategy(
        find_unused_parameters=recipe.partial
    )
    fabric = on_device(device, devices=devices, num_nodes=nodes, strategy=ddp)
    first = os.environ.pop(STARTED_BY, None)
    if first:
        end_with_parent(int(first))
    os.environ[STARTED_BY] = str(os.getpid())
    fabric.launch()
    del os.environ[STARTED_BY]
    if not fabric.is_global_zero:
        end_at_once()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "torch.distributed.nn.functional", FutureWarning)
            yield fabric  # whose all_gather calls what torch wants to rename
    except BaseException:
        if not fabric.is_global_zero:
            time.sleep(GRACE)
        for other in getattr(fabric.strategy.launcher, "procs", ()):
            other.kill()  # a process that waits for the others hears no milder signal
        raise


def on_device(device: str, *, devices: int = 1, **settings: Any) -> "Fabric":
    """Fabric on so many devices of a kind, or on the one that is named ("cuda:1")."""
    kind, colon, index = device.partition(":")
    if colon and devices > 1:
        raise ValueError(f"{device} is one device; for {devices} of them say {kind}")
    fabric = require("lightning_fabric", "train").Fabric
    try:
        return fabric(accelerator=kind, devices=[int(index)] if colon else devices, **settings)
    except Exception as error:
        wanted = device if devices == 1 else f"{devices} × {device}"
        raise ValueError(f"cannot train on {wanted} here: {error}") from error
