"""LPIPS: laws of a distance; its files are there whole or it is not."""

import numpy as np
import pytest
import torch

from srlab.data.datasets import load_images
from srlab.degradations.filters import filter2d, gaussian_kernel
from srlab.images import center_crop
from srlab.studies.lam import perceptual

SQUEEZED = [(16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256)]


@pytest.fixture
def made_up(monkeypatch, tmp_path):
    """Files of the right shapes with drawn weights; all depths count alike."""
    rng = np.random.default_rng(0)
    shapes, channels = [(64, 3, 3, 3)], 64
    for few, many in SQUEEZED:
        shapes += [(few, channels, 1, 1), (many, few, 1, 1), (many, few, 3, 3)]
        channels = 2 * many
    arrays = {}
    for index, shape in enumerate(shapes):
        spread = np.sqrt(2 / np.prod(shape[1:]))
        arrays[f"conv{index}_weight"] = rng.normal(0, spread, shape).astype(np.float16)
        arrays[f"conv{index}_bias"] = np.zeros(shape[0], np.float16)
    folder = tmp_path / "weights"
    folder.mkdir()
    np.savez(folder / perceptual.FEATURES, **arrays)
    depths = [64, 128, 256, 384, 384, 512, 512]
    linear = {
        f"lin{depth}.model.1.weight": torch.full((1, count, 1, 1), 1 / 7)
        for depth, count in enumerate(depths)
    }
    torch.save(linear, folder / perceptual.LINEAR)
    monkeypatch.setenv("SRLAB_DATA", str(tmp_path))
    return folder


def picture():
    return center_crop(load_images("photographs", limit=1)["astronaut"], 64)[None]


def blurred(image, sigma):
    return filter2d(image, gaussian_kernel(sigma, size=9))


def check_laws(distance):
    image = picture()
    pair = torch.cat([image, image]), torch.cat([blurred(image, 0.6), blurred(image, 2)])
    slight, strong = distance(*pair).tolist()
    assert 0 < slight < strong
    assert distance(*reversed(pair)).tolist() == pytest.approx([slight, strong], rel=1e-4)
    assert distance(image, image).item() == pytest.approx(0, abs=1e-6)
    assert distance(image, blurred(image, 2)).item() == pytest.approx(strong, rel=1e-4)


@pytest.mark.usefixtures("made_up")
def test_it_is_a_distance_that_grows_with_blur():
    check_laws(perceptual.lpips_distance())


def test_two_opposite_features_are_apart_as_unit_vectors_are():
    one = torch.zeros(1, 4, 2, 2)
    other = one.clone()
    one[:, 0], other[:, 1] = 3, 0.5  # sizes do not matter
    weight = torch.tensor([0.25, 0.5, 9, 9]).reshape(1, 4, 1, 1)
    assert perceptual._apart(one, other, weight).item() == pytest.approx(0.75)


@pytest.mark.skipif(perceptual.lpips_distance() is None, reason="its files are not here")
def test_published_weights_obey_the_same_laws():
    distance = perceptual.lpips_distance()
    check_laws(distance)
    assert distance(picture(), blurred(picture(), 2)).item() > 0.1


def test_without_one_of_its_files_there_is_none(made_up, monkeypatch):
    (made_up / perceptual.LINEAR).unlink()
    assert perceptual.lpips_distance() is None
    monkeypatch.delenv("SRLAB_DATA")
    assert perceptual.lpips_distance() is None
