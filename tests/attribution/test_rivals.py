"""Laws of the rivals of LAM, in double precision."""

import pytest
import torch
from torch.nn import functional as F

from srlab.attribution.lam import patch
from srlab.attribution.rivals import causal_effect, plain_gradient, smooth_gradient
from srlab.attribution.targets import error_target
from srlab.degradations.filters import filter2d, gaussian_kernel
from srlab.models import build


def image(height=20, width=24):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(1, 3, height, width, generator=generator, dtype=torch.float64)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return build("fsrcnn", channels=4, mapping_channels=4, num_blocks=1).double()


def enlarged(lr):
    return F.interpolate(lr, scale_factor=2, mode="nearest")


def linear(sr):
    """Each SR pixel with a weight of its own."""
    weights = torch.arange(sr[0].numel(), dtype=sr.dtype).reshape(sr.shape[1:])
    return (sr * weights).sum(dim=(1, 2, 3))


def test_the_gradient_is_autograds(model):
    lr, target = image().requires_grad_(), patch(30, 40, 8)
    (expected,) = torch.autograd.grad(target(model(lr)).sum(), lr)
    found = plain_gradient(model, lr, target)
    torch.testing.assert_close(found.map, expected)
    assert (found.forward_passes, found.backward_passes) == (1, 1)


def test_smooth_gradient_without_noise_is_the_gradient(model):
    target = patch(30, 40, 8)
    plain = plain_gradient(model, image(), target)
    found = smooth_gradient(model, image(), target, noise_sigma=0, draws=3)
    torch.testing.assert_close(found.map, plain.map)
    assert (found.forward_passes, found.backward_passes) == (3, 3)


def test_smooth_gradient_of_a_linear_function_is_its_gradient():
    plain = plain_gradient(enlarged, image(), linear).map
    torch.testing.assert_close(smooth_gradient(enlarged, image(), linear, draws=4).map, plain)


def test_smooth_gradient_is_seeded(model):
    target = patch(30, 40, 8)
    runs = [smooth_gradient(model, image(), target, draws=2, seed=s).map for s in (0, 0, 1)]
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


@pytest.mark.parametrize("tile", [3, 4, 10])
def test_effects_of_a_linear_function_add_up_to_the_whole_replacement(tile):
    lr = image()
    blurred = filter2d(lr, gaussian_kernel(1.2, size=9))
    found = causal_effect(enlarged, lr, linear, tile=tile)
    total = linear(enlarged(lr)) - linear(enlarged(blurred))
    assert found.map.shape == lr.shape
    assert found.map.sum().item() == pytest.approx(total.item())
    assert found.forward_passes == -(-20 // tile) * -(-24 // tile) + 1
    assert found.backward_passes == 0


def test_tiles_that_the_patch_cannot_see_have_no_effect(model):
    found = causal_effect(model, image(40, 40), patch(120, 120, 8), tile=4)
    assert found.map[..., :20, :].abs().max() < 1e-12 * found.map.abs().max()  # rounding
    assert found.map.any()


def test_helpful_tiles_lower_the_error(model):
    lr = image()
    hr = model(lr).detach()  # the network is right: any replacement makes it worse
    effects = causal_effect(model, lr, error_target(hr, 30, 40, 8)).map
    assert effects.max() <= 0
    assert effects.min() < 0


def test_swaps_are_seeded_and_averaged(model):
    target = patch(30, 40, 8)
    settings = {"tile": 5, "replacement": "swap"}
    runs = [causal_effect(model, image(), target, seed=s, **settings).map for s in (0, 0, 1)]
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])
    both = causal_effect(model, image(), target, draws=2, **settings)
    assert both.forward_passes == 2 * 4 * 5 + 1


def test_a_flat_image_gives_zeros_and_no_nan(model):
    flat, target = torch.full_like(image(), 0.5), patch(30, 40, 8)
    for found in (
        plain_gradient(enlarged, flat, patch(8, 8, 8)),
        causal_effect(model, flat, target, replacement="swap"),
    ):
        assert torch.isfinite(found.map).all()
        assert found.map.abs().max() < 1e-9


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda lr: causal_effect(enlarged, lr, linear, tile=0), "a tile has 1 to 10"),
        (lambda lr: causal_effect(enlarged, lr, linear, replacement="noise"), '"blur" or "swap"'),
        (lambda lr: smooth_gradient(enlarged, lr, linear, draws=0), "draws ≥ 1"),
        (lambda lr: plain_gradient(enlarged, lr.expand(2, -1, -1, -1), linear), "one LR image"),
        (lambda lr: plain_gradient(torch.detach, lr, linear), "no_grad"),
    ],
)
def test_bad_input_is_answered(call, says):
    with pytest.raises(ValueError, match=says):
        call(image())
