"""What a diffusion network's SR image owes to each use of the LR image, and to its noise."""

import numpy as np
from torch import Tensor
from torch.nn import functional as F

from srlab.attribution.integral import Integral, Tree, integrate, positions
from srlab.attribution.paths import Cut, arc_positions, deblurring
from srlab.attribution.targets import Target
from srlab.capture import frozen
from srlab.models import ResShift

NOISE = "noise"


def uses(network: ResShift) -> list[str]:
    """Where a sampler looks at the LR image: as it begins, and at each level of noise."""
    return ["start", *(f"level {level}" for level in range(network.levels, 0, -1))]


def sampler_integral(
    network: ResShift, lr: Tensor, noise: Tensor, target: Target, *, steps: int
) -> Integral:
    """The change of `target` as lr (1, 3, h, w) is deblurred while the noise rises from 0.

    Every use of the LR image has a map of its own, (3, h, w), and the noise (levels, 1, 3, H, W)
    has one; together they sum to the change. The noise rises evenly with the way that the picture
    goes: not with its blur, which falls on when the picture has long come to rest.
    """
    names, picture = uses(network), deblurring(lr[0]).curve
    arc = arc_positions(picture)

    def curve(ways: Tensor) -> Tree:
        amounts = ways.to(noise)[:, None, None, None, None, None]
        return {
            **dict.fromkeys(names, picture(positions(arc(ways.numpy())))),
            NOISE: amounts * noise,
        }

    def value(point: Tree) -> Tensor:
        *_, (_, sr) = network.sampling([point[name][None] for name in names], point[NOISE])
        return target(sr)

    with frozen(network):
        return integrate(value, Cut("midpoint", steps).along(curve, np.asarray))


def noise_share(found: Integral) -> float:
    """The part of the change that came through the noise: |its sum| beside |that of the uses|."""
    through = abs(float(found.attribution[NOISE].sum()))
    seen = abs(sum(float(own.sum()) for name, own in found.attribution.items() if name != NOISE))
    return through / (through + seen)


def on_lr_grid(noise: Tensor, scale: int) -> Tensor:
    """A map of the noise (levels, 1, 3, H, W), summed to LR pixels: (1, 3, h, w)."""
    return F.avg_pool2d(noise.sum(dim=0), scale) * scale**2
