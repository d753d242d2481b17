import numpy as np
import pytest
from sklearn.decomposition import PCA

from srlab.representation.embedding import inner_products
from srlab.representation.identification import (
    content_splits,
    identify,
    unseen_components,
)

CONTENTS = np.repeat(list("abcdef"), 8)
LABELS = np.tile(["blur", "noise"], 24)


def two_clouds(distance, dimensions=6):
    rng = np.random.default_rng(0)
    points = rng.standard_normal((48, dimensions)).astype(np.float32)
    points[LABELS == "blur", 0] += distance
    return points


def test_no_picture_is_on_both_sides():
    splits = content_splits(CONTENTS, count=10)
    assert len(splits) == 10
    for train, test in splits:
        assert not set(CONTENTS[train]) & set(CONTENTS[test])
        assert len(set(CONTENTS[test])) == 2


@pytest.mark.parametrize("dimensions", [3, 200])
def test_components_from_products_are_those_of_the_training_rows(dimensions):
    points = np.random.default_rng(0).standard_normal((20, 50))
    train, test = np.arange(14), np.arange(14, 20)
    known, unseen = unseen_components(inner_products(points), train, test, dimensions)
    model = PCA(min(dimensions, 13)).fit(points[train])
    length = np.sqrt(((points[train] - points[train].mean(axis=0)) ** 2).sum(axis=1).mean())
    for found, rows in ((known, train), (unseen, test)):
        expected = model.transform(points[rows]) / length
        signs = np.sign((known * model.transform(points[train])).sum(axis=0))
        assert np.allclose(found * signs, expected, atol=1e-7)


@pytest.mark.parametrize("components", [None, 4])
@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_distant_clouds_are_told_apart_and_near_ones_are_not(components, kernel):
    splits = content_splits(CONTENTS, count=5)
    how = {"components": components, "kernel": kernel}
    far = identify(two_clouds(20), LABELS, CONTENTS, splits, **how)
    assert far.accuracy.mean() > 0.95
    assert np.allclose(far.confusion(LABELS), np.eye(2), atol=0.1)
    near = identify(two_clouds(0), LABELS, CONTENTS, splits, **how)
    assert 0.2 < near.accuracy.mean() < 0.8


def test_what_marks_a_picture_does_not_help():
    points = two_clouds(0)
    marks = {name: np.random.default_rng(ord(name)).standard_normal() * 50 for name in "abcdef"}
    points[:, 1] += [marks[name] for name in CONTENTS]
    found = identify(points, CONTENTS, CONTENTS, content_splits(CONTENTS, count=5), components=4)
    assert found.accuracy.max() == 0  # an unseen picture's name cannot be known


def test_votes_count_each_judgement_once():
    splits = content_splits(CONTENTS, count=5)
    found = identify(two_clouds(2), LABELS, CONTENTS, splits)
    assert found.votes.sum() == sum(len(test) for _, test in splits)
    everything = np.ones(48, bool)
    right = np.average(found.accuracy, weights=[len(test) for _, test in splits])
    assert found.right(LABELS, everything) == pytest.approx(right)
    assert np.allclose(found.confusion(LABELS).sum(axis=1), 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: content_splits(["a", "b", "a"]), "at least 5 pictures, got 2"),
        (lambda: identify(two_clouds(1)[:9], LABELS, CONTENTS, []), r"got \(9, 6\), 48 and 48"),
        (lambda: identify(two_clouds(np.nan), LABELS, CONTENTS, []), "NaN"),
    ],
)
def test_bad_input_is_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_answers_by_content_are_those_about_its_images():
    splits = content_splits(CONTENTS, count=2)
    result = identify(two_clouds(2.0), LABELS, CONTENTS, splits)
    unseen = sorted({name for _, test in splits for name in CONTENTS[test]})
    found = result.by_content(LABELS, CONTENTS)
    assert found.shape == (len(unseen),)
    for name, share in zip(unseen, found, strict=True):
        assert share == result.right(LABELS, name == CONTENTS)
