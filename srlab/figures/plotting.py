"""Figures: arrays in, interactive Plotly figures out. No torch, no files, no display.

Colours are those of Okabe and Ito, told apart by colour-blind readers; each class also has a
symbol or a dash. Figures set no background and no ink: the page's theme does.
"""

import base64
import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from PIL import Image
from plotly.colors import sample_colorscale
from plotly.subplots import make_subplots

COLOURS = (
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#8C8C8C", "#B8A900"),
    *("#7F5AB6", "#8B5A2B"),  # beyond eight classes: violet and brown, not of Okabe and Ito
)
SYMBOLS = (
    *("circle", "square", "diamond", "cross", "x", "triangle-up", "star", "hexagram", "bowtie"),
    "triangle-down",
)
DASHES = ("solid", "dash", "dot", "dashdot")

PANEL, PANELS = 165, 640  # pixels: the most that a panel of a grid takes, and all of a row
COLUMN = 110  # pixels a panel needs; narrower screens scroll the figure
MEASURE = 24  # letters a line of a measure's name over its panel
LINE = 16  # pixels of a line of small words

# colours follow the square root of the value: most of a local map lies far below its maximum
ROOT_COLOURS = [
    [step**2, colour]
    for step, colour in zip(
        np.linspace(0, 1, 12), sample_colorscale("Viridis", 12, colortype="rgb"), strict=True
    )
]


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
    """Many small uint8 pictures (N, h, h, 3) as one WebP sheet of thumbnails.

    Goes into `figure.layout.meta["srlab"]["sprite"]`; a trace's `customdata` is an index into it.
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
) -> go.Figure:
    """Small multiples of embeddings (N, 2): {(row title, column title): points}.

    Colour is the class (degradation), symbol the content. `notes` are written below the column
    titles, one a panel. Clicking a class in the legend hides it in all panels.
    """
    rows, columns = (list(dict.fromkeys(names)) for names in zip(*panels, strict=True))
    notes = notes or {}
    titles = [
        [line for line in (column, notes.get((row, column), "")) if line]
        for row in rows
        for column in columns
    ]
    figure = make_subplots(
        len(rows),
        len(columns),
        subplot_titles=["<br>".join(lines) for lines in titles],
        row_titles=rows if len(rows) > 1 else None,
        horizontal_spacing=0.02,
        vertical_spacing=0.14 / len(rows) + 0.02,
    )
    for (row, column), points in panels.items():
        place = {"row": rows.index(row) + 1, "col": columns.index(column) + 1}
        first = place == {"row": 1, "col": 1}
        for trace in _class_traces(points, classes, contents, legend=first):
            figure.add_trace(trace, **place)
    frame = {"showticklabels": False, "zeroline": False, "showgrid": False}
    figure.update_xaxes(**frame, mirror=True, showline=True)
    figure.update_yaxes(**frame, mirror=True, showline=True)
    figure.update_annotations(font_size=12)
    labels = [f"{kind} · {content}" for kind, content in zip(classes, contents, strict=True)]
    _finish(figure, height=60 + 260 * len(rows), sprites={**sprites, "labels": labels})
    longest = max(len(line) for lines in titles for line in lines)
    wide = max(COLUMN, 6 * longest)
    figure.layout.meta["srlab"]["width"] = wide * len(columns)
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
        return {"title": {"text": notes.get(name, ""), "x": 0.99, "xanchor": "right", "y": 0.97}}

    figure = go.Figure(
        data=_class_traces(shown[names[0]], classes, contents, legend=True),
        layout=heading(names[0]),
        frames=[
            go.Frame(name=name, data=_places(points, classes), layout=heading(name))
            for name, points in shown.items()
        ],
    )
    figure.update_layout(**_slider(names, slider_title))
    hidden = {"showticklabels": False, "zeroline": False, "showgrid": False, "range": [-1.1, 1.1]}
    figure.update_xaxes(**hidden)
    figure.update_yaxes(**hidden)
    labels = [f"{kind} · {content}" for kind, content in zip(classes, contents, strict=True)]
    return _finish(figure, height=560, sprites={**sprites, "labels": labels})


def _slider(frames: Sequence[str], title: str, active: int = 0) -> dict[str, Any]:
    """A slider over frames, with play and pause, below the figure."""
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
        "currentvalue": {"prefix": f"{title} "},
        "pad": {"t": 25},
        "x": 0.3,
        "len": 0.7,
    }
    buttons = {
        "type": "buttons",
        "direction": "right",
        "showactive": False,
        "buttons": [play, pause],
        "x": 0,
        "xanchor": "left",
        "y": 0,
        "yanchor": "top",
        "pad": {"t": 45},
    }
    return {"sliders": [slider], "updatemenus": [buttons]}


def _unit(points: np.ndarray) -> np.ndarray:
    """Centre and scale to [−1, 1]: an embedding has neither place nor size."""
    centred = points - (points.max(axis=0) + points.min(axis=0)) / 2
    return (centred / np.abs(centred).max()).astype(np.float32)


def _places(points: np.ndarray, classes: Sequence[str] | np.ndarray) -> list[go.Scatter]:
    """What changes between frames: the coordinates, class by class."""
    classes = np.asarray(classes)
    own = [points[classes == name] for name in dict.fromkeys(classes)]
    return [go.Scatter(x=places[:, 0], y=places[:, 1]) for places in own]


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
        places = {"x": points[own, 0], "y": points[own, 1]}
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
    names = list(dict.fromkeys(name for lines in panels.values() for name in lines))
    for row, (y_title, lines) in enumerate(panels.items(), start=1):
        for name, values in lines.items():
            places = x[name] if isinstance(x, Mapping) else x
            band = (bands or {}).get(y_title, {}).get(name)
            for trace in _line(places, name, values, band, names.index(name)):
                trace.showlegend = bool(trace.showlegend) and row == 1
                figure.add_trace(trace, row=row, col=1)
        scale = {"type": "log", "exponentformat": "power", "dtick": 1} if y_title in log_y else {}
        figure.update_yaxes(title=y_title, **scale, row=row, col=1)
    figure.update_yaxes(automargin=True, title_standoff=8)  # narrow screens set small margins
    figure.update_xaxes(type="log" if log_x else "linear")
    figure.update_xaxes(title=x_title, row=len(panels), col=1)
    return _finish(figure, height=60 + 230 * len(panels))


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
        mode="lines",
        fill="toself",
        fillcolor=f"rgba({red},{green},{blue},0.18)",
        line={"width": 0},
        hoverinfo="skip",
        legendgroup=name,
        showlegend=False,
    )
    return [area, line]


def picture_row(pictures: Mapping[str, np.ndarray], *, height: int = 260) -> go.Figure:
    """Pictures (H, W, 3) uint8 side by side under their titles; zoom acts on all of them."""
    figure = make_subplots(
        1, len(pictures), subplot_titles=list(pictures), horizontal_spacing=0.02, shared_yaxes=False
    )
    for column, picture in enumerate(pictures.values(), start=1):
        figure.add_trace(go.Image(source=picture_url(picture), hoverinfo="skip"), row=1, col=column)
    bare = {"showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False}
    figure.update_xaxes(**bare, matches="x")
    figure.update_yaxes(**bare, matches="y")
    figure.update_annotations(font_size=12)
    return _finish(figure, height=height)


def _finish(figure: go.Figure, *, height: int, sprites: dict[str, Any] | None = None) -> go.Figure:
    """The house layout: no background, tight margins, legend above the plot."""
    figure.update_layout(
        template="none",
        height=height,
        margin={"l": 50, "r": 25, "t": 80, "b": 45},
        legend={"orientation": "h", "yref": "container", "y": 0.99, "yanchor": "top", "x": 0},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    if sprites:
        figure.update_layout(meta={"srlab": {"sprite": sprites}})
    return figure


def attribution_grid(
    panels: Mapping[tuple[str, str], np.ndarray],
    *,
    size: tuple[int, int],
    window: tuple[float, float, float, float],
    around: float | None = None,
    notes: Mapping[tuple[str, str], str] | None = None,
) -> go.Figure:
    """Local maps beside the pictures they explain: {(row title, column title): panel}.

    A panel is a map in [0, 1], of `size` (h, w) LR pixels, or a picture (H, W, 3) uint8 of any
    resolution. `window` is (top, left, height, width) of the explained patch in LR pixels, outlined
    in all panels. `around` shows only so many LR pixels around it until a double click; zoom acts
    on all panels. A NaN of a map is left blank. `notes` stand above their panels.
    """
    rows, columns = (list(dict.fromkeys(names)) for names in zip(*panels, strict=True))
    notes = notes or {}
    titles = {
        (row, column): "<br>".join(
            filter(None, [column.strip() if row == rows[0] else "", notes.get((row, column))])
        )
        for row in rows
        for column in columns
    }
    top, left, height, width = window
    square = {"x0": left, "x1": left + width, "y0": top, "y1": top + height}
    square = {edge: place - 0.5 for edge, place in square.items()}  # a pixel reaches ½ to each side
    far = max(size) if around is None else around
    x = [max(square["x0"] - far, -0.5), min(square["x1"] + far, size[1] - 0.5)]
    y = [min(square["y1"] + far, size[0] - 0.5), max(square["y0"] - far, -0.5)]
    wide = min(PANEL, PANELS / len(columns))
    tall = min(PANEL, wide * (y[0] - y[1]) / (x[1] - x[0]))
    first, later = (
        max(
            [
                LINE * len(title.split("<br>"))
                for key, title in titles.items()
                if title and key[0] in own
            ]
            or [0]
        )
        for own in (rows[:1], rows[1:])
    )
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
        figure.add_trace(_lr_panel(panel, size, f"{row} {column}"), **place)
        figure.add_shape(type="rect", **square, line={"color": COLOURS[4], "width": 2}, **place)
    bare = {"showticklabels": False, "showgrid": False, "zeroline": False, "ticks": ""}
    figure.update_xaxes(**bare, constrain="domain", matches="x", range=x)
    figure.update_yaxes(**bare, constrain="domain", matches="y", range=y, scaleanchor="x")
    figure.update_yaxes(constraintoward="top")
    figure.update_annotations(font_size=12)
    figure.update_annotations(selector={"textangle": 90}, xshift=4)  # titles of rows
    if any(panel.ndim == 2 for panel in panels.values()):
        length = min(160, inside)
        bar = {"thickness": 10, "lenmode": "pixels", "len": length, "y": 1, "yanchor": "top"}
        colours = {"colorscale": ROOT_COLOURS, "cmin": 0, "cmax": 1, "colorbar": bar}
        figure.update_layout(coloraxis=colours)
    above, below = first + 12, 15
    _finish(figure, height=round(above + inside + below))
    figure.update_layout(margin={"l": 10, "t": above, "b": below})
    narrowest = max(COLUMN * len(columns), 0.9 * wide * len(columns) + 90)
    return figure.update_layout(
        meta={"srlab": {"width": round(narrowest)}} if len(columns) > 2 else None
    )


def _lr_panel(panel: np.ndarray, size: tuple[int, int], name: str) -> go.Image | go.Heatmap:
    """A map, or a picture stretched over the same LR pixels."""
    if panel.ndim == 2:
        hover = "row %{y}, column %{x}: %{z:.3f}<extra></extra>"
        z = panel.astype(np.float32)
        return go.Heatmap(z=z, coloraxis="coloraxis", name=name, hovertemplate=hover)
    dy, dx = (side / pixels for side, pixels in zip(size, panel.shape, strict=False))
    source, corner = picture_url(panel, lossless=False), {"x0": (dx - 1) / 2, "y0": (dy - 1) / 2}
    return go.Image(source=source, dx=dx, dy=dy, **corner, name=name, hoverinfo="skip")


class Matrix(NamedTuple):
    """A table to draw as a heatmap: values (R, C), the names of R rows and C columns."""

    values: np.ndarray
    rows: Sequence[str]
    columns: Sequence[str]


def matrix_heatmap(
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    colour_title: str,
    axis_titles: tuple[str, str] = ("", ""),
    text: bool = True,
    log: bool = False,
    limits: tuple[float, float] | None = None,
) -> go.Figure:
    """A heatmap of values (R, C) with named rows (from the top) and columns; NaN stays blank.

    `text` writes the values into the cells, `log` colours by their logarithm, `limits` are the
    values where the colours end, `axis_titles` are those of rows and columns. For several matrices
    of one colour scale see `matrix_grid`.
    """
    return matrix_grid(
        {("", ""): Matrix(values, rows, columns)},
        colour_title=colour_title,
        axis_titles=axis_titles,
        text=text,
        log=log,
        limits=limits,
    )


def matrix_grid(
    panels: Mapping[tuple[str, str], Matrix],
    *,
    colour_title: str,
    axis_titles: tuple[str, str] = ("", ""),
    text: bool = True,
    log: bool = False,
    limits: tuple[float, float] | None = None,
) -> go.Figure:
    """Small multiples of heatmaps under one colour scale: {(row title, column title): matrix}."""
    for title, matrix in panels.items():
        _check_matrix(matrix, " ".join(title).strip(), log)
    rows, columns = (list(dict.fromkeys(names)) for names in zip(*panels, strict=True))
    figure = make_subplots(
        len(rows),
        len(columns),
        column_titles=columns if any(columns) else None,
        row_titles=rows if len(rows) > 1 else None,
        horizontal_spacing=0.12 / len(columns),
        vertical_spacing=0.2 / len(rows),
    )
    for (row, column), matrix in panels.items():
        place = {"row": rows.index(row) + 1, "col": columns.index(column) + 1}
        for trace in _matrix_traces(matrix, f"{row} {column}".strip(), text=text, log=log):
            figure.add_trace(trace, **place)
        below, beside = place["row"] == len(rows), place["col"] == 1
        figure.update_xaxes(title=axis_titles[1] if below else None, **place)
        figure.update_yaxes(title=axis_titles[0] if beside else None, **place)
        first = panels.get((row, columns[0]))
        if not beside and first and list(first.rows) == list(matrix.rows):
            figure.update_yaxes(showticklabels=False, **place)  # they stand at the left already
    bare = {"type": "category", "showgrid": False, "zeroline": False, "ticks": ""}
    figure.update_xaxes(**bare, automargin=True)
    figure.update_yaxes(**bare, autorange="reversed", automargin=True)
    figure.update_annotations(font_size=12)
    figure.update_layout(coloraxis=_matrix_colours(panels, colour_title, log, limits))
    tallest = max(len(matrix.rows) for matrix in panels.values())
    _finish(figure, height=110 + max(180, 42 * tallest) * len(rows))
    if text:  # what a screen must be wide enough for, or else scroll
        widest = max(len(matrix.columns) for matrix in panels.values())
        figure.update_layout(meta={"srlab": {"width": 150 + 36 * widest * len(columns)}})
    return figure.update_layout(margin={"l": 60, "t": 50})


# one colour of growing opacity: the page's ink stays legible on it, in the light and in the dark
MATRIX_COLOURS = [[0, "rgba(0,114,178,0.03)"], [1, "rgba(0,114,178,0.75)"]]


def _matrix_colours(
    panels: Mapping[tuple[str, str], Matrix],
    title: str,
    log: bool,
    limits: tuple[float, float] | None,
) -> dict[str, Any]:
    values = np.concatenate([np.ravel(matrix.values) for matrix in panels.values()])
    values = values[np.isfinite(values)].astype(np.float64)
    bar: dict[str, Any] = {"title": {"text": title, "side": "right"}, "thickness": 10}
    low, high = limits or ((values.min(), values.max()) if values.size else (0.1, 1.0))
    if log:
        ticks = [step * 10.0**power for power in range(-12, 13) for step in (1, 3)]
        ticks = [tick for tick in ticks if low <= tick <= high]
        bar |= {"tickvals": np.log10(ticks), "ticktext": [f"{tick:g}" for tick in ticks]}
        low, high = np.log10(low), np.log10(high)
    return {"colorscale": MATRIX_COLOURS, "cmin": low, "cmax": high, "colorbar": bar}


def _matrix_traces(
    matrix: Matrix, name: str, *, text: bool, log: bool
) -> tuple[go.Heatmap, go.Scatter]:
    """The coloured cells, and over them the values, which a keyboard can walk through."""
    values = np.asarray(matrix.values, np.float64)
    words = [[_short(value) for value in line] for line in values]
    hover = "%{y}, %{x}: %{text}<extra></extra>"
    cells = go.Heatmap(
        z=(np.log10(values) if log else values).astype(np.float32),
        x=list(matrix.columns),
        y=list(matrix.rows),
        text=words,
        hovertemplate=hover,
        hoverongaps=False,
        coloraxis="coloraxis",
        xgap=2,
        ygap=2,
        name=name,
    )
    known = np.argwhere(np.isfinite(values))
    written = go.Scatter(
        x=[matrix.columns[column] for _, column in known],
        y=[matrix.rows[row] for row, _ in known],
        text=[words[row][column] for row, column in known],
        mode="text" if text else "markers",
        textfont={"size": 11},
        marker={"opacity": 0},
        hovertemplate=hover,
        showlegend=False,
        name=name,
    )
    return cells, written


def _short(value: float) -> str:
    """At most three digits, fewer the smaller it is; no exponent for everyday sizes."""
    if 99.5 <= abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.2g}" if abs(value) >= 0.01 else f"{value:.1g}"


def _check_matrix(matrix: Matrix, name: str, log: bool) -> None:
    values, expected = np.asarray(matrix.values), (len(matrix.rows), len(matrix.columns))
    if values.shape != expected:
        raise ValueError(
            f"matrix {name or 'to draw'}: {expected[0]} row and {expected[1]} column names "
            f"for values of shape {values.shape}"
        )
    if log and (values <= 0).any():
        raise ValueError(
            f"matrix {name or 'to draw'} holds values ≤ 0, which have no logarithm: leave out log"
        )


def picture_grid(
    panels: Mapping[tuple[str, str], np.ndarray],
    *,
    notes: Mapping[tuple[str, str], str] | None = None,
) -> go.Figure:
    """Pictures (H, W, 3) uint8 of one shape in a grid: {(row title, column title): picture}.

    `notes` stand above their panels. Zoom acts on all pictures.
    """
    rows, columns = (list(dict.fromkeys(names)) for names in zip(*panels, strict=True))
    notes = notes or {}
    tall, wide = next(iter(panels.values())).shape[:2]
    gap = 24 if set(notes) - {(rows[0], column) for column in columns} else 8
    height = round(60 + (700 / len(columns) * tall / wide + gap) * len(rows))
    figure = make_subplots(
        len(rows),
        len(columns),
        subplot_titles=[
            "<br>".join(filter(None, [column if row == rows[0] else "", notes.get((row, column))]))
            for row in rows
            for column in columns
        ],
        row_titles=rows if any(rows) else None,
        horizontal_spacing=0.01,
        vertical_spacing=gap / height,
    )
    for (row, column), picture in panels.items():
        place = {"row": rows.index(row) + 1, "col": columns.index(column) + 1}
        name = f"{row} {column}".strip()
        source = picture_url(picture, lossless=False)
        figure.add_trace(go.Image(source=source, name=name, hoverinfo="skip"), **place)
    bare = {"showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False}
    figure.update_xaxes(**bare, constrain="domain", matches="x")
    figure.update_yaxes(**bare, constrain="domain", matches="y", constraintoward="top")
    figure.update_annotations(font_size=12)
    _finish(figure, height=height)
    return figure.update_layout(margin={"l": 10, "t": 50, "b": 10})


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
    places = list(frames[start])
    if any(set(panels) != set(places) for panels in frames.values()):
        raise ValueError(f"every frame needs the panels of frame {start!r}: {places}")
    notes = {frame: (notes or {}).get(frame, {}) for frame in frames}
    shown = {
        frame: {place: _unit(panels[place]) for place in places} for frame, panels in frames.items()
    }
    figure = embedding_grid(shown[start], classes=classes, contents=contents, sprites=sprites)
    rows, columns = (list(dict.fromkeys(names)) for names in zip(*places, strict=True))
    for row, column in places:
        note = _panel_note(notes[start].get((row, column), ""))
        figure.add_trace(note, row=rows.index(row) + 1, col=columns.index(column) + 1)
    figure.frames = [
        go.Frame(name=frame, data=_grid_places(panels, classes, notes[frame]))
        for frame, panels in shown.items()
    ]
    figure.update_layout(**_slider(list(frames), slider_title, list(frames).index(start)))
    figure.update_xaxes(range=[-1.15, 1.15])
    figure.update_yaxes(range=[-1.15, 1.4])
    return figure.update_layout(height=figure.layout.height + 70, margin={"b": 115})


def _panel_note(text: str) -> go.Scatter:
    """A line of text at the top of a panel, a trace because frames move traces only."""
    return go.Scatter(
        x=[0], y=[1.25], mode="text", text=[text], hoverinfo="skip", showlegend=False, name="note"
    )


def _grid_places(
    panels: Mapping[tuple[str, str], np.ndarray],
    classes: Sequence[str] | np.ndarray,
    notes: Mapping[tuple[str, str], str],
) -> list[go.Scatter]:
    """What changes between frames: the coordinates of all panels, then their notes."""
    points = [trace for own in panels.values() for trace in _places(own, classes)]
    return [*points, *(go.Scatter(text=[notes.get(place, "")]) for place in panels)]


def signed_tiles(maps: np.ndarray, *, columns: int = 4) -> np.ndarray:
    """Maps (K, h, w) side by side as one uint8 picture: blue below zero, orange above.

    Each map is scaled by its own largest values (their 99th percentile); a missing last tile is
    grey, as are the lines between tiles.
    """
    count, tall, wide = maps.shape
    rows = -(-count // columns)
    largest = np.quantile(np.abs(maps), 0.99, axis=(1, 2), keepdims=True)
    scaled = np.clip(maps / np.where(largest > 0, largest, 1), -1, 1)
    low, high = (np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)]) for c in COLOURS[:2])
    shade = np.where(scaled[..., None] < 0, low, high)
    tiles = np.full((rows * columns, tall + 1, wide + 1, 3), 160, np.uint8)
    tiles[:count, :tall, :wide] = 255 + np.abs(scaled)[..., None] * (shade - 255)
    sheet = tiles.reshape(rows, columns, tall + 1, wide + 1, 3).swapaxes(1, 2)
    return sheet.reshape(rows * (tall + 1), columns * (wide + 1), 3)


def tinted(picture: np.ndarray, layers: Mapping[str, np.ndarray]) -> np.ndarray:
    """A uint8 picture (H, W, 3) in grey under layers of colour: {"#rrggbb": strength (h, w)}.

    A strength lies in [0, 1] (or is a mask) and is enlarged to the picture, whose sides are whole
    multiples of its own; later layers cover earlier ones.
    """
    grey = picture @ np.array([0.299, 0.587, 0.114])
    mixed = np.repeat(40 + 0.75 * grey[..., None], 3, axis=-1)
    for colour, strength in layers.items():
        times = [side // own for side, own in zip(grey.shape, strength.shape, strict=True)]
        if np.multiply(times, strength.shape).tolist() != list(grey.shape):
            raise ValueError(f"a layer {strength.shape} does not tile a picture {grey.shape}")
        weight = np.kron(np.asarray(strength, float), np.ones(times))[..., None]
        paint = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
        mixed = mixed + weight * (paint - mixed)
    return mixed.round().clip(0, 255).astype(np.uint8)


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
            index = groups.index(group)
            symbol, colour = SYMBOLS[index % len(SYMBOLS)], COLOURS[index % len(COLOURS)]
            figure.add_trace(
                go.Scatter(
                    x=np.asarray(x, np.float32),
                    y=np.asarray(y, np.float32),
                    name=group,
                    legendgroup=group,
                    showlegend=column == 1,
                    mode="markers",
                    text=list(names[group]),
                    customdata=np.asarray(pictures[group], np.int32) if pictures else None,
                    hovertemplate="%{text}: %{x:.3g}, %{y:.3g}<extra></extra>",
                    marker={"color": colour, "symbol": symbol, "size": 9, "opacity": 0.85},
                ),
                row=1,
                col=column,
            )
        scale = {"type": "log", "exponentformat": "power"} if x_title in log_x else {}
        figure.update_xaxes(title=x_title, **scale, row=1, col=column)
    figure.update_yaxes(title=y_title, row=1, col=1)
    return _finish(figure, height=430, sprites=sprites)


def shades(colour: str, count: int) -> list[str]:
    """`count` tones for growing degrees, from greyish to the colour "#rrggbb" itself."""
    grey, own = np.full(3, 0xA8), np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    mixed = [grey + (own - grey) * share for share in np.linspace(0.25, 1, count)]
    return ["#" + "".join(f"{round(part):02X}" for part in tone) for tone in mixed]


def interval_dots(
    values: Mapping[str, np.ndarray],
    *,
    x_title: str,
    reference: float | None = None,
    sprites: dict[str, Any] | None = None,
    pictures: Mapping[str, Sequence[int]] | None = None,
) -> go.Figure:
    """A row for each name: its values (S,), their mean, and a bar from lowest to highest.

    `reference` draws a dashed upright line, such as chance. With `sprites`, `pictures` are the
    values' thumbnails, {name: indices (S,)}.
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
            marker={"color": colour, "size": 12, "symbol": SYMBOLS[index % len(SYMBOLS)]},
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
    figure.update_xaxes(title=x_title, zeroline=False)
    figure.update_yaxes(autorange="reversed", automargin=True, zeroline=False)
    _finish(figure, height=110 + 44 * len(values), sprites=sprites)
    return figure.update_layout(showlegend=False, margin={"t": 20})


class Effect(NamedTuple):
    """One point of a grid: how it came out, and what was measured there."""

    outcome: str  # "reproduced"; the figure's colours and symbols
    measured: Mapping[str, tuple[float, float, float]]  # (value, low, high) by measure


def effects_over_grid(
    points: Mapping[str, Effect], outcomes: Sequence[str], *, y_title: str = ""
) -> go.Figure:
    """A row for each point and a panel for each measure: its value, and its interval as a bar.

    Colour and symbol tell the outcome, one of `outcomes`; a point without values is told in words.
    A panel whose values are positive and span two orders of magnitude has a logarithmic axis.
    """
    measures = list(dict.fromkeys(name for point in points.values() for name in point.measured))
    titles = ["<br>".join(textwrap.wrap(name, MEASURE)) for name in measures]
    figure = make_subplots(
        rows=1, cols=max(1, len(measures)), shared_yaxes=True, subplot_titles=titles
    )
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
        if _spans_orders([p.measured[measure] for p in points.values() if measure in p.measured]):
            figure.update_xaxes(type="log", col=column)
    figure.update_xaxes(zeroline=False, nticks=5)
    rows: dict[str, Any] = {"categoryorder": "array", "categoryarray": list(points)}
    rows["range"] = [len(points) - 0.5, -0.5]  # the first on top, and those without a value too
    figure.update_yaxes(type="category", automargin=True, zeroline=False, **rows)
    figure.update_yaxes(title=y_title, title_standoff=12, col=1)
    figure.update_annotations(font_size=12)
    for label, point in points.items():
        if not point.measured:
            place = {"x": 0, "xref": "x domain", "xanchor": "left", "xshift": 8, "y": label}
            figure.add_annotation(text=point.outcome, showarrow=False, **place)
    top = 50 + LINE * max((len(title.split("<br>")) for title in titles), default=1)
    _finish(figure, height=70 + top + 26 * len(points))
    labels = 60 + 6 * max(map(len, points), default=0)  # pixels; narrower screens scroll
    figure.update_layout(meta={"srlab": {"width": labels + 150 * len(measures)}})
    return figure.update_layout(margin={"t": top})


def _effect_dots(outcome: str, index: int, own: list[Any], *, legend: bool) -> go.Scatter:
    labels = [label for label, *_ in own]
    values, low, high = np.array([numbers for _, *numbers in own], float).T
    return go.Scatter(
        x=values,
        y=labels,
        mode="markers",
        name=outcome,
        legendgroup=outcome,
        showlegend=legend,
        marker={"color": COLOURS[index], "symbol": SYMBOLS[index], "size": 10},
        error_x={"symmetric": False, "array": high - values, "arrayminus": values - low},
        customdata=np.stack([low, high], axis=1),
        hovertemplate="%{y}<br>%{x:.4g} (%{customdata[0]:.4g} to %{customdata[1]:.4g})"
        f"<extra>{outcome}</extra>",
    )


def _spans_orders(values: Sequence[tuple[float, float, float]]) -> bool:
    low, high = min(min(v) for v in values), max(max(v) for v in values)
    return low > 0 and high / low >= 100


class Chosen(NamedTuple):
    """Filters picked out of a network, both {convolution: (out, in)} in running order."""

    masks: Mapping[str, Any]  # bools: which ones
    scores: Mapping[str, Any]  # the number shown for each


def network_map(panels: Mapping[str, Mapping[str, Chosen]], *, score_title: str) -> go.Figure:
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
            trace = _filter_dots(kind, chosen, index, score_title)
            trace.showlegend = row == 1
            figure.add_trace(trace, row=row, col=1)
    every = max(1, -(-len(layers) // 12))
    ticks = list(range(0, len(layers), every))
    figure.update_xaxes(
        tickvals=ticks,
        ticktext=[list(layers)[tick] for tick in ticks],
        range=[-0.6, len(layers) - 0.4],
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(range=[1, 0], showticklabels=False, showgrid=False, zeroline=False)
    figure.update_yaxes(title="output channel")
    figure.update_annotations(font_size=12)
    _finish(figure, height=110 + 210 * len(panels))
    wide = {"srlab": {"width": 100 + 15 * len(layers)}}  # scrolls where a screen is narrower
    figure.update_layout(margin={"l": 30, "b": 70}, bargap=0, hovermode="closest", meta=wide)
    return figure


STRIP = 0.84  # of the distance between two layers


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


def _filter_dots(kind: str, chosen: Chosen, index: int, score_title: str) -> go.Scatter:
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
        name=kind,
        legendgroup=kind,
        hovertemplate="%{text}<extra>" + kind + "</extra>",
        marker={
            "color": COLOURS[index % len(COLOURS)],
            "symbol": SYMBOLS[index % len(SYMBOLS)],
            "size": 5,
            "opacity": 0.85,
        },
    )


def confusion_dots(
    panels: Mapping[str, Sequence[str] | np.ndarray],
    *,
    truth: Mapping[str, Sequence[str] | np.ndarray],
    classes: Mapping[str, Sequence[str]],
    sprites: dict[str, Any],
    pictures: Mapping[str, Sequence[int] | np.ndarray],
) -> go.Figure:
    """Confusion matrices side by side, a dot for each image: {title: the class it was called (N,)}.

    Rows are the true class, columns the class called. `truth`, `classes` (in their order) and
    `pictures`, which are thumbnails (N,), are given for each panel.
    """
    figure = make_subplots(
        1, len(panels), subplot_titles=list(panels), horizontal_spacing=0.32 / len(panels)
    )
    for column, (title, names) in enumerate(panels.items(), start=1):
        order, place = list(classes[title]), {"row": 1, "col": column}
        pairs = list(zip(map(str, truth[title]), map(str, names), strict=True))
        cells = np.array([[order.index(one) for one in pair] for pair in pairs])  # (N, 2)
        inside = _within_cells(pairs)
        for index, kind in enumerate(order):
            own = np.flatnonzero(cells[:, 0] == index)
            figure.add_trace(
                go.Scatter(
                    x=(cells[own, 1] + inside[own, 0]).astype(np.float32),
                    y=(cells[own, 0] + inside[own, 1]).astype(np.float32),
                    mode="markers",
                    name=kind,
                    customdata=np.asarray(pictures[title], np.int32)[own],
                    text=[f"{pairs[row][0]}, called {pairs[row][1]}" for row in own],
                    hovertemplate="%{text}<extra></extra>",
                    showlegend=False,
                    marker={
                        "color": COLOURS[index % len(COLOURS)],
                        "symbol": SYMBOLS[index % len(SYMBOLS)],
                        "size": 7,
                        "opacity": 0.85,
                    },
                ),
                **place,
            )
        edges = {"tickvals": list(range(len(order))), "ticktext": order}
        span = [-0.5, len(order) - 0.5]
        figure.update_xaxes(**edges, range=span, title="called", **place)
        figure.update_yaxes(**edges, range=span[::-1], **place)
        for line in np.arange(len(order) - 1) + 0.5:
            figure.add_hline(line, line={"width": 1, "color": COLOURS[6]}, **place)
            figure.add_vline(line, line={"width": 1, "color": COLOURS[6]}, **place)
    figure.update_xaxes(showgrid=False, zeroline=False, showline=True, mirror=True)
    figure.update_yaxes(showgrid=False, zeroline=False, showline=True, mirror=True, automargin=True)
    figure.update_yaxes(title="true", col=1)
    figure.update_annotations(font_size=12)
    _finish(figure, height=380, sprites=sprites)
    figure.layout.meta["srlab"]["width"] = 190 * len(panels)  # scrolls where a screen is narrower
    return figure.update_layout(margin={"t": 45})


def _within_cells(pairs: Sequence[tuple[str, str]]) -> np.ndarray:
    """(N, 2) places on a lattice within ±0.4, one for each member of a cell."""
    places = np.zeros((len(pairs), 2))
    for pair in set(pairs):
        own = [row for row, other in enumerate(pairs) if other == pair]
        side = int(np.ceil(np.sqrt(len(own))))
        rows, columns = np.divmod(np.arange(len(own)), side)
        offset = (np.stack([columns, rows], axis=1) + 0.5) / side - 0.5
        places[own] = 0.8 * offset
    return places
