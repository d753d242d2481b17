"""What becomes of a network's outputs when some of its weights are others."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import nn

from srlab.attribution.faig import Weights
from srlab.data.examples import Examples
from srlab.metrics import gradient_error, psnr
from srlab.studies.faig.outputs import restored


@dataclass(frozen=True)
class Effect:
    """Of one set of weights on the windows of one kind, both (N,)."""

    change: np.ndarray  # of the output's gradient map from the reference's, ×1e-3 (FAIG, Tab. 2)
    psnr: np.ndarray  # dB of luma


def effects(
    model: nn.Module,
    reference: Weights,
    networks: Mapping[str, Weights],
    examples: Examples,
) -> dict[tuple[str, str], Effect]:
    """{(network, kind): effect} of each of `networks`, compared with the `reference` weights.

    >>> masked = {name: masked_weights(target, baseline, own) for name, own in masks.items()}
    >>> effects(model, target, masked, examples)["deblurring", "noise"].psnr
    """
    found = {}
    for kind, lr in examples.lr.items():
        border = examples.hr.shape[-1] // lr.shape[-1]
        unmasked = restored(model, reference, lr)
        for name, weights in networks.items():
            sr = restored(model, weights, lr)
            change = 1e3 * gradient_error(sr, unmasked, border=border).cpu().numpy()
            quality = psnr(sr, examples.hr, border=border).cpu().numpy()
            found[name, kind] = Effect(change, quality)
    return found
