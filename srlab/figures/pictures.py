"""Pictures: thumbnails, tinted and tiled ones, and grids of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.colors import hex_to_rgb
from plotly.subplots import make_subplots
from skimage.util import montage

from srlab.figures.panels import arranged, room, titles_above, wrapped
from srlab.figures.theme import BARE, COLOURS, finish
from srlab.files import picture_url

TITLE = 16  # letters a line of a title above its picture
WIDE = 580  # pixels that three and more columns take at least; narrower screens scroll
ROOM = 90  # letters that the titles of a grid's columns fill together on a page of the book


def sprite_sheet(pictures: np.ndarray, *, zoom: int = 3) -> dict[str, Any]:
    """Many small uint8 pictures (N, h, h, 3) as one WebP sheet of thumbnails.

    Goes into `figure.layout.meta["srlab"]["sprite"]`; a trace's `customdata` is an index into it.
    """
    count, tile = pictures.shape[:2]
    columns = int(np.ceil(np.sqrt(count)))
    grid = -(-count // columns), columns
    sheet = montage(pictures, fill=(0, 0, 0), grid_shape=grid, channel_axis=-1)
    source = picture_url(sheet, lossless=False)
    return {"src": source, "tile": tile, "cols": columns, "count": count, "zoom": zoom}


def signed_tiles(maps: np.ndarray, *, columns: int = 4) -> np.ndarray:
    """Maps (K, h, w) side by side as one uint8 picture: blue below zero, orange above.

    Each map is scaled by its own largest values (their 99th percentile); a missing last tile is
    grey, as are the lines between tiles.
    """
    largest = np.quantile(np.abs(maps), 0.99, axis=(1, 2), keepdims=True)
    scaled = np.clip(maps / np.where(largest > 0, largest, 1), -1, 1)
    low, high = map(hex_to_rgb, COLOURS[:2])
    shade = np.where(scaled[..., None] < 0, low, high)
    tiles = (255 + np.abs(scaled)[..., None] * (shade - 255)).astype(np.uint8)
    grid, grey = (-(-len(maps) // columns), columns), (160, 160, 160)
    framed = montage(tiles, fill=grey, grid_shape=grid, padding_width=1, channel_axis=-1)
    return framed[1:, 1:]


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
        mixed = mixed + weight * (hex_to_rgb(colour) - mixed)
    return mixed.round().clip(0, 255).astype(np.uint8)


def picture_row(pictures: Mapping[str, np.ndarray], *, height: int = 260) -> go.Figure:
    """Pictures (H, W, 3) uint8 side by side under their titles; zoom acts on all of them."""
    titles = [wrapped(title, TITLE) for title in pictures]
    figure = make_subplots(1, len(pictures), subplot_titles=titles, horizontal_spacing=0.02)
    for column, picture in enumerate(pictures.values(), start=1):
        figure.add_trace(go.Image(source=picture_url(picture), hoverinfo="skip"), row=1, col=column)
    figure.update_xaxes(**BARE, matches="x")
    figure.update_yaxes(**BARE, matches="y")
    return finish(figure, height=height, width=WIDE if len(pictures) > 2 else 0)


def picture_grid(
    panels: Mapping[tuple[str, str], np.ndarray],
    *,
    notes: Mapping[tuple[str, str], str] | None = None,
) -> go.Figure:
    """Pictures (H, W, 3) uint8 of one shape in a grid: {(row title, column title): picture}.

    `notes` stand above their panels. Zoom acts on all pictures.
    """
    rows, columns, places = arranged(panels)
    tall, wide = next(iter(panels.values())).shape[:2]
    letters = max(ROOM // len(columns) - 2, 8)
    written = {column: wrapped(column, letters) for column in columns}
    titles = list(titles_above(rows, written, notes).values())
    above = room(titles[: len(columns)])
    gap = 8 + room(note for (row, _), note in (notes or {}).items() if row != rows[0])
    height = round(60 + (700 / len(columns) * tall / wide + gap) * len(rows))
    figure = make_subplots(
        len(rows),
        len(columns),
        subplot_titles=titles,
        row_titles=rows if any(rows) else None,
        horizontal_spacing=0.01,
        vertical_spacing=gap / height,
    )
    for title, picture in panels.items():
        source, name = picture_url(picture, lossless=False), " ".join(title).strip()
        figure.add_trace(go.Image(source=source, name=name, hoverinfo="skip"), **places[title])
    figure.update_xaxes(**BARE, constrain="domain", matches="x")
    figure.update_yaxes(**BARE, constrain="domain", matches="y", constraintoward="top")
    finish(figure, height=height, width=WIDE if len(columns) > 2 else 0)
    return figure.update_layout(margin={"l": 10, "t": max(50, 18 + above), "b": 10})
