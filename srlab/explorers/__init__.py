"""Explorers: figures to play with, alive in a notebook and, precomputed, in a page without kernel.

`embedding.EmbeddingExplorer` shows how a network's layers sort degraded patches,
`lam.LamExplorer` which LR pixels decide a patch of the SR image.
"""

from srlab.explorers.embedding import EmbeddedState, EmbeddingExplorer, Setting
from srlab.explorers.lam import LamExplorer, LocalMap, Picture, Place

__all__ = [
    "EmbeddedState",
    "EmbeddingExplorer",
    "LamExplorer",
    "LocalMap",
    "Picture",
    "Place",
    "Setting",
]
