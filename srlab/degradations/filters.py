"""Pure operators on images (B, C, H, W): kernels, filtering, resampling, noise, JPEG."""

import io
import math
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from srlab.images import image_from_array, image_to_array

Rng = np.random.Generator | Sequence[np.random.Generator]


def gaussian_kernel(
    sigma: float | Tensor,
    sigma_y: float | Tensor | None = None,
    angle: float | Tensor = 0.0,
    *,
    size: int | None = None,
) -> Tensor:
    """Gaussian blur kernels (B, K, K), each summing to 1.

    `sigma` and `sigma_y` are the standard deviations in pixels along the two main axes
    (equal when `sigma_y` is None), `angle` turns them in radians. Arguments may be numbers or
    tensors (B,). `size` is odd and defaults to covering 4 sigma on each side. A sigma of 0
    is the identity kernel.
    """
    given = (sigma, sigma if sigma_y is None else sigma_y, angle)
    numbers = [torch.as_tensor(number, dtype=torch.float64).reshape(-1) for number in given]
    along_sigma, across_sigma, turn = torch.broadcast_tensors(*numbers)
    widths = torch.stack([along_sigma, across_sigma])
    if not torch.isfinite(widths).all() or (widths < 0).any():
        raise ValueError(f"blur widths must be finite and not negative, got {widths.tolist()}")
    size = size or 2 * math.ceil(4 * widths.max().item()) + 1
    if size % 2 == 0:
        raise ValueError(f"a kernel needs an odd size to have a centre, got {size}")
    offsets = torch.arange(size, dtype=torch.float64, device=turn.device) - size // 2
    y, x = torch.meshgrid(offsets, offsets, indexing="ij")
    cos, sin = turn.cos()[:, None, None], turn.sin()[:, None, None]
    tiny = 1e-3  # below this a pixel grid sees a delta; avoids 0/0
    along, across = widths.clamp(min=tiny)[..., None, None]
    exponent = ((x * cos + y * sin) / along) ** 2 + ((y * cos - x * sin) / across) ** 2
    kernel = torch.exp(-exponent / 2)
    return (kernel / kernel.sum(dim=(1, 2), keepdim=True)).float()


def motion_kernel(length: float, angle: float = 0.0) -> Tensor:
    """Blur of a camera that moves evenly along a line of `length` pixels: (1, K, K), sums to 1.

    `angle` turns the line from the rows in radians, as for `gaussian_kernel`. A length of 0 is the
    identity.
    """
    if not (math.isfinite(length) and length >= 0):
        raise ValueError(f"the length of a motion must be finite and not negative, got {length}")
    radius = math.ceil(length / 2)
    count = max(1, 16 * math.ceil(length))  # places on the way, each shared by four pixels
    way = ((torch.arange(count, dtype=torch.float64) + 0.5) / count - 0.5) * length
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float64)
    columns, rows = (
        (1 - (offsets - (way * part)[:, None]).abs()).clamp(min=0)
        for part in (math.cos(angle), math.sin(angle))
    )
    return (torch.einsum("tr,tc->rc", rows, columns) / count).float()[None]


def filter2d(images: Tensor, kernel: Tensor) -> Tensor:
    """Correlate each image with its kernel: (B, C, H, W) with (K, K), (1, K, K) or (B, K, K).

    Borders are mirrored without repeating the edge pixel; the kernel must fit: K//2 < min(H, W).
    """
    if kernel.shape[-1] != kernel.shape[-2] or kernel.shape[-1] % 2 == 0:
        raise ValueError(f"a kernel is (K, K) with K odd, got {tuple(kernel.shape)}")
    kernel = kernel.reshape(-1, *kernel.shape[-2:]).to(images)
    batch, channels, height, width = images.shape
    if kernel.shape[0] not in (1, batch):
        raise ValueError(f"{kernel.shape[0]} kernels for {batch} images; give 1 or {batch}")
    radius = kernel.shape[-1] // 2
    if radius >= min(height, width):
        raise ValueError(
            f"a {kernel.shape[-1]}×{kernel.shape[-1]} kernel needs images larger than {radius} "
            f"pixels on each side, got {height}×{width}"
        )
    padded = F.pad(images, (radius,) * 4, mode="reflect")
    groups = padded.reshape(1, batch * channels, *padded.shape[-2:])
    weight = kernel.expand(batch, -1, -1).repeat_interleave(channels, dim=0)[:, None]
    return F.conv2d(groups, weight, groups=batch * channels).reshape(images.shape)


def blur(
    images: Tensor,
    sigma: float | Tensor,
    *,
    size: int | None = None,
    scale: int = 1,
    mode: str = "bicubic",
) -> Tensor:
    """Isotropic Gaussian blur of `sigma` pixels, a number or (B,), borders mirrored.

    Then `downsample` by `scale`. Both are separable and linear, hence two matrix products in all:
    many times faster on a CPU than convolving. The kernel covers `size` pixels, by default 4 sigma
    on each side.
    """
    if not torch.as_tensor(sigma).any():
        return downsample(images, scale, mode)
    rows = gaussian_kernel(sigma, size=size).sum(dim=1).to(images)
    if len(rows) not in (1, len(images)):
        raise ValueError(f"{len(rows)} widths for {len(images)} images; give 1 or {len(images)}")
    if rows.shape[1] // 2 >= min(images.shape[-2:]):
        raise ValueError(
            f"a blur of {torch.as_tensor(sigma).max():g} pixels needs images larger than "
            f"{rows.shape[1] // 2} on each side, got {tuple(images.shape[-2:])}"
        )
    _check_multiple(images, scale)
    vertical, horizontal = (
        _blurring_matrices(rows, extent, scale, mode) for extent in images.shape[-2:]
    )
    return vertical @ images @ horizontal.mT


def _blurring_matrices(rows: Tensor, extent: int, scale: int, mode: str) -> Tensor:
    """(B, 1, extent/scale, extent): filter a signal of that length with rows (B, K), reduce it."""
    length, identity = rows.shape[1], torch.eye(extent, dtype=rows.dtype, device=rows.device)
    mirrored = F.pad(identity[None], (length // 2, length // 2), mode="reflect")[0]
    blurring = F.conv1d(mirrored[:, None], rows[:, None]).permute(1, 2, 0)
    return _resized(blurring[:, None], (extent // scale, extent), mode)


def shift(images: Tensor, down: float, right: float) -> Tensor:
    """Move images (B, C, H, W) by a fraction of a pixel or more, bicubically; borders mirrored."""
    if down == 0 and right == 0:
        return images
    height, width = images.shape[-2:]
    moved = torch.tensor(
        [[1, 0, -2 * right / width], [0, 1, -2 * down / height]], dtype=images.dtype
    )
    theta = moved.to(images.device).expand(len(images), -1, -1)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    return F.grid_sample(
        images, grid, mode="bicubic", padding_mode="reflection", align_corners=False
    )


def downsample(images: Tensor, scale: int, mode: str = "bicubic") -> Tensor:
    """Antialiased reduction, "bicubic" or "bilinear": (B, C, H, W) → (B, C, H/scale, W/scale).

    The bicubic kernel is that of MATLAB's imresize (a = −0.5), which SR benchmarks are made with.
    """
    _check_multiple(images, scale)
    height, width = images.shape[-2:]
    return _resized(images, (height // scale, width // scale), mode)


def _resized(images: Tensor, size: tuple[int, int], mode: str) -> Tensor:
    if images.shape[-2:] == size:
        return images
    return F.interpolate(images, size=size, mode=mode, antialias=True, align_corners=False)


def _check_multiple(images: Tensor, scale: int) -> None:
    height, width = images.shape[-2:]
    if height % scale or width % scale:
        raise ValueError(
            f"{height}×{width} is not a multiple of the scale {scale}; "
            f"use images.crop_to_multiple(image, {scale}) first"
        )


def upsample(images: Tensor, scale: int, mode: str = "bicubic") -> Tensor:
    """Enlarge (B, C, H, W) by an integer, "bicubic" or "bilinear": the baseline of SR networks."""
    if scale == 1:
        return images
    # antialias=True selects the kernel a = −0.5; nothing is smoothed when enlarging
    return F.interpolate(
        images, scale_factor=scale, mode=mode, align_corners=False, antialias=mode == "bicubic"
    )


def add_noise(images: Tensor, sigma: float | Tensor, rng: Rng) -> Tensor:
    """Add white Gaussian noise of standard deviation `sigma`, in image units (20/255); no clipping.

    One generator serves the batch in order; a sequence gives each image its own stream, so that
    an image's noise does not depend on its neighbours.
    """
    shape = tuple(images.shape)
    if isinstance(rng, np.random.Generator):
        noise = rng.standard_normal(shape, dtype=np.float32)
    else:
        if len(rng) != shape[0]:
            raise ValueError(f"{len(rng)} generators for {shape[0]} images; give one for each")
        noise = np.stack([one.standard_normal(shape[1:], dtype=np.float32) for one in rng])
    sigma = torch.as_tensor(sigma, dtype=images.dtype, device=images.device).reshape(-1, 1, 1, 1)
    return images + sigma * torch.from_numpy(noise).to(images)


def jpeg(images: Tensor, quality: int) -> Tensor:
    """Compress and decompress each image (B, 3, H, W) at `quality` 1–100 (rounds to 8 bit)."""
    if not 1 <= quality <= 100:
        raise ValueError(f"JPEG quality lies between 1 and 100, got {quality}")
    return torch.stack([_jpeg(image, quality) for image in images]).to(images)


def _jpeg(image: Tensor, quality: int) -> Tensor:
    memory = io.BytesIO()
    Image.fromarray(image_to_array(image)).save(memory, "JPEG", quality=quality)
    with Image.open(memory) as picture:
        return image_from_array(np.asarray(picture))
