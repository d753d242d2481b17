import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import gennorm, rankdata, spearmanr

from srlab.generalization import (
    SHAPES,
    GeneralizedGaussian,
    divergence,
    fit_generalized_gaussian,
    partial_rank_correlation,
    rank_correlation,
    rank_correlation_interval,
    srga,
)

SOME = [GeneralizedGaussian(1.0, 2.0), GeneralizedGaussian(0.3, 0.8), GeneralizedGaussian(5, 1.4)]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("own", SOME)
def test_nothing_diverges_from_itself(own):
    assert divergence(own, own) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("reference", SOME)
@pytest.mark.parametrize("candidate", SOME)
def test_the_closed_form_agrees_with_numerical_integration(reference, candidate):
    p = gennorm(reference.shape, scale=reference.scale)
    q = gennorm(candidate.shape, scale=candidate.scale)
    reach = p.ppf(1 - 1e-14)
    # even in x; substituting x = t³ tames the kink at 0
    integrand = lambda t: 6 * t**2 * p.pdf(t**3) * (p.logpdf(t**3) - q.logpdf(t**3))  # noqa: E731
    numeric, _ = quad(integrand, 0, np.cbrt(reach), limit=200)
    assert divergence(reference, candidate) == pytest.approx(numeric, rel=1e-6, abs=1e-9)
    assert divergence(reference, candidate) >= -1e-12


@pytest.mark.parametrize("own", SOME)
def test_the_fit_recovers_what_was_drawn(own, rng):
    values = gennorm.rvs(own.shape, scale=own.scale, size=200_000, random_state=rng)
    scale, shape = fit_generalized_gaussian(values.reshape(-1, 50))
    assert scale == pytest.approx(own.scale, rel=0.03)
    assert shape == pytest.approx(own.shape, rel=0.03)


def test_shapes_beyond_the_range_go_to_its_ends():
    assert fit_generalized_gaussian(np.array([1.0, -1.0])).shape == SHAPES[1]
    assert fit_generalized_gaussian(np.eye(1, 10**7)).shape == SHAPES[0]


def test_srga_grows_with_the_change_and_forgets_a_common_factor(rng):
    reference = rng.laplace(size=(100, 20))
    values = [srga(reference, reference + shift) for shift in (0, 0.5, 2.0)]
    assert values == sorted(values)
    assert values[0] == pytest.approx(0, abs=1e-12)
    scaled = srga(1e4 * reference, 1e4 * (reference + 2.0))
    assert scaled == pytest.approx(values[-1], rel=1e-9)


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
    with pytest.raises(ValueError, match="all zero"):
        fit_generalized_gaussian(np.zeros(5))
    with pytest.raises(ValueError, match="got 0 values"):
        fit_generalized_gaussian(np.array([]))
    with pytest.raises(ValueError, match="one projection"):
        srga(np.ones((3, 4)), np.ones((3, 5)))
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
