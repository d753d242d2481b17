"""The page that computes attributions: which networks, and maps to begin with."""

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from srlab.book.live_pages import LivePage, OnBoard, packed_pictures, pictures
from srlab.explorers.attribution import AttributionExplorer
from srlab.explorers.lam import pack_map
from srlab.files import picture_url

if TYPE_CHECKING:
    from srlab.attribution.lam import Attribution

START = 120, 112  # SR pixels, row and column: what is explained when the page opens


class AttributionPage(LivePage):
    """LAM of any picture: `{attribution-page}`."""

    def explorer(self, networks: Sequence[OnBoard]) -> tuple[AttributionExplorer, dict[str, bytes]]:
        """At maps of the first two networks that are computed here."""
        from srlab.attribution.lam import lam, patch
        from srlab.images import image_from_array

        images = pictures()
        picture, lr = next(iter(images.items()))
        network, beside = networks[:2]
        explorer = AttributionExplorer(
            meta={
                "pictures": packed_pictures(images),
                "networks": [one.packed() for one in networks],
                "first": {
                    one.name: first_map(lam(one.network, image_from_array(lr), patch(*START)))
                    for one in (network, beside)
                },
            },
            picture=picture,
            network=network.name,
            beside=beside.name,
            top=START[0],
            left=START[1],
        )
        return explorer, {}


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
