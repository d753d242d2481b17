"""Explorers: figures to play with, alive in a notebook and, precomputed, in a page without kernel.

`embedding.EmbeddingExplorer` shows how a network's layers sort degraded patches,
`scatter.ScatterExplorer` any embeddings with controls of one's own, `lam.LamExplorer` which LR
pixels decide a patch of the SR image, `pictures.PictureExplorer` images that follow the controls,
with a `cloud.Cloud` of points to find them in. `attribution.AttributionExplorer` and
`degradation.DegradationExplorer` compute in the book's pages, on pictures of the reader's.
"""

from srlab.extras import require

require("anywidget", "figures")
