"""Filter attribution: the published quadrature, each direction anew, against srlab's default."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import srlab
from bench.row import Row, alternating
from srlab.attribution.faig import (
    Masks,
    Scores,
    Weights,
    filters_by_degradation,
    overlap_score,
    top_filters,
)
from srlab.checkpoints.files import load_checkpoint, read_checkpoint
from srlab.data.datasets import load_images
from srlab.degradations import Degradation
from srlab.images import center_crop

FRACTION = 0.01
DIFFERENT = 0.01  # most of the chosen filters that may differ from the reference's


def faig() -> Iterator[Row]:
    """The filters of blur and noise in a ×2 SRResNet of 16 blocks, on two small photographs."""
    model = load_checkpoint("faig-target")[0]
    baseline, target = (read_checkpoint(f"faig-{name}")[0] for name in ("baseline", "target"))
    hr = torch.stack([center_crop(own, 64) for own in load_images("photographs", limit=2).values()])
    lr = {
        "blur": Degradation(scale=2, resampling="bilinear", blur_sigma=2)(hr),
        "noise": Degradation(scale=2, resampling="bilinear", noise_sigma=0.1)(
            hr, np.random.default_rng(0)
        ),
    }
    found: dict[str, dict[str, Masks]] = {}

    def theirs() -> None:
        found["theirs"] = {
            own: published_faig(model, baseline, target, lr[own], lr[other], hr)
            for own, other in (("blur", "noise"), ("noise", "blur"))
        }

    def ours() -> None:
        found["ours"] = _filters(model, baseline, target, lr, hr)

    slow, fast = alternating(theirs, ours, cuda=False, repeats=1)
    reference = _filters(model, baseline, target, lr, hr, rule="midpoint", steps=1000)
    wrong = {
        side: 1 - min(overlap_score(own[name], reference[name]) for name in reference)
        for side, own in found.items()
    }
    yield Row(
        "FAIG cpu, top 1 %, SRResNet 16×24 ×2, 32×32",
        "100 right ends, each direction",
        slow,
        fast,
        8,
        wrong["theirs"],
        wrong["ours"],
        most=DIFFERENT,
    )


def _filters(
    model: nn.Module,
    baseline: Weights,
    target: Weights,
    lr: dict[str, Tensor],
    hr: Tensor,
    **settings: Any,
) -> dict[str, Masks]:
    scores = {
        name: srlab.faig(model, baseline, target, own, hr, **settings).scores()
        for name, own in lr.items()
    }
    return filters_by_degradation(scores, FRACTION)


def published_faig(
    model: nn.Module,
    baseline: Weights,
    target: Weights,
    own: Tensor,
    other: Tensor,
    hr: Tensor,
    steps: int = 100,
) -> Masks:
    """One direction by the public code's rule: both inputs at 100 right ends, image by image."""
    total: Scores = {}
    for image in range(len(hr)):
        for sign, lr in ((1, own[image]), (-1, other[image])):
            gradients = {name: torch.zeros_like(weight) for name, weight in target.items()}
            for step in range(1, steps + 1):
                model.load_state_dict(
                    {
                        name: torch.lerp(baseline[name], target[name], step / steps)
                        for name in target
                    }
                )
                model.zero_grad()
                (model(lr[None]) - hr[image][None]).square().sum().backward()
                for name, weight in model.named_parameters():
                    if weight.grad is not None:
                        gradients[name] += weight.grad / steps
            for name, gradient in gradients.items():
                if gradient.ndim == 4:
                    change = gradient * (target[name] - baseline[name])
                    part = sign * change.abs().sum(dim=(-2, -1))
                    layer = name.removesuffix(".weight")
                    total[layer] = total[layer] + part if layer in total else part
    return top_filters(total, FRACTION)
