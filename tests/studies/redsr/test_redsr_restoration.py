import numpy as np
import pytest
import torch

from srlab.degradations import Degradation
from srlab.degradations.filters import upsample
from srlab.degradations.windows import windows
from srlab.metrics import psnr, ssim
from srlab.models import build
from srlab.models.redsr import degradation_vectors
from srlab.studies.redsr.restoration import bicubic, psnr_by_degradation, restored_windows

SMALL = {"channels": 4, "num_groups": 1, "num_blocks": 1, "encoder_channels": 4, "code": 6}
KINDS = {f"{s}": Degradation(scale=4, blur_sigma=s, kernel_size=21) for s in (0.5, 3.0)}
PICTURE = torch.rand(3, 64, 96, generator=torch.Generator().manual_seed(0))
WINDOWS = windows({"noise": PICTURE}, KINDS, count=3, size=32)


def test_a_blind_network_sees_the_windows_alone():
    model = build("redsr", **SMALL).eval()
    narrow, wide = (
        restored_windows(model, WINDOWS.lr["3.0"], kind, batch_size=2) for kind in KINDS.values()
    )
    assert torch.equal(narrow, wide)
    torch.testing.assert_close(narrow, model(WINDOWS.lr["3.0"]).detach(), rtol=1e-4, atol=1e-5)


def test_an_oracle_is_told_the_degradation():
    oracle = build("redsr", **SMALL, oracle=True).eval()
    lr = WINDOWS.lr["3.0"]
    narrow, wide = (restored_windows(oracle, lr, kind, batch_size=2) for kind in KINDS.values())
    assert not torch.allclose(narrow, wide)
    known = oracle.represent_known(degradation_vectors([KINDS["3.0"]] * 3))
    torch.testing.assert_close(wide, oracle.restore(lr, known).detach(), rtol=1e-4, atol=1e-5)


def test_a_foreign_network_keeps_its_layout():
    def foreign(lr):
        return upsample(lr.view(len(lr), -1).view(lr.shape), 4)

    lr = WINDOWS.lr["3.0"]
    assert torch.equal(restored_windows(foreign, lr, KINDS["3.0"]), upsample(lr, 4))


def test_every_window_is_measured_under_every_degradation():
    found = psnr_by_degradation(bicubic(4), WINDOWS, KINDS)
    assert list(found) == list(KINDS)
    for kind, values in found.items():
        expected = psnr(upsample(WINDOWS.lr[kind], 4), WINDOWS.hr, border=4)
        np.testing.assert_allclose(values, expected, rtol=1e-5)
    alike = psnr_by_degradation(bicubic(4), WINDOWS, KINDS, measure=ssim)["0.5"]
    np.testing.assert_allclose(alike, ssim(upsample(WINDOWS.lr["0.5"], 4), WINDOWS.hr, border=4))


def test_windows_that_are_not_there_are_named():
    with pytest.raises(ValueError, match=r"no windows of 9\.0; there are 0\.5, 3\.0"):
        psnr_by_degradation(bicubic(4), WINDOWS, {"9.0": Degradation(scale=4, blur_sigma=9)})
