"""Local attribution maps (Gu & Dong, CVPR 2021): which LR pixels a patch of the SR image used."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from srlab.attribution.paths import Path, deblurring, integrate, straight
from srlab.images import check_images, crop

Network = Callable[[Tensor], Tensor]  # (B, 3, h, w) → (B, 3, scale·h, scale·w)
Target = Callable[[Tensor], Tensor]  # sr (B, 3, H, W) → one number an image, (B,)


def gradient_magnitude(window: Tensor) -> Tensor:
    """D of LAM: Σ √(dh² + dw²) over RGB and all pixels but the last row and column: → (B,).

    Forward differences. An exactly flat place adds zero, and so does its gradient, which the
    plain square root would make NaN.
    """
    down = window[..., 1:, :-1] - window[..., :-1, :-1]
    right = window[..., :-1, 1:] - window[..., :-1, :-1]
    squares = down**2 + right**2
    flat = squares == 0
    return torch.where(flat, 0, torch.where(flat, 1, squares).sqrt()).sum(dim=(1, 2, 3))


@dataclass(frozen=True)
class PatchTarget:
    """A number measured on a square of the SR image; callable: sr (B, 3, H, W) → (B,).

    `measure` is given the square and one more row and column, which forward differences need.
    """

    top: int  # SR pixels
    left: int
    size: int = 16
    measure: Callable[[Tensor], Tensor] = gradient_magnitude

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"a patch has at least 1 pixel a side, got size={self.size}")

    def __call__(self, sr: Tensor) -> Tensor:
        """(B, 3, H, W) → (B,)."""
        return self.measure(crop(sr, self.top, self.left, self.size + 1, self.size + 1))

    def check_inside(self, height: int, width: int) -> None:
        """Refuse an SR image of height × width that does not hold the patch."""
        last = height - self.size - 1, width - self.size - 1
        if not (0 <= self.top <= last[0] and 0 <= self.left <= last[1]):
            raise ValueError(
                f"a {self.size}×{self.size} patch at row {self.top}, column {self.left} leaves the "
                f"{height}×{width} SR image (forward differences need one pixel more); "
                f"choose top in 0..{last[0]} and left in 0..{last[1]}"
            )


def patch_target(
    top: int, left: int, size: int = 16, *, measure: Callable[[Tensor], Tensor] = gradient_magnitude
) -> PatchTarget:
    """What LAM explains: the gradient magnitude in size × size SR pixels from (top, left)."""
    return PatchTarget(top, left, size, measure)


@dataclass(frozen=True)
class Attribution:
    """What each LR pixel added to the target, and how the integral came about."""

    map: Tensor  # (1, 3, h, w), signed; sums to end − start up to the completeness error
    start: float  # target at the baseline
    end: float  # target at the LR image
    completeness_error: float  # |Σ map − (end − start)| / |end − start|
    path: Path
    values: np.ndarray  # (steps,) target at path.nodes
    contributions: np.ndarray  # (steps,) what each step added to Σ map
    gradients: Tensor | None = None  # (steps, 3, h, w) at the nodes; None unless kept

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
    rule: str = "arc-midpoint",
    steps: int = 16,
    sigma: float = 1.2,
    kernel_size: int = 9,
    batch_size: int | None = None,
    keep_gradients: bool = False,
) -> Attribution:
    """LAM of one LR image (1, 3, h, w): the gradient of target(model(·)) integrated along a path.

    `model` is any callable (B, 3, h, w) → (B, 3, scale·h, scale·w); a module is switched to eval
    mode with frozen weights for the duration and left as it was. `baseline` is "blur" (`sigma` LR
    pixels, `kernel_size`), "black", or an image like `lr`; `path` is "deblur" (from "blur" only)
    or "linear". `rule` names a quadrature of `paths.RULES`; LAM's public code is
    rule="right", steps=50. `batch_size` nodes pass the network together (default: one on a CPU,
    as many as fit comfortably on a GPU). `keep_gradients` at the nodes to see the map grow.

    >>> attribution = local_attribution(model, lr, patch_target(top=96, left=96, size=16))
    >>> diffusion_index(attribution)
    """
    if lr.ndim != 4 or lr.shape[0] != 1:
        raise ValueError(f"give one LR image (1, 3, h, w), got shape {tuple(lr.shape)}")
    image = check_images(lr)[0]
    chosen = _path(image, baseline, path, rule, steps, sigma, kernel_size)
    with frozen(model):
        integral = integrate(
            _objective(model, target),
            chosen,
            batch_size=batch_size or _comfortable_batch(lr),
            keep_gradients=keep_gradients,
        )
    return Attribution(
        map=integral.attribution[None],
        start=integral.start,
        end=integral.end,
        completeness_error=integral.completeness_error,
        path=chosen,
        values=integral.values,
        contributions=integral.contributions,
        gradients=integral.gradients,
    )


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


@contextmanager
def frozen(model: Any) -> Iterator[None]:
    """Eval mode without weight gradients inside, everything as before afterwards.

    Frozen weights need no stored activations; eval mode keeps BatchNorm from changing.
    """
    if not isinstance(model, nn.Module):
        yield
        return
    learning = [weight for weight in model.parameters() if weight.requires_grad]
    training = [module for module in model.modules() if module.training]
    try:
        for weight in learning:
            weight.requires_grad_(False)
        for module in training:
            module.training = False
        yield
    finally:
        for weight in learning:
            weight.requires_grad_(True)
        for module in training:
            module.training = True


def _path(
    image: Tensor,
    baseline: str | Tensor,
    path: str,
    rule: str,
    steps: int,
    sigma: float,
    kernel_size: int,
) -> Path:
    deblur = deblurring(image, sigma=sigma, kernel_size=kernel_size, rule=rule, steps=steps)
    if path == "deblur":
        if isinstance(baseline, Tensor) or baseline != "blur":
            raise ValueError('the path "deblur" begins at baseline "blur"; use path="linear"')
        return deblur
    if path != "linear":
        raise ValueError(f'path is "deblur" or "linear", got {path!r}')
    if isinstance(baseline, Tensor):
        if baseline.shape != (1, *image.shape):
            raise ValueError(
                f"the baseline has shape {tuple(baseline.shape)}, the LR image (1, 3, h, w) = "
                f"{(1, *image.shape)}"
            )
        return straight(check_images(baseline).to(image)[0], image, rule=rule, steps=steps)
    if baseline not in ("blur", "black"):
        raise ValueError(f'baseline is "blur", "black" or an image, got {baseline!r}')
    start = deblur.curve(torch.zeros(1))[0] if baseline == "blur" else torch.zeros_like(image)
    return straight(start, image, rule=rule, steps=steps)


def _comfortable_batch(lr: Tensor) -> int:
    """Nodes a pass: one at a time is fastest on a CPU; a GPU takes 64 maps of 64×64 pixels."""
    return max(1, 2**18 // lr[0, 0].numel()) if lr.is_cuda else 1


def _objective(model: Network, target: Target) -> Callable[[Tensor], Tensor]:
    """lr (B, 3, h, w) → target of its SR image, (B,), computing no more of it than is needed."""
    in_two_parts = all(
        hasattr(model, name) for name in ("extract", "reconstruct", "reconstruct_margin", "scale")
    )

    def values(lr: Tensor) -> Tensor:
        lr = lr.clone()  # a foreign network may change its input in place, which a leaf refuses
        if isinstance(target, PatchTarget) and in_two_parts:
            result = _local_objective(model, target, lr)
        else:
            result = _whole_objective(model, target, lr)
        return result.reshape(-1) if len(lr) == 1 else result

    return values


def _whole_objective(model: Network, target: Target, lr: Tensor) -> Tensor:
    try:
        sr = model(lr)
    except RuntimeError as error:
        error.add_note(
            f"the network failed on LR images of shape {tuple(lr.shape)}; if it needs a size "
            "multiple, give it srlab.images.crop_to_multiple(lr, multiple)"
        )
        raise
    _check_sr(sr, lr)
    if isinstance(target, PatchTarget):
        target.check_inside(*sr.shape[-2:])
    return target(sr)


def _local_objective(model: Any, target: PatchTarget, lr: Tensor) -> Tensor:
    """The same number from a crop of the part behind the features: its gradient stays exact."""
    scale, (height, width) = model.scale, lr.shape[-2:]
    target.check_inside(scale * height, scale * width)
    rows = _reach(target.top, target.size, scale, model.reconstruct_margin, height)
    columns = _reach(target.left, target.size, scale, model.reconstruct_margin, width)
    features = model.extract(lr)[..., rows, columns]
    sr = model.reconstruct(features, lr[..., rows, columns])
    moved = replace(
        target, top=target.top - scale * rows.start, left=target.left - scale * columns.start
    )
    return moved(sr)


def _reach(first: int, size: int, scale: int, margin: int, extent: int) -> slice:
    """LR rows (or columns) that SR pixels first .. first + size may depend on."""
    return slice(max(0, first // scale - margin), min(extent, (first + size) // scale + 1 + margin))


def _check_sr(sr: Any, lr: Tensor) -> None:
    if not isinstance(sr, Tensor):
        what = f"a {type(sr).__name__} of {len(sr)}" if hasattr(sr, "__len__") else type(sr)
        raise TypeError(
            f"the network returned {what}, not an image tensor; wrap it: "
            "lambda lr: network(lr)[0] (or whichever entry is the SR image)"
        )
    batch, _, height, width = lr.shape
    if sr.ndim != 4 or sr.shape[:2] != (batch, 3):
        raise ValueError(
            f"the network turned {tuple(lr.shape)} into {tuple(sr.shape)}; "
            "srlab explains networks (B, 3, h, w) → (B, 3, scale·h, scale·w)"
        )
    scale = sr.shape[-2] // height
    if scale < 1 or sr.shape[-2:] != (scale * height, scale * width):
        raise ValueError(
            f"the network turned {height}×{width} into {sr.shape[-2]}×{sr.shape[-1]}, which is no "
            "whole scale, equal on both axes; if it pads its input, cut the padding off again"
        )
    if not torch.isfinite(sr.detach()).all():
        raise ValueError("the network returned NaN or infinity for a finite image")
