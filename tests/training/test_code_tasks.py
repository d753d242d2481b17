"""Training of codes: ReDSR's and DASR's tasks, exact resume, curves, and what each part is for."""

from dataclasses import asdict, replace

import pytest
import torch
from lightning_fabric import Fabric

from srlab.data.datasets import load_images
from srlab.degradations import DegradationSpace
from srlab.training.fit import TASKS, fit
from srlab.training.initial import initial_model
from srlab.training.recipes import RECIPES, recipe
from srlab.training.recipes.kinds import ContrastiveRecipe, RedegradationRecipe

TINY = {"scale": 2, "channels": 4, "num_groups": 1, "num_blocks": 1, "encoder_channels": 4}
TERMS = {
    "space": DegradationSpace(scale=2, blur_sigma=(0.2, 2.0), kernel_size=7),
    "lr_size": 16,
    "restored_size": 8,
    "batch_size": 2,
    "steps": 6,
    "learning_rate": 1e-3,
    "precision": "float32",
}
REDSR = RedegradationRecipe(
    "redsr",
    {**TINY, "code": 5},
    energy_weight=0.01,
    prior_rise=4,
    degrader_channels=4,
    degrader_blocks=1,
    **TERMS,
)
DASR = ContrastiveRecipe("dasr", {**TINY, "code": 5}, pretraining=2, queue=6, **TERMS)
ORACLE = replace(
    REDSR,
    hyperparameters={**REDSR.hyperparameters, "oracle": True},
    redegradation_weight=0.0,
    energy_weight=0.0,
)


def pictures():
    return load_images("photographs", limit=2)


def run(given, **settings):
    data = {"images": pictures(), "validation": pictures()}
    return fit(given, device="cpu", progress=False, **{"save_every": 3, **data, **settings})


def task(given):
    return TASKS[type(given)](given, Fabric(accelerator="cpu", devices=1), pictures())


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("given", [REDSR, DASR, ORACLE, replace(DASR, energy_weight=0.1)])
def test_codes_learn_and_resume_to_the_same_weights(given, tmp_path):
    def stop(_step, _model):
        raise KeyboardInterrupt

    whole = run(given)
    begun = replace(given, snapshots=(4,))
    with pytest.raises(KeyboardInterrupt):
        run(begun, folder=tmp_path, watch=stop)  # after step 4; the state is that of step 3
    resumed = run(begun, folder=tmp_path)
    assert same(resumed.weights[6], whole.weights[6])
    begin, end = dict(initial_model(given).state_dict()), whole.weights[6]
    for part in ("encoder", "tail"):
        assert any(not torch.equal(begin[key], end[key]) for key in end if key.startswith(part))
    assert all(tensor.isfinite().all() for tensor in end.values())


def test_the_history_has_a_curve_of_every_loss():
    curves = [set(row) - {"step", "loss", "psnr"} for row in run(REDSR).history]
    assert curves == [{"redegradation", "energy", "reconstruction"}] * 2
    late = [set(row) - {"step", "loss", "psnr"} for row in run(DASR, save_every=2).history]
    assert late == [{"contrast"}] + [{"contrast", "reconstruction"}] * 2
    kl = replace(REDSR, energy_weight=0.0, divergence_weight=0.1)
    assert "divergence" in run(kl).history[-1]
    assert set(run(ORACLE).history[-1]) == {"step", "loss", "psnr", "reconstruction"}


def test_the_loss_is_the_weighted_sum_and_the_prior_rises():
    run = task(replace(REDSR, modulated=False))
    for step, share in ((1, 0.25), (2, 0.5), (5, 1.0)):
        loss, parts = run.update(step), run.losses
        expected = parts["redegradation"] + parts["reconstruction"]
        torch.testing.assert_close(loss, expected + 0.01 * share * parts["energy"])


def test_a_generator_waits_while_contrast_is_trained_alone():
    run = task(DASR)
    before = {name: value.clone() for name, value in run.model.state_dict().items()}
    run.update(1)
    after = run.model.state_dict()
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"encoder"}


def test_pictures_smaller_than_a_crop_are_left_out():
    images = pictures() | {"tiny": torch.zeros(3, 20, 20)}
    kept = TASKS[RedegradationRecipe](REDSR, Fabric(accelerator="cpu", devices=1), images)
    assert len(kept.sampler.pictures) == 2


def test_the_models_of_the_table_differ_in_their_losses_alone():
    changed = {"redegradation_weight", "energy_weight", "divergence_weight", "prior"}
    changed |= {"modulated", "prior_rise"}
    whole = asdict(RECIPES["redsr-8"])
    for number in range(1, 8):
        other = asdict(RECIPES[f"redsr-{number}"])
        assert {key for key in whole if whole[key] != other[key]} <= changed
        assert not other["modulated"]
    assert not RECIPES["redsr-1"].redegradation_weight
    assert not RECIPES["redsr-1"].energy_weight
    assert RECIPES["redsr-9"].hyperparameters["oracle"]


@pytest.mark.parametrize("size", [0, 50, 23])
def test_the_restored_middle_must_fit(size):
    with pytest.raises(ValueError, match="restored_size is at most lr_size, 48"):
        replace(recipe("redsr-8"), restored_size=size)
