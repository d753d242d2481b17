"""Diffusion: the network guesses the HR image from mixtures of it, the LR image and noise."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from srlab.models import ResShift
from srlab.training.recipes.kinds import DiffusionRecipe
from srlab.training.supervised import Supervised


class Diffusion(Supervised):
    """Squared error of the guess at x₀, for each picture at a level of noise drawn evenly."""

    recipe: DiffusionRecipe
    model: ResShift

    def batch(self, step: int) -> tuple[Any, ...]:
        """This process's share of (lr, hr, level, noise), for any number of processes the same."""
        lr, hr = super().batch(step)
        rng = np.random.default_rng((self.recipe.seed, step, 1))
        shape = self.recipe.batch_size, *hr.shape[1:]
        level = torch.from_numpy(rng.integers(1, self.model.levels, shape[:1], endpoint=True))
        noise = torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))
        return lr, hr, self.share.rows(level).to(hr.device), self.share.rows(noise).to(hr)

    def loss(self, _step: int, *batch: Any) -> Tensor:
        """The squared error."""
        lr, hr, level, noise = batch
        state = self.model.noised(hr, lr, level, noise)
        with self.autocast():
            guess = self.model.reconstruct(self.model.features(state, lr, level), lr)
        return F.mse_loss(guess.float(), hr)
