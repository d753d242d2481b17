import numpy as np
import pytest

from srlab.figures.filters import ChosenFilters, network_map


def test_a_network_map_puts_each_filter_into_its_strip():
    masks = {"head": np.zeros((4, 3), bool), "tail": np.zeros((2, 8), bool)}
    masks["head"][3, 0] = masks["tail"][0, 7] = True
    scores = {name: np.arange(mask.size).reshape(mask.shape) for name, mask in masks.items()}
    none = {name: np.zeros_like(mask) for name, mask in masks.items()}
    kinds = {"blur": ChosenFilters(masks, scores), "noise": ChosenFilters(none, scores)}
    figure = network_map({"seed 0": kinds, "seed 1": kinds}, score_title="score")
    strips, dots, nothing = figure.data[:3]
    assert len(figure.data) == 6
    assert list(strips.x) == [0, 1]
    assert "tail: 2 × 8" in strips.hovertext[1]
    assert len(nothing.x) == 0
    centres = [place - round(float(place)) for place in dots.x]
    assert centres[0] < -0.2
    assert centres[1] > 0.3
    assert list(dots.y) == [3.5 / 4, 0.5 / 2]
    assert "head, filter 3 ← 0<br>score 9" in dots.text[0]
    assert sum(bool(trace.showlegend) for trace in figure.data) == 2


def test_filters_of_two_networks_are_not_drawn_as_one():
    one = ChosenFilters({"head": np.zeros((4, 3), bool)}, {"head": np.zeros((4, 3))})
    other = ChosenFilters({"head": np.zeros((4, 4), bool)}, {"head": np.zeros((4, 4))})
    with pytest.raises(ValueError, match="another network"):
        network_map({"": {"blur": one, "noise": other}}, score_title="score")
