import numpy as np
import pytest
import torch

from srlab.degradations.windows import windows
from srlab.images import image_to_array
from srlab.metrics import psnr
from srlab.models import build
from srlab.studies.faig.outputs import KINDS, restored, restored_psnr, typical_window

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


def test_the_typical_window_loses_about_as_much_as_all_do_on_average():
    cut = windows(PICTURES, {k: KINDS[k] for k in ("clean", "noise")}, count=3, size=32)
    noise = torch.randn(cut.hr.shape, generator=torch.Generator().manual_seed(0))
    harm = 0.1 * torch.tensor([0.2, 1, 5])[:, None, None, None] * noise
    networks = {"slight": lambda _: cut.hr + 0.01 * noise, "harmed": lambda _: cut.hr + harm}
    panels, notes = typical_window(networks, cut)
    assert list(panels) == [(kind, name) for kind in cut.lr for name in networks]
    np.testing.assert_array_equal(panels["noise", "harmed"], image_to_array((cut.hr + harm)[1]))
    expected = psnr(cut.hr + harm, cut.hr, border=2)[1].item()
    assert float(notes["clean", "harmed"].removesuffix(" dB")) == pytest.approx(expected, abs=0.06)
