"""How widely a network looks on hard patches, and how well it restores them (LAM, Tab. 1, Fig. 7).

The paper characterizes a network by two means over hard sub-images: the diffusion index of the
window in their middle, and their quality.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from srlab.attribution.lam import diffusion_index, lam, magnitude, patch
from srlab.attribution.objective import Network
from srlab.attribution.paths import deblur
from srlab.metrics import psnr, ssim
from srlab.statistics import drawn_groups, linear_correlation, rank_correlation
from srlab.studies.lam.hard_patches import HardPatches
from srlab.studies.study import Estimate

COEFFICIENTS = {"Pearson": linear_correlation, "Spearman": rank_correlation}
Window = tuple[float, float, float, float]  # top, left, height, width in LR pixels


@dataclass(frozen=True)
class Diffusion:
    """Of one network, for each of k patches."""

    index: np.ndarray  # (k,) diffusion index of the middle window
    psnr: np.ndarray  # (k,) dB of luma, whole patch without a border of `scale` pixels
    ssim: np.ndarray  # (k,) of the same
    maps: np.ndarray  # (k, h, w) as shown, in [0, 1], LR pixels
    sr: Tensor  # (k, 3, H, W) what the network makes of the patches
    completeness_error: float  # the largest of the k maps


def diffusion(
    network: Network, patches: HardPatches, *, window: int = 16, steps: int = 10
) -> Diffusion:
    """Attribute the middle window × window SR pixels of each patch; measure each patch's quality.

    The network sees one patch at a time. Diffusion indices depend on the size of the patches:
    compare only networks on the same ones.

    >>> diffusion(load_checkpoint("fsrcnn")[0], patches).index.mean()
    """
    scale = patches.hr.shape[-1] // patches.lr.shape[-1]
    top, left = (middle(extent, window) for extent in patches.hr.shape[-2:])
    target = patch(top, left, window)
    maps = [lam(network, lr, target, path=deblur(steps=steps)) for lr in patches.lr.split(1)]
    sr = torch.cat([own.sr.detach() for own in maps])
    return Diffusion(
        index=np.array([diffusion_index(own) for own in maps]),
        psnr=psnr(sr, patches.hr, border=scale).cpu().numpy(),
        ssim=ssim(sr, patches.hr, border=scale).numpy(),
        maps=np.stack([magnitude(own).cpu().numpy() for own in maps]),
        sr=sr,
        completeness_error=max(own.completeness_error for own in maps),
    )


def middle(extent: int, window: int) -> int:
    """Where a window begins that lies in the middle of `extent` pixels."""
    if not 0 < window < extent:
        raise ValueError(f"a window of {window} pixels does not fit into patches of {extent}")
    return (extent - window) // 2


def reach(shown: np.ndarray, window: Window, share: float) -> int:
    """How far around the window, in LR pixels, one must go to find `share` of a map (h, w).

    0 = the pixels that the window covers. Distances are to the farther of row and column, as those
    of a receptive field are.
    """
    if not 0 < share <= 1:
        raise ValueError(f"a share lies in (0, 1], got {share}")
    grown = gathered(shown, window)
    return int(np.argmax(grown >= min(share, grown.max())))


def gathered(shown: np.ndarray, window: Window) -> np.ndarray:
    """Share of a map (h, w) within 0, 1, 2 … LR pixels of the window; the last is 1."""
    if shown.ndim != 2 or not shown.any():
        raise ValueError(
            f"expected a map (h, w) that is not zero everywhere, got shape {shown.shape}"
        )
    away = distance(shown.shape, window)
    rings = np.bincount(away.ravel(), weights=shown.ravel().astype(np.float64))
    return np.cumsum(rings) / rings.sum()


def distance(shape: tuple[int, ...], window: Window) -> np.ndarray:
    """Of each LR pixel to the window, in whole pixels: (h, w)."""
    top, left, height, width = window
    rows, columns = (
        np.maximum(np.floor(start) - at, at - np.ceil(start + extent) + 1).clip(min=0)
        for start, extent, at in zip(
            (top, left), (height, width), map(np.arange, shape), strict=True
        )
    )
    return np.maximum(rows[:, None], columns).astype(np.int64)


def log_correlation(
    x: np.ndarray, y: np.ndarray, families: np.ndarray | list[str], *, draws: int = 1000
) -> dict[str, Estimate]:
    """How the logarithm of x goes with y over networks: the `COEFFICIENTS` by their names.

    Both are (networks, k) and averaged over k.

    A draw of the bootstrap takes whole families of networks, and patches, with replacement:
    the intervals tell what other families and other patches might have given. A measure that
    knows no patches, such as the number of parameters, has k equal columns.
    """
    x, y, families = np.asarray(x, np.float64), np.asarray(y, np.float64), np.asarray(families)
    members = [np.flatnonzero(families == family) for family in dict.fromkeys(families.tolist())]
    if x.shape != y.shape or x.ndim != 2 or len(x) != len(families) or len(members) < 3:
        raise ValueError(
            "expected two measures (networks, patches), and families of which there are at least "
            f"3, got shapes {x.shape} and {y.shape} and {len(members)} families of {len(families)}"
        )
    if not (x > 0).all():
        raise ValueError("the first measure holds values ≤ 0, which have no logarithm")
    rng = np.random.default_rng(0)
    found = []
    for rows in drawn_groups(members, draws, rng):
        columns = rng.integers(x.shape[1], size=x.shape[1])
        found.append(_coefficients(x[rows][:, columns], y[rows][:, columns]))
    known = np.array([own for own in found if np.isfinite(own).all()])  # none is of equal values
    drawn = zip(COEFFICIENTS, _coefficients(x, y), known.T, strict=True)
    return {name: Estimate(value, own) for name, value, own in drawn}


def _coefficients(x: np.ndarray, y: np.ndarray) -> list[float]:
    """Of log mean x and mean y."""
    logs, means = np.log(x.mean(axis=1)), y.mean(axis=1)
    return [coefficient(logs, means) for coefficient in COEFFICIENTS.values()]


def growth(
    values: np.ndarray,
    widths: np.ndarray | list[int],
    depths: np.ndarray | list[int],
    *,
    draws: int = 1000,
) -> dict[str, Estimate]:
    """What doubling "width" or "depth" alone adds to `values` (networks, k), averaged over patches.

    The slopes against their log₂; a draw takes patches anew. One plane is fitted to all networks
    by least squares. For factors instead of differences give the logarithm of a measure.
    """
    values = np.asarray(values, np.float64)
    sizes = np.stack([widths, depths, np.ones(len(depths))], axis=1).astype(np.float64)
    if values.ndim != 2 or len(values) != len(sizes) or (sizes <= 0).any():
        raise ValueError(
            "expected values (networks, patches) with a positive width and depth for each "
            f"network, got shape {values.shape} for {len(sizes)} sizes"
        )
    design = np.column_stack([np.log2(sizes[:, :2]), sizes[:, 2]])
    if np.linalg.matrix_rank(design) < 3:
        raise ValueError("width and depth must both vary, and not together")
    solve = np.linalg.pinv(design)[:2]  # (2, networks)
    columns = np.random.default_rng(0).integers(values.shape[1], size=(draws, values.shape[1]))
    own, drawn = solve @ values.mean(axis=1), solve @ values[:, columns].mean(axis=2)
    return {"width": Estimate(own[0], drawn[0]), "depth": Estimate(own[1], drawn[1])}
