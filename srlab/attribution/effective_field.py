"""The effective receptive field (Luo et al., NeurIPS 2016): which LR pixels an SR pixel listens to.

The theoretical field says what could change the SR pixel; this one, by how much a small change of
each LR pixel does, averaged over pictures. Two conventions are in use, see `CONVENTIONS`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor
from torch.nn import functional as F

from srlab.attribution.integral import value_and_gradient
from srlab.attribution.objective import Network, comfortable_batch, objective, super_resolved
from srlab.attribution.targets import PatchTarget
from srlab.capture import frozen
from srlab.images import center_crop, check_images
from srlab.networks.advice import AdvisedError, Setting

SHARES = (0.2, 0.3, 0.5, 0.99)  # of the contributions, whose areas papers print
SIZE = 120  # side of the LR pictures, as MambaIR's script has it
MOST_PICTURES = 100


@dataclass(frozen=True)
class Convention:
    """How pictures get their size, what of a gradient counts, and how areas are counted."""

    words: str
    fitted: Callable[[Tensor, int], Tensor]  # picture (3, h, w), size → (3, size, size)
    part: Callable[[Tensor], Tensor]  # of the gradient, value by value
    scored: Callable[[Tensor], Tensor]  # of the mean map, before squares are grown
    narrowest: int  # how far the smallest square reaches around the middle


def _cropped(picture: Tensor, size: int) -> Tensor:
    height, width = picture.shape[-2:]
    if min(height, width) < size:
        raise AdvisedError(
            f"a picture of {height}×{width} LR pixels holds no {size}×{size} ones: give ",
            Setting("size", f"{min(height, width)}"),
            " or less, or larger pictures",
        )
    return center_crop(picture, size)


def _resized(picture: Tensor, size: int) -> Tensor:
    return F.interpolate(picture[None], size=(size, size))[0]


CONVENTIONS = {
    "absolute": Convention(
        "absolute gradients, pictures cropped", _cropped, torch.abs, lambda map_: map_, 0
    ),
    "published": Convention(  # the scripts of RepLKNet and, for super-resolution, MambaIR
        "positive gradients alone, pictures resized to the nearest pixel, areas of log(1 + map)",
        _resized,
        torch.relu,
        torch.log1p,
        1,
    ),
}


@dataclass(frozen=True)
class EffectiveField:
    """How much the SR pixel in the middle changes with each LR pixel, picture by picture."""

    maps: Tensor  # (N, h, w), Σ over RGB of the gradient's magnitudes, of each picture
    convention: str

    @property
    def map(self) -> Tensor:
        """(h, w), the mean over the pictures; the SR pixel lies in pixel (h // 2, w // 2)."""
        return self.maps.mean(dim=0)

    def side(self, share: float) -> int:
        """Side in LR pixels of the smallest square around the middle that holds `share` of it."""
        return 2 * self._radius(share)[0] + 1

    def area_ratio(self, share: float) -> float:
        """Part of the picture that this square takes: the contribution-area ratio of the papers.

        It depends on the size of the pictures: compare only networks on the same ones.
        """
        return self._radius(share)[1]

    def area_ratios(self) -> dict[float, float]:
        """{share: area ratio} at the shares that papers print, 20, 30, 50 and 99 %."""
        return {share: self.area_ratio(share) for share in SHARES}

    def _radius(self, share: float) -> tuple[int, float]:
        """How far the square reaches around the middle, and the part of the picture it takes."""
        if not 0 < share <= 1:
            raise ValueError(f"a share lies in (0, 1], got {share}")
        own = CONVENTIONS[self.convention]
        scores = own.scored(self.map.double())
        rows, columns = ((torch.arange(side) - side // 2).abs() for side in scores.shape)
        away = torch.maximum(rows[:, None], columns).flatten()
        held = torch.bincount(away, weights=scores.flatten()).cumsum(0)
        area = torch.bincount(away).cumsum(0) / len(away)
        enough = held >= min(share, 1 - 1e-12) * held[-1]  # 1e-12: the order of adding
        radius = max(int(enough.int().argmax()), own.narrowest)
        return radius, float(area[radius])


def erf(
    network: Network,
    images: Iterable[Tensor],
    *,
    size: int = SIZE,
    limit: int = MOST_PICTURES,
    convention: str = "absolute",
) -> EffectiveField:
    """Effective receptive field: ∂(SR pixel in the middle, its RGB summed) / ∂LR, over pictures.

    `images` are LR pictures (3, h, w), or a batch (N, 3, h, w), of which the first `limit` count,
    each size × size LR pixels of it. `network` is any callable (B, 3, h, w) →
    (B, 3, scale·h, scale·w); a module is frozen for the duration. "absolute" takes the picture's
    middle as it is, and |gradient|, exactly; "published" does what the scripts of RepLKNet
    and MambaIR do: it stretches the picture to size × size and drops what is negative in the
    gradient. Raises ValueError for pictures smaller than `size` and gradients that are not finite.

    >>> network = torch.nn.Upsample(scale_factor=2, mode="bilinear")
    >>> found = erf(network, torch.rand(4, 3, 24, 24), size=16)
    >>> found.map.shape, found.side(0.99)
    (torch.Size([16, 16]), 3)
    """
    if convention not in CONVENTIONS:
        raise ValueError(f"a convention is {' or '.join(CONVENTIONS)}, got {convention!r}")
    own = CONVENTIONS[convention]
    pictures = [own.fitted(_one_picture(picture), size) for picture in islice(images, limit)]
    if not pictures:
        raise ValueError("an effective receptive field is a mean over pictures: give at least one")
    with frozen(network), torch.inference_mode(False):
        maps = [own.part(some).sum(dim=1) for some in _gradients(network, pictures)]
    return EffectiveField(torch.cat(maps), convention)


def _one_picture(picture: Tensor) -> Tensor:
    if picture.ndim != 3:
        raise ValueError(
            f"give pictures (3, h, w), or a batch (N, 3, h, w); one of shape {tuple(picture.shape)}"
        )
    return check_images(picture.detach())


def _gradients(network: Network, pictures: list[Tensor]) -> Iterator[Tensor]:
    """(B, 3, h, w) of some pictures after another, of the SR pixel in the middle."""
    with torch.no_grad():
        height, width = super_resolved(network, pictures[0][None]).shape[-2:]
    pixel = PatchTarget(height // 2, width // 2, 1, lambda sr: sr[..., 0, 0].sum(dim=1))
    value = objective(network, pixel)
    for some in torch.stack(pictures).split(comfortable_batch(pictures[0][None])):
        _, gradient = value_and_gradient(value, some)
        if not torch.isfinite(gradient).all():
            raise ValueError("the network's gradient holds NaN or infinity on one of the pictures")
        yield gradient
