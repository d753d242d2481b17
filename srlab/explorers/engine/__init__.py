"""The engine of attribution in a page: a network, run and differentiated by the reader's browser.

Classic scripts that share one scope, for a worker made of a Blob: modules do not load from file://.
`source` puts them in a row, each file after those that it needs when it is read:

- `protobuf`, `onnx`: what a file says; `constants`: what of it is known without a picture.
- `kernel`: a convolution's inner loop in WebAssembly; `tensors`: memory and rectangles.
- `convolution`, `depthwise`, `pointwise`, `arithmetic`, `channels`, `mixtures`: operators, each
  with its way forward, its gradient, and its reach: which rectangle of the input a rectangle of
  the result needs; `operators`: their table by ONNX's names.
- `plan`, `network`: what of them a window needs, and how it is run; `targets`: what of the SR
  picture is explained.
- `path`, `integral`, `measures`, `lam`: the attribution as `srlab.lam` has it, the first three for
  a page as well; `worker`: the messages.
"""

import re
from functools import cache
from importlib.resources import files

FILES = (
    *("fail", "protobuf", "onnx", "constants", "kernel", "tensors"),
    *("convolution", "depthwise", "pointwise", "arithmetic", "channels", "mixtures", "operators"),
    *("plan", "network", "targets", "path", "integral", "measures", "lam", "worker"),
)
PAGE = ("fail", "path", "integral", "measures")  # what a page needs that has the rest in workers
COMMENTS = re.compile(r"/\*\*((?!\*/)[\s\S])*\*/\s*|^\s*//.*\n|^\s+", re.MULTILINE)


@cache
def source(*names: str) -> str:
    """The engine as one script, or the named files of it; without its comments.

    >>> worker = source()
    >>> page = source(*PAGE)
    """
    folder = files("srlab.explorers.engine")
    whole = "\n".join((folder / f"{name}.js").read_text("utf-8") for name in names or FILES)
    return COMMENTS.sub("", whole)


def scoped(taken: str, *names: str) -> str:
    """The named files as one script, of which the rest of a page sees only what is `taken`."""
    return f"\nconst {{ {taken} }} = (() => {{\n{source(*names)}\nreturn {{ {taken} }};\n}})();\n"
