"""Degradations as values: `Degradation` holds drawn parameters, `DegradationSpace` draws them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from srlab.degradations.filters import (
    Rng,
    add_noise,
    blur,
    downsample,
    filter2d,
    gaussian_kernel,
    jpeg,
    motion_kernel,
    shift,
)


@dataclass(frozen=True)
class Degradation:
    """One drawn degradation, callable: images (B, 3, H, W) → (B, 3, H/scale, W/scale).

    An image (3, H, W) may come without its batch, and goes so.

    In order: blur, motion, shift, down-sampling, noise, JPEG. With scale=1 it acts on LR images, as
    the DDR paper does (`Degradation(blur_sigma=4)`); otherwise the blur acts on the HR grid.

    >>> noisy = Degradation(scale=4, noise_sigma=20 / 255)
    >>> noisy(torch.rand(3, 64, 64), np.random.default_rng(0)).shape
    torch.Size([3, 16, 16])
    >>> print(replace(noisy, blur_sigma=2))
    blur 2 + noise 20/255
    """

    scale: int = 1
    blur_sigma: float = 0.0  # pixels of the grid it is given
    blur_sigma_y: float | None = None  # second axis of an anisotropic blur; None = isotropic
    blur_angle: float = 0.0  # radians
    kernel_size: int | None = None  # None = wide enough for 4 sigma
    motion_length: float = 0.0  # of the camera's way, pixels of the grid it is given
    motion_angle: float = 0.0  # radians
    noise_sigma: float = 0.0  # image units after down-sampling, written 20/255
    jpeg_quality: int | None = None
    shift: tuple[float, float] = (0.0, 0.0)  # down and right, pixels of the grid it is given
    resampling: str = "bicubic"  # of the down-sampling; or "bilinear"

    def __post_init__(self) -> None:
        if self.scale not in (1, 2, 3, 4, 8):
            raise ValueError(f"scale is one of 1, 2, 3, 4, 8, got {self.scale}")
        if self.resampling not in ("bicubic", "bilinear"):
            raise ValueError(f'resampling is "bicubic" or "bilinear", got {self.resampling!r}')
        for name in ("blur_sigma", "blur_sigma_y", "motion_length", "noise_sigma"):
            value = getattr(self, name) or 0.0
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be finite and not negative, got {value}")
        if not all(math.isfinite(pixels) for pixels in self.shift):
            raise ValueError(f"shift is (down, right) in pixels, got {self.shift}")
        if self.kernel_size is not None and (self.kernel_size < 1 or self.kernel_size % 2 == 0):
            raise ValueError(f"kernel_size is odd and positive, got {self.kernel_size}")
        if self.noise_sigma > 1:
            raise ValueError(f"noise_sigma is in image units: write {self.noise_sigma:g}/255")
        if self.jpeg_quality is not None and not 1 <= self.jpeg_quality <= 100:
            raise ValueError(f"jpeg_quality lies between 1 and 100, got {self.jpeg_quality}")

    @property
    def widest_sigma(self) -> float:
        """Standard deviation of the blur along its longer axis; 0 means no blur."""
        return max(self.blur_sigma, self.blur_sigma_y or 0.0)

    @property
    def blur_axes(self) -> tuple[float, float, float]:
        """Standard deviations along both main axes, pixels, and the angle of the first, radians."""
        across = self.blur_sigma if self.blur_sigma_y is None else self.blur_sigma_y
        return self.blur_sigma, across, self.blur_angle

    @property
    def margin(self) -> int:
        """Input pixels around a window that reach its degraded version (JPEG's blocks aside)."""
        radius = self.kernel_size // 2 if self.kernel_size else math.ceil(4 * self.widest_sigma)
        reach = radius * (self.widest_sigma > 0) + 2 * self.scale * (self.scale > 1)
        reach += math.ceil(self.motion_length / 2)
        reach += math.ceil(max(map(abs, self.shift))) + 2 * any(self.shift)
        return math.ceil(reach / self.scale) * self.scale

    def __call__(self, images: Tensor, rng: Rng | None = None) -> Tensor:
        """Apply it. `rng` (one generator, or one for each image) is needed when there is noise."""
        if images.ndim == 3:
            return self(images[None], rng)[0]
        images = _reduced(images, torch.tensor([self.blur_axes], dtype=torch.float64), self)
        if self.noise_sigma:
            if rng is None:
                raise ValueError(
                    "this degradation adds noise: pass rng=numpy.random.default_rng(seed)"
                )
            images = add_noise(images, self.noise_sigma, rng)
        return images if self.jpeg_quality is None else jpeg(images, self.jpeg_quality)

    def __str__(self) -> str:
        parts = []
        if self.blur_sigma_y is not None and self.widest_sigma:
            angle = math.degrees(self.blur_angle)
            parts.append(f"blur {self.blur_sigma:.3g}×{self.blur_sigma_y:.3g} at {angle:.0f}°")
        elif self.blur_sigma:
            parts.append(f"blur {self.blur_sigma:.3g}")
        if self.motion_length:
            angle = math.degrees(self.motion_angle)
            parts.append(f"motion {self.motion_length:.3g} at {angle:.0f}°")
        if any(self.shift):
            parts.append(f"shift {self.shift[0]:.3g}, {self.shift[1]:.3g}")
        if self.noise_sigma:
            parts.append(f"noise {self.noise_sigma * 255:.3g}/255")
        if self.jpeg_quality is not None:
            parts.append(f"JPEG {self.jpeg_quality}")
        return " + ".join(parts) or "clean"


@dataclass(frozen=True)
class DegradationSpace:
    """Ranges to draw a `Degradation` from: (low, high) is uniform, each part has a probability."""

    scale: int = 1
    blur_sigma: tuple[float, float] = (0.0, 0.0)
    blur_probability: float = 1.0
    anisotropic: bool = False
    kernel_size: int | None = None
    noise_sigma: tuple[float, float] = (0.0, 0.0)
    noise_probability: float = 1.0
    jpeg_quality: tuple[int, int] | None = None
    jpeg_probability: float = 1.0
    shift: float = 0.0  # at most so many pixels of the given grid, down and right
    resampling: str = "bicubic"

    def __post_init__(self) -> None:
        for name in ("blur_sigma", "noise_sigma", "jpeg_quality"):
            limits = getattr(self, name)
            if limits is not None and limits[0] > limits[1]:
                raise ValueError(f"{name} is (low, high), got {limits}")
        for name in (field.name for field in fields(self) if field.name.endswith("probability")):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} lies between 0 and 1, got {getattr(self, name)}")
        for limit in (0, 1):
            self._extreme(limit)  # refuses what no Degradation takes

    def _extreme(self, limit: int) -> Degradation:
        """The weakest (0) or strongest (1) degradation in the space, by every range's limit."""
        return Degradation(
            scale=self.scale,
            blur_sigma=self.blur_sigma[limit],
            kernel_size=self.kernel_size,
            noise_sigma=self.noise_sigma[limit],
            jpeg_quality=self.jpeg_quality and self.jpeg_quality[limit],
            shift=(self.shift * limit, self.shift * limit),
            resampling=self.resampling,
        )

    @property
    def margin(self) -> int:
        """The largest `Degradation.margin` that can be drawn."""
        return self._extreme(1).margin

    def draw(self, rng: np.random.Generator) -> Degradation:
        """One degradation; the same generator state always gives the same one."""
        drawn = Degradation(
            scale=self.scale, kernel_size=self.kernel_size, resampling=self.resampling
        )
        use_blur, use_noise, use_jpeg = rng.random(3)
        sigma, sigma_y = rng.uniform(*self.blur_sigma, size=2)
        angle, noise = rng.uniform(0, np.pi), rng.uniform(*self.noise_sigma)
        if use_blur < self.blur_probability:
            drawn = replace(drawn, blur_sigma=float(sigma))
            if self.anisotropic:
                drawn = replace(drawn, blur_sigma_y=float(sigma_y), blur_angle=float(angle))
        if use_noise < self.noise_probability:
            drawn = replace(drawn, noise_sigma=float(noise))
        if self.jpeg_quality is not None and use_jpeg < self.jpeg_probability:
            low, high = self.jpeg_quality
            drawn = replace(drawn, jpeg_quality=int(rng.integers(low, high + 1)))
        if self.shift:
            down, right = rng.uniform(-self.shift, self.shift, size=2)
            drawn = replace(drawn, shift=(float(down), float(right)))
        return drawn


Streams = Sequence[np.random.Generator]


def degrade_each(images: Tensor, degradations: Sequence[Degradation], streams: Streams) -> Tensor:
    """(B, 3, H, W), B degradations of one scale → (B, 3, H/scale, W/scale); own streams of noise.

    Blurs of one kernel size, noise or none behind them, are applied to the whole batch in one
    pass on its device. Otherwise the images that drew the same degradation are computed together.
    """
    frames = {_without_blur_and_noise(one) for one in degradations}
    frame = frames.pop()
    if not frames and frame.kernel_size is not None and frame.jpeg_quality is None:
        return _at_once(images, degradations, frame, streams)
    out: list[Tensor] = [images] * len(images)
    for degradation in dict.fromkeys(degradations):
        rows = [index for index, own in enumerate(degradations) if own == degradation]
        degraded = degradation(images[rows], [streams[row] for row in rows])
        for row, image in zip(rows, degraded, strict=True):
            out[row] = image
    return torch.stack(out)


def _without_blur_and_noise(degradation: Degradation) -> Degradation:
    return replace(degradation, blur_sigma=0.0, blur_sigma_y=None, blur_angle=0.0, noise_sigma=0.0)


def _at_once(
    images: Tensor, degradations: Sequence[Degradation], frame: Degradation, streams: Streams
) -> Tensor:
    """Blur, then what all have in common (the frame), then noise."""
    axes = torch.tensor([one.blur_axes for one in degradations], dtype=torch.float64)
    noise = torch.tensor([one.noise_sigma for one in degradations])
    degraded = _reduced(images, axes, frame)
    return add_noise(degraded, noise, streams) if noise.any() else degraded


def _reduced(images: Tensor, axes: Tensor, frame: Degradation) -> Tensor:
    """Blurred along axes, (1, 3) or (B, 3), then moved and reduced as the frame says."""
    size, isotropic = frame.kernel_size, torch.equal(axes[:, 0], axes[:, 1])
    if isotropic and not (frame.motion_length or any(frame.shift)):
        return blur(images, axes[:, 0], size=size, scale=frame.scale, mode=frame.resampling)
    if isotropic:
        images = blur(images, axes[:, 0], size=size)
    else:
        images = filter2d(images, gaussian_kernel(*axes.T, size=size))
    if frame.motion_length:
        images = filter2d(images, motion_kernel(frame.motion_length, frame.motion_angle))
    return downsample(shift(images, *frame.shift), frame.scale, frame.resampling)
