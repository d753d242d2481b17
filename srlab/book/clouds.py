"""The book's first picture: two published networks' features, recorded once, drawn as SVG.

`python -m srlab.book.clouds` records them anew, with the weights in `$SRLAB_DATA`.
"""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from srlab.book.directives import TemplateDirective
from srlab.book.project import find_root
from srlab.files import replace_text
from srlab.pages.templates import markup
from srlab.studies.verdict import number

RECORDED = "book/clouds.json"
NETWORKS = {"FSRCNN": ("official:fsrcnn-nhat", "body.4"), "RFDN": ("official:rfdn", "body.3")}
KINDS = ("clean", "blurred", "noisy")  # in the order of the patches
SIDE = 1000  # of a panel, in the recorded whole numbers


class Clouds(TemplateDirective):
    """`{clouds}`: a panel a network, a dot a patch, a colour a degradation."""

    template = "clouds.html"

    def values(self) -> dict[str, Any]:
        """The panels, with where they are from."""
        recorded = json.loads((self.root / RECORDED).read_text("utf-8"))
        return {"kinds": KINDS, "side": SIDE, "number": number, **recorded}


class Diagram(TemplateDirective):
    """`{diagram} lam`: book/diagrams/lam.svg as part of the page, in the theme's colours."""

    required_arguments = 1
    template = "diagram.html"

    def values(self) -> dict[str, Any]:
        """The drawing."""
        file = self.root / "book" / "diagrams" / f"{self.arguments[0]}.svg"
        return {"drawing": markup(file.read_text("utf-8"))}


def record(root: Path) -> None:
    """Look behind the networks' last blocks, as ddr/published_networks does; write RECORDED."""
    import numpy as np

    from srlab.book.degradation_page import cloud_patches
    from srlab.checkpoints.load import load
    from srlab.representation.embedding import embed, layer_components, separability

    lr, kinds = cloud_patches("pictures", count=100)
    panels: list[dict[str, Any]] = []
    for name, (address, layer) in NETWORKS.items():
        points = layer_components(load(address), lr, [layer])[layer]
        plane = embed(points, perplexity=30)  # from a PCA start, as in ddr/published_networks
        places = (plane - plane.min(axis=0)) / np.ptp(plane, axis=0) * SIDE
        clouds = [places[kind :: len(KINDS)].round().astype(int).tolist() for kind in range(3)]
        index, linear = (separability(x, kinds).index for x in (plane, points))
        panels.append({"network": name, "index": index, "linear": linear, "clouds": clouds})
    git = ["git", "-C", str(root), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    made = {"panels": panels, "date": f"{datetime.now(UTC):%Y-%m-%d}", "commit": commit}
    replace_text(root / RECORDED, json.dumps(made, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    record(find_root())
