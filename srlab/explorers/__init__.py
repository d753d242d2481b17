"""Explorers: figures to play with, alive in a notebook and, precomputed, in a page without kernel.

`embedding.EmbeddingExplorer` shows how a network's layers sort degraded patches,
`scatter.ScatterExplorer` any embeddings with controls of one's own, `lam.LamExplorer` which LR
pixels decide a patch of the SR image, `pictures.PictureExplorer` images that follow the controls,
with a `cloud.Cloud` of points to find them in.
"""

from srlab.explorers.cloud import Cloud
from srlab.explorers.controls import Control
from srlab.explorers.embedding import EmbeddingExplorer, Setting
from srlab.explorers.lam import LamExplorer, LocalMap, Picture, Place
from srlab.explorers.pictures import Chart, PictureExplorer, PictureState
from srlab.explorers.scatter import EmbeddedState, Route, ScatterExplorer

__all__ = [
    "Chart",
    "Cloud",
    "Control",
    "EmbeddedState",
    "EmbeddingExplorer",
    "LamExplorer",
    "LocalMap",
    "Picture",
    "PictureExplorer",
    "PictureState",
    "Place",
    "Route",
    "ScatterExplorer",
    "Setting",
]
