"""What a blind network's degradation codes tell: probes, neighbours, shares of variance, reach.

Codes are points (N, D), one for each image, as `BlindSuperResolver.represent` gives them. Pictures
are kept apart in every question: a code must not be recognized by what its picture shows.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from scipy.stats import entropy
from sklearn.metrics import r2_score
from sklearn.model_selection import GroupKFold
from torch import Tensor

from srlab.degradations.windows import Windows
from srlab.models.degradation_aware import BlindSuperResolver
from srlab.representation.embedding import separability
from srlab.studies.redsr.intervals import by_picture
from srlab.training.code_losses import energy_distance, prior_draws

PENALTIES = np.logspace(-3, 6, 19)  # the last ones leave nothing but the mean
FLOOR = 1e-3  # of the widest dimension's deviation: a constant one must not be blown up

Labels = Sequence | np.ndarray


@torch.no_grad()
def codes_of(model: BlindSuperResolver, lr: Tensor, *, batch_size: int = 32) -> np.ndarray:
    """Images (N, 3, h, w) → codes (N, D) float32."""
    return torch.cat([model.represent(part) for part in lr.split(batch_size)]).cpu().numpy()


def linear_probe(codes: np.ndarray, values: np.ndarray, contents: Labels) -> float:
    """R² of `values` (N,) or (N, V) read off codes (N, D) by a ridge regression.

    Each fifth of the pictures (`contents`, N names) is predicted from the others, which also choose
    the penalty by predicting one another; 1 is perfect, 0 no better than their mean, below 0 worse.
    """
    _check(codes, values, contents)
    if len(np.unique(contents)) < 3:
        raise ValueError(
            "a probe needs codes of at least 3 pictures: one to predict, two to learn from"
        )
    contents, scaled = np.asarray(contents), _scaled(codes).astype(np.float64)
    targets = np.asarray(values, np.float64).reshape(len(codes), -1)
    guessed = np.empty_like(targets)
    for own, other in _by_picture(contents):
        told = scaled[own], targets[own]
        best = _best_penalty(*told, contents[own])
        guessed[other] = _ridges(*told, scaled[other], PENALTIES[[best]])[0]
    return float(r2_score(targets, guessed))


def _best_penalty(codes: np.ndarray, targets: np.ndarray, contents: np.ndarray) -> int:
    """Index of the penalty under which pictures predict other pictures best."""
    guessed = np.empty((len(PENALTIES), *targets.shape))
    for own, other in _by_picture(contents):
        guessed[:, other] = _ridges(codes[own], targets[own], codes[other], PENALTIES)
    return int(np.argmax([r2_score(targets, guess) for guess in guessed]))


def _by_picture(contents: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(rows to learn from, rows to predict): up to five parts, no picture in two of them."""
    parts = GroupKFold(min(5, len(np.unique(contents))))
    yield from parts.split(contents, groups=contents)


def _ridges(
    codes: np.ndarray, targets: np.ndarray, others: np.ndarray, penalties: np.ndarray
) -> np.ndarray:
    """(N, D), (N, V), (M, D) → (P, M, V): what ridge regressions under P penalties predict."""
    centre, mean = codes.mean(axis=0), targets.mean(axis=0)
    left, spread, right = np.linalg.svd(codes - centre, full_matrices=False)
    shrunk = spread / (spread**2 + penalties[:, None])  # (P, rank)
    weights = right.T @ (shrunk[:, :, None] * (left.T @ (targets - mean)))
    return (others - centre) @ weights + mean


def neighbour_purity(
    codes: np.ndarray, labels: Labels, contents: Labels, *, neighbours: int = 10
) -> np.ndarray:
    """Of each code, the share of its nearest *of other pictures* with the same label: (N,).

    1 is perfect. Chance is the labels' share among the others: 1/K for K labels of equal size.
    """
    _check(codes, labels, contents)
    labels, contents = np.asarray(labels), np.asarray(contents)
    distances = np.square(codes[:, None] - codes[None]).sum(axis=2)
    distances[contents[:, None] == contents[None]] = np.inf
    others = np.isfinite(distances).sum(axis=1).min()
    if neighbours > others:
        raise ValueError(
            f"{neighbours} neighbours were asked for, and a code has {others} of other pictures; "
            "ask for fewer or give more pictures"
        )
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :neighbours]
    return (labels[nearest] == labels[:, None]).mean(axis=1)


def gathering(codes: np.ndarray, seen: Windows) -> np.ndarray:
    """`neighbour_purity` of the codes of `seen.stacked` by kind, picture by picture: (P,)."""
    pictures = seen.picture_labels
    return by_picture(neighbour_purity(codes, seen.kind_labels, pictures), pictures)


class CodeSeparation(NamedTuple):
    """How far codes sort images by their degradation."""

    probe: float  # R², see `linear_probe`
    purity: float  # see `neighbour_purity`, the mean of all codes
    chi: float  # Caliński–Harabasz index of the codes themselves, no projection


def code_separation(codes: np.ndarray, seen: Windows, values: np.ndarray) -> CodeSeparation:
    """Three views of one question: codes (N, D) of `seen.stacked`, what varies (N,) or (N, V)."""
    kinds, pictures = seen.kind_labels, seen.picture_labels
    return CodeSeparation(
        linear_probe(codes, values, pictures),
        float(neighbour_purity(codes, kinds, pictures).mean()),
        separability(codes, kinds).index,
    )


class VarianceShares(NamedTuple):
    """What the variance of codes goes back to; the three add up to 1."""

    degradation: float
    content: float
    rest: float  # of neither alone


def variance_shares(codes: np.ndarray, degradations: Labels, contents: Labels) -> VarianceShares:
    """Two-way analysis of variance of codes (N, D), summed over their dimensions.

    Every content must appear under every degradation equally often: then the means of the one do
    not depend on the other.
    """
    _check(codes, degradations, contents)
    pairs, counts = np.unique(
        np.stack([np.asarray(degradations, str), np.asarray(contents, str)]),
        axis=1,
        return_counts=True,
    )
    kinds, pictures = (len(np.unique(row)) for row in pairs)
    if pairs.shape[1] != kinds * pictures or len(set(counts.tolist())) > 1:
        raise ValueError(
            f"each of {pictures} contents must appear under each of {kinds} degradations equally "
            f"often; of {kinds * pictures} pairs {pairs.shape[1]} appear, {counts.min()} to "
            f"{counts.max()} times"
        )
    centred = codes - codes.mean(axis=0, dtype=np.float64)
    whole = np.square(centred).sum()
    if not whole:
        raise ValueError("all codes are the same: there is no variance to share out")
    degradation, content = (
        _between(centred, np.asarray(own)) / whole for own in (degradations, contents)
    )
    return VarianceShares(degradation, content, 1 - degradation - content)


def _between(centred: np.ndarray, labels: np.ndarray) -> float:
    """Sum of squares of the labels' means (of centred codes), each as often as it appears."""
    parts = (centred[labels == name] for name in np.unique(labels))
    return float(sum(len(own) * np.square(own.mean(axis=0)).sum() for own in parts))


def effective_rank(codes: np.ndarray) -> float:
    """exp of the entropy of the variance in each principal direction (Roy & Vetterli 2007): 1 to D.

    How many dimensions a cloud of codes (N, D) fills; a collapsed one fills few.
    """
    if len(codes) < 2 or not np.isfinite(codes).all():
        raise ValueError("a rank needs at least 2 finite codes")
    variances = np.linalg.svd(codes - codes.mean(axis=0), compute_uv=False).astype(np.float64) ** 2
    if not variances.any():
        raise ValueError("all codes are the same: they fill no dimension")
    return float(np.exp(entropy(variances)))


class Filling(NamedTuple):
    """How far a cloud of codes fills the space of its prior."""

    distance: float  # see `prior_distance`, scaled: 0 where it has the prior's shape
    rank: float  # see `effective_rank`, as a share of the dimensions: 1 where all vary alike


def filling(codes: np.ndarray, prior: str) -> Filling:
    """Of codes (N, D), whatever their length."""
    distance = prior_distance(codes, prior, scaled=True)
    return Filling(distance, effective_rank(codes) / codes.shape[1])


def prior_distance(codes: np.ndarray, prior: str, *, scaled: bool = False) -> float:
    """Energy distance of codes (N, D) to a prior of `prior_draws`: 0 where they fill it as it is.

    The unbiased (U-)statistic, which may fall below 0 by chance. `scaled` asks for the shape alone:
    each dimension is first given the prior's mean and deviation, and the distance, which grows with
    the number of dimensions as √D, is divided by that; so codes of different lengths compare.
    """
    points = prior_draws(prior, 400, codes.shape[1], np.random.default_rng(0))
    if scaled:
        codes = _scaled(codes) + (prior == "exponential")  # the only one with a mean, of 1
    distance = float(energy_distance(torch.from_numpy(codes).float(), points, statistic="U"))
    return distance / codes.shape[1] ** 0.5 if scaled else distance


def _scaled(codes: np.ndarray) -> np.ndarray:
    """Centred, each dimension divided by its deviation, that of a nearly constant one floored."""
    deviation = codes.std(axis=0)
    return (codes - codes.mean(axis=0)) / np.maximum(deviation, FLOOR * max(deviation.max(), 1e-12))


def _check(codes: np.ndarray, values: Labels, contents: Labels) -> None:
    if codes.ndim != 2 or not len(codes) == len(values) == len(contents):
        raise ValueError(
            f"expected codes (N, D) with N values and N contents, got {codes.shape}, "
            f"{len(values)} and {len(contents)}"
        )
    if not np.isfinite(codes).all():
        raise ValueError("the codes hold NaN or infinity: which image gave them?")
    if len(np.unique(contents)) < 2:
        raise ValueError(
            "codes of at least 2 pictures are needed: a probe must not know the picture"
        )
