"""Image quality and difference as the SR field measures them: on luma, border cut off."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from skimage import metrics
from torch import Tensor

from srlab.degradations.filters import upsample
from srlab.images import luma

structural_similarity = partial(  # as first published, of images in [0, 1]
    metrics.structural_similarity,
    data_range=1.0,
    gaussian_weights=True,
    sigma=1.5,
    use_sample_covariance=False,
)


def psnr(sr: Tensor, hr: Tensor, *, border: int, data_range: float = 1.0, y: bool = True) -> Tensor:
    """Peak signal-to-noise ratio in dB of each image: (B, 3, H, W), (B, 3, H, W) → (B,).

    `border` pixels are cut off each side (the field uses the scale). `y` measures luma, else RGB.
    Values are clamped to the range first, as a saved picture would be. Equal images give infinity.
    """
    sr, hr = _comparable(sr, hr, border, data_range, y)
    return 10 * torch.log10(data_range**2 / (sr - hr).square().mean(dim=(1, 2, 3)))


@torch.no_grad()
def network_psnr(
    network: Callable[[Tensor], Tensor],
    lr: Tensor,
    hr: Tensor,
    *,
    border: int,
    batch_size: int = 20,
) -> Tensor:
    """PSNR in dB of luma of what a network makes of each image, a few at a time: → (N,).

    `lr` (N·K, 3, h, w) may hold K versions of each of `hr` (N, 3, H, W), in `hr`'s order.
    """
    if not len(hr) or len(lr) % len(hr):
        raise ValueError(
            f"{len(lr)} LR images are no whole number of versions of {len(hr)} HR ones"
        )
    targets = hr.repeat_interleave(len(lr) // len(hr), dim=0)
    batches = zip(lr.split(batch_size), targets.split(batch_size), strict=True)
    return torch.cat(
        [psnr(network(some.clone()), target, border=border) for some, target in batches]
    )


@torch.no_grad()
def removed_share(
    network: Callable[[Tensor], Tensor], clean: Tensor, degraded: Tensor, *, batch_size: int = 20
) -> float:
    """Share of a degradation that a network takes out: 0 passes it on, 1 removes it all.

    Projects the change of the output, between `degraded` and `clean` (both (N, 3, h, w)), on the
    bicubically enlarged change of the input. Below 0 the network amplifies what it is given.
    """
    if clean.shape != degraded.shape:
        raise ValueError(
            f"expected two sets of one shape, got {tuple(clean.shape)} and {tuple(degraded.shape)}"
        )
    left = given = 0.0
    for some, other in zip(clean.split(batch_size), degraded.split(batch_size), strict=True):
        change = (network(other.clone()) - network(some.clone())).double()
        enlarged = upsample((other - some).double(), change.shape[-1] // some.shape[-1])
        left += (change * enlarged).sum().item()
        given += enlarged.square().sum().item()
    if given == 0:
        raise ValueError("the two sets are equal: there is no degradation to remove")
    return 1 - left / given


def gradient_error(sr: Tensor, other: Tensor, *, border: int) -> Tensor:
    """Mean squared difference of the gradient maps of two outputs' luma: → (B,).

    What masking filters changes in FAIG (Tab. 2, there ×1e-3). The map is √(dx² + dy²) with
    dx = Y(x + 1) − Y(x − 1), inside the border; FAIG's public code takes the blue channel.
    """
    maps = [_gradient_map(image) for image in _comparable(sr, other, border, 1.0, True)]
    return (maps[0] - maps[1]).square().mean(dim=(1, 2, 3))


def _gradient_map(images: Tensor) -> Tensor:
    """(B, 1, H, W) → (B, 1, H − 2, W − 2)."""
    if min(images.shape[-2:]) < 3:
        raise ValueError(f"a gradient map needs 3×3 pixels, got {tuple(images.shape[-2:])}")
    down = images[..., 2:, 1:-1] - images[..., :-2, 1:-1]
    right = images[..., 1:-1, 2:] - images[..., 1:-1, :-2]
    return torch.hypot(down, right)


def ssim(sr: Tensor, hr: Tensor, *, border: int, data_range: float = 1.0, y: bool = True) -> Tensor:
    """Structural similarity of each image with the 11×11 Gaussian window of σ 1.5: → (B,)."""
    sr, hr = _comparable(sr, hr, border, data_range, y)
    if min(sr.shape[-2:]) < 11:
        raise ValueError(f"SSIM needs 11×11 pixels inside the border, got {tuple(sr.shape[-2:])}")
    pairs = zip(sr.cpu().numpy(), hr.cpu().numpy(), strict=True)
    values = [structural_similarity(*pair, data_range=data_range, channel_axis=0) for pair in pairs]
    return torch.from_numpy(np.asarray(values))


def _comparable(
    sr: Tensor, hr: Tensor, border: int, data_range: float, y: bool
) -> tuple[Tensor, Tensor]:
    if sr.shape != hr.shape or sr.ndim != 4 or sr.shape[1] != 3:
        raise ValueError(
            f"expected two (B, 3, H, W) of one shape, got {tuple(sr.shape)} and {tuple(hr.shape)}"
        )
    if min(sr.shape[-2:]) <= 2 * border:
        raise ValueError(f"a border of {border} leaves nothing of {tuple(sr.shape[-2:])} pixels")
    if y and data_range != 1.0:
        raise ValueError("luma is defined for images in [0, 1]; set y=False for other ranges")
    rows, columns = (slice(border, extent - border) for extent in sr.shape[-2:])

    def measured(images: Tensor) -> Tensor:
        images = images.detach().double().clamp(0, data_range)
        return (luma(images) if y else images)[..., rows, columns]

    return measured(sr), measured(hr)
