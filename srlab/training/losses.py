"""Training losses: functions of (sr, hr), both (B, 3, H, W), to a scalar."""

from torch import Tensor
from torch.nn import functional as F


def pixel_loss(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean absolute difference (L1), the objective of the MSE-family networks here."""
    return F.l1_loss(sr.float(), hr)
