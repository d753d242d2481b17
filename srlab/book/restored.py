"""A photograph before and after: `{restored} NETWORK PHOTOGRAPH TOP LEFT`, run at build time."""

from typing import Any

from srlab.book.directives import TemplateDirective
from srlab.files import picture_url

SIDE = 256  # pixels of the HR crop
SCALE = 4


class Restored(TemplateDirective):
    """LR input, the network's answer and the original, side by side."""

    required_arguments = 4
    template = "restored.html"

    def values(self) -> dict[str, Any]:
        """{caption: data address} of a crop, reduced and enlarged again."""
        import torch

        from srlab.checkpoints.load import load
        from srlab.data.datasets import load_images
        from srlab.degradations import Degradation
        from srlab.images import crop, image_to_array

        network, photograph, top, left = self.arguments
        hr = crop(load_images("photographs")[photograph], int(top), int(left), SIDE, SIDE)
        lr = Degradation(scale=SCALE)(hr)
        with torch.no_grad():
            sr = load(network)(lr[None])[0]
        size = SIDE // SCALE
        shown = {
            f"the input, {size} × {size} pixels": lr,
            f"what the network makes of it, {SIDE} × {SIDE}": sr,
            "the original, which it never saw": hr,
        }
        urls = {
            words: picture_url(image_to_array(own), lossless=False) for words, own in shown.items()
        }
        return {"photograph": photograph, "pictures": urls}
