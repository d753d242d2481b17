import numpy as np
import torch

from srlab.metrics import psnr
from srlab.models import build
from srlab.studies.redsr.borrowed import (
    borrowed_psnr,
    heed_interval,
    picture_codes,
    restored_with,
    spread_and_cost,
)
from srlab.studies.redsr.codes import codes_of

RANDOM = torch.Generator().manual_seed(0)
LR, HR = torch.rand(3, 3, 8, 8, generator=RANDOM), torch.rand(3, 3, 32, 32, generator=RANDOM)
MODEL = build("redsr", channels=4, num_groups=1, num_blocks=1, encoder_channels=4, code=6).eval()
RNG = np.random.default_rng(0)


def test_pictures_of_any_size_have_codes():
    wide = torch.rand(3, 8, 12, generator=RANDOM)
    codes = picture_codes(MODEL, [LR[0], wide])
    np.testing.assert_allclose(codes[:1], codes_of(MODEL, LR[:1]), rtol=1e-5)
    np.testing.assert_allclose(codes[1:], codes_of(MODEL, wide[None]), rtol=1e-5)


def test_a_borrowed_code_is_used():
    codes = codes_of(MODEL, LR)
    sr = restored_with(MODEL, LR[0], codes)
    with torch.no_grad():
        own, other = MODEL(LR[:1]), MODEL.restore(LR[:1], torch.from_numpy(codes[[1]]))
    torch.testing.assert_close(sr[:2], torch.cat([own, other]), rtol=1e-4, atol=1e-5)
    found = borrowed_psnr(MODEL, LR[0], HR[0], codes)
    expected = psnr(torch.cat([own, other]), HR[:1].expand(2, -1, -1, -1), border=4)
    np.testing.assert_allclose(found[:2], expected, atol=1e-4)


def test_the_cost_of_a_kernel_is_told_from_the_spread_of_contents():
    content = 0.1 * RNG.standard_normal((1, 1, 60))
    same = 30 + content + 0.01 * RNG.standard_normal((3, 4, 60))
    spread, cost = spread_and_cost(same, same[:, :, :20] - 0.5)
    assert abs(cost - 0.5) < 1e-9  # although the lenders of both differ
    assert 0.08 < spread < 0.12
    costs, above = heed_interval(same, same[:, :, :20] - 0.5)
    assert costs[0] > 0.49
    assert 0.35 < above[0] < 0.5 - spread < above[1] < 0.45
    costs, above = heed_interval(same, same[:, :, :20])  # a network that heeds no code
    assert costs == (0, 0)
    assert above[1] < 0
