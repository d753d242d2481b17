"""A file is the former one or the new one, whatever comes in between."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec
import pytest
import torch
from safetensors import SafetensorError

from srlab.book.twins import write_twins
from srlab.checkpoints.files import Provenance, save_checkpoint
from srlab.files import replace_at, replace_file, replace_text
from srlab.pages.sweep import write_results
from srlab.training.state import RunState

resource = pytest.importorskip("resource")  # not on Windows


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


@pytest.mark.parametrize("place", ["{tmp_path}/out/a.json", "memory://out/{tmp_path.name}/a.json"])
def test_an_address_is_written_to_like_a_path(place, tmp_path):
    address = place.format(tmp_path=tmp_path)
    for text in (b"former", b"new"):
        replace_at(address, text)
        system, path = fsspec.url_to_fs(address)
        assert system.cat_file(path) == text
    assert len(system.ls(path.rpartition("/")[0])) == 1


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow beyond some bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def save_state(path: Path) -> None:
    RunState(path.parent, {}).save([])


def save_weights(path: Path) -> None:
    made = Provenance("net", "srresnet", {})
    save_checkpoint(path, {"weight": torch.ones(99, 9)}, made)


def save_results(path: Path) -> None:
    write_results(str(path.parent), [])


def save_page(path: Path) -> None:
    replace_text(path, "a page" * 99)


def write_all_twins(path: Path) -> None:
    path.with_suffix(".py").write_text("# %%\n1 + 1\n")
    write_twins(path.parents[1])


WRITERS = {
    "state.pt": save_state,
    "net.safetensors": save_weights,
    "results.parquet": save_results,
    "page.html": save_page,
    "notebooks/one.ipynb": write_all_twins,
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_cuts_no_file(name, tmp_path):
    path = tmp_path / "deeper" / name
    replace_text(path, "former")
    with full_disk(), pytest.raises((OSError, RuntimeError, SafetensorError)):
        WRITERS[name](path)
    assert path.read_text() == "former"
    assert {file.name for file in path.parent.iterdir()} <= {path.name, "one.py"}
