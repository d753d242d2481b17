"""What training a blind network on pairs of crops has in common: two views of one degradation."""

import numpy as np
import torch
from torch import Tensor, nn

from srlab.datasets import PatchSampler
from srlab.degradations.pipeline import Degradation, DegradationSpace
from srlab.images import center_crop
from srlab.models.degradation_aware import BlindSuperResolver
from srlab.training.code_losses import energy_distance, prior_draws
from srlab.training.descent import Descent
from srlab.training.recipes import CodeRecipe
from srlab.training.supervised import Supervised

DRAWS = 64  # from the prior, each step (ReDSR, Sec. 3.3)


class Paired(Supervised):
    """Batches are 2·batch_size crops, `chunk(2)` of which show the same pictures and degradations.

    `losses` holds the parts of the last step's loss.
    """

    recipe: CodeRecipe
    model: BlindSuperResolver

    def sampled(self, space: DegradationSpace, seed: int) -> PatchSampler:
        """Two crops under each draw; pictures smaller than a crop are left out."""
        side = self.recipe.lr_size * space.scale
        return PatchSampler(
            [image for image in self.images.values() if min(image.shape[-2:]) >= side],
            space=space,
            lr_size=self.recipe.lr_size,
            batch_size=self.recipe.batch_size,
            seed=seed,
            crops_per_draw=2,
        )

    def drawn_batch(self, step: int) -> tuple[Tensor, Tensor, list[Degradation]]:
        """(lr, hr, degradations) of a step."""
        lr, hr, drawn = self.sampler.drawn_batch(step - 1, self.fabric.device)
        return lr.contiguous(memory_format=torch.channels_last), hr, drawn

    def restored(self, lr: Tensor, hr: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """(sr, hr) of the crops' middle: codes need a wide view, super-resolution less so."""
        size = self.recipe.restored_size
        sr = self.model.restore(center_crop(lr, size), codes)
        return sr, center_crop(hr, size * self.model.scale)

    def energy(self, codes: Tensor, step: int) -> Tensor:
        """Energy distance of a step's codes to draws from the prior."""
        rng = np.random.default_rng((self.recipe.seed, step, 1))
        draws = prior_draws(self.recipe.prior, DRAWS, codes.shape[1], rng)
        return energy_distance(codes, draws.to(codes.device))

    def prior_share(self, step: int) -> float:
        """How much of the prior's weight counts: it rises linearly over the first steps."""
        return min(1.0, step / self.recipe.prior_rise) if self.recipe.prior_rise else 1.0

    def descend(
        self, losses: dict[str, Tensor], weights: dict[str, float], *others: Descent
    ) -> Tensor:
        """One step of the network and of `others` down the weighted sum; the sum before it."""
        self.losses = losses
        loss = torch.stack([weights[name] * part for name, part in losses.items()]).sum()
        for other in others:
            other.optimizer.zero_grad()
        self.descent.step(loss)
        for other in others:
            other.optimizer.step()
            other.schedule.step()
        return loss

    def partner(self, module: nn.Module) -> Descent:
        """A module that is trained along and not kept."""
        return self.descending(module, self.recipe.learning_rate)
