"""Local attribution maps: the published quadrature against srlab's default, and many at once."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from bench.row import Row, alternating
from srlab.attribution.lam import (
    PatchTarget,
    local_attribution,
    local_attributions,
    magnitude,
    patch_target,
)
from srlab.attribution.paths import deblurring
from srlab.checkpoints.files import load_checkpoint
from srlab.data.datasets import load_images
from srlab.degradations import Degradation
from srlab.images import center_crop
from srlab.models import build

ZOO = {  # checkpoint: class; one of each, trained and narrow
    "srcnn-3": "SRCNN 3",
    "fsrcnn": "FSRCNN",
    "srresnet-gr": "SRResNet 16×32",
    "edsr": "EDSR",
    "carn": "CARN",
    "rrdbnet": "RRDBNet",
    "pan": "PAN",
    "imdn": "IMDN",
    "rfdn": "RFDN",
    "rcan-sr": "RCAN",
    "san": "SAN",
    "swinir": "SwinIR",
}
FEWER_STEPS = 3  # times: 50 / 16 of the published rule, before any network is run in parts


def published_lam(model: nn.Module, lr: Tensor, target: PatchTarget, steps: int = 50) -> Tensor:
    """The map by LAM's public settings: right ends of equal σ steps, whole image, live weights."""
    total = torch.zeros_like(lr)
    for points, moves in deblurring(lr[0], rule="right", steps=steps).pieces(1):
        points.requires_grad_()
        target(model(points)).sum().backward()
        total += points.grad * moves
    return total


def lam() -> Iterator[Row]:
    """One local attribution map: the published quadrature against srlab's default."""
    for device in ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]:
        lr = {
            name: Degradation(scale=4)(center_crop(picture, 256)[None]).to(device)
            for name, picture in load_images("textures").items()
        }
        trained = load_checkpoint("srresnet-gr")[0].to(device)
        torch.manual_seed(0)
        wide = build("srresnet", channels=64, num_blocks=16).to(device)
        for name, image in lr.items():
            yield _lam_row(f"LAM {device}, SRResNet 16×32, {name}", trained, image)
        yield _lam_row(f"LAM {device}, SRResNet 16×64 untrained, brick", wide, lr["brick"])


def zoo() -> Iterator[Row]:
    """The same for each class of network, on 32×32 LR pixels of an untrained-on photograph."""
    picture = center_crop(load_images("photographs")["china"], 128)[None]
    for device in ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]:
        lr = Degradation(scale=4)(picture).to(device)
        for checkpoint, name in ZOO.items():
            model = load_checkpoint(checkpoint)[0].to(device)
            reach = 30 if lr.is_cuda else FEWER_STEPS
            yield _lam_row(f"LAM {device}, 32×32, {name}", model, lr, reach, repeats=2)


def grid() -> Iterator[Row]:
    """36 targets on one image: by themselves, and together."""
    lr = Degradation(scale=4)(center_crop(load_images("textures")["brick"], 256)[None])
    model = load_checkpoint("edsr")[0]
    places = range(0, 240, 40)
    targets = [patch_target(top, left) for top in places for left in places]

    def alone() -> list[Tensor]:
        return [local_attribution(model, lr, target).map for target in targets]

    def together() -> list[Tensor]:
        return [found.map for found in local_attributions(model, lr, targets)]

    slow, fast = alternating(alone, together, cuda=False, repeats=1)
    pairs = zip(alone(), together(), strict=True)
    error = max(((a - b).abs().sum() / a.abs().sum()).item() for a, b in pairs)
    yield Row("LAM cpu, 36 targets at once, EDSR", "36 single maps", slow, fast, 2, 1e-3, error)


def _lam_row(
    what: str, model: nn.Module, lr: Tensor, reach: float | None = None, repeats: int = 3
) -> Row:
    centre = 4 * lr.shape[-1] // 2 - 8
    target = patch_target(centre, centre)
    reference = magnitude(local_attribution(model, lr, target, rule="midpoint", steps=400).map)
    ours, theirs = local_attribution(model, lr, target).map, published_lam(model, lr, target)
    slow, fast = alternating(
        lambda: published_lam(model, lr, target),
        lambda: local_attribution(model, lr, target),
        cuda=lr.is_cuda,
        repeats=repeats,
    )
    their_error, our_error = (
        ((magnitude(found) - reference).abs().sum() / reference.sum()).item()
        for found in (theirs, ours)
    )
    reach = reach or (30 if lr.is_cuda else 8)
    return Row(what, "50 right ends, live weights", slow, fast, reach, their_error, our_error)
