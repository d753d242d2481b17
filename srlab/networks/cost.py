"""What a network costs: parameters, multiply-adds, seconds."""

import time
from collections.abc import Callable

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

Run = Callable[[], object]


def parameter_count(*parts: nn.Module) -> int:
    """Parameters of a network, or of those parts of it that are used; statistics are none."""
    return sum(weight.numel() for part in parts for weight in part.parameters())


@torch.no_grad()
def multiply_adds(run: Run) -> float:
    """Multiplications with an addition in convolutions and matrix products while `run()` runs.

    >>> multiply_adds(lambda: model(lr))
    """
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops() / 2


@torch.no_grad()
def seconds(run: Run, *, repeats: int = 3) -> float:
    """Time of `run()`, the shortest of several: what else the machine does only adds to it."""
    if repeats < 1:
        raise ValueError(f"repeats is at least 1, got {repeats}")
    run()  # the first time also allocates and compiles
    times = []
    for _ in range(repeats):
        _finish()
        start = time.perf_counter()
        run()
        _finish()
        times.append(time.perf_counter() - start)
    return min(times)


def _finish() -> None:
    """A GPU works on after a call has come back: wait for it."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
