"""LPIPS, a learned perceptual distance (Zhang et al., CVPR 2018), where it is installed."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

BACKBONE = "alexnet-owt-7be5be79.pth"  # torchvision's ImageNet weights


def lpips_distance() -> Callable[[Tensor, Tensor], Tensor] | None:
    """(sr, hr), both (B, 3, H, W) in [0, 1] on the CPU, → (B,); lower is better. Or None.

    It needs the package `lpips` with torchvision, and AlexNet's weights in torch's folder of
    checkpoints (`torchvision.models.alexnet(weights="DEFAULT")` once fetches them). srlab neither
    installs nor downloads them: without them this is None.
    """
    if not (Path(torch.hub.get_dir()) / "checkpoints" / BACKBONE).is_file():
        return None
    try:
        from lpips import LPIPS
    except ImportError:
        return None
    network = LPIPS(net="alex", verbose=False).eval()

    @torch.no_grad()
    def distance(sr: Tensor, hr: Tensor) -> Tensor:
        pair = (2 * images.clamp(0, 1) - 1 for images in (sr, hr))
        return network(*pair).flatten()

    return distance
