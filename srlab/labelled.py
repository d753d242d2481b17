"""Pictures that come with labels: CIFAR-10.

Read from `$SRLAB_DATA`, or downloaded and checked like the files of `srlab.assets`.
"""

import io
import pickle
import tarfile
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from typing import IO, Any, Literal, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from srlab.assets import own_folder, retrieve

Split = Literal["train", "test"]

CIFAR10_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
CIFAR10_ADDRESS = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
CIFAR10_MD5 = "c58f30108f718f92721af3b95e74349a"
BATCHES: dict[Split, tuple[str, ...]] = {
    "train": tuple(f"data_batch_{number}" for number in range(1, 6)),
    "test": ("test_batch",),
}


@dataclass(frozen=True)
class LabelledImages:
    """Small pictures of named classes."""

    images: Tensor  # (N, 3, 32, 32) uint8
    labels: Tensor  # (N,) int64, an index into names
    names: tuple[str, ...]


def cifar10(split: Split) -> LabelledImages:
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
def _digests(split: Split) -> np.ndarray:
    """(N,) uint64: which pictures, in which order."""
    with (files("srlab") / "cifar10.npz").open("rb") as file:
        return np.load(io.BytesIO(file.read()), allow_pickle=False)[split]


def _digest(picture: np.ndarray) -> int:
    return int.from_bytes(blake2b(picture.tobytes(), digest_size=8).digest(), "little")


def _read_sheets(folder: Path) -> np.ndarray:
    """(N, 32, 32, 3) uint8 from one lossless sheet a class, row by row."""
    parts = []
    for name in CIFAR10_CLASSES:
        path = folder / f"{name}.webp"
        if not path.is_file():
            raise FileNotFoundError(f"{folder} has no sheet {path.name}; it needs one a class")
        sheet = np.asarray(Image.open(path).convert("RGB"))
        rows, columns = sheet.shape[0] // 32, sheet.shape[1] // 32
        tiles = sheet.reshape(rows, 32, columns, 32, 3).swapaxes(1, 2)
        parts.append(tiles.reshape(-1, 32, 32, 3))
    return np.concatenate(parts)


def _read_archive(split: Split, chosen: np.ndarray) -> np.ndarray:
    """(N, 32, 32, 3) uint8: the `chosen` pictures out of the official archive."""
    path = retrieve(
        CIFAR10_ADDRESS,
        f"md5:{CIFAR10_MD5}",
        folder="CIFAR10",
        file="cifar-10-python.tar.gz",
        progress=True,
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
