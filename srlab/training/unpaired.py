"""CinCGAN's training (Yuan et al., CVPRW 2018): degraded LR and clean HR, never the same picture.

The inner cycle maps degraded LR to clean LR and back, the outer one enlarges what the inner made
and comes back to the degraded LR. The paper trains them one after the other; here both descend
together, and the outer network starts from a trained super-resolver.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.degradations.pipeline import DegradationSpace
from srlab.models import CinCGAN, PatchDiscriminator, SRResNet
from srlab.models.cincgan import CycleDegrader
from srlab.training.initial import drawn_by
from srlab.training.losses import total_variation
from srlab.training.recipes.kinds import UnpairedRecipe
from srlab.training.supervised import Supervised


class Unpaired(Supervised):
    """Two cycles, each with a critic (least squares), an identity and a smoothness term."""

    recipe: UnpairedRecipe
    model: CinCGAN

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        clean = DegradationSpace(scale=self.recipe.space.scale)
        self.clean_sampler = self.sampled(clean, self.recipe.seed + 10_000)  # other crops
        self.judging = self.descending(self.critics)
        self.parts += self.judging.parts

    def partners(self) -> tuple[nn.Module, ...]:
        """The generators back; the critics are drawn behind them."""
        scale, channels = self.recipe.space.scale, self.recipe.partner_channels
        with drawn_by(self.recipe.seed):
            self.back = nn.ModuleDict()
            self.back["inner"] = SRResNet(scale=1, channels=channels, num_blocks=4)
            self.back["outer"] = CycleDegrader(scale=scale, channels=channels, num_blocks=4)
            self.critics = nn.ModuleDict()
            self.critics["inner"] = PatchDiscriminator(channels=channels, stride=1)
            self.critics["outer"] = PatchDiscriminator(channels=channels)
        return (self.back,)

    def update(self, step: int) -> Tensor:
        """One step; the loss before it."""
        degraded, _ = self.batch(step)
        clean, hr = self.pairs(self.clean_sampler, step)
        cleaned, sr, loss = self.descent.together(lambda: self._cycles(degraded, clean, hr))
        self.descent.step(loss)
        made, real = (cleaned.detach(), sr.detach()), (clean, hr)
        self.judging.step(self.judging.together(lambda: self._critics_loss(made, real)))
        return loss

    def _cycles(self, degraded: Tensor, clean: Tensor, hr: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(cleaned, sr, the loss of both cycles)."""
        with self.autocast():
            cleaned = self.model.inner(degraded)
            sr = self.model.outer(cleaned)
            loss = self._cycle("inner", degraded, cleaned, self.model.inner(clean), clean)
            loss = loss + self._cycle("outer", degraded, sr, self.model.outer(clean), hr)
        return cleaned, sr, loss

    def _cycle(
        self, name: str, degraded: Tensor, made: Tensor, kept: Tensor, clean: Tensor
    ) -> Tensor:
        """Fool the critic, come back to where it began, leave clean pictures alone, be smooth.

        The way back is judged by squares: the noise that a cleaned picture cannot bring back must
        weigh less than what the critic asks for.
        """
        recipe, critic = self.recipe, self.critics[name]
        critic.requires_grad_(False)
        verdict = critic(made).float()
        critic.requires_grad_(True)
        return (
            getattr(recipe, f"{name}_adversarial_weight")
            * F.mse_loss(verdict, torch.ones_like(verdict))
            + recipe.cycle_weight * F.mse_loss(self.back[name](made).float(), degraded)
            + recipe.identity_weight * F.l1_loss(kept.float(), clean)
            + recipe.smoothness_weight * total_variation(made)
        )

    def _critics_loss(self, made: tuple[Tensor, Tensor], real: tuple[Tensor, Tensor]) -> Tensor:
        with self.autocast():
            inner, outer = map(self._critic_loss, ("inner", "outer"), made, real)
        return inner + outer

    def _critic_loss(self, name: str, made: Tensor, real: Tensor) -> Tensor:
        on_real, on_made = (self.critics[name](images).float() for images in (real, made))
        return (on_real - 1).square().mean() + on_made.square().mean()
