import pytest

from srlab.checkpoints.files import read_provenance
from srlab.models import build
from srlab.networks.state_dicts import CheckpointError
from srlab.studies import networks as obtain
from srlab.studies.networks import (
    left_out,
    obtainable,
    obtainable_places,
    shipped_steps,
    subject_classifiers,
    tuned,
    tuned_along,
)


def test_only_what_is_shipped_can_be_had_without_training():
    assert obtainable(["srresnet-gr", "nowhere", "fsrcnn"]) == ["srresnet-gr", "fsrcnn"]
    assert obtainable(["srresnet-gr", "srcnn-3"], train=True) == ["srresnet-gr", "srcnn-3"]
    with pytest.raises(CheckpointError, match=r"none of nowhere is shipped; `srlab train"):
        obtainable(["nowhere"])
    with pytest.raises(CheckpointError, match="no names"):
        obtainable([])


def test_places_keep_what_is_shipped_and_the_rest_is_named():
    wanted = {1: "srresnet-gr", 2: "nowhere", 3: "neither", 4: "fsrcnn"}
    found, missing = obtainable_places(wanted)
    assert found == {1: "srresnet-gr", 4: "fsrcnn"}
    assert missing == ["nowhere", "neither"]
    assert obtainable_places(wanted, train=True) == (wanted, [])


def test_a_page_names_what_it_does_without():
    assert left_out(["dasr-s1", "dasr-s2"]) == (
        "No weights are on board of dasr-s1, dasr-s2, which no number here includes."
    )
    assert not left_out([])


def test_a_ladder_has_a_file_at_every_rung():
    rungs = shipped_steps("redsr-8")
    assert len(rungs) > 3
    assert [*rungs] == sorted(rungs)
    assert all(read_provenance(file).step == step for step, file in rungs.items())
    assert [*rungs.values()][-1] == "redsr-8"
    assert shipped_steps("redsr-paper") == {}
    few = shipped_steps("redsr-8", [500, 7])
    assert few == {step: file for step, file in rungs.items() if step in (500, max(rungs))}


def test_a_tuned_network_brings_its_start_where_both_ship(monkeypatch):
    shipped = {"faig-baseline", "faig-target", "faig-target-s1", "faig-baseline-s2"}
    networks = {
        name: build("srresnet", scale=2, channels=4, num_blocks=1) for name in sorted(shipped)
    }
    monkeypatch.setattr(obtain, "shipped_checkpoints", lambda: shipped)
    monkeypatch.setattr(obtain, "network", lambda name, **_: networks[name])
    (own,) = tuned("faig-target", [0, 1, 2])
    assert (own.name, own.start) == ("faig-target", "faig-baseline")
    assert own.model is networks["faig-target"]
    assert own.baseline["head.0.bias"].equal(networks["faig-baseline"].head[0].bias)


def test_along_a_training_there_is_one_start_and_a_network_for_each_snapshot():
    moments = tuned_along("faig-on-blur-only-random-long")
    assert [*moments] == [300, 1000, 3000]
    assert {one.start for one in moments.values()} == {"faig-baseline"}
    same = [one.baseline["body.0.conv1.weight"] for one in moments.values()]
    assert same[0].equal(same[1])
    early, late = (moments[step].target["body.0.conv1.weight"] for step in (300, 3000))
    assert not early.equal(late)


def test_classifiers_are_loaded_where_they_ship():
    found = subject_classifiers("resnet18", "photographs+textures", [0, 2, 7])
    assert list(found) == ["resnet18-photographs", "resnet18-photographs-s2"]
    assert list(subject_classifiers("rcan", "cifar10")) == ["rcan-cifar10-maxpool"]
    with pytest.raises(CheckpointError, match=r"no classifier of 'b100' ships.*train=True"):
        subject_classifiers("resnet18", "b100")


@pytest.mark.parametrize(("image_set", "classes"), [("photographs+textures", 9), ("objects", 2)])
def test_classifiers_learn_only_when_asked(image_set, classes):
    asked = {"classes": 2, "train": True, "steps": 1}
    ((name, model),) = subject_classifiers("resnet18", image_set, [3], **asked).items()
    assert name == "resnet18, seed 3"
    assert not model.training
    assert model.tail.out_features == classes
