import gzip
import json
import os
from dataclasses import asdict, dataclass, field, fields, make_dataclass, replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from srlab.checkpoints.files import (
    WEIGHTS,
    Provenance,
    load_checkpoint,
    read_checkpoint,
    read_provenance,
    save_checkpoint,
    shipped_checkpoints,
)
from srlab.data.assets import IMAGE_SETS
from srlab.data.datasets import EMBEDDED, image_digest, load_images
from srlab.data.subjects import labelled_images
from srlab.models import build
from srlab.networks.state_dicts import CheckpointError, load_weights, read_weights
from srlab.training.classification import Classification, accuracy
from srlab.training.processes import on_device
from srlab.training.recipes import RECIPES, kinds, recipe_from
from srlab.training.supervised import validation_psnr

REAL = pytest.mark.skipif("SRLAB_DATA" not in os.environ, reason="SRLAB_DATA is not set")
SETTINGS = {"scale": 2, "channels": 6, "mapping_channels": 4, "num_blocks": 1}
PROVENANCE = Provenance("tiny", "fsrcnn", SETTINGS, step=3, psnr={"photographs": 20.0})


def model():
    torch.manual_seed(0)
    return build("fsrcnn", **SETTINGS).eval()


@pytest.fixture
def path(tmp_path):
    return save_checkpoint(tmp_path / "tiny.safetensors", model().state_dict(), PROVENANCE)


def test_what_is_saved_is_loaded_rounded_to_float16(path):
    loaded, provenance = load_checkpoint(path)
    rounded = {key: tensor.half().float() for key, tensor in model().state_dict().items()}
    assert provenance == PROVENANCE
    assert not loaded.training
    assert loaded.state_dict().keys() == rounded.keys()
    for key, tensor in loaded.state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, rounded[key])
    lr = torch.rand(1, 3, 9, 11)
    reference = model()
    reference.load_state_dict(rounded)
    assert torch.equal(loaded(lr), reference(lr))


@pytest.mark.parametrize("bits", [8, 16])
def test_saving_what_was_loaded_changes_nothing(tmp_path, bits):
    path = save_checkpoint(tmp_path / "a.safetensors", model().state_dict(), PROVENANCE, bits=bits)
    weights, provenance = read_checkpoint(path)
    again = save_checkpoint(tmp_path / "again.safetensors", weights, provenance, bits=bits)
    assert again.read_bytes() == path.read_bytes()
    assert read_provenance(again) == PROVENANCE


def test_no_half_written_file_is_left_under_the_name(path, monkeypatch):
    whole = path.read_bytes()

    def fail(_weights, target, **_):
        Path(target).write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr("srlab.checkpoints.files.save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        save_checkpoint(path, model().state_dict(), PROVENANCE)
    assert path.read_bytes() == whole


@pytest.mark.parametrize(("bits", "value"), [(16, torch.nan), (16, 1e6), (8, torch.nan)])
def test_weights_that_are_not_finite_in_their_bits_are_not_saved(tmp_path, bits, value):
    weights = {"w": torch.full((2, 2), value)}
    with pytest.raises(CheckpointError, match=f"not finite in {bits} bits, not saved: w"):
        save_checkpoint(tmp_path / "a.safetensors", weights, PROVENANCE, bits=bits)
    assert list(tmp_path.iterdir()) == []


def test_a_long_runs_counter_does_not_stop_it_from_being_saved(tmp_path):
    counted = {"w": torch.ones(2), "num_batches_tracked": torch.tensor(250_000)}
    saved = save_checkpoint(tmp_path / "w.safetensors", counted, PROVENANCE)
    assert read_checkpoint(saved)[0]["num_batches_tracked"] == 65_504


def test_a_path_is_a_path_and_a_name_is_a_shipped_name(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    assert read_provenance("tiny.safetensors").name == "tiny"
    with pytest.raises(CheckpointError, match="no checkpoint 'tiny': not a file, and not one of"):
        read_provenance("tiny")
    shipped = shipped_checkpoints()[0]
    Path(shipped).write_bytes(path.read_bytes())
    assert read_provenance(shipped).name == shipped
    assert read_provenance(Path(shipped)).name == "tiny"


def test_a_packed_file_is_the_file(path):
    weights, provenance = read_checkpoint(path)
    packed = path.with_name("packed.safetensors.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    again = read_checkpoint(packed)
    assert again[1] == provenance
    assert weights.keys() == again[0].keys() == read_weights(packed).keys()
    assert all(torch.equal(tensor, again[0][key]) for key, tensor in weights.items())


@pytest.mark.parametrize("read", [load_checkpoint, read_checkpoint, read_provenance])
@pytest.mark.parametrize("damage", ["cut", "header cut", "text", "empty", "packed and cut"])
def test_damaged_files_are_refused(path, read, damage):
    whole = path.read_bytes()
    path.write_bytes(
        {
            "cut": whole[:-10],
            "header cut": whole[:100],
            "text": b"no weights at all",
            "empty": b"",
            "packed and cut": gzip.compress(whole)[:-20],
        }[damage]
    )
    with pytest.raises(CheckpointError, match=r"tiny\.safetensors is damaged or no safetensors"):
        read(path)


@pytest.mark.parametrize("save", [save_file, torch.save])
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_files_of_others_are_refused_with_the_way_to_read_them(tmp_path, save, suffix):
    save({"w": torch.zeros(2)}, tmp_path / f"foreign{suffix}")
    with pytest.raises(CheckpointError, match=r"not written by srlab.*load_weights\(model, read_"):
        load_checkpoint(tmp_path / f"foreign{suffix}")


def test_what_is_no_checkpoint_is_told_as_what_it_is(tmp_path):
    (tmp_path / "net.pth").write_text("<!DOCTYPE html><title>404</title>")
    with pytest.raises(CheckpointError, match=r"net\.pth is no checkpoint but a web page"):
        load_checkpoint(tmp_path / "net.pth")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("no json", "another version of srlab"),
        ('{"name": "a"}', "another version of srlab.*architecture"),
        (json.dumps({**asdict(PROVENANCE), "mood": "good"}), "another version of srlab.*mood"),
        (
            json.dumps({**asdict(PROVENANCE), "architecture": "vdsr"}),
            "another version of srlab: unknown model 'vdsr'",
        ),
        (
            json.dumps({**asdict(PROVENANCE), "hyperparameters": {"width": 3}}),
            "another version of srlab: FSRCNN does not take.*width",
        ),
        (
            json.dumps({**asdict(PROVENANCE), "hyperparameters": {**SETTINGS, "num_blocks": 2}}),
            "the weights do not fit FSRCNN: missing body",
        ),
    ],
)
def test_headers_of_other_versions_are_refused(tmp_path, header, message):
    path = tmp_path / "other.safetensors"
    save_file(dict(model().state_dict()), path, metadata={"srlab": header})
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(path)


def test_weights_that_do_not_fit_are_named():
    weights = dict(model().state_dict())
    weights["tail.weight"] = torch.zeros(1)
    weights["surplus"] = weights.pop("tail.bias")
    with pytest.raises(CheckpointError) as error:
        load_weights(model(), weights)
    story = str(error.value)
    assert "missing tail.bias; unexpected surplus; other shapes tail.weight" in story
    assert "file (1,), network (6, 3, 9, 9)" in story


@pytest.mark.parametrize("envelope", [None, "params_ema", "params", "state_dict", "model"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_foreign_weights_are_unwrapped(tmp_path, envelope, prefix):
    own = model()
    weights = {prefix + key: tensor for key, tensor in own.state_dict().items()}
    content = weights if envelope is None else {envelope: weights, "epoch": 3}
    torch.save(content, tmp_path / "foreign.pth")
    read = read_weights(tmp_path / "foreign.pth")
    load_weights(own, read)
    assert read.keys() == own.state_dict().keys()


@pytest.mark.parametrize("bits", [8, 16])
def test_own_files_are_read_as_weights_too(tmp_path, bits):
    own = save_checkpoint(tmp_path / "a.safetensors", model().state_dict(), PROVENANCE, bits=bits)
    weights = read_weights(own)
    load_weights(model(), weights)
    assert all(torch.equal(weights[key], one) for key, one in read_checkpoint(own)[0].items())


def test_foreign_safetensors_are_read(tmp_path):
    save_file({"module.w": torch.ones(2)}, tmp_path / "foreign.safetensors")
    assert read_weights(tmp_path / "foreign.safetensors")["w"].tolist() == [1, 1]
    (tmp_path / "foreign.safetensors").write_bytes(b"no")
    with pytest.raises(CheckpointError, match="damaged"):
        read_weights(tmp_path / "foreign.safetensors")


class Trap:
    """Unpickling it writes a file: what a malicious .pth could do."""

    def __init__(self, target):
        self.target = str(target)

    def __reduce__(self):
        return Path.touch, (Path(self.target),)


def test_pickled_code_is_not_run(tmp_path):
    torch.save({"state_dict": Trap(tmp_path / "caught")}, tmp_path / "trap.pth")
    with pytest.raises(CheckpointError, match="more than tensors, which srlab does not run"):
        read_weights(tmp_path / "trap.pth")
    assert not (tmp_path / "caught").exists()
    torch.load(tmp_path / "trap.pth", weights_only=False)
    assert (tmp_path / "caught").exists()  # so the trap was a trap


@pytest.mark.parametrize("content", [{"state_dict": {"w": 3}}, [1, 2], torch.zeros(2)])
def test_files_without_a_state_dict_are_refused(tmp_path, content):
    torch.save(content, tmp_path / "odd.pth")
    with pytest.raises(CheckpointError, match="holds no state dict"):
        read_weights(tmp_path / "odd.pth")


def test_missing_and_cut_weights_are_named(tmp_path):
    with pytest.raises(CheckpointError, match="no weights file at"):
        read_weights(tmp_path / "nothing.pth")
    torch.save({"w": torch.zeros(1000)}, tmp_path / "cut.pth")
    whole = (tmp_path / "cut.pth").read_bytes()
    (tmp_path / "cut.pth").write_bytes(whole[:500])
    with pytest.raises(CheckpointError, match=r"cut\.pth is damaged"):
        read_weights(tmp_path / "cut.pth")


@REAL
def test_official_weights_are_read_without_running_code():
    files = sorted(Path(os.environ["SRLAB_DATA"], "weights").glob("*x4*.pth"))
    assert files
    for file in files:
        assert len(read_weights(file)) > 10


# What ships ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def photographs():
    return load_images("photographs")


def test_the_networks_of_the_findings_ship():
    names = {f"srresnet-{kind}{seed}" for kind in ("gr", "wogr") for seed in ("", "-s1", "-s2")}
    assert {*names, "srcnn-3", "fsrcnn"} <= set(shipped_checkpoints())


def test_what_ships_stays_small():
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) < 55 * 2**20


@pytest.mark.parametrize("name", shipped_checkpoints())
def test_a_shipped_header_is_complete_and_equals_its_recipe(name):
    provenance = read_provenance(name)
    base, _, step = name.partition("@")
    recipe = RECIPES[base]
    assert provenance.name == name
    made = recipe_from(provenance.recipe)
    assert made.precision in ("float32", "bfloat16")
    assert made == replace(recipe, precision=made.precision)
    assert provenance.recipe == json.loads(json.dumps(made.as_dict()))  # no default is in it
    assert provenance.architecture == recipe.architecture
    assert provenance.hyperparameters == recipe.hyperparameters
    assert provenance.step == int(step or recipe.steps)
    assert provenance.step in (*recipe.snapshots, recipe.steps)
    empty = {field.name for field in fields(Provenance) if not getattr(provenance, field.name)}
    assert len(empty & {"psnr", "accuracy"}) == 1  # it has the one or the other
    assert empty <= {"psnr", "accuracy", "source"}
    assert {"srlab", "torch", "numpy"} <= provenance.versions.keys()
    assert provenance.history[-1]["step"] == provenance.step


@dataclass(frozen=True)
class LaterProvenance(Provenance):
    """As a later version may have it."""

    mood: str = "good"
    notes: list[str] = field(default_factory=list)


def test_a_new_field_with_a_default_leaves_all_files_readable(monkeypatch):
    monkeypatch.setattr("srlab.checkpoints.files.Provenance", LaterProvenance)
    later = {
        name: make_dataclass(name, [("mood", str, "good")], bases=(kind,), frozen=True)
        for name, kind in kinds.TYPES.items()
    }
    monkeypatch.setattr(kinds, "TYPES", later)
    for name in shipped_checkpoints():
        provenance = read_provenance(name)
        assert (provenance.mood, provenance.notes) == ("good", [])
        assert recipe_from(provenance.recipe).mood == "good"


def test_a_header_tells_what_is_not_by_default(path):
    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()["srlab"])
    assert header.keys() == {"name", "architecture", "hyperparameters", "step", "psnr"}


def test_a_file_is_a_network_by_itself(tmp_path):
    """Whatever it started from, without which it loads."""
    recipe = {"type": "Recipe", "architecture": "fsrcnn", "start": {"": "gone"}}
    made = replace(PROVENANCE, recipe=recipe)
    path = save_checkpoint(tmp_path / "heir.safetensors", model().state_dict(), made)
    assert load_checkpoint(path)[1] == made


RESTORING, CLASSIFYING = (
    [name for name in shipped_checkpoints() if getattr(read_provenance(name), metric)]
    for metric in ("psnr", "accuracy")
)


@REAL
@pytest.mark.parametrize("name", CLASSIFYING)
def test_the_accuracy_of_a_shipped_file_is_the_recorded_one(name):
    network, provenance = load_checkpoint(name)
    ((judged, recorded),) = provenance.accuracy.items()
    assert judged == RECIPES[name].validation_set
    measured = accuracy(network, labelled_images(judged))
    assert measured == pytest.approx(recorded, abs=0.002)


@pytest.mark.parametrize("name", RESTORING)
def test_the_psnr_of_a_shipped_file_is_the_recorded_one(name, photographs):
    network, provenance = load_checkpoint(name)
    measured = validation_psnr(network, photographs, network.scale)
    assert measured == pytest.approx(provenance.psnr["photographs"], abs=0.01)


@pytest.mark.parametrize("name", shipped_checkpoints())
def test_no_photograph_is_on_both_sides(name):
    """Pictures to judge on taught no network; their left halves a classifier of the right ones."""
    provenance = read_provenance(name)
    used = {one for sets in provenance.data for one in sets.split("+")}
    named = recipe_from(provenance.recipe).image_sets
    assert used == set(named)
    left = {one for one in used if one.endswith("-left")}
    assert all(IMAGE_SETS[one].trainable for one in used - left - {"cifar10-train"})
    if left:
        assert used == left
        right = "+".join(one.removesuffix("-left") + "-right" for one in named)
        assert provenance.accuracy.keys() == {right}
    assert not used & EMBEDDED.keys()


@pytest.mark.parametrize("name", [name for name in CLASSIFYING if "photographs" in name])
def test_a_classifier_of_photographs_saw_the_left_halves_that_its_header_names(name):
    pictures = Classification.lessons(RECIPES[name])
    task = Classification(RECIPES[name], on_device("cpu"))
    assert read_provenance(name).data == {"+".join(RECIPES[name].image_sets): task.digest}
    judged = labelled_images(RECIPES[name].validation_set)
    own = {patch.numpy().tobytes() for patch in pictures.images}
    assert not own & {patch.numpy().tobytes() for patch in judged.images}


@REAL
def test_the_training_pictures_are_those_the_headers_name():
    recorded = {
        sets: digest for name in RESTORING for sets, digest in read_provenance(name).data.items()
    }
    assert recorded
    for sets, digest in recorded.items():
        images = {
            f"{name}/{stem}": image
            for name in sets.split("+")
            for stem, image in load_images(name).items()
        }
        assert image_digest(images) == digest
