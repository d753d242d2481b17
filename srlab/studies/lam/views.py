"""Hard patches beside the maps of networks, as several findings show them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from srlab.figures.maps import attribution_grid
from srlab.images import image_to_array
from srlab.studies.lam.diffusion import Window, middle
from srlab.studies.lam.hard_patches import HardPatches

if TYPE_CHECKING:
    import plotly.graph_objects as go


def outline(size: int, window: int, scale: int = 4) -> Window:
    """The window in the middle of `size` HR pixels: top, left, height, width in LR pixels."""
    top = middle(size, window) / scale
    return top, top, window / scale, window / scale


def map_rows(
    patches: HardPatches,
    maps: Mapping[str, Sequence[np.ndarray]],
    notes: Mapping[str, Sequence[str]],
    *,
    window: int = 16,
    count: int = 2,
) -> "go.Figure":
    """The `count` hardest patches (rows): the picture, then the map (h, w) of each network.

    `maps` and the `notes` above them are {column: one for each patch}.

    >>> map_rows(patches, {"EDSR": found.maps}, {"EDSR": [f"DI {di:.2f}" for di in found.index]})
    """
    side, size = patches.lr.shape[-1], patches.hr.shape[-1]
    panels, written = {}, {}
    for i in range(min(count, len(patches))):
        row = patches.names[i].replace(" ", "<br>")
        panels[row, "HR"] = image_to_array(patches.hr[i])
        for name, own in maps.items():
            panels[row, name], written[row, name] = own[i], notes[name][i]
    square = outline(size, window, size // side)
    return attribution_grid(
        panels, size=(side, side), window=square, around=side / 4, notes=written
    )
