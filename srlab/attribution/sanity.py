"""Is a map about the network, and about what the patch needs? Tests that a map can fail.

Cascading randomization after Adebayo et al. (NeurIPS 2018); deletion and insertion after Petsiuk
et al. (BMVC 2018), on the quality of a patch.
"""

import copy
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from srlab.attribution.lam import Attribution, magnitude, one_image
from srlab.attribution.objective import Network, objective
from srlab.attribution.paths import BASELINES
from srlab.attribution.targets import PatchTarget, error_target
from srlab.capture import frozen
from srlab.metrics import structural_similarity
from srlab.statistics import rank_correlation

SHARES = (0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32)  # of the LR pixels
NEAR = 8.0  # LR pixels from the centre of the target


class Similarity(NamedTuple):
    """How alike two maps look."""

    rank: float  # Spearman's ρ of the magnitudes over all LR pixels; 0 where one map is constant
    ssim: float  # structural similarity of the magnitudes, each divided by its maximum


def weighted_layers(model: nn.Module) -> list[str]:
    """Names of the layers that hold weights of their own, the last first."""
    named = [name for name, layer in model.named_modules() if list(layer.parameters(recurse=False))]
    return named[::-1]


def randomized(
    model: nn.Module, *, generator: torch.Generator, layers: Sequence[str] | None = None
) -> Iterator[tuple[str, nn.Module]]:
    """Copies of the network with one more layer random each: (that layer, the copy).

    `layers` are names of any submodules, by default `weighted_layers`, from tail to head. Each
    tensor is drawn from a normal distribution of its own mean and standard deviation, so that
    signals keep their size; `generator` lives on the CPU. The model itself is left alone.
    """
    current = copy.deepcopy(model)
    for name in weighted_layers(model) if layers is None else layers:
        for weight in current.get_submodule(name).parameters():
            spread = weight.data.std(correction=0)
            drawn = torch.randn(weight.shape, generator=generator, dtype=weight.dtype)
            weight.data = weight.data.mean() + spread * drawn.to(weight.device)
        yield name, copy.deepcopy(current)


def similarity(one: Attribution | Tensor, other: Attribution | Tensor) -> Similarity:
    """Of two maps (1, 3, h, w) of one size, at least 11×11."""
    shown = [magnitude(map_).cpu().double().numpy() for map_ in (one, other)]
    if shown[0].shape != shown[1].shape:
        raise ValueError(f"maps of {shown[0].shape} and {shown[1].shape} pixels cannot be compared")
    rank = _rank(*(map_.ravel() for map_ in shown))
    return Similarity(rank, structural_similarity(*shown))


def by_magnitude(map_: Attribution | Tensor) -> Tensor:
    """LR pixels (h·w,) as flat indices, the most attributed first; equal ones keep their order."""
    return magnitude(map_).flatten().sort(descending=True, stable=True).indices


def ring_correlation(
    one: Attribution | Tensor, other: Attribution | Tensor, target: PatchTarget, scale: int
) -> float:
    """Spearman's ρ of two maps (1, 3, h, w) once distance is taken out; 0 where one is constant.

    Every magnitude is divided by the mean of those as far from the centre of the target (rings one
    LR pixel wide), and pixels further than `NEAR` LR pixels are left out. A map that says no more
    than "near counts" correlates with nothing.
    """
    shown = [magnitude(map_).cpu().double() for map_ in (one, other)]
    far = target.distance(shown[0].shape, scale)
    rings = far.round().long().flatten()
    counts = torch.bincount(rings).clamp(min=1)
    near, relative = (far <= NEAR).flatten(), []
    for map_ in shown:
        means = torch.bincount(rings, weights=map_.flatten()) / counts
        shares = map_.flatten() / means[rings].clamp(min=torch.finfo(map_.dtype).tiny)
        relative.append(shares[near].numpy())
    return _rank(*relative)


def _rank(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's ρ; 0 where one of them is constant."""
    return float(np.nan_to_num(rank_correlation(one, other)))


def by_nearness(size: tuple[int, int], target: PatchTarget, scale: int) -> Tensor:
    """LR pixels (h·w,) of an h × w image, those nearest to the centre of the target first."""
    return target.distance(size, scale).flatten().sort(stable=True).indices


def at_random(size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """LR pixels (h·w,) of an h × w image in random order."""
    return torch.randperm(size[0] * size[1], generator=generator)


def at_equal_distance(
    order: Tensor,
    size: tuple[int, int],
    target: PatchTarget,
    scale: int,
    generator: torch.Generator,
) -> Tensor:
    """Another order (h·w,) with the same distances in the same places, pixels drawn at random.

    However many first pixels are taken, each ring around the centre of the target (one LR pixel
    wide) gives as many as in `order`: what `order` knows beyond distance is lost.
    """
    rings = target.distance(size, scale).round().long().flatten()
    drawn = torch.randperm(len(rings), generator=generator)
    kept = rings.argsort(stable=True)
    instead = drawn[rings[drawn].argsort(stable=True)]
    return torch.empty_like(kept).index_copy_(0, kept, instead)[order]


class Curves(NamedTuple):
    """PSNR of the patch in dB, of luma, as growing shares of the LR pixels are treated."""

    deletion: np.ndarray  # (S,) those pixels blurred
    insertion: np.ndarray  # (S,) all pixels blurred but those
    sharp: float  # nothing blurred
    blurred: float  # everything blurred

    @property
    def harm(self) -> float:
        """Mean loss by deletion, dB: the area above its curve, shares counted alike."""
        return float(self.sharp - self.deletion.mean())

    @property
    def repair(self) -> float:
        """Mean gain by insertion, dB: the area below its curve."""
        return float(self.insertion.mean() - self.blurred)


@torch.no_grad()
def replacement_curves(
    model: Network,
    lr: Tensor,
    hr: Tensor,
    target: PatchTarget,
    order: Tensor,
    *,
    shares: Sequence[float] = SHARES,
) -> Curves:
    """Blur the first LR pixels in `order` (h·w,), or all others, and measure the target's square.

    lr (1, 3, h, w), hr (1, 3, H, W). The blur is LAM's baseline.
    """
    image = one_image(lr)
    count = image[0].numel()
    if order.sort().values.tolist() != list(range(count)):
        raise ValueError(f"an order names each of the {count} LR pixels once, got {order.shape}")
    blurred = BASELINES["blur"](image[None])[0]
    masks = torch.zeros(len(shares), count, dtype=torch.bool, device=image.device)
    for mask, share in zip(masks, shares, strict=True):
        mask[order[: round(share * count)].to(image.device)] = True
    masks = masks.reshape(-1, 1, *image.shape[-2:])
    pairs = torch.where(masks, blurred, image), torch.where(masks, image, blurred)
    inputs = torch.cat([*pairs, image[None], blurred[None]])
    if len(set(target.shape)) > 1:
        raise ValueError(f"the patch should be a square, got {target.shape}")
    error = objective(model, error_target(hr, target.top, target.left, target.size))
    with frozen(model):
        errors = torch.cat([error(some) for some in inputs.split(4)])
    quality = -10 * errors.double().log10().cpu().numpy()
    deletion, insertion = quality[:-2].reshape(2, -1)
    return Curves(deletion, insertion, float(quality[-2]), float(quality[-1]))
