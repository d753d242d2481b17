"""A gradient is the same when parts of the network are run again for it, and takes less memory."""

from contextlib import nullcontext

import pytest
import torch
from blocks_of_today import BLOCKS, Network
from torch import nn

from srlab.attribution.lam import lam, patch
from srlab.attribution.paths import deblur
from srlab.capture import frozen
from srlab.models import build
from srlab.networks.cost import peak_memory
from srlab.networks.recomputation import recomputed

LR = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(0))
SMALL = {
    "srresnet": {"channels": 8, "num_blocks": 8},
    "rcan": {"channels": 8, "num_groups": 2, "num_blocks": 4},
    "swinir": {"channels": 8, "num_groups": 2, "num_layers": 4, "heads": 2},
}


def made(name):
    torch.manual_seed(0)
    return build(name, **SMALL[name]) if name in SMALL else Network(name)


def cost(network, around):
    """(gradient, bytes)."""
    lr = LR.clone().requires_grad_()

    def run():
        network(lr).square().sum().backward()

    with frozen(network), around:
        return peak_memory(run), lr.grad


@pytest.mark.parametrize("name", [*SMALL, *BLOCKS])
def test_a_gradient_is_the_same_when_parts_are_run_again(name):
    network = made(name)
    plain, expected = cost(network, nullcontext())
    least, found = cost(network, recomputed(network))
    torch.testing.assert_close(found, expected)
    assert least < (0.75 * plain if name in SMALL else 1.1 * plain)


@pytest.mark.parametrize("name", SMALL)
def test_a_map_is_the_same_when_parts_are_run_again(name):
    network = made(name)
    before = [dict(vars(own)) for own in network.modules()]
    plain, again = (
        lam(network, LR, patch(20, 20, 8), path=deblur(steps=16), recompute=recompute)
        for recompute in (False, True)
    )
    torch.testing.assert_close(again.map, plain.map, rtol=1e-3, atol=1e-5)
    assert [vars(own) for own in network.modules()] == before


def test_a_forward_of_ones_own_is_put_back():
    network = nn.Sequential(nn.Sequential(nn.Conv2d(3, 3, 1)))
    network[0].forward = own = lambda x: 2 * x
    with recomputed(network):
        assert torch.equal(network(LR), 2 * LR)
    assert network[0].forward is own


def test_what_is_no_module_is_left_alone():
    with recomputed(torch.relu):
        pass


def test_a_network_that_works_in_place_has_its_map_too():
    torch.manual_seed(0)
    block = nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(12, 12, 3, padding=1))
    network = nn.Sequential(nn.Conv2d(3, 12, 1), block, nn.PixelShuffle(2))
    maps = [
        lam(network, LR, patch(20, 20, 8), path=deblur(steps=8), recompute=again).map
        for again in (False, True)
    ]
    torch.testing.assert_close(maps[1], maps[0], rtol=1e-3, atol=1e-5)
