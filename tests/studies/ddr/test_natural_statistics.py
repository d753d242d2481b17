import os

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from scipy.special import gamma
from scipy.stats import gennorm

from srlab.data.datasets import load_images
from srlab.degradations import Degradation
from srlab.images import luma
from srlab.studies.ddr.natural_statistics import (
    PATCH,
    NaturalModel,
    brisque_features,
    fit_asymmetric_gaussian,
    fit_generalised_gaussian,
    fit_natural_model,
    fit_shipped_model,
    natural_model,
    niqe,
    niqe_features,
    normalised_contrast,
)
from srlab.training.recipes import PRISTINE

REAL = pytest.mark.skipif("SRLAB_DATA" not in os.environ, reason="SRLAB_DATA is not set")


@pytest.fixture(scope="module")
def photographs():
    return load_images("photographs", limit=3)


def noise(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [0.6, 1.0, 2.0, 4.0])
def test_the_fit_recovers_a_generalised_gaussian(shape):
    values = gennorm.rvs(shape, scale=3, size=200_000, random_state=0)
    fitted = fit_generalised_gaussian(values)
    assert fitted.shape == pytest.approx(shape, rel=0.03)
    assert fitted.variance == pytest.approx(gennorm.var(shape, scale=3), rel=0.03)


@pytest.mark.parametrize("shape", [0.8, 1.5])
@pytest.mark.parametrize(("left", "right"), [(1.0, 1.0), (1.0, 3.0), (2.0, 0.5)])
def test_the_fit_recovers_an_asymmetric_gaussian(shape, left, right):
    sizes = np.abs(gennorm.rvs(shape, size=400_000, random_state=0))
    below = np.random.default_rng(1).random(len(sizes)) < left / (left + right)
    values = np.where(below, -left * sizes, right * sizes)
    fitted = fit_asymmetric_gaussian(values)
    assert fitted.shape == pytest.approx(shape, rel=0.05)
    assert fitted.mean == pytest.approx(values.mean(), abs=0.03)
    assert fitted.left_variance == pytest.approx(left**2 * gennorm.var(shape), rel=0.05)
    assert fitted.right_variance == pytest.approx(right**2 * gennorm.var(shape), rel=0.05)
    assert fitted.scales == pytest.approx((left, right), rel=0.05)


def test_a_symmetric_fit_is_the_plain_one():
    values = gennorm.rvs(1.2, size=100_000, random_state=0)
    values = np.concatenate([values, -values])
    plain, fitted = fit_generalised_gaussian(values), fit_asymmetric_gaussian(values)
    assert fitted.shape == pytest.approx(plain.shape)
    assert fitted.mean == pytest.approx(0)


def test_normalised_contrast_has_no_offset_and_hardly_a_scale():
    grey = 200 * noise(40, 40).double().numpy()
    contrast, deviation = normalised_contrast(grey)
    assert np.allclose(normalised_contrast(grey + 50)[0], contrast)
    assert np.allclose(normalised_contrast(2 * grey)[1], 2 * deviation)
    assert np.corrcoef(normalised_contrast(2 * grey)[0].ravel(), contrast.ravel())[0, 1] > 0.999
    window = grey[17:24, 17:24]  # the window is 7×7: a pixel outside changes nothing
    changed = grey.copy()
    changed[16, :] = 0
    assert normalised_contrast(changed)[0][20, 20] == pytest.approx(contrast[20, 20])
    assert abs(contrast[20, 20] * (deviation[20, 20] + 1)) <= np.ptp(window)


def test_brisque_has_36_features_for_each_image_alone(photographs):
    images = torch.stack([image[:, :64, :64] for image in photographs.values()])
    found = brisque_features(images)
    assert found.shape == (3, 36)
    assert np.isfinite(found).all()
    assert np.allclose(brisque_features(images[1:2])[0], found[1])


def test_a_mirrored_image_swaps_only_the_diagonals():
    image = noise(1, 3, 64, 64)
    same, mirrored = brisque_features(image)[0], brisque_features(image.flip(-1))[0]
    order = np.r_[:10, 14:18, 10:14]
    assert np.allclose(mirrored[:18], same[order])


def test_an_image_without_contrast_has_no_features():
    assert np.isnan(brisque_features(torch.full((1, 3, 32, 32), 0.5))).any()


def asymmetric_fit(values):
    """Shape, mean and both scales β, by a root instead of a table."""
    left, right = (np.sqrt(np.mean(values[side] ** 2)) for side in (values < 0, values > 0))
    skew = left / right
    ratio = np.mean(np.abs(values)) ** 2 / np.mean(values**2)
    ratio *= (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    shape = brentq(lambda a: gamma(2 / a) ** 2 / gamma(1 / a) / gamma(3 / a) - ratio, 0.2, 10)
    left, right = (side * np.sqrt(gamma(1 / shape) / gamma(3 / shape)) for side in (left, right))
    return shape, (right - left) * gamma(2 / shape) / gamma(1 / shape), left, right


def test_niqe_describes_a_patch_by_shapes_and_scales(photographs):
    """As its authors do; BRISQUE's variances rank pictures otherwise."""
    picture = next(iter(photographs.values()))[:, :PATCH, :PATCH]
    contrast = normalised_contrast(255 * luma(picture.double())[0].numpy())[0]
    shape, _, left, right = asymmetric_fit(contrast.ravel())
    expected = [shape, (left + right) / 2]
    for down, along in ((0, 1), (1, 0), (1, 1), (1, -1)):
        neighbour = np.roll(contrast, (-down, -along), axis=(0, 1))
        rows, columns = slice(0, PATCH - down), slice(along < 0, PATCH - (along > 0))
        expected += asymmetric_fit((contrast * neighbour)[rows, columns].ravel())
    found = niqe_features(picture)
    assert found.shape == (1, 36)
    np.testing.assert_allclose(found[0, :18], expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "kind", ["noise_sigma", "blur_sigma", "jpeg_quality"], ids=["noise", "blur", "jpeg"]
)
def test_niqe_grows_with_the_damage(photographs, kind):
    strengths = {
        "noise_sigma": (5 / 255, 15 / 255, 40 / 255),
        "blur_sigma": (1.0, 2.0, 4.0),
        "jpeg_quality": (50, 15, 5),
    }[kind]
    for image in photographs.values():
        rng = np.random.default_rng(0)
        damaged = [Degradation(**{kind: strength})(image[None], rng)[0] for strength in strengths]
        values = [niqe(picture) for picture in (image, *damaged)]
        assert values == sorted(values)


def test_several_pictures_are_one_body_of_patches(photographs):
    wide = next(iter(photographs.values()))[:, :PATCH, : 4 * PATCH]
    parts = wide.split(PATCH, dim=-1)
    together = niqe(torch.stack(parts))
    assert together == niqe(list(parts))
    assert together == pytest.approx(niqe(wide), rel=0.2)  # contrast differs along the cuts only


def test_photographs_like_those_of_the_model_are_the_most_natural(photographs):
    model = fit_natural_model(list(photographs.values()) * 4)
    assert isinstance(model, NaturalModel)
    assert model.provenance["pictures"] == 12
    assert niqe(list(photographs.values()), model) < niqe(noise(3, 288, 288), model)


def test_flat_patches_do_not_count():
    picture = torch.full((3, PATCH, 4 * PATCH), 0.5)
    picture[..., : 2 * PATCH] = noise(3, PATCH, 2 * PATCH)
    assert niqe(picture) == pytest.approx(niqe(picture[..., : 3 * PATCH]))  # its edge still counts
    with pytest.raises(ValueError, match="two 96×96 patches with contrast, found 0"):
        niqe(picture[..., 2 * PATCH :])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: brisque_features(torch.rand(1, 3, 31, 40)), "at least 32×32"),
        (lambda: brisque_features(torch.rand(3, 40, 40)), "needs images"),
        (lambda: brisque_features(torch.full((1, 3, 40, 40), np.nan)), "NaN"),
        (lambda: niqe(torch.rand(3, 95, 300)), "at least 96×96"),
        (lambda: niqe(torch.full((3, 200, 200), np.nan)), "NaN"),
        (lambda: niqe(torch.rand(3, 100, 100)), "found 1 in 1 pictures"),
        (lambda: fit_natural_model([torch.rand(3, 200, 200)]), "4 sharp patches do not fix"),
    ],
)
def test_bad_input_is_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_shipped_model_says_what_it_was_fitted_on():
    model = natural_model()
    assert model.mean.shape == (36,)
    assert np.all(np.linalg.eigvalsh(model.covariance) > 0)
    assert set(model.provenance["data"]) == set(PRISTINE)


@REAL
def test_the_shipped_model_can_be_fitted_again(tmp_path):
    again = fit_shipped_model(tmp_path / "model.safetensors")
    assert again.provenance["data"] == natural_model().provenance["data"]
    assert np.allclose(again.mean, natural_model().mean, rtol=1e-3)
    assert np.allclose(again.covariance, natural_model().covariance, rtol=1e-2, atol=1e-6)
