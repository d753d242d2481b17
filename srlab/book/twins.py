"""The notebooks' twins: output-free .ipynb files of the .py sources that install srlab if need be.

`python -m srlab.book.twins` rewrites those that are out of step.
"""

import hashlib
from collections import Counter
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from srlab.book.install import install_cell
from srlab.book.project import Notebook, find_notebooks, find_root
from srlab.files import replace_text

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def read_source(source: Path) -> NotebookNode:
    """A py:percent script as a notebook whose cell ids come from the cells' text.

    So a twin's diff shows the cells that changed and no other, and two runs give the same file.
    """
    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata = NotebookNode(kernelspec=NotebookNode(KERNEL))
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        digest = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
        cell["id"] = f"{digest}-{seen[digest]}" if seen[digest] else digest
        seen[digest] += 1
    return notebook


def twin_text(notebook: Notebook) -> str:
    """What the twin's file should hold: the source, and below its title what installs srlab."""
    twin = read_source(notebook.source)
    twin.cells.insert(1, install_cell())
    return nbformat.writes(twin) + "\n"


def stale_twins(root: Path) -> dict[Path, str]:
    """{twin: what it should hold} of those that are missing or out of step."""
    wanted = {notebook.twin: twin_text(notebook) for notebook in find_notebooks(root)}
    return {
        twin: text
        for twin, text in wanted.items()
        if not twin.is_file() or twin.read_text("utf-8") != text
    }


def write_twins(root: Path) -> list[Path]:
    """Bring every twin in step; returns the files that changed."""
    stale = stale_twins(root)
    for twin, text in stale.items():
        replace_text(twin, text)
    return [*stale]


if __name__ == "__main__":
    for path in write_twins(find_root()):
        print(path)
