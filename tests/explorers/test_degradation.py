"""A reader's picture under sliders: degraded as in srlab, and placed where Python places it."""

from importlib.resources import files

import numpy as np
import pytest
import torch
from live_page import as_onnx, give, packed, small, trouble, write_page
from torch import nn

import srlab
from srlab.book.degradation_page import as_network_sees, first_place, network_plane
from srlab.explorers.degradation import DegradationExplorer
from srlab.files import picture_url
from srlab.images import image_to_array
from srlab.representation.embedding import layer_points

LAYER, SIDE, PLACES = "1", 32, [(16, 16), (0, 0), (32, 32), (0, 20), (30, 4)]
KINDS = {"clean": {}, "blur 4": {"blur_sigma": 4}, "noise 20/255": {"noise_sigma": 20 / 255}}
SAID = "[...document.querySelectorAll('.srlab-status')].at(-1).textContent"
NO_JPEG = "no+JPEG"


def cut(pictures: np.ndarray, top: int, left: int) -> np.ndarray:
    return pictures[..., top : top + SIDE, left : left + SIDE, :]


def degraded(picture: np.ndarray, **settings: float) -> np.ndarray:
    """(h, w, 3) uint8 as it looks afterwards."""
    made = srlab.Degradation(**settings)(as_network_sees(picture[None]), np.random.default_rng(0))
    return image_to_array(made[0])


@pytest.fixture(scope="module")
def scenery(tmp_path_factory):
    """(folder with the page and its scripts, networks, their planes, the LR picture)."""
    folder = tmp_path_factory.mktemp("site")
    smooth = torch.rand(1, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    picture = image_to_array(nn.functional.interpolate(smooth, size=64, mode="bicubic")[0])
    kinds = [degraded(picture, **settings) for settings in KINDS.values()]
    patches = as_network_sees(np.stack([cut(own, *at) for at in PLACES for own in kinds]))
    networks = {name: small(seed) for seed, name in enumerate(("first", "second", "third"))}
    told, planes, seen, scripts = [], {}, {}, {}
    for name, network in networks.items():
        planes[name], found = network_plane(network, LAYER, patches, [*KINDS] * len(PLACES))
        told.append({"name": name, "file": f"networks/{name}", "plane": f"planes/{name}", **found})
        scripts |= {f"networks/{name}": as_onnx(network), f"planes/{name}": planes[name].packed()}
        seen[name] = first_place(network, LAYER, planes[name], patches[:1])
    del seen["third"]
    explorer = DegradationExplorer(
        meta={
            "pictures": [{"name": "waves", "lr": picture_url(picture)}],
            "networks": told,
            "kinds": [*KINDS],
            "colours": ["#0072B2", "#E69F00", "#009E73"],
            "first": seen,
        },
        picture="waves",
        network="first",
        beside="second",
        top=PLACES[0][0],
        left=PLACES[0][1],
    )
    write_page(folder, explorer, scripts)
    return folder, networks, planes, picture


def link(*, top=16, left=16, blur="0", noise="0", jpeg=NO_JPEG, **more) -> str:
    state = {"top": top, "left": left, "blur": blur, "noise": noise, "jpeg": jpeg, **more}
    return "#explorer&" + "&".join(f"{name}={value}" for name, value in state.items())


def settled(page, *words: str) -> None:
    """All is computed, and the setting is as the words say."""
    for word in words:
        page.wait_for_function(f"{SAID}.includes('{word}')")
    page.wait_for_function("!document.querySelector('[data-kind=busy]')")


def drawn(page, which: int) -> np.ndarray:
    """A canvas, (h, w, 3): the picture, the patch, SR of the first network, of the second."""
    read = """(own) => [own.height, own.width,
      ...own.getContext('2d').getImageData(0, 0, own.width, own.height).data]"""
    height, width, *values = page.locator("canvas:visible").nth(which).evaluate(read)
    return np.array(values, np.uint8).reshape(height, width, 4)[..., :3]


def offsets(page, dot: int) -> list[float]:
    """How far the reader's patch lies from a point of the cloud, in each plane; SVG units."""
    return page.evaluate(
        """(dot) => [...document.querySelectorAll('section > svg')].map((plane) => {
          const at = (own) => own.getAttribute('transform').match(/-?[\\d.]+/g).map(Number);
          const [x, y] = at(plane.querySelector('.here'));
          const [a, b] = at(plane.querySelectorAll('.dot')[dot]);
          return Math.hypot(x - a, y - b);
        })""",
        dot,
    )


@pytest.fixture(scope="module")
def plane(engine):
    """The engine's page, and what places features on planes."""
    engine.add_script_tag(content=(files("srlab.explorers") / "plane.js").read_text("utf-8"))
    return engine


@pytest.mark.parametrize("name", ["first", "second"])
def test_features_fall_where_python_has_them(plane, scenery, name) -> None:
    _, networks, planes, picture = scenery
    patch = as_network_sees(cut(degraded(picture, blur_sigma=1.5), 9, 21)[None])
    own = planes[name]
    found = plane.evaluate(
        """({ onnx, lr, axes, ...plane }) => {
          const network = new Network(Uint8Array.from(onnx));
          const { sr, features } = network.enlarge(Float32Array.from(lr), 32, 32);
          const place = placeOf(features, Int8Array.from(axes), plane);
          return { sr: [...sr], features: [...features], place };
        }""",
        {
            "onnx": list(as_onnx(networks[name])),
            "lr": patch.flatten().tolist(),
            "axes": own.axes.T.flatten().tolist(),
            "step": own.step.tolist(),
            "origin": own.origin.tolist(),
        },
    )
    wanted = layer_points(networks[name], patch, [LAYER])[LAYER]
    np.testing.assert_allclose(found["features"], wanted[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found["place"], own.places(wanted)[0], rtol=1e-3)
    with torch.no_grad():
        sr = networks[name](patch).flatten()
    np.testing.assert_allclose(found["sr"], sr, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("address", ["file", "http"], indirect=True)
def test_a_patch_of_the_cloud_falls_on_its_own_point(visit, address) -> None:
    page = visit(base=address)
    assert max(offsets(page, 0)) < 0.2  # as Python found it
    assert [url for url in page.asked if not url.startswith(("data:", "blob:"))] == [page.url]
    blur = page.get_by_role("slider", name="Blur")
    for _ in range(16):
        blur.press("ArrowRight")
    settled(page, "blur 4,")
    assert max(offsets(page, 1)) < 0.5  # the page's own blur
    blur.press("Home")
    settled(page, "blur 0,")
    assert max(offsets(page, 0)) < 0.2
    names = [url.rpartition("_static/")[2] for url in page.asked if "_static/" in url]
    wanted = {
        "engine.js",
        *(f"{kind}/{own}.js" for kind in ("networks", "planes") for own in ("first", "second")),
    }
    assert set(names) == wanted
    assert all(url.startswith((address, "data:", "blob:")) for url in page.asked)


def test_the_picture_is_degraded_as_in_python(visit, scenery) -> None:
    _, networks, _, picture = scenery
    page = visit(link(blur="2.5", top=7, left=11))
    settled(page, "blur 2.5")
    soft = degraded(picture, blur_sigma=2.5)
    assert np.abs(drawn(page, 0).astype(int) - soft).max() <= 1
    assert np.array_equal(drawn(page, 1), cut(drawn(page, 0), 7, 11))
    with torch.no_grad():
        sr = networks["second"](as_network_sees(drawn(page, 1)[None]))[0]
    assert np.abs(drawn(page, 3).astype(int) - image_to_array(sr)).max() <= 1


def test_noise_is_one_draw_that_the_slider_scales(visit, scenery) -> None:
    picture = scenery[3].astype(int)
    page = visit(link(noise="8"))
    settled(page, "noise 8/255")
    weak = drawn(page, 0) - picture
    for _ in range(4):
        page.get_by_role("slider", name="Noise").press("ArrowRight")
    settled(page, "noise 16/255")
    strong = drawn(page, 0) - picture
    inside = (picture > 80) & (picture < 175)  # where nothing is clipped
    assert np.abs(strong - 2 * weak)[inside].max() <= 2
    assert strong[inside].std() == pytest.approx(16, rel=0.05)
    assert abs(strong[inside].mean()) < 1
    page.get_by_role("slider", name="JPEG").press("End")
    settled(page, "JPEG 5:")
    rough = drawn(page, 0).astype(int)
    assert np.abs(rough - picture).mean() > 1
    assert len(page.locator(".way").first.get_attribute("points").split()) >= 3


def test_the_nearest_centre_is_named(plane) -> None:
    points = np.random.default_rng(0).normal(size=(60, 2)) + np.tile(
        [[0, 0], [1, 0], [0, 1]], (20, 1)
    )
    centres = np.stack([points[kind::3].mean(axis=0) for kind in range(3)])
    for place in np.random.default_rng(1).normal(size=(20, 2)):
        wanted = np.linalg.norm(centres - place, axis=1).argmin()
        asked = [points.tolist(), place.tolist()]
        assert plane.evaluate("([points, place]) => nearestKind(points, 3, place)", asked) == wanted


def test_it_answers_to_the_keyboard_on_a_phone(visit) -> None:
    page = visit(width=390, color_scheme="dark")
    view, status = page.get_by_role("application"), page.locator(".srlab-status").last
    view.focus()
    for key, place in (("ArrowRight", (16, 18)), ("Shift+ArrowUp", (0, 18)), ("ArrowUp", (0, 18))):
        page.keyboard.press(key)
        page.wait_for_function(
            "(told) => document.querySelector('.input .view').ariaLabel.includes(told)",
            arg=f"row {place[0]}, column {place[1]}",
        )
    page.get_by_role("slider", name="Noise").press("ArrowRight")
    settled(page, "noise 2/255")
    assert "second: nearest to the centre" in status.inner_text()
    page.get_by_label("Second network").select_option("third")
    settled(page, "third: nearest")
    page.wait_for_function("location.hash.includes('beside=third')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.get_by_label("First network").locator("option").all_text_contents() == [
        "first",
        "second",
    ]


def test_pictures_of_ones_own(visit, tmp_path) -> None:
    page = visit()
    give(page, "broken.jpg", b"\xff\xd8\xff broken")
    assert "broken.jpg is not a picture that this browser reads" in trouble(page)
    grey = (np.mgrid[:90, :120][0] * 2).astype(np.uint8)
    give(page, "thin.png", packed(grey[:40], tmp_path / "thin.png"))
    page.wait_for_function("document.body.innerText.includes('64×21 pixels would remain')")
    assert "32 are needed" in trouble(page)
    give(page, "grey.png", packed(grey, tmp_path / "grey.png"))
    settled(page, "yours, blur 0")
    assert page.locator(".srlab-status[data-kind=error]").count() == 0
    page.wait_for_function("document.querySelector('.input canvas').height === 48")
    page.get_by_role("button", name="Copy link").click()
    assert "no file of yours" in page.locator(".srlab-share").inner_text()


def test_a_link_brings_the_view_back_alone(visit) -> None:
    page = visit("?embed" + link(top=30, left=4, noise="20", network="third", beside="first"))
    settled(page, "third: nearest", "noise 20/255")
    assert not page.locator("h1").is_visible()
    assert page.locator("section h4").all_text_contents() == ["third", "first"]
