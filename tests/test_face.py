"""The face: few names, loaded when they are used, and all of them explained."""

import doctest
import importlib
import inspect
import subprocess
import sys

import pytest
import torch

import srlab
from srlab.book.cache import face


def test_importing_srlab_loads_nothing_heavy():
    code = (
        "import sys, time; start = time.perf_counter(); import srlab; "
        "taken = time.perf_counter() - start; "
        "assert not {'torch', 'numpy', 'scipy', 'sklearn', 'plotly'} & sys.modules.keys(); "
        "print(taken); srlab.patch(0, 0); assert 'torch' in sys.modules"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert float(ran.stdout) < 0.3


def test_every_name_is_there_and_explained():
    assert set(dir(srlab)) == {name.removeprefix("srlab.") for name in face()}
    assert 20 <= len(dir(srlab)) <= 30
    for name in dir(srlab):
        assert inspect.getdoc(getattr(srlab, name)), name
        assert getattr(srlab, name).__name__ == name  # one name, here and where it is defined


def test_names_that_are_not_there_are_refused():
    with pytest.raises(AttributeError, match="sharpen"):
        _ = srlab.sharpen


@pytest.mark.parametrize("name", dir(srlab))
def test_examples_run(name):
    own = getattr(srlab, name)
    known = {**vars(srlab), **vars(importlib.import_module(own.__module__)), "torch": torch}
    torch.manual_seed(0)
    runner = doctest.DocTestRunner()
    for example in doctest.DocTestFinder(recurse=False).find(own, name, globs=known):
        runner.run(example)
    assert not runner.failures


def test_the_design_runs_as_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hr = srlab.load_images("photographs", limit=1)["astronaut"][:, :192, :192]
    small = srlab.Degradation(scale=4)(hr)
    from PIL import Image

    Image.fromarray((small * 255).round().byte().permute(1, 2, 0).numpy()).save("street.png")
    net = srlab.load("fsrcnn")
    lr = srlab.read_image("street.png")
    m = srlab.lam(net, lr, srlab.patch(96, 96, 16), path=srlab.deblur(steps=16))
    assert m.map.shape == (1, 3, 48, 48)
    assert 0 < m.diffusion_index < 100
    assert m.completeness_error < 0.05
    m.save("map.html")
    assert (tmp_path / "map.html").stat().st_size > 10_000
