import numpy as np
import pytest

from srlab.figures.dots import GridPoint, effects_over_grid, interval_dots, scatter_panels
from srlab.figures.theme import mark


def test_dots_share_colour_and_symbol_across_panels_and_carry_their_names():
    dots = {"a": (np.array([1.0, 2.0]), np.array([3.0, 4.0])), "b": (np.ones(1), np.ones(1))}
    names = {"a": ["first", "second"], "b": ["third"]}
    figure = scatter_panels({"CHI": dots, "SRGA": dots}, names=names, y_title="PSNR", log_x=["CHI"])
    assert [trace.name for trace in figure.data] == ["a", "b", "a", "b"]
    assert [trace.showlegend for trace in figure.data] == [True, True, False, False]
    assert figure.data[0].marker == figure.data[2].marker != figure.data[1].marker
    assert figure.data[0].text == ("first", "second")
    assert (figure.layout.xaxis.type, figure.layout.xaxis2.type) == ("log", None)


def test_a_logarithmic_axis_has_few_labels():
    spans = {1: [0.01, 5.0], 2: [1e-4, 5.0], "D2": [0.01, 0.06]}
    for ticks, values in ((ticks, np.array(span)) for ticks, span in spans.items()):
        figure = scatter_panels(
            {"x": {"a": (values, values)}}, names={"a": "pq"}, y_title="y", log_x="x"
        )
        assert figure.layout.xaxis.dtick == ticks


def test_interval_dots_show_every_value_their_mean_and_their_range():
    figure = interval_dots(
        {"ours": np.array([0.5, 0.6, 1.0]), "theirs": np.array([0.2, 0.2])},
        x_title="share",
        reference=0.25,
        levels=[0.9],
    )
    dots, mean = figure.data[:2]
    assert list(dots.x) == pytest.approx([0.5, 0.6, 1.0])
    assert mean.x[0] == pytest.approx(0.7)
    assert mean.x[0] + mean.error_x.array[0] == pytest.approx(1.0)
    assert mean.x[0] - mean.error_x.arrayminus[0] == pytest.approx(0.5)
    assert list(figure.data[2].y) == ["theirs", "theirs"]
    assert [line.x0 for line in figure.layout.shapes] == [0.25, 0.9]


def test_interval_dots_on_a_logarithmic_axis_have_few_labels():
    rows = {"a": np.array([0.4, 2.0]), "b": np.array([0.5, 15.0])}
    axis = interval_dots(rows, x_title="DI", log_x=True).layout.xaxis
    assert (axis.type, axis.dtick) == ("log", 1)
    assert interval_dots(rows, x_title="DI").layout.xaxis.type is None


def test_dots_carry_their_thumbnails(sprites):
    values = {"a": np.arange(3.0), "b": np.arange(2.0)}
    pictures = {"a": [0, 1, 2], "b": [4, 5]}
    rows = interval_dots(values, x_title="DI", sprites=sprites, pictures=pictures)
    places = {name: (own, own) for name, own in values.items()}
    names = {name: [str(i) for i in own] for name, own in pictures.items()}
    dots = scatter_panels(
        {"DI": places}, names=names, y_title="PSNR", sprites=sprites, pictures=pictures
    )
    for figure, step in ((rows, 2), (dots, 1)):
        assert [list(trace.customdata) for trace in figure.data[::step]] == [[0, 1, 2], [4, 5]]
        assert figure.layout.meta["srlab"]["sprite"] == sprites


def test_effects_over_a_grid_show_each_point_once_with_its_outcome():
    points = {
        "b100": GridPoint("good", {"ratio": (300, 200, 400), "share": (0.5, 0.4, 0.6)}),
        "set5": GridPoint("bad", {"ratio": (2, 1, 3)}),
        "none": GridPoint("failed", {}),
    }
    figure = effects_over_grid(points, ["good", "bad", "failed"], levels={"share": 0.9})
    seen = {(trace.name, *trace.y, *trace.x) for trace in figure.data}
    assert seen == {("good", "b100", 300), ("good", "b100", 0.5), ("bad", "set5", 2)}
    assert list(figure.layout.yaxis.categoryarray) == ["b100", "set5", "none"]
    assert figure.layout.yaxis.range == (2.5, -0.5)  # the first on top
    assert [(a.y, a.text) for a in figure.layout.annotations if a.y in points] == [
        ("none", "failed")
    ]
    assert figure.layout.xaxis.type == "log"  # 1 to 400
    assert figure.layout.xaxis2.type is None
    assert [(line.xref, line.x0) for line in figure.layout.shapes] == [("x2", 0.9)]
    assert [trace.error_x.array[0] for trace in figure.data if trace.name == "bad"] == [1]
    assert {trace.name for trace in figure.data if trace.showlegend} == {"good", "bad"}


def test_a_hundred_classes_have_marks_of_their_own():
    marks = [tuple(mark(index).values()) for index in range(100)]
    assert len(set(marks)) == 100
