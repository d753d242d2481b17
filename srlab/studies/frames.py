"""From a tidy table of measurements, a row each with its `value`, to what figures draw."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pandas import DataFrame

Lines = dict[str, dict[str, np.ndarray]]  # {panel: {line: values along x}}
Bands = dict[str, dict[str, tuple[np.ndarray, np.ndarray]]]  # {panel: {line: (low, high)}}


def curves(frame: "DataFrame", *, panel: str, line: str, x: str) -> tuple[Lines, Bands]:
    """Means along x, and from the lowest to the highest of all rows (seeds) that share a place.

    `panel`, `line` and `x` name columns; the values of each keep the order they first come in.

    >>> lines, bands = curves(frame, panel="measure", line="network", x="block")
    >>> stacked_curves(blocks, lines, bands=bands)
    """
    places = frame.groupby([panel, line, x], sort=False)["value"]
    table = places.agg(["mean", "min", "max"])
    lines: Lines = {}
    bands: Bands = {}
    for (title, name), own in table.groupby(level=[0, 1], sort=False):
        lines.setdefault(title, {})[name] = own["mean"].to_numpy()
        bands.setdefault(title, {})[name] = (own["min"].to_numpy(), own["max"].to_numpy())
    return lines, bands
