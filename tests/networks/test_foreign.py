"""The reader's own network: addresses, weights, and what `connect` finds out about it."""

import sys
import types
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.images import luma
from srlab.models import build
from srlab.networks.contract import (
    UNLIKE,
    Adapter,
    ContractError,
    connect,
    measured_scale,
    size_multiple,
)
from srlab.networks.foreign import NetworkError, load_network, network_from_file, parse_address

SOURCE = """
from torch import nn
import torch

class Net(nn.Module):
    def __init__(self, channels=4, scale=2):
        super().__init__()
        self.body = nn.Conv2d(3, channels, 3, padding=1)
        self.tail = nn.Conv2d(channels, 3 * scale**2, 3, padding=1)
        self.shuffle = nn.PixelShuffle(scale)

    def forward(self, lr):
        return self.shuffle(self.tail(self.body(lr)))

    @classmethod
    def wide(cls): return cls(channels=8)

class Descriptor:
    model = Net()

def build(channels): return Net(channels)
def broken(): raise RuntimeError("no such luck")
def number(): return 3
def described(): return Descriptor()
ready = Net()
constant = 3
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "reader_net.py").write_text(SOURCE)
    (tmp_path / "reader_broken.py").write_text("import surely_not_installed\n")
    (tmp_path / "reader_syntax.py").write_text("def (:\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("reader_net", "reader_broken", "reader_syntax"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return "reader_net"


def test_an_address_is_read_without_running_it() -> None:
    address = parse_address("a.b:C.make(3, channels=[1, -2], name='x')")
    assert address == ("a.b", "C.make", (3,), {"channels": [1, -2], "name": "x"}, None)


@pytest.mark.parametrize(
    ("address", "folder"),
    [
        ("../two/a.b:C('x/y:z')", Path("..", "two")),
        ("~/a.b:C", Path.home()),
        ("/a.b:C", Path("/")),
        ("C:/code/two/a.b:C", Path("C:/code/two")),
    ],
)
def test_a_folder_may_stand_in_front(address: str, folder: Path) -> None:
    assert parse_address(address)[:2] == ("a.b", "C")
    assert parse_address(address).folder == folder


@pytest.mark.parametrize(
    "address",
    ["", "mynet", "mynet:", "mynet.py:Net", "a:B(", "a:B(x=open('f'))", "a:B(**{'x': 1})", "a b:C"],
)
def test_an_unreadable_address_says_how_to_write_it(address: str) -> None:
    with pytest.raises(NetworkError, match=r"package\.module:factory"):
        parse_address(address)


@pytest.mark.parametrize(
    ("factory", "channels"),
    [("Net", 4), ("Net(channels=6)", 6), ("Net.wide", 8), ("build(5)", 5), ("ready", 4)],
)
def test_classes_functions_and_instances_are_networks(
    module: str, factory: str, channels: int
) -> None:
    network = load_network(f"{module}:{factory}")
    assert network.body.out_channels == channels
    assert not network.training


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("nowhere_to_be_found:Net", "folder that holds 'nowhere_to_be_found'"),
        ("reader_broken:Net", "surely_not_installed.*install what it needs"),
        ("reader_syntax:Net", "SyntaxError"),
        ("reader_net:Nett", "it defines Net, Descriptor, build"),
        ("reader_net:build", r"missing 1 required.*build\(channels=64\)"),
        ("reader_net:broken", "no such luck"),
        ("reader_net:number", "gives a int"),
        ("reader_net:described", r"return its \.model"),
        ("reader_net:constant", "is a int, not a class"),
    ],
)
@pytest.mark.usefixtures("module")
def test_what_cannot_be_built_is_explained(address: str, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        load_network(address)


def test_spandrel_gives_its_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net.pth").touch()
    inner = Scaled()

    class Loader:
        def __init__(self, device: str) -> None: ...
        def load_from_file(self, path: str) -> object:
            return types.SimpleNamespace(model=inner, path=path)

    monkeypatch.setitem(sys.modules, "spandrel", types.SimpleNamespace(ModelLoader=Loader))
    assert network_from_file(tmp_path / "net.pth") is inner
    monkeypatch.setitem(sys.modules, "spandrel", None)
    with pytest.raises(NetworkError, match=r"pip install 'srlab\[foreign\]'"):
        network_from_file(tmp_path / "net.pth")
    with pytest.raises(NetworkError, match="no weights file"):
        network_from_file(tmp_path / "absent.pth")


class Scaled(nn.Module):
    """Enlarges by repetition, times a weight close to one: resembles its input."""

    def __init__(self, scale: int = 2) -> None:
        super().__init__()
        self.scale, self.gain = scale, nn.Parameter(torch.tensor(0.99))

    def forward(self, lr: Tensor) -> Tensor:
        return F.interpolate(lr, scale_factor=self.scale) * self.gain


class NeedsMultiple(Scaled):
    def __init__(self, multiple: int) -> None:
        super().__init__()
        self.multiple = multiple

    def forward(self, lr: Tensor) -> Tensor:
        if lr.shape[-1] % self.multiple or lr.shape[-2] % self.multiple:
            raise RuntimeError("shapes do not match")
        return super().forward(lr)


class PadsWithoutCropping(Scaled):
    def forward(self, lr: Tensor) -> Tensor:
        height, width = lr.shape[-2:]
        return super().forward(F.pad(lr, (0, -width % 8, 0, -height % 8)))


class Returns(Scaled):
    def __init__(self, wrap: object) -> None:
        super().__init__()
        self.wrap = wrap

    def forward(self, lr: Tensor) -> object:
        return self.wrap(super().forward(lr))


class In255(Scaled):
    """Works on values in [0, 255]: what it is given is clipped to that and lifted by 8."""

    def forward(self, lr: Tensor) -> Tensor:
        return super().forward(lr) + 8


class Overwrites(Scaled):
    def forward(self, lr: Tensor) -> Tensor:
        lr *= 0.5
        return super().forward(lr) * 2


class NoGradient(Scaled):
    @torch.no_grad()
    def forward(self, lr: Tensor) -> Tensor:
        return super().forward(lr)


class Detached(Scaled):
    def forward(self, lr: Tensor) -> Tensor:
        return super().forward(lr.detach())


class Dropping(Scaled):
    def forward(self, lr: Tensor) -> Tensor:
        return F.dropout(super().forward(lr), training=self.training)


@pytest.fixture
def lr() -> Tensor:
    return torch.rand(1, 3, 33, 41, generator=torch.Generator().manual_seed(0))


def test_a_network_that_keeps_the_contract_is_returned_itself(lr: Tensor) -> None:
    network = build("fsrcnn", scale=3)
    model, contract = connect(network, lr)
    assert model is network
    assert (contract.scale, contract.sizes, contract.in_place) == (3, 1, False)
    assert contract.gradient > 0


def test_eval_mode_is_set(lr: Tensor) -> None:
    network = Dropping().train()
    connect(network, lr)
    assert torch.equal(network(lr), network(lr))


def test_a_wrong_scale_is_refused(lr: Tensor) -> None:
    with pytest.raises(ContractError, match="enlarges by 2, not by 4"):
        connect(Scaled(), lr, scale=4)


@pytest.mark.parametrize("multiple", [2, 3, 6, 7, 8, 16])
def test_the_size_multiple_is_found_and_named(multiple: int) -> None:
    lr = torch.rand(1, 3, 41, 43)
    network = NeedsMultiple(multiple)
    assert size_multiple(network, lr) == multiple
    with pytest.raises(ContractError, match=f"multiple={multiple}; .*shapes do not match"):
        connect(network, lr)


def test_an_odd_output_is_a_size_problem(lr: Tensor) -> None:
    with pytest.raises(ContractError, match="multiple=8"):
        connect(PadsWithoutCropping(), lr)
    with pytest.raises(ContractError, match="multiple=8"):
        connect(PadsWithoutCropping(), lr, multiple=4)
    model, contract = connect(PadsWithoutCropping(), lr, multiple=8)
    assert contract.scale == 2
    assert model(lr).shape == (1, 3, 66, 82)


def test_padding_keeps_pixels_in_place_and_gradients(lr: Tensor) -> None:
    model, contract = connect(NeedsMultiple(16), lr, multiple=16)
    assert contract.checks()["takes heights and widths"].startswith("that are multiples of 16, pad")
    assert contract.unlikeness < UNLIKE
    torch.testing.assert_close(model(lr), Scaled()(lr))
    given = lr.clone().requires_grad_()
    model(given).sum().backward()
    assert given.grad.min() > 0  # mirrored pixels are cut off: they add nothing anywhere
    assert given.grad.max() < 4


def test_padding_shows_no_border(lr: Tensor) -> None:
    class Mixes(NeedsMultiple):
        def forward(self, lr: Tensor) -> Tensor:
            kernel = torch.ones(3, 1, 5, 5) / 25
            return super().forward(F.conv2d(F.pad(lr, (2,) * 4, "reflect"), kernel, groups=3))

    flat = torch.full_like(lr, 0.5)
    model, _ = connect(Mixes(8), flat, multiple=8)
    torch.testing.assert_close(model(flat), torch.full((1, 3, 66, 82), 0.5 * 0.99))


def test_a_picture_too_small_to_mirror_is_refused() -> None:
    with pytest.raises(ContractError, match="too few to be mirrored to a multiple of 64"):
        connect(Scaled(), torch.rand(1, 3, 20, 20), multiple=64)


@pytest.mark.parametrize(
    ("wrap", "output"),
    [
        (lambda sr: (sr, sr.mean()), "0"),
        (lambda sr: [sr.mean(), sr], "1"),
        (lambda sr: {"codes": sr.mean(), "sr": sr}, "sr"),
    ],
)
def test_the_image_is_picked_from_several_outputs(lr: Tensor, wrap: object, output: str) -> None:
    with pytest.raises(ContractError, match=f"output='{output}', .*class Image"):
        connect(Returns(wrap), lr)
    with pytest.raises(ContractError, match="output="):
        connect(Returns(wrap), lr, output="7")
    model, _ = connect(Returns(wrap), lr, output=output)
    torch.testing.assert_close(model(lr), Scaled()(lr))


def test_the_wrappers_that_messages_suggest_work(lr: Tensor) -> None:
    class Net(Returns):
        def __init__(self) -> None:
            super().__init__(lambda sr: (sr, 1))

    with pytest.raises(ContractError) as caught:
        connect(Net(), lr)
    scope = {"Net": Net}
    exec(str(caught.value).split("only it: ")[1], scope)
    assert connect(scope["Image"](), lr)[1].scale == 2


@pytest.mark.parametrize(
    ("wrap", "message"),
    [
        (lambda sr: sr[:, :1], "luma alone"),
        (lambda sr: sr[0], r"\(3, 66, 82\)"),
        (lambda _: "nothing", "returns a str"),
        (lambda _: [], "returns a list"),
        (lambda sr: sr * float("nan"), "NaN or infinity"),
        (lambda sr: sr[..., ::4, ::4], "no whole multiple"),
        (lambda sr: (sr * 255).round(), "rounds or clamps"),
        (lambda sr: sr + (sr - sr).sqrt(), "gradient holds NaN"),
    ],
)
def test_unusable_outputs_are_explained(lr: Tensor, wrap: object, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        connect(Returns(wrap), lr)


@pytest.mark.parametrize("network", [NoGradient(), Detached()])
def test_a_blocked_gradient_is_explained(lr: Tensor, network: nn.Module) -> None:
    with pytest.raises(ContractError, match="does not depend on the input through autograd"):
        connect(network, lr)


def test_a_network_of_one_channel_is_fed_luma_and_answers_in_grey(lr: Tensor) -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.PixelShuffle(2))
    nn.init.dirac_(network[0].weight[:1])
    network[0].weight.data[1:] = network[0].weight.data[:1]
    model, contract = connect(network, lr)
    assert contract.luma
    assert contract.scale == measured_scale(network, lr) == 2
    assert "luma alone" in contract.checks()["is fed values in"]
    assert contract.doubts() == []  # compared with luma, not with the colours
    expected = luma(lr).repeat_interleave(2, -1).repeat_interleave(2, -2).expand(-1, 3, -1, -1)
    torch.testing.assert_close(model(lr), expected)


def test_a_network_whose_inner_layer_lacks_channels_is_refused(lr: Tensor) -> None:
    """It is not taken for one of luma over and over."""
    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.Conv2d(1, 3, 1))
    with pytest.raises(ContractError, match=r"failed on an input|takes grey images"):
        connect(network, lr)


def test_a_network_that_overwrites_its_input_gets_copies(lr: Tensor) -> None:
    before = lr.clone()
    model, contract = connect(Overwrites(), lr)
    assert contract.in_place
    assert isinstance(model, Adapter)
    model(lr.requires_grad_()).sum().backward()
    assert torch.equal(lr.detach(), before)


def test_another_range_is_suggested_and_served(lr: Tensor) -> None:
    _, contract = connect(In255(), lr)
    assert contract.better_range == (0.0, 255.0)
    assert "[0, 255] better" in contract.checks()["output resembles the input"]
    model, contract = connect(In255(), lr, value_range=(0.0, 255.0))
    assert contract.better_range is None
    torch.testing.assert_close(model(lr), Scaled()(lr) + 8 / 255)


def test_an_untrained_network_is_not_taken_for_one_of_another_range() -> None:
    lr = torch.linspace(0.6, 0.7, 40).expand(1, 3, 40, 40).clone()
    _, contract = connect(Returns(lambda sr: sr * 1e-3), lr)
    assert contract.better_range is None
    assert "untrained" in contract.checks()["output resembles the input"]


def test_too_little_memory_suggests_a_crop(lr: Tensor) -> None:
    def exhaust(_: Tensor) -> Tensor:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 9 bytes")

    with pytest.raises(ContractError, match="crop=128"):
        connect(Returns(exhaust), lr)
