"""The LAM explorer: pick a picture, a network and a patch of the SR image; see what decided it."""

import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import traitlets as T

from srlab.explorers.controls import one_of
from srlab.explorers.live import Explorer, sources
from srlab.files import picture_url


class Place(NamedTuple):
    """Whose attribution is shown: the window's top left corner is in SR pixels."""

    picture: str
    network: str
    top: int
    left: int


@dataclass(frozen=True)
class Picture:
    """What a reader sees of one input: LR (h, w, 3) and every network's SR (H, W, 3), uint8."""

    lr: np.ndarray
    sr: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class LocalMap:
    """One local attribution as it is shown."""

    magnitude: np.ndarray  # (h, w) in [0, 1]
    diffusion_index: float
    completeness_error: float
    psnr: float | None = None  # dB of the window, where hr is known


Compute = Callable[[Place], LocalMap]


class LamExplorer(Explorer):
    """Local attribution maps on a grid of windows; make one with `LamExplorer.from_maps`.

    `meta` holds pictures, networks, sizes, and what is known of each place.
    """

    _esm = sources("scene", "lam", kind="js")
    _css = sources("scene", "lam", kind="css")
    maps = T.Bytes().tag(sync=True)  # (places, h, w) uint8 square roots, deflated
    picture = T.Unicode().tag(sync=True)
    network = T.Unicode().tag(sync=True)
    top = T.Int().tag(sync=True)
    left = T.Int().tag(sync=True)
    opacity = T.Int(75, min=0, max=100).tag(sync=True)
    brightness = T.Enum(["square root", "linear"], "square root").tag(sync=True)

    @classmethod
    def from_maps(
        cls,
        pictures: Mapping[str, Picture],
        maps: Mapping[Place, LocalMap],
        *,
        window: int = 16,
        compute: Compute | None = None,
    ) -> "LamExplorer":
        """An explorer of precomputed maps; a live kernel computes any other window with `compute`.

        All pictures have one size, since the diffusion index compares equal sizes only, and an SR
        image of every network. `window` is the side of the target in SR pixels.
        """
        networks, (h, w), scale = _checked(pictures, maps)
        meta = {
            "networks": networks,
            "pictures": [
                {
                    "name": name,
                    "lr": picture_url(own.lr),
                    "sr": [picture_url(own.sr[network], lossless=False) for network in networks],
                }
                for name, own in pictures.items()
            ],
            "size": [h, w],
            "scale": scale,
            "window": window,
        }
        for place in maps:
            _inside(meta, place.top, place.left)
        names = list(pictures)
        meta["places"] = [[names.index(p), networks.index(n), *corner] for p, n, *corner in maps]
        meta["measures"] = [_measures(own) for own in maps.values()]
        packed = zlib.compress(b"".join(pack_map(own.magnitude) for own in maps.values()), 9)
        last = [place for place in maps if place[:2] == (names[0], networks[-1])] or list(maps)
        start = max(last, key=lambda place: maps[place].diffusion_index)  # where most is to be seen
        return cls(meta=meta, maps=packed, compute=compute, **start._asdict())

    @T.validate("picture", "network")
    def _known(self, proposal: dict[str, Any]) -> str:
        return self._one_of(proposal["trait"].name, proposal["value"])

    def _one_of(self, name: str, value: Any) -> str:
        pictures = [picture["name"] for picture in self.meta["pictures"]]
        return one_of(name, value, pictures if name == "picture" else self.meta["networks"])

    @T.validate("top", "left")
    def _inside_picture(self, proposal: dict[str, Any]) -> int:
        _inside(self.meta, **{"top": 0, "left": 0, proposal["trait"].name: proposal["value"]})
        return proposal["value"]

    def respond(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        """The map of {picture, network, top, left}."""
        picture, network = (
            self._one_of(name, request.get(name)) for name in ("picture", "network")
        )
        place = Place(picture, network, int(request["top"]), int(request["left"]))
        _inside(self.meta, place.top, place.left)
        result = self.compute(place)
        if list(result.magnitude.shape) != self.meta["size"]:
            raise ValueError(
                f"compute returned a map of shape {result.magnitude.shape}, "
                f"expected {tuple(self.meta['size'])}"
            )
        return {"measures": _measures(result)}, [pack_map(result.magnitude)]


def pack_map(magnitude: np.ndarray) -> bytes:
    """(h, w) in [0, 1] as uint8 square roots, so that small values keep some precision."""
    if not (np.isfinite(magnitude).all() and magnitude.min() >= 0 and magnitude.max() <= 1 + 1e-6):
        raise ValueError(
            f"a map to show lies in [0, 1], got [{magnitude.min():.3g}, {magnitude.max():.3g}]; "
            "see srlab.attribution.lam.magnitude"
        )
    return (np.sqrt(magnitude) * 255).round().clip(0, 255).astype(np.uint8).tobytes()


def _checked(
    pictures: Mapping[str, Picture], maps: Mapping[Place, LocalMap]
) -> tuple[list[str], tuple[int, int], int]:
    """(networks, LR size, scale) that all pictures and maps share."""
    if not pictures or not maps:
        raise ValueError("an explorer needs at least one picture and one map")
    first = next(iter(pictures.values()))
    networks, size = list(first.sr), first.lr.shape[:2]
    scale = first.sr[networks[0]].shape[0] // size[0]
    for name, own in pictures.items():
        shapes = {image.shape for image in own.sr.values()}
        expected = {(scale * size[0], scale * size[1], 3)}
        if own.lr.shape != (*size, 3) or list(own.sr) != networks or shapes != expected:
            raise ValueError(
                f"{name}: expected LR {(*size, 3)} and SR {expected.pop()} of {', '.join(networks)}"
                f", got LR {own.lr.shape} and SR {shapes} of {', '.join(own.sr)}"
            )
    for place, local in maps.items():
        known = place.picture in pictures and place.network in networks
        if not known or local.magnitude.shape != size:
            raise ValueError(
                f"{place}: a map of shape {local.magnitude.shape}, expected {size}, "
                f"pictures {', '.join(pictures)}, networks {', '.join(networks)}"
            )
    return networks, size, scale


def _measures(local: LocalMap) -> list[float | None]:
    """JSON has no infinity: a completeness error or PSNR without a finite value is absent."""
    values = (local.diffusion_index, local.completeness_error, local.psnr)
    return [
        round(float(value), 5) if value is not None and math.isfinite(value) else None
        for value in values
    ]


def _inside(meta: dict[str, Any], top: int, left: int) -> None:
    (height, width), window = (meta["scale"] * side for side in meta["size"]), meta["window"]
    last = height - window - 1, width - window - 1  # forward differences need one pixel more
    if not (0 <= top <= last[0] and 0 <= left <= last[1]):
        raise T.TraitError(
            f"the {window}×{window} patch at row {top}, column {left} leaves the {height}×{width} "
            f"SR image; choose top in 0..{last[0]} and left in 0..{last[1]}"
        )
