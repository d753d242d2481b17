import re

import numpy as np
import pytest
import torch

from srlab.data import subjects
from srlab.data.labelled import LabelledImages
from srlab.data.subjects import (
    by_degradation,
    degraded_versions,
    first_of_each,
    halves,
    labelled_images,
    picture_patches,
    separate,
    subject_task,
)
from srlab.degradations import Degradation

DEGRADATIONS = (Degradation(), Degradation(blur_sigma=1), Degradation(noise_sigma=20 / 255))


@pytest.fixture
def plain():
    """Two pictures of 96×193 pixels in one shade of grey each."""
    return {"dark": torch.full((3, 96, 193), 0.2), "light": torch.full((3, 96, 193), 0.8)}


@pytest.fixture
def toy():
    """Two pictures of each of three classes, shuffled."""
    images = torch.randint(0, 256, (6, 3, 32, 32), generator=torch.Generator().manual_seed(0))
    return LabelledImages(images.byte(), torch.tensor([2, 0, 1, 1, 0, 2]), ("a", "b", "c"))


def test_halves_share_no_pixel_and_lose_none():
    image = torch.rand(3, 8, 7)
    left, right = halves({"one": image})
    assert torch.equal(torch.cat([left["one"], right["one"]], dim=2), image)
    assert left["one"].shape[-1] == 3


def test_patches_carry_the_label_of_their_picture(plain):
    found = picture_patches(plain, scale=4, size=16, stride=8)
    assert found.names == ("dark", "light")
    assert found.images.shape == (2 * 2 * 5, 3, 16, 16)  # of 24×48 LR pixels
    assert torch.equal(found.images.float().mean(dim=(1, 2, 3)) > 128, found.labels == 1)


def test_patches_are_cut_row_by_row():
    image = torch.randint(0, 256, (3, 48, 64), generator=torch.Generator().manual_seed(0)).byte()
    found = picture_patches({"one": image / 255}, scale=1, size=32, stride=16).images
    places = [(row, column) for row in (0, 16) for column in (0, 16, 32)]
    for patch, (row, column) in zip(found, places, strict=True):
        assert torch.equal(patch, image[:, row : row + 32, column : column + 32])


def test_pictures_too_small_for_a_patch_are_refused(plain):
    with pytest.raises(ValueError, match=r"'dark' has 24×48 pixels .* no patch of 32×32 fits"):
        picture_patches(plain)


def test_lessons_and_tests_come_from_opposite_halves(plain, monkeypatch):
    sides = {name: image.repeat(1, 2, 2) for name, image in plain.items()}
    for image in sides.values():
        image[..., : image.shape[-1] // 2] = 0
    monkeypatch.setattr(subjects, "load_images", {"one": {"dark": sides["dark"]}, "two": sides}.get)
    lessons, judged = (labelled_images(f"one-{side}+two-{side}") for side in ("left", "right"))
    assert lessons.names == judged.names == ("dark", "light")
    assert lessons.images.max() == 0
    assert judged.images.min() > 25
    assert len(lessons.labels) > len(judged.labels)
    task = subject_task("one+two", DEGRADATIONS, count=4)
    assert task.names == lessons.names
    assert task.pairs.lr[0].min() > 0.1
    assert sorted(task.pairs.contents) == ["dark", "dark", "light", "light"]
    assert labelled_images("two-left", most=1).names == ("dark",)


@pytest.mark.parametrize("name", ["cifar10", "photographs", "photographs-left+textures-right", ""])
def test_labelled_pictures_have_one_side(name):
    with pytest.raises(
        ValueError, match=f'all end in "-left" or all in "-right".*got {re.escape(repr(name))}'
    ):
        labelled_images(name)


def test_the_first_of_each_class(toy):
    found = first_of_each(toy, 1)
    assert found.labels.tolist() == [0, 1, 2]
    assert torch.equal(found.images, toy.images[[1, 2, 0]])
    with pytest.raises(ValueError, match="between 1 and 2"):
        first_of_each(toy, 3)


def test_versions_are_aligned_with_their_labels(toy):
    pairs = degraded_versions(toy, DEGRADATIONS)
    assert pairs.lr.shape == (18, 3, 32, 32)
    assert torch.equal(pairs.lr[::3], toy.images / 255)
    assert torch.equal(pairs.lr[4], DEGRADATIONS[1](toy.images[1:2] / 255)[0])
    assert pairs.content_labels[:6].tolist() == ["c"] * 3 + ["a"] * 3
    assert pairs.degradation_labels[:3].tolist() == [str(kind) for kind in DEGRADATIONS]


def test_noise_is_each_pictures_own_and_repeats(toy):
    noisy = [Degradation(noise_sigma=0.1)]
    same = LabelledImages(toy.images[:1].repeat(2, 1, 1, 1), toy.labels[:2], toy.names)
    first, second = degraded_versions(same, noisy).lr
    assert not torch.equal(first, second)
    assert torch.equal(degraded_versions(same, noisy).lr[0], first)
    assert not torch.equal(degraded_versions(same, noisy, seed=1).lr[0], first)


def test_a_test_set_for_each_degradation(toy):
    pairs = degraded_versions(toy, DEGRADATIONS)
    found = by_degradation(pairs, ("c", "b", "a"))
    assert list(found) == [str(kind) for kind in DEGRADATIONS]
    for k, data in enumerate(found.values()):
        assert torch.equal(data.images, pairs.lr[k::3])
        assert np.array_equal(np.array(data.names)[data.labels], pairs.contents)
    with pytest.raises(ValueError, match="knows a, b, but not c"):
        by_degradation(pairs, ("a", "b"))


def test_photographs_of_several_sets_are_the_classes():
    task = subject_task("photographs+textures", DEGRADATIONS[:2], count=16, most=8)
    assert len(task.names) == 8
    assert task.names[-2:] == ("brick", "grass")
    assert sorted(task.pairs.contents) == sorted(task.names * 2)


def test_cifar_has_its_own_classes(toy, monkeypatch):
    monkeypatch.setattr(subjects, "cifar10", {"test": toy}.get)
    task = subject_task("cifar10", DEGRADATIONS, count=5)
    assert task.names == toy.names
    assert labelled_images("cifar10-test") is toy
    assert task.pairs.contents == toy.names


def test_no_picture_is_in_two_parts():
    images = {name: torch.zeros(3, 2, 2) for name in "abcde"}
    parts = separate(images, 3)
    assert [list(part) for part in parts] == [["a", "d"], ["b", "e"], ["c"]]
    with pytest.raises(ValueError, match="5 pictures cannot be dealt into 6 parts"):
        separate(images, 6)
