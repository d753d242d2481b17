import numpy as np
import torch

from srlab.metrics import psnr
from srlab.models import build
from srlab.studies.redsr.borrowed import borrowed_changes, restored_with
from srlab.studies.redsr.codes import codes_of

RANDOM = torch.Generator().manual_seed(0)
LR, HR = torch.rand(3, 3, 8, 8, generator=RANDOM), torch.rand(3, 3, 32, 32, generator=RANDOM)
MODEL = build("redsr", channels=4, num_groups=1, num_blocks=1, encoder_channels=4, code=6).eval()
CODES = {"sharp": codes_of(MODEL, LR), "blurred": codes_of(MODEL, LR.flip(0))}


def test_ones_own_code_changes_nothing():
    lenders = {"sharp": np.array([0, 1]), "blurred": np.array([2])}
    found = borrowed_changes(MODEL, (LR[:2], HR[:2]), CODES, "sharp", lenders)
    assert {kind: changes.shape for kind, changes in found.items()} == {
        "sharp": (2, 2),
        "blurred": (2, 1),
    }
    np.testing.assert_allclose(np.diag(found["sharp"]), 0, atol=1e-5)
    np.testing.assert_allclose(found["blurred"][0], 0, atol=1e-5)  # window 2 flipped is window 0


def test_a_borrowed_code_is_used():
    sr = restored_with(MODEL, LR[0], CODES["sharp"])
    with torch.no_grad():
        other = MODEL.restore(LR[:1], torch.from_numpy(CODES["sharp"][[1]]))
    torch.testing.assert_close(sr[[1]], other, rtol=1e-4, atol=1e-5)
    lenders = {"sharp": np.array([1])}
    found = borrowed_changes(MODEL, (LR[:1], HR[:1]), CODES, "sharp", lenders)["sharp"].item()
    expected = psnr(other, HR[:1], border=4) - psnr(MODEL(LR[:1]), HR[:1], border=4)
    assert abs(found - expected.item()) < 1e-4
