import pytest
import torch

from srlab.degradations.filters import downsample
from srlab.degradations.windows import Windows, windows
from srlab.studies.faig.outputs import CLEAN, KINDS

PICTURES = {
    name: torch.rand(3, *size, generator=torch.Generator().manual_seed(seed))
    for seed, (name, size) in enumerate({"a": (70, 101), "b": (64, 64), "c": (40, 33)}.items())
}


def test_windows_are_spread_over_the_pictures_and_cut_from_degraded_wholes():
    found = windows(PICTURES, KINDS, count=5, size=32)
    assert found.pictures == ("a", "b", "c", "a", "b")
    assert set(found.lr) == set(KINDS)
    reduced = downsample(PICTURES["c"][None, :, :, :32], 2, "bilinear")[0]
    inner = (..., slice(2, 14), slice(2, 14))
    torch.testing.assert_close(found.lr["clean"][2][inner], reduced[:, :16][inner])
    assert found.lr["noise"].shape == (5, 3, 16, 16)
    assert (found.lr["noise"] - found.lr["clean"]).std() == pytest.approx(0.1, rel=0.1)


def test_windows_are_stacked_kind_by_kind():
    lr = {kind: torch.full((2, 3, 2, 2), value) for kind, value in {"a": 0.1, "b": 0.2}.items()}
    found = Windows(torch.zeros(2, 3, 8, 8), lr, ("cat", "dog"))
    assert found.stacked[:, 0, 0, 0].tolist() == pytest.approx([0.1, 0.1, 0.2, 0.2])
    assert found.kind_labels.tolist() == ["a", "a", "b", "b"]
    assert found.picture_labels.tolist() == ["cat", "dog", "cat", "dog"]


def test_windows_do_not_overlap_and_a_seed_decides():
    found = windows(PICTURES, {"clean": CLEAN}, count=11, size=32)
    assert len({own.sum().item() for own in found.hr}) == 11
    again, other = (windows(PICTURES, KINDS, count=4, size=32, seed=seed) for seed in (0, 1))
    assert torch.equal(found.hr[:4], again.hr)
    assert not torch.equal(again.lr["noise"], other.lr["noise"])


@pytest.mark.parametrize("count", [0, 12])
def test_more_windows_than_there_are_is_refused(count):
    with pytest.raises(ValueError, match="these 3 pictures hold 11"):
        windows(PICTURES, KINDS, count=count, size=32)
