"""A page that computes, with networks of a moment's work, and what a reader does there."""

from pathlib import Path

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from torch import nn

from srlab.book.live_pages import widget_html, write_scripts
from srlab.book.sphinxext import STATIC
from srlab.explorers.live import Explorer

PAGE = """<!doctype html><html lang="en" data-content_root="./"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>page</title>
<body style="margin: 8px"><h1>Title</h1>{widget}<p>After</p><script>{script}</script>"""


def small(seed: int) -> nn.Sequential:
    """×2, with the pieces of an SR network."""
    generator = torch.Generator().manual_seed(seed)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 5, padding=2), nn.ReLU(), nn.Conv2d(8, 12, 3, padding=1), nn.PixelShuffle(2)
    )
    for parameter in network.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) / 6
    return network.eval()


def as_onnx(network: nn.Sequential, last: str = "DepthToSpace") -> bytes:
    """The same as a file, by hand: the exporter takes seconds. Layer 1 puts out its features."""
    nodes, name = [], "lr"
    for i, layer in enumerate(network[:3]):
        inputs = [name] if i == 1 else [name, f"{i}.weight", f"{i}.bias"]
        pads = {} if i == 1 else {"pads": [layer.padding[0]] * 4}
        name = "features" if i == 1 else f"{i}"
        nodes.append(helper.make_node("Relu" if i == 1 else "Conv", inputs, [name], **pads))
    settings = {"blocksize": 2, "mode": "CRD"} if last == "DepthToSpace" else {}
    nodes.append(helper.make_node(last, [name], ["sr"], **settings))
    weights = [numpy_helper.from_array(t.numpy(), n) for n, t in network.state_dict().items()]
    ends = [
        helper.make_tensor_value_info(own, TensorProto.FLOAT, [1, 3, "h", "w"])
        for own in ("lr", "sr")
    ]
    graph = helper.make_graph(nodes, "small", ends[:1], ends[1:], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]).SerializeToString()


def write_page(folder: Path, explorer: Explorer, scripts: dict[str, bytes]) -> None:
    """page.html, and what it loads when asked."""
    write_scripts(folder / "_static", scripts)
    script = (STATIC / "widgets.js").read_text("utf-8")
    page = PAGE.format(widget=widget_html(explorer), script=script)
    (folder / "page.html").write_text(page, encoding="utf-8")


def trouble(page) -> str:
    page.wait_for_selector(".srlab-status[data-kind=error]:not(:empty)")
    return page.locator(".srlab-status[data-kind=error]").inner_text()


def give(page, name: str, content: bytes) -> None:
    """A file, as if it had been chosen."""
    kind = "Your ONNX file …" if name.endswith(".onnx") else "Your picture …"
    page.locator(f"input[aria-label='{kind}']").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    )


def packed(picture: np.ndarray, path) -> bytes:
    Image.fromarray(picture).save(path)
    return path.read_bytes()
