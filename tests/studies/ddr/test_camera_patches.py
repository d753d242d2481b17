import os
from dataclasses import replace

import numpy as np
import pytest
import torch

from srlab.degradations.filters import downsample, upsample
from srlab.studies.ddr import camera_patches as module
from srlab.studies.ddr.camera_patches import camera_patches
from srlab.studies.ddr.cameras import CAMERAS, Camera

REAL = pytest.mark.skipif("SRLAB_DATA" not in os.environ, reason="SRLAB_DATA is not set")
IDEAL = Camera(0, 0, 0, 0, 100)


def rng():
    return np.random.default_rng(0)


def scene(size=160):
    steps = torch.arange(size) / 11
    return ((torch.sin(steps)[:, None] * torch.cos(1.3 * steps) + 1) / 2).expand(1, 3, size, size)


@pytest.fixture
def toys(monkeypatch):
    pictures = {"a": scene()[0], "b": scene(200)[0].flip(-1)}
    monkeypatch.setattr(
        module, "load_images", lambda _, limit: dict(list(pictures.items())[:limit])
    )


def test_an_ideal_camera_shows_the_scene():
    assert torch.allclose(IDEAL(scene(), rng()), scene(), atol=2 / 255)


def test_from_afar_detail_is_lost():
    seen = IDEAL(scene(), rng(), reach=2)
    assert torch.allclose(seen, upsample(downsample(scene(), 2), 2), atol=4 / 255)


@pytest.mark.parametrize(
    ("part", "value"), [("lens_sigma", 2.0), ("noise_sigma", 0.1), ("jpeg_quality", 5)]
)
def test_each_part_does_damage(part, value):
    damaged = replace(IDEAL, **{part: value})(scene(), rng())
    assert (damaged - scene()).square().mean() > (IDEAL(scene(), rng()) - scene()).square().mean()


def test_sharpening_raises_contrast_and_denoising_lowers_noise():
    assert replace(IDEAL, sharpening=2.0)(scene(), rng()).std() > scene().std()
    noisy = replace(IDEAL, noise_sigma=0.1)
    errors = [
        (camera(scene(), rng()) - scene()).square().mean()
        for camera in (replace(noisy, denoise_sigma=1.0), noisy)
    ]
    assert errors[0] < errors[1]


@pytest.mark.usefixtures("toys")
def test_rows_are_the_same_places_under_four_classes():
    patches = camera_patches("toys", count=6, size=16)
    assert patches.images.shape == (24, 3, 16, 16)
    assert len(set(patches.classes)) == 4
    assert patches.classes.tolist() == patches.classes[:4].tolist() * 6
    assert patches.scenes.tolist() == [name for name in "ababab" for _ in range(4)]
    rows = patches.images.reshape(6, 4, -1)
    alike = np.corrcoef(rows.mean(dim=1))  # places differ, versions of a place resemble each other
    assert all(np.corrcoef(place).min() > 0.8 for place in rows)
    assert alike[0, 2] < 0.8


@pytest.mark.usefixtures("toys")
def test_a_limit_takes_fewer_scenes_and_too_many_patches_are_refused():
    assert set(camera_patches("toys", count=4, size=16, limit=1).scenes) == {"a"}
    with pytest.raises(ValueError, match="9999 patches of 16×16 pixels do not fit: these 2"):
        camera_patches("toys", count=9999, size=16)


def test_the_simulated_cameras_differ():
    pictures = [camera(scene(), rng()) for camera in CAMERAS.values()]
    assert (pictures[0] - pictures[1]).abs().mean() > 1 / 255


@REAL
def test_city100_gives_the_same_places():
    patches = camera_patches("city100", count=12)
    assert patches.images.shape == (48, 3, 32, 32)
    assert len(set(patches.scenes)) == 12
    assert set(patches.classes) == {
        f"{camera}, {quality}"
        for camera in ("iPhone X", "Nikon D5500")
        for quality in ("high", "low")
    }
