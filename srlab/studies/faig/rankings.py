"""Networks before and after fine-tuning, and how their filters rank for each kind of input."""

from collections.abc import Iterable, Mapping

import numpy as np

from srlab.attribution.faig import FilterAttribution, Scores, discriminative_scores, faig
from srlab.attribution.filter_rivals import internal_influence, random_scores, weight_change
from srlab.degradations.windows import Windows
from srlab.studies.networks import Tuned, tuned, tuned_along
from srlab.studies.study import Study

RANKINGS = ("FAIG", "IG", "|Δθ|", "random")


def fine_tuned(study: Study, name: str, seeds: Iterable[int]) -> list[Tuned]:
    """The seeds of a recipe that goes on from another's network; the study keeps both in mind."""
    found = tuned(name, seeds, train=study.train, device=study.device)
    _keep(study, found)
    return found


def fine_tuned_along(study: Study, name: str) -> dict[int, Tuned]:
    """{step: a network along a recipe's training, as far as snapshots ship}; kept in mind, too."""
    found = tuned_along(name, device=study.device)
    _keep(study, found.values())
    return found


def _keep(study: Study, nets: Iterable[Tuned]) -> None:
    both = dict.fromkeys(end for net in nets for end in (net.start, net.name))
    study.networks += [end for end in both if end not in study.networks]


def attributions(
    net: Tuned, windows: Windows, kinds: Iterable[str] | None = None, *, steps: int
) -> dict[str, FilterAttribution]:
    """{kind: what fine-tuning did by each filter} on the windows of each kind, or of some kinds."""
    return {
        kind: faig(net.model, net.baseline, net.target, windows.lr[kind], windows.hr, steps=steps)
        for kind in kinds or windows.lr
    }


def scores_by_kind(
    net: Tuned, windows: Windows, kinds: Iterable[str] | None = None, *, steps: int
) -> dict[str, Scores]:
    """{kind: FAIG's scores} on the windows of each kind, nothing subtracted yet."""
    found = attributions(net, windows, kinds, steps=steps)
    return {kind: own.scores() for kind, own in found.items()}


def scores_by_ranking(
    net: Tuned,
    attributed: Mapping[str, FilterAttribution],
    windows: Windows,
    *,
    steps: int,
    seed: int,
) -> dict[tuple[str, str], Scores]:
    """{(ranking, kind): scores}: FAIG beyond the other kinds, and its rivals (Xie et al., Tab. 2).

    IG integrates from the "clean" windows to those of the kind; `seed` is that of chance.
    """
    found: dict[tuple[str, str], Scores] = {}
    plain = {kind: own.scores() for kind, own in attributed.items()}
    for kind, own in plain.items():
        others = [plain[other] for other in plain if other != kind]
        lr = windows.lr
        found["FAIG", kind] = discriminative_scores(own, others)
        found["IG", kind] = internal_influence(
            net.model, net.target, lr["clean"], lr[kind], steps=steps
        )
        found["|Δθ|", kind] = weight_change(net.baseline, net.target, own)
        found["random", kind] = random_scores(own, np.random.default_rng((seed, len(found))))
    return found


def flat_scores(scores: Scores) -> np.ndarray:
    """(filters,) of all convolutions, in running order."""
    return np.concatenate([own.cpu().numpy().ravel() for own in scores.values()])
