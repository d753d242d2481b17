import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from srlab.models import MODELS, build
from srlab.networks.receptive_field import counted_receptive_field, receptive_field


def up_by_shuffles(side, last=1):
    """Side of the field of an SR pixel, ×4: a convolution before each of two pixel shuffles, and
    `last` behind them, on features whose own pixels see `side`. Counted on paper, phase by phase.
    """
    widest = 0
    for phase in range(4):
        first, end = phase - last, phase + last  # on the SR grid
        for _ in range(2):
            first, end = first // 2 - 1, end // 2 + 1  # half the grid, and a convolution there
        widest = max(widest, end - first + 1)
    return side - 1 + widest


@pytest.mark.parametrize(
    ("name", "settings", "exact", "counted"),
    [
        # 5×5, m 3×3, 9×9 transposed: an SR pixel gets 3 LR ones; on one grid it would get 9
        ("fsrcnn", {"num_blocks": 4}, 1 + 4 + 8 + 2, 1 + 4 + 8 + 8),
        ("fsrcnn", {"num_blocks": 5}, 17, 23),
        ("fsrcnn", {"num_blocks": 2}, 11, 17),
        # 9-5-5 on the enlarged picture: 17 SR pixels are 4 LR steps, 4 bicubic taps more than 0
        ("srcnn", {"mapping_channels": 2}, 8, 17),
        # head, 3 · 3 · 2 convolutions, two for the upsampler, tail
        ("carn", {}, up_by_shuffles(1 + 2 * 19), 45),
        ("carn", {"recursive": True, "groups": 2}, up_by_shuffles(1 + 2 * 19), 45),
        # head, 16 · 2 and one at the end of the body
        ("edsr", {}, up_by_shuffles(1 + 2 * 34), 75),
        ("edsr", {"num_blocks": 2}, up_by_shuffles(1 + 2 * 6), 19),
        # head, 8 in each block (two 5×5), one behind the fusion
        ("msrn", {"num_blocks": 12}, up_by_shuffles(1 + 2 + 8 * 12 + 2), 107),
        ("srresnet", {}, up_by_shuffles(1 + 2 * 33, last=2), 75),
        # head, 15 convolutions in each block, one behind them; 4 on the enlarged grids
        ("rrdbnet", {"num_blocks": 1, "growth": 2}, 1 + 2 * 17 + 3, 1 + 2 * 21),
    ],
)
def test_fields_are_those_derived_by_hand(name, settings, exact, counted):
    model = build(name, channels=4, **settings)
    assert receptive_field(model) == (exact, exact)
    assert counted_receptive_field(model) == (counted, counted)


def test_the_count_of_rrdbnet_is_the_papers():
    """Every block adds 30; 1 + 2 · (head + 1 + 4) = 13 are left, 703 for 23 blocks."""
    fields = [
        max(counted_receptive_field(build("rrdbnet", channels=1, growth=1, num_blocks=blocks)))
        for blocks in (1, 2)
    ]
    assert fields == [13 + 30, 13 + 60]
    assert 13 + 30 * 23 == 703


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("imdn", {"channels": 4, "num_blocks": 1}),
        ("rcan", {"channels": 2, "num_blocks": 1}),
        ("san", {"channels": 2, "num_groups": 1, "num_blocks": 1}),
    ],
)
def test_pooling_over_the_picture_is_global(name, settings):
    assert receptive_field(build(name, **settings), largest=128) == (math.inf, math.inf)


def test_a_field_that_does_not_fit_counts_as_global():
    model = build("edsr", channels=2, num_blocks=16)
    assert receptive_field(model, largest=64) == (math.inf, math.inf)


@pytest.mark.parametrize("num_layers", [1, 2, 3])
def test_windows_that_shift_are_followed_layer_by_layer(num_layers):
    """Back from an SR pixel: three convolutions, layers, the head; the widest of eight places."""
    model = build("swinir", channels=2, num_groups=1, num_layers=num_layers, heads=1)
    sides = []
    for place in range(8):
        first, last = place - 3, place + 3
        for layer in reversed(range(num_layers)):
            shift = 4 * (layer % 2)
            first = (first - shift) // 8 * 8 + shift
            last = (last - shift) // 8 * 8 + shift + 7
        sides.append(last + 1 - (first - 1) + 1)
    assert receptive_field(model) == (max(sides), max(sides))


def gradient_support(model, extent=48):
    """Widest support of the gradient of an SR pixel of the middle, over its phases."""
    lr = torch.rand(1, 3, 16, extent, dtype=torch.float64, requires_grad=True)
    sr = model(lr)
    scale, widest = sr.shape[-1] // extent, 0
    for phase in range(scale):
        pixel = sr[0, :, :, scale * (extent // 2) + phase].square().sum()
        (gradient,) = torch.autograd.grad(pixel, lr, retain_graph=True)
        seen = gradient.abs().sum(dim=(0, 1, 2)).nonzero().flatten()
        widest = max(widest, int(seen[-1] - seen[0]) + 1 if len(seen) else 0)
    return widest


@pytest.mark.parametrize("scale", [2, 4])  # at ×3 some weights of the interpolation are zero
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("fsrcnn", {"channels": 6, "mapping_channels": 4, "num_blocks": 2}),
        ("edsr", {"channels": 6, "num_blocks": 1}),
        ("pan", {"channels": 6, "upsampler_channels": 4, "num_blocks": 1}),
        ("rrdbnet", {"channels": 4, "num_blocks": 1, "growth": 2}),
        ("srcnn", {"channels": 6, "mapping_channels": 4}),
    ],
)
def test_the_field_is_the_support_of_the_gradient(name, settings, scale):
    torch.manual_seed(0)
    model = build(name, scale=scale, **settings).double()
    for parameter in model.parameters():  # in general position; positive weights keep all alive
        nn.init.uniform_(parameter, 0.1, 0.2)
    assert receptive_field(model).columns == gradient_support(model)


def test_a_gradient_too_small_for_a_float_is_still_a_dependence():
    model = nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(20)))
    for layer in model:
        nn.init.constant_(layer.weight, 1e-30)
    assert gradient_support(model.double()) == 0
    assert receptive_field(model) == (41, 41)


def test_silent_rectifiers_hide_nothing():
    model = nn.Sequential(nn.Conv2d(3, 4, 5, padding=2), nn.ReLU(), nn.Conv2d(4, 3, 3, padding=1))
    nn.init.constant_(model[0].bias, -100.0)
    assert gradient_support(model.double()) == 0
    assert receptive_field(model) == (7, 7)


class Foreign(nn.Module):
    """A stranger: strided, in multiples of 16, enlarging by interpolation."""

    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.Conv2d(4, 3, 1)

    def forward(self, lr):
        if lr.shape[-2] % 16 or lr.shape[-1] % 16:
            raise RuntimeError("sizes are multiples of 16")
        return F.interpolate(self.up(self.down(lr)), scale_factor=4, mode="nearest")


def test_any_callable_is_measured_and_left_as_it_was():
    model = Foreign()
    kept = {name: weight.clone() for name, weight in model.state_dict().items()}
    assert receptive_field(model) == (3, 3)
    assert model.training
    assert all(torch.equal(weight, kept[name]) for name, weight in model.state_dict().items())
    assert all(weight.dtype == torch.float32 for weight in model.parameters())
    assert receptive_field(lambda lr: model(lr)) == (3, 3)
    assert receptive_field(lambda lr: lr) == (1, 1)
    everything = receptive_field(lambda lr: lr + lr.mean(dim=(2, 3), keepdim=True))
    assert everything == (math.inf, math.inf)
    assert str(everything) == "global"


def test_a_maximum_is_seen_whole():
    assert receptive_field(nn.MaxPool2d(5, stride=1, padding=2)) == (5, 5)


@pytest.mark.parametrize("kernel", [(1, 5), (7, 3), (3, 65)])
def test_rows_and_columns_are_told_apart(kernel):
    model = nn.Conv2d(3, 3, kernel, padding="same")
    assert receptive_field(model) == kernel
    assert counted_receptive_field(model) == kernel
    assert str(receptive_field(model)) == f"{kernel[0]}×{kernel[1]}"


def test_a_network_may_see_all_of_one_side_only():
    tall = nn.Conv2d(3, 3, (5, 1), padding="same").double()
    assert receptive_field(lambda lr: lr + lr.mean(dim=3, keepdim=True)) == (1, math.inf)
    assert receptive_field(lambda lr: lr + lr.mean(dim=2, keepdim=True)) == (math.inf, 1)
    assert receptive_field(lambda lr: tall(lr).mean(dim=3, keepdim=True) + lr) == (5, math.inf)


def test_a_network_may_work_in_place():
    first, second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 3, (1, 5), padding="same")

    class InPlace(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = first, second

        def forward(self, lr):
            features = F.relu(self.first(lr.mul_(2)), inplace=True)
            features[:, :2] = features[:, 2:]
            features *= features.mean(dim=1, keepdim=True)
            return self.second(features)

    assert receptive_field(InPlace()) == (3, 7)


def test_what_cannot_be_measured_says_so():
    with pytest.raises(ValueError, match="lets no NaN through"):
        receptive_field(lambda lr: lr.nan_to_num())
    with pytest.raises(ValueError, match="takes no picture of 64 × 8 to 128"):
        receptive_field(lambda lr: lr.reshape(1, 3, 5, 5))
    with pytest.raises(ValueError, match=r"takes no picture .* maps"):
        receptive_field(lambda lr: torch.cat([lr, lr], dim=1))
    with pytest.raises(ValueError, match="Foreign enlarges by other means"):
        counted_receptive_field(Foreign())
    with pytest.raises(ValueError, match="RNAN does not run when none of its layers enlarges"):
        counted_receptive_field(build("rnan", channels=2, num_blocks=1))


def test_every_network_has_a_field():
    assert {"edsr", "carn", "imdn", "rfdn", "pan", "rrdbnet", "san", "swinir"} <= set(MODELS)
    rfdn, _ = receptive_field(build("rfdn", channels=2, num_blocks=1), largest=256)
    # without attention: head, 4, 1 behind the fusion, 1 in the upsampler
    assert 1 + 2 * 7 < rfdn < 100
