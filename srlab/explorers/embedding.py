"""The embedding explorer: network × layer × projection × training step."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Self

import traitlets as T

from srlab.explorers.controls import Control
from srlab.explorers.scatter import EmbeddedState, ScatterExplorer


class Setting(NamedTuple):
    """What the four controls choose; each part is the text the reader sees."""

    network: str
    layer: str
    projection: str
    step: str


CONTROLS = (  # in the order of a setting
    Control("network", "Network"),
    Control("layer", "Layer", "slider"),
    Control("projection", "Projection"),
    Control("step", "Training step", "slider", play="the training"),
)
Compute = Callable[..., EmbeddedState]  # (setting, *, seed, perplexity)


class EmbeddingExplorer(ScatterExplorer):
    """Scatter plots of deep representations; make one with `EmbeddingExplorer.from_states`."""

    options: ClassVar[dict[str, Any]] = {
        "inputs": {
            "perplexity": {"title": "Perplexity", "min": 2, "max": 100},
            "seed": {"title": "Seed", "min": 0, "max": 999},
        },
        "without": {"axis": "projection", "value": "PCA"},  # has neither
    }
    perplexity = T.Int(30, min=2, max=100).tag(sync=True)
    seed = T.Int(0, min=0).tag(sync=True)

    @classmethod
    def from_states(
        cls,
        states: Mapping[Setting, EmbeddedState],
        *,
        layers: Sequence[str] = (),
        perplexity: int = 30,
        seed: int = 0,
        compute: Compute | None = None,
        **points: Any,
    ) -> Self:
        """An explorer of precomputed states, all of the same N points.

        The `points` are described as for `ScatterExplorer.from_controls`. `layers` orders the
        layers, shallow to deep, and may name more than were precomputed: a live kernel computes
        those, another seed or another perplexity (`perplexity` and `seed` are those of the states)
        with `compute(setting, seed=…, perplexity=…)`.
        """
        return cls.from_controls(
            states,
            controls=CONTROLS,
            axes={"layer": layers} if layers else None,
            start=_deepest_and_last(states, layers),
            table=("layer", "step"),
            compute=compute and (lambda setting, **numbers: compute(Setting(*setting), **numbers)),
            perplexity=perplexity,
            seed=seed,
            **points,
        )


def _deepest_and_last(
    states: Mapping[Setting, EmbeddedState], layers: Sequence[str]
) -> Setting | None:
    """Where a reader starts: the first network's deepest layer at the end of its training."""
    first = next(iter(states), None)
    if first is None:
        return None
    deepest = [*dict.fromkeys(setting.layer for setting in states), *layers][-1]
    end = list(dict.fromkeys(setting.step for setting in states))[-1]
    last = first._replace(layer=deepest, step=end)
    return last if last in states else first
