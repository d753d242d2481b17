import hashlib
import io
import os
import pickle
import tarfile
from collections import Counter, defaultdict

import numpy as np
import pooch
import pytest
import torch
from PIL import Image

from srlab.data import labelled
from srlab.data.labelled import (
    CIFAR10_CLASSES,
    CITY100_CAMERAS,
    LIVE_DISTORTIONS,
    cifar10,
    city100,
    live,
)

REAL = pytest.mark.skipif("SRLAB_DATA" not in os.environ, reason="SRLAB_DATA is not set")


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A CIFAR-10 of two test pictures a class, as sheets below SRLAB_DATA, with its digests."""
    pictures = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), dtype=np.uint8)
    digests = np.array([labelled._digest(picture) for picture in pictures], np.uint64)
    monkeypatch.setattr(labelled, "_digests", lambda _: digests)
    folder = tmp_path / "data/test/CIFAR10"
    folder.mkdir(parents=True)
    for name, pair in zip(CIFAR10_CLASSES, pictures.reshape(10, 2, 32, 32, 3), strict=True):
        Image.fromarray(np.concatenate(pair, axis=1)).save(folder / f"{name}.webp", lossless=True)
    monkeypatch.setenv("SRLAB_DATA", str(tmp_path / "data"))
    return pictures, folder


@pytest.fixture
def official(toy, tmp_path, monkeypatch):
    """The toy's pictures and others, shuffled, in the official archive's format, as if cached."""
    pictures, _ = toy
    rng = np.random.default_rng(1)
    others = rng.integers(0, 256, (30, 32, 32, 3), dtype=np.uint8)
    rows = np.concatenate([others, pictures])[rng.permutation(50)]
    batch = {b"data": rows.transpose(0, 3, 1, 2).reshape(50, -1), b"labels": [0] * 50}
    pickled = pickle.dumps(batch, protocol=3)  # where names of modules stand as plain text
    pickled = pickled.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")

    def write(content):
        path = tmp_path / "cifar-10-python.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            member = tarfile.TarInfo("cifar-10-batches-py/test_batch")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        monkeypatch.delenv("SRLAB_DATA")
        cache = tmp_path / "cache"
        (cache / "CIFAR10").mkdir(parents=True)
        path.rename(cache / "CIFAR10" / path.name)
        monkeypatch.setattr(pooch, "os_cache", lambda _: cache)
        digest = hashlib.md5((cache / "CIFAR10" / path.name).read_bytes()).hexdigest()
        monkeypatch.setattr(labelled, "CIFAR10_MD5", digest)
        monkeypatch.setattr(labelled, "CIFAR10_ADDRESS", "http://127.0.0.1:9/cifar.tar.gz")

    return pickled, write


def assert_is(found, pictures):
    assert found.images.dtype == torch.uint8
    assert np.array_equal(found.images.permute(0, 2, 3, 1), pictures)
    assert found.labels.tolist() == [label for label in range(10) for _ in range(2)]
    assert found.names == CIFAR10_CLASSES


def test_sheets_are_read_in_order(toy):
    assert_is(cifar10("test"), toy[0])


def test_the_official_archive_gives_the_same_pictures(toy, official):
    pickled, write = official
    write(pickled)
    assert_is(cifar10("test"), toy[0])


def test_an_archive_that_runs_code_is_refused(official, tmp_path):
    class Harm:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "harm"),))

    _, write = official
    write(pickle.dumps({b"data": Harm()}, protocol=3))
    with pytest.raises(pickle.UnpicklingError, match=r"refused posix\.mkdir"):
        cifar10("test")
    assert not (tmp_path / "harm").exists()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_wrong_archive_is_refused(official, monkeypatch):
    pickled, write = official
    write(pickled)
    monkeypatch.setattr(labelled, "CIFAR10_MD5", "0" * 32)  # so that it is downloaded, from nobody
    with pytest.raises(OSError, match=r"could not download CIFAR10/cifar-10-python\.tar\.gz"):
        cifar10("test")


def test_changed_pictures_are_refused(toy):
    _, folder = toy
    Image.new("RGB", (64, 32)).save(folder / "cat.webp", lossless=True)
    with pytest.raises(ValueError, match="are not the 20 that srlab uses"):
        cifar10("test")


def test_a_sheet_cut_short_is_named(toy):
    _, folder = toy
    (folder / "dog.webp").write_bytes((folder / "dog.webp").read_bytes()[:200])
    with pytest.raises(ValueError, match=r"dog\.webp is not a readable picture"):
        cifar10("test")


def test_a_missing_sheet_is_named(toy):
    _, folder = toy
    (folder / "dog.webp").unlink()
    with pytest.raises(FileNotFoundError, match=r"no sheet dog\.webp"):
        cifar10("test")


def test_unknown_splits_are_answered_with_the_known():
    with pytest.raises(ValueError, match="train and test, got 'val'"):
        cifar10("val")


@REAL
@pytest.mark.parametrize(("split", "each"), [("train", 2000), ("test", 200)])
def test_the_real_pictures_are_there(split, each):
    found = cifar10(split)
    assert found.images.shape == (10 * each, 3, 32, 32)
    assert found.labels.bincount().tolist() == [each] * 10


def test_no_picture_is_in_both_splits():
    assert not set(labelled._digests("train").tolist()) & set(labelled._digests("test").tolist())


@REAL
def test_live_has_every_distortion_of_every_reference():
    pictures = live()
    assert len(pictures) == 116
    assert {picture.image.shape for picture in pictures} == {(3, 320, 320)}
    pairs = Counter((picture.reference, picture.distortion) for picture in pictures)
    assert len(pairs) == 6 * len(LIVE_DISTORTIONS)
    assert all(count >= 4 for (_, kind), count in pairs.items() if kind != "pristine")
    pristine = [picture for picture in pictures if picture.distortion == "pristine"]
    assert {picture.level for picture in pristine} == {0}


@REAL
def test_levels_of_live_grow_in_damage():
    series = defaultdict(dict)
    for picture in live():
        series[picture.reference, picture.distortion][picture.level] = picture.image
    for (reference, kind), images in series.items():
        if kind in ("white noise", "blur"):
            clean = series[reference, "pristine"][0]
            errors = [(images[level] - clean).square().mean() for level in sorted(images)]
            assert errors == sorted(errors)


@REAL
def test_city100_has_every_scene_from_every_camera():
    pictures = city100()
    assert len(pictures) == 48
    shots = {(picture.scene, picture.camera, picture.quality) for picture in pictures}
    assert len(shots) == 48
    assert {picture.camera for picture in pictures} == set(CITY100_CAMERAS.values())
    for picture in pictures:
        size = (300, 420) if picture.camera == "iPhone X" else (434, 608)
        assert picture.image.shape[-2:] == size
