"""The records that executed notebooks leave, and the README's table of verdicts.

`python -m srlab.book.records` rewrites the table in README.md.
"""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from srlab.book.outputs import outputs
from srlab.book.project import Notebook, find_notebooks, find_root
from srlab.book.recorded import COLUMNS, Run, read_recorded
from srlab.files import replace_text
from srlab.pages.templates import page
from srlab.studies.study import MIME
from srlab.studies.verdict import SYMBOLS, measured_words, number, verdict_words

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
    found = [record for _, record in outputs(page, MIME)]
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
    return record.get("headline") or [*record["paper"], *record["measured"]][0]


WORDS = {  # that templates use
    "symbols": SYMBOLS,
    "number": number,
    "key_number": key_number,
    "measured_words": measured_words,
    "verdict_words": verdict_words,
}


def markdown_table(
    template: str,
    root: Path,
    records: Sequence[Record],
    recorded: Sequence[Run],
    link: Callable[[str], str],
) -> str:
    """`findings.md`, `results.md` or `compute.md` of these; `link(name)` is where a page is."""

    def titled(name: str) -> str:
        return f"[{_cell(Notebook(root, name).title)}]({link(name)})"

    values = {"records": records, "recorded": recorded, "columns": COLUMNS, "papers": PAPERS}
    return page(template, **WORDS, **values, titled=titled, cell=_cell, trained=_trained).strip()


def _trained(records: Sequence[Record]) -> list[Any]:
    """What is known of the trainings behind the findings; each network counts once."""
    from srlab.checkpoints.files import read_provenance, shipped_file  # loads torch

    names = sorted({name.split("@")[0] for record in records for name in record["checkpoints"]})
    return [read_provenance(file) for file in map(shipped_file, names) if file.is_file()]


def _cell(text: str) -> str:
    """Text that cannot end its cell, its link or start an element."""
    return " ".join(re.sub(r"[\\|[\]<>*_`$]", r"\\\g<0>", text).split())


def write_readme(root: Path) -> bool:
    """Put the table of verdicts between README.md's markers; whether it changed anything."""
    readme = root / "README.md"
    text = readme.read_text("utf-8")
    start, end = (text.find(marker) for marker in MARKERS)
    if not -1 < start < end:
        raise ValueError(f"{readme} needs the lines {MARKERS[0]} and {MARKERS[1]}, in this order")
    found = read_records(root), read_recorded(root)
    table = markdown_table("findings.md", root, *found, "notebooks/{}.py".format)
    updated = f"{text[: start + len(MARKERS[0])]}\n{table}\n{text[end:]}"
    replace_text(readme, updated)
    return updated != text


if __name__ == "__main__":
    print("README.md", "changed" if write_readme(find_root()) else "is in step")
