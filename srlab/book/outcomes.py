"""Outcomes where readers look first: signs in lists of contents, the key figure below the title."""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from srlab.book.project import find_notebooks
from srlab.book.records import read_record
from srlab.studies.verdict import SYMBOLS, verdict_words

KEY_CELL = "hero"  # the name of the cell with the figure that shows the result at a glance


def sign_contents(_app: Sphinx, env: BuildEnvironment) -> None:
    """Put ✔ ◐ ✘ ⇄ ? before each finding in the sidebar and in lists of contents."""
    for notebook in find_notebooks(Path(env.srcdir)):
        contents = env.tocs.get(f"book/findings/{notebook.name}")
        if contents is None or not notebook.record.is_file():
            continue
        record = read_record(notebook)
        sign = nodes.inline("", SYMBOLS[record["verdict"]], classes=["srlab-sign"])
        spoken = nodes.inline("", f" {verdict_words(record)[2:]}: ", classes=["srlab-spoken"])
        next(contents.findall(nodes.reference)).insert(0, [sign, spoken])


def raise_key_figure(_app: Sphinx, doctree: nodes.document, _page: str) -> None:
    """Move the key figure below the title, so that a page opens with what it found."""
    for cell in doctree.findall(nodes.container):
        if cell.get("cell_metadata", {}).get("name") == KEY_CELL:
            figure = next(cell.findall(_is_figure), None)
            title = next(doctree.findall(nodes.title))
            if figure is not None:
                figure.parent.remove(figure)
                title.parent.insert(title.parent.index(title) + 1, figure)
            return


def _is_figure(node: Any) -> bool:
    return isinstance(node, nodes.figure) or (
        isinstance(node, nodes.raw) and "srlab-figure" in node.astext()
    )
