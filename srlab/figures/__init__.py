"""Figures: arrays in, interactive Plotly figures out. No torch, no files, no display."""

from srlab.extras import require

require("plotly", "figures")
