"""Training losses: functions of (sr, hr), both (B, 3, H, W), to a scalar."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.capture import capture


def pixel_loss(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean absolute difference (L1), the objective of the MSE-family networks here."""
    return F.l1_loss(sr.float(), hr)


def adversarial_loss(logits: Tensor, *, real: bool) -> Tensor:
    """Cross entropy of a critic's logits with "all real" or "all made"."""
    return F.binary_cross_entropy_with_logits(
        logits.float(), torch.full_like(logits, float(real), dtype=torch.float32)
    )


def total_variation(images: Tensor) -> Tensor:
    """Mean absolute difference between neighbouring pixels, down and right."""
    down, right = images.diff(dim=-2).abs().mean(), images.diff(dim=-1).abs().mean()
    return (down + right).float()


class PerceptualLoss:
    """Distance of two pictures in a classifier's eyes: mean over `layers` of squared differences.

    Each place's feature vector is scaled to length 1 first, so that no layer and no bright patch
    outweighs the rest (as LPIPS does, Zhang et al., CVPR 2018, without its learned weights).
    """

    def __init__(self, network: nn.Module, layers: Sequence[str]) -> None:
        self.network = network.eval().requires_grad_(False)
        self.layers = tuple(layers)

    def __call__(self, sr: Tensor, hr: Tensor) -> Tensor:
        """The scalar loss; gradients reach `sr` alone."""
        with torch.no_grad():
            wanted = self._features(hr)
        pairs = zip(self._features(sr), wanted, strict=True)
        return torch.stack([(a - b).square().sum(dim=1).mean() for a, b in pairs]).mean()

    def _features(self, images: Tensor) -> list[Tensor]:
        """Unit features at the layers; the network is not run beyond the last of them."""
        with capture(self.network, self.layers, stop=True, detach=False) as found:
            self.network(images)
        return [F.normalize(own.float(), dim=1) for own in found.values()]
