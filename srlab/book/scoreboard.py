"""Findings told on other pages: `{scoreboard}`, `{papers}`, `{results}`, `{verdict}`, …."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.util.docutils import SphinxRole

from srlab.book.directives import TemplateDirective
from srlab.book.project import Notebook
from srlab.book.recorded import COLUMNS, Run, read_recorded
from srlab.book.records import PAPERS, WORDS, Record, markdown_table, read_record, read_records
from srlab.book.thumbnail import thumbnail
from srlab.studies.study import MIME
from srlab.studies.verdict import SYMBOLS, verdict_html, verdict_words


class RecordRenderer:
    """Shows a record as the verdict's box (entry point `myst_nb.mime_renderers`)."""

    mime_priority_overrides: ClassVar = [("*", MIME, 5)]

    @staticmethod
    def handle_mime(renderer: Any, data: Any, _inline: bool) -> list[nodes.Node] | None:
        """From the file beside the page, which keeps the order; None for anything else."""
        if data.mime_type != MIME:
            return None
        file, finding = Path(renderer.renderer.document["source"]), data.content["finding"]
        notebook = Notebook(file.parents[finding.count("/") + 2], finding)
        return [nodes.raw(text=verdict_html(read_record(notebook)), format="html")]


class FindingsDirective(TemplateDirective):
    """What is made of the records, all or one paper's (`ddr`)."""

    optional_arguments = 1

    def records(self) -> list[Record]:
        """The records asked for."""
        paper = f"{self.arguments[0]}/" if self.arguments else ""
        return [one for one in read_records(self.root) if one["finding"].startswith(paper)]

    def address(self, finding: str) -> str:
        """Of a finding's page, seen from this one."""
        return self.env.app.builder.get_relative_uri(self.env.docname, f"book/findings/{finding}")


class Scoreboard(FindingsDirective):
    """One line a finding, which opens: by paper, with totals; `{scoreboard} ddr` for one paper."""

    template = "scoreboard.html"

    def values(self) -> dict[str, Any]:
        """The findings by paper, and what each has come to in each column."""
        records, recorded = self.records(), read_recorded(self.root)
        papers: dict[str, list[Record]] = {}
        for record in records:
            papers.setdefault(PAPERS.get(_paper(record), "Findings"), []).append(record)
        runs = {one["finding"]: runs_by_column(one, recorded) for one in records}
        totals = {
            title: tally(own[title][0].record for own in runs.values() if own[title])
            for title in ("Photographs", *COLUMNS.values())
        }
        return WORDS | {
            "papers": papers,
            "runs": runs,
            "totals": {title: count for title, count in totals.items() if count},
            "whole": not self.arguments,
            "address": self.address,
            "notebook": lambda name: Notebook(self.root, name),
            "thumbnail": thumbnail,
        }


def _paper(record: Record) -> str:
    return record["finding"].split("/")[0]


def runs_by_column(record: Record, recorded: Iterable[Run]) -> dict[str, list[Run]]:
    """{title: runs of a finding}: the one that made this book, then those recorded."""
    name = record["finding"]
    here = Run(name, "", record["image_set"], record)
    own = [run for run in recorded if run.finding == name]
    return {"Photographs": [here]} | {
        title: [run for run in own if run.column == column] for column, title in COLUMNS.items()
    }


def tally(records: Iterable[Record]) -> dict[str, int]:
    """{verdict: how many findings}, in the order of the symbols."""
    count = Counter(record["verdict"] for record in records)
    return {verdict: count[verdict] for verdict in SYMBOLS if count[verdict]}


class Papers(FindingsDirective):
    """`{papers}`: what each paper said and what we found, from the finding named in a line.

    A line is `ddr/global_residual: What the paper is about. :: what the number counts`.
    """

    has_content = True
    template = "papers.html"

    def values(self) -> dict[str, Any]:
        """A card for each line, and what each paper's findings came to."""
        records = {one["finding"]: one for one in self.records()}
        cards = []
        for name, _, told in (line.partition(":") for line in self.content):
            if name in records:
                about, _, counted = (part.strip() for part in told.partition("::"))
                cards.append((records[name], _paper(records[name]), about, counted))
        totals = {
            paper: tally(one for one in records.values() if _paper(one) == paper)
            for paper in PAPERS
        }
        words = {"cards": cards, "papers": PAPERS, "totals": totals, "address": self.address}
        return WORDS | words


class MarkdownTable(FindingsDirective):
    """A table of the records, its links resolved by Sphinx."""

    def run(self) -> list[nodes.Node]:
        """The table as nodes."""
        self.env.note_reread()
        found = self.records(), read_recorded(self.root)
        table = markdown_table(self.template, self.root, *found, "/book/findings/{}.ipynb".format)
        wrapper = nodes.container(classes=["srlab-table"])
        wrapper += self.parse_text_to_nodes(table)
        return [wrapper]


class Results(MarkdownTable):
    """The numbers that a paper reports beside those measured here (`{results} ddr`)."""

    template = "results.md"


class Compute(MarkdownTable):
    """What one paper's trainings and pages cost (`{compute} ddr`)."""

    template = "compute.md"


class VerdictRole(SphinxRole):
    """How a finding came out, as a link to its page: {verdict}`ddr/global_residual`."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """One reference; the page is read anew in each build."""
        self.env.note_reread()
        words = verdict_words(read_record(Notebook(Path(self.env.srcdir), self.text)))
        target = {"reftarget": f"/book/findings/{self.text}", "refdoc": self.env.docname}
        link = pending_xref(refdomain="std", reftype="doc", refexplicit=True, **target)
        link += nodes.inline("", words.replace(" ", "\u00a0", 1), classes=["srlab-verdict-word"])
        return [link], []
