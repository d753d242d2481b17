"""Local attribution maps: the published quadrature against srlab's default."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from bench.row import Row, alternating
from srlab.attribution.lam import PatchTarget, local_attribution, magnitude, patch_target
from srlab.attribution.paths import deblurring
from srlab.checkpoints import load_checkpoint
from srlab.datasets import load_images
from srlab.degradations import Degradation
from srlab.images import center_crop
from srlab.models import build


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


def _lam_row(what: str, model: nn.Module, lr: Tensor) -> Row:
    target = patch_target(120, 120)
    reference = magnitude(local_attribution(model, lr, target, rule="midpoint", steps=400).map)
    ours, theirs = local_attribution(model, lr, target).map, published_lam(model, lr, target)
    slow, fast = alternating(
        lambda: published_lam(model, lr, target),
        lambda: local_attribution(model, lr, target),
        cuda=lr.is_cuda,
    )
    their_error, our_error = (
        ((magnitude(found) - reference).abs().sum() / reference.sum()).item()
        for found in (theirs, ours)
    )
    reach = 30 if lr.is_cuda else 8
    return Row(what, "50 right ends, live weights", slow, fast, reach, their_error, our_error)
