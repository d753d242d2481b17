"""What a diffusion network's SR image owes to each use of the LR image, and to its noise."""

from dataclasses import replace

from torch import Tensor
from torch.nn import functional as F

from srlab.attribution.integral import Integral, Tree, integrate
from srlab.attribution.paths import ImagePath
from srlab.attribution.targets import Target
from srlab.capture import frozen
from srlab.models import ResShift

NOISE = "noise"


def uses(network: ResShift) -> list[str]:
    """Where a sampler looks at the LR image: as it begins, and at each level of noise."""
    return ["start", *(f"level {level}" for level in range(network.levels, 0, -1))]


def sampler_integral(
    network: ResShift, lr: Tensor, noise: Tensor, target: Target, path: ImagePath
) -> Integral:
    """The change of `target` as lr (1, 3, h, w) goes along `path` and the noise rises from 0.

    Every use of the LR image has a map of its own, (3, h, w), and the noise (levels, 1, 3, H, W)
    has one; together they sum to the change.
    """
    names, along = uses(network), path(lr[0])

    def curve(positions: Tensor) -> Tree:
        amounts = positions.to(noise)[:, None, None, None, None, None]
        return {**dict.fromkeys(names, along.curve(positions)), NOISE: amounts * noise}

    def value(point: Tree) -> Tensor:
        *_, (_, sr) = network.sampling([point[name][None] for name in names], point[NOISE])
        return target(sr)

    with frozen(network):
        return integrate(value, replace(along, curve=curve))


def noise_share(found: Integral) -> float:
    """The part of the change that came through the noise: |its sum| beside |that of the uses|."""
    through = abs(float(found.attribution[NOISE].sum()))
    seen = abs(sum(float(own.sum()) for name, own in found.attribution.items() if name != NOISE))
    return through / (through + seen)


def on_lr_grid(noise: Tensor, scale: int) -> Tensor:
    """A map of the noise (levels, 1, 3, H, W), summed to LR pixels: (1, 3, h, w)."""
    return F.avg_pool2d(noise.sum(dim=0), scale) * scale**2
