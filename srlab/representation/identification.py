"""Which distortion is it? Linear classification of features, pictures kept apart (DDR, Sec. 5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from sklearn.decomposition import KernelPCA
from sklearn.model_selection import GridSearchCV, GroupKFold, GroupShuffleSplit
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from srlab.representation.embedding import check_points, inner_products

Split = tuple[np.ndarray, np.ndarray]  # rows to train on, rows to judge on
PENALTIES = {"C": [0.1, 1.0, 10.0, 100.0, 1000.0]}


@dataclass(frozen=True)
class Identification:
    """What a classifier answered about each image while its picture was unseen."""

    names: tuple[str, ...]  # K classes
    votes: np.ndarray  # (N, K): how often, over the splits, image i was called k
    accuracy: np.ndarray  # (S,): share right in each split

    def confusion(self, labels: np.ndarray) -> np.ndarray:
        """(K, K): of the true class in the row, the share called as in the column."""
        table = np.stack([self.votes[labels == name].sum(axis=0) for name in self.names])
        return table / table.sum(axis=1, keepdims=True)

    def right(self, labels: np.ndarray, chosen: np.ndarray) -> float:
        """Share of right answers about the `chosen` images (a mask)."""
        own = np.array([self.names.index(label) for label in labels])
        return float(self.votes[np.arange(len(own)), own][chosen].sum() / self.votes[chosen].sum())

    def by_content(self, labels: np.ndarray, contents: np.ndarray) -> np.ndarray:
        """(P,) share of right answers about each content that was unseen in a split, in order."""
        seen = contents[self.votes.any(axis=1)]
        return np.array([self.right(labels, contents == name) for name in np.unique(seen)])


def content_splits(
    contents: Sequence[str] | np.ndarray, *, count: int = 20, share: float = 1 / 3, seed: int = 0
) -> list[Split]:
    """Random splits with `share` of the pictures to judge on; none is on both sides."""
    if (number := len(np.unique(contents))) < 5:
        raise ValueError(f"splits by picture need at least 5 pictures, got {number}")
    splitter = GroupShuffleSplit(count, test_size=share, random_state=seed)
    return list(splitter.split(np.zeros(len(contents)), groups=contents))


def identify(
    points: np.ndarray,
    labels: np.ndarray,
    contents: np.ndarray,
    splits: Sequence[Split],
    *,
    components: int | None = None,
    kernel: Literal["linear", "rbf"] = "linear",
) -> Identification:
    """Classify points (N, D) by a support vector machine, once a split.

    With `components` they are reduced to so many principal components of the split's training
    rows; without, each of the D values is standardised on these. The penalty is chosen on the
    training rows alone, by threefold validation that keeps pictures apart too.
    """
    check_points(points)
    if not len(points) == len(labels) == len(contents):
        raise ValueError(
            f"expected points (N, D) with N labels and N contents, got {points.shape}, "
            f"{len(labels)} and {len(contents)}"
        )
    names = tuple(dict.fromkeys(labels.tolist()))
    own = np.array([names.index(label) for label in labels])
    products = inner_products(points) if components else np.empty(0)
    votes, accuracy = np.zeros((len(points), len(names)), int), []
    for train, test in splits:
        if components:
            known, unseen = unseen_components(products, train, test, components)
        else:
            scale = StandardScaler().fit(points[train])
            known, unseen = scale.transform(points[train]), scale.transform(points[test])
        machine = GridSearchCV(SVC(kernel=kernel), PENALTIES, cv=GroupKFold(3))
        called = machine.fit(known, own[train], groups=contents[train]).predict(unseen)
        votes[test, called] += 1
        accuracy.append(float((called == own[test]).mean()))
    return Identification(names, votes, np.array(accuracy))


def unseen_components(
    products: np.ndarray, train: np.ndarray, test: np.ndarray, dimensions: int
) -> tuple[np.ndarray, np.ndarray]:
    """Principal components of the training rows, and the test rows projected on them.

    From inner products (N, N). Both are divided by one number, the training rows' root mean
    square length, so that features of any size meet a classifier alike.
    """
    inside, across = products[np.ix_(train, train)], products[np.ix_(test, train)]
    kernel = {"kernel": "precomputed", "eigen_solver": "dense", "remove_zero_eig": True}
    machine = KernelPCA(dimensions, **kernel).fit(inside)  # N rows span N − 1 dimensions
    length = np.sqrt(np.trace(inside) / len(train) - inside.mean())
    return machine.transform(inside) / length, machine.transform(across) / length
