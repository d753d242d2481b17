"""The report of a map, and the function behind it."""

import json

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.attribution.paths import deblur
from srlab.attribution.targets import patch
from srlab.pages.explain import prepare
from srlab.pages.lam import attribution_radius, lam_report, overlay_url, percent


def explain(network, lr, *, path=None, **asked):
    return prepare(network, lr, **asked).answer(path)


class Blur(nn.Module):
    """Repeats pixels, then mixes 3×3: an SR pixel depends on its LR neighbours only."""

    def forward(self, lr: Tensor) -> Tensor:
        return F.avg_pool2d(F.interpolate(lr, scale_factor=2), 3, stride=1, padding=1)


@pytest.fixture
def lr() -> Tensor:
    return torch.rand(1, 3, 40, 48, generator=torch.Generator().manual_seed(0))


def test_cutting_around_the_patch_leaves_a_local_map_as_it_was(lr: Tensor) -> None:
    path = deblur(rule="midpoint", steps=4)
    whole = explain(Blur(), lr, patch=(30, 50, 8), path=path)
    part = explain(Blur(), lr, patch=(30, 50, 8), crop=24, path=path)
    top, left = (30 - part.target.top) // 2, (50 - part.target.left) // 2
    cut = (..., slice(top, top + 24), slice(left, left + 24))
    assert torch.equal(part.lr, lr[cut])
    torch.testing.assert_close(part.map, whole.map[cut])


def test_the_default_patch_is_central(lr: Tensor) -> None:
    target = explain(Blur(), lr, path=deblur(steps=2)).target
    assert (target.top, target.left, target.size) == (32, 40, 16)


def test_radii_hold_their_share() -> None:
    shown = torch.zeros(21, 21)
    shown[10, 10], shown[10, 13], shown[4, 10] = 5, 4, 1
    radius = attribution_radius(shown, patch(16, 16, 10), scale=2)
    assert radius == {0.5: 0.0, 0.9: 3.0}


def test_the_overlay_keeps_faint_pixels() -> None:
    faint, nothing = overlay_url(torch.tensor([[1.0, 1e-4]])), overlay_url(torch.tensor([[1.0, 0]]))
    assert faint != nothing


def test_names_cannot_break_out_of_the_page(lr: Tensor) -> None:
    found = explain(Blur(), lr, path=deblur(steps=2))
    page = lam_report(
        "<script>alert(1)</script> {di}",
        found,
        found.target,
        {"Settings": {"picture": "<b>&"}},
    )
    assert "<script>alert" not in page
    assert "&lt;b&gt;&amp;" in page
    assert json.dumps(f"{found.diffusion_index:.2f}")[1:-1] in page


def test_percentages_keep_two_digits() -> None:
    assert [percent(value) for value in (0.00123, 0.2, 0.0)] == ["0.12 %", "20 %", "0 %"]
