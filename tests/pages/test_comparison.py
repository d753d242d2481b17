"""The page that lays several networks side by side, as text and in a browser."""

import re

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.attribution.agreement import agreement
from srlab.attribution.paths import deblur
from srlab.pages.comparison import comparison_report
from srlab.pages.explain import Comparison, compare, prepare
from srlab.pages.overlay import percent

OPACITIES = "[...document.querySelectorAll('.overlay')].map((el) => Number(el.style.opacity))"


class Scaled(nn.Module):
    """Bilinear ×2 of `gain` times the picture, blurred by `width`."""

    def __init__(self, gain: float, width: int) -> None:
        super().__init__()
        self.gain, self.width = gain, width

    def forward(self, lr: Tensor) -> Tensor:
        spread = F.avg_pool2d(lr, self.width, stride=1, padding=self.width // 2)
        return F.interpolate(self.gain * (lr + spread), scale_factor=2, mode="bilinear")


@pytest.fixture(scope="module")
def compared() -> Comparison:
    lr = torch.rand(1, 3, 32, 40, generator=torch.Generator().manual_seed(0))
    networks = {"wide": Scaled(0.5, 9), "<b>half</b>": Scaled(0.25, 3)}
    questions = {name: prepare(network, lr) for name, network in networks.items()}
    found = compare(questions, deblur(steps=2))
    return Comparison(found.found, {"third {di}": "out of <memory>"})


@pytest.fixture(scope="module")
def source(compared: Comparison) -> str:
    return comparison_report("street.png", compared, {"Settings": {"picture": "<i>"}})


def test_names_cannot_break_out_of_the_page(source: str) -> None:
    assert "&lt;b&gt;half&lt;/b&gt;" in source
    assert "<b>half" not in source
    assert "third {di}</strong> has no map: out of &lt;memory&gt;" in source
    assert "&lt;i&gt;" in source


def test_every_network_has_its_numbers_in_the_given_order(
    compared: Comparison, source: str
) -> None:
    shown = re.findall(r'class="di">([\d.]+)<', source)
    assert shown == [f"{own.diffusion_index:.2f}" for own in compared.found.values()]
    shares = [float(text) for text in re.findall(r'data-share="([\d.]+)"', source)]
    assert shares[0] == max(shares) == 1
    assert 0 < shares[1] < 1


def test_what_all_networks_share_is_shown_of_several_alone(compared: Comparison, source) -> None:
    share = percent(agreement([own.map for own in compared.found.values()]).share)
    assert f"Standard deviation over the networks: {share} of a map" in source
    one = Comparison({"wide": compared.found["wide"]}, {})
    assert "Where they disagree" not in comparison_report("street.png", one, {})


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_is_used_by_keyboard_offline_and_fits(
    browser, tmp_path, source: str, width: int, theme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=theme, offline=True
    )
    context.set_default_timeout(60_000)
    page, wrong = context.new_page(), []
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else wrong.append(r))
    page.on("pageerror", lambda error: wrong.append(error))
    file = tmp_path / "page.html"
    file.write_text(source, "utf-8")
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OPACITIES) == [1, 1, 1, 1]  # the mean and the disagreement follow
    page.get_by_label("One scale for all maps").press("Space")
    full, half, *_ = page.evaluate(OPACITIES)
    assert full == 1
    assert 0 < half < 1
    page.get_by_label("Reveal faint pixels").press("End")
    assert half < page.evaluate(OPACITIES)[1] < 1
    page.get_by_label("Opacity of the map").press("Home")
    assert page.evaluate(OPACITIES) == [0, 0, 0, 0]
    before = page.locator(".near .box").first.bounding_box()["width"]
    page.get_by_label("Zoom on the window").press("End")
    assert page.locator(".near .box").first.bounding_box()["width"] > 5 * before
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shown = "[...document.querySelectorAll('.overlay')].map((el) => getComputedStyle(el).filter)"
    page.get_by_label("With signs").press("Space")
    mean, disagreement = page.evaluate(shown)[-2:]
    assert "#signed" in mean
    assert "#faint" in disagreement
    page.locator("summary").press("Enter")
    assert page.get_by_text("gradient reaches the input").first.is_visible()
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (theme == "light")
    assert wrong == []
    context.close()
