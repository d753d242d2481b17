"""From any networks and a picture to local attribution maps: what `srlab lam` does, as functions.

First everything is checked (`prepare`), then computed: a comparison of many networks is refused
before the first map, not after the last.
"""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from srlab.attribution.lam import Attribution, lam
from srlab.attribution.objective import Network
from srlab.attribution.paths import ImagePath
from srlab.attribution.targets import (
    Measure,
    PatchTarget,
    gradient_magnitude,
    mask_target,
    masked,
    patch,
    residual,
)
from srlab.degradations.filters import upsample
from srlab.devices import free_memory
from srlab.images import crop as cut_out
from srlab.images import crop_to_multiple, image_from_array, image_to_array
from srlab.networks.advice import AdvisedError, Setting
from srlab.networks.contract import PROBED, Contract, connect, mean_gradient, measured_scale
from srlab.networks.cost import peak_memory
from srlab.networks.recomputation import recomputed

MOST_PIXELS = 512**2  # of an LR picture: beyond, a network's activations outgrow most memories
ROUNDING = 32  # times the precision of a number: what blurring and a network may lose by rounding
FAILURES = (ValueError, TypeError, RuntimeError, MemoryError, OSError)  # of a network, not of srlab


@dataclass(frozen=True)
class Explanation(Attribution):
    """A map, and what was found out about the network; `lr` is what was left of the picture."""

    target: PatchTarget
    contract: Contract


@dataclass(frozen=True)
class Question:
    """A network that was checked, and what is asked of it."""

    model: nn.Module  # keeps srlab's contract
    contract: Contract
    lr: Tensor  # (1, 3, h, w), what was left of the picture after cutting
    target: PatchTarget
    of_residual: bool = False  # the target is one of SR − bicubic
    recompute: bool = False  # for the whole would not fit into the memory otherwise

    @property
    def network(self) -> Network:
        """What the target is measured on."""
        return residual(self.model) if self.of_residual else self.model

    def answer(self, path: ImagePath | None = None) -> Explanation:
        """The map along a path as `lam` takes it. Refuses one that rounding made."""
        found = lam(self.network, self.lr, self.target, path=path, recompute=self.recompute)
        less = upsample(found.lr, self.contract.scale) if self.of_residual else 0
        _check_substance(found, (found.sr + less).abs().max())
        return Explanation(**vars(replace(found, sr=found.sr + less)), contract=self.contract)


@dataclass(frozen=True)
class Comparison:
    """The same patch under several networks, in the order in which they were given."""

    found: dict[str, Explanation]
    failed: dict[str, str]  # network: why it has no map


def prepare(
    network: nn.Module,
    lr: Tensor,
    *,
    patch: tuple[int, ...] | None = None,
    crop: int | None = None,
    measure: Measure | Tensor = gradient_magnitude,
    of_residual: bool = False,
    adapt: Mapping[str, Any] | None = None,
) -> Question:
    """Check network, picture lr (1, 3, h, w) and patch, and cut the picture if asked to.

    `patch` is (top, left) or (top, left, size) in SR pixels of the whole picture, by default the
    central 16×16; `crop` keeps so many LR pixels a side around it. `measure` is what is explained
    of the patch, or a boolean mask, of the patch's size or of the whole SR image's: the gradient
    magnitude where it is true; `of_residual` measures it on SR − bicubic. `adapt` goes to
    `contract.connect`.
    """
    adapt, lr = dict(adapt or {}), lr.detach()
    if crop is None:
        _check_size(lr)
        least = _memory_if_short(network, lr, adapt)
        with recomputed(network) if least else nullcontext():
            model, contract = connect(network, lr, **adapt)
        contract = replace(contract, kept=least or contract.kept)
        target = _target(patch, lr, contract.scale, measure)
        return Question(model, contract, lr, target, of_residual, recompute=bool(least))
    side = max(crop, 1)
    scale = measured_scale(network, lr[..., :side, :side], **adapt)  # of the size it will be given
    lr, target = _around(lr, _target(patch, lr, scale, measure), scale, crop)
    model, contract = connect(network, lr, **adapt)
    return Question(model, contract, lr, target, of_residual)


def reduce_picture(hr: Tensor, scale: int) -> Tensor:
    """The LR file that people make of an HR picture: (1, 3, H, W) → (1, 3, H/scale, W/scale).

    To the bit what Pillow's bicubic makes of the picture in 8 bits, as for LAM's published maps.
    Rows and columns that do not fill an LR pixel are cut off, at the bottom and at the right.
    """
    if scale < 1:
        raise ValueError(f"a picture is reduced by a whole number of at least 1, got {scale}")
    if scale == 1:
        return hr
    whole = Image.fromarray(image_to_array(crop_to_multiple(hr, scale)[0]))
    size = (whole.width // scale, whole.height // scale)
    small = np.array(whole.resize(size, Image.Resampling.BICUBIC))
    return image_from_array(small)[None].to(hr)


def compare(questions: Mapping[str, Question], path: ImagePath | None = None) -> Comparison:
    """Answer {network's name: question}, all about one picture and patch.

    Networks of different scales are refused before anything is computed. One that fails later
    is named with its reason and costs the others nothing, unless all fail. A single one fails
    with its own error.
    """
    scales = {name: question.contract.scale for name, question in questions.items()}
    if len(set(scales.values())) > 1:
        listed = ", ".join(f"{name} ×{scale}" for name, scale in scales.items())
        raise ValueError(f"one patch needs networks of one scale, these enlarge by: {listed}")
    found: dict[str, Explanation] = {}
    failed: dict[str, str] = {}
    for name, question in questions.items():
        try:
            found[name] = question.answer(path)
        except FAILURES as error:
            if len(questions) == 1:
                raise
            failed[name] = f"{error}"
    if not found:
        raise ValueError("; ".join(f"{name}: {why}" for name, why in failed.items()))
    return Comparison(found, failed)


def _target(
    place: tuple[int, ...] | None, lr: Tensor, scale: int, measure: Measure | Tensor
) -> PatchTarget:
    height, width = (scale * extent for extent in lr.shape[-2:])
    target = patch(*(place or ((height - 16) // 2, (width - 16) // 2, 16)))
    if not isinstance(measure, Tensor):
        target = replace(target, measure=measure)
    elif measure.shape == target.shape:
        target = replace(target, measure=_inside(measure))
    elif measure.shape != (height, width):
        raise ValueError(
            f"the mask has {measure.shape[0]}×{measure.shape[1]} pixels; it needs {height}×{width} "
            f"as the SR image or {target.size}×{target.size} as the patch"
        )
    elif place is None:
        target = mask_target(measure)
    else:
        target.check_inside(height, width)
        part = cut_out(measure, target.top, target.left, target.size, target.size)
        target = replace(target, measure=_inside(part))
    target.check_inside(height, width)
    return target


def _inside(mask: Tensor) -> Measure:
    if not mask.any():
        raise ValueError("the mask is black all over the patch: white is what counts")
    return masked(mask)


def _check_substance(found: Attribution, largest: Tensor) -> None:
    """Refuse a map of pixels that only rounding moved, or of a target that only rounding made.

    `largest` is the largest value of the SR image.
    """
    lr, sr, target = found.lr, found.sr, found.target
    lost = ROUNDING * torch.finfo(lr.dtype).eps
    start = found.path.curve(torch.zeros(1, dtype=torch.float64))
    moved = (lr - start).abs() > lost * lr.abs().max()
    noise = torch.randn(sr.shape, generator=torch.Generator().manual_seed(0)).to(sr)
    made = (target(sr + lost * largest * noise) - target(sr)).abs().item()
    nothing = max(abs(value) for value in (*found.values, found.end)) <= made
    if nothing or not (found.map * moved).any():
        raise ValueError(
            "nothing to explain: up to rounding, the picture is flat wherever the network looks, "
            "or the patch has nothing of what is asked"
        )


def _around(lr: Tensor, target: PatchTarget, scale: int, size: int) -> tuple[Tensor, PatchTarget]:
    """`size` LR pixels a side around the target (or all there are), and its place in them."""
    rows, columns = target.shape
    least = max(target.shape) // scale + 2
    if size < least:
        raise ValueError(
            f"{size} LR pixels do not hold a patch of {rows}×{columns} SR pixels: cut out at "
            f"least {least}"
        )
    top, left = (
        max(0, min(round((first + extent / 2) / scale - size / 2), whole - size))
        for first, extent, whole in zip(
            (target.top, target.left), target.shape, lr.shape[-2:], strict=True
        )
    )
    moved = replace(target, top=target.top - scale * top, left=target.left - scale * left)
    return lr[..., top : top + size, left : left + size], moved


def _check_size(lr: Tensor) -> None:
    height, width = lr.shape[-2:]
    if height * width > MOST_PIXELS:
        raise AdvisedError(
            f"{height}×{width} pixels are many to explain at once: cut out a part around the patch "
            "with ",
            Setting("crop", "128"),
            ", or take them all with ",
            Setting("crop", f"{max(height, width)}"),
            "; a picture of high resolution is first made small, ",
            Setting("reduce", "4"),
        )


def _memory_if_short(network: nn.Module, lr: Tensor, adapt: Mapping[str, Any]) -> int:
    """Bytes for the gradient of a large picture that fits only if it is `recomputed`, else 0.

    Told by a part of the picture. Refuses, before it is tried, one that does not fit even so.
    """
    parts = lr[0, 0].numel() / PROBED**2
    free = free_memory(lr.device)
    if free is None or min(lr.shape[-2:]) < PROBED or parts < 2:
        return 0
    part = lr[..., :PROBED, :PROBED]
    model, contract = connect(network, part, **adapt)
    if contract.kept * parts <= free:
        return 0
    with recomputed(model):
        least = peak_memory(lambda: mean_gradient(model, part)) * parts
    if least > free:
        side = int((lr[0, 0].numel() * free / least / 2) ** 0.5)
        raise AdvisedError(
            f"a map of {lr.shape[-2]}×{lr.shape[-1]} pixels takes at least {least / 1e9:.1f} GB of "
            f"memory, and {free / 1e9:.1f} GB are free: cut out a part around the patch, ",
            Setting("crop", f"{max(side, 16)}"),
        )
    return int(least)
