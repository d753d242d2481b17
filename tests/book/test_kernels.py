"""Forked kernels: the imports are done, and nothing else is there that another kernel left."""

import multiprocessing

import pytest
from test_runner import outputs

from srlab.book.kernels import FORKS
from srlab.book.project import Notebook
from srlab.book.runner import run_notebooks

pytestmark = pytest.mark.skipif(not FORKS, reason="kernels are forked on Linux alone")

CELL = """
import beside, multiprocessing, os, sys
print("torch" in sys.modules, os.getsid(0) == os.getpid(), "LEFT" in os.environ, os.getcwd())
os.environ["LEFT"] = "here"
import torch
print(torch.get_default_dtype(), torch.initial_seed())
print(multiprocessing.get_start_method())
torch.set_default_dtype(torch.float64), torch.manual_seed(amount)
"""


def test_each_begins_alike_with_torch_in_a_session_of_its_own(
    checkout, write_notebook, monkeypatch
):
    monkeypatch.chdir(checkout)
    (checkout / "beside.py").write_text("")
    for name in "abc":
        write_notebook(name, CELL)
    runs = run_notebooks(root=checkout, workers=1, report=[].append)
    assert len(runs) == 3
    told = {name: outputs(Notebook(checkout, name).page) for name in "abc"}
    assert told["a"].startswith(f"True True False {checkout}\ntorch.float32 ")
    assert told["a"].endswith(f"\n{multiprocessing.get_start_method()}\n")
    assert told["a"] == told["b"] == told["c"]


def test_few_notebooks_start_kernels_of_their_own(checkout, write_notebook):
    for name in "ab":
        write_notebook(
            name, "import os, sys\nprint('torch' in sys.modules, os.getsid(0) == os.getpid())"
        )
    run_notebooks(root=checkout, workers=1, report=[].append)
    assert outputs(Notebook(checkout, "b").page).startswith("False True")
