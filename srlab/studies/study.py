"""A study: what a finding claims, how it is judged, and the record that it leaves."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from srlab.statistics import middle
from srlab.studies.parameters import check_parameters, chosen_parameters
from srlab.studies.verdict import Outcome, Verdict, criterion_html, verdict_html, verdict_words

if TYPE_CHECKING:
    import torch
    from torch import nn

MIME = "application/vnd.srlab.finding+json"
Clauses = Mapping[str, Outcome]  # by their texts
Interval = tuple[float, float]  # low, high


@dataclass(frozen=True)
class Record:
    """A judged finding: shown as the verdict in a notebook, kept as JSON beside it."""

    finding: str
    claim: str
    source: str
    criterion: str
    verdict: Verdict
    checks: dict[str, Outcome]  # each claim, and whether it held; the headline first
    controls: dict[str, Outcome]  # what we add; decides nothing
    says: dict[str, str]  # {claim: the paper's sentence and its section}
    own_question: bool  # asked by this book, not by the paper
    measured: dict[str, float]
    interval: dict[str, Interval]
    paper: dict[str, str]
    image_set: str
    parameters: dict[str, Any]
    checkpoints: list[str]
    headline: str = ""  # the measure that stands for the finding, if one is marked

    def as_dict(self) -> dict[str, Any]:
        """JSON values; NaN is no measurement and refused."""
        values = asdict(self)
        json.dumps(values, allow_nan=False)
        return values

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        record = self.as_dict()
        text = f"{self.finding}: {verdict_words(record)}. {self.criterion}"
        return {MIME: record, "text/html": verdict_html(record), "text/plain": text}


@dataclass
class Study:
    """A claim of a paper and the criterion it is held to, stated before the experiment.

    As the end of a cell it shows the criterion; `measure` and `verdict` then fill the record.
    The notebook's parameters are checked and recorded as they are when the study begins.

    >>> study = Study("ddr/global_residual", claim="…", source="DDR, Sec. 4.3",
    ...     claims={"ratio": "CHI with GR is at least 50 times that without, in every seed"})
    >>> study.measure("ratio of CHI", ratios, paper="separates", glue="gr_ratio")
    >>> study.verdict(ratio=min(ratios) >= 50)
    """

    name: str  # the notebook's path: "ddr/global_residual"
    claim: str
    source: str  # "DDR, Sec. 4.3, Fig. 6"
    claims: Mapping[str, str]  # {key: what must come out}; the first is the headline
    controls: Mapping[str, str] = field(default_factory=dict)  # what we add
    says: Mapping[str, str] = field(default_factory=dict)  # {claim's key: "Sec. 4.3: “…”"}
    own_question: bool = False  # this book's, not the paper's: answered by yes or no
    image_set: str = ""
    device: "torch.device | str" = "cpu"
    train: bool = False  # networks here and now instead of loading those that ship
    parameters: dict[str, Any] = field(default_factory=dict, init=False)
    networks: list[str] = field(default_factory=list, init=False)  # names of those it took
    measured: dict[str, float] = field(default_factory=dict, init=False)
    interval: dict[str, Interval] = field(default_factory=dict, init=False)
    paper: dict[str, str] = field(default_factory=dict, init=False)
    headline: str = field(default="", init=False)

    def __post_init__(self) -> None:
        if not self.claims:
            raise ValueError(f"{self.name} needs at least one claim to judge")
        if both := self.claims.keys() & self.controls.keys():
            raise ValueError(f"{', '.join(both)} cannot be claim and control at once")
        if strangers := self.says.keys() - self.claims.keys():
            raise ValueError(f"what the paper says belongs to claims, not to {_names(strangers)}")
        check_parameters()
        self.parameters = chosen_parameters()

    def _repr_html_(self) -> str:
        return criterion_html(
            {text: self.says.get(key, "") for key, text in self.claims.items()},
            [*self.controls.values()],
        )

    def network(self, name: str) -> "nn.Module":
        """A network by its recipe's name, in eval mode on the study's device, and kept in mind."""
        from srlab.studies.networks import network

        if name not in self.networks:
            self.networks.append(name)
        return network(name, train=self.train, device=self.device)

    def trainings(self, name: str, seeds: Iterable[int]) -> "list[nn.Module]":
        """The networks of a recipe's training seeds, as far as they are `obtainable`."""
        from srlab.studies.networks import obtainable
        from srlab.training.recipes import seed_names

        names = obtainable(seed_names(name, seeds), train=self.train)
        return [self.network(own) for own in names]

    def measure(
        self,
        name: str,
        values: float | Iterable[float] | np.ndarray,
        *,
        interval: Interval | Callable[[np.ndarray], Interval] | None = None,
        paper: str = "",
        glue: str = "",
        headline: bool = False,
    ) -> float:
        """Record a number: the mean of `values` and their `interval`, by default what they span.

        `interval` may also be what computes it of the values, such as `mean_interval`. `paper` is
        what the paper reports, in words; `glue` names the number for the prose; `headline` marks
        the one that stands for the finding. Returns the mean.
        """
        if name in self.measured:
            raise ValueError(f"{self.name} measures {name!r} twice; give them two names")
        given = np.asarray(values, np.float64)
        found = np.atleast_1d(given)
        if not np.isfinite(found).all() or not found.size:
            raise ValueError(f"{name!r} is no measurement: {found}")
        if headline and self.headline:
            raise ValueError(f"{self.headline!r} or {name!r}? One measure is the headline's")
        self.headline = name if headline else self.headline
        self.measured[name] = mean = float(found.mean())
        if interval is not None or given.ndim:
            ends = interval(np.asarray(values)) if callable(interval) else interval
            low, high = ends or span(found)
            self.interval[name] = (float(low), float(high))
        if paper:
            self.paper[name] = paper
        if glue:
            self.glue(**{glue: mean})
        return mean

    @staticmethod
    def glue(**values: Any) -> None:
        """Name values that the prose shows: {glue:text}`name`."""
        from myst_nb import glue

        for name, value in values.items():
            glue(name, value.item() if isinstance(value, np.generic) else value, display=False)

    def verdict(
        self,
        *,
        notes: Mapping[str, Any] | None = None,
        checkpoints: Iterable[str] | None = None,
        **outcomes: bool | Outcome | None,
    ) -> Record:
        """Judge: give the outcome of every claim and control by its key, True for held.

        None is for what these pictures or networks leave open; it is neither judged nor shown.
        End a cell with it: it shows itself, and running the book keeps it. `notes` are recorded
        beside the parameters; `checkpoints` are by default the networks it took, none if trained.
        """
        stated = {**self.claims, **self.controls}
        if outcomes.keys() != stated.keys():
            missing, strangers = stated.keys() - outcomes.keys(), outcomes.keys() - stated.keys()
            raise ValueError(
                f"{self.name} judges what was stated before: missing {_names(missing)}, "
                f"not stated {_names(strangers)}"
            )
        if not self.measured:
            raise ValueError(f"{self.name} has measured nothing")
        found = {key: _outcome(value) for key, value in outcomes.items() if value is not None}
        checks = {text: found[key] for key, text in self.claims.items() if key in found}
        controls = {text: found[key] for key, text in self.controls.items() if key in found}
        if not checks:
            raise ValueError(f"{self.name} judges none of its claims")
        used = [] if self.train else self.networks
        record = Record(
            finding=self.name,
            claim=self.claim,
            source=self.source,
            criterion="; ".join(checks),
            verdict=judge(checks),
            checks=checks,
            controls=controls,
            says={self.claims[key]: text for key, text in self.says.items() if key in found},
            own_question=self.own_question,
            measured=self.measured,
            interval=self.interval,
            paper=self.paper,
            image_set=self.image_set,
            parameters={**self.parameters, **(notes or {})},
            checkpoints=[*(used if checkpoints is None else checkpoints)],
            headline=self.headline,
        )
        record.as_dict()  # what JSON cannot hold is refused here
        return record


def judge(checks: Clauses) -> Verdict:
    """From a criterion's claims, the headline first: all held, some, or none."""
    outcomes = [*checks.values()]
    if all(outcome is Outcome.HELD for outcome in outcomes):
        return Verdict.REPRODUCED
    if Outcome.HELD in outcomes:
        return Verdict.MIXED
    if outcomes[0] is Outcome.OPPOSITE:
        return Verdict.OPPOSITE
    return Verdict.UNDECIDED if Outcome.UNDECIDED in outcomes else Verdict.NOT_REPRODUCED


def reaches(interval: Interval, level: float) -> Outcome:
    """Whether an interval (low, high) lies at or above a level; undecided where it crosses."""
    low, high = _ordered(interval)
    return _decide(held=low >= level, not_held=high < level)


def stays_below(interval: Interval, level: float) -> Outcome:
    """Whether an interval lies below a level; undecided where it crosses."""
    low, high = _ordered(interval)
    return _decide(held=high < level, not_held=low >= level)


def exceeds(interval: Interval, than: float = 0.0) -> Outcome:
    """Whether the interval of a difference lies above 0, that of a ratio above 1; else opposite."""
    low, high = _ordered(interval)
    return _decide(held=low > than, not_held=high < than, otherwise=Outcome.OPPOSITE)


def together(*outcomes: Outcome | bool) -> Outcome:
    """Of a clause with several parts: held if all are, failed if one is, else undecided.

    Also undecided without any part, as where no network of the kind is at hand.
    """
    found = [_outcome(outcome) for outcome in outcomes]
    if not found:
        return Outcome.UNDECIDED
    if all(outcome is Outcome.HELD for outcome in found):
        return Outcome.HELD
    if all(outcome is Outcome.OPPOSITE for outcome in found):
        return Outcome.OPPOSITE
    decided = {Outcome.FAILED, Outcome.OPPOSITE} & {*found}
    return Outcome.FAILED if decided else Outcome.UNDECIDED


def _decide(*, held: bool, not_held: bool, otherwise: Outcome = Outcome.FAILED) -> Outcome:
    return Outcome.HELD if held else otherwise if not_held else Outcome.UNDECIDED


def _ordered(interval: Interval) -> Interval:
    low, high = interval
    if not low <= high:  # NaN too
        raise ValueError(f"{low} to {high} is no interval: expected two numbers, the lower first")
    return low, high


def _outcome(value: bool | Outcome) -> Outcome:
    if isinstance(value, Outcome):
        return value
    return Outcome.HELD if bool(value) else Outcome.FAILED


def _names(keys: Iterable[str]) -> str:
    return ", ".join(sorted(keys)) or "none"


def span(values: Iterable[float] | np.ndarray) -> Interval:
    """(lowest, highest): the spread over seeds that a record shows."""
    found = np.asarray([*values], np.float64)
    return float(found.min()), float(found.max())


def outer(intervals: Iterable[Interval]) -> Interval:
    """From the lowest to the highest end of several intervals, one for each seed."""
    lows, highs = zip(*intervals, strict=True)
    return min(lows), max(highs)


@dataclass(frozen=True)
class Estimate:
    """A number, and what it comes to in bootstrap draws."""

    value: float
    draws: np.ndarray  # (draws,)

    @property
    def interval(self) -> Interval:
        """95 % of the draws."""
        return middle(self.draws)

    def minus(self, other: "Estimate") -> Interval:
        """That of the difference of two numbers, of the same draws."""
        return middle(self.draws - other.draws)


def mean_interval(values: np.ndarray, *, draws: int = 1000) -> Interval:
    """95 % bootstrap interval of the mean of values (N,), one for each content."""
    values = np.asarray(values, np.float64)
    if values.ndim != 1 or len(values) == 0 or not np.isfinite(values).all():
        raise ValueError(f"expected finite values (N,), one a content, got shape {values.shape}")
    rows = np.random.default_rng(0).integers(len(values), size=(draws, len(values)))
    return middle(values[rows].mean(axis=1))
