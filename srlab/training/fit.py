"""The training loop. A run is a `Recipe`; interrupted, it goes on where its state was saved."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from tqdm.auto import tqdm

from srlab.checkpoints import load_weights
from srlab.datasets import PatchSampler, image_digest, load_images
from srlab.degradations.pipeline import Degradation
from srlab.images import center_crop, crop_to_multiple
from srlab.metrics import psnr
from srlab.models import build
from srlab.training.losses import pixel_loss
from srlab.training.recipes import Recipe
from srlab.training.state import RunState

VALIDATION = "photographs"


@dataclass(frozen=True)
class Fit:
    """What a run leaves: {step: weights} (the last step included) and its curves."""

    recipe: Recipe
    weights: dict[int, dict[str, Tensor]]
    history: list[dict[str, float]]  # step, loss, psnr (dB on the validation pictures)
    data: dict[str, str]  # image sets → digest of their pixels
    seconds: float

    def model(self, step: int | None = None) -> nn.Module:
        """The network in eval mode at a kept step, by default the last."""
        model = initial_model(self.recipe)
        load_weights(model, self.weights[max(self.weights) if step is None else step])
        return model.eval()


def initial_model(recipe: Recipe) -> nn.Module:
    """The network before its first step; the recipe's seed decides the weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return build(recipe.architecture, **recipe.hyperparameters)


def fit(
    recipe: Recipe,
    *,
    images: dict[str, Tensor] | None = None,
    validation: dict[str, Tensor] | None = None,
    folder: str | Path | None = None,
    device: str = "auto",
    save_every: int = 250,
    progress: bool = True,
    watch: Callable[[int, nn.Module], None] | None = None,
) -> Fit:
    """Run a recipe and return its weights and curves.

    `images` replaces the recipe's image sets, `validation` the embedded photographs. With a
    `folder`, the state is saved there every `save_every` steps, and a run that was interrupted
    goes on from it to the same weights, bit for bit. `watch(step, model)` is called at each of
    the recipe's snapshots and at the end, with the network in eval mode.
    """
    fabric = Fabric(accelerator=device, devices=1)
    precision = getattr(torch, recipe.precision)
    if images is None:
        images = _recipe_images(recipe)
    else:
        recipe = replace(recipe, image_sets=())  # the record must not claim what it did not see
    data = {"+".join(recipe.image_sets) or "given": image_digest(images)}
    validation = load_images(VALIDATION) if validation is None else validation
    sampler = PatchSampler(
        list(images.values()),
        space=recipe.space,
        lr_size=recipe.lr_size,
        batch_size=recipe.batch_size,
        seed=recipe.seed,
    )
    model = initial_model(recipe)
    if model.scale != recipe.space.scale:
        raise ValueError(f"a ×{model.scale} network cannot learn from ×{recipe.space.scale} pairs")
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in its stubs
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.99))
    network, optimizer = fabric.setup(model, optimizer)
    rise = 0.1 if recipe.steps >= 20 else 0.3  # torch divides by rise · steps − 1
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, recipe.steps, pct_start=rise, cycle_momentum=False
    )
    parts = (model, optimizer, schedule)
    state = RunState(folder, {"recipe": repr(recipe), "data": data})
    state.restore(parts)
    start = time.perf_counter() - state.seconds
    with tqdm(total=recipe.steps, initial=state.step, disable=not progress, unit="step") as bar:
        for step in range(state.step + 1, recipe.steps + 1):
            lr, hr = sampler.batch(step - 1, fabric.device)
            lr = lr.contiguous(memory_format=torch.channels_last)
            with torch.autocast(fabric.device.type, precision, enabled=precision != torch.float32):
                sr = network(lr)
            loss = pixel_loss(sr, hr)
            optimizer.zero_grad()
            fabric.backward(loss)
            optimizer.step()
            schedule.step()
            bar.update()
            kept = step in recipe.snapshots or step == recipe.steps
            if not kept and step % save_every:
                continue
            if not torch.isfinite(loss):
                raise FloatingPointError(
                    f"the loss became {loss.item()} by step {step}; lower learning_rate "
                    f"(now {recipe.learning_rate:g}) and start again in an empty folder"
                )
            model.eval()
            quality = validation_psnr(model, validation, recipe.space.scale)
            state.history.append({"step": step, "loss": loss.item(), "psnr": quality})
            bar.set_postfix(loss=f"{loss.item():.4f}", psnr=f"{quality:.2f} dB")
            if kept:
                state.weights[step] = _copy(model)
                if watch:
                    watch(step, model)
            model.train()
            state.step, state.seconds = step, time.perf_counter() - start
            state.save(parts)
    return Fit(recipe, state.weights, state.history, data, state.seconds)


def _recipe_images(recipe: Recipe) -> dict[str, Tensor]:
    return {
        f"{name}/{stem}": image
        for name in recipe.image_sets
        for stem, image in load_images(name).items()
    }


def _copy(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}


@torch.no_grad()
def validation_psnr(
    model: nn.Module, images: dict[str, Tensor], scale: int, *, size: int = 192
) -> float:
    """Mean PSNR-Y in dB over the pictures' central windows, bicubically reduced and restored."""
    device = next(model.parameters()).device
    hr = torch.stack([center_crop(image, size) for image in images.values()]).to(device)
    hr = crop_to_multiple(hr, scale)
    return psnr(model(Degradation(scale=scale)(hr)), hr, border=scale).mean().item()
