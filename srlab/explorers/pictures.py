"""Images that follow controls: what a network makes of a picture under any of many settings."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np

from srlab.explorers.cloud import Cloud, pack_cloud, pack_place
from srlab.explorers.controls import ChoiceExplorer, Control, one_of, ordered_axes
from srlab.explorers.live import sources
from srlab.figures.theme import COLOURS
from srlab.files import picture_url


@dataclass(frozen=True)
class PictureState:
    """What is shown of one setting: named pictures (H, W, 3) uint8, and numbers about them."""

    pictures: Mapping[str, np.ndarray]
    measures: Mapping[str, float]
    places: Mapping[str, Sequence[float]] = field(default_factory=dict)  # (x, y) in a cloud


class Chart(NamedTuple):
    """A measure along one axis of the states, a line for each value of another."""

    measure: str
    along: str  # an axis whose values begin with a number: "0.5 %", "1 %"
    lines: str  # an axis; the chosen one is drawn in bold
    log: bool = False  # the axis `along`


class PictureExplorer(ChoiceExplorer):
    """Pictures side by side under controls; make one with `from_states`."""

    _esm = sources("cloud", "pictures", kind="js")
    _css = sources("cloud", "pictures", kind="css")

    @classmethod
    def from_states(
        cls,
        states: Mapping[Any, PictureState],
        *,
        controls: Sequence[Control],
        axes: Mapping[str, Sequence[str]] | None = None,
        start: tuple[str, ...] | None = None,
        units: Mapping[str, str] | None = None,
        chart: Chart | None = None,
        cloud: Cloud | None = None,
        compute: Callable[[tuple[str, ...]], PictureState] | None = None,
    ) -> Self:
        """An explorer of precomputed states {(a value of each control's axis, …): state}.

        All states have pictures, measures and places of the same names; places lie in the
        `cloud`. `axes` orders the values of an axis and may name more than were precomputed: a
        live kernel computes those with `compute(setting)`. `units` are written behind the measures
        and the cloud's colourings, `start` is shown first. The axes become traits:
        `explorer.strength = "0.5"`.
        """
        known = ordered_axes(cls, states, controls, axes)
        first = next(iter(states.values()))
        for setting, state in states.items():
            _check_alike(setting, state, first)
        if first.places and cloud is None:
            raise ValueError("the states have places, and nothing to lie in: give a cloud")
        packed = [_packed(state) for state in states.values()]
        urls: dict[str, int] = {}  # each picture once, however many states show it
        shown = [[urls.setdefault(url, len(urls)) for url in own["urls"]] for own in packed]
        meta = {
            "titles": list(first.pictures),
            "measures": [[name, (units or {}).get(name, "")] for name in first.measures],
            "pictures": shown,
            "values": [own["values"] for own in packed],
            "places": [own["places"] for own in packed],
            "urls": list(urls),
            "chart": _checked_chart(chart, known, first),
            "cloud": cloud and pack_cloud(cloud, list(first.places), units or {}),
            "colours": list(COLOURS),
        }
        explorer = cls._made(meta, states, controls, known, start=start, compute=compute)
        explorer._like = first
        return explorer

    def respond(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        """The state of {axis: value, …}, not precomputed."""
        setting = self._asked(request)
        state = self.compute(setting)
        _check_alike(setting, state, self._like)
        return _packed(state), []


def _packed(state: PictureState) -> dict[str, list[Any]]:
    """Its pictures, measures and places, as the front-end takes them."""
    values = [float(value) for value in state.measures.values()]
    if not all(map(math.isfinite, values)):
        raise ValueError(f"the measures of a state are not finite: {dict(state.measures)}")
    return {
        "urls": [picture_url(picture, lossless=False) for picture in state.pictures.values()],
        "values": [round(value, 4) for value in values],
        "places": [pack_place(name, place) for name, place in state.places.items()],
    }


def _check_alike(setting: Sequence[str], state: PictureState, first: PictureState) -> None:
    for what in ("pictures", "measures", "places"):
        own, expected = list(getattr(state, what)), list(getattr(first, what))
        if own != expected:
            raise ValueError(f"{' · '.join(setting)}: {what} {own}, other states have {expected}")
    for name, picture in state.pictures.items():
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise ValueError(
                f"{' · '.join(setting)}: {name!r} is no uint8 picture (H, W, 3), but "
                f"{picture.dtype} {picture.shape}"
            )


def _checked_chart(
    chart: Chart | None, axes: Mapping[str, Sequence[str]], first: PictureState
) -> dict[str, Any] | None:
    if chart is None:
        return None
    for axis in (chart.along, chart.lines):
        one_of("axis", axis, list(axes))
    one_of("measure", chart.measure, list(first.measures))
    return {**chart._asdict(), "places": [_number(value) for value in axes[chart.along]]}


def _number(value: str) -> float:
    """What a value begins with: "0.5 %" → 0.5."""
    try:
        return float(value.split()[0])
    except (ValueError, IndexError):
        raise ValueError(f"a chart runs along numbers, and {value!r} begins with none") from None
