"""The embedding explorer: network × layer × projection × training step, patch under the cursor."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import traitlets as T

from srlab.explorers.live import Explorer, sources
from srlab.plotting import COLOURS, SYMBOLS
from srlab.representation import align, separability_level


class Setting(NamedTuple):
    """What the four controls choose; each part is the text the reader sees."""

    network: str
    layer: str
    projection: str
    step: str


@dataclass(frozen=True)
class EmbeddedState:
    """One picture of the explorer: an embedding (N, 2) and how far its degradations separate."""

    embedding: np.ndarray
    index: float  # Caliński–Harabasz index of the embedding
    index_components: float  # … of the principal components it was made from


Compute = Callable[..., EmbeddedState]  # (setting, *, seed, perplexity)


class EmbeddingExplorer(Explorer):
    """Scatter plots of deep representations; make one with `EmbeddingExplorer.from_states`."""

    _esm = sources("embedding", "js")
    _css = sources("embedding", "css")
    meta = T.Dict().tag(sync=True)  # names, indices, colours, the sprite sheet
    places = T.Bytes().tag(sync=True)  # (states, N, 2) little-endian uint16
    network = T.Unicode().tag(sync=True)
    layer = T.Unicode().tag(sync=True)
    projection = T.Unicode().tag(sync=True)
    step = T.Unicode().tag(sync=True)
    perplexity = T.Int(30, min=2, max=100).tag(sync=True)
    seed = T.Int(0, min=0).tag(sync=True)

    @classmethod
    def from_states(
        cls,
        states: Mapping[Setting, EmbeddedState],
        *,
        degradations: Sequence[str] | np.ndarray,
        contents: Sequence[str] | np.ndarray,
        patches: Sequence[int] | np.ndarray,
        sprite: dict[str, Any],
        layers: Sequence[str] = (),
        perplexity: int = 30,
        seed: int = 0,
        compute: Compute | None = None,
    ) -> "EmbeddingExplorer":
        """An explorer of precomputed states, all of the same N points.

        Every point has a degradation, a content (the picture it was cut from) and a patch number,
        which it shares with the other degradations of the same patch; `sprite` is the
        `plotting.sprite_sheet` of the N patches. `layers` orders the layers, shallow to deep, and
        may name more than were precomputed: a live kernel computes those, another seed or another
        perplexity (`perplexity` and `seed` are those of the states) with
        `compute(setting, seed=…, perplexity=…)`.
        Embeddings are turned and mirrored, never stretched, to follow one another smoothly.
        """
        _check(states, degradations, contents, patches, sprite)
        axes = {name: list(dict.fromkeys(s[i] for s in states)) for i, name in enumerate(AXES)}
        if layers:
            strangers = set(axes["layer"]) - set(layers)
            if strangers:
                raise ValueError(f"layers= lacks {', '.join(sorted(strangers))}")
            axes["layer"] = list(layers)
        turned: dict[Setting, np.ndarray] = {}
        for setting, state in states.items():
            turned[setting] = _turned(state.embedding, setting, turned)
        last = Setting(*(axes[n][i] for n, i in zip(AXES, (0, -1, 0, -1), strict=True)))
        first = last if last in states else next(iter(states))
        explorer = cls(
            meta={
                "axes": axes,
                "states": [[axes[n].index(v) for n, v in s._asdict().items()] for s in states],
                "measures": [_measures(state) for state in states.values()],
                **_classes("degradation", degradations),
                **_classes("content", contents),
                "patch": [int(patch) for patch in patches],
                "colours": list(COLOURS),
                "symbols": list(SYMBOLS),
                "sprite": sprite,
            },
            places=b"".join(pack_places(points) for points in turned.values()),
            perplexity=perplexity,
            seed=seed,
            **first._asdict(),
        )
        explorer._turned, explorer._compute = turned, compute
        explorer.computes = compute is not None
        return explorer

    @T.validate("network", "layer", "projection", "step")
    def _known(self, proposal: dict[str, Any]) -> str:
        name, value = proposal["trait"].name, proposal["value"]
        return _one_of(name, value, self.meta["axes"][name]) if self.meta else value

    def respond(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        """The state of {network, layer, projection, step, seed, perplexity}, not precomputed."""
        axes = self.meta["axes"]
        setting = Setting(*(_one_of(name, request.get(name), axes[name]) for name in AXES))
        seed, perplexity = int(request["seed"]), int(request["perplexity"])
        if self._compute is None:
            raise ValueError("this explorer was made without compute=, it only shows its states")
        state = self._compute(setting, seed=seed, perplexity=perplexity)
        points = np.asarray(state.embedding)
        expected = (len(self.meta["patch"]), 2)
        if points.shape != expected:
            raise ValueError(f"compute returned points of shape {points.shape}, not {expected}")
        packed = pack_places(_turned(points, setting, self._turned))
        return {"measures": _measures(state)}, [packed]


AXES = Setting._fields
_FULL = 65535


def pack_places(points: np.ndarray) -> bytes:
    """Points (N, 2) as little-endian uint16: centred, the longer side spans 0 … 65535."""
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise ValueError(f"expected finite points (N, 2), got shape {points.shape}")
    low, high = points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)
    extent = (high - low).max() or 1.0
    unit = (points - (low + high) / 2) / extent + 0.5
    return (unit * _FULL).round().astype("<u2").tobytes()


def _turned(points: np.ndarray, setting: Setting, others: dict[Setting, np.ndarray]) -> np.ndarray:
    """`points` rotated or mirrored towards the most similar setting among `others`."""
    if not others:
        return points
    nearest = max(reversed(others), key=lambda own: sum(map(str.__eq__, own, setting)))
    return align(points, others[nearest])


def _measures(state: EmbeddedState) -> list[Any]:
    values = (float(state.index), float(state.index_components))
    if not all(map(math.isfinite, values)):
        raise ValueError(f"the separability of a state is {values}; are there coincident points?")
    return [round(values[0], 2), round(values[1], 2), separability_level(values[0])]


def _classes(kind: str, labels: Sequence[str] | np.ndarray) -> dict[str, list[Any]]:
    """{"contents": names, "content": index of each point's name}."""
    labels = [str(label) for label in labels]
    names = list(dict.fromkeys(labels))
    return {f"{kind}s": names, kind: [names.index(label) for label in labels]}


def _one_of(name: str, value: Any, known: Sequence[str]) -> str:
    if value not in known:
        raise T.TraitError(f"unknown {name} {value!r}; this explorer has {', '.join(known)}")
    return value


def _check(states: Mapping[Setting, EmbeddedState], *columns: Any) -> None:
    if not states:
        raise ValueError("an explorer needs at least one state")
    *labels, sprite = columns
    count = len(labels[0])
    if any(len(column) != count for column in labels) or sprite["count"] != count:
        raise ValueError(
            "degradations, contents, patches and the sprite sheet describe the same points, got "
            f"{', '.join(str(len(column)) for column in labels)} and {sprite['count']}"
        )
    for setting, state in states.items():
        if np.shape(state.embedding) != (count, 2):
            raise ValueError(
                f"{' · '.join(setting)}: expected an embedding of shape ({count}, 2), "
                f"got {np.shape(state.embedding)}"
            )
