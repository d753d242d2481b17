from .attribution.effective_field import erf
from .attribution.faig import faig, masked_weights
from .attribution.lam import diffusion_index, lam, lams, magnitude
from .attribution.map_files import read_map
from .attribution.paths import deblur, straight
from .attribution.targets import mask_target, named_measure, patch, residual
from .capture import layer_names
from .checkpoints.export import export
from .checkpoints.load import load
from .data.datasets import load_images
from .degradations.pipeline import Degradation, DegradationSpace
from .degradations.windows import windows
from .images import read_image
from .metrics import psnr
from .networks.contract import connect
from .networks.state_dicts import load_weights, read_weights
from .representation.embedding import embed, features, separability

__all__ = [
    "Degradation",
    "DegradationSpace",
    "connect",
    "deblur",
    "diffusion_index",
    "embed",
    "erf",
    "export",
    "faig",
    "features",
    "lam",
    "lams",
    "layer_names",
    "load",
    "load_images",
    "load_weights",
    "magnitude",
    "mask_target",
    "masked_weights",
    "named_measure",
    "patch",
    "psnr",
    "read_image",
    "read_map",
    "read_weights",
    "residual",
    "separability",
    "straight",
    "windows",
]
__version__: str
