"""The Sphinx side of the book: offline figures and widgets, verdicts, launch buttons, footers."""

import json
from pathlib import Path
from typing import Any

import plotly
from docutils import nodes
from myst_parser.sphinx_ext.mathjax import html_visit_displaymath
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.ext.mathjax import html_visit_math

from srlab.book.attribution_page import AttributionPage
from srlab.book.card import card_html
from srlab.book.clouds import Clouds, Diagram
from srlab.book.degradation_page import DegradationPage
from srlab.book.figures import FindingFigure
from srlab.book.footer import footer_html
from srlab.book.live_pages import copy_scripts
from srlab.book.measured import Bars, MeasuredRole, set_minus
from srlab.book.outcomes import raise_key_figure, sign_contents
from srlab.book.recorded import read_recorded
from srlab.book.remote import launch_options, repository, source_address
from srlab.book.restored import Restored
from srlab.book.scoreboard import Compute, Papers, Results, Scoreboard, VerdictRole
from srlab.book.search import FOLDED_HTML, Folded, LeaveOutFolded

STATIC = Path(__file__).parent / "static"
PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
KATEX = ("katex/katex.min.js", "maths.js")
SCRIPTS = {
    "srlab-figure": "figures.js",
    "srlab-filter": "filter.js",
    "vnd.jupyter.widget-view+json": "widgets.js",
}


def configure(app: Sphinx, config: Config) -> None:
    """Add the book's own scripts, plotly's and, where the checkout has a home, launch buttons."""
    config.html_static_path += [str(STATIC), str(PLOTLY_JS)]
    config.html_theme_options.update(launch_options(repository(Path(app.srcdir))))


def add_scripts(app: Sphinx, _page: str, _template: str, _context: dict, doctree: Any) -> None:
    """Load a script only on pages that hold something for it."""
    if doctree is None:
        return
    app.add_css_file("srlab.css")
    app.add_js_file("edges.js", loading_method="defer")
    raw = [node.astext() for node in doctree.findall(nodes.raw)]
    for mark, script in SCRIPTS.items():
        if any(mark in text for text in raw):
            app.add_js_file(script, loading_method="defer")
    if any(isinstance(node, nodes.math | nodes.math_block) for node in doctree.findall()):
        app.add_css_file("katex/katex.min.css")
        for script in KATEX:
            app.add_js_file(script, loading_method="defer")


def frame_finding(app: Sphinx, page: str, _template: str, context: dict, doctree: Any) -> None:
    """Open a finding's page with its verdict; end a notebook's with how to cite and repeat it."""
    source = Path(app.env.doc2path(page))
    if doctree is None or source.suffix != ".ipynb":
        return
    record, finding = source.with_suffix(".json"), ""
    if record.is_file():
        finding = page.removeprefix("book/findings/")
        card = card_html(json.loads(record.read_text("utf-8")), read_recorded(Path(app.srcdir)))
        context["body"] = context["body"].replace("</h1>", f"</h1>{card}", 1)
    if ran := json.loads(source.read_text("utf-8"))["metadata"].get("srlab"):
        context["body"] += footer_html(ran, finding, app.env.titles[page].astext())


def fix_buttons(_app: Sphinx, _page: str, _template: str, context: dict, _doctree: Any) -> None:
    """Point the launch buttons at the sources; drop thebe, which the theme adds unasked."""
    buttons = list(context.get("header_buttons", ()))
    while buttons:
        button = buttons.pop()
        buttons += button.get("buttons", ())
        if button.get("url"):
            button["url"] = source_address(button["url"])
    scripts = context.get("script_files", ())
    context["script_files"] = [
        one for one in scripts if "thebe" not in f"{one.filename} {one.attributes.get('body')}"
    ]


def setup(app: Sphinx) -> dict[str, bool]:
    """Entry point of the extension."""
    app.add_directive("scoreboard", Scoreboard)
    app.add_directive("papers", Papers)
    app.add_directive("bars", Bars)
    app.add_directive("clouds", Clouds)
    app.add_directive("diagram", Diagram)
    app.add_directive("restored", Restored)
    app.add_directive("results", Results)
    app.add_directive("compute", Compute)
    app.add_directive("finding-figure", FindingFigure)
    app.add_directive("attribution-page", AttributionPage)
    app.add_directive("degradation-page", DegradationPage)
    app.add_html_math_renderer("katex", (html_visit_math, None), (html_visit_displaymath, None))
    app.add_node(Folded, html=FOLDED_HTML)
    app.add_post_transform(LeaveOutFolded)
    app.add_role("verdict", VerdictRole())
    app.add_role("measured", MeasuredRole())
    app.add_role("value", MeasuredRole(spread=False))
    app.connect("config-inited", configure, priority=100)
    app.connect("env-check-consistency", sign_contents)
    app.connect("doctree-read", raise_key_figure)
    app.connect("doctree-resolved", set_minus)
    app.connect("html-page-context", add_scripts)
    app.connect("html-page-context", frame_finding)
    app.connect("html-page-context", fix_buttons, priority=900)  # after the theme has made them
    app.connect("build-finished", copy_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
