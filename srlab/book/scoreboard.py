"""Findings told on other pages: `{scoreboard}`, `{results}`, `{verdict}`, `{measured}`, …."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.util.docutils import SphinxDirective, SphinxRole

from srlab.book.compute import compute_table
from srlab.book.project import Notebook
from srlab.book.recorded import COLUMNS, Run, read_recorded
from srlab.book.records import (
    PAPERS,
    Record,
    key_number,
    read_record,
    read_records,
    results_table,
)
from srlab.book.thumbnail import thumbnail
from srlab.pages.templates import page
from srlab.studies.study import MIME
from srlab.studies.verdict import SYMBOLS, measured_words, number, verdict_html, verdict_words


class RecordRenderer:
    """Shows a record as the verdict's box (entry point `myst_nb.mime_renderers`)."""

    mime_priority_overrides: ClassVar = [
        (builder, MIME, 5) for builder in ("html", "dirhtml", "singlehtml")
    ]

    @staticmethod
    def handle_mime(renderer: Any, data: Any, _inline: bool) -> list[nodes.Node] | None:
        """From the file beside the page, which keeps the order; None for anything else."""
        if data.mime_type != MIME:
            return None
        file = Path(renderer.renderer.document["source"])
        notebook = Notebook(_root(file, data.content["finding"]), data.content["finding"])
        return [nodes.raw(text=verdict_html(read_record(notebook)), format="html")]


def _root(page_file: Path, finding: str) -> Path:
    return page_file.parents[finding.count("/") + 2]


class FindingsDirective(SphinxDirective):
    """What is made of the records, all or one paper's (`ddr`); read anew in each build."""

    optional_arguments = 1

    def records(self) -> list[Record]:
        """The records asked for."""
        self.env.note_reread()
        paper = f"{self.arguments[0]}/" if self.arguments else ""
        found = read_records(Path(self.env.srcdir))
        return [one for one in found if one["finding"].startswith(paper)]

    def address(self, finding: str) -> str:
        """Of a finding's page, seen from this one."""
        return self.env.app.builder.get_relative_uri(self.env.docname, f"book/findings/{finding}")

    def html(self, template: str, **values: Any) -> list[nodes.Node]:
        """The template as one node."""
        return [nodes.raw(text=page(template, **values), format="html")]


class Scoreboard(FindingsDirective):
    """One line a finding, which opens: by paper, with totals; `{scoreboard} ddr` for one paper."""

    def run(self) -> list[nodes.Node]:
        """The list as HTML."""
        root = Path(self.env.srcdir)
        recorded = read_recorded(root)
        lines = [
            _line(root, one, [run for run in recorded if run.finding == one["finding"]])
            | {"address": self.address(one["finding"])}
            for one in self.records()
        ]
        papers = {
            title: [line for line in lines if line["paper"] == paper]
            for paper, title in {**PAPERS, "": "Findings"}.items()
        }
        return self.html(
            "scoreboard.html",
            papers={title: lines for title, lines in papers.items() if lines},
            totals=totals([line["verdicts"] for line in lines]),
            symbols=SYMBOLS,
            whole=not self.arguments,
        )


def _line(root: Path, record: Record, runs: Sequence[Run]) -> dict[str, Any]:
    """What the scoreboard shows of a finding."""
    notebook, name = Notebook(root, record["finding"]), key_number(record)
    paper, _, _ = record["finding"].rpartition("/")
    here = {"on": record["image_set"], "made": "the run that made this page", "record": record}
    columns: dict[str, list[dict[str, Any]]] = {"Photographs": [here]}
    for column, title in COLUMNS.items():
        columns[title] = [
            {"on": run.image_set, "made": f"{run.date}, commit {run.commit}", "record": run.record}
            for run in runs
            if run.column == column
        ]
    for made in (made for column in columns.values() for made in column):
        made["words"] = verdict_words(made["record"])
        made["verdict"] = made["record"]["verdict"]
    return {
        "paper": paper if paper in PAPERS else "",
        "title": notebook.title,
        "record": record,
        "columns": columns,
        "verdicts": {title: made[0]["verdict"] for title, made in columns.items() if made},
        "number": number(record["measured"][name]),
        "measure": name,
        "said": record["paper"].get(name, ""),
        "thumbnail": thumbnail(notebook.page),
    }


def totals(verdicts: Sequence[Mapping[str, str]]) -> dict[str, dict[str, int]]:
    """{column: {verdict: how many findings}}, in the order of the symbols."""
    counted = {
        title: Counter(one[title] for one in verdicts if title in one)
        for title in ("Photographs", *COLUMNS.values())
    }
    return {
        title: {verdict: count[verdict] for verdict in SYMBOLS if count[verdict]}
        for title, count in counted.items()
        if count
    }


class Papers(FindingsDirective):
    """`{papers}`: what each paper said and what we found, from the finding named in a line.

    A line is `ddr/global_residual: What the paper is about. :: what the number counts`.
    """

    has_content = True

    def run(self) -> list[nodes.Node]:
        """A card for each line."""
        records = {one["finding"]: one for one in self.records()}
        cards = [
            _card(records[name], told, [*records.values()])
            | {"address": self.address(name), "chapter": f"{name.split('/')[0]}.html"}
            for name, _, told in (line.partition(":") for line in self.content if line.strip())
            if name in records
        ]
        return self.html("papers.html", cards=cards, symbols=SYMBOLS)


def _card(record: Record, told: str, records: Sequence[Record]) -> dict[str, Any]:
    paper, name = record["finding"].split("/")[0], key_number(record)
    about, _, counted = (part.strip() for part in told.partition("::"))
    own = [{"Photographs": one["verdict"]} for one in records if one["finding"].startswith(paper)]
    headline = next(iter(record["checks"]))
    return {
        "title": PAPERS[paper],
        "about": about,
        "said": record["says"].get(headline, record["claim"]),
        "verdict": record["verdict"],
        "words": verdict_words(record),
        "measure": counted or name,
        "number": measured_words(record, name),
        "reported": record["paper"].get(name, ""),
        "totals": totals(own)["Photographs"],
    }


class MarkdownTable(FindingsDirective):
    """A table of the records, its links resolved by Sphinx."""

    table: ClassVar[Callable[..., str]]

    def run(self) -> list[nodes.Node]:
        """The table as nodes."""
        root = Path(self.env.srcdir)
        table = self.table(
            root, self.records(), read_recorded(root), lambda name: f"/book/findings/{name}.ipynb"
        )
        wrapper = nodes.container(classes=["srlab-table"])
        wrapper += self.parse_text_to_nodes(table)
        return [wrapper]


class Results(MarkdownTable):
    """The numbers that a paper reports beside those measured here (`{results} ddr`)."""

    table = staticmethod(results_table)


class Compute(MarkdownTable):
    """What one paper's trainings and pages cost (`{compute} ddr`)."""

    table = staticmethod(lambda _root, records, *_: compute_table(records))


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
