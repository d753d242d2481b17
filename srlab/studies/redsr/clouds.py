"""Codes as clouds of points, ready to be drawn by `embedding_grid`."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from srlab.degradations.windows import Windows
from srlab.figures.pictures import sprite_sheet
from srlab.images import image_to_array
from srlab.representation.embedding import embed, separability

Panels = dict[tuple[str, str], np.ndarray]  # {("", title): points (N, 2)}


def labels(seen: Windows, *, zoom: int = 3) -> dict[str, Any]:
    """What `embedding_grid` says of these windows' points: kinds, pictures and thumbnails."""
    sprites = sprite_sheet(image_to_array(seen.stacked), zoom=zoom)
    return {"classes": seen.kind_labels, "contents": seen.picture_labels, "sprites": sprites}


def code_clouds(
    codes: Mapping[str, np.ndarray], seen: Windows, *, perplexity: float
) -> tuple[Panels, dict[str, Any]]:
    """t-SNE of codes {title: (N, D)}: panels, and what is written on them, with CHI above each."""
    panels = {("", title): embed(own, perplexity=perplexity) for title, own in codes.items()}
    kinds = seen.kind_labels
    notes = {key: f"CHI {separability(own, kinds).index:.1f}" for key, own in panels.items()}
    return panels, {**labels(seen, zoom=2), "notes": notes}
