"""A map behind the states: many points, and for each state the places of what it shows."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from plotly.colors import sample_colorscale

from srlab.figures.theme import COLOURS

SHADES = 16  # of Viridis, from dark violet to yellow
MARKS = (COLOURS[4], COLOURS[3], COLOURS[5])  # colours that Viridis has not


class Cloud(NamedTuple):
    """Points (N, 2) of one plane, coloured by a quantity that the reader chooses."""

    points: np.ndarray
    colourings: Mapping[str, np.ndarray]  # {what it is: a value (N,) for each point}
    axes: tuple[str, str]  # what runs right, and what runs up
    labels: Sequence[str] = ()  # what each point is, for a cursor upon it


def pack_cloud(cloud: Cloud, markers: Sequence[str], units: Mapping[str, str]) -> dict[str, Any]:
    """What the front-end draws: the cloud, and a marker for each place of a state."""
    points = np.asarray(cloud.points, np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not np.isfinite(points).all():
        raise ValueError(
            f"a cloud has finite points (N, 2), N of them at least 1, got shape {points.shape}"
            f"{'' if np.isfinite(points).all() else ' with NaN or infinity'}"
        )
    if not cloud.colourings or not markers:
        raise ValueError("a cloud needs a colouring, and its states a place: PictureState(places=)")
    for name, values in cloud.colourings.items():
        if np.shape(values) != (len(points),) or not np.isfinite(values).all():
            raise ValueError(
                f"the colouring {name!r} needs one finite value for each of {len(points)} points, "
                f"got shape {np.shape(values)}"
            )
    if len(cloud.labels) not in (0, len(points)):
        raise ValueError(f"{len(points)} points have {len(cloud.labels)} labels: give one for each")
    return {
        "points": [[_short(value) for value in point] for point in points],
        "colourings": [
            [name, units.get(name, ""), [_short(value) for value in values]]
            for name, values in cloud.colourings.items()
        ],
        "axes": list(cloud.axes),
        "labels": list(cloud.labels),
        "markers": list(markers),
        "marks": list(MARKS),
        "shades": sample_colorscale("Viridis", SHADES, colortype="rgb"),
    }


def pack_place(name: str, place: Sequence[float] | np.ndarray) -> list[float]:
    """(x, y) in five digits; refuses what is no place."""
    values = [float(value) for value in place]
    if len(values) != 2 or not all(map(math.isfinite, values)):
        raise ValueError(
            f"no place {name!r}: a place is two finite numbers (x, y), got {tuple(values)}"
        )
    return [_short(value) for value in values]


def _short(value: float) -> float:
    return float(f"{value:.5g}")
