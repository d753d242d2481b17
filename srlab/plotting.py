"""Figures: arrays in, interactive Plotly figures out. No torch, no files, no display.

Colours are those of Okabe and Ito, told apart by colour-blind readers; each class also has a
symbol or a dash. Figures set no background and no ink: the page's theme does.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from PIL import Image
from plotly.subplots import make_subplots

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#8C8C8C", "#B8A900")
SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up", "star", "hexagram", "bowtie")
DASHES = ("solid", "dash", "dot", "dashdot")


def picture_url(picture: np.ndarray, *, lossless: bool = True) -> str:
    """A uint8 picture (H, W, 3) as a data URL: PNG, or WebP of good quality."""
    memory = io.BytesIO()
    if lossless:
        Image.fromarray(picture).save(memory, "PNG", optimize=True)
    else:
        Image.fromarray(picture).save(memory, "WEBP", quality=80)
    kind = "png" if lossless else "webp"
    return f"data:image/{kind};base64,{base64.b64encode(memory.getvalue()).decode()}"


def sprite_sheet(pictures: np.ndarray, *, zoom: int = 3) -> dict[str, Any]:
    """Many small uint8 pictures (N, h, h, 3) as one WebP sheet, for thumbnails under the cursor.

    Goes into `figure.layout.meta["srlab"]["sprite"]`; a trace's `customdata` is the picture's index.
    """
    count, tile = pictures.shape[:2]
    columns = int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    sheet = np.zeros((rows * columns, tile, tile, 3), np.uint8)
    sheet[:count] = pictures
    sheet = sheet.reshape(rows, columns, tile, tile, 3).swapaxes(1, 2)
    source = picture_url(sheet.reshape(rows * tile, columns * tile, 3), lossless=False)
    return {"src": source, "tile": tile, "cols": columns, "count": count, "zoom": zoom}


def embedding_grid(
    panels: Mapping[tuple[str, str], np.ndarray],
    *,
    classes: Sequence[str] | np.ndarray,
    contents: Sequence[str] | np.ndarray,
    sprites: dict[str, Any],
    notes: Mapping[tuple[str, str], str] | None = None,
    title: str = "",
) -> go.Figure:
    """Small multiples of embeddings (N, 2): {(row title, column title): points}.

    Colour is the class (degradation), symbol the content. `notes` are written below the column
    titles, one a panel. Clicking a class in the legend hides it in all panels.
    """
    rows, columns = (list(dict.fromkeys(names)) for names in zip(*panels, strict=True))
    notes = notes or {}
    figure = make_subplots(
        len(rows),
        len(columns),
        subplot_titles=[
            "<br>".join(filter(None, [column, notes.get((row, column), "")]))
            for row in rows
            for column in columns
        ],
        row_titles=rows if len(rows) > 1 else None,
        horizontal_spacing=0.02,
        vertical_spacing=0.14 / len(rows) + 0.02,
    )
    for (row, column), points in panels.items():
        place = {"row": rows.index(row) + 1, "col": columns.index(column) + 1}
        first = place == {"row": 1, "col": 1}
        for trace in _class_traces(points, classes, contents, legend=first):
            figure.add_trace(trace, **place)
    figure.update_xaxes(
        showticklabels=False, zeroline=False, showgrid=False, mirror=True, showline=True
    )
    figure.update_yaxes(
        showticklabels=False, zeroline=False, showgrid=False, mirror=True, showline=True
    )
    figure.update_annotations(font_size=12)
    labels = [f"{kind} · {content}" for kind, content in zip(classes, contents, strict=True)]
    return _finish(
        figure, title, height=60 + 260 * len(rows), sprites={**sprites, "labels": labels}
    )


def animated_embedding(
    frames: Mapping[str, np.ndarray],
    *,
    classes: Sequence[str] | np.ndarray,
    contents: Sequence[str] | np.ndarray,
    sprites: dict[str, Any],
    notes: Mapping[str, str] | None = None,
    title: str = "",
) -> go.Figure:
    """One embedding (N, 2) a frame, with a slider and a play button: {frame name: points}."""
    names, notes = list(frames), notes or {}
    shown = {name: _unit(points) for name, points in frames.items()}
    figure = go.Figure(
        data=_class_traces(shown[names[-1]], classes, contents, legend=True),
        frames=[
            go.Frame(
                name=name,
                data=_class_traces(points, classes, contents, legend=True, only_places=True),
            )
            for name, points in shown.items()
        ],
    )
    glide = {
        "mode": "immediate",
        "frame": {"duration": 700, "redraw": False},
        "transition": {"duration": 500},
    }
    steps = [
        {
            "label": f"{name} {notes.get(name, '')}".strip(),
            "method": "animate",
            "args": [[name], glide],
        }
        for name in names
    ]
    play = {"label": "▶ play", "method": "animate", "args": [None, {**glide, "fromcurrent": False}]}
    pause = {"label": "❚❚ pause", "method": "animate", "args": [[None], {"mode": "immediate"}]}
    figure.update_layout(
        sliders=[
            {"steps": steps, "active": len(names) - 1, "pad": {"t": 30}, "x": 0.12, "len": 0.88}
        ],
        updatemenus=[
            {
                "type": "buttons",
                "showactive": False,
                "buttons": [play, pause],
                "x": 0,
                "y": -0.02,
                "xanchor": "left",
                "yanchor": "top",
                "pad": {"t": 20},
            }
        ],
    )
    hidden = {"showticklabels": False, "zeroline": False, "showgrid": False, "range": [-1.1, 1.1]}
    figure.update_xaxes(**hidden)
    figure.update_yaxes(**hidden)
    labels = [f"{kind} · {content}" for kind, content in zip(classes, contents, strict=True)]
    return _finish(figure, title, height=560, sprites={**sprites, "labels": labels})


def _unit(points: np.ndarray) -> np.ndarray:
    """Centre and scale to [−1, 1]: an embedding has neither place nor size."""
    centred = points - (points.max(axis=0) + points.min(axis=0)) / 2
    return (centred / np.abs(centred).max()).astype(np.float32)


def _class_traces(
    points: np.ndarray,
    classes: Sequence[str] | np.ndarray,
    contents: Sequence[str] | np.ndarray,
    *,
    legend: bool,
    only_places: bool = False,
) -> list[go.Scatter]:
    classes, contents = np.asarray(classes), np.asarray(contents)
    symbol = {name: SYMBOLS[i % len(SYMBOLS)] for i, name in enumerate(dict.fromkeys(contents))}
    points = points.astype(np.float32)
    traces = []
    for index, name in enumerate(dict.fromkeys(classes)):
        own = np.flatnonzero(classes == name)
        places = {"x": points[own, 0], "y": points[own, 1]}
        if only_places:
            traces.append(go.Scatter(**places))
            continue
        traces.append(
            go.Scatter(
                **places,
                mode="markers",
                name=str(name),
                legendgroup=str(name),
                showlegend=legend,
                customdata=own.astype(np.int32),
                hovertemplate="%{text}<extra></extra>",
                text=[f"{name} · {content}" for content in contents[own]],
                marker={
                    "color": COLOURS[index % len(COLOURS)],
                    "symbol": [symbol[content] for content in contents[own]],
                    "size": 6,
                    "opacity": 0.8,
                },
            )
        )
    return traces


def curves(
    x: Sequence[float],
    lines: Mapping[str, np.ndarray],
    *,
    x_title: str,
    y_title: str,
    bands: Mapping[str, tuple[np.ndarray, np.ndarray]] | None = None,
    log_x: bool = False,
    log_y: bool = False,
    title: str = "",
    height: int = 420,
) -> go.Figure:
    """Lines over a shared x with their (low, high) bands; colour and dash tell them apart."""
    figure = go.Figure()
    for index, (name, values) in enumerate(lines.items()):
        for trace in _line(x, name, values, (bands or {}).get(name), index):
            figure.add_trace(trace)
    figure.update_xaxes(title=x_title, type="log" if log_x else "linear")
    figure.update_yaxes(title=y_title, type="log" if log_y else "linear")
    return _finish(figure, title, height=height)


def stacked_curves(
    x: Sequence[float],
    panels: Mapping[str, Mapping[str, np.ndarray]],
    *,
    x_title: str,
    bands: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]] | None = None,
    log_x: bool = False,
    log_y: Sequence[str] = (),
    title: str = "",
) -> go.Figure:
    """Several `curves` above one another on one x axis: {y title: {name: values}}."""
    figure = make_subplots(len(panels), 1, shared_xaxes=True, vertical_spacing=0.06)
    names = list(dict.fromkeys(name for lines in panels.values() for name in lines))
    for row, (y_title, lines) in enumerate(panels.items(), start=1):
        for name, values in lines.items():
            band = (bands or {}).get(y_title, {}).get(name)
            for trace in _line(x, name, values, band, names.index(name)):
                trace.showlegend = bool(trace.showlegend) and row == 1
                figure.add_trace(trace, row=row, col=1)
        figure.update_yaxes(
            title=y_title, type="log" if y_title in log_y else "linear", row=row, col=1
        )
    figure.update_xaxes(type="log" if log_x else "linear")
    figure.update_xaxes(title=x_title, row=len(panels), col=1)
    return _finish(figure, title, height=60 + 230 * len(panels))


def _line(
    x: Sequence[float],
    name: str,
    values: np.ndarray,
    band: tuple[np.ndarray, np.ndarray] | None,
    index: int,
) -> list[go.Scatter]:
    colour = COLOURS[index % len(COLOURS)]
    line = go.Scatter(
        x=list(x),
        y=np.asarray(values, np.float32),
        name=name,
        legendgroup=name,
        showlegend=True,
        mode="lines+markers",
        line={"color": colour, "dash": DASHES[index % len(DASHES)]},
        marker={"symbol": SYMBOLS[index % len(SYMBOLS)], "size": 7},
    )
    if band is None:
        return [line]
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    low, high = (np.asarray(edge, np.float32) for edge in band)
    area = go.Scatter(
        x=[*x, *reversed(list(x))],
        y=np.concatenate([high, low[::-1]]),
        fill="toself",
        fillcolor=f"rgba({red},{green},{blue},0.18)",
        line={"width": 0},
        hoverinfo="skip",
        legendgroup=name,
        showlegend=False,
    )
    return [area, line]


def picture_row(
    pictures: Mapping[str, np.ndarray], *, title: str = "", height: int = 260
) -> go.Figure:
    """Pictures (H, W, 3) uint8 side by side under their titles; zoom acts on all of them."""
    figure = make_subplots(
        1, len(pictures), subplot_titles=list(pictures), horizontal_spacing=0.02, shared_yaxes=False
    )
    for column, picture in enumerate(pictures.values(), start=1):
        figure.add_trace(go.Image(source=picture_url(picture), hoverinfo="skip"), row=1, col=column)
    figure.update_xaxes(showticklabels=False, showgrid=False, zeroline=False, matches="x")
    figure.update_yaxes(showticklabels=False, showgrid=False, zeroline=False, matches="y")
    figure.update_annotations(font_size=12)
    return _finish(figure, title, height=height)


def _finish(
    figure: go.Figure, title: str, *, height: int, sprites: dict[str, Any] | None = None
) -> go.Figure:
    """The house layout: no background, tight margins, legend above the plot."""
    figure.update_layout(
        template="none",
        title={"text": title, "x": 0.01, "font": {"size": 15}} if title else None,
        height=height,
        margin={"l": 50, "r": 20, "t": 90 if title else 70, "b": 45},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "itemclick": "toggle"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    if sprites:
        figure.update_layout(meta={"srlab": {"sprite": sprites}})
    return figure
