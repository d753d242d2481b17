"""Curves on one x axis, with bands around them."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.colors import hex_to_rgb
from plotly.subplots import make_subplots

from srlab.figures.panels import wrapped
from srlab.figures.theme import COLOURS, DASHES, entry, finish, log_axis, mark

TITLE = 26  # letters a line of a title beside its panel


def stacked_curves(
    x: Sequence[float] | Mapping[str, Sequence[float]],
    panels: Mapping[str, Mapping[str, np.ndarray]],
    *,
    x_title: str,
    bands: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]] | None = None,
    log_x: bool = False,
    log_y: Sequence[str] = (),
) -> go.Figure:
    """Curves on one x axis, panels above one another: {y title: {line name: values}}.

    `x` is shared by all lines, or given for each name; `bands` are (low, high) around a line.
    """
    figure = make_subplots(len(panels), 1, shared_xaxes=True, vertical_spacing=0.06)
    names: list[str] = []
    for row, (y_title, lines) in enumerate(panels.items(), start=1):
        for name, values in lines.items():
            if fresh := name not in names:
                names.append(name)
            places = x[name] if isinstance(x, Mapping) else x
            band = (bands or {}).get(y_title, {}).get(name)
            for trace in _line(places, name, values, band, names.index(name), legend=fresh):
                figure.add_trace(trace, row=row, col=1)
        scale = log_axis(lines.values()) if y_title in log_y else {}
        figure.update_yaxes(title=wrapped(y_title, TITLE), **scale, row=row, col=1)
    figure.update_yaxes(automargin=True, title_standoff=8)  # narrow screens set small margins
    figure.update_xaxes(type="log" if log_x else "linear")
    if log_x:
        marked = _apart(sorted(set().union(*x.values()))) if isinstance(x, Mapping) else list(x)
        figure.update_xaxes(tickvals=marked)
    figure.update_xaxes(title=x_title, row=len(panels), col=1)
    return finish(figure, height=60 + 230 * len(panels))


def _apart(places: Sequence[float], factor: float = 1.6) -> list[float]:
    """Of rising places those whose numbers do not overlap on a logarithmic axis."""
    kept: list[float] = []
    for place in places:
        if not kept or place >= factor * kept[-1]:
            kept.append(place)
    return kept


def _line(
    x: Sequence[float],
    name: str,
    values: np.ndarray,
    band: tuple[np.ndarray, np.ndarray] | None,
    index: int,
    *,
    legend: bool,
) -> list[go.Scatter]:
    colour = COLOURS[index % len(COLOURS)]
    line = go.Scatter(
        x=list(x),
        y=np.asarray(values, np.float32),
        **entry(name, shown=legend),
        mode="lines+markers",
        line={"color": colour, "dash": DASHES[index % len(DASHES)]},
        marker=mark(index, size=7),
    )
    if band is None:
        return [line]
    red, green, blue = hex_to_rgb(colour)
    low, high = (np.asarray(edge, np.float32) for edge in band)
    area = go.Scatter(
        x=[*x, *reversed(list(x))],
        y=np.concatenate([high, low[::-1]]),
        mode="lines",
        fill="toself",
        fillcolor=f"rgba({red},{green},{blue},0.18)",
        line={"width": 0},
        hoverinfo="skip",
        legendgroup=name,
        showlegend=False,
    )
    return [area, line]
