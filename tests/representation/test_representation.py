import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.metrics import calinski_harabasz_score
from torch import nn

from srlab.models import build
from srlab.representation.embedding import (
    METHODS,
    align,
    embed,
    layer_components,
    layer_points,
    points,
    principal_components,
    separability,
    separability_draws,
    separability_interval,
    separability_level,
    separability_ratio,
    stream_components,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def blobs(rng):
    """Three groups of 20 points in 200 dimensions, far apart."""
    centres = 8 * rng.normal(size=(3, 200))
    cloud = (centres.repeat(20, axis=0) + rng.normal(size=(60, 200))).astype(np.float32)
    return cloud, np.repeat(["a", "b", "c"], 20)


def test_points_are_flattened_features():
    features = torch.rand(4, 5, 6, 7)
    assert points(features).shape == (4, 210)
    np.testing.assert_array_equal(points(features)[2], features[2].flatten().numpy())


def test_layer_points_do_not_depend_on_the_batch_size():
    model = build("srresnet", scale=2, channels=8, num_blocks=2)
    lr = torch.rand(7, 3, 8, 8)
    small = layer_points(model, lr, ["head", "body.1"], batch_size=2)
    large = layer_points(model, lr, ["head", "body.1"], batch_size=7)
    assert small["body.1"].shape == (7, 8 * 64)
    for layer, cloud in small.items():
        np.testing.assert_allclose(cloud, large[layer], atol=1e-5)


@pytest.mark.parametrize("shape", [(30, 400), (400, 30)])
def test_components_agree_with_scikit_learn(rng, shape):
    cloud = rng.normal(size=shape).astype(np.float32) * np.linspace(3, 1, shape[1])
    own = principal_components(cloud.astype(np.float32), 10)
    reference = PCA(10, svd_solver="full").fit_transform(cloud)
    np.testing.assert_allclose(np.abs(own), np.abs(reference), atol=1e-2)


def test_components_keep_distances_when_there_are_enough(rng):
    cloud = rng.normal(size=(20, 300)).astype(np.float32)
    own = principal_components(cloud, 50)
    distance = np.linalg.norm(own[3] - own[11])
    assert distance == pytest.approx(np.linalg.norm(cloud[3] - cloud[11]), rel=1e-5)


def test_streamed_components_separate_like_exact_ones(blobs):
    cloud, labels = blobs
    order = np.random.default_rng(1).permutation(60)
    cloud, labels = cloud[order], labels[order]
    streamed = stream_components(lambda: np.array_split(cloud, 3), 10)
    exact = principal_components(cloud, 10)
    assert streamed.shape == exact.shape
    assert separability(streamed, labels).index == pytest.approx(
        separability(exact, labels).index, rel=0.05
    )
    with pytest.raises(ValueError, match="batch of 6 points cannot fit 10"):
        stream_components(lambda: np.array_split(cloud, 10), 10)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.filterwarnings("ignore:Tensorflow not installed:ImportWarning")
def test_embeddings_show_blobs_and_repeat_for_a_seed(blobs, method):
    cloud, labels = blobs
    embedding = embed(cloud, method=method, perplexity=15)
    assert embedding.shape == (60, 2)
    assert embedding.dtype == np.float32
    assert separability(embedding, labels).index > 100
    np.testing.assert_array_equal(embedding, embed(cloud, method=method, perplexity=15))


class Stranger(nn.Module):
    """It flattens with `view`, which only the layout it was written for allows."""

    def __init__(self):
        super().__init__()
        self.head, self.dead = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 3, 1)
        nn.init.zeros_(self.dead.weight)

    def forward(self, lr):
        features = lr.view(len(lr), -1).view_as(lr)
        features = self.head(features).view(len(lr), 4, -1)
        return self.dead(features.view(len(lr), 4, *lr.shape[2:]))


def test_a_foreign_network_keeps_its_layout():
    found = layer_points(Stranger(), torch.rand(3, 3, 6, 6), ["head"], batch_size=2)
    assert found["head"].shape == (3, 4 * 36)


def test_a_layer_that_answers_all_images_alike_is_named():
    model = Stranger()
    images = torch.rand(12, 3, 6, 6)
    with pytest.raises(ValueError, match="output of 'dead' is the same for all images"):
        layer_points(model, images, ["head", "dead"])
    nn.init.constant_(model.dead.bias, 1e3)
    with pytest.raises(ValueError, match="output of 'dead'"):
        layer_components(model, images, ["dead"])
    equal = images[:1].expand(12, -1, -1, -1)  # then no layer is at fault
    assert layer_points(model, equal, ["dead"])["dead"].shape == (12, 3 * 36)


@pytest.mark.parametrize("value", [0, 0.1, 1e6])
@pytest.mark.parametrize("method", METHODS)
def test_points_that_coincide_are_refused(method, value):
    """t-SNE would end the process with a segmentation fault."""
    cloud = np.full((60, 7), value, np.float32)
    with pytest.raises(ValueError, match="all points coincide"):
        embed(cloud, method=method)
    cloud[::2] *= 1 + 1e-7  # no more than rounding
    with pytest.raises(ValueError, match="all points coincide"):
        separability(cloud, np.arange(60) % 2)
    with pytest.raises(ValueError, match="all points coincide"):
        stream_components(lambda: np.array_split(cloud, 3), 5)


def test_clouds_that_collapse_apart_separate_without_end():
    cloud = np.repeat(np.eye(2), 3, axis=0)
    assert separability(cloud, np.repeat(["a", "b"], 3)).index == np.inf
    assert separability_level(np.inf) == "+++"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [1e-25, 1e25])
@pytest.mark.filterwarnings("ignore:Tensorflow not installed:ImportWarning")
def test_the_unit_of_features_does_not_matter(blobs, method, size):
    """Squares of such numbers are 0 or infinite in float32; t-SNE ended the process."""
    cloud, labels = blobs
    embedding = embed(cloud * np.float32(size), method=method, perplexity=15)
    assert separability(embedding, labels).index > 100


@pytest.mark.parametrize(("count", "dimensions"), [(2, 2), (3, 2), (4, 3)])
def test_umap_says_how_few_points_are_too_few(blobs, count, dimensions):
    with pytest.raises(ValueError, match=f"at least {dimensions + 2} points, got {count}"):
        embed(blobs[0][:count], method="umap", dimensions=dimensions)


@pytest.mark.filterwarnings("ignore:Tensorflow not installed:ImportWarning")
def test_umap_draws_the_fewest_points_it_takes(blobs):
    assert embed(blobs[0][::15], method="umap").shape == (4, 2)


@pytest.mark.parametrize("method", METHODS)
def test_no_method_makes_up_dimensions(blobs, method):
    with pytest.raises(ValueError, match=r"shape \(60, 1\) have 1 principal components, too few"):
        embed(blobs[0][:, :1], method=method, perplexity=15)


def test_numba_gets_a_cache_where_it_may_write_nowhere(tmp_path):
    """A package that compiles when it is imported, as UMAP does, beside which nothing is kept."""
    (tmp_path / "umap.py").write_text(
        "import numba\n"
        "@numba.njit('float64(float64)', cache=True)\n"
        "def twice(x):\n    return 2 * x\n"
        "class UMAP:\n"
        "    def __init__(self, *_, **__): pass\n"
        "    def fit_transform(self, points): return twice(1.0) * points[:, :2]\n"
    )
    script = (
        "import numpy as np; from srlab.representation.embedding import embed\n"
        "print(embed(np.eye(5), method='umap').shape)\n"
        "import numba; print(numba.config.CACHE_DIR)"
    )
    environment = {name: own for name, own in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    environment |= {
        "NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator",  # not beside it, not at home
        "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]),
    }
    command = [sys.executable, "-c", script]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    shape, folder = ran.stdout.splitlines()
    assert shape == "(5, 2)"
    assert folder
    assert not Path(folder).exists()  # gone with the process


def test_a_perplexity_too_large_and_an_unknown_method_are_refused(blobs):
    with pytest.raises(ValueError, match="perplexity 80 needs more than 80 points, got 60"):
        embed(blobs[0], perplexity=80)
    with pytest.raises(ValueError, match="unknown method 'mds'; srlab has tsne, umap, pca"):
        embed(blobs[0], method="mds")


def test_index_agrees_with_scikit_learn(rng):
    cloud, labels = rng.normal(size=(50, 7)), rng.integers(4, size=50)
    assert separability(cloud, labels).index == pytest.approx(
        calinski_harabasz_score(cloud, labels)
    )


def test_dispersions_add_up_to_the_total(rng):
    cloud, labels = rng.normal(size=(50, 7)), rng.integers(4, size=50)
    within, between, _ = separability(cloud, labels)
    assert within + between == pytest.approx(((cloud - cloud.mean(axis=0)) ** 2).sum())


def test_index_ignores_shift_rotation_and_scale(blobs, rng):
    cloud, labels = blobs
    turn, _ = np.linalg.qr(rng.normal(size=(200, 200)))
    moved = 3 * cloud @ turn + 100
    assert separability(moved, labels).index == pytest.approx(
        separability(cloud, labels).index, rel=1e-3
    )


def test_shuffled_labels_score_low(blobs, rng):
    cloud, labels = blobs
    assert (
        separability(cloud, labels).index
        > 100
        > 5
        > separability(cloud, rng.permutation(labels)).index
    )


def test_interval_encloses_the_index_and_repeats(rng):
    labels, groups = np.tile(["a", "b", "c"], 100), np.repeat(np.arange(100), 3)
    cloud = rng.normal(size=(300, 2)) + 2 * (labels == "a")[:, None]
    low, high = separability_interval(cloud, labels, groups, draws=200)
    assert low < separability(cloud, labels).index < high
    assert (low, high) == separability_interval(cloud, labels, groups, draws=200)


def test_draws_are_the_index_of_drawn_groups(rng):
    labels, groups = rng.permutation(["a", "a", "b", "b", "c"] * 12), np.repeat(np.arange(15), 4)
    cloud = rng.normal(size=(60, 3)) + 1e3
    found = separability_draws(cloud, labels, groups, draws=20, seed=4)
    drawn = np.random.default_rng(4).integers(15, size=(20, 15))
    expected = []
    for row in drawn:
        rows = np.concatenate([np.flatnonzero(groups == group) for group in row])
        expected.append(separability(cloud[rows], labels[rows]).index)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_every_copy_of_a_content_is_a_label_of_its_own_where_labels_are_contents(rng):
    contents = np.repeat(np.arange(15), 4)
    cloud = rng.normal(size=(60, 3)) + contents[:, None]
    found = separability_draws(cloud, [f"picture {c}" for c in contents], contents, draws=5)
    drawn = np.random.default_rng(0).integers(15, size=(5, 15))
    rows = [np.concatenate([np.flatnonzero(contents == c) for c in row]) for row in drawn]
    expected = [separability(cloud[own], contents).index for own in rows]  # each copy apart
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_tsne_embeds_in_more_than_three_dimensions(blobs):
    cloud, labels = blobs
    embedding = embed(cloud, dimensions=5, perplexity=15)
    assert embedding.shape == (60, 5)
    assert separability(embedding, labels).index > 20


def test_align_undoes_a_rotation(rng):
    reference = rng.normal(size=(30, 2))
    angle = 2.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    np.testing.assert_allclose(
        align(reference @ turn + 5, reference), reference - reference.mean(axis=0), atol=1e-5
    )


@pytest.mark.parametrize(
    ("index", "level"), [(0, "−"), (19.9, "−"), (20, "+"), (100, "++"), (499, "++"), (500, "+++")]
)
def test_levels_are_those_of_the_paper(index, level):
    assert separability_level(index) == level


def test_nan_is_no_level():
    with pytest.raises(ValueError, match="index is NaN"):
        separability_level(float("nan"))


def test_bad_points_and_labels_are_refused(blobs):
    cloud, labels = blobs
    broken = cloud.copy()
    broken[0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        separability(broken, labels)
    with pytest.raises(ValueError, match="at least two groups"):
        separability(cloud, ["same"] * 60)
    with pytest.raises(ValueError, match="60 points with 59 labels"):
        separability(cloud, labels[:-1])


def test_the_ratio_says_which_labels_sort_the_points(rng):
    kinds, names = np.tile(["x", "y"], 30), np.repeat(["a", "b", "c"], 20)
    centres = {"a": (0, 0), "b": (3, 0), "c": (0, 3)}
    cloud = np.array([centres[name] for name in names]) + rng.normal(size=(60, 2))
    groups = np.repeat(np.arange(30), 2)
    ratio, low, high = separability_ratio(cloud, names, kinds, groups, draws=200)
    assert ratio == separability(cloud, names).index / separability(cloud, kinds).index
    assert 1 < low < ratio < high
    swapped = separability_ratio(cloud, kinds, names, groups, draws=200)
    assert swapped == pytest.approx((1 / ratio, 1 / high, 1 / low), rel=1e-2)
