"""Verdicts in the book: on each notebook's page, in the `{scoreboard}` and in `{results}`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.util.docutils import SphinxDirective, SphinxRole

from srlab.book.compute import compute_table
from srlab.book.project import Notebook
from srlab.book.recorded import read_recorded
from srlab.book.records import read_records, results_table, verdict_table, verdict_words
from srlab.studies.study import MIME


class RecordRenderer:
    """Tells myst-nb that a record is shown by its HTML (entry point `myst_nb.mime_renderers`)."""

    mime_priority_overrides: ClassVar = ()

    @staticmethod
    def handle_mime(_renderer: Any, data: Any, _inline: bool) -> list[nodes.Node] | None:
        """No nodes for the record's JSON, None for anything else."""
        return [] if data.mime_type == MIME else None


class Scoreboard(SphinxDirective):
    """The verdicts of all findings, or of one paper's (`{scoreboard} ddr`)."""

    optional_arguments = 1
    table: ClassVar[Callable[..., str]] = staticmethod(verdict_table)

    def run(self) -> list[nodes.Node]:
        """The table as nodes, its links resolved by Sphinx; read anew in each build."""
        self.env.note_reread()
        root = Path(self.env.srcdir)
        paper = f"{self.arguments[0]}/" if self.arguments else ""
        records = [one for one in read_records(root) if one["finding"].startswith(paper)]
        table = self.table(
            records, read_recorded(root), lambda name: f"/book/findings/{name}.ipynb"
        )
        wrapper = nodes.container(classes=["srlab-scoreboard"])
        wrapper += self.parse_text_to_nodes(table)
        return [wrapper]


class Results(Scoreboard):
    """The numbers that a paper reports beside those measured here (`{results} ddr`)."""

    table = staticmethod(results_table)


class Compute(Scoreboard):
    """What one paper's trainings and pages cost (`{compute} ddr`)."""

    table = staticmethod(lambda records, *_: compute_table(records))


class VerdictRole(SphinxRole):
    """How a finding came out, as a link to its page: {verdict}`ddr/global_residual`."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """One reference; the page is read anew in each build."""
        self.env.note_reread()
        words = verdict_words(Notebook(Path(self.env.srcdir), self.text))
        target = {"reftarget": f"/book/findings/{self.text}", "refdoc": self.env.docname}
        link = pending_xref(refdomain="std", reftype="doc", refexplicit=True, **target)
        link += nodes.inline("", words, classes=["srlab-verdict-word"])
        return [link], []
