"""The figure of clouds says of its patches what their labels and their index say."""

import numpy as np
import pytest
import torch

from srlab.data.datasets import Pairs
from srlab.degradations import Degradation
from srlab.representation.embedding import separability
from srlab.studies.ddr.clouds import degradation_clouds, index_words, network_title, thumbnails

DEGRADATIONS = (Degradation(), Degradation(blur_sigma=1))
POINTS = np.random.default_rng(0).normal(size=(12, 2)) + np.tile([[0, 0], [9, 0]], (6, 1))
PLACE = ("", "after block 16")


@pytest.fixture
def pairs():
    """Six contents of two pictures, clean and blurred."""
    lr = torch.rand(12, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    return Pairs(lr, lr[::2], DEGRADATIONS, (*"aaabbb",))


def test_each_degradation_is_one_trace_of_its_own_points(pairs):
    figure = degradation_clouds({PLACE: POINTS}, pairs)
    assert [trace.name for trace in figure.data] == [str(own) for own in DEGRADATIONS]
    for k, trace in enumerate(figure.data):
        np.testing.assert_allclose(trace.x, POINTS[k::2, 0], rtol=1e-6)
        assert trace.customdata.tolist() == list(range(k, 12, 2))  # thumbnails


def test_above_a_panel_stands_its_index_or_what_is_given(pairs):
    [title] = degradation_clouds({PLACE: POINTS}, pairs).layout.annotations
    index = separability(POINTS, pairs.degradation_labels).index
    assert title.text == f"after block 16<br>{index_words(index)}"
    [title] = degradation_clouds({PLACE: POINTS}, pairs, notes={}).layout.annotations
    assert title.text == "after block 16"


def test_an_index_is_named_with_its_level():
    assert index_words(51.62) == "CHI 51.6 (+)"


def test_networks_are_called_by_words():
    assert network_title("srresnet-wogr") == "SRResNet without GR"
    assert network_title("srgan-gr-s1") == "SRGAN with GR s1"
    assert network_title("raw pixels") == "raw pixels"


def test_a_sheet_has_a_tile_for_each_patch(pairs):
    sheet = thumbnails(pairs.lr)
    assert (sheet["count"], sheet["tile"]) == (12, 4)
