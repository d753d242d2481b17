import numpy as np
import pytest

from srlab.figures.embeddings import animated_embedding, animated_grid, embedding_grid

CLASSES = np.tile(["clean", "blur", "noise"], 4)
CONTENTS = np.repeat(["cat", "cup", "hut", "sky"], 3)


def test_the_grid_draws_each_class_in_each_panel(rng, sprites):
    panels = {(row, column): rng.normal(size=(12, 2)) for row in "ab" for column in "xyz"}
    figure = embedding_grid(
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
        embedding_grid(panels, **described, notes={("", "two"): note}).layout.meta
        for note in ("", "a note of thirty characters: 30", "a note of thirty<br>characters: 30")
    ]
    assert [meta["srlab"]["width"] for meta in widths] == [220, 432, 252]


def test_titles_of_several_lines_have_room_between_the_rows(rng, sprites):
    panels = {(row, "x"): rng.normal(size=(12, 2)) for row in "abc"}
    described = {"classes": CLASSES, "contents": CONTENTS, "sprites": sprites}
    for note in ("", "CHI 7", "class 3<br>scene 4"):
        notes = dict.fromkeys(panels, note)
        layout = embedding_grid(panels, **described, notes=notes).layout
        plot = layout.height - layout.margin.t - layout.margin.b
        gap = plot * (layout.yaxis.domain[0] - layout.yaxis2.domain[1])
        lines = max(title.text.count("<br>") for title in layout.annotations) + 1
        assert gap >= 16 * lines + 5


def test_a_legend_that_may_fill_several_lines_stands_below_the_panels(rng, sprites):
    panels = {("", "one"): rng.normal(size=(12, 2))}
    for names, above in (("abc", True), ("abcdefghi", False), (("a long name" * 2,) * 2, True)):
        classes = np.resize(list(names), 12)
        figure = embedding_grid(panels, classes=classes, contents=CONTENTS, sprites=sprites)
        assert (figure.layout.legend.y > 0) == above
        assert (figure.layout.legend.yref == "container") == above


def test_buttons_stand_above_their_slider_and_a_note_below_the_legend(rng, sprites):
    frames = {"0": rng.normal(size=(12, 2)), "100": rng.normal(size=(12, 2))}
    layout = animated_embedding(frames, classes=CLASSES, contents=CONTENTS, sprites=sprites).layout
    slider, buttons = layout.sliders[0], layout.updatemenus[0]
    assert buttons.pad.t < slider.pad.t + slider.currentvalue.offset
    assert slider.currentvalue.xanchor == "right"
    assert buttons.xanchor == "left"
    assert layout.title.y < layout.legend.y - 0.05


def test_each_frame_moves_the_same_points(rng, sprites):
    frames = {"0": rng.normal(size=(12, 2)), "100": rng.normal(size=(12, 2))}
    figure = animated_embedding(
        frames, classes=CLASSES, contents=CONTENTS, sprites=sprites, notes={"100": "CHI 9"}
    )
    assert [frame.name for frame in figure.frames] == ["0", "100"]
    assert all(len(frame.data) == len(figure.data) for frame in figure.frames)
    np.testing.assert_array_equal(figure.data[1].x, figure.frames[0].data[1].x)
    assert figure.frames[1].layout.title.text == "CHI 9"
    assert all(np.abs(trace.x).max() <= 1 for frame in figure.frames for trace in frame.data)


def test_each_frame_of_a_grid_moves_all_panels_and_their_notes(rng, sprites):
    places = [("MSE", "with"), ("MSE", "without"), ("GAN", "with"), ("GAN", "without")]
    frames = {name: {place: rng.normal(size=(12, 2)) for place in places} for name in ("1", "16")}
    frames["1"] = dict(reversed(frames["1"].items()))  # the order of panels must not matter
    notes = {"1": {places[3]: "CHI 2"}, "16": {places[0]: "CHI 9"}}
    figure = animated_grid(frames, classes=CLASSES, contents=CONTENTS, sprites=sprites, notes=notes)
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
        animated_grid(frames, classes=CLASSES, contents=CONTENTS, sprites=sprites)


def test_play_and_slider_stand_below_a_legend_of_several_lines(rng, sprites):
    def top(figure):
        return figure.layout.updatemenus[0].pad.t, figure.layout.sliders[0].pad.t

    frames = {"1": {("", "one"): rng.normal(size=(12, 2))}}
    told = {"contents": CONTENTS, "sprites": sprites}
    short = animated_grid(frames, classes=CLASSES, **told)
    long = animated_grid(frames, classes=[f"{name}, {'x' * 30}" for name in CLASSES], **told)
    assert long.layout.legend.y < 0
    assert min(np.subtract(top(long), top(short))) >= 3 * 16
    assert long.layout.height - short.layout.height >= 3 * 16
