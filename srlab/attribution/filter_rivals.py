"""Other rankings of filters that FAIG is compared with: internal influence, |Δθ|, chance."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from srlab.attribution.faig import Scores, Weights, buffers_of, convolutions, parameters_of
from srlab.attribution.integral import Path
from srlab.attribution.paths import line
from srlab.capture import frozen
from srlab.images import check_images


def internal_influence(
    model: nn.Module,
    weights: Weights,
    clean: Iterable[Tensor],
    degraded: Iterable[Tensor],
    *,
    rule: str = "midpoint",
    steps: int = 16,
) -> Scores:
    """Integrated gradients as FAIG's authors adapt them to filters, after Leino et al. (2018).

    The gradient of the output's sum by each weight of one network, averaged along the line from
    the `clean` LR image to the `degraded` one (both (N, 3, h, w) or iterables of (3, h, w)). Σ |·|
    over K×K, then the mean over images; nothing is subtracted for other degradations. The public
    code is rule="left", steps=100.
    """
    parameters = parameters_of(model, weights)
    buffers = buffers_of(model, weights)
    totals: list[Scores] = []
    with frozen(model), torch.inference_mode(False), torch.enable_grad():
        for start, end in zip(clean, degraded, strict=True):
            names = convolutions(model, check_images(end)[None])
            leaves = {name: own.clone().requires_grad_() for name, own in parameters.items()}
            filters = [leaves[f"{name}.weight"] for name in names]
            mean = [torch.zeros_like(own) for own in filters]
            path = line(check_images(start), end, rule=rule, steps=steps)
            assert isinstance(path, Path)  # its steps were given
            for share, (image, _) in zip(np.diff(path.bounds), path.pieces(1), strict=True):
                output = functional_call(model, buffers | leaves, (image,)).sum()
                gradients = torch.autograd.grad(output, filters)
                mean = [one + float(share) * own for one, own in zip(mean, gradients, strict=True)]
            sums = [own.abs().sum(dim=(-2, -1)) for own in mean]
            totals.append(dict(zip(names, sums, strict=True)))
    if not totals:
        raise ValueError("there is no image to attribute")
    return {name: torch.stack([own[name] for own in totals]).mean(dim=0) for name in totals[0]}


def weight_change(
    baseline_weights: Weights,
    target_weights: Weights,
    names: Iterable[str],
    *,
    normalized: bool = False,
) -> Scores:
    """Σ |θ̄ − θ| over K×K of the convolutions `names` (or scores), as the paper has it.

    `normalized` divides by Σ |θ| of the baseline's filter, as the public code does.
    """
    scores = {}
    for name in names:
        baseline, target = (own[f"{name}.weight"] for own in (baseline_weights, target_weights))
        change = (target - baseline).abs().sum(dim=(-2, -1))
        size = baseline.abs().sum(dim=(-2, -1))
        if normalized and not size.all():
            raise ValueError(f"a filter of {name!r} is zero in the baseline: no relative change")
        scores[name] = change / size if normalized else change
    return scores


def random_scores(like: Scores, rng: np.random.Generator) -> Scores:
    """Uniform scores for the same filters, so that `top_filters` takes them by chance."""
    return {name: torch.from_numpy(rng.random(own.shape)) for name, own in like.items()}
