"""From any network and picture to a local attribution map: what `srlab lam` does, as a function."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from srlab.attribution.lam import Attribution, diffusion_index, local_attribution
from srlab.attribution.targets import Measure, PatchTarget, gradient_magnitude, patch_target
from srlab.contract import Contract, connect
from srlab.images import center_crop

MOST_PIXELS = 512**2  # of an LR picture: beyond, a network's activations outgrow most memories


@dataclass(frozen=True)
class Explanation:
    """A map with everything it belongs to."""

    lr: Tensor  # (1, 3, h, w), what was left of the picture after cutting
    sr: Tensor  # (1, 3, H, W)
    target: PatchTarget
    attribution: Attribution
    contract: Contract

    @property
    def diffusion_index(self) -> float:
        """DI of the map."""
        return diffusion_index(self.attribution)

    def save(self, path: Path, facts: Mapping[str, Any]) -> None:
        """Write arrays and numbers as .npz; `facts` go in as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                attribution=self.attribution.map[0].cpu().numpy(),
                lr=self.lr[0].cpu().numpy(),
                sr=self.sr[0].cpu().numpy(),
                patch=np.array([self.target.top, self.target.left, self.target.size]),
                diffusion_index=self.diffusion_index,
                completeness_error=self.attribution.completeness_error,
                facts=json.dumps(facts, ensure_ascii=False),
            )


def explain(
    network: nn.Module,
    lr: Tensor,
    *,
    patch: tuple[int, ...] | None = None,
    crop: int | None = None,
    measure: Measure = gradient_magnitude,
    adapt: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Explanation:
    """Check the network, cut the picture lr (1, 3, h, w) if asked to, and attribute the patch.

    `patch` is (top, left) or (top, left, size) in SR pixels of the whole picture, by default the
    central 16×16; `crop` keeps so many LR pixels a side around it; `measure` is what is explained
    of the patch. `adapt` goes to `contract.connect`, `settings` to `local_attribution`.
    """
    adapt = dict(adapt or {})
    if crop is None:
        _check_size(lr)
        model, contract = connect(network, lr, **adapt)
        target = _target(patch, lr, contract.scale, measure)
    else:
        probe = center_crop(lr, min(64, *lr.shape[-2:]))
        scale = connect(network, probe, **adapt)[1].scale
        lr, target = _around(lr, _target(patch, lr, scale, measure), scale, crop)
        model, contract = connect(network, lr, **adapt)
    attribution = local_attribution(model, lr, target, **settings)
    rounding = 1e-5 * max(abs(attribution.end), 1)  # a flat picture blurs to itself up to this
    if attribution.map.abs().max() <= rounding:
        raise ValueError("nothing to explain: the picture is flat wherever the network looks")
    with torch.no_grad():
        sr = model(lr)
    return Explanation(lr, sr, target, attribution, contract)


def _target(patch: tuple[int, ...] | None, lr: Tensor, scale: int, measure: Measure) -> PatchTarget:
    height, width = (scale * extent for extent in lr.shape[-2:])
    place = patch or ((height - 16) // 2, (width - 16) // 2, 16)
    target = patch_target(*place, measure=measure)
    target.check_inside(height, width)
    return target


def _around(lr: Tensor, target: PatchTarget, scale: int, size: int) -> tuple[Tensor, PatchTarget]:
    """`size` LR pixels a side around the target (or all there are), and its place in them."""
    least = target.size // scale + 2
    if size < least:
        raise ValueError(
            f"{size} LR pixels do not hold a patch of {target.size} SR pixels: cut out at "
            f"least {least}"
        )
    top, left = (
        max(0, min(round((first + target.size / 2) / scale - size / 2), extent - size))
        for first, extent in zip((target.top, target.left), lr.shape[-2:], strict=True)
    )
    moved = replace(target, top=target.top - scale * top, left=target.left - scale * left)
    return lr[..., top : top + size, left : left + size], moved


def _check_size(lr: Tensor) -> None:
    height, width = lr.shape[-2:]
    if height * width > MOST_PIXELS:
        raise ValueError(
            f"{height}×{width} pixels are many to explain at once: cut out a part around the patch "
            f"with --crop 128 (crop=128), or take them all with --crop {max(height, width)}; "
            "a picture of high resolution is first made small with --reduce 4"
        )
