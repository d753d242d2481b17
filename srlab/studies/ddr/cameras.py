"""Simulated cameras: what sensors and their processing do to a scene, in a few strokes."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from srlab.degradations.filters import add_noise, blur, downsample, jpeg, upsample


@dataclass(frozen=True)
class Camera:
    """Lens blur, sensor noise, denoising, sharpening and JPEG, in this order.

    A simulation: real cameras also demosaic, map tones and correct their lenses.
    """

    lens_sigma: float  # blur, pixels
    noise_sigma: float  # image units
    denoise_sigma: float  # blur against the noise, pixels
    sharpening: float  # share of the detail that is added again
    jpeg_quality: int

    def __call__(self, scenes: Tensor, rng: np.random.Generator, *, reach: int = 1) -> Tensor:
        """Photographs of scenes (B, 3, H, W), of the same size.

        `reach` 2 is a scene from twice as far: the camera sees it at half the size, and its
        picture is enlarged bicubically.
        """
        seen = add_noise(blur(downsample(scenes, reach), self.lens_sigma), self.noise_sigma, rng)
        smooth = blur(seen, self.denoise_sigma)
        sharp = smooth + self.sharpening * (smooth - blur(smooth, 1.0))
        return upsample(jpeg(sharp.clamp(0, 1), self.jpeg_quality), reach).clamp(0, 1)


CAMERAS = {
    "phone": Camera(0.5, 10 / 255, 0.6, 1.2, 85),
    "single-lens reflex": Camera(0.4, 4 / 255, 0.0, 0.3, 95),
}
