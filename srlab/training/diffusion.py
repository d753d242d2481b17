"""Diffusion: the network guesses the HR image from mixtures of it, the LR image and noise."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from srlab.models import ResShift
from srlab.training.recipes import DiffusionRecipe
from srlab.training.supervised import Supervised


class Diffusion(Supervised):
    """Squared error of the guess at x₀, for each picture at a level of noise drawn evenly."""

    recipe: DiffusionRecipe
    model: ResShift

    def update(self, step: int) -> Tensor:
        """One step; the loss before it."""
        lr, hr = self.batch(self.sampler, step)
        level, noise = self._drawn(step, hr)
        loss = self.descent.together(lambda: self._error(lr, hr, level, noise))
        self.descent.step(loss)
        return loss

    def _drawn(self, step: int, hr: Tensor) -> tuple[Tensor, Tensor]:
        """(level, noise) of this process's share, the same for any number of processes."""
        rng = np.random.default_rng((self.recipe.seed, step, 1))
        shape = self.recipe.batch_size, *hr.shape[1:]
        level = torch.from_numpy(rng.integers(1, self.model.levels, shape[:1], endpoint=True))
        noise = torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))
        return self.share.rows(level).to(hr.device), self.share.rows(noise).to(hr)

    def _error(self, lr: Tensor, hr: Tensor, level: Tensor, noise: Tensor) -> Tensor:
        state = self.model.noised(hr, lr, level, noise)
        with self.autocast():
            guess = self.model.reconstruct(self.model.features(state, lr, level), lr)
        return F.mse_loss(guess.float(), hr)
