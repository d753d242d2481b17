"""What only the findings of DDR need."""

from pathlib import Path

RECORDED = Path(__file__).with_name("global_residual_sweep.parquet")  # the sweep in the book
