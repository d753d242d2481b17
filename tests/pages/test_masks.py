"""What is inside a mask, however a tool wrote it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from srlab.pages.masks import read_mask

SHAPE = np.zeros((24, 30), bool)
SHAPE[5:15, 8:20] = True
NUMBERS = SHAPE.astype(np.uint8)
NUMBERS[12:15, 8:20] = 2  # of two objects


def save(path: Path, kind: str) -> Path:
    white, ground = (SHAPE * 255).astype(np.uint8), (~SHAPE * 255).astype(np.uint8)
    palette = Image.fromarray(NUMBERS).convert("P")
    palette.putpalette([90, 90, 90, 128, 0, 0, 255, 255, 0])
    grey = Image.fromarray(1 - SHAPE.astype(np.uint8)).convert("P")
    grey.putpalette([255, 255, 255, 0, 0, 0])
    pictures = {
        "white": Image.fromarray(white),
        "one bit": Image.fromarray(SHAPE),
        "white on black, alpha": Image.fromarray(np.dstack([white] * 3 + [white * 0 + 255])),
        "white on transparent": Image.fromarray(np.dstack([white * 0 + 255] * 3 + [white])),
        "white on transparent black": Image.fromarray(np.dstack([white] * 4)),
        "grey with alpha": Image.fromarray(np.dstack([white * 0 + 255, white])),
        "black and white palette": grey,
        "0 and 1": Image.fromarray(SHAPE.astype(np.uint8)),
        "numbers": Image.fromarray(NUMBERS),
        "16 bits": Image.fromarray(NUMBERS.astype(np.uint16)),
        "palette": palette,
        "colours": Image.fromarray(np.dstack([white, white * (NUMBERS > 1), white * 0])),
        "red on transparent": Image.fromarray(np.dstack([white, white * 0, white * 0, white])),
        "black on transparent": Image.fromarray(np.dstack([ground * 0] * 3 + [white])),
    }
    pictures[kind].save(path)
    return path


@pytest.mark.parametrize(
    "kind",
    [
        "white",
        "one bit",
        "white on black, alpha",
        "white on transparent",
        "white on transparent black",
        "grey with alpha",
        "black and white palette",
    ],
)
def test_white_is_inside_and_transparent_ground_is_not(tmp_path, kind):
    inside, assumed = read_mask(save(tmp_path / "mask.png", kind))
    assert torch.equal(inside, torch.from_numpy(SHAPE))
    assert assumed is None


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("0 and 1", "nothing white: what is not 0 is inside, 16.7% of it"),
        ("numbers", "nothing white"),
        ("16 bits", "nothing white"),
        ("palette", "colours: what is not 0 is inside"),
        ("colours", "colours"),
        ("red on transparent", "colours"),
        ("black on transparent", "only black and transparent pixels: what is opaque is inside"),
    ],
)
def test_numbers_and_colours_of_objects_are_inside_and_told(tmp_path, kind, says):
    inside, assumed = read_mask(save(tmp_path / "mask.png", kind))
    assert torch.equal(inside, torch.from_numpy(SHAPE))
    assert says in assumed


def test_a_black_mask_is_empty(tmp_path):
    Image.new("L", (6, 4)).save(tmp_path / "mask.png")
    assert not read_mask(tmp_path / "mask.png").inside.any()
