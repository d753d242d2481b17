"""FAIG's test by training: a network may change nothing but the filters that a ranking found."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from srlab.attribution.faig import Masks, convolutions, discriminative_filters, faig, top_filters
from srlab.attribution.filter_rivals import internal_influence, random_scores, weight_change
from srlab.checkpoints.files import read_checkpoint
from srlab.degradations.pipeline import Degradation, DegradationSpace
from srlab.degradations.windows import Windows, windows
from srlab.training.initial import initial_model
from srlab.training.recipes.kinds import FilterRecipe, recipe_from
from srlab.training.supervised import Supervised

SIDE = 128  # HR pixels of the windows that a ranking looks at


class FilterTuning(Supervised):
    """Supervised, with every gradient masked that belongs to no chosen filter."""

    recipe: FilterRecipe

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        masks = chosen_filters(self.recipe, self.images)
        for name, parameter in self.model.named_parameters():
            mask = masks.get(name.removesuffix(".weight"))
            chosen = torch.zeros(()) if mask is None else mask[..., None, None]
            parameter.register_hook(partial(torch.mul, chosen.to(parameter)))


def chosen_filters(recipe: FilterRecipe, images: dict[str, Tensor]) -> Masks:
    """The filters that the recipe's ranking finds for its purpose, on some of the pictures."""
    model = initial_model(recipe)
    target, made = read_checkpoint(recipe.target)
    baseline = model.state_dict()
    found = ranking_examples(recipe, recipe_from(made.recipe).space, images)
    lr = found.lr
    other = "noise" if recipe.purpose == "blur" else "blur"
    if recipe.ranking == "faig":
        own, rest = (
            faig(model, baseline, target, lr[kind], found.hr).scores()
            for kind in (recipe.purpose, other)
        )
        return discriminative_filters(own, [rest], recipe.fraction)
    if recipe.ranking == "influence":
        scores = internal_influence(model, target, lr["clean"], lr[recipe.purpose])
    else:
        scores = weight_change(baseline, target, convolutions(model, lr["clean"]))
    if recipe.ranking == "random":
        scores = random_scores(scores, np.random.default_rng(recipe.seed))
    return top_filters(scores, recipe.fraction)


def ranking_examples(
    recipe: FilterRecipe, space: DegradationSpace, images: dict[str, Tensor]
) -> Windows:
    """Windows of pictures spread over the set, each clean, blurred and noisy.

    `space` is what the target was trained on, the strongest of each kind: there the filters are
    looked for, whatever the recipe then trains them on.
    """
    fitting = [name for name, image in images.items() if min(image.shape[-2:]) >= SIDE]
    places = np.linspace(0, len(fitting) - 1, min(recipe.examples, len(fitting)), dtype=int)
    chosen = {fitting[place]: images[fitting[place]] for place in places}
    clean = Degradation(scale=space.scale, resampling=space.resampling)
    kinds = {
        "clean": clean,
        "blur": replace(clean, blur_sigma=space.blur_sigma[1]),
        "noise": replace(clean, noise_sigma=space.noise_sigma[1]),
    }
    return windows(chosen, kinds, count=len(chosen), size=SIDE, seed=recipe.seed)
