import json

import numpy as np
import pytest

from srlab.checkpoints.files import shipped_checkpoints
from srlab.checkpoints.official import PUBLISHED as OFFICIAL
from srlab.models import build
from srlab.studies.ddr.skips import (
    PUBLISHED,
    ZOO,
    Separation,
    Subject,
    as_rows,
    at_step,
    by_picture_set,
    from_rows,
    larger_with_skip,
    obtainable_subjects,
    outcomes,
    read_recorded,
    separation,
    separation_dots,
    subjects,
    take_over,
)
from srlab.studies.study import Outcome
from srlab.training.recipes import RECIPES

HELD, FAILED, OPEN, OPPOSITE = Outcome.HELD, Outcome.FAILED, Outcome.UNDECIDED, Outcome.OPPOSITE


def found(skip, *indices, degraded=False, like="", name="net", pca=1.0):
    subject = Subject(name, name, "body.1", skip, degraded, like)
    return Separation(subject, indices, pca, 30.0)


def test_srresnets_trained_alike_differ_in_their_skip_or_in_their_training_alone():
    sizes = {}
    for one in subjects("alike", [0, 1, 2]):
        made = RECIPES[one.network]
        settings = dict(made.hyperparameters)
        skips = {settings.pop("global_residual"): "image", settings.pop("long_skip", False): "long"}
        shown = {"image": {"image"}, "features": {"long"}, "none": set()}[one.skip]
        assert {kind for given, kind in skips.items() if given} == shown
        sizes[made.architecture, json.dumps(settings)] = one
        if one.degraded:
            like = RECIPES[one.like]
            assert (like.hyperparameters, like.seed) == (made.hyperparameters, made.seed)
            assert like.space != made.space
    assert len(sizes) == 1


@pytest.mark.parametrize("group", ["alike", "zoo", "published"])
def test_every_layer_is_the_last_block_within_the_skip(group):
    """One step further there is the skip, or the convolution or fusion before it."""
    for one in subjects(group):
        if one.network.startswith("official:"):
            own = OFFICIAL[one.network.removeprefix("official:")]
            model = build(own.architecture, **own.hyperparameters)
        else:
            model = build(RECIPES[one.network].architecture, **RECIPES[one.network].hyperparameters)
        row, _, layer = one.layer.rpartition(".")
        blocks = list(model.get_submodule(row))
        typical = blocks[1] if len(blocks) > 1 else blocks[0]
        of_a_kind = [index for index, own in enumerate(blocks) if type(own) is type(typical)]
        if one.kind == "FSRCNN":
            of_a_kind = of_a_kind[:-1]  # without the expansion
        assert int(layer) == of_a_kind[-1]
        model.get_submodule(one.layer)


def test_a_group_is_one_that_there_is():
    with pytest.raises(ValueError, match="one of alike, zoo, published, got 'mine'"):
        subjects("mine")


def test_what_is_not_shipped_is_left_out_and_named(monkeypatch):
    shipped = [name for name in shipped_checkpoints() if name != "srresnet-gr"]
    monkeypatch.setattr("srlab.studies.ddr.skips.shipped_checkpoints", lambda: shipped)
    had, missing = obtainable_subjects("alike", [0])
    assert missing == ["srresnet-gr"]
    assert len(had) == len(subjects("alike", [0])) - 1
    assert obtainable_subjects("published", [0]) == (PUBLISHED, [])


def test_a_network_has_its_steps_and_ends_with_the_last():
    assert at_step(ZOO[1], 250).network == "fsrcnn@250"
    assert at_step(ZOO[1], 6000) == ZOO[1]


def test_clouds_far_apart_separate_and_one_cloud_does_not():
    rng = np.random.default_rng(0)
    labels = np.tile(["clean", "blur", "noise"], 40)
    cloud = rng.normal(size=(120, 5))
    apart = cloud + 100 * (labels == "blur")[:, None] - 100 * (labels == "noise")[:, None]
    mixed, parted = (separation(ZOO[0], own, labels, 30.0, runs=2) for own in (cloud, apart))
    assert max(mixed.tsne) < 5 < 20 < min(parted.tsne)
    assert len(parted.tsne) == 2
    assert parted.tsne[0] != parted.tsne[1]
    assert mixed.pca < 5 < 20 < parted.pca


@pytest.mark.parametrize(
    ("networks", "skip", "none", "degraded"),
    [
        ([found("image", 21, 30), found("none", 1, 19)], HELD, HELD, None),
        ([found("image", 21, 30), found("features", 10, 12)], FAILED, None, None),
        ([found("both", 19, 30), found("none", 19, 21)], OPEN, OPEN, None),
        ([found("image", 90, 99), found("image", 30, 89, degraded=True)], HELD, None, HELD),
        ([found("image", 30, 89), found("image", 90, 99, degraded=True)], HELD, None, OPPOSITE),
        ([found("none", 3, 4), found("image", 1, 2, degraded=True)], None, HELD, None),
    ],
)
def test_every_network_speaks_to_its_claim(networks, skip, none, degraded):
    assert outcomes(networks) == {"skip": skip, "none": none, "degraded": degraded}


def test_a_blind_network_is_compared_with_the_one_that_is_like_it_or_with_all():
    clean = [found("image", 90, 99, name="a"), found("features", 40, 50, name="b")]
    assert outcomes([*clean, found("image", 60, 70, degraded=True, like="a")])["degraded"] is HELD
    assert outcomes([*clean, found("image", 60, 70, degraded=True)])["degraded"] is FAILED
    assert outcomes([*clean, found("image", 60, 70, degraded=True, like="c")])["degraded"] is None


def test_principal_components_are_compared_one_by_one():
    low, high = found("none", 1, pca=3.0), found("image", 1, pca=4.0)
    blind = found("image", 1, degraded=True, pca=1.0)
    assert larger_with_skip([low, high, blind]) is True
    assert larger_with_skip([low, high, found("features", 1, pca=2.0)]) is False
    assert larger_with_skip([high]) is None


def test_what_a_sweep_left_becomes_the_record_and_replaces_older(tmp_path):
    path = tmp_path / "record.parquet"
    assert read_recorded(path) == []
    networks = [found("image", 21.0, 30.0, name="one"), found("none", 1.0, name="two")]
    parameters = {"networks": "zoo", "image_set": "set14", "separations": as_rows(networks)}
    outcome = {"record": {"parameters": parameters}, "date": "2026-11-29", "hardware": "a lab"}
    for folder, content in {"a": outcome, "b": {**outcome, "record": None}}.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "outcome.json").write_text(json.dumps(content))
    assert len(take_over(tmp_path, "abc", path)) == 1
    take_over(tmp_path, "def", path)
    (run,) = read_recorded(path)
    assert run[:5] == ("zoo", "set14", "2026-11-29", "def", "a lab")
    assert run.found == networks == from_rows(as_rows(networks))
    assert by_picture_set([run]) == {"set14": {one.subject: one.tsne for one in networks}}


def test_a_figure_has_a_row_a_network_and_a_panel_a_measure():
    one, two = found("image", 21.0, 30.0, name="one"), found("none", 1.0, name="two")
    figure = separation_dots({"CHI": {one.subject: one.tsne, two.subject: two.tsne}})
    assert [trace.name for trace in figure.data] == ["no skip", "adds the image"]
    assert [list(trace.x) for trace in figure.data] == [[1.0], [25.5]]
    assert figure.data[1].y == ("one, ours",)


def test_rows_of_one_kind_are_told_apart_by_their_seed():
    alike = {subject: [1.0] for subject in subjects("alike", [0, 1])}
    rows = [row for trace in separation_dots({"CHI": alike}).data for row in trace.y]
    assert len(set(rows)) == len(alike)
    assert {"no skip, 0", "no skip, 1", "skip of features, 1"} <= set(rows)
    [published] = [one for one in PUBLISHED if one.kind == "IMDN"]
    assert separation_dots({"CHI": {published: [1.0]}}).data[0].y == ("IMDN",)
