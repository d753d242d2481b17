import json
import tomllib
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from srlab.data.assets import IMAGE_SETS
from srlab.data.datasets import EMBEDDED
from srlab.models import build
from srlab.training import recipes
from srlab.training.recipes import RECIPES, Recipe, recipe, recipe_from

FOLDER = Path(recipes.__file__).parent


def differences(one, other):
    """Of two runs; in how many bits their files hold the weights is no part of a run."""
    ours, theirs = (asdict(replace(own, bits=16)) for own in (one, other))
    nested = {"hyperparameters", "space"}
    flat = {key for key in ours if key not in nested and ours[key] != theirs[key]}
    deep = {
        key for part in nested for key in ours[part] if ours[part][key] != theirs[part].get(key)
    }
    return flat | deep


def test_the_two_networks_of_the_first_finding_differ_in_the_global_residual_alone():
    assert differences(recipe("srresnet-gr"), recipe("srresnet-wogr")) == {"global_residual"}


def test_the_feature_skip_is_all_that_tells_the_third_network_from_the_one_without_a_skip():
    assert differences(recipe("srresnet-skip"), recipe("srresnet-wogr")) == {"long_skip"}


def test_srgan_on_noise_goes_on_from_what_was_trained_on_noise_and_is_alike_otherwise():
    for seed in ("", "-s1", "-s2"):
        noisy = recipe(f"srgan-noise{seed}")
        assert differences(recipe(f"srgan-gr{seed}"), noisy) == {
            "start",
            "noise_sigma",
            "noise_probability",
        }
        assert noisy.start == {"": f"srresnet-noise{seed}"}
        assert noisy.space == recipe("srresnet-noise").space


@pytest.mark.parametrize("seed", ["", "-s1", "-s2"])
@pytest.mark.parametrize(("kind", "absent"), [("blur", "noise_sigma"), ("noise", "blur_sigma")])
def test_faig_retrains_one_baseline_on_one_degradation_at_a_time(kind, absent, seed):
    names = [f"faig-on-{kind}{seed}"] + [
        f"faig-on-{kind}-only-{found}{seed}"
        for found in (
            *(f"{ranking}-{aim}" for ranking in ("faig", "influence") for aim in ("blur", "noise")),
            "change",
            "random",
        )
    ]
    runs = [recipe(name) for name in names]
    assert {run.start[""] for run in runs} == {f"faig-baseline{seed}"}
    assert {run.target for run in runs[1:]} == {f"faig-target{seed}"}
    both = recipe("faig-target").space
    for run in runs:
        assert getattr(run.space, absent) == (0, 0)
        assert getattr(run.space, f"{kind}_sigma") == getattr(both, f"{kind}_sigma")
        assert (run.steps, run.batch_size, run.lr_size) == (600, 8, 24)
    for run in runs[2:]:
        assert differences(runs[1], run) <= {"ranking", "purpose"}


@pytest.mark.parametrize("base", ["srresnet-gr", "srresnet-wogr"])
def test_runs_of_one_network_differ_in_the_seed_alone(base):
    for seed in (1, 2):
        assert differences(recipe(base), recipe(f"{base}-s{seed}")) == {"seed"}
        assert recipe(f"{base}-s{seed}").seed == seed


@pytest.mark.parametrize("name", list(RECIPES))
def test_every_recipe_can_be_built_and_written_down(name):
    known = RECIPES[name]
    model = build(known.architecture, **known.hyperparameters)
    assert getattr(model, "scale", known.space.scale) == known.space.scale  # classifiers have none
    assert recipe_from(json.loads(json.dumps(known.as_dict()))) == known


@pytest.mark.parametrize("name", list(RECIPES))
def test_no_recipe_learns_from_a_test_set(name):
    """Of pictures to judge on, classifiers of these have the left halves and no other part."""
    used, judged = set(RECIPES[name].image_sets), set(RECIPES[name].validation_set.split("+"))
    trainable = {one for one, image_set in IMAGE_SETS.items() if image_set.trainable}
    left = {f"{one}-left" for one in EMBEDDED}
    assert used
    assert used <= trainable | {"cifar10-train"} | left
    if used & left:
        assert judged == {one.removesuffix("-left") + "-right" for one in used}
    else:
        assert judged <= {"photographs", "cifar10-test"}


def test_no_two_tables_have_a_row_of_one_name():
    tables = [tomllib.loads(file.read_text("utf-8")) for file in FOLDER.glob("*.toml")]
    spaces = [name for table in tables for name in table.pop("spaces", ())]
    for names in (spaces, [name for table in tables for name in table]):
        assert len(names) == len(set(names))
    assert len(tables) == 4


def test_unknown_recipes_are_answered_with_the_known():
    with pytest.raises(ValueError, match="'srresnet'; srlab has srresnet-gr, "):
        recipe("srresnet")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps must be positive"),
        ({"batch_size": -1}, "batch_size must be positive"),
        ({"learning_rate": float("inf")}, "learning_rate must be positive"),
        ({"precision": "half"}, "precision is one of auto, float32, bfloat16, got 'half'"),
        ({"bits": 4}, "bits is one of 8, 16, got 4"),
        ({"snapshots": (6000,)}, "between 1 and 5999"),
    ],
)
def test_impossible_recipes_are_refused_when_they_are_made(settings, message):
    with pytest.raises(ValueError, match=message):
        replace(recipe("srresnet-gr"), **settings)


def test_a_classifier_learns_with_a_known_optimizer():
    with pytest.raises(ValueError, match="optimizer is one of adam, sgd, got 'lion'"):
        replace(recipe("rcan-cifar10"), optimizer="lion")


def test_a_recipe_is_a_value():
    assert Recipe("srcnn") == Recipe("srcnn")
    assert Recipe("srcnn").seeded(3) == replace(Recipe("srcnn"), seed=3)


def test_any_further_seed_of_a_recipe_that_starts_anew_has_a_name():
    assert recipe("srresnet-gr-s7") == replace(RECIPES["srresnet-gr"], seed=7)
    assert recipe("srresnet-gr-s2") == RECIPES["srresnet-gr-s2"]
    for name in ("faig-target-s7", "srresnet-gr-s", "srresnet-gr-sx", "nonsense-s3"):
        with pytest.raises(ValueError, match=f"unknown recipe '{name}'"):
            recipe(name)
