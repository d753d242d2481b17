"""What the front pages are made of: titles, numbers of records, charts, stamps, signs."""

import base64
import json
import re
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from docutils import nodes

from srlab.book import outcomes
from srlab.book.clouds import RECORDED
from srlab.book.figures import MIME, find_figure
from srlab.book.measured import Axis, find_record, measure, set_minus
from srlab.book.project import Notebook
from srlab.book.recorded import Run
from srlab.book.scoreboard import runs_by_column, tally
from srlab.book.thumbnail import thumbnail

RECORD = {
    "finding": "a/one",
    "verdict": "mixed",
    "checks": {"x": "held", "y": "failed"},
    "measured": {"CHI": 20.0},
    "interval": {},
    "image_set": "photographs",
}


def test_the_title_is_the_first_heading(checkout, write_notebook):
    source = write_notebook("a/one")
    assert Notebook(checkout, "a/one").title == "Title of a/one"
    source.write_text("print(1)\n")
    assert Notebook(checkout, "a/one").title == "a/one"


def test_runs_stand_in_columns_the_books_own_first():
    runs = [
        Run(name, "literature", "b100", {}, "2026-11-29", "abc1234") for name in ("a/one", "a/two")
    ]
    columns = runs_by_column(RECORD, runs)
    assert [run.record for run in columns.pop("Photographs")] == [RECORD]
    assert columns == {
        "Pictures of the literature": runs[:1],
        "Networks that others trained": [],
    }


def test_totals_stand_in_the_order_of_the_symbols():
    found = tally({"verdict": verdict} for verdict in ("opposite", "mixed", "mixed"))
    assert [*found.items()] == [("mixed", 2), ("opposite", 1)]


def test_numbers_are_found_in_this_copy_and_in_recorded_runs(checkout, monkeypatch):
    file = Notebook(checkout, "a/one").record
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(RECORD))
    run = Run("a/one", "literature", "b100", {"measured": {}}, "2026-11-29", "abc1234")
    monkeypatch.setattr("srlab.book.measured.read_recorded", lambda _root: [run])
    assert find_record(checkout, "a/one") == (RECORD, "this copy's run on photographs")
    found, made = find_record(checkout, "literature b100 a/one")
    assert found is run.record
    assert made == "pictures of the literature, b100, 2026-11-29, commit abc1234"
    with pytest.raises(ValueError, match="no run is recorded of 'others b100 a/one'"):
        find_record(checkout, "others b100 a/one")
    assert measure(RECORD, "CHI") == 20
    with pytest.raises(ValueError, match="a/one measures no 'PSNR'; there are CHI"):
        measure(RECORD, "PSNR")


def test_bars_begin_at_zero_and_keep_their_order():
    linear = Axis([-1.0, 3.0], log=False)
    assert linear.at(-1) == 0
    assert linear.at(3) == 100
    assert linear.place(-1.0, [-1.0]) == {"start": 0, "width": 25, "low": 0, "spread": 0}
    log = Axis([0.01, 1000.0], log=True)
    assert 0 < log.at(0.01) < log.at(1) < log.at(1000) == 100
    assert np.isclose(log.at(10) - log.at(1), log.at(100) - log.at(10), atol=0.02)


def page_with(tmp_path, figure, **metadata):
    cell = nbformat.v4.new_code_cell(metadata=metadata)
    cell.outputs = [nbformat.v4.new_output("display_data", {MIME: figure})]
    path = tmp_path / "one.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    return path


def test_a_stamp_draws_lists_and_typed_arrays_alike(tmp_path):
    values = np.array([1.0, 2.0, 4.0])
    typed = {"dtype": "f8", "bdata": base64.b64encode(values.tobytes()).decode()}
    drawn = set()
    for place, y in enumerate(([1.0, 2.0, 4.0], typed)):
        folder = tmp_path / str(place)
        folder.mkdir()
        trace = {"type": "scatter", "mode": "lines", "x": ["a", "b", "c"], "y": y}
        drawn.add(str(thumbnail(page_with(folder, {"data": [trace], "layout": {}}))))
    (one,) = drawn
    assert re.search(r'd="M3 53L40 36L77 3"', one)


def test_a_stamp_of_nothing_is_empty(tmp_path):
    picture = {"data": [{"type": "image", "source": "data:"}], "layout": {}}
    assert "<path" not in thumbnail(page_with(tmp_path, picture))


def app_of(page):
    """Sphinx while it reads a page."""
    env = SimpleNamespace(docname="one", doc2path=lambda _page: str(page))
    return SimpleNamespace(env=env)


def test_the_key_figure_rises_below_the_title(tmp_path):
    page = page_with(tmp_path, {"data": [], "layout": {}}, name="hero")
    page.with_suffix(".json").write_text("{}")
    app = app_of(page)
    for shown in (True, False):  # its cell may be left out of the page
        doctree = nodes.section("", nodes.title("", "One"), nodes.paragraph("", "text"))
        if shown:
            cell = nodes.container(cell_metadata={"name": "hero"})
            cell += nodes.figure("", nodes.caption("", "told"))
            doctree += cell
        outcomes.raise_key_figure(app, doctree)
        kinds = [type(child) for child in doctree.children]
        assert kinds[:2] == [nodes.title, nodes.figure if shown else nodes.raw]
        assert len(list(doctree.findall(nodes.figure))) == shown
        assert (outcomes.MOVED in doctree.astext()) == shown
    assert find_figure(page, "other") is None


def test_a_key_figure_whose_cell_is_left_out_keeps_its_caption(tmp_path):
    page = page_with(tmp_path, {"data": [], "layout": {}}, name="hero", caption="Is a < b?")
    page.with_suffix(".json").write_text("{}")
    doctree = nodes.section("", nodes.title("", "One"))
    outcomes.raise_key_figure(app_of(page), doctree)
    assert ">Is a &lt; b?</span>" in doctree.children[1].astext()


@pytest.mark.parametrize(
    ("pasted", "shown"), [("-0.25", "−0.25"), ("-0.00", "0.00"), ("0.5", "0.5"), ("-s1", "-s1")]
)
def test_numbers_of_the_prose_have_a_minus_as_in_tables(pasted, shown):
    page = nodes.paragraph("", "by ", nodes.inline("", pasted, classes=["pasted-text"]))
    set_minus(None, page, "one")
    assert page.astext() == f"by {shown}"


def test_the_first_picture_shows_what_it_says(repository):
    recorded = json.loads((repository / RECORDED).read_text())
    mixed, apart = recorded["panels"]
    assert mixed["index"] < 20 < 500 < apart["index"]
    assert [len(cloud) for cloud in apart["clouds"]] == [100, 100, 100]
