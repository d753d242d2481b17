"""Telling a picture's degradation from the filters that matter on it (FAIG, Sec. 5.3)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from torch import Tensor, nn

from srlab.attribution.faig import FilterAttribution, Masks, overlap_score, top_filters
from srlab.degradations.windows import Windows
from srlab.representation.embedding import layer_points
from srlab.representation.identification import identify
from srlab.studies.faig.outputs import restored
from srlab.studies.faig.rankings import attributions
from srlab.studies.networks import Tuned


@dataclass(frozen=True)
class Prediction:
    """What N windows were taken for, by the names of degradations."""

    truth: np.ndarray  # (N,)
    called: np.ndarray  # (N,)
    scores: dict[str, np.ndarray] = field(default_factory=dict)  # overlap with each one's filters
    thresholds: dict[str, float] = field(default_factory=dict)

    @property
    def accuracy(self) -> float:
        """The share of windows that are called rightly."""
        return float((self.called == self.truth).mean())

    def detected(self, name: str) -> np.ndarray:
        """(N,) whether the detector is right that says whether `name` is there."""
        return (self.scores[name] > self.thresholds[name]) == (self.truth == name)


def predict_by_filters(
    nets: Sequence[Tuned],
    masks: Sequence[Mapping[str, Masks]],
    known: Windows,
    unseen: Windows,
    *,
    fraction: float,
    steps: int,
    original: bool = True,
) -> list[Prediction]:
    """Of unseen windows by each network: how its filters for each degradation overlap with theirs.

    One threshold a degradation is set for all networks, on the known windows. Without the
    `original` the loss is measured against the target's own output.
    """

    def overlaps(windows: Windows) -> list[dict[str, np.ndarray]]:
        """For each network {degradation: (N·K,)}, kind after kind."""
        scores = []
        for net, own in zip(nets, masks, strict=True):
            found: list[FilterAttribution] = []
            for kind in own:
                hr = windows.hr if original else restored(net.model, net.target, windows.lr[kind])
                found += attributions(net, replace(windows, hr=hr), [kind], steps=steps).values()
            scores.append(
                {
                    name: np.concatenate([overlap_scores(one, mask, fraction) for one in found])
                    for name, mask in own.items()
                }
            )
        return scores

    names = [*masks[0]]
    present = np.tile(np.repeat(names, len(known)), len(nets))
    on_known = overlaps(known)
    thresholds = {
        name: best_threshold(np.concatenate([own[name] for own in on_known]), present == name)
        for name in names
    }
    truth = np.repeat(names, len(unseen))
    return [
        Prediction(truth, called(scores, thresholds), scores, thresholds)
        for scores in overlaps(unseen)
    ]


def predict_by_features(
    model: nn.Module, layer: str, kinds: Sequence[str], known: Iterable[Windows], unseen: Windows
) -> Prediction:
    """Of unseen windows, by a linear classifier that learns from the known ones.

    It sees mean and deviation of each channel behind a layer.
    """
    points, labels, contents = [], [], []
    for number, part in enumerate([*known, unseen]):
        for kind in kinds:
            points.append(_channel_statistics(model, layer, part.lr[kind]))
            labels += [kind] * len(part)
            contents += [f"{number} {name}" for name in part.pictures]
    rows, asked = np.arange(len(labels)), len(kinds) * len(unseen)
    split = (rows[:-asked], rows[-asked:])
    found = identify(np.concatenate(points), np.array(labels), np.array(contents), [split])
    names = np.array(found.names)[found.votes[split[1]].argmax(axis=1)]
    return Prediction(np.array(labels)[split[1]], names)


def _channel_statistics(model: nn.Module, layer: str, lr: Tensor) -> np.ndarray:
    """(N, 2·C): mean and deviation of each channel behind a layer."""
    maps = layer_points(model, lr, [layer])[layer].reshape(len(lr), -1, lr[0, 0].numel())
    return np.concatenate([maps.mean(axis=-1), maps.std(axis=-1)], axis=1)


def overlap_scores(
    attribution: FilterAttribution, discriminative: Masks, fraction: float
) -> np.ndarray:
    """(N,) overlap of each image's own top filters with the `discriminative` ones (Eq. 8)."""
    return np.array(
        [
            overlap_score(top_filters(attribution.scores([index]), fraction), discriminative)
            for index in range(len(attribution.start))
        ]
    )


def best_threshold(scores: np.ndarray, present: np.ndarray) -> float:
    """The threshold on scores (N,) that tells images with a degradation from those without.

    `present` (N,) says which have it. Both kinds of image count equally; of equally good
    thresholds it is the middle one.
    """
    if present.all() or not present.any():
        raise ValueError("a threshold needs images with the degradation and images without it")
    values = np.unique(scores)
    between = np.concatenate([values[:1] - 1e-6, (values[1:] + values[:-1]) / 2])
    hits = [(scores[present] > t).mean() + (scores[~present] <= t).mean() for t in between]
    best = np.flatnonzero(np.isclose(hits, max(hits)))
    return float(between[best[len(best) // 2]])


def called(scores: Mapping[str, np.ndarray], thresholds: Mapping[str, float]) -> np.ndarray:
    """(N,) names of the degradations whose score exceeds its threshold by most, or misses least."""
    names = list(scores)
    margins = np.stack([scores[name] - thresholds[name] for name in names])
    return np.array(names)[margins.argmax(axis=0)]
