"""The book's first picture: two published networks' features, recorded once, drawn as SVG.

`python -m srlab.book.clouds` records them anew, with the weights in `$SRLAB_DATA`.
"""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from srlab.book.project import find_root
from srlab.files import replace_text
from srlab.pages.templates import page
from srlab.studies.verdict import number

RECORDED = "book/clouds.json"
NETWORKS = {"FSRCNN": ("official:fsrcnn-nhat", "body.4"), "RFDN": ("official:rfdn", "body.3")}
KINDS = ("clean", "blurred", "noisy")  # in the order of the patches
SIDE = 1000  # of a panel, in the recorded whole numbers


class Clouds(SphinxDirective):
    """`{clouds}`: a panel a network, a dot a patch, a colour a degradation."""

    def run(self) -> list[nodes.Node]:
        """The panels as HTML, with where they are from."""
        file = Path(self.env.srcdir) / RECORDED
        self.env.note_dependency(str(file))
        recorded = json.loads(file.read_text("utf-8"))
        html = page("clouds.html", kinds=KINDS, side=SIDE, number=number, **recorded)
        return [nodes.raw(text=html, format="html")]


class Diagram(SphinxDirective):
    """`{diagram} lam`: book/diagrams/lam.svg as part of the page, in the theme's colours."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The drawing as HTML."""
        file = Path(self.env.srcdir) / "book" / "diagrams" / f"{self.arguments[0]}.svg"
        self.env.note_dependency(str(file))
        html = f"<div class='srlab-diagram'>{file.read_text('utf-8')}</div>"
        return [nodes.raw(text=html, format="html")]


def record(root: Path) -> None:
    """Look behind the networks' last blocks, as ddr/published_networks does; write RECORDED."""
    import numpy as np
    import torch

    from srlab.checkpoints.load import load
    from srlab.data.datasets import degraded_patches, load_images
    from srlab.degradations import Degradation
    from srlab.images import image_to_array
    from srlab.representation.embedding import embed, layer_components, separability

    degradations = [Degradation(), Degradation(blur_sigma=4), Degradation(noise_sigma=20 / 255)]
    pairs = degraded_patches(load_images("pictures"), degradations, count=100)
    pictures = image_to_array(pairs.lr)  # clipped, in 8 bits
    lr = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    panels: list[dict[str, Any]] = []
    for name, (address, layer) in NETWORKS.items():
        points = layer_components(load(address), lr, [layer])[layer]
        plane = embed(points, perplexity=30)  # from a PCA start, as in ddr/published_networks
        places = (plane - plane.min(axis=0)) / np.ptp(plane, axis=0) * SIDE
        clouds = [places[kind :: len(KINDS)].round().astype(int).tolist() for kind in range(3)]
        index, linear = (separability(x, pairs.degradation_labels).index for x in (plane, points))
        panels.append({"network": name, "index": index, "linear": linear, "clouds": clouds})
    git = ["git", "-C", str(root), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    made = {"panels": panels, "date": f"{datetime.now(UTC):%Y-%m-%d}", "commit": commit}
    replace_text(root / RECORDED, json.dumps(made, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    record(find_root())
