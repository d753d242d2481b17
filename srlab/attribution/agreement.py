"""What the maps of several networks, seeds or settings have in common, and where they differ."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from srlab.attribution.lam import Attribution, magnitude, signed


class Agreement(NamedTuple):
    """Of several maps, each divided by its Σ |·|, so that every one counts alike."""

    mean: Tensor  # (h, w), signed
    disagreement: Tensor  # (h, w), standard deviation over the maps

    @property
    def share(self) -> float:
        """Σ disagreement: 0 where all maps are alike, 1 for two that share no pixel."""
        return float(self.disagreement.sum())


def agreement(maps: Sequence[Attribution | Tensor]) -> Agreement:
    """Mean and disagreement of at least two maps (1, 3, h, w) of one size, channels summed.

    >>> one, other = torch.rand(2, 1, 3, 8, 8)
    >>> agreement([one, 2 * one]).share < 1e-6 < agreement([one, other]).share
    True
    """
    sizes = {tuple(signed(own).shape) for own in maps}
    if len(maps) < 2 or len(sizes) > 1:
        raise ValueError(
            f"at least 2 maps of one size agree or not, got {len(maps)} of {sorted(sizes)}"
        )
    shares = torch.stack([_as_share(signed(own)) for own in maps])
    return Agreement(shares.mean(dim=0), shares.std(dim=0, correction=0))


def overlap(one: Attribution | Tensor, other: Attribution | Tensor) -> float:
    """What two maps of one size have in common, magnitudes over their sum: 1 equal, 0 disjoint."""
    shares = [_as_share(magnitude(own)) for own in (one, other)]
    return float(torch.minimum(*shares).sum())


def _as_share(shown: Tensor) -> Tensor:
    if not shown.any():
        raise ValueError("a map that is zero everywhere cannot be compared")
    return shown.double() / shown.double().abs().sum()
