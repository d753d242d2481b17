"""ReDSR's training (Liu et al., ECCV 2024): a code must degrade another crop as its own was."""

import torch
from torch import Tensor, nn

from srlab.degradations.pipeline import Degradation
from srlab.models.redsr import Degrader, ReDSR, degradation_vectors
from srlab.training.code_losses import confidence_weights, gaussian_divergence, modulated_loss
from srlab.training.initial import drawn_by
from srlab.training.losses import pixel_loss
from srlab.training.paired import Paired
from srlab.training.recipes.kinds import RedegradationRecipe


class Redegradation(Paired):
    """Re-degradation, a prior on the codes, and reconstruction, all at once (Sec. 3)."""

    recipe: RedegradationRecipe
    model: ReDSR

    def partners(self) -> tuple[nn.Module, ...]:
        """The degrader."""
        with drawn_by(self.recipe.seed):
            self.degrader = Degrader(
                scale=self.model.scale,
                channels=self.recipe.degrader_channels,
                num_blocks=self.recipe.degrader_blocks,
                code=self.model.code,
            )
        return (self.degrader,)

    def parted_loss(
        self, step: int, both: Tensor, hr: Tensor, drawn: list[Degradation]
    ) -> dict[str, Tensor]:
        """Re-degradation, prior and reconstruction, whichever the recipe weighs."""
        recipe = self.recipe
        lr, other_lr = both.chunk(2)
        hr, other_hr = hr.chunk(2)
        with self.autocast():
            codes = self._codes(both, drawn)
        own = codes.chunk(2)[0]
        losses: dict[str, Tensor] = {}
        confidence = torch.ones(len(lr), device=lr.device)
        if recipe.redegradation_weight:
            with self.autocast():
                made = self.degrader(other_hr, own)
            losses["redegradation"] = pixel_loss(made, other_lr)
            if recipe.modulated:
                confidence = confidence_weights(made, other_lr)
        if recipe.energy_weight:
            losses["energy"] = self.energy(codes, step)
        if recipe.divergence_weight:
            losses["divergence"] = gaussian_divergence(self.share.whole(codes))
        if recipe.reconstruction_weight:
            with self.autocast():
                sr, wanted = self.restored(lr, hr, own)
            losses["reconstruction"] = modulated_loss(sr, wanted, confidence)
        return losses

    def _codes(self, lr: Tensor, drawn: list[Degradation]) -> Tensor:
        if self.model.oracle:
            return self.model.represent_known(degradation_vectors(drawn).to(lr.device))
        return self.model.represent(lr)
