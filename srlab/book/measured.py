"""Numbers of records on other pages: `{measured}` in a sentence, `{bars}` as a chart."""

import re
from collections.abc import Sequence
from math import log10
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole

from srlab.book.directives import TemplateDirective
from srlab.book.project import Notebook
from srlab.book.recorded import COLUMNS, read_recorded
from srlab.book.records import Record, read_record
from srlab.studies.verdict import measured_words, number


def find_record(root: Path, place: str) -> tuple[Record, str]:
    """A record and where it is from: "ddr/one" of this book, "literature b100 ddr/one" recorded."""
    words = tuple(place.split())
    if len(words) == 1:
        record = read_record(Notebook(root, place))
        return record, f"this copy's run on {record['image_set']}"
    for run in read_recorded(root):
        if (run.column, run.image_set, run.finding) == words:
            column = COLUMNS[run.column].lower()
            return run.record, f"{column}, {run.image_set}, {run.date}, commit {run.commit}"
    raise ValueError(f"no run is recorded of {place!r}; expected column, image set and finding")


def measure(record: Record, name: str) -> float:
    """A number of the record."""
    if name not in record["measured"]:
        known = "; ".join(record["measured"])
        raise ValueError(f"{record['finding']} measures no {name!r}; there are {known}")
    return record["measured"][name]


def set_minus(_app: Sphinx, doctree: nodes.document, _page: str) -> None:
    """Write numbers of the prose as the tables do: −0.5 for -0.5, and 0.00 for -0.00."""
    for pasted in list(doctree.findall(nodes.inline)):
        text = pasted.astext()
        if "pasted-text" in pasted["classes"] and re.fullmatch(r"-[\d.]+", text):
            shown = f"−{text[1:]}" if float(text) else text[1:]
            pasted.clear()
            pasted += nodes.Text(shown)


class MeasuredRole(SphinxRole):
    """A number with its spread: {measured}`literature b100 ddr/global_residual | name`."""

    def __init__(self, *, spread: bool = True) -> None:
        super().__init__()
        self.spread = spread  # not of `{value}`, for a sentence that gives several

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """The number as text; the page is read anew in each build."""
        self.env.note_reread()
        place, name = (part.strip() for part in self.text.split("|", 1))
        record, _ = find_record(Path(self.env.srcdir), place)
        value = measure(record, name)
        words = measured_words(record, name) if self.spread else number(value)
        return [nodes.inline("", words, classes=["srlab-number"])], []


class Bars(TemplateDirective):
    """Bars of a record's numbers, a line each: `label :: name of the measure`."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar = {"log": directives.flag, "level": float, "unit": directives.unchanged}
    template = "bars.html"

    def values(self) -> dict[str, Any]:
        """The bars on their axis, and which run they are from."""
        record, made = find_record(self.root, self.arguments[0])
        rows = []
        for label, name in (map(str.strip, line.split("::")) for line in self.content if line):
            value = measure(record, name)
            rows.append((label, value, record["interval"].get(name, [value])))
        levels = [self.options["level"]] if "level" in self.options else []
        ends = [end for *_, span in rows for end in span]
        axis = Axis([*ends, *levels], log="log" in self.options)
        return {"rows": rows, "axis": axis, "options": self.options, "number": number, "made": made}


class Axis:
    """From values to per cent of the chart's width; begins at 0, or at a decade."""

    def __init__(self, values: list[float], *, log: bool) -> None:
        self.log = log
        found = [self._scaled(value) for value in values]
        self.start = min(found) - 0.3 if log else 0.0  # of the bars
        self.low, self.high = min(self.start, *found), max(self.start, *found)

    def at(self, value: float) -> float:
        """The place of a value."""
        return self._percent(self._scaled(value))

    def place(self, value: float, span: Sequence[float]) -> dict[str, float]:
        """A bar from the start to the value, and its spread."""
        start, end = sorted((self._percent(self.start), self.at(value)))
        low, high = self.at(min(span)), self.at(max(span))
        return {"start": start, "width": end - start, "low": low, "spread": high - low}

    def _scaled(self, value: float) -> float:
        return log10(max(value, 1e-4)) if self.log else value

    def _percent(self, scaled: float) -> float:
        return round(100 * (scaled - self.low) / (self.high - self.low), 2)
