"""The words of the command line for a path, read as the values that the library knows."""

import pytest
import torch

from srlab.attribution.paths import deblur, straight
from srlab.attribution.targets import gradient_magnitude
from srlab.pages.maps import named_path, read_target


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (("deblur", "blur"), deblur),
        (("linear", "blur"), lambda **cut: straight("blur", **cut)),
        (("linear", "black"), lambda **cut: straight("black", **cut)),
    ],
)
def test_words_name_the_path_that_the_library_makes(words, value):
    image = torch.rand(3, 20, 24, generator=torch.Generator().manual_seed(0))
    cut = {"rule": "right", "steps": 3, "tolerance": 0.1}
    found, expected = (path(image) for path in (named_path(*words, **cut), value(**cut)))
    assert found.nodes == expected.nodes
    places = torch.tensor([0.0, 0.4, 1.0])
    assert torch.equal(found.curve(places), expected.curve(places))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("deblur", "black"), 'begins at baseline "blur", got \'black\'; use path="linear"'),
        (("linear", "grey"), "a baseline is 'black' or 'blur'"),
        (("curved", "blur"), '"deblur" or "linear", got \'curved\''),
    ],
)
def test_other_words_are_refused(words, says):
    with pytest.raises(ValueError, match=says):
        named_path(*words)


def test_any_target_may_be_one_of_the_residual():
    assert read_target("residual") == (gradient_magnitude, None, True)
    assert read_target("gradient") == (gradient_magnitude, None, False)
    assert read_target("residual:edges:90").of_residual


@pytest.mark.parametrize("words", ["remainder", "residual:remainder"])
def test_unknown_targets_are_answered(words):
    with pytest.raises(ValueError, match="unknown target 'remainder'; srlab has gradient"):
        read_target(words)
