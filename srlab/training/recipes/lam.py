"""The networks whose local attribution maps are compared: a zoo, and grids of width and depth."""

from itertools import product
from typing import Any

from srlab.training.recipes.kinds import Recipe

# Networks for local attribution maps, on equal terms. LR patches of 24 pixels, half as many as
# usual: who looks far must have something to see. Narrow, at about equal cost a step.
LAM_TERMS: dict[str, Any] = {"lr_size": 24, "batch_size": 8, "steps": 3500}
# The small FSRCNN learn slowly: with as few steps some stay below bicubic.
FSRCNN_TERMS: dict[str, Any] = {
    **LAM_TERMS,
    "steps": 10_000,
    "learning_rate": 1e-3,
    "bits": 16,
}
LAM_SIZES: dict[str, dict[str, Any]] = {
    "edsr": {"channels": 24, "num_blocks": 10},
    "carn": {"channels": 24},
    "imdn": {"channels": 28, "num_blocks": 6},
    "rfdn": {"channels": 28, "num_blocks": 4},
    "pan": {"channels": 24, "upsampler_channels": 12, "num_blocks": 12},
    "rcan": {"channels": 24, "num_groups": 2, "num_blocks": 4, "global_residual": False},
    "rrdbnet": {"channels": 16, "num_blocks": 4, "growth": 8},
    "san": {"channels": 24, "num_groups": 3, "num_blocks": 3},
    "swinir": {"channels": 24, "num_groups": 3, "num_layers": 2, "heads": 4},
}
FSRCNN_WIDTHS, FSRCNN_DEPTHS = (16, 32, 56), (1, 4, 8)
EDSR_WIDTHS, EDSR_DEPTHS = (8, 16, 32), (2, 5, 10)


def _lam(architecture: str, sizes: dict[str, Any], terms: dict[str, Any] = LAM_TERMS) -> Recipe:
    return Recipe(architecture, {"scale": 4, **sizes}, **terms)


def _lam_recipes() -> dict[str, Recipe]:
    """The zoo, and the grids of width and depth (LAM, Fig. 7c)."""
    zoo = {name: _lam(name, sizes) for name, sizes in LAM_SIZES.items()}
    for width, depth in product(FSRCNN_WIDTHS, FSRCNN_DEPTHS):
        sizes = {"channels": width, "mapping_channels": width // 4, "num_blocks": depth}
        zoo[f"fsrcnn-d{width}-m{depth}"] = _lam("fsrcnn", sizes, FSRCNN_TERMS)
    for width, depth in product(EDSR_WIDTHS, EDSR_DEPTHS):
        zoo[f"edsr-c{width}-b{depth}"] = _lam("edsr", {"channels": width, "num_blocks": depth})
    return zoo


LAM = _lam_recipes()
