"""Laws of local attribution maps, on tiny networks in double precision."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from srlab.attribution.lam import diffusion_index, gini, lam, lams, lams_of_whole, magnitude
from srlab.attribution.paths import deblur, straight
from srlab.attribution.targets import gradient_magnitude, patch
from srlab.capture import frozen
from srlab.models import build

# Few steps and small networks are what these laws need; what is not exact is told elsewhere.
pytestmark = pytest.mark.filterwarnings("ignore::srlab.attribution.integral.InexactWarning")

NETWORKS = {
    "srresnet": {"channels": 8, "num_blocks": 2},
    "srcnn": {"channels": 4, "mapping_channels": 4},
    "fsrcnn": {"channels": 8, "mapping_channels": 4, "num_blocks": 1},
}


def image(height=20, width=24):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(1, 3, height, width, generator=generator, dtype=torch.float64)


def network(name="srresnet", **settings):
    torch.manual_seed(0)
    model = build(name, **{**NETWORKS[name], **settings}).double()
    for weight in model.parameters():  # the small initial tails hide what the body does
        weight.data = weight.data + 0.05 * torch.randn_like(weight)
    return model


def attribution(values):
    return torch.as_tensor(values, dtype=torch.float64)[None]


def relative(a, b):
    return ((a - b).abs().sum() / b.abs().sum()).item()


def test_target_sums_forward_differences_in_its_window_only():
    sr = image(12, 12)
    value = patch(2, 3, 4)(sr)
    expected = sum(
        np.hypot(
            (sr[0, c, y + 1, x] - sr[0, c, y, x]).item(),
            (sr[0, c, y, x + 1] - sr[0, c, y, x]).item(),
        )
        for c in range(3)
        for y in range(2, 6)
        for x in range(3, 7)
    )
    assert value.shape == (1,)
    assert value.item() == pytest.approx(expected)


def test_flat_places_have_zero_gradient():
    window = torch.full((1, 3, 5, 5), 0.5, dtype=torch.float64)
    window[..., 3, 3] = 1.0
    window.requires_grad_()
    (gradient,) = torch.autograd.grad(gradient_magnitude(window).sum(), window)
    assert torch.isfinite(gradient).all()
    assert gradient[..., :2, :2].eq(0).all()
    assert gradient[..., 3, 3].ne(0).all()


@pytest.mark.parametrize(
    "path",
    [
        deblur(steps=64),
        straight("blur", steps=64),
        straight("black", steps=64),
        straight(1 - image(), steps=64),
        straight(lambda lr: lr.flip(-1), steps=64),
    ],
)
def test_the_map_sums_to_what_the_target_gained(path):
    model, lr, target = network(), image(), patch(24, 32, 8)
    found = lam(model, lr, target, path=path)
    assert found.map.shape == lr.shape
    assert found.end == pytest.approx(target(model(lr)).item())
    assert found.end - found.start == pytest.approx(found.map.sum().item(), rel=0.01)
    assert found.completeness_error < 0.01


def test_baselines_start_where_they_say():
    model, lr, target = network(), image(), patch(24, 32, 8)
    black = lam(model, lr, target, path=straight("black", steps=1))
    assert black.start == pytest.approx(target(model(torch.zeros_like(lr))).item())
    blurred, linear = (
        lam(model, lr, target, path=path).start
        for path in (deblur(steps=1), straight("blur", steps=1))
    )
    assert blurred == pytest.approx(linear)


def test_the_published_rule_is_a_special_case():
    model, lr, steps = network(), image(), 10

    def smoothed(sigma):
        offsets = np.arange(-4, 5)
        bell = np.exp(-(offsets**2) / (2 * max(sigma, 1e-9) ** 2))
        kernel = torch.from_numpy(np.outer(bell, bell) / bell.sum() ** 2)[None, None]
        padded = F.pad(lr, (4, 4, 4, 4), mode="reflect").transpose(0, 1)
        return F.conv2d(padded, kernel).transpose(0, 1)

    expected = torch.zeros_like(lr)
    for step in range(1, steps + 1):
        before = smoothed(1.2 * (1 - (step - 1) / steps))
        after = smoothed(1.2 * (1 - step / steps)).requires_grad_()
        sr = model(after)
        down, right = sr[..., 1:, :-1] - sr[..., :-1, :-1], sr[..., :-1, 1:] - sr[..., :-1, :-1]
        (down**2 + right**2).sqrt()[..., 24:32, 32:40].sum().backward()
        expected += after.grad * (after - before).detach()
    found = lam(model, lr, patch(24, 32, 8), path=deblur(rule="right", steps=steps))
    assert relative(found.map, expected) < 1e-6


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("corner", [(0, 0), (0, 87), (71, 0), (71, 87), (30, 41)])
def test_a_network_and_a_function_that_calls_it_have_one_map(name, corner):
    model, lr, target = network(name), image(), patch(*corner, 8)
    cropped = lam(model, lr, target, path=deblur(steps=3))
    whole = lam(lambda lr: model(lr), lr, target, path=deblur(steps=3))
    assert whole.map.any()
    assert relative(cropped.map, whole.map) < 1e-9
    assert cropped.end == pytest.approx(whole.end)


@pytest.mark.parametrize("path", [deblur(steps=3), straight(steps=2)])
def test_many_targets_together_have_the_maps_of_each_alone(path):
    model, targets = network(), [patch(4, 8, 8), patch(40, 70, 16)]
    together = lams_of_whole(model, image(), targets, path=path)
    for one, alone in zip(together, lams(model, image(), targets, path=path), strict=True):
        torch.testing.assert_close(one.map, alone.map)
        assert (one.start, one.end) == pytest.approx((alone.start, alone.end))
        assert one.map_error == pytest.approx(alone.map_error)
        assert one.target is alone.target
    with pytest.raises(ValueError, match="deblur"):
        lams_of_whole(model, image(), targets, path=deblur())


def test_nothing_outside_the_receptive_field():
    model, lr = network("fsrcnn"), image(40, 40)
    found = lam(model, lr, patch(76, 76, 8), path=deblur(steps=2))
    seen = found.map[0].abs().sum(dim=0).nonzero()
    reach = 2 + 1 + 3  # 5×5 head, one 3×3 mapping layer, 9×9 transposed tail
    assert seen.min() >= 76 // 4 - reach
    assert seen.max() <= 84 // 4 + reach
    assert len(seen) > 16


def test_kept_gradients_show_the_map_grow():
    model, lr, target = network(), image(), patch(24, 32, 8)
    found = lam(model, lr, target, path=deblur(steps=5), keep_gradients=True, batch_size=2)
    grown = found.accumulated()
    assert grown.shape == found.gradients.shape == (5, 3, 20, 24)
    assert torch.allclose(grown[-1:], found.map)
    assert grown.sum(dim=(1, 2, 3)).numpy() == pytest.approx(found.contributions.cumsum())
    with pytest.raises(ValueError, match="keep_gradients=True"):
        lam(model, lr, target, path=deblur(steps=1)).accumulated()


def test_batches_of_nodes_change_nothing():
    model, lr, target = network(), image(), patch(24, 32, 8)
    maps = [lam(model, lr, target, path=deblur(steps=5), batch_size=n).map for n in (1, 2, 8)]
    assert relative(maps[1], maps[0]) < 1e-9
    assert relative(maps[2], maps[0]) < 1e-9


def test_the_model_is_left_as_it_was():
    model = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.Conv2d(6, 3, 1))
    model.double().train()
    model[1].eval()
    model[0].bias.requires_grad_(False)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    lr = image()
    given = lr.clone()
    for target, error in ((patch(4, 4, 4), None), (patch(99, 0), ValueError)):
        if error is None:
            lam(model, lr, target, path=deblur(steps=2))
        else:
            with pytest.raises(error):
                lam(model, lr, target, path=deblur(steps=2))
        assert [module.training for module in model.modules()] == [True, True, False, True]
        assert [w.requires_grad for w in model.parameters()] == [
            True,
            False,
            True,
            True,
            True,
            True,
        ]
        assert all(weight.grad is None for weight in model.parameters())
        assert all(torch.equal(state[name], t) for name, t in model.state_dict().items())
    assert torch.equal(lr, given)
    assert not lr.requires_grad


def test_frozen_freezes():
    model = network()
    with frozen(model):
        assert not model.training
        assert not any(weight.requires_grad for weight in model.parameters())
    assert model.training
    assert all(weight.requires_grad for weight in model.parameters())


class Flattening(nn.Module):
    """Global pooling in front: every pixel reaches every other; nearest: exactly flat output."""

    def forward(self, lr):
        gate = lr.mean(dim=(2, 3), keepdim=True).sigmoid()
        return F.interpolate(lr * gate, scale_factor=4, mode="nearest")


def test_exactly_flat_sr_pixels_make_no_nan():
    found = lam(Flattening(), image(), patch(24, 32, 8), path=deblur(tolerance=0.02))
    assert torch.isfinite(found.map).all()
    assert found.map.abs().gt(0).float().mean() > 0.9
    assert found.completeness_error < 0.02


def test_a_flat_image_has_an_empty_map():
    flat = torch.full((1, 3, 16, 16), 0.5, dtype=torch.float64)
    found = lam(Flattening(), flat, patch(16, 16, 8))
    assert found.map.abs().max() < 1e-12
    assert found.start == pytest.approx(0, abs=1e-4)
    empty = attribution(torch.zeros(3, 4, 4))
    assert not magnitude(empty).any()
    assert np.isnan(diffusion_index(empty))


def test_networks_that_work_in_place_are_explained_too():
    def overwrites(lr):
        lr *= 2
        return F.interpolate(lr, scale_factor=2)

    found = lam(overwrites, image(), patch(8, 8, 8), path=deblur(steps=2))
    assert found.map.any()


def test_any_target_is_taken():
    lr = image()
    found = lam(network(), lr, lambda sr: sr[:, 0].mean(dim=(1, 2)), path=deblur(steps=32))
    scalar = lam(network(), lr, lambda sr: sr[:, 0].mean(), path=deblur(steps=32))
    assert torch.equal(found.map, scalar.map)
    bright = patch(8, 8, 4, measure=lambda window: window.mean(dim=(1, 2, 3)))
    assert lam(network(), lr, bright, path=deblur(tolerance=0.01)).completeness_error < 0.01


def test_float32_follows_the_input():
    found = lam(network().float(), image().float(), patch(24, 32, 8))
    assert found.map.dtype == torch.float32


def test_magnitude_shows_what_the_public_code_shows():
    signed = torch.tensor([[[1.0, -3.0]], [[-1.0, -1.0]], [[2.0, 0.0]]])
    found = lam(network(), image(), patch(24, 32, 8), path=deblur(steps=1))
    assert torch.equal(magnitude(found), magnitude(found.map))
    assert magnitude(attribution(signed)).tolist() == [[0.5, 1.0]]
    assert magnitude(attribution(signed), channels="absolute").tolist() == [[1.0, 1.0]]
    with pytest.raises(ValueError, match="channels"):
        magnitude(attribution(signed), channels="mean")


def test_gini_is_half_the_mean_difference():
    amounts = image().flatten()[:50]
    mean_difference = (amounts[:, None] - amounts[None]).abs().mean()
    assert gini(amounts) == pytest.approx((mean_difference / (2 * amounts.mean())).item())


def test_diffusion_index_of_known_maps():
    assert diffusion_index(attribution(torch.ones(3, 8, 8))) == pytest.approx(100)
    one = torch.zeros(3, 8, 8)
    one[:, 2, 2] = -1
    assert diffusion_index(attribution(one)) == pytest.approx(100 / 64, abs=0.01)
    two = one.clone()
    two[:, 5, 5] = 1
    assert diffusion_index(attribution(two)) == pytest.approx(200 / 64, abs=0.01)


def scaled(height, width):
    return lambda lr: F.interpolate(lr, size=(height, width))


@pytest.mark.parametrize(
    ("model", "error", "says"),
    [
        (lambda lr: (lr, lr), ValueError, r"returns a tuple .*derive a network"),
        (lambda lr: lr.mean(dim=1, keepdim=True), ValueError, "B, 3, h, w"),
        (scaled(40, 24), ValueError, "no whole multiple"),
        (scaled(50, 60), ValueError, "no whole multiple"),
        (scaled(10, 12), ValueError, "no whole multiple"),
        (lambda lr: lr * torch.nan, ValueError, "output holds NaN or infinity"),
        (lambda lr: lr.detach(), ValueError, "no_grad"),
        (lambda lr: lr.reshape(1, 3, 7, -1), RuntimeError, "shape"),
    ],
)
def test_networks_that_do_not_fit_are_answered(model, error, says):
    with pytest.raises(error, match=says):
        lam(model, image(), patch(0, 0, 4))


def test_a_failing_network_is_told_about_size_multiples():
    def picky(_):
        raise RuntimeError("window size")

    with pytest.raises(RuntimeError, match="window size") as caught:
        lam(picky, image(), patch(0, 0, 4))
    assert "crop_to_multiple" in caught.value.__notes__[0]


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("corner", [(-1, 0), (0, 96 - 8), (80 - 8, 0)])
def test_patches_that_leave_the_image_are_refused(corner, wrapped):
    model = network()
    model = (lambda lr, inner=model: inner(lr)) if wrapped else model
    with pytest.raises(ValueError, match=r"choose top in 0\.\.71 and left in 0\.\.87"):
        lam(model, image(), patch(*corner, 8))


@pytest.mark.parametrize(
    ("lr", "path", "says"),
    [
        (image()[0, 0], None, "one LR image"),
        (image().repeat(2, 1, 1, 1), None, "one LR image"),
        (image() * torch.nan, None, "NaN"),
        (image() * 255, None, "255"),
        (image(4, 4), None, "needs images larger"),
        (image(), straight(image(8, 8)), "baseline has shape"),
        (image(), deblur(sigma=-1.0), "not negative"),
    ],
)
def test_inputs_that_do_not_fit_are_answered(lr, path, says):
    with pytest.raises(ValueError, match=says):
        lam(network(), lr, patch(0, 0, 4), path=path)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: straight("white"), "'black' or 'blur', an image"),
        (lambda: straight(image() * 255), "255"),
        (lambda: deblur(rule="right"), "needs a number of steps"),
        (lambda: deblur(rule="simpson", steps=4), "unknown quadrature rule"),
        (lambda: deblur(steps=0), "at least 1 step"),
        (lambda: straight(tolerance=5), "share of the attribution"),
    ],
)
def test_a_path_that_cannot_be_is_refused_where_it_is_made(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_a_path_is_no_word():
    with pytest.raises(TypeError, match=r"made by deblur\(…\) or straight\(…\), got 'linear'"):
        lam(network(), image(), patch(0, 0, 4), path="linear")


def test_an_image_may_come_without_its_batch():
    model, lr, target = network(), image(), patch(24, 32, 8)
    alone, batch = (lam(model, one, target, path=deblur(steps=2)) for one in (lr[0], lr))
    assert torch.equal(alone.map, batch.map)
    assert alone.lr.shape == lr.shape


@pytest.mark.parametrize(
    "target", [patch(24, 32, 8), lambda sr: sr[..., :8, :8].mean(dim=(1, 2, 3))]
)
def test_a_map_knows_itself(target, tmp_path):
    model, lr = network(), image()
    found = lam(model, lr, target, path=deblur(steps=4))
    assert torch.equal(found.lr, lr)
    assert torch.allclose(found.sr, model(lr))
    assert not found.sr.requires_grad
    assert found.target is target
    assert found.diffusion_index == diffusion_index(found)
    found.save(tmp_path / "map.npz", facts={"Settings": {"steps": "4"}})
    with np.load(tmp_path / "map.npz") as saved:
        assert np.array_equal(saved["attribution"], found.map[0])
        assert np.array_equal(saved["sr"], found.sr[0])
        assert float(saved["diffusion_index"]) == found.diffusion_index
        assert saved["facts"].item() == '{"Settings": {"steps": "4"}}'
    with pytest.raises(ValueError, match=r"as a page, \.html, or as arrays, \.npz"):
        found.save("map.png")


def test_a_page_shows_a_patch(tmp_path):
    model, lr = network(), image()
    lam(model, lr, patch(24, 32, 8), path=deblur(steps=4)).save(tmp_path / "map.html", title="Ours")
    page = (tmp_path / "map.html").read_text()
    assert "<title>Ours" in page
    assert "8×8 at row 24, column 32" in page
    with pytest.raises(ValueError, match=r"patch\(top, left, size\)"):
        lam(model, lr, lambda sr: sr.mean(), path=deblur(steps=4)).save(tmp_path / "map.html")


def test_a_patch_has_pixels():
    with pytest.raises(ValueError, match="at least 1 pixel"):
        patch(0, 0, 0)
