"""What can be asked of a network, what is refused, and several networks at once."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.attribution.paths import deblur, straight
from srlab.attribution.targets import brightness, colour, frequency_band
from srlab.images import image_to_array
from srlab.networks.advice import AdvisedError
from srlab.networks.contract import ContractError
from srlab.pages.explain import compare, prepare, reduce_picture
from srlab.pages.maps import _doubts


def explain(network, lr, *, path=None, **asked):
    return prepare(network, lr, **asked).answer(path)


class Enlarge(nn.Module):
    """Bilinear, ×`scale`; breaks when told to."""

    def __init__(self, scale: int = 2) -> None:
        super().__init__()
        self.scale, self.broken = scale, False

    def forward(self, lr: Tensor) -> Tensor:
        if self.broken:
            raise RuntimeError("out of memory")
        return F.interpolate(lr, scale_factor=self.scale, mode="bilinear")


class OfOneSize(Enlarge):
    """Takes `side` × `side` pixels, nothing else."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, lr: Tensor) -> Tensor:
        if lr.shape[-2:] != (self.side, self.side):
            raise RuntimeError("windows do not fit")
        return super().forward(lr)


class Pooled(Enlarge):
    """Repeats pixels, which leaves flat steps, and sees all of the picture by its mean."""

    def forward(self, lr: Tensor) -> Tensor:
        gate = lr.mean(dim=(2, 3), keepdim=True).sigmoid()
        return F.interpolate(lr * gate, scale_factor=self.scale, mode="nearest")


class Deep(Enlarge):
    """Keeps 100 activations of the picture for its gradient."""

    def forward(self, lr: Tensor) -> Tensor:
        for _ in range(100):
            lr = lr + 0.001 * lr.sigmoid()
        return super().forward(lr)


def test_a_picture_whose_gradient_outgrows_the_memory_is_refused_beforehand(monkeypatch):
    """What is free takes a crop; a small picture is not asked about."""
    monkeypatch.setattr("srlab.pages.explain.free_memory", lambda _: 10**7)
    large = waves(0.3, 200, 200)
    with pytest.raises(AdvisedError, match=r"takes at least 0\.1 GB .*crop=(\d+)") as refused:
        prepare(Deep(), large)
    side = int(str(refused.value).partition("crop=")[2])
    assert 40 <= side <= 100
    kept = prepare(Deep(), large, crop=side).contract.kept
    assert 100 * 3 * 4 * side**2 <= kept <= 10**7
    assert prepare(Deep(), waves(0.3)).contract.kept > 0


class InBlocks(Enlarge):
    """The same in ten modules, which can be run again."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(nn.Sequential(*[Faded()] * 10) for _ in range(10)))

    def forward(self, lr: Tensor) -> Tensor:
        return super().forward(self.blocks(lr))


class Faded(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + 0.001 * x.sigmoid()


def test_what_fits_only_if_it_is_computed_again_is(monkeypatch):
    large, path = waves(0.3, 200, 200), deblur(steps=2)
    plain = prepare(InBlocks(), large)
    monkeypatch.setattr("srlab.pages.explain.free_memory", lambda _: plain.contract.kept // 2)
    short = prepare(InBlocks(), large)
    assert (plain.recompute, short.recompute) == (False, True)
    assert 0 < short.contract.kept < plain.contract.kept / 2
    torch.testing.assert_close(short.answer(path).map, plain.answer(path).map)
    told, *_ = _doubts({"net": short})
    assert "net: not all that a gradient needs fits" in f"{told}"
    assert f"{told}".endswith("takes longer than crop=128")


def waves(contrast: float, height: int = 36, width: int = 44) -> Tensor:
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    phases = torch.tensor([0.0, 1.0, 2.0])[:, None, None]
    return 0.5 + contrast * torch.sin((rows + columns) / 1.5 + phases)[None]


@pytest.mark.parametrize("kind", [Enlarge, Pooled])
@pytest.mark.parametrize("measure", [frequency_band(), colour, brightness])
@pytest.mark.parametrize("contrast", [0.3, 1e-3])
def test_a_weak_target_is_explained(kind, measure, contrast):
    found = explain(kind(), waves(contrast), measure=measure)
    assert found.map.any()
    assert found.completeness_error < 0.05
    assert math.isfinite(found.diffusion_index)


@pytest.mark.parametrize("kind", [Enlarge, Pooled])
@pytest.mark.parametrize("level", [0.0, 99 / 255, 1.0])
@pytest.mark.parametrize("path", [deblur, partial(straight, "blur")])
def test_a_flat_picture_is_refused(kind, level, path):
    with pytest.raises(ValueError, match="picture is flat wherever"):
        explain(kind(), torch.full((1, 3, 30, 30), level), path=path(steps=3))


@pytest.mark.filterwarnings("ignore::srlab.attribution.integral.InexactWarning")
def test_a_target_that_rounding_made_is_refused():
    grey = waves(0.3)[:, :1].expand(-1, 3, -1, -1)
    with pytest.raises(ValueError, match="nothing of what is asked"):
        explain(Enlarge(), grey, measure=colour, path=deblur(steps=3))
    black = straight("black", steps=3)
    with pytest.raises(ValueError, match="nothing of what is asked"):
        explain(Enlarge(), torch.full((1, 3, 30, 30), 0.3), path=black)


@pytest.mark.parametrize("kind", [Enlarge, Pooled])
def test_flat_surroundings_make_neither_nan_nor_a_black_map(kind):
    lr = waves(0.3)
    lr[..., :14, :] = lr[..., :, :18] = 0.25
    found = explain(kind(), lr, patch=(24, 32, 16))
    assert torch.isfinite(found.map).all()
    assert found.map.abs().max() > 1e-3
    if kind is Enlarge:
        with pytest.raises(ValueError, match="flat"):
            explain(kind(), lr, patch=(2, 2, 8))


def test_a_mask_of_the_image_or_of_the_patch_says_what_counts():
    lr = waves(0.3)
    mask = torch.zeros(72, 88, dtype=torch.bool)
    mask[20:26, 30:50] = True
    whole = explain(Enlarge(), lr, measure=mask, path=deblur(steps=4))
    assert (whole.target.top, whole.target.left, whole.target.shape) == (20, 30, (6, 20))
    inside = explain(Enlarge(), lr, measure=mask, patch=(16, 30, 20), path=deblur(steps=4))
    part = explain(
        Enlarge(), lr, measure=mask[16:36, 30:50], patch=(16, 30, 20), path=deblur(steps=4)
    )
    for other in (inside, part):
        torch.testing.assert_close(other.map, whole.map)


def test_a_picture_is_cut_around_a_mask():
    lr = waves(0.3)
    mask = torch.zeros(72, 88, dtype=torch.bool)
    mask[20:26, 30:50] = True
    found = explain(Enlarge(), lr, measure=mask, crop=20, path=deblur(steps=2))
    assert found.lr.shape[-2:] == (20, 20)
    assert found.target.shape == (6, 20)
    with pytest.raises(ValueError, match="6×20 SR pixels: cut out at least 12"):
        explain(Enlarge(), lr, measure=mask, crop=8)


@pytest.mark.parametrize(
    ("mask", "says"),
    [
        (torch.ones(5, 7, dtype=torch.bool), "5×7 pixels; it needs 72×88 as the SR image or 16×16"),
        (torch.zeros(72, 88, dtype=torch.bool), "empty"),
        (torch.zeros(16, 16, dtype=torch.bool), "black all over"),
    ],
)
def test_masks_that_do_not_fit_are_answered(mask, says):
    with pytest.raises(ValueError, match=says):
        prepare(Enlarge(), waves(0.3), measure=mask)


def test_a_network_that_fails_costs_the_others_nothing():
    networks = {"one": Enlarge(), "two": Pooled(), "three": Enlarge()}
    questions = {name: prepare(network, waves(0.3)) for name, network in networks.items()}
    networks["one"].broken = True
    compared = compare(questions, deblur(steps=2))
    assert list(compared.found) == ["two", "three"]
    assert compared.failed == {"one": "out of memory"}
    networks["three"].broken = True
    del questions["two"]
    with pytest.raises(ValueError, match="one: out of memory; three: out of memory"):
        compare(questions, deblur(steps=2))


def test_networks_of_several_scales_have_no_patch_in_common():
    questions = {f"x{scale}": prepare(Enlarge(scale), waves(0.3)) for scale in (2, 3)}
    with pytest.raises(ValueError, match="one scale, these enlarge by: x2 ×2, x3 ×3"):
        compare(questions)


@pytest.mark.parametrize("side", [20, 32])
def test_a_network_of_one_size_is_tried_on_the_crop_that_was_asked_for(side):
    found = explain(
        OfOneSize(side), waves(0.3), patch=(20, 30, 16), crop=side, path=deblur(steps=2)
    )
    plain = explain(Enlarge(), waves(0.3), patch=(20, 30, 16), crop=side, path=deblur(steps=2))
    torch.testing.assert_close(found.map, plain.map)
    with pytest.raises(ContractError, match="windows do not fit"):
        explain(OfOneSize(side), waves(0.3), crop=side + 1)


def test_a_picture_that_requires_grad_is_explained_and_saved(tmp_path):
    lr = waves(0.3)
    given = explain(Enlarge(), lr.clone().requires_grad_(), path=deblur(steps=2))
    given.save(tmp_path / "map.npz")
    torch.testing.assert_close(given.map, explain(Enlarge(), lr, path=deblur(steps=2)).map)


def test_reducing_is_pillows_bicubic_on_the_picture_in_8_bits():
    hr = torch.rand(1, 3, 43, 50, generator=torch.Generator().manual_seed(0))
    lr = reduce_picture(hr, 4)
    whole = Image.fromarray(image_to_array(hr[0, :, :40, :48]))
    expected = np.array(whole.resize((12, 10), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(lr[0].mul(255).permute(1, 2, 0), expected)
    assert reduce_picture(hr, 1) is hr
    with pytest.raises(ValueError, match="at least 1, got 0"):
        reduce_picture(hr, 0)
