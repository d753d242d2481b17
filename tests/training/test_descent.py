"""The rate that networks go down by."""

from dataclasses import replace

import pytest
import torch

from srlab.training.descent import rate
from srlab.training.recipes import recipe


@pytest.mark.parametrize("steps", [1, 2, 5, 19, 20, 200])
def test_a_cycle_is_that_of_torch(steps):
    made = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=3.0)
    rise = 0.1 if steps >= 20 else 0.3  # torch divides by rise · steps − 1
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        made, 3.0, steps, pct_start=rise, cycle_momentum=False
    )
    for step in range(steps):
        assert 3 * rate(step, (steps,)) == pytest.approx(theirs.get_last_lr()[0], rel=1e-9)
        made.step()
        theirs.step()


def test_cycles_follow_one_another():
    both = [rate(step, (30, 50)) for step in range(80)]
    assert both == [
        *(rate(step, (30,)) for step in range(30)),
        *(rate(step, (50,)) for step in range(50)),
    ]


@pytest.mark.parametrize(("pretraining", "cycles"), [(0, (6,)), (2, (2, 4)), (6, (6,)), (10, (6,))])
def test_contrast_alone_has_a_cycle_of_its_own(pretraining, cycles):
    assert replace(recipe("dasr"), pretraining=pretraining, steps=6, snapshots=()).cycles == cycles


def test_codes_are_compared_after_equally_many_steps_of_restoration():
    assert recipe("dasr").cycles == (10_000, recipe("redsr-8").steps)
