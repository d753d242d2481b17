"""Natural scene statistics: BRISQUE's features of an image, and NIQE.

Local contrast of photographs, once normalised, follows generalised Gaussians; distortions change
their shape. BRISQUE (Mittal, Moorthy and Bovik 2012) describes an image by fits to it, NIQE
(Mittal, Soundararajan and Bovik 2013) measures how far such fits lie from those of photographs.
The two write the width of a fit differently: BRISQUE as variances, NIQE as the scales β.
Packages that offer them (piq, pyiqa) need torchvision, which srlab does without.

The statistics of photographs were fitted on srlab's own training pictures, so values of NIQE
compare images within srlab, not with published tables.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file
from scipy.ndimage import gaussian_filter
from scipy.special import gamma
from torch import Tensor

from srlab.data.datasets import image_digest, load_images
from srlab.degradations.filters import downsample
from srlab.images import check_images, crop_to_multiple, luma
from srlab.training.recipes import PRISTINE

PATCH = 96  # side of NIQE's patches, pixels
SHARPNESS = 0.75  # patches this sharp, relative to their picture's sharpest, stand for it
SHIPPED = Path(str(files("srlab.studies.ddr") / "natural_statistics.safetensors"))
HEADER = "srlab"

_SHAPES = np.linspace(0.2, 10, 9801)
_RATIOS = gamma(2 / _SHAPES) ** 2 / (gamma(1 / _SHAPES) * gamma(3 / _SHAPES))  # grows with shape


class GeneralisedGaussian(NamedTuple):
    """Density ∝ exp(−(|x|/β)^shape), by its shape and variance; arrays of any shape."""

    shape: np.ndarray
    variance: np.ndarray


class AsymmetricGaussian(NamedTuple):
    """A generalised Gaussian with its own spread on each side of 0."""

    shape: np.ndarray
    mean: np.ndarray
    left_variance: np.ndarray  # mean square of what is below 0
    right_variance: np.ndarray

    @property
    def scales(self) -> tuple[np.ndarray, np.ndarray]:
        """β on the left and on the right: the density falls as exp(−(|x|/β)^shape)."""
        left, right = np.sqrt(self.left_variance), np.sqrt(self.right_variance)
        return left * _unit_scale(self.shape), right * _unit_scale(self.shape)


def fit_generalised_gaussian(values: np.ndarray) -> GeneralisedGaussian:
    """Moment fit along the last axis of (…, n); shapes from 0.2 to 10, NaN where all is 0."""
    squares, sizes = (values**2).mean(-1), np.abs(values).mean(-1)
    ratio = _ratio(sizes**2, squares)
    return GeneralisedGaussian(np.interp(ratio, _RATIOS, _SHAPES), squares)


def fit_asymmetric_gaussian(values: np.ndarray) -> AsymmetricGaussian:
    """Moment fit (Lasmar et al. 2009) along the last axis; NaN where one side is empty."""
    left, right = _mean_square(values, values < 0), _mean_square(values, values > 0)
    skew = np.sqrt(_ratio(left, right))
    ratio = _ratio(np.abs(values).mean(-1) ** 2, (values**2).mean(-1))
    ratio = ratio * (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    shape = np.interp(ratio, _RATIOS, _SHAPES)
    scale = _unit_scale(shape)
    mean = (np.sqrt(right) - np.sqrt(left)) * scale * gamma(2 / shape) / gamma(1 / shape)
    return AsymmetricGaussian(shape, mean, left, right)


def _unit_scale(shape: np.ndarray) -> np.ndarray:
    """β of the generalised Gaussian of variance 1."""
    return np.sqrt(gamma(1 / shape) / gamma(3 / shape))


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return above / np.where(below > 0, below, np.nan)


def _mean_square(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    return _ratio((values**2 * chosen).sum(-1), chosen.sum(-1))


def normalised_contrast(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(grey − local mean) / (local deviation + 1), and the deviation, of (…, H, W) in 0–255.

    The window is Gaussian with σ 7/6, 7×7 pixels; the edge pixel goes on outside.
    """
    mean, power = _local_mean(grey), _local_mean(grey**2)
    deviation = np.sqrt(np.maximum(power - mean**2, 0))
    return (grey - mean) / (deviation + 1), deviation


def _local_mean(grey: np.ndarray) -> np.ndarray:
    widths = (0,) * (grey.ndim - 2) + (7 / 6,) * 2
    return gaussian_filter(grey, widths, mode="nearest", truncate=18 / 7)  # radius 3


def brisque_features(images: Tensor) -> np.ndarray:
    """BRISQUE's 36 features of each image (N, 3, H, W), 32 pixels a side at least: (N, 36).

    At full and at half size: shape and variance of the normalised contrast, and shape, mean, left
    and right variance of its products with the neighbour to the right, below, and on both
    diagonals. NaN for an image without any contrast.
    """
    check_images(images)
    if images.ndim != 4 or min(images.shape[-2:]) < 32:
        raise ValueError(
            f"BRISQUE needs images (N, 3, H, W) of at least 32×32 pixels, got {tuple(images.shape)}"
        )
    scales = (_grey(images, 1), _grey(images, 2))
    return np.concatenate([_brisque_fits(normalised_contrast(g)[0]) for g in scales], axis=-1)


def _grey(images: Tensor, scale: int) -> np.ndarray:
    """Luma (N, H/scale, W/scale), 0–255, float64."""
    grey = luma(crop_to_multiple(images.double().clamp(0, 1), scale).cpu())
    return 255 * downsample(grey, scale)[:, 0].numpy()


def _brisque_fits(contrast: np.ndarray) -> np.ndarray:
    """BRISQUE's 18 features of one scale: (…, h, w) → (…, 18)."""
    found = [*fit_generalised_gaussian(_values(contrast))]
    for product in _products(contrast):
        found += fit_asymmetric_gaussian(product)
    return np.stack(found, axis=-1)


def _niqe_fits(contrast: np.ndarray) -> np.ndarray:
    """NIQE's 18 features of one scale: (…, h, w) → (…, 18)."""
    fit = fit_asymmetric_gaussian(_values(contrast))
    found = [fit.shape, np.mean(fit.scales, axis=0)]
    for product in _products(contrast):
        fit = fit_asymmetric_gaussian(product)
        found += [fit.shape, fit.mean, *fit.scales]
    return np.stack(found, axis=-1)


def _products(contrast: np.ndarray) -> list[np.ndarray]:
    """With the neighbour to the right, below, and on both diagonals: (…, h, w) → 4 · (…, n)."""
    near = contrast[..., :, :-1]
    products = (
        near * contrast[..., :, 1:],
        contrast[..., :-1, :] * contrast[..., 1:, :],
        near[..., :-1, :] * contrast[..., 1:, 1:],
        near[..., 1:, :] * contrast[..., :-1, 1:],
    )
    return [_values(product) for product in products]


def _values(contrast: np.ndarray) -> np.ndarray:
    return contrast.reshape(*contrast.shape[:-2], -1)


@dataclass(frozen=True)
class NaturalModel:
    """Mean (36,) and covariance (36, 36) of NIQE's features of sharp patches of photographs."""

    mean: np.ndarray
    covariance: np.ndarray
    provenance: dict[str, Any] = field(default_factory=dict)


def niqe(images: Tensor | Sequence[Tensor], model: NaturalModel | None = None) -> float:
    """Distance of a picture's patch statistics from those of photographs; lower is more natural.

    Takes a picture (3, H, W), or several – a batch or a list – as one body of patches: small
    pictures have too few patches for a judgement of their own. `model` defaults to srlab's.
    Patches of 96×96 pixels without any contrast do not count; two others are needed.
    """
    model = model or natural_model()
    pictures = [images] if isinstance(images, Tensor) and images.ndim == 3 else list(images)
    found = np.concatenate([niqe_features(picture) for picture in pictures])
    if len(found) < 2:
        raise ValueError(
            f"NIQE needs two {PATCH}×{PATCH} patches with contrast, found {len(found)} in "
            f"{len(pictures)} pictures; give larger pictures, or several together"
        )
    apart = found.mean(axis=0) - model.mean
    spread = (np.cov(found, rowvar=False) + model.covariance) / 2
    return float(np.sqrt(apart @ np.linalg.pinv(spread, hermitian=True) @ apart))


def niqe_features(picture: Tensor) -> np.ndarray:
    """NIQE's 36 features of each 96×96 patch with contrast of a picture (3, H, W): (P, 36).

    At full and at half size, as in the authors' program: shape and mean scale β of an asymmetric
    fit to the normalised contrast, and shape, mean, left and right β of fits to its products with
    the neighbour to the right, below, and on both diagonals.
    """
    return _patches(picture)[0]


def _patches(picture: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Features (P, 36) and sharpness (P,) of a picture's whole patches that have contrast."""
    if picture.ndim != 3 or min(picture.shape[-2:]) < PATCH:
        raise ValueError(
            f"NIQE needs pictures (3, H, W) of at least {PATCH}×{PATCH} pixels, "
            f"got {tuple(picture.shape)}"
        )
    picture = crop_to_multiple(check_images(picture), PATCH)
    found = []
    for scale in (1, 2):
        contrast, deviation = normalised_contrast(_grey(picture[None], scale)[0])
        found.append(_niqe_fits(_tiles(contrast, PATCH // scale)))
        if scale == 1:
            sharpness = _tiles(deviation, PATCH).mean(axis=(-2, -1))
    features = np.concatenate(found, axis=-1)
    whole = np.isfinite(features).all(axis=-1)
    return features[whole], sharpness[whole]


def _tiles(values: np.ndarray, side: int) -> np.ndarray:
    """(H, W) → (P, side, side), without overlap."""
    rows, columns = (extent // side for extent in values.shape)
    return values.reshape(rows, side, columns, side).swapaxes(1, 2).reshape(-1, side, side)


def fit_natural_model(pictures: Iterable[Tensor]) -> NaturalModel:
    """The statistics of good photographs (3, H, W): of the sharpest patches of each."""
    found = []
    for picture in pictures:
        features, sharpness = _patches(picture)
        found.append(features[sharpness >= SHARPNESS * sharpness.max(initial=0)])
    features = np.concatenate(found)
    if len(features) <= features.shape[1]:
        raise ValueError(
            f"{len(features)} sharp patches do not fix a covariance of {features.shape[1]} "
            "features; give more or larger photographs"
        )
    counts = {"pictures": len(found), "patches": len(features)}
    return NaturalModel(features.mean(axis=0), np.cov(features, rowvar=False), counts)


def fit_shipped_model(path: Path = SHIPPED) -> NaturalModel:
    """Fit the shipped model anew on srlab's training pictures, and write it to `path`."""
    data = {}

    def pictures() -> Iterator[Tensor]:
        for name in PRISTINE:
            images = load_images(name)
            data[name] = image_digest(images)
            yield from images.values()

    fitted = fit_natural_model(pictures())
    versions = {name: version(name) for name in ("srlab", "numpy", "scipy")}
    header = {**fitted.provenance, "data": data, "versions": versions}
    arrays = {"mean": fitted.mean, "covariance": fitted.covariance}
    save_file(arrays, path, metadata={HEADER: json.dumps(header)})
    return NaturalModel(**arrays, provenance=header)


@cache
def natural_model() -> NaturalModel:
    """The shipped statistics, with what they were fitted on."""
    with safe_open(SHIPPED, framework="np") as file:
        arrays = {name: file.get_tensor(name) for name in ("mean", "covariance")}
        return NaturalModel(**arrays, provenance=json.loads(file.metadata()[HEADER]))
