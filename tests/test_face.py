"""The face: few names, loaded when they are used, and all of them explained."""

import doctest
import importlib
import inspect
import os
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


CORE = "torch numpy scipy pillow scikit-image scikit-learn safetensors lazy-loader threadpoolctl"
PROGRAM = """
import sys
from importlib.metadata import packages_distributions, requires
from packaging.requirements import Requirement

def closure(names, seen):
    for name in names:
        if name not in seen:
            seen.add(name)
            lines = [Requirement(line) for line in requires(name) or []]
            here = [r for r in lines if not r.marker or r.marker.evaluate({"extra": ""})]
            closure([r.name.lower().replace("_", "-") for r in here], seen)
    return seen

CORE = closure(sys.argv[1].split(), set())
OWNERS = {
    name: {owner.lower().replace("_", "-") for owner in owners}
    for name, owners in packages_distributions().items()
}

class Block:
    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        if top != "srlab" and top in OWNERS and not OWNERS[top] & CORE:
            raise ModuleNotFoundError(f"No module named {name!r}", name=top)

for name in [name for name in sys.modules if name.split(".")[0] in OWNERS]:
    del sys.modules[name]
sys.meta_path.insert(0, Block())

import torch, srlab

net = torch.nn.Sequential(
    torch.nn.Conv2d(3, 12, 3, padding=1), torch.nn.PixelShuffle(2), torch.nn.Conv2d(3, 3, 1)
)
hr = srlab.load_images("photographs", limit=1)["astronaut"][:, :64, :64]
lr = srlab.Degradation(scale=2)(hr)
m = srlab.lam(net, lr, srlab.patch(24, 24, 16), path=srlab.deblur(steps=4))
m.save("map.html")
m.save("map.npz")
before = net.state_dict()
after = {name: own * 1.1 for name, own in before.items()}
f = srlab.faig(net, before, after, lr[None], hr[None])
f.top(0.01)
kinds = {"clean": srlab.Degradation(scale=2), "blur": srlab.Degradation(scale=2, blur_sigma=2)}
w = srlab.windows({"astronaut": hr}, kinds, count=4, size=32)
x = srlab.features(net, w.stacked, ["1"])
for method, settings in (("tsne", {"perplexity": 3}), ("pca", {})):
    print(srlab.separability(srlab.embed(x["1"], method=method, **settings), w.kind_labels).index)
print(type(srlab.load("fsrcnn")).__name__)
for call in (
    lambda: srlab.embed(x["1"], method="umap"),
    lambda: srlab.load_images("set5"),
    lambda: __import__("srlab.figures.maps"),
    lambda: __import__("srlab.explorers.lam"),
    lambda: __import__("srlab.training.processes", fromlist=["*"]).on_device("cpu"),
    lambda: __import__("srlab.cli"),
):
    try:
        call()
    except ModuleNotFoundError as error:
        print(error)
"""


def test_the_core_dependencies_are_enough(tmp_path):
    """And what needs an extra says which."""
    environment = {**os.environ, "SRLAB_DATA": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, CORE],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    *_, network, umap, data, figures, explorers, train, cli = ran.stdout.splitlines()
    assert network == "FSRCNN"
    told = {"umap": umap, "data": data, "figures": figures, "train": train, "cli": cli}
    for extra, line in told.items():
        assert line.endswith(f"pip install 'srlab[{extra}]'"), line
    assert explorers.endswith("'srlab[figures]'")
