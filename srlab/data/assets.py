"""Remote files: where image sets and published weights come from, and where they lie here.

A file is looked for in `$SRLAB_DATA`, then in the cache, then downloaded with a progress bar and
checked against its SHA-256. An interrupted or wrong download leaves nothing behind. The rows of
every picture are in `assets.csv` next to this module; where one has a crop (left, top, width,
height), srlab uses that part of the picture only, and cuts it out of a download.
"""

import csv
import hashlib
import logging
import os
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from PIL import Image

from srlab.extras import require
from srlab.files import picture_files

HOST = "https://raw.githubusercontent.com"
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


@dataclass(frozen=True)
class WeightsFile:
    """One published file of weights: in a public repository at one commit, or beside a release."""

    file: str  # below $SRLAB_DATA/weights
    repository: str
    commit: str  # or the tag of the release
    path: str
    size: int  # bytes
    sha256: str
    licence: str
    citation: str  # key in book/references.bib
    released: bool = False
    rounded: tuple[str, str] | None = None  # (file, sha256) in 16 bits, which do as well

    @property
    def address(self) -> str:
        """Where it is downloaded from."""
        root = RELEASES.format(self.repository) if self.released else f"{HOST}/{self.repository}"
        return f"{root}/{self.commit}/{quote(self.path)}"


OFFICIAL_WEIGHTS: dict[str, WeightsFile] = {
    "imdn": WeightsFile(
        "IMDN_x4.pth",
        "Zheng222/IMDN",
        "8f158e6a5ac9db6e5857d9159fd4a6c4214da574",
        "checkpoints/IMDN_x4.pth",
        2_879_112,
        "e660c38221147217a136debeb99eb304d62d9c0f73ac421ed66281b619719714",
        "none stated",
        "hui2019lightweight",
    ),
    "rfdn": WeightsFile(
        "RFDN_AIM_x4.pth",
        "njulj/RFDN",
        "7cf4e25b6633e81fd7e26891aeee2baca4f8f927",
        "trained_model/RFDN_AIM.pth",
        1_754_927,
        "11af8ec8ebd68689e90ef1e29044f9804c72d3bd9f7573820b7b26035782760c",
        "MIT",
        "liu2020residual",
    ),
    "pan": WeightsFile(
        "PAN_x4_DF2K.pth",
        "zhaohengyuan1/PAN",
        "4d045d18592c5771cd3990da88f292812774e538",
        "experiments/pretrained_models/PANx4_DF2K.pth",
        1_121_681,
        "739fab99ee7b7058dab4d1b84aa2869bb9fc3995a1c08789c20355bee943833c",
        "none stated",
        "zhao2020efficient",
    ),
    "carn-m": WeightsFile(
        "CARN_M.pth",
        "nmhkahn/CARN-pytorch",
        "40d3514f81cccd680d846cd5ab07af35f2c8e0e2",
        "checkpoint/carn_m.pth",
        1_670_695,
        "d48a759a84509351facb6b7c6d5bd6edec98b98519b8c464ee4ab44d2ba964ff",
        "MIT",
        "ahn2018fast",
    ),
    "fsrcnn-nhat": WeightsFile(
        "FSRCNN_x4_nhat.pt",
        "Nhat-Thanh/FSRCNN-Pytorch",
        "9d7e83739a5cfdea67da084091bc78c3bcbddce1",
        "checkpoint/x4/FSRCNN-x4.pt",
        104_233,
        "bb726e078c026bbfdadd173e6d1496c00b6d12cdb2b9b6cdc0b11ac853aa7af8",
        "MIT",
        "dong2016accelerating",
    ),
    "srgan-leftthomas": WeightsFile(
        "SRGAN_leftthomas_x4.pth",
        "leftthomas/SRGAN",
        "b0323c6ca4ca920f7daa41ba05f44bd220557cd9",
        "epochs/netG_epoch_4_100.pth",
        2_952_717,
        "f4c381640826a48d2440583e4920c6bb4041804f4e285c3c6d585f03961fe87c",
        "MIT",
        "ledig2017photo",
    ),
    "realesrgan-anime-6b": WeightsFile(
        "RealESRGAN_x4plus_anime_6B.pth",
        "xinntao/Real-ESRGAN",
        "v0.2.2.4",
        "RealESRGAN_x4plus_anime_6B.pth",
        17_938_799,
        "f872d837d3c90ed2e05227bed711af5671a6fd1c9f7d7e91c911a61f155e99da",
        "BSD-3-Clause",
        "wang2021real",
        released=True,
        rounded=(
            "RealESRGAN_x4plus_anime_6B_fp16.safetensors",
            "c0507d296c87c582195843637175093b82ee1944cd07ffd4b84333fac0622155",
        ),
    ),
    "realesrgan-x4plus": WeightsFile(
        "RealESRGAN_x4plus.pth",
        "xinntao/Real-ESRGAN",
        "v0.1.0",
        "RealESRGAN_x4plus.pth",
        67_040_989,
        "4fa0d38905f75ac06eb49a7951b426670021be3018265fd191d2125df9d682f1",
        "BSD-3-Clause",
        "wang2021real",
        released=True,
        rounded=(
            "RealESRGAN_x4plus_fp16.safetensors",
            "733e0dd47144a8fa932e660284f801f44f843b784e444b102c0db4d9c0983f76",
        ),
    ),
}


def weights_file(name: str) -> Path:
    """Local path of published weights, downloaded if need be; their digest is checked each time."""
    if name not in OFFICIAL_WEIGHTS:
        known = ", ".join(OFFICIAL_WEIGHTS)
        raise ValueError(f"unknown published weights {name!r}; srlab knows {known}")
    row = OFFICIAL_WEIGHTS[name]
    folder = own_folder("weights")
    for file, digest in [(row.file, row.sha256), *([row.rounded] if row.rounded else [])]:
        if folder is not None and (own := folder / file).is_file():
            found = hashlib.sha256(own.read_bytes()).hexdigest()
            if found != digest:
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
        part.save(temporary := cut.with_suffix(".tmp"), "PNG")
        temporary.replace(cut)
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

    `instead` is what an error advises.
    """
    pooch = require("pooch", "data")
    pooch.get_logger().setLevel(logging.WARNING)  # the bar says enough
    place = pooch.os_cache("srlab") / file
    try:
        pooch.retrieve(
            address, known_hash=digest, path=place.parent, fname=place.name, progressbar=progress
        )
    except (OSError, ValueError) as error:  # ValueError: the digest differs
        reason = "the file there is not the expected one" if type(error) is ValueError else error
        raise OSError(f"could not download {file} from {address}: {reason}. {instead}") from error
    return place
