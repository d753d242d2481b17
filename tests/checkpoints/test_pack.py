import pytest
import torch

from srlab.checkpoints import files
from srlab.checkpoints.files import (
    PACKED,
    Provenance,
    load_checkpoint,
    read_checkpoint,
    read_provenance,
    save_checkpoint,
    shipped_file,
)
from srlab.checkpoints.pack import pack
from srlab.networks.state_dicts import (
    CheckpointError,
    bits_apart,
    fingerprint,
    read_weights,
    stored,
)

START = "faig-baseline"


def retrained(tmp_path, weights, start=START):
    made = read_provenance(START)
    provenance = Provenance(
        "mine", made.architecture, made.hyperparameters, recipe={"start": {"": start}}
    )
    return save_checkpoint(tmp_path / "mine.safetensors", weights, provenance)


def with_one_filter_changed():
    weights, _ = read_checkpoint(START)
    changed = {key: tensor.clone() for key, tensor in weights.items()}
    changed["body.0.conv1.weight"][0, 0] += 0.25
    return changed


def test_what_shares_nearly_all_with_its_start_ships_as_the_difference(tmp_path):
    path = retrained(tmp_path, with_one_filter_changed())
    packed = pack(path, tmp_path)
    assert packed.name == f"mine{PACKED}"
    assert packed.stat().st_size < shipped_file(START).stat().st_size / 20
    (weights, made), (again, remade) = read_checkpoint(path), read_checkpoint(packed)
    assert made == remade
    assert weights.keys() == again.keys()
    assert all(torch.equal(tensor, again[key]) for key, tensor in weights.items())
    assert load_checkpoint(packed)[1].name == "mine"


def test_what_shares_little_ships_whole(tmp_path):
    drawn = torch.Generator().manual_seed(0)
    weights = {
        key: torch.randn(tensor.shape, generator=drawn)
        for key, tensor in read_checkpoint(START)[0].items()
    }
    packed = pack(retrained(tmp_path, weights), tmp_path)
    assert read_weights(packed).keys() == weights.keys()


def test_a_start_of_another_shape_is_no_start_to_differ_from(tmp_path):
    path = retrained(tmp_path, with_one_filter_changed(), start="faig-srcnn-baseline")
    assert read_weights(pack(path, tmp_path)).keys() == read_weights(path).keys()


def test_a_part_that_stayed_as_it_began_is_not_kept_twice(tmp_path):
    _, made = read_checkpoint("srresnet-guided")
    assert made.recipe["start"] == {"guide": "srresnet-gr"}
    packed = shipped_file("srresnet-guided").stat().st_size
    assert packed < 1.2 * shipped_file("srresnet-gr").stat().st_size
    guide, _ = read_checkpoint("srresnet-gr")
    held, _ = read_checkpoint("srresnet-guided")
    assert torch.equal(held["guide.body.0.conv1.weight"], guide["body.0.conv1.weight"])
    again = pack(shipped_file("srresnet-guided"), tmp_path)
    assert again.read_bytes() == shipped_file("srresnet-guided").read_bytes()


def test_another_start_of_the_name_is_told(tmp_path, monkeypatch):
    packed = pack(retrained(tmp_path, with_one_filter_changed()), tmp_path)
    real, other = files.read_stored, files.read_stored("faig-baseline-s1")
    monkeypatch.setattr(files, "read_stored", lambda name: other if name == START else real(name))
    with pytest.raises(CheckpointError, match=f"packed beside another {START} than this srlab has"):
        read_checkpoint(packed)


def test_packing_again_changes_nothing(tmp_path):
    packed = pack(retrained(tmp_path, with_one_filter_changed()), tmp_path)
    first = packed.read_bytes()
    assert pack(packed, tmp_path).read_bytes() == first


def test_a_difference_is_not_taken_for_weights(tmp_path):
    packed = pack(retrained(tmp_path, with_one_filter_changed()), tmp_path)
    with pytest.raises(CheckpointError, match=f"only what differs from srlab's {START}; load"):
        read_weights(packed)


@pytest.mark.parametrize("bits", [8, 16])
def test_bits_apart_is_its_own_inverse(bits):
    one, other = (
        stored({"w": torch.randn(4, 3, 3, 3), "b": torch.randn(4), "n": torch.tensor(3)}, bits)[0]
        for _ in range(2)
    )
    again = bits_apart(bits_apart(one, other), other)
    assert all(torch.equal(tensor, again[key]) for key, tensor in one.items())
    assert fingerprint(one) == fingerprint(again) != fingerprint(other)


def test_bits_apart_leaves_alone_what_the_other_lacks():
    one = {"w": torch.ones(4, 3), "b": torch.ones(4)}
    assert torch.equal(bits_apart(one, {"b": one["b"]})["w"], one["w"])
    assert torch.equal(bits_apart(one, {"w": torch.ones(2, 3)})["w"], one["w"])
    assert not bits_apart(one, one)["w"].any()
