"""One line of the table, and a fair way to time two sides."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Row:
    """One comparison on one machine; errors are relative to a converged result."""

    what: str
    against: str
    theirs: float  # seconds, or what `unit` says
    ours: float
    reach: float  # the ratio promised
    their_error: float = 0.0
    our_error: float = 0.0
    unit: str = "s"
    most: float = math.inf  # of our error, whatever theirs is

    @property
    def ratio(self) -> float:
        """How many times less time or memory."""
        return self.theirs / self.ours

    @property
    def held(self) -> bool:
        """As little as promised, and no worse."""
        exact = self.our_error <= min(self.their_error, self.most)
        return self.ratio >= self.reach and exact

    def __str__(self) -> str:
        return (
            f"{self.what:44} {self.against:32} "
            f"{self.theirs:8.2f} {self.unit:2} {self.ours:8.2f} {self.unit:2} "
            f"{self.ratio:6.1f}× (≥ {self.reach:g}) {self.their_error:8.2%} {self.our_error:8.2%}"
            f"  {'✔' if self.held else '✘'}"
        )


HEADER = (
    f"{'what':44} {'against':32} {'theirs':>11} {'srlab':>11} {'ratio':>13} "
    f"{'error':>9} {'error':>8}"
)


def alternating(*sides: Callable[[], object], cuda: bool, repeats: int = 3) -> list[float]:
    """Fewest seconds of each side over `repeats` rounds, taken in turn so that load hits both.

    On the CPU these are seconds of this process, which other programs do not lengthen.
    """
    best = [float("inf")] * len(sides)
    for _ in range(repeats):
        for index, side in enumerate(sides):
            begun = _clock(cuda)
            side()
            best[index] = min(best[index], _clock(cuda) - begun)
    return best


def _clock(cuda: bool) -> float:
    if not cuda:
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()
