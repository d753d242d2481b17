import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from srlab.capture import capture
from srlab.degradations.filters import downsample
from srlab.models import MODELS, PatchDiscriminator, build
from srlab.models.blocks import (
    ChannelAttention,
    ResidualBlock,
    he_initialization,
    look_around,
)
from srlab.models.cincgan import CycleDegrader
from srlab.models.csnln import CrossScaleAttention
from srlab.models.dbpn import Projection
from srlab.models.fsrcnn import from_ycbcr, to_ycbcr
from srlab.models.imdn import contrast
from srlab.models.san import matrix_root, second_order
from srlab.models.swinir import WindowAttention

SMALL = {
    "srresnet": {"channels": 6, "num_blocks": 2},
    "srresnet-bn": {"channels": 6, "num_blocks": 2, "bounded": True},
    "srcnn": {"channels": 6, "mapping_channels": 4, "depth": 4},
    "srcnn-style": {"channels": 6, "num_layers": 9},
    "fsrcnn": {"channels": 6, "mapping_channels": 4, "num_blocks": 2},
    "lapsrn": {"channels": 6, "num_layers": 2},
    "dbpn": {"channels": 4, "head_channels": 6, "num_stages": 3},
    "rdn": {"channels": 6, "num_blocks": 2, "growth": 4, "num_layers": 2},
    "rcan": {"channels": 6, "num_blocks": 2},
    "edsr": {"channels": 6, "num_blocks": 2},
    "carn": {"channels": 8, "groups": 2, "recursive": True},
    "msrn": {"channels": 4, "num_blocks": 2},
    "imdn": {"channels": 8, "num_blocks": 2},
    "rfdn": {"channels": 8, "num_blocks": 2},
    "pan": {"channels": 8, "upsampler_channels": 6, "num_blocks": 2},
    "rrdbnet": {"channels": 6, "num_blocks": 1, "growth": 4},
    "srvgg": {"channels": 6, "num_blocks": 2},
    "san": {"channels": 6, "num_groups": 2, "num_blocks": 1},
    "rnan": {"channels": 4, "num_blocks": 1},
    "csnln": {"channels": 4, "num_turns": 2},
    "drln": {"channels": 5, "num_groups": 1, "num_blocks": 2},
    "swinir": {"channels": 8, "num_groups": 1, "num_layers": 2, "heads": 2},
    "guided-srresnet": {"channels": 6, "num_blocks": 2, "guide_channels": 4, "guide_blocks": 1},
    "cincgan": {"channels": 6, "num_blocks": 2, "inner_blocks": 1},
    "dasr": {"channels": 6, "num_groups": 2, "num_blocks": 1, "encoder_channels": 4, "code": 5},
    "dan": {"channels": 6, "num_blocks": 2, "estimator_channels": 4, "code": 3, "iterations": 2},
    "redsr": {"channels": 6, "num_groups": 2, "num_blocks": 1, "encoder_channels": 4, "code": 5},
    "resshift": {"channels": 6, "num_blocks": 2},
}
SCALES = (2, 3, 4)


@pytest.fixture(params=list(MODELS))
def name(request):
    return request.param


def small(name, scale=4, **settings):
    """A little network in float64 whose last layer is not almost zero, as it is at birth."""
    torch.manual_seed(0)
    model = build(name, **{**SMALL[name], "scale": scale, **settings}).double().eval()
    for layer, module in model.named_modules():
        if "tail" in layer and isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, std=0.1)
    return model


def noise(*shape):
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_every_model_has_small_settings_here():
    assert set(SMALL) == set(MODELS)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("size", [(8, 8), (9, 37), (13, 11), (37, 10), (8, 31), (25, 17)])
def test_any_size_from_eight_up_is_enlarged_by_the_scale(name, scale, size):
    sr = small(name, scale)(noise(2, 3, *size))
    assert sr.shape == (2, 3, scale * size[0], scale * size[1])
    assert sr.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_dtype_is_that_of_the_input(name, dtype):
    model = build(name, **SMALL[name]).to(dtype)
    assert model(torch.rand(1, 3, 9, 9, dtype=dtype)).dtype == dtype


def test_half_of_the_precision_is_had_by_autocast(name):
    model, lr = small(name).float(), noise(1, 3, 9, 11).float()
    with torch.autocast("cpu", torch.bfloat16):
        sr = model(lr)
    torch.testing.assert_close(sr.float(), model(lr), atol=0.05, rtol=0.05)


def test_the_input_is_left_alone_and_may_need_a_gradient(name):
    model, lr = small(name), noise(1, 3, 9, 11)
    kept = lr.clone()
    model(lr.requires_grad_()).sum().backward()
    assert torch.equal(lr, kept)
    assert lr.grad is not None
    assert lr.grad.abs().sum() > 0


def test_images_of_a_batch_do_not_meet(name):
    model, lr = small(name), noise(3, 3, 9, 11)
    torch.testing.assert_close(model(lr)[1:2], model(lr[1:2]))


def test_taps_exist_in_the_order_they_run(name):
    model = small(name)
    with capture(model, tuple(reversed(model.taps))) as features:
        model(noise(1, 3, 9, 11))
    assert tuple(features) == model.taps
    assert all(feature.ndim == 4 for feature in features.values())


def test_captured_features_are_those_recomputed(name):
    """What a hook saw is what the layer put out: nothing changed it afterwards in place."""
    model, lr = small(name), noise(1, 3, 9, 11)
    layers = [
        layer for layer, module in model.named_modules() if layer and not list(module.children())
    ]
    seen, inputs = {}, {}

    def keep(layer):
        def hook(_module, given, output):
            inputs[layer], seen[layer] = given[0], output

        return hook

    for layer in layers:
        model.get_submodule(layer).register_forward_hook(keep(layer))
    with capture(model, layers) as features:
        model(lr)
    assert set(features) == set(layers)
    for layer in layers:
        assert torch.equal(features[layer], seen[layer])  # the copy, and the tensor left behind
        assert torch.equal(features[layer], model.get_submodule(layer)(inputs[layer]))


def test_no_activation_works_in_place(name):
    assert not any(getattr(module, "inplace", False) for module in build(name).modules())


def test_forward_is_extract_then_reconstruct(name):
    model, lr = small(name), noise(1, 3, 9, 11)
    assert torch.equal(model(lr), model.reconstruct(model.extract(lr), lr))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("edsr", {"centred": True}),
        ("rrdbnet", {"scale": 2, "folded": 2}),
        ("swinir", {"as_published": True}),
    ],
)
def test_so_it_is_as_published(name, settings):
    model, lr = small(name, **settings), noise(1, 3, 9, 11)
    assert torch.equal(model(lr), model.reconstruct(model.extract(lr), lr))


def test_the_global_residual_adds_the_enlarged_input():
    with_residual = small("srresnet", global_residual=True)
    without = small("srresnet", global_residual=False)
    without.load_state_dict(with_residual.state_dict())
    lr = noise(1, 3, 9, 11)
    enlarged = nn.functional.interpolate(lr, scale_factor=4, mode="bilinear", align_corners=False)
    torch.testing.assert_close(with_residual(lr), without(lr) + enlarged)


def test_the_long_skip_passes_the_heads_features_by_the_body():
    """A silent last convolution leaves the head's features; the rest of the network is the same."""
    model, plain = small("srresnet", long_skip=True), small("srresnet")
    nn.init.zeros_(model.body[-1].weight)
    lr = noise(1, 3, 9, 11)
    torch.testing.assert_close(model.extract(lr), model.head(lr))
    assert model.taps == (*plain.taps, "body.2")
    assert {k: v.shape for k, v in model.state_dict().items() if not k.startswith("body.2.")} == {
        key: weight.shape for key, weight in plain.state_dict().items()
    }


def test_luma_and_chroma_are_those_of_a_jpeg_file():
    rgb = np.random.default_rng(0).integers(256, size=(9, 7, 3), dtype=np.uint8)
    theirs = np.asarray(Image.fromarray(rgb).convert("YCbCr")) / 255
    images = torch.from_numpy(rgb / 255).permute(2, 0, 1)[None]
    assert np.abs(to_ycbcr(images)[0].permute(1, 2, 0).numpy() - theirs).max() < 1 / 255
    torch.testing.assert_close(from_ycbcr(to_ycbcr(images)), images, atol=1e-5, rtol=0)


def test_a_network_for_luma_and_chroma_takes_and_gives_rgb():
    plain, coloured = (small("fsrcnn", colour=colour) for colour in ("rgb", "ycbcr"))
    coloured.load_state_dict(plain.state_dict())
    lr = noise(1, 3, 9, 8)
    expected = from_ycbcr(plain(to_ycbcr(lr)))
    torch.testing.assert_close(coloured(lr), expected)
    assert (expected - plain(lr)).abs().max() > 1e-3


def test_a_bounded_network_answers_within_a_pictures_range():
    model = small("srresnet-bn", bounded=True)
    sr = model(100 * noise(1, 3, 9, 8))
    assert 0 <= sr.min() < sr.max() <= 1


def test_networks_begin_as_published():
    count = lambda model: sum(p.numel() for p in model.parameters())  # noqa: E731
    assert len(build("srcnn", depth=13).taps) == 12
    # 9-5-5 on three channels: weights and biases of 64, 32 and 3 filters
    assert count(build("srcnn")) == 64 * (3 * 81 + 1) + 32 * (64 * 25 + 1) + 3 * (32 * 25 + 1)
    blocks = 16 * 2 * (64 * 64 * 9 + 64)
    rest = (3 * 64 * 9 + 64) + 2 * (64 * 256 * 9 + 256) + (64 * 64 * 9 + 64) + (64 * 3 * 9 + 3)
    assert count(build("srresnet")) == blocks + rest
    assert len(build("srresnet").taps) == 17


@pytest.mark.parametrize(
    ("name", "settings", "parameters"),
    [
        ("edsr", {}, 1_517_571),
        ("edsr", {"channels": 256, "num_blocks": 32, "residual_scale": 0.1}, 43_089_923),
        ("carn", {}, 1_591_963 - 147_712 - 332_352 - 24),  # upsamplers for ×2, ×3; mean colour
        ("carn", {"groups": 4, "recursive": True}, 414_811 - 37_120 - 83_520 - 24),
        ("imdn", {}, 715_176),
        ("rfdn", {}, 433_448),
        ("pan", {}, 272_419),
        ("rrdbnet", {}, 16_697_987),
        ("rdn", {}, 22_271_107),
        ("dbpn", {}, 10_426_358),
        ("swinir", {}, 929_628 - 120),  # without a second normalization of the input
    ],
)
def test_default_sizes_are_the_published_ones(name, settings, parameters):
    with torch.device("meta"):
        model = build(name, **settings)
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters


@pytest.mark.parametrize(
    ("name", "scale", "millions"),
    [("csnln", 2, 3.06), ("csnln", 4, 6.57), ("msrn", 2, 5.93), ("msrn", 4, 6.08)],
)
def test_default_sizes_are_those_of_the_literatures_tables(name, scale, millions):
    with torch.device("meta"):
        model = build(name, scale=scale)
    assert round(sum(p.numel() for p in model.parameters()) / 1e6, 2) == millions


@pytest.mark.parametrize("value", [0.0, 0.5])
@pytest.mark.parametrize("statistic", [contrast, second_order])
def test_flat_features_have_statistics_and_a_gradient(statistic, value):
    """Roots have none at zero, and a network's features may well be flat, or silent."""
    attention = ChannelAttention(8, 2, statistic)
    features = torch.full((1, 8, 5, 6), value, requires_grad=True)
    attended = attention(features)
    (gradient,) = torch.autograd.grad(attended.square().sum(), features)
    assert attended.isfinite().all()
    assert gradient.isfinite().all()


def test_carn_shares_its_blocks_only_where_it_is_recursive():
    parameters = [
        sum(p.numel() for p in build("carn", channels=8, recursive=recursive).body.parameters())
        for recursive in (True, False)
    ]
    fusions = 4 * sum(8 * (8 * count) + 8 for count in (2, 3, 4))
    residual = 2 * (8 * 8 * 9 + 8)
    assert parameters == [3 * (residual + 8 * 8 + 8) + fusions, 9 * residual + fusions]
    with pytest.raises(ValueError, match="recursive=True"):
        build("carn", groups=2)


def test_groups_give_rcan_a_long_skip():
    """Silent residuals leave the head's features, twice: the groups pass them, and so does it."""
    model = small("rcan", num_groups=2)
    for parameter in model.body.parameters():
        nn.init.zeros_(parameter)
    lr = noise(1, 3, 9, 11)
    torch.testing.assert_close(model.extract(lr), model.head(lr))
    assert model.taps == ("head", "body.0", "body.1", "body.2")


def test_a_pyramid_of_silent_levels_enlarges_step_by_step():
    model, lr = small("lapsrn"), noise(1, 3, 9, 11)
    for parameter in model.tails.parameters():
        nn.init.zeros_(parameter)
    twice = lambda x: nn.functional.interpolate(x, scale_factor=2, mode="bilinear")  # noqa: E731
    torch.testing.assert_close(model(lr), twice(twice(lr)))


def test_a_projection_that_misses_nothing_is_left_as_it_is():
    """Where the way back leads to the input, the correction is that of a zero error."""
    unit = Projection(4, 3, 1, up=True).double()
    low = noise(1, 4, 5, 6)
    there = unit.there(low)
    unit.back.forward = lambda _: low
    torch.testing.assert_close(unit([low]), there + unit.again(torch.zeros_like(low)))


def test_all_positions_are_weighed_by_likeness():
    torch.manual_seed(0)
    query, key, value = noise(1, 6, 4, 5).chunk(3, dim=1)
    expected = torch.nn.functional.scaled_dot_product_attention(
        *(part.flatten(2).mT for part in (query, key, value)), scale=1
    )
    torch.testing.assert_close(look_around(query, key, value).flatten(2).mT, expected)


@pytest.mark.parametrize("factor", [2, 3])
def test_attention_across_scales_is_a_convolution_there_and_back(factor):
    """The reduced picture's patches are the kernels of one, the whole picture's of the other."""
    torch.manual_seed(0)
    attention, x = CrossScaleAttention(4, factor).double(), noise(1, 4, 12, 6)
    reduced = nn.functional.interpolate(x, scale_factor=1 / factor, mode="bilinear")
    keys = nn.functional.unfold(attention.key(reduced), 3, padding=1)[0].T.unflatten(1, (2, 3, 3))
    keys = keys / keys.flatten(1).norm(dim=1)[:, None, None, None]
    chosen = (10 * nn.functional.conv2d(attention.query(x), keys, padding=1)).softmax(dim=1)
    side, way = 3 * factor, {"padding": factor, "stride": factor}
    patches = nn.functional.unfold(attention.value(x), side, **way)[0].T
    expected = nn.functional.conv_transpose2d(chosen, patches.unflatten(1, (4, side, side)), **way)
    torch.testing.assert_close(attention(x), expected / 6)


def test_matrix_roots_are_roots():
    rows = noise(2, 6, 6)
    matrices = rows @ rows.mT + torch.eye(6, dtype=torch.float64)
    root = matrix_root(matrices, iterations=20)
    torch.testing.assert_close(root @ root, matrices)
    torch.testing.assert_close(root, root.mT)


def test_windows_see_nothing_across_the_borders_of_the_picture():
    """A shifted layer rolls the picture, but the far border must not shine through."""
    torch.manual_seed(0)
    layer = WindowAttention(4, heads=2, window=8, shift=4).double()
    x = noise(1, 16, 24, 4).requires_grad_()
    (gradient,) = torch.autograd.grad(layer(x)[0, 0, 0].sum(), x)
    seen = gradient.abs().sum(dim=(0, 3)) > 0
    assert seen[:4, :4].all()
    assert seen.sum() == 16


def test_unshifted_windows_are_those_of_the_grid():
    torch.manual_seed(0)
    layer = WindowAttention(4, heads=2, window=8, shift=0).double()
    x = noise(1, 16, 24, 4).requires_grad_()
    (gradient,) = torch.autograd.grad(layer(x)[0, 11, 9].sum(), x)
    seen = gradient.abs().sum(dim=(0, 3)) > 0
    assert seen[8:, 8:16].all()
    assert seen.sum() == 64


def test_the_bias_of_a_window_depends_on_the_offset_alone():
    layer = WindowAttention(2, heads=1, window=3, shift=0)
    bias = torch.arange(25.0)[layer.offsets]
    assert bias[0, 1] == bias[4, 5] == bias[7, 8]  # one to the right
    assert bias[0, 3] == bias[5, 8]  # one down
    assert bias[0, 1] != bias[1, 0]


def test_distillation_keeps_a_quarter_and_hands_on_the_rest():
    block = build("imdn", channels=64).body[0]
    assert [tuple(conv.weight.shape[:2]) for conv in block.convs] == [
        (64, 64),
        (64, 48),
        (64, 48),
        (16, 48),
    ]


def test_the_seed_decides_the_weights(name):
    def weights(seed):
        torch.manual_seed(seed)
        return torch.cat([p.flatten() for p in build(name, **SMALL[name]).parameters()])

    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))


def test_he_initialization_has_the_published_variance():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(64, 64, 3), nn.LeakyReLU(0.5), nn.Conv2d(64, 8, 3, bias=False)
    )
    he_initialization(network, slope=0.5)
    assert (network[0].bias == 0).all()
    for layer in (network[0], network[2]):
        assert layer.weight.var().item() == pytest.approx(2 / (1.25 * 64 * 9), rel=0.05)


def test_a_residual_block_of_silent_convolutions_is_the_identity():
    block = ResidualBlock(4)
    for parameter in block.parameters():
        nn.init.zeros_(parameter)
    x = torch.rand(1, 4, 5, 5)
    assert torch.equal(block(x), x)


@pytest.mark.parametrize("size", [(16, 16), (17, 23), (96, 96)])
def test_the_discriminator_judges_patches(size):
    model = PatchDiscriminator(channels=4)
    assert model(torch.rand(2, 3, *size)).shape[:2] == (2, 1)
    with pytest.raises(ValueError, match="16×16"):
        model(torch.rand(2, 3, 15, 40))


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("edrs", {}, "unknown model 'edrs'; srlab has carn, cincgan, csnln"),
        ("srresnet", {"scale": 5}, "scale is one of"),
        ("srresnet", {"width": 5}, "SRResNet does not take these settings.*width"),
        ("srresnet", {"channels": 0}, "channels of srresnet must be at least 1"),
        ("srcnn", {"depth": 2}, "at least 3 layers"),
        ("srcnn", {"mapping_kernel": 2}, "mapping_kernel is odd, got 2"),
        ("lapsrn", {"scale": 1}, "its scale is 2 at least, got 1"),
        ("imdn", {"channels": 3}, "at least 4, got 3"),
        ("rfdn", {"channels": 1}, "at least 2, got 1"),
        ("pan", {"channels": 1}, "at least 2, got 1"),
        ("swinir", {"heads": 7}, "divide the channels, got 7 and 60"),
        ("swinir", {"window": 9}, "windows of 9"),
        ("fsrcnn", {"colour": "cmyk"}, 'colour is "rgb" or "ycbcr", got \'cmyk\''),
        ("srresnet-bn", {"closing": "relu"}, 'closing is "norm" or "prelu", got \'relu\''),
        ("fsrcnn", {"scale": -1, "num_blocks": 0}, "scale, num_blocks of fsrcnn"),
    ],
)
def test_impossible_networks_are_refused(name, settings, message):
    with pytest.raises(ValueError, match=message):
        build(name, **settings)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("resnet18", {"channels": 4}),
        ("rcan-classifier", {"channels": 4, "num_blocks": 2}),
        ("rcan-classifier", {"channels": 4, "num_blocks": 2, "max_pooling": True}),
    ],
)
def test_classifiers_give_a_logit_a_class_and_name_their_taps(name, settings):
    model, images = build(name, num_classes=7, **settings).eval(), torch.rand(3, 3, 32, 32)
    kept = images.clone()
    with capture(model, model.taps) as features:
        logits = model(images)
    assert logits.shape == (3, 7)
    assert tuple(features) == model.taps
    assert torch.equal(images, kept)
    torch.testing.assert_close(model(images[1:2]), logits[1:2])
    assert not any(getattr(module, "inplace", False) for module in model.modules())


def test_the_published_tail_is_three_max_poolings_and_a_fully_connected_layer():
    model = build("rcan-classifier", channels=4, num_blocks=1, max_pooling=True).eval()
    poolings = nn.Sequential(*(nn.MaxPool2d(2) for _ in range(3)), nn.Flatten(), model.tail)
    images = torch.rand(2, 3, 32, 32)
    deep = model.body(model.head(images))
    torch.testing.assert_close(model(images), poolings(deep))
    assert model.tail.in_features == 4 * 4 * 4
    with pytest.raises(ValueError, match=r"takes 32×32 pixels, got \(2, 3, 24, 32\)"):
        model(images[:, :, 4:-4])
    assert build("rcan-classifier", channels=4, num_blocks=1)(images[:, :, 4:-4]).shape == (2, 10)


def test_a_guided_network_begins_as_the_plain_one_and_then_listens():
    model, lr = small("guided-srresnet"), noise(1, 3, 9, 11)
    torch.testing.assert_close(model(lr), model.network(lr))
    nn.init.normal_(model.modulation.weight, std=0.1)
    assert not torch.allclose(model(lr), model.network(lr))
    assert not any(parameter.requires_grad for parameter in model.guide.parameters())


def test_guidance_can_come_from_another_picture():
    """Nothing but two numbers a channel goes over: neither its size nor its arrangement."""
    model, lr = small("guided-srresnet"), noise(1, 3, 9, 11)
    nn.init.normal_(model.modulation.weight, std=0.1)
    with torch.no_grad():
        torch.testing.assert_close(model.guided_by(lr, lr), model(lr))
        other = model.guided_by(lr, noise(1, 3, 12, 10) * 3)
        assert other.shape == model(lr).shape
        assert not torch.allclose(other, model(lr))
        nn.init.zeros_(model.modulation.weight)
        torch.testing.assert_close(model.guided_by(lr, lr.flip(3) * 3), model(lr))


def test_the_degrader_begins_as_the_bicubic_reduction():
    hr = noise(2, 3, 24, 32)
    torch.testing.assert_close(
        CycleDegrader(channels=4, num_blocks=1).double()(hr), downsample(hr, 4)
    )
