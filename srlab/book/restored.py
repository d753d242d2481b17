"""A photograph before and after: `{restored} NETWORK PHOTOGRAPH TOP LEFT`, run at build time."""

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from srlab.files import picture_url
from srlab.pages.templates import page

SIDE = 256  # pixels of the HR crop
SCALE = 4


class Restored(SphinxDirective):
    """LR input, the network's answer and the original, side by side."""

    required_arguments = 4

    def run(self) -> list[nodes.Node]:
        """The three pictures as HTML."""
        network, photograph, top, left = self.arguments
        pictures = restore(network, photograph, int(top), int(left))
        html = page("restored.html", network=network, photograph=photograph, pictures=pictures)
        return [nodes.raw(text=html, format="html")]


def restore(network: str, photograph: str, top: int, left: int) -> dict[str, str]:
    """{caption: data address} of a crop, reduced and enlarged again."""
    import torch

    from srlab.checkpoints.load import load
    from srlab.data.datasets import load_images
    from srlab.degradations import Degradation
    from srlab.images import image_to_array

    hr = load_images("photographs")[photograph][..., top : top + SIDE, left : left + SIDE]
    lr = Degradation(scale=SCALE)(hr)
    with torch.no_grad():
        sr = load(network)(lr[None])[0]
    size = SIDE // SCALE
    named = {
        f"the input, {size} × {size} pixels": lr,
        f"what the network makes of it, {SIDE} × {SIDE}": sr,
        "the original, which it never saw": hr,
    }
    return {
        caption: picture_url(image_to_array(picture), lossless=False)
        for caption, picture in named.items()
    }
