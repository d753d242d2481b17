"""Plotly figures in the book: the notebook's own JSON, drawn by the page once in view."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import nbformat
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

from srlab.book.outputs import outputs
from srlab.book.project import Notebook
from srlab.pages.templates import markup, page

MIME = "application/vnd.plotly.v1+json"
SHOWN = ("data", "layout", "frames", "config")
HEIGHT = 450  # pixels, plotly's own default


def figure_html(figure: Mapping[str, Any], caption: str = "") -> str:
    """A box of the figure's height that holds its JSON; static/figures.js draws it."""
    shown = {key: figure[key] for key in SHOWN if key in figure}
    return page(
        "figure.html",
        height=figure.get("layout", {}).get("height") or HEIGHT,
        payload=markup(json.dumps(shown, separators=(",", ":")).replace("<", "\\u003c")),
        caption=caption,
    )


class PlotlyRenderer:
    """What myst-nb asks for a plotly output (entry point `myst_nb.mime_renderers`)."""

    mime_priority_overrides: ClassVar = [("*", MIME, 5)]

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
        self.env.note_reread()
        notebook, cell = self.arguments
        shown = named_figure(Notebook(Path(self.env.srcdir), notebook).page, cell)
        caption = nodes.caption()
        caption += self.parse_text_to_nodes("\n".join(self.content))[0].children
        figure = nodes.figure("", nodes.raw(text=figure_html(shown), format="html"), caption)
        self.set_source_info(figure)
        self.add_name(figure)
        return [figure]


def named_figure(file: Path, name: str) -> dict[str, Any]:
    """The figure that the executed notebook's cell of that name shows."""
    if found := find_figure(file, name):
        return found[0]
    raise ValueError(f'{file.name} shows no figure in a cell with name="{name}"')


def find_figure(file: Path, name: str) -> tuple[dict[str, Any], str] | None:
    """The same, with the `caption` in its cell's metadata; None where there is none."""
    for cell, figure in outputs(nbformat.read(file, as_version=4), MIME):
        if cell.metadata.get("name") == name:
            return figure, cell.metadata.get("caption", "")
    return None
