import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import gennorm

from srlab.studies.ddr.generalization import (
    SHAPES,
    GeneralizedGaussian,
    divergence,
    fit_generalized_gaussian,
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


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="all zero"):
        fit_generalized_gaussian(np.zeros(5))
    with pytest.raises(ValueError, match="got 0 values"):
        fit_generalized_gaussian(np.array([]))
    with pytest.raises(ValueError, match="one projection"):
        srga(np.ones((3, 4)), np.ones((3, 5)))
