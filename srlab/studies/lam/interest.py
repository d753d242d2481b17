"""Areas that all networks use, and areas that only wide ones use (LAM, Fig. 6), put to the test."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from srlab.attribution.objective import Network
from srlab.capture import frozen
from srlab.degradations.filters import filter2d, gaussian_kernel
from srlab.images import center_crop
from srlab.metrics import psnr
from srlab.studies.lam.hard_patches import HardPatches

SHARE = 0.9  # of the networks whose areas hold a pixel that "all" use


@dataclass(frozen=True)
class Interest:
    """Of n networks in each of k patches; masks on the LR grid."""

    wide: np.ndarray  # (n, k) the half with the higher diffusion index in this patch
    narrow: np.ndarray  # (n, k)
    red: np.ndarray  # (k, h, w) in nearly every network's area
    blue: np.ndarray  # (k, h, w) in that of two wide networks, and of no narrow one
    random: np.ndarray  # (k, h, w) outside every area, as many pixels as are red

    def mean(self, values: np.ndarray, members: np.ndarray) -> np.ndarray:
        """Mean of values (n, k) over the `wide` or the `narrow` half: (k,)."""
        return np.array([values[own, i].mean() for i, own in enumerate(members.T)])


def shared_interest(areas: np.ndarray, index: np.ndarray) -> Interest:
    """From areas of contribution (n, k, h, w) and diffusion indices (n, k)."""
    count, ranks = len(index), index.argsort(axis=0).argsort(axis=0)
    wide, narrow = ranks >= (count + 1) // 2, ranks < count // 2
    red = areas.mean(axis=0) >= SHARE
    wide_votes = (areas & wide[..., None, None]).sum(axis=0)
    narrow_votes = (areas & narrow[..., None, None]).sum(axis=0)
    blue = (wide_votes >= min(2, int(wide[:, 0].sum()))) & (narrow_votes == 0)
    rng, random = np.random.default_rng(0), np.zeros_like(red)
    for i in range(areas.shape[1]):
        outside = np.flatnonzero(~areas[:, i].any(axis=0))
        random[i].flat[rng.permutation(outside)[: red[i].sum()]] = True
    return Interest(wide, narrow, red, blue, random)


@torch.no_grad()
def blurred_away(
    network: Network, patches: HardPatches, sr: Tensor, masks: np.ndarray, *, window: int
) -> np.ndarray:
    """What blurring the masked LR pixels does to the middle window: RMS change in 1/255, dB lost.

    `sr` (k, 3, H, W) is what the network makes of the patches, `masks` are (k, h, w); the result is
    (k, 2). The Gaussian is that of LAM's baseline.
    """
    found = []
    for i, mask in enumerate(torch.from_numpy(masks)):
        lr = patches.lr[[i]]
        blurred = filter2d(lr, gaussian_kernel(1.2, size=9))
        with frozen(network):
            dull = network(torch.where(mask.to(lr.device), blurred, lr))
        sharp, dull, hr = (center_crop(one, window) for one in (sr[[i]], dull, patches.hr[[i]]))
        lost = psnr(sharp, hr, border=0) - psnr(dull, hr, border=0)
        found.append([255 * (sharp - dull).square().mean().sqrt().item(), lost.item()])
    return np.array(found)
