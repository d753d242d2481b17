import numpy as np
import pytest
import torch

from srlab.degradations.windows import windows
from srlab.models import build
from srlab.studies.faig.outputs import KINDS, first_window, restored, restored_psnr

PICTURES = {
    name: torch.rand(3, *size, generator=torch.Generator().manual_seed(seed))
    for seed, (name, size) in enumerate({"a": (70, 101), "b": (64, 64), "c": (40, 33)}.items())
}


def test_outputs_with_other_weights_leave_the_network_alone():
    one, other = (build("srresnet", scale=2, channels=4, num_blocks=1) for _ in range(2))
    kept = {key: tensor.clone() for key, tensor in one.state_dict().items()}
    found = windows(PICTURES, KINDS, count=3, size=32)
    sr = restored(one, other.state_dict(), found.lr["blur"], batch_size=2)
    torch.testing.assert_close(sr, other(found.lr["blur"]))
    assert all(torch.equal(kept[key], tensor) for key, tensor in one.state_dict().items())
    assert one.training
    quality = restored_psnr(one, kept, found)
    assert quality["JPEG"].shape == (3,)
    assert np.isfinite(quality["JPEG"]).all()


def test_the_first_window_has_a_row_for_each_kind_and_a_column_for_each_network():
    cut = windows(PICTURES, {k: KINDS[k] for k in ("clean", "noise")}, count=2, size=32)
    model = build("srresnet", scale=2, channels=4, num_blocks=1).eval()
    panels, notes = first_window({"one": model, "truth": lambda _: cut.hr[:1]}, cut)
    assert list(panels) == [(kind, name) for kind in cut.lr for name in ("one", "truth")]
    assert panels["noise", "one"].shape == (32, 32, 3)
    expected = restored_psnr(model, model.state_dict(), cut)["noise"][0]
    assert float(notes["noise", "one"].removesuffix(" dB")) == pytest.approx(expected, abs=0.06)
    assert notes["clean", "truth"] == "inf dB"
