"""t-SNE of some hundred points in the plane, summed over all pairs (van der Maaten & Hinton 2008).

DDR judges by the mean of five runs a layer (Sec. A.6), hundreds of runs in this book. For so few
points the exact sum takes a third of the time of scikit-learn's tree, which approximates it.
"""

import numpy as np
import torch
from torch import Tensor

MOST = 500  # points; for more the tree is faster
EXAGGERATION, EXPLORATION, STEPS = 12.0, 250, 500  # of attraction, in the first steps, of all


def affinities(points: np.ndarray, perplexity: float) -> Tensor:
    """How near points (N, D) are to each other: symmetric (N, N) float64, of sum 1 (Sec. 3.1).

    A Gaussian around each point is so wide that its entropy is that of `perplexity` neighbours.

    >>> round(affinities(np.random.default_rng(0).normal(size=(9, 5)), 3).sum().item(), 6)
    1.0
    """
    own = torch.from_numpy(np.asarray(points, np.float64))
    distances = torch.cdist(own, own).square()
    distances = distances / distances.mean(1, keepdim=True)
    others = 1 - torch.eye(len(own), dtype=own.dtype)
    nearest = distances.where(others > 0, torch.inf).amin(1, keepdim=True)
    distances = (distances - nearest) * others  # beyond the nearest: its weight is 1 at any width
    low, high = (torch.full((len(own), 1), end, dtype=own.dtype) for end in (-30.0, 30.0))
    for _ in range(40):  # halve an interval of the logarithm of the precision
        middle = (low + high) / 2
        precision = middle.exp()
        weights = (-precision * distances).exp_().mul_(others)
        total = weights.sum(1, keepdim=True)
        mean = (weights * distances).sum(1, keepdim=True) / total
        broad = total.log() + precision * mean > np.log(perplexity)  # the entropy
        low, high = torch.where(broad, middle, low), torch.where(broad, high, middle)
    near = weights / total
    return (near + near.T) / (2 * len(own))


def exact_tsne(points: np.ndarray, start: np.ndarray, *, perplexity: float = 30.0) -> np.ndarray:
    """Embed points (N, D) from starting places (N, 2): (N, 2) float32.

    The steps are scikit-learn's: 250 with twelvefold attraction, then 250 without. From one start
    both end in pictures equally good (Kullback–Leibler divergence), seldom in the same.
    """
    near = affinities(points, perplexity).float()
    places = torch.from_numpy(np.asarray(start, np.float32))
    places = _descend(places, EXAGGERATION * near, EXPLORATION, momentum=0.5)
    return _descend(places, near, STEPS - EXPLORATION, momentum=0.8).numpy()


def divergence_gradient(places: Tensor, near: Tensor) -> Tensor:
    """(N, 2): of KL(P‖Q) with respect to places (N, 2), for P of `affinities` (Eq. 5)."""
    squares, ones = places.square().sum(1, keepdim=True), torch.ones_like(places[:, :1])
    left, right = (places, squares + 1, ones), (-2 * places, ones, squares)
    widths = (torch.cat(left, 1) @ torch.cat(right, 1).T).clamp_(min=1)  # 1 + |yᵢ − yⱼ|²
    pull = widths.reciprocal_().fill_diagonal_(0)  # a point does not pull itself
    force = torch.sub(near, pull, alpha=1 / pull.sum().item()).mul_(pull)  # symmetric
    moved = (torch.cat((places, ones), 1).T @ force).T  # a fourth of the time of the other order
    return 4 * (moved[:, -1:] * places - moved[:, :-1])


def _descend(places: Tensor, near: Tensor, steps: int, *, momentum: float) -> Tensor:
    """Gradient descent with momentum and a gain for each coordinate (Jacobs 1988)."""
    rate = max(len(places) / EXAGGERATION / 4, 50)
    speed, gains = torch.zeros_like(places), torch.ones_like(places)
    for _ in range(steps):
        gradient = divergence_gradient(places, near)
        against = speed * gradient < 0
        gains = torch.where(against, gains + 0.2, gains * 0.8).clamp_(min=0.01)
        speed.mul_(momentum).addcmul_(gains, gradient, value=-rate)
        places = places + speed
    return places
