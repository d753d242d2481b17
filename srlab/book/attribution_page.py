"""The page that computes attributions: which networks, and maps to begin with."""

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from srlab.book.live_pages import LivePage, OnBoard, Told
from srlab.explorers.attribution import AttributionExplorer
from srlab.explorers.lam import pack_map
from srlab.files import picture_url

if TYPE_CHECKING:
    from srlab.attribution.lam import Attribution

START = 120, 112  # SR pixels of what is explained when the page opens


class AttributionPage(LivePage):
    """LAM of any picture: `{attribution-page}`."""

    widget, start = AttributionExplorer, START

    def told(self, networks: Sequence[OnBoard], picture: np.ndarray) -> Told:
        """Maps of the first two networks, which are computed here."""
        from srlab.attribution.lam import lam, patch
        from srlab.images import image_from_array

        lr = image_from_array(picture)
        first = {one.name: first_map(lam(one.network, lr, patch(*START))) for one in networks[:2]}
        return {"first": first}, {}


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
