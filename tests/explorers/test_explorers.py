"""The explorers: what their state holds, what Python answers, and how they behave in a browser."""

import base64
import json
import zlib
from dataclasses import replace
from itertools import product
from urllib.parse import parse_qsl

import numpy as np
import pytest
import traitlets as T
from ipywidgets.embed import embed_data

from srlab.book.live_pages import widget_html
from srlab.explorers.cloud import SHADES, Cloud
from srlab.explorers.controls import Control
from srlab.explorers.embedding import EmbeddingExplorer, Setting
from srlab.explorers.lam import LamExplorer, LocalMap, Picture, Place, pack_map
from srlab.explorers.pictures import Chart, PictureExplorer, PictureState
from srlab.explorers.scatter import EmbeddedState, Route, ScatterExplorer, pack_places
from srlab.figures.pictures import sprite_sheet

NETWORKS, LAYERS, PROJECTIONS, STEPS = (
    ["with residual", "without residual"],
    ["body.0", "body.7", "body.15"],
    ["t-SNE", "PCA"],
    ["untrained", "1000", "6000"],
)
DEGRADATIONS, CONTENTS = ["clean", "blur 4", "noise 20/255"], ["astronaut", "coffee", "rocket"]
PAGE_LIMIT = 1_500_000  # bytes of a page before plotly.js


def blobs(setting: Setting, count: int = 20, seed: int = 0) -> EmbeddedState:
    """Three classes of points that drift apart with depth and training."""
    rng = np.random.default_rng((seed, *map(len, setting)))
    apart = LAYERS.index(setting.layer) * STEPS.index(setting.step) * (setting.network[4] == " ")
    base = rng.normal(size=(count, 1, 2))
    angle = 2 * np.pi * np.arange(3) / 3
    shift = apart * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    points = (base + shift + rng.normal(scale=0.2, size=(count, 3, 2))).reshape(-1, 2)
    return EmbeddedState(points, index=float(0.2 + 90 * apart), index_components=0.5 + 9.0 * apart)


def embedding_explorer(count: int = 20, **options) -> EmbeddingExplorer:
    settings = [Setting(*names) for names in product(NETWORKS, LAYERS, PROJECTIONS, STEPS)]
    rows, columns = np.mgrid[:32, :32] / 32
    waves = [np.sin(8 * (rows * np.cos(i) + columns * np.sin(i)) + i) for i in range(count)]
    pictures = np.stack([w * s for w in waves for s in (100, 30, 60)])[..., None] + 128
    return EmbeddingExplorer.from_states(
        {setting: blobs(setting, count) for setting in settings},
        degradations=np.tile(DEGRADATIONS, count),
        contents=np.repeat([CONTENTS[i % 3] for i in range(count)], 3),
        patches=np.repeat(np.arange(count), 3),
        sprite=sprite_sheet(np.repeat(pictures, 3, axis=-1).astype(np.uint8)),
        **options,
    )


LEVELS = ["clean", "noise 5/255", "noise 10/255", "blur 1", "blur 2"]
ROUTES = [
    Route("Noise", dict(zip(["0", "5", "10"], LEVELS[:3], strict=True))),
    Route("Blur", dict(zip(["0", "1", "2"], [LEVELS[0], *LEVELS[3:]], strict=True))),
]


def journey(count: int = 4, **options) -> ScatterExplorer:
    """Patches in a column each degradation, apart by a constant; one control of one's own."""
    columns = np.tile(np.arange(5.0), count)
    points = np.stack([columns, np.repeat(np.arange(count), 5)], axis=1)
    states = {(p,): EmbeddedState(points * s, 1.0, 2.0) for p, s in (("5", 1), ("30", [1, 2]))}
    pictures = np.random.default_rng(0).integers(255, size=(5 * count, 8, 8, 3), dtype=np.uint8)
    described = {
        "controls": [Control("nearness", "Nearness", "slider")],
        "degradations": LEVELS * count,
        "contents": np.repeat([CONTENTS[i % 3] for i in range(count)], 5),
        "patches": np.repeat(np.arange(count), 5),
        "sprite": sprite_sheet(pictures),
        "routes": ROUTES,
    }
    return ScatterExplorer.from_controls(states, **{**described, **options})


def bump(place: Place, size: int = 24, width: float | None = None) -> LocalMap:
    """A peak below the window, as wide as the network's name is long."""
    rows, columns = np.mgrid[:size, :size]
    centre = (place.top + 8) / 4, (place.left + 8) / 4
    distance = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2
    magnitude = np.exp(-distance / (width or len(place.network)))
    return LocalMap(magnitude / magnitude.max(), len(place.network) / 3, 0.002, 25.5)


FEW = ("bicubic", "srcnn-3", "fsrcnn", "srresnet-gr")
ZOO = (
    *("bicubic", "SRCNN", "FSRCNN", "SRResNet", "EDSR", "CARN", "RRDBNet"),
    *("PAN", "IMDN", "RFDN", "RCAN", "SAN", "SwinIR"),
)  # twelve networks beside bicubic, as the book's page holds them


def zoo_map(place: Place, size: int = 24) -> LocalMap:
    """As wide as the network is late in the zoo, with an index that tells every place apart."""
    number = ZOO.index(place.network)
    return replace(
        bump(place, size, width=4.0 + 3 * number),
        diffusion_index=number + place.top / 100 + place.left / 10_000,
    )


def lam_explorer(
    size: int = 24, targets: int = 4, networks=FEW, make_map=bump, **options
) -> LamExplorer:
    names = ["brick", "grass", "gravel"]
    rng = np.random.default_rng(0)
    pictures = {}
    for name in names:
        lr = rng.integers(0, 255, (size // 4, size // 4, 3), np.uint8).repeat(4, 0).repeat(4, 1)
        sr = lr.repeat(4, 0).repeat(4, 1)
        pictures[name] = Picture(lr, {network: sr // (1 + i) for i, network in enumerate(networks)})
    corners = [round(i * (4 * size - 17) / (targets - 1)) for i in range(targets)]
    places = [Place(*names) for names in product(names, networks, corners, corners)]
    return LamExplorer.from_maps(pictures, {p: make_map(p, size) for p in places}, **options)


STRENGTHS, RANKINGS = ["0 %", "0.5 %", "1 %", "10 %"], ["FAIG", "random"]


def mixture(setting: tuple[str, ...], size: int = 24) -> PictureState:
    """A grey that follows the strength, beside a picture that nothing changes."""
    strength = float(setting[0].split()[0]) * (1 + RANKINGS.index(setting[1]))
    grey = np.full((size, size, 3), int(10 * strength), np.uint8)
    same = np.full((size, size, 3), 200, np.uint8)
    return PictureState({"input": same, "output": grey}, {"PSNR": 30 - strength, "error": strength})


def picture_explorer(**options) -> PictureExplorer:
    states = {setting: mixture(setting) for setting in product(STRENGTHS[1:], RANKINGS)}
    described = {
        "controls": [Control("strength", "Masked", "slider"), Control("ranking", "Ranking")],
        "units": {"PSNR": "dB"},
        "chart": Chart("PSNR", along="strength", lines="ranking", log=True),
    }
    return PictureExplorer.from_states(states, **{**described, **options})


CLOUD = Cloud(
    np.array([[x, y] for x in range(6) for y in range(4)], float),
    {"strength": np.repeat(np.arange(6.0), 4), "noise": np.tile(np.arange(4.0), 6)},
    axes=("first component", "second component"),
    labels=[f"code {number}" for number in range(24)],
)


def placed(setting: tuple[str, ...]) -> PictureState:
    """The same in a cloud: the right code runs to the right with the strength, the other stays."""
    strength = float(setting[0].split()[0])
    right = (strength / 2, 3.0 * RANKINGS.index(setting[1]))
    return replace(mixture(setting), places={"right code": right, "wrong code": (0, 1.5)})


def cloud_explorer(cloud: Cloud | None = CLOUD, look=placed, **options) -> PictureExplorer:
    states = {setting: look(setting) for setting in product(STRENGTHS[1:], RANKINGS)}
    described = {
        "controls": [Control("strength", "Masked", "slider"), Control("ranking", "Ranking")],
        "units": {"PSNR": "dB", "strength": "%"},
    }
    return PictureExplorer.from_states(states, cloud=cloud, **{**described, **options})


def saved(explorer) -> dict:
    """The widget as a saved notebook keeps it: plain state, base64 buffers."""
    state = embed_data(views=[explorer], drop_defaults=False)["manager_state"]["state"][
        explorer.model_id
    ]
    return {"state": state["state"], "buffers": state.get("buffers", [])}


def asked(explorer, content: dict) -> tuple[dict, list[bytes]]:
    """What Python sends when the front-end sends `content`."""
    sent = []
    explorer.send = lambda content, buffers=None: sent.append((content, buffers or []))
    explorer._handle_custom_msg(content, [])
    assert len(sent) == 1
    return sent[0]


# ---- state


def test_embedding_state_holds_every_point_of_every_setting() -> None:
    explorer = embedding_explorer()
    meta, states = explorer.meta, len(NETWORKS) * len(LAYERS) * len(PROJECTIONS) * len(STEPS)
    assert len(explorer.places) == states * 60 * 2 * 2
    assert len(meta["states"]) == len(meta["measures"]) == states
    assert meta["axes"]["step"] == STEPS
    assert [meta["degradations"][i] for i in meta["degradation"][:3]] == DEGRADATIONS
    assert meta["measures"][-1][2] in ("−", "+", "++", "+++")
    json.dumps(meta, allow_nan=False)


def test_packed_places_keep_shape_and_order() -> None:
    points = np.random.default_rng(0).normal(size=(50, 2)) * [3.0, 1.0] + [100, -7]
    packed = np.frombuffer(pack_places(points), "<u2").reshape(50, 2) / 65535
    extent = np.ptp(points[:, 0])
    np.testing.assert_allclose(np.ptp(packed[:, 0]), 1.0)
    np.testing.assert_allclose(
        packed - packed[0], (points - points[0]) / extent, atol=2 / 65535
    )  # one scale for both axes
    assert set(np.frombuffer(pack_places(np.ones((3, 2))), "<u2")) == {32768}
    with pytest.raises(ValueError, match="finite"):
        pack_places(np.full((3, 2), np.nan))


def test_states_are_turned_towards_one_another_but_not_stretched() -> None:
    first, later = (Setting("n", "body.0", "PCA", step) for step in ("1", "2"))
    points = np.random.default_rng(0).normal(size=(30, 2))
    mirrored = points @ np.array([[0, -1], [-1, 0]]) + 5
    explorer = EmbeddingExplorer.from_states(
        {first: EmbeddedState(points, 1, 1), later: EmbeddedState(mirrored, 1, 1)},
        degradations=["a", "b", "c"] * 10,
        contents=["x"] * 30,
        patches=range(30),
        sprite={"src": "", "tile": 8, "cols": 6, "count": 30},
    )
    one, other = np.frombuffer(explorer.places, "<u2").reshape(2, 30, 2).astype(int)
    assert np.abs(one - other).max() <= 1


def test_lam_state_packs_roots_in_the_order_of_its_places() -> None:
    explorer = lam_explorer()
    maps = np.frombuffer(zlib.decompress(explorer.maps), np.uint8).reshape(-1, 24, 24)
    assert len(maps) == len(explorer.meta["places"]) == 3 * 4 * 16
    picture, network, top, left = explorer.meta["places"][37]
    names = ["brick", "grass", "gravel"][picture], explorer.meta["networks"][network]
    expected = bump(Place(*names, top, left)).magnitude
    np.testing.assert_allclose((maps[37] / 255) ** 2, expected, atol=1 / 255)
    infinite = LocalMap(np.zeros((24, 24)), 1.0, np.inf, None)
    place = Place("brick", "bicubic", 0, 0)
    assert LamExplorer.from_maps(
        {"brick": Picture(np.zeros((24, 24, 3), np.uint8), {"bicubic": _zeros()})},
        {place: infinite},
    ).meta["measures"] == [[1.0, None, None]]
    with pytest.raises(ValueError, match="in \\[0, 1\\]"):
        pack_map(np.full((2, 2), -1.0))


def _zeros() -> np.ndarray:
    return np.zeros((96, 96, 3), np.uint8)


@pytest.mark.parametrize(
    "make", [lambda: embedding_explorer(60), lambda: lam_explorer(64), lambda: journey(80)]
)
def test_a_page_stays_small(make) -> None:
    assert len(json.dumps(saved(make()))) < PAGE_LIMIT


def test_a_page_without_a_notebook_holds_its_own_explorer_alone() -> None:
    own, other = lam_explorer(8), lam_explorer(8)
    page = widget_html(own)
    assert own.model_id in page
    assert other.model_id not in page


def test_modules_import_nothing() -> None:
    for explorer in (EmbeddingExplorer, ScatterExplorer, LamExplorer, PictureExplorer):
        assert "export default" in explorer._esm
        assert "import " not in explorer._esm
        assert "http" not in explorer._esm.replace("http://www.w3.org/2000/svg", "")


def test_pictures_that_states_share_are_stored_once() -> None:
    explorer = picture_explorer()
    inputs, outputs = zip(*explorer.meta["pictures"], strict=True)
    assert set(inputs) == {0}
    assert (
        len(set(outputs)) == 5
    )  # 1 % at random is as bright as 0.5 % doubled: six states, less one
    assert explorer.meta["chart"]["places"] == [0.5, 1, 10]
    explorer.strength = "10 %"
    assert saved(explorer)["state"]["strength"] == "10 %"


def test_states_have_places_in_a_cloud() -> None:
    meta = cloud_explorer().meta
    assert meta["places"][-1] == [[5.0, 3.0], [0.0, 1.5]]
    assert meta["cloud"]["markers"] == ["right code", "wrong code"]
    assert meta["cloud"]["points"] == CLOUD.points.tolist()
    assert [(name, unit) for name, unit, _ in meta["cloud"]["colourings"]] == [
        ("strength", "%"), ("noise", ""),
    ]  # fmt: skip
    assert len(set(meta["cloud"]["shades"])) == SHADES
    third = cloud_explorer(Cloud(CLOUD.points / 3e-4, CLOUD.colourings, CLOUD.axes)).meta["cloud"]
    assert third["points"][-1] == [16667.0, 10000.0]  # five digits, whatever the unit
    assert picture_explorer().meta["cloud"] is None
    json.dumps(meta, allow_nan=False)


# ---- what is refused


def test_bad_clouds_are_refused() -> None:
    def lost(place):
        return lambda setting: replace(mixture(setting), places={"right code": place})

    with pytest.raises(
        ValueError, match=r"no place 'right code': .* numbers \(x, y\), got \(nan, 1\.0\)"
    ):
        cloud_explorer(look=lost((np.nan, 1)))
    with pytest.raises(ValueError, match=r"two finite numbers \(x, y\), got \(1\.0, 2\.0, 3\.0\)"):
        cloud_explorer(look=lost((1, 2, 3)))
    with pytest.raises(ValueError, match="have places, and nothing to lie in: give a cloud"):
        cloud_explorer(None)
    with pytest.raises(ValueError, match=r"its states a place: PictureState\(places=\)"):
        cloud_explorer(look=mixture)
    with pytest.raises(ValueError, match=r"random: places \[\], other states have \['right code'"):
        cloud_explorer(look=lambda s: (placed if s[1] == "FAIG" else mixture)(s))

    for changes, message in [
        ({"points": np.ones((24, 3))}, r"finite points \(N, 2\).*got shape \(24, 3\)"),
        ({"points": np.full((24, 2), np.nan)}, "with NaN or infinity"),
        ({"points": np.ones((0, 2))}, r"got shape \(0, 2\)"),
        ({"colourings": {}}, "needs a colouring"),
        ({"colourings": {"width": np.ones(23)}}, r"'width' needs one .* 24 points, .*\(23,\)"),
        ({"colourings": {"width": np.full(24, np.inf)}}, "one finite value"),
        ({"labels": ["a"]}, "24 points have 1 labels"),
    ]:
        with pytest.raises(ValueError, match=message):
            cloud_explorer(CLOUD._replace(**changes))


def test_bad_pictures_are_refused() -> None:
    good = PictureState({"a": np.zeros((2, 2, 3), np.uint8)}, {"x": 1.0})

    def make(state, **options):
        states = {("1",): good, ("2",): state}
        return PictureExplorer.from_states(states, controls=[Control("k", "K")], **options)

    make(good)
    with pytest.raises(ValueError, match=r"2: pictures \['b'\], other states have \['a'\]"):
        make(PictureState({"b": good.pictures["a"]}, {"x": 1.0}))
    with pytest.raises(ValueError, match=r"2: 'a' is no uint8 picture \(H, W, 3\), but float64"):
        make(PictureState({"a": np.zeros((2, 2, 3))}, {"x": 1.0}))
    with pytest.raises(ValueError, match="not finite"):
        make(PictureState(good.pictures, {"x": float("nan")}))
    with pytest.raises(T.TraitError, match="unknown measure 'y'; this explorer has x"):
        make(good, chart=Chart("y", "k", "k"))
    with pytest.raises(ValueError, match="'many' begins with none"):
        make(good, chart=Chart("x", "k", "k"), axes={"k": ["1", "2", "many"]})
    with pytest.raises(ValueError, match="at least one state"):
        PictureExplorer.from_states({}, controls=[])


def test_unknown_names_are_refused() -> None:
    explorer, lam = embedding_explorer(), lam_explorer()
    with pytest.raises(T.TraitError, match=r"unknown network 'swin'.*with residual"):
        explorer.network = "swin"
    with pytest.raises(T.TraitError, match=r"unknown picture 'moon'.*gravel"):
        lam.picture = "moon"
    with pytest.raises(T.TraitError, match=r"leaves the 96×96 SR image; choose top in 0\.\.79"):
        lam.top = 80
    lam.top, lam.network, explorer.layer = 79, "fsrcnn", "body.7"


def test_bad_states_are_refused() -> None:
    setting = Setting("n", "body.0", "PCA", "1")
    sprite = {"src": "", "tile": 8, "cols": 2, "count": 4}
    four = {"degradations": ["a", "b"] * 2, "contents": ["x"] * 4, "patches": range(4)}

    def make(points=4, index=1.0, **changes):
        return EmbeddingExplorer.from_states(
            {setting: EmbeddedState(np.eye(points, 2), index, 1.0)},
            **{**four, "sprite": sprite, **changes},
        )

    make()
    with pytest.raises(ValueError, match=r"expected an embedding of shape \(4, 2\), got \(3, 2\)"):
        make(points=3)
    with pytest.raises(ValueError, match="same points, got 4, 3, 4 and 4"):
        make(contents=["x"] * 3)
    with pytest.raises(ValueError, match=r"listed for layer lack body\.0"):
        make(layers=["body.1"])
    with pytest.raises(ValueError, match="coincident"):
        make(index=np.inf)
    with pytest.raises(ValueError, match="at least one state"):
        EmbeddingExplorer.from_states({}, **four, sprite=sprite)


def test_axes_of_ones_own_become_traits() -> None:
    explorer, other = journey(), embedding_explorer()
    assert explorer.nearness == "5"
    explorer.nearness = "30"
    with pytest.raises(T.TraitError, match="unknown nearness '7'; this explorer has 5, 30"):
        explorer.nearness = "7"
    assert not hasattr(other, "nearness")  # nor do explorers share their axes
    assert saved(explorer)["state"]["nearness"] == "30"
    assert journey(start=("30",)).nearness == "30"
    assert [stop for _, stop in explorer.meta["routes"][1]["stops"]] == [0, 3, 4]


def test_bad_controls_are_refused() -> None:
    with pytest.raises(ValueError, match="uses the name 'places' itself"):
        journey(controls=[Control("places", "Places")])
    with pytest.raises(ValueError, match=r"one value for each of 2 controls, got \('5',\)"):
        journey(controls=[Control("one", "One"), Control("two", "Two")])
    with pytest.raises(T.TraitError, match="unknown degradation 'snow'; this explorer has clean"):
        journey(routes=[Route("Weather", {"0": "clean", "1": "snow"})])


def test_bad_maps_are_refused() -> None:
    picture = {"brick": Picture(np.zeros((24, 24, 3), np.uint8), {"bicubic": _zeros()})}
    place = Place("brick", "bicubic", 0, 0)
    with pytest.raises(T.TraitError, match="row 90, column 0 leaves"):
        LamExplorer.from_maps(picture, {place._replace(top=90): bump(place)})
    with pytest.raises(ValueError, match="networks bicubic"):
        LamExplorer.from_maps(picture, {place._replace(network="swin"): bump(place)})
    odd = {**picture, "grass": Picture(np.zeros((20, 20, 3), np.uint8), {"bicubic": _zeros()})}
    with pytest.raises(ValueError, match=r"grass: expected LR \(24, 24, 3\)"):
        LamExplorer.from_maps(odd, {place: bump(place)})


# ---- messages


def test_ping_says_whether_python_can_compute() -> None:
    assert asked(embedding_explorer(), {"kind": "ping"})[0] == {"kind": "pong", "computes": False}
    assert asked(lam_explorer(compute=bump), {"kind": "ping"})[0]["computes"] is True


def test_embedding_computes_what_is_asked_for() -> None:
    calls = []

    def compute(setting, *, seed, perplexity):
        calls.append((setting, seed, perplexity))
        return blobs(setting._replace(layer="body.0"), seed=seed)

    explorer = embedding_explorer(layers=["body.0", "body.3", "body.7", "body.15"], compute=compute)
    request = {
        "network": NETWORKS[0], "layer": "body.3", "projection": "t-SNE",
        "step": "1000", "seed": 4, "perplexity": 12,
    }  # fmt: skip
    answer, buffers = asked(explorer, {"kind": "compute", "id": "q1", "request": request})
    assert (answer["kind"], answer["id"]) == ("result", "q1")
    assert len(buffers) == 1
    assert len(buffers[0]) == 60 * 4
    assert calls == [(Setting(NETWORKS[0], "body.3", "t-SNE", "1000"), 4, 12)]

    answer, _ = asked(
        explorer, {"kind": "compute", "id": "q2", "request": {**request, "network": "x"}}
    )
    assert (answer["kind"], answer["id"]) == ("error", "q2")
    assert "unknown network 'x'" in answer["message"]
    assert len(calls) == 1


def test_pictures_are_computed_as_they_are_asked_for() -> None:
    explorer = picture_explorer(axes={"strength": STRENGTHS}, compute=mixture)
    request = {"strength": "0 %", "ranking": "FAIG"}
    answer, _ = asked(explorer, {"kind": "compute", "id": "q", "request": request})
    assert (answer["kind"], answer["values"]) == ("result", [30.0, 0.0])
    assert answer["urls"][0] == explorer.meta["urls"][0]
    still = asked(picture_explorer(), {"kind": "compute", "id": "q", "request": request})[0]
    assert "unknown strength '0 %'" in still["message"]


def test_a_computed_picture_has_its_place() -> None:
    def compute(setting):
        return placed(setting) if setting[1] == "FAIG" else mixture(setting)

    explorer = cloud_explorer(axes={"strength": STRENGTHS}, compute=compute)
    request = {"strength": "0 %", "ranking": "FAIG"}
    answer, _ = asked(explorer, {"kind": "compute", "id": "q", "request": request})
    assert answer["places"] == [[0.0, 0.0], [0.0, 1.5]]
    request["ranking"] = "random"
    answer, _ = asked(explorer, {"kind": "compute", "id": "q", "request": request})
    assert "places [], other states have ['right code', 'wrong code']" in answer["message"]


def test_lam_computes_what_is_asked_for() -> None:
    request = {"picture": "grass", "network": "fsrcnn", "top": 33, "left": 5}
    explorer = lam_explorer(compute=bump)
    answer, buffers = asked(explorer, {"kind": "compute", "id": "a", "request": request})
    expected = bump(Place("grass", "fsrcnn", 33, 5))
    assert answer["measures"] == [2.0, 0.002, 25.5]
    assert buffers == [pack_map(expected.magnitude)]

    for change, message in [({"top": 81}, "row 81"), ({"network": "x"}, "unknown network")]:
        answer, _ = asked(explorer, {"kind": "compute", "id": "b", "request": request | change})
        assert answer["kind"] == "error"
        assert message in answer["message"]

    def fails(_place):
        raise RuntimeError("out of memory")

    answer, _ = asked(lam_explorer(compute=fails), {"kind": "compute", "id": 1, "request": request})
    assert answer["message"] == "RuntimeError: out of memory"
    answer, _ = asked(lam_explorer(), {"kind": "compute", "id": 1, "request": request})
    assert "without compute=" in answer["message"]


# ---- in a browser

HOST = """<!doctype html><meta charset="utf-8"><title>explorer</title>
<meta name="viewport" content="width=device-width">
<body style="margin: 12px"><div id="el"></div><script type="module">
const saved = JSON.parse(document.getElementById("saved").textContent);
const state = saved.state, handlers = {};
const bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
for (const { path, data } of saved.buffers)
  path.slice(0, -1).reduce((o, k) => o[k], state)[path.at(-1)] = bytes(data);
const fire = (event, ...values) => (handlers[event] ?? []).forEach((f) => f(...values));
const model = {
  inPage: location.search.includes("page"), // as in the book
  get: (name) => state[name],
  set(name, value) { if (state[name] !== value) { state[name] = value; fire("change:" + name); } },
  save_changes() {},
  on: (event, f) => (handlers[event] ??= []).push(f),
  off: (event, f) => (handlers[event] = (handlers[event] ?? []).filter((g) => g !== f)),
  async send(content) {
    if (!window.toPython) return;
    const [answer, buffers] = await toPython(content);
    fire("msg:custom", answer, buffers.map(bytes));
  },
};
document.head.append(Object.assign(document.createElement("style"), { textContent: state._css }));
const url = URL.createObjectURL(new Blob([state._esm], { type: "text/javascript" }));
const el = document.getElementById("el");
const close = await (await import(url)).default.render({ model, el });
Object.assign(window, { model, handlers, closeExplorer: close, ready: true });
</script>"""
THEMES = {
    "light": "",
    "dark": "<style>:root{color-scheme:dark;--pst-color-text-base:#ced6dd;"
    "--pst-color-background:#14181e;--pst-color-primary:#3fb1c5}"
    "body{background:#14181e;color:#ced6dd;color-scheme:dark}</style>",
}


def page_source(explorer, theme: str = "light") -> str:
    payload = json.dumps(saved(explorer)).replace("<", "\\u003c")
    return f'<script id="saved" type="application/json">{payload}</script>{THEMES[theme]}' + HOST


@pytest.fixture
def show(browser, tmp_path):
    """show(explorer, live=…) → a page with the explorer in it; errors fail the test at the end."""
    errors, contexts = [], []

    def open_page(
        explorer, *, live: bool = False, theme: str = "light", width=1000, link="", **options
    ):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, reduced_motion="reduce", **options
        )
        contexts.append(context)
        context.set_offline(True)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("requestfailed", lambda request: errors.append(f"request to {request.url}"))
        if live:
            page.expose_function("toPython", lambda content: answers(explorer, content))
        file = tmp_path / f"explorer-{len(contexts)}.html"
        file.write_text(page_source(explorer, theme), encoding="utf-8")
        page.goto(file.as_uri() + link)
        page.wait_for_function("window.ready", timeout=20_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def answers(explorer, content: dict) -> list:
    answer, buffers = asked(explorer, content)
    return [answer, [base64.b64encode(buffer).decode() for buffer in buffers]]


def text(page, selector: str) -> str:
    return page.locator(selector).inner_text()


def spots(page) -> list[str]:
    return page.eval_on_selector_all(
        ".plot > .marker", "all => all.map((e) => e.getAttribute('transform'))"
    )


def test_embedding_answers_to_the_mouse(show) -> None:
    page = show(embedding_explorer())
    assert "360 in 2-D, level ++" in text(page, ".score")
    before = spots(page)
    page.get_by_text("without residual", exact=True).click()
    assert "0.2 in 2-D, level −" in text(page, ".score")
    assert spots(page) != before
    page.get_by_text("with residual", exact=True).click()

    page.locator("table.index button", has_text="180").first.click()
    assert "180 in 2-D" in text(page, ".score")
    assert page.evaluate("[model.get('layer'), model.get('step')]") in (
        ["body.15", "1000"], ["body.7", "6000"],
    )  # fmt: skip

    box = page.locator(".plot").bounding_box()
    place = page.locator(".plot > .marker").nth(4).bounding_box()
    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    assert "cut from" in text(page, ".patch")
    assert page.locator(".patch .kin button").count() == 2
    assert page.locator(".links line").count() == 3
    page.mouse.click(box["x"] + 3, box["y"] + 3)

    page.locator(".legend button", has_text="noise").click()
    assert page.locator(".plot > .marker.faded").count() == 40
    page.locator(".legend button", has_text="noise").click()
    assert page.locator(".plot > .marker.faded").count() == 0


def test_embedding_answers_to_the_keyboard(show) -> None:
    page = show(embedding_explorer())
    page.get_by_role("slider", name="Layer").focus()
    page.keyboard.press("Home")
    assert page.evaluate("model.get('layer')") == "body.0"
    page.locator("input[value='with residual']").focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("model.get('network')") == "without residual"

    page.locator(".plot").focus()
    heard = set()
    for key in ("Home", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "PageDown"):
        page.keyboard.press(key)
        heard.add(text(page, "[aria-live=polite]"))
    assert len(heard) >= 4
    assert all("patch" in words for words in heard)
    page.keyboard.press("Enter")
    assert page.locator(".plot > .marker.faded").count() == 40
    page.keyboard.press("Escape")
    assert page.locator(".plot > .marker.faded").count() == 0
    assert page.locator(".links line").count() == 0


def test_every_point_can_be_reached_with_arrow_keys(show) -> None:
    page = show(embedding_explorer(6))
    page.locator(".plot").focus()
    page.keyboard.press("Home")
    keys = np.random.default_rng(0).choice(["Left", "Right", "Up", "Down"], 400).tolist()
    reached = page.evaluate(
        """(keys) => [...new Set(keys.map((key) => {
          const event = new KeyboardEvent("keydown", { key: "Arrow" + key, bubbles: true });
          document.querySelector(".plot").dispatchEvent(event);
          return document.querySelector(".marker.focus").getAttribute("transform");
        }))]""",
        keys,
    )
    assert len(reached) >= 16  # of 18


def test_playing_the_training_reaches_its_end(show) -> None:
    page = show(embedding_explorer())
    page.get_by_role("button", name="Play the training").click()
    assert page.evaluate("model.get('step')") == "untrained"
    page.wait_for_function("model.get('step') === '6000'", timeout=8000)
    page.get_by_role("button", name="Play the training").wait_for()


def test_without_a_kernel_controls_say_what_they_need(show) -> None:
    layers = ["body.0", "body.3", "body.7", "body.15"]
    page = show(embedding_explorer(layers=layers))
    assert page.get_by_label("Perplexity").is_disabled()
    assert "Needs a running notebook" in text(page, ".side")
    assert "1 more layer" in text(page, ".side")
    assert page.get_by_role("slider", name="Layer").get_attribute("max") == "2"
    page.evaluate("model.set('layer', 'body.3')")
    page.get_by_text("was not precomputed").wait_for()


def test_with_a_kernel_new_states_are_computed(show) -> None:
    def compute(setting, *, seed, perplexity):
        if perplexity > 59:
            raise ValueError("perplexity 60 needs more than 60 points")
        return EmbeddedState(blobs(setting, seed=seed).embedding, 77.0, 5.0)

    page = show(embedding_explorer(compute=compute), live=True)
    page.wait_for_function("!document.querySelector('.live').disabled")
    page.get_by_label("Seed").fill("3")
    page.get_by_label("Seed").press("Enter")
    page.get_by_text("77 in 2-D").wait_for()
    page.get_by_label("Perplexity").fill("60")
    page.get_by_label("Perplexity").press("Enter")
    page.get_by_text("ValueError: perplexity 60 needs more").wait_for()
    page.get_by_label("Perplexity").fill("30")
    page.get_by_label("Perplexity").press("Enter")
    page.get_by_text("77 in 2-D").wait_for()


def test_sliders_lead_a_patch_through_the_embedding(show) -> None:
    page = show(journey())
    noise, blur, patch = (page.get_by_role("slider", name=n) for n in ("Noise", "Blur", "Patch"))
    ring, said = page.locator(".ring"), page.locator("[aria-live=polite]")

    def look() -> tuple[str, str]:
        picture = page.locator(".rider > svg").get_attribute("viewBox")
        return ring.evaluate("(el) => el.style.transform"), picture

    seen = [look()]
    noise.focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
        seen.append(look())
    assert len({place for place, _ in seen}) == len({picture for _, picture in seen}) == 3
    assert said.inner_text() == "noise 10/255, astronaut, patch 1"
    assert [s.get_attribute("aria-valuetext") for s in (noise, blur)] == ["10", "0"]
    blur.focus()
    page.keyboard.press("ArrowRight")
    assert said.inner_text() == "blur 1, astronaut, patch 1"
    assert noise.get_attribute("aria-valuetext") == "0"  # one damage at a time
    patch.focus()
    page.keyboard.press("End")
    assert said.inner_text() == "blur 1, astronaut, patch 4"
    assert page.locator(".links polyline").count() == 2

    page.locator(".plot").focus()  # the sliders follow the plot
    page.keyboard.press("Home")
    assert [s.get_attribute("aria-valuetext") for s in (noise, blur, patch)] == [
        "0", "0", "1, astronaut",
    ]  # fmt: skip
    page.keyboard.press("Escape")
    assert not page.locator(".rider").is_visible()
    noise.focus()
    page.keyboard.press("End")
    assert said.inner_text() == "noise 10/255, astronaut, patch 1"
    assert page.locator(".strip button[aria-current=true]").count() == 1
    before = spots(page)
    page.get_by_role("slider", name="Nearness").press("End")
    assert spots(page) != before


def test_what_a_kernel_could_add_is_named(show) -> None:
    page = show(journey(axes={"nearness": ["5", "30", "50"]}))
    assert "With a running notebook" in text(page, ".side")
    assert "1 more nearness" in text(page, ".side")

    def compute(_setting):
        return EmbeddedState(np.random.default_rng(0).normal(size=(20, 2)), 19.6, 5.0)

    page = show(journey(axes={"nearness": ["5", "30", "50"]}, compute=compute), live=True)
    page.wait_for_function("document.querySelector('.srlab-slider input').max === '2'")
    page.get_by_role("slider", name="Nearness").press("End")
    page.get_by_text("19.6 in 2-D, level −").wait_for()  # not 20, from which on it is a plus


def test_lam_answers_to_mouse_and_keyboard(show) -> None:
    page = show(lam_explorer())
    corner = "[model.get('top'), model.get('left')]"

    def look() -> tuple[str, str]:
        return text(page, ".srlab-status"), page.evaluate(
            "document.querySelectorAll('.views canvas')[2].toDataURL()"
        )

    before = look()
    box = page.locator(".pick").bounding_box()
    page.mouse.click(box["x"] + 0.2 * box["width"], box["y"] + 0.8 * box["height"])
    assert page.evaluate(corner) == [79, 0]  # the nearest target of the grid
    corner_view = look()
    assert all(now != then for now, then in zip(corner_view, before, strict=True))
    page.locator(".pick").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate(corner) == [79, 26]
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert page.evaluate(corner) == [26, 26]
    page.keyboard.press("Shift+ArrowUp")
    assert page.evaluate(corner) == [0, 26]

    here = look()
    page.locator(".srlab-card", has_text="bicubic").click()
    assert "bicubic on" in text(page, ".srlab-status")
    assert look()[1] != here[1]
    page.get_by_text("gravel", exact=True).click()
    assert "gravel" in text(page, ".srlab-status")
    overlay = "document.querySelectorAll('.views canvas')[1].toDataURL()"
    full = page.evaluate(overlay)
    page.get_by_label("Opacity").focus()
    page.keyboard.press("Home")
    assert page.evaluate("model.get('opacity')") == 0
    assert page.evaluate(overlay) != full


@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (390, "light"), (1280, "light")])
def test_the_whole_zoo_is_explored_without_a_kernel(show, width, theme) -> None:
    """Network, target and picture each change index and map, by pointer and by keyboard."""
    explorer = lam_explorer(networks=ZOO, make_map=zoo_map)
    phone = {"has_touch": True, "is_mobile": True} if width < 400 else {}
    page = show(explorer, width=width, theme=theme, **phone)
    press = "tap" if phone else "click"
    outside = []
    page.on("request", lambda r: outside.append(r.url) if r.url.startswith("http") else None)
    seen = set()

    def look() -> str:
        """The index that is said, which must be that of the place; the map must be new."""
        chosen = [page.evaluate(f"model.get('{k}')") for k in ("picture", "network", "top", "left")]
        index = zoo_map(Place(*chosen)).diffusion_index
        assert f"DI {index:.2f}" in text(page, ".srlab-status")
        card = page.locator(".srlab-card", has=page.locator(":checked"))
        assert f"DI {index:.2f}" in card.inner_text()
        drawn = page.evaluate("document.querySelectorAll('.views canvas')[2].toDataURL()")
        seen.add((*chosen[1:], drawn))
        return chosen[1]

    assert page.locator(".deck .srlab-card").count() == len(ZOO) == 13
    widths = page.evaluate(
        "[...document.querySelectorAll('.deck .srlab-card')].map((card) => card.offsetWidth)"
    )
    assert max(widths) - min(widths) <= 1  # the last one, alone in its row, too
    look()
    for network in ("SRCNN", "RRDBNet", "SAN"):
        getattr(page.locator(".srlab-card", has=page.locator(f"input[value={network}]")), press)()
        assert look() == network
    page.locator("input[value=SAN]").focus()
    page.keyboard.press("ArrowRight")
    assert look() == "SwinIR"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert look() == "RCAN"

    scene = page.locator(".pick")
    scene.scroll_into_view_if_needed()
    for across, down in ((0.15, 0.15), (0.85, 0.15), (0.15, 0.85)):
        box = scene.bounding_box()
        getattr(scene, press)(position={"x": across * box["width"], "y": down * box["height"]})
        look()
    scene.focus()
    for key in ("ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
        look()
    assert len(seen) == len({drawn for *_, drawn in seen}) == 10  # the first place came twice
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert "running notebook" in text(page, ".srlab-lam")
    assert outside == []


def test_lam_computes_anywhere_with_a_kernel(show) -> None:
    def compute(place):
        if place.network == "fsrcnn":
            raise RuntimeError("no weights for fsrcnn")
        return bump(place)

    page = show(lam_explorer(compute=compute), live=True)
    page.get_by_text("Click anywhere").wait_for()
    page.locator(".srlab-card", has_text="srcnn-3").first.click()
    box = page.locator(".pick").bounding_box()
    page.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + 0.6 * box["height"])
    top, left = page.evaluate("[model.get('top'), model.get('left')]")
    assert abs(top - 50) <= 1
    assert abs(left - 30) <= 1
    page.get_by_text(f"target at row {top}, column {left}: DI").wait_for()
    assert "choose to compute" in text(page, ".deck")
    page.locator(".pick").focus()
    page.keyboard.press("Shift+ArrowLeft")
    page.get_by_text(f"target at row {top}, column {left - 4}: DI").wait_for()
    page.locator(".srlab-card", has_text="fsrcnn").click()
    page.get_by_text("RuntimeError: no weights for fsrcnn").wait_for()


def test_pictures_follow_their_controls(show) -> None:
    page = show(picture_explorer(start=("0.5 %", "FAIG")))
    source = "document.querySelectorAll('.gallery img')[1].src"
    before = page.evaluate(source)
    page.get_by_role("slider", name="Masked").press("ArrowRight")
    page.get_by_text("masked 1 % · FAIG: PSNR 29.00").wait_for()
    assert page.evaluate(source) != before
    assert text(page, "dl").split() == ["PSNR", "29.00", "dB", "error", "1.00"]
    page.get_by_role("radio", name="random").check(force=True)
    page.get_by_text("masked 1 % · random: PSNR 28.00").wait_for()
    assert page.locator(".chart .line.chosen").count() == 1
    assert page.locator(".chart .here").count() == 1
    assert page.locator(".gallery img").nth(1).get_attribute("alt").startswith("output: masked 1 %")


def test_with_a_kernel_pictures_between_the_states_are_computed(show) -> None:
    options = {"axes": {"strength": STRENGTHS}, "start": ("0.5 %", "FAIG")}
    page = show(picture_explorer(**options))
    assert page.get_by_role("slider", name="Masked").get_attribute("max") == "2"
    page.get_by_text("Finer steps (masked) need a running notebook").wait_for()
    page = show(picture_explorer(**options, compute=mixture), live=True)
    page.get_by_text("computed in your kernel").wait_for()
    page.get_by_role("slider", name="Masked").press("Home")
    page.get_by_text("masked 0 % · FAIG: PSNR 30.00").wait_for()


MARK = "document.querySelector('.srlab-cloud > svg > .mark:last-child').style.transform"  # on top


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_code_moves_through_the_cloud(show, theme) -> None:
    page = show(cloud_explorer(start=("0.5 %", "FAIG")), theme=theme, width=390)
    marks = page.locator(".srlab-cloud > svg > .mark")
    drawn = page.locator(".srlab-cloud > svg")
    assert (marks.count(), page.locator(".srlab-cloud circle").count()) == (2, 24)
    assert page.locator(".srlab-cloud .names").inner_text().split("\n") == [
        "right code", "wrong code",
    ]  # fmt: skip
    seen = [(page.evaluate(MARK), text(page, ".srlab-status"), drawn.get_attribute("aria-label"))]
    wrong = marks.first.evaluate("(el) => el.style.transform")
    page.get_by_role("slider", name="Masked").press("End")
    page.get_by_text("masked 10 % · FAIG: PSNR 20.00").wait_for()
    seen.append(
        (page.evaluate(MARK), text(page, ".srlab-status"), drawn.get_attribute("aria-label"))
    )
    assert all(now != then for now, then in zip(*seen, strict=True))
    assert "around right code: strength 3.80\u00a0%, noise 0.90;" in seen[-1][1]  # ten at (5, 0)
    assert "24 points" in seen[-1][2]
    assert seen[-1][2].split(". ")[1] in seen[-1][1]
    assert marks.first.evaluate("(el) => el.style.transform") == wrong

    corner = page.locator(".srlab-cloud circle").nth(20).bounding_box()  # at (5, 0)
    mark = marks.last.bounding_box()
    for side, extent in (("x", "width"), ("y", "height")):
        middles = [box[side] + box[extent] / 2 for box in (corner, mark)]
        assert abs(middles[0] - middles[1]) < 1.5
    colour = "document.querySelectorAll('.srlab-cloud circle')[23].style.fill"
    last = page.locator(".srlab-cloud circle").nth(3)  # the weakest strength, the most noise
    before = last.evaluate("(el) => el.style.fill"), page.evaluate(colour)
    assert before[0] != before[1]
    page.get_by_role("radio", name="noise").check(force=True)
    assert last.evaluate("(el) => el.style.fill") == page.evaluate(colour) == before[1]
    assert text(page, ".srlab-cloud .bar").split() == ["noise", "0.00", "3.00"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_with_a_kernel_a_code_leaves_the_cloud(show) -> None:
    """A computed place far outside: the map grows, and the marker stays within."""

    def compute(setting):
        return replace(placed(setting), places={"right code": (-40, 60), "wrong code": (0, 0)})

    options = {"axes": {"strength": STRENGTHS}, "start": ("0.5 %", "FAIG")}
    page = show(cloud_explorer(**options, compute=compute), live=True)
    page.get_by_text("computed in your kernel").wait_for()
    page.get_by_role("slider", name="Masked").press("Home")
    page.get_by_text("masked 0 % · FAIG: PSNR 30.00").wait_for()
    ground, mark = (
        page.locator(f".srlab-cloud > svg > {part}").bounding_box()
        for part in (".ground", ".mark:last-child")
    )
    assert ground["x"] < mark["x"] + mark["width"] / 2 < ground["x"] + ground["width"]
    assert ground["y"] < mark["y"] + mark["height"] / 2 < ground["y"] + ground["height"]


@pytest.mark.parametrize(
    "make", [embedding_explorer, journey, lam_explorer, picture_explorer, cloud_explorer]
)
def test_explorers_fit_a_phone_and_leave_nothing_behind(show, make) -> None:
    page = show(make(), width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.evaluate("closeExplorer()")
    assert page.evaluate("Object.values(handlers).every((list) => list.length === 0)")


# ---- in a page, by its address

MOVES = [  # explorer, how it is moved, what the link then says
    (embedding_explorer, "Layer", {"layer": "body.0", "network": "with residual"}),
    (journey, "Nearness", {"nearness": "30"}),
    (lam_explorer, "Opacity", {"opacity": "100", "network": "srresnet-gr"}),
    (picture_explorer, "Masked", {"strength": "10 %", "ranking": "FAIG"}),
]


@pytest.mark.parametrize(("make", "control", "told"), MOVES)
def test_a_link_holds_what_is_shown(show, make, control, told) -> None:
    page = show(make(), link="?page")
    assert page.evaluate("location.hash") == ""
    page.get_by_role("slider", name=control).press("Home" if control == "Layer" else "End")
    page.wait_for_function("location.hash.startsWith('#explorer&')")
    link = page.evaluate("location.hash")
    said = dict(parse_qsl(link.partition("&")[2]))
    assert said.items() >= told.items()

    again = show(make(), link="?page" + link)
    for name in said:
        assert again.evaluate(f"String(model.get('{name}'))") == said[name]
    stale = show(make(), link="?page" + link.replace("=", "=no"))
    assert stale.evaluate(f"String(model.get('{next(iter(told))}'))") != told[next(iter(told))]
    stale.evaluate(f"location.hash = {json.dumps(link)}")
    name, value = next(iter(told.items()))
    stale.wait_for_function(f"String(model.get('{name}')) === '{value}'")


def test_a_chosen_patch_is_in_the_link(show) -> None:
    page = show(embedding_explorer(), link="?page")
    page.locator(".plot").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("location.hash.includes('point=')")
    seen = text(page, ".patch")
    again = show(embedding_explorer(), link="?page" + page.evaluate("location.hash"))
    assert text(again, ".patch") == seen


def test_notebooks_have_no_links(show) -> None:
    page = show(picture_explorer())
    page.get_by_role("slider", name="Masked").press("End")
    page.wait_for_timeout(500)
    assert page.evaluate("location.hash") == ""
    assert page.get_by_role("button", name="Copy link").count() == 0
