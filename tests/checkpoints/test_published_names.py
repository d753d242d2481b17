"""Files that are not to be had here: random values under the published names, in their shapes.

Each loads strictly, and computes what a plain reading of the authors' code does.
"""

from itertools import product

import pytest
import torch
from torch.nn import functional as F

from srlab.checkpoints.official import BROUGHT, PUBLISHED, official_from_file
from srlab.models.blocks import MEAN
from srlab.networks.state_dicts import CheckpointError

GENERATOR = torch.Generator().manual_seed(0)
TOLERANCE = {"atol": 2e-5, "rtol": 1e-4}


def draw(*shape):
    return torch.randn(*shape, generator=GENERATOR) / max(1, shape[-1] * shape[1]) ** 0.5 / 3


def layers(shapes):
    """Weights and biases of those shapes."""
    named = {}
    for name, shape in shapes.items():
        named |= {f"{name}.weight": draw(*shape), f"{name}.bias": draw(1, shape[0])[0]}
    return named


def conv(x, theirs, name):
    weight = theirs[f"{name}.weight"]
    return F.conv2d(x, weight, theirs[f"{name}.bias"], padding=weight.shape[-1] // 2)


def linear(x, theirs, name):
    return F.linear(x, theirs[f"{name}.weight"], theirs[f"{name}.bias"])


def norm(x, theirs, name):
    return F.layer_norm(x, x.shape[-1:], theirs[f"{name}.weight"], theirs[f"{name}.bias"])


def same(path, name, theirs, expected, **settings):
    """Loads the file strictly, and compares; a file that lacks a tensor is refused."""
    torch.save(theirs, path)
    model = official_from_file(name, path, **settings)
    lr = torch.rand(1, 3, 13, 18, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(model(lr), expected(lr), **TOLERANCE)
    lacking = dict(theirs.get("params", theirs))
    del lacking[next(name for name in lacking if name.endswith("1.weight"))]
    torch.save(lacking, path)
    with pytest.raises(CheckpointError, match="do not fit"):
        official_from_file(name, path, **settings)


def stages(scale):
    return {2: (2,), 3: (3,), 4: (2, 2)}[scale]


EDSR = [f"edsr{kind}-x{scale}" for kind in ("-baseline", "") for scale in (2, 3, 4)]


@pytest.mark.parametrize("name", EDSR)
def test_edsr(tmp_path, name):
    width, count, scale = 6, 3, int(name[-1])
    residual = PUBLISHED[name].hyperparameters.get("residual_scale", 1)
    assert residual == (1 if "baseline" in name else 0.1)
    square = (width, width, 3, 3)
    shapes = {"head.0": (width, 3, 3, 3), f"body.{count}": square, "tail.1": (3, width, 3, 3)}
    shapes |= {f"body.{index}.body.{k}": square for index in range(count) for k in (0, 2)}
    for stage, factor in enumerate(stages(scale)):
        shapes[f"tail.0.{2 * stage}"] = (width * factor**2, width, 3, 3)
    theirs = layers(shapes)
    for sign, shift in ((-1, "sub_mean"), (1, "add_mean")):
        theirs[f"{shift}.weight"] = torch.eye(3).view(3, 3, 1, 1)
        theirs[f"{shift}.bias"] = sign * 255 * torch.tensor(MEAN)

    def expected(lr):
        x = shallow = conv(conv(lr * 255, theirs, "sub_mean"), theirs, "head.0")
        for index in range(count):
            inner = conv(x, theirs, f"body.{index}.body.0").relu()
            x = x + residual * conv(inner, theirs, f"body.{index}.body.2")
        x = shallow + conv(x, theirs, f"body.{count}")
        for stage, factor in enumerate(stages(scale)):
            x = F.pixel_shuffle(conv(x, theirs, f"tail.0.{2 * stage}"), factor)
        return conv(conv(x, theirs, "tail.1"), theirs, "add_mean") / 255

    same(tmp_path / "edsr.pt", name, theirs, expected, channels=width, num_blocks=count)


def test_real_esrgan_at_x2_takes_squares_of_pixels(tmp_path):
    width, growth = 6, 4
    shapes = {"conv_first": (width, 12, 3, 3), "conv_last": (3, width, 3, 3)}
    square = (width, width, 3, 3)
    shapes |= dict.fromkeys(("conv_body", "conv_up1", "conv_up2", "conv_hr"), square)
    for block, dense, layer in product(range(23), (1, 2, 3), range(1, 6)):
        out = width if layer == 5 else growth
        name = f"body.{block}.rdb{dense}.conv{layer}"
        shapes[name] = (out, width + growth * (layer - 1), 3, 3)
    theirs = layers(shapes)

    def expected(lr):
        lr = F.pad(lr, (0, 0, 0, 1), mode="reflect")  # 13 rows
        rows, columns = lr.shape[-2:]
        squares = lr.view(1, 3, rows // 2, 2, columns // 2, 2).permute(0, 1, 3, 5, 2, 4)
        x = conv(squares.reshape(1, 12, rows // 2, columns // 2), theirs, "conv_first")
        shallow = x
        for block in range(23):
            within = x
            for dense in (1, 2, 3):
                seen = [within]
                for layer in range(1, 5):
                    name = f"body.{block}.rdb{dense}.conv{layer}"
                    seen.append(F.leaky_relu(conv(torch.cat(seen, 1), theirs, name), 0.2))
                name = f"body.{block}.rdb{dense}.conv5"
                within = within + 0.2 * conv(torch.cat(seen, 1), theirs, name)
            x = x + 0.2 * within
        x = shallow + conv(x, theirs, "conv_body")
        for stage in (1, 2):
            x = F.interpolate(x, scale_factor=2, mode="nearest")
            x = F.leaky_relu(conv(x, theirs, f"conv_up{stage}"), 0.2)
        return conv(F.leaky_relu(conv(x, theirs, "conv_hr"), 0.2), theirs, "conv_last")[..., :26, :]

    same(tmp_path / "x2.pth", "realesrgan-x2plus", theirs, expected, channels=width, growth=growth)


def test_the_compact_network_of_real_esrgan(tmp_path):
    width, last = 5, 66
    shapes = {f"body.{index}": (width, width, 3, 3) for index in range(2, last, 2)}
    shapes |= {"body.0": (width, 3, 3, 3), f"body.{last}": (48, width, 3, 3)}
    theirs = layers(shapes)
    theirs |= {f"body.{index}.weight": draw(1, width)[0].abs() for index in range(1, last, 2)}

    def expected(lr):
        x = lr
        for index in range(0, last, 2):
            x = F.prelu(conv(x, theirs, f"body.{index}"), theirs[f"body.{index + 1}.weight"])
        sr = F.pixel_shuffle(conv(x, theirs, f"body.{last}"), 4)
        return sr + F.interpolate(lr, scale_factor=4, mode="nearest")

    same(tmp_path / "x4v3.pth", "realesr-general-x4v3", theirs, expected, channels=width)


def swin_names(width, groups, depth, heads, narrow):
    """SwinIR-M's state dict, with the indices and masks that it stores too."""
    shapes = {"conv_first": (width, 3, 3, 3), "conv_after_body": (width, width, 3, 3)}
    shapes |= {"conv_before_upsample.0": (narrow, width, 3, 3), "conv_last": (3, narrow, 3, 3)}
    shapes |= dict.fromkeys(("upsample.0", "upsample.2"), (4 * narrow, narrow, 3, 3))
    norms, tables = ["patch_embed.norm", "norm"], {}
    for group in range(groups):
        shapes[f"layers.{group}.conv"] = (width, width, 3, 3)
        for block in range(depth):
            name = f"layers.{group}.residual_group.blocks.{block}"
            norms += [f"{name}.norm1", f"{name}.norm2"]
            shapes |= {f"{name}.attn.qkv": (3 * width, width), f"{name}.attn.proj": (width, width)}
            shapes |= {f"{name}.mlp.fc1": (2 * width, width), f"{name}.mlp.fc2": (width, 2 * width)}
            tables[f"{name}.attn.relative_position_bias_table"] = draw(225, heads) * 9
            tables[f"{name}.attn.relative_position_index"] = torch.zeros(64, 64, dtype=torch.long)
            if block % 2:
                tables[f"{name}.attn_mask"] = torch.zeros(64, 64, 64)
    return layers(shapes | dict.fromkeys(norms, (width, 1))) | tables


def attended(x, theirs, name, heads, shift):
    """(h, w, C): every place sees those of its window which were neighbours before the shift."""
    rows, columns, width = x.shape
    table = theirs[f"{name}.relative_position_bias_table"]
    shifted = x.roll((-shift, -shift), (0, 1))
    qkv = linear(shifted, theirs, f"{name}.qkv").view(rows, columns, 3, heads, width // heads)
    out = torch.zeros(rows, columns, heads, width // heads)
    place = torch.cartesian_prod(torch.arange(8), torch.arange(8))
    apart = place[:, None] - place[None] + 7
    bias = table[apart[..., 0] * 15 + apart[..., 1]].permute(2, 0, 1)
    for top in range(0, rows, 8):
        for left in range(0, columns, 8):
            window = qkv[top : top + 8, left : left + 8].flatten(0, 1).permute(1, 2, 0, 3)
            query, key, value = window  # (heads, 64, C / heads)
            score = query @ key.mT / (width // heads) ** 0.5 + bias
            if shift:
                edge = torch.tensor([rows - shift - top, columns - shift - left])
                far = place >= edge
                score[:, (far[:, None] != far[None]).any(dim=2)] -= 100
            seen = (score.softmax(dim=-1) @ value).permute(1, 0, 2)
            out[top : top + 8, left : left + 8] = seen.view(8, 8, heads, width // heads)
    mixed = linear(out.flatten(2), theirs, f"{name}.proj")
    return mixed.roll((shift, shift), (0, 1))


def test_swinir_m(tmp_path):
    width, groups, depth, heads, narrow = 8, 2, 2, 2, 6
    theirs = swin_names(width, groups, depth, heads, narrow)
    theirs |= {key: own[:, 0] for key, own in theirs.items() if own.shape[1:] == (1,)}

    def expected(lr):
        x = F.pad(lr, (0, 6, 0, 3), mode="reflect") - torch.tensor(MEAN)[:, None, None]
        shallow = conv(x, theirs, "conv_first")
        x = norm(shallow[0].permute(1, 2, 0), theirs, "patch_embed.norm")
        for group in range(groups):
            entry = x
            for block in range(depth):
                name = f"layers.{group}.residual_group.blocks.{block}"
                entered = norm(x, theirs, f"{name}.norm1")
                x = x + attended(entered, theirs, f"{name}.attn", heads, 4 * (block % 2))
                inner = F.gelu(linear(norm(x, theirs, f"{name}.norm2"), theirs, f"{name}.mlp.fc1"))
                x = x + linear(inner, theirs, f"{name}.mlp.fc2")
            inner = conv(x.permute(2, 0, 1)[None], theirs, f"layers.{group}.conv")
            x = entry + inner[0].permute(1, 2, 0)
        deep = norm(x, theirs, "norm").permute(2, 0, 1)[None]
        x = shallow + conv(deep, theirs, "conv_after_body")
        x = F.leaky_relu(conv(x, theirs, "conv_before_upsample.0"))
        for stage in (0, 2):
            x = F.pixel_shuffle(conv(x, theirs, f"upsample.{stage}"), 2)
        sr = conv(x, theirs, "conv_last") + torch.tensor(MEAN)[:, None, None]
        return sr[..., :52, :72]

    settings = {"channels": width, "num_groups": groups, "num_layers": depth, "heads": heads}
    settings["upsampler_channels"] = narrow
    same(tmp_path / "M_x4.pth", "swinir-m", {"params": theirs}, expected, **settings)


@pytest.mark.parametrize("name", ["ddr-a02", "ddr-b02"])
def test_networks_of_ddr(tmp_path, name):
    width = 4
    square = (width, width, 3, 3)
    blocks = [f"recon_trunk{trunk}.{block}" for trunk in (1, 2, 3, 4) for block in range(4)]
    shapes = {"conv_first": (width, 3, 3, 3), "HRconv": square, "conv_last": (3, width, 3, 3)}
    shapes |= {f"{block}.conv{k}": square for block in blocks for k in (1, 2)}
    shapes |= dict.fromkeys(("upconv1", "upconv2"), (4 * width, width, 3, 3))
    theirs = layers(shapes)

    def expected(lr):
        x = F.leaky_relu(conv(lr, theirs, "conv_first"), 0.1)
        for block in blocks:
            x = x + conv(conv(x, theirs, f"{block}.conv1").relu(), theirs, f"{block}.conv2")
        for stage in (1, 2):
            x = F.leaky_relu(F.pixel_shuffle(conv(x, theirs, f"upconv{stage}"), 2), 0.1)
        x = conv(F.leaky_relu(conv(x, theirs, "HRconv"), 0.1), theirs, "conv_last")
        return x + F.interpolate(lr, scale_factor=4, mode="bilinear", align_corners=False)

    assert name in BROUGHT
    same(tmp_path / "G.pth", name, theirs, expected, channels=width)
