"""Do two states of srlab find the same? `python -m bench same OLD NEW`.

OLD and NEW are commits, or folders of checkouts with what is not committed there. A copy of each
runs the notebooks with its own quick parameters and its own command, in this Python and with one
thread a notebook; then the executed pages are compared. A difference ends with exit code 1.
"""

import argparse
import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.pages import PARTS, differences, read_page


def same(arguments: Sequence[str]) -> int:
    """Run both and tell, notebook by notebook, what differs."""
    given = _parse(arguments)
    sources = (given.old, given.new)
    with TemporaryDirectory() as scratch:
        kept = Path("runs/same").resolve() if given.keep else Path(scratch, "old")
        trees = [copy_tree(given.old, kept), copy_tree(given.new, Path(scratch, "new"))]
        chosen = [notebooks(tree, given.only) for tree in trees]
        names = sorted({*chosen[0], *chosen[1]})
        if not names:
            raise SystemExit(f"neither OLD nor NEW has a notebook {', '.join(given.only)}")
        for source, tree, those in zip(sources, trees, chosen, strict=True):
            print(f"{source} (tree {tree.name[:9]})", flush=True)
            run_notebooks(tree, those, given.workers)
        found = {name: _compare(trees, name, given.skip) for name in names}
    for name, lines in found.items():
        print(*[f"{name}  {'differs' if lines else 'equal'}", *lines], sep="\n    ")
    unequal = sum(map(bool, found.values()))
    print(f"{len(names)} notebooks: {len(names) - unequal} equal, {unequal} differ")
    return 1 if unequal else 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench same", description=__doc__)
    several: dict[str, Any] = {"nargs": "+", "action": "extend", "default": []}
    parser.add_argument("old", metavar="OLD", help="a commit, or the folder of a checkout")
    parser.add_argument("new", metavar="NEW", help="likewise")
    parser.add_argument("--only", metavar="NAME", **several, help="ddr/explorer; ddr: all of ddr")
    parser.add_argument("--skip", choices=PARTS, **several, help="parts that are meant to differ")
    parser.add_argument("--keep", action="store_true", help="OLD's run, in runs/same, for later")
    parser.add_argument("--workers", type=int, default=2, help="notebooks at a time")
    return parser.parse_args(arguments)


def copy_tree(source: str, parent: Path) -> Path:
    """The files of a commit or a checkout, in `parent` under the id of their git tree."""
    checkout = Path(source, "_toc.yml").is_file()
    with TemporaryDirectory() as scratch:  # an index of its own: the checkout's stays as it is
        environment = os.environ | {"GIT_INDEX_FILE": f"{scratch}/index"}

        def git(*words: str) -> str:
            command = ["git", "-C", source if checkout else ".", *words]
            ran = subprocess.run(command, env=environment, capture_output=True, text=True)
            if ran.returncode:
                raise SystemExit(f"{source}: no commit or checkout to copy: {ran.stderr.strip()}")
            return ran.stdout.strip()

        git("read-tree", "HEAD" if checkout else source)
        if checkout:
            git("add", "--all", ":/")
        tree = parent / git("write-tree")
        git("checkout-index", "--all", "--force", f"--prefix={tree}/")
    return tree


def notebooks(tree: Path, only: Sequence[str]) -> list[str]:
    """Names of a tree's notebooks, or of the chosen ones that it has."""
    home = tree / "notebooks"
    names = sorted(path.relative_to(home).with_suffix("").as_posix() for path in home.rglob("*.py"))
    return [n for n in names if not only or any(f"{n}/".startswith(f"{o}/") for o in only)]


def run_notebooks(tree: Path, names: Sequence[str], workers: int) -> None:
    """Execute them by the tree's own command; where one ends the others, each by itself."""
    scripts = tomllib.loads((tree / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    module, function = scripts["srlab"].split(":")
    start = f"from {module} import {function}; {function}()"
    environment = os.environ | {"PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}

    def run(chosen: Sequence[str]) -> int:
        command = [sys.executable, "-c", start, "run", *chosen, "--quick", f"--workers={workers}"]
        return subprocess.run(command, cwd=tree, env=environment).returncode

    if names and run(names):
        for name in names:
            if not _page(tree, name).is_file():
                run([name])


def _compare(trees: Sequence[Path], name: str, skip: Sequence[str]) -> list[str]:
    """One line for each difference."""
    pages = [_page(tree, name) for tree in trees]
    there = [page.is_file() for page in pages]
    if not all(there):
        sides = zip(("OLD", "NEW"), there, strict=True)
        return [f"page: missing in {side}" for side, found in sides if not found]
    found = differences(*map(read_page, pages))
    return [f"{part}: {what}" for part, what in found if part not in skip]


def _page(tree: Path, name: str) -> Path:
    return tree / "book" / "findings" / f"{name}.ipynb"
