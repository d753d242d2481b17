"""Super-resolution learned from pairs: the task of most recipes."""

from typing import Any

import torch
from torch import Tensor, nn

from srlab.data.datasets import PatchSampler, image_digest, load_images
from srlab.degradations.pipeline import Degradation, DegradationSpace
from srlab.images import center_crop, crop_to_multiple
from srlab.metrics import psnr
from srlab.networks.layout import channels_last
from srlab.training.losses import pixel_loss
from srlab.training.recipes import Recipe
from srlab.training.task import Task


class Supervised(Task):
    """L1 between what the network makes of degraded patches and the patches they came from."""

    metric = "psnr"
    crops_per_draw = 1  # that show one picture under one degradation

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        space, scale = self.recipe.space, self.model.scale
        if scale != space.scale:
            raise ValueError(f"a ×{scale} network cannot learn from ×{space.scale} pairs")
        self.sampler = self.sampled(space, self.recipe.seed)

    @staticmethod
    def lessons(recipe: Recipe) -> dict[str, Tensor]:
        """The pictures of all its image sets."""
        return {
            f"{name}/{stem}": image
            for name in recipe.image_sets
            for stem, image in load_images(name).items()
        }

    @property
    def digest(self) -> str:
        """Of the pictures it learns from."""
        return image_digest(self.images)

    def batch(self, step: int) -> tuple[Any, ...]:
        """This process's share of (lr, hr) of a step."""
        return self.pairs(self.sampler, step)

    def loss(self, _step: int, lr: Tensor, hr: Tensor) -> Tensor:
        """L1."""
        with self.autocast():
            sr = self.model(lr)
        return pixel_loss(sr, hr)

    @staticmethod
    def measure(
        recipe: Recipe, model: nn.Module, validation: dict[str, Tensor] | None = None
    ) -> float:
        """Mean PSNR-Y in dB on the validation pictures, bicubically reduced."""
        images = load_images(recipe.validation_set) if validation is None else validation
        return validation_psnr(model, images, recipe.space.scale)

    def sampled(self, space: DegradationSpace, seed: int) -> PatchSampler:
        """Training batches under a degradation space, in the recipe's sizes."""
        return PatchSampler(
            self.pictures(space),
            space=space,
            lr_size=self.recipe.lr_size,
            batch_size=self.recipe.batch_size,
            seed=seed,
            crops_per_draw=self.crops_per_draw,
        )

    def pictures(self, _space: DegradationSpace) -> list[Tensor]:
        """Those that crops are taken from."""
        return [*self.images.values()]

    def pairs(self, sampler: PatchSampler, step: int) -> tuple[Tensor, Tensor]:
        """This process's share of (lr, hr) of a step, in the layout that convolutions like."""
        lr, hr = map(self.share.rows, sampler.batch(step - 1, self.fabric.device))
        return channels_last(lr), hr


@torch.no_grad()
def validation_psnr(model: nn.Module, images: dict[str, Tensor], scale: int) -> float:
    """Mean PSNR-Y in dB over the pictures' central windows, bicubically reduced and restored."""
    device = next(model.parameters()).device
    hr = torch.stack([center_crop(image, 192) for image in images.values()]).to(device)
    hr = crop_to_multiple(hr, scale)
    return psnr(model(Degradation(scale=scale)(hr)), hr, border=scale).mean().item()
