"""Patches as clouds of dots: the figure that DDR's pages share, and what it calls networks."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from torch import Tensor

from srlab.data.datasets import Pairs
from srlab.figures.embeddings import embedding_grid
from srlab.figures.pictures import sprite_sheet
from srlab.images import image_to_array
from srlab.representation.embedding import separability, separability_level

WORDS = {"srgan": "SRGAN", "srresnet": "SRResNet", "gr": "with GR", "wogr": "without GR"}


def network_title(name: str) -> str:
    """A recipe's name in words: "srgan-gr-s1" is "SRGAN with GR s1"; what is none stays."""
    return " ".join(WORDS.get(part, part) for part in name.split("-"))


def thumbnails(images: Tensor) -> dict[str, Any]:
    """Patches (N, 3, h, w) as the sheet of thumbnails that a figure's dots point into."""
    return sprite_sheet(image_to_array(images))


def index_words(index: float) -> str:
    """An index and the paper's level of it: "CHI 51.6 (+)"."""
    return f"CHI {index:.1f} ({separability_level(index)})"


def degradation_clouds(
    panels: Mapping[tuple[str, str], np.ndarray],
    pairs: Pairs,
    *,
    notes: Mapping[tuple[str, str], str] | None = None,
) -> go.Figure:
    """Small multiples of the embedded patches of `pairs`: {(row, column): points (N·K, 2)}.

    Colour is the degradation, the symbol the picture a patch was cut from. Above each panel stand
    `notes`, by default its index by degradation.
    """
    kinds = pairs.degradation_labels
    if notes is None:
        notes = {k: index_words(separability(own, kinds).index) for k, own in panels.items()}
    return embedding_grid(
        panels,
        classes=kinds,
        contents=pairs.content_labels,
        sprites=thumbnails(pairs.lr),
        notes=notes,
    )
