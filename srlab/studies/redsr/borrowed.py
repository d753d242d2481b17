"""Pictures restored with codes of other pictures: does it matter whose code it is?"""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from srlab.metrics import psnr
from srlab.models.degradation_aware import BlindSuperResolver
from srlab.statistics import middle
from srlab.studies.redsr.codes import codes_of
from srlab.studies.study import Interval


@torch.no_grad()
def restored_with(model: BlindSuperResolver, lr: Tensor, codes: np.ndarray) -> Tensor:
    """One LR image (3, h, w) restored with each of codes (N, D): (N, 3, scale·h, scale·w)."""
    told = torch.from_numpy(codes).to(lr.device)
    return model.restore(lr.expand(len(told), -1, -1, -1), told)


def picture_codes(model: BlindSuperResolver, pictures: Iterable[Tensor]) -> np.ndarray:
    """Codes (N, D) of whole LR pictures (3, h, w), each of a size of its own."""
    return np.concatenate([codes_of(model, picture[None]) for picture in pictures])


def borrowed_psnr(
    model: BlindSuperResolver, lr: Tensor, hr: Tensor, codes: np.ndarray
) -> np.ndarray:
    """PSNR of luma in dB, (N,), of one LR picture (3, h, w) restored with each of codes (N, D)."""
    restored = (restored_with(model, lr, code[None]) for code in codes)
    return torch.cat([psnr(sr, hr[None], border=model.scale) for sr in restored]).cpu().numpy()


def spread_and_cost(same: np.ndarray, wrong: np.ndarray) -> tuple[float, float]:
    """(deviation over lenders of one's own kernel, what a wrong kernel's code costs), dB.

    PSNR: `same` (S, T, L) of trainings, targets and lenders, `wrong` (S, T, L') of the first of
    these lenders, under wrong kernels. Each lender is compared with itself.
    """
    cost = same[:, :, : wrong.shape[2]] - wrong
    return float(same.std(axis=2).mean()), float(cost.mean())


def heed_interval(same: np.ndarray, wrong: np.ndarray) -> tuple[Interval, Interval]:
    """95 % bootstrap intervals: of a wrong kernel's cost, and of that cost above the spread.

    Of `spread_and_cost`; trainings, targets and lenders are drawn with replacement.
    """
    rng, found = np.random.default_rng(0), []
    cost = same[:, :, : wrong.shape[2]] - wrong
    for _ in range(1000):
        trainings, targets, lenders = (rng.integers(n, size=n) for n in same.shape)
        some = rng.integers(cost.shape[2], size=cost.shape[2])
        spread = same[np.ix_(trainings, targets, lenders)].std(axis=2).mean()
        found.append((cost[np.ix_(trainings, targets, some)].mean(), spread))
    costs, spreads = np.array(found).T
    return middle(costs), middle(costs - spreads)
