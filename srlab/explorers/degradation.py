"""A picture that the reader degrades, and where its features fall among those of the book."""

import traitlets as T

from srlab.explorers.engine import scoped
from srlab.explorers.live import Explorer, sources

PARTS = ("scene", "assets", "own_picture", "crew", "degrade", "plane", "degradation")


class DegradationExplorer(Explorer):
    """Deep degradation representations that the page itself computes.

    `meta` names the pictures on board ({"name", "lr": a picture's address}), the kinds of points
    with their `colours`, and the networks: {"name", "file" and "plane": scripts of the book's
    _static, "step", "origin", "points": places of patches of each kind in turn, "index": how far
    they separate}. "first" holds SR and place of the first patch, so that something is seen before
    anything is loaded.
    """

    _esm = sources(*PARTS, kind="js") + scoped("blurred", "fail", "path")
    _css = sources("own_picture", "degradation", kind="css")
    picture = T.Unicode().tag(sync=True)
    network = T.Unicode().tag(sync=True)
    beside = T.Unicode().tag(sync=True)  # a second network
    top = T.Int(min=0).tag(sync=True)  # LR pixels of the patch
    left = T.Int(min=0).tag(sync=True)
    blur = T.Unicode("0").tag(sync=True)  # σ in LR pixels
    noise = T.Unicode("0").tag(sync=True)  # σ in 1/255
    jpeg = T.Unicode("no JPEG").tag(sync=True)  # or a quality
