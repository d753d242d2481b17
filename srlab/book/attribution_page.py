"""The page that computes: engine and networks as scripts, pictures, maps to begin with.

Scripts, since at file:// a page may load nothing else, and not before a reader asks for them.
"""

import base64
import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from docutils import nodes
from ipywidgets.embed import embed_data
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from srlab.explorers import engine
from srlab.explorers.attribution import AttributionExplorer
from srlab.explorers.lam import pack_map
from srlab.files import picture_url

if TYPE_CHECKING:
    from srlab.attribution.lam import Attribution

SIZE, SCALE = 256, 4  # HR pixels of a picture's side, and how far it is reduced
PICTURES: dict[str, tuple[str, int, int]] = {  # name: (embedded picture, top, left)
    "pagoda": ("china", 80, 80),
    "face": ("astronaut", 0, 100),
    "bricks": ("brick", 160, 160),
}
START = 120, 112  # SR pixels, row and column: what is explained when the page opens
WIDGET = '<script type="application/vnd.jupyter.widget-{kind}+json">{json}</script>'


class AttributionPage(SphinxDirective):
    """LAM of any picture, computed by the reader's browser: `{attribution-page}`.

    Each line of the content names a network on board as the reader sees it and as `srlab.load`
    takes it, "RFDN, published: official:rfdn". The first two are compared when the page opens.
    """

    has_content = True

    def run(self) -> list[nodes.Node]:
        """The explorer's state; `copy_scripts` brings what it loads to the pages."""
        specs = dict(line.split(": ", 1) for line in self.content)
        networks = Path(self.env.srcdir) / "_build" / "networks"
        exported = {name: exported_network(spec, networks) for name, spec in specs.items()}
        explorer = attribution_page(exported, specs)
        write_scripts(networks / "scripts", exported.values())
        return [nodes.raw(text=widget_html(explorer), format="html")]


def exported_network(spec: str, folder: Path) -> Path:
    """The network's ONNX file, made unless one of these weights is there already."""
    from srlab.checkpoints import export  # these load torch, which other pages do without
    from srlab.checkpoints.load import load

    network = load(spec)
    content = hashlib.sha256(Path(export.__file__).read_bytes())
    for name, tensor in network.state_dict().items():
        content.update(name.encode() + tensor.cpu().numpy().tobytes())
    path = folder / f"{spec.removeprefix('official:')}-{content.hexdigest()[:12]}.onnx"
    if not path.is_file():
        export.export(network, path, about={"name": spec})
    return path


def attribution_page(exported: Mapping[str, Path], specs: Mapping[str, str]) -> AttributionExplorer:
    """The explorer, at maps of the first two networks that were computed here."""
    from srlab.attribution.lam import lam, patch
    from srlab.checkpoints.load import load
    from srlab.images import image_from_array

    lr = pictures()
    picture, network, beside = next(iter(lr)), *list(specs)[:2]
    return AttributionExplorer(
        meta={
            "pictures": [{"name": name, "lr": picture_url(own)} for name, own in lr.items()],
            "networks": [
                {"name": name, "file": f"networks/{file.stem}", "bytes": file.stat().st_size}
                for name, file in exported.items()
            ],
            "first": {
                name: first_map(
                    lam(load(specs[name]), image_from_array(lr[picture]), patch(*START))
                )
                for name in (network, beside)
            },
        },
        picture=picture,
        network=network,
        beside=beside,
        top=START[0],
        left=START[1],
    )


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


def first_map(found: "Attribution") -> dict[str, Any]:
    """What the page shows before it has computed anything."""
    from srlab.attribution.lam import magnitude
    from srlab.images import image_to_array

    return {
        "sr": picture_url(image_to_array(found.sr[0]), lossless=False),
        "roots": base64.b64encode(pack_map(magnitude(found).numpy())).decode(),
        "di": found.diffusion_index,
        "completeness": found.completeness_error,
        "error": found.map_error,
    }


def write_scripts(folder: Path, exported: Iterable[Path]) -> None:
    """The engine, and a script for each network, that leave their value in `srlabFiles`."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "networks").mkdir(parents=True)
    files = {
        f"networks/{file.stem}": base64.b64encode(file.read_bytes()).decode() for file in exported
    }
    for name, value in {"engine": engine.source(), **files}.items():
        script = f"(globalThis.srlabFiles ??= {{}})[{json.dumps(name)}] = {json.dumps(value)};\n"
        (folder / f"{name}.js").write_text(script, "utf-8")


def copy_scripts(app: Sphinx, exception: Exception | None) -> None:
    """Bring the scripts to the pages' _static."""
    scripts = Path(app.srcdir) / "_build" / "networks" / "scripts"
    if exception is None and app.builder.format == "html" and scripts.is_dir():
        shutil.copytree(scripts, Path(app.outdir) / "_static", dirs_exist_ok=True)


def widget_html(explorer: AttributionExplorer) -> str:
    """What a page without a notebook has in place of its saved widgets, for static/widgets.js."""
    state = embed_data(views=[explorer], drop_defaults=False)["manager_state"]
    view = {"model_id": explorer.model_id, "version_major": 2, "version_minor": 0}
    return "".join(
        WIDGET.format(kind=kind, json=json.dumps(value).replace("<", "\\u003c"))
        for kind, value in (("state", state), ("view", view))
    )
