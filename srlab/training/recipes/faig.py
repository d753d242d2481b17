"""Networks before and after fine-tuning on degradations, and those that retrain a few filters."""

from dataclasses import replace
from itertools import product
from typing import Any

from srlab.degradations.pipeline import DegradationSpace
from srlab.training.recipes.kinds import (
    RANKINGS,
    FilterRecipe,
    Recipe,
    seed_names,
    with_seeds,
)

# FAIG: a network for clean pictures, and what fine-tuning on blur and noise makes of it. Blur is in
# HR pixels. The paper: 64 channels and 100 000 steps of 5e-5 from a converged network.
FAIG_CLEAN = DegradationSpace(scale=2, resampling="bilinear")
FAIG_TWO = replace(
    FAIG_CLEAN,
    blur_sigma=(2.0, 2.0),
    blur_probability=0.5,
    noise_sigma=(0.1, 0.1),
    noise_probability=0.5,
)
# One of the two alone: the "desired degradation" of FAIG, Sec. 5.2.2.
FAIG_ALONE = {
    "blur": replace(FAIG_CLEAN, blur_sigma=(2.0, 2.0)),
    "noise": replace(FAIG_CLEAN, noise_sigma=(0.1, 0.1)),
}
FAIG_THREE = replace(FAIG_TWO, jpeg_quality=(30, 30), jpeg_probability=0.5)
FAIG_BASELINE = Recipe(
    "srresnet",
    {"scale": 2, "channels": 24, "num_blocks": 16},
    space=FAIG_CLEAN,
    lr_size=24,
    steps=4000,
    bits=16,
)
FAIG_SRCNN_BASELINE = replace(
    FAIG_BASELINE,
    architecture="srcnn-style",
    hyperparameters={"scale": 2, "channels": 32, "num_layers": 9},
)


def _fine_tuned(
    name: str, base: Recipe, space: DegradationSpace, *, steps: int = 6000, seeds: int = 3
) -> dict[str, Recipe]:
    """The targets of FAIG under `name`: each goes on from the baseline of its seed."""
    start = name.rpartition("-")[0] + "-baseline"
    return {
        target: replace(
            base, space=space, steps=steps, learning_rate=4e-4, seed=seed, start={"": own}
        )
        for seed, (target, own) in enumerate(
            zip(seed_names(name, range(seeds)), seed_names(start, range(seeds)), strict=True)
        )
    }


def _desired(kind: str, seed: int) -> dict[str, Recipe]:
    """The baseline again, on one degradation: all of it, or 1 % of its filters (FAIG, Tab. 3).

    FAIG's and IG's filters are those for this degradation and, beside them, those for the other.
    """
    terms: dict[str, Any] = {"space": FAIG_ALONE[kind], "batch_size": 8, "steps": 600}
    own = seed_names("faig-baseline", [seed])[0]
    every = replace(FAIG_BASELINE, learning_rate=4e-4, seed=seed, start={"": own}, **terms)
    one = FilterRecipe(
        FAIG_BASELINE.architecture,
        FAIG_BASELINE.hyperparameters,
        lr_size=24,
        learning_rate=2e-3,
        seed=seed,
        snapshots=(60, 200),
        start={"": own},
        target=seed_names("faig-target", [seed])[0],
        examples=12,
        **terms,
    )
    found = {
        f"{ranking}-{purpose}": replace(one, ranking=ranking, purpose=purpose)
        for ranking, purpose in product(RANKINGS[:2], FAIG_ALONE)
    } | {ranking: replace(one, ranking=ranking) for ranking in RANKINGS[2:]}
    runs: dict[str, Recipe] = {f"faig-on-{kind}": every}
    runs |= {f"faig-on-{kind}-only-{title}": chosen for title, chosen in found.items()}
    return {seed_names(name, [seed])[0]: run for name, run in runs.items()}


# One branch against two (FAIG, Tab. 1): parameters and multiply-adds equal within 10 %.
FAIG_ONE_BRANCH = replace(FAIG_BASELINE, space=FAIG_TWO, bits=8)
FAIG_DASR = replace(
    FAIG_ONE_BRANCH,
    architecture="dasr",
    hyperparameters={
        "scale": 2,
        "channels": 26,
        "num_groups": 4,
        "num_blocks": 2,
        "encoder_channels": 8,
        "code": 4,
        "reduction": 4,
        "tail_layers": 2,
        "global_residual": True,
    },
)
FAIG_DAN = replace(
    FAIG_ONE_BRANCH,
    architecture="dan",
    hyperparameters={
        "scale": 2,
        "channels": 24,
        "num_blocks": 7,
        "estimator_channels": 36,
        "code": 10,
        "iterations": 2,
    },
)

FAIG: dict[str, Recipe] = {
    **with_seeds("faig-baseline", FAIG_BASELINE),
    **_fine_tuned("faig-target", FAIG_BASELINE, FAIG_TWO),
    **_fine_tuned("faig-three", FAIG_BASELINE, FAIG_THREE, steps=4500),
    "faig-srcnn-baseline": FAIG_SRCNN_BASELINE,
    **_fine_tuned("faig-srcnn-target", FAIG_SRCNN_BASELINE, FAIG_TWO, seeds=1),
    **{
        name: own
        for seed, kind in product(range(3), FAIG_ALONE)
        for name, own in _desired(kind, seed).items()
    },
    **with_seeds("faig-one-branch", FAIG_ONE_BRANCH),
    **with_seeds("faig-dasr", FAIG_DASR),
    **with_seeds("faig-dan", FAIG_DAN),
}
