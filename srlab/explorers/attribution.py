"""LAM of any picture under any ONNX network, computed by the reader's browser."""

import traitlets as T

from srlab.explorers.engine import PAGE, scoped
from srlab.explorers.live import Explorer, sources

PARTS = (
    *("scene", "assets", "own_picture", "crew", "ledger", "choices"),
    *("columns", "saved_map", "attribution"),
)
TAKEN = "Integral, LEAST, deblurring, diffusionIndex, magnitude"  # of the engine, by the page


class AttributionExplorer(Explorer):
    """Local attribution maps that the page itself computes.

    `meta` names the pictures on board ({"name", "lr": a picture's address}), the networks
    ({"name", "file": a script of the book's _static, "bytes"}) and, as "first", maps of networks
    that were computed beforehand, so that something is seen before anything is loaded.
    """

    _esm = sources(*PARTS, kind="js") + scoped(TAKEN, *PAGE)
    _css = sources("scene", "own_picture", "attribution", kind="css")
    picture = T.Unicode().tag(sync=True)
    network = T.Unicode().tag(sync=True)
    beside = T.Unicode("no other").tag(sync=True)  # a second network
    top = T.Int(min=0).tag(sync=True)  # SR pixels of the first network
    left = T.Int(min=0).tag(sync=True)
    target = T.Unicode("gradient (LAM's)").tag(sync=True)
    cut = T.Unicode("error ≤ 5 %").tag(sync=True)  # of the path
    sigma = T.Unicode("1.2").tag(sync=True)
    opacity = T.Int(75, min=0, max=100).tag(sync=True)
    brightness = T.Enum(["square root", "linear"], "square root").tag(sync=True)
