"""Compile the book: Jupyter Book with every warning an error, its exit code not trusted."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from srlab.book.cache import PACKAGE, digest, files_below
from srlab.book.project import find_notebooks, find_root
from srlab.book.remote import repository
from srlab.book.runner import ANSI, run_notebooks
from srlab.book.twins import write_twins
from srlab.files import replace_text

PACKAGES = ("jupyter-book", "sphinx", "myst-nb", "sphinx-book-theme", "plotly")
JUPYTER_BOOK = """
from srlab.lifetime import end_with_parent
end_with_parent()
from jupyter_book.cli.main import main
main()
"""
PROBLEM = re.compile(r"(WARNING|ERROR|CRITICAL|SEVERE):|Execution Failed|Traceback \(most recent")


class BuildError(RuntimeError):
    """The book could not be compiled without a warning."""


def build_book(
    *,
    root: Path | None = None,
    quick: bool = False,
    force: bool = False,
    workers: int = 2,
    report: Callable[[str], None] = print,
) -> Path:
    """Run the notebooks that changed, compile what changed, and return the page to open.

    Arguments as for `run_notebooks`. Raises `NotebookError` or `BuildError`; the pages that were
    there before stay in both cases.
    """
    root = root or find_root()
    for twin in write_twins(root):
        report(f"{twin.relative_to(root)} brought in step")
    run_notebooks(root=root, quick=quick, force=force, workers=workers, report=report)
    page = compile_book(root, force=force, report=report)
    report(f"\nThe book is ready, open {page}")
    return page


def compile_book(root: Path, *, force: bool = False, report: Callable[[str], None] = print) -> Path:
    """Turn pages and executed notebooks into HTML below `_build/html`, unless nothing changed."""
    html = root / "_build" / "html"
    page, stamp = html / "index.html", root / "_build" / "html.sha256"
    key = _inputs_key(root)
    if not force and page.is_file() and stamp.is_file() and stamp.read_text() == key:
        report("pages: nothing changed")
        return page
    start = time.perf_counter()
    fresh = _compile(root)
    stamp.unlink(missing_ok=True)
    shutil.rmtree(html, ignore_errors=True)
    fresh.rename(html)
    shutil.rmtree(root / "_build" / "next")
    replace_text(stamp, key)
    report(f"pages: compiled in {time.perf_counter() - start:.1f} s")
    return page


def _inputs_key(root: Path) -> str:
    """Everything the pages are made from."""
    inputs = [root / "_config.yml", root / "_toc.yml", *files_below(root / "book")]
    rooms = ("book", "explorers", "checkpoints")  # the last two make the page that computes
    machinery = [path for room in rooms for path in files_below(PACKAGE / room)]
    own = digest(machinery, PACKAGE, {name: version(name) for name in PACKAGES})
    return digest(inputs, root, own, repository(root))


def _compile(root: Path) -> Path:
    """A whole new build in its own folder: no page of an older one can hide a warning."""
    missing = [n.name for n in find_notebooks(root) if not n.page.is_file()]
    if missing:
        raise BuildError(f"not run yet: {', '.join(missing)}")
    work = root / "_build" / "next"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    command = [sys.executable, "-c", JUPYTER_BOOK, "build", str(root), "-W", "--keep-going"]
    ran = subprocess.run(
        [*command, "--path-output", str(work)],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines = ANSI.sub("", ran.stdout).splitlines()
    log = root / "_build" / "book.log"
    replace_text(log, "\n".join(lines))
    problems = [line for line in lines if PROBLEM.search(line)]
    page = work / "_build" / "html" / "index.html"
    if ran.returncode or problems or not page.is_file():
        told = "\n".join(problems or lines[-10:])
        raise BuildError(f"the book does not compile:\n{told}\nThe whole log: {log}")
    return page.parent
