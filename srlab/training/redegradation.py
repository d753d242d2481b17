"""ReDSR's training (Liu et al., ECCV 2024): a code must degrade another crop as its own was."""

from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from srlab.degradations.vector import degradation_vectors
from srlab.models.redsr import Degrader, ReDSR
from srlab.training.code_losses import confidence_weights, gaussian_divergence, modulated_loss
from srlab.training.initial import drawn_by
from srlab.training.losses import pixel_loss
from srlab.training.paired import Paired
from srlab.training.recipes import RedegradationRecipe


class Redegradation(Paired):
    """Re-degradation, a prior on the codes, and reconstruction, all at once (Sec. 3)."""

    recipe: RedegradationRecipe
    model: ReDSR

    def __init__(
        self,
        recipe: RedegradationRecipe,
        fabric: Fabric,
        images: dict[str, Tensor] | None = None,
    ) -> None:
        super().__init__(recipe, fabric, images)
        with drawn_by(recipe.seed):
            degrader = Degrader(
                scale=self.model.scale,
                channels=recipe.degrader_channels,
                num_blocks=recipe.degrader_blocks,
                code=self.model.code,
            )
        self.degrading = self.partner(degrader)

    @property
    def parts(self) -> tuple[Any, ...]:
        """All that a resumed run needs."""
        return *self.descent.parts, *self.degrading.parts

    def update(self, step: int) -> Tensor:
        """One step; the loss before it."""
        recipe = self.recipe
        both, hr, drawn = self.drawn_batch(step)
        lr, other_lr = both.chunk(2)
        hr, other_hr = hr.chunk(2)
        with self.autocast():
            codes = self._codes(both, drawn)
        own = codes.chunk(2)[0]
        losses: dict[str, Tensor] = {}
        confidence = torch.ones(len(lr), device=lr.device)
        if recipe.redegradation_weight:
            with self.autocast():
                made = self.degrading.network(other_hr, own)
            losses["redegradation"] = pixel_loss(made, other_lr)
            if recipe.modulated:
                confidence = confidence_weights(made, other_lr)
        if recipe.energy_weight:
            losses["energy"] = self.energy(codes, step)
        if recipe.divergence_weight:
            losses["divergence"] = gaussian_divergence(codes)
        if recipe.reconstruction_weight:
            with self.autocast():
                sr, wanted = self.restored(lr, hr, own)
            losses["reconstruction"] = modulated_loss(sr, wanted, confidence)
        return self.descend(losses, self._weights(step), self.degrading)

    def _codes(self, lr: Tensor, drawn: list[Any]) -> Tensor:
        if self.model.oracle:
            return self.model.represent_known(degradation_vectors(drawn).to(lr.device))
        return self.model.represent(lr)

    def _weights(self, step: int) -> dict[str, float]:
        recipe, share = self.recipe, self.prior_share(step)
        return {
            "redegradation": recipe.redegradation_weight,
            "energy": recipe.energy_weight * share,
            "divergence": recipe.divergence_weight * share,
            "reconstruction": recipe.reconstruction_weight,
        }
