from srlab.figures.curves import stacked_curves


def test_curves_share_their_x_or_bring_their_own(rng):
    lines = {"a": rng.random(3), "b": rng.random(3)}
    figure = stacked_curves(
        [1, 2, 4],
        {"CHI": lines, "PSNR": lines},
        x_title="step",
        bands={"CHI": {"a": (lines["a"] - 1, lines["a"] + 1)}},
        log_y=["CHI"],
    )
    assert len(figure.data) == 5
    assert sum(bool(trace.showlegend) for trace in figure.data) == 2
    assert (figure.layout.yaxis.type, figure.layout.yaxis2.type) == ("log", None)
    own = stacked_curves(
        {"a": [1, 2], "b": [5, 6, 7]}, {"CHI": {"a": [0, 1], "b": [2, 3, 4]}}, x_title="step"
    )
    assert list(own.data[1].x) == [5, 6, 7]


def test_every_line_is_named_once_in_whatever_panel_it_comes_first():
    panels = {"CHI": {"a": [1, 2]}, "PSNR": {"b": [3, 4], "a": [5, 6]}}
    traces = stacked_curves([1, 2], panels, x_title="x").data
    assert [(trace.name, bool(trace.showlegend)) for trace in traces] == [
        ("a", True),
        ("b", True),
        ("a", False),
    ]
    assert traces[0].line.color == traces[2].line.color != traces[1].line.color


def test_titles_of_curves_make_their_own_room():
    figure = stacked_curves([1, 2], {"seconds": {"a": [1e4, 2e4]}}, x_title="x")
    assert figure.layout.yaxis.automargin


def test_a_long_title_takes_several_lines_beside_its_panel():
    title = "CHI, SRResNet without GR, by degradation"
    figure = stacked_curves([1, 2], {title: {"a": [1, 2]}}, x_title="x")
    written = figure.layout.yaxis.title.text
    assert written.replace("<br>", " ") == title
    assert max(map(len, written.split("<br>"))) <= 26


def test_a_narrow_logarithmic_axis_has_more_than_one_number():
    lines = {"CHI": {"a": [0.2, 1.5]}, "all": {"a": [0.001, 200.0]}}
    layout = stacked_curves([1, 2], lines, x_title="x", log_y=[*lines]).layout
    assert (layout.yaxis.dtick, layout.yaxis2.dtick) == ("D2", 2)


def test_a_logarithmic_axis_names_its_own_places():
    lines = {"CHI": {"a": [1, 2, 3]}}
    steps = [250, 1000, 6000]
    assert (
        list(stacked_curves(steps, lines, x_title="x", log_x=True).layout.xaxis.tickvals) == steps
    )
    assert stacked_curves(steps, lines, x_title="x").layout.xaxis.tickvals is None
    own = {"a": [250, 1000, 1500], "b": [1000, 4000, 20_000]}
    lines = {"CHI": {"a": [1, 2, 3], "b": [1, 2, 3]}}
    marked = stacked_curves(own, lines, x_title="x", log_x=True).layout.xaxis.tickvals
    assert list(marked) == [250, 1000, 4000, 20_000]
