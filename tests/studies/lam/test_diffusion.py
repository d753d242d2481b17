"""Laws of a network's diffusion and of how it goes with quality, on tiny patches."""

import numpy as np
import pytest
import torch
from scipy.stats import pearsonr, spearmanr
from torch.nn import functional as F

from srlab.attribution.lam import diffusion_index, lam, patch
from srlab.attribution.paths import deblur
from srlab.degradations.filters import downsample, upsample
from srlab.metrics import psnr, ssim
from srlab.statistics import linear_correlation
from srlab.studies.lam.diffusion import (
    diffusion,
    distance,
    gathered,
    growth,
    log_correlation,
    reach,
)
from srlab.studies.lam.hard_patches import HardPatches


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def patches():
    hr = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    return HardPatches(
        lr=downsample(hr, 4),
        hr=hr,
        pictures=("one", "two"),
        corners=np.zeros((2, 2)),
        psnr={},
        hardness=np.ones(2),
        candidates=2,
    )


def bicubic(lr):
    return upsample(lr, 4)


def wide(lr):
    return upsample(F.avg_pool2d(lr, 5, stride=1, padding=2), 4) + 0.5 * upsample(lr, 4)


def test_it_is_what_the_single_measures_say(patches):
    found = diffusion(bicubic, patches, window=8, steps=4)
    for i in range(2):
        lr, hr = patches.lr[i : i + 1], patches.hr[i : i + 1]
        map_ = lam(bicubic, lr, patch(28, 28, 8), path=deblur(steps=4))
        assert found.index[i] == pytest.approx(diffusion_index(map_), rel=1e-5)
        assert found.psnr[i] == pytest.approx(psnr(bicubic(lr), hr, border=4).item())
        assert found.ssim[i] == pytest.approx(ssim(bicubic(lr), hr, border=4).item())
    torch.testing.assert_close(found.sr, bicubic(patches.lr))
    assert found.maps.shape == (2, 16, 16)
    assert found.maps.max(axis=(1, 2)) == pytest.approx(1)
    assert 0 <= found.completeness_error < 0.05


def test_who_looks_further_diffuses_more_and_reaches_further(patches):
    near, far = (diffusion(network, patches, window=8, steps=4) for network in (bicubic, wide))
    assert (far.index > near.index).all()
    window = (7, 7, 2, 2)
    assert reach(near.maps[0], window, 1) <= 3  # two bicubic taps, and the forward difference
    assert reach(far.maps[0], window, 1) > reach(near.maps[0], window, 1)


def test_a_window_must_fit(patches):
    with pytest.raises(ValueError, match="does not fit"):
        diffusion(bicubic, patches, window=64)


def test_distance_is_counted_from_the_pixels_that_the_window_covers():
    assert distance((5, 6), (1, 2, 2, 1)).tolist() == [
        [2, 1, 1, 1, 2, 3],
        [2, 1, 0, 1, 2, 3],
        [2, 1, 0, 1, 2, 3],
        [2, 1, 1, 1, 2, 3],
        [2, 2, 2, 2, 2, 3],
    ]
    assert distance((1, 4), (0, 0.5, 1, 1.25)).tolist() == [[0, 0, 1, 2]]


def test_reach_finds_the_ring_that_completes_the_share():
    shown = np.zeros((9, 9))
    shown[4, 4], shown[4, 6], shown[0, 0] = 5, 4, 1
    window = (4, 4, 1, 1)
    assert [reach(shown, window, share) for share in (0.5, 0.51, 0.9, 0.91, 1)] == [0, 2, 2, 4, 4]
    assert gathered(shown, window) == pytest.approx([0.5, 0.5, 0.9, 0.9, 1])
    with pytest.raises(ValueError, match="not zero everywhere"):
        reach(np.zeros((9, 9)), window, 0.5)
    with pytest.raises(ValueError, match="a share lies in"):
        reach(shown, window, 95)


def test_correlations_agree_with_scipy(rng):
    x, y = rng.uniform(1, 9, size=(12, 5)), rng.normal(size=(12, 5))
    found = log_correlation(x, y, list("aabbccddeeff"), draws=20)
    logs, means = np.log(x.mean(axis=1)), y.mean(axis=1)
    assert found["Pearson"].value == pytest.approx(pearsonr(logs, means).statistic)
    assert found["Spearman"].value == pytest.approx(spearmanr(logs, means).statistic)
    assert linear_correlation(logs, means) == pytest.approx(found["Pearson"].value)
    assert np.isnan(linear_correlation(np.ones(4), np.arange(4)))


def test_a_perfect_law_has_no_spread_and_relatives_widen_a_loose_one(rng):
    sizes = np.repeat(2.0 ** np.arange(12), 6).reshape(12, 6)
    perfect = log_correlation(sizes, np.log(sizes), np.arange(12), draws=50)
    assert perfect["Pearson"].interval == pytest.approx((1, 1))
    assert perfect["Spearman"].interval == pytest.approx((1, 1))
    loose = np.log(sizes) + 3 * rng.normal(size=(12, 1)).repeat(6, axis=1)
    alone, related = (
        log_correlation(sizes, loose, families, draws=400)["Pearson"]
        for families in (np.arange(12), np.arange(12) // 3)
    )
    assert alone.interval[0] < alone.value < alone.interval[1]
    assert np.ptp(related.interval) > np.ptp(alone.interval)


def test_growth_recovers_a_plane_and_its_intervals_hold_it(rng):
    widths, depths = np.repeat([8, 16, 32], 3), np.tile([2, 5, 10], 3)
    plane = 0.25 * np.log2(widths) + 0.75 * np.log2(depths) + 4
    found = growth(plane[:, None] + rng.normal(size=(1, 6)), widths, depths, draws=50)
    assert [found[way].value for way in ("width", "depth")] == pytest.approx([0.25, 0.75])
    assert found["depth"].draws == pytest.approx(0.75)  # a patch's own level has no say
    rough = growth(plane[:, None] + rng.normal(size=(9, 40)), widths, depths)["depth"]
    low, high = rough.interval
    assert low < rough.value < high
    assert low < 0.75 < high


def test_bad_input_is_named(rng):
    some = rng.uniform(1, 2, size=(4, 3))
    with pytest.raises(ValueError, match="2 families of 4"):
        log_correlation(some, some, list("aabb"))
    with pytest.raises(ValueError, match="families of which"):
        log_correlation(some, some[:3], list("abcd"))
    with pytest.raises(ValueError, match="no logarithm"):
        log_correlation(some - 1.5, some, list("abcd"))
    with pytest.raises(ValueError, match="at least 3 pairs"):
        linear_correlation([1, 2], [1, 2])
    with pytest.raises(ValueError, match="must both vary"):
        growth(some, [1, 2, 4, 8], [1, 2, 4, 8])
    with pytest.raises(ValueError, match="positive width and depth"):
        growth(some, [1, 2, 4], [1, 2, 4])
