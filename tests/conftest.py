"""What tests share: the real book, run on its quick parameters and compiled once a session."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
REAL_DATA = REPOSITORY.parent / "shared" / "data"  # where developers keep the real image sets
if REAL_DATA.is_dir():
    os.environ.setdefault("SRLAB_DATA", str(REAL_DATA))


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def quick_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout's pages and notebooks in which `srlab book --quick` has run."""
    root = tmp_path_factory.mktemp("book")
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy2(REPOSITORY / name, root)
    skip = shutil.ignore_patterns("findings", ".ipynb_checkpoints")
    for name in ("book", "notebooks"):
        shutil.copytree(REPOSITORY / name, root / name, ignore=skip)
    command = [sys.executable, "-c", "from srlab.cli import main; main()", "book", "--quick"]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    (root / "told.txt").write_text(ran.stdout)
    return root
