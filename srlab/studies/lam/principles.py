"""What LAM is built on, measured: edges instead of intensities, hard windows, roots of flat places.

Gu & Dong, CVPR 2021, Sec. 3.1.
"""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from srlab.attribution.integral import Path
from srlab.attribution.lam import lam, magnitude
from srlab.attribution.objective import Network
from srlab.attribution.paths import deblur, deblurring
from srlab.attribution.targets import Target, gradient_map
from srlab.images import crop


def change_with_brightness(network: Network, lr: Tensor, target: Target, *, steps: int) -> float:
    """How far two maps differ, of lr (1, 3, h, w) darker and brighter at equal contrast.

    Half the sum of |differences| of the maps, each divided by its sum: 0 equal, 1 disjoint.
    """
    dark, bright = (
        magnitude(lam(network, 0.8 * lr + shift, target, path=deblur(steps=steps))).cpu().numpy()
        for shift in (0, 0.2)
    )
    return float(np.abs(dark / dark.sum() - bright / bright.sum()).sum() / 2)


@torch.no_grad()
def errors_by_edges(
    networks: Iterable[Network], lr: Tensor, hr: Tensor, *, window: int
) -> np.ndarray:
    """RMS error in 1/255 of the windows with the weakest and the strongest edges: (networks, 2).

    All windows × windows pixels of hr (1, 3, H, W) are sorted by the gradient of the original; the
    first and the last third count.
    """

    def in_windows(values: Tensor) -> Tensor:
        return avg_pool2d(values[None, None], window)[0, 0].flatten()

    order = in_windows(pad(gradient_map(hr).mean(dim=(0, 1)), (0, 1, 0, 1))).argsort()
    third, found = len(order) // 3, []
    for network in networks:
        error = in_windows((network(lr) - hr).square().mean(dim=(0, 1))).sqrt()[order]
        found.append([error[:third].mean().item(), error[-third:].mean().item()])
    return 255 * np.array(found)


def root_first_map(network: Network, lr: Tensor, top: int, window: int, *, steps: int) -> Tensor:
    """The map (1, 3, h, w) where gradient magnitudes precede the window, as in the public code.

    Where the SR image is exactly flat, and the network sees it, there is NaN. The window is square,
    and begins `top` SR pixels from the top and from the left.
    """

    def target(sr: Tensor) -> Tensor:
        down = (sr[..., 1:, :-1] - sr[..., :-1, :-1]) ** 2
        right = (sr[..., :-1, 1:] - sr[..., :-1, :-1]) ** 2
        return crop((down + right).sqrt(), top, top, window, window).sum()

    path, total = deblurring(lr[0], steps=steps), torch.zeros_like(lr)
    assert isinstance(path, Path)  # its steps were given
    for points, moves in path.pieces(1):
        (gradient,) = torch.autograd.grad(target(network(points.requires_grad_())), points)
        total = total + gradient * moves
    return total
