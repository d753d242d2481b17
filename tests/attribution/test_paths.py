"""Laws of path integrals, in double precision on functions whose integrals are known."""

import math
import warnings

import numpy as np
import pytest
import torch
from torch.func import functional_call

from srlab.attribution.integral import (
    AdaptivePath,
    InexactWarning,
    completeness_error,
    gathered_inexactness,
    integrate,
    tell_inexact,
)
from srlab.attribution.paths import RULES, deblur, line


def random(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def nodes_of(path):
    return torch.cat([points for points, _ in path.pieces(3)])


def steps_of(path):
    return torch.cat([steps for _, steps in path.pieces(3)])


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("steps", [1, 5])
def test_steps_add_up_to_the_whole_path(rule, steps):
    image = random(3, 12, 12)
    for path in (
        deblur(rule=rule, steps=steps)(image),
        line(image / 2, image, rule=rule, steps=steps),
    ):
        start, end = path.curve(torch.tensor([0.0, 1.0]))
        assert len(path.nodes) == steps
        assert path.bounds[0] == 0
        assert path.bounds[-1] == 1
        assert np.diff(path.bounds).sum() == pytest.approx(1)
        assert torch.allclose(steps_of(path).sum(dim=0), end - start, atol=1e-12)


@pytest.mark.parametrize(("rule", "place"), [("left", 0), ("midpoint", 1), ("right", 2)])
def test_nodes_lie_where_the_rule_says(rule, place):
    path = line(torch.zeros(1), torch.ones(1), rule=rule, steps=4)
    assert path.bounds == (0, 0.25, 0.5, 0.75, 1)
    assert path.nodes == tuple((place / 2 + step) / 4 for step in range(4))


def test_equal_arc_means_equally_long_steps():
    image = random(3, 16, 16)
    even, uniform = (
        steps_of(deblur(rule=rule, steps=8)(image)).abs().sum(dim=(1, 2, 3))
        for rule in ("arc-midpoint", "midpoint")
    )
    assert even.max() / even.min() < 1.05  # a chord is a little shorter than its arc
    assert uniform.max() / uniform.min() > 5  # the law above is not vacuous


def test_a_straight_path_is_collinear_and_ends_exactly():
    start, end = random(3, 4, 4), random(2, 3, 4, 4)[1]
    path = line(start, end, steps=7)
    fractions = (nodes_of(path) - start) / (end - start)
    assert torch.allclose(fractions, fractions[:, :1, :1, :1].expand_as(fractions))
    assert torch.equal(path.curve(torch.tensor([1.0]))[0], end)
    assert torch.equal(path.curve(torch.tensor([0.0]))[0], start)


def test_deblurring_runs_from_the_blurred_image_to_the_image():
    image = random(3, 12, 12)
    start, end = deblur(sigma=1.2)(image).curve(torch.tensor([0.0, 1.0]))
    assert torch.equal(end, image)
    offsets = torch.arange(-4, 5, dtype=torch.float64)
    bell = torch.exp(-(offsets**2) / (2 * 1.2**2))
    kernel = torch.outer(bell, bell) / bell.sum() ** 2
    assert start[0, 6, 6] == pytest.approx((image[0, 2:11, 2:11] * kernel).sum().item(), abs=1e-6)


def test_a_linear_function_needs_one_step():
    weight, start, end = random(3, 2, 5, 5)
    found = integrate(lambda x: (weight * x).sum(), line(start, end, steps=1))
    assert torch.allclose(found.attribution, weight * (end - start))
    assert found.completeness_error < 1e-12


def test_a_quadratic_is_exact_by_midpoints_and_off_by_half_a_step_elsewhere():
    start, end = torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    for rule, total in {"left": 0.75, "midpoint": 1.0, "right": 1.25}.items():
        path = line(start, end, rule=rule, steps=4)
        found = integrate(lambda x: x.square().sum(), path, keep_gradients=True)
        assert found.attribution.item() == pytest.approx(total)
        assert found.completeness_error == pytest.approx(abs(total - 1))
        assert (found.start, found.end) == (0, 1)
        assert found.values == pytest.approx(np.square(path.nodes))
        assert found.contributions.sum() == pytest.approx(total)
        assert found.gradients.flatten().tolist() == pytest.approx([2 * x for x in path.nodes])


def test_reversing_the_path_flips_the_sign():
    start, end = random(2, 4)
    there, back = (
        integrate(lambda x: x.sin().prod(), line(*ends, steps=5))
        for ends in ((start, end), (end, start))
    )
    assert torch.allclose(there.attribution, -back.attribution)


def test_batches_change_nothing():
    path = deblur(steps=5)(random(3, 12, 12))
    one = integrate(lambda x: x.square().sum(), path)
    for size in (1, 2, 5, 9):
        many = integrate(lambda x: x.square().flatten(1).sum(dim=1), path, batch_size=size)
        assert torch.allclose(one.attribution, many.attribution)
        assert many.values == pytest.approx(one.values)
        assert many.contributions == pytest.approx(one.contributions)


def test_it_integrates_over_the_weights_of_a_network():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Tanh(), torch.nn.Conv2d(4, 1, 3))
    model.double()
    lr = random(1, 3, 8, 8)
    weights = {name: weight.detach() for name, weight in model.named_parameters()}
    others = {name: weight + 0.1 for name, weight in weights.items()}

    def loss(weights):
        return functional_call(model, weights, (lr,)).square().mean()

    found = integrate(loss, line(weights, others, steps=16))
    assert found.attribution.keys() == weights.keys()
    assert all(found.attribution[name].shape == weights[name].shape for name in weights)
    assert found.end - found.start == pytest.approx((loss(others) - loss(weights)).item())
    assert found.completeness_error < 1e-3
    assert all(weight.grad is None for weight in model.parameters())


def test_it_works_where_gradients_are_switched_off():
    start, end = random(2, 4)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            found = integrate(lambda x: x.square().sum(), line(start, end, steps=2))
        assert found.completeness_error < 1e-12


def test_components_a_function_ignores_get_zero():
    path = line((torch.zeros(2), torch.zeros(3)), (torch.ones(2), torch.ones(3)), steps=2)
    used, ignored = integrate(lambda pair: pair[0].sum(), path).attribution
    assert torch.equal(used, torch.ones(2))
    assert torch.equal(ignored, torch.zeros(3))


def test_completeness_error_where_nothing_changes():
    assert completeness_error(0.0, 0.0) == 0
    assert completeness_error(1.0, 0.0) == math.inf
    assert completeness_error(1.5, -1.0) == 2.5


def test_not_a_number_is_refused_not_repaired():
    path = line(torch.zeros(2), torch.ones(2), rule="left", steps=2)
    with pytest.raises(ValueError, match="square root"):
        integrate(lambda x: x.square().sum().sqrt(), path)


def test_mistakes_are_explained():
    path = line(torch.zeros(2), torch.ones(2), steps=2)
    with pytest.raises(ValueError, match="unknown quadrature rule 'simpson'"):
        line(torch.zeros(2), torch.ones(2), rule="simpson")
    with pytest.raises(ValueError, match="at least 1 step"):
        deblur(steps=0)
    with pytest.raises(ValueError, match="one number for each"):
        integrate(lambda x: x, path, batch_size=2)
    with pytest.raises(ValueError, match="no_grad"):
        integrate(lambda x: x.detach().sum(), path)


def step(x):
    """A gradient that jumps where a ReLU opens, at a place that no interval knows."""
    return (x - torch.linspace(0.15, 0.85, 4, dtype=torch.float64)).relu().square().sum()


def test_nodes_are_as_dense_as_the_tolerance_asks():
    start, end = torch.zeros(4, dtype=torch.float64), torch.ones(4, dtype=torch.float64)
    exact = integrate(step, line(start, end, steps=4000)).attribution
    counts = []
    for tolerance in (0.02, 0.005, 0.001):
        found = integrate(step, line(start, end, tolerance=tolerance))
        off = ((found.attribution - exact).abs().sum() / exact.sum()).item()
        assert off <= found.error <= tolerance
        assert found.path.nodes[0] == 0
        assert found.path.nodes[-1] == 1
        counts.append(len(found.values))
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_a_jump_is_looked_for_where_it_is():
    def kinked(x):
        return (x - 0.8).relu().sum() * 10

    path = AdaptivePath(line(torch.zeros(1), torch.ones(1), steps=1).curve, tolerance=0.01)
    nodes = np.array(integrate(kinked, path).path.nodes)
    closest = np.diff(nodes).min()
    assert abs(nodes[np.diff(nodes).argmin()] - 0.8) < 2 * closest
    assert closest < 1 / 64


def test_what_cannot_be_reached_is_told():
    start, end = random(2, 3)
    path = AdaptivePath(line(start, end, steps=1).curve, tolerance=1e-9, most=20)
    found = integrate(lambda x: (20 * x).sin().sum(), path)
    assert len(found.values) == 21
    with pytest.warns(InexactWarning, match="were asked for"):
        tell_inexact(found.error, 0.0, path.tolerance, causes="")
    with pytest.warns(InexactWarning, match="misses the change of what it explains by 12"):
        tell_inexact(0.0, 0.12, None, causes="")
    with pytest.raises(ValueError, match="a share of the attribution"):
        line(start, end, tolerance=5)
    with pytest.raises(ValueError, match="needs a number of steps"):
        line(start, end, rule="right")


def test_complex_components_add_up():
    start = torch.complex(random(5), random(5).flip(0))
    found = integrate(
        lambda z: (z * z.exp()).abs().square().sum(), line(start, 2j * start, steps=64)
    )
    assert found.completeness_error < 1e-3
    assert not found.attribution.is_complex()


def told_of(*given):
    with gathered_inexactness() as told:
        for category, text in given:
            warnings.warn(text, category, stacklevel=1)
    return told


def test_a_page_may_gather_what_is_inexact_and_nothing_else():
    assert told_of(*2 * [(InexactWarning, "off by a half")]) == 2 * ["off by a half"]
    with pytest.warns(UserWarning, match="another"):
        assert told_of((InexactWarning, "off"), (UserWarning, "another")) == ["off"]
