"""A target as a function of the LR image, computing no more of the network than it needs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from srlab.attribution.targets import PatchTarget, Target

Network = Callable[[Tensor], Tensor]  # (B, 3, h, w) → (B, 3, scale·h, scale·w)


@dataclass(frozen=True)
class Part:
    """What of the features and of the LR image a target depends on, once both are there."""

    rows: slice  # of the features
    columns: slice
    lr_rows: slice  # of the LR image
    lr_columns: slice
    target: Target  # of the SR image made from these parts alone

    def cut(self, features: Tensor, lr: Tensor) -> tuple[Tensor, Tensor]:
        """That of the features and of the LR image."""
        return features[..., self.rows, self.columns], lr[..., self.lr_rows, self.lr_columns]


class Whole:
    """Any network: its "features" are the SR image."""

    def __init__(self, model: Network) -> None:
        self.model = model

    def features(self, lr: Tensor) -> Tensor:
        """(B, 3, h, w) → (B, 3, H, W), checked."""
        try:
            sr = self.model(lr)
        except RuntimeError as error:
            error.add_note(
                f"the network failed on LR images of shape {tuple(lr.shape)}; if it needs a size "
                "multiple, give it srlab.images.crop_to_multiple(lr, multiple)"
            )
            raise
        _check_sr(sr, lr)
        return sr

    def part(self, target: Target, features: Tensor) -> Part:
        """Where the target looks at the SR image."""
        everything, nothing = slice(None), slice(0)
        if not isinstance(target, PatchTarget):
            return Part(everything, everything, nothing, nothing, target)
        target.check_inside(*features.shape[-2:])
        (height, width), moved = target.shape, replace(target, top=0, left=0)
        rows = slice(target.top, target.top + height + 1)
        columns = slice(target.left, target.left + width + 1)
        return Part(rows, columns, nothing, nothing, moved)

    def finish(self, features: Tensor, lr: Tensor) -> Tensor:  # noqa: ARG002
        """The SR image of a part."""
        return features


class Split:
    """A network whose `reconstruct` looks no further than `reconstruct_margin` LR pixels."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def features(self, lr: Tensor) -> Tensor:
        """(B, 3, h, w) → (B, C, h, w)."""
        return self.model.extract(fast(lr))

    def part(self, target: Target, features: Tensor) -> Part:
        """The crop of features that decides the target: gradients through it stay exact."""
        everything = slice(None)
        if not isinstance(target, PatchTarget):
            return Part(everything, everything, everything, everything, target)
        scale, margin = self.model.scale, self.model.reconstruct_margin
        (height, width), (own_rows, own_columns) = features.shape[-2:], target.shape
        target.check_inside(scale * height, scale * width)
        rows = _reach(target.top, own_rows, scale, margin, height)
        columns = _reach(target.left, own_columns, scale, margin, width)
        top, left = target.top - scale * rows.start, target.left - scale * columns.start
        return Part(rows, columns, rows, columns, replace(target, top=top, left=left))

    def finish(self, features: Tensor, lr: Tensor) -> Tensor:
        """The SR image of a part."""
        return self.model.reconstruct(features, lr)


def in_parts(model: Network) -> Whole | Split:
    """The network as attribution runs it: features, then what is left to do for a target."""
    names = ("extract", "reconstruct", "reconstruct_margin", "scale")
    return Split(model) if all(hasattr(model, name) for name in names) else Whole(model)


def objective(model: Network, target: Target) -> Callable[[Tensor], Tensor]:
    """lr (B, 3, h, w) → target of its SR image, (B,)."""
    network = in_parts(model)

    def values(lr: Tensor) -> Tensor:
        lr = lr.clone()  # a foreign network may change its input in place, which a leaf refuses
        features = network.features(lr)
        part = network.part(target, features)
        result = part.target(network.finish(*part.cut(features, lr)))
        return result.reshape(-1) if len(lr) == 1 else result

    return values


@contextmanager
def frozen(model: Any) -> Iterator[None]:
    """Eval mode without weight gradients inside, everything as before afterwards.

    Frozen weights need no stored activations; eval mode keeps BatchNorm from changing.
    """
    if not isinstance(model, nn.Module):
        yield
        return
    learning = [weight for weight in model.parameters() if weight.requires_grad]
    training = [module for module in model.modules() if module.training]
    try:
        for weight in learning:
            weight.requires_grad_(False)
        for module in training:
            module.training = False
        yield
    finally:
        for weight in learning:
            weight.requires_grad_(True)
        for module in training:
            module.training = True


def fast(tensor: Tensor) -> Tensor:
    """The same in the layout that saves convolutions on a CPU a fifth of their time."""
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor


def comfortable_batch(lr: Tensor) -> int:
    """Nodes a pass: one at a time is fastest on a CPU; a GPU takes 64 maps of 64×64 pixels."""
    return max(1, 2**18 // lr[0, 0].numel()) if lr.is_cuda else 1


def _reach(first: int, size: int, scale: int, margin: int, extent: int) -> slice:
    """LR rows (or columns) that SR pixels first .. first + size may depend on."""
    return slice(max(0, first // scale - margin), min(extent, (first + size) // scale + 1 + margin))


def _check_sr(sr: Any, lr: Tensor) -> None:
    if not isinstance(sr, Tensor):
        what = f"a {type(sr).__name__} of {len(sr)}" if hasattr(sr, "__len__") else type(sr)
        raise TypeError(
            f"the network returned {what}, not an image tensor; wrap it: "
            "lambda lr: network(lr)[0] (or whichever entry is the SR image)"
        )
    batch, _, height, width = lr.shape
    if sr.ndim != 4 or sr.shape[:2] != (batch, 3):
        raise ValueError(
            f"the network turned {tuple(lr.shape)} into {tuple(sr.shape)}; "
            "srlab explains networks (B, 3, h, w) → (B, 3, scale·h, scale·w)"
        )
    scale = sr.shape[-2] // height
    if scale < 1 or sr.shape[-2:] != (scale * height, scale * width):
        raise ValueError(
            f"the network turned {height}×{width} into {sr.shape[-2]}×{sr.shape[-1]}, which is no "
            "whole scale, equal on both axes; if it pads its input, cut the padding off again"
        )
    if not torch.isfinite(sr.detach()).all():
        raise ValueError("the network returned NaN or infinity for a finite image")
