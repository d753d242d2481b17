import numpy as np
import pytest

from srlab.figures.tables import Matrix, confusion_dots, matrix_grid, matrix_heatmap


def test_a_matrix_is_drawn_cell_by_cell_from_the_top():
    values = np.array([[1.0, 1000.0, np.nan], [0.1, 10.0, 123.4]])
    figure = matrix_heatmap(values, ["up", "down"], list("abc"), colour_title="CHI", log=True)
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
    figure = matrix_heatmap(np.array([[value]]), ["a"], ["b"], colour_title="%")
    assert figure.data[1].text == (text,)


def test_matrices_share_their_colours_and_keep_their_own_names():
    first = Matrix(np.eye(2), ["a", "b"], ["c", "d"])
    other = Matrix(np.full((3, 1), 5.0), ["x", "y", "z"], ["w"])
    figure = matrix_grid({("", "one"): first, ("", "two"): other}, colour_title="count", text=False)
    bounded = matrix_grid({("", ""): first}, colour_title="count", limits=(-1, 9))
    assert (bounded.layout.coloraxis.cmin, bounded.layout.coloraxis.cmax) == (-1, 9)
    assert [list(trace.y) for trace in figure.data[::2]] == [["a", "b"], ["x", "y", "z"]]
    assert {trace.coloraxis for trace in figure.data[::2]} == {"coloraxis"}
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0, 5)
    assert {trace.mode for trace in figure.data[1::2]} == {"markers"}
    wide = matrix_heatmap(np.zeros((1, 20)), ["a"], list(range(20)), colour_title="")
    assert wide.layout.meta["srlab"]["width"] > 20 * 30  # numbers stay apart on a phone


def test_rows_that_matrices_share_are_named_once():
    one = Matrix(np.eye(2), ["a", "b"], ["c", "d"])
    other = Matrix(np.eye(2), ["x", "y"], ["c", "d"])
    panels = {("", "first"): one, ("", "same"): one, ("", "other"): other}
    layout = matrix_grid(panels, colour_title="").layout
    named = [layout[axis].showticklabels for axis in ("yaxis", "yaxis2", "yaxis3")]
    assert named == [None, False, None]


def test_a_matrix_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"2 row and 3 column names for values of shape \(2, 2\)"):
        matrix_heatmap(np.eye(2), ["a", "b"], ["c", "d", "e"], colour_title="")
    with pytest.raises(ValueError, match="values ≤ 0"):
        matrix_heatmap(np.eye(1) - 1, ["a"], ["b"], colour_title="", log=True)


def test_every_image_is_a_dot_in_its_cell_of_the_confusion_matrix(sprites):
    truth = ["blur", "blur", "blur", "noise", "noise"]
    names = ["blur", "blur", "noise", "noise", "blur"]
    figure = confusion_dots(
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


def test_a_row_too_wide_for_a_page_is_broken_and_keeps_every_title():
    matrix, titles = (
        Matrix(np.eye(5), list("abcde"), list("vwxyz")),
        ["one", "two", "three", "four"],
    )
    panels = {("", title): matrix for title in titles}
    figure = matrix_grid(panels, colour_title="dB")
    assert figure.layout.meta["srlab"]["width"] <= 720
    assert [note.text for note in figure.layout.annotations] == titles
    assert figure.layout.xaxis4.domain[0] > figure.layout.xaxis3.domain[1]
    assert figure.layout.yaxis3.domain[1] < figure.layout.yaxis.domain[0]


def test_names_of_columns_stay_clear_of_the_title_below():
    one = Matrix(np.eye(5, 6), list("abcde"), list("uvwxyz"))
    panels = {("", title): one for title in ("one", "two", "three")}
    layout = matrix_grid(panels, colour_title="").layout
    named = [layout[axis].showticklabels for axis in ("xaxis", "xaxis2", "xaxis3")]
    assert named == [False, None, None]  # below the second there is nothing
    assert layout.xaxis.tickangle is None
    long = Matrix(np.eye(5, 6), list("abcde"), ["fast fading", *"vwxyz"])
    panels = {("", title): long for title in ("one", "two", "three")}
    assert matrix_grid(panels, colour_title="").layout.xaxis2.tickangle < 0  # clear of the bar


def test_cells_have_room_for_the_longest_value_written_in_them():
    rows, columns = ["a"], ["b", "c"]
    short, long = (
        matrix_heatmap(np.array([[one, 0.5]]), rows, columns, colour_title="").layout.meta["srlab"]
        for one in (0.5, 0.0007)
    )
    assert short["width"] < long["width"] >= 150 + 2 * 7 * len("0.0007")
