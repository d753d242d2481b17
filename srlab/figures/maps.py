"""Local maps beside the pictures they explain."""

import textwrap
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.colors import sample_colorscale
from plotly.subplots import make_subplots

from srlab.figures.panels import Titles, arranged, room, titles_above
from srlab.figures.theme import BARE, COLOURS, COLUMN, buttons, finish
from srlab.files import picture_url

LETTER = 7  # pixels of a letter of small words
PANEL, PANELS = 165, 640  # pixels: the most that a panel of a grid takes, and all of a row


def _by_root(colours: str | Sequence[str], low: float, count: int) -> list[tuple[float, str]]:
    """Colours of values from `low` to 1 that follow the square root of the value.

    Most of a local map lies far below its maximum.
    """
    steps = np.linspace(low, 1, count)
    places = (np.sign(steps) * steps**2 - low) / (1 - low)
    return list(zip(places, sample_colorscale(colours, count), strict=True))


ROOT_COLOURS = _by_root("Viridis", 0, 12)
RED, GREY, BLUE = "rgb(200,40,0)", "rgb(244,244,244)", "rgb(0,90,200)"
SIGNED_COLOURS = _by_root([RED, GREY, BLUE], -1, 23)


def attribution_grid(
    panels: Mapping[tuple[str, str], np.ndarray],
    *,
    size: tuple[int, int],
    window: tuple[float, float, float, float],
    around: float | None = None,
    notes: Mapping[tuple[str, str], str] | None = None,
) -> go.Figure:
    """Local maps beside the pictures they explain: {(row title, column title): panel}.

    A panel is a map of `size` (h, w) LR pixels, or a picture (H, W, 3) uint8 of any resolution. A
    map in [0, 1] is a magnitude; of one in [−1, 1] it is shown too, and by a button its signs: blue
    what raised the target, red what lowered it. A NaN of a map is left blank. `window` is (top,
    left, height, width) of the explained patch in LR pixels, outlined in all panels. `around` shows
    only so many LR pixels around it until a double click; zoom acts on all panels. `notes` stand
    above their panels.
    """
    rows, columns, places = arranged(panels)
    square = _outline(window)
    x, y = _view(square, size, around)
    wide = min(PANEL, PANELS / len(columns))
    titles = _panel_titles(rows, columns, notes, wide)
    tall = min(PANEL, wide * (y[0] - y[1]) / (x[1] - x[0]))
    first, later = (_title_room(titles, own) for own in (rows[:1], rows[1:]))
    inside = len(rows) * tall + (len(rows) - 1) * (later + 10)
    figure = make_subplots(
        len(rows),
        len(columns),
        subplot_titles=list(titles.values()),
        row_titles=rows if any(rows) else None,
        horizontal_spacing=0.015,
        vertical_spacing=(later + 10) / inside if len(rows) > 1 else 0,
    )
    for title, panel in panels.items():
        for trace in _lr_panel(panel, size, " ".join(title)):
            figure.add_trace(trace, **places[title])
        outline = {"line": {"color": COLOURS[4], "width": 2}, **places[title]}
        figure.add_shape(type="rect", **square, **outline)
    _bare_axes(figure, x, y)
    beside = room(rows) if any(rows) else 0
    above, below = first + 12, 15
    if any(panel.ndim == 2 for panel in panels.values()):
        figure.update_layout(_map_colours(min(160, inside), 10 + beside))
    if any(map(_has_signs, panels.values())):
        figure.update_layout(updatemenus=[_switch(figure.data)])
        below = 50
    narrowest = len(columns) * max(COLUMN, 0.9 * wide + 90 / len(columns))
    height = round(above + inside + below)
    finish(figure, height=height, width=narrowest if len(columns) > 2 else 0)
    return figure.update_layout(margin={"l": 10, "t": above, "b": below})


def _bare_axes(figure: go.Figure, x: list[float], y: list[float]) -> None:
    """Pixels are squares, all panels move together, and nothing but titles stands beside them."""
    figure.update_xaxes(**BARE, constrain="domain", matches="x", range=x)
    figure.update_yaxes(**BARE, constrain="domain", matches="y", range=y, scaleanchor="x")
    figure.update_yaxes(constraintoward="top")
    figure.update_annotations(selector={"textangle": 90}, xshift=4)  # titles of rows


def _panel_titles(
    rows: Sequence[str], columns: Sequence[str], notes: Mapping[Titles, str] | None, wide: float
) -> dict[Titles, str]:
    """The lines above each panel, wrapped where they would run over one `wide` pixels.

    Of those the colour bar takes some.
    """
    wrap = partial(textwrap.wrap, width=int(0.8 * wide / LETTER), break_long_words=False)
    return {
        panel: "<br>".join(part for line in title.split("<br>") for part in wrap(line))
        for panel, title in titles_above(rows, {own: own for own in columns}, notes).items()
    }


def _title_room(titles: Mapping[Titles, str], rows: Sequence[str]) -> int:
    """Pixels that the highest title over panels of `rows` takes."""
    return room(title for (row, _), title in titles.items() if title and row in rows)


def _outline(window: tuple[float, float, float, float]) -> dict[str, float]:
    """The edges of (top, left, height, width): a pixel reaches ½ to each side of its place."""
    top, left, height, width = window
    edges = {"x0": left, "x1": left + width, "y0": top, "y1": top + height}
    return {edge: place - 0.5 for edge, place in edges.items()}


def _view(
    square: Mapping[str, float], size: tuple[int, int], around: float | None
) -> tuple[list[float], list[float]]:
    """The ranges of x and, downwards, of y: so far around the square, and not off the picture."""
    far = max(size) if around is None else around
    x = [max(square["x0"] - far, -0.5), min(square["x1"] + far, size[1] - 0.5)]
    y = [min(square["y1"] + far, size[0] - 0.5), max(square["y0"] - far, -0.5)]
    return x, y


def _map_colours(length: float, away: int) -> dict[str, Any]:
    """Axes for magnitudes and, at first hidden, for signs; their bars so many pixels `away`.

    That is beyond the titles of the panels' rows.
    """
    long = {"lenmode": "pixels", "len": length, "y": 1, "yanchor": "top"}
    alike = {"cmax": 1, "colorbar": {"thickness": 10, "xpad": away, **long}}
    return {
        "coloraxis": {"colorscale": ROOT_COLOURS, "cmin": 0, **alike},
        "coloraxis2": {"colorscale": SIGNED_COLOURS, "cmin": -1, "showscale": False, **alike},
    }


def _lr_panel(panel: np.ndarray, size: tuple[int, int], name: str) -> list[go.Image | go.Heatmap]:
    """A map, hidden under it its signs if it has some, or a picture over the same LR pixels."""
    if panel.ndim == 2:
        hover = "row %{y}, column %{x}: %{z:.3f}<extra></extra>"
        shown = panel.astype(np.float32)
        maps = [go.Heatmap(z=np.abs(shown), coloraxis="coloraxis")]
        if _has_signs(panel):
            maps.append(go.Heatmap(z=shown, coloraxis="coloraxis2", visible=False))
        return [own.update(name=name, hovertemplate=hover) for own in maps]
    dy, dx = (side / pixels for side, pixels in zip(size, panel.shape, strict=False))
    source, corner = picture_url(panel, lossless=False), {"x0": (dx - 1) / 2, "y0": (dy - 1) / 2}
    return [go.Image(source=source, dx=dx, dy=dy, **corner, name=name, hoverinfo="skip")]


def _has_signs(panel: np.ndarray) -> bool:
    return panel.ndim == 2 and bool((panel < 0).any())


def _switch(traces: Sequence[Any]) -> dict[str, Any]:
    """Buttons below the panels: magnitudes, or the signs that lie hidden over them."""
    signed = [getattr(own, "coloraxis", None) == "coloraxis2" for own in traces]
    views = {
        "magnitude": ([not own for own in signed], False),
        "with signs: blue raised, red lowered": ([True] * len(signed), True),
    }
    labelled = [
        {
            "label": label,
            "method": "update",
            "args": [
                {"visible": visible},
                {"coloraxis.showscale": not signs, "coloraxis2.showscale": signs},
            ],
        }
        for label, (visible, signs) in views.items()
    ]
    return buttons(*labelled, pad=8)
