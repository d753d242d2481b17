"""What tests share: the real book, run on its quick parameters and compiled once; a browser."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, sync_playwright

WORKER = "PYTEST_XDIST_WORKER"
if WORKER in os.environ:  # together they use the machine's cores once
    os.environ.setdefault("OMP_NUM_THREADS", "1")

REPOSITORY = Path(__file__).parents[1]
REAL_DATA = REPOSITORY.parent / "shared" / "data"  # where developers keep the real image sets
if REAL_DATA.is_dir():
    os.environ.setdefault("SRLAB_DATA", str(REAL_DATA))

TESTS = REPOSITORY / "tests"
BEFORE = {  # what runs before its turn, or after
    TESTS / "browser" / "test_pages.py": TESTS / "a",
    TESTS / "browser" / "test_desk.py": TESTS / "figures",
    TESTS / "browser" / "test_phone.py": TESTS / "networks",
}
LARGER = re.compile(r"^.*: (official:.*|srresnet-.*)\n", re.MULTILINE)  # networks slow to export
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.hookimpl(optionalhook=True)  # `-p no:xdist` knows no such hook
def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as cores: a third of the suite waits for processes and pages."""
    return 3 * (os.cpu_count() or 1) // 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The book first, which takes one worker minutes; the walks over all its pages apart and later.

    A worker is given its next file while it is busy with a small one: the walks, one test each, are
    not neighbours, and come while enough is left for the others.
    """
    items.sort(key=lambda item: (BEFORE.get(item.path) or item.path).as_posix())


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def quick_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout's pages and notebooks in which `srlab book --quick` has run.

    It is run once: the first of the workers that asks for it runs it for all.
    """
    shared = tmp_path_factory.getbasetemp()
    if WORKER in os.environ:
        shared = shared.parent
    root = shared / "book"
    with FileLock(shared / "book.lock"):
        if not root.exists():
            run_quick_book(root)
    assert (root / "told.txt").is_file(), "the book was not run, as another test tells"
    return root


def run_quick_book(root: Path) -> None:
    root.mkdir()
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy2(REPOSITORY / name, root)
    skip = shutil.ignore_patterns("findings", ".ipynb_checkpoints")
    for name in ("book", "notebooks"):
        shutil.copytree(REPOSITORY / name, root / name, ignore=skip)
    for name in ("your_picture", "degrade_your_picture"):
        page = root / "book" / f"{name}.md"
        page.write_text(LARGER.sub("", page.read_text("utf-8")), "utf-8")
    command = [sys.executable, "-c", "from srlab.cli import main; main()", "book", "--quick"]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    (root / "told.txt").write_text(ran.stdout)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all pages: playwright runs once in a process."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield chromium
        chromium.close()
