"""Laws of the tests that an attribution map can fail, in double precision."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from srlab.attribution.lam import patch
from srlab.attribution.sanity import (
    at_equal_distance,
    at_random,
    by_magnitude,
    by_nearness,
    randomized,
    replacement_curves,
    ring_correlation,
    similarity,
    weighted_layers,
)
from srlab.degradations.filters import filter2d, gaussian_kernel
from srlab.metrics import psnr
from srlab.models import build


def image(height=20, width=24, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, 3, height, width, generator=generator, dtype=torch.float64)


def enlarged(lr):
    return F.interpolate(lr, scale_factor=2, mode="nearest")


@pytest.fixture
def model():
    torch.manual_seed(0)
    return build("srresnet", channels=4, num_blocks=2)


def test_randomizing_goes_from_tail_to_head_and_leaves_the_model_alone(model):
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    steps = list(randomized(model, generator=torch.Generator().manual_seed(0)))
    assert [name for name, _ in steps] == weighted_layers(model)
    assert steps[0][0].startswith("tail")
    assert steps[-1][0].startswith("head")
    done: set[str] = set()
    for name, copy in steps:
        done.add(name)
        for key, tensor in copy.state_dict().items():
            changed = key.rpartition(".")[0] in done and before[key].std(correction=0) > 0
            assert torch.equal(tensor, before[key]) != changed
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_another_order_at_equal_distances_takes_as_many_of_each_ring():
    size, target = (20, 24), patch(12, 16, 8)
    order = by_magnitude(image())
    generator = torch.Generator().manual_seed(0)
    other = at_equal_distance(order, size, target, 2, generator)
    rows, columns = torch.meshgrid(torch.arange(20.0), torch.arange(24.0), indexing="ij")
    rings = torch.hypot(rows - 7.5, columns - 9.5).round().long().flatten()
    assert torch.equal(rings[order], rings[other])
    assert sorted(other.tolist()) == list(range(480))
    assert (order == other).double().mean() < 0.2


def test_randomizing_keeps_the_size_of_weights():
    layer = nn.Sequential(nn.Conv2d(64, 64, 3))
    layer[0].weight.data = 3 + 0.1 * torch.randn(
        layer[0].weight.shape, generator=torch.Generator().manual_seed(0)
    )
    ((_, copy),) = randomized(layer, generator=torch.Generator().manual_seed(1))
    assert copy[0].weight.mean().item() == pytest.approx(3, abs=0.01)
    assert copy[0].weight.std().item() == pytest.approx(0.1, rel=0.02)
    correlation = np.corrcoef(*(n[0].weight.detach().flatten() for n in (layer, copy)))[0, 1]
    assert abs(correlation) < 0.05


def test_randomizing_is_seeded_and_takes_whole_parts(model):
    def drawn(seed):
        generator = torch.Generator().manual_seed(seed)
        return [c.state_dict() for _, c in randomized(model, generator=generator, layers=["body"])]

    (one,), (same,), (other,) = drawn(0), drawn(0), drawn(1)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["body.0.conv1.weight"], other["body.0.conv1.weight"])
    assert torch.equal(one["head.0.weight"], model.state_dict()["head.0.weight"])


def test_a_map_is_like_itself_whatever_its_size_and_unlike_another():
    map_, other = image(seed=1) - 0.5, image(seed=2) - 0.5
    assert similarity(map_, map_) == pytest.approx((1, 1))
    assert similarity(map_, -3 * map_) == pytest.approx((1, 1))
    found = similarity(map_, other)
    assert abs(found.rank) < 0.2
    assert found.ssim < 0.5
    assert similarity(map_, other) == pytest.approx(similarity(other, map_))
    assert similarity(map_, torch.zeros_like(map_)).rank == 0
    with pytest.raises(ValueError, match="cannot be compared"):
        similarity(map_, image(24, 24))


def test_orders_name_each_pixel_once_and_begin_where_they_say():
    map_ = torch.zeros(1, 3, 20, 24)
    map_[0, 1, 7, 5], map_[0, 0, 3, 3] = -2, 1
    target = patch(20, 28, 8)  # LR rows 10..13, columns 14..17
    orders = [
        by_magnitude(map_),
        by_nearness((20, 24), target, 2),
        at_random((20, 24), torch.Generator().manual_seed(0)),
    ]
    assert all(order.sort().values.tolist() == list(range(480)) for order in orders)
    assert orders[0][:2].tolist() == [7 * 24 + 5, 3 * 24 + 3]
    assert set(orders[1][:4].tolist()) == {r * 24 + c for r in (11, 12) for c in (15, 16)}


def test_without_distance_a_ruler_says_nothing():
    target, texture = patch(20, 28, 8), image(seed=2).mean(dim=1, keepdim=True)
    rows, columns = torch.meshgrid(torch.arange(20.0), torch.arange(24.0), indexing="ij")
    fade = torch.exp(-torch.hypot(rows - 11.5, columns - 15.5).round() / 2).double()
    ruler, one = fade.expand(1, 3, -1, -1), (fade * texture).expand(1, 3, -1, -1)
    other = (fade * image(seed=4).mean(dim=1, keepdim=True)).expand(1, 3, -1, -1)
    assert similarity(one, other).rank > 0.8
    assert abs(ring_correlation(one, other, target, 2)) < 0.2
    assert abs(ring_correlation(one, ruler, target, 2)) < 0.2
    assert ring_correlation(one, one * fade, target, 2) == pytest.approx(1, abs=0.01)
    assert ring_correlation(one, torch.zeros_like(one), target, 2) == 0


def test_curves_measure_what_is_left_of_the_patch():
    lr, hr, target = image(), image(40, 48, seed=3), patch(20, 28, 8)
    order = by_nearness((20, 24), target, 2)
    found = replacement_curves(enlarged, lr, hr, target, order, shares=(0, 0.1, 1))
    window = (..., slice(20, 28), slice(28, 36))

    def quality(image):
        return psnr(enlarged(image)[window], hr[window], border=0).item()

    blurred = filter2d(lr, gaussian_kernel(1.2, size=9))
    some = lr.clone().flatten(2)
    some[..., order[:48]] = blurred.flatten(2)[..., order[:48]]
    assert found.sharp == found.deletion[0] == found.insertion[-1] == pytest.approx(quality(lr))
    assert found.blurred == found.deletion[-1] == found.insertion[0]
    assert found.blurred == pytest.approx(quality(blurred))
    assert found.deletion[1] == pytest.approx(quality(some.reshape(lr.shape)))
    assert found.harm == pytest.approx(found.sharp - found.deletion.mean())


def test_deleting_what_counts_hurts_and_elsewhere_does_not():
    lr, target = image(), patch(20, 28, 8)
    hr = enlarged(lr) + 0.01 * image(40, 48, seed=3)
    near = by_nearness((20, 24), target, 2)
    hurt, spared = (
        replacement_curves(enlarged, lr, hr, target, order, shares=(0.05, 0.1, 0.2))
        for order in (near, near.flip(0))
    )
    assert hurt.harm > 3
    assert spared.harm == pytest.approx(0)
    assert hurt.repair > spared.repair == pytest.approx(0)


def test_bad_orders_are_answered():
    lr, hr, target = image(), image(40, 48), patch(20, 28, 8)
    with pytest.raises(ValueError, match="each of the 480"):
        replacement_curves(enlarged, lr, hr, target, torch.arange(100))
