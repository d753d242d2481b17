import numpy as np
import pytest
import torch

from srlab.data.assets import IMAGE_SETS
from srlab.data.datasets import (
    EMBEDDED,
    PatchSampler,
    degraded_patches,
    image_digest,
    image_sets,
    load_images,
)
from srlab.degradations import Degradation, DegradationSpace
from srlab.images import check_images, crop_to_multiple, image_to_array

SPACE = DegradationSpace(
    scale=2, blur_sigma=(0.0, 1.0), noise_sigma=(0.0, 0.1), noise_probability=0.5
)
CPU = torch.device("cpu")
DEGRADATIONS = (Degradation(), Degradation(blur_sigma=2), Degradation(noise_sigma=20 / 255))


@pytest.fixture(scope="module")
def photographs():
    return load_images("photographs")


@pytest.fixture(scope="module")
def patches(photographs):
    return degraded_patches(photographs, DEGRADATIONS, count=24, size=16, seed=3)


def sampler(images, *, space=SPACE, seed=0, lr_size=12, batch_size=4):
    return PatchSampler(images, space=space, lr_size=lr_size, batch_size=batch_size, seed=seed)


@pytest.mark.parametrize("name", list(EMBEDDED))
def test_embedded_sets_need_no_download(name):
    images = load_images(name)
    assert list(images) == list(EMBEDDED[name])
    for image in images.values():
        check_images(image)
        assert min(image.shape[-2:]) >= 300


def test_sets_are_known_by_name_and_may_be_limited():
    assert image_sets() == (*EMBEDDED, *IMAGE_SETS)
    assert list(load_images("photographs", limit=2)) == ["astronaut", "coffee"]
    with pytest.raises(ValueError, match="'set6'; srlab has photographs"):
        load_images("set6")


def test_the_digest_sees_pixels_names_and_order():
    images = {"a": torch.rand(3, 4, 4), "b": torch.rand(3, 4, 4)}
    digest = image_digest(images)
    assert digest == image_digest({name: image.clone() for name, image in images.items()})
    changed = {**images, "b": 1 - images["b"]}
    reordered = dict(reversed(images.items()))
    renamed = {"a": images["a"], "c": images["b"]}
    assert digest not in {image_digest(other) for other in (changed, reordered, renamed)}


def test_patches_are_aligned_and_labelled(patches):
    assert patches.lr.shape == (24 * 3, 3, 16, 16)
    assert patches.hr.shape == (24, 3, 64, 64)
    assert list(patches.degradation_labels[:4]) == ["clean", "blur 2", "noise 20/255", "clean"]
    assert list(patches.content_labels[:3]) == [patches.contents[0]] * 3
    clean = patches.lr[::3]
    inside = (..., slice(2, -2), slice(2, -2))  # HR patches end where bicubic reaches further
    torch.testing.assert_close(Degradation(scale=4)(patches.hr)[inside], clean[inside])
    noise = patches.lr[2::3] - clean
    assert noise.std().item() == pytest.approx(20 / 255, rel=0.05)


def test_patches_are_all_different_and_spread_over_the_pictures(patches, photographs):
    assert len(patches.hr.flatten(1).unique(dim=0)) == 24
    assert {name: patches.contents.count(name) for name in photographs} == dict.fromkeys(
        photographs, 4
    )


def test_patches_are_cut_from_pictures_degraded_whole(patches, photographs):
    """A blurred patch saw its surroundings: it occurs in the blurred picture."""
    name = patches.contents[0]
    lr = Degradation(scale=4)(crop_to_multiple(photographs[name], 4)[None])
    windows = DEGRADATIONS[1](lr)[0].unfold(1, 16, 8).unfold(2, 16, 8)
    distance = (windows - patches.lr[1][:, None, None]).abs().amax(dim=(0, 3, 4))
    assert distance.min() < 1e-6


def test_patches_depend_on_the_seed_alone(patches, photographs):
    again = degraded_patches(photographs, DEGRADATIONS, count=24, size=16, seed=3)
    other = degraded_patches(photographs, DEGRADATIONS, count=24, size=16, seed=4)
    assert torch.equal(again.lr, patches.lr)
    assert not torch.equal(other.hr, patches.hr)


def test_patches_that_do_not_fit_are_refused(photographs):
    with pytest.raises(ValueError, match="ask for fewer"):
        degraded_patches({"one": photographs["rocket"]}, DEGRADATIONS, count=1000)
    with pytest.raises(ValueError, match="leave their scale at 1"):
        degraded_patches(photographs, [Degradation(scale=4)], count=2)


def test_batches_depend_on_seed_and_step_alone(photographs):
    images = list(photographs.values())
    first, second = sampler(images), sampler(images)
    later = [first.batch(step, CPU) for step in (0, 1, 2)][2]
    for ours, theirs in zip(later, second.batch(2, CPU), strict=True):
        assert torch.equal(ours, theirs)
    assert not torch.equal(later[0], first.batch(1, CPU)[0])
    assert not torch.equal(later[0], sampler(images, seed=1).batch(2, CPU)[0])


def test_batches_are_aligned_pairs(photographs):
    lr, hr = sampler(list(photographs.values()), space=DegradationSpace(scale=4)).batch(0, CPU)
    assert lr.shape == (4, 3, 12, 12)
    assert hr.shape == (4, 3, 48, 48)
    inside = (..., slice(2, -2), slice(2, -2))
    torch.testing.assert_close(Degradation(scale=4)(hr)[inside], lr[inside], atol=1e-6, rtol=0)


def test_every_item_of_a_batch_has_its_own_degradation(photographs):
    space = DegradationSpace(noise_sigma=(0.1, 0.1), noise_probability=0.5)
    lr, hr = sampler(list(photographs.values()), space=space, batch_size=16).batch(0, CPU)
    strengths = (lr - hr).flatten(1).std(dim=1)
    noisy = strengths > 0.05
    assert 0 < noisy.sum() < 16
    torch.testing.assert_close(
        strengths[noisy], torch.full_like(strengths[noisy], 0.1), rtol=0.15, atol=0
    )
    assert (strengths[~noisy] == 0).all()


def test_crops_are_turned_and_mirrored_in_eight_ways():
    picture = torch.rand(3, 12, 12)
    pixels = image_to_array(picture)
    turned = [np.rot90(pixels, turns) for turns in range(4)]
    expected = {one.tobytes() for turn in turned for one in (turn, turn[::-1])}
    only = sampler([picture], space=DegradationSpace(), batch_size=64)
    seen = {image_to_array(hr).tobytes() for hr in only.batch(0, CPU)[1]}
    assert len(expected) == 8
    assert seen == expected


def test_a_picture_without_room_for_the_margin_is_mirrored_outwards():
    picture = torch.rand(3, 64, 30)
    extended = sampler([picture]).pictures[0]
    assert extended.shape == (64, 24 + 2 * SPACE.margin, 3)
    pixels = image_to_array(picture)
    border = (extended.shape[1] - 30) // 2
    assert np.array_equal(extended[:, border : border + 30], pixels)
    assert np.array_equal(extended[:, border - 1], pixels[:, 1])


def test_pictures_too_small_for_a_crop_are_refused_before_training():
    images = [torch.rand(3, 64, 64), torch.rand(3, 64, 20)]
    with pytest.raises(ValueError, match=r"crop of 24×24 HR pixels .* smallest of 2 .* 20"):
        sampler(images)
    with pytest.raises(ValueError, match="smallest of 0"):
        sampler([])
