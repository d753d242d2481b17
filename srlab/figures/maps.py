"""Local maps beside the pictures they explain."""

import textwrap
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.colors import sample_colorscale
from plotly.subplots import make_subplots

from srlab.figures.theme import COLOURS, COLUMN, LINE, finish
from srlab.files import picture_url

LETTER = 7  # pixels of a letter of small words
PANEL, PANELS = 165, 640  # pixels: the most that a panel of a grid takes, and all of a row

# colours follow the square root of the value: most of a local map lies far below its maximum
ROOT_COLOURS = [
    [step**2, colour]
    for step, colour in zip(
        np.linspace(0, 1, 12), sample_colorscale("Viridis", 12, colortype="rgb"), strict=True
    )
]


# red to blue by way of a light grey, also by the square root
SIGNED_COLOURS = [
    [(1 + np.sign(step) * step**2) / 2, colour]
    for step, colour in zip(
        np.linspace(-1, 1, 23),
        sample_colorscale(["rgb(200,40,0)", "rgb(244,244,244)", "rgb(0,90,200)"], 23),
        strict=True,
    )
]


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
    rows, columns = (list(dict.fromkeys(names)) for names in zip(*panels, strict=True))
    square = _outline(window)
    x, y = _view(square, size, around)
    wide = min(PANEL, PANELS / len(columns))
    titles = _panel_titles(rows, columns, notes or {}, wide)
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
    for (row, column), panel in panels.items():
        place = {"row": rows.index(row) + 1, "col": columns.index(column) + 1}
        for trace in _lr_panel(panel, size, f"{row} {column}"):
            figure.add_trace(trace, **place)
        figure.add_shape(type="rect", **square, line={"color": COLOURS[4], "width": 2}, **place)
    _bare_axes(figure, x, y)
    beside = max(len(row.split("<br>")) for row in rows) if any(rows) else 0
    above, below = first + 12, 15
    if any(panel.ndim == 2 for panel in panels.values()):
        figure.update_layout(_map_colours(min(160, inside), 10 + LINE * beside))
    if any(map(_has_signs, panels.values())):
        figure.update_layout(updatemenus=[_switch(figure.data)])
        below = 50
    narrowest = len(columns) * max(COLUMN, 0.9 * wide + 90 / len(columns))
    height = round(above + inside + below)
    finish(figure, height=height, width=narrowest if len(columns) > 2 else 0)
    return figure.update_layout(margin={"l": 10, "t": above, "b": below})


def _bare_axes(figure: go.Figure, x: list[float], y: list[float]) -> None:
    """Pixels are squares, all panels move together, and nothing but titles stands beside them."""
    bare = {"showticklabels": False, "showgrid": False, "zeroline": False, "ticks": ""}
    figure.update_xaxes(**bare, constrain="domain", matches="x", range=x)
    figure.update_yaxes(**bare, constrain="domain", matches="y", range=y, scaleanchor="x")
    figure.update_yaxes(constraintoward="top")
    figure.update_annotations(font_size=12)
    figure.update_annotations(selector={"textangle": 90}, xshift=4)  # titles of rows


def _panel_titles(
    rows: Sequence[str], columns: Sequence[str], notes: Mapping[tuple[str, str], str], wide: float
) -> dict[tuple[str, str], str]:
    """The lines above each panel: its column's title, in the first row only, and its note.

    Words wrap where they would run over a panel `wide` pixels, of which the colour bar takes some.
    """
    titles = {}
    for row in rows:
        for column in columns:
            told = [column.strip()] if row == rows[0] else []
            told.append(notes.get((row, column), ""))
            lines = "<br>".join(told).split("<br>")
            wrap = partial(textwrap.wrap, width=int(0.8 * wide / LETTER), break_long_words=False)
            titles[row, column] = "<br>".join(part for line in lines for part in wrap(line))
    return titles


def _title_room(titles: Mapping[tuple[str, str], str], rows: Sequence[str]) -> int:
    """Pixels that the highest title over panels of `rows` takes."""
    shown = [title for (row, _), title in titles.items() if title and row in rows]
    return LINE * max((len(title.split("<br>")) for title in shown), default=0)


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
    bar = {"thickness": 10, "lenmode": "pixels", "len": length, "y": 1, "yanchor": "top"}
    bar["xpad"] = away
    signed = {"colorscale": SIGNED_COLOURS, "cmin": -1, "cmax": 1, "showscale": False}
    return {
        "coloraxis": {"colorscale": ROOT_COLOURS, "cmin": 0, "cmax": 1, "colorbar": bar},
        "coloraxis2": {**signed, "colorbar": bar},
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
    return {
        "type": "buttons",
        "direction": "right",
        "buttons": [
            {
                "label": label,
                "method": "update",
                "args": [
                    {"visible": visible},
                    {"coloraxis.showscale": not signs, "coloraxis2.showscale": signs},
                ],
            }
            for label, (visible, signs) in views.items()
        ],
        "x": 0,
        "xanchor": "left",
        "y": 0,
        "yanchor": "top",
        "pad": {"t": 8},
    }
