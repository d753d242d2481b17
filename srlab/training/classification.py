"""Classifiers of small pictures: the networks that DDR holds its findings against."""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.data.labelled import LabelledImages
from srlab.data.subjects import labelled_images
from srlab.networks.layout import channels_last
from srlab.training.recipes.kinds import ClassificationRecipe
from srlab.training.task import Task


class Classification(Task):
    """Cross entropy on pictures shifted by up to 4 pixels and mirrored."""

    metric = "accuracy"

    @staticmethod
    def lessons(recipe: ClassificationRecipe) -> LabelledImages:
        """The pictures that a recipe learns from, with their labels."""
        return _named(recipe, "+".join(recipe.image_sets))

    @property
    def digest(self) -> str:
        """Of the pictures it learns from, and their labels."""
        pixels = self.images.images.numpy().tobytes() + self.images.labels.numpy().tobytes()
        return hashlib.sha256(pixels).hexdigest()[:16]

    def loss(self, _step: int, images: Tensor, labels: Tensor) -> Tensor:
        """Cross entropy."""
        with self.autocast():
            logits = self.model(images)
        return F.cross_entropy(logits.float(), labels)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """This process's share of (images, labels) of a step."""
        rng = np.random.default_rng((self.recipe.seed, step))
        chosen = rng.integers(len(self.images.labels), size=self.recipe.batch_size)
        images = torch.stack([_jittered(self.images.images[index], rng) for index in chosen])
        images = self.share.rows(images).to(self.fabric.device).float() / 255
        labels = self.share.rows(self.images.labels[chosen]).to(self.fabric.device)
        return channels_last(images), labels

    @staticmethod
    def measure(
        recipe: ClassificationRecipe, model: nn.Module, validation: LabelledImages | None = None
    ) -> float:
        """Share of the test pictures that are named rightly."""
        if validation is None:
            validation = _named(recipe, recipe.validation_set)
        return accuracy(model, validation)


def _named(recipe: ClassificationRecipe, name: str) -> LabelledImages:
    return labelled_images(name, most=recipe.hyperparameters["num_classes"])


def _jittered(image: Tensor, rng: np.random.Generator) -> Tensor:
    most = 4  # pixels
    down, right = (int(shift) for shift in rng.integers(-most, most + 1, size=2))
    padded = F.pad(image, (most,) * 4)
    height, width = image.shape[-2:]
    moved = padded[:, most + down : most + down + height, most + right : most + right + width]
    return moved.flip(-1) if rng.integers(2) else moved


@torch.no_grad()
def logits(model: nn.Module, images: Tensor) -> Tensor:
    """Of uint8 or float pictures (N, 3, h, w): (N, classes)."""
    device = next(model.parameters()).device
    parts: Sequence[Tensor] = images.split(250)
    scale = 1 if images.is_floating_point() else 255
    return torch.cat([model(part.to(device).float() / scale).cpu() for part in parts])


def accuracy(model: nn.Module, data: LabelledImages) -> float:
    """Share of the pictures whose largest logit is that of their label."""
    return (logits(model, data.images).argmax(dim=1) == data.labels).float().mean().item()
