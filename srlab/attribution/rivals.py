"""Other ways to ask which LR pixels counted: gradient, SmoothGrad, causal effects of tiles.

All return maps of the shape and sign of LAM's, (1, 3, h, w) and positive where a pixel raises the
target, with what they cost.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from srlab.attribution.integral import value_and_gradient
from srlab.attribution.lam import one_image
from srlab.attribution.objective import Network, comfortable_batch, objective
from srlab.attribution.paths import BASELINES
from srlab.attribution.targets import Target
from srlab.capture import frozen
from srlab.degradations.filters import add_noise
from srlab.images import crop


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
    lr, rng = one_image(lr)[None], np.random.default_rng(seed)
    noisy = add_noise(lr.expand(draws, -1, -1, -1), noise_sigma, rng)
    function, total = objective(model, target), torch.zeros_like(lr)
    with frozen(model), torch.inference_mode(False):
        for some in noisy.split(comfortable_batch(lr)):
            _, gradient = value_and_gradient(function, some)
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
    draws: int = 1,
    seed: int = 0,
) -> RivalMap:
    """What happens to the target when one tile of lr (1, 3, h, w) at a time is replaced.

    After the causal effect maps (CEM) of Hu et al.: target(lr) − target(tile replaced), spread
    evenly over the tile's pixels. Give `error_target(…)` for the effect on quality, as they do:
    helpful tiles are then negative. `replacement` is "blur" (the tile of the blurred image, LAM's
    baseline) or "swap" (a tile from elsewhere in lr, mean over `draws`).
    """
    image = one_image(lr)
    if replacement not in ("blur", "swap"):
        raise ValueError(f'replacement is "blur" or "swap", got {replacement!r}')
    height, width = image.shape[-2:]
    if not 1 <= tile <= min(height, width) // 2:
        raise ValueError(f"a tile has 1 to {min(height, width) // 2} pixels a side, got {tile}")
    swaps, rng = replacement == "swap", np.random.default_rng(seed)
    draws, blurred = draws if swaps else 1, BASELINES["blur"](image[None])[0]
    tiles = [  # those at the end may be smaller
        (slice(top, top + tile), slice(left, left + tile))
        for top in range(0, height, tile)
        for left in range(0, width, tile)
    ]
    changed = []
    for place in tiles * draws:
        one = image.clone()
        one[:, *place] = _elsewhere(image, *place, rng) if swaps else blurred[:, *place]
        changed.append(one)
    with frozen(model):
        function = objective(model, target)
        before = function(image[None])
        after = [function(some).reshape(len(some)) for some in torch.stack(changed).split(8)]
    effects = (before - torch.cat(after)).reshape(draws, -1).mean(dim=0)
    map_ = torch.zeros_like(image)
    for place, effect in zip(tiles, effects, strict=True):
        map_[:, *place] = effect / map_[:, *place].numel()
    return RivalMap(map_[None], len(changed) + 1, 0)


def _elsewhere(image: Tensor, rows: slice, columns: slice, rng: np.random.Generator) -> Tensor:
    """A tile of the same shape, its place drawn until it is another."""
    own = top, left = rows.start, columns.start
    sides = image[:, rows, columns].shape[-2:]
    while (top, left) == own:
        top, left = (
            int(rng.integers(extent - side + 1))
            for extent, side in zip(image.shape[-2:], sides, strict=True)
        )
    return crop(image, top, left, *sides)
