"""Local attribution maps (Gu & Dong, CVPR 2021): which LR pixels a patch of the SR image used."""

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path as File
from typing import Any

import numpy as np
import torch
from torch import Tensor

from srlab.attribution.integral import (
    AdaptivePath,
    Integral,
    integrate,
    integrate_each,
    tell_inexact,
)
from srlab.attribution.objective import (
    Network,
    Recordings,
    comfortable_batch,
    objective,
    seen_whole,
    super_resolved,
)
from srlab.attribution.paths import ImagePath, deblur
from srlab.attribution.targets import PatchTarget as PatchTarget
from srlab.attribution.targets import Target
from srlab.attribution.targets import gradient_magnitude as gradient_magnitude
from srlab.attribution.targets import patch as patch
from srlab.capture import frozen
from srlab.files import replace_file, replace_text
from srlab.images import check_images
from srlab.networks.recomputation import recomputed

MISSED = 0.01  # of the map, below which it is not told that the map does not add up
CHANNELS = (1, 3, 4)  # luma; RGB; RGB and infrared, or a packed mosaic
CAUSES = "weights that are computed elsewhere than in forward, or a target that jumps"


@dataclass(frozen=True)
class Attribution(Integral):
    """What each LR pixel added to the target, and how the integral came about.

    `start` is the target at the baseline, `end` that at the LR image; `gradients`, where they were
    kept, are (steps, 3, h, w).
    """

    lr: Tensor  # (1, 3, h, w), the image that is explained
    sr: Tensor  # (1, 3, H, W), what the network makes of it
    target: Target

    @property
    def map(self) -> Tensor:
        """(1, 3, h, w), signed; sums to end − start up to the completeness error."""
        return self.attribution[None]

    @property
    def map_error(self) -> float:
        """Expected Σ |error| / Σ |map|, channels summed; nan for a single step."""
        return self.error

    @property
    def diffusion_index(self) -> float:
        """DI of the map, as `diffusion_index` has it."""
        return diffusion_index(self)

    def save(
        self,
        path: str | File,
        *,
        title: str = "",
        facts: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """Write a self-contained page (.html), or the arrays and numbers (.npz).

        `facts` are tables {title: {name: value}} of whatever should be kept with the map.
        """
        kind, told = File(path).suffix.lower(), dict(facts or {})
        if kind == ".html":
            replace_text(path, self._page(title, told))
        elif kind == ".npz":
            with replace_file(path) as temporary, temporary.open("wb") as file:
                np.savez_compressed(file, **self._arrays(), facts=json.dumps(told))
        else:
            raise ValueError(
                f"a map is saved as a page, .html, or as arrays, .npz; got {str(path)!r}"
            )

    def _page(self, title: str, facts: Mapping[str, Mapping[str, str]]) -> str:
        if not isinstance(self.target, PatchTarget):
            raise ValueError(
                "a page frames the part of the SR image that was explained, and this target is "
                "any function: make the target with patch(top, left, size), or save arrays, .npz"
            )
        report = import_module("srlab.pages.lam").lam_report  # upstairs, and only when asked for
        return report(title, self, self.target, facts)

    def _arrays(self) -> dict[str, Any]:
        arrays = {
            "attribution": self.map[0].cpu().numpy(),
            "lr": self.lr[0].cpu().numpy(),
            "sr": self.sr[0].cpu().numpy(),
            "diffusion_index": self.diffusion_index,
            "completeness_error": self.completeness_error,
            "map_error": self.map_error,
        }
        if isinstance(self.target, PatchTarget):
            (rows, columns), place = self.target.shape, (self.target.top, self.target.left)
            sides = [rows] if rows == columns else [rows, columns]
            arrays["patch"] = np.array([*place, *sides])
        return arrays

    def accumulated(self) -> Tensor:
        """The map after each step, (steps, 3, h, w); for this keep_gradients=True."""
        return self._parts().cumsum(dim=0)

    def step_sizes(self) -> Tensor:
        """How much of the map each step made, (steps,): Σ |channels summed|, together 1.

        For this keep_gradients=True.
        """
        sizes = self._parts().sum(dim=1).abs().sum(dim=(1, 2))
        return sizes / sizes.sum()

    def _parts(self) -> Tensor:
        """What each step added, (steps, 3, h, w)."""
        if self.gradients is None:
            raise ValueError("the gradients were not kept; use keep_gradients=True")
        ((_, steps),) = self.path.pieces(len(self.path.nodes))
        return self.gradients * steps


def lam(
    network: Network,
    lr: Tensor,
    target: Target,
    *,
    path: ImagePath | None = None,
    batch_size: int | None = None,
    keep_gradients: bool = False,
    recompute: bool = False,
) -> Attribution:
    """LAM of an LR image (1, 3, h, w) or (3, h, w): which of its pixels made `target`.

    A network for luma alone is given that, (1, 1, h, w), and one of four channels (1, 4, h, w).

    The gradient of target(network(·)) is integrated along `path`, by default `deblur()`: LAM's
    deblurring, cut finely enough for a map that is exact to 5 %. `network` is any callable
    (B, 3, h, w) → (B, 3, scale·h, scale·w); a module is switched to eval mode with frozen weights
    for the duration and left as it was. `batch_size` nodes pass it together (default: one on a
    CPU, as many as fit comfortably on a GPU). `keep_gradients` at the nodes to see the map grow.
    `recompute` what the network makes instead of keeping it for the gradient: the same map in less
    memory and more time.
    Warns (`InexactWarning`) where the tolerance is missed or the map does not add up.

    >>> network = torch.nn.Upsample(scale_factor=2, mode="bicubic")
    >>> lr = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    >>> found = lam(network, lr, patch(16, 16, 8))
    >>> found.map.shape, found.completeness_error < 0.01
    (torch.Size([1, 3, 24, 24]), True)
    >>> published = lam(network, lr, patch(16, 16, 8), path=deblur(rule="right", steps=50))
    """
    (found,) = lams(
        network,
        lr,
        [target],
        path=path,
        batch_size=batch_size,
        keep_gradients=keep_gradients,
        recompute=recompute,
    )
    return found


def lams(
    network: Network,
    lr: Tensor,
    targets: Sequence[Target],
    *,
    path: ImagePath | None = None,
    batch_size: int | None = None,
    keep_gradients: bool = False,
    recompute: bool = False,
) -> list[Attribution]:
    """`lam` for each target, in their order; what they share is done once.

    Each target has the network computed on the part that it needs; of many targets of a network
    that sees far, `lams_of_whole` is faster.

    >>> network = torch.nn.Upsample(scale_factor=2, mode="bicubic")
    >>> grid = [patch(top, left, 8) for top in (0, 16) for left in (0, 16)]
    >>> maps = lams(network, torch.rand(1, 3, 24, 24), grid)
    """
    image = one_image(lr)
    if path is not None and not callable(path):
        raise TypeError(f"a path is made by deblur(…) or straight(…), got {path!r}")
    chosen = (path or deblur())(image)
    recordings: Recordings = {}
    maps = []
    with frozen(network), recomputed(network) if recompute else nullcontext():
        sr = seen_whole(network, image[None], [] if recompute else targets, recordings)
        for target in targets:
            integral = integrate(
                objective(network, target, recordings, whole=recompute),
                chosen,
                batch_size=batch_size or comfortable_batch(image[None]),
                keep_gradients=keep_gradients,
                shown=lambda map_: map_.sum(dim=-3),
            )
            maps.append(_attribution(integral, image, sr, target, chosen.tolerance))
    return maps


def lams_of_whole(
    network: Network, lr: Tensor, targets: Sequence[Target], *, path: ImagePath
) -> list[Attribution]:
    """`lams` by way of the whole SR image: once forward for all targets at each node of the path.

    Faster than `lams` where many targets each need most of the network. The number of the path's
    `steps` must be given.
    """
    image = one_image(lr)
    chosen = path(image)
    if isinstance(chosen, AdaptivePath):
        raise ValueError("targets share the nodes of a path whose number is given: deblur(steps=8)")

    def values(points: Tensor) -> Tensor:
        sr = super_resolved(network, points)
        return torch.cat([target(sr).reshape(1) for target in targets])

    with frozen(network):
        found = integrate_each(values, chosen, shown=lambda map_: map_.sum(dim=-3))
        with torch.no_grad():
            sr = super_resolved(network, image[None])
    pairs = zip(found, targets, strict=True)
    return [_attribution(integral, image, sr, target) for integral, target in pairs]


def _attribution(
    integral: Integral, image: Tensor, sr: Tensor, target: Target, tolerance: float | None = None
) -> Attribution:
    """What has become of a target, told where it is not exact.

    Large parts of both signs may leave a small change; a share of that says nothing of the map.
    """
    found = Attribution(**vars(integral), lr=image[None], sr=sr, target=target)
    missed = abs(float(found.contributions.sum()) - (found.end - found.start))
    negligible = missed <= MISSED * float(found.map.sum(dim=1).abs().sum())
    completeness = 0.0 if negligible else found.completeness_error
    tell_inexact(found.error, completeness, tolerance, causes=CAUSES, stacklevel=4)
    return found


def one_image(lr: Tensor) -> Tensor:
    """The image (3, h, w), given as such or as a batch of one (1, 3, h, w); refuses all else."""
    if lr.ndim != 3 and (lr.ndim != 4 or lr.shape[0] != 1):
        raise ValueError(f"give one LR image (1, 3, h, w), got shape {tuple(lr.shape)}")
    return check_images(lr.detach(), CHANNELS).reshape(lr.shape[-3:])


def magnitude(attribution: Attribution | Tensor, *, channels: str = "sum") -> Tensor:
    """The map (1, 3, h, w) as it is shown, (h, w) in [0, 1]: absolute value over the largest.

    channels="sum" is the public code's |Σ_c ·|, in which colours may cancel; "absolute" is Σ_c |·|.
    A map that is zero everywhere stays zero.
    """
    if channels not in ("sum", "absolute"):
        raise ValueError(f'channels is "sum" or "absolute", got {channels!r}')
    if channels == "sum":
        return signed(attribution).abs()
    shown = _of(attribution).abs().sum(dim=0)
    return shown / shown.max() if shown.any() else shown


def signed(attribution: Attribution | Tensor) -> Tensor:
    """The map (1, 3, h, w) with its signs, (h, w) in [−1, 1]: channels summed, over the largest.

    What is positive raised the target on the way from the baseline, what is negative lowered it.
    """
    shown = _of(attribution).sum(dim=0)
    return shown / shown.abs().max() if shown.any() else shown


def _of(attribution: Attribution | Tensor) -> Tensor:
    return (attribution if isinstance(attribution, Tensor) else attribution.map)[0]


def diffusion_index(attribution: Attribution | Tensor, *, channels: str = "sum") -> float:
    """DI = (1 − Gini)·100 over all LR pixels of `magnitude`: 100 = even, near 0 = one pixel.

    Compare only maps of equal size. As in the public code 1e-7 is added to every pixel. A map
    that is zero everywhere spreads nothing: its index is nan.
    """
    shown = magnitude(attribution, channels=channels).cpu().double().flatten()
    if not shown.any():
        return float("nan")
    return 100 * (1 - gini(shown + 1e-7))


def gini(amounts: Tensor) -> float:
    """Gini coefficient of positive `amounts` (N,): 0 when all are equal, 1 − 1/N if one has all."""
    count = len(amounts)
    ranks = torch.arange(1, count + 1, dtype=amounts.dtype, device=amounts.device)
    weighted = ((2 * ranks - count - 1) * amounts.sort().values).sum()
    return float(weighted / (count * amounts.sum()))
