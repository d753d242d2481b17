"""Files: written beside their place and moved there whole; and what those are that others wrote."""

import base64
import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from srlab.extras import require

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}
STARTS = {  # what a file is instead, and how to get the right one: its first bytes, small letters
    "a pointer of git LFS; `git lfs pull` brings the file itself": (b"version https://git-lfs",),
    "a web page; take the link that downloads the file itself": (b"<!doctype html", b"<html"),
    "a note that macOS keeps beside another file": (b"\x00\x05\x16\x07",),
    "a packed archive; unpack it first": (b"\x1f\x8b", b"7z\xbc\xaf", b"rar!"),
    "an HDF5 file": (b"\x89hdf",),
    "a NumPy array": (b"\x93numpy",),
    "a PNG picture": (b"\x89png",),
    "a JPEG picture": (b"\xff\xd8\xff",),
    "a TIFF of a sort that Pillow does not read; save it as PNG": (b"ii*\0", b"mm\0*"),
    "a Parquet table": (b"par1",),
}
HEAD = 512  # bytes that decide


@contextmanager
def replace_file(path: str | Path) -> Iterator[Path]:
    """A path of the same ending to write to; afterwards, it takes the place of `path`.

    An error on the way, a full disk for one, leaves the former file and nothing else. Folders
    that are missing are made; what is no file, such as /dev/stdout, is written to as it is.

    >>> with replace_file("raw.npz") as path: numpy.savez(path, map=map)
    """
    path = Path(path).resolve()  # the file itself where `path` is a link to it
    if path.exists() and not path.is_file():
        yield path
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def replace_text(path: str | Path, text: str) -> None:
    """The same for a whole text, in UTF-8."""
    with replace_file(path) as temporary:
        temporary.write_text(text, "utf-8")


def replace_at(address: str, content: bytes) -> None:
    """The same at a path or any address that fsspec opens ("s3://…": there, files appear whole)."""
    system, path = require("fsspec", "data").url_to_fs(address)
    if "file" in system.protocol:
        with replace_file(path) as temporary:
            temporary.write_bytes(content)
    else:
        system.makedirs(path.rpartition("/")[0], exist_ok=True)
        system.pipe_file(path, content)


def picture_files(folder: Path, pattern: str = "*") -> list[Path]:
    """The pictures of a folder by name, without hidden ones (macOS keeps ._a.png beside a.png)."""
    return sorted(
        path
        for path in folder.glob(pattern)
        if path.suffix.lower() in PICTURES and not path.name.startswith(".")
    )


def kind_of_file(path: str | Path) -> str | None:
    """What a file is that could not be read as what it was taken for; None where that is unknown.

    >>> kind_of_file("net.pth")
    'a web page; take the link that downloads the file itself'
    """
    with open(path, "rb") as file:
        head = file.read(HEAD)
    if not head:
        return "empty; its download or copy broke off"
    plain = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for kind, starts in STARTS.items():
        if plain.startswith(starts):
            return kind
    if head[4:8] == b"ftyp" and head[8:11] in (b"hei", b"hev", b"mif"):
        return "a HEIC picture; save it as PNG"
    if zipfile.is_zipfile(path):
        return _zipped(path)
    text = head.decode("utf-8", "ignore")
    if text.isascii() and all(sign.isprintable() or sign.isspace() for sign in text):
        return f"a text that begins {text.strip().splitlines()[0][:60]!r}" if text.strip() else None
    return None


def _zipped(path: str | Path) -> str | None:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if any(name.endswith("/constants.pkl") for name in names):
        return "a TorchScript program; save the state_dict() of torch.jit.load(file)"
    if any(name.endswith("/data.pkl") for name in names):  # torch.save's
        return None
    return f"a packed archive of {len(names)} files, first {names[0]}; unpack it first"


def picture_url(picture: np.ndarray, *, lossless: bool = True) -> str:
    """A uint8 picture (H, W, 3) as a data URL: PNG, or WebP of good quality."""
    kind, options = ("png", {"optimize": True}) if lossless else ("webp", {"quality": 80})
    memory = io.BytesIO()
    Image.fromarray(picture).save(memory, kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(memory.getvalue()).decode()}"
