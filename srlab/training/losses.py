"""Training losses: functions of (sr, hr), both (B, 3, H, W), to a scalar."""

from collections.abc import Sequence
from contextlib import suppress

import torch
from torch import Tensor, nn
from torch.nn import functional as F


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


class _Enough(Exception):  # noqa: N818  it ends a forward pass and is no error
    pass


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
        found: list[Tensor] = []

        def keep(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            found.append(F.normalize(output.float(), dim=1))
            if len(found) == len(self.layers):
                raise _Enough

        hooks = [self.network.get_submodule(one).register_forward_hook(keep) for one in self.layers]
        try:
            with suppress(_Enough):
                self.network(images)
        finally:
            for hook in hooks:
                hook.remove()
        return found
