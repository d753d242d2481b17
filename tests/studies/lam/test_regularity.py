"""Laws of regularity and edges."""

import math

import numpy as np
import pytest
import torch

from srlab.studies.lam.regularity import (
    edge_strength,
    elongation,
    spectral_peakiness,
    texture_direction,
)

ROWS, COLUMNS = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")


def picture(grey):
    return (0.5 + 0.3 * grey).expand(1, 3, -1, -1)


def wave(period, angle=0.0):
    along = math.cos(angle) * COLUMNS + math.sin(angle) * ROWS
    return torch.sin(2 * math.pi * along / period)


def noise(count=8):
    drawn = torch.randn(count, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    return (0.5 + 0.1 * drawn).expand(-1, 3, -1, -1)


@pytest.mark.parametrize(("period", "angle"), [(8, 0), (5.3, 0.4), (16, 2)])
def test_a_wave_is_one_peak(period, angle):
    assert spectral_peakiness(picture(wave(period, angle))).item() > 0.9


def test_noise_has_the_share_of_the_largest_exponential_draws():
    found = spectral_peakiness(noise()).mean().item()
    even = 9 / (64 * 64 / 2)
    assert even < found < 0.05


def test_stripes_and_grids_come_before_an_edge_and_noise():
    stripes, grid = wave(8).sign(), (wave(8) * wave(8, math.pi / 2)).sign()
    edge = (COLUMNS > 31).float()
    order = [spectral_peakiness(picture(grey)).item() for grey in (stripes, grid, edge)]
    assert min(order[:2]) > 1.5 * order[2] > 3 * spectral_peakiness(noise()).mean().item()


def test_contrast_brightness_and_quarter_turns_do_not_matter():
    images = noise(2)
    found = spectral_peakiness(images)
    assert torch.allclose(spectral_peakiness(0.2 + 0.3 * images), found)
    assert torch.allclose(spectral_peakiness(images.transpose(2, 3)), found)


def test_a_flat_patch_is_not_regular():
    assert spectral_peakiness(torch.full((2, 3, 32, 32), 0.4)).tolist() == [0, 0]


def test_a_patch_too_small_for_a_spectrum_is_refused():
    with pytest.raises(ValueError, match="8×8"):
        spectral_peakiness(torch.zeros(1, 3, 4, 32))


def test_edges_of_a_ramp_are_its_slope():
    ramp = (COLUMNS / 100).expand(2, 3, -1, -1)
    assert torch.allclose(edge_strength(ramp), torch.full((2,), 0.01))
    assert edge_strength(torch.zeros(1, 3, 8, 8)).item() == 0


@pytest.mark.parametrize("angle", [0, 0.4, math.pi / 2, 2])
def test_a_texture_runs_along_its_stripes(angle):
    along, clear = texture_direction(picture(wave(16, angle)))
    across = torch.tensor([math.sin(angle), math.cos(angle)], dtype=along.dtype)  # row, column
    assert along[0].norm().item() == pytest.approx(1)
    assert abs(along[0] @ across).item() < 0.1
    assert clear.item() > 0.95


def test_noise_and_flat_patches_have_no_direction():
    assert texture_direction(noise())[1].max().item() < 0.1
    assert texture_direction(torch.full((1, 3, 16, 16), 0.4))[1].item() == 0


def test_elongation_is_the_ratio_of_reaches_and_turns_with_its_direction():
    rows, columns = np.indices((41, 41)) - 20
    shown = np.exp(-(rows**2) / (2 * 4**2) - columns**2 / (2 * 2**2))
    assert elongation(shown, (20, 20), np.array([1, 0])) == pytest.approx(math.log(2), rel=1e-3)
    assert elongation(shown, (20, 20), np.array([0, -1])) == pytest.approx(-math.log(2), rel=1e-3)
    diagonal = np.array([1, 1]) / math.sqrt(2)
    assert elongation(shown, (20, 20), diagonal) == pytest.approx(0, abs=1e-9)
    with pytest.raises(ValueError, match="all zero"):
        elongation(np.zeros((3, 3)), (1, 1), diagonal)
