"""Laws of the index over several runs of t-SNE."""

import numpy as np
import pytest

from srlab.representation.embedding import embed, separability, separability_ratio
from srlab.studies.ddr.restarts import (
    dispersion_table,
    over_seeds,
    restarts,
    runs_index,
    side_by_side,
)
from srlab.studies.study import outer

CONTENTS, KINDS = 12, 3
GROUPS = np.repeat(np.arange(CONTENTS), KINDS)
LABELS = np.tile(np.arange(KINDS), CONTENTS)


def cloud(apart, seed=0):
    points = np.random.default_rng(seed).normal(size=(CONTENTS * KINDS, 2))
    return points + apart * LABELS[:, None]


def test_mean_is_that_of_the_runs():
    runs = [cloud(2), cloud(3, seed=1)]
    found = runs_index(runs, LABELS, GROUPS)
    assert found.mean == pytest.approx(np.mean([separability(run, LABELS).index for run in runs]))
    low, high = found.interval
    assert low < found.mean < high


def test_dispersions_add_up_to_that_of_all_points_and_make_the_index():
    found = runs_index([cloud(2), cloud(3, seed=1)], LABELS, GROUPS)
    whole = [np.square(run - run.mean(axis=0)).sum() for run in (cloud(2), cloud(3, seed=1))]
    assert found.within + found.between == pytest.approx(whole)
    degrees = (CONTENTS * KINDS - KINDS) / (KINDS - 1)
    assert found.between / found.within * degrees == pytest.approx(found.values)


def test_a_table_of_dispersions_tells_mean_spread_and_level():
    table = dispersion_table({"apart": runs_index([cloud(9)], LABELS, GROUPS)})
    index = separability(cloud(9), LABELS).index
    assert table.loc["apart", "CHI"] == f"{index:,.0f} ± 0"
    assert table.loc["apart", "level"] == "+++"


def test_ratio_of_two_labellings_of_one_run_is_separability_ratio():
    points, others = cloud(1), GROUPS % 4
    by_label, by_other = (runs_index([points], own, GROUPS) for own in (LABELS, others))
    assert by_label.over(by_other) == pytest.approx(
        separability_ratio(points, LABELS, others, GROUPS)
    )


def test_ratio_of_equal_indices_is_one_without_spread():
    found = runs_index([cloud(1)], LABELS, GROUPS)
    assert found.over(found) == pytest.approx((1, 1, 1))


def test_runs_differ_and_repeat():
    components = np.random.default_rng(0).normal(size=(CONTENTS * KINDS, 5))
    first, second = restarts(components, 2, perplexity=5)
    again, _ = restarts(components, 2, perplexity=5)
    assert not np.allclose(first, second)
    assert np.array_equal(first, again)


def test_tasks_keep_their_order_and_their_errors():
    assert side_by_side([lambda n=n: n**2 for n in range(9)]) == [n**2 for n in range(9)]
    with pytest.raises(ZeroDivisionError):
        side_by_side([lambda: 1 // 0])


def test_runs_are_those_of_one_after_another():
    components = np.random.default_rng(0).normal(size=(40, 5))
    alone = [embed(components, seed=seed, init="random", perplexity=5) for seed in range(3)]
    np.testing.assert_array_equal(restarts(components, 3, perplexity=5), alone)


def test_outer_spans_all():
    assert outer([(2, 5), (1, 3)]) == (1, 5)


def test_over_seeds_gives_every_mean_and_the_outer_ends():
    seeds = [runs_index([cloud(apart)], LABELS, GROUPS) for apart in (1, 3)]
    found = over_seeds(iter(seeds))
    assert found["values"] == [own.mean for own in seeds]
    assert found["interval"] == outer(own.interval for own in seeds)
