"""Remote files: where each image set comes from, what it may be used for, where it lies here.

A file is looked for in `$SRLAB_DATA`, then in the cache, then downloaded with a progress bar and
checked against its SHA-256. An interrupted or wrong download leaves nothing behind. The rows of
every file are in `assets.csv` next to this module; where one has a crop (left, top, width, height),
srlab uses that part of the picture only, and cuts it out of a download.
"""

import csv
import logging
import os
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

import pooch
from PIL import Image
from tqdm.auto import tqdm

HOST = "https://raw.githubusercontent.com"
PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}


@dataclass(frozen=True)
class ImageSet:
    """Where a set of pictures lives: a public repository at one commit."""

    folder: str  # below $SRLAB_DATA; what starts with train/ may be trained on
    repository: str
    commit: str
    licence: str
    citation: str  # key in book/references.bib

    @property
    def trainable(self) -> bool:
        """Whether a shipped checkpoint may have seen it."""
        return self.folder.startswith("train/")


_BSDS = (
    "BIDS/BSDS500",
    "a04b7c6c3a9f0ace74bf205c72a43d32e1c72722",
    "non-commercial research and education (UC Berkeley)",
    "martin2001database",
)
_CLASSIC = (
    "tegg89/SRCNN-Tensorflow",
    "78be1a24697935fc39a3a8cf59a6632264afade7",
    "MIT (repository)",
)

IMAGE_SETS: dict[str, ImageSet] = {
    "set5": ImageSet("test/Set5", *_CLASSIC, "bevilacqua2012low"),
    "set14": ImageSet("test/Set14", *_CLASSIC, "zeyde2010single"),
    "b100": ImageSet("test/B100", *_BSDS),
    "urban100-30": ImageSet(
        "test/Urban100",
        "jbhuang0604/SelfExSR",
        "8f6dd8c1d20cb7e8792a7177b4f6fd677633f598",
        "none stated",
        "huang2015single",
    ),
    "bsd397": ImageSet("train/BSD397", *_BSDS),
    "general100": ImageSet(
        "train/General100",
        "Nhat-Thanh/FSRCNN-Pytorch",
        "9d7e83739a5cfdea67da084091bc78c3bcbddce1",
        "none stated",
        "dong2016accelerating",
    ),
    "div2k-small": ImageSet(
        "train/DIV2K_test_LRx4",
        "ofsoundof/IMDN",
        "2f918327c1ce512076244af8986738f5dd6943c5",
        "academic research (DIV2K)",
        "agustsson2017ntire",
    ),
    "live": ImageSet(  # 6 of 29 references, 320×320 each, without JPEG2000
        "test/LIVE_subset",
        "exler/CILISSA",
        "d89918079408fb2a11f97cb23e4c534a6fc187a4",
        "any purpose, with its notice (LIVE release 2, © 2005 The University of Texas at Austin)",
        "sheikh2006statistical",
    ),
    "city100": ImageSet(  # 12 of 100 scenes, the middle of each frame
        "test/City100_subset",
        "ngchc/CameraSR",
        "336cac11f5ba409134b2bc5165e9ad6aa4a07e65",
        "MIT (repository)",
        "chen2019camera",
    ),
}


def image_set_files(name: str, *, limit: int | None = None) -> dict[str, Path]:
    """{picture name: local path} of a set (of its first `limit`), downloading what is missing."""
    if name not in IMAGE_SETS:
        raise ValueError(f"unknown image set {name!r}; the remote ones are {', '.join(IMAGE_SETS)}")
    rows = _table()[name][:limit]
    found = _own_copies(IMAGE_SETS[name])
    missing = [row for row in rows if row["name"] not in found]
    size = sum(int(row["bytes"]) for row in missing) / 1e6
    # Files that are in the cache already pass in an instant; only their digest is computed.
    for row in tqdm(missing, f"{name} ({size:.1f} MB)", unit="file", delay=1, leave=False):
        found[row["name"]] = _retrieve(IMAGE_SETS[name], row)
    return {row["name"]: found[row["name"]] for row in rows}


@cache
def _table() -> dict[str, list[dict[str, str]]]:
    table: dict[str, list[dict[str, str]]] = {name: [] for name in IMAGE_SETS}
    for row in csv.DictReader((files("srlab") / "assets.csv").read_text("utf-8").splitlines()):
        table[row["set"]].append(row)
    return table


def own_folder(folder: str) -> Path | None:
    """`folder` below $SRLAB_DATA; None where that is not set or holds no such folder."""
    root = os.environ.get("SRLAB_DATA")
    if not root:
        return None
    if not Path(root).is_dir():
        raise FileNotFoundError(f"SRLAB_DATA is set to {root}, which is not a folder")
    return path if (path := Path(root, folder)).is_dir() else None


def _own_copies(image_set: ImageSet) -> dict[str, Path]:
    """Pictures below $SRLAB_DATA by name, whatever lossless format they were stored in."""
    folder = own_folder(image_set.folder)
    if folder is None:
        return {}
    paths = sorted(folder.rglob("*"), reverse=True)
    pictures = [path for path in paths if path.suffix.lower() in PICTURES]
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in pictures}


def _retrieve(image_set: ImageSet, row: dict[str, str]) -> Path:
    """The cached file of a row, downloaded if it is not there or not what it should be."""
    address = f"{HOST}/{image_set.repository}/{image_set.commit}/{quote(row['path'])}"
    file = f"{image_set.folder}/{row['name']}{Path(row['path']).suffix}"
    path = retrieve(address, f"sha256:{row['sha256']}", file=file)
    return _cut(path, row["crop"]) if row.get("crop") else path


def _cut(path: Path, crop: str) -> Path:
    """The file of that part of a picture, beside it."""
    cut = path.with_name(f"{path.stem}.crop.png")
    if not cut.is_file():
        left, top, width, height = map(int, crop.split())
        with Image.open(path) as picture:
            part = picture.convert("RGB").crop((left, top, left + width, top + height))
        part.save(temporary := cut.with_suffix(".tmp"), "PNG")
        temporary.replace(cut)
    return cut


def retrieve(address: str, digest: str, *, file: str, progress: bool = False) -> Path:
    """The cached `file`, downloaded and checked ("sha256:…", "md5:…") if need be."""
    pooch.get_logger().setLevel(logging.WARNING)  # the bar says enough
    place = pooch.os_cache("srlab") / file
    try:
        pooch.retrieve(
            address, known_hash=digest, path=place.parent, fname=place.name, progressbar=progress
        )
    except (OSError, ValueError) as error:  # ValueError: the digest differs
        reason = "the file there is not the expected one" if type(error) is ValueError else error
        raise OSError(
            f"could not download {file} from {address}: {reason}. "
            "Set SRLAB_DATA to a folder that holds the set, or use the embedded 'photographs'."
        ) from error
    return place
