import numpy as np
import pytest

from srlab.studies.redsr.intervals import (
    by_picture,
    gain,
    left_out_interval,
    rise_interval,
    trainings_interval,
)

RNG = np.random.default_rng(0)


def test_windows_are_gathered_by_picture():
    found = by_picture(np.array([[1.0, 10, 3, 20], [0, 0, 2, 0]]), ["cat", "ant", "cat", "ant"])
    assert found.tolist() == [[2, 15], [1, 0]]


def test_equally_many_trainings_are_compared():
    ours, theirs = np.array([[3.0, 4], [5, 5], [9, 9]]), np.array([[1.0, 1]])
    assert gain(ours, theirs).tolist() == [[2, 3]]
    assert gain(theirs, ours).tolist() == [[-2, -3]]


def test_an_interval_knows_how_far_trainings_differ():
    alike = 1 + 0.1 * RNG.standard_normal((3, 200))
    low, high = trainings_interval(alike)
    assert 0.9 < low < alike.mean() < high < 1.1
    unlike = alike + np.array([[-2.0], [0], [2]])
    low, high = trainings_interval(unlike)
    assert low < 0 < high  # although each picture's mean is clear
    low, high = trainings_interval(unlike[2:])  # one training: its pictures alone
    assert low > 2


def test_a_rise_is_told_from_none():
    steps = [0, 250, 500, 1000, 2000]
    rising = np.arange(5)[:, None] + RNG.standard_normal((5, 60))
    assert rise_interval(rising, steps)[0] > 0.5
    low, high = rise_interval(RNG.standard_normal((5, 60)), steps)
    assert low < 0 < high


def test_leaving_pictures_out_gives_the_error_of_a_mean():
    values = RNG.standard_normal(400)
    pictures = np.arange(400)
    low, high = left_out_interval(lambda rows: values[rows].mean(), pictures)
    expected = 1.96 * values.std(ddof=1) / np.sqrt(400)
    assert (high - low) / 2 == pytest.approx(expected, rel=1e-6)
    assert (high + low) / 2 == pytest.approx(values.mean())


@pytest.mark.parametrize("values", [np.zeros(3), np.full((2, 2), np.nan), np.zeros((0, 3))])
def test_what_is_no_table_is_refused(values):
    with pytest.raises(ValueError, match="two axes"):
        trainings_interval(values)
    with pytest.raises(ValueError, match="3 pictures"):
        left_out_interval(np.sum, ["a", "b"])
