"""Codes as clouds of points, ready to be drawn by `embedding_grid`."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from srlab.figures.pictures import sprite_sheet
from srlab.images import image_to_array
from srlab.representation.embedding import embed, separability
from srlab.studies.redsr.codes import Stacked

Panels = dict[tuple[str, str], np.ndarray]  # {("", title): points (N, 2)}


def labels(seen: Stacked, *, zoom: int = 3) -> dict[str, Any]:
    """What `embedding_grid` says of these windows' points: kinds, pictures and thumbnails."""
    sprites = sprite_sheet(image_to_array(seen.lr), zoom=zoom)
    return {"classes": seen.kinds, "contents": seen.pictures, "sprites": sprites}


def code_clouds(
    codes: Mapping[str, np.ndarray], seen: Stacked, *, perplexity: float
) -> tuple[Panels, dict[str, Any]]:
    """t-SNE of codes {title: (N, D)}: panels, and what is written on them, with CHI above each."""
    panels = {("", title): embed(own, perplexity=perplexity) for title, own in codes.items()}
    notes = {
        place: f"CHI {separability(points, seen.kinds).index:.1f}"
        for place, points in panels.items()
    }
    return panels, {**labels(seen, zoom=2), "notes": notes}
