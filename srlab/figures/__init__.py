"""Figures: arrays in, interactive Plotly figures out. No torch, no files, no display."""
