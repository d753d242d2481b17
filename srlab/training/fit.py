"""The training loop. A run is a `Recipe`; interrupted, it goes on where its state was saved."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from srlab.devices import precision_on
from srlab.extras import require
from srlab.networks.state_dicts import load_weights
from srlab.training.adversarial import Adversarial
from srlab.training.classification import Classification
from srlab.training.contrastive import Contrastive
from srlab.training.diffusion import Diffusion
from srlab.training.filters import FilterTuning
from srlab.training.initial import initial_model
from srlab.training.processes import on_device
from srlab.training.recipes import Recipe, kinds
from srlab.training.redegradation import Redegradation
from srlab.training.state import RunState, alone_in
from srlab.training.supervised import Supervised
from srlab.training.task import Task
from srlab.training.unpaired import Unpaired

if TYPE_CHECKING:
    from lightning_fabric import Fabric


TASKS: dict[type[Recipe], type[Task]] = {
    Recipe: Supervised,
    kinds.AdversarialRecipe: Adversarial,
    kinds.UnpairedRecipe: Unpaired,
    kinds.DiffusionRecipe: Diffusion,
    kinds.ClassificationRecipe: Classification,
    kinds.FilterRecipe: FilterTuning,
    kinds.RedegradationRecipe: Redegradation,
    kinds.ContrastiveRecipe: Contrastive,
}


@dataclass(frozen=True)
class Fit:
    """What a run leaves: {step: weights} (the last step included) and its curves."""

    recipe: Recipe  # in the precision that was used
    weights: dict[int, dict[str, Tensor]]
    history: list[dict[str, float]]  # step, loss and its parts; psnr (dB) or accuracy
    data: dict[str, str]  # image sets → digest of their pixels
    seconds: float
    processes: int = 1  # that shared its last batches

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
    fabric: "Fabric | None" = None,
    save_every: int = 250,
    progress: bool = True,
    watch: Callable[[int, nn.Module], None] | None = None,
) -> Fit:
    """Run a recipe and return its weights and curves.

    `images` replaces the recipe's image sets, `validation` the embedded photographs: pictures by
    name, or `LabelledImages` for a classifier. With a `folder`, the state is saved there every
    `save_every` steps, and a run that was interrupted goes on from it to the same weights, bit
    for bit. `watch(step, model)` is called at each snapshot and at the end, in eval mode.

    With `fabric`, of `processes`, devices share each batch; the first process saves, measures and
    watches, each returns the same. Any number may go on, to weights that differ by rounding.
    """
    fabric = on_device(device) if fabric is None else fabric
    if images is not None:
        recipe = replace(recipe, image_sets=())  # the record must not claim what it did not see
    task = TASKS[type(recipe)](recipe, fabric, images)
    folder = folder if fabric.is_global_zero else None
    with alone_in(folder):
        state = _restored(task, folder)
        _train(task, state, validation, save_every, progress, watch)
    used = replace(recipe, precision=state.precision)
    data, seconds = state.identity["data"], state.seconds
    return Fit(used, state.weights, state.history, data, seconds, fabric.world_size)


def _train(
    task: Task,
    state: RunState,
    validation: Any,
    save_every: int,
    progress: bool,
    watch: Callable[[int, nn.Module], None] | None,
) -> None:
    """From where the state is to the recipe's end; what is kept is kept in the state."""
    recipe, first = task.recipe, task.fabric.is_global_zero
    start = time.perf_counter() - state.seconds
    hidden = not (progress and first)
    tqdm = require("tqdm.auto", "train").tqdm
    with tqdm(total=recipe.steps, initial=state.step, disable=hidden, unit="step") as bar:
        for step in range(state.step + 1, recipe.steps + 1):
            loss = task.update(step)
            bar.update()
            kept = step in recipe.snapshots or step == recipe.steps
            if not kept and step % save_every:
                continue
            row = _measured(task, step, loss, validation)
            state.history.append(row)
            bar.set_postfix({"loss": f"{row['loss']:.4f}", task.metric: f"{row[task.metric]:.4g}"})
            if kept:
                state.weights[step] = _copy(task.model)
                if watch and first:
                    watch(step, task.model)
            task.model.train()
            state.step, state.seconds = step, time.perf_counter() - start
            state.save(task.parts)


def _restored(task: Task, folder: str | Path | None) -> RunState:
    """How far the run has come; the task goes on from there, in the same precision."""
    data = {"+".join(task.recipe.image_sets) or "given": task.digest}
    state = RunState(folder, {"recipe": repr(task.recipe), "data": data})
    state.restore(task.parts, tell=task.fabric.broadcast)
    state.precision = state.precision or precision_on(task.fabric.device, task.recipe.precision)
    task.precision = state.precision
    return state


def _measured(task: Task, step: int, loss: Tensor, validation: Any) -> dict[str, float]:
    """Losses, of the whole batch, and quality at a step; the network is left in eval mode."""
    recipe, fabric = task.recipe, task.fabric
    own = {name: part.detach() for name, part in {"loss": loss, **task.losses}.items()}
    means: Any = fabric.all_reduce(own)  # over the processes' shares
    losses = {name: mean.item() for name, mean in means.items()}
    if not math.isfinite(losses["loss"]):
        raise FloatingPointError(
            f"the loss became {losses['loss']} by step {step}; lower learning_rate "
            f"(now {recipe.learning_rate:g}) and start again in an empty folder"
        )
    task.model.eval()
    first = fabric.is_global_zero
    quality = fabric.broadcast(task.measure(recipe, task.model, validation) if first else 0.0)
    return {"step": step, "loss": losses.pop("loss"), task.metric: quality} | losses


def _copy(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}
