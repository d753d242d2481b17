"""Diffusion: what is true of any noise, level and picture."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from srlab.degradations.filters import upsample
from srlab.models import ResShift, build


def network(**settings):
    torch.manual_seed(0)
    model = build("resshift", channels=6, num_blocks=2, **settings).double().eval()
    for parameter in model.parameters():  # shifts are zero at birth
        nn.init.normal_(parameter, std=0.1)
    return model


def pictures(*shape, seed=1):
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_levels_rise_from_the_picture_to_its_enlargement_and_full_noise():
    eta = network().eta
    assert eta[0] == 0
    assert all(low < high for low, high in pairwise(eta))
    model, hr, lr = network(), pictures(2, 3, 32, 36), pictures(2, 3, 8, 9)
    silent, level = torch.zeros_like(hr), torch.tensor([1, model.levels])
    low, high = model.noised(hr, lr, level, silent)
    torch.testing.assert_close(low, hr[0] + 0.01 * (upsample(lr, 4)[0] - hr[0]))
    torch.testing.assert_close(high, upsample(lr, 4)[1], atol=2e-3, rtol=0)
    noise = torch.ones_like(hr)
    added = model.noised(hr, lr, level, noise) - model.noised(hr, lr, level, silent)
    torch.testing.assert_close(added[:, 0, 0, 0], 0.2 * torch.tensor([0.1, 0.9995]).double())


def test_where_every_guess_is_right_sampling_keeps_to_the_mixtures_it_learned_from(monkeypatch):
    """The states that the network sees have the mean and the spread of `noised`, at each level."""
    model, hr, lr = network(), pictures(1, 3, 64, 64), pictures(1, 3, 16, 16)
    seen = []

    def watched(state, _lr, level):
        seen.append((int(level), state))
        return state

    monkeypatch.setattr(model, "features", watched)
    monkeypatch.setattr(model, "reconstruct", lambda _features, _lr: hr)
    rng = torch.Generator().manual_seed(0)
    noise = torch.randn(4, 1, 3, 64, 64, generator=rng, dtype=torch.float64)
    *_, (_, last) = model.sampling(lr, noise)
    assert last is hr
    assert [level for level, _ in seen] == [4, 3, 2, 1]
    for level, state in seen:
        mean = model.noised(hr, lr, torch.tensor([level]), torch.zeros_like(hr))
        apart = (state - mean) / (0.2 * model.eta[level] ** 0.5)
        assert apart.mean().abs() < 0.03
        assert apart.std().item() == pytest.approx(1, abs=0.02)


def test_other_noise_makes_another_image_of_the_same_network():
    model, lr = network(), pictures(2, 3, 9, 11)
    other = model.redrawn(1)
    assert torch.equal(model(lr), model(lr))
    assert torch.equal(other.redrawn(0)(lr), model(lr))
    assert (other(lr) - model(lr)).abs().max() > 1e-3
    assert other.head.weight is model.head.weight
    *_, (_, given) = model.sampling(lr, other.noise(lr))
    assert torch.equal(given, other(lr))


def test_the_network_knows_the_level():
    model, lr, state = network(), pictures(2, 3, 8, 8), pictures(2, 3, 32, 32)
    both = model.features(state, lr, torch.tensor([1, 4]))
    for row, level in enumerate((1, 4)):
        alone = model.features(state, lr, torch.tensor([level]))
        torch.testing.assert_close(both[row], alone[row])
    assert (both[1] - model.features(state, lr, torch.tensor([1]))[1]).abs().max() > 1e-3


def test_one_level_is_no_diffusion():
    with pytest.raises(ValueError, match="at least 2 levels of noise, got 1"):
        ResShift(levels=1)
