"""How much a local attribution map owes to choices that nobody can justify: blur and window."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from srlab.attribution.lam import Attribution, lam
from srlab.attribution.objective import Network
from srlab.attribution.paths import KERNEL_SIZE, SIGMA, deblur
from srlab.attribution.targets import PatchTarget

SIGMAS = (0.6, 0.9, SIGMA, 2.0, 3.0, 4.0)  # LR pixels
WINDOWS = (8, 16, 24, 32)  # SR pixels a side
STEPS = 16


@dataclass(frozen=True)
class Robustness:
    """The maps of one target under other baselines and in other windows around its middle."""

    by_sigma: dict[float, Attribution]  # with their gradients: `step_sizes` tells where they grew
    by_window: dict[int, Attribution]

    def sigma_range(self) -> tuple[float, float]:
        """The least and the largest diffusion index over the blurs."""
        return _range(self.by_sigma.values())

    def window_range(self) -> tuple[float, float]:
        """The least and the largest diffusion index over the windows."""
        return _range(self.by_window.values())


def robustness(
    network: Network,
    lr: Tensor,
    target: PatchTarget,
    *,
    sigmas: Sequence[float] = SIGMAS,
    windows: Sequence[int] = WINDOWS,
    steps: int = STEPS,
    recompute: bool = False,
) -> Robustness:
    """Repeat the map of `target` at lr (1, 3, h, w) with other baselines and other windows.

    `sigmas` are blurs of the baseline in LR pixels, each with a kernel as wide for it as LAM's for
    its 1.2; `windows` are sides in SR pixels around the target's middle, of which those that leave
    the picture are left out. A target whose measure knows the window's size, such as a mask's,
    takes windows=(). Each map takes `steps` gradients; `recompute` is as for `lam`.

    >>> network = torch.nn.Upsample(scale_factor=2, mode="bicubic")
    >>> lr = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    >>> found = robustness(network, lr, patch(32, 32, 8), sigmas=(0.9, 1.2), windows=(8, 16))
    >>> [len(maps) for maps in (found.by_sigma, found.by_window)]
    [2, 2]
    """
    by_sigma = {
        sigma: lam(
            network,
            lr,
            target,
            path=deblur(sigma=sigma, kernel_size=kernel_size(sigma), steps=steps),
            keep_gradients=True,
            recompute=recompute,
        )
        for sigma in sigmas
    }
    size = next(iter(by_sigma.values())).sr.shape[-2:]
    around = {side: _around(target, side) for side in windows}
    by_window = {
        side: lam(network, lr, own, path=deblur(steps=steps), recompute=recompute)
        for side, own in around.items()
        if min(own.top, own.left) >= 0 and own.top + side < size[0] and own.left + side < size[1]
    }
    return Robustness(by_sigma, by_window)


def kernel_size(sigma: float) -> int:
    """Odd side of a kernel that covers as many σ as LAM's 9×9 does of its 1.2."""
    return 2 * math.ceil(sigma / SIGMA * (KERNEL_SIZE // 2)) + 1


def _around(target: PatchTarget, side: int) -> PatchTarget:
    rows, columns = target.shape
    top, left = target.top + (rows - side) // 2, target.left + (columns - side) // 2
    return replace(target, top=top, left=left, size=side, width=None)


def _range(maps: Iterable[Attribution]) -> tuple[float, float]:
    indices = [own.diffusion_index for own in maps]
    return min(indices), max(indices)
