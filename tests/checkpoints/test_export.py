"""ONNX files: weights bit by bit, pictures of any size, and a plain word where it fails."""

import sys

import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from torch import nn

import srlab
from srlab.checkpoints.export import export
from srlab.networks.foreign import NetworkError
from srlab.networks.state_dicts import rounded


@pytest.fixture(scope="module")
def network() -> nn.Module:
    """Layers whose weights need 8, 16 and 32 bits."""
    torch.manual_seed(0)
    convs = [
        nn.Conv2d(3, 8, 3, padding=1),
        nn.Conv2d(8, 8, 3, padding=1),
        nn.Conv2d(8, 12, 3, padding=1),
    ]
    for conv, bits in zip(convs, (8, 16), strict=False):
        conv.load_state_dict(rounded(conv.state_dict(), bits))
    return nn.Sequential(
        convs[0], nn.ReLU(), convs[1], nn.LeakyReLU(0.2), convs[2], nn.PixelShuffle(2)
    )


@pytest.fixture(scope="module")
def written(network, tmp_path_factory):
    return export(network, tmp_path_factory.mktemp("onnx") / "net.onnx", about={"name": "mine"})


def test_weights_are_kept_bit_by_bit_in_as_few_bits_as_that_takes(network, written):
    graph = onnx.load(written.path).graph
    held = {
        own.name: torch.from_numpy(onnx.numpy_helper.to_array(own).copy())
        for own in graph.initializer
    }
    assert held["0.weight.int8"].dtype == torch.int8
    assert held["2.weight.half"].dtype == torch.float16
    assert held["4.weight"].dtype == torch.float32
    found = {
        "0.weight": held["0.weight.int8"] * held["0.weight.step"].reshape(-1, 1, 1, 1),
        "2.weight": held["2.weight.half"].float(),
    }
    for name, weight in network.state_dict().items():
        assert torch.equal(found.get(name, held.get(name)), weight), name
    restoring = {node.op_type for node in graph.node[:2]}
    assert restoring == {"DequantizeLinear", "Cast"}


def test_the_file_computes_what_the_network_computes_at_any_size(network, written):
    evaluator = ReferenceEvaluator(str(written.path))
    for size in ((33, 37), (8, 51)):
        lr = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(1))
        (sr,) = evaluator.run(None, {"lr": lr.numpy()})
        with torch.no_grad():
            torch.testing.assert_close(torch.from_numpy(sr), network(lr), rtol=1e-4, atol=1e-5)


def test_what_a_layer_puts_out_has_a_name_inside(network, tmp_path):
    file = export(network, tmp_path / "net.onnx", layer="3").path
    proto = onnx.load(file)
    assert [own.name for own in proto.graph.output] == ["sr"]
    proto.graph.output.append(onnx.helper.make_empty_tensor_value_info("features"))
    lr = torch.rand(1, 3, 33, 37, generator=torch.Generator().manual_seed(1))
    _, found = ReferenceEvaluator(proto).run(None, {"lr": lr.numpy()})
    wanted = srlab.features(network, lr, ["3"])["3"]
    torch.testing.assert_close(torch.from_numpy(found), wanted, rtol=1e-4, atol=1e-5)


def test_what_it_is_about_stands_in_it_and_the_result_says_so(written):
    (entry,) = onnx.load(written.path).metadata_props
    assert (entry.key, entry.value) == ("srlab", '{"name":"mine"}')
    assert written.bytes == written.path.stat().st_size
    assert (
        f"{written}"
        == f"{written.path}: {written.bytes / 1000:,.0f} kB, which the book's page runs"
    )


@pytest.mark.usefixtures("written")
def test_the_network_is_left_as_it_was(network):
    assert network.training
    assert all(weight.requires_grad for weight in network.parameters())


class Choosing(nn.Module):
    """What it does depends on the picture's values."""

    def forward(self, lr):
        larger = nn.functional.interpolate(lr, scale_factor=2.0)
        return larger if lr.mean() > 0 else -larger


def test_a_network_that_cannot_be_written_is_told_so_in_a_line(tmp_path):
    with pytest.raises(NetworkError, match="torch cannot write this network as ONNX") as told:
        export(Choosing(), tmp_path / "net.onnx")
    assert "\n" not in f"{told.value}"
    assert not (tmp_path / "net.onnx").exists()


class OfOneSize(nn.Module):
    def forward(self, lr):
        return lr.reshape(1, 3, 32, 32)


def test_a_network_of_one_size_is_refused(tmp_path):
    with pytest.raises(NetworkError, match="fails on a picture of 40×48, and a file is for every"):
        export(OfOneSize(), tmp_path / "net.onnx")


def test_a_network_that_does_not_enlarge_is_refused(tmp_path):
    with pytest.raises(ValueError, match="srlab needs RGB to RGB"):
        srlab.export(nn.Conv2d(3, 1, 1), tmp_path / "net.onnx")


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_a_missing_package_is_named_with_its_extra(package, network, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModuleNotFoundError, match=r"this needs .*pip install 'srlab\[export\]'"):
        export(network, tmp_path / "net.onnx")
