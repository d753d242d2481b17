"""The former names of `srlab.degradations.windows`."""

from srlab.degradations.windows import Windows as Examples
from srlab.degradations.windows import windows as examples

__all__ = ["Examples", "examples"]
