from dataclasses import replace

import numpy as np
import pytest
import torch

from srlab.degradations import Degradation, DegradationSpace
from srlab.degradations.filters import add_noise, blur, downsample, filter2d, jpeg, motion_kernel

HR = torch.rand(2, 3, 96, 120, generator=torch.Generator().manual_seed(0))
WIDE_SPACE = DegradationSpace(
    scale=2,
    blur_sigma=(0.2, 2.0),
    blur_probability=0.7,
    anisotropic=True,
    noise_sigma=(0.0, 0.1),
    noise_probability=0.5,
    jpeg_quality=(30, 90),
    jpeg_probability=0.5,
)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_the_parts_act_in_their_order():
    degradation = Degradation(scale=2, blur_sigma=1.5, noise_sigma=0.1, jpeg_quality=60)
    expected = jpeg(add_noise(downsample(blur(HR, 1.5), 2), 0.1, rng()), 60)
    assert torch.equal(degradation(HR, rng()), expected)


def test_nothing_drawn_is_the_identity():
    assert torch.equal(Degradation()(HR), HR)
    assert torch.equal(Degradation(kernel_size=21)(HR), HR)
    tiny = torch.rand(1, 3, 8, 8)
    assert torch.equal(Degradation(kernel_size=21)(tiny), tiny)  # no kernel, so none must fit


def test_the_same_generator_state_gives_the_same_image():
    degradation = Degradation(scale=4, blur_sigma=1.0, noise_sigma=0.1)
    assert torch.equal(degradation(HR, rng(5)), degradation(HR, rng(5)))
    assert not torch.equal(degradation(HR, rng(5)), degradation(HR, rng(6)))


def test_an_image_does_not_depend_on_the_order_of_its_batch():
    degradation = Degradation(scale=2, blur_sigma=1.0, noise_sigma=0.1, jpeg_quality=50)
    together = degradation(HR, [rng(1), rng(2)])
    swapped = degradation(HR.flip(0), [rng(2), rng(1)])
    assert torch.equal(together, swapped.flip(0))


@pytest.mark.parametrize(
    "degradation",
    [
        *(Degradation(scale=scale) for scale in (2, 3, 4, 8)),
        Degradation(blur_sigma=1.7),
        Degradation(scale=4, blur_sigma=2.0),
        Degradation(scale=3, blur_sigma=0.4, blur_sigma_y=1.9, blur_angle=1.0),
        Degradation(scale=4, blur_sigma=3.0, kernel_size=15),
        Degradation(scale=2, kernel_size=15),
    ],
    ids=str,
)
def test_a_window_with_its_margin_knows_all_it_needs(degradation):
    """Degrading crop + margin and cropping the degraded picture are the same."""
    scale, margin = degradation.scale, degradation.margin
    size = 6 * scale
    hr = torch.rand(1, 3, size + 2 * margin + 4 * scale, size + 2 * margin + 2 * scale)
    crop = hr[..., 2 * scale : -2 * scale, scale:-scale]
    edge = margin // scale
    assert margin % scale == 0
    inside = degradation(crop)[..., edge : edge + 6, edge : edge + 6]
    expected = degradation(hr)[..., edge + 2 : edge + 8, edge + 1 : edge + 7]
    torch.testing.assert_close(inside, expected, atol=1e-6, rtol=0)


def test_the_margin_is_not_larger_than_a_widest_kernel_needs():
    assert Degradation().margin == 0
    assert Degradation(kernel_size=21).margin == 0
    assert Degradation(blur_sigma=2.0, kernel_size=21).margin == 10


def test_a_kernel_size_cuts_the_blur():
    cut = Degradation(blur_sigma=2.0, kernel_size=3)(HR)
    whole = Degradation(blur_sigma=2.0)(HR)
    assert (cut - HR).abs().mean() < (whole - HR).abs().mean()


def test_names_tell_degradations_apart():
    clean = Degradation()
    names = [
        str(clean),
        str(replace(clean, blur_sigma=4)),
        str(replace(clean, blur_sigma=4, blur_sigma_y=1)),
        str(replace(clean, blur_sigma=4, blur_sigma_y=2)),
        str(replace(clean, noise_sigma=20 / 255)),
        str(replace(clean, blur_sigma=4, noise_sigma=20 / 255, jpeg_quality=30)),
    ]
    assert len(set(names)) == len(names)
    assert names[0] == "clean"
    assert names[4] == "noise 20/255"
    assert names[5] == "blur 4 + noise 20/255 + JPEG 30"


def test_draws_are_reproducible_and_differ():
    draws = [WIDE_SPACE.draw(rng(seed)) for seed in range(8)]
    assert draws == [WIDE_SPACE.draw(rng(seed)) for seed in range(8)]
    assert len(set(draws)) > 4


def test_draws_stay_inside_the_space_and_use_all_of_it():
    generator = rng()
    draws = [WIDE_SPACE.draw(generator) for _ in range(400)]
    blurred = [drawn.blur_sigma for drawn in draws if drawn.widest_sigma]
    noise = [drawn.noise_sigma for drawn in draws if drawn.noise_sigma]
    qualities = [drawn.jpeg_quality for drawn in draws if drawn.jpeg_quality is not None]
    assert 0.2 <= min(blurred) < 0.3
    assert 1.9 < max(blurred) <= 2.0
    assert max(noise) <= 0.1
    assert (min(qualities), max(qualities)) == (30, 90)
    both = [drawn for drawn in draws if drawn.noise_sigma and drawn.jpeg_quality is not None]
    for part, probability in ((blurred, 0.7), (noise, 0.5), (qualities, 0.5), (both, 0.25)):
        assert len(part) / len(draws) == pytest.approx(probability, abs=0.08)
    assert all(drawn.margin <= WIDE_SPACE.margin for drawn in draws)


def test_an_isotropic_space_draws_isotropic_blur():
    drawn = replace(WIDE_SPACE, anisotropic=False, blur_probability=1.0).draw(rng())
    assert drawn.blur_sigma_y is None
    assert drawn.blur_sigma > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scale": 5}, "scale"),
        ({"blur_sigma": -1.0}, "blur_sigma"),
        ({"blur_sigma_y": float("nan")}, "blur_sigma_y"),
        ({"noise_sigma": 20.0}, "20/255"),
        ({"kernel_size": 4}, "odd"),
        ({"kernel_size": 0}, "odd"),
        ({"jpeg_quality": 0}, "between 1 and 100"),
        ({"resampling": "nearest"}, '"bicubic" or "bilinear"'),
    ],
)
def test_impossible_degradations_are_refused_when_they_are_made(settings, message):
    with pytest.raises(ValueError, match=message):
        Degradation(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"blur_sigma": (2.0, 1.0)}, r"\(low, high\)"),
        ({"blur_sigma": (-1.0, 1.0)}, "not negative"),
        ({"noise_sigma": (0.0, 20.0)}, "20/255"),
        ({"noise_probability": 1.5}, "between 0 and 1"),
        ({"jpeg_quality": (0, 50)}, "between 1 and 100"),
    ],
)
def test_impossible_spaces_are_refused_when_they_are_made(settings, message):
    with pytest.raises(ValueError, match=message):
        DegradationSpace(**settings)


def test_noise_needs_a_generator():
    with pytest.raises(ValueError, match="default_rng"):
        Degradation(noise_sigma=0.1)(HR)


def test_a_shift_is_drawn_last_and_named():
    space = DegradationSpace(noise_sigma=(0.0, 0.1), shift=3.0)
    still, moved = replace(space, shift=0.0).draw(rng()), space.draw(rng())
    assert replace(moved, shift=(0.0, 0.0)) == still  # older spaces draw what they always drew
    assert all(0 < abs(pixels) <= 3 for pixels in moved.shift)
    assert str(Degradation(shift=(0.5, -1))) == "shift 0.5, -1"
    assert space.margin == 3 + 2
    with pytest.raises(ValueError, match="down, right"):
        Degradation(shift=(float("nan"), 0))


def test_what_is_drawn_is_reduced_as_its_space_says():
    drawn = DegradationSpace(scale=2, resampling="bilinear").draw(np.random.default_rng(0))
    torch.testing.assert_close(drawn(HR), downsample(HR, 2, "bilinear"), atol=0, rtol=0)


def test_motion_comes_between_blur_and_reduction_and_widens_the_margin():
    hr = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    own = Degradation(scale=4, blur_sigma=1, motion_length=6, motion_angle=0.5)
    moved = filter2d(blur(hr, 1), motion_kernel(6, 0.5))
    torch.testing.assert_close(own(hr), downsample(moved, 4))
    assert own.margin > replace(own, motion_length=0).margin
    assert str(own) == "blur 1 + motion 6 at 29°"
    with pytest.raises(ValueError, match="motion_length must be finite"):
        Degradation(motion_length=-1)
