"""One line of text names any network and what belongs to it."""

import sys
import types
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from srlab.checkpoints.files import Provenance, load_checkpoint, save_checkpoint
from srlab.checkpoints.load import NetworkSpec, load, parse_spec, parse_specs
from srlab.models import build
from srlab.networks.foreign import NetworkError
from srlab.networks.state_dicts import CheckpointError

SOURCE = """
from torch import nn
from torch.nn import functional as F

class Net(nn.Module):
    def __init__(self, channels=4, words=()):
        super().__init__()
        self.conv, self.words = nn.Conv2d(3, channels, 1), words

    def forward(self, lr): return lr.mean(), F.interpolate(lr, scale_factor=2) + 8
"""
TINY = {"scale": 2, "channels": 4, "num_blocks": 1}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "loaded", raising=False)
    Path("loaded.py").write_text(SOURCE)
    weights = {"conv.weight": torch.ones(4, 3, 1, 1), "conv.bias": torch.zeros(4)}
    for name in ("mine.pth", "two, three (4.pth"):
        torch.save(weights, name)
    story = Provenance("own", "srresnet", TINY)
    save_checkpoint("own.safetensors", build("srresnet", **TINY).state_dict(), story)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("edsr", NetworkSpec("edsr")),
        ("official:imdn", NetworkSpec("official:imdn")),
        ("official:dasr, weights=mine.pth", NetworkSpec("official:dasr", Path("mine.pth"))),
        ("a.b:C(64, x=[1, 2])", NetworkSpec("a.b:C(64, x=[1, 2])")),
        ("a:B('x,y)'),output=1", NetworkSpec("a:B('x,y)')", output="1")),
        ("../f/a:B(64),range=255,multiple=8", NetworkSpec("../f/a:B(64)", None, (0, 255), 8)),
        ("a:B,range=[-1,1]", NetworkSpec("a:B", value_range=(-1, 1))),
        ("a:B , range = (-0.5, 0.5)", NetworkSpec("a:B", value_range=(-0.5, 0.5))),
        ("a:B,weights='two, three (4.pth'", NetworkSpec("a:B", Path("two, three (4.pth"))),
        ("two, three (4.pth", NetworkSpec("two, three (4.pth")),
    ],
)
def test_a_line_is_read_without_running_anything(text: str, spec: NetworkSpec) -> None:
    assert parse_spec(text) == spec


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "names no network; it comes first"),
        (",range=255", "names no network"),
        (
            "a:B,wieghts=mine.pth",
            "'wieghts=mine.pth' .* settings are weights, range, multiple, out",
        ),
        ("a:B,range=-1,1", "cannot read '1' .* in brackets or quotes"),
        ("a:B,range=255,range=1", "range is given twice"),
        ("a:B,range=byte", r"as in 255 or \[-1,1\]; got 'byte'"),
        ("a:B,range=[2,1]", "upper end or both"),
        ("a:B,range=[1,2,3]", "upper end or both"),
        ("a:B,range='x'", "upper end or both"),
        ("a:B,multiple=x", "multiple takes a whole number of at least 1, got 'x'"),
        ("a:B,multiple=0", "at least 1"),
        ("a:B,weights=absent.pth", "no weights file at absent.pth"),
        ("a:B(64,weights=mine.pth", r"'\)' is missing at the end"),
        ("a:B(64],x", "']' closes no bracket"),
        ("a:B),x", r"'\)' closes no bracket"),
        ("a:B,weights='mine.pth", '"\'" is missing at the end'),
    ],
)
def test_what_cannot_be_read_is_answered(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_spec(text)


def test_networks_keep_their_order_and_twins_are_numbered() -> None:
    named = parse_specs(["a:B,weights=mine.pth", "edsr", "edsr,multiple=2"])
    assert list(named) == ["a:B mine.pth", "edsr", "edsr (2)"]
    assert named["edsr (2)"].multiple == 2


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_network_of_the_readers_is_given_its_weights(suffix: str) -> None:
    """Out of the envelope and the prefix in which its training left them."""
    weights = {f"module.{name}": own for name, own in load("loaded:Net").state_dict().items()}
    file = f"net{suffix}"
    if suffix == ".pth":
        torch.save({"params_ema": weights}, file)
    else:
        save_file(weights, file)
    for network in (load(f"loaded:Net(4),weights={file}"), load("loaded:Net", weights=file)):
        assert torch.equal(network.conv.weight, weights["module.conv.weight"])
        assert not network.training
    with pytest.raises(CheckpointError, match=r"do not fit Net: .*conv\.weight: file"):
        load(f"loaded:Net(5),weights={file}")


def test_settings_are_done_around_the_network() -> None:
    """Fed [0, 1] and odd sizes, it answers with the image alone."""
    lr = torch.rand(1, 3, 9, 11, generator=torch.Generator().manual_seed(0))
    network = load("loaded:Net,range=255,multiple=4,output=1")
    torch.testing.assert_close(network(lr), nn.functional.interpolate(lr, scale_factor=2) + 8 / 255)
    assert not network.training


def test_checkpoints_are_loaded_by_name_and_by_file() -> None:
    shipped = load_checkpoint("srcnn-3")[0]
    for network, expected in [
        (load("srcnn-3"), shipped),
        (load(Path("own.safetensors")), load_checkpoint("own.safetensors")[0]),
    ]:
        assert type(network) is type(expected)
        for name, weights in expected.state_dict().items():
            assert torch.equal(network.state_dict()[name], weights)


def test_a_file_of_others_goes_to_spandrel(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = nn.Conv2d(3, 3, 1)

    class Loader:
        def __init__(self, device: str) -> None: ...
        def load_from_file(self, path: str) -> object:
            return types.SimpleNamespace(model=inner, path=path)

    monkeypatch.setitem(sys.modules, "spandrel", types.SimpleNamespace(ModelLoader=Loader))
    assert load("mine.pth") is inner


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("absent", "no network 'absent': not a file, .* shipped .*edsr"),
        ("absent.pth", "no network 'absent.pth': not a file"),
        ("edsr,weights=mine.pth", "edsr brings its own weights"),
        ("own.safetensors,weights=mine.pth", "brings its own weights"),
        ("official:absent", "no published network 'absent'"),
    ],
)
def test_what_cannot_be_loaded_is_answered(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        load(text)
    with pytest.raises(NetworkError, match="two files of weights"):
        load("loaded:Net,weights=mine.pth", weights="mine.pth")
