import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
import tqdm.auto

from srlab import devices
from srlab.checkpoints.files import load_checkpoint
from srlab.data.datasets import PatchSampler, load_images
from srlab.degradations import DegradationSpace
from srlab.training import supervised
from srlab.training.fit import fit
from srlab.training.initial import initial_model
from srlab.training.losses import pixel_loss
from srlab.training.processes import on_device
from srlab.training.recipes import Recipe
from srlab.training.ship import ship
from srlab.training.supervised import validation_psnr

TINY = Recipe(
    "srresnet",
    {"scale": 2, "channels": 8, "num_blocks": 2},
    space=DegradationSpace(scale=2, noise_sigma=(0.0, 0.1)),
    lr_size=8,
    batch_size=2,
    steps=20,
    learning_rate=1e-3,
    precision="float32",
    snapshots=(8,),
)
# The same run in a process of its own, killed for good at step 8 or in the middle of a save.
KILLED = """
import os, signal, sys
import torch
import tqdm.auto
from pathlib import Path
from test_training import TINY, photographs, train

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def kill_in_the_middle(content, path):
    Path(path).write_bytes(b"half a file")
    kill()

folder, moment = sys.argv[1:]
if moment == "while saving":
    save, saves = torch.save, []
    def save_twice(content, path):
        saves.append(path)
        (save if len(saves) < 3 else kill_in_the_middle)(content, path)
    torch.save = save_twice
train(folder=folder, watch=kill if moment == "while training" else None)
"""


def photographs():
    return load_images("photographs", limit=1)


def train(recipe=TINY, **settings):
    pictures = photographs()
    chosen = {"images": pictures, "validation": pictures, "save_every": 3, "progress": False}
    return fit(recipe, device="cpu", **{**chosen, **settings})


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.fixture(scope="module")
def run():
    """The whole run, never interrupted."""
    return train()


def interrupt(*_):
    raise KeyboardInterrupt


@pytest.fixture
def one_thread():
    """Processor time counts the waiting of idle threads too; one thread does not wait."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
def test_it_learns_one_patch_by_heart_in_five_seconds():
    on_device("cpu")  # loads once what every training needs
    start = time.process_time()
    picture = load_images("photographs", limit=1)["astronaut"][:, 100:124, 200:224]
    recipe = replace(
        TINY,
        hyperparameters={"scale": 2, "channels": 16, "num_blocks": 2},
        space=DegradationSpace(scale=2),
        batch_size=8,
        steps=250,
        learning_rate=1e-2,
        snapshots=(1,),
    )
    assert PatchSampler([picture], space=recipe.space, lr_size=8, batch_size=8, seed=0).size == 24
    history = train(recipe, images={"one": picture}, save_every=1000).history
    assert history[-1]["loss"] < 0.02 < 0.05 * history[0]["loss"]
    assert time.process_time() - start < 5


def test_a_run_keeps_its_snapshots_and_curves(run):
    assert list(run.weights) == [8, 20]
    assert [row["step"] for row in run.history] == [3, 6, 8, 9, 12, 15, 18, 20]
    assert not same(run.weights[8], run.weights[20])
    assert run.seconds > 0
    assert not run.model().training
    assert same(dict(run.model(8).state_dict()), run.weights[8])
    measured = validation_psnr(run.model(), photographs(), 2)
    assert measured == pytest.approx(run.history[-1]["psnr"], abs=1e-3)


def test_the_seed_decides_every_weight(run):
    assert same(train().weights[20], run.weights[20])
    assert not same(train(TINY.seeded(1)).weights[20], run.weights[20])
    first, other = (dict(initial_model(recipe).state_dict()) for recipe in (TINY, TINY.seeded(1)))
    assert not same(first, other)


def test_a_run_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    initial_model(TINY)
    assert torch.equal(torch.rand(3), expected)


def test_how_often_it_saves_changes_no_weight(run):
    assert same(train(save_every=7).weights[20], run.weights[20])


def test_the_record_says_in_which_precision_a_run_was_made(run, monkeypatch):
    auto = replace(TINY, precision="auto", steps=2, snapshots=())
    for fast, precision in [(False, "float32"), (True, "bfloat16")]:
        monkeypatch.setattr(devices, "half_precision", lambda _, fast=fast: fast)
        assert train(auto).recipe == replace(auto, precision=precision, image_sets=())
    assert run.recipe.precision == TINY.precision


@pytest.mark.parametrize("half", [False, True])
def test_a_resumed_run_keeps_its_precision_on_any_machine(tmp_path, monkeypatch, half):
    auto = replace(TINY, precision="auto", steps=8, snapshots=(5,))
    monkeypatch.setattr(devices, "half_precision", lambda _: half)
    with pytest.raises(KeyboardInterrupt):
        train(auto, folder=tmp_path, watch=interrupt)
    monkeypatch.setattr(devices, "half_precision", lambda _: not half)
    assert train(auto, folder=tmp_path).recipe.precision == ("bfloat16" if half else "float32")


def test_half_precision_trains_too(run):
    other = train(replace(TINY, precision="bfloat16"))
    assert all(tensor.dtype == torch.float32 for tensor in other.weights[20].values())
    assert not same(other.weights[20], run.weights[20])


@pytest.mark.parametrize("steps", [1, 2, 3, 10])
def test_very_short_runs_are_runs(steps):
    assert list(train(replace(TINY, steps=steps, snapshots=())).weights) == [steps]


@pytest.mark.parametrize(("moment", "saved"), [("while training", 6), ("while saving", 6)])
def test_a_killed_run_resumes_to_the_same_weights_bit_for_bit(
    run, tmp_path, monkeypatch, moment, saved
):
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "OMP_NUM_THREADS": str(torch.get_num_threads()),
    }
    child = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), moment], env=environment, check=False
    )
    assert child.returncode == -signal.SIGKILL
    assert torch.load(tmp_path / "state.pt")["step"] == saved
    assert bool([*tmp_path.glob(".state-*.pt")]) == (moment == "while saving")  # the half file
    steps = []
    batch = PatchSampler.batch

    def watched(sampler, step, device):
        steps.append(step)
        return batch(sampler, step, device)

    monkeypatch.setattr(PatchSampler, "batch", watched)
    resumed = train(folder=tmp_path)
    assert steps == list(range(saved, 20))  # not from the start
    for step in (8, 20):
        assert same(resumed.weights[step], run.weights[step])
    assert resumed.history == run.history


def test_an_interrupted_run_loses_at_most_one_interval(run, tmp_path, monkeypatch):
    closed = []

    class Bar(tqdm.auto.tqdm):
        def close(self):
            closed.append(self.n)
            super().close()

    monkeypatch.setattr(tqdm.auto, "tqdm", Bar)
    with pytest.raises(KeyboardInterrupt):
        train(folder=tmp_path, watch=interrupt, progress=True)
    assert closed[0] == 8
    assert torch.load(tmp_path / "state.pt")["step"] == 6
    assert same(train(folder=tmp_path).weights[20], run.weights[20])


def test_a_finished_run_is_not_run_again(tmp_path, monkeypatch):
    first = train(folder=tmp_path)
    monkeypatch.setattr(PatchSampler, "batch", interrupt)
    again = train(folder=tmp_path)
    assert same(again.weights[20], first.weights[20])
    assert (again.history, again.seconds) == (first.history, first.seconds)


def test_two_runs_in_one_folder_are_refused(run, tmp_path):
    refused = []

    def again(step, _model):
        with pytest.raises(OSError, match="another training is running in"):
            train(folder=tmp_path)
        refused.append(step)

    first = train(folder=tmp_path, watch=again)
    assert refused
    assert same(first.weights[20], run.weights[20])


@pytest.mark.parametrize("damage", ["cut", "text", "foreign", "empty"])
def test_a_damaged_state_is_named(tmp_path, damage):
    train(replace(TINY, steps=3, snapshots=()), folder=tmp_path)
    state = tmp_path / "state.pt"
    if damage == "foreign":
        torch.save({"weights": torch.zeros(3)}, state)
    else:
        whole = state.read_bytes()
        state.write_bytes({"cut": whole[: len(whole) // 2], "text": b"hello", "empty": b""}[damage])
    with pytest.raises(ValueError, match=r"state\.pt is damaged or no state of a run; delete it"):
        train(replace(TINY, steps=3, snapshots=()), folder=tmp_path)


def test_a_state_of_another_run_is_refused(tmp_path):
    short = replace(TINY, steps=3, snapshots=())
    train(short, folder=tmp_path)
    with pytest.raises(ValueError, match="another recipe or other data"):
        train(short.seeded(1), folder=tmp_path)
    with pytest.raises(ValueError, match="another recipe or other data"):
        train(short, folder=tmp_path, images=load_images("textures"))


def test_a_state_of_another_version_is_named(tmp_path):
    short = replace(TINY, steps=3, snapshots=())
    train(short, folder=tmp_path)
    saved = torch.load(tmp_path / "state.pt")
    *_, schedule = saved["parts"]
    schedule.pop("lr_lambdas")  # as torch's own cycle leaves it
    torch.save(saved, tmp_path / "state.pt")
    with pytest.raises(ValueError, match="another version of srlab; finish the run with that one"):
        train(short, folder=tmp_path)


def test_a_device_without_memory_for_the_state_says_so(tmp_path, monkeypatch):
    short = replace(TINY, steps=3, snapshots=())
    train(short, folder=tmp_path)

    def full(*_):
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr("torch.optim.Adam.load_state_dict", full)
    with pytest.raises(torch.OutOfMemoryError, match="out of memory"):
        train(short, folder=tmp_path)


def test_a_folder_that_cannot_be_written_is_refused_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(PatchSampler, "batch", interrupt)
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below", "/proc/srlab"):
        with pytest.raises(OSError, match=f"cannot write to {folder}"):
            train(folder=folder)


def test_what_cannot_be_trained_is_refused(monkeypatch):
    with pytest.raises(ValueError, match="does not fit"):
        train(images={"small": torch.rand(3, 12, 12)})
    with pytest.raises(ValueError, match="×2 network cannot learn from ×4 pairs"):
        train(replace(TINY, space=DegradationSpace(scale=4)))
    monkeypatch.setattr(supervised, "pixel_loss", lambda sr, hr: pixel_loss(sr, hr) * torch.nan)
    with pytest.raises(FloatingPointError, match="became nan by step 3; lower learning_rate"):
        train()


def test_a_run_on_given_images_does_not_claim_the_sets_of_its_recipe(run):
    assert run.recipe.image_sets == ()
    assert list(run.data) == ["given"]


def test_watchers_see_the_network_in_eval_mode():
    seen = []
    train(watch=lambda step, model: seen.append((step, model.training)))
    assert seen == [(8, False), (20, False)]


def test_the_pixel_loss_is_the_mean_absolute_difference():
    sr, hr = torch.rand(2, 3, 4, 4), torch.rand(2, 3, 4, 4)
    assert pixel_loss(sr, hr).item() == pytest.approx((sr - hr).abs().mean().item())


def test_shipped_files_tell_how_they_were_made(run, tmp_path):
    paths = ship("tiny", run, tmp_path, steps=(8,))
    assert [path.name for path in paths] == ["tiny@8.safetensors", "tiny.safetensors"]
    for path, step in zip(paths, (8, 20), strict=True):
        model, provenance = load_checkpoint(path)
        empty = [key for key, value in vars(provenance).items() if value in ("", 0, {}, [])]
        assert empty == ["accuracy", "source"]
        assert provenance.name == path.stem
        assert (provenance.step, provenance.history[-1]["step"]) == (step, step)
        assert provenance.data == run.data
        measured = validation_psnr(model, load_images("photographs"), 2)
        assert measured == pytest.approx(provenance.psnr["photographs"], abs=2e-3)
