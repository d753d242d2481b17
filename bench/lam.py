"""Local attribution maps: the published quadrature against srlab's default.

Networks with the weights that their authors published, where $SRLAB_DATA has them, and three narrow
ones that srlab trained. There is no row for many targets at once: since single maps are cut to the
rectangle that reaches them, targets share no more than the recording of their network.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

import srlab
from bench.row import Row, alternating
from srlab.attribution.lam import magnitude
from srlab.attribution.paths import deblur
from srlab.attribution.targets import PatchTarget, patch
from srlab.checkpoints.files import load_checkpoint
from srlab.checkpoints.official import load_official
from srlab.data.assets import own_folder
from srlab.data.datasets import load_images
from srlab.degradations import Degradation
from srlab.images import center_crop
from tests.networks.blocks_of_today import BLOCKS, Network

PUBLISHED = {name.upper(): name for name in ("imdn", "rfdn", "pan", "carn-m")}
PUBLISHED["FSRCNN"] = "fsrcnn-nhat"
TRAINED = {"edsr": "EDSR", "srresnet-gr": "SRResNet 16×32", "swinir": "SwinIR"}  # narrow
PICTURES = ("img_007", "img_033", "img_071", "img_092")  # of Urban100
SIZE = 64  # LR pixels a side
GPU, LOCAL, GLOBAL = 30, 10, 6  # times; local: not every pixel reaches the window
REFERENCE_STEPS = 200


def published_lam(model: nn.Module, lr: Tensor, target: PatchTarget, steps: int = 50) -> Tensor:
    """The map by LAM's public settings: right ends of equal σ steps, whole image, live weights."""
    total = torch.zeros_like(lr)
    for points, moves in deblur(rule="right", steps=steps)(lr[0]).pieces(1):
        points.requires_grad_()
        target(model(points)).sum().backward()
        total += points.grad * moves
    return total


def lam() -> Iterator[Row]:
    """One map of each network on each picture."""
    networks = _networks()
    for device in ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]:
        for picture, image in _pictures().items():
            for name, model in networks.items():
                what = f"LAM {device}, {name}, {picture}"
                yield _lam_row(what, model.to(device), image.to(device))


def blocks() -> Iterator[Row]:
    """A small network of each kind of block of today, at ×2: not slower, and no less exact."""
    lr = Degradation(scale=4)(center_crop(load_images("textures")["brick"], 4 * 24)[None])
    for name in BLOCKS:
        network = Network(name).eval()
        yield _lam_row(f"LAM cpu, {name}", network, lr, scale=2, reach=1)


def _networks() -> dict[str, nn.Module]:
    found = {}
    if own_folder("weights"):
        found = {f"{name}, published": load_official(own) for name, own in PUBLISHED.items()}
    return found | {name: load_checkpoint(own)[0] for own, name in TRAINED.items()}


def _pictures() -> dict[str, Tensor]:
    """LR images by name: crops of Urban100, or of the built-in textures where that is missing."""
    if own_folder("test/Urban100"):
        urban = load_images("urban100-30")
        hr = {name: urban[name] for name in PICTURES}
    else:
        hr = load_images("textures")
    reduce = Degradation(scale=4)
    return {name: reduce(center_crop(own, 4 * SIZE)[None]) for name, own in hr.items()}


def _lam_row(
    what: str, model: nn.Module, lr: Tensor, *, scale: int = 4, reach: float | None = None
) -> Row:
    centre = scale * lr.shape[-1] // 2 - 8
    target = patch(centre, centre)
    found: dict[str, Tensor] = {}

    def theirs() -> None:
        found["theirs"] = published_lam(model, lr, target)

    def ours() -> None:
        found["ours"] = srlab.lam(model, lr, target).map

    slow, fast = alternating(theirs, ours, cuda=lr.is_cuda, repeats=2)
    finely = deblur(rule="midpoint", steps=REFERENCE_STEPS)
    fine = srlab.lam(model, lr, target, path=finely).map
    reference = magnitude(fine)
    their_error, our_error = (
        ((magnitude(found[side]) - reference).abs().sum() / reference.sum()).item()
        for side in ("theirs", "ours")
    )
    whole = bool(fine.abs().sum(dim=1).all())
    promised = reach or (GPU if lr.is_cuda else GLOBAL if whole else LOCAL)
    return Row(what, "50 right ends, live weights", slow, fast, promised, their_error, our_error)
