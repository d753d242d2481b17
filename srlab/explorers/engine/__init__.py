"""The engine of attribution in a page: a network, run and differentiated by the reader's browser.

Classic scripts that share one scope, for a worker made of a Blob: modules do not load from
file://. `source` puts them in a row.
"""

from functools import cache
from importlib.resources import files

FILES = ("kernel", "onnx", "network", "operators", "lam", "measures", "worker")


@cache
def source(*names: str) -> str:
    """The engine as one script, or the named files of it: what a page itself needs of them.

    >>> worker = source()
    >>> measures = source("measures")
    """
    folder = files("srlab.explorers.engine")
    return "\n".join((folder / f"{name}.js").read_text("utf-8") for name in names or FILES)
