"""The page of effective receptive fields, as text and in a browser."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.attribution.effective_field import erf
from srlab.pages.erf import erf_report, field_files, fields, heat_url


class Blur(nn.Module):
    """Repeats pixels, then mixes 3×3."""

    def forward(self, lr: Tensor) -> Tensor:
        return F.avg_pool2d(F.interpolate(lr, scale_factor=2), 3, stride=1, padding=1)


class Global(Blur):
    def forward(self, lr: Tensor) -> Tensor:
        return super().forward(lr) * (1 + lr.mean(dim=(1, 2, 3), keepdim=True)) / 1.5


@pytest.fixture(scope="module")
def lr() -> list[Tensor]:
    return list(torch.rand(2, 3, 44, 48, generator=torch.Generator().manual_seed(0)))


@pytest.fixture(scope="module")
def found(lr):
    networks = {"blur": Blur(), "<b>global</b>": Global()}
    return {name: fields(network, lr, size=40) for name, network in networks.items()}


def test_fields_stand_beside_one_another(found, lr) -> None:
    near, far = found.values()
    assert (near.theoretical, far.theoretical) == ("2", "global")
    assert near.diffusion_index < far.diffusion_index
    assert near.effective["absolute"].side(0.99) <= 3 < far.effective["absolute"].side(0.999)
    torch.testing.assert_close(near.effective["absolute"].map, erf(Blur(), lr, size=40).map)


def test_the_page_gives_every_number_and_escapes_names(found) -> None:
    page = erf_report("street", found, {"Settings": {"pictures": "<i>"}})
    assert "&lt;b&gt;global" in page
    assert "<b>global" not in page
    assert "&lt;i&gt;" in page
    assert page.count(f"<td>{found['blur'].diffusion_index:.2f}</td>") == 2
    assert len(re.findall("area of (20|30|50|99)%", page)) == 8


def test_heat_grows_with_the_map() -> None:
    assert heat_url(torch.tensor([[0.0, 1.0]])) == heat_url(torch.tensor([[0.0, 7.0]]))
    assert heat_url(torch.tensor([[0.0, 1.0]])) != heat_url(torch.tensor([[1e-6, 1.0]]))


@pytest.mark.parametrize(
    ("networks", "images", "says"),
    [
        ([], "lr", "at least one network"),
        (["fsrcnn"], "absent", "neither a folder nor an image set"),
        (["fsrcnn"], "empty", "no picture in"),
        (["absent"], "lr", "no network 'absent'"),
        (["fsrcnn"], "lr", "holds no 120×120 ones: give size=40"),
    ],
)
def test_bad_input_is_answered(tmp_path: Path, monkeypatch, networks, images, says) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("lr").mkdir()
    Image.fromarray(np.full((40, 50, 3), 99, np.uint8)).save("lr/a.png")
    with pytest.raises((ValueError, OSError), match=says):
        field_files(Path("erf.html"), networks, images)
    assert not Path("erf.html").exists()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_convention_is_switched_offline_and_the_page_fits(
    browser, tmp_path, found, width: int
) -> None:
    file = tmp_path / "page.html"
    file.write_text(erf_report("street", found, {}), "utf-8")
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme="dark", offline=True
    )
    page, wrong = context.new_page(), []
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else wrong.append(r))
    page.on("pageerror", lambda error: wrong.append(error))
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    published = page.locator(".field[data-convention=published]").first
    assert not published.is_visible()
    page.get_by_label("published").check()
    assert published.is_visible()
    assert page.locator("table:visible th[scope=row]").first.inner_text() == "blur"
    assert wrong == []
    context.close()
