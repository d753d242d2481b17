"""Degradations: pure operators (`filters`) and their composition as values (`pipeline`)."""

from srlab.degradations.pipeline import Degradation, DegradationSpace

__all__ = ["Degradation", "DegradationSpace"]
