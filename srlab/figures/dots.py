"""Dots: one measure against another, values with their interval, effects over a grid."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from srlab.figures.panels import room, wrapped
from srlab.figures.theme import COLOURS, entry, finish, log_axis, log_ticks, mark

LEVEL = {"dash": "dot", "color": COLOURS[5], "width": 1.5}


def scatter_panels(
    panels: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]],
    *,
    names: Mapping[str, Sequence[str]],
    y_title: str,
    log_x: Sequence[str] = (),
    sprites: dict[str, Any] | None = None,
    pictures: Mapping[str, Sequence[int]] | None = None,
) -> go.Figure:
    """Dots over several x axes beside one another, one y axis: {x title: {group: (x, y)}}.

    Colour and symbol are the group; `names` are those of its dots, {group: names}. The panels
    whose x title is in `log_x` have a logarithmic axis. With `sprites`, `pictures` are the dots'
    thumbnails, {group: indices}.
    """
    figure = make_subplots(1, len(panels), shared_yaxes=True, horizontal_spacing=0.04)
    groups = list(dict.fromkeys(group for dots in panels.values() for group in dots))
    for column, (x_title, dots) in enumerate(panels.items(), start=1):
        for group, (x, y) in dots.items():
            figure.add_trace(
                go.Scatter(
                    x=np.asarray(x, np.float32),
                    y=np.asarray(y, np.float32),
                    **entry(group, shown=column == 1),
                    mode="markers",
                    text=list(names[group]),
                    customdata=np.asarray(pictures[group], np.int32) if pictures else None,
                    hovertemplate="%{text}: %{x:.3g}, %{y:.3g}<extra></extra>",
                    marker=mark(groups.index(group), size=9, opacity=0.85),
                ),
                row=1,
                col=column,
            )
        scale = log_axis(x for x, _ in dots.values()) if x_title in log_x else {}
        angle = 0 if scale else None
        figure.update_xaxes(title=x_title, tickangle=angle, **scale, row=1, col=column)
    figure.update_yaxes(title=y_title, row=1, col=1)
    return finish(figure, height=430, sprites=sprites)


def interval_dots(
    values: Mapping[str, np.ndarray],
    *,
    x_title: str,
    reference: float | None = None,
    levels: Sequence[float] = (),
    log_x: bool = False,
    sprites: dict[str, Any] | None = None,
    pictures: Mapping[str, Sequence[int]] | None = None,
) -> go.Figure:
    """A row for each name: its values (S,), their mean, and a bar from lowest to highest.

    `reference` draws a dashed upright line, such as chance, `levels` dotted ones, such as what a
    criterion asks. With `sprites`, `pictures` are the values' thumbnails, {name: indices (S,)}.
    """
    figure = go.Figure()
    for index, (name, row) in enumerate(values.items()):
        row, colour = np.asarray(row, np.float32), COLOURS[index % len(COLOURS)]
        mean, low, high = (float(value) for value in (row.mean(), row.min(), row.max()))
        figure.add_scatter(
            x=row,
            y=[name] * len(row),
            mode="markers",
            marker={"color": colour, "size": 6, "opacity": 0.35},
            customdata=np.asarray(pictures[name], np.int32) if pictures else None,
            hovertemplate="%{x:.3f}<extra></extra>",
        )
        figure.add_scatter(
            x=[mean],
            y=[name],
            mode="markers",
            marker=mark(index, size=12),
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [high - mean],
                "arrayminus": [mean - low],
                "color": colour,
            },
            hovertemplate=f"{name}: mean %{{x:.3f}}, {low:.3f} to {high:.3f}<extra></extra>",
        )
    if reference is not None:
        figure.add_vline(reference, line={"dash": "dash", "color": COLOURS[6], "width": 1})
    for level in levels:
        figure.add_vline(level, line=LEVEL)
    if log_x:
        figure.update_xaxes(type="log", dtick=log_ticks(np.concatenate([*values.values()])))
    figure.update_xaxes(title=x_title, zeroline=False)
    figure.update_yaxes(autorange="reversed", automargin=True, zeroline=False)
    finish(figure, height=110 + 44 * len(values), sprites=sprites)
    return figure.update_layout(showlegend=False, margin={"t": 20})


class GridPoint(NamedTuple):
    """One point of a grid: how it came out, and what was measured there."""

    outcome: str  # "reproduced"; the figure's colours and symbols
    measured: Mapping[str, tuple[float, float, float]]  # (value, low, high) by measure


MEASURE = 19  # letters a line of a measure's name over its panel


def effects_over_grid(
    points: Mapping[str, GridPoint],
    outcomes: Sequence[str],
    *,
    levels: Mapping[str, float] | None = None,
    y_title: str = "",
) -> go.Figure:
    """A row for each point and a panel for each measure: its value, and its interval as a bar.

    Colour and symbol tell the outcome, one of `outcomes`; a point without values is told in words.
    `levels` are dotted lines, {measure: value}, such as what a criterion asks.
    A panel whose values are positive and span two orders of magnitude has a logarithmic axis.
    """
    measures = list(dict.fromkeys(name for point in points.values() for name in point.measured))
    titles = [wrapped(name, MEASURE) for name in measures] or [""]
    figure = make_subplots(1, len(titles), shared_yaxes=True, subplot_titles=titles)
    named: set[str] = set()
    for column, measure in enumerate(measures, start=1):
        for index, outcome in enumerate(outcomes):
            own = [
                (label, *point.measured[measure])
                for label, point in points.items()
                if point.outcome == outcome and measure in point.measured
            ]
            if own:
                dots = _effect_dots(outcome, index, own, legend=outcome not in named)
                figure.add_trace(dots, row=1, col=column)
                named.add(outcome)
        shown = [p.measured[measure] for p in points.values() if measure in p.measured]
        if _spans_orders(shown):
            figure.update_xaxes(type="log", dtick=log_ticks(np.ravel(shown)), col=column)
        if levels and measure in levels:
            figure.add_vline(levels[measure], line=LEVEL, row=1, col=column)
    figure.update_xaxes(zeroline=False, nticks=5)
    rows: dict[str, Any] = {"categoryorder": "array", "categoryarray": list(points)}
    rows["range"] = [len(points) - 0.5, -0.5]  # the first on top, and those without a value too
    figure.update_yaxes(type="category", automargin=True, zeroline=False, **rows)
    figure.update_yaxes(title=y_title, title_standoff=12, col=1)
    for label, point in points.items():
        if not point.measured:
            place = {"x": 0, "xref": "x domain", "xanchor": "left", "xshift": 8, "y": label}
            figure.add_annotation(text=point.outcome, showarrow=False, **place)
    top = 50 + room(titles)
    labels = 60 + 6 * max(map(len, points), default=0)  # pixels
    finish(figure, height=70 + top + 26 * len(points), width=labels + 120 * len(measures))
    return figure.update_layout(margin={"t": top})


def _effect_dots(outcome: str, index: int, own: list[Any], *, legend: bool) -> go.Scatter:
    labels = [label for label, *_ in own]
    values, low, high = np.array([numbers for _, *numbers in own], float).T
    return go.Scatter(
        x=values,
        y=labels,
        mode="markers",
        **entry(outcome, shown=legend),
        marker=mark(index, size=10),
        error_x={"symmetric": False, "array": high - values, "arrayminus": values - low},
        customdata=np.stack([low, high], axis=1),
        hovertemplate="%{y}<br>%{x:.4g} (%{customdata[0]:.4g} to %{customdata[1]:.4g})"
        f"<extra>{outcome}</extra>",
    )


def _spans_orders(values: Sequence[tuple[float, float, float]]) -> bool:
    low, high = min(min(v) for v in values), max(max(v) for v in values)
    return low > 0 and high / low >= 100
