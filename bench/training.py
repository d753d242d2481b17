"""Training: the usual loop against `srlab.training.fit`, on the same pictures and network."""

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from bench.row import Row
from srlab.data.datasets import load_images
from srlab.degradations.filters import downsample
from srlab.images import crop
from srlab.training.fit import fit
from srlab.training.initial import initial_model
from srlab.training.losses import pixel_loss
from srlab.training.recipes import Recipe, recipe

STEPS = 80


def training() -> Iterator[Row]:
    """Seconds of this process for those steps, start-up (and the loader's own process) excluded."""
    chosen, images = recipe("srresnet-gr"), load_images("photographs")
    theirs, ours = [], []
    for _ in range(3):
        theirs.append(_plain(chosen, list(images.values())))
        ours.append(_fit(chosen, images))
    against = "float32, contiguous, DataLoader"
    yield Row(f"training, {STEPS} steps, SRResNet 16×32", against, min(theirs), min(ours), 2)


def _fit(chosen: Recipe, images: dict[str, Tensor]) -> float:
    def seconds(steps: int) -> float:
        short = replace(chosen, steps=steps, snapshots=())
        begun = time.process_time()
        fit(short, images=images, device="cpu", progress=False)
        return time.process_time() - begun

    few = 10
    return seconds(few + STEPS) - seconds(few)  # start-up and the last measurement cancel


class _Crops(Dataset):
    def __init__(self, images: list[Tensor], recipe: Recipe) -> None:
        self.images, self.recipe = images, recipe

    def __len__(self) -> int:
        return 10**6

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng(index)
        image = self.images[rng.integers(len(self.images))]
        size = self.recipe.lr_size * self.recipe.space.scale
        top, left = (rng.integers(extent - size + 1) for extent in image.shape[-2:])
        hr = crop(image, top, left, size, size)
        return downsample(hr[None], self.recipe.space.scale)[0], hr


def _plain(chosen: Recipe, images: list[Tensor]) -> float:
    model = initial_model(chosen)
    optimizer = torch.optim.Adam(model.parameters(), lr=chosen.learning_rate)
    loader = iter(DataLoader(_Crops(images, chosen), chosen.batch_size, num_workers=1))
    for step in range(STEPS + 3):
        if step == 3:
            begun = time.process_time()
        lr, hr = next(loader)
        optimizer.zero_grad()
        pixel_loss(model(lr), hr).backward()
        optimizer.step()
    return time.process_time() - begun
