"""Along a training: the curves of PSNR and of every loss."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from srlab.figures.curves import stacked_curves

if TYPE_CHECKING:
    import plotly.graph_objects as go

CURVES = {
    "psnr": "PSNR, dB",
    "reconstruction": "reconstruction",
    "redegradation": "re-degradation",
    "energy": "energy distance",
    "divergence": "KL",
}


def training_curves(histories: Mapping[str, Sequence[Mapping[str, float]]]) -> "go.Figure":
    """{title: rows with their step}; a loss is drawn for those that were trained on it."""
    panels = {
        title: {
            name: np.array([row[key] for row in rows])
            for name, rows in histories.items()
            if key in rows[0]
        }
        for key, title in CURVES.items()
    }
    return stacked_curves(
        {name: [row["step"] for row in rows] for name, rows in histories.items()},
        {title: lines for title, lines in panels.items() if lines},
        x_title="training step",
    )
