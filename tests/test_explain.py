"""What can be asked of a network, what is refused, and several networks at once."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.attribution.targets import brightness, colour, frequency_band
from srlab.explain import compare, explain, prepare


class Enlarge(nn.Module):
    """Bilinear, ×`scale`; breaks when told to."""

    def __init__(self, scale: int = 2) -> None:
        super().__init__()
        self.scale, self.broken = scale, False

    def forward(self, lr: Tensor) -> Tensor:
        if self.broken:
            raise RuntimeError("out of memory")
        return F.interpolate(lr, scale_factor=self.scale, mode="bilinear")


class Pooled(Enlarge):
    """Repeats pixels, which leaves flat steps, and sees all of the picture by its mean."""

    def forward(self, lr: Tensor) -> Tensor:
        gate = lr.mean(dim=(2, 3), keepdim=True).sigmoid()
        return F.interpolate(lr * gate, scale_factor=self.scale, mode="nearest")


def waves(contrast: float, height: int = 36, width: int = 44) -> Tensor:
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    phases = torch.tensor([0.0, 1.0, 2.0])[:, None, None]
    return 0.5 + contrast * torch.sin((rows + columns) / 1.5 + phases)[None]


@pytest.mark.parametrize("kind", [Enlarge, Pooled])
@pytest.mark.parametrize("measure", [frequency_band(), colour, brightness])
@pytest.mark.parametrize("contrast", [0.3, 1e-3])
def test_a_weak_target_is_explained(kind, measure, contrast):
    found = explain(kind(), waves(contrast), measure=measure)
    assert found.attribution.map.any()
    assert found.attribution.completeness_error < 0.05
    assert math.isfinite(found.diffusion_index)


@pytest.mark.parametrize("kind", [Enlarge, Pooled])
@pytest.mark.parametrize("level", [0.0, 99 / 255, 1.0])
@pytest.mark.parametrize("path", ["deblur", "linear"])
def test_a_flat_picture_is_refused(kind, level, path):
    with pytest.raises(ValueError, match="picture is flat wherever"):
        explain(kind(), torch.full((1, 3, 30, 30), level), path=path, steps=3)


def test_a_target_that_rounding_made_is_refused():
    grey = waves(0.3)[:, :1].expand(-1, 3, -1, -1)
    with pytest.raises(ValueError, match="nothing of what is asked"):
        explain(Enlarge(), grey, measure=colour, steps=3)
    black = {"path": "linear", "baseline": "black", "steps": 3}
    with pytest.raises(ValueError, match="nothing of what is asked"):
        explain(Enlarge(), torch.full((1, 3, 30, 30), 0.3), **black)


@pytest.mark.parametrize("kind", [Enlarge, Pooled])
def test_flat_surroundings_make_neither_nan_nor_a_black_map(kind):
    lr = waves(0.3)
    lr[..., :14, :] = lr[..., :, :18] = 0.25
    found = explain(kind(), lr, patch=(24, 32, 16))
    assert torch.isfinite(found.attribution.map).all()
    assert found.attribution.map.abs().max() > 1e-3
    if kind is Enlarge:
        with pytest.raises(ValueError, match="flat"):
            explain(kind(), lr, patch=(2, 2, 8))


def test_a_mask_of_the_image_or_of_the_patch_says_what_counts():
    lr = waves(0.3)
    mask = torch.zeros(72, 88, dtype=torch.bool)
    mask[20:26, 30:50] = True
    whole = explain(Enlarge(), lr, measure=mask, steps=4)
    assert (whole.target.top, whole.target.left, whole.target.shape) == (20, 30, (6, 20))
    inside = explain(Enlarge(), lr, measure=mask, patch=(16, 30, 20), steps=4)
    part = explain(Enlarge(), lr, measure=mask[16:36, 30:50], patch=(16, 30, 20), steps=4)
    for other in (inside, part):
        torch.testing.assert_close(other.attribution.map, whole.attribution.map)


def test_a_picture_is_cut_around_a_mask():
    lr = waves(0.3)
    mask = torch.zeros(72, 88, dtype=torch.bool)
    mask[20:26, 30:50] = True
    found = explain(Enlarge(), lr, measure=mask, crop=20, steps=2)
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
    compared = compare(questions, steps=2)
    assert list(compared.found) == ["two", "three"]
    assert compared.failed == {"one": "out of memory"}
    networks["three"].broken = True
    with pytest.raises(ValueError, match="two: unknown quadrature rule"):
        compare(questions, rule="wrong")


def test_networks_of_several_scales_have_no_patch_in_common():
    questions = {f"x{scale}": prepare(Enlarge(scale), waves(0.3)) for scale in (2, 3)}
    with pytest.raises(ValueError, match="one scale, these enlarge by: x2 ×2, x3 ×3"):
        compare(questions)
