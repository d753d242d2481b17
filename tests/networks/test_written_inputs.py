"""Networks that change their input where it lies, as EDSR's heirs do with `x *= 255`."""

import pytest
import torch
from torch import nn

import srlab
from srlab.metrics import network_psnr, removed_share
from srlab.networks.cost import gradient_memory
from srlab.networks.receptive_field import receptive_field

SIZE = 24


class Scaled(nn.Module):
    def __init__(self, strength=1.0):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Conv2d(3, 12, 3, padding=1)
        self.tail = nn.PixelShuffle(2)
        with torch.no_grad():
            self.body.weight.mul_(strength)

    def forward(self, lr):
        return self.tail(self.body(lr * 255 - 30)) / 255


class Written(Scaled):
    def forward(self, lr):
        lr *= 255
        lr -= 30
        return self.tail(self.body(lr)) / 255


def pictures(scale=1):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(4, 3, scale * SIZE, scale * SIZE, generator=generator)


def filter_scores(network, lr):
    other = type(network)(1.2).state_dict()
    return srlab.faig(network, network.state_dict(), other, lr, pictures(2)).scores()["body"]


ASKED = {
    "lam": lambda network, lr: srlab.lam(network, lr[0], srlab.patch(16, 16, 8)).map,
    "erf": lambda network, lr: srlab.erf(network, lr, size=SIZE).map,
    "faig": filter_scores,
    "features": lambda network, lr: srlab.features(network, lr, ["body"])["body"],
    "connect": lambda network, lr: srlab.connect(network, lr)[0](lr.clone()),
    "psnr": lambda network, lr: network_psnr(network, lr, pictures(2), border=4),
    "removed": lambda network, lr: torch.tensor(removed_share(network, lr, lr.flip(-1))),
    "field": lambda network, _: torch.tensor(receptive_field(network)),
    "memory": lambda network, lr: torch.tensor(gradient_memory(network, lr) > 0),
}


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED.keys())
def test_pictures_stay_and_the_answer_is_that_of_the_polite_network(asked):
    lr = pictures()
    answer = asked(Written(), lr)
    assert torch.equal(lr, pictures())
    torch.testing.assert_close(answer, asked(Scaled(), pictures()), rtol=1e-4, atol=1e-5)
