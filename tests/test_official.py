import hashlib
import os
from dataclasses import replace

import pytest
import torch

from srlab import official
from srlab.assets import OFFICIAL_WEIGHTS, weights_file
from srlab.checkpoints import CheckpointError, read_weights
from srlab.datasets import load_images
from srlab.degradations import Degradation
from srlab.images import crop_to_multiple
from srlab.metrics import psnr
from srlab.models import build
from srlab.official import PUBLISHED, load_official

REAL = pytest.mark.skipif("SRLAB_DATA" not in os.environ, reason="SRLAB_DATA is not set")
# PSNR-Y on Set5's bird and butterfly, from this code: a guard against change. On all five pictures
# it gives 32.21, 32.16, 32.15 and 31.89 dB; published are 32.21, 32.16, 32.13 and 31.88.
MEASURED = {"imdn": 31.81, "rfdn": 31.76, "pan": 31.70, "carn-m": 31.22}


@pytest.fixture(scope="module")
def pictures():
    images = load_images("set5")
    return {name: crop_to_multiple(images[name][None], 4) for name in ("bird", "butterfly")}


def eight_bits(images):
    return (images * 255).round().clamp(0, 255) / 255


@REAL
@pytest.mark.parametrize("name", list(PUBLISHED))
def test_published_networks_restore_set5_as_published(name, pictures):
    model, provenance = load_official(name)
    assert not model.training
    assert provenance.name == name
    assert provenance.licence == OFFICIAL_WEIGHTS[name].licence
    with torch.no_grad():
        quality = [
            psnr(model(eight_bits(Degradation(scale=4)(hr))), hr, border=4).item()
            for hr in pictures.values()
        ]
    assert sum(quality) / len(quality) == pytest.approx(MEASURED[name], abs=0.05)


@REAL
@pytest.mark.parametrize("name", list(PUBLISHED))
def test_every_published_tensor_has_its_place_and_no_weight_is_left_to_chance(name):
    theirs, model = read_weights(weights_file(name)), load_official(name)[0]
    published = PUBLISHED[name]
    kept = [
        key
        for key in theirs
        if key not in published.constants and not key.startswith(published.unused)
    ]
    assert len(kept) == len(model.state_dict())
    total = sum(theirs[key].numel() for key in kept)
    assert total == sum(weight.numel() for weight in model.state_dict().values())


@REAL
def test_another_range_of_values_is_folded_into_the_weights():
    """Fed [0, 1] the folded network gives what the published one gives for [0, 255]."""
    folded, published = load_official("rfdn")[0], PUBLISHED["rfdn"]
    plain = build(published.architecture, **published.hyperparameters).eval()
    plain.load_state_dict(official._ours(published, read_weights(weights_file("rfdn"))))
    lr = torch.rand(1, 3, 16, 19, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(folded(lr), plain(lr * 255) / 255, atol=1e-5, rtol=1e-4)


def test_unknown_networks_are_answered_with_the_known():
    with pytest.raises(ValueError, match="no published network 'edsr'; srlab has imdn, rfdn, pan"):
        load_official("edsr")


@pytest.fixture
def forged(tmp_path, monkeypatch):
    """$SRLAB_DATA with a file in IMDN's place whose digest the table was made to expect."""

    def place(weights):
        path = tmp_path / "weights" / OFFICIAL_WEIGHTS["imdn"].file
        path.parent.mkdir(exist_ok=True)
        torch.save(weights, path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        row = replace(OFFICIAL_WEIGHTS["imdn"], sha256=digest)
        monkeypatch.setitem(OFFICIAL_WEIGHTS, "imdn", row)
        monkeypatch.setenv("SRLAB_DATA", str(tmp_path))

    return place


def test_a_file_that_lacks_or_has_too_much_is_refused(forged):
    forged({"fea_conv.weight": torch.zeros(64, 3, 3, 3), "stranger": torch.zeros(3)})
    with pytest.raises(CheckpointError, match=r"missing .*unexpected stranger"):
        load_official("imdn")


def test_constants_that_differ_from_ours_are_refused(forged, monkeypatch):
    changed = replace(PUBLISHED["imdn"], constants={"mean": [1.0, 2.0]})
    monkeypatch.setitem(PUBLISHED, "imdn", changed)
    for mean in (torch.tensor([1.0, 2.5]), None):
        forged({} if mean is None else {"mean": mean})
        with pytest.raises(CheckpointError, match="mean of the published file is not what srlab"):
            load_official("imdn")


@REAL
def test_a_file_of_one_network_is_no_other(forged):
    """Right digest, wrong network: the names say so."""
    theirs = read_weights(weights_file("pan"))
    forged(theirs)
    with pytest.raises(CheckpointError, match="do not fit IMDN: missing"):
        load_official("imdn")
