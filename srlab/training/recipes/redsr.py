"""Blind networks that learn codes of degradations: ReDSR, its ablations, and DASR."""

from dataclasses import replace
from typing import Any

from srlab.degradations.pipeline import DegradationSpace
from srlab.training.recipes.kinds import (
    ContrastiveRecipe,
    Recipe,
    RedegradationRecipe,
    with_seeds,
)

# ReDSR and DASR: blind super-resolution by a code of the degradation, ×4, kernels of 21 pixels.
# Codes want sharp training pictures and a wide view; the middle of it is enough to restore.
SHARP = ("general100", "div2k-small")
ISOTROPIC = DegradationSpace(scale=4, blur_sigma=(0.2, 4.0), kernel_size=21)
GENERAL = replace(ISOTROPIC, anisotropic=True, noise_sigma=(0.0, 25 / 255))
CODE_EVOLUTION = (250, 500, 1000, 1750, 2500)
CODE_TERMS: dict[str, Any] = {
    "image_sets": SHARP,
    "space": ISOTROPIC,
    "lr_size": 48,
    "batch_size": 8,
    "steps": 4000,
}
REDSR = RedegradationRecipe(
    "redsr",
    {
        "scale": 4,
        "channels": 24,
        "num_groups": 3,
        "num_blocks": 2,
        "encoder_channels": 24,
        "code": 32,
        "tail_layers": 2,
        "global_residual": True,
    },
    energy_weight=0.001,
    prior_rise=2000,
    degrader_channels=32,
    snapshots=CODE_EVOLUTION,
    **CODE_TERMS,
)


def _ablation() -> dict[str, RedegradationRecipe]:
    """ReDSR, Tab. 2: which loss makes the codes? Model 8 is the whole method."""
    parts_off: dict[str, Any] = {
        "redegradation_weight": 0.0,
        "energy_weight": 0.0,
        "modulated": False,
        "prior_rise": 0,
    }
    plain = replace(REDSR, modulated=False)
    oracle = {**REDSR.hyperparameters, "oracle": True}
    return {
        "redsr-1": replace(REDSR, **parts_off),
        "redsr-2": replace(plain, energy_weight=0.0, prior_rise=0),
        "redsr-3": replace(plain, redegradation_weight=0.0),
        "redsr-4": plain,
        "redsr-5": replace(plain, prior="uniform"),
        "redsr-6": replace(plain, prior="exponential"),
        "redsr-7": replace(plain, energy_weight=0.0, divergence_weight=0.001),
        "redsr-8": REDSR,
        "redsr-9": replace(REDSR, hyperparameters=oracle, **parts_off),
    }


TABLED_WITH_SEEDS = ("redsr-1", "redsr-2", "redsr-3", "redsr-4", "redsr-8")
DASR_LAB = ContrastiveRecipe(
    "dasr",
    {
        "scale": 4,
        "channels": 24,
        "num_groups": 3,
        "num_blocks": 2,
        "encoder_channels": 16,
        "code": 32,
        "tail_layers": 2,
        "global_residual": True,
    },
    queue=1024,
    momentum=0.99,
    snapshots=CODE_EVOLUTION,
    **CODE_TERMS,
)
# As many restored pixels a step, without codes.
BLIND_ONE_BRANCH = Recipe(
    "srresnet",
    {"scale": 4, "channels": 24, "num_blocks": 16},
    **{**CODE_TERMS, "lr_size": REDSR.restored_size},
)

# The published sizes and schedules, for a GPU.
REDSR_PAPER = RedegradationRecipe(
    "redsr",
    {"scale": 4},
    image_sets=SHARP,
    space=ISOTROPIC,
    lr_size=64,
    restored_size=64,
    batch_size=16,
    steps=250_000,
    learning_rate=1e-4,
    energy_weight=0.01,
    degrader_channels=64,
    snapshots=(1000, 5000, 25_000, 100_000),
)
DASR_PAPER = ContrastiveRecipe(
    "dasr",
    {"scale": 4},
    image_sets=SHARP,
    space=ISOTROPIC,
    lr_size=48,
    restored_size=48,
    batch_size=32,
    steps=250_000,
    learning_rate=1e-4,
    pretraining=40_000,
)

REDSR_AND_DASR: dict[str, Recipe] = {
    **{
        name: seeded
        for model, base in _ablation().items()
        for name, seeded in with_seeds(model, base, 3 if model in TABLED_WITH_SEEDS else 1).items()
    },
    "redsr-general": replace(REDSR, space=GENERAL),
    **with_seeds("dasr", DASR_LAB),
    "dasr-ed": replace(DASR_LAB, energy_weight=0.01, prior_rise=2000),
    "dasr-general": replace(DASR_LAB, space=GENERAL),
    **with_seeds("blind-one-branch", BLIND_ONE_BRANCH),
    "redsr-paper": REDSR_PAPER,
    "dasr-paper": DASR_PAPER,
}
