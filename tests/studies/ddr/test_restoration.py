import numpy as np
import pytest
import torch

from srlab.degradations import Degradation
from srlab.degradations.filters import blur, shift, upsample
from srlab.metrics import psnr
from srlab.studies.ddr.parts import parts, without
from srlab.studies.ddr.restoration import Restorations, left_share

FULL = Degradation(
    scale=2, blur_sigma=1.5, blur_sigma_y=1.0, noise_sigma=0.05, jpeg_quality=40, shift=(1.0, 0.5)
)
HR = blur(torch.rand(3, 3, 32, 40, generator=torch.Generator().manual_seed(0)), 1.0)


def enlarged(lr):
    return upsample(lr, 2)


def trial(conditions, **methods):
    return Restorations({"bicubic": enlarged, **methods}, HR, conditions, batch_size=2)


def test_a_degradation_is_made_of_its_parts():
    assert parts(FULL) == ("blur", "noise", "JPEG")
    assert parts(Degradation(scale=2, shift=(1.0, 0.5))) == ()
    assert parts(Degradation(blur_sigma_y=1.0)) == ("blur",)


@pytest.mark.parametrize("part", ["blur", "noise", "JPEG"])
def test_without_a_part_the_others_stay(part):
    rest = without(FULL, part)
    assert set(parts(rest)) == set(parts(FULL)) - {part}
    assert (rest.scale, rest.shift) == (FULL.scale, FULL.shift)
    assert without(rest, part) == rest
    assert without(FULL) == FULL


def test_no_other_part_is_known():
    with pytest.raises(ValueError, match="blur, noise, JPEG, not haze"):
        without(FULL, "haze")


def test_bicubic_enlargement_leaves_all_of_every_part():
    run = trial({"all": FULL})
    for part in run.parts("all"):
        assert run.left("bicubic", "all", part).value == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.4])
def test_what_a_method_passes_on_is_what_is_left(share):
    """A method that knows the blurred picture, and passes a share of what noise adds to it."""
    noisy = Degradation(scale=2, blur_sigma=2.0, noise_sigma=0.1)
    blurred = enlarged(trial({"": without(noisy, "noise")}).lr(""))

    def method(lr):
        rows = torch.cdist(enlarged(lr).flatten(1), blurred.flatten(1)).argmin(dim=1)
        return blurred[rows] + share * (enlarged(lr) - blurred[rows])

    left = trial({"noisy": noisy}, passing=method).left("passing", "noisy", "noise")
    assert left.value == pytest.approx(share, abs=1e-5)
    assert left.interval == pytest.approx((share, share), abs=1e-5)


def test_a_method_that_ignores_its_input_leaves_nothing():
    run = trial({"noise": Degradation(scale=2, noise_sigma=0.1)}, grey=lambda lr: 0 * enlarged(lr))
    assert run.left("grey", "noise", "noise").value == 0


def test_the_same_noise_falls_on_a_picture_with_and_without_its_blur():
    run = trial({"both": Degradation(scale=2, blur_sigma=2.0, noise_sigma=0.1)})
    noise = run.lr("both") - run.lr("both", "noise")
    torch.testing.assert_close(run.lr("both", "blur") - run.lr("both", "blur", "noise"), noise)
    assert noise.std().item() == pytest.approx(0.1, rel=0.1)
    assert (noise[0] - noise[1]).abs().max() > 0.1


def test_quality_is_measured_on_the_shifted_grid():
    run = trial({"moved": Degradation(scale=2, shift=(3.0, -2.0))})
    moved = shift(HR, 3.0, -2.0)
    expected = psnr(enlarged(run.lr("moved")), moved, border=2)
    np.testing.assert_allclose(run.quality("bicubic", "moved"), expected)
    assert expected.min() > psnr(moved, HR, border=2).max()


def test_each_picture_may_have_its_own_degradation():
    drawn = [Degradation(scale=2, noise_sigma=sigma) for sigma in (0.0, 0.05, 0.1)]
    run = trial({"own": drawn})
    spread = (run.lr("own") - run.lr("own", "noise")).std(dim=(1, 2, 3))
    torch.testing.assert_close(spread, torch.tensor([0.0, 0.05, 0.1]), rtol=0.1, atol=0)
    assert run.parts("own") == ("noise",)


def test_a_method_sees_each_input_once():
    seen = []
    run = trial({"a": FULL}, spy=lambda lr: seen.append(len(lr)) or enlarged(lr))
    for part in ("noise", "noise", "blur"):
        run.left("spy", "a", part)
        run.quality("spy", "a")
    assert sum(seen) == 3 * len(HR)


def test_the_interval_holds_the_share():
    left = left_share(np.array([1.0, 2.0, 6.0]), np.array([4.0, 4.0, 4.0]))
    low, high = left.interval
    assert 0.25 <= low < left.value == 0.75 < high <= 1.5


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ValueError, match="has no JPEG"):
        trial({"noise": Degradation(scale=2, noise_sigma=0.1)}).left("bicubic", "noise", "JPEG")
    with pytest.raises(ValueError, match="one for each"):
        trial({"noise": [Degradation(scale=2)] * 2})
    with pytest.raises(ValueError, match="of one scale"):
        trial({"noise": [Degradation(scale=2)] * 2 + [Degradation(scale=4)]})


def test_difference_of_shares_of_one_method():
    given, noise = np.array([1.0, 2.0, 3.0]), np.array([0.1, -0.1, 0.2])
    much, little = (left_share(share * given + noise, given) for share in (0.9, 0.2))
    assert much.minus(little) == pytest.approx((0.7, 0.7))
    assert little.minus(little) == (0, 0)


def test_what_does_nothing_leaves_no_more_of_one_noise_than_of_another():
    levels = {"weak": 0.02, "strong": 0.1}
    run = trial({k: Degradation(scale=2, noise_sigma=sigma) for k, sigma in levels.items()})
    weak, strong = (run.left("bicubic", kind, "noise") for kind in ("weak", "strong"))
    assert strong.minus(weak) == pytest.approx((0, 0), abs=1e-4)
