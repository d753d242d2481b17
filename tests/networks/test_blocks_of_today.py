"""Maps, receptive fields and the contract hold for the blocks of today's networks."""

import math

import pytest
import torch
from blocks_of_today import BLOCKS, ManyAnswers, Network, scanned

from srlab.attribution.integral import InexactWarning
from srlab.attribution.lam import lam, patch
from srlab.attribution.paths import deblur
from srlab.networks.contract import ContractError, connect
from srlab.networks.receptive_field import receptive_field

SIZE = 24
JUMPS = "dictionary"
WINDOWED = ("shifted windows", "overlapping windows")
# In LR pixels, with a convolution before and behind the block; the others see all of the picture.
FIELDS = {
    "shifted windows": 14,  # 5 places of two shifted windows, which lie in three others, and 2
    "overlapping windows": 12,  # 3 places of two windows, and 2 + 2
    "large kernel": 15,
    "reparametrised": 7,
    "recurrent": 11,
}


def image(channels=3, size=SIZE):
    generator = torch.Generator().manual_seed(1)
    small = torch.rand(1, channels, size // 2, size // 2, generator=generator)
    return torch.nn.functional.interpolate(small, scale_factor=2, mode="bicubic").clamp(0, 1)


def reference(network, lr, target, steps=300):
    """By the whole SR image and nothing of srlab's but the points of the path."""
    total = torch.zeros_like(lr)
    for points, moves in deblur(rule="midpoint", steps=steps)(lr[0]).pieces(60):
        given = points.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(target(network(given)).sum(), given)
        total += (gradient * moves).sum(dim=0)
    return total


def mapped(network, lr, scale):
    """The map by srlab, and its error."""
    middle = scale * lr.shape[-1] // 2 - 4
    target = patch(middle, middle, 8 if scale > 1 else 6)
    found = lam(network, lr, target)
    expected = reference(network, lr, target).sum(dim=1)
    error = (found.map.sum(dim=1) - expected).abs().sum() / expected.abs().sum()
    return found, float(error)


@pytest.mark.parametrize("block", [name for name in BLOCKS if name != JUMPS])
def test_a_map_is_that_of_three_hundred_steps(block):
    network = Network(block).eval()
    model, contract = connect(network, image())
    assert model is network
    assert contract.scale == 2
    assert contract.deterministic
    assert contract.sizes == (4 if block in WINDOWED else 1)
    found, error = mapped(network, image(), 2)
    assert error < 0.1
    assert found.completeness_error < 0.05


def test_of_a_network_that_regroups_its_pixels_the_map_is_told_to_be_inexact():
    """Along the path a pixel becomes another word's: there the target jumps, however fine it is."""
    with pytest.warns(InexactWarning, match="a target that jumps"):
        found, _ = mapped(Network(JUMPS).eval(), image(), 2)
    assert found.map.isfinite().all()


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])
def test_any_scale_and_channels_have_their_map(scale, channels):
    network = Network("simple gates", scale=scale, channels=channels).eval()
    found, error = mapped(network, image(channels, 16), scale)
    assert found.map.shape == (1, channels, 16, 16)
    assert error < 0.1


@pytest.mark.parametrize("block", BLOCKS)
def test_the_receptive_field_is_that_of_the_block(block):
    field = receptive_field(Network(block), largest=128)
    expected = FIELDS.get(block, math.inf)
    assert field == (expected, expected) or (block == "selective scan" and max(field) == math.inf)


def test_a_network_of_one_channel_has_its_field_too():
    assert receptive_field(Network("reparametrised", channels=1)).rows == FIELDS["reparametrised"]


def test_a_selective_scan_is_its_recurrence():
    generator = torch.Generator().manual_seed(0)
    decay, given = (torch.rand(2, 3, 37, generator=generator).double() for _ in range(2))
    state, expected = torch.zeros(2, 3), []
    for time in range(37):
        state = decay[..., time] * state + given[..., time]
        expected.append(state)
    torch.testing.assert_close(scanned(decay, given), torch.stack(expected, dim=-1))


def test_a_windowed_network_is_told_its_multiple():
    with pytest.raises(ContractError, match="multiple=4"):
        connect(Network("overlapping windows"), image()[..., :22, :21])
    _, contract = connect(Network("overlapping windows"), image()[..., :22, :21], multiple=4)
    assert contract.scale == 2


def test_of_several_answers_the_image_is_chosen():
    with pytest.raises(ContractError, match="output='image'"):
        connect(ManyAnswers("recurrent"), image())
    model, contract = connect(ManyAnswers("recurrent"), image(), output="image")
    assert contract.output == "image"
    torch.testing.assert_close(model(image()), Network("recurrent")(image()))
