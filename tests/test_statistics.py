import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from srlab.statistics import (
    partial_rank_correlation,
    rank_correlation,
    rank_correlation_interval,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_rank_correlation_agrees_with_scipy_and_sees_ranks_alone(rng):
    x = rng.integers(5, size=40)
    y = x + 3 * rng.normal(size=40)
    assert rank_correlation(x, y) == pytest.approx(spearmanr(x, y).statistic)
    assert rank_correlation(np.exp(x), y) == pytest.approx(rank_correlation(x, y))
    assert np.isnan(rank_correlation(np.ones(4), np.arange(4)))


def test_the_interval_holds_the_correlation_and_widens_with_relatives(rng):
    x = np.arange(60.0)
    y = x + 30 * rng.normal(size=60)
    alone = rank_correlation_interval(x, y, np.arange(60), draws=400)
    families = rank_correlation_interval(x, y, np.arange(60) // 15, draws=400)
    assert alone[0] < rank_correlation(x, y) < alone[1]
    assert families[1] - families[0] > alone[1] - alone[0]
    assert rank_correlation_interval(x, 2 * x, np.arange(60), draws=50) == pytest.approx((1, 1))


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="at least 3 pairs"):
        rank_correlation([1, 2], [1, 2])
    with pytest.raises(ValueError, match="is constant"):
        rank_correlation_interval([1, 1, 1], [1, 2, 3], [0, 1, 2])
    with pytest.raises(ValueError, match="at least 3 groups"):
        rank_correlation_interval([1, 2, 3], [1, 2, 3], ["a", "a", "b"])


def test_partial_rank_correlation_takes_out_what_a_third_measure_explains(rng):
    cause = rng.normal(size=500)
    x, y = cause + 0.3 * rng.normal(size=500), cause + 0.3 * rng.normal(size=500)
    assert rank_correlation(x, y) > 0.8
    assert abs(partial_rank_correlation(x, y, cause)) < 0.15
    rest = partial_rank_correlation(x, y, rng.normal(size=500))
    assert rest == pytest.approx(rank_correlation(x, y), abs=0.01)


def test_partial_rank_correlation_is_the_correlation_of_residual_ranks(rng):
    x, y, z = rng.normal(size=(3, 40))
    x, y = x + z, y - 2 * z
    ranks = np.column_stack([np.ones(40), rankdata(z)])
    rests = [
        rankdata(v) - ranks @ np.linalg.lstsq(ranks, rankdata(v), rcond=None)[0] for v in (x, y)
    ]
    assert partial_rank_correlation(x, y, z) == pytest.approx(np.corrcoef(*rests)[0, 1])
    assert np.isnan(partial_rank_correlation(x, y, x))
