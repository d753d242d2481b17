"""Local attribution maps (Gu & Dong, CVPR 2021): which LR pixels a patch of the SR image used."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from srlab.attribution.integral import (
    TOLERANCE,
    AdaptivePath,
    Integral,
    Path,
    integrate,
    tell_inexact,
)
from srlab.attribution.objective import Network, Recordings, comfortable_batch, objective
from srlab.attribution.paths import image_path
from srlab.attribution.targets import PatchTarget as PatchTarget
from srlab.attribution.targets import Target
from srlab.attribution.targets import gradient_magnitude as gradient_magnitude
from srlab.attribution.targets import patch_target as patch_target
from srlab.capture import frozen
from srlab.images import check_images

CAUSES = "weights that are computed elsewhere than in forward, or a target that jumps"


@dataclass(frozen=True)
class Attribution:
    """What each LR pixel added to the target, and how the integral came about."""

    map: Tensor  # (1, 3, h, w), signed; sums to end − start up to the completeness error
    start: float  # target at the baseline
    end: float  # target at the LR image
    completeness_error: float  # |Σ map − (end − start)| / |end − start|
    map_error: float  # expected Σ |error| / Σ |map|, channels summed; nan for a single step
    path: Path
    values: np.ndarray  # (steps,) target at path.nodes
    contributions: np.ndarray  # (steps,) what each step added to Σ map
    gradients: Tensor | None = None  # (steps, 3, h, w) at the nodes; None unless kept

    @classmethod
    def of(cls, integral: Integral) -> "Attribution":
        """From the integral along a path of images."""
        return cls(
            map=integral.attribution[None],
            start=integral.start,
            end=integral.end,
            completeness_error=integral.completeness_error,
            map_error=integral.error,
            path=integral.path,
            values=integral.values,
            contributions=integral.contributions,
            gradients=integral.gradients,
        )

    def accumulated(self) -> Tensor:
        """The map after each step, (steps, 3, h, w); for this keep_gradients=True."""
        if self.gradients is None:
            raise ValueError("the gradients were not kept; use keep_gradients=True")
        ((_, steps),) = self.path.pieces(len(self.path.nodes))
        return (self.gradients * steps).cumsum(dim=0)


def local_attribution(
    model: Network,
    lr: Tensor,
    target: Target,
    *,
    baseline: str | Tensor = "blur",
    path: str = "deblur",
    rule: str | None = None,
    steps: int | None = None,
    tolerance: float = TOLERANCE,
    sigma: float = 1.2,
    kernel_size: int = 9,
    batch_size: int | None = None,
    keep_gradients: bool = False,
) -> Attribution:
    """LAM of one LR image (1, 3, h, w): the gradient of target(model(·)) integrated along a path.

    `model` is any callable (B, 3, h, w) → (B, 3, scale·h, scale·w); a module is switched to eval
    mode with frozen weights for the duration and left as it was. `baseline` is "blur" (`sigma` LR
    pixels, `kernel_size`), "black", or an image like `lr`; `path` is "deblur" (from "blur" only)
    or "linear". Gradients are taken at as many places as the map's error needs to fall to
    `tolerance`; `steps` fixes their number, and `rule` then names a quadrature of `paths.RULES`;
    LAM's public code is rule="right", steps=50. `batch_size` nodes pass the network together
    (default: one on a CPU, as many as fit comfortably on a GPU). `keep_gradients` at the nodes to
    see the map grow. Warns (`InexactWarning`) where the tolerance is missed or the map does not
    add up.

    >>> attribution = local_attribution(model, lr, patch_target(top=96, left=96, size=16))
    >>> diffusion_index(attribution)
    """
    (found,) = local_attributions(
        model,
        lr,
        [target],
        baseline=baseline,
        path=path,
        rule=rule,
        steps=steps,
        tolerance=tolerance,
        sigma=sigma,
        kernel_size=kernel_size,
        batch_size=batch_size,
        keep_gradients=keep_gradients,
    )
    return found


def local_attributions(
    model: Network,
    lr: Tensor,
    targets: Sequence[Target],
    *,
    batch_size: int | None = None,
    keep_gradients: bool = False,
    **path: Any,
) -> list[Attribution]:
    """`local_attribution` for each target, in their order; what they share is done once.

    >>> grid = [patch_target(top, left) for top in range(0, 160, 32) for left in range(0, 160, 32)]
    >>> maps = local_attributions(model, lr, grid)
    """
    chosen = image_path(one_image(lr.detach()), **path)
    asked = chosen.tolerance if isinstance(chosen, AdaptivePath) else None
    recordings: Recordings = {}
    maps = []
    with frozen(model):
        for target in targets:
            integral = integrate(
                objective(model, target, recordings),
                chosen,
                batch_size=batch_size or comfortable_batch(lr),
                keep_gradients=keep_gradients,
                shown=lambda map_: map_.sum(dim=-3),
            )
            tell_inexact(integral.error, integral.completeness_error, asked, causes=CAUSES)
            maps.append(Attribution.of(integral))
    return maps


def one_image(lr: Tensor) -> Tensor:
    """The image (3, h, w) of a batch of one (1, 3, h, w); refuses anything else."""
    if lr.ndim != 4 or lr.shape[0] != 1:
        raise ValueError(f"give one LR image (1, 3, h, w), got shape {tuple(lr.shape)}")
    return check_images(lr)[0]


def magnitude(attribution: Attribution | Tensor, *, channels: str = "sum") -> Tensor:
    """The map (1, 3, h, w) as it is shown, (h, w) in [0, 1]: absolute value over the largest.

    channels="sum" is the public code's |Σ_c ·|, in which colours may cancel; "absolute" is Σ_c |·|.
    A map that is zero everywhere stays zero.
    """
    if channels not in ("sum", "absolute"):
        raise ValueError(f'channels is "sum" or "absolute", got {channels!r}')
    signed = (attribution if isinstance(attribution, Tensor) else attribution.map)[0]
    shown = signed.sum(dim=0).abs() if channels == "sum" else signed.abs().sum(dim=0)
    return shown / shown.max() if shown.any() else shown


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
