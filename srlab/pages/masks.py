"""Masks in picture files: where a white shape lies, or what an annotation tool marked."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from srlab.images import luma, read_image

WHITE = 0.5  # luma above which a pixel of a black-and-white mask is inside
COLOURED = 0.1  # difference of two channels above which a mask is not black and white


class Mask(NamedTuple):
    """The pixels inside, (H, W) of bool, and what had to be assumed to tell them, if anything."""

    inside: Tensor
    assumed: str | None


def read_mask(path: str | Path) -> Mask:
    """Where a picture file is white; where it numbers or colours objects, whatever is not 0.

    Transparent ground is outside.
    """
    shown = read_image(path)
    indices, opaque = _indices_and_opacity(path)
    white = (luma(shown[None])[0, 0] > WHITE) & opaque
    marked = (shown > 0).any(dim=0) & opaque if indices is None else indices > 0
    colourful = ((shown.amax(dim=0) - shown.amin(dim=0) > COLOURED) & opaque).any()
    if white.any() and not colourful:
        return Mask(white, None)
    if not marked.any() and not opaque.all():
        return _assuming("only black and transparent pixels", "opaque", opaque)
    return _assuming("colours" if colourful else "nothing white", "not 0", marked)


def _assuming(found: str, condition: str, inside: Tensor) -> Mask:
    share = inside.float().mean().item()
    return Mask(inside, f"the mask has {found}: what is {condition} is inside, {share:.1%} of it")


def _indices_and_opacity(path: str | Path) -> tuple[Tensor | None, Tensor]:
    """The numbers of an indexed picture (H, W), and which pixels of any are opaque."""
    with Image.open(path) as file:
        picture = ImageOps.exif_transpose(file)
    indices = torch.from_numpy(np.array(picture)) if picture.mode == "P" else None
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        alpha = np.array(picture.convert("RGBA").getchannel("A"))
        return indices, torch.from_numpy(alpha) > 127
    return indices, torch.ones(picture.height, picture.width, dtype=torch.bool)
