"""Plotly figures in the book: the notebook's own JSON, drawn by the page once in view."""

import html
import json
import shutil
from pathlib import Path
from typing import Any, ClassVar

import nbformat
import plotly
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

from srlab.book.project import Notebook

MIME = "application/vnd.plotly.v1+json"
PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
SHOWN = ("data", "layout", "frames", "config")
HEIGHT = 450  # pixels, plotly's own default


def figure_html(figure: dict[str, Any]) -> str:
    """A box of the figure's height that holds its JSON; static/figures.js draws it."""
    figure = {key: figure[key] for key in SHOWN if key in figure}
    height = figure.get("layout", {}).get("height") or HEIGHT
    payload = json.dumps(figure, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<div class="srlab-figure" style="min-height:{height}px">'
        f'<script type="application/json">{payload}</script>'
        "<noscript>This figure needs JavaScript.</noscript></div>"
    )


def captioned_html(figure: dict[str, Any], words: str) -> str:
    """The same box above its caption; the box alone where there are no words."""
    if not words:
        return figure_html(figure)
    caption = (
        f'<figcaption><p><span class="caption-text">{html.escape(words)}</span></p></figcaption>'
    )
    return f'<figure class="align-default">{figure_html(figure)}{caption}</figure>'


class PlotlyRenderer:
    """What myst-nb asks for a plotly output (entry point `myst_nb.mime_renderers`)."""

    mime_priority_overrides: ClassVar = [
        (builder, MIME, 5) for builder in ("html", "dirhtml", "singlehtml")
    ]

    @staticmethod
    def handle_mime(_renderer: Any, data: Any, inline: bool) -> list[nodes.Node] | None:
        """The output's nodes, or None where it is no plotly figure."""
        if inline or data.mime_type != MIME:
            return None
        return [nodes.raw(text=figure_html(data.content), format="html")]


class FindingFigure(SphinxDirective):
    """Another page's figure, with a caption: `{finding-figure} ddr/global_residual hero`.

    The second argument is the `name` in the metadata of the notebook's cell: `# %% name="hero"`.
    """

    required_arguments = 2
    has_content = True
    option_spec: ClassVar = {"name": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """A figure that can be referred to by the option `name`."""
        notebook, cell = self.arguments
        page = Notebook(Path(self.env.srcdir), notebook).page
        self.env.note_dependency(str(page))
        figure = nodes.figure(
            "", nodes.raw(text=figure_html(named_figure(page, cell)), format="html")
        )
        caption = nodes.caption()
        caption += self.parse_text_to_nodes("\n".join(self.content))[0].children
        figure += caption
        self.set_source_info(figure)
        self.add_name(figure)
        return [figure]


def named_figure(page: Path, name: str) -> dict[str, Any]:
    """The figure that the executed notebook's cell of that name shows."""
    if figure := find_figure(page, name):
        return figure
    raise ValueError(f'{page.name} shows no figure in a cell with name="{name}"')


def find_figure(page: Path, name: str) -> dict[str, Any] | None:
    """The same, None where there is none."""
    cells = nbformat.read(page, as_version=4).cells
    for cell in cells:
        for output in cell.get("outputs", ()):
            if cell.metadata.get("name") == name and MIME in output.get("data", {}):
                return output.data[MIME]
    return None


def find_caption(page: Path, name: str) -> str:
    """What the metadata of the notebook's cell of that name has as `caption`, or nothing."""
    cells = nbformat.read(page, as_version=4).cells
    found = (
        cell.metadata.get("caption", "") for cell in cells if cell.metadata.get("name") == name
    )
    return next(found, "")


def copy_plotly(app: Any, exception: Exception | None) -> None:
    """One plotly.js for the whole book, that of the installed package."""
    if exception is None and app.builder.format == "html":
        shutil.copy2(PLOTLY_JS, Path(app.outdir) / "_static" / PLOTLY_JS.name)
