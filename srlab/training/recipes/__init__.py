"""Every run whose weights ship, as values: two findings' networks differ in one visible line."""

from srlab.training.recipes.ddr import DDR, MILD, SRRESNET_GR
from srlab.training.recipes.faig import FAIG, FAIG_TWO
from srlab.training.recipes.kinds import (
    CLEAN,
    PRISTINE,
    RANKINGS,
    AdversarialRecipe,
    ClassificationRecipe,
    CodeRecipe,
    ContrastiveRecipe,
    FilterRecipe,
    Recipe,
    RedegradationRecipe,
    UnpairedRecipe,
    recipe_from,
    seed_names,
)
from srlab.training.recipes.lam import LAM
from srlab.training.recipes.redsr import GENERAL, REDSR_AND_DASR, TABLED_WITH_SEEDS

RECIPES: dict[str, Recipe] = {**DDR, **LAM, **FAIG, **REDSR_AND_DASR}


def recipe(name: str) -> Recipe:
    """The recipe of that name; one that starts anew has any further seed, "fsrcnn-s7"."""
    base, _, seed = name.rpartition("-s")
    if name not in RECIPES and base in RECIPES and seed.isdecimal() and not RECIPES[base].start:
        return RECIPES[base].seeded(int(seed))
    if name not in RECIPES:
        raise ValueError(f"unknown recipe {name!r}; srlab has {', '.join(RECIPES)}")
    return RECIPES[name]
