"""What training a blind network on pairs of crops has in common: two views of one degradation."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from srlab.degradations.pipeline import Degradation, DegradationSpace
from srlab.images import center_crop
from srlab.models.degradation_aware import BlindSuperResolver
from srlab.networks.layout import channels_last
from srlab.training.code_losses import energy_distance, prior_draws
from srlab.training.recipes.kinds import CodeRecipe
from srlab.training.supervised import Supervised

DRAWS = 64  # from the prior, each step (ReDSR, Sec. 4.1)


class Paired(Supervised):
    """Batches are 2·batch_size crops, `chunk(2)` of which show the same pictures and degradations.

    `losses` holds the parts of the last step's loss.
    """

    crops_per_draw = 2
    recipe: CodeRecipe
    model: BlindSuperResolver

    def pictures(self, space: DegradationSpace) -> list[Tensor]:
        """Those that are no smaller than a crop."""
        side = self.recipe.lr_size * space.scale
        return [image for image in self.images.values() if min(image.shape[-2:]) >= side]

    def batch(self, step: int) -> tuple[Any, ...]:
        """This process's share of (lr, hr, degradations) of a step."""
        lr, hr, drawn = self.sampler.drawn_batch(step - 1, self.fabric.device)
        lr, hr = self.share.rows(lr, views=2), self.share.rows(hr, views=2)
        own = self.share.rows(torch.arange(len(drawn)), views=2)
        return channels_last(lr), hr, [drawn[row] for row in own]

    def restored(self, lr: Tensor, hr: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """(sr, hr) of the crops' middle: codes need a wide view, super-resolution less so."""
        size = self.recipe.restored_size
        sr = self.model.restore(center_crop(lr, size), codes)
        return sr, center_crop(hr, size * self.model.scale)

    def energy(self, codes: Tensor, step: int) -> Tensor:
        """Energy distance of the codes of a step's whole batch to draws from the prior."""
        rng = np.random.default_rng((self.recipe.seed, step, 1))
        draws = prior_draws(self.recipe.prior, DRAWS, codes.shape[1], rng)
        return energy_distance(self.share.whole(codes), draws.to(codes.device))

    def loss(self, step: int, *batch: Any) -> Tensor:
        """The weighted sum of the losses."""
        self.losses = self.parted_loss(step, *batch)
        parts = [self.weight(name, step) * part for name, part in self.losses.items()]
        return torch.stack(parts).sum()

    def weight(self, name: str, step: int) -> float:
        """How much a loss counts: the recipe's `…_weight`; a prior's rises at first."""
        rise = self.recipe.prior_rise if name in ("energy", "divergence") else 0
        return getattr(self.recipe, f"{name}_weight", 1.0) * (min(1.0, step / rise) if rise else 1)

    def parted_loss(
        self, step: int, lr: Tensor, hr: Tensor, drawn: list[Degradation]
    ) -> dict[str, Tensor]:
        """The losses of a step, by name."""
        raise NotImplementedError
