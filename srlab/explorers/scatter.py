"""Scatter plots with controls: any axes to choose a state by, the patch under the cursor."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import traitlets as T

from srlab.explorers.controls import ChoiceExplorer, Control, one_of, ordered_axes
from srlab.explorers.live import sources
from srlab.figures.theme import COLOURS, SYMBOLS
from srlab.representation.embedding import align, separability_level


class Route(NamedTuple):
    """A slider that leads a patch from one of its degradations to the next."""

    title: str
    stops: Mapping[str, str]  # {what the slider says: name of the degradation}


@dataclass(frozen=True)
class EmbeddedState:
    """One picture of the explorer: an embedding (N, 2) and how far its degradations separate."""

    embedding: np.ndarray
    index: float  # Caliński–Harabasz index of the embedding
    index_components: float  # … of the principal components it was made from


class ScatterExplorer(ChoiceExplorer):
    """States to choose among with pills and sliders; make one with `from_controls`."""

    _esm = sources("scatter", kind="js")
    _css = sources("scatter", kind="css")
    places = T.Bytes().tag(sync=True)  # (states, N, 2) little-endian uint16
    point = T.Int(-1, min=-1).tag(sync=True)  # the one whose patch is shown to stay, or none
    options: ClassVar[dict[str, Any]] = {}  # numbers that only a live kernel changes

    @classmethod
    def from_controls(
        cls,
        states: Mapping[Any, EmbeddedState],
        *,
        controls: Sequence[Control],
        degradations: Sequence[str] | np.ndarray,
        contents: Sequence[str] | np.ndarray,
        patches: Sequence[int] | np.ndarray,
        sprite: dict[str, Any],
        axes: Mapping[str, Sequence[str]] | None = None,
        start: tuple[str, ...] | None = None,
        table: tuple[str, str] | None = None,
        routes: Sequence[Route] = (),
        colours: Sequence[str] = COLOURS,
        fillings: Sequence[int] = (0, 1, 2),
        compute: Callable[..., EmbeddedState] | None = None,
        **options: int,
    ) -> Self:
        """An explorer of precomputed states {(a value of each control's axis, …): state}.

        All states show the same N points. Every point has a degradation, a content (the picture
        it was cut from) and a patch number, which it shares with the other degradations of the
        same patch; `sprite` is the `sprite_sheet` of the N patches. `colours` and
        `fillings` (0 solid, 1 hollow, 2 dotted) are those of the degradations, in turn.

        `axes` orders the values of an axis and may name more than were precomputed: a live kernel
        computes those with `compute(setting)`. `start` is shown first, `table` names the axes of
        the rows and columns of a table of indices, `routes` are sliders that lead one patch from
        degradation to degradation. Embeddings are turned and mirrored, never stretched, to follow
        one another smoothly. The axes become traits: `explorer.layer = "body.15"`.
        """
        known = ordered_axes(cls, states, controls, axes)
        _check_points(states, (degradations, contents, patches), sprite["count"])
        turned: dict[tuple[str, ...], np.ndarray] = {}  # each embedding towards those before it
        for setting, state in states.items():
            turned[setting] = _turned(state.embedding, setting, turned)
        shown = _classes("degradation", degradations) | _classes("content", contents)
        meta = {
            "options": cls.options,
            "measures": [_measures(state) for state in states.values()],
            "table": table,
            **shown,
            "patch": [int(patch) for patch in patches],
            "sprite": sprite,
            "colours": list(colours),
            "fillings": list(fillings),
            "symbols": list(SYMBOLS),
            "routes": [_route(route, shown["degradations"]) for route in routes],
        }
        places = b"".join(map(pack_places, turned.values()))
        told: Any = {"start": start, "compute": compute, "places": places, **options}
        explorer = cls._made(meta, states, controls, known, **told)
        explorer._turned = turned
        return explorer

    def respond(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        """The state of {axis: value, …, option: number, …}, not precomputed."""
        setting = self._asked(request)
        options = {name: int(request[name]) for name in self.options.get("inputs", {})}
        state = self.compute(setting, **options)
        points = np.asarray(state.embedding)
        expected = (len(self.meta["patch"]), 2)
        if points.shape != expected:
            raise ValueError(f"compute returned points of shape {points.shape}, not {expected}")
        return {"measures": _measures(state)}, [pack_places(_turned(points, setting, self._turned))]


def pack_places(points: np.ndarray) -> bytes:
    """Points (N, 2) as little-endian uint16: centred, the longer side spans 0 … 65535."""
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise ValueError(f"expected finite points (N, 2), got shape {points.shape}")
    low, high = points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)
    extent = (high - low).max() or 1.0
    unit = (points - (low + high) / 2) / extent + 0.5
    return (unit * 0xFFFF).round().astype("<u2").tobytes()


def _turned(
    points: np.ndarray, setting: tuple[str, ...], others: Mapping[tuple[str, ...], np.ndarray]
) -> np.ndarray:
    """`points` rotated or mirrored towards the most similar setting among `others`."""
    if not others:
        return points
    nearest = max(reversed(list(others)), key=lambda own: sum(map(str.__eq__, own, setting)))
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


def _route(route: Route, degradations: Sequence[str]) -> dict[str, Any]:
    stops = [
        [word, degradations.index(one_of("degradation", name, degradations))]
        for word, name in route.stops.items()
    ]
    return {"title": route.title, "stops": stops}


def _check_points(
    states: Mapping[Any, EmbeddedState], columns: Sequence[Sequence[Any] | np.ndarray], count: int
) -> None:
    lengths = [len(column) for column in columns]
    if set(lengths) != {count}:
        raise ValueError(
            "degradations, contents, patches and the sprite sheet describe the same points, got "
            f"{', '.join(map(str, lengths))} and {count}"
        )
    for setting, state in states.items():
        if np.shape(state.embedding) != (count, 2):
            raise ValueError(
                f"{' · '.join(setting)}: expected an embedding of shape ({count}, 2), "
                f"got {np.shape(state.embedding)}"
            )
