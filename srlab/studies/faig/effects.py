"""What becomes of a network's outputs when some of its weights are others."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from pandas import DataFrame
from torch import nn

from srlab.attribution.faig import Masks, Weights, masked_weights
from srlab.degradations.windows import Windows
from srlab.metrics import gradient_error, psnr
from srlab.studies.faig.outputs import restored, restored_psnr
from srlab.studies.networks import Tuned

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True)
class Effect:
    """Of one set of weights on the windows of one kind, both (N,)."""

    change: np.ndarray  # of the output's gradient map from the reference's, ×1e-3 (FAIG, Tab. 2)
    psnr: np.ndarray  # dB of luma


def effects(
    model: nn.Module, reference: Weights, networks: Mapping[Name, Weights], windows: Windows
) -> dict[tuple[Name, str], Effect]:
    """{(network, kind): effect} of each of `networks`, compared with the `reference` weights.

    >>> masked = {name: masked_weights(target, baseline, own) for name, own in masks.items()}
    >>> effects(model, target, masked, windows)["deblurring", "noise"].psnr
    """
    found = {}
    for kind, lr in windows.lr.items():
        border = windows.hr.shape[-1] // lr.shape[-1]
        unmasked = restored(model, reference, lr)
        for name, weights in networks.items():
            sr = restored(model, weights, lr)
            change = 1e3 * gradient_error(sr, unmasked, border=border).cpu().numpy()
            quality = psnr(sr, windows.hr, border=border).cpu().numpy()
            found[name, kind] = Effect(change, quality)
    return found


def masking_effects(
    nets: Sequence[Tuned],
    masks: Sequence[Mapping[tuple[Hashable, ...], Masks]],
    windows: Windows,
    *,
    columns: Sequence[str],
) -> DataFrame:
    """What masking does: a row for each network, set of masked filters, kind of input and window.

    `masks` are those of each network, {key: masks}; `columns` name the parts of a key. Besides
    these there are `seed` (the network's number), `input`, `window`, and three measures: `change`
    of the output's gradient map from the target's, ×1e-3; dB `lost`; dB that fine-tuning `gained`.

    >>> masks = [{("blur", 1): top_filters(own, 0.01)} for own in scores]
    >>> masking_effects(nets, masks, windows, columns=("aim", "share"))
    """
    rows = []
    for seed, (net, own) in enumerate(zip(nets, masks, strict=True)):
        weights = {key: masked_weights(net.target, net.baseline, some) for key, some in own.items()}
        before, after = (
            restored_psnr(net.model, ends, windows) for ends in (net.baseline, net.target)
        )
        for (key, kind), effect in effects(net.model, net.target, weights, windows).items():
            place = {**dict(zip(columns, key, strict=True)), "seed": seed, "input": kind}
            lost, gained = after[kind] - effect.psnr, after[kind] - before[kind]
            rows += [
                place | dict(zip(("window", "change", "lost", "gained"), values, strict=True))
                for values in zip(range(len(lost)), effect.change, lost, gained, strict=True)
            ]
    return DataFrame(rows)


def by_seed(frame: DataFrame, places: Sequence[str]) -> DataFrame:
    """Means over windows: a row for each of `places` (columns), kind of input and seed.

    `undone` is added: the share of what fine-tuning gained that masking takes away again.
    """
    means = frame.groupby([*places, "input", "seed"], sort=False)[
        ["change", "lost", "gained"]
    ].mean()
    return means.assign(undone=means.lost / means.gained).reset_index()
