"""Which files of a folder are pictures."""

import numpy as np
import pytest
from PIL import Image

from srlab.data.assets import IMAGE_SETS, ImageSet, image_set_files
from srlab.pages.filter_analysis import pictures


@pytest.fixture
def folder(tmp_path):
    """Two pictures, and what macOS and others leave beside them."""
    for place in ("test/Toys/a.png", "test/Toys/b.TIF"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / place)
    for name in ("._a.png", ".DS_Store", ".hidden.png", "Thumbs.db", "notes.txt"):
        (tmp_path / "test/Toys" / name).write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X")
    return tmp_path


def test_hidden_files_do_not_stop_a_folder_of_pictures(folder):
    assert list(pictures(str(folder / "test/Toys"))) == ["a.png", "b.TIF"]


def test_hidden_files_are_no_copies_of_a_set(folder, monkeypatch):
    monkeypatch.setenv("SRLAB_DATA", str(folder))
    monkeypatch.setitem(IMAGE_SETS, "toys", ImageSet("test/Toys", "owner/toys", "abc", "", ""))
    rows = [{"name": name, "bytes": "9"} for name in ("a", "b")]
    monkeypatch.setattr("srlab.data.assets._table", lambda: {"toys": rows})
    found = image_set_files("toys")
    assert [path.name for path in found.values()] == ["a.png", "b.TIF"]
