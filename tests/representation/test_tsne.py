"""Laws of t-SNE summed over all pairs."""

import numpy as np
import pytest
import torch
from sklearn.manifold import TSNE

from srlab.representation.tsne import affinities, divergence_gradient, exact_tsne


@pytest.fixture
def clouds():
    """Two clouds of 30 points in 10 dimensions, a little apart."""
    points = np.random.default_rng(0).normal(size=(60, 10))
    points[30:] += 1.5
    return points


def divergence(near, places):
    between = ~torch.eye(len(places), dtype=torch.bool)
    distances = (places[:, None] - places[None]).square().sum(2)
    pull, near = 1 / (1 + distances[between]), near[between]
    return (near * (near / (pull / pull.sum())).log()).sum()


def test_affinities_are_a_symmetric_distribution_without_self(clouds):
    near = affinities(clouds, 12)
    assert near.sum().item() == pytest.approx(1)
    assert torch.equal(near, near.T)
    assert not near.diagonal().any()


def test_every_point_has_as_many_neighbours_as_the_perplexity_says():
    ring = np.exp(2j * np.pi * np.arange(50) / 50)  # every point sees the others alike
    near = affinities(np.stack([ring.real, ring.imag], 1), 12) * 50
    entropy = torch.special.entr(near).sum(1)
    torch.testing.assert_close(entropy.exp(), torch.full((50,), 12.0, dtype=torch.float64))


def test_affinities_do_not_depend_on_scale(clouds):
    torch.testing.assert_close(affinities(1e3 * clouds, 12), affinities(clouds, 12))


def test_gradient_is_that_of_the_divergence(clouds):
    near = affinities(clouds, 12)
    places = torch.randn(60, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    places.requires_grad_()
    (expected,) = torch.autograd.grad(divergence(near, places), places)
    torch.testing.assert_close(divergence_gradient(places.detach(), near), expected)


@pytest.mark.parametrize("width", [1e-4, 1.0, 1e4])
def test_the_gradient_holds_in_float32_however_far_points_lie(clouds, width):
    near = affinities(clouds, 12)
    generator = torch.Generator().manual_seed(0)
    places = width * torch.randn(60, 2, dtype=torch.float64, generator=generator)
    places.requires_grad_()
    (expected,) = torch.autograd.grad(divergence(near, places), places)
    found = divergence_gradient(places.detach().float(), near.float()).double()
    torch.testing.assert_close(found, expected, rtol=0, atol=0.01 * expected.abs().max().item())


def test_pictures_are_as_good_as_scikit_learns(clouds):
    near = affinities(clouds, 12)
    ours, theirs = [], []
    for seed in range(4):
        start = 1e-4 * np.random.RandomState(seed).standard_normal((60, 2))
        start = start.astype(np.float32)
        rival = TSNE(2, method="exact", init=start, perplexity=12, max_iter=500)
        ours.append(divergence(near, torch.from_numpy(exact_tsne(clouds, start, perplexity=12))))
        theirs.append(divergence(near, torch.from_numpy(rival.fit_transform(clouds))))
    assert np.mean(ours) == pytest.approx(np.mean(theirs), rel=0.1)


def test_clouds_stay_apart(clouds):
    start = 1e-4 * np.random.RandomState(0).standard_normal((60, 2))
    places = exact_tsne(clouds, start, perplexity=12)
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    nearest = np.argsort(distances + 1e9 * np.eye(60), axis=1)[:, 0]
    assert np.mean((nearest < 30) == (np.arange(60) < 30)) > 0.9
