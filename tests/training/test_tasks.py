"""The tasks beyond plain super-resolution: adversarial, unpaired, classification, guided."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from srlab.attribution.faig import filter_count
from srlab.checkpoints.files import Provenance, read_checkpoint, save_checkpoint
from srlab.data.datasets import load_images
from srlab.data.labelled import LabelledImages
from srlab.degradations import DegradationSpace
from srlab.models import build
from srlab.training import adversarial, filters
from srlab.training.classification import accuracy
from srlab.training.fit import fit
from srlab.training.initial import initial_model
from srlab.training.losses import (
    PerceptualLoss,
    adversarial_loss,
    pixel_loss,
    total_variation,
)
from srlab.training.recipes import RECIPES
from srlab.training.recipes.kinds import (
    RANKINGS,
    AdversarialRecipe,
    ClassificationRecipe,
    DiffusionRecipe,
    FilterRecipe,
    Recipe,
    UnpairedRecipe,
)
from srlab.training.ship import ship

SMALL = {"scale": 2, "channels": 6, "num_blocks": 1}
SHORT = {"lr_size": 8, "batch_size": 2, "steps": 6, "learning_rate": 1e-3, "precision": "float32"}
SPACE = DegradationSpace(scale=2, noise_sigma=(0.05, 0.1))
GAN = AdversarialRecipe("srresnet", SMALL, space=SPACE, critic_channels=4, **SHORT)
CYCLES = UnpairedRecipe(
    "cincgan",
    {**SMALL, "inner_blocks": 1},
    space=SPACE,
    partner_channels=4,
    **{**SHORT, "lr_size": 16},
)
DIFFUSION = DiffusionRecipe("resshift", SMALL, space=SPACE, **SHORT)
CLASSES = ClassificationRecipe(
    "resnet18", {"num_classes": 2, "channels": 8}, precision="float32", batch_size=16, steps=30
)


@pytest.fixture(autouse=True)
def _judge(monkeypatch):
    """A classifier that needs no file."""
    torch.manual_seed(0)
    judge = build("resnet18", channels=8).eval()
    monkeypatch.setattr(adversarial, "load_checkpoint", lambda _name: (judge, None))


def pictures():
    return load_images("photographs", limit=1)


def two_classes(count=40):
    """Dark and bright noise: a classifier that learns at all tells them apart."""
    torch.manual_seed(1)
    labels = torch.arange(count) % 2
    images = torch.rand(count, 3, 32, 32) * 0.4 + 0.5 * labels[:, None, None, None]
    return LabelledImages((images * 255).to(torch.uint8), labels, ("dark", "bright"))


def run(recipe, **settings):
    data = {"images": pictures(), "validation": pictures()}
    if isinstance(recipe, ClassificationRecipe):
        data = {"images": two_classes(), "validation": two_classes(10)}
    return fit(recipe, device="cpu", progress=False, save_every=3, **{**data, **settings})


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("recipe", [GAN, CYCLES, DIFFUSION, replace(CLASSES, steps=6)])
def test_every_task_learns_and_resumes_to_the_same_weights(recipe, tmp_path):
    def stop(_step, _model):
        raise KeyboardInterrupt

    whole = run(recipe)
    begun = replace(recipe, snapshots=(4,))
    with pytest.raises(KeyboardInterrupt):
        run(begun, folder=tmp_path, watch=stop)  # after step 4; the state is that of step 3
    resumed = run(begun, folder=tmp_path)
    assert same(resumed.weights[6], whole.weights[6])
    assert not same(whole.weights[6], dict(initial_model(recipe).state_dict()))
    assert all(tensor.isfinite().all() for tensor in whole.weights[6].values())


def test_a_classifier_learns_what_is_easy():
    result = run(CLASSES)
    assert result.history[-1]["accuracy"] == 1
    assert accuracy(result.model(), two_classes(20)) == 1


def test_accuracy_is_the_share_of_right_answers():
    class Bright(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))

        def forward(self, images):
            mean = images.mean(dim=(1, 2, 3))
            return torch.stack([0.4 - mean, mean - 0.4], dim=1) * self.scale

    data = two_classes(10)
    assert accuracy(Bright(), data) == 1
    assert accuracy(Bright(), replace(data, labels=1 - data.labels)) == 0


def test_a_shipped_classifier_tells_its_accuracy(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "srlab.training.classification.labelled_images", lambda *_, **__: two_classes(10)
    )
    provenance = read_checkpoint(ship("easy", run(CLASSES), tmp_path)[0])[1]
    assert provenance.accuracy == {"cifar10-test": 1.0}
    assert provenance.psnr == {}


def test_the_average_lags_behind_the_generator():
    still, moving = (run(replace(GAN, average=keep, snapshots=(1,))) for keep in (1.0, 0.0))
    assert same(still.weights[6], moving.weights[1])  # it begins with the first step
    assert not same(still.weights[6], moving.weights[6])


def test_the_critic_decides_where_the_generator_goes():
    calm = run(replace(GAN, adversarial_weight=0.0))
    assert not same(run(GAN).weights[6], calm.weights[6])


def test_a_run_starts_from_the_checkpoints_it_names():
    recipe = RECIPES["srresnet-guided"]
    model, guide = initial_model(recipe), read_checkpoint("srresnet-gr")[0]
    assert torch.equal(model.guide.body[3].conv1.weight, guide["body.3.conv1.weight"])
    assert not torch.equal(model.network.body[3].conv1.weight, guide["body.3.conv1.weight"])
    whole = initial_model(RECIPES["srgan-wogr-s1"]).state_dict()
    assert same(dict(whole), read_checkpoint("srresnet-wogr-s1")[0])


def test_the_guide_stays_as_it_was():
    recipe = Recipe(
        "guided-srresnet", {**SMALL, "guide_channels": 4, "guide_blocks": 1}, space=SPACE, **SHORT
    )
    before, after = initial_model(recipe).state_dict(), run(recipe).weights[6]
    kept = {key for key in before if torch.equal(before[key], after[key])}
    assert kept == {key for key in before if key.startswith("guide.")}


def test_the_adversarial_loss_is_log_two_for_an_undecided_critic():
    logits = torch.zeros(2, 1, 3, 3)
    for real in (True, False):
        assert adversarial_loss(logits, real=real).item() == pytest.approx(0.693147, rel=1e-5)
    assert adversarial_loss(logits + 9, real=True) < 1e-3 < adversarial_loss(logits + 9, real=False)


def test_total_variation_of_a_ramp_is_its_slope():
    ramp = torch.arange(8.0)[None, None, None, :].expand(1, 3, 8, 8)
    assert total_variation(ramp).item() == pytest.approx(1.0)
    assert total_variation(torch.ones(1, 3, 4, 4)) == 0


def test_the_perceptual_loss_is_zero_for_equal_pictures_and_reaches_only_the_first():
    loss = PerceptualLoss(build("resnet18", channels=8), ["conv2_x", "conv3_x"])
    hr = torch.rand(2, 3, 32, 32)
    assert loss(hr, hr).item() == pytest.approx(0, abs=1e-6)
    sr, hr = torch.rand(2, 3, 32, 32, requires_grad=True), hr.requires_grad_()
    loss(sr, hr).backward()
    assert sr.grad.abs().sum() > 0
    assert hr.grad is None
    assert not loss.network.head[0]._forward_hooks
    assert loss(sr, hr) > loss((sr + 9 * hr) / 10, hr)
    assert pixel_loss(sr, hr) > 0


FILTERS = FilterRecipe(
    "srresnet",
    {**SMALL, "num_blocks": 2},
    space=DegradationSpace(
        scale=2, blur_sigma=(2.0, 2.0), blur_probability=0.5, noise_sigma=(0.1, 0.1)
    ),
    fraction=0.05,
    examples=2,
    **SHORT,
)


@pytest.fixture
def target(tmp_path, monkeypatch):
    """A recipe whose target is another small network, kept in a file."""
    monkeypatch.setattr(filters, "SIDE", 32)
    torch.manual_seed(1)
    weights = build("srresnet", **FILTERS.hyperparameters).state_dict()
    recipe = Recipe("srresnet", FILTERS.hyperparameters, space=FILTERS.space).as_dict()
    provenance = Provenance("target", "srresnet", FILTERS.hyperparameters, recipe)
    path = save_checkpoint(tmp_path / "target.safetensors", weights, provenance)
    return replace(FILTERS, target=str(path))


@pytest.mark.parametrize("ranking", RANKINGS)
def test_only_the_chosen_filters_are_trained(target, ranking):
    recipe = replace(target, ranking=ranking)
    before, after = initial_model(recipe).state_dict(), run(recipe).weights[6]
    masks = filters.chosen_filters(recipe, pictures())
    moved = {key: (before[key] != after[key]) for key in before}
    total = sum(mask.numel() for mask in masks.values())
    assert filter_count(masks) == round(0.05 * total)
    for name, mask in masks.items():
        assert torch.equal(moved[f"{name}.weight"].flatten(2).any(dim=2), mask)
    assert not any(moved[key].any() for key in moved if key.endswith("bias"))


@pytest.mark.parametrize("ranking", RANKINGS)
def test_filters_are_found_on_what_the_target_was_trained_on_whatever_they_are_trained_on(
    target, ranking
):
    both = replace(target, ranking=ranking)
    alone = replace(both, space=DegradationSpace(scale=2, blur_sigma=(2.0, 2.0)))
    found = [filters.chosen_filters(recipe, pictures()) for recipe in (both, alone)]
    assert all(torch.equal(found[0][name], mask) for name, mask in found[1].items())
    weights = [run(recipe).weights[6] for recipe in (both, alone)]
    assert any(not torch.equal(weights[0][key], weight) for key, weight in weights[1].items())


def test_rankings_and_purposes_are_named():
    with pytest.raises(
        ValueError, match="ranking is one of faig, influence, change, random, got 'best'"
    ):
        replace(FILTERS, ranking="best")
    with pytest.raises(ValueError, match="purpose is one of blur, noise, got 'rain'"):
        replace(FILTERS, purpose="rain")
