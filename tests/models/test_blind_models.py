"""Networks with a code of the degradation: DASR, DAN and ReDSR."""

from dataclasses import asdict

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from srlab.degradations.filters import downsample
from srlab.models import build
from srlab.models.dasr import ContrastHead
from srlab.models.degradation_aware import filter_each
from srlab.models.redsr import Degrader, OracleEncoder
from srlab.training.recipes import recipe

SMALL = {
    "dasr": {"channels": 6, "num_groups": 2, "num_blocks": 1, "encoder_channels": 4, "code": 5},
    "dan": {"channels": 6, "num_blocks": 2, "estimator_channels": 4, "code": 3, "iterations": 2},
    "redsr": {"channels": 6, "num_groups": 2, "num_blocks": 1, "encoder_channels": 4, "code": 5},
}


@pytest.fixture(params=list(SMALL))
def model(request):
    torch.manual_seed(0)
    network = build(request.param, **SMALL[request.param]).double().eval()
    for layer, module in network.named_modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)) and "encoder" not in layer:
            nn.init.normal_(module.weight, std=0.2)
    return network


def noise(*shape):
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def multiply_adds(name, **settings):
    """Of one LR image of 24×24."""
    with torch.device("meta"):
        network, lr = build(name, **settings).eval(), torch.empty(1, 3, 24, 24)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(lr)
    return counter.get_total_flops() / 2


def test_dasr_has_its_published_size():
    """5.84 M: generator and the encoder's convolutions (Tab. 1 of ReDSR); the head not."""
    with torch.device("meta"):
        model = build("dasr")
    convolutions = [layer for layer in model.encoder if isinstance(layer, nn.Conv2d)]
    normalization = [layer for layer in model.encoder if isinstance(layer, nn.BatchNorm2d)]
    assert sum(map(parameters, convolutions)) == 1_145_408
    assert parameters(model) - sum(map(parameters, normalization)) == 5_835_907
    assert model.represent(torch.rand(1, 3, 16, 16, device="meta")).shape == (1, 256)
    assert parameters(ContrastHead(256)) == 2 * (256 * 256 + 256)


def test_redsr_has_its_published_size():
    """6.28 M: encoder and generator (Tab. 1); the degrader is needed in training alone."""
    with torch.device("meta"):
        model = build("redsr")
    assert round(parameters(model) / 1e6, 2) == 6.28
    assert model.represent(torch.rand(1, 3, 16, 16, device="meta")).shape == (1, 64)


def test_an_oracle_is_told_and_otherwise_assumes_a_clean_picture():
    torch.manual_seed(0)
    model = build("redsr", **SMALL["redsr"], oracle=True).eval()
    assert sum(isinstance(layer, nn.Linear) for layer in model.encoder) == 5
    assert isinstance(model.encoder, OracleEncoder)
    lr, clean = noise(2, 3, 9, 11).float(), torch.zeros(2, 4)
    torch.testing.assert_close(model(lr), model.restore(lr, model.represent_known(clean)))
    blurred = model.represent_known(torch.tensor([[2.0, 2.0, 0.0, 0.1]]).expand(2, -1))
    assert not torch.allclose(blurred, model.represent(lr))


def test_the_degrader_corrects_the_bicubic_reduction_as_the_code_says():
    torch.manual_seed(0)
    degrader = Degrader(scale=4, channels=6, num_blocks=2, code=5).double()
    hr, codes = noise(2, 3, 24, 32), noise(2, 5)
    assert degrader(hr, codes).shape == (2, 3, 6, 8)
    assert not torch.allclose(degrader(hr, codes), degrader(hr, codes.flip(0)))
    for parameter in degrader.tail.parameters():
        nn.init.zeros_(parameter)
    torch.testing.assert_close(degrader(hr, codes), downsample(hr, 4))


def test_an_image_is_restored_by_the_code_it_is_given(model):
    lr, other = noise(2, 3, 9, 11), noise(2, 3, 12, 10) ** 3
    with torch.no_grad():
        own = model.restore(lr, model.represent(lr))
        torch.testing.assert_close(own, model(lr))
        assert not torch.allclose(model.guided_by(lr, other), own)
        torch.testing.assert_close(
            model.guided_by(lr, other), model.restore(lr, model.represent(other))
        )


def test_each_channel_of_each_image_has_its_own_filter():
    features, kernels = noise(2, 3, 7, 5), noise(2, 3, 3, 3)
    found = filter_each(features, kernels)
    for image in range(2):
        for channel in range(3):
            one = nn.functional.conv2d(
                features[image, channel][None, None], kernels[image, channel][None, None], padding=1
            )
            torch.testing.assert_close(found[image, channel], one[0, 0])


def test_a_dan_of_more_turns_has_no_more_weights():
    few, many = (build("dan", **{**SMALL["dan"], "iterations": turns}) for turns in (1, 3))
    assert parameters(few) == parameters(many)
    many.load_state_dict(few.state_dict())
    nn.init.normal_(many.restorer.modulation.weight)
    few.load_state_dict(many.state_dict())
    lr = noise(1, 3, 9, 9).float()
    assert not torch.allclose(few(lr), many(lr))


@pytest.mark.parametrize("name", ["faig-dasr", "faig-dan"])
def test_two_branches_cost_what_one_costs(name):
    """FAIG, Tab. 1: equal parameters, equal computation, equal terms."""
    one, two = recipe("faig-one-branch"), recipe(name)
    sizes = [parameters(build(r.architecture, **r.hyperparameters)) for r in (one, two)]
    costs = [multiply_adds(r.architecture, **r.hyperparameters) for r in (one, two)]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.1)
    assert costs[1] == pytest.approx(costs[0], rel=0.1)
    different = {"architecture", "hyperparameters"}
    plain = [{k: v for k, v in asdict(r).items() if k not in different} for r in (one, two)]
    assert plain[0] == plain[1]
