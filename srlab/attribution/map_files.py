"""Maps that the book's page has computed, read from the files that it saves."""

import base64
import json
from pathlib import Path as File
from typing import Any

import numpy as np
import torch
from torch import Tensor

from srlab.attribution.integral import AdaptivePath, completeness_error
from srlab.attribution.lam import Attribution
from srlab.attribution.paths import deblur
from srlab.attribution.targets import named_measure, patch

FORMAT = "srlab map 1"


def read_map(path: str | File) -> Attribution:
    """A map that the book's page saved as numbers (.json), as `lam` would have returned it.

    The LR and SR pictures are read from 8 bits, the map from float32. What each node contributed is
    not in the file: `contributions` are nan. Where SR less bicubic was explained, `target` says
    what was measured of that. Raises ValueError for any other file.

    >>> found = read_map("lam-FSRCNN-pagoda.json")  # doctest: +SKIP
    >>> found.diffusion_index, found.map.shape  # doctest: +SKIP
    (0.86, torch.Size([1, 3, 64, 64]))
    """
    told = _told(File(path))
    lr, settings, window = _picture(told["lr"]), told["settings"], told["window"]
    numbers = np.frombuffer(base64.b64decode(told["map"]), "<f4").reshape(lr.shape)
    attribution, start, end = torch.from_numpy(numbers.copy()), told["start"], told["end"]
    chosen = deblur(sigma=settings["sigma"], steps=settings["steps"] or None)(lr)
    measure = settings["target"].removeprefix("residual").removeprefix(":")  # "residual:edges:90"
    return Attribution(
        attribution=attribution,
        start=start,
        end=end,
        completeness_error=completeness_error(float(attribution.double().sum()), end - start),
        error=float("nan") if told["error"] is None else told["error"],
        path=chosen.through(told["fractions"]) if isinstance(chosen, AdaptivePath) else chosen,
        values=np.array(told["values"]),
        contributions=np.full(len(told["values"]), np.nan),
        gradients=None,
        lr=lr[None],
        sr=_picture(told["sr"])[None],
        target=patch(**window, measure=named_measure(measure or "gradient")),
    )


def _told(path: File) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text("utf-8"))
    except ValueError:  # no JSON, or not even text
        told = None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise ValueError(
            f"{path} is no map of the book's page: expected the JSON that its “Save numbers” "
            f'writes, which begins with "format": "{FORMAT}"'
        )
    return told


def _picture(told: dict[str, Any]) -> Tensor:
    """(3, h, w) in [0, 1]."""
    values = np.frombuffer(base64.b64decode(told["bytes"]), np.uint8)
    return torch.from_numpy(values.reshape(3, told["height"], told["width"]) / 255).float()
