"""How far the codes of several networks sort several kinds of degradation: a table, and drawn."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from srlab.degradations.windows import Windows
from srlab.figures.tables import Matrix, matrix_grid
from srlab.studies.redsr.codes import code_separation

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

DRAWN = {"probe": "R²", "purity": "purity"}


def separation_table(
    codes: Mapping[tuple[str, str], Sequence[np.ndarray]],
    windows: Mapping[str, Windows],
    values: Mapping[str, np.ndarray],
) -> "pd.DataFrame":
    """`code_separation` of {(network, axis): codes of each seed}: a row each, in this order.

    An axis is what alone is varied in its `windows`; `values` are its numbers (N,) or (N, V).
    """
    import pandas as pd  # comes with the notebooks

    return pd.DataFrame(
        {"network": network, "axis": axis}
        | code_separation(one, windows[axis], values[axis])._asdict()
        for (network, axis), seeds in codes.items()
        for one in seeds
    ).set_index(["network", "axis"])


def separation_grid(table: "pd.DataFrame") -> "go.Figure":
    """R² and purity of each network (rows) along each axis (columns), mean over its seeds."""
    networks, axes = (list(dict.fromkeys(names)) for names in zip(*table.index, strict=True))
    means = table.groupby(level=[0, 1]).mean()
    panels = {
        ("", word): Matrix(
            means[column].unstack().loc[networks, axes].to_numpy().round(2) + 0.0, networks, axes
        )
        for column, word in DRAWN.items()
    }
    return matrix_grid(panels, colour_title="", limits=(0, 1))
