"""The report of a map, and the function behind it."""

import base64
import io
import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.attribution.paths import deblur
from srlab.attribution.robustness import robustness
from srlab.attribution.targets import patch
from srlab.degradations.filters import upsample
from srlab.pages.explain import prepare
from srlab.pages.lam import attribution_radius, lam_report
from srlab.pages.overlay import overlay_url, percent


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


def test_blue_raised_and_red_lowered() -> None:
    url = overlay_url(torch.tensor([[1.0, -1.0, 0.25, 0.0]]))
    picture = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))
    raised, lowered, weak, nothing = np.asarray(picture)[0].tolist()
    assert raised[2] > raised[0]
    assert lowered[0] > lowered[2]
    assert (raised[3], lowered[3], nothing[3]) == (255, 255, 0)
    assert weak[3] == 128


def test_a_residual_target_shows_the_sr_image_and_leaves_out_the_skip(lr: Tensor) -> None:
    found = explain(Blur(), lr, path=deblur(steps=2))
    rest = explain(Blur(), lr, of_residual=True, path=deblur(steps=2))
    torch.testing.assert_close(rest.sr, found.sr)
    torch.testing.assert_close(rest.end, rest.target(rest.sr - upsample(lr, 2)).item())
    assert not torch.allclose(rest.map, found.map)


@pytest.mark.filterwarnings("ignore::srlab.attribution.integral.InexactWarning")
def test_nothing_is_left_of_bicubic_itself(lr: Tensor) -> None:
    class Bicubic(nn.Module):
        def forward(self, lr: Tensor) -> Tensor:
            return upsample(lr, 2) * (1 + 1e-7)

    with pytest.raises(ValueError, match="nothing to explain"):
        explain(Bicubic(), lr, of_residual=True)


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_repetitions_are_shown_and_signs_switched(
    browser, tmp_path, lr: Tensor, width: int, theme: str
) -> None:
    found = explain(Blur(), lr, path=deblur(steps=2))
    repeated = robustness(Blur(), lr, found.target, sigmas=(0.6, 1.2, 4.0), steps=4)
    file = tmp_path / "page.html"
    file.write_text(lam_report("street.png", found, found.target, {}, repeated), "utf-8")
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=theme, offline=True
    )
    page, wrong = context.new_page(), []
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else wrong.append(r))
    page.on("pageerror", lambda error: wrong.append(error))
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("polyline").count() == 3
    assert "{:.2f} to {:.2f}".format(*repeated.sigma_range()) in page.content()
    assert f"4: {repeated.by_sigma[4.0].diffusion_index:.2f}" in page.content()
    shown = "getComputedStyle(document.querySelector('.overlay')).filter"
    assert "#faint" in page.evaluate(shown)
    page.get_by_label("With signs").press("Space")
    assert "#signed" in page.evaluate(shown)
    assert not wrong
    context.close()


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
    assert [percent(value) for value in (0.00123, 0.2, 1.0)] == ["0.12 %", "20 %", "100 %"]
