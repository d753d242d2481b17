"""Many maps at once are the maps one by one; networks of the traps, in double precision."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from srlab.attribution.lam import local_attribution, patch_target
from srlab.attribution.many import _groups, local_attributions
from srlab.attribution.objective import in_parts
from srlab.attribution.targets import mask_target, named_measure
from srlab.models import build

NETWORKS = {
    "srresnet": {"channels": 4, "num_blocks": 2},
    "srcnn": {"channels": 4, "mapping_channels": 4},
    "fsrcnn": {"channels": 8, "mapping_channels": 4, "num_blocks": 1},
    "rcan": {"channels": 4, "num_blocks": 1},
}


def image(height=24, width=26):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(1, 3, height, width, generator=generator, dtype=torch.float64)


def network(name, **settings):
    torch.manual_seed(0)
    model = build(name, **{**NETWORKS[name], **settings}).double()
    for weight in model.parameters():
        weight.data = weight.data + 0.05 * torch.randn_like(weight)
    return model


def grid(height, width, size=8):
    """Targets at the corners, between them, and two measures at one place."""
    rows, columns = ((0, (side - size) // 2, side - size - 1) for side in (height, width))
    mask = torch.zeros(height, width, dtype=torch.bool)
    mask[3:7, 10:40] = True
    return [
        *(patch_target(top, left, size) for top in rows for left in columns),
        patch_target(16, 16, size, measure=named_measure("colour")),
        mask_target(mask),
        lambda sr: sr[:, 0].mean(dim=(1, 2)),
    ]


def check(model, lr, targets, **settings):
    together = local_attributions(model, lr, targets, steps=3, **settings)
    assert len(together) == len(targets)
    for found, target in zip(together, targets, strict=True):
        alone = local_attribution(model, lr, target, steps=3)
        assert torch.isfinite(found.map).all()
        torch.testing.assert_close(found.map, alone.map, rtol=1e-9, atol=1e-12)
        assert found.start == pytest.approx(alone.start)
        assert found.end == pytest.approx(alone.end)
        assert found.values == pytest.approx(alone.values)
        assert found.contributions == pytest.approx(alone.contributions, abs=1e-12)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_together_as_alone(name, scale):
    lr = image()
    check(network(name, scale=scale), lr, grid(*(scale * side for side in lr.shape[-2:])))


@pytest.mark.parametrize("batch_size", [2, 3])
def test_batches_of_nodes_change_nothing(batch_size):
    check(network("fsrcnn"), image(), grid(96, 104), batch_size=batch_size)


def test_kept_gradients_are_those_of_each_target():
    model, targets = network("fsrcnn"), grid(96, 104)[:2]
    found = local_attributions(model, image(), targets, steps=2, keep_gradients=True)
    for own in found:
        torch.testing.assert_close(own.accumulated()[-1:], own.map)


def test_targets_that_see_different_pixels_share_a_backward_pass():
    lr = image(48, 48)
    targets = [patch_target(top, left, 8) for top in range(0, 160, 40) for left in (0, 60, 120)]
    groups = {name: _groups(in_parts(network(name)), lr, targets) for name in ("fsrcnn", "rcan")}
    assert len(groups["fsrcnn"]) < len(targets) / 3
    assert len(groups["rcan"]) == len(targets)  # a mean over the picture sees everything
    members = [index for group in groups["fsrcnn"] for index in group.members]
    assert sorted(members) == list(range(len(targets)))


def test_boxes_hold_all_that_a_target_sees():
    model, lr = network("fsrcnn"), image(48, 48)
    targets = [patch_target(top, left, 8) for top in range(0, 160, 40) for left in (0, 60, 120)]
    for group in _groups(in_parts(model), lr, targets):
        for index, box in zip(group.members, group.boxes, strict=True):
            outside = local_attribution(model, lr, targets[index], steps=1).map.clone()
            outside[..., *box] = 0
            assert not outside.any()


def test_any_callable_is_taken_and_left_as_it_was():
    inner = network("srresnet").train()
    check(lambda lr: inner(lr), image(), grid(96, 104))
    local_attributions(inner, image(), grid(96, 104), steps=1)
    assert inner.training
    assert all(weight.requires_grad for weight in inner.parameters())


class Denoiser(nn.Module):
    """Same size, with a residual that sees the picture's mean."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, noisy):
        return noisy - self.conv(noisy) * noisy.mean(dim=(2, 3), keepdim=True)


class Windows(nn.Module):
    """Attention inside 8×8 windows; takes multiples of 8 only; nearest enlargement."""

    def __init__(self):
        super().__init__()
        self.mix = nn.MultiheadAttention(3, 1, batch_first=True)

    def forward(self, lr):
        batch, _, height, width = lr.shape
        if height % 8 or width % 8:
            raise RuntimeError("windows do not fit")
        tiles = lr.reshape(batch, 3, height // 8, 8, width // 8, 8).permute(0, 2, 4, 3, 5, 1)
        tokens = tiles.reshape(-1, 64, 3)
        mixed = tokens + self.mix(tokens, tokens, tokens, need_weights=False)[0]
        tiles = mixed.reshape(batch, height // 8, width // 8, 8, 8, 3).permute(0, 5, 1, 3, 2, 4)
        return F.interpolate(tiles.reshape(lr.shape), scale_factor=2, mode="nearest")


@pytest.mark.parametrize("kind", [Denoiser, Windows])
def test_denoisers_and_transformers_are_explained(kind):
    torch.manual_seed(0)
    model, lr = kind().double(), image(24, 32)
    side = 24 * (2 if kind is Windows else 1)
    targets = [patch_target(0, 0, 8), patch_target(side // 2, side // 2, 6)]
    check(model, lr, targets)
    for found in local_attributions(model, lr, targets, steps=4):
        assert found.map.any()
        assert found.completeness_error < 0.05


@pytest.mark.parametrize("kind", [Denoiser, Windows])
def test_flat_regions_make_neither_nan_nor_a_black_map(kind):
    torch.manual_seed(0)
    lr = image(24, 32)
    lr[..., :10, :] = lr[..., :, :12] = 0.25
    model = kind().double()
    scale = model(lr).shape[-1] // 32
    targets = [patch_target(8 * scale, 10 * scale, 8), patch_target(0, 0, 8)]
    edge, flat = local_attributions(model, lr, targets, steps=4)
    assert torch.isfinite(edge.map).all()
    assert torch.isfinite(flat.map).all()
    assert edge.map.abs().max() > 1e-3


def test_a_size_that_does_not_fit_is_told_about_multiples():
    with pytest.raises(RuntimeError, match="windows") as caught:
        local_attributions(Windows().double(), image(20, 24), [patch_target(0, 0, 4)])
    assert "crop_to_multiple" in caught.value.__notes__[0]


def test_bad_input_is_answered():
    model = network("fsrcnn")
    with pytest.raises(ValueError, match="one LR image"):
        local_attributions(model, image()[0], [patch_target(0, 0)])
    with pytest.raises(ValueError, match="leaves the"):
        local_attributions(model, image(), [patch_target(0, 0), patch_target(90, 0)])
    with pytest.raises(ValueError, match="no_grad"):
        local_attributions(lambda lr: lr.detach(), image(), [patch_target(0, 0, 4)])
    assert local_attributions(model, image(), []) == []
