"""Effective receptive fields of several networks as one HTML file: no request leaves it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from srlab.attribution.effective_field import CONVENTIONS, SHARES, SIZE, EffectiveField, erf
from srlab.attribution.lam import lam, patch
from srlab.checkpoints.files import versions
from srlab.checkpoints.load import parse_specs
from srlab.devices import hardware
from srlab.files import picture_url, replace_text
from srlab.images import center_crop
from srlab.networks.contract import Contract, connect
from srlab.networks.receptive_field import receptive_field
from srlab.pages.explain import reduce_picture
from srlab.pages.filter_analysis import pictures
from srlab.pages.lam import box
from srlab.pages.maps import CHECKS, about, check_writable
from srlab.pages.overlay import percent
from srlab.pages.templates import Facts, page

WINDOW = 16  # SR pixels a side, of LAM's target in the middle
MAPPED = 3  # pictures that LAM's diffusion index is a mean over
ROOT = 4  # colours follow this root of the map, as MambaIR's do
VIRIDIS = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))


@dataclass(frozen=True)
class Fields:
    """What a network could see, what it listens to, and what decides a patch."""

    effective: dict[str, EffectiveField]  # by convention
    theoretical: str  # a number of LR pixels, "global", or why it is not known
    diffusion_index: float  # of LAM, mean over the first pictures
    contract: Contract


def field_files(
    out: Path,
    networks: Sequence[str],
    images: str,
    *,
    size: int = SIZE,
    limit: int = 100,
    reduce: int = 1,
    device: torch.device | str = "cpu",
) -> dict[str, Fields]:
    """All of `srlab erf`: measure each network on the pictures, and write the page."""
    if not networks:
        raise ValueError("name at least one network")
    specs = parse_specs(networks)
    check_writable(out)
    lr = [reduce_picture(own[None], reduce)[0].to(device) for own in pictures(images).values()]
    lr = lr[:limit]
    found = {}
    for name, spec in specs.items():
        with about(name, several=len(specs) > 1):
            found[name] = fields(spec.network().to(device), lr, size=size, adapt=spec.adapt)
    settings = {
        "pictures": f"{len(lr)} of {images}" + (f", reduced by {reduce}" if reduce > 1 else ""),
        "size": f"{size}×{size} LR pixels",
        **{name: own.words for name, own in CONVENTIONS.items()},
        "LAM's diffusion index": f"middle {WINDOW}×{WINDOW}, mean over {min(MAPPED, len(lr))}",
        "device": f"{device}",
    }
    facts = {"Settings": settings, "Made with": {**versions(), "hardware": hardware()}}
    replace_text(out, erf_report(images, found, facts))
    return found


def fields(
    network: Any, lr: Sequence[Tensor], *, size: int = SIZE, adapt: Mapping[str, Any] | None = None
) -> Fields:
    """Of one network on LR pictures (3, h, w) of any sizes; `adapt` goes to `contract.connect`."""
    cropped = [center_crop(own, min(size, *own.shape[-2:])) for own in lr[:MAPPED]]
    model, contract = connect(network, cropped[0][None], **dict(adapt or {}))
    effective = {name: erf(model, lr, size=size, convention=name) for name in CONVENTIONS}
    try:
        theoretical = f"{receptive_field(model)}"
    except ValueError as error:
        theoretical = f"not known: {error}"
    index = [_centre(model, own, contract.scale).diffusion_index for own in cropped]
    return Fields(effective, theoretical, float(np.mean(index)), contract)


def _centre(model: Any, lr: Tensor, scale: int) -> Any:
    top, left = ((scale * side - WINDOW) // 2 for side in lr.shape[-2:])
    return lam(model, lr, patch(top, left, WINDOW))


def erf_report(title: str, found: Mapping[str, Fields], facts: Facts) -> str:
    """The HTML page of the networks side by side, in their order; `facts` become tables."""
    networks = {name: _shown(own) for name, own in found.items()}
    checks = {f"{CHECKS}: {name}": own.contract.checks() for name, own in found.items()}
    return page(
        "erf.html",
        title=title,
        kind="effective receptive fields",
        shares=[f"{share:.0%}" for share in SHARES],
        conventions={name: own.words for name, own in CONVENTIONS.items()},
        networks=networks,
        facts={**facts, **checks},
    )


def _shown(own: Fields) -> dict[str, Any]:
    return {
        "theoretical": own.theoretical,
        "di": f"{own.diffusion_index:.2f}",
        "fields": {
            name: {
                "map": heat_url(field.map.cpu()),
                "areas": [percent(ratio) for ratio in field.area_ratios().values()],
                "boxes": [_box(field, share) for share in (0.5, 0.99)],
                "side": field.side(0.99),
            }
            for name, field in own.effective.items()
        },
    }


def _box(field: EffectiveField, share: float) -> str:
    """The square that holds the share, as CSS; what leaves the map is cut off by its frame."""
    side, size = field.side(share), tuple(field.map.shape)
    top, left = (extent // 2 - side // 2 for extent in size)
    return box(patch(top, left, side), size)


def heat_url(map_: Tensor) -> str:
    """A map (h, w) ≥ 0 as a picture, bright where it is large; colours follow its fourth root."""
    shown = map_.double().numpy()
    roots = (shown / (shown.max() or 1)) ** (1 / ROOT)
    stops = np.linspace(0, 1, len(VIRIDIS))
    channels = [np.interp(roots, stops, own) for own in zip(*VIRIDIS, strict=True)]
    return picture_url(np.dstack(channels).round().astype(np.uint8))
