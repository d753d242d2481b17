"""Tables: heatmaps of named rows and columns, and confusion matrices."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from srlab.figures.panels import Titles, arranged
from srlab.figures.theme import COLOURS, finish, mark


class Matrix(NamedTuple):
    """A table to draw as a heatmap: values (R, C), the names of R rows and C columns."""

    values: np.ndarray
    rows: Sequence[str]
    columns: Sequence[str]


PAGE = 720  # pixels of a book's page
SHORT = 5  # letters of a name that fits below its cell

# one colour of growing opacity: the page's ink stays legible on it, in the light and in the dark
MATRIX_COLOURS = [[0, "rgba(0,114,178,0.03)"], [1, "rgba(0,114,178,0.75)"]]


def matrix_heatmap(
    values: np.ndarray, rows: Sequence[str], columns: Sequence[str], **look: Any
) -> go.Figure:
    """A heatmap of values (R, C) with named rows (from the top) and columns; NaN stays blank.

    The look is told as to `matrix_grid`, which shows several matrices in one colour scale.
    """
    return matrix_grid({("", ""): Matrix(values, rows, columns)}, **look)


def matrix_grid(
    panels: Mapping[Titles, Matrix],
    *,
    colour_title: str,
    axis_titles: tuple[str, str] = ("", ""),
    text: bool = True,
    log: bool = False,
    limits: tuple[float, float] | None = None,
) -> go.Figure:
    """Small multiples of heatmaps under one colour scale: {(row title, column title): matrix}.

    `text` writes the values into the cells, `log` colours by their logarithm, `limits` are the
    values where the colours end, `axis_titles` are those of rows and columns. NaN stays blank. A
    single row that is too wide for a page is broken into rows of two.
    """
    for title, matrix in panels.items():
        _check_matrix(matrix, " ".join(title).strip(), log)
    rows, columns, _ = arranged(panels)
    widest = max(map(_room, panels.values()))
    broken = len(rows) == 1 and len(columns) > 2 and _pixels(widest, len(columns)) > PAGE
    tall, wide = (-(-len(columns) // 2), 2) if broken else (len(rows), len(columns))
    alike = len({tuple(matrix.rows) for matrix in panels.values()}) == 1
    figure = _empty_grid(tall, wide, rows, columns, gap=0.12 if alike else 0.28)
    places = {
        (row, column): divmod(rows.index(row) * len(columns) + columns.index(column), wide)
        for row, column in panels
    }
    grid = {places[title]: matrix for title, matrix in panels.items()}
    for title, matrix in panels.items():
        line, number = places[title]
        place = {"row": line + 1, "col": number + 1}
        for trace in _matrix_traces(matrix, " ".join(title).strip(), text=text, log=log):
            figure.add_trace(trace, **place)
        under, left = grid.get((line + 1, number)), grid.get((line, 0))
        if broken and under and [*under.columns] == [*matrix.columns]:
            figure.update_xaxes(showticklabels=False, **place)  # they stand below the next row
        if number and left and [*left.rows] == [*matrix.rows]:
            figure.update_yaxes(showticklabels=False, **place)  # they stand at the left already
        figure.update_xaxes(title=axis_titles[1] if line + 1 == tall else None, **place)
        figure.update_yaxes(title=None if number else axis_titles[0], **place)
    bare = {"type": "category", "showgrid": False, "zeroline": False, "ticks": ""}
    figure.update_xaxes(**bare, automargin=True)
    if broken and max(len(name) for own in panels.values() for name in own.columns) > SHORT:
        figure.update_xaxes(tickangle=-45)  # away from the colour bar
    figure.update_yaxes(**bare, autorange="reversed", automargin=True)
    figure.update_layout(coloraxis=_matrix_colours(panels, colour_title, log, limits))
    tallest = max(len(matrix.rows) for matrix in panels.values())
    height = 110 + max(180, 42 * tallest) * tall
    finish(figure, height=height, width=_pixels(widest, wide) if text else 0)
    return figure.update_layout(margin={"l": 60, "t": 50})


def _empty_grid(
    tall: int, wide: int, rows: Sequence[str], columns: Sequence[str], *, gap: float
) -> go.Figure:
    """Subplots under the titles of their columns; of each, where the row was broken.

    `gap` is the room between panels, as a share of a panel: more where each has names of its own.
    """
    broken = len(columns) > wide
    return make_subplots(
        tall,
        wide,
        subplot_titles=columns if broken else None,
        column_titles=columns if any(columns) and not broken else None,
        row_titles=rows if len(rows) > 1 else None,
        horizontal_spacing=gap / wide,
        vertical_spacing=(0.3 if broken else 0.2) / tall,
    )


def _room(matrix: Matrix) -> int:
    """Pixels that its columns take, so that no value written in a cell touches the next."""
    words = (_short(value) for value in np.ravel(matrix.values) if np.isfinite(value))
    longest = max(map(len, words), default=0)
    return len(matrix.columns) * max(36, 8 + 7 * longest)


def _pixels(room: int, panels: int) -> int:
    """What a row of so many panels takes, with the names of its rows and its colour bar."""
    return 150 + room * panels


def _matrix_colours(
    panels: Mapping[Titles, Matrix],
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
    what, values = f"matrix {name or 'to draw'}", np.asarray(matrix.values)
    rows, columns = len(matrix.rows), len(matrix.columns)
    if values.shape != (rows, columns):
        raise ValueError(
            f"{what}: {rows} row and {columns} column names for values of shape {values.shape}"
        )
    if log and (values <= 0).any():
        raise ValueError(f"{what} holds values ≤ 0, which have no logarithm: leave out log")


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
        cells = np.array([[order.index(called), order.index(true)] for true, called in pairs])
        dots = (cells + _within_cells(cells)).astype(np.float32)  # (N, 2)
        for index, kind in enumerate(order):
            own = np.flatnonzero(cells[:, 1] == index)
            figure.add_trace(
                go.Scatter(
                    x=dots[own, 0],
                    y=dots[own, 1],
                    mode="markers",
                    name=kind,
                    customdata=np.asarray(pictures[title], np.int32)[own],
                    text=[f"{pairs[row][0]}, called {pairs[row][1]}" for row in own],
                    hovertemplate="%{text}<extra></extra>",
                    showlegend=False,
                    marker=mark(index, size=7, opacity=0.85),
                ),
                **place,
            )
        _rule_cells(figure, order, place)
    figure.update_xaxes(showgrid=False, zeroline=False, showline=True, mirror=True)
    figure.update_yaxes(showgrid=False, zeroline=False, showline=True, mirror=True, automargin=True)
    figure.update_yaxes(title="true", col=1)
    finish(figure, height=380, width=190 * len(panels), sprites=sprites)
    return figure.update_layout(margin={"t": 45})


def _rule_cells(figure: go.Figure, order: Sequence[str], place: dict[str, int]) -> None:
    """Name one panel's rows and columns, and draw lines between them."""
    edges = {"tickvals": list(range(len(order))), "ticktext": order}
    span = [-0.5, len(order) - 0.5]
    figure.update_xaxes(**edges, range=span, title="called", **place)
    figure.update_yaxes(**edges, range=span[::-1], **place)
    thin = {"line": {"width": 1, "color": COLOURS[6]}, **place}
    for edge in np.arange(len(order) - 1) + 0.5:
        figure.add_hline(edge, **thin)
        figure.add_vline(edge, **thin)


def _within_cells(cells: np.ndarray) -> np.ndarray:
    """(N, 2) places on a lattice within ±0.4, one for each member of a cell."""
    places = np.zeros(cells.shape)
    for cell in np.unique(cells, axis=0):
        own = np.flatnonzero((cells == cell).all(axis=1))
        side = int(np.ceil(np.sqrt(len(own))))
        rows, columns = np.divmod(np.arange(len(own)), side)
        places[own] = 0.8 * ((np.stack([columns, rows], axis=1) + 0.5) / side - 0.5)
    return places
