import numpy as np
import pytest
import torch

from srlab.degradations.filters import downsample
from srlab.filter_study import CLEAN, KINDS, examples, restored, restored_psnr
from srlab.models import build

PICTURES = {
    name: torch.rand(3, *size, generator=torch.Generator().manual_seed(seed))
    for seed, (name, size) in enumerate({"a": (70, 101), "b": (64, 64), "c": (40, 33)}.items())
}


def test_windows_are_spread_over_the_pictures_and_cut_from_degraded_wholes():
    found = examples(PICTURES, count=5, size=32)
    assert found.pictures == ("a", "b", "c", "a", "b")
    assert set(found.lr) == set(KINDS)
    reduced = downsample(PICTURES["c"][None, :, :, :32], 2, "bilinear")[0]
    inner = (..., slice(2, 14), slice(2, 14))
    torch.testing.assert_close(found.lr["clean"][2][inner], reduced[:, :16][inner])
    assert found.lr["noise"].shape == (5, 3, 16, 16)
    assert (found.lr["noise"] - found.lr["clean"]).std() == pytest.approx(0.1, rel=0.1)


def test_windows_do_not_overlap_and_a_seed_decides():
    found = examples(PICTURES, {"clean": CLEAN}, count=11, size=32)
    assert len({own.sum().item() for own in found.hr}) == 11
    again, other = (examples(PICTURES, count=4, size=32, seed=seed) for seed in (0, 1))
    assert torch.equal(found.hr[:4], again.hr)
    assert not torch.equal(again.lr["noise"], other.lr["noise"])


@pytest.mark.parametrize("count", [0, 12])
def test_more_windows_than_there_are_is_refused(count):
    with pytest.raises(ValueError, match="these 3 pictures hold 11"):
        examples(PICTURES, count=count, size=32)


def test_outputs_with_other_weights_leave_the_network_alone():
    one, other = (build("srresnet", scale=2, channels=4, num_blocks=1) for _ in range(2))
    kept = {key: tensor.clone() for key, tensor in one.state_dict().items()}
    found = examples(PICTURES, count=3, size=32)
    sr = restored(one, other.state_dict(), found.lr["blur"], batch_size=2)
    torch.testing.assert_close(sr, other(found.lr["blur"]))
    assert all(torch.equal(kept[key], tensor) for key, tensor in one.state_dict().items())
    assert one.training
    quality = restored_psnr(one, kept, found)
    assert quality["JPEG"].shape == (3,)
    assert np.isfinite(quality["JPEG"]).all()
