"""The networks, and the contract that each of them keeps.

A model maps LR images (B, 3, h, w), RGB in [0, 1], float32 or float64 (bfloat16 by autocast), on
any device, any h and w from 8 up, to SR images (B, 3, scale·h, scale·w), not clamped. It never
changes its input or a feature in place, holds no state of the batch, and names its own `taps`: the
layers worth looking at, shallow to deep. Constructors take keywords only, which travel with the
weights (`srlab.checkpoints`).
"""

from torch import nn

from srlab.models.fsrcnn import FSRCNN
from srlab.models.srcnn import SRCNN
from srlab.models.srresnet import Discriminator, SRResNet

MODELS: dict[str, type[nn.Module]] = {"srresnet": SRResNet, "srcnn": SRCNN, "fsrcnn": FSRCNN}


def build(name: str, **hyperparameters: object) -> nn.Module:
    """A freshly initialized network by name: `build("srresnet", channels=32)`."""
    if name not in MODELS:
        raise ValueError(f"unknown model {name!r}; srlab has {', '.join(sorted(MODELS))}")
    small = [key for key, value in hyperparameters.items() if type(value) is int and value < 1]
    if small:
        raise ValueError(f"{', '.join(small)} of {name} must be at least 1, got {hyperparameters}")
    try:
        return MODELS[name](**hyperparameters)
    except TypeError as error:
        raise ValueError(
            f"{MODELS[name].__name__} does not take these settings: {error}"
        ) from error


__all__ = ["FSRCNN", "MODELS", "SRCNN", "Discriminator", "SRResNet", "build"]
