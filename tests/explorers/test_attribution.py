"""The explorer that computes in the page: against Python, with readers' own files, by link."""

from pathlib import Path

import numpy as np
import pytest
import torch
from live_page import as_onnx, give, packed, small, trouble, write_page
from PIL import Image
from torch import nn

import srlab
from srlab.book.attribution_page import first_map
from srlab.degradations.filters import upsample
from srlab.explorers.attribution import AttributionExplorer
from srlab.files import picture_url
from srlab.images import image_to_array

STEPS = "8 steps"
SAID = "document.querySelector('.told .srlab-status').textContent"
COMPUTED = f"{SAID}.includes('(DI') && !document.querySelector('[data-kind=busy]')"


@pytest.fixture(scope="module")
def scenery(tmp_path_factory):
    """(folder with the page and its scripts, networks, the LR picture)."""
    folder = tmp_path_factory.mktemp("site")
    networks = {name: small(seed) for seed, name in enumerate(("first", "second"))}
    files = {name: folder / f"{name}.onnx" for name in networks}
    for name, file in files.items():
        file.write_bytes(as_onnx(networks[name]))
    smooth = torch.rand(1, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    lr = nn.functional.interpolate(smooth, size=(24, 32), mode="bicubic").clamp(0, 1)
    picture = image_to_array(lr[0])
    lr = torch.from_numpy(picture).permute(2, 0, 1)[None] / 255
    explorer = AttributionExplorer(
        meta={
            "pictures": [{"name": "waves", "lr": picture_url(picture)}],
            "networks": [
                {"name": name, "file": f"networks/{name}", "bytes": file.stat().st_size}
                for name, file in files.items()
            ],
            "first": {"first": first_map(srlab.lam(networks["first"], lr, srlab.patch(16, 20)))},
        },
        picture="waves",
        network="first",
        top=16,
        left=20,
    )
    scripts = {f"networks/{name}": file.read_bytes() for name, file in files.items()}
    write_page(folder, explorer, scripts)
    return folder, networks, lr


def saved(page, button: str) -> Path:
    """The file that a button of the page gives to download."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return download.value.path()


@pytest.mark.parametrize("address", ["file", "http"], indirect=True)
def test_a_map_is_pythons_and_python_reads_it(visit, scenery, address, tmp_path) -> None:
    _, networks, lr = scenery
    page = visit("#explorer&network=second&top=12&left=30&cut=8+steps", base=address)
    page.wait_for_function(COMPUTED)
    found = srlab.read_map(saved(page, "Save numbers"))
    target = srlab.patch(12, 30, 16)
    wanted = srlab.lam(networks["second"], lr, target, path=srlab.deblur(steps=8))
    assert (found.map - wanted.map).abs().max() < 1e-3 * wanted.map.abs().max()
    assert found.diffusion_index == pytest.approx(wanted.diffusion_index, rel=1e-3)
    assert (found.start, found.end) == pytest.approx((wanted.start, wanted.end), rel=1e-4)
    assert found.path.nodes == pytest.approx(wanted.path.nodes)
    assert found.values == pytest.approx(wanted.values, rel=1e-4)
    assert torch.equal(found.lr, lr)
    assert (found.sr - wanted.sr.clamp(0, 1)).abs().max() < 0.51 / 255
    assert found.target == target
    found.save(tmp_path / "map.html")
    with Image.open(saved(page, "Save picture")) as picture:
        assert picture.size[0] > 900
    assert all(url.startswith((address, "data:", "blob:")) for url in page.asked)


def test_nodes_follow_the_tolerance_as_in_python(visit, scenery) -> None:
    _, networks, lr = scenery
    page = visit("#explorer&network=second&target=level+edges&sigma=2")
    page.wait_for_function(COMPUTED)
    found = srlab.read_map(saved(page, "Save numbers"))
    edges = srlab.patch(16, 20, measure=srlab.named_measure("edges:90"))
    wanted = srlab.lam(networks["second"], lr, edges, path=srlab.deblur(sigma=2.0))
    assert found.path.nodes == pytest.approx(wanted.path.nodes)
    assert found.map_error == pytest.approx(wanted.map_error, rel=1e-2)
    assert (found.map - wanted.map).abs().max() < 1e-3 * wanted.map.abs().max()


def test_the_residual_is_explained_without_what_enlarging_adds(visit, scenery) -> None:
    _, networks, lr = scenery
    page = visit("#explorer&network=second&cut=8+steps&target=gradient+of+SR+%E2%88%92+bicubic")
    page.wait_for_function(COMPUTED)
    found = srlab.read_map(saved(page, "Save numbers"))

    def residual(lr):
        return networks["second"](lr) - upsample(lr, 2)

    wanted = srlab.lam(residual, lr, srlab.patch(16, 20), path=srlab.deblur(steps=8))
    assert (found.map - wanted.map).abs().max() < 1e-3 * wanted.map.abs().max()


def test_only_what_the_page_saved_is_read(tmp_path) -> None:
    for content in (b'{"format": "other"}', b"[1]", b"\xff\xfe", b"{"):
        (tmp_path / "map.json").write_bytes(content)
        with pytest.raises(ValueError, match=r"map\.json is no map of the book's page"):
            srlab.read_map(tmp_path / "map.json")


def test_nothing_is_loaded_before_it_is_asked_for(visit) -> None:
    page = visit()
    assert "first (DI" in page.evaluate(SAID)
    assert [url for url in page.asked if not url.startswith(("data:", "blob:"))] == [page.url]
    page.locator(".srlab-menu select").select_option("second")
    page.wait_for_function(f"{SAID}.includes('second (DI')")
    names = [url.rpartition("/")[2] for url in page.asked if "/_static/" in url]
    assert names == ["engine.js", "second.js"]
    assert "of the attribution lies on the same pixels" in page.locator(".difference").inner_text()
    page.wait_for_function("location.hash.includes('beside=second')")


def test_the_target_moves_by_keyboard_and_pointer_on_a_phone(visit) -> None:
    page = visit(width=390, color_scheme="dark")
    target = page.locator(".pick").first
    target.focus()
    seen = [target.get_attribute("aria-label")]
    for key, place in (
        ("ArrowRight", (16, 22)),
        ("Shift+ArrowLeft", (16, 6)),
        ("ArrowDown", (18, 6)),
    ):
        page.keyboard.press(key)
        page.wait_for_function(f"{SAID}.includes('row {place[0]}, column {place[1]}')")
        seen.append(target.get_attribute("aria-label"))
    assert len(set(seen)) == 4
    target.click(position={"x": 1, "y": 1})
    page.wait_for_function(f"{SAID}.includes('row 0, column 0')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_pictures_of_ones_own(visit, tmp_path) -> None:
    page = visit()
    rows, columns = np.mgrid[:3000, :4000]
    large = np.stack([rows / 12, columns / 16, (rows + columns) / 28], axis=-1).astype(np.uint8)
    give(page, "large.jpg", packed(large, tmp_path / "large.jpg"))
    page.wait_for_function(f"{COMPUTED} && {SAID}.includes('your picture')")
    size = page.locator(".views canvas").nth(1).evaluate("(own) => [own.width, own.height]")
    assert size == [64, 48]
    drawn = (
        page.locator(".views canvas")
        .nth(0)
        .evaluate("(own) => [...own.getContext('2d').getImageData(64, 48, 1, 1).data]")
    )
    assert "4000×3000" in page.locator(".cutter .view").get_attribute("aria-label")
    page.get_by_role("slider", name="Part of it").press("End")
    page.locator(".cutter .view").focus()
    page.keyboard.press("ArrowLeft")
    assert "64×64 of its" in page.locator(".cutter .view").get_attribute("aria-label")
    give(page, "grey.png", packed(large[:40, :50, 0], tmp_path / "grey.png"))
    page.wait_for_function("document.querySelectorAll('.views canvas')[1].width === 50")
    page.wait_for_function(COMPUTED)
    assert drawn[3] == 255
    assert "explorer" not in page.evaluate("location.hash")
    page.get_by_role("button", name="Copy link").click()
    assert "files of yours" not in page.locator(".srlab-share").inner_text()
    assert "no file of yours" in page.locator(".srlab-share").inner_text()


def test_a_reduced_picture_is_srlabs(visit, tmp_path) -> None:
    """Antialiased as `F.interpolate` does it, to half a step of 8 bits."""
    noise = torch.rand(1, 3, 150, 200, generator=torch.Generator().manual_seed(1))
    picture = image_to_array(noise[0])
    page = visit()
    give(page, "noise.png", packed(picture, tmp_path / "noise.png"))
    page.wait_for_function("document.querySelectorAll('.views canvas')[1].width === 64")
    page.get_by_text("Target, path and drawing").click()
    page.get_by_label("Opacity").press("Home")
    drawn = (
        page.locator(".views canvas")
        .nth(1)
        .evaluate("(own) => [...own.getContext('2d').getImageData(0, 0, 64, 48).data]")
    )
    exact = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
    wanted = nn.functional.interpolate(exact, size=(48, 64), mode="bicubic", antialias=True)
    own = torch.tensor(drawn).reshape(48, 64, 4)[..., :3].permute(2, 0, 1)[None]
    assert (own - wanted.clamp(0, 255)).abs().max() < 1


def test_what_cannot_be_used_is_said_and_nothing_lost(visit, tmp_path) -> None:
    page = visit()
    before = page.evaluate(SAID)
    give(page, "broken.jpg", b"\xff\xd8\xff broken")
    assert "broken.jpg is neither a picture that this browser reads nor an ONNX" in trouble(page)
    thin = np.zeros((20, 4000, 3), np.uint8)
    give(page, "thin.png", packed(thin, tmp_path / "thin.png"))
    page.wait_for_function("document.body.innerText.includes('64×1 pixels would remain')")
    strange = as_onnx(small(2), last="Erf")
    give(page, "strange.onnx", strange)
    page.wait_for_function("document.body.innerText.includes('strange (yours): ')")
    assert "Erf" in trouble(page)
    give(page, "garbage.onnx", b"garbage")
    page.wait_for_function("document.body.innerText.includes('garbage (yours): ')")
    assert page.evaluate(SAID) == before
    give(page, "mine.onnx", as_onnx(small(3)))
    page.wait_for_function(f"{SAID}.includes('mine (yours) (DI')")
    assert page.locator(".srlab-status[data-kind=error]").count() == 0


def test_computing_stops_when_told(visit) -> None:
    page = visit()
    page.evaluate("Worker.prototype.postMessage = () => {}")  # nobody answers
    page.locator(".pick").first.press("ArrowUp")
    page.get_by_role("button", name="Stop").click()
    page.wait_for_function(f"{SAID} === 'Stopped.'")
    page.get_by_role("button", name="Compute").wait_for()


def test_embedded_it_stands_alone(visit) -> None:
    page = visit("?embed")
    assert not page.locator("h1").is_visible()
    assert page.locator(".pick").first.is_visible()
