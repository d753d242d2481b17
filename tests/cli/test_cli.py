"""The command line: the main path in a real process, and an answer to every bad input."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from srlab import cli
from srlab.checkpoints.official import BROUGHT, PUBLISHED
from srlab.cli.book import _assignment
from srlab.cli.networks import as_option
from srlab.degradations import DegradationSpace
from srlab.networks.advice import Advice, Setting
from srlab.training import recipes
from srlab.training.recipes import Recipe

# Small untrained networks are rough; how exact their maps are is told elsewhere.
pytestmark = pytest.mark.filterwarnings("ignore::srlab.attribution.integral.InexactWarning")


NETWORKS = """
import torch
from torch import nn
from torch.nn import functional as F

class Net(nn.Module):
    def __init__(self, scale=2, channels=4):
        super().__init__()
        torch.manual_seed(0)
        self.scale, self.conv = scale, nn.Conv2d(3, 3, 5, padding=2)
    def forward(self, lr):
        return F.interpolate(lr + 0.01 * self.conv(lr), scale_factor=self.scale, mode="bilinear")

class Pair(Net):
    def forward(self, lr): return super().forward(lr), 1

class Eights(Net):
    def forward(self, lr):
        if lr.shape[-1] % 8 or lr.shape[-2] % 8: raise RuntimeError("windows do not fit")
        return super().forward(lr)

class In255(Net):
    def forward(self, lr): return super().forward(lr) + 20

class Flattening(Net):
    def forward(self, lr):
        gate = self.conv(lr).mean(dim=(2, 3), keepdim=True).sigmoid()
        return F.interpolate(lr + 0.005 * gate, scale_factor=2, mode="nearest")

class NanLater(Net):
    calls = 0
    def forward(self, lr):
        self.calls += 1
        if self.calls > 7: raise RuntimeError("no memory left")
        return super().forward(lr)

class Noisy(Net):
    def forward(self, lr): return super().forward(lr) + 1e-3 * torch.randn(1, 3, 1, 1)

class Steps(Net):
    def forward(self, lr):
        sr = super().forward(lr)
        return [F.avg_pool2d(sr, 2), sr]

class Only32(Net):
    def forward(self, lr):
        if lr.shape[-2:] != (32, 32): raise RuntimeError("windows do not fit")
        return super().forward(lr)

class Exploding(Net):
    def forward(self, lr): return super().forward(lr) * torch.exp(lr.mean().clamp(max=80))

class NoGradient(Net):
    @torch.no_grad()
    def forward(self, lr): return super().forward(lr)
"""


def waves(height: int, width: int) -> np.ndarray:
    """A smooth colour picture (H, W, 3) in [0, 1]."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([np.sin((rows + k * columns) / 5) / 2 + 0.5 for k in (0, 1, 2)], axis=-1)


REAL = "SRLAB_DATA" in os.environ
BYTES = (255 * waves(36, 44)).astype(np.uint8)
PICTURES = {
    "rgb.png": BYTES,
    "grey.png": BYTES[..., 1],
    "rgba.png": np.dstack([BYTES, BYTES[..., 1]]),
    "deep.png": (65535 * waves(36, 44)[..., 1]).astype(np.uint16),
    "flat.png": np.full((36, 44, 3), 99, np.uint8),
    "mask.png": np.kron(np.eye(2, dtype=np.uint8) * 255, np.ones((36, 44), np.uint8)),
    "large.png": (255 * waves(520, 530)).astype(np.uint8),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "readers.py").write_text(NETWORKS)
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "taken-2.npz").mkdir()
    for name, pixels in PICTURES.items():
        Image.fromarray(pixels).save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    sys.modules.pop("readers", None)


def call(*arguments: str) -> int:
    """Exit code of `srlab arguments`."""
    with pytest.raises(SystemExit) as done:
        cli.main(arguments)
    return int(done.value.code or 0)


def lam(*options: str, network: str = "readers:Net", image: str = "rgb.png") -> int:
    return call("lam", "--network", network, "--image", image, "--steps", "2", *options)


def message(capsys: pytest.CaptureFixture[str]) -> str:
    """What is on stderr after a failure: one message, no traceback."""
    told = capsys.readouterr().err
    assert "Traceback" not in told
    return told


def test_help_answers_without_loading_torch() -> None:
    code = "import sys; from srlab import cli; print([m for m in sys.modules if m == 'torch'])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"
    helped = CliRunner().invoke(cli.app, ["--help"])
    assert helped.exit_code == 0
    assert all(name in helped.output for name in ("book", "run", "train", "lam", "list"))


def test_a_list_is_printed_whatever_the_console_can_show() -> None:
    command = [sys.executable, "-c", "from srlab.cli import main; main()", "list"]
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    ran = subprocess.run(command, capture_output=True, env=environment)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert "srresnet" in ran.stdout.decode("cp1252")


@pytest.mark.parametrize("encoding", ["cp1252", "gbk", "latin-1", "cp437"])
@pytest.mark.parametrize(
    "command",
    [
        ["list"],
        ["--help"],
        ["lam", "--help"],
        ["faig", "--help"],
        ["sweep", "--help"],
        ["lam", "--network", "readers:Net", "--image", "Привет → 图.png", "--steps", "2"],
        ["lam", "--network", "Привет:Net", "--image", "rgb.png"],
    ],
)
def test_any_output_fits_any_console(
    folder: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, command: list[str]
) -> None:
    (folder / "Привет → 图.png").write_bytes((folder / "rgb.png").read_bytes())
    out = io.TextIOWrapper(io.BytesIO(), encoding)
    err = io.TextIOWrapper(io.BytesIO(), encoding, errors="backslashreplace")  # as Python's own
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    assert call(*command) == int("Привет:Net" in command)
    shown = [stream.buffer.getvalue().decode(encoding) for stream in (out, err)]
    assert any(shown)
    assert "codec" not in "".join(shown)


def test_lam_end_to_end_in_its_own_process(folder: Path) -> None:
    sys.path.insert(0, str(folder))
    from readers import Net

    torch.save(Net(scale=4).state_dict(), "net.pth")
    command = ["-c", "from srlab.cli import main; main()", "lam"]
    options = (
        "--network readers:Net(scale=4),weights=net.pth --image rgb.png --patch 96,80,16 "
        "--out a/map.html --npz a/map.npz"
    )
    ran = subprocess.run(
        [sys.executable, *command, *options.split()], capture_output=True, text=True, cwd=folder
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    found = re.search(r"diffusion index +([\d.]+)", ran.stdout)
    page = Path("a/map.html").read_text("utf-8")
    assert found
    assert f'id="di">{found[1]}<' in page
    assert not re.search(r"""(?:src|href)=["'](?!data:)|url\((?!#|data:)|https?://""", page)
    with np.load("a/map.npz") as arrays:
        assert arrays["attribution"].shape == (3, 36, 44)
        assert arrays["sr"].shape == (3, 144, 176)
        assert arrays["patch"].tolist() == [96, 80, 16]
        assert json.loads(str(arrays["facts"]))["Settings"]["rule"] == "adaptive"
        total, error = arrays["attribution"].sum(), arrays["completeness_error"]
        assert abs(total) > 0
        assert 0 <= error < 0.1


@pytest.mark.parametrize("image", ["rgb.png", "grey.png", "rgba.png", "deep.png"])
@pytest.mark.usefixtures("folder")
def test_any_kind_of_picture_is_taken(image: str) -> None:
    assert lam(image=image) == 0
    assert Path("map.html").is_file()


@pytest.mark.parametrize(
    ("network", "options"),
    [
        ("readers:Pair,output=0", []),
        ("readers:Eights,multiple=8", []),
        ("readers:In255,range=255", []),
        ("readers:Net,range=[-1,1]", ["--path", "linear", "--baseline", "black"]),
        ("readers:Net(scale=3)", ["--scale", "3", "--patch", "40,50"]),
        ("readers:Net", ["--reduce", "2", "--patch", "0,0,8"]),
        ("readers:Only32", ["--crop", "32"]),
        ("readers:Net", ["--target", "edges:90"]),
        ("readers:Net", ["--target", "colour"]),
        ("readers:Net", ["--target", "mask:mask.png"]),
        ("readers:Net", ["--target", "mask:mask.png", "--patch", "20,20,30", "--crop", "32"]),
        ("readers:Net(scale=1)", ["--scale", "1", "--patch", "8,8,8", "--target", "band:0.1,0.4"]),
        ("readers:Flattening", ["--patch", "30,30,8"]),
    ],
)
@pytest.mark.usefixtures("folder")
def test_unusual_networks_are_adapted(
    network: str, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert lam(*options, network=network) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert "open map.html" in told.out


@pytest.mark.parametrize(
    ("network", "options", "words"),
    [
        ("readers:Net", ["--scale", "4"], "enlarges by 2, not by 4"),
        ("readers:Net,weights=absent.pth", [], "no weights file"),
        ("readers:Net,weights=rgb.png", [], "is no file of weights but a PNG picture"),
        ("readers:Net", ["--image", "absent.png"], "no picture at absent.png"),
        ("readers:Net", ["--image", "text.png"], "not a readable picture"),
        ("readers:Net", ["--image", "flat.png"], "picture is flat"),
        ("readers:Net", ["--image", "large.png"], "--crop 128"),
        ("readers:Net", ["--patch", "60,0,16"], "choose top in 0..55 and left in 0..71"),
        ("readers:Net", ["--patch", "60;0"], "2 or 3 whole numbers"),
        ("readers:Net", ["--crop", "8"], "at least 10"),
        ("readers:Net,range=[2,1]", [], "range takes its upper end or both"),
        ("readers:Net,range=byte", [], "as in 255 or [-1,1]; got 'byte'"),
        ("readers:Net,multiple=128", [], "too few to be mirrored"),
        ("readers:Net", ["--reduce", "0"], "whole number of at least 1, got 0"),
        (
            "readers:Net",
            ["--reduce", "7"],
            "holds 9×11; choose a smaller patch or a larger picture",
        ),
        ("readers:Net", ["--out", "."], ". is a folder; name a file"),
        ("readers:Net", ["--npz", "."], ". is a folder; name a file"),
        ("readers:Net", ["--npz", "map.html"], "map.html is named twice"),
        ("readers:Net", ["--npz", "rgb.png/map.npz"], "no folder rgb.png"),
        (
            "readers:Net",
            ["--network", "srcnn-3", "--npz", "taken.npz"],
            "taken-2.npz is a folder",
        ),
        ("readers:Steps", [], "--network …,output=1, or derive"),
        ("readers:Only32", ["--crop", "24"], "windows do not fit"),
        ("readers:Net", ["--rule", "wrong"], "unknown quadrature rule"),
        ("readers:Net", ["--target", "wrong"], "unknown target 'wrong'; srlab has gradient, edges"),
        ("readers:Net", ["--steps", "0"], "at least 1 step"),
        ("readers:Net", ["--device", "cuda:99"], "no device 'cuda:99'"),
        ("readers:Net", ["--network", "srcnn-3"], "readers:Net ×2, srcnn-3 ×4"),
        ("readers:Net", ["--network", "absent"], "absent: no network 'absent'"),
        ("readers:Net", ["--network", "readers:Pair"], "readers:Pair: the network returns a tuple"),
        ("readers:Net", ["--network", "official:edsr"], "no published network 'edsr'"),
        ("readers:Net,multiple=2,multiple=4", [], "multiple is given twice"),
        ("readers:Net,multiply=2", [], "settings are weights, range, multiple, output"),
        ("readers:Net(scale=4", [], "')' is missing at the end"),
        ("readers:Net,multiple=x", [], "multiple takes a whole number of at least 1, got 'x'"),
        ("readers:Net", ["--target", "mask:absent.png"], "no picture at absent.png"),
        ("readers:Net", ["--target", "mask:deep.png"], "the mask has 36×44 pixels; it needs 72×88"),
        ("readers:Net(colour=1)", [], "unexpected keyword argument"),
        ("readers.py:Net", [], "package.module:factory"),
        ("absent:Net", [], "no module 'absent'"),
        ("readers:Pair", [], "--network …,output=0, or derive"),
        ("readers:Eights", [], "pad to them, --network …,multiple=8; its own words"),
        ("readers:NoGradient", [], "through autograd"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_bad_input_gets_one_message_that_says_what_to_do(
    network: str, options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lam(*options, network=network) == 1
    told = message(capsys)
    assert told.startswith("srlab: ")
    assert words in told
    assert not Path("map.html").exists()


def test_effective_fields_of_several_networks_share_a_page(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "lr").mkdir()
    Image.fromarray(BYTES).save(folder / "lr" / "a.png")
    networks = ("readers:Net", "readers:In255,range=255")
    assert call("erf", *networks, "--images", "lr", "--size", "32") == 0
    told = capsys.readouterr().out
    assert all(
        name in told
        for name in ("readers:Net", "readers:In255", "99%", "DI of LAM", "open erf.html")
    )
    assert "Effective receptive fields" in Path("erf.html").read_text("utf-8")
    assert call("erf", "readers:Net", "--images", "lr") == 1
    assert "holds no 120×120 ones: give --size 36" in message(capsys)


@pytest.mark.usefixtures("folder")
def test_a_checkpoint_takes_no_weights(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call("lam", "--image", "rgb.png") == 2
    assert "--network" in message(capsys)
    assert lam(network="absent") == 1
    assert "no network 'absent': not a file" in message(capsys)
    assert lam(network="srcnn-3,weights=rgb.png") == 1
    assert "brings its own" in message(capsys)


@pytest.mark.usefixtures("folder")
def test_several_networks_share_one_page_in_their_order(capsys: pytest.CaptureFixture[str]) -> None:
    """What stands behind a network is its own; the same network twice is numbered."""
    first = again = "readers:Net(scale=4)"
    second = "official:pan" if REAL else "readers:Net(scale=4)"
    networks = [f"{second},multiple=8", "readers:In255(scale=4),range=255", again]
    options = [word for network in networks for word in ("--network", network)]
    assert lam(*options, "--npz", "raw/map.npz", "--crop", "16", network=first) == 0
    told = capsys.readouterr()
    assert told.err == ""
    lines = [line.split()[0] for line in told.out.splitlines()]
    assert lines == ["network", first, second, "readers:In255(scale=4)", again, "open"]
    page = Path("map.html").read_text("utf-8")
    order = [page.index(f"<h2>{name}</h2>") for name in (first, "readers:In255(scale=4)")]
    assert order == sorted(order)
    assert "padded to multiples of 8" in page
    assert page.count("<h2>readers:Net(scale=4)") >= 2
    assert not re.search(r"""(?:src|href)=["'](?!data:)|url\((?!#|data:)|https?://""", page)
    with np.load("raw/map-3.npz") as arrays:
        facts = json.loads(str(arrays["facts"]))
    assert facts["Network"]["name"] == "readers:In255(scale=4)"
    assert facts["What the network does"]["is fed values in"] == "[0, 255]"


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("crop", "128", "--crop 128"),
        ("network", "'package.module:Net'", "--network package.module:Net"),
        ("multiple", "8", "--network …,multiple=8"),
        ("output", "'sr'", "--network …,output=sr"),
        ("value_range", "(-1, 1)", "--network …,range=[-1,1]"),
    ],
)
def test_keywords_of_the_library_become_options(name: str, value: str, written: str) -> None:
    advice = Advice("building a:B(crop=3) failed; try ", Setting(name, value))
    assert f"{advice}" == f"building a:B(crop=3) failed; try {name}={value}"
    assert advice.written(as_option) == f"building a:B(crop=3) failed; try {written}"


@pytest.mark.usefixtures("folder")
def test_a_network_that_fails_at_its_map_is_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    """The others' page is written; the exit code says that one is missing."""
    assert lam("--network", "readers:NanLater", "--target", "band") == 1
    told = capsys.readouterr()
    assert "readers:NanLater has no map: " in told.err
    assert "open map.html" in told.out
    assert "has no map" in Path("map.html").read_text("utf-8")


def test_published_weights_are_listed_as_they_are_named() -> None:
    listed = CliRunner().invoke(cli.app, ["list", "official"]).output
    assert listed.count("official:") == len(PUBLISHED) + len(BROUGHT)
    assert re.search(r"official:rfdn +on board +0\.83 MB +njulj/RFDN +MIT\n", listed)
    assert re.search(r"official:imdn +download +2\.88 MB", listed)
    assert re.search(r"official:ddr-a02,weights=FILE +a file of yours\n", listed)


@pytest.mark.usefixtures("folder")
def test_a_range_that_does_not_fit_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    assert lam(network="readers:In255") == 0
    assert "[0, 255] better: try --network …,range=[0,255]\n" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_a_doubt_is_told_ahead_of_the_failure_that_it_explains(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert lam(network="readers:Exploding,range=255") == 1
    doubt, failure = capsys.readouterr().err.splitlines()
    assert re.search(r"\[(0|-1), 1\] better: try --network …,range=\[\1,1\]$", doubt)
    assert failure.startswith("srlab: ")


@pytest.mark.usefixtures("folder")
def test_noise_in_a_network_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    assert lam(network="readers:Noisy") == 0
    assert "readers:Noisy: does it answer alike each time? no, it is not" in capsys.readouterr().err
    assert "not deterministic" in Path("map.html").read_text("utf-8")


@pytest.mark.parametrize("image", ["large.png", "grey.png"])
@pytest.mark.usefixtures("folder")
def test_a_reduced_picture_is_the_file_that_pillow_makes(image: str) -> None:
    """To the bit, and so is its map."""
    with Image.open(image) as file:
        whole = file.crop((0, 0, file.width // 2 * 2, file.height // 2 * 2))
        whole.resize((file.width // 2, file.height // 2), Image.Resampling.BICUBIC).save("lr.png")
    patch = ["--patch", "4,4,8"]
    assert not lam("--reduce", "2", "--npz", "reduced.npz", *patch, image=image)
    assert not lam("--npz", "given.npz", *patch, image="lr.png")
    with np.load("reduced.npz") as reduced, np.load("given.npz") as given:
        for name in ("lr", "attribution", "diffusion_index"):
            np.testing.assert_array_equal(reduced[name], given[name])


def test_every_way_to_write_a_mask_asks_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shape = np.zeros((72, 88), np.uint8)
    shape[20:40, 30:70] = 255
    palette = Image.fromarray(shape // 255).convert("P")
    palette.putpalette([0, 0, 0, 128, 0, 0])
    masks = {
        "grey": Image.fromarray(shape),
        "transparent": Image.fromarray(np.dstack([shape * 0 + 255] * 3 + [shape])),
        "numbers": Image.fromarray(shape // 255),
        "palette": palette,
    }
    found = {}
    for name, mask in masks.items():
        mask.save(folder / f"{name}.png")
        assert not lam("--target", f"mask:{name}.png", "--npz", f"{name}.npz")
        with np.load(f"{name}.npz") as arrays:
            found[name] = (arrays["patch"].tolist(), float(arrays["diffusion_index"]))
        told = capsys.readouterr().err
        assert told.count("what is not 0 is inside, 12.6% of it\n") == (
            name in ("numbers", "palette")
        )
    assert set(map(str, found.values())) == {str(found["grey"])}
    assert found["grey"][0] == [20, 30, 20, 40]


@pytest.mark.usefixtures("folder")
def test_outputs_are_checked_before_anything_is_computed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("srlab.pages.explain.lam", lambda *_, **__: pytest.fail("too late"))
    for options in (["--out", "."], ["--npz", "taken-2.npz"], ["--out", "rgb.png/map.html"]):
        assert lam(*options) == 1
        assert "folder" in message(capsys)
    monkeypatch.setattr(os, "access", lambda _, mode: mode != os.W_OK)  # as for a guest
    assert lam("--out", "new/map.html") == 1
    assert "new/map.html may not be written: no permission in new" in message(capsys)


@pytest.mark.usefixtures("folder")
def test_a_full_disk_leaves_what_was_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lam("--npz", "raw/map.npz") == 0
    before = Path("raw/map.npz").read_bytes()
    capsys.readouterr()

    def fill(file: object, **_: object) -> None:
        file.write(b"PK")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", fill)
    assert lam("--npz", "raw/map.npz") == 1
    assert "No space left" in message(capsys)
    assert [path.read_bytes() for path in Path("raw").iterdir()] == [before]


@pytest.mark.usefixtures("folder")
def test_a_large_picture_is_cut_around_the_patch() -> None:
    assert not lam("--crop", "32", "--patch", "1000,20,16", "--npz", "map.npz", image="large.png")
    with np.load("map.npz") as arrays:
        assert arrays["lr"].shape == (3, 32, 32)
        top, left, size = arrays["patch"]
    expected = PICTURES["large.png"][488:520, :32].transpose(2, 0, 1) / 255
    with np.load("map.npz") as arrays:
        np.testing.assert_allclose(arrays["lr"], expected, atol=1e-6)
    assert (top, left, size) == (1000 - 2 * 488, 20, 16)


@pytest.mark.usefixtures("folder")
def test_debug_shows_where_an_error_arose() -> None:
    with pytest.raises(ValueError, match="package"):
        cli.main(["lam", "--debug", "--network", "wrong:", "--image", "rgb.png"])


def test_an_unforeseen_error_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(cli.listing, "_findings", fail)
    assert call("list", "findings") == 1
    assert message(capsys) == "srlab: ZeroDivisionError: by zero (--debug shows where)\n"


def test_a_package_the_book_needs_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "srlab.book.build", None)
    assert call("book") == 1
    assert "srlab[book]" in message(capsys)


TINY = Recipe(
    "fsrcnn",
    {"scale": 2, "channels": 4, "mapping_channels": 4, "num_blocks": 1},
    image_sets=("photographs",),
    space=DegradationSpace(scale=2),
    lr_size=8,
    batch_size=1,
    steps=4,
    precision="float32",
    snapshots=(2,),
)


def test_train_saves_checkpoints_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(recipes.RECIPES, "tiny", TINY)
    for _ in range(2):  # the second time everything is there already
        assert call("train", "tiny", "--device", "cpu") == 0
        told = capsys.readouterr().out
        assert re.search(r"runs/tiny/tiny@2.safetensors\nruns/tiny/tiny.safetensors\n.* dB", told)
    assert call("train", "absent") == 1
    assert "unknown recipe 'absent'" in message(capsys)


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent as a POSIX signal")
def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv.pop(1))\n"
        "from dataclasses import replace\n"
        "from test_cli import TINY, recipes, cli\n"
        "recipes.RECIPES['long'] = replace(TINY, steps=10**6)\n"
        "cli.main(['train', 'long', '--device', 'cpu'])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(Path(__file__).parent)],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        # A shell in the background hands down that Ctrl-C is to be ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "runs/long/state.pt").is_file() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    try:
        _, told = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "goes on from the last state saved in runs/long" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("n=3", 3),
        ("n=1e-3", 0.001),
        ("n=True", True),
        ("n=false", False),
        ("n=null", None),
        ("n=[1, 2]", [1, 2]),
        ("n=set5", "set5"),
        ("n=a=b", "a=b"),
    ],
)
def test_parameters_are_literals_or_text(text: str, value: object) -> None:
    assert _assignment(text) == ("n", value)


def test_run_and_book_hand_over_what_they_were_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from srlab.book import build, runner

    calls: list[object] = []
    monkeypatch.setattr(runner, "run_notebooks", lambda *a, **k: calls.append((a, k)))
    monkeypatch.setattr(build, "build_book", lambda **k: calls.append(k))
    assert call(*["run", "lam/method", "ddr", "-p", "seed=1", "-p", "images=set5", "--quick"]) == 0
    assert call("book", "--force") == 0
    options = {"quick": True, "force": False, "workers": 2}
    assert calls[0] == (
        (["lam/method", "ddr"],),
        {"parameters": {"seed": 1, "images": "set5"}, **options},
    )
    assert calls[1] == {"quick": False, "force": True, "workers": 2}
    assert call("run", "lam/method", "-p", "seed") == 1
    assert "-p takes name=value" in message(capsys)


def test_list_shows_everything(folder: Path) -> None:
    shown = CliRunner().invoke(cli.app, ["list"], catch_exceptions=False).output
    for word in ("srresnet", "photographs", "urban100-30", "none stated", "6000 steps"):
        assert word in shown
    assert "in a checkout" in shown
    (folder / "_toc.yml").touch()
    (folder / "notebooks").mkdir()
    (folder / "notebooks/one.py").touch()
    (folder / "notebooks/two.py").touch()
    (folder / "book/findings").mkdir(parents=True)
    (folder / "book/findings/two.json").write_text('{"verdict": "partly"}')
    shown = CliRunner().invoke(cli.app, ["list", "findings"], catch_exceptions=False).output
    assert shown == "findings\n  one  not run\n  two  partly\n\n"


def test_a_network_is_exported_for_the_page(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("export", "readers:Eights,multiple=8", "net.onnx") == 0
    assert "net.onnx" in capsys.readouterr().out
    assert (folder / "net.onnx").stat().st_size > 1000
    assert call("export", "readers:Only32", "other.onnx") == 1
    assert "a file is for every size: windows do not fit" in message(capsys)
