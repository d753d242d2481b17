"""Image conventions of srlab: RGB float tensors in [0, 1], shaped (B, 3, H, W) or (3, H, W)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    PHOTOMETRIC_INTERPRETATION,
    PLANAR_CONFIGURATION,
    SAMPLEFORMAT,
)
from torch import Tensor

from srlab.files import kind_of_file

WHITE_IS_ZERO, SEPARATE, UNSIGNED, SIGNED = 0, 2, 1, 2  # values of these TIFF tags
BROKEN = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)  # Pillow's words for it


def image_from_array(array: np.ndarray) -> Tensor:
    """An (H, W), (H, W, 3) or (H, W, 4) array as an RGB tensor (3, H, W) in [0, 1].

    8- and 16-bit integers are divided by their full range; floats must lie in [0, 1]
    already. Grey is repeated to three channels, alpha is laid over white.
    """
    array = np.asarray(array)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[-1] not in (1, 2, 3, 4) or min(array.shape) == 0:
        raise ValueError(f"an image is (H, W) or (H, W, 1..4), got an array of shape {array.shape}")
    integer = array.dtype.kind == "u" and array.dtype.itemsize <= 2
    if not (integer or array.dtype.kind in "bf"):
        raise ValueError(f"an image is uint8, uint16, bool or float, got {array.dtype}")
    values: np.ndarray = array.astype(np.float32)
    if integer:
        values = values / np.iinfo(array.dtype).max
    if values.shape[-1] in (2, 4):
        alpha = values[..., -1:]
        values = values[..., :-1] * alpha + (1 - alpha)
    if values.shape[-1] == 1:
        values = np.repeat(values, 3, axis=-1)
    image = torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))
    return check_images(image)


def image_to_array(image: Tensor) -> np.ndarray:
    """(…, 3, H, W) in [0, 1] as uint8 (…, H, W, 3), clamped and rounded: what a viewer shows."""
    shown = (image.detach().float().clamp(0, 1) * 255).round().byte()
    return shown.movedim(-3, -1).cpu().numpy()


def read_image(path: str | Path) -> Tensor:
    """A picture file (grey, RGB or palette, with or without alpha) as (3, H, W) in [0, 1].

    It is turned as its EXIF orientation says. Grey keeps 16 bits; Pillow reads colour with 8.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no picture at {path}")
    try:
        with Image.open(path) as file:
            tags = dict(getattr(file, "tag_v2", {}))
            _check_tiff(tags)
            return image_from_array(_pixels(ImageOps.exif_transpose(file), tags))
    except BROKEN as error:
        kind = kind_of_file(path) if isinstance(error, UnidentifiedImageError) else None
        reason = f"it is {kind}" if kind else error
        raise ValueError(f"{path} is not a readable picture: {reason}") from error


def _check_tiff(tags: Mapping[int, Any]) -> None:
    """Refuse what Pillow opens but reads as other values."""
    sorts, bits = tags.get(SAMPLEFORMAT, (UNSIGNED,)), tags.get(BITSPERSAMPLE, (8,))
    if SIGNED in sorts or (UNSIGNED in sorts and max(bits) > 16):
        signed = "signed " if SIGNED in sorts else ""
        raise OSError(f"{signed}{max(bits)}-bit integers; save it with unsigned ones of 8 or 16")
    if tags.get(PLANAR_CONFIGURATION) == SEPARATE and len(bits) > 1 and max(bits) > 8:
        raise OSError(f"{max(bits)}-bit colour in separate planes; save it pixel by pixel")


def _pixels(picture: Image.Image, tags: Mapping[int, Any]) -> np.ndarray:
    """Pillow's picture as (H, W) or (H, W, C) of bool, uint8 or float; `tags` of a TIFF."""
    if picture.mode.startswith("I") or picture.mode == "F":
        return _deep_grey(picture, tags)
    if picture.mode == "La":  # multiplied by its alpha
        return np.asarray(picture.convert("LA"))
    if "transparency" in picture.info or picture.mode in ("PA", "RGBa"):
        return np.asarray(picture.convert("RGBA"))
    known = picture.mode in ("1", "L", "LA", "RGB", "RGBA")
    return np.asarray(picture if known else picture.convert("RGB"))


def _deep_grey(picture: Image.Image, tags: Mapping[int, Any]) -> np.ndarray:
    """Integers of 12 or 16 bits, or floats, as floats; with a colour that stands for nothing."""
    stored = np.asarray(picture)
    values = stored.astype(np.float32)
    if picture.mode != "F":
        brightest = 2 ** tags.get(BITSPERSAMPLE, (16,))[0] - 1
        if values.min() < 0 or values.max() > brightest:
            raise OSError(f"values beyond 0 to {brightest}; save it with 8 or 16 bits")
        values = values / brightest
    if tags.get(PHOTOMETRIC_INTERPRETATION) == WHITE_IS_ZERO:  # Pillow heeds it up to 8 bits
        values = 1 - values
    if "transparency" in picture.info:
        return np.dstack([values, stored != picture.info["transparency"]])
    return values


def check_images(images: Tensor, channels: tuple[int, ...] = (3,)) -> Tensor:
    """Return `images` if they are finite RGB in [0, 1]; otherwise say what is wrong.

    Of other `channels`, luma alone or RGB and infrared, what is explained need not be RGB.
    """
    if images.ndim not in (3, 4) or images.shape[-3] not in channels:
        known = "RGB images" if channels == (3,) else f"images of {channels} channels"
        raise ValueError(
            f"expected {known} (3, H, W) or (B, 3, H, W), got shape {tuple(images.shape)}"
        )
    if not images.is_floating_point():
        raise ValueError(
            f"expected float images in [0, 1], got {images.dtype}; divide by 255 first"
        )
    if not torch.isfinite(images).all():
        raise ValueError("the image holds NaN or infinity; srlab does not repair values silently")
    low, high = images.min().item(), images.max().item()
    if low < -2 or high > 3:  # noise may leave [0, 1]; 0–255 is a mistake
        raise ValueError(f"expected values in [0, 1], got [{low:.3g}, {high:.3g}]; divide by 255?")
    return images


def luma(images: Tensor) -> Tensor:
    """Y of ITU-R BT.601 in studio range, as SR papers measure it: (…, 3, H, W) → (…, 1, H, W).

    One channel is luma already, and stays.
    """
    if images.shape[-3] == 1:
        return images
    weights = images.new_tensor([65.481, 128.553, 24.966]) / 255
    return torch.einsum("...chw,c->...hw", images, weights).unsqueeze(-3) + 16 / 255


def crop_to_multiple(images: Tensor, multiple: int) -> Tensor:
    """Cut the bottom and right edges so that H and W are multiples of `multiple`."""
    height, width = images.shape[-2:]
    if min(height, width) < multiple:
        raise ValueError(
            f"an image of {height}×{width} cannot be cropped to a multiple of {multiple}"
        )
    return images[..., : height - height % multiple, : width - width % multiple]


def crop(images: Tensor, top: int, left: int, height: int, width: int) -> Tensor:
    """images[..., top:top+height, left:left+width], refused when it leaves the image."""
    rows, columns = images.shape[-2:]
    if min(top, left) < 0 or top + height > rows or left + width > columns:
        raise ValueError(
            f"a {height}×{width} crop at row {top}, column {left} leaves the {rows}×{columns} image"
        )
    return images[..., top : top + height, left : left + width]


def center_crop(images: Tensor, size: int) -> Tensor:
    """The central size × size window of (…, H, W)."""
    rows, columns = images.shape[-2:]
    return crop(images, (rows - size) // 2, (columns - size) // 2, size, size)
