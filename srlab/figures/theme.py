"""What all figures share: colours, symbols, dashes, room for words, and the house layout.

Colours are those of Okabe and Ito, told apart by colour-blind readers; each class also has a
symbol or a dash. Figures set no background and no ink: the page's theme does.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.colors import hex_to_rgb

COLOURS = (
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#8C8C8C", "#B8A900"),
    *("#7F5AB6", "#8B5A2B"),  # beyond eight classes: violet and brown, not of Okabe and Ito
)
SYMBOLS = (
    *("circle", "square", "diamond", "cross", "x", "triangle-up", "star", "hexagram", "bowtie"),
    "triangle-down",
)
DASHES = ("solid", "dash", "dot", "dashdot")
COLUMN = 110  # pixels a panel needs; narrower screens scroll the figure
LINE = 16  # pixels of a line of small words
BARE = {"showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False}  # an axis


def mark(index: int, **more: Any) -> dict[str, Any]:
    """Colour and symbol of the class with that number, and what else is said of its markers.

    A colour that comes again has the next symbol: a hundred classes look unlike.
    """
    again, colour = divmod(index, len(COLOURS))
    symbol = SYMBOLS[(colour + again) % len(SYMBOLS)]
    return {"color": COLOURS[colour], "symbol": symbol, **more}


def entry(name: str, *, shown: bool) -> dict[str, Any]:
    """A trace's entry in the legend, `shown` once: clicking it hides the class in all panels."""
    return {"name": name, "legendgroup": name, "showlegend": shown}


def shades(colour: str, count: int) -> list[str]:
    """`count` tones for growing degrees, from greyish to the colour "#rrggbb" itself."""
    grey, own = np.full(3, 0xA8), np.array(hex_to_rgb(colour))
    mixed = [grey + (own - grey) * share for share in np.linspace(0.25, 1, count)]
    return ["#" + "".join(f"{round(part):02X}" for part in tone) for tone in mixed]


def log_ticks(values: np.ndarray) -> int | str:
    """Steps of a logarithmic axis: powers of ten, or 1, 2 and 5 where fewer than two are seen.

    >>> log_ticks(np.array([0.01, 5.0])), log_ticks(np.array([1e-4, 5.0]))
    (1, 2)
    >>> log_ticks(np.array([30.0, 600.0]))
    'D2'
    """
    exponents = np.log10(values[values > 0])
    if not exponents.size or np.floor(exponents.max()) - np.ceil(exponents.min()) < 1:
        return "D2"
    return int(np.ceil(np.ptp(exponents) / 3)) or 1


def log_axis(lines: Iterable[Any]) -> dict[str, Any]:
    """A logarithmic axis for all values of these lines, its numbers as powers of ten."""
    ticks = log_ticks(np.hstack([np.ravel(own) for own in lines]))
    return {"type": "log", "exponentformat": "power", "dtick": ticks}


def buttons(*labelled: dict[str, Any], pad: int) -> dict[str, Any]:
    """Buttons in a row, so many pixels below the panels' left corner."""
    corner = {"x": 0, "xanchor": "left", "y": 0, "yanchor": "top", "pad": {"t": pad}}
    return {"type": "buttons", "direction": "right", "buttons": list(labelled), **corner}


def finish(
    figure: go.Figure, *, height: int, width: float = 0, sprites: dict[str, Any] | None = None
) -> go.Figure:
    """The house layout: no background, tight margins, legend above the plot, small titles.

    The figure takes `width` pixels at least: narrower screens scroll it.
    """
    figure.update_layout(
        template="none",
        height=height,
        margin={"l": 50, "r": 25, "t": 80, "b": 45},
        legend={"orientation": "h", "yref": "container", "y": 0.99, "yanchor": "top", "x": 0},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    figure.update_annotations(font_size=12)
    told = {"width": round(width), "sprite": sprites}
    if any(told.values()):
        figure.update_layout(meta={"srlab": {name: own for name, own in told.items() if own}})
    return figure
