"""The records that executed notebooks leave, and the README's table of verdicts.

`python -m srlab.book.records` rewrites the table in README.md.
"""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from srlab.book.project import Notebook, find_notebooks, find_root
from srlab.book.recorded import COLUMNS, Run, read_recorded
from srlab.files import replace_text
from srlab.studies.study import MIME
from srlab.studies.verdict import measured_words, verdict_words

Record = dict[str, Any]
MARKERS = ("<!-- findings -->", "<!-- /findings -->")
PAPERS = {
    "ddr": "Deep degradation representations (DDR)",
    "lam": "Local attribution maps (LAM)",
    "faig": "Discriminative filters (FAIG)",
    "redsr": "Learned degradations (ReDSR)",
}


def extract_record(page: NotebookNode) -> Record | None:
    """The one finding that an executed notebook recorded, None if it has none."""
    found = [
        output.data[MIME]
        for cell in page.cells
        for output in cell.get("outputs", ())
        if MIME in output.get("data", {})
    ]
    if len(found) > 1:
        names = ", ".join(record["finding"] for record in found)
        raise ValueError(f"a notebook records one finding, this one {len(found)}: {names}")
    return found[0] if found else None


def write_record(notebook: Notebook, page: NotebookNode) -> None:
    """Put the record beside the page, with what the run adds; no record, no file.

    `page` is as it was executed: once written and read again, its measurements are in ABC order.
    """
    record = extract_record(page)
    if record is None:
        notebook.record.unlink(missing_ok=True)
        return
    if record["finding"] != notebook.name:
        raise ValueError(
            f"{notebook.name} records a finding called {record['finding']!r}; "
            "a finding has its notebook's name"
        )
    ran = page.metadata["srlab"]
    added = {key: ran[key] for key in ("seconds", "hardware", "versions")}
    replace_text(notebook.record, json.dumps({**record, **added}, indent=1, ensure_ascii=False))


def read_record(notebook: Notebook) -> Record:
    """What the notebook's last run found."""
    if not notebook.record.is_file():
        raise ValueError(
            f"{notebook.name} has no verdict; run it with `srlab run {notebook.name}`, and see "
            "that it ends with study.verdict"
        )
    return json.loads(notebook.record.read_text("utf-8"))


def read_records(root: Path) -> list[Record]:
    """All records of the executed book, in the order of the syllabus."""
    order = re.findall(r"book/findings/([\w/]+)", (root / "_toc.yml").read_text("utf-8"))
    found = [notebook for notebook in find_notebooks(root) if notebook.record.is_file()]
    found.sort(key=lambda notebook: [*order, notebook.name].index(notebook.name))
    return [read_record(notebook) for notebook in found]


def key_number(record: Record) -> str:
    """The name of the number that stands for a finding: the headline's, if one was marked.

    Otherwise the first that a paper reports too.
    """
    return record.get("headline") or next(iter([*record["paper"], *record["measured"]]))


def findings_table(
    root: Path, records: Sequence[Record], recorded: Sequence[Run], link: Callable[[str], str]
) -> str:
    """A Markdown table, one row a finding: its title and its verdict in three columns.

    `link(name)` is where a finding's page is.
    """
    if not records:
        return "No finding has been run yet: `make book` runs them all."
    rows = [("Finding", "Photographs", *COLUMNS.values())]
    rows.append(("---",) * len(rows[0]))
    paper = ""
    for record in records:
        name = record["finding"]
        if name.split("/")[0] != paper:
            paper = name.split("/")[0]
            rows.append((f"**{PAPERS.get(paper, paper)}**", *("",) * (len(rows[0]) - 1)))
        runs = [run for run in recorded if run.finding == name]
        cells = [
            "<br>".join(
                f"{_cell(run.image_set)}: {verdict_words(run.record)}"
                for run in runs
                if run.column == column
            )
            for column in COLUMNS
        ]
        title = f"[{_cell(Notebook(root, name).title)}]({link(name)})"
        rows.append((title, verdict_words(record), *(cell or "–" for cell in cells)))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def results_table(
    root: Path, records: Sequence[Record], recorded: Sequence[Run], link: Callable[[str], str]
) -> str:
    """A Markdown table, one row a number that a paper reports too: theirs, then ours by column."""
    rows = [("Finding", "Measure", "Paper", "Photographs", *COLUMNS.values())]
    rows.append(("---",) * len(rows[0]))
    for record in records:
        runs = [run for run in recorded if run.finding == record["finding"]]
        page = f"[{_cell(Notebook(root, record['finding']).title)}]({link(record['finding'])})"
        for name, paper in record["paper"].items():
            ours = [
                "<br>".join(
                    f"{_cell(run.image_set)}: {measured_words(run.record, name)}"
                    for run in runs
                    if run.column == column and name in run.record["measured"]
                )
                for column in COLUMNS
            ]
            here = measured_words(record, name) if name in record["measured"] else ""
            cells = (page, _cell(name), _cell(paper), here, *ours)
            rows.append(tuple(cell or "–" for cell in cells))
            page = "″"  # the same; not 〃, which fonts without Chinese signs lack
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(text: str) -> str:
    """Text that cannot end its cell, its link or start an element."""
    for character in "\\|[]<>*_`$":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())


def write_readme(root: Path) -> bool:
    """Put the table of verdicts between README.md's markers; whether it changed anything."""
    readme = root / "README.md"
    text = readme.read_text("utf-8")
    start, end = (text.find(marker) for marker in MARKERS)
    if not -1 < start < end:
        raise ValueError(f"{readme} needs the lines {MARKERS[0]} and {MARKERS[1]}, in this order")
    table = findings_table(
        root, read_records(root), read_recorded(root), lambda name: f"notebooks/{name}.py"
    )
    updated = f"{text[: start + len(MARKERS[0])]}\n{table}\n{text[end:]}"
    replace_text(readme, updated)
    return updated != text


if __name__ == "__main__":
    print("README.md", "changed" if write_readme(find_root()) else "is in step")
