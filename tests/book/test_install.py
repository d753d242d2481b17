"""Every twin's first code cell brings srlab where srlab is not."""

import json
import subprocess
import sys
from urllib.parse import quote

import nbformat
import pytest

from srlab.book.install import INSTALL as CODE
from srlab.book.project import find_notebooks

# An interpreter without srlab and without any other package: it serves as Colab's own server, runs
# cells from a folder, and tells what they would have installed and how they failed.
STRANGER = """
import contextlib, http.server, json, os, subprocess, sys, threading, types

class Sessions(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/api/sessions" else 404)
        self.end_headers()
        self.wfile.write(json.dumps([{"path": told["opened"]}]).encode())

    def log_message(self, *_):
        pass

told = json.load(sys.stdin)
os.chdir(told["folder"])
seen = []
if told["opened"]:
    server = http.server.HTTPServer(("localhost", 0), Sessions)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ.update(COLAB_JUPYTER_IP="localhost", KMP_TARGET_PORT=str(server.server_port))
    sys.modules["google.colab"] = types.ModuleType("google.colab")
subprocess.run = lambda command, check: seen.append(command)
answers = []
for cell in told["cells"]:
    seen.clear()
    try:
        exec(cell, {})
    except Exception as error:
        seen.append(f"{type(error).__name__}: {error}")
    answers.append(list(seen))
print(json.dumps(answers))
"""


def seen_by_a_stranger(folder, *cells, opened=""):
    """For each cell what it installed and raised, in a Python that has no packages."""
    told = json.dumps({"folder": str(folder), "cells": cells, "opened": opened})
    command = [sys.executable, "-I", "-S", "-c", STRANGER]
    ran = subprocess.run(command, input=told, capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)


def pip(*sources):
    return [sys.executable, "-m", "pip", "install", "-q", *sources]


def test_colab_installs_from_where_it_opened_each_notebook(repository, tmp_path):
    notebooks = find_notebooks(repository)
    cells = []
    for notebook in notebooks:
        title, cell, *_ = nbformat.read(notebook.twin, as_version=4).cells
        assert title.cell_type == "markdown"
        assert cell.metadata.tags == ["remove-cell"]  # no reader of the book sees it
        cells.append(cell.source)
    address = "fileId=https%3A//github.com/someone/sr-lab/blob/main/notebooks/ddr/one.ipynb"
    wanted = "srlab[notebooks] @ git+https://github.com/someone/sr-lab@main"
    answers = seen_by_a_stranger(tmp_path, *cells, opened=address)
    assert answers == [[pip(wanted)]] * len(notebooks)


@pytest.mark.parametrize("safe", ["/", ":/", ""])
def test_a_branch_may_have_a_slash(tmp_path, safe):
    address = quote("https://github.com/a/b/blob/fix/it/notebooks/lam/two.ipynb", safe=safe)
    (answer,) = seen_by_a_stranger(tmp_path, CODE, opened=f"fileId={address}")
    assert answer[0] == pip("srlab[notebooks] @ git+https://github.com/a/b@fix/it")


@pytest.mark.parametrize("opened", ["", "https://github.com/a/b/blob/main/notebooks/c.ipynb"])
def test_a_clone_installs_itself_and_can_be_used_at_once(repository, opened):
    cell = f"{CODE}\nraise LookupError(sys.path[-1])"
    (answer,) = seen_by_a_stranger(repository / "notebooks" / "ddr", cell, opened=opened)
    assert answer[0] == pip(f"-e{repository}[notebooks]")
    assert answer[-1] == f"LookupError: {repository}"


@pytest.mark.parametrize("opened", ["", "fileId=1abcDriveHasNoAddress"])
def test_elsewhere_it_says_what_to_do(tmp_path, opened):
    (answer,) = seen_by_a_stranger(tmp_path, CODE, opened=opened)
    assert len(answer) == 1
    assert '%pip install "srlab[notebooks] @ git+https://' in answer[0]


def test_a_folder_of_that_name_is_not_srlab(tmp_path):
    (tmp_path / "srlab").mkdir()
    cell = f"import sys\nsys.path.insert(0, '')\n{CODE}"
    (answer,) = seen_by_a_stranger(tmp_path, cell)
    assert "%pip install" in answer[0]


def test_nothing_happens_where_srlab_is(monkeypatch):
    def refuse(*_args, **_options):
        raise AssertionError("installed although srlab is there")

    monkeypatch.setattr(subprocess, "run", refuse)
    before = list(sys.path)
    exec(CODE, {})
    assert sys.path == before
