"""Losses on degradation codes (B, D), and on what they reproduce (ReDSR, Sec. 3)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

GREY_LEVEL = 1 / 255  # of images with 8 bits
PRIORS: dict[str, Callable[[np.random.Generator, Any], np.ndarray]] = {
    "gaussian": lambda rng, shape: rng.standard_normal(shape),
    "uniform": lambda rng, shape: rng.uniform(-(3**0.5), 3**0.5, shape),
    "exponential": lambda rng, shape: rng.exponential(size=shape),
}


def prior_draws(prior: str, count: int, size: int, rng: np.random.Generator) -> Tensor:
    """(count, size) independent draws of unit variance, float32.

    Gaussian and uniform are centred, the exponential has mean 1; the paper prints no parameters.
    """
    if prior not in PRIORS:
        raise ValueError(f"prior is one of {', '.join(PRIORS)}, got {prior!r}")
    return torch.from_numpy(PRIORS[prior](rng, (count, size))).float()


def energy_distance(codes: Tensor, draws: Tensor, *, statistic: str = "V") -> Tensor:
    """2·E‖f − z‖ − E‖f − f′‖ − E‖z − z′‖ of codes f (N, D) and draws z (M, D) (Eq. 5).

    "V" averages over all pairs, a point with itself included, as printed: never negative.
    "U" leaves those out: zero in expectation where both have one distribution.
    """
    if statistic not in ("V", "U"):
        raise ValueError(f'statistic is "V" or "U", got {statistic!r}')
    if statistic == "U" and min(len(codes), len(draws)) < 2:
        raise ValueError("the U-statistic needs at least 2 codes and 2 draws")
    codes, own = codes.float(), statistic == "V"
    return (
        2 * _distances(codes, draws).mean()
        - _mean_within(codes, own=own)
        - _mean_within(draws, own=own)
    )


def _mean_within(points: Tensor, *, own: bool) -> Tensor:
    count = len(points)
    return _distances(points, points).sum() / (count * (count if own else count - 1))


def _distances(one: Tensor, other: Tensor) -> Tensor:
    """(N, D), (M, D) → (N, M); where points coincide the gradient is 0, which a root's is not."""
    squares = (one[:, None] - other[None]).square().sum(dim=2)
    apart = squares > 0
    return torch.where(apart, torch.where(apart, squares, 1.0).sqrt(), 0.0)


def gaussian_divergence(codes: Tensor) -> Tensor:
    """Mean over the entries of KL(N(mean, variance) ‖ N(0, 1)), moments over the batch (N, D)."""
    variance = codes.float().var(dim=0, correction=0) + 1e-6
    mean = codes.float().mean(dim=0)
    return (variance + mean.square() - 1 - variance.log()).mean() / 2


def confidence_weights(made: Tensor, lr: Tensor) -> Tensor:
    """W = 2 / (1 + C⁻¹) (B,), C⁻¹ the RMSE of each re-degraded image (Eq. 7, 8), no gradient.

    Whoever reproduces the input well knows its degradation, and its reconstruction counts more.
    """
    error = (made.detach().float() - lr).square().mean(dim=(1, 2, 3)).sqrt()
    return 2 / (1 + error / GREY_LEVEL)


def modulated_loss(sr: Tensor, hr: Tensor, weights: Tensor) -> Tensor:
    """Mean over the images of weight · L1: (B, 3, H, W) twice, (B,)."""
    return (weights * (sr.float() - hr).abs().mean(dim=(1, 2, 3))).mean()
