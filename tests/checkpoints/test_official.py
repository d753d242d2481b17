import hashlib
import os
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from srlab.attribution.lam import lam, patch
from srlab.attribution.paths import deblur
from srlab.checkpoints import official
from srlab.checkpoints.files import PACKED, read_provenance
from srlab.checkpoints.load import load
from srlab.checkpoints.official import (
    ABOARD,
    PUBLISHED,
    load_official,
    official_from_file,
    on_board,
)
from srlab.data.assets import OFFICIAL_WEIGHTS, weights_file
from srlab.data.datasets import load_images
from srlab.degradations import Degradation
from srlab.images import crop_to_multiple
from srlab.metrics import psnr
from srlab.models import build
from srlab.models.blocks import MEAN
from srlab.models.fsrcnn import from_ycbcr, to_ycbcr
from srlab.networks.state_dicts import CheckpointError, read_weights

REAL = pytest.mark.skipif("SRLAB_DATA" not in os.environ, reason="SRLAB_DATA is not set")
FOLDER = Path(os.environ.get("SRLAB_DATA", "."), "weights")
HERE = [  # what can be loaded without a download
    name
    for name, row in OFFICIAL_WEIGHTS.items()
    if any((FOLDER / file).is_file() for file in (row.file, *(row.rounded or ())[:1]))
]
CARRIED = sorted(path.name.removesuffix(PACKED) for path in ABOARD.glob(f"*{PACKED}"))
# PSNR-Y on Set5's bird and butterfly, from this code: a guard against change. On all five pictures
# it gives 32.21, 32.16, 32.15 and 31.89 dB; published are 32.21, 32.16, 32.13 and 31.88.
MEASURED = {"imdn": 31.81, "rfdn": 31.76, "pan": 31.70, "carn-m": 31.22}
# By others than the papers' authors, or trained to paint: 29.04, 30.67 and 25.22 dB on all five of
# the first three; bicubic interpolation has 28.43 (26.15 on these two).
MEASURED |= {"fsrcnn-nhat": 27.02, "srgan-leftthomas": 29.54}
MEASURED |= {"realesrgan-anime-6b": 23.34, "realesrgan-x4plus": 25.65}


# What RRDBNet's layers are called: first, blocks, dense blocks, after them, enlarging, last two.
REAL_ESRGAN = ("conv_first", "body", "rdb", "conv_body", "conv_up", "conv_hr", "conv_last")
ESRGAN = ("conv_first", "RRDB_trunk", "RDB", "trunk_conv", "upconv", "HRconv", "conv_last")


@pytest.fixture(scope="module")
def pictures():
    images = load_images("set5")
    return {name: crop_to_multiple(images[name][None], 4) for name in ("bird", "butterfly")}


def eight_bits(images):
    return (images * 255).round().clamp(0, 255) / 255


@REAL
@pytest.mark.parametrize("name", HERE)
def test_published_networks_restore_set5_as_published(name, pictures):
    model = load_official(name)
    assert not model.training
    with torch.no_grad():
        quality = [
            psnr(model(eight_bits(Degradation(scale=4)(hr))), hr, border=4).item()
            for hr in pictures.values()
        ]
    assert sum(quality) / len(quality) == pytest.approx(MEASURED[name], abs=0.05)


@REAL
@pytest.mark.parametrize("name", HERE)
def test_every_published_tensor_has_its_place_and_no_weight_is_left_to_chance(name):
    theirs, model = read_weights(weights_file(name)), load_official(name)
    published = PUBLISHED[name]
    kept = [
        key
        for key in theirs
        if key not in published.constants and not official._has(key, published.unused)
    ]
    ours = model.state_dict()
    assert len(kept) == len(ours) - len(published.filled)
    total = sum(theirs[key].numel() for key in kept)
    assert total == sum(own.numel() for name, own in ours.items() if name not in published.filled)


@REAL
def test_another_range_of_values_is_folded_into_the_weights():
    """Fed [0, 1] the folded network gives what the published one gives for [0, 255]."""
    folded, published = official_from_file("rfdn", weights_file("rfdn")), PUBLISHED["rfdn"]
    plain = build(published.architecture, **published.hyperparameters).eval()
    plain.load_state_dict(official._ours(published, read_weights(weights_file("rfdn"))))
    lr = torch.rand(1, 3, 16, 19, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(folded(lr), plain(lr * 255) / 255, atol=1e-5, rtol=1e-4)


def test_two_networks_of_published_size_travel_with_srlab():
    assert CARRIED == ["carn-m", "rfdn"]
    licences = (ABOARD / "LICENCES").read_text("utf-8")
    for name in CARRIED:
        source = read_provenance(on_board(name)).source
        assert source["address"] == OFFICIAL_WEIGHTS[name].address
        assert source["sha256"] == OFFICIAL_WEIGHTS[name].sha256
        assert f"{name}.safetensors" in licences
        assert OFFICIAL_WEIGHTS[name].licence in licences
    assert licences.count("Copyright (c)") == len(CARRIED)


def test_what_travels_needs_no_download_and_is_told_as_published(monkeypatch, tmp_path):
    monkeypatch.setenv("SRLAB_DATA", str(tmp_path))
    monkeypatch.setattr(official, "weights_file", lambda name: pytest.fail(f"asks for {name}"))
    assert not load_official("carn-m").training
    assert on_board("imdn") is None


@REAL
@pytest.mark.parametrize("name", CARRIED)
def test_what_travels_does_what_the_published_file_does(name, pictures):
    """Quality to 0.01 dB and maps to 2 %; the header has what was measured."""
    whole, carried = official_from_file(name, weights_file(name)), load_official(name)
    hr = pictures["butterfly"]
    lr = eight_bits(Degradation(scale=4)(hr))
    with torch.no_grad():
        quality = [psnr(model(lr), hr, border=4).item() for model in (whole, carried)]
    assert quality[0] == pytest.approx(quality[1], abs=0.01)
    one, other = (
        lam(model, lr[..., :40, :40], patch(72, 72, 16), path=deblur(steps=8)).map.sum(dim=1)
        for model in (whole, carried)
    )
    assert (one - other).abs().sum() < 0.02 * one.abs().sum()
    assert read_provenance(on_board(name)).psnr.keys() == {"set5", "set14"}


@REAL
def test_what_travels_can_be_made_again(tmp_path):
    made = read_provenance(on_board("carn-m"))
    again = official.take_on_board("carn-m", made.psnr, made.source["moved"], tmp_path)
    assert again.read_bytes() == on_board("carn-m").read_bytes()


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
        forged({"other": torch.zeros(1)} if mean is None else {"mean": mean})
        with pytest.raises(CheckpointError, match="mean of the published file is not what srlab"):
            load_official("imdn")


@REAL
def test_a_file_of_one_network_is_no_other(forged):
    """Right digest, wrong network: the names say so."""
    theirs = read_weights(weights_file("pan"))
    forged(theirs)
    with pytest.raises(CheckpointError, match="do not fit IMDN: missing"):
        load_official("imdn")


def conv(x, theirs, name, **settings):
    weight, bias = theirs[f"{name}.weight"], theirs.get(f"{name}.bias")
    return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2, **settings)


def published_fsrcnn(lr, theirs):
    """lr (1, 3, h, w): luma and chroma in [0, 1]."""
    rectify = lambda x, index: F.prelu(x, theirs[f"activation_{index}.weight"])  # noqa: E731
    x = rectify(conv(lr, theirs, "feature_extract"), 1)
    x = rectify(conv(x, theirs, "shrink"), 2)
    for index in range(1, 5):
        x = conv(x, theirs, f"map_{index}")
    x = rectify(conv(rectify(x, 3), theirs, "expand"), 4)
    weight, bias = theirs["deconv.weight"], theirs["deconv.bias"]
    return F.conv_transpose2d(x, weight, bias, stride=4, padding=4, output_padding=3)


def published_srgan(lr, theirs):
    rectify = lambda x, name: F.prelu(x, theirs[f"{name}.weight"])  # noqa: E731

    def normalize(x, name):
        of = [theirs[f"{name}.{part}"] for part in ("running_mean", "running_var")]
        return F.batch_norm(x, *of, theirs[f"{name}.weight"], theirs[f"{name}.bias"])

    x = shallow = rectify(conv(lr, theirs, "block1.0"), "block1.1")
    for block in range(2, 7):
        inner = normalize(conv(x, theirs, f"block{block}.conv1"), f"block{block}.bn1")
        inner = conv(rectify(inner, f"block{block}.prelu"), theirs, f"block{block}.conv2")
        x = x + normalize(inner, f"block{block}.bn2")
    x = shallow + rectify(conv(x, theirs, "block7.0"), "block7.1")
    for stage in (0, 1):
        x = F.pixel_shuffle(conv(x, theirs, f"block8.{stage}.conv"), 2)
        x = rectify(x, f"block8.{stage}.prelu")
    return (conv(x, theirs, "block8.2").tanh() + 1) / 2


def published_rrdb(lr, theirs, blocks, names=REAL_ESRGAN):
    """RRDBNet by its published names: those of Real-ESRGAN, or of ESRGAN."""
    rectify = lambda x: F.leaky_relu(x, 0.2)  # noqa: E731
    first, body, dense, closing, up, high, last = names
    x = shallow = conv(lr, theirs, first)
    for block in range(blocks):
        within = x
        for number in (1, 2, 3):
            seen = [within]
            for layer in range(1, 5):
                name = f"{body}.{block}.{dense}{number}.conv{layer}"
                seen.append(rectify(conv(torch.cat(seen, dim=1), theirs, name)))
            name = f"{body}.{block}.{dense}{number}.conv5"
            within = within + 0.2 * conv(torch.cat(seen, dim=1), theirs, name)
        x = x + 0.2 * within
    x = shallow + conv(x, theirs, closing)
    for stage in (1, 2):
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        x = rectify(conv(x, theirs, f"{up}{stage}"))
    return conv(rectify(conv(x, theirs, high)), theirs, last)


def in_luma_and_chroma(network):
    """As its demo does; our conversion is compared with Pillow's elsewhere."""
    return lambda lr, theirs: from_ycbcr(network(to_ycbcr(lr), theirs))


@REAL
@pytest.mark.parametrize(
    ("name", "computed"),
    [
        ("fsrcnn-nhat", in_luma_and_chroma(published_fsrcnn)),
        ("srgan-leftthomas", published_srgan),
        ("realesrgan-anime-6b", partial(published_rrdb, blocks=6)),
        ("realesrgan-x4plus", partial(published_rrdb, blocks=23)),
    ],
)
def test_networks_of_others_compute_what_their_own_code_does(name, computed):
    theirs = {key: own.float() for key, own in read_weights(weights_file(name)).items()}
    lr = torch.rand(1, 3, 9, 11, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours, expected = load_official(name)(lr), computed(lr, theirs)
    torch.testing.assert_close(ours, expected, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("names", [REAL_ESRGAN, ESRGAN], ids=["today", "at first"])
def test_a_file_of_esrgan_that_a_reader_has_loads_by_either_spelling(tmp_path, names):
    first, body, dense, closing, up, high, last = names
    convs = {first: (4, 3), closing: (4, 4), f"{up}1": (4, 4), f"{up}2": (4, 4)}
    convs |= {high: (4, 4), last: (3, 4)}
    for block, number, layer in product(range(23), (1, 2, 3), range(1, 6)):
        shape = (4 if layer == 5 else 2, 4 + 2 * (layer - 1))
        convs[f"{body}.{block}.{dense}{number}.conv{layer}"] = shape
    theirs = {}
    for name, shape in convs.items():
        theirs |= {f"{name}.weight": draw(*shape, 3, 3), f"{name}.bias": draw(1, shape[0])[0]}
    torch.save({"params_ema": theirs}, tmp_path / "esrgan.pth")
    model = official_from_file("esrgan", tmp_path / "esrgan.pth", channels=4, growth=2)
    lr = torch.rand(1, 3, 9, 11, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = published_rrdb(lr, theirs, 23, names)
        torch.testing.assert_close(model(lr), expected, atol=1e-5, rtol=1e-4)


def generated(lr, codes, theirs, rectify):
    """What the authors' generators compute, by their names; `codes` has one for each group."""

    def aware(x, code, name):
        hidden = rectify(F.linear(code, theirs[f"{name}.kernel.0.weight"]), f"{name}.kernel.1")
        kernel = F.linear(hidden, theirs[f"{name}.kernel.2.weight"]).reshape(64, 1, 3, 3)
        out = rectify(F.conv2d(x, kernel, padding=1, groups=64), f"{name}.prelu")
        gate = conv(code[:, :, None, None], theirs, f"{name}.ca.conv_du.0")
        gate = conv(rectify(gate, f"{name}.ca.conv_du.1"), theirs, f"{name}.ca.conv_du.2")
        return conv(out, theirs, f"{name}.conv") + x * gate.sigmoid()

    features = shallow = conv(conv(lr, theirs, "sub_mean"), theirs, "head.0")
    for group, code in enumerate(codes):
        within = features
        for block in range(5):
            name = f"body.{group}.body.{block}"
            y = rectify(aware(within, code, f"{name}.da_conv1"), f"{name}.prelu1")
            y = rectify(conv(y, theirs, f"{name}.conv1"), f"{name}.prelu2")
            y = rectify(aware(y, code, f"{name}.da_conv2"), f"{name}.prelu3")
            within = within + conv(y, theirs, f"{name}.conv2")
        features = features + conv(within, theirs, f"body.{group}.body.5")
    features = shallow + conv(features, theirs, "body.5")
    for stage in (0, 2):
        if f"tail.0.{stage}.weight" in theirs:
            features = conv(features, theirs, f"tail.0.{stage}")
            features = F.pixel_shuffle(features, 2 if len(features[0]) == 256 else 3)
    return conv(conv(features, theirs, "tail.1"), theirs, "add_mean")


def published_dasr(lr, theirs):
    """lr (1, 3, h, w) in [0, 255]."""
    x = lr
    for index, stride in enumerate((1, 1, 2, 1, 2, 1)):
        x = conv(x, theirs, f"E.encoder_q.E.{3 * index}", stride=stride)
        norm = f"E.encoder_q.E.{3 * index + 1}"
        of = {part: theirs[f"{norm}.{part}"] for part in ("weight", "bias")}
        seen = [theirs[f"{norm}.running_{part}"] for part in ("mean", "var")]
        x = F.leaky_relu(F.batch_norm(x, *seen, **of), 0.1)
    code = F.leaky_relu(F.linear(x.mean(dim=(2, 3)), theirs["G.compress.0.weight"]), 0.1)
    own = {key.removeprefix("G."): value for key, value in theirs.items() if key.startswith("G.")}
    return generated(lr, [code] * 5, own, lambda x, _: F.leaky_relu(x, 0.1))


def published_redsr(lr, theirs):
    """(code (1, 64), SR image) of lr (1, 3, h, w) in [0, 1], mirrored at the encoder's borders."""
    predictor, own = theirs["model_DP_state_dict"], theirs["model_SRN_state_dict"]
    x = lr
    for index in range(6):
        x = F.pad(x, ((1,) * 4, (2,) * 4)[index % 2], "reflect")
        weight, bias = (predictor[f"ConvNet.{3 * index + 1}.{part}"] for part in ("weight", "bias"))
        x = F.conv2d(x, weight, bias, stride=(2, 1)[index % 2])
        x = F.prelu(x, predictor[f"ConvNet.{3 * index + 2}.weight"])
    code = x.mean(dim=(2, 3))
    z = F.prelu(F.linear(code, own["compress.0.weight"]), own["compress.1.weight"])
    z = F.linear(z, own["compress.2.weight"], own["compress.2.bias"])
    rectify = lambda x, name: F.prelu(x, own[f"{name}.weight"])  # noqa: E731
    return code, generated(lr, z.split(64, dim=1), own, rectify)


GENERATOR = torch.Generator().manual_seed(0)


def draw(*shape):
    return torch.randn(*shape, generator=GENERATOR) / max(1, shape[-1] * shape[1]) ** 0.5 / 3


def their_generator(scale, high, *, rectifiers):
    """Random weights under the published names; `rectifiers` says whether these have some."""
    weights = {}
    for sign, name in ((-1, "sub"), (1, "add")):
        weights[f"{name}_mean.weight"] = torch.eye(3).view(3, 3, 1, 1)
        weights[f"{name}_mean.bias"] = sign * high * torch.tensor(MEAN)
    convs = {"head.0": (64, 3, 3, 3), "body.5": (64, 64, 3, 3), "tail.1": (3, 64, 3, 3)}
    stages = {2: {0: 256}, 3: {0: 576}, 4: {0: 256, 2: 256}}[scale]
    convs |= {f"tail.0.{stage}": (width, 64, 3, 3) for stage, width in stages.items()}
    slopes = []
    for group in range(5):
        convs[f"body.{group}.body.5"] = (64, 64, 3, 3)
        for block in range(5):
            own = f"body.{group}.body.{block}"
            convs |= {f"{own}.conv{index}": (64, 64, 3, 3) for index in (1, 2)}
            slopes += [f"{own}.prelu{index}" for index in (1, 2, 3)]
            for aware in (f"{own}.da_conv1", f"{own}.da_conv2"):
                convs[f"{aware}.conv"] = (64, 64, 1, 1)
                weights[f"{aware}.kernel.0.weight"] = draw(64, 64)
                weights[f"{aware}.kernel.2.weight"] = draw(576, 64)
                weights[f"{aware}.ca.conv_du.0.weight"] = draw(8, 64, 1, 1)
                weights[f"{aware}.ca.conv_du.2.weight"] = draw(64, 8, 1, 1)
                slopes += [f"{aware}.{name}" for name in ("kernel.1", "ca.conv_du.1", "prelu")]
    for name, shape in convs.items():
        weights |= {f"{name}.weight": draw(*shape), f"{name}.bias": draw(1, shape[0])[0]}
    if rectifiers:
        weights |= {f"{name}.weight": draw(1, 1)[0].abs() for name in slopes}
    return weights


def their_dasr(scale=4):
    """What the training needs is in the file too."""
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
    own = their_generator(scale, 255.0, rectifiers=False)
    weights |= {f"G.{name}": tensor for name, tensor in own.items()}
    return weights | {"G.compress.0.weight": draw(64, 256)}


def their_redsr(scale=4):
    """Three state dicts; the degrader's is not needed to restore."""
    predictor, widths = {}, (3, 64, 64, 128, 128, 256, 64)
    for index in range(6):
        side = (4, 5)[index % 2]
        shape = (widths[index + 1], widths[index], side, side)
        predictor[f"ConvNet.{3 * index + 1}.weight"] = draw(*shape) * 3
        predictor[f"ConvNet.{3 * index + 1}.bias"] = draw(1, shape[0])[0]
        predictor[f"ConvNet.{3 * index + 2}.weight"] = draw(1, 1)[0].abs()
    own = their_generator(scale, 1.0, rectifiers=True)
    own |= {"compress.0.weight": draw(64, 64), "compress.1.weight": torch.tensor([0.2])}
    own |= {"compress.2.weight": draw(320, 64), "compress.2.bias": draw(1, 320)[0]}
    return {
        "epoch": 600,
        "model_DP_state_dict": predictor,
        "model_RB_state_dict": {"mlpA.0.weight": draw(64, 64)},
        "model_SRN_state_dict": own,
    }


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_file_of_redsr_loads_strictly_and_computes_the_same(tmp_path, scale):
    theirs, path = their_redsr(scale), tmp_path / "setting1_ckp.tar"
    torch.save(theirs, path)
    model = official_from_file("redsr", path)
    assert model.scale == scale
    lr = torch.rand(1, 3, 25, 27, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        code, sr = published_redsr(lr, theirs)
        assert code.std() > 0.1
        torch.testing.assert_close(model.represent(lr), code, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(model(lr), sr, atol=1e-5, rtol=1e-4)
        ours = official_from_file("redsr", path, published_encoder=False)
        assert (ours.represent(lr) - code).abs().mean() > 0.01
    with pytest.raises(ValueError, match=r"pictures from 24×24; got 25×23"):
        model(lr[..., :23])


def test_a_file_of_redsr_that_is_not_whole_is_refused(tmp_path):
    theirs, path = their_redsr(), tmp_path / "ckp.tar"
    lacking = theirs["model_SRN_state_dict"]
    torch.save(theirs | {"model_SRN_state_dict": lacking | {"stranger": draw(1, 1)}}, path)
    with pytest.raises(CheckpointError, match=r"fit ReDSR: .*unexpected stranger.*enlarges by 4"):
        official_from_file("redsr", path)
    torch.save(lacking, path)
    with pytest.raises(CheckpointError, match=r"lacks the state dicts model_DP_.* holds one alone"):
        official_from_file("redsr", path)


def test_the_scale_of_a_file_is_read_and_hinted_at(tmp_path):
    path = tmp_path / "model_600.pt"
    torch.save(their_dasr(scale=2), path)
    assert official_from_file("dasr", path).scale == 2
    with pytest.raises(CheckpointError, match=r"missing upsampler\.3.*\(it enlarges by 2\)"):
        official_from_file("dasr", path, scale=4)


@pytest.mark.parametrize("name", ["dasr", "redsr"])
def test_what_is_not_fetched_is_asked_for(name):
    with pytest.raises(ValueError, match=rf"not fetch .*official_from_file\('{name}', path\)"):
        load_official(name)


def test_a_readers_file_is_chosen_by_its_published_name(tmp_path):
    torch.save(their_dasr(scale=2), tmp_path / "model_600.pt")
    assert load(f"official:dasr,weights={tmp_path / 'model_600.pt'}").scale == 2


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
