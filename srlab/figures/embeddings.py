"""Embeddings: small multiples of points in the plane, still or moving from frame to frame."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from srlab.figures.panels import arranged, room
from srlab.figures.theme import BARE, COLUMN, LINE, SYMBOLS, buttons, entry, finish, mark

BESIDE = 60  # pixels left and right of the panels
ENTRY = 6  # letters that a legend's symbol takes
ONE_LINE = 48  # letters; a legend of more may fill several lines, and stands below the panels


def embedding_grid(
    panels: Mapping[tuple[str, str], np.ndarray],
    *,
    classes: Sequence[str] | np.ndarray,
    contents: Sequence[str] | np.ndarray,
    sprites: dict[str, Any],
    notes: Mapping[tuple[str, str], str] | None = None,
) -> go.Figure:
    """Small multiples of embeddings (N, 2): {(row title, column title): points}.

    Colour is the class (degradation), symbol the content. `notes` are written below the column
    titles, one a panel. Clicking a class in the legend hides it in all panels.
    """
    rows, columns, places = arranged(panels)
    notes = notes or {}
    titles = [
        "<br>".join(filter(None, [column, notes.get((row, column))]))
        for row in rows
        for column in columns
    ]
    above = 16 + room(titles)
    figure = make_subplots(
        len(rows),
        len(columns),
        subplot_titles=titles,
        row_titles=rows if len(rows) > 1 else None,
        horizontal_spacing=0.02,
        vertical_spacing=above / (260 * len(rows)),
    )
    for panel, points in panels.items():
        first = places[panel] == {"row": 1, "col": 1}
        for trace in _class_traces(points, classes, contents, legend=first):
            figure.add_trace(trace, **places[panel])
    figure.update_xaxes(**BARE, mirror=True, showline=True)
    figure.update_yaxes(**BARE, mirror=True, showline=True)
    wide = BESIDE + 6 * max(map(len, "<br>".join(titles).split("<br>"))) * len(columns)
    finish(
        figure,
        height=60 + 260 * len(rows),
        width=max(COLUMN * len(columns), wide),
        sprites=_labelled(sprites, classes, contents),
    )
    if _legend_lines(classes) > 1:
        figure.update_layout(legend={"yref": "paper", "y": -0.02, "yanchor": "top"})
    return figure


def animated_embedding(
    frames: Mapping[str, np.ndarray],
    *,
    classes: Sequence[str] | np.ndarray,
    contents: Sequence[str] | np.ndarray,
    sprites: dict[str, Any],
    notes: Mapping[str, str] | None = None,
    slider_title: str = "",
) -> go.Figure:
    """One embedding (N, 2) a frame, with a slider and a play button: {frame name: points}.

    `notes` are shown above their frame.
    """
    names, notes = list(frames), notes or {}
    shown = {name: _unit(points) for name, points in frames.items()}

    def heading(name: str) -> dict[str, Any]:
        place = {"x": 0.99, "xanchor": "right", "y": 0.92}  # below the legend
        return {"title": {"text": notes.get(name, ""), **place}}

    figure = go.Figure(
        data=_class_traces(shown[names[0]], classes, contents, legend=True),
        layout=heading(names[0]),
        frames=[
            go.Frame(name=name, data=_places(points, classes), layout=heading(name))
            for name, points in shown.items()
        ],
    )
    figure.update_layout(**_slider(names, slider_title))
    figure.update_xaxes(**BARE, range=[-1.1, 1.1])
    figure.update_yaxes(**BARE, range=[-1.1, 1.1])
    return finish(figure, height=560, sprites=_labelled(sprites, classes, contents))


def animated_grid(
    frames: Mapping[str, Mapping[tuple[str, str], np.ndarray]],
    *,
    classes: Sequence[str] | np.ndarray,
    contents: Sequence[str] | np.ndarray,
    sprites: dict[str, Any],
    notes: Mapping[str, Mapping[tuple[str, str], str]] | None = None,
    slider_title: str = "",
    start: str | None = None,
) -> go.Figure:
    """Small multiples of embeddings under one slider: {frame: {(row, column): points (N, 2)}}.

    All frames have the same panels. `notes`, by frame and panel, stand inside their panels;
    `start` is the frame shown first, by default the last.
    """
    start = list(frames)[-1] if start is None else start
    _, _, places = arranged(frames[start])
    if any(set(panels) != set(places) for panels in frames.values()):
        raise ValueError(f"every frame needs the panels of frame {start!r}: {list(places)}")
    notes = {frame: (notes or {}).get(frame, {}) for frame in frames}
    shown = {
        frame: {panel: _unit(panels[panel]) for panel in places} for frame, panels in frames.items()
    }
    figure = embedding_grid(shown[start], classes=classes, contents=contents, sprites=sprites)
    for panel, place in places.items():
        figure.add_trace(_panel_note(notes[start].get(panel, "")), **place)
    figure.frames = [
        go.Frame(name=frame, data=_grid_places(panels, classes, notes[frame]))
        for frame, panels in shown.items()
    ]
    lines = _legend_lines(classes)
    below = LINE * (lines + 1) if lines > 1 else 0  # pixels of a legend below the panels
    slider = _slider(list(frames), slider_title, list(frames).index(start), below)
    figure.update_xaxes(range=[-1.15, 1.15])
    figure.update_yaxes(range=[-1.15, 1.4])
    height = figure.layout.height + 70 + below
    return figure.update_layout(**slider, height=height, margin={"b": 115 + below})


def _labelled(
    sprites: dict[str, Any], classes: Iterable[str], contents: Iterable[str]
) -> dict[str, Any]:
    """The thumbnails, and what each of them shows."""
    labels = [f"{kind} · {content}" for kind, content in zip(classes, contents, strict=True)]
    return {**sprites, "labels": labels}


def _legend_lines(classes: Sequence[str] | np.ndarray) -> int:
    """How many lines a legend of these classes may fill."""
    letters = sum(len(str(name)) + ENTRY for name in set(classes))
    return -(-letters // ONE_LINE)


def _class_traces(
    points: np.ndarray,
    classes: Sequence[str] | np.ndarray,
    contents: Sequence[str] | np.ndarray,
    *,
    legend: bool,
) -> list[go.Scatter]:
    classes, contents = np.asarray(classes), np.asarray(contents)
    symbol = {name: SYMBOLS[i % len(SYMBOLS)] for i, name in enumerate(dict.fromkeys(contents))}
    points = points.astype(np.float32)
    traces = []
    for index, name in enumerate(dict.fromkeys(classes)):
        own = np.flatnonzero(classes == name)
        symbols = [symbol[content] for content in contents[own]]
        traces.append(
            go.Scatter(
                x=points[own, 0],
                y=points[own, 1],
                mode="markers",
                **entry(str(name), shown=legend),
                customdata=own.astype(np.int32),
                hovertemplate="%{text}<extra></extra>",
                text=[f"{name} · {content}" for content in contents[own]],
                marker=mark(index, size=6, opacity=0.8) | {"symbol": symbols},
            )
        )
    return traces


def _unit(points: np.ndarray) -> np.ndarray:
    """Centre and scale to [−1, 1]: an embedding has neither place nor size."""
    centred = points - (points.max(axis=0) + points.min(axis=0)) / 2
    return (centred / np.abs(centred).max()).astype(np.float32)


def _places(points: np.ndarray, classes: Sequence[str] | np.ndarray) -> list[go.Scatter]:
    """What changes between frames: the coordinates, class by class."""
    own = [points[np.asarray(classes) == name] for name in dict.fromkeys(classes)]
    return [go.Scatter(x=places[:, 0], y=places[:, 1]) for places in own]


def _grid_places(
    panels: Mapping[tuple[str, str], np.ndarray],
    classes: Sequence[str] | np.ndarray,
    notes: Mapping[tuple[str, str], str],
) -> list[go.Scatter]:
    """What changes between frames: the coordinates of all panels, then their notes."""
    points = [trace for own in panels.values() for trace in _places(own, classes)]
    return [*points, *(go.Scatter(text=[notes.get(place, "")]) for place in panels)]


def _panel_note(text: str) -> go.Scatter:
    """A line of text at the top of a panel, a trace because frames move traces only."""
    return go.Scatter(
        x=[0], y=[1.25], mode="text", text=[text], hoverinfo="skip", showlegend=False, name="note"
    )


def _slider(frames: Sequence[str], title: str, active: int = 0, below: int = 0) -> dict[str, Any]:
    """A slider over frames, with play and pause, so many pixels `below` the panels."""
    glide = {
        "mode": "immediate",
        "frame": {"duration": 900, "redraw": False},
        "transition": {"duration": 600},
    }
    steps = [{"label": name, "method": "animate", "args": [[name], glide]} for name in frames]
    all_frames = [None, {**glide, "fromcurrent": active == 0}]  # from the last, begin anew
    play = {"label": "▶ play", "method": "animate", "args": all_frames}
    pause = {"label": "❚❚ pause", "method": "animate", "args": [[None], {"mode": "immediate"}]}
    slider = {
        "steps": steps,
        "active": active,
        "currentvalue": {"prefix": f"{title} ", "xanchor": "right", "offset": 16},
        "pad": {"t": 22 + below},
    }
    above = buttons(play, pause, pad=12 + below)  # the slider, beside its value
    return {"sliders": [slider], "updatemenus": [{**above, "showactive": False}]}
