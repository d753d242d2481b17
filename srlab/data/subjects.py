"""Patches with two labels, what they show and how they were degraded, and pictures to learn from.

DDR (Sec. 4.2) asks of the same features whether they follow the one or the other.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from srlab.data.datasets import Pairs, degraded_patches, load_images
from srlab.data.labelled import LabelledImages, cifar10
from srlab.degradations.pipeline import Degradation
from srlab.images import crop_to_multiple


def halves(images: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """(left halves, right halves) of pictures (3, H, W): to learn from the one, judge by the other.

    The middle column of an odd width goes to the right.
    """
    left = {name: image[..., : image.shape[-1] // 2] for name, image in images.items()}
    right = {name: image[..., image.shape[-1] // 2 :] for name, image in images.items()}
    return left, right


def separate(images: dict[str, Tensor], parts: int = 2) -> list[dict[str, Tensor]]:
    """Pictures dealt out in turn: no picture is in two parts."""
    if len(images) < parts:
        raise ValueError(f"{len(images)} pictures cannot be dealt into {parts} parts")
    names = list(images)
    return [{name: images[name] for name in names[part::parts]} for part in range(parts)]


def picture_patches(
    images: dict[str, Tensor], *, scale: int = 4, size: int = 32, stride: int = 4
) -> LabelledImages:
    """All patches of `size` × `size` on a grid of the reduced pictures, labelled by their picture.

    To learn from: they overlap where `stride` is smaller than `size`.
    """
    patches, labels = [], []
    for index, (name, image) in enumerate(images.items()):
        lr = Degradation(scale=scale)(crop_to_multiple(image, scale)[None])[0]
        if min(lr.shape[-2:]) < size:
            raise ValueError(
                f"picture {name!r} has {lr.shape[-2]}×{lr.shape[-1]} pixels when reduced by "
                f"{scale}: no patch of {size}×{size} fits; give larger pictures or smaller patches"
            )
        tiles = lr.unfold(1, size, stride).unfold(2, size, stride)  # (3, rows, columns, size, size)
        own = tiles.permute(1, 2, 0, 3, 4).reshape(-1, 3, size, size)
        patches.append((own.clamp(0, 1) * 255).round().byte())
        labels += [index] * len(own)
    return LabelledImages(torch.cat(patches), torch.tensor(labels), tuple(images))


def labelled_images(name: str, *, most: int = 15) -> LabelledImages:
    """What classifiers learn from and are judged on, by the name that a checkpoint's header has.

    "cifar10-train" and "cifar10-test"; or clean patches of halves of photographs, whose classes
    are the photographs: "photographs-left+textures-left" to learn from (of overlapping patches
    as many as a grid of 4 pixels has), "photographs-right+textures-right" to judge on.
    """
    if name in ("cifar10-train", "cifar10-test"):
        return cifar10(name.removeprefix("cifar10-"))
    parts = [part.rpartition("-") for part in name.split("+")]
    sides = {side for *_, side in parts}
    if sides not in ({"left"}, {"right"}):
        raise ValueError(
            'labelled pictures are "cifar10-train", "cifar10-test", or image sets that all end in '
            f'"-left" or all in "-right", joined by "+"; got {name!r}'
        )
    left, right = halves(_pictures([image_set for image_set, *_ in parts], most))
    return picture_patches(left) if sides == {"left"} else picture_patches(right, stride=16)


def _pictures(image_sets: Iterable[str], most: int) -> dict[str, Tensor]:
    """The first pictures of several image sets."""
    found = {k: v for name in image_sets for k, v in load_images(name).items()}
    return dict(islice(found.items(), most))


def first_of_each(data: LabelledImages, count: int) -> LabelledImages:
    """The first `count` pictures of every class, class by class."""
    own = [torch.nonzero(data.labels == label).flatten() for label in range(len(data.names))]
    fewest = min(len(rows) for rows in own)
    if not 0 < count <= fewest:
        raise ValueError(f"count lies between 1 and {fewest}, the smallest class; got {count}")
    rows = torch.cat([rows[:count] for rows in own])
    return LabelledImages(data.images[rows], data.labels[rows], data.names)


def degraded_versions(
    data: LabelledImages, degradations: Sequence[Degradation], *, seed: int = 0
) -> Pairs:
    """Labelled pictures as LR input under each degradation, each with its own noise.

    Contents are the names of the classes; `hr` are the pictures themselves, at scale 1.
    """
    clean = data.images.float() / 255
    versions = [
        degradation(clean, [np.random.default_rng((seed, k, i)) for i in range(len(clean))])
        for k, degradation in enumerate(degradations)
    ]
    names = tuple(data.names[label] for label in data.labels.tolist())
    return Pairs(torch.stack(versions, dim=1).flatten(0, 1), clean, tuple(degradations), names)


def by_degradation(pairs: Pairs, names: Sequence[str]) -> dict[str, LabelledImages]:
    """{degradation: its patches (N, 3, h, w), float, labelled by content}: a test set of each.

    `names` are the classes of the classifier that is to be tested, in its order.
    """
    strangers = sorted(set(pairs.contents) - set(names))
    if strangers:
        raise ValueError(f"the classifier knows {', '.join(names)}, but not {', '.join(strangers)}")
    labels = torch.tensor([list(names).index(content) for content in pairs.contents])
    number = len(pairs.degradations)
    return {
        str(degradation): LabelledImages(pairs.lr[k::number], labels, tuple(names))
        for k, degradation in enumerate(pairs.degradations)
    }


class SubjectTask(NamedTuple):
    """Patches to look at, and the names of what they show."""

    names: tuple[str, ...]  # the classes, in the order of a classifier's logits
    pairs: Pairs


def subject_task(
    image_set: str, degradations: Sequence[Degradation], *, count: int, most: int = 15
) -> SubjectTask:
    """Test pictures of CIFAR-10 ("cifar10"), or patches of photographs that are classes themselves.

    Image sets may be joined ("photographs+textures"); of their first `most` pictures the right
    halves are shown, for a classifier learns from the left ones. `count` contents are spread over
    the classes.
    """
    if image_set == "cifar10":
        test = cifar10("test")
        chosen = first_of_each(test, count // len(test.names))
        return SubjectTask(test.names, degraded_versions(chosen, degradations))
    _, right = halves(_pictures(image_set.split("+"), most))
    return SubjectTask(tuple(right), degraded_patches(right, degradations, count=count))
