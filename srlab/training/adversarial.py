"""SRGAN: the same pairs, but a critic and a perceptual loss beside L1 (Ledig et al., 2017)."""

from typing import Any

from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from srlab.checkpoints.files import load_checkpoint
from srlab.models import PatchDiscriminator
from srlab.training.initial import drawn_by
from srlab.training.losses import PerceptualLoss, adversarial_loss, pixel_loss
from srlab.training.recipes.kinds import AdversarialRecipe
from srlab.training.supervised import Supervised


class Adversarial(Supervised):
    """Generator and critic in turns; what is kept is the generator's running average."""

    recipe: AdversarialRecipe

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        recipe = self.recipe
        with drawn_by(recipe.seed):
            self.critic = PatchDiscriminator(channels=recipe.critic_channels)
        self.judging = self.descending(self.critic, learning_rate=recipe.critic_learning_rate)
        self.generator = self.model
        average = get_ema_multi_avg_fn(recipe.average)
        self.average = AveragedModel(self.generator, multi_avg_fn=average)
        self.model = self.average.module
        self.parts += (*self.judging.parts, self.average)
        judge = load_checkpoint(recipe.perceptual_network)[0].to(self.fabric.device)
        self.perceptual = PerceptualLoss(judge, recipe.perceptual_layers)

    def update(self, step: int) -> Tensor:
        """One step; the loss before it."""
        lr, hr = self.batch(step)
        sr, loss = self.descent.together(lambda: self._generated(lr, hr))
        self.descent.step(loss)
        self.average.update_parameters(self.generator)
        made = sr.detach()
        self.judging.step(self.judging.together(lambda: self._critic_loss(made, hr)))
        return loss

    def _generated(self, lr: Tensor, hr: Tensor) -> tuple[Tensor, Tensor]:
        """(sr, the generator's loss)."""
        recipe = self.recipe
        with self.autocast():
            sr = self.generator(lr)
            perceptual = self.perceptual(sr, hr)
            self.critic.requires_grad_(False)
            verdict = self.critic(sr)
            self.critic.requires_grad_(True)
        loss = (
            recipe.pixel_weight * pixel_loss(sr, hr)
            + recipe.perceptual_weight * perceptual
            + recipe.adversarial_weight * adversarial_loss(verdict, real=True)
        )
        return sr, loss

    def _critic_loss(self, sr: Tensor, hr: Tensor) -> Tensor:
        with self.autocast():
            on_real, on_made = self.critic(hr), self.critic(sr)
        return (adversarial_loss(on_real, real=True) + adversarial_loss(on_made, real=False)) / 2
