"""Deep degradation representations: features → points → PCA → t-SNE, and how far they separate.

The method of DDR (Liu et al., Sec. 4): flatten a layer's features, keep 50 principal components,
embed them in two dimensions, and measure how well degradations separate with the
Caliński–Harabasz index. The paper does not state perplexity, scaling or initialization; srlab
fixes 30, no whitening, and the principal components.
"""

import atexit
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from scipy.linalg import orthogonal_procrustes
from sklearn.decomposition import PCA, IncrementalPCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from srlab.capture import capture
from srlab.extras import require
from srlab.networks.layout import laid_out
from srlab.representation.tsne import MOST, STEPS, exact_tsne
from srlab.statistics import middle

Method = Literal["tsne", "umap", "pca"]
METHODS: dict[Method, str] = {"tsne": "t-SNE", "umap": "UMAP", "pca": "PCA"}


def points(features: Tensor) -> np.ndarray:
    """Features (N, C, h, w) as points (N, C·h·w), float32: one point for each image."""
    return features.flatten(1).float().cpu().numpy()


@torch.no_grad()
def features(
    network: nn.Module, lr: Tensor, layers: Sequence[str], *, batch_size: int = 10
) -> dict[str, Tensor]:
    """What `layers` (dotted module names) put out for images (N, 3, h, w): {layer: (N, C, h', w')}.

    On the CPU, in the order asked for; the network runs no further than it must.

    >>> network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 3, 3))
    >>> features(network, torch.rand(5, 3, 16, 16), ["1"])["1"].shape
    torch.Size([5, 8, 14, 14])
    """
    collected: dict[str, list[Tensor]] = {layer: [] for layer in layers}
    images = lr[None] if lr.ndim == 3 else lr
    for batch in laid_out(images, network).split(batch_size):
        with capture(network, layers, stop=True) as found:
            network(batch.clone())  # a foreign network may change its input
        for layer in layers:
            collected[layer].append(found[layer].cpu())
    return {layer: torch.cat(parts) for layer, parts in collected.items()}


def layer_points(
    model: nn.Module, lr: Tensor, layers: Sequence[str], *, batch_size: int = 10
) -> dict[str, np.ndarray]:
    """Points of several layers for images (N, 3, h, w): {layer: (N, C·h·w)}.

    For so many images that these do not fit in memory, see `stream_components`. Raises ValueError
    for a layer that answers alike to unlike images.
    """
    whole = features(model, lr, layers, batch_size=batch_size)
    found = {layer: points(own) for layer, own in whole.items()}
    alike = [layer for layer, own in found.items() if not _differ(own)]
    if alike and (lr != lr[:1]).any():
        raise ValueError(
            f"the output of {', '.join(map(repr, alike))} is the same for all images: nothing can "
            "be told apart there (are all its weights zero?); leave it out of `layers`"
        )
    return found


def principal_components(points: np.ndarray, dimensions: int = 50) -> np.ndarray:
    """The first principal components of (N, D), centred, not whitened: (N, ≤ dimensions).

    Features have far more dimensions than points: the exact components then come from the N × N
    matrix of inner products, which is faster than a decomposition of the points themselves.
    Raises ValueError when all points coincide.
    """
    check_points(points)
    dimensions = min(dimensions, *points.shape)
    if len(points) > points.shape[1]:
        return PCA(dimensions, svd_solver="full").fit_transform(points)
    values, vectors = np.linalg.eigh(inner_products(points, centred=True))
    scores = vectors * np.sqrt(values.clip(min=0))
    return np.ascontiguousarray(scores[:, ::-1][:, :dimensions])


def inner_products(points: np.ndarray, *, centred: bool = False) -> np.ndarray:
    """(N, N) float64 from (N, D), part by part: all that principal components need."""
    products = np.zeros((len(points), len(points)))
    for start in range(0, points.shape[1], 2048):
        part = points[:, start : start + 2048].astype(np.float64)
        if centred:
            part -= part.mean(axis=0)
        products += part @ part.T  # NumPy computes one half of a matrix times its own transpose
    return products


def stream_components(
    batches: Callable[[], Iterable[np.ndarray]], dimensions: int = 50
) -> np.ndarray:
    """Principal components of points that never sit in memory together: (N, dimensions).

    `batches()` yields the (n, D) points from the start, each time it is called, in batches of
    at least `dimensions`. It is read twice: to fit, then to project. Memory grows with
    N·dimensions instead of N·D; components agree with `principal_components` up to their sign
    and the small error of incremental fitting.
    """
    model = IncrementalPCA(dimensions)
    for batch in batches():
        if len(batch) < dimensions:
            raise ValueError(f"a batch of {len(batch)} points cannot fit {dimensions} components")
        with np.errstate(invalid="ignore"):  # shares of a variance of 0, which nobody asks for
            model.partial_fit(batch)
    check_points((model.mean_ + np.sqrt(model.var_) * [[-1], [1]]).astype(batch.dtype))
    return np.concatenate([model.transform(batch) for batch in batches()])


def layer_components(model: nn.Module, lr: Tensor, layers: Sequence[str]) -> dict[str, np.ndarray]:
    """50 principal components of several layers for images (N, 3, h, w): {layer: (N, 50)}."""
    found = layer_points(model, lr, layers)
    return {layer: principal_components(found[layer]) for layer in layers}


def embed(
    found: np.ndarray | Tensor,
    *,
    method: Method = "tsne",
    dimensions: int = 2,
    seed: int = 0,
    perplexity: float = 30.0,
    init: Literal["pca", "random"] = "pca",
) -> np.ndarray:
    """Embed points (N, D), or features (N, C, h, w), after PCA to 50: (N, dimensions) float32.

    `init` and `perplexity` belong to t-SNE; UMAP takes the perplexity as its number of
    neighbours. Random initialization is what makes t-SNE runs of different seeds differ. In more
    than three dimensions t-SNE sums over all pairs of points: give it hundreds, not thousands.

    >>> embed(torch.rand(40, 8, 4, 4), method="pca").shape
    (40, 2)
    """
    given = points(found) if isinstance(found, Tensor) else found
    components = principal_components(given)
    if components.shape[1] < dimensions:
        raise ValueError(
            f"points of shape {given.shape} have {components.shape[1]} principal components, too "
            f"few for {dimensions} dimensions; give more points, or points of more dimensions"
        )
    if method == "pca":
        return components[:, :dimensions].astype(np.float32)
    if method == "tsne":
        shown = _tsne(components, dimensions, perplexity, init, seed)
    elif method == "umap":
        shown = _umap(components, dimensions, int(perplexity), seed)
    else:
        raise ValueError(f"unknown method {method!r}; srlab has {', '.join(METHODS)}")
    return shown.astype(np.float32)


def _tsne(
    components: np.ndarray, dimensions: int, perplexity: float, init: str, seed: int
) -> np.ndarray:
    if perplexity >= len(components):
        raise ValueError(
            f"perplexity {perplexity:g} needs more than {perplexity:g} points, "
            f"got {len(components)}; use more patches or a lower perplexity"
        )
    scaled = _squarable(components).astype(np.float32)
    # for so few points, threads wait for one another far longer than they compute
    with threadpool_limits(1 if len(components) < 2000 else None):
        if dimensions == 2 and len(scaled) <= MOST:
            return exact_tsne(scaled, _start(scaled, init, seed), perplexity=perplexity)
        few = dimensions <= 3  # scikit-learn's trees end there, and so do steps that stay stable
        tsne = TSNE(
            dimensions,
            method="barnes_hut" if few else "exact",
            learning_rate="auto" if few else 10.0,
            perplexity=perplexity,
            init=init,
            max_iter=STEPS,
            random_state=seed,
        )
        return tsne.fit_transform(scaled)


def _start(components: np.ndarray, init: str, seed: int) -> np.ndarray:
    """Places (N, 2) close together, as scikit-learn chooses them."""
    if init == "random":
        return 1e-4 * np.random.RandomState(seed).standard_normal((len(components), 2))
    if init == "pca":
        return 1e-4 * components[:, :2] / components[:, 0].std()
    raise ValueError(f"unknown init {init!r}; t-SNE starts from 'pca' or 'random'")


def _umap(components: np.ndarray, dimensions: int, neighbours: int, seed: int) -> np.ndarray:
    if len(components) < dimensions + 2:
        raise ValueError(
            f"UMAP in {dimensions} dimensions needs at least {dimensions + 2} points, got "
            f"{len(components)}; use more patches, or PCA"
        )
    neighbours = min(neighbours, len(components) - 1)
    umap = _umap_class()(neighbours, dimensions, random_state=seed, n_jobs=1)
    return umap.fit_transform(_squarable(components))


def _squarable(components: np.ndarray) -> np.ndarray:
    """The same on another scale where squares of float32 would vanish or overflow."""
    largest = np.abs(components).max()
    return components if 1e-9 < largest < 1e9 else components / largest


def _umap_class() -> Callable[..., Any]:
    """The class UMAP; compiles for seconds on first import.

    numba keeps what it compiles beside the package or in the user's cache. Where it can write to
    neither, as in a container that another user runs, it gets a folder for as long as we run.
    """
    try:
        return require("umap", "umap").UMAP
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
    folder = tempfile.mkdtemp(prefix="srlab-numba-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    sys.modules["numba"].config.CACHE_DIR = folder
    return require("umap", "umap").UMAP


def align(embedding: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Turn and mirror an embedding (N, 2) so that it lies as close to the reference as it can.

    Embeddings have no orientation of their own; aligned ones can be animated. Distances, and with
    them separability, do not change.
    """
    centred, target = embedding - embedding.mean(axis=0), reference - reference.mean(axis=0)
    rotation, _ = orthogonal_procrustes(centred, target)
    return (centred @ rotation).astype(np.float32)


class Separability(NamedTuple):
    """Dispersion of points within and between their classes, and the index (DDR Sec. 4)."""

    within: float
    between: float
    index: float  # type: ignore[assignment]  # Caliński–Harabasz; shadows tuple.index on purpose


def separability(points: np.ndarray, labels: Sequence | np.ndarray) -> Separability:
    """Caliński–Harabasz index BD/WD · (N−K)/(K−1) of points (N, D) with K distinct labels (N,).

    Infinite when all points of each label coincide; ValueError when all points do.
    """
    check_points(points)
    labels = np.asarray(labels)
    names, own = np.unique(labels, return_inverse=True)
    if len(labels) != len(points) or not 1 < len(names) < len(points):
        raise ValueError(
            f"{len(points)} points with {len(labels)} labels in {len(names)} groups: separability "
            "needs a label for each point, at least two groups, and fewer groups than points"
        )
    points = points.astype(np.float64)
    counts = np.bincount(own)
    centres = np.stack([points[own == group].mean(axis=0) for group in range(len(names))])
    within = float(((points - centres[own]) ** 2).sum())
    between = float((counts * ((centres - points.mean(axis=0)) ** 2).sum(axis=1)).sum())
    ratio = between / within if within else np.inf
    return Separability(within, between, ratio * (len(points) - len(names)) / (len(names) - 1))


def separability_draws(
    points: np.ndarray,
    labels: Sequence | np.ndarray,
    groups: Sequence | np.ndarray,
    *,
    draws: int = 500,
    seed: int = 0,
) -> np.ndarray:
    """The index in bootstrap draws (draws,): whole `groups` (contents) drawn with replacement.

    Equal groups and seed give equal draws, so that two sets of points can be compared draw by draw.
    Where the labels are the groups, every copy of a group is a label of its own.
    """
    separability(points, labels)  # refuses what has no index
    names, own = np.unique(np.asarray(groups), return_inverse=True)
    drawn = np.random.default_rng(seed).integers(len(names), size=(draws, len(names)))
    times = np.stack([np.bincount(row, minlength=len(names)) for row in drawn])[:, own]
    points = points - points.mean(axis=0, dtype=np.float64)  # sums of squares stay small
    lengths = (points**2).sum(axis=1)
    labels, count = np.asarray(labels), times.sum(axis=1)
    within, between, kinds = np.zeros(draws), -((times @ points) ** 2).sum(axis=1) / count, 0
    for name in np.unique(labels):
        weights = times * (labels == name)
        number = np.maximum(weights.sum(axis=1), 1)
        spread = ((weights @ points) ** 2).sum(axis=1) / number
        within, between = within + weights @ lengths - spread, between + spread
        kinds = kinds + weights.any(axis=1)
    if _same_parts(own, labels):
        kinds = len(names)
    return between / within * (count - kinds) / (kinds - 1)


def _same_parts(one: np.ndarray, other: np.ndarray) -> bool:
    """Do two labellings (N,) part the points alike?"""
    pairs = set(zip(one.tolist(), other.tolist(), strict=True))
    return len(pairs) == len(np.unique(one)) == len(np.unique(other))


def separability_interval(
    points: np.ndarray,
    labels: Sequence | np.ndarray,
    groups: Sequence | np.ndarray,
    *,
    draws: int = 500,
) -> tuple[float, float]:
    """95 % bootstrap interval of the index: whole `groups` (contents) drawn with replacement."""
    values = separability_draws(points, labels, groups, draws=draws)
    return middle(values, nan_policy="omit")


def separability_ratio(
    points: np.ndarray,
    labels: Sequence | np.ndarray,
    others: Sequence | np.ndarray,
    groups: Sequence | np.ndarray,
    *,
    draws: int = 500,
) -> tuple[float, float, float]:
    """How many times the index by `labels` is that by `others`, and its 95 % bootstrap interval.

    (ratio, low, high): above 1 the points (N, D) are sorted by `labels` rather than by `others`.
    Both indices are taken from the same draws of whole `groups`.
    """
    ratio = separability(points, labels).index / separability(points, others).index
    above, below = (
        separability_draws(points, kind, groups, draws=draws) for kind in (labels, others)
    )
    return ratio, *middle(above / below, nan_policy="omit")


def separability_level(index: float) -> str:
    """DDR's shorthand: − below 20, + below 100, ++ below 500, +++ from there."""
    if np.isnan(index):
        raise ValueError("the index is NaN, which is no level: separability was not measured")
    return ["−", "+", "++", "+++"][int(np.searchsorted([20, 100, 500], index, side="right"))]


def check_points(points: np.ndarray) -> None:
    """Refuse what is no table of finite points (N, D), or says the same of all images."""
    spoilt = "" if np.isfinite(points).all() else " with NaN or infinity"
    if points.ndim != 2 or spoilt:
        raise ValueError(f"expected finite points (N, D), got shape {points.shape}{spoilt}")
    if not _differ(points):
        raise ValueError(
            "all points coincide: there is nothing to embed or to separate. Features that do not "
            "depend on the image come from a layer whose weights are all zero"
        )


def _differ(points: np.ndarray) -> bool:
    """Does any coordinate vary by more than its rounding?"""
    high, low = points.max(axis=0), points.min(axis=0)
    rounding = 16 * np.finfo(np.result_type(points, np.float32)).eps
    return bool((high - low > rounding * np.maximum(high, -low)).any())
