"""What a network costs."""

import time

import pytest
import torch
from torch import nn

from srlab.capture import capture
from srlab.networks.cost import (
    gradient_memory,
    multiply_adds,
    parameter_count,
    peak_memory,
    seconds,
)


def test_parameters_are_counted_part_by_part():
    conv, norm = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)
    assert parameter_count(conv) == 8 * 3 * 9 + 8
    assert parameter_count(conv, norm) == parameter_count(nn.Sequential(conv, norm)) == 240


def test_a_convolution_multiplies_once_a_weight_and_pixel():
    conv, image = nn.Conv2d(3, 8, 3, padding=1), torch.zeros(2, 3, 5, 7)
    assert multiply_adds(lambda: conv(image)) == 2 * 8 * 3 * 9 * 5 * 7


def test_layers_that_do_not_run_cost_nothing():
    layers, image = nn.Sequential(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 9, 1)), torch.zeros(1, 3, 5, 7)

    def first():
        with capture(layers, ["0"], stop=True):
            layers(image)

    assert multiply_adds(first) == 8 * 3 * 5 * 7
    assert multiply_adds(lambda: layers(image)) == (8 * 3 + 9 * 8) * 5 * 7


def test_time_is_that_of_the_fastest_run():
    naps = iter((0.0, 0.05, 0.01, 0.05))
    assert 0.01 <= seconds(lambda: time.sleep(next(naps))) < 0.04
    with pytest.raises(ValueError, match="at least 1"):
        seconds(lambda: None, repeats=0)


def test_a_gradient_keeps_what_its_activations_need_and_not_the_weights():
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 3, 3, padding=1))
    for weight in network.parameters():
        weight.requires_grad_()
    picture, rectified = 3 * 9 * 11, 4 * 9 * 11  # what the convolutions read; the rectifier's too
    assert gradient_memory(network, torch.rand(1, 3, 9, 11)) == 4 * (picture + rectified)
    assert all(weight.requires_grad for weight in network.parameters())


def test_the_peak_is_what_lives_at_once():
    def run():
        a = torch.zeros(1000)  # 4000 bytes
        b = a + 1
        del a
        c = b * 2  # with b 8000, as much as before
        b.view(10, 100)  # no memory of its own
        return c

    assert peak_memory(run) == 8000
    assert peak_memory(lambda: [run() for _ in range(3)]) == 8000 + 2 * 4000
