"""Laws of the choice of hard sub-images, on parts of one embedded texture and tiny networks."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from srlab.degradations.filters import downsample, upsample
from srlab.metrics import psnr
from srlab.studies.lam import hard_patches as module
from srlab.studies.lam.hard_patches import hard_patches

SETTINGS = {"size": 64, "stride": 64, "limit": 1}


class Counting:
    """A network that counts its calls."""

    def __init__(self, mode):
        self.mode, self.calls = mode, 0

    def __call__(self, lr):
        self.calls += 1
        if self.mode == "nearest":
            return F.interpolate(lr, scale_factor=4, mode="nearest")
        return upsample(lr, 4, self.mode)


@pytest.fixture
def networks():
    return {mode: Counting(mode) for mode in ("bicubic", "bilinear", "nearest")}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(module.pooch, "os_cache", lambda _: tmp_path)
    return tmp_path / "hard_patches"


def test_patches_are_what_they_say(networks):
    found = hard_patches("textures", networks, 5, **SETTINGS)
    assert found.lr.shape == (5, 3, 16, 16)
    assert found.hr.shape == (5, 3, 64, 64)
    assert len(found) == len(found.names) == 5
    assert found.candidates == 64
    torch.testing.assert_close(found.lr, downsample(found.hr, 4))
    picture = module.load_images("textures", limit=1)["brick"]
    for hr, (top, left) in zip(found.hr, found.corners, strict=True):
        assert torch.equal(hr, picture[:, top : top + 64, left : left + 64])
    for name, network in networks.items():
        measured = [
            psnr(network(a[None]), b[None], border=4).item()
            for a, b in zip(found.lr, found.hr, strict=True)
        ]
        assert found.psnr[name] == pytest.approx(measured)


def test_the_order_follows_the_criterion(networks):
    found = hard_patches("textures", networks, 64, **SETTINGS)
    values = np.stack(list(found.psnr.values()))
    mean, spread = values.mean(axis=0), values.std(axis=0)
    assert (np.diff(found.hardness) <= 0).all()
    expected = [
        np.mean([(mean > mean[i]).sum() + 1, (spread < spread[i]).sum() + 1]) / 64
        for i in range(64)
    ]
    assert found.hardness == pytest.approx(expected)
    alone = hard_patches("textures", {"bicubic": networks["bicubic"]}, 64, **SETTINGS)
    assert (np.diff(alone.psnr["bicubic"]) >= 0).all()


def test_the_order_of_the_networks_does_not_matter(networks):
    one = hard_patches("textures", networks, 10, **SETTINGS)
    other = hard_patches("textures", dict(reversed(networks.items())), 10, **SETTINGS)
    assert one.names == other.names
    assert torch.equal(one.lr, other.lr)


def test_no_two_share_more_than_half(networks):
    settings = {**SETTINGS, "stride": None}
    found = hard_patches("textures", networks, 40, **settings)
    corners = found.corners
    shared = np.clip(64 - np.abs(corners[:, None] - corners[None]), 0, None).prod(axis=-1)
    np.fill_diagonal(shared, 0)
    assert shared.max() == 64 * 32


def test_measured_once_for_each_network_and_again_when_it_changed(networks, cache):
    hard_patches("textures", networks, 3, **SETTINGS)
    assert [network.calls for network in networks.values()] == [65, 65, 65]
    assert len(list(cache.iterdir())) == 3
    hard_patches("textures", networks, 9, **SETTINGS)
    assert [network.calls for network in networks.values()] == [66, 66, 66]
    networks["bicubic"].mode = "nearest"
    networks["bilinear"] = lambda lr: upsample(lr, 4) + 0.01
    found = hard_patches("textures", networks, 3, **SETTINGS)
    assert np.array_equal(found.psnr["bicubic"], found.psnr["nearest"])
    assert len(list(cache.iterdir())) == 4


def test_a_damaged_cache_is_made_anew(networks, cache):
    before = hard_patches("textures", networks, 3, **SETTINGS)
    for file in cache.iterdir():
        file.write_bytes(b"damaged")
    assert hard_patches("textures", networks, 3, **SETTINGS).names == before.names


def test_at_most_so_many_of_a_picture(networks):
    settings = {**SETTINGS, "limit": 3, "stride": 128}
    found = hard_patches("textures", networks, 6, per_picture=2, **settings)
    assert all(found.pictures.count(name) == 2 for name in ("brick", "grass", "gravel"))


def test_small_pictures_are_passed_over(networks):
    found = hard_patches("photographs", {"bicubic": networks["bicubic"]}, 3, size=400, stride=400)
    assert "chelsea" not in found.pictures


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"k": 65}, "holds 64 sub-images"),
        ({"k": 0}, "k ≥ 1"),
        ({"stride": 28}, "share more than half"),
        ({"size": 66}, "multiples of the scale"),
        ({"image_set": "absent"}, "unknown image set"),
        ({"size": 4000, "stride": None}, "holds 0 sub-images"),
    ],
)
def test_bad_input_is_answered(networks, settings, says):
    chosen = {"image_set": "textures", "k": 1, **SETTINGS, **settings}
    with pytest.raises(ValueError, match=says):
        hard_patches(chosen.pop("image_set"), networks, chosen.pop("k"), **chosen)


def test_lr_patches_hold_what_a_file_can_hold(monkeypatch):
    edge = torch.zeros(3, 64, 64)
    edge[..., 32:] = 1.0
    assert downsample(edge[None], 4).min() < 0
    monkeypatch.setattr(
        "srlab.studies.lam.hard_patches.load_images", lambda *_args, **_kw: {"edge": edge}
    )
    found = hard_patches("edge", {"bicubic": lambda lr: upsample(lr, 4)}, 1, size=64)
    assert (found.lr.min(), found.lr.max()) == (0, 1)


def test_sets_are_joined_by_a_plus(networks):
    found = hard_patches("textures+objects", networks, 70, **SETTINGS)
    assert set(found.pictures) == {"brick", "camera"}
