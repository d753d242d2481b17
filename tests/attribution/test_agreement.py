"""Laws of what several maps have in common."""

import pytest
import torch

from srlab.attribution.agreement import agreement, overlap
from srlab.attribution.lam import magnitude, signed


def maps(count=2, size=9):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, 1, 3, size, size, generator=generator, dtype=torch.float64)


def spike(row):
    map_ = torch.zeros(1, 3, 9, 9, dtype=torch.float64)
    map_[..., row, 4] = 1
    return map_


def test_signs_and_magnitudes_belong_together():
    (map_,) = maps(1)
    torch.testing.assert_close(signed(map_).abs(), magnitude(map_))
    torch.testing.assert_close(signed(-map_), -signed(map_))
    assert signed(map_).abs().max() == 1
    assert not signed(torch.zeros(1, 3, 4, 4)).any()


def test_equal_maps_agree_whatever_their_size():
    (map_,) = maps(1)
    found = agreement([map_, 5 * map_, map_ / 3])
    assert found.share < 1e-12
    torch.testing.assert_close(found.mean / found.mean.abs().max(), signed(map_))


def test_opposite_and_disjoint_maps_disagree_wholly():
    (map_,) = maps(1)
    opposite = agreement([map_, -map_])
    assert opposite.mean.abs().max() < 1e-12
    assert opposite.share == pytest.approx(1)
    assert agreement([spike(2), spike(6)]).share == pytest.approx(1)


def test_the_order_of_maps_does_not_matter():
    one, other, third = maps(3)
    torch.testing.assert_close(agreement([one, other, third]), agreement([third, one, other]))


def test_overlaps():
    one, other = maps()
    assert overlap(one, 3 * one) == pytest.approx(1)
    assert overlap(spike(1), spike(2)) == 0
    assert overlap(spike(1) + spike(2), spike(2)) == pytest.approx(0.5)
    assert overlap(one, other) == pytest.approx(overlap(other, one))


def test_what_cannot_be_compared_is_answered():
    (map_,) = maps(1)
    with pytest.raises(ValueError, match="at least 2 maps of one size"):
        agreement([map_])
    with pytest.raises(ValueError, match=r"\(4, 4\), \(9, 9\)"):
        agreement([map_, torch.ones(1, 3, 4, 4)])
    with pytest.raises(ValueError, match="zero everywhere"):
        overlap(map_, 0 * map_)
