"""Networks by the skip around their body, and whether their features tell degradations apart.

A skip takes what the body was given (features, or the enlarged picture) around it and adds it to
what the body puts out. A network is looked into behind the last block that its skip goes around.

What takes too long for a build of the book is recorded: `python -m srlab.studies.ddr.skips FOLDER
COMMIT` takes over what a sweep of the page left in FOLDER, which ran at COMMIT.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
import pyarrow as pa
from pyarrow import parquet

from srlab.checkpoints.files import shipped_checkpoints
from srlab.figures.dots import GridPoint, effects_over_grid
from srlab.files import replace_file
from srlab.representation.embedding import separability
from srlab.studies.ddr.restarts import restarts
from srlab.studies.study import Outcome, exceeds, reaches, span, stays_below, together
from srlab.studies.sweeps import outcomes_in
from srlab.training.recipes import seed_names

LEVEL = 20  # from which DDR counts degradations as separated: "+"
RECORDED = Path(__file__).with_name("published_networks.parquet")
WORDS = {  # for figures
    "none": "no skip",
    "features": "adds features",
    "image": "adds the image",
    "both": "adds both",
}
BLIND = "trained on degradations"


class Subject(NamedTuple):
    """A network that is looked into, and what the hypothesis needs to know of it."""

    kind: str  # what it is called: networks of one kind differ in their seed
    network: str  # a shipped checkpoint, or "official:…"
    layer: str  # the last block within the skip
    skip: str  # "none", "features", "image" or "both"
    degraded: bool = False  # it learnt from degraded pictures, not from clean ones alone
    like: str = ""  # the network that differs from it in that alone; "" where there is none


PIXELS = Subject("pixels", "", "", "none")


class Separation(NamedTuple):
    """How far a network's features separate degradations."""

    subject: Subject
    tsne: tuple[float, ...]  # index on the 2-D embedding, one for each restart
    pca: float  # index on the 50 principal components
    psnr: float  # dB of luma, on clean patches


def trained_alike(seeds: Iterable[int]) -> list[Subject]:
    """SRResNets that differ in their skip alone; and one kind that learnt from blur and noise."""
    none, features, image, blind = (
        seed_names(f"srresnet-{kind}", list(seeds)) for kind in ("wogr", "skip", "gr", "blind")
    )
    pairs, told = zip(blind, image, strict=True), "skip of the image, trained blind"
    return [
        *(Subject("no skip", name, "body.15", "none") for name in none),
        *(Subject("skip of features", name, "body.15", "features") for name in features),
        *(Subject("skip of the image", name, "body.15", "image") for name in image),
        *(Subject(told, name, "body.15", "image", True, like) for name, like in pairs),
    ]


ZOO = [  # srlab's narrow networks, trained on clean pictures on equal terms
    Subject("SRCNN", "srcnn-lam", "body.0", "none"),
    Subject("FSRCNN", "fsrcnn", "body.4", "none"),
    Subject("DBPN", "dbpn", "ups.1", "none"),  # of what its body was given nothing passes it by
    Subject("LapSRN", "lapsrn", "body.1", "image"),
    Subject("SRResNet", "srresnet-lam", "body.9", "features"),
    Subject("EDSR", "edsr", "body.9", "features"),
    Subject("CARN", "carn", "body.units.2", "features"),
    Subject("IMDN", "imdn", "body.5", "features"),
    Subject("RFDN", "rfdn", "body.3", "features"),
    Subject("PAN", "pan", "body.11", "both"),
    Subject("RCAN", "rcan", "body.1", "features"),
    Subject("SAN", "san", "body.2", "features"),
    Subject("SwinIR", "swinir", "body.2", "features"),
    Subject("RRDBNet", "rrdbnet", "body.3", "features"),
    Subject("RDN", "rdn", "body.3", "features"),
    Subject("MSRN", "msrn", "body.3", "features"),  # fused with what its blocks found, as CARN's
    Subject("DRLN", "drln", "body.1", "features"),
    Subject("RNAN", "rnan", "body.3", "features"),
]
PUBLISHED = [  # trained by others
    Subject("FSRCNN", "official:fsrcnn-nhat", "body.4", "none"),
    Subject("CARN-M", "official:carn-m", "body.units.2", "features"),
    Subject("IMDN", "official:imdn", "body.5", "features"),
    Subject("RFDN", "official:rfdn", "body.3", "features"),
    Subject("PAN", "official:pan", "body.15", "both"),
    Subject("SRGAN", "official:srgan-leftthomas", "body.4", "features"),
    Subject("Real-ESRGAN, anime", "official:realesrgan-anime-6b", "body.5", "features", True),
    Subject("Real-ESRGAN", "official:realesrgan-x4plus", "body.22", "features", True),
]


def subjects(group: str, seeds: Iterable[int] = (0,)) -> list[Subject]:
    """Those of a group: "alike", "zoo" or "published"."""
    groups = {"alike": trained_alike(seeds), "zoo": ZOO, "published": PUBLISHED}
    if group not in groups:
        raise ValueError(f"networks are one of {', '.join(groups)}, got {group!r}")
    return groups[group]


def obtainable_subjects(group: str, seeds: Iterable[int]) -> tuple[list[Subject], list[str]]:
    """(those of a group that can be had, names of networks that are not shipped)."""
    every, shipped = subjects(group, seeds), shipped_checkpoints()
    missing = [one.network for one in every if ":" not in one.network]
    missing = [name for name in missing if name not in shipped]
    return [one for one in every if one.network not in missing], missing


def at_step(subject: Subject, step: int) -> Subject:
    """The same network after so many of its training steps, 6000 in all."""
    return subject if step == 6000 else subject._replace(network=f"{subject.network}@{step}")


def separation(
    subject: Subject,
    components: np.ndarray,
    labels: np.ndarray,
    psnr: float,
    *,
    runs: int = 5,
    perplexity: float = 30,
) -> Separation:
    """Judge principal components (N, D) behind a subject's layer, with labels (N,)."""
    drawn = restarts(components, runs, perplexity=perplexity)
    indices = tuple(separability(points, labels).index for points in drawn)
    return Separation(subject, indices, separability(components, labels).index, psnr)


def outcomes(found: Sequence[Separation]) -> dict[str, Outcome | None]:
    """What each claim comes to: skip, none, degraded; None where nothing speaks to it.

    Each network's interval is what its restarts span. A blind network is compared with the one
    that is like it; where there is none, with every one with a skip that learnt from clean
    pictures.
    """
    clean = [one for one in found if not one.subject.degraded]
    skipping = [one for one in clean if one.subject.skip != "none"]
    pairs = [
        (other, one)
        for one in found
        if one.subject.degraded
        for other in skipping
        if one.subject.like in ("", other.subject.network)
    ]
    return {
        "skip": _every(reaches(span(one.tsne), LEVEL) for one in skipping),
        "none": _every(
            stays_below(span(one.tsne), LEVEL) for one in clean if one.subject.skip == "none"
        ),
        "degraded": _every(exceeds(_ratio(*pair), than=1) for pair in pairs),
    }


def larger_with_skip(found: Sequence[Separation]) -> bool | None:
    """Is every index on principal components with a skip larger than every one without?"""
    groups: dict[bool, list[float]] = {True: [], False: []}
    for one in found:
        if not one.subject.degraded:
            groups[one.subject.skip != "none"].append(one.pca)
    return min(groups[True]) > max(groups[False]) if all(groups.values()) else None


def _every(found: Iterable[Outcome]) -> Outcome | None:
    judged = list(found)
    return together(*judged) if judged else None


def _ratio(one: Separation, other: Separation) -> tuple[float, float]:
    (low, high), (least, most) = span(one.tsne), span(other.tsne)
    return low / most, high / least


def as_rows(found: Iterable[Separation]) -> list[dict[str, Any]]:
    """For a table, a file or a record."""
    return [
        {**one.subject._asdict(), "tsne": list(one.tsne), "pca": one.pca, "psnr": one.psnr}
        for one in found
    ]


def from_rows(rows: Sequence[dict[str, Any]]) -> list[Separation]:
    """Back again."""
    subjects = ({name: row[name] for name in Subject._fields} for row in rows)
    return [
        Separation(Subject(**own), tuple(row["tsne"]), row["pca"], row["psnr"])
        for own, row in zip(subjects, rows, strict=True)
    ]


class Recording(NamedTuple):
    """One run of the page that its builds do not repeat."""

    group: str
    image_set: str
    date: str
    commit: str
    hardware: str
    found: list[Separation]


def read_recorded(path: Path = RECORDED) -> list[Recording]:
    """All recorded runs, published networks first; none where there is no file."""
    rows = parquet.read_table(path).to_pylist() if path.is_file() else []
    return [Recording(**{**row, "found": from_rows(row["found"])}) for row in rows]


def take_over(folder: str | Path, commit: str, path: Path = RECORDED) -> list[Recording]:
    """Put what a sweep of the page left in `folder` into the record, in older runs' place."""
    new = [_recording(one, commit) for one in outcomes_in(folder).values() if one["record"]]
    kept = {(one.group, one.image_set): one for one in [*read_recorded(path), *new]}
    rows = [{**one._asdict(), "found": as_rows(one.found)} for _, one in sorted(kept.items())]
    with replace_file(path) as temporary:
        parquet.write_table(pa.Table.from_pylist(rows), temporary, compression="zstd")
    return new


def _recording(outcome: Mapping[str, Any], commit: str) -> Recording:
    chosen = outcome["record"]["parameters"]
    found = from_rows(chosen["separations"])
    made = {name: outcome[name] for name in ("date", "hardware")}
    return Recording(chosen["networks"], chosen["image_set"], commit=commit, found=found, **made)


def by_picture_set(runs: Iterable[Recording]) -> dict[str, dict[Subject, Sequence[float]]]:
    """{picture set: {network: index of each restart}}, for `separation_dots`."""
    panels: dict[str, dict[Subject, Sequence[float]]] = {}
    for run in runs:
        panels.setdefault(run.image_set, {}).update({one.subject: one.tsne for one in run.found})
    return panels


def separation_dots(
    panels: Mapping[str, Mapping[Subject, Sequence[float]]], *, same_measure: bool = False
) -> go.Figure:
    """A row for each network, a panel for each measure: mean and span of its values.

    At `LEVEL` is a line: in the first panel, in all if they show the `same_measure`.
    """
    points: dict[str, GridPoint] = {}
    for title, values in panels.items():
        for subject, own in values.items():
            word = BLIND if subject.degraded else WORDS[subject.skip]
            point = points.setdefault(_row(subject), GridPoint(word, {}))
            points[_row(subject)] = point._replace(
                measured={**point.measured, title: (float(np.mean(own)), *span(own))}
            )
    lined = list(panels) if same_measure else list(panels)[:1]
    return effects_over_grid(points, [*WORDS.values(), BLIND], levels=dict.fromkeys(lined, LEVEL))


def _row(subject: Subject) -> str:
    """What a network is called; ours by their seed or, of other architectures, as ours."""
    if ":" in subject.network:
        return subject.kind
    if "skip" not in subject.kind:
        return f"{subject.kind}, ours"
    _, _, seed = subject.network.rpartition("-s")
    return f"{subject.kind}, {seed if seed.isdigit() else 0}"


if __name__ == "__main__":
    for one in take_over(sys.argv[1], sys.argv[2]):
        print(one.group, one.image_set)
