"""Weights of any origin: what training codes, wrappers and broken downloads make of them."""

import argparse
import zipfile

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from srlab.models import FSRCNN
from srlab.networks.state_dicts import CheckpointError, load_weights, read_weights
from srlab.pages.filter_analysis import load_pair

CURRENT, AVERAGE = 1.0, 2.0


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Conv2d(3, 2, 1)
        self.norm = nn.BatchNorm2d(2)
        self.tail = nn.Conv2d(2, 3, 1, bias=False)


def weights(value=CURRENT, prefix=""):
    own = Net().state_dict()
    return {f"{prefix}{name}": torch.full_like(tensor, value) for name, tensor in own.items()}


def loaded(path):
    """The value that all weights have after they were loaded."""
    network = Net()
    load_weights(network, read_weights(path))
    (value,) = {value for own in network.state_dict().values() for value in own.flatten().tolist()}
    return value


def saved(content, path):
    torch.save(content, path)
    return path


@pytest.mark.parametrize(
    "notes", [{"epoch": 12}, {"name": "mine", "best": 31.5, "resumed": None, "sizes": [1, 2]}]
)
@pytest.mark.parametrize("envelope", [None, "net_g", "generator", "net", "ema"])
def test_numbers_and_texts_beside_tensors_are_notes(tmp_path, envelope, notes):
    content = {envelope: weights() | notes} if envelope else weights() | notes
    assert loaded(saved(content | notes, tmp_path / "net.pth")) == CURRENT


@pytest.mark.parametrize(
    "content",
    [
        {"net_g": weights(), "net_d": {"w": torch.zeros(2)}},
        {"generator": weights(), "discriminator": weights(3)},
        {"net": weights(), "acc": 92.1, "epoch": 3},
        {"some_name": weights(), "rng": torch.zeros(9, dtype=torch.uint8)},
        {"state": {"model": weights()}, "optimizer": {"state": {0: {"exp_avg": torch.zeros(2)}}}},
    ],
)
def test_the_network_is_found_in_its_envelope(tmp_path, content):
    assert loaded(saved(content, tmp_path / "net.pth")) == CURRENT


@pytest.mark.parametrize(
    "content",
    [
        {"ema": weights(AVERAGE), "model": weights()},
        {"params": weights(), "params_ema": weights(AVERAGE)},
        {"ema": {"decay": 0.99, "shadow": weights(AVERAGE)}, "net": weights()},
        {"net_g": weights(), "net_g_ema": weights(AVERAGE)},
    ],
)
def test_the_running_average_is_preferred(tmp_path, content):
    assert loaded(saved(content, tmp_path / "net.pth")) == AVERAGE


def test_several_networks_without_a_usual_name_are_listed(tmp_path):
    path = saved({"G": weights(), "D": weights()}, tmp_path / "net.pth")
    with pytest.raises(CheckpointError, match=r"several state dicts, G, D: save the one"):
        read_weights(path)


@pytest.mark.parametrize(
    "prefix",
    ["_orig_mod.", "model.", "net_g.", "module.", "module._orig_mod.", "model._orig_mod.", "a.b."],
)
def test_a_prefix_before_all_names_is_taken_off(tmp_path, prefix):
    content = weights(prefix=prefix)
    assert loaded(saved(content, tmp_path / "net.pth")) == CURRENT
    assert loaded(saved({"state_dict": content}, tmp_path / "net.pth")) == CURRENT


def test_a_wrapper_within_a_network_is_taken_off(tmp_path):
    content = {name.replace("norm", "norm._orig_mod"): own for name, own in weights().items()}
    assert loaded(saved(content, tmp_path / "net.pth")) == CURRENT


def test_an_averaged_model_is_read(tmp_path):
    averaged = torch.optim.swa_utils.AveragedModel(Net())
    averaged.module.load_state_dict(weights(AVERAGE))
    assert loaded(saved(averaged.state_dict(), tmp_path / "net.pth")) == AVERAGE


def test_other_networks_under_other_prefixes_do_not_disturb(tmp_path):
    content = weights(prefix="generator.") | {
        "critic.w": torch.zeros(2),
        "loss.vgg.w": torch.ones(3),
    }
    assert loaded(saved(content, tmp_path / "net.ckpt")) == CURRENT


def test_a_prefix_that_the_network_has_is_put_on(tmp_path):
    wrapped = nn.ModuleDict({"module": Net()})
    content = saved(wrapped.state_dict(), tmp_path / "net.pth")
    load_weights(wrapped, read_weights(content))
    content = saved(weights(), tmp_path / "net.pth")
    load_weights(wrapped, read_weights(content))
    assert (wrapped.module.tail.weight == CURRENT).all()


@pytest.mark.parametrize("extra", [{"model.stranger": torch.zeros(1)}, weights(3, "other.")])
def test_what_does_not_fit_under_one_prefix_alone_is_refused(extra):
    with pytest.raises(CheckpointError, match=r"missing head\.bias.*unexpected model\.head\.bias"):
        load_weights(Net(), weights(prefix="model.") | extra)


def test_filters_are_compared_by_the_networks_own_names(tmp_path):
    network = FSRCNN(scale=2, channels=6, mapping_channels=4, num_blocks=1).state_dict()
    files = [
        saved({f"{prefix}{name}": own for name, own in network.items()}, tmp_path / f"{index}.pth")
        for index, prefix in enumerate(("", "net_g."))
    ]
    address = "srlab.models:FSRCNN(scale=2, channels=6, mapping_channels=4, num_blocks=1)"
    pair = load_pair(address, *map(str, files))
    assert pair.baseline.keys() == pair.target.keys() == network.keys()


def test_parameters_are_read_as_tensors_without_gradient(tmp_path):
    read = read_weights(saved(dict(Net().named_parameters()), tmp_path / "net.pth"))
    assert not any(tensor.requires_grad for tensor in read.values())


@pytest.mark.parametrize("save", [save_file, torch.save])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors", ".bin"])
def test_the_content_decides_and_not_the_suffix(tmp_path, save, suffix):
    save(weights(), tmp_path / f"net{suffix}")
    assert loaded(tmp_path / f"net{suffix}") == CURRENT


LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
BROKEN = {
    "a pointer of git LFS; `git lfs pull`": LFS.encode(),
    "a web page; take the link that downloads": b"\n <!DOCTYPE html>\n<html><p>\xff</html>",
    "empty; its download or copy broke off": b"",
    "a text that begins 'Not Found'": b"Not Found\n",
    'a text that begins \'{"message": "Not Found"}\'': b'{"message": "Not Found"}',
    "a packed archive; unpack it first": b"\x1f\x8b\x08\x00 packed",
    "a note that macOS keeps beside another file": b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X",
}


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("kind", list(BROKEN))
def test_what_is_no_weights_is_told_as_what_it_is(tmp_path, kind, suffix):
    path = tmp_path / f"net{suffix}"
    path.write_bytes(BROKEN[kind])
    with pytest.raises(CheckpointError) as caught:
        read_weights(path)
    assert f"{path} is " in str(caught.value)
    assert kind in str(caught.value)


def test_archives_and_programs_are_told(tmp_path):
    with zipfile.ZipFile(tmp_path / "net.pth", "w") as archive:
        archive.writestr("weights/net.pth", b"0")
    with pytest.raises(CheckpointError, match=r"of 1 files, first weights/net\.pth; unpack it"):
        read_weights(tmp_path / "net.pth")
    with zipfile.ZipFile(tmp_path / "net.pt", "w") as archive:  # as torch.jit.save lays it out
        archive.writestr("net/data.pkl", b"")
        archive.writestr("net/constants.pkl", b"")
    with pytest.raises(CheckpointError, match=r"is no file of weights but a TorchScript program"):
        read_weights(tmp_path / "net.pt")


@pytest.mark.parametrize("kept", [9, 500, -20])
@pytest.mark.parametrize("new", [True, False])
def test_a_file_cut_short_is_told(tmp_path, kept, new):
    torch.save({"w": torch.zeros(999)}, tmp_path / "w.pth", _use_new_zipfile_serialization=new)
    (tmp_path / "cut.pth").write_bytes((tmp_path / "w.pth").read_bytes()[:kept])
    with pytest.raises(CheckpointError, match=r"cut\.pth is damaged or cut short"):
        read_weights(tmp_path / "cut.pth")


@pytest.mark.parametrize(
    ("extra", "name"),
    [
        (argparse.Namespace(scale=4), r"argparse\.Namespace"),
        (nn.Conv2d(3, 3, 1), r"torch\.nn\.modules\.conv\.Conv2d"),
    ],
)
def test_what_srlab_does_not_run_is_named(tmp_path, extra, name):
    path = saved({"net": weights(), "extra": extra}, tmp_path / "net.pth")
    with pytest.raises(CheckpointError, match=f"which srlab does not run: {name};"):
        read_weights(path)


def test_a_file_without_tensors_says_what_it_holds(tmp_path):
    path = saved({"epoch": 3, "optimizer": {"lr": 0.1}}, tmp_path / "net.pth")
    with pytest.raises(CheckpointError, match=r"no state dict .* but a dict: epoch, optimizer"):
        read_weights(path)
