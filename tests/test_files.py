"""A file is the former one or the new one, whatever comes in between."""

import os
from pathlib import Path

import pytest

from srlab.files import replace_file, replace_text


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deeper" / "raw.npz"


def test_a_file_takes_its_place_when_it_is_whole(path):
    for text in ("former", "new"):
        with replace_file(path) as temporary:
            temporary.write_text(text)
            assert temporary.suffix == path.suffix
            assert not path.is_file() or path.read_text() == "former"
        assert path.read_text() == text
    assert [*path.parent.iterdir()] == [path]


@pytest.mark.parametrize("error", [OSError("No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("former", ["former", None])
def test_what_is_cut_short_leaves_the_former_file_alone(path, error, former):
    if former:
        replace_text(path, former)
    with pytest.raises(type(error)):
        _cut_short(path, error)
    assert [file.read_text() for file in path.parent.iterdir()] == ([former] if former else [])


def _cut_short(path: Path, error: BaseException) -> None:
    with replace_file(path) as temporary:
        temporary.write_text("ha")
        raise error


def test_who_may_read_it_is_left_to_the_system(path):
    replace_text(path, "é")
    plain = path.with_name("plain")
    plain.write_text("")
    assert path.stat().st_mode == plain.stat().st_mode
    assert path.read_bytes() == "é".encode()


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_stays_one(path, tmp_path):
    replace_text(path, "former")
    link = tmp_path / "link.npz"
    link.symlink_to(path)
    replace_text(link, "new")
    assert link.is_symlink()
    assert path.read_text() == "new"


@pytest.mark.skipif(os.name == "nt", reason="a pipe in the file system")
def test_what_is_no_file_is_written_to_and_stays(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    replace_text(pipe, "told")
    assert os.read(reading, 9) == b"told"
    os.close(reading)
    assert pipe.is_fifo()
    with pytest.raises(IsADirectoryError):
        replace_text(tmp_path, "no")
