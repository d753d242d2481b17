"""A training's moments: the snapshots that ship, and the curves of PSNR and of every loss."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from srlab.checkpoints.files import shipped_checkpoints
from srlab.figures.curves import stacked_curves
from srlab.training.recipes import recipe

if TYPE_CHECKING:
    import plotly.graph_objects as go

CURVES = {
    "psnr": "PSNR, dB",
    "reconstruction": "reconstruction",
    "redegradation": "re-degradation",
    "energy": "energy distance",
    "divergence": "KL",
}


def shipped_steps(name: str, steps: Collection[int] | None = None) -> dict[int, str]:
    """{step: name} of a recipe's snapshots that ship, and of its end: {250: "redsr-8@250", …}.

    With `steps`, of these snapshots alone.
    """
    base, end = recipe(name), recipe(name).steps
    asked = [step for step in base.snapshots if steps is None or step in steps]
    files = {step: f"{name}@{step}" for step in asked if step < end} | {end: name}
    return {step: file for step, file in files.items() if file in shipped_checkpoints()}


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
