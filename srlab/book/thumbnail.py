"""A stamp of a page's key figure: its points, lines, bars and fields as a little SVG."""

from base64 import b64decode
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import nbformat
import numpy as np

from srlab.book.figures import MIME
from srlab.book.outcomes import KEY_CELL
from srlab.book.outputs import outputs
from srlab.pages.templates import markup

WIDTH, HEIGHT, MARGIN = 80, 56, 3
MOST = 60  # points of a trace; of more, every n-th is drawn
CELLS = 8  # rows and columns of a field
PANELS = 6
COLOUR = "#0072b2"
Trace = Mapping[str, Any]


@cache
def thumbnail(page: Path) -> Any:
    """Markup of the key figure, or else of the first that can be drawn so small."""
    drawn = next(filter(None, map(_draw, _figures(page))), "")
    return markup(
        f'<svg class="srlab-thumb" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">{drawn}</svg>'
    )


def _figures(page: Path) -> list[dict[str, Any]]:
    if not page.is_file():  # of a record alone
        return []
    shown = outputs(nbformat.read(page, as_version=4), MIME)
    key_first = sorted(shown, key=lambda one: one[0].metadata.get("name") != KEY_CELL)
    return [figure for _, figure in key_first]


def _draw(figure: Mapping[str, Any]) -> str:
    """The first panels where the figure has them, each with its own ranges."""
    layout = figure.get("layout", {})
    panels: dict[tuple[str, str], list[Trace]] = {}
    for trace in figure["data"]:
        if trace.get("type") in ("scatter", "scattergl", "bar", "heatmap"):
            panels.setdefault((trace.get("xaxis", "x"), trace.get("yaxis", "y")), []).append(trace)
    return "".join(_panel(traces, layout, *axes) for axes, traces in islice(panels.items(), PANELS))


def _panel(traces: Iterable[Trace], layout: Mapping[str, Any], x_axis: str, y_axis: str) -> str:
    x_settings = layout.get(f"xaxis{x_axis[1:]}", {})
    y_settings = layout.get(f"yaxis{y_axis[1:]}", {})
    left, right = (WIDTH * end for end in x_settings.get("domain", (0, 1)))
    bottom, top = (HEIGHT * (1 - end) for end in y_settings.get("domain", (0, 1)))
    box = (left + MARGIN, right - MARGIN, bottom - MARGIN, top + MARGIN)
    fields = [trace for trace in traces if trace["type"] == "heatmap"]
    if fields:
        return _field(_values(fields[0]["z"]), *box)
    places = []
    for trace in traces:
        x, y = _scaled(trace.get("x"), x_settings), _scaled(trace.get("y"), y_settings)
        if count := min(len(x), len(y)):
            places.append((x[:count], y[:count], trace))
    if not places:
        return ""
    xs, ys = (np.concatenate([place[axis] for place in places]) for axis in (0, 1))
    if any(trace["type"] == "bar" for *_, trace in places):
        ys = np.append(ys, 0)
    return "".join(
        _trace(_onto(x, xs, *box[:2]), _onto(y, ys, *box[2:]), trace, box[2])
        for x, y, trace in places
    )


def _trace(x: np.ndarray, y: np.ndarray, trace: Trace, floor: float) -> str:
    step = max(1, len(x) // MOST)
    points = [f"{a:.0f} {b:.0f}" for a, b in zip(x[::step], y[::step], strict=True)]
    if trace["type"] == "bar":
        line, style = "".join(f"M{point}V{floor:.0f}" for point in points), 'stroke-width="4"'
    elif "lines" in trace.get("mode", "lines"):
        line, style = f"M{'L'.join(points)}", 'fill="none" stroke-width="1.5"'
    else:
        line = "".join(f"M{point}h0" for point in points)
        style = 'stroke-width="2.5" stroke-linecap="round"'
    return f'<path d="{line}" stroke="{_colour(trace)}" {style}/>'


def _field(values: np.ndarray, left: float, right: float, bottom: float, top: float) -> str:
    rows, columns = (max(1, -(-size // CELLS)) for size in values.shape)
    for axis, step in enumerate((rows, columns)):  # the largest of each block
        values = np.fmax.reduceat(values, range(0, values.shape[axis], step), axis=axis)
    span = np.ptp(values[np.isfinite(values)]) or 1.0
    shades = np.sqrt(np.nan_to_num((values - np.nanmin(values)) / span))
    height, width = (bottom - top) / len(values), (right - left) / values.shape[1]
    return "".join(
        f'<rect x="{left + column * width:.1f}" y="{bottom - (row + 1) * height:.1f}" '
        f'width="{width:.1f}" height="{height:.1f}" fill="{COLOUR}" opacity="{shade:.2f}"/>'
        for (row, column), shade in np.ndenumerate(shades)
        if shade > 0.03
    )


def _colour(trace: Trace) -> str:
    found = [trace.get(part, {}).get("color") for part in ("marker", "line")]
    return next((colour for colour in found if isinstance(colour, str)), COLOUR)


def _scaled(given: Any, axis: Mapping[str, Any]) -> np.ndarray:
    values = _values(given)
    if values.dtype.kind not in "fiu":  # names stand in the order in which they come
        return np.arange(len(values), dtype=float)
    return np.log10(np.maximum(values, 1e-12)) if axis.get("type") == "log" else values


def _values(given: Any) -> np.ndarray:
    """A list, or Plotly's typed array: base64 bytes, type and shape."""
    if not isinstance(given, Mapping):
        return np.array([] if given is None else given)
    found = np.frombuffer(b64decode(given["bdata"]), given["dtype"])
    shape = given.get("shape")
    return found.reshape([int(size) for size in str(shape).split(",")]) if shape else found


def _onto(values: np.ndarray, whole: np.ndarray, start: float, end: float) -> np.ndarray:
    low, high = np.nanmin(whole), np.nanmax(whole)
    return start + (values - low) / ((high - low) or 1.0) * (end - start)
