import ast
import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srlab.figures import plotting

CLASSES = np.tile(["clean", "blur", "noise"], 4)
CONTENTS = np.repeat(["cat", "cup", "hut", "sky"], 3)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def sprites(rng):
    return plotting.sprite_sheet(rng.integers(256, size=(12, 8, 8, 3), dtype=np.uint8))


def test_torch_is_not_imported():
    tree = ast.parse(Path(plotting.__file__).read_text())
    names = {
        alias.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    assert not any(name.split(".")[0] in {"torch", "srlab"} for name in names)


def test_a_sprite_sheet_holds_every_picture_in_its_place():
    pictures = np.zeros((5, 8, 8, 3), np.uint8)
    pictures[:] = 40 * np.arange(5)[:, None, None, None]
    sheet = plotting.sprite_sheet(pictures)
    data = base64.b64decode(sheet["src"].split(",")[1])
    shown = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    for index in range(5):
        row, column = divmod(index, sheet["cols"])
        centre = shown[8 * row + 4, 8 * column + 4].astype(int)
        assert np.abs(centre - 40 * index).max() < 12


def test_the_grid_draws_each_class_in_each_panel(rng, sprites):
    panels = {(row, column): rng.normal(size=(12, 2)) for row in "ab" for column in "xyz"}
    figure = plotting.embedding_grid(
        panels, classes=CLASSES, contents=CONTENTS, sprites=sprites, notes={("a", "x"): "CHI 7"}
    )
    assert len(figure.data) == 3 * 6
    assert sum(trace.showlegend for trace in figure.data) == 3
    shown = np.concatenate([trace.customdata for trace in figure.data[:3]])
    assert sorted(shown) == list(range(12))
    assert len({trace.marker.color for trace in figure.data[:3]}) == 3
    assert len(set(figure.data[0].marker.symbol)) == 4
    assert "CHI 7" in figure.layout.annotations[0].text
    assert figure.layout.meta["srlab"]["sprite"]["labels"][1] == "blur · cat"


def test_panels_are_as_wide_as_what_is_written_on_them(rng, sprites):
    panels = {("", name): rng.normal(size=(12, 2)) for name in ("one", "two")}
    described = {"classes": CLASSES, "contents": CONTENTS, "sprites": sprites}
    widths = [
        plotting.embedding_grid(panels, **described, notes={("", "two"): note}).layout.meta
        for note in ("", "a note of thirty characters: 30")
    ]
    assert [meta["srlab"]["width"] for meta in widths] == [220, 372]


def test_each_frame_moves_the_same_points(rng, sprites):
    frames = {"0": rng.normal(size=(12, 2)), "100": rng.normal(size=(12, 2))}
    figure = plotting.animated_embedding(
        frames, classes=CLASSES, contents=CONTENTS, sprites=sprites, notes={"100": "CHI 9"}
    )
    assert [frame.name for frame in figure.frames] == ["0", "100"]
    assert all(len(frame.data) == len(figure.data) for frame in figure.frames)
    np.testing.assert_array_equal(figure.data[1].x, figure.frames[0].data[1].x)
    assert figure.frames[1].layout.title.text == "CHI 9"
    assert all(np.abs(trace.x).max() <= 1 for frame in figure.frames for trace in frame.data)


def test_curves_share_their_x_or_bring_their_own(rng):
    lines = {"a": rng.random(3), "b": rng.random(3)}
    figure = plotting.stacked_curves(
        [1, 2, 4],
        {"CHI": lines, "PSNR": lines},
        x_title="step",
        bands={"CHI": {"a": (lines["a"] - 1, lines["a"] + 1)}},
        log_y=["CHI"],
    )
    assert len(figure.data) == 5
    assert sum(bool(trace.showlegend) for trace in figure.data) == 2
    assert (figure.layout.yaxis.type, figure.layout.yaxis2.type) == ("log", None)
    own = plotting.stacked_curves(
        {"a": [1, 2], "b": [5, 6, 7]}, {"CHI": {"a": [0, 1], "b": [2, 3, 4]}}, x_title="step"
    )
    assert list(own.data[1].x) == [5, 6, 7]


def test_pictures_keep_their_pixels(rng):
    picture = rng.integers(256, size=(6, 9, 3), dtype=np.uint8)
    figure = plotting.picture_row({"one": picture, "two": picture})
    data = base64.b64decode(figure.data[1].source.split(",")[1])
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), picture)


def test_attribution_grid_lays_pictures_and_maps_on_the_same_lr_pixels(rng):
    picture = rng.integers(256, size=(32, 48, 3), dtype=np.uint8)  # 4 SR pixels an LR pixel
    panels = {("brick", "SR"): picture, ("brick", "map"): rng.random((8, 12))}
    figure = plotting.attribution_grid(
        panels, size=(8, 12), window=(2, 4, 3, 3), around=2, notes={("brick", "map"): "DI 1.0"}
    )
    image, heat = figure.data
    assert (image.dx, image.dy) == (0.25, 0.25)
    assert image.x0 - image.dx / 2 == image.y0 - image.dy / 2 == -0.5  # the corner of LR pixel 0
    assert heat.z.shape == (8, 12)
    assert {(s.x0, s.x1, s.y0, s.y1) for s in figure.layout.shapes} == {(3.5, 6.5, 1.5, 4.5)}
    assert len(figure.layout.shapes) == 2
    assert figure.layout.xaxis.range == (1.5, 8.5)
    assert figure.layout.yaxis.range == (6.5, -0.5)  # downwards, and not beyond the picture
    assert "map<br>DI 1.0" in {note.text for note in figure.layout.annotations}


@pytest.mark.parametrize("columns", [1, 3, 6])
def test_rows_of_a_grid_are_as_high_as_their_panels(rng, columns):
    keys = [(row, " " * i) for row in ("SR", "map", "area") for i in range(columns)]
    figure = plotting.attribution_grid(
        {key: rng.random((8, 8)) for key in keys},
        size=(8, 8),
        window=(2, 2, 2, 2),
        notes={key: "DI 2.0" for key in keys if key[0] == "map"},
    )
    layout = figure.layout
    inside = layout.height - layout.margin.t - layout.margin.b
    places = [layout[f"yaxis{i * columns + 1}" if i else "yaxis"].domain for i in range(3)]
    heights = [inside * (high - low) for low, high in places]
    gaps = [inside * (places[i][0] - places[i + 1][1]) for i in range(2)]
    assert max(heights) == pytest.approx(min(165, 640 / columns), abs=1)
    assert gaps == pytest.approx([26, 26], abs=1)
    assert (layout.meta is None) == (columns < 3)


def test_titles_of_curves_make_their_own_room():
    figure = plotting.stacked_curves([1, 2], {"seconds": {"a": [1e4, 2e4]}}, x_title="x")
    assert figure.layout.yaxis.automargin


def test_a_matrix_is_drawn_cell_by_cell_from_the_top():
    values = np.array([[1.0, 1000.0, np.nan], [0.1, 10.0, 123.4]])
    figure = plotting.matrix_heatmap(
        values, ["up", "down"], list("abc"), colour_title="CHI", log=True
    )
    cells, written = figure.data
    np.testing.assert_allclose(cells.z, np.log10(values), rtol=1e-6)
    assert (list(cells.y), list(cells.x)) == (["up", "down"], ["a", "b", "c"])
    assert figure.layout.yaxis.autorange == "reversed"
    assert list(zip(written.y, written.x, written.text, strict=True)) == [
        ("up", "a", "1"), ("up", "b", "1000"),
        ("down", "a", "0.1"), ("down", "b", "10"), ("down", "c", "123"),
    ]  # fmt: skip
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (-1, 3)
    ticks = figure.layout.coloraxis.colorbar.ticktext
    assert list(ticks[::2]) == ["0.1", "1", "10", "100", "1000"]
    assert figure.layout.coloraxis.colorbar.title.text == "CHI"


@pytest.mark.parametrize(("value", "text"), [(99.96, "100"), (99.4, "99"), (-99.96, "-100")])
def test_what_rounds_to_a_hundred_is_written_as_such(value, text):
    figure = plotting.matrix_heatmap(np.array([[value]]), ["a"], ["b"], colour_title="%")
    assert figure.data[1].text == (text,)


def test_matrices_share_their_colours_and_keep_their_own_names():
    first = plotting.Matrix(np.eye(2), ["a", "b"], ["c", "d"])
    other = plotting.Matrix(np.full((3, 1), 5.0), ["x", "y", "z"], ["w"])
    figure = plotting.matrix_grid(
        {("", "one"): first, ("", "two"): other}, colour_title="count", text=False
    )
    bounded = plotting.matrix_grid({("", ""): first}, colour_title="count", limits=(-1, 9))
    assert (bounded.layout.coloraxis.cmin, bounded.layout.coloraxis.cmax) == (-1, 9)
    assert [list(trace.y) for trace in figure.data[::2]] == [["a", "b"], ["x", "y", "z"]]
    assert {trace.coloraxis for trace in figure.data[::2]} == {"coloraxis"}
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0, 5)
    assert {trace.mode for trace in figure.data[1::2]} == {"markers"}
    wide = plotting.matrix_heatmap(np.zeros((1, 20)), ["a"], list(range(20)), colour_title="")
    assert wide.layout.meta["srlab"]["width"] > 20 * 30  # numbers stay apart on a phone


def test_rows_that_matrices_share_are_named_once():
    one = plotting.Matrix(np.eye(2), ["a", "b"], ["c", "d"])
    other = plotting.Matrix(np.eye(2), ["x", "y"], ["c", "d"])
    panels = {("", "first"): one, ("", "same"): one, ("", "other"): other}
    layout = plotting.matrix_grid(panels, colour_title="").layout
    named = [layout[axis].showticklabels for axis in ("yaxis", "yaxis2", "yaxis3")]
    assert named == [None, False, None]


def test_a_matrix_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"2 row and 3 column names for values of shape \(2, 2\)"):
        plotting.matrix_heatmap(np.eye(2), ["a", "b"], ["c", "d", "e"], colour_title="")
    with pytest.raises(ValueError, match="values ≤ 0"):
        plotting.matrix_heatmap(np.eye(1) - 1, ["a"], ["b"], colour_title="", log=True)


def test_a_picture_grid_puts_pictures_in_their_places(rng):
    picture = rng.integers(256, size=(6, 9, 3), dtype=np.uint8)
    panels = {(row, column): picture for row in ("one", "two") for column in "abc"}
    figure = plotting.picture_grid(panels, notes={("two", "b"): "r 0.5"})
    assert len(figure.data) == 6
    assert {"a", "r 0.5", "one"} <= {note.text for note in figure.layout.annotations}
    assert figure.layout.yaxis6.matches == "y"


def test_each_frame_of_a_grid_moves_all_panels_and_their_notes(rng, sprites):
    places = [("MSE", "with"), ("MSE", "without"), ("GAN", "with"), ("GAN", "without")]
    frames = {name: {place: rng.normal(size=(12, 2)) for place in places} for name in ("1", "16")}
    frames["1"] = dict(reversed(frames["1"].items()))  # the order of panels must not matter
    notes = {"1": {places[3]: "CHI 2"}, "16": {places[0]: "CHI 9"}}
    figure = plotting.animated_grid(
        frames, classes=CLASSES, contents=CONTENTS, sprites=sprites, notes=notes
    )
    assert len(figure.data) == 4 * 3 + 4
    assert figure.layout.sliders[0].active == 1
    last = figure.frames[1]
    for drawn, moved in zip(figure.data[:12], last.data[:12], strict=True):
        np.testing.assert_array_equal(drawn.x, moved.x)
    assert [trace.text[0] for trace in last.data[12:]] == ["CHI 9", "", "", ""]
    assert [trace.text[0] for trace in figure.frames[0].data[12:]] == ["", "", "", "CHI 2"]
    assert figure.data[12].xaxis == figure.data[0].xaxis
    del frames["1"][places[0]]
    with pytest.raises(ValueError, match="every frame needs the panels"):
        plotting.animated_grid(frames, classes=CLASSES, contents=CONTENTS, sprites=sprites)


def test_signed_tiles_show_each_map_on_its_own_scale():
    maps = np.zeros((3, 4, 5))
    maps[0, :2], maps[1, :2] = 1, -100
    sheet = plotting.signed_tiles(maps, columns=2)
    assert sheet.shape == (2 * 5, 2 * 6, 3)
    assert sheet[0, 0].tolist() == [0xE6, 0x9F, 0x00]
    assert sheet[0, 6].tolist() == [0x00, 0x72, 0xB2]
    assert sheet[5, 0].tolist() == [255, 255, 255]  # an empty map stays white
    assert sheet[5, 6].tolist() == [160, 160, 160]  # no map


def test_shades_grow_into_the_colour():
    tones = plotting.shades("#0072B2", 4)
    assert len(set(tones)) == 4
    assert tones[-1] == "#0072B2"
    red = [int(tone[1:3], 16) for tone in tones]
    assert red == sorted(red, reverse=True)


def test_dots_share_colour_and_symbol_across_panels_and_carry_their_names():
    dots = {"a": (np.array([1.0, 2.0]), np.array([3.0, 4.0])), "b": (np.ones(1), np.ones(1))}
    names = {"a": ["first", "second"], "b": ["third"]}
    figure = plotting.scatter_panels(
        {"CHI": dots, "SRGA": dots}, names=names, y_title="PSNR", log_x=["CHI"]
    )
    assert [trace.name for trace in figure.data] == ["a", "b", "a", "b"]
    assert [trace.showlegend for trace in figure.data] == [True, True, False, False]
    assert figure.data[0].marker == figure.data[2].marker != figure.data[1].marker
    assert figure.data[0].text == ("first", "second")
    assert (figure.layout.xaxis.type, figure.layout.xaxis2.type) == ("log", None)


def test_interval_dots_show_every_value_their_mean_and_their_range():
    figure = plotting.interval_dots(
        {"ours": np.array([0.5, 0.6, 1.0]), "theirs": np.array([0.2, 0.2])},
        x_title="share",
        reference=0.25,
    )
    dots, mean = figure.data[:2]
    assert list(dots.x) == pytest.approx([0.5, 0.6, 1.0])
    assert mean.x[0] == pytest.approx(0.7)
    assert mean.x[0] + mean.error_x.array[0] == pytest.approx(1.0)
    assert mean.x[0] - mean.error_x.arrayminus[0] == pytest.approx(0.5)
    assert list(figure.data[2].y) == ["theirs", "theirs"]
    assert figure.layout.shapes[0].x0 == 0.25


def test_dots_carry_their_thumbnails(sprites):
    values = {"a": np.arange(3.0), "b": np.arange(2.0)}
    pictures = {"a": [0, 1, 2], "b": [4, 5]}
    rows = plotting.interval_dots(values, x_title="DI", sprites=sprites, pictures=pictures)
    places = {name: (own, own) for name, own in values.items()}
    names = {name: [str(i) for i in own] for name, own in pictures.items()}
    dots = plotting.scatter_panels(
        {"DI": places}, names=names, y_title="PSNR", sprites=sprites, pictures=pictures
    )
    for figure, step in ((rows, 2), (dots, 1)):
        assert [list(trace.customdata) for trace in figure.data[::step]] == [[0, 1, 2], [4, 5]]
        assert figure.layout.meta["srlab"]["sprite"] == sprites


def test_layers_of_colour_cover_a_grey_picture():
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[..., 0] = 255
    red = np.array([[1.0, 0.0], [0.5, 0.0]])
    shown = plotting.tinted(picture, {"#ff0000": red, "#0000ff": np.array([[False, True]] * 2)})
    bare = plotting.tinted(picture, {})
    assert bare[0, 0].tolist() == [round(40 + 0.75 * 0.299 * 255)] * 3  # grey
    assert (shown[:2, :2] == [255, 0, 0]).all()
    assert (shown[:, 2:] == [0, 0, 255]).all()
    tone = int(bare[0, 0, 0])
    assert shown[2, 0].tolist() == pytest.approx([(255 + tone) / 2, tone / 2, tone / 2], abs=1)
    with pytest.raises(ValueError, match="does not tile"):
        plotting.tinted(picture, {"#ff0000": np.zeros((3, 3))})


def test_a_network_map_puts_each_filter_into_its_strip():
    masks = {"head": np.zeros((4, 3), bool), "tail": np.zeros((2, 8), bool)}
    masks["head"][3, 0] = masks["tail"][0, 7] = True
    scores = {name: np.arange(mask.size).reshape(mask.shape) for name, mask in masks.items()}
    none = {name: np.zeros_like(mask) for name, mask in masks.items()}
    kinds = {"blur": plotting.Chosen(masks, scores), "noise": plotting.Chosen(none, scores)}
    figure = plotting.network_map({"seed 0": kinds, "seed 1": kinds}, score_title="score")
    strips, dots, nothing = figure.data[:3]
    assert len(figure.data) == 6
    assert list(strips.x) == [0, 1]
    assert "tail: 2 × 8" in strips.hovertext[1]
    assert len(nothing.x) == 0
    centres = [place - round(float(place)) for place in dots.x]
    assert centres[0] < -0.2
    assert centres[1] > 0.3
    assert list(dots.y) == [3.5 / 4, 0.5 / 2]
    assert "head, filter 3 ← 0<br>score 9" in dots.text[0]
    assert sum(bool(trace.showlegend) for trace in figure.data) == 2


def test_filters_of_two_networks_are_not_drawn_as_one():
    one = plotting.Chosen({"head": np.zeros((4, 3), bool)}, {"head": np.zeros((4, 3))})
    other = plotting.Chosen({"head": np.zeros((4, 4), bool)}, {"head": np.zeros((4, 4))})
    with pytest.raises(ValueError, match="another network"):
        plotting.network_map({"": {"blur": one, "noise": other}}, score_title="score")


def test_every_image_is_a_dot_in_its_cell_of_the_confusion_matrix(sprites):
    truth = ["blur", "blur", "blur", "noise", "noise"]
    names = ["blur", "blur", "noise", "noise", "blur"]
    figure = plotting.confusion_dots(
        {"filters": names, "probe": truth},
        truth={"filters": truth, "probe": truth},
        classes={"filters": ["blur", "noise"], "probe": ["blur", "noise"]},
        sprites=sprites,
        pictures={"filters": range(5), "probe": range(5)},
    )
    blur, noise = figure.data[:2]
    assert [round(float(x)) for x in blur.x] == [0, 0, 1]
    assert [round(float(x)) for x in noise.x] == [1, 0]
    assert {round(float(y)) for y in noise.y} == {1}
    assert len({(x, y) for x, y in zip(blur.x, blur.y, strict=True)}) == 3
    assert list(noise.customdata) == [3, 4]
    assert noise.text[1] == "noise, called blur"
    assert list(figure.layout.yaxis.range) == [1.5, -0.5]


def test_effects_over_a_grid_show_each_point_once_with_its_outcome():
    points = {
        "b100": plotting.Effect("good", {"ratio": (300, 200, 400), "share": (0.5, 0.4, 0.6)}),
        "set5": plotting.Effect("bad", {"ratio": (2, 1, 3)}),
        "none": plotting.Effect("failed", {}),
    }
    figure = plotting.effects_over_grid(points, ["good", "bad", "failed"])
    seen = {(trace.name, *trace.y, *trace.x) for trace in figure.data}
    assert seen == {("good", "b100", 300), ("good", "b100", 0.5), ("bad", "set5", 2)}
    assert list(figure.layout.yaxis.categoryarray) == ["b100", "set5", "none"]
    assert figure.layout.yaxis.range == (2.5, -0.5)  # the first on top
    assert [(a.y, a.text) for a in figure.layout.annotations if a.y in points] == [
        ("none", "failed")
    ]
    assert figure.layout.xaxis.type == "log"  # 1 to 400
    assert figure.layout.xaxis2.type is None
    assert [trace.error_x.array[0] for trace in figure.data if trace.name == "bad"] == [1]
    assert {trace.name for trace in figure.data if trace.showlegend} == {"good", "bad"}
