"""Laws of the effective receptive field, in double precision."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from srlab.attribution.effective_field import EffectiveField, erf
from srlab.models import build
from srlab.networks.receptive_field import receptive_field


def pictures(count=3, height=20, width=24):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(count, 3, height, width, generator=generator, dtype=torch.float64)


def small(name="srresnet", **sizes):
    torch.manual_seed(0)
    return build(name, **({"channels": 4, "num_blocks": 1} | sizes)).double()


class Convolved(nn.Module):
    """A convolution, each pixel then repeated."""

    def __init__(self, weight):
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, lr):
        return F.interpolate(F.conv2d(lr, self.weight, padding="same"), scale_factor=2.0)


def test_the_field_of_a_convolution_is_its_kernel():
    weight = torch.randn(3, 3, 5, 5, generator=torch.Generator().manual_seed(1)).double()
    found = erf(Convolved(weight), pictures(), size=16).map
    inside = (slice(6, 11), slice(6, 11))  # around pixel 8
    torch.testing.assert_close(found[inside], weight.sum(dim=0).abs().sum(dim=0))
    assert found.sum() == pytest.approx(found[inside].sum().item())


def test_it_lies_inside_the_theoretical_field():
    model = small()
    reach = int(receptive_field(model).rows) // 2
    found = erf(model, pictures(1, 64, 64), size=64).map
    middle = slice(32 - reach, 32 + reach + 1)
    rest = found.clone()
    rest[middle, middle] = 0
    assert rest.abs().max() == 0 < found[middle, middle].min()


@pytest.mark.parametrize("name", ["srresnet", "imdn"])
def test_it_is_the_plain_gradient_of_the_whole(name):
    model, lr = small(name), pictures()[..., 2:18, 4:20]
    given = lr.clone().requires_grad_()
    sr = model(given)
    (gradient,) = torch.autograd.grad(sr[..., sr.shape[-2] // 2, sr.shape[-1] // 2].sum(), given)
    torch.testing.assert_close(erf(model, pictures(), size=16).maps, gradient.abs().sum(dim=1))
    published = erf(model, lr, size=16, convention="published")
    torch.testing.assert_close(published.maps, gradient.relu().sum(dim=1))


def test_a_network_that_overwrites_what_its_gradient_needs_has_its_field():
    def overwriting(lr):
        made = lr.sigmoid()
        made[:, :1] *= 2
        return made

    weights = torch.tensor([2, 1, 1], dtype=torch.float64)[:, None, None]
    found, expected = (
        erf(network, pictures(), size=16).maps
        for network in (overwriting, lambda lr: lr.sigmoid() * weights)
    )
    torch.testing.assert_close(found, expected)


def test_what_the_published_scripts_drop_is_the_negative_part():
    model, lr = small(), pictures()[..., :16, :16]
    raised, lowered = (
        erf(network, lr, size=16, convention="published").map
        for network in (model, lambda lr: -model(lr))
    )
    torch.testing.assert_close(raised + lowered, erf(model, lr, size=16).map)


def test_the_published_scripts_stretch_pictures():
    lr = pictures()
    stretched = F.interpolate(lr, size=(16, 16))
    model = small()
    one, other = (erf(model, own, size=16, convention="published") for own in (lr, stretched))
    torch.testing.assert_close(one.maps, other.maps)


def test_squares_grow_with_the_share_until_they_hold_everything():
    found = erf(small(), pictures(), size=16)
    sides = [found.side(share) for share in (0.01, 0.2, 0.5, 0.9, 0.99)]
    assert sides[0] == 1
    assert sides == sorted(sides)
    assert list(found.area_ratios()) == [0.2, 0.3, 0.5, 0.99]


def test_areas_of_known_maps():
    even = EffectiveField(torch.ones(1, 15, 15), "absolute")
    assert even.side(49 / 225) == 7
    assert even.area_ratio(49 / 225) == pytest.approx(49 / 225)
    assert even.area_ratio(1) == 1
    spike = torch.zeros(1, 15, 15)
    spike[0, 7, 7] = 1
    assert EffectiveField(spike, "absolute").side(0.99) == 1
    assert EffectiveField(spike, "published").side(0.99) == 3  # the script's smallest square


def test_the_published_area_is_the_scripts():
    found = erf(small(), pictures(), size=16, convention="published")
    scores = torch.log10(found.map + 1)
    for share, ratio in found.area_ratios().items():
        squares = (scores[8 - i : 9 + i, 8 - i : 9 + i].sum() / scores.sum() for i in range(1, 8))
        radius = next((i for i, own in enumerate(squares, 1) if own > share), None)
        assert ratio == pytest.approx((2 * radius + 1) ** 2 / 256) if radius else ratio == 1


def test_only_so_many_pictures_count_and_the_network_stays_as_it_was():
    model = small().train()
    assert len(erf(model, pictures(5), size=16, limit=2).maps) == 2
    assert model.training
    assert all(weight.requires_grad for weight in model.parameters())


@pytest.mark.parametrize(
    ("given", "settings", "says"),
    [
        (pictures(), {}, "20×24 LR pixels holds no 120×120 ones: give size=20"),
        ([], {}, "at least one"),
        (pictures()[None], {"size": 16}, r"\(3, h, w\), or a batch"),
        (pictures() * 255, {"size": 16}, "divide by 255"),
        (pictures(), {"size": 16, "convention": "exact"}, "absolute or published, got 'exact'"),
    ],
)
def test_wrong_input_is_answered(given, settings, says):
    with pytest.raises(ValueError, match=says):
        erf(small(), given, **settings)


def test_a_gradient_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="NaN or infinity"):
        erf(lambda lr: (lr - lr).sqrt() + lr, pictures(), size=16)


def test_shares_are_shares():
    with pytest.raises(ValueError, match=r"\(0, 1\], got 20"):
        erf(small(), pictures(), size=16).side(20)
