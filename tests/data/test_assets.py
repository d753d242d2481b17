import gc
import hashlib
import http.server
import os
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srlab.data import assets
from srlab.data.assets import (
    IMAGE_SETS,
    OFFICIAL_WEIGHTS,
    ImageSet,
    WeightsFile,
    image_set_files,
    weights_file,
)
from srlab.files import PICTURES

REAL = pytest.mark.skipif("SRLAB_DATA" not in os.environ, reason="SRLAB_DATA is not set")
# pooch leaves the connection of a refused download to the garbage collector (see `remote`).
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
DATA = Path(os.environ.get("SRLAB_DATA", "."))


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; promises more than it sends for names that begin with "cut"."""

    def do_GET(self):
        if Path(self.path).name.startswith("cut"):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"half")
        else:
            super().do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def remote(tmp_path, monkeypatch):
    """A local "internet" with the set `toys`: one good, one forged, one cut, one absent file."""
    folder = tmp_path / "remote/owner/toys/abc/pictures of toys"
    folder.mkdir(parents=True)
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(folder / "good.png")
    good = (folder / "good.png").read_bytes()
    (folder / "forged.png").write_bytes(good + b"!")
    digest = hashlib.sha256(good).hexdigest()
    rows = [
        {"name": name, "path": f"pictures of toys/{name}.png", "bytes": "9", "sha256": digest}
        for name in ("good", "forged", "cut", "absent")
    ]
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Handler, directory=str(tmp_path / "remote"))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    cache = tmp_path / "cache"
    monkeypatch.delenv("SRLAB_DATA", raising=False)
    monkeypatch.setattr(assets, "HOST", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr("pooch.os_cache", lambda _: cache)
    monkeypatch.setitem(IMAGE_SETS, "toys", ImageSet("test/Toys", "owner/toys", "abc", "", ""))

    def serve(*names):
        table = {"toys": [row for row in rows if row["name"] in names]}
        monkeypatch.setattr(assets, "_table", lambda: table)
        return cache

    yield serve
    server.shutdown()
    server.server_close()
    gc.collect()


def contents(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_is_downloaded_once_and_verified(remote, monkeypatch):
    cache = remote("good")
    paths = image_set_files("toys")
    assert paths == {"good": cache / "test/Toys/good.png"}
    monkeypatch.setattr(assets, "HOST", "http://127.0.0.1:9")  # nobody is there
    assert image_set_files("toys") == paths


def test_a_damaged_cache_is_downloaded_again(remote):
    remote("good")
    path = image_set_files("toys")["good"]
    whole = path.read_bytes()
    path.write_bytes(whole[:9])
    assert image_set_files("toys")["good"].read_bytes() == whole


@pytest.mark.parametrize(
    ("name", "reason"),
    [("forged", "not the expected one"), ("cut", "1000|IncompleteRead"), ("absent", "404")],
)
def test_a_bad_download_is_refused_and_leaves_nothing(remote, name, reason):
    cache = remote(name)
    with pytest.raises(OSError, match=reason) as error:
        image_set_files("toys")
    assert contents(cache) == []
    assert f"could not download test/Toys/{name}.png" in str(error.value)
    assert "SRLAB_DATA" in str(error.value)
    assert len(str(error.value)) < 600


def test_an_interrupted_download_leaves_nothing(remote, monkeypatch):
    cache = remote("good")

    def interrupt(response, *_, **__):
        response.close()
        raise KeyboardInterrupt

    monkeypatch.setattr("requests.models.Response.iter_content", interrupt)
    with pytest.raises(KeyboardInterrupt):
        image_set_files("toys")
    assert contents(cache) == []


def test_a_limit_downloads_no_more(remote):
    remote("good", "absent")
    assert list(image_set_files("toys", limit=1)) == ["good"]


def test_own_copies_come_first_in_any_format(remote, tmp_path, monkeypatch):
    remote("good", "absent")
    own = tmp_path / "data/test/Toys"
    own.mkdir(parents=True)
    for name in ("absent.webp", "absent.txt", "good.csv"):
        (own / name).touch()
    monkeypatch.setenv("SRLAB_DATA", str(tmp_path / "data"))
    paths = image_set_files("toys")
    assert paths["absent"] == own / "absent.webp"
    assert paths["good"].name == "good.png"  # downloaded


def test_a_download_is_cut_as_its_row_says(remote, tmp_path, monkeypatch):
    picture = np.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    path = tmp_path / "remote/owner/toys/abc/whole.bmp"
    Image.fromarray(picture).save(path)
    cache = remote()
    row = {"name": "kind/part", "path": "whole.bmp", "bytes": "9", "crop": "3 2 5 4"}
    row["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(assets, "_table", lambda: {"toys": [row]})
    found = image_set_files("toys")
    assert found == {"kind/part": cache / "test/Toys/kind/part.crop.png"}
    assert np.array_equal(Image.open(found["kind/part"]), picture[2:6, 3:8])
    assert image_set_files("toys") == found
    own = tmp_path / "data/test/Toys/kind"
    own.mkdir(parents=True)
    (own / "part.webp").touch()
    monkeypatch.setenv("SRLAB_DATA", str(tmp_path / "data"))
    assert image_set_files("toys") == {"kind/part": own / "part.webp"}  # own copies are cut already


def test_a_misspelt_data_folder_is_no_reason_to_download(monkeypatch):
    monkeypatch.setenv("SRLAB_DATA", "/no/such/folder")
    with pytest.raises(FileNotFoundError, match="SRLAB_DATA is set to /no/such/folder"):
        image_set_files("set5")


def test_unknown_sets_are_answered_with_the_known():
    with pytest.raises(ValueError, match="'set6'; the remote ones are set5, set14"):
        image_set_files("set6")


def test_the_table_is_complete():
    sizes = {name: len(rows) for name, rows in assets._table().items()}
    assert sizes["set5"] == 5
    assert sizes["set14"] == 14
    assert sizes["b100"] == 100
    assert all(sizes.values())
    for rows in assets._table().values():
        assert len({row["name"] for row in rows}) == len(rows)
        assert all(len(bytes.fromhex(row["sha256"])) == 32 for row in rows)
        assert all(int(row["bytes"]) > 0 for row in rows)
        assert all(Path(row["path"]).suffix.lower() in PICTURES for row in rows)
        assert {len(row["crop"].split()) for row in rows} <= {0, 4}


def test_no_file_is_in_a_training_and_in_a_test_set():
    digests = {True: set(), False: set()}
    for name, rows in assets._table().items():
        digests[IMAGE_SETS[name].trainable] |= {row["sha256"] for row in rows}
    assert all(digests.values())
    assert not digests[True] & digests[False]


@REAL
@pytest.mark.parametrize("name", list(IMAGE_SETS))
def test_real_sets_are_found_and_have_the_digests_of_the_table(name):
    paths, rows = image_set_files(name), assets._table()[name]
    assert all(path.is_relative_to(DATA) for path in paths.values())
    original = [row for row in rows if paths[row["name"]].suffix == Path(row["path"]).suffix]
    for row in original:
        assert hashlib.sha256(paths[row["name"]].read_bytes()).hexdigest() == row["sha256"]
    for row in rows:
        if row["crop"]:
            size = tuple(map(int, row["crop"].split()[2:]))
            assert Image.open(paths[row["name"]]).size == size
    if name in ("b100", "bsd397"):  # the others may be stored in another lossless format
        assert original == rows


@pytest.fixture
def published(remote, tmp_path, monkeypatch):
    """The "internet" with one file of published weights."""
    cache = remote()
    path = tmp_path / "remote/owner/nets/def/some weights.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    row = WeightsFile("n.pth", "owner/nets", "def", "some weights.pth", 7, digest, "MIT", "")
    monkeypatch.setitem(OFFICIAL_WEIGHTS, "toy", row)
    return cache, path


def test_published_weights_are_downloaded_once_and_verified(published, monkeypatch):
    cache, _ = published
    assert weights_file("toy") == cache / "weights/n.pth"
    monkeypatch.setattr(assets, "HOST", "http://127.0.0.1:9")
    assert weights_file("toy").read_bytes() == b"weights"


def test_forged_published_weights_are_refused(published):
    cache, path = published
    path.write_bytes(b"forged!")
    with pytest.raises(OSError, match=r"could not download weights/n.pth .*SRLAB_DATA/weights"):
        weights_file("toy")
    assert contents(cache) == []


@pytest.mark.usefixtures("published")
def test_own_weights_come_first_but_must_be_the_published_ones(tmp_path, monkeypatch):
    own = tmp_path / "data/weights/n.pth"
    own.parent.mkdir(parents=True)
    monkeypatch.setenv("SRLAB_DATA", str(tmp_path / "data"))
    own.write_bytes(b"weights")
    assert weights_file("toy") == own
    own.write_bytes(b"half")
    with pytest.raises(OSError, match=r"is not the published file .*remove it"):
        weights_file("toy")


def test_a_release_has_its_own_address():
    row = WeightsFile("n.pth", "owner/nets", "v1", "n.pth", 7, "", "MIT", "", released=True)
    assert row.address == "https://github.com/owner/nets/releases/download/v1/n.pth"


def test_a_file_in_no_repository_has_its_hosts_address():
    row = WeightsFile("n.pt", "host.org", "", "nets/n.pt", 7, "", "MIT", "")
    assert row.address == "https://host.org/nets/n.pt"


def test_of_a_digest_the_beginning_is_checked_where_no_more_is_public(published, monkeypatch):
    cache, path = published
    row = OFFICIAL_WEIGHTS["toy"]
    monkeypatch.setitem(OFFICIAL_WEIGHTS, "toy", replace(row, sha256=row.sha256[:8]))
    path.write_bytes(b"forged!")
    with pytest.raises(OSError, match=r"could not download .*not the expected one"):
        weights_file("toy")
    assert contents(cache) == []
    path.write_bytes(b"weights")
    assert weights_file("toy") == cache / "weights/n.pth"
    own = cache.parent / "data/weights/n.pth"
    own.parent.mkdir(parents=True)
    monkeypatch.setenv("SRLAB_DATA", str(cache.parent / "data"))
    own.write_bytes(b"weights")
    assert weights_file("toy") == own
    own.write_bytes(b"forged!")
    with pytest.raises(OSError, match="is not the published file"):
        weights_file("toy")


@pytest.mark.usefixtures("published")
def test_own_weights_in_16_bits_do_as_well(tmp_path, monkeypatch):
    own = tmp_path / "data/weights/n16.pth"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"half")
    monkeypatch.setenv("SRLAB_DATA", str(tmp_path / "data"))
    row = OFFICIAL_WEIGHTS["toy"]
    half = ("n16.pth", hashlib.sha256(b"half").hexdigest())
    monkeypatch.setitem(OFFICIAL_WEIGHTS, "toy", replace(row, rounded=half))
    assert weights_file("toy") == own
    own.write_bytes(b"else")
    with pytest.raises(OSError, match=r"n16\.pth is not the published file"):
        weights_file("toy")


def test_unknown_weights_are_answered_with_the_known():
    with pytest.raises(ValueError, match="'edsr'; srlab knows imdn, rfdn, pan, carn-m"):
        weights_file("edsr")


@REAL
def test_the_table_of_published_weights_is_that_of_the_files():
    """Those that are here; a file that tells its digest has it in its name."""
    here = {path.name for path in (DATA / "weights").iterdir()}
    for name, row in OFFICIAL_WEIGHTS.items():
        assert row.address.startswith("https://")
        assert len(row.commit) == 40 or row.released or not row.commit
        assert len(row.sha256) == 64 or f"-{row.sha256}." in row.file
        if {row.file, (row.rounded or ("",))[0]} & here:
            path = weights_file(name)  # the digest is checked
            assert path.is_relative_to(DATA)
            assert path.stat().st_size == row.size or row.rounded
