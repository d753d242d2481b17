"""Laws of the area of contribution."""

import pytest
import torch
from scipy.stats import gaussian_kde

from srlab.studies.lam.contribution import contribution_area, contribution_density


@pytest.fixture
def shown():
    return torch.rand(24, 20, generator=torch.Generator().manual_seed(0)) ** 4


def spot(row, column, size=(31, 31)):
    map_ = torch.zeros(size)
    map_[row, column] = 1
    return map_


def test_a_density_sums_to_one_and_forgets_the_scale(shown):
    density = contribution_density(shown)
    assert density.shape == shown.shape
    assert density.sum().item() == pytest.approx(1)
    assert torch.allclose(density, contribution_density(7 * shown))


def test_nothing_is_lost_at_the_border():
    assert contribution_density(spot(0, 30)).sum().item() == pytest.approx(1)


def test_a_density_is_the_mixture_of_its_pixels():
    two = contribution_density(spot(5, 6) + 3 * spot(20, 25))
    apart = contribution_density(spot(5, 6)) + 3 * contribution_density(spot(20, 25))
    assert torch.allclose(two, apart / 4)


def test_scipy_finds_the_same_density():
    rows, columns, weights = torch.tensor([[10, 15, 20], [12, 16, 18], [1, 2, 5]]).numpy()
    shown = torch.zeros(31, 31)
    shown[rows, columns] = torch.tensor(weights, dtype=torch.float32)
    kernel = gaussian_kde([rows, columns], weights=weights)
    kernel.set_bandwidth(1.0)
    kernel.covariance = 1.5**2 * torch.eye(2).numpy()
    kernel.cho_cov = 1.5 * torch.eye(2).numpy()
    grid = torch.cartesian_prod(torch.arange(31), torch.arange(31)).T.numpy()
    expected = torch.tensor(kernel(grid)).reshape(31, 31)
    found = contribution_density(shown, bandwidth=1.5)
    assert torch.allclose(found, expected / expected.sum(), atol=1e-6)


def test_an_area_is_the_smallest_that_holds_its_share(shown):
    density = contribution_density(shown)
    area = contribution_area(density, share=0.7)
    assert density[area].sum() >= 0.7 > density[area].sum() - density[area].min()
    assert density[area].min() >= density[~area].max()


def test_areas_grow_with_the_share_up_to_everything(shown):
    density = contribution_density(shown)
    sizes = [contribution_area(density, share=s).sum().item() for s in (0.1, 0.5, 0.9, 1.0)]
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == density.numel()


def test_a_wider_map_has_the_larger_area():
    near, far = spot(15, 15), spot(15, 15) + spot(3, 27)
    small, large = (contribution_area(contribution_density(m)).sum() for m in (near, far))
    assert 1.5 * small < large <= 2 * small


def test_a_map_of_zeros_has_no_area():
    density = contribution_density(torch.zeros(9, 9))
    assert not density.any()
    assert not contribution_area(density).any()


@pytest.mark.parametrize("wrong", [torch.rand(1, 4, 4), torch.tensor([[1.0, -1.0]])])
def test_what_is_no_magnitude_is_refused(wrong):
    with pytest.raises(ValueError, match="magnitudes"):
        contribution_density(wrong)


def test_settings_out_of_range_are_refused(shown):
    with pytest.raises(ValueError, match="bandwidth"):
        contribution_density(shown, bandwidth=0)
    with pytest.raises(ValueError, match="share"):
        contribution_area(shown, share=1.5)
