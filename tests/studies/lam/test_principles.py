"""Laws of the principles that LAM is built on."""

import numpy as np
import pytest
import torch

from srlab.attribution.lam import lam, patch
from srlab.attribution.paths import deblur
from srlab.degradations.filters import downsample, upsample
from srlab.studies.lam.principles import (
    change_with_brightness,
    errors_by_edges,
    root_first_map,
)


@pytest.fixture
def hr():
    return torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def bicubic(lr):
    return upsample(lr, 4)


def test_a_linear_network_s_map_of_edges_ignores_brightness(hr):
    lr, target = downsample(hr, 4), patch(28, 28, 8)
    assert change_with_brightness(bicubic, lr, target, steps=4) == pytest.approx(0, abs=1e-4)
    assert change_with_brightness(lambda x: bicubic(x**3), lr, target, steps=4) > 0.01


def test_the_first_third_has_the_weaker_edges(hr):
    hr = hr.clone()
    hr[..., :32] = 0.5  # the left half is flat
    flat, edged = errors_by_edges([bicubic], downsample(hr, 4), hr, window=8)[0]
    assert flat < edged / 4
    assert (
        errors_by_edges([lambda _: hr] * 2, downsample(hr, 4), hr, window=8).tolist()
        == [[0, 0]] * 2
    )


def test_the_root_s_place_matters_only_where_the_picture_is_flat(hr):
    lr = downsample(hr, 4)
    first = root_first_map(bicubic, lr, 28, 8, steps=4)
    ours = lam(bicubic, lr, patch(28, 28, 8), path=deblur(steps=4)).map
    np.testing.assert_allclose(first, ours, atol=1e-4 * ours.abs().max())
    lr[..., :8, :] = 0
    assert root_first_map(bicubic, lr, 28, 8, steps=4).isnan().any()
