"""The training loop. A run is a `Recipe`; interrupted, it goes on where its last state was saved."""

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from tqdm.auto import tqdm

from srlab.checkpoints import Provenance, load_weights, save_checkpoint
from srlab.datasets import PatchSampler, image_digest, load_images
from srlab.degradations.pipeline import Degradation
from srlab.images import center_crop, crop_to_multiple
from srlab.metrics import psnr
from srlab.models import build
from srlab.training.losses import pixel_loss
from srlab.training.recipes import Recipe

VALIDATION = "photographs"


@dataclass(frozen=True)
class Fit:
    """What a run leaves: {step: weights} (the last step included) and its curves."""

    recipe: Recipe
    weights: dict[int, dict[str, Tensor]]
    history: list[dict[str, float]]
    data: dict[str, str]
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
    goes on from it to the same weights, bit for bit. `watch(step, model)` is called at each
    snapshot, with the network in eval mode.
    """
    fabric = Fabric(accelerator=device, devices=1)
    precision = getattr(torch, recipe.precision)
    if images is None:
        images = {}
        for name in recipe.image_sets:
            images |= {f"{name}/{stem}": image for stem, image in load_images(name).items()}
    sampler = PatchSampler(
        list(images.values()),
        lr_size=recipe.lr_size,
        batch_size=recipe.batch_size,
        seed=recipe.seed,
    )
    data = {"+".join(recipe.image_sets): image_digest(images)}
    validation = load_images(VALIDATION) if validation is None else validation

    model = initial_model(recipe).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.99))
    network, optimizer = fabric.setup(model, optimizer)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, recipe.steps, pct_start=0.1, cycle_momentum=False
    )
    state = _State(Path(folder) / "state.pt" if folder else None, recipe, data)
    state.restore(model, optimizer, schedule)

    start, bar = (
        time.perf_counter() - state.seconds,
        tqdm(
            total=recipe.steps, initial=state.step, disable=not progress, unit="step", mininterval=1
        ),
    )
    for step in range(state.step, recipe.steps):
        lr, hr = sampler.batch(step, recipe.space, fabric.device)
        lr = lr.contiguous(memory_format=torch.channels_last)
        with torch.autocast(fabric.device.type, precision, enabled=precision != torch.float32):
            sr = network(lr)
        loss = pixel_loss(sr, hr)
        optimizer.zero_grad()
        fabric.backward(loss)
        optimizer.step()
        schedule.step()
        bar.update()
        done = step + 1
        kept = done in recipe.snapshots or done == recipe.steps
        if kept or done % save_every == 0:
            model.eval()
            quality = validation_psnr(model, validation, recipe.space.scale)
            if not torch.isfinite(loss):
                raise FloatingPointError(
                    f"the loss became {loss.item()} by step {done}; lower learning_rate "
                    f"(now {recipe.learning_rate:g}) and start again in an empty folder"
                )
            state.history.append({"step": done, "loss": loss.item(), "psnr": quality})
            bar.set_postfix(loss=f"{loss.item():.4f}", psnr=f"{quality:.2f} dB")
            if kept:
                state.weights[done] = _copy(model)
                if watch:
                    watch(done, model)
            model.train()
            state.save(done, time.perf_counter() - start, model, optimizer, schedule)
    bar.close()
    return Fit(recipe, state.weights, state.history, data, time.perf_counter() - start)


class _State:
    """The resumable part of a run: one file, replaced atomically."""

    def __init__(self, path: Path | None, recipe: Recipe, data: dict[str, str]) -> None:
        self.path, self.identity = path, {"recipe": repr(recipe), "data": data}
        self.step, self.seconds = 0, 0.0
        self.history: list[dict[str, float]] = []
        self.weights: dict[int, dict[str, Tensor]] = {}

    def restore(self, *parts: Any) -> None:
        """Load the file, if there is one, into model, optimizer and schedule."""
        if self.path is None or not self.path.is_file():
            return
        saved = torch.load(self.path, map_location="cpu", weights_only=True)
        if saved["identity"] != self.identity:
            raise ValueError(
                f"{self.path} belongs to another recipe or other data; "
                "give this run a folder of its own, or delete that file"
            )
        for part, values in zip(parts, saved["parts"], strict=True):
            part.load_state_dict(values)
        self.step, self.seconds = saved["step"], saved["seconds"]
        self.history, self.weights = saved["history"], saved["weights"]

    def save(self, step: int, seconds: float, *parts: Any) -> None:
        """Write everything; a kill in mid-write leaves the former file."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "identity": self.identity,
            "step": step,
            "seconds": seconds,
            "history": self.history,
            "weights": self.weights,
            "parts": [part.state_dict() for part in parts],
        }
        temporary = self.path.with_suffix(".tmp")
        torch.save(content, temporary)
        os.replace(temporary, self.path)


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


def ship(name: str, result: Fit, folder: str | Path, *, steps: tuple[int, ...] = ()) -> list[Path]:
    """Save a run's last weights as `name`, and those of `steps` as `name@step`, with provenance."""
    last = max(result.weights)
    paths = []
    for step in (*steps, last):
        weights = {key: tensor.half().float() for key, tensor in result.weights[step].items()}
        model = initial_model(result.recipe)
        load_weights(model, weights)
        quality = validation_psnr(model.eval(), load_images(VALIDATION), result.recipe.space.scale)
        title = name if step == last else f"{name}@{step}"
        provenance = Provenance(
            name=title,
            architecture=result.recipe.architecture,
            hyperparameters=result.recipe.hyperparameters,
            recipe=result.recipe.as_dict(),
            step=step,
            data=result.data,
            psnr={VALIDATION: round(quality, 3)},
            history=[
                {k: round(v, 5) for k, v in row.items()}
                for row in result.history
                if row["step"] <= step
            ],
            versions={name: version(name) for name in ("srlab", "torch", "numpy")},
            hardware=hardware(),
            seconds=round(result.seconds * step / last, 1),
            date=datetime.now(UTC).date().isoformat(),
        )
        paths.append(save_checkpoint(Path(folder) / f"{title}.safetensors", weights, provenance))
    return paths


def hardware() -> str:
    """What this machine computes with, in a few words."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads"
