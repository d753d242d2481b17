import json
import math
import shutil
import subprocess
from base64 import b64encode
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest

from bench.pages import GLUE, PLOTLY, RECORD, differences, drawn, equal, read_page
from bench.same import same

FINDING = {
    "finding": "lam/toy",
    "claim": "two are more than one",
    "source": "LAM, Sec. 1",
    "criterion": "ratio above 1",
    "verdict": "reproduced",
    "checks": {"ratio above 1": True, "in every seed": True},
    "measured": {"ratio": 2.0, "error": 0.0},
    "interval": {"ratio": [1.5, 2.5]},
    "paper": {"ratio": "about 2"},
    "image_set": "photographs",
    "parameters": {"steps": 4},
    "checkpoints": ["edsr"],
}
FIGURE = {"data": [{"x": ["a", "b"], "y": [1.0, -2.0]}], "layout": {}}


def cell(source="", *, outputs=(), **metadata):
    outputs = [{"data": data, "metadata": extra} for data, extra in outputs]
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": outputs}


def toy():
    """An executed notebook with a parameter replaced, a figure, a glued number and a record."""
    title = {"cell_type": "markdown", "source": "(toy)=\n# Two are more\n\nText.", "metadata": {}}
    caption = {"figure": {"name": "fig-toy", "caption": "Look up."}}
    glue = ({GLUE: "np.float64(2.0)"}, {"scrapbook": {"name": "toy_ratio"}})
    return {
        "cells": [
            title,
            cell("steps = 16\nseed = 0", tags=["parameters"]),
            cell("steps = 4", tags=["injected-parameters"]),
            cell("curves(…)", mystnb=caption, outputs=[({PLOTLY: FIGURE}, {})]),
            cell("glue(…)", outputs=[glue]),
            cell("record(…)", outputs=[({RECORD: FINDING}, {})]),
        ],
        "metadata": {"widgets": {"mime": {"state": {"1": explorer("edsr")}}}},
    }


def explorer(network):
    state = {"_esm": "export default {}", "layout": "IPY_MODEL_2", "network": network}
    buffers = [{"path": ["maps"], "data": "AAAA"}]
    return {"model_name": "AnyModel", "state": state, "buffers": buffers}


def found(changed, folder):
    """Differences of the toy and a changed toy, both through files."""
    pages = []
    for name, notebook in (("old", toy()), ("new", changed)):
        path = folder / f"{name}.ipynb"
        path.write_text(json.dumps(notebook))
        pages.append(read_page(path))
    return differences(*pages)


def test_a_page_is_read_in_parts(tmp_path):
    (tmp_path / "toy.ipynb").write_text(json.dumps(toy()))
    page = read_page(tmp_path / "toy.ipynb")
    assert list(page["titles"]) == ["(toy)=", "# Two are more"]
    assert page["measurements"] == {
        "ratio": 2.0,
        "error": 0.0,
        "ratio, from": 1.5,
        "ratio, to": 2.5,
    }
    assert page["parameters"]["steps"] == page["parameters"]["recorded steps"] == 4
    assert page["parameters"]["seed"] == 0
    assert page["figures"] == {"fig-toy": "Look up.", "drawn in fig-toy": [[2, 3.0]]}
    assert page["explorers"] == {"network": "edsr", "maps": "AAAA"}
    assert page["glue"] == {"toy_ratio": 2.0}


def test_equal_pages_have_no_differences(tmp_path):
    assert found(toy(), tmp_path) == []


def test_a_number_may_move_by_a_millionth(tmp_path):
    changed = toy()
    record = changed["cells"][-1]["outputs"][0]["data"][RECORD] = deepcopy(FINDING)
    record["measured"]["ratio"] = 2 * (1 + 5e-7)
    assert found(changed, tmp_path) == []
    record["measured"]["ratio"] = 2 * (1 + 2e-6)
    assert found(changed, tmp_path) == [("measurements", "ratio: 2.0 → 2.000004")]
    record["measured"] = {"ratio": 2.0, "error": 1e-9}
    assert found(changed, tmp_path) == [("measurements", "error: 0.0 → 1e-09")]


@pytest.mark.parametrize(
    ("part", "change", "line"),
    [
        ("checks", {"checks": {"ratio above 1": True}}, "in every seed: only in OLD"),
        (
            "checks",
            {"checks": FINDING["checks"] | {"ratio above 1": False}},
            "ratio above 1: held → failed",
        ),
        (
            "measurements",
            {"measured": FINDING["measured"] | {"gain": 1.0}},
            "gain: only in NEW",
        ),
        ("parameters", {"parameters": {"steps": 8}}, "recorded steps: 4 → 8"),
        ("parameters", {"checkpoints": []}, "checkpoints: ['edsr'] → []"),
        ("claim", {"verdict": "partly"}, "verdict: reproduced → mixed"),
    ],
)
def test_what_differs_in_a_record_is_named(part, change, line, tmp_path):
    changed = toy()
    changed["cells"][-1]["outputs"][0]["data"][RECORD] = FINDING | change
    assert found(changed, tmp_path) == [(part, line)]


def test_figures_explorers_and_glue_count(tmp_path):
    changed = toy()
    del changed["cells"][3]
    lines = [("figures", f"{name}: only in OLD") for name in ("fig-toy", "drawn in fig-toy")]
    assert found(changed, tmp_path) == lines
    changed = toy()
    moved = FIGURE | {"data": [{"x": ["a", "b"], "y": [1.0, -2.1]}]}
    changed["cells"][3]["outputs"][0]["data"][PLOTLY] = moved
    assert found(changed, tmp_path) == [("figures", "drawn in fig-toy: [[2, 3.0]] → [[2, 3.1]]")]
    changed = toy()
    changed["metadata"]["widgets"]["mime"]["state"]["1"] = explorer("rcan")
    assert found(changed, tmp_path) == [("explorers", "network: edsr → rcan")]
    changed = toy()
    changed["cells"][4]["outputs"][0]["data"][GLUE] = "2.5"
    assert found(changed, tmp_path) == [("glue", "toy_ratio: 2.0 → 2.5")]


def test_drawn_reads_every_form_that_plotly_writes():
    binary = {"dtype": "f4", "bdata": b64encode(np.float32([1, -2, np.nan]).tobytes()).decode()}
    bytes_ = {
        "dtype": "i1",
        "bdata": b64encode(np.int8([-128]).tobytes()).decode(),
        "shape": "1, 1",
    }
    nested = {"data": [{"z": [[1, 2], [None, 3]], "x": ["left"], "y": binary}, {"z": bytes_}]}
    assert drawn(nested) == [7, 6 + 3 + 128]
    assert drawn({"data": [], "frames": [{"data": [{"x": [4]}]}]}) == [1, 4.0]


def test_values_of_another_kind_are_not_equal():
    assert equal([1, {"a": (2.0, None)}], [1.0, {"a": [2, None]}])
    assert equal(math.nan, math.nan)
    assert not equal([1], [1, 2])
    assert not equal({"a": 1}, {"b": 1})
    assert not equal("1", 1)


TOY_COMMAND = """
import json, os, sys
from pathlib import Path


def main():
    assert os.environ["PYTHONPATH"] == os.getcwd()  # what the notebooks' kernels import
    assert os.environ["OMP_NUM_THREADS"] == "1"
    _, run, *names = [word for word in sys.argv if not word.startswith("--")]
    assert run == "run" and "--quick" in sys.argv
    for name in names:
        source = Path("notebooks", f"{name}.py").read_text()
        if "stop" in source:
            sys.exit(f"{name} stopped")
        page = Path("book/findings", f"{name}.ipynb")
        page.parent.mkdir(parents=True, exist_ok=True)
        cell = {"cell_type": "code", "source": source, "metadata": {"tags": ["parameters"]}}
        page.write_text(json.dumps({"cells": [cell], "metadata": {}}))
        with open("ran.txt", "a") as file:
            print(name, file=file)
"""


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Path:
    """A repository with two notebooks and a command that runs them; the working folder."""
    files = {
        "_toc.yml": "",
        ".gitignore": "book/findings/\nruns/\n",
        "pyproject.toml": '[project.scripts]\nsrlab = "srlab.command:main"\n',
        "srlab/__init__.py": "",
        "srlab/command.py": TOY_COMMAND,
        "notebooks/ddr/one.py": "steps = 1",
        "notebooks/lam/two.py": "steps = 2",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GIT_DIR", raising=False)
    git("init", "--quiet")
    commit()
    return tmp_path


def git(*words):
    return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout


def commit():
    git("add", "--all")
    git("-c", "user.name=srlab", "-c", "user.email=srlab@localhost", "commit", "-qm", "A state")


@pytest.mark.usefixtures("checkout")
def test_a_commit_equals_itself_and_nothing_is_left(capsys):
    assert same(["HEAD", "HEAD"]) == 0
    assert capsys.readouterr().out.endswith(
        "ddr/one  equal\nlam/two  equal\n2 notebooks: 2 equal, 0 differ\n"
    )
    assert git("status", "--porcelain", "--ignored") == ""


def test_what_is_not_committed_is_compared_too(checkout, capsys):
    (checkout / "notebooks/ddr/one.py").write_text("steps = 3")
    (checkout / "notebooks/new.py").write_text("steps = 4")
    assert same(["HEAD", str(checkout)]) == 1
    told = capsys.readouterr().out
    assert "ddr/one  differs\n    parameters: steps: 1 → 3\n" in told
    assert "new  differs\n    page: missing in OLD\n" in told
    assert told.endswith("3 notebooks: 1 equal, 2 differ\n")
    assert git("diff", "--cached", "--name-only") == ""  # the index is as it was
    assert same(["HEAD", ".", "--only", "lam"]) == 0
    assert same(["HEAD", ".", "--only", "ddr", "--skip", "parameters", "glue"]) == 0


def test_a_notebook_that_stops_does_not_keep_the_others_from_running(checkout, capsys):
    (checkout / "notebooks/ddr/one.py").write_text("stop = True")
    assert same(["HEAD", "."]) == 1
    told = capsys.readouterr().out
    assert "ddr/one  differs\n    page: missing in NEW\n" in told
    assert "lam/two  equal" in told


def test_the_run_of_old_is_kept_on_demand(checkout):
    same(["HEAD", ".", "--keep", "--only", "ddr/one"])
    (kept,) = (checkout / "runs/same").iterdir()
    assert kept.name == git("rev-parse", "HEAD^{tree}").strip()
    assert (kept / "book/findings/ddr/one.ipynb").is_file()
    same(["HEAD", ".", "--keep"])  # in the same place, where srlab finds what has run
    assert (kept / "ran.txt").read_text().split() == ["ddr/one", "ddr/one", "lam/two"]


def test_what_is_not_there_is_refused(checkout):
    with pytest.raises(SystemExit, match="none: no commit or checkout"):
        same(["none", "HEAD"])
    with pytest.raises(SystemExit, match="neither OLD nor NEW has a notebook ddr/on"):
        same(["HEAD", "HEAD", "--only", "ddr/on"])
    shutil.rmtree(checkout / "notebooks")
    commit()
    assert same(["HEAD~1", "HEAD", "--only", "ddr/one"]) == 1
