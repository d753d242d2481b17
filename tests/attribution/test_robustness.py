"""Laws of repeated maps: what they repeat, and what they leave out."""

import pytest
import torch

from srlab.attribution.lam import lam
from srlab.attribution.paths import deblur
from srlab.attribution.robustness import kernel_size, robustness
from srlab.attribution.targets import patch
from srlab.models import build

pytestmark = pytest.mark.filterwarnings("ignore::srlab.attribution.integral.InexactWarning")


@pytest.fixture(scope="module")
def given():
    torch.manual_seed(0)
    model = build("srresnet", channels=4, num_blocks=1).double()
    lr = torch.rand(1, 3, 20, 24, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return model, lr, patch(30, 36, 16)


@pytest.fixture(scope="module")
def found(given):
    return robustness(*given, sigmas=(0.6, 1.2, 2.0), windows=(8, 16, 40, 80), steps=4)


def test_lams_own_choice_is_among_them(given, found):
    plain = lam(*given, path=deblur(steps=4)).map
    torch.testing.assert_close(found.by_sigma[1.2].map, plain)
    torch.testing.assert_close(found.by_window[16].map, plain)


def test_windows_share_their_middle_and_stay_inside(found):
    assert list(found.by_window) == [8, 16, 40]  # 80 leaves the 80×96 SR image
    assert {
        (own.target.top + side / 2, own.target.left + side / 2)
        for side, own in found.by_window.items()
    } == {(38, 44)}


def test_steps_make_the_whole_map(found):
    for own in found.by_sigma.values():
        sizes = own.step_sizes()
        assert sizes.shape == (4,)
        assert sizes.sum() == pytest.approx(1)
        torch.testing.assert_close(own.accumulated()[-1:], own.map)


def test_ranges_hold_every_index(found):
    for (low, high), maps in (
        (found.sigma_range(), found.by_sigma),
        (found.window_range(), found.by_window),
    ):
        indices = [own.diffusion_index for own in maps.values()]
        assert low == min(indices) < high == max(indices)


def test_kernels_are_as_wide_as_lams():
    assert [kernel_size(sigma) for sigma in (0.6, 1.2, 4.0)] == [5, 9, 29]


def test_a_blur_too_wide_for_the_picture_is_refused(given):
    with pytest.raises(ValueError, match="larger than 24"):
        robustness(*given, sigmas=(7.0,))
