import numpy as np
import pytest

from srlab.representation.embedding import embed, principal_components, separability
from srlab.studies.ddr.spectrum import (
    by_distance,
    compact,
    distance_rank,
    distance_rank_interval,
    grades,
    level_pairs,
    nested_share,
    outer_lead,
    plane_pairs,
)


@pytest.fixture
def line():
    """30 contents under four levels, which lie on a line."""
    noise = np.random.default_rng(0).normal(size=(30, 4, 8))
    return noise + 3 * np.arange(4)[:, None] * np.eye(8)[0]


def test_every_pair_is_projected_by_itself(line):
    index = level_pairs(line).matrix
    own = principal_components(line[:, [1, 3]].reshape(60, 8))
    assert index[3, 1] == pytest.approx(separability(own, np.tile(["b", "d"], 30)).index)
    assert np.isnan(np.diagonal(index)).all()
    np.testing.assert_array_equal(index, index.T)
    flat = level_pairs(line, project=lambda points: points[:, 1:]).matrix
    assert np.nanmax(flat) < 10 < np.nanmin(index)


def test_levels_on_a_line_are_a_spectrum(line):
    pairs = level_pairs(line, draws=50)
    assert distance_rank(pairs.matrix, [0, 1, 2, 3]) > 0.9
    low, high = distance_rank_interval(pairs, [0, 1, 2, 3])
    assert 0.8 < low <= high <= 1
    assert nested_share(pairs.matrix) == 1
    assert (np.diff(by_distance(pairs.matrix)) > 0).all()
    assert (pairs.draws[:, 0, 3] > pairs.draws[:, 0, 1]).all()


def test_fewer_coordinates_keep_every_distance():
    points = np.random.default_rng(0).normal(size=(5, 3, 400))
    small = compact(points)
    assert small.shape == (5, 3, 15)
    wide, narrow = (own.reshape(15, -1)[:, None] for own in (points, small))
    distances = np.linalg.norm(narrow - narrow.swapaxes(0, 1), axis=2)
    np.testing.assert_allclose(np.linalg.norm(wide - wide.swapaxes(0, 1), axis=2), distances)


def test_grades_of_a_spectrum_are_those_of_its_pairs(line):
    pairs, levels = level_pairs(line, draws=50), [0, 1, 2, 3]
    found = grades(pairs, levels)
    assert found["low"] <= found["rho"] == distance_rank(pairs.matrix, levels) <= 1
    assert (found["low"], found["high"]) == distance_rank_interval(pairs, levels)
    upper = pairs.matrix[np.triu_indices(4, 1)]
    assert found["median"] == pytest.approx(np.median(upper))
    assert found["nested"] == 1


def test_levels_in_no_order_are_none(line):
    shuffled = level_pairs(line[:, [0, 3, 1, 2]]).matrix
    assert distance_rank(shuffled, [0, 1, 2, 3]) < 0.5
    assert nested_share(shuffled) < 1
    turned = level_pairs(line[:, ::-1]).matrix
    assert nested_share(turned) == 1
    assert distance_rank(turned, [3, 2, 1, 0]) > 0.9


def test_what_makes_no_pairs_is_refused(line):
    with pytest.raises(ValueError, match=r"of at least two levels, got shape \(30, 8\)"):
        level_pairs(line[:, 0])
    with pytest.raises(ValueError, match="without bootstrap draws"):
        distance_rank_interval(level_pairs(line), [0, 1, 2, 3])


def test_the_outermost_levels_lead_where_levels_lie_on_a_line(line):
    assert outer_lead(level_pairs(line).matrix) > 1
    crossed = line[:, [0, 3, 1, 2]]
    assert outer_lead(level_pairs(crossed).matrix) < 1
    assert outer_lead(np.array([[np.nan, 2, 6], [2, np.nan, 3], [6, 3, np.nan]])) == 2


def test_the_plane_is_judged_by_the_mean_of_its_runs(line):
    one, two = (
        level_pairs(line, project=lambda points, s=s: embed(points, seed=s, init="random")).matrix
        for s in range(2)
    )
    assert not np.allclose(one, two, equal_nan=True)
    np.testing.assert_allclose(plane_pairs(line, 2), (one + two) / 2)
