import pytest
import torch
from torch import nn

from srlab.images import luma
from srlab.models import build
from srlab.studies.ddr.feature_maps import (
    content_share,
    degradation_share,
    edge_correlation,
    edges,
    layer_maps,
    principal_maps,
)


@pytest.fixture
def images():
    torch.manual_seed(0)
    coarse = torch.rand(3, 3, 8, 8)
    return torch.nn.functional.interpolate(coarse, size=(32, 32), mode="bilinear")


def test_maps_come_by_falling_variance_and_keep_all_of_it():
    torch.manual_seed(0)
    features = torch.randn(2, 6, 10, 12) * torch.arange(1.0, 7).reshape(1, 6, 1, 1)
    maps, shares = principal_maps(features, 6)
    variances = maps.var(dim=(2, 3), correction=0)
    assert (variances.diff(dim=1) <= 0).all()
    torch.testing.assert_close(variances.sum(dim=1), features.var((2, 3), correction=0).sum(dim=1))
    torch.testing.assert_close(shares, variances / variances.sum(dim=1, keepdim=True))


def test_maps_do_not_depend_on_how_channels_are_mixed():
    torch.manual_seed(0)
    features = torch.randn(1, 4, 9, 9) * torch.tensor([4.0, 3, 2, 1]).reshape(1, 4, 1, 1)
    turn, _ = torch.linalg.qr(torch.randn(4, 4))
    turned = torch.einsum("ij,njhw->nihw", turn, features) + 7
    torch.testing.assert_close(
        principal_maps(features, 2).maps, principal_maps(turned, 2).maps, atol=1e-4, rtol=1e-4
    )


def test_a_constant_layer_has_empty_maps():
    maps, shares = principal_maps(torch.ones(1, 3, 5, 5), 2)
    assert not maps.any()
    assert not shares.any()


def test_layer_maps_are_those_of_the_layer_in_any_batch():
    model = build("srresnet", scale=2, channels=8, num_blocks=2)
    lr = torch.rand(5, 3, 12, 12)
    layers = ["body.0", "body.1"]
    small, large = (layer_maps(model, lr, layers, count=3, batch_size=n) for n in (2, 5))
    assert small["body.1"].maps.shape == (5, 3, 12, 12)
    torch.testing.assert_close(small["body.1"].shares, large["body.1"].shares)
    assert (small["body.0"].maps != small["body.1"].maps).any()


def test_a_foreign_network_keeps_its_layout():
    class Stranger(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Conv2d(3, 4, 3, padding=1)

        def forward(self, lr):
            return self.head(lr.view(len(lr), -1).view(lr.shape))

    found = layer_maps(Stranger(), torch.rand(3, 3, 6, 6), ["head"], count=2)
    assert found["head"].maps.shape == (3, 2, 6, 6)


def test_the_edge_of_a_step_is_where_it_steps():
    image = torch.zeros(1, 3, 8, 8)
    image[..., 4:] = 1
    found = edges(image)[0]
    assert found[:, 3:5].min() > 0
    assert not found[:, [0, 1, 2, 5, 6, 7]].any()


def test_edges_correlate_with_themselves_and_not_with_noise(images):
    torch.testing.assert_close(
        edge_correlation(-2 * edges(images)[:, None], images), torch.ones(3).double()
    )
    noise = torch.randn(3, 8, 32, 32)
    assert edge_correlation(noise, images).abs().max() < 0.2
    assert not edge_correlation(noise, torch.full_like(images, 0.5)).any()


def test_content_is_what_filters_of_the_picture_show(images):
    grey = luma(images)
    filtered = torch.cat([grey, grey.roll(1, 2) - 3 * grey], dim=1)
    torch.testing.assert_close(content_share(filtered, images), torch.ones(3).double())
    noise = torch.randn(3, 4, 32, 32)
    assert content_share(noise, images).max() < 3 * 25 / 24**2
    both = torch.cat([grey / grey.std(), torch.randn_like(grey)], dim=1)
    assert 0.2 < content_share(both, images).mean() < 0.8


def test_unlike_sizes_and_counts_are_refused(images):
    with pytest.raises(ValueError, match="differ in number or size"):
        edge_correlation(torch.zeros(3, 2, 16, 16), images)
    with pytest.raises(ValueError, match="leaves nothing"):
        content_share(torch.zeros(3, 2, 32, 32), images, border=16)
    with pytest.raises(ValueError, match="at least 8 channels"):
        principal_maps(torch.zeros(1, 3, 4, 4))


def test_what_versions_share_is_content_and_the_rest_the_degradation():
    torch.manual_seed(0)
    content = torch.randn(5, 1, 4, 20, 20).expand(-1, 3, -1, -1, -1)
    damage = torch.randn(1, 3, 4, 20, 20).expand(5, -1, -1, -1, -1)
    damage = damage - damage.mean(dim=1, keepdim=True)
    shares = [degradation_share(own.flatten(0, 1) + 7, 3, border=2) for own in (content, damage)]
    torch.testing.assert_close(shares[0], torch.zeros(5).double(), atol=1e-6, rtol=0)
    torch.testing.assert_close(shares[1], torch.ones(5).double())
    mixed = degradation_share((content + damage).flatten(0, 1), 3)
    weak = degradation_share((content + 0.5 * damage).flatten(0, 1), 3)
    assert (weak < mixed).all()


def test_contents_come_whole():
    with pytest.raises(ValueError, match="no whole number"):
        degradation_share(torch.zeros(7, 2, 20, 20), 3)
