import copy
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from srlab.training.code_losses import (
    PRIORS,
    confidence_weights,
    energy_distance,
    gaussian_divergence,
    modulated_loss,
    prior_draws,
)
from srlab.training.contrastive import MomentumContrast


def points(count, size=3, seed=0):
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed))


def rng(seed):
    return np.random.default_rng(seed)


def brute_force(codes, draws, statistic):
    """Eq. 5, pair by pair."""
    cross = sum(math.dist(f, z) for f in codes for z in draws) / (len(codes) * len(draws))

    def within(rows):
        pairs = [math.dist(a, b) for i, a in enumerate(rows) for j, b in enumerate(rows) if i != j]
        return sum(pairs) / (len(pairs) if statistic == "U" else len(rows) ** 2)

    return 2 * cross - within(codes) - within(draws)


@pytest.mark.parametrize("statistic", ["V", "U"])
def test_the_energy_distance_is_that_of_all_pairs(statistic):
    codes, draws = points(5), points(7, seed=1) + 0.5
    found = energy_distance(codes, draws, statistic=statistic).item()
    expected = brute_force(codes.tolist(), draws.tolist(), statistic)
    assert found == pytest.approx(expected, abs=1e-5)


def test_it_is_zero_in_expectation_for_equal_distributions_and_positive_for_others():
    same = [
        energy_distance(points(8, seed=2 * i), points(8, seed=2 * i + 1), statistic="U").item()
        for i in range(400)
    ]
    mean, error = sum(same) / 400, torch.tensor(same).std().item() / 20
    assert abs(mean) < 3 * error
    assert error < 0.03
    for other in (points(400) + 1, points(400) * 2, points(400) * 0.1):
        assert energy_distance(other, points(400, seed=1), statistic="U") > 0.1


def test_the_v_statistic_is_never_negative_and_zero_with_itself():
    codes = points(6)
    assert energy_distance(codes, codes).item() == pytest.approx(0, abs=1e-6)
    assert all(energy_distance(points(3, seed=i), points(3, seed=i + 50)) >= 0 for i in range(50))


def test_codes_that_coincide_have_a_finite_gradient():
    codes = torch.zeros(4, 3, requires_grad=True)
    energy_distance(codes, torch.cat([torch.zeros(1, 3), points(5)])).backward()
    assert codes.grad.isfinite().all()
    assert codes.grad.abs().sum() > 0


def test_a_gradient_brings_codes_to_the_prior():
    codes = (points(64, 2) * 0.1 + 2).requires_grad_()
    before = energy_distance(codes, points(64, 2, seed=1)).item()
    for step in range(200):
        (gradient,) = torch.autograd.grad(
            energy_distance(codes, prior_draws("gaussian", 64, 2, rng(step))), codes
        )
        codes = (codes - 5 * gradient).detach().requires_grad_()
    assert energy_distance(codes, points(64, 2, seed=1)).item() < 0.1 * before
    assert codes.std().item() == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize("prior", list(PRIORS))
def test_priors_have_unit_variance_and_depend_on_the_generator_alone(prior):
    draws = prior_draws(prior, 20_000, 2, rng(1))
    assert draws.std().item() == pytest.approx(1, abs=0.03)
    assert draws.mean().item() == pytest.approx(float(prior == "exponential"), abs=0.03)
    assert torch.equal(draws, prior_draws(prior, 20_000, 2, rng(1)))
    assert not torch.equal(draws, prior_draws(prior, 20_000, 2, rng(2)))


def test_the_divergence_from_a_gaussian_is_the_textbook_one():
    codes = torch.tensor([[1.0], [5.0]])  # mean 3, variance 4
    expected = torch.distributions.kl_divergence(
        torch.distributions.Normal(3.0, 2.0), torch.distributions.Normal(0.0, 1.0)
    )
    torch.testing.assert_close(gaussian_divergence(codes), expected, atol=1e-4, rtol=0)
    assert gaussian_divergence(points(20_000)) < 1e-3


def test_confidence_falls_from_two_with_the_error_of_reproduction():
    lr = torch.rand(3, 3, 4, 4)
    error = torch.tensor([0.0, 1.0, 3.0]).view(3, 1, 1, 1) / 255
    made = (lr + error).requires_grad_()
    weights = confidence_weights(made, lr)
    torch.testing.assert_close(weights, torch.tensor([2.0, 1.0, 0.5]), atol=1e-4, rtol=0)
    assert not weights.requires_grad
    hr, sr = torch.zeros(3, 3, 8, 8), torch.ones(3, 3, 8, 8)
    torch.testing.assert_close(modulated_loss(sr, hr, weights), weights.mean())


def network(size=6, width=4):
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(size, width))


def test_contrast_is_the_cross_entropy_of_the_right_key_among_the_queue():
    queries = network()
    contrast = MomentumContrast(queries, width=4, length=5, temperature=0.5)
    images, others = points(2, 6), points(2, 6, seed=1)
    q = F.normalize(queries(images), dim=1)
    k = F.normalize(queries(others), dim=1)
    expected = []
    for row in range(2):
        likeness = torch.cat([(q[row] @ k[row])[None], contrast.queue @ q[row]]) / 0.5
        expected.append(-likeness.log_softmax(dim=0)[0])
    found = contrast.loss(queries(images), others)
    torch.testing.assert_close(found, torch.stack(expected).mean())
    found.backward()
    assert queries[1].weight.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in contrast.parameters())


def test_the_queue_goes_round_and_the_slow_copy_follows():
    queries = network()
    contrast = MomentumContrast(queries, width=4, length=5, momentum=0.75)
    first = contrast.queue.clone()
    images = points(3, 6)
    contrast.loss(queries(images), images)
    keys = F.normalize(queries(images), dim=1)
    torch.testing.assert_close(contrast.queue[:3], keys)
    assert torch.equal(contrast.queue[3:], first[3:])
    contrast.loss(queries(images), images)
    torch.testing.assert_close(contrast.queue[[3, 4, 0]], keys)
    before = contrast.keys[1].weight.clone()
    nn.init.zeros_(queries[1].weight)
    contrast.follow(queries)
    torch.testing.assert_close(contrast.keys[1].weight, 0.75 * before)


def test_contrast_resumes_from_its_state():
    queries, images = network(), points(3, 6)
    contrast = MomentumContrast(queries, width=4, length=7)
    contrast.loss(queries(images), images)
    other = MomentumContrast(network(), width=4, length=7, seed=1)
    other.load_state_dict(copy.deepcopy(contrast.state_dict()))
    one, two = (each.loss(queries(images), images * 2) for each in (contrast, other))
    assert torch.equal(one, two)
    assert torch.equal(contrast.queue, other.queue)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: energy_distance(points(2), points(2), statistic="W"), '"V" or "U"'),
        (lambda: energy_distance(points(1), points(2), statistic="U"), "at least 2"),
        (lambda: prior_draws("cauchy", 1, 1, rng(0)), "gaussian, uniform, exponential"),
    ],
)
def test_impossible_losses_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
