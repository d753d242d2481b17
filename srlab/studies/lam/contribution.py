"""Area of contribution: where a local map says that information came from (LAM, Fig. 5).

Single pixels of a map are noisy. Their kernel density says which areas they gather in, and areas
of several networks can be laid over one another (LAM, Fig. 6).
"""

import torch
from torch import Tensor


def contribution_density(shown: Tensor, *, bandwidth: float = 1.5) -> Tensor:
    """Gaussian kernel density (h, w) of a map's magnitudes (h, w), both on the LR grid; sums to 1.

    `bandwidth` is the Gaussian's σ in LR pixels, the same for every map, so that their areas can be
    compared. Near a border what would fall outside is spread over the pixels inside. A map that is
    zero everywhere has density zero.
    """
    if shown.ndim != 2 or not torch.isfinite(shown).all() or (shown < 0).any():
        raise ValueError(
            f"expected the finite magnitudes (h, w) of one map, none below zero, got shape "
            f"{tuple(shown.shape)}; see srlab.attribution.lam.magnitude"
        )
    if not bandwidth > 0:
        raise ValueError(f"the bandwidth is a σ above 0, in LR pixels; got {bandwidth}")
    rows, columns = (_kernel(extent, bandwidth, shown) for extent in shown.shape)
    spread = rows.T @ shown.double() @ columns
    return spread / spread.sum() if shown.any() else spread


def contribution_area(density: Tensor, *, share: float = 0.9) -> Tensor:
    """The fewest pixels, boolean (h, w), that hold `share` of a density (h, w); none of zero."""
    if not 0 < share <= 1:
        raise ValueError(f"share lies above 0 and up to 1, got {share}")
    ranked = density.flatten().sort(descending=True, stable=True)
    before = ranked.values.cumsum(0) - ranked.values  # held by the pixels ranked higher
    inside = (before < share * density.sum()) & (ranked.values > 0)
    area = torch.zeros_like(inside).index_copy_(0, ranked.indices, inside)
    return area.reshape(density.shape)


def _kernel(extent: int, bandwidth: float, like: Tensor) -> Tensor:
    """(from, to): how each of `extent` pixels spreads over all of them; rows sum to 1."""
    places = torch.arange(extent, dtype=torch.float64, device=like.device)
    weights = torch.exp(-((places[:, None] - places) ** 2) / (2 * bandwidth**2))
    return weights / weights.sum(dim=1, keepdim=True)
