"""Advice with settings in it, which each door writes in its own way; refusals with it."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor


class Setting(NamedTuple):
    """A keyword and its value, as Python writes it."""

    name: str
    value: str

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


class Advice:
    """Words and settings in turn; as text, the settings are Python's keywords.

    >>> print(Advice("cut a part out, ", Setting("crop", "128")))
    cut a part out, crop=128
    """

    def __init__(self, *parts: object) -> None:
        self.parts = parts

    def __str__(self) -> str:
        return self.written(str)

    def written(self, write: Callable[[Setting], str]) -> str:
        """The same with settings as `write` has them."""
        said = (write(part) if isinstance(part, Setting) else f"{part}" for part in self.parts)
        return "".join(said)


class AdvisedError(ValueError):
    """An error whose words hold settings that would help."""

    def __init__(self, *parts: object) -> None:
        self.advice = Advice(*parts)
        super().__init__(f"{self.advice}")


class ContractError(AdvisedError):
    """What a network does differently, and how to adapt it."""


class SizeError(ContractError):
    """A failure that another image size might cure."""


class GreyError(ContractError):
    """A network that takes luma alone."""


class RangeError(ContractError):
    """NaN or infinity, which another range of values might cure."""


LUMA = (
    "; of a network for luma alone derive one for RGB: class Rgb(Net): "
    "forward = lambda self, lr: Net.forward(self, srlab.images.luma(lr)).repeat(1, 3, 1, 1)"
)


def which_part(answer: Any, parts: Mapping[Any, Any]) -> ContractError:
    """Of a network that answers with several things, which are under the keys of `parts`."""
    told = ", ".join(
        f"{key}: {tuple(part.shape) if isinstance(part, Tensor) else type(part).__name__}"
        for key, part in parts.items()
    )
    pixels = {
        key: part.shape[-2:].numel() if getattr(part, "ndim", 0) == 4 else 0
        for key, part in parts.items()
    }
    choice = max(pixels, key=pixels.__getitem__)  # the SR image is larger than steps on the way
    return ContractError(
        f"the network returns a {type(answer).__name__} ({told}); say which is the image, ",
        Setting("output", f"{str(choice)!r}"),
        ", or derive a network that returns only it: "
        f"class Image(Net): forward = lambda self, lr: Net.forward(self, lr)[{choice!r}]",
    )


def refusal(error: Exception, shape: tuple[int, ...]) -> ContractError:
    """Of a network that failed on LR images of a `shape` (B, 3, h, w)."""
    words = f"{type(error).__name__}: {error}"
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError) or "t allocate memory" in words:
        return ContractError(
            f"the memory does not suffice for {shape[-2]}×{shape[-1]} pixels: "
            "analyse a part of the picture, ",
            Setting("crop", "128"),
        )
    if "to have 1 channels" in words:
        return GreyError(f"the network takes grey images{LUMA}")
    if "is a view and is being modified inplace" in words:
        return ContractError(
            "the network overwrites a part that chunk, split or unbind gave it, through which "
            f"there is no gradient: write part = part * gain for part *= gain; torch says: {words}"
        )
    return SizeError(f"the network failed on an input {shape}: {words}")
