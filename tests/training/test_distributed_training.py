"""Two processes train as one does. They are started once, and the laws read what they left."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest
import test_code_tasks as codes
import test_tasks as tasks
import torch
import typer
from lightning_fabric import Fabric
from test_training import TINY
from torch import Tensor

from srlab import cli
from srlab.checkpoints.files import read_checkpoint
from srlab.data.datasets import load_images
from srlab.models import build
from srlab.training import adversarial, supervised
from srlab.training.fit import Fit, fit
from srlab.training.processes import processes
from srlab.training.recipes import RECIPES, Recipe
from srlab.training.recipes.kinds import ClassificationRecipe
from srlab.training.share import share_size
from srlab.training.state import RunState

EVERY_TASK: dict[str, Recipe] = {
    name: replace(recipe, batch_size=4, steps=20 if name == "supervised" else 8, snapshots=())
    for name, recipe in {
        "supervised": TINY,
        "adversarial": tasks.GAN,
        "unpaired": tasks.CYCLES,
        # with batch normalization; at higher rates rounding errors grow a hundredfold in a step
        "classification": replace(tasks.CLASSES, learning_rate=3e-5),
        "redegradation": replace(codes.REDSR, divergence_weight=0.1),
        "resting": codes.ORACLE,  # nothing uses its degrader
        # with a queue and batch normalization
        "contrastive": replace(codes.DASR, energy_weight=0.1, learning_rate=1e-4),
    }.items()
}
TOLD = replace(TINY, image_sets=("photographs",))  # what the command line is told to train
CONSOLE_SCRIPT = """#!{python}
import sys
from test_distributed_training import run_in_both
sys.exit(run_in_both())
"""


def trained(recipe: Recipe, fabric: Fabric | None = None) -> Fit:
    """A run that remembers the losses of every step."""
    torch.manual_seed(0)
    judge = build("resnet18", channels=8).eval()
    images: Any = load_images("photographs", limit=1)
    settings = {"images": images, "validation": images, "progress": False, "save_every": 1}
    if isinstance(recipe, ClassificationRecipe):
        settings |= {"images": tasks.two_classes(), "validation": tasks.two_classes(10)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adversarial, "load_checkpoint", lambda _name: (judge, None))
        return fit(recipe, fabric=fabric, device="cpu", **settings)


def spoilt_later(loss: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The loss as it is for 10 steps, then no number."""
    factors = chain(repeat(1.0, 10), repeat(torch.nan))
    return lambda sr, hr: next(factors) * loss(sr, hr)


def run_in_both() -> None:
    """What each of the two processes does, in the folder that it was started in."""
    RECIPES["told"] = TOLD
    save = RunState.save

    def watched(state: RunState, parts: Any) -> None:
        Path(f"writers-{fabric.global_rank}").write_text(f"{state.path is not None}")
        save(state, parts)

    RunState.save = watched
    command = ["train", "told", "--device", "cpu", "--devices", "2", "--folder"]
    with processes(TINY, device="cpu", devices=2) as fabric:
        for name, recipe in EVERY_TASK.items():
            with processes(recipe, device="cpu", devices=2) as own:
                left = trained(recipe, own)
            torch.save((left.history, left.weights), f"{name}-{fabric.global_rank}.pt")
        Path(f"threads-{fabric.global_rank}").write_text(f"{torch.get_num_threads()}")
        with pytest.raises(SystemExit, match="0"):
            cli.main([*command, "begun-by-one"])
        supervised.pixel_loss = spoilt_later(supervised.pixel_loss)
        cli.main([*command, "begun-by-two"])


def alone(folder: Path | None = None, **settings: Any) -> Fit:
    """What the command line trains, in this process."""
    return fit(TOLD, folder=folder, device="cpu", progress=False, **settings)


@cache
def never_interrupted() -> Fit:
    return alone()


def interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(folder, how it ended) of the two processes, begun as a console script is."""
    folder = tmp_path_factory.mktemp("both")
    with pytest.raises(KeyboardInterrupt):
        alone(folder / "begun-by-one", watch=interrupt, save_every=6)
    command = folder / "bin" / "command"
    command.parent.mkdir()
    command.write_text(CONSOLE_SCRIPT.format(python=sys.executable))
    command.chmod(0o755)
    environment = {key: value for key, value in os.environ.items() if "_NUM_THREADS" not in key}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    environment["PATH"] = os.pathsep.join([str(command.parent), environment["PATH"]])
    ran = subprocess.run(
        ["command"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    return folder, ran


@pytest.mark.parametrize("name", EVERY_TASK)
def test_the_same_batch_gives_the_same_losses_as_in_one_process(both, name):
    history, weights = torch.load(both[0] / f"{name}-0.pt")
    expected = trained(EVERY_TASK[name])
    assert len(history) == len(expected.history) == EVERY_TASK[name].steps
    for found, row in zip(history, expected.history, strict=True):
        assert found.keys() == row.keys()
        for key, value in row.items():
            assert found[key] == pytest.approx(value, abs=1e-5, rel=1e-5), key
    other_history, other_weights = torch.load(both[0] / f"{name}-1.pt")
    assert history == other_history
    (own,), (other,) = weights.values(), other_weights.values()
    assert all(torch.equal(tensor, other[key]) for key, tensor in own.items())


def test_two_processes_go_on_with_the_run_of_one(both):
    folder = both[0] / "begun-by-one"
    assert sorted(path.name for path in folder.iterdir()) == [
        "lock",
        "state.pt",
        "told.safetensors",
        "told@8.safetensors",
    ]
    made = read_checkpoint(folder / "told.safetensors")[1]
    assert made.hardware.startswith("2 × ")
    last = never_interrupted().history[-1]
    assert made.history[-1]["loss"] == pytest.approx(last["loss"], abs=2e-5)
    assert both[1].stdout.count("told.safetensors") == 1
    assert [(both[0] / f"writers-{rank}").read_text() for rank in (0, 1)] == ["True", "False"]


def test_one_process_goes_on_with_the_run_of_two(both):
    steps = []
    resumed = alone(both[0] / "begun-by-two", watch=lambda step, _: steps.append(step))
    assert steps == [20]  # the snapshot of step 8 was there
    expected = never_interrupted()
    for key, tensor in expected.weights[20].items():
        torch.testing.assert_close(resumed.weights[20][key], tensor, atol=1e-5, rtol=0)


def test_an_error_of_all_is_told_once_and_ends_all(both):
    _folder, ran = both
    assert ran.returncode == 1, ran.stderr
    assert ran.stderr.count("the loss became nan by step 20") == 1
    assert "Traceback" not in ran.stderr


def test_threads_are_shared(both):
    bound = max(1, len(os.sched_getaffinity(0)) // 2)
    assert {(both[0] / f"threads-{rank}").read_text() for rank in (0, 1)} == {f"{bound}"}


def test_the_slurm_file_starts_a_process_for_each_gpu(tmp_path):
    file = Path(__file__).parents[2] / "book" / "_static" / "train_on_slurm.sbatch"
    asked = dict(re.findall(r"^#SBATCH --([a-z-]+)=(\S+)$", file.read_text("utf-8"), re.MULTILINE))
    assert asked["ntasks-per-node"] == asked["gpus-per-node"]
    (tmp_path / "srun").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "srun").chmod(0o755)
    slurm = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "SLURM_CPUS_PER_TASK": asked["cpus-per-task"],
        "SLURM_NTASKS_PER_NODE": asked["ntasks-per-node"],
        "SLURM_JOB_NUM_NODES": asked["nodes"],
    }
    subprocess.run(["bash", "-n", file], check=True)
    for name in (name for name in RECIPES if name.endswith("-paper")):
        told = subprocess.run(
            ["bash", file, name], env=slurm, capture_output=True, text=True, check=True
        )
        kill, *command = told.stdout.splitlines()
        assert (kill, command[:2]) == ("--kill-on-bad-exit=1", ["srlab", "train"])
        train = typer.main.get_command(cli.app).commands["train"]
        given = train.make_context("train", command[2:]).params
        assert (given["name"], given["devices"], given["nodes"]) == (name, 8, 1)
        assert share_size(RECIPES[name].batch_size, given["devices"] * given["nodes"])


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"devices": 0}, "1 or more"),
        ({"devices": 3}, "a batch of 2 cannot be shared equally by 3 processes"),
        ({"devices": 2, "strategy": "fsdp"}, 'strategy is "ddp"'),
        ({"devices": 2, "device": "cuda:1"}, "cuda:1 is one device; for 2 of them say cuda"),
        ({"device": "abacus"}, "cannot train on abacus here"),
    ],
)
def test_what_cannot_be_started_is_refused(settings, why):
    with pytest.raises(ValueError, match=why), processes(TINY, **settings):
        pass
