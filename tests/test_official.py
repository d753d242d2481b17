import hashlib
import os
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from srlab import official
from srlab.assets import OFFICIAL_WEIGHTS, weights_file
from srlab.checkpoints import CheckpointError, read_weights
from srlab.datasets import load_images
from srlab.degradations import Degradation
from srlab.images import crop_to_multiple
from srlab.metrics import psnr
from srlab.models import build
from srlab.models.blocks import MEAN
from srlab.official import PUBLISHED, load_official, official_from_file

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


def published_dasr(lr, theirs):
    """What the authors' network computes, by their names: lr (1, 3, h, w) in [0, 255]."""

    def conv(x, name, **settings):
        weight, bias = theirs[f"{name}.weight"], theirs.get(f"{name}.bias")
        return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2, **settings)

    def relu(x):
        return F.leaky_relu(x, 0.1)

    def aware(x, code, name):
        hidden = relu(F.linear(code, theirs[f"{name}.kernel.0.weight"]))
        kernel = F.linear(hidden, theirs[f"{name}.kernel.2.weight"]).reshape(64, 1, 3, 3)
        out = conv(relu(F.conv2d(x, kernel, padding=1, groups=64)), f"{name}.conv")
        gate = relu(conv(code[:, :, None, None], f"{name}.ca.conv_du.0"))
        return out + x * conv(gate, f"{name}.ca.conv_du.2").sigmoid()

    x = lr
    for index, stride in enumerate((1, 1, 2, 1, 2, 1)):
        name = f"E.encoder_q.E.{3 * index}"
        x = conv(x, name, stride=stride)
        norm = f"E.encoder_q.E.{3 * index + 1}"
        of = {part: theirs[f"{norm}.{part}"] for part in ("weight", "bias")}
        seen = [theirs[f"{norm}.running_{part}"] for part in ("mean", "var")]
        x = relu(F.batch_norm(x, *seen, **of))
    code = relu(F.linear(x.mean(dim=(2, 3)), theirs["G.compress.0.weight"]))
    features = shallow = conv(conv(lr, "G.sub_mean"), "G.head.0")
    for group in range(5):
        within = features
        for block in range(5):
            name = f"G.body.{group}.body.{block}"
            y = relu(aware(within, code, f"{name}.da_conv1"))
            y = relu(aware(relu(conv(y, f"{name}.conv1")), code, f"{name}.da_conv2"))
            within = within + conv(y, f"{name}.conv2")
        features = features + conv(within, f"G.body.{group}.body.5")
    features = shallow + conv(features, "G.body.5")
    for stage in ("G.tail.0.0", "G.tail.0.2"):
        features = F.pixel_shuffle(conv(features, stage), 2)
    return conv(conv(features, "G.tail.1"), "G.add_mean")


def their_dasr():
    """Random weights under the published names, the training's own included."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape):
        return torch.randn(*shape, generator=generator) / max(1, shape[-1] * shape[1]) ** 0.5 / 3

    weights = {}
    widths = (3, 64, 64, 128, 128, 256, 256)
    for branch in ("q", "k"):
        for index in range(6):
            name, out = f"E.encoder_{branch}.E.{3 * index}", widths[index + 1]
            weights[f"{name}.weight"] = draw(out, widths[index], 3, 3)
            weights[f"{name}.bias"] = torch.zeros(out)
            norm = f"E.encoder_{branch}.E.{3 * index + 1}"
            weights |= {f"{norm}.{part}": torch.rand(out) + 0.5 for part in ("weight", "bias")}
            weights |= {f"{norm}.running_{part}": torch.rand(out) + 0.5 for part in ("mean", "var")}
            weights[f"{norm}.num_batches_tracked"] = torch.tensor(7)
        for layer in (0, 2):
            weights[f"E.encoder_{branch}.mlp.{layer}.weight"] = draw(256, 256)
            weights[f"E.encoder_{branch}.mlp.{layer}.bias"] = torch.zeros(256)
    weights |= {"E.queue": draw(256, 8192), "E.queue_ptr": torch.zeros(1, dtype=torch.long)}
    for sign, name in ((-1, "sub"), (1, "add")):
        weights[f"G.{name}_mean.weight"] = torch.eye(3).view(3, 3, 1, 1)
        weights[f"G.{name}_mean.bias"] = sign * 255.0 * torch.tensor(MEAN)
    convs = {"G.head.0": (64, 3, 3, 3), "G.body.5": (64, 64, 3, 3), "G.tail.1": (3, 64, 3, 3)}
    convs |= {f"G.tail.0.{stage}": (256, 64, 3, 3) for stage in (0, 2)}
    for group in range(5):
        convs[f"G.body.{group}.body.5"] = (64, 64, 3, 3)
        for block in range(5):
            own = f"G.body.{group}.body.{block}"
            convs |= {f"{own}.conv{index}": (64, 64, 3, 3) for index in (1, 2)}
            for aware in (f"{own}.da_conv1", f"{own}.da_conv2"):
                convs[f"{aware}.conv"] = (64, 64, 1, 1)
                weights[f"{aware}.kernel.0.weight"] = draw(64, 64)
                weights[f"{aware}.kernel.2.weight"] = draw(576, 64)
                weights[f"{aware}.ca.conv_du.0.weight"] = draw(8, 64, 1, 1)
                weights[f"{aware}.ca.conv_du.2.weight"] = draw(64, 8, 1, 1)
    for name, shape in convs.items():
        weights |= {f"{name}.weight": draw(*shape), f"{name}.bias": torch.zeros(shape[0])}
    weights["G.compress.0.weight"] = draw(64, 256)
    return weights


def test_a_file_of_dasr_that_a_reader_has_loads_strictly_and_computes_the_same(tmp_path):
    theirs, path = their_dasr(), tmp_path / "model_600.pt"
    torch.save(theirs, path)
    model = official_from_file("dasr", path)
    lr = torch.rand(1, 3, 9, 11, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = published_dasr(lr * 255, theirs) / 255
        torch.testing.assert_close(model(lr), expected, atol=1e-4, rtol=1e-4)
    torch.save({key: value for key, value in theirs.items() if "compress" not in key}, path)
    with pytest.raises(CheckpointError, match="do not fit DASR: missing compress"):
        official_from_file("dasr", path)
    with pytest.raises(ValueError, match=r"srlab has imdn, .*dasr"):
        official_from_file("kdsr", path)
