"""Pictures that come with labels: CIFAR-10, LIVE (distortions) and City100 (cameras).

Read from `$SRLAB_DATA`, or downloaded and checked like the files of `srlab.data.assets`. Of LIVE
and City100 srlab uses a part, the same in both cases.
"""

import pickle
import tarfile
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor

from srlab.data.assets import own_folder, retrieve
from srlab.data.datasets import load_images
from srlab.images import image_to_array, read_image

CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
CIFAR10_ADDRESS = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
CIFAR10_MD5 = "c58f30108f718f92721af3b95e74349a"
BATCHES: dict[str, tuple[str, ...]] = {
    "train": tuple(f"data_batch_{number}" for number in range(1, 6)),
    "test": ("test_batch",),
}


LIVE_DISTORTIONS = {
    "ref": "pristine",
    "jpeg": "JPEG",
    "wn": "white noise",
    "gblur": "blur",
    "ff": "fast fading",
}
CITY100_CAMERAS = {"iphonex": "iPhone X", "nikon": "Nikon D5500"}
CITY100_QUALITIES = {"H": "high", "L": "low"}


class LivePicture(NamedTuple):
    """A picture of LIVE: what it shows and how it was damaged."""

    image: Tensor  # (3, 320, 320) in [0, 1]
    distortion: str  # "pristine", or one of the others in LIVE_DISTORTIONS
    reference: str  # the picture it was made from
    level: int  # from 1, by growing error within distortion and reference; 0 = pristine


class CameraPicture(NamedTuple):
    """A picture of City100: the same scene was taken by each camera, far and near."""

    image: Tensor  # (3, 300, 420) or (3, 434, 608) in [0, 1]
    camera: str  # "iPhone X" or "Nikon D5500"
    quality: str  # "high" (long focal length, or near), "low" (short, or far, and enlarged)
    scene: str


def live() -> list[LivePicture]:
    """LIVE release 2 (Sheikh et al. 2006), in part: 110 distorted and 6 pristine crops.

    Six references under JPEG, white noise, blur and fast fading, at four or five strengths each.
    JPEG2000 and the human scores are not in the public copy that srlab reads.
    """
    found = []
    for name, image in load_images("live").items():
        kind, reference, level = (*name.replace("/", "_").split("_"), "0")[:3]
        found.append(LivePicture(image, LIVE_DISTORTIONS[kind], reference, int(level)))
    return found


def city100() -> list[CameraPicture]:
    """City100 (Chen et al. 2019), in part: the middle of 12 scenes, 2 cameras × 2 qualities each.

    A scene shows the same postcard in all four; high and low are aligned within a camera.
    """
    found = []
    for name, image in load_images("city100").items():
        camera, shot = name.split("/")
        quality = CITY100_QUALITIES[shot[-1]]
        found.append(CameraPicture(image, CITY100_CAMERAS[camera], quality, shot[:-1]))
    return found


@dataclass(frozen=True)
class LabelledImages:
    """Small pictures of named classes."""

    images: Tensor  # (N, 3, 32, 32) uint8
    labels: Tensor  # (N,) int64, an index into names
    names: tuple[str, ...]


def cifar10(split: str) -> LabelledImages:
    """The part of CIFAR-10 (Krizhevsky 2009) that srlab uses, class by class.

    2,000 training or 200 test pictures of each of the ten classes, always the same ones in the
    same order. They come from sheets below `$SRLAB_DATA` or out of the official archive (163 MB,
    downloaded once); either way each picture is compared with its digest.
    """
    if split not in BATCHES:
        raise ValueError(f"CIFAR-10 has the splits train and test, got {split!r}")
    folder = own_folder(f"{split}/CIFAR10")
    chosen = _digests(split)
    pictures = _read_sheets(folder) if folder else _read_archive(split, chosen)
    found = [_digest(picture) for picture in pictures]
    if found != chosen.tolist():
        raise ValueError(
            f"the CIFAR-10 pictures of {folder or CIFAR10_ADDRESS} are not the {len(chosen)} that "
            f"srlab uses (found {len(found)}); remove that folder to have them downloaded"
        )
    labels = torch.arange(10).repeat_interleave(len(chosen) // 10)
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()
    return LabelledImages(images, labels, CIFAR10_CLASSES)


@cache
def _digests(split: str) -> np.ndarray:
    """(N,) uint64: which pictures, in which order."""
    with np.load(Path(__file__).with_name("cifar10.npz")) as digests:
        return digests[split]


def _digest(picture: np.ndarray) -> int:
    return int.from_bytes(blake2b(picture.tobytes(), digest_size=8).digest(), "little")


def _read_sheets(folder: Path) -> np.ndarray:
    """(N, 32, 32, 3) uint8 from one lossless sheet a class, row by row."""
    parts = []
    for name in CIFAR10_CLASSES:
        path = folder / f"{name}.webp"
        if not path.is_file():
            raise FileNotFoundError(f"{folder} has no sheet {path.name}; it needs one a class")
        sheet = image_to_array(read_image(path))
        rows, columns = sheet.shape[0] // 32, sheet.shape[1] // 32
        tiles = sheet.reshape(rows, 32, columns, 32, 3).swapaxes(1, 2)
        parts.append(tiles.reshape(-1, 32, 32, 3))
    return np.concatenate(parts)


def _read_archive(split: str, chosen: np.ndarray) -> np.ndarray:
    """(N, 32, 32, 3) uint8: the `chosen` pictures out of the official archive."""
    path = retrieve(
        CIFAR10_ADDRESS, f"md5:{CIFAR10_MD5}", file="CIFAR10/cifar-10-python.tar.gz", progress=True
    )
    place = {digest: position for position, digest in enumerate(chosen.tolist())}
    pictures = np.zeros((len(chosen), 32, 32, 3), np.uint8)
    with tarfile.open(path) as archive:
        for batch in BATCHES[split]:
            member = cast(IO[bytes], archive.extractfile(f"cifar-10-batches-py/{batch}"))
            rows = _ArrayUnpickler(member, encoding="bytes").load()[b"data"]
            for picture in rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1):
                if (position := place.get(_digest(picture))) is not None:
                    pictures[position] = picture
    return pictures


class _ArrayUnpickler(pickle.Unpickler):
    """Reads dictionaries of plain values and NumPy arrays; anything else is refused."""

    def find_class(self, module: str, name: str) -> Any:
        allowed = {
            "_reconstruct": np.empty(0).__reduce__()[0],
            "ndarray": np.ndarray,
            "dtype": np.dtype,
        }
        if module.split(".")[0] == "numpy" and name in allowed:
            return allowed[name]
        raise pickle.UnpicklingError(f"refused {module}.{name}: only arrays are expected here")
