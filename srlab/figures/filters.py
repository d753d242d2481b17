"""Filters: where chosen ones sit in a network."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from srlab.figures.theme import BARE, entry, finish, mark

STRIP = 0.84  # of the distance between two layers


class ChosenFilters(NamedTuple):
    """Filters picked out of a network, both {convolution: (out, in)} in running order."""

    masks: Mapping[str, Any]  # bools: which ones
    scores: Mapping[str, Any]  # the number shown for each


def network_map(
    panels: Mapping[str, Mapping[str, ChosenFilters]], *, score_title: str
) -> go.Figure:
    """Where chosen filters sit in a network, panels above one another: {title: {kind: filters}}.

    Every convolution is an upright strip, the first on the left. Within it, from left to right
    are its input channels and from top to bottom its output channels, each from first to last.
    """
    first = next(iter(next(iter(panels.values())).values()))
    layers = {name: np.shape(mask) for name, mask in first.masks.items()}
    figure = make_subplots(
        len(panels),
        1,
        shared_xaxes=True,
        subplot_titles=list(panels),
        vertical_spacing=0.12 / len(panels),
    )
    for row, kinds in enumerate(panels.values(), start=1):
        figure.add_trace(_layer_strips(layers), row=row, col=1)
        for index, (kind, chosen) in enumerate(kinds.items()):
            own = {name: np.shape(mask) for name, mask in chosen.masks.items()}
            if own != layers:
                raise ValueError(f"the filters of {kind!r} lie in another network than the first")
            trace = _filter_dots(kind, chosen, index, score_title, shown=row == 1)
            figure.add_trace(trace, row=row, col=1)
    every = -(-len(layers) // 12)
    figure.update_xaxes(
        tickvals=list(range(0, len(layers), every)),
        ticktext=list(layers)[::every],
        range=[-0.6, len(layers) - 0.4],
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(**BARE, range=[1, 0], title="output channel")
    finish(figure, height=110 + 210 * len(panels), width=100 + 15 * len(layers))
    return figure.update_layout(margin={"l": 30, "b": 70}, bargap=0, hovermode="closest")


def _layer_strips(layers: Mapping[str, tuple[int, ...]]) -> go.Bar:
    return go.Bar(
        x=list(range(len(layers))),
        y=[1] * len(layers),
        width=STRIP,
        marker={"color": "rgba(140,140,140,0.16)", "line": {"width": 0}},
        hovertext=[f"{name}: {out} × {into} filters" for name, (out, into) in layers.items()],
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=False,
        name="layers",
    )


def _filter_dots(
    kind: str, chosen: ChosenFilters, index: int, score_title: str, *, shown: bool
) -> go.Scatter:
    x, y, words = [], [], []
    for place, (name, mask) in enumerate(chosen.masks.items()):
        outs, ins = np.shape(mask)
        for out, into in np.argwhere(np.asarray(mask)):
            x.append(place + STRIP * ((into + 0.5) / ins - 0.5))
            y.append((out + 0.5) / outs)
            value = float(chosen.scores[name][out, into])
            words.append(f"{name}, filter {out} ← {into}<br>{score_title} {value:.3g}")
    return go.Scatter(
        x=np.asarray(x, np.float32),
        y=np.asarray(y, np.float32),
        text=words,
        mode="markers",
        **entry(kind, shown=shown),
        hovertemplate="%{text}<extra>" + kind + "</extra>",
        marker=mark(index, size=5, opacity=0.85),
    )
