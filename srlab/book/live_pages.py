"""What pages that compute have in common: engine and networks as scripts, pictures, the widget.

Scripts, since at file:// a page may load nothing else, and not before a reader asks for them.
"""

import base64
import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from docutils import nodes
from ipywidgets.embed import dependency_state, embed_data
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from srlab.explorers import engine
from srlab.explorers.live import Explorer
from srlab.files import picture_url

if TYPE_CHECKING:
    from torch import nn

SIZE, SCALE = 256, 4  # HR pixels of a picture's side, and how far it is reduced
PICTURES: dict[str, tuple[str, int, int]] = {  # name: (embedded picture, top, left)
    "pagoda": ("china", 80, 80),
    "face": ("astronaut", 0, 100),
    "bricks": ("brick", 160, 160),
}
KEPT = "_build/networks"  # below the book's root: what builds made of networks
Told = tuple[dict[str, Any], dict[str, bytes]]
WIDGET = '<script type="application/vnd.jupyter.widget-{kind}+json">{json}</script>'


class OnBoard(NamedTuple):
    """A network of a page: as the reader sees it, as `srlab.load` takes and gives it, as ONNX."""

    name: str
    spec: str
    network: "nn.Module"
    layer: str  # the last block that its skip goes around; "" of one that DDR's pages never ask
    file: Path

    @property
    def script(self) -> str:
        """What leaves the file's content in the page."""
        return f"networks/{self.file.stem}"

    def packed(self) -> dict[str, str | int]:
        """What an explorer is told of it."""
        return {"name": self.name, "file": self.script, "bytes": self.file.stat().st_size}


class LivePage(SphinxDirective):
    """An explorer whose networks run in the reader's browser.

    Each line of the content names a network on board as the reader sees it and as `srlab.load`
    takes it, "RFDN, published: official:rfdn". The first two are seen when the page opens.
    """

    has_content = True
    widget: ClassVar[type[Explorer]]
    start: ClassVar[tuple[int, int]]  # row and column of what is chosen when the page opens

    def told(self, networks: Sequence[OnBoard], picture: np.ndarray) -> Told:
        """What else the explorer is told, seen on the first picture, and loads, by name."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """The explorer's state; `copy_scripts` brings what it loads to the pages."""
        folder = Path(self.env.srcdir) / KEPT
        networks = [on_board(line, folder) for line in self.content]
        lr = pictures()
        first, picture = next(iter(lr.items()))
        meta, files = self.told(networks, picture)
        explorer = self.widget(
            meta={
                "pictures": [{"name": name, "lr": picture_url(own)} for name, own in lr.items()],
                "networks": [one.packed() for one in networks],
                **meta,
            },
            picture=first,
            network=networks[0].name,
            beside=networks[1].name,
            top=self.start[0],
            left=self.start[1],
        )
        scripts = {one.script: one.file.read_bytes() for one in networks} | files
        write_scripts(folder / "scripts" / type(self).__name__, scripts)
        return [nodes.raw(text=widget_html(explorer), format="html")]


def pictures() -> dict[str, np.ndarray]:
    """The LR pictures on board, (h, w, 3) uint8."""
    from srlab.data.datasets import load_images
    from srlab.degradations.filters import downsample
    from srlab.images import crop, image_to_array

    images = load_images("photographs") | load_images("textures")
    return {
        name: image_to_array(downsample(crop(images[own], top, left, SIZE, SIZE)[None], SCALE)[0])
        for name, (own, top, left) in PICTURES.items()
    }


def on_board(line: str, folder: Path) -> OnBoard:
    """A line's network with its ONNX file, made unless one of these weights is there already."""
    from srlab.checkpoints import export  # these load torch, which other pages do without
    from srlab.checkpoints.load import load
    from srlab.studies.ddr.skips import subjects

    name, spec = line.split(": ", 1)
    network = load(spec)
    known = [one for group in ("alike", "zoo", "published") for one in subjects(group)]
    layer = next((one.layer for one in known if one.network == spec), "")
    content = hashlib.sha256(Path(export.__file__).read_bytes() + layer.encode())
    for key, tensor in network.state_dict().items():
        content.update(key.encode() + tensor.cpu().numpy().tobytes())
    path = folder / f"{spec.removeprefix('official:')}-{content.hexdigest()[:12]}.onnx"
    if not path.is_file():
        export.export(network, path, layer=layer, about={"name": spec})
    return OnBoard(name, spec, network, layer, path)


def write_scripts(folder: Path, files: Mapping[str, bytes]) -> None:
    """The engine, and a script for each file, that leave their value in `srlabFiles`."""
    shutil.rmtree(folder, ignore_errors=True)
    encoded = {name: base64.b64encode(content).decode() for name, content in files.items()}
    for name, value in {"engine": engine.source(), **encoded}.items():
        script = f"(globalThis.srlabFiles ??= {{}})[{json.dumps(name)}] = {json.dumps(value)};\n"
        path = folder / f"{name}.js"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script, "utf-8")


def copy_scripts(app: Sphinx, exception: Exception | None) -> None:
    """Bring the scripts of each page to the pages' _static."""
    if exception is None and app.builder.format == "html":
        for scripts in (Path(app.srcdir) / KEPT / "scripts").glob("*/"):
            shutil.copytree(scripts, Path(app.outdir) / "_static", dirs_exist_ok=True)


def widget_html(explorer: Explorer) -> str:
    """What a page without a notebook has in place of its saved widgets, for static/widgets.js."""
    own = dependency_state([explorer], drop_defaults=False)  # of all that this process has made
    state = embed_data(views=[explorer], state=own)["manager_state"]
    view = {"model_id": explorer.model_id, "version_major": 2, "version_minor": 0}
    return "".join(
        WIDGET.format(kind=kind, json=json.dumps(value).replace("<", "\\u003c"))
        for kind, value in (("state", state), ("view", view))
    )
