"""The training loop. A run is a `Recipe`; interrupted, it goes on where its state was saved."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from tqdm.auto import tqdm

from srlab.checkpoints import load_weights
from srlab.training.adversarial import Adversarial
from srlab.training.classification import Classification
from srlab.training.contrastive import Contrastive
from srlab.training.filters import FilterTuning
from srlab.training.initial import initial_model
from srlab.training.recipes import (
    AdversarialRecipe,
    ClassificationRecipe,
    ContrastiveRecipe,
    FilterRecipe,
    Recipe,
    RedegradationRecipe,
    UnpairedRecipe,
)
from srlab.training.redegradation import Redegradation
from srlab.training.state import RunState
from srlab.training.supervised import Supervised
from srlab.training.unpaired import Unpaired


class Task(Protocol):
    """What differs between runs; the loop is the same for all."""

    metric: str  # what `measure` returns: psnr, accuracy
    validation_set: str  # … on which pictures
    model: nn.Module  # what is measured and kept
    losses: dict[str, Tensor]  # of the last step, the parts by name; none where it is all one

    @property
    def parts(self) -> tuple[Any, ...]:
        """All that a resumed run needs, each with a state_dict."""

    @property
    def digest(self) -> str:
        """Of the pictures it learns from."""

    def update(self, step: int) -> Tensor:
        """One step; the loss before it."""

    @staticmethod
    def measure(_recipe: Any, model: nn.Module, validation: Any = None) -> float:
        """Quality of a network in eval mode, by default on `validation_set`."""


TASKS: dict[type[Recipe], Any] = {
    Recipe: Supervised,
    AdversarialRecipe: Adversarial,
    UnpairedRecipe: Unpaired,
    ClassificationRecipe: Classification,
    FilterRecipe: FilterTuning,
    RedegradationRecipe: Redegradation,
    ContrastiveRecipe: Contrastive,
}


@dataclass(frozen=True)
class Fit:
    """What a run leaves: {step: weights} (the last step included) and its curves."""

    recipe: Recipe
    weights: dict[int, dict[str, Tensor]]
    history: list[dict[str, float]]  # step, loss and its parts; psnr (dB) or accuracy
    data: dict[str, str]  # image sets → digest of their pixels
    seconds: float

    def model(self, step: int | None = None) -> nn.Module:
        """The network in eval mode at a kept step, by default the last."""
        model = initial_model(self.recipe)
        load_weights(model, self.weights[max(self.weights) if step is None else step])
        return model.eval()


def fit(
    recipe: Recipe,
    *,
    images: Any = None,
    validation: Any = None,
    folder: str | Path | None = None,
    device: str = "auto",
    save_every: int = 250,
    progress: bool = True,
    watch: Callable[[int, nn.Module], None] | None = None,
) -> Fit:
    """Run a recipe and return its weights and curves.

    `images` replaces the recipe's image sets, `validation` the embedded photographs: pictures by
    name, or `LabelledImages` for a classifier. With a `folder`, the state is saved there every
    `save_every` steps, and a run that was interrupted goes on from it to the same weights, bit
    for bit. `watch(step, model)` is called at each of the recipe's snapshots and at the end, with
    the network in eval mode.
    """
    fabric = Fabric(accelerator=device, devices=1)
    if images is not None:
        recipe = replace(recipe, image_sets=())  # the record must not claim what it did not see
    task: Task = TASKS[type(recipe)](recipe, fabric, images)
    data = {"+".join(recipe.image_sets) or "given": task.digest}
    state = RunState(folder, {"recipe": repr(recipe), "data": data})
    state.restore(task.parts)
    start = time.perf_counter() - state.seconds
    with tqdm(total=recipe.steps, initial=state.step, disable=not progress, unit="step") as bar:
        for step in range(state.step + 1, recipe.steps + 1):
            loss = task.update(step)
            bar.update()
            kept = step in recipe.snapshots or step == recipe.steps
            if not kept and step % save_every:
                continue
            if not torch.isfinite(loss):
                raise FloatingPointError(
                    f"the loss became {loss.item()} by step {step}; lower learning_rate "
                    f"(now {recipe.learning_rate:g}) and start again in an empty folder"
                )
            quality = task.measure(recipe, task.model.eval(), validation)
            parts = {name: part.item() for name, part in task.losses.items()}
            row = {"step": step, "loss": loss.item(), task.metric: quality}
            state.history.append(row | parts)
            bar.set_postfix({"loss": f"{loss.item():.4f}", task.metric: f"{quality:.4g}"})
            if kept:
                state.weights[step] = _copy(task.model)
                if watch:
                    watch(step, task.model)
            task.model.train()
            state.step, state.seconds = step, time.perf_counter() - start
            state.save(task.parts)
    return Fit(recipe, state.weights, state.history, data, state.seconds)


def _copy(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}
