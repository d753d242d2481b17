"""Other ways to ask which LR pixels counted: gradient, SmoothGrad, causal effects of tiles.

All return maps of the shape and sign of LAM's, (1, 3, h, w) and positive where a pixel raises the
target, with what they cost.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from srlab.attribution.integral import check_differentiable
from srlab.attribution.lam import one_image
from srlab.attribution.objective import Network, comfortable_batch, objective
from srlab.attribution.targets import Target
from srlab.capture import frozen
from srlab.degradations.filters import add_noise, filter2d, gaussian_kernel


@dataclass(frozen=True)
class RivalMap:
    """A map and its cost; LAM's is one pass each way for every step, and two forward."""

    map: Tensor  # (1, 3, h, w), signed
    forward_passes: int
    backward_passes: int


def plain_gradient(model: Network, lr: Tensor, target: Target) -> RivalMap:
    """∂ target / ∂ lr at lr (1, 3, h, w) itself: how a tiny change would act."""
    return smooth_gradient(model, lr, target, noise_sigma=0.0, draws=1)


def smooth_gradient(
    model: Network,
    lr: Tensor,
    target: Target,
    *,
    noise_sigma: float = 0.1,
    draws: int = 16,
    seed: int = 0,
) -> RivalMap:
    """SmoothGrad (Smilkov et al., 2017): the mean gradient over `draws` noisy copies of lr.

    `noise_sigma` is in image units; the paper advises a tenth to a fifth of the range.
    """
    if draws < 1 or noise_sigma < 0:
        raise ValueError(f"expected draws ≥ 1 and no negative noise, got {draws}, {noise_sigma}")
    one_image(lr)
    rng = np.random.default_rng(seed)
    noisy = add_noise(lr.detach().expand(draws, -1, -1, -1), noise_sigma, rng)
    total = torch.zeros_like(lr)
    with frozen(model), torch.inference_mode(False), torch.enable_grad():
        function = objective(model, target)
        for some in noisy.split(comfortable_batch(lr)):
            points = some.clone().requires_grad_()
            values = function(points)
            check_differentiable(values)
            (gradient,) = torch.autograd.grad(values.sum(), points)
            total = total + gradient.sum(dim=0, keepdim=True)
    return RivalMap(total / draws, draws, draws)


@torch.no_grad()
def causal_effect(
    model: Network,
    lr: Tensor,
    target: Target,
    *,
    tile: int = 4,
    replacement: str = "blur",
    sigma: float = 1.2,
    draws: int = 1,
    seed: int = 0,
    batch_size: int = 8,
) -> RivalMap:
    """What happens to the target when one tile of lr (1, 3, h, w) at a time is replaced.

    After the causal effect maps (CEM) of Hu et al.: target(lr) − target(tile replaced), spread
    evenly over the tile's pixels. Give `error_target(…)` for the effect on quality, as they do:
    helpful tiles are then negative. `replacement` is "blur" (the tile of the image blurred with
    `sigma` LR pixels, LAM's baseline) or "swap" (a tile from elsewhere in lr, mean over `draws`).
    """
    image = one_image(lr)
    if replacement not in ("blur", "swap"):
        raise ValueError(f'replacement is "blur" or "swap", got {replacement!r}')
    height, width = image.shape[-2:]
    if not 1 <= tile <= min(height, width) // 2:
        raise ValueError(f"a tile has 1 to {min(height, width) // 2} pixels a side, got {tile}")
    draws = 1 if replacement == "blur" else draws
    tiles = list(_tiles(height, width, tile))
    rng = np.random.default_rng(seed)
    source = filter2d(lr, gaussian_kernel(sigma, size=9))[0] if replacement == "blur" else image
    changed = []
    for rows, columns in tiles * draws:
        one = image.clone()
        place = (rows, columns)
        if replacement == "swap":
            place = _elsewhere(rows, columns, (height, width), rng)
        one[:, rows, columns] = source[:, *place]
        changed.append(one)
    with frozen(model):
        function = objective(model, target)
        before = function(lr)
        batches = torch.stack(changed).split(batch_size)
        after = torch.cat([function(some).reshape(len(some)) for some in batches])
    effects = (before - after).reshape(draws, -1).mean(dim=0)
    map_ = torch.zeros_like(image)
    for (rows, columns), effect in zip(tiles, effects, strict=True):
        map_[:, rows, columns] = effect / map_[:, rows, columns].numel()
    return RivalMap(map_[None], len(changed) + 1, 0)


def _tiles(height: int, width: int, tile: int) -> Iterator[tuple[slice, slice]]:
    """Tiles that cover the image once; those at the end may be smaller."""
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            yield slice(top, min(top + tile, height)), slice(left, min(left + tile, width))


def _elsewhere(
    rows: slice, columns: slice, size: tuple[int, int], rng: np.random.Generator
) -> tuple[slice, slice]:
    """A place of the same shape, drawn until it is another."""
    tall, wide = rows.stop - rows.start, columns.stop - columns.start
    top, left = rows.start, columns.start
    while (top, left) == (rows.start, columns.start):
        top, left = (
            int(rng.integers(extent - side + 1))
            for extent, side in zip(size, (tall, wide), strict=True)
        )
    return slice(top, top + tall), slice(left, left + wide)
