"""The index that DDR judges by: the mean over several runs of t-SNE (Sec. A.6).

A run starts from random places, so that each ends in a picture of its own; their mean moves less.
Its interval comes from drawing contents with replacement.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from srlab.representation.embedding import (
    embed,
    separability,
    separability_draws,
    separability_level,
)
from srlab.statistics import middle
from srlab.studies.study import outer

if TYPE_CHECKING:
    import pandas as pd

Result = TypeVar("Result")


def restarts(components: np.ndarray, runs: int, *, perplexity: float = 30.0) -> list[np.ndarray]:
    """t-SNE of the same principal components (N, D) from `runs` random starts: (N, 2) each."""
    run = partial(embed, components, init="random", perplexity=perplexity)
    return side_by_side(partial(run, seed=seed) for seed in range(runs))


def side_by_side(tasks: Iterable[Callable[[], Result]]) -> list[Result]:
    """Results in order, as many at a time as torch has threads: t-SNE does not hold Python's lock.

    For so few points its own threads would wait for one another; each task has one.
    """
    with threadpool_limits(1), ThreadPoolExecutor(torch.get_num_threads()) as pool:
        return list(pool.map(lambda task: task(), tasks))


@dataclass(frozen=True)
class RunsIndex:
    """Caliński–Harabasz index of one set of points in several embeddings."""

    within: np.ndarray  # (runs,), WD: summed squares of the distances to the own class' mean
    between: np.ndarray  # (runs,), BD: of the classes' means to that of all, for each point
    values: np.ndarray  # (runs,)
    draws: np.ndarray  # (draws,) of their mean, contents drawn with replacement

    @property
    def mean(self) -> float:
        """Over the runs."""
        return float(self.values.mean())

    @property
    def interval(self) -> tuple[float, float]:
        """95 % of the mean, over contents."""
        return middle(self.draws)

    def over(self, other: "RunsIndex") -> tuple[float, float, float]:
        """(ratio, low, high): how many times that of `other`, taken from the same contents."""
        return self.mean / other.mean, *middle(self.draws / other.draws)


def runs_index(
    embeddings: Sequence[np.ndarray], labels: Sequence | np.ndarray, groups: Sequence | np.ndarray
) -> RunsIndex:
    """By `labels` (N,), of embeddings (N, 2) of the same points; `groups` (N,) are contents."""
    drawn = [separability_draws(points, labels, groups) for points in embeddings]
    found = np.array([separability(points, labels) for points in embeddings])
    within, between, values = found.T
    return RunsIndex(within, between, values, np.mean(drawn, axis=0))


def over_seeds(indices: Iterable[RunsIndex]) -> dict[str, Any]:
    """What `Study.measure` takes: each seed's mean, and the outer ends of their intervals."""
    found = list(indices)
    return {"values": [one.mean for one in found], "interval": outer(one.interval for one in found)}


def dispersion_table(indices: Mapping[str, RunsIndex]) -> "pd.DataFrame":
    """WD, BD and CHI of each, as mean ± standard deviation over its runs, and the level (A.6)."""
    import pandas as pd  # comes with the notebooks

    def spread(values: np.ndarray) -> str:
        digits = 0 if values.mean() >= 100 else 2
        return f"{values.mean():,.{digits}f} ± {values.std():,.{digits}f}"

    rows = {
        name: {"WD": spread(own.within), "BD": spread(own.between), "CHI": spread(own.values)}
        | {"level": separability_level(own.mean)}
        for name, own in indices.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")
