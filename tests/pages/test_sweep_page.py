"""The table and the page of a sweep."""

import fsspec
import pyarrow as pa
import pytest
from pyarrow import parquet

from srlab.pages.sweep import PAGE, TABLE, results_page, write_results
from srlab.studies.ddr import RECORDED
from srlab.studies.sweeps import (
    effects_figure,
    outcome_words,
    read_results,
    result_rows,
    varied,
)


def outcome(seed: int, **changed):
    record = {
        "verdict": "mixed",
        "checks": {"a": "held", "b": "failed"},
        "measured": {"gain": 2.0 + seed, "loss": 1.0},
        "interval": {"gain": (1.0, 4.0)},
    }
    made = {"seconds": 2.5, "memory": 2**30, "date": "2026-01-01", "hardware": "abacus"}
    point = {"finding": "a/one", "choice": {"seeds": [seed], "set": "b100"}}
    return {**point, **made, "state": "done", "error": None, "record": record, **changed}


FAILED = outcome(2, state="failed", error="stopped in <cell>:\n  1 / 0", record=None)


def test_each_measurement_of_each_point_is_a_row():
    rows = result_rows([outcome(0), outcome(1), FAILED])
    assert [(row["point"], row["measure"], row["value"]) for row in rows] == [
        ("[0] · b100", "gain", 2.0),
        ("[0] · b100", "loss", 1.0),
        ("[1] · b100", "gain", 3.0),
        ("[1] · b100", "loss", 1.0),
        ("[2] · b100", None, None),
    ]
    assert [(row["low"], row["high"]) for row in rows[:2]] == [(1.0, 4.0), (1.0, 1.0)]
    assert {(row["held"], row["checks"]) for row in rows[:4]} == {(1, 2)}
    assert varied(rows) == "seeds · set"
    assert [outcome_words(row) for row in rows] == ["◐ mixed"] * 4 + ["failed"]


@pytest.mark.parametrize("outcomes", [[outcome(0), FAILED], []])
def test_a_table_read_is_the_table_written_at_any_address(outcomes):
    write_results("memory://study", outcomes)
    rows = result_rows(outcomes)
    assert read_results(f"memory://study/{TABLE}") == rows
    with fsspec.open(f"memory://study/{PAGE}", "rt", encoding="utf-8") as page:
        assert "http" not in page.read().partition("<main>")[0]


@pytest.mark.parametrize("content", [b"", b"<html>", b"PAR1"])
def test_what_is_no_table_is_named(tmp_path, content):
    (tmp_path / TABLE).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{TABLE} is damaged or no Parquet table"):
        read_results(tmp_path / TABLE)


def test_a_table_of_something_else_is_named(tmp_path):
    parquet.write_table(pa.table({"finding": ["a/one"], "price": [3]}), tmp_path / TABLE)
    with pytest.raises(ValueError, match=rf"{TABLE} is no table of a sweep: it lacks point, state"):
        read_results(tmp_path / TABLE)


def test_the_page_tells_every_point_and_stays_html():
    page = results_page(result_rows([outcome(0), FAILED, outcome(0, finding="b/two")]))
    assert "3 points: 2 ◐ mixed, 1 failed" in page
    assert page.count('class="plotly-graph-div"') == 2
    assert "stopped in &lt;cell&gt;:<br>  1 / 0" in page
    assert "No point has finished." in results_page([])


def test_a_figure_shows_the_measures_that_are_asked_for():
    rows = result_rows([outcome(0), outcome(1)])
    assert {len(trace.x) for trace in effects_figure(rows, ["loss"]).data} == {2}
    assert len(effects_figure(rows).data) == 2  # a panel each for gain and loss


def test_the_recorded_sweep_is_the_whole_grid_and_says_where_it_was_made():
    rows = read_results(RECORDED)
    points = {row["point"]: row for row in rows}
    assert varied(rows) == "training_seeds · image_set · projection"
    assert len(points) == 2 * 3 * 2
    assert {row["state"] for row in rows} == {"done"}
    assert all(row["hardware"] and row["date"] and row["versions"] for row in points.values())
