"""What a network costs: parameters, multiply-adds, seconds, memory."""

import time
import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from srlab.capture import OperationWatch, frozen

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
        given = lr.detach().requires_grad_().clone()  # which it may change
        answer = network(given)  # alive, so that no memory is reused
    del given, answer
    return sum(kept.values())


def peak_memory(run: Run) -> int:
    """Bytes of the tensors that `run()` makes, where most of them are alive at once.

    >>> peak_memory(lambda: network(lr.requires_grad_()).sum().backward()) / 1e6
    """
    with _Living() as living:
        run()
    return living.most


class _Living(OperationWatch):
    """Follows the memory of every tensor that is made inside."""

    def __init__(self) -> None:
        super().__init__()
        self.known: set[int] = set()
        self.now = self.most = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run the operation and take note of its results."""
        result = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self._note(tensor.untyped_storage())
        self.most = max(self.most, self.now)
        return result

    def _note(self, memory: torch.UntypedStorage) -> None:
        if id(memory) not in self.known:
            self.known.add(id(memory))
            self.now += memory.nbytes()
            weakref.finalize(memory, self._forget, id(memory), memory.nbytes())

    def _forget(self, memory: int, size: int) -> None:
        self.known.discard(memory)
        self.now -= size


def _finish() -> None:
    """A GPU works on after a call has come back: wait for it."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
