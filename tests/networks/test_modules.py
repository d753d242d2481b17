"""Two repositories whose packages have the same names, each network built of its own."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from srlab import cli
from srlab.networks.foreign import NetworkError, load_network

NET = """
from torch.nn import functional as F
from torch import nn
from utils.tools import enlarge
from models import NAME

class Net(nn.Module):
    name = NAME

    def __init__(self):
        super().__init__()
        from models.late import GAIN
        self.gain = GAIN

    def forward(self, lr):
        return enlarge(lr) * self.gain
"""
ENLARGE = """
from torch.nn import functional as F

def enlarge(lr): return F.interpolate(lr, scale_factor=2, mode="{mode}")
"""


def repository(folder: Path, gain: float, mode: str, *, regular: bool = True) -> Path:
    """With packages `models` and `utils`, or folders without __init__.py."""
    for package in ("models", "utils"):
        (folder / package).mkdir(parents=True)
    (folder / "models" / "net.py").write_text(
        NET if regular else NET.replace("from models import NAME", f"NAME = {folder.name!r}")
    )
    (folder / "models" / "late.py").write_text(f"GAIN = {gain}")
    (folder / "utils" / "tools.py").write_text(ENLARGE.format(mode=mode))
    if regular:
        (folder / "models" / "__init__.py").write_text(f"NAME = {folder.name!r}")
        (folder / "utils" / "__init__.py").touch()
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Repositories one, two and bare; we stand in a fourth, `here`."""
    before = set(sys.modules)
    here = repository(tmp_path / "here", 0.96, "nearest")
    repository(tmp_path / "one", 0.97, "bilinear")
    repository(tmp_path / "two", 0.98, "bicubic")
    repository(tmp_path / "bare", 0.99, "nearest", regular=False)
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "path", [str(here), *sys.path])
    yield here
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("models", "utils", "extra", "deep"):
            del sys.modules[name]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "order",
    [
        ("../one/", "../two/", "../one/", ""),
        ("", "../two/", ""),
        ("../bare/", "", "../bare/", "../two/"),
        ("../two/", "../bare/"),
    ],
)
def test_each_network_is_built_of_its_own_packages(order: tuple[str, ...]) -> None:
    expected = {"../one/": 0.97, "../two/": 0.98, "../bare/": 0.99, "": 0.96}
    networks = [load_network(f"{folder}models.net:Net") for folder in order]
    assert [network.gain for network in networks] == [expected[folder] for folder in order]
    assert [network.name for network in networks] == [
        folder.strip("./") or "here" for folder in order
    ]
    modes = {"../one/": "bilinear", "../two/": "bicubic"}
    lr = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    for folder, network in zip(order, networks, strict=True):
        enlarged = F.interpolate(lr, scale_factor=2, mode=modes.get(folder, "nearest"))
        torch.testing.assert_close(network(lr), expected[folder] * enlarged)
    assert not any(type(finder).__name__ == "_Finder" for finder in sys.meta_path)


def test_a_repository_inside_another_has_its_own(here: Path) -> None:
    repository(here / "inner", 0.5, "nearest")
    assert load_network("models.net:Net").gain == 0.96
    assert load_network("inner/models.net:Net").gain == 0.5
    (here / "inner" / "deep" / "archs").mkdir(parents=True)
    (here / "inner" / "deep" / "archs" / "net.py").write_text("from models.net import Net")
    assert load_network("inner/deep.archs.net:Net").gain == 0.5
    assert load_network("models.net:Net").gain == 0.96


def test_installed_packages_stay_what_they_are(here: Path) -> None:
    """A folder of downloads named like one, or of code named like ours, takes nothing away."""
    for name in ("numpy", "scipy", "srlab"):
        (here.parent / "one" / name).mkdir()
    (here.parent / "one" / "srlab" / "__init__.py").touch()
    (here.parent / "one" / "models" / "late.py").write_text(
        "import numpy, scipy.fft, extra; GAIN = numpy.float64(0.97) * scipy.fft.fft([1.0])[0].real"
    )
    (here / "extra.py").touch()
    numpy, srlab = sys.modules["numpy"], sys.modules["srlab"]
    assert load_network("../one/models.net:Net").gain == 0.97
    assert (sys.modules["numpy"], sys.modules["srlab"]) == (numpy, srlab)
    assert "srlab.networks.foreign" in sys.modules


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("../three/models.net:Net", r"no 'models' in \.\./three: the folder in front"),
        ("../one/torch.nn:Conv2d", r"no 'torch' in \.\./one"),
        ("../one/models.other:Net", "no module 'models.other'"),
        ("models.other:Net", "write that folder in front of it"),
    ],
)
def test_what_is_not_there_is_answered(address: str, says: str) -> None:
    with pytest.raises(NetworkError, match=says):
        load_network(address)


@pytest.mark.usefixtures("here")
def test_two_repositories_stand_in_one_comparison(capsys: pytest.CaptureFixture[str]) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (24, 24, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((48, 48), Image.Resampling.BICUBIC).save("lr.png")
    networks = ["../one/models.net:Net", "../two/models.net:Net", "models.net:Net"]
    options = [word for network in networks for word in ("--network", network)]
    with pytest.raises(SystemExit) as done:
        cli.main(["lam", "--image", "lr.png", "--steps", "2", "--npz", "raw.npz", *options])
    assert not done.value.code, capsys.readouterr().err
    sr = [np.load(f"raw-{number}.npz")["sr"].mean() for number in (1, 2, 3)]
    np.testing.assert_allclose(np.array(sr) / sr[0], [1, 98 / 97, 96 / 97], rtol=1e-3)
