"""What a network costs: parameters, multiply-adds, seconds, memory."""

import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from srlab.capture import frozen

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


def gradient_memory(network: nn.Module, lr: Tensor) -> int:
    """Bytes that autograd keeps of lr (1, C, h, w) from the way forward for the way back.

    Those of the weights are not among them. Only the way forward is gone.

    >>> gradient_memory(load_checkpoint("fsrcnn")[0], torch.rand(1, 3, 48, 48)) / 1e6
    """
    weights = {weight.untyped_storage().data_ptr() for weight in network.parameters()}
    kept: dict[int, int] = {}  # what several values share counts once

    def keep(value: Tensor) -> Tensor:
        memory = value.untyped_storage()
        if memory.data_ptr() not in weights:
            kept[memory.data_ptr()] = memory.nbytes()
        return value

    with frozen(network), torch.enable_grad(), saved_tensors_hooks(keep, lambda value: value):
        answer = network(lr.detach().clone().requires_grad_())  # alive, so that no memory is reused
    del answer
    return sum(kept.values())


def _finish() -> None:
    """A GPU works on after a call has come back: wait for it."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
