import pytest
import torch

from srlab.attribution.lam import lam, patch
from srlab.attribution.paths import deblur
from srlab.models import build
from srlab.studies.lam.sampling import (
    NOISE,
    noise_share,
    on_lr_grid,
    sampler_integral,
    uses,
)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return build("resshift", channels=6, num_blocks=2).double().eval()


@pytest.fixture
def lr():
    return torch.rand(1, 3, 12, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


TARGET = patch(16, 16, 8)


def test_all_parts_sum_to_the_change(network, lr):
    noise = network.noise(lr)
    found = sampler_integral(network, lr, noise, TARGET, steps=40)
    assert [*found.attribution] == [*uses(network), NOISE]
    assert found.completeness_error < 1e-3
    assert found.attribution[NOISE].shape == noise.shape
    assert all(found.attribution[name].shape == (3, 12, 12) for name in uses(network))
    assert found.end == pytest.approx(TARGET(network(lr)).item())
    assert 0 < noise_share(found) < 1


def test_without_noise_the_uses_are_the_map_cut_into_parts(network, lr):
    """Of a picture and silence, nothing comes through the noise, and the rest is plain LAM."""
    network.kappa = 0.0
    found = sampler_integral(network, lr, network.noise(lr), TARGET, steps=4)
    whole = lam(network, lr, TARGET, path=deblur(steps=4))
    parts = torch.stack([found.attribution[name] for name in uses(network)])
    torch.testing.assert_close(parts.sum(dim=0), whole.map[0])
    assert (parts.abs().amax(dim=(1, 2, 3)) > 0).all()
    assert noise_share(found) == 0


def test_noise_on_the_lr_grid_keeps_its_sum():
    noise = torch.rand(4, 1, 3, 8, 12)
    small = on_lr_grid(noise, 4)
    assert small.shape == (1, 3, 2, 3)
    torch.testing.assert_close(small[0, :, 0, 0], noise[..., :4, :4].sum(dim=(0, 1, 3, 4)))
