"""What a notebook claims, how it is judged, and the record it leaves."""

import html
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

MIME = "application/vnd.srlab.finding+json"


class Verdict(StrEnum):
    """Outcome of a finding at the scale it was run."""

    REPRODUCED = "reproduced"
    PARTLY = "partly"
    NOT_REPRODUCED = "not reproduced"


SYMBOLS = {Verdict.REPRODUCED: "✔", Verdict.PARTLY: "◐", Verdict.NOT_REPRODUCED: "✘"}


@dataclass(frozen=True)
class Finding:
    """A claim of a paper and the criterion it is held to, stated before the experiment."""

    name: str  # "ddr/global_residual", the notebook's path
    claim: str
    source: str  # "DDR, Sec. 4.3, Fig. 6"
    criterion: str


@dataclass(frozen=True)
class Record:
    """A judged finding: shown as the verdict in a notebook, kept as JSON beside it."""

    finding: Finding
    verdict: Verdict
    checks: dict[str, bool]  # each condition of the criterion, and whether it held
    measured: dict[str, float]
    interval: dict[str, tuple[float, float]] = field(default_factory=dict)
    paper: dict[str, str] = field(default_factory=dict)
    image_set: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    checkpoints: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """JSON values: the finding's fields flattened beside the measurements."""
        values = asdict(self)
        return {"finding": values["finding"].pop("name"), **values.pop("finding"), **values}

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {MIME: self.as_dict(), "text/html": self._html(), "text/plain": self._text()}

    def _text(self) -> str:
        return f"{self.finding.name}: {self.verdict}. {self.finding.criterion}"

    def _html(self) -> str:
        rows = "".join(self._row(name) for name in self.measured)
        checks = "".join(
            f"<li>{'✔ held' if held else '✘ failed'}: {html.escape(text)}</li>"
            for text, held in self.checks.items()
        )
        return (
            f"<div class='srlab-verdict' data-verdict='{self.verdict}'>"
            f"<p><strong>{SYMBOLS[self.verdict]} {str(self.verdict).capitalize()}</strong> "
            f"at this scale. {html.escape(self.finding.criterion)}</p><ul>{checks}</ul>"
            "<table><thead><tr><th>measure</th><th>paper</th><th>here</th><th>spread</th></tr>"
            f"</thead><tbody>{rows}</tbody></table></div>"
        )

    def _row(self, name: str) -> str:
        cells = (self.paper.get(name, "–"), number(self.measured[name]), self._spread(name))
        data = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        return f"<tr><th scope='row'>{html.escape(name)}</th>{data}</tr>"

    def _spread(self, name: str) -> str:
        if name not in self.interval:
            return "–"
        low, high = self.interval[name]
        return f"{number(low)} to {number(high)}"


def record(
    finding: Finding,
    *,
    checks: Mapping[str, bool],
    measured: Mapping[str, float],
    interval: Mapping[str, tuple[float, float]] | None = None,
    paper: Mapping[str, str] | None = None,
    image_set: str,
    parameters: Mapping[str, Any] | None = None,
    checkpoints: tuple[str, ...] | list[str] = (),
) -> Record:
    """Judge a finding: all checks held → reproduced, none → not reproduced, else partly.

    `measured`, `interval` (low, high) and `paper` (what it reports, as text) share their keys.
    End a notebook's cell with it: it displays itself, and running the book keeps it as JSON.
    """
    if not checks or not measured:
        raise ValueError("a record needs at least one check and one measurement")
    strangers = {*(interval or {}), *(paper or {})} - set(measured)
    if strangers:
        raise ValueError(f"no measurement is called {', '.join(sorted(strangers))}")
    held = [bool(check) for check in checks.values()]
    verdict = (
        Verdict.REPRODUCED if all(held) else Verdict.PARTLY if any(held) else Verdict.NOT_REPRODUCED
    )
    result = Record(
        finding=finding,
        verdict=verdict,
        checks={text: bool(check) for text, check in checks.items()},
        measured={name: float(value) for name, value in measured.items()},
        interval={name: (float(a), float(b)) for name, (a, b) in (interval or {}).items()},
        paper=dict(paper or {}),
        image_set=image_set,
        parameters=dict(parameters or {}),
        checkpoints=tuple(checkpoints),
    )
    json.dumps(result.as_dict(), allow_nan=False)  # NaN is no measurement: refuse it here
    return result


def span(values: Iterable[float]) -> tuple[float, float]:
    """(lowest, highest): the spread over seeds that a record shows."""
    values = [float(value) for value in values]
    return min(values), max(values)


def mean_interval(
    values: np.ndarray, *, draws: int = 1000, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Bootstrap interval of the mean of values (N,), one for each content."""
    values = np.asarray(values, np.float64)
    if values.ndim != 1 or len(values) == 0 or not np.isfinite(values).all():
        raise ValueError(f"expected finite values (N,), one a content, got shape {values.shape}")
    rows = np.random.default_rng(seed).integers(len(values), size=(draws, len(values)))
    low, high = np.quantile(values[rows].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def number(value: float) -> str:
    """Three significant digits, never in exponents for everyday sizes: 0.213, 26.4, 1830."""
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
        return f"{value:,.{digits}f}".replace(",", "\u202f")
    return f"{value:.1e}"
