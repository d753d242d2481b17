"""Numbers of records on other pages: `{measured}` in a sentence, `{bars}` as a chart."""

import re
from collections.abc import Mapping
from math import log10
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

from srlab.book.project import Notebook
from srlab.book.recorded import COLUMNS, read_recorded
from srlab.book.records import Record, read_record
from srlab.pages.templates import page
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
    for pasted in list(doctree.findall(_is_pasted)):
        text = pasted.astext()
        if re.fullmatch(r"-[\d.]+", text):
            shown = f"−{text[1:]}" if float(text) else text[1:]
            pasted.clear()
            pasted += nodes.Text(shown)


def _is_pasted(node: nodes.Node) -> bool:
    return isinstance(node, nodes.inline) and "pasted-text" in node["classes"]


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


class Bars(SphinxDirective):
    """Bars of a record's numbers, a line each: `label :: name of the measure`."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar = {"log": directives.flag, "level": float, "unit": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """The chart as HTML, with a line that says which run it is from."""
        self.env.note_reread()
        record, made = find_record(Path(self.env.srcdir), self.arguments[0])
        rows = [[part.strip() for part in line.split("::")] for line in self.content if line]
        spans = {name: record["interval"].get(name, [measure(record, name)]) for _, name in rows}
        ends = [end for span in spans.values() for end in span]
        level = self.options.get("level")
        axis = _Axis([*ends, *([] if level is None else [level])], log="log" in self.options)
        bars = [
            {
                "label": label,
                "number": number(record["measured"][name]),
                **axis.place(record["measured"][name], spans[name]),
            }
            for label, name in rows
        ]
        html = page(
            "bars.html",
            bars=bars,
            level=None if level is None else axis.at(level),
            named=level,
            log="log" in self.options,
            unit=self.options.get("unit", ""),
            made=made,
        )
        return [nodes.raw(text=html, format="html")]


class _Axis:
    """From values to per cent of the chart's width; begins at 0, or at a decade."""

    def __init__(self, values: list[float], *, log: bool) -> None:
        self.log = log
        found = [self._scale(value) for value in values]
        self.low = min(found) - 0.3 if log else min(0.0, *found)
        self.high = max(*found, self.low + 1e-9) if log else max(0.0, *found)

    def _scale(self, value: float) -> float:
        return log10(max(value, 1e-4)) if self.log else value

    def at(self, value: float) -> float:
        return round(100 * (self._scale(value) - self.low) / (self.high - self.low), 2)

    def place(self, value: float, span: Any) -> Mapping[str, float]:
        zero = 0.0 if self.log else self.at(0.0)
        start, end = sorted((zero, self.at(value)))
        low, high = self.at(min(span)), self.at(max(span))
        return {"start": start, "width": end - start, "low": low, "spread": high - low}
