"""The command `srlab faig`: what it writes, and an answer to every bad input."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pyarrow import parquet
from safetensors.torch import load_file, save_file
from torch import nn

from srlab import cli
from srlab.checkpoints.files import Provenance, load_checkpoint, save_checkpoint
from srlab.models import build
from srlab.pages.filter_analysis import parse_degradations, slug

# Small untrained networks are rough; how exact their maps are is told elsewhere.
pytestmark = pytest.mark.filterwarnings("ignore::srlab.attribution.integral.InexactWarning")


NETWORK = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, channels=4):
        super().__init__()
        self.head = nn.Conv2d(3, channels, 3, padding=1)
        self.tail = nn.Sequential(nn.Tanh(), nn.Conv2d(channels, 12, 1), nn.PixelShuffle(2))
    def forward(self, lr): return self.tail(self.head(lr))

class Noisy(Net):
    def forward(self, lr): return super().forward(lr) + 0.1 * torch.randn(1, 3, 1, 1)

class Only16(Net):
    def forward(self, lr):
        if lr.shape[-2:] != (16, 16): raise RuntimeError("windows do not fit")
        return super().forward(lr)
"""
TINY = {"scale": 2, "channels": 4, "num_blocks": 1}
FILTERS = 4 * 3 + 12 * 4


def weights(model: nn.Module, seed: int) -> dict[str, torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(own.shape, generator=rng) / 4 for name, own in model.state_dict().items()
    }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    Path("nets.py").write_text(NETWORK)
    Path("photos").mkdir()
    Path("empty").mkdir()
    Path("file").touch()
    pixels = np.random.default_rng(0).integers(0, 255, (40, 70, 3), dtype=np.uint8)
    Image.fromarray(pixels).save("photos/<b>.png")
    from nets import Net

    for name, seed in (("a", 0), ("b", 1)):
        save_file(weights(Net(), seed), f"{name}.safetensors")
        story = Provenance(name, "srresnet", TINY)
        save_checkpoint(f"own-{name}.safetensors", weights(build("srresnet", **TINY), seed), story)
    save_file(weights(Net(channels=5), 0), "wide.safetensors")
    yield tmp_path
    sys.modules.pop("nets", None)


def call(*options: str, network: str = "nets:Net") -> int:
    given = {
        "--network": network,
        "--baseline": "a.safetensors",
        "--target": "b.safetensors",
        "--degradations": "blur:2,noise:0.1",
        "--images": "photos",
        "--windows": "2",
        "--size": "32",
        "--steps": "2",
        "--fraction": "0.1",
    }
    given |= dict(zip(options[::2], options[1::2], strict=True))
    words = [word for pair in given.items() if pair[1] for word in pair]
    with pytest.raises(SystemExit) as done:
        cli.main(["faig", "--device", "cpu", *words])
    return int(done.value.code or 0)


@pytest.mark.usefixtures("folder")
def test_it_writes_scores_networks_and_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert not call("--degradations", "blur:2,noise:25.5/255,jpeg:30", "--out", "made/here")
    told = capsys.readouterr()
    assert f"6 of {FILTERS} filters (10.00%)" in told.out
    assert "open made/here/report.html" in told.out
    assert "attributing JPEG 30" in told.err
    table = parquet.read_table("made/here/scores.parquet")
    assert json.loads(table.schema.metadata[b"srlab"])["Settings"]["steps"] == "2, midpoints"
    columns = {name: np.array(table[name].to_pylist()) for name in table.column_names}
    assert len(table) == 3 * FILTERS
    assert set(columns["degradation"]) == {"blur 2", "noise 25.5/255", "JPEG 30"}
    assert list(dict.fromkeys(columns["convolution"])) == ["head", "tail.1"]
    noise = columns["degradation"] == "noise 25.5/255"
    assert columns["chosen"][noise].sum() == 6
    worst = columns["discriminative_score"][noise & columns["chosen"]].min()
    assert worst > columns["discriminative_score"][noise & ~columns["chosen"]].max()
    masked = load_file("made/here/without-noise-25.5-255.safetensors")
    before, after = load_file("a.safetensors"), load_file("b.safetensors")
    for index in np.flatnonzero(noise):
        key = f"{columns['convolution'][index]}.weight"
        place = columns["out"][index], columns["in"][index]
        source = before if columns["chosen"][index] else after
        assert torch.equal(masked[key][place], source[key][place])
    assert torch.equal(masked["head.bias"], after["head.bias"])
    page = Path("made/here/report.html").read_text("utf-8")
    assert not re.search(r"""(?:src|href)=["'](?!data:)|url\((?!#|data:)|https?://""", page)
    assert "1: &lt;b&gt;.png" in page
    assert "<b>" not in page
    pictures = 2 * 4 * 7  # windows × inputs × (input, target, three masked, baseline, original)
    assert page.count("<img src='data:image/") == pictures
    assert page.count("class=own") == 3


@pytest.mark.usefixtures("folder")
def test_own_checkpoints_need_no_model_and_stay_checkpoints() -> None:
    own = {"--baseline": "own-a.safetensors", "--target": "own-b.safetensors"}
    assert not call(*(word for pair in own.items() for word in pair), network="")
    model, provenance = load_checkpoint("filters/without-blur-2.safetensors")
    assert provenance.name == "b without blur 2"
    assert model(torch.rand(1, 3, 8, 8)).shape == (1, 3, 16, 16)


@pytest.mark.usefixtures("folder")
def test_a_network_of_one_size_is_tried_on_the_windows_that_were_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """×2, 16 LR pixels: not 32, nor a quarter of the window's."""
    assert not call("--size", "32", "--windows", "1", "--network", "nets:Only16")
    assert call("--size", "40", "--windows", "1", "--network", "nets:Only16") == 1
    assert "windows do not fit" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_what_is_doubtful_about_a_network_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert not call("--network", "nets:Noisy")
    assert "not deterministic" in capsys.readouterr().out
    assert "not deterministic" in Path("filters/report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--network", ""], "need their network, --network package.module:factory"),
        (["--network", "nets:Net,weights=a.safetensors"], "name the network alone"),
        (["--network", "nets:Net(channels=5)"], "a.safetensors: the weights do not fit Net"),
        (["--target", "wide.safetensors"], "wide.safetensors: the weights do not fit Net"),
        (["--target", "absent.pth"], "no weights file at absent.pth"),
        (["--target", "a.safetensors"], "identical"),
        (["--degradations", "blur:2"], "name two that differ"),
        (["--degradations", "blur:2,blur:2.0"], "name two that differ"),
        (["--degradations", "blur:2,fog:1"], "cannot read the degradation 'fog:1'"),
        (["--degradations", "blur:2,jpeg:30.5"], "cannot read the degradation 'jpeg:30.5'"),
        (["--degradations", "blur:2,noise:1/0"], "cannot read the degradation 'noise:1/0'"),
        (["--degradations", "blur:2,noise:25"], "write 25/255"),
        (["--degradations", "blur:2,jpeg:0"], "between 1 and 100"),
        (["--resampling", "nearest"], '"bicubic" or "bilinear"'),
        (["--images", "absent"], "neither a folder nor an image set"),
        (["--images", "empty"], "no picture in 'empty'"),
        (["--windows", "9"], "hold 2; ask for fewer"),
        (["--windows", "0"], "0 windows"),
        (["--size", "64"], "ask for fewer or smaller ones"),
        (["--fraction", "1.5"], "fraction lies in (0, 1]"),
        (["--steps", "0"], "at least 1 step"),
        (["--out", "file"], "file is a file; name a folder"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_bad_input_gets_one_message_that_says_what_to_do(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*options) == 1
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert words in told
    assert not Path("filters/report.html").exists()


def test_degradations_are_read_after_the_clean_one() -> None:
    found = parse_degradations("jpeg:30, noise:51/255", 2, "bicubic")
    assert list(found) == ["clean", "JPEG 30", "noise 51/255"]
    assert found["noise 51/255"].noise_sigma == pytest.approx(0.2)
    assert {own.scale for own in found.values()} == {2}
    assert {own.resampling for own in found.values()} == {"bicubic"}


def test_names_become_file_names() -> None:
    assert slug("without noise 25.5/255") == "without-noise-25.5-255"
