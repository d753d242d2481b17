"""Laws of what can be attributed: on a window, in double precision."""

import math
from itertools import pairwise

import pytest
import torch

from srlab.attribution.lam import lam
from srlab.attribution.paths import deblur, straight
from srlab.attribution.targets import (
    MEASURES,
    PatchTarget,
    brightness,
    colour,
    edges,
    error_target,
    frequency_band,
    gradient_magnitude,
    gradient_map,
    mask_target,
    masked,
    named_measure,
    patch,
    residual,
    tapered,
)
from srlab.degradations.filters import upsample
from srlab.metrics import psnr
from srlab.models import build

# Few steps and small networks are what these laws need; what is not exact is told elsewhere.
pytestmark = pytest.mark.filterwarnings("ignore::srlab.attribution.integral.InexactWarning")


NAMES = [*MEASURES, "edges:45", "band:0,0.1"]


def window(height=9, width=12):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(2, 3, height, width, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("name", NAMES)
def test_every_measure_gives_one_number_and_a_finite_gradient_even_when_flat(name):
    measure = named_measure(name)
    for pixels in (window(), torch.full_like(window(), 0.5)):
        pixels.requires_grad_()
        values = measure(pixels)
        (gradient,) = torch.autograd.grad(values.sum(), pixels)
        assert values.shape == (2,)
        assert torch.isfinite(values).all()
        assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("name", sorted({*NAMES} - {"gradient", "edges", "edges:45"}))
def test_only_differences_look_beyond_the_window(name):
    changed = window()
    changed[..., -1, :] = changed[..., :, -1] = 0
    torch.testing.assert_close(named_measure(name)(changed), named_measure(name)(window()))


def test_the_gradient_magnitude_is_the_sum_of_its_map():
    assert gradient_map(window()).shape == (2, 3, 8, 11)
    torch.testing.assert_close(
        gradient_magnitude(window()), gradient_map(window()).sum(dim=(1, 2, 3))
    )


def test_edges_are_found_across_their_direction():
    upright = torch.zeros(1, 3, 8, 8, dtype=torch.float64)
    upright[..., 4:] = 1
    level = upright.mT
    assert edges(0)(upright).item() == pytest.approx(edges(90)(level).item()) == 3 * 7
    assert max(edges(0)(level).item(), edges(90)(upright).item()) < 1e-12
    assert edges(45)(upright).item() == pytest.approx(3 * 7 * math.sqrt(0.5))


def test_turned_edges_are_the_projections_of_the_gradient():
    both = torch.stack([edges(angle)(window()) for angle in range(0, 180, 1)])
    mean = both.mean(dim=0)  # of |cos| over all directions: 2/π
    torch.testing.assert_close(mean, gradient_magnitude(window()) * 2 / math.pi, rtol=1e-3, atol=0)


def test_colour_is_zero_for_grey_and_blind_to_brightness():
    grey = window()[:, :1].expand(-1, 3, -1, -1)
    assert colour(grey).abs().max() < 1e-12
    torch.testing.assert_close(colour(window() + 0.2), colour(window()))


def test_brightness_follows_the_light():
    brighter = (brightness(window() + 0.1) - brightness(window())) / (8 * 11)
    torch.testing.assert_close(
        brighter, torch.full_like(brighter, 0.1 * 219 / 255), atol=1e-3, rtol=0
    )


def test_bands_add_up_to_the_energy_of_the_tapered_window():
    cuts = [0, 0.1, 0.25, 0.5, 0.75]
    bands = [frequency_band(a, b)(window()) for a, b in pairwise(cuts)]
    energy = tapered(window()[..., :-1, :-1]).square().sum(dim=(1, 2, 3))
    torch.testing.assert_close(sum(bands), energy)


def test_a_wave_is_in_its_own_band():
    wave = torch.sin(2 * math.pi * torch.arange(33, dtype=torch.float64) / 8).expand(1, 3, 33, 33)
    inside, beyond = (frequency_band(*band)(wave).item() for band in ((0.05, 0.2), (0.2, 0.75)))
    assert inside > 50 * beyond


def test_the_error_is_that_of_psnr():
    sr, hr = window(20, 24)[:1], window(20, 24)[1:]
    error = error_target(hr, 3, 5, 8)(sr).log10().mul(-10)
    inside = (..., slice(3, 11), slice(5, 13))
    torch.testing.assert_close(error, psnr(sr[inside], hr[inside], border=0))


def test_a_mask_of_ones_is_the_plain_target_and_parts_add_up():
    sr = window(20, 24)
    plain = PatchTarget(0, 0, 19, width=23)(sr)
    every = torch.ones(20, 24, dtype=torch.bool)
    torch.testing.assert_close(mask_target(every)(sr), plain)
    half = torch.rand(20, 24, generator=torch.Generator().manual_seed(1)) > 0.5
    torch.testing.assert_close(mask_target(half)(sr) + mask_target(~half)(sr), plain)
    square = torch.zeros(20, 24, dtype=torch.bool)
    square[3:11, 5:13] = True
    torch.testing.assert_close(mask_target(square)(sr), patch(3, 5, 8)(sr))


def test_a_mask_is_cut_to_what_it_holds_and_explained_like_a_patch():
    torch.manual_seed(0)
    model = build("srresnet", channels=4, num_blocks=1).double()
    lr = window(12, 14)[:1]
    mask = torch.zeros(48, 56, dtype=torch.bool)
    mask[10:14, 20:40] = True
    target = mask_target(mask)
    assert (target.top, target.left, target.shape) == (10, 20, (4, 20))
    cropped = lam(model, lr, target, path=deblur(steps=2))
    whole = lam(model, lr, lambda sr: masked(mask[:-1, :-1])(sr), path=deblur(steps=2))
    torch.testing.assert_close(cropped.map, whole.map)


@pytest.mark.parametrize(
    ("mask", "says"),
    [
        (torch.ones(4, 4), "boolean"),
        (torch.ones(1, 4, 4, dtype=torch.bool), "boolean"),
        (torch.zeros(4, 4, dtype=torch.bool), "empty"),
    ],
)
def test_masks_that_do_not_fit_are_answered(mask, says):
    with pytest.raises(ValueError, match=says):
        mask_target(mask)


def test_names_take_numbers():
    torch.testing.assert_close(named_measure("edges:90")(window()), edges(90)(window()))
    torch.testing.assert_close(
        named_measure("band:0.1,0.3")(window()), frequency_band(0.1, 0.3)(window())
    )


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("shape", "unknown target 'shape'; srlab has gradient, edges, colour"),
        ("edges:x", r"edges takes \(angle"),
        ("colour:1", r"colour takes \(\)"),
        ("band:0.1,0.2,0.3", "band takes"),
        ("band:0.5,0.2", "low < high"),
    ],
)
def test_unknown_names_are_answered(name, says):
    with pytest.raises(ValueError, match=says):
        named_measure(name)


def test_the_residual_of_bicubic_enlargement_is_nothing():
    lr = window(12, 14)[:1]
    assert residual(lambda lr: upsample(lr, 3))(lr).abs().max() == 0


def test_targets_add_up_to_their_residual_and_the_enlarged_picture():
    """Brightness is linear, so that its maps are: SR = (SR − bicubic) + bicubic."""
    torch.manual_seed(0)
    model = build("srresnet", channels=4, num_blocks=1).double()
    lr, target = window(12, 14)[:1], patch(20, 24, 8, measure=brightness)
    whole, rest, enlarged = (
        lam(network, lr, target, path=straight(steps=4)).map
        for network in (model, residual(model), lambda lr: upsample(lr, 4))
    )
    torch.testing.assert_close(rest + enlarged, whole)


def test_a_residual_leaves_the_picture_alone_where_its_network_does_not():
    class Greedy(torch.nn.Conv2d):
        def forward(self, lr):
            return super().forward(lr.mul_(0)).repeat_interleave(2, 2).repeat_interleave(2, 3)

    lr = window(12, 14)[:1].float()
    before, network = lr.clone(), residual(Greedy(3, 3, 1))
    torch.testing.assert_close(network(lr) + upsample(before, 2), network.network(before.clone()))
    torch.testing.assert_close(lr, before)


@pytest.mark.parametrize("extents", [(16, 40), (40, 16), (1, 1)])
def test_a_picture_too_small_for_any_patch_is_told_apart_from_a_wrong_place(extents):
    held = "×".join(str(extent - 1) for extent in extents)
    with pytest.raises(
        ValueError, match=f"too small for a patch of 16×16: .* holds {held}; choose"
    ):
        patch(0, 0, 16).check_inside(*extents)
    with pytest.raises(ValueError, match=r"choose top in 0\.\.0 and left in 0\.\.23"):
        patch(1, 0, 16).check_inside(17, 40)
