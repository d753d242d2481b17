"""How outcomes and verdicts are called and shown: the one place that words them."""

import html
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import islice
from typing import Any

OPEN_ROWS = 6  # measurements that stand open; the rest is folded


class Outcome(StrEnum):
    """Of one clause of a criterion."""

    HELD = "held"
    FAILED = "failed"
    OPPOSITE = "opposite"  # its interval lies on the other side
    UNDECIDED = "undecided"  # its interval crosses the threshold


class Verdict(StrEnum):
    """Of a finding at the scale it was run."""

    REPRODUCED = "reproduced"
    MIXED = "mixed"
    NOT_REPRODUCED = "not reproduced"
    OPPOSITE = "opposite"
    UNDECIDED = "undecided"


SYMBOLS = {
    Verdict.REPRODUCED: "✔",
    Verdict.MIXED: "◐",
    Verdict.NOT_REPRODUCED: "✘",
    Verdict.OPPOSITE: "⇄",
    Verdict.UNDECIDED: "?",
}
ANSWERS = {  # to a question of our own
    Verdict.REPRODUCED: "yes",
    Verdict.MIXED: "in part",
    Verdict.NOT_REPRODUCED: "no",
    Verdict.OPPOSITE: "the opposite",
    Verdict.UNDECIDED: "undecided",
}
SIGNS = {Outcome.HELD: "✔", Outcome.FAILED: "✘", Outcome.OPPOSITE: "⇄", Outcome.UNDECIDED: "?"}
HAPPENED = {  # to a criterion
    Outcome.HELD: "was met",
    Outcome.FAILED: "was not met",
    Outcome.OPPOSITE: "came out the other way round",
    Outcome.UNDECIDED: "stayed undecided",
}


def verdict_words(record: Mapping[str, Any]) -> str:
    """ "✔ reproduced", "◐ mixed (2 of 3, headline held)", "✘ own question: no"."""
    found = Verdict(record["verdict"])
    own = record.get("own_question", False)
    words = f"{SYMBOLS[found]} {f'own question: {ANSWERS[found]}' if own else found}"
    if found is not Verdict.MIXED:
        return words
    outcomes = [*record["checks"].values()]
    return f"{words} ({outcomes.count(Outcome.HELD)} of {len(outcomes)}, headline {outcomes[0]})"


def sentence(record: Mapping[str, Any]) -> str:
    """What came out, for a reader who has not seen the criteria yet."""
    outcomes = [*record["checks"].values()]
    held, asked = outcomes.count(Outcome.HELD), len(outcomes)
    if held == asked:
        return "The criterion was met." if asked == 1 else f"All {asked} criteria were met."
    if asked == 1:
        return f"The criterion {HAPPENED[outcomes[0]]}."
    headline = f"the headline {HAPPENED[outcomes[0]]}"
    undecided = outcomes.count(Outcome.UNDECIDED)
    if undecided and not held and outcomes[0] != Outcome.UNDECIDED:
        headline += f", {undecided} stayed undecided"  # so the finding is
    return f"{held or 'None'} of {asked} criteria were met; {headline}."


def outcome_words(outcome: str) -> str:
    """ "✔ held", "✘ failed"."""
    return f"{SIGNS[Outcome(outcome)]} {outcome}"


def clauses_html(clauses: Mapping[str, str], *, headline: bool = False) -> str:
    """A table of criteria as they were set, and beside each how it came out."""
    rows = "".join(
        f"<tr><td>{'<b>Headline:</b> ' if headline and not index else ''}{html.escape(text)}</td>"
        f"<td data-outcome='{outcome}'>{outcome_words(outcome)}</td></tr>"
        for index, (text, outcome) in enumerate(clauses.items())
    )
    return (
        "<table class='srlab-clauses'><thead><tr><th>Criterion</th><th>Result</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def verdict_html(record: Mapping[str, Any]) -> str:
    """The box that ends a finding: verdict, criteria and results, controls, measurements."""
    controls = record["controls"]
    return (
        f"<div class='srlab-verdict' data-verdict='{record['verdict']}'>"
        f"<p><strong>{verdict_words(record)}</strong> at this scale.</p>"
        f"{clauses_html(record['checks'], headline=True)}"
        f"{_folded('Controls, which decide nothing', clauses_html(controls)) if controls else ''}"
        f"{_measures(record)}</div>"
    )


def criterion_html(claims: Mapping[str, str], controls: Sequence[str]) -> str:
    """The criterion as it is set: {claim: the paper's sentence}, and what decides nothing."""
    added = f"<p>Controls, which decide nothing:</p>{_items(controls)}" if controls else ""
    return (
        "<div class='admonition important srlab-criterion'><p class='admonition-title'>"
        f"Criterion</p>{_items(claims, claims)}{added}</div>"
    )


def measured_words(record: Mapping[str, Any], name: str) -> str:
    """A measurement with its spread, where it has one: "26.4 (25.1 to 27.0)"."""
    text = number(record["measured"][name])
    low, high = map(number, record.get("interval", {}).get(name, (0, 0)))
    return text if low == high else f"{text} ({low} to {high})"


def _items(texts: Iterable[str], says: Mapping[str, str] | None = None) -> str:
    def source(text: str) -> str:
        said = (says or {}).get(text)
        return f"<br><small>The paper, {html.escape(said)}</small>" if said else ""

    return f"<ul>{''.join(f'<li>{html.escape(text)}{source(text)}</li>' for text in texts)}</ul>"


def _measures(record: Mapping[str, Any]) -> str:
    """The headline's first, then what the paper reports too; after a few rows it is folded."""
    headline, paper = record.get("headline"), record["paper"]
    names = sorted(record["measured"], key=lambda name: (name != headline, name not in paper))
    rows = (_row(record, name) for name in names)
    shown = _table(islice(rows, OPEN_ROWS))
    rest = len(names) - OPEN_ROWS
    more = f"{rest} more measurement{'s' if rest > 1 else ''}"
    return shown + (_folded(more, _table(rows)) if rest > 0 else "")


def _row(record: Mapping[str, Any], name: str) -> str:
    low, high = map(number, record["interval"].get(name, (0, 0)))
    spread = "–" if low == high else f"{low} to {high}"
    cells = (record["paper"].get(name, "–"), number(record["measured"][name]), spread)
    data = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
    return f"<tr><th scope='row'>{html.escape(name)}</th>{data}</tr>"


def _table(rows: Iterable[str]) -> str:
    return (
        "<table><thead><tr><th>measure</th><th>paper</th><th>here</th><th>spread</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{title}</summary>{content}</details>"


def number(value: float) -> str:
    """Three significant digits, never in exponents for everyday sizes: 0.213, 26.4, 1830, −2.5."""
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
        return f"{value:,.{digits}f}".replace(",", "\u202f").replace("-", "−")
    return f"{value:.1e}".replace("-", "−")
