"""Remote files: where image sets and published weights come from, and where they lie here.

A file is looked for in `$SRLAB_DATA`, then in the cache, then downloaded with a progress bar and
checked against its SHA-256. An interrupted or wrong download leaves nothing behind. Where sets and
weights come from stands in `assets.toml` next to this module, the rows of every picture in
`assets.csv`; where one has a crop (left, top, width, height), srlab uses that part of the picture
only, and cuts it out of a download.
"""

import csv
import hashlib
import logging
import os
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from PIL import Image

from srlab.extras import require
from srlab.files import picture_files, replace_file

HOST = "https://raw.githubusercontent.com"
SHORT = 8  # digits of a digest, where no more is public
RELEASES = "https://github.com/{}/releases/download"


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


@dataclass(frozen=True)
class WeightsFile:
    """One published file of weights: in a repository at one commit, beside a release, on a host."""

    file: str  # below $SRLAB_DATA/weights
    repository: str  # or the host, of a file that lies in none
    commit: str  # or the tag of the release; "" on a host
    path: str
    size: int  # bytes
    sha256: str  # or its first eight digits, where only those are public
    licence: str
    citation: str  # key in book/references.bib
    released: bool = False
    rounded: tuple[str, str] | None = None  # (file, sha256) in 16 bits, which do as well

    @property
    def address(self) -> str:
        """Where it is downloaded from."""
        if not self.commit:
            return f"https://{self.repository}/{quote(self.path)}"
        root = RELEASES.format(self.repository) if self.released else f"{HOST}/{self.repository}"
        return f"{root}/{self.commit}/{quote(self.path)}"


_ROWS = tomllib.loads((files("srlab.data") / "assets.toml").read_text("utf-8"))
IMAGE_SETS = {name: ImageSet(**row) for name, row in _ROWS["images"].items()}
EMBEDDED: dict[str, dict[str, str]] = _ROWS["embedded"]  # "package/file" by set and picture
# all of them, for what needs many contents
EMBEDDED["pictures"] = {stem: place for own in EMBEDDED.values() for stem, place in own.items()}
OFFICIAL_WEIGHTS = {name: WeightsFile(**row) for name, row in _ROWS["weights"].items()}


def weights_file(name: str) -> Path:
    """Local path of published weights, downloaded if need be; their digest is checked each time."""
    if name not in OFFICIAL_WEIGHTS:
        known = ", ".join(OFFICIAL_WEIGHTS)
        raise ValueError(f"unknown published weights {name!r}; srlab knows {known}")
    row = OFFICIAL_WEIGHTS[name]
    folder = own_folder("weights")
    for file, digest in filter(None, [(row.file, row.sha256), row.rounded]):
        if folder is not None and (own := folder / file).is_file():
            found = hashlib.sha256(own.read_bytes()).hexdigest()
            if not found.startswith(digest):
                raise OSError(
                    f"{own} is not the published file (SHA-256 {found[:12]}…, expected "
                    f"{digest[:12]}…): remove it, and srlab downloads the right one"
                )
            return own
    return retrieve(
        row.address,
        f"sha256:{row.sha256}",
        file=f"weights/{row.file}",
        instead=f"Put the file into $SRLAB_DATA/weights/{row.file}, or use a shipped checkpoint.",
    )


def image_set_files(name: str, *, limit: int | None = None) -> dict[str, Path]:
    """{picture name: local path} of a set (of its first `limit`), downloading what is missing."""
    if name not in IMAGE_SETS:
        raise ValueError(f"unknown image set {name!r}; the remote ones are {', '.join(IMAGE_SETS)}")
    rows = _table()[name][:limit]
    found = _own_copies(IMAGE_SETS[name])
    missing = [row for row in rows if row["name"] not in found]
    size = sum(int(row["bytes"]) for row in missing) / 1e6
    # Files that are in the cache already pass in an instant; only their digest is computed.
    bar = require("tqdm.auto", "data").tqdm
    for row in bar(missing, f"{name} ({size:.1f} MB)", unit="file", delay=1, leave=False):
        found[row["name"]] = _retrieve(IMAGE_SETS[name], row)
    return {row["name"]: found[row["name"]] for row in rows}


@cache
def _table() -> dict[str, list[dict[str, str]]]:
    table: dict[str, list[dict[str, str]]] = {name: [] for name in IMAGE_SETS}
    for row in csv.DictReader((files("srlab.data") / "assets.csv").read_text("utf-8").splitlines()):
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
    pictures = reversed(picture_files(folder, "**/*"))
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
        with replace_file(cut) as temporary:
            part.save(temporary)
    return cut


def retrieve(
    address: str,
    digest: str,
    *,
    file: str,
    progress: bool = False,
    instead: str = "Set SRLAB_DATA to a folder that holds the set, or use the embedded "
    "'photographs'.",
) -> Path:
    """The cached `file`, downloaded and checked ("sha256:…", "md5:…") if need be.

    Of a SHA-256 its first eight digits will do. `instead` is what an error advises.
    """
    pooch = require("pooch", "data")
    pooch.get_logger().setLevel(logging.WARNING)  # the bar says enough
    place = pooch.os_cache("srlab") / file
    known = None if len(digest) == len("sha256:") + SHORT else digest
    try:
        pooch.retrieve(
            address, known_hash=known, path=place.parent, fname=place.name, progressbar=progress
        )
        if not known and not f"sha256:{pooch.file_hash(place)}".startswith(digest):
            place.unlink()
            raise ValueError
    except (OSError, ValueError) as error:  # ValueError: the digest differs
        reason = "the file there is not the expected one" if type(error) is ValueError else error
        raise OSError(f"could not download {file} from {address}: {reason}. {instead}") from error
    return place
