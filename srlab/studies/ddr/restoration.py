"""What methods of restoration leave of each part of a degradation, beside their PSNR.

The clean picture is known, and so is what a part (its noise, say) changed in the input. How much of
that change is still in the output is measured by projecting the one on the other: 1 means that
it passed as under bicubic enlargement, 0 that it is gone, more than 1 that it was amplified.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from srlab.degradations.filters import shift, upsample
from srlab.degradations.pipeline import Degradation
from srlab.images import luma
from srlab.metrics import psnr
from srlab.studies.ddr.parts import parts, without
from srlab.studies.study import Estimate

Method = Callable[[Tensor], Tensor]  # LR images (B, 3, h, w) → (B, 3, scale·h, scale·w)
Drawn = tuple[Degradation, ...]  # one for each picture


def left_share(kept: np.ndarray, given: np.ndarray) -> Estimate:
    """What of one part is left in all pictures together; pictures are drawn with replacement.

    Of sums over the pixels of N pictures: `kept` (N,), the product of the output's change with the
    enlarged input's, and `given` (N,), the square of the latter.
    """
    rows = np.random.default_rng(0).integers(len(kept), size=(1000, len(kept)))
    drawn = kept[rows].sum(axis=1) / given[rows].sum(axis=1)
    return Estimate(float(kept.sum() / given.sum()), drawn)


class _Output(NamedTuple):
    luma: Tensor  # (N, 1, H, W)
    psnr: np.ndarray  # (N,)


class Restorations:
    """Pictures `hr` (N, 3, H, W) under named conditions, and what methods make of them.

    A condition is one `Degradation` for all pictures or one for each, and reduces by the scale that
    all share. Noise depends on the picture alone, so that a picture with and without
    its blur carries the same noise. Each method sees each input once.
    """

    def __init__(
        self,
        methods: Mapping[str, Method],
        hr: Tensor,
        conditions: Mapping[str, Degradation | Sequence[Degradation]],
        *,
        batch_size: int = 4,
    ) -> None:
        self.methods, self.hr, self.batch_size = methods, hr, batch_size
        self.conditions = {name: _each(drawn, len(hr)) for name, drawn in conditions.items()}
        self._outputs: dict[tuple[str, Drawn], _Output] = {}

    def parts(self, condition: str) -> tuple[str, ...]:
        """What the condition is made of in at least one picture, of blur, noise and JPEG."""
        return tuple(dict.fromkeys(p for drawn in self.conditions[condition] for p in parts(drawn)))

    def lr(self, condition: str, *missing: str) -> Tensor:
        """The degraded pictures (N, 3, h, w), those parts left out."""
        return self._degraded(self._drawn(condition, *missing))

    def quality(self, method: str, condition: str) -> np.ndarray:
        """PSNR of luma in dB (N,), against the clean picture on the shifted grid."""
        return self._output(method, self._drawn(condition)).psnr

    def left(self, method: str, condition: str, part: str) -> Estimate:
        """What the method leaves of one part of the condition."""
        if part not in self.parts(condition):
            raise ValueError(f"{condition!r} has no {part}: {self.parts(condition)}")
        drawn, rest = self._drawn(condition), self._drawn(condition, part)
        with_part, without_part = self._output(method, drawn), self._output(method, rest)
        change = (with_part.luma - without_part.luma).double()
        given = luma(self._degraded(drawn)) - luma(self._degraded(rest))
        given = upsample(given.double(), change.shape[-1] // given.shape[-1])
        return left_share(_sums(change * given), _sums(given.square()))

    def _drawn(self, condition: str, *missing: str) -> Drawn:
        return tuple(without(drawn, *missing) for drawn in self.conditions[condition])

    def _degraded(self, drawn: Drawn) -> Tensor:
        images = [
            degradation(self.hr[[index]], np.random.default_rng((0, index)))
            for index, degradation in enumerate(drawn)
        ]
        return torch.cat(images)

    @torch.no_grad()
    def _output(self, method: str, drawn: Drawn) -> _Output:
        if (method, drawn) not in self._outputs:
            batches = self._degraded(drawn).split(self.batch_size)
            sr = torch.cat([self.methods[method](lr) for lr in batches])
            moved = [shift(self.hr[[i]], *d.shift) for i, d in enumerate(drawn)]
            quality = psnr(sr, torch.cat(moved), border=drawn[0].scale)
            self._outputs[method, drawn] = _Output(luma(sr), quality.cpu().numpy())
        return self._outputs[method, drawn]


def _each(drawn: Degradation | Sequence[Degradation], count: int) -> Drawn:
    each = (drawn,) * count if isinstance(drawn, Degradation) else tuple(drawn)
    if len(each) != count or len({degradation.scale for degradation in each}) != 1:
        raise ValueError(
            f"a condition is one degradation for all {count} pictures or one for each, of one "
            f"scale; got {len(each)} with scales {sorted({d.scale for d in each})}"
        )
    return each


def _sums(values: Tensor) -> np.ndarray:
    return values.sum(dim=(1, 2, 3)).cpu().numpy()
