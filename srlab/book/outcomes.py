"""Outcomes where readers look first: signs in lists of contents, the key figure below the title."""

from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from srlab.book.figures import figure_html, find_figure
from srlab.book.project import find_notebooks
from srlab.book.records import read_record
from srlab.studies.verdict import SYMBOLS, verdict_words

KEY_CELL = "hero"  # the name of the cell with the figure that shows the result at a glance
MOVED = "The figure stands at the top of the page."


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


def raise_key_figure(app: Sphinx, doctree: nodes.document) -> None:
    """Put the key figure below the title, so that a page opens with what it found.

    Before figures are numbered, so that they count from top to bottom. Its cell may be there, then
    the figure moves and a line says where to; or be removed from the page, then it is shown, above
    the `caption` in the cell's metadata.
    """
    source = Path(app.env.doc2path(app.env.docname))
    if not source.with_suffix(".json").is_file():
        return
    cells = (one for one in doctree.findall(nodes.container) if _name(one) == KEY_CELL)
    figure = next((found for cell in cells for found in cell.findall(nodes.figure)), None)
    if figure is not None:
        figure.parent.replace(figure, nodes.paragraph("", MOVED))
    elif found := find_figure(source, KEY_CELL):
        figure = nodes.raw(text=figure_html(*found), format="html")
    title = next(doctree.findall(nodes.title))
    if figure is not None:
        title.parent.insert(title.parent.index(title) + 1, figure)


def _name(cell: nodes.container) -> str:
    return cell.get("cell_metadata", {}).get("name", "")
