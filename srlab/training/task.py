"""What differs between kinds of runs: how a network is set up, and how a batch becomes a loss."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from srlab.devices import autocast
from srlab.training.descent import Descent
from srlab.training.initial import initial_model
from srlab.training.share import Share

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class Task:
    """A recipe's network on its way down; the loop (`fit`) is the same for all kinds.

    `model` is what is measured and kept. `parts` are all that a resumed run needs, each with a
    state_dict. `losses` are those of the last step by name; none where the loss is all one.
    """

    metric: str  # what `measure` returns: psnr, accuracy

    def __init__(self, recipe: Any, fabric: "Fabric", images: Any = None) -> None:
        self.recipe, self.fabric = recipe, fabric
        self.share = Share(fabric, recipe.batch_size)
        with fabric.rank_zero_first():  # what must be downloaded is downloaded once
            self.images = self.lessons(recipe) if images is None else images
        self.model: Any = initial_model(recipe)
        self.descent = self.descending(self.model, *self.partners())
        self.parts: tuple[Any, ...] = self.descent.parts
        self.losses: dict[str, Tensor] = {}
        self.precision = recipe.precision

    @staticmethod
    def lessons(recipe: Any) -> Any:
        """The pictures of the recipe's image sets."""
        raise NotImplementedError

    @property
    def digest(self) -> str:
        """Of the pictures it learns from."""
        raise NotImplementedError

    def partners(self) -> tuple[nn.Module, ...]:
        """Networks that go down the same loss as the model and are not kept."""
        return ()

    def descending(self, *modules: nn.Module, learning_rate: float | None = None) -> Descent:
        """Modules set up to be trained for the recipe's steps, by default at its rate."""
        for module in modules:
            self.share.normalize_together(module)
        return Descent(
            self.fabric,
            *modules,
            cycles=self.recipe.cycles,
            learning_rate=learning_rate or self.recipe.learning_rate,
            optimizer=getattr(self.recipe, "optimizer", "adam"),
        )

    def update(self, step: int) -> Tensor:
        """One step; the loss before it."""
        batch = self.batch(step)
        loss = self.descent.together(lambda: self.loss(step, *batch))
        self.descent.step(loss)
        return loss

    def batch(self, step: int) -> tuple[Any, ...]:
        """This process's share of what is drawn for a step, by the step alone."""
        raise NotImplementedError

    def loss(self, step: int, *batch: Any) -> Tensor:
        """What the networks are to make small."""
        raise NotImplementedError

    @staticmethod
    def measure(_recipe: Any, model: nn.Module, validation: Any = None) -> float:
        """Quality of a network in eval mode, by default on the recipe's `validation_set`."""
        raise NotImplementedError

    def autocast(self) -> torch.autocast:
        """The run's precision for convolutions; losses stay outside."""
        return autocast(self.fabric.device, self.precision)
