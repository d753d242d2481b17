"""The page on which a reader degrades a picture: networks, their planes and clouds on them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from srlab.book.live_pages import LivePage, OnBoard, Told
from srlab.explorers.degradation import DegradationExplorer
from srlab.figures.theme import COLOURS
from srlab.files import picture_url

if TYPE_CHECKING:
    from torch import Tensor, nn

    from srlab.representation.plane import Plane

CONTENTS = 64  # patches of each kind
SIDE, START = 32, 16  # LR pixels of a patch, and the row and column where the first begins


class DegradationPage(LivePage):
    """DDR of any picture: `{degradation-page}`, of networks that ddr/published_networks asks."""

    widget, start = DegradationExplorer, (START, START)

    def told(self, networks: Sequence[OnBoard], picture: np.ndarray) -> Told:
        """The clouds of all, a first patch of the first two, and the planes' axes."""
        patches, kinds = cloud_patches("photographs", count=CONTENTS)
        patch = as_network_sees(picture[None, START : START + SIDE, START : START + SIDE])
        told, axes = [], {}
        first: dict[str, Any] = {}  # by the name of each of the first two
        for one in networks:
            if not one.layer:
                raise ValueError(
                    f"no layer is known to look at in {one.spec!r}: "
                    "add a Subject to srlab/studies/ddr/skips.py"
                )
            plane, found = network_plane(one.network, one.layer, patches, kinds)
            script = one.script.replace("networks", "planes")
            axes[script] = plane.packed()
            told.append({**one.packed(), "plane": script, **found})
            if len(first) < 2:
                first[one.name] = first_place(one.network, one.layer, plane, patch)
        names = list(dict.fromkeys(kinds))
        colours = list(COLOURS[: len(names)])
        return {"networks": told, "kinds": names, "colours": colours, "first": first}, axes


def cloud_patches(images: str, count: int) -> tuple["Tensor", np.ndarray]:
    """Patches of pictures (N·K, 3, 32, 32) under K degradations in turn, and those by name."""
    from srlab.data.datasets import degraded_patches, load_images
    from srlab.degradations import Degradation
    from srlab.images import image_to_array

    degradations = [Degradation(), Degradation(blur_sigma=4), Degradation(noise_sigma=20 / 255)]
    pairs = degraded_patches(load_images(images), degradations, count=count, size=SIDE)
    return as_network_sees(image_to_array(pairs.lr)), pairs.degradation_labels


def as_network_sees(pictures: np.ndarray) -> "Tensor":
    """(N, h, w, 3) uint8 as (N, 3, h, w) in [0, 1]."""
    import torch

    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255


def network_plane(
    network: "nn.Module", layer: str, patches: "Tensor", kinds: np.ndarray
) -> tuple["Plane", dict[str, Any]]:
    """The plane of a layer's features, and what the page is told of it."""
    from srlab.representation.embedding import layer_points, separability
    from srlab.representation.plane import principal_plane
    from srlab.studies.ddr.clouds import index_words

    points = layer_points(network, patches, [layer])[layer]
    plane = principal_plane(points)
    places = plane.places(points)
    return plane, {
        "step": plane.step.tolist(),
        "origin": plane.origin.tolist(),
        "points": [[float(f"{value:.5g}") for value in place] for place in places],
        "index": index_words(separability(places, kinds).index),
    }


def first_place(
    network: "nn.Module", layer: str, plane: "Plane", patch: "Tensor"
) -> dict[str, Any]:
    """What the page shows of a patch (1, 3, h, w) before it has computed anything."""
    import torch

    from srlab.images import image_to_array
    from srlab.representation.embedding import layer_points

    with torch.no_grad():
        sr = image_to_array(network(patch)[0])
    (place,) = plane.places(layer_points(network, patch, [layer])[layer]).tolist()
    return {"sr": picture_url(sr, lossless=False), "place": place}
