"""Filter attribution (FAIG; Xie et al., NeurIPS 2021): which filters learned to undo what.

A filter is one K×K slice of a convolution's weight. Scores are {convolution: (out, in)} and masks
the same of bools, both in the order in which the network runs its convolutions.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from srlab.attribution.integral import AdaptivePath, Path, Tree, integrate, tell_inexact
from srlab.attribution.paths import line
from srlab.capture import capture, frozen
from srlab.images import check_images
from srlab.networks.layout import laid_out
from srlab.networks.state_dicts import few, misfit

Weights = Mapping[str, Tensor]  # a state dict
Scores = dict[str, Tensor]  # {convolution: (out, in)}
Masks = dict[str, Tensor]  # {convolution: (out, in)} of bools
# At 2 % (21 gradients) the top 1 % of filters of three pairs of Set14 windows are to 99 % those
# of 200 midpoints, for blur and for noise; at 5 % (17 gradients) one pair shares only 98.6 %.
FILTER_TOLERANCE = 0.02
CAUSES = "weights that act folded into others and were not folded anew"
Layers = Callable[[str], bool]  # whether the convolution of that name takes part


@dataclass(frozen=True)
class FilterAttribution:
    """What the change of each filter did to the loss of each of N images."""

    signed: Scores  # {convolution: (N, out, in)}, Σ over K×K; negative where it lowered the loss
    magnitude: Scores  # {convolution: (N, out, in)}, Σ |·| over K×K, which FAIG ranks by
    start: np.ndarray  # (N,) loss of the baseline
    end: np.ndarray  # (N,) loss of the target
    completeness_error: np.ndarray  # (N,) |Σ all weights − (end − start)| / |end − start|
    filter_error: np.ndarray  # (N,) expected Σ |error| / Σ |attribution| of the filters' entries

    @property
    def error(self) -> float:
        """Of completeness over all images, so that one whose loss hardly changes does not rule."""
        change = np.abs(self.end - self.start)
        return float((self.completeness_error * change).sum() / change.sum())

    def scores(self, images: Sequence[int] | np.ndarray | slice = slice(None)) -> Scores:
        """Mean magnitude over all images, or over some: `scores([3])` are those of one."""
        return {name: own[images].mean(dim=0) for name, own in self.magnitude.items()}

    def top(
        self,
        fraction: float,
        *,
        beyond: Sequence["FilterAttribution"] = (),
        layers: Layers | None = None,
    ) -> Masks:
        """The filters that matter most, as masks; `beyond` what they do for other degradations."""
        scores = self.scores()
        if beyond:
            scores = discriminative_scores(scores, [other.scores() for other in beyond])
        return top_filters(scores, fraction, layers=layers)


def faig(
    network: nn.Module,
    baseline_weights: Weights,
    target_weights: Weights,
    lr: Iterable[Tensor],
    hr: Iterable[Tensor],
    *,
    rule: str | None = None,
    steps: int | None = None,
    tolerance: float = FILTER_TOLERANCE,
) -> FilterAttribution:
    """FAIG (Eq. 3–6): the loss's gradient along the line between the weights, times their change.

    The loss is ‖network(lr) − hr‖². `lr` and `hr` are (N, 3, h, w) and (N, 3, H, W), or iterables
    of (3, h, w) and (3, H, W) of any sizes: large images then count more. All parameters move
    along the path, biases too; only filters are scored. Of `network` the architecture is used: its
    own weights and mode stay as they are. Gradients are taken until the expected error of the
    filters' entries falls to `tolerance`; `steps` fixes their number: the public code is
    rule="right", steps=100. Warns (`InexactWarning`) where the tolerance is missed or the loss not
    explained.

    >>> network = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1))
    >>> before = network.state_dict()
    >>> after = {name: 1.1 * own for name, own in before.items()}
    >>> blurred, noisy, hr = torch.rand(3, 2, 3, 16, 16)
    >>> blur = faig(network, before, after, blurred, hr, steps=8)
    >>> noise = faig(network, before, after, noisy, hr, steps=8)
    >>> deblurring = blur.top(0.1, beyond=[noise])
    >>> filter_count(deblurring)
    1
    """
    ends = [parameters_of(network, weights) for weights in (baseline_weights, target_weights)]
    buffers = _common_buffers(network, baseline_weights, target_weights)
    if all(torch.equal(*pair) for pair in zip(*(end.values() for end in ends), strict=True)):
        raise ValueError("baseline and target weights are identical: there is no change to explain")
    path = line(*ends, rule=rule, steps=steps, tolerance=tolerance)
    result = _attributed(network, buffers, path, zip(lr, hr, strict=True))
    tell_inexact(float(result.filter_error.max()), result.error, path.tolerance, causes=CAUSES)
    return result


def _attributed(
    network: nn.Module,
    buffers: dict[str, Tensor],
    path: Path | AdaptivePath,
    pairs: Iterable[tuple[Tensor, Tensor]],
) -> FilterAttribution:
    """The integral of each pair's loss, by filters."""
    names: tuple[str, ...] = ()
    found = []

    def filters(weights: Tree) -> Tensor:
        return torch.cat([weights[f"{name}.weight"].flatten() for name in names])

    with frozen(network):
        for lr, hr in pairs:
            names = names or convolutions(network, lr[None])
            found.append(integrate(_loss(network, buffers, lr, hr), path, shown=filters))
    if not found:
        raise ValueError("there is no image to attribute")
    entries = {
        name: torch.stack([own.attribution[f"{name}.weight"] for own in found]) for name in names
    }
    return FilterAttribution(
        signed={name: own.sum(dim=(-2, -1)) for name, own in entries.items()},
        magnitude={name: own.abs().sum(dim=(-2, -1)) for name, own in entries.items()},
        start=np.array([own.start for own in found]),
        end=np.array([own.end for own in found]),
        completeness_error=np.array([own.completeness_error for own in found]),
        filter_error=np.array([own.error for own in found]),
    )


@torch.no_grad()
def convolutions(model: nn.Module, lr: Tensor) -> tuple[str, ...]:
    """Names of the two-dimensional convolutions in the order in which lr (B, 3, h, w) meets them.

    A transposed one has filters (in, out), one of g groups (out, in/g), as PyTorch stores them.
    """
    kinds = (nn.Conv2d, nn.ConvTranspose2d)
    candidates = [name for name, module in model.named_modules() if isinstance(module, kinds)]
    with capture(model, candidates) as features:
        model(lr.clone())
    learned = dict(model.named_parameters())
    if hidden := [name for name in features if f"{name}.weight" not in learned]:
        raise ValueError(
            f"the weight of {hidden[0]!r} is shared or reparametrised; give every convolution a "
            "weight of its own (torch.nn.utils.parametrize.remove_parametrizations)"
        )
    if not features:
        raise ValueError("the network runs no torch.nn.Conv2d: there are no filters to score")
    return tuple(features)


def parameters_of(model: nn.Module, weights: Weights) -> dict[str, Tensor]:
    """The parameters in a state dict, typed and placed as the model's; refuses what does not fit.

    Buffers must be there and are left out.
    """
    if wrong := misfit(model, weights):
        raise ValueError(wrong)
    if spoilt := [name for name, own in weights.items() if not torch.isfinite(own).all()]:
        raise ValueError(f"weights hold NaN or infinity: {few(spoilt)}")
    return {name: weights[name].detach().to(like) for name, like in model.named_parameters()}


def buffers_of(model: nn.Module, weights: Weights) -> dict[str, Tensor]:
    """The buffers in a state dict that fits, typed and placed as the model's."""
    return {name: weights[name].to(own) for name, own in model.named_buffers() if name in weights}


def _common_buffers(model: nn.Module, baseline: Weights, target: Weights) -> dict[str, Tensor]:
    """Buffers do not move along the path, so those with decimals must agree."""
    buffers, others = buffers_of(model, target), buffers_of(model, baseline)
    for name, own in buffers.items():
        if own.is_floating_point() and not torch.equal(own, others[name]):
            raise ValueError(
                f"buffer {name!r} differs between baseline and target, and no gradient can explain "
                "that; fold batch normalisation into the convolutions before it"
            )
    return buffers


def _loss(
    model: nn.Module, buffers: dict[str, Tensor], lr: Tensor, hr: Tensor
) -> Callable[[dict[str, Tensor]], Tensor]:
    """Parameters → ‖model(lr) − hr‖² for one image (3, h, w)."""
    lr, hr = check_images(lr)[None], check_images(hr)[None]

    def value(parameters: dict[str, Tensor]) -> Tensor:
        given = laid_out(lr.clone(), model)  # a foreign network may write into its input
        weights = {name: laid_out(own, model) for name, own in parameters.items()}
        sr = functional_call(model, buffers | weights, (given,))
        if sr.shape != hr.shape:
            raise ValueError(
                f"the network turns lr {tuple(lr.shape)} into {tuple(sr.shape)}, "
                f"but hr is {tuple(hr.shape)}"
            )
        return (sr - hr).square().sum()

    return value


def inner_layers(names: Iterable[str]) -> Layers:
    """Those between the first and the last convolution; `names` (or scores) in running order."""
    inner = set(list(names)[1:-1])
    return lambda name: name in inner


def discriminative_filters(scores: Scores, others: Sequence[Scores], fraction: float) -> Masks:
    """The filters that matter most for one degradation beyond what they do for others (Eq. 7).

    `others` are the scores under each other degradation, whose mean is subtracted. With two
    degradations in all, the two rankings are therefore each other's reverse.
    """
    return top_filters(discriminative_scores(scores, others), fraction)


def discriminative_scores(scores: Scores, others: Sequence[Scores]) -> Scores:
    """`scores` minus the mean of `others`."""
    if isinstance(others, Mapping) or not others:
        raise ValueError(
            "others is a list of scores, one for each other degradation; "
            "without any, rank the scores themselves by top_filters(scores, fraction)"
        )
    for other in others:
        _check_alike(scores, other)
    return {
        name: own - torch.stack([other[name] for other in others]).mean(dim=0)
        for name, own in scores.items()
    }


def filters_by_degradation(scores: Mapping[str, Scores], fraction: float) -> dict[str, Masks]:
    """`discriminative_filters` of each degradation against all the others.

    >>> filters_by_degradation({"blur": blur, "noise": noise, "JPEG": jpeg}, 0.01)["noise"]
    """
    others = {name: [own for key, own in scores.items() if key != name] for name in scores}
    return {n: discriminative_filters(own, others[n], fraction) for n, own in scores.items()}


def top_filters(scores: Scores, fraction: float, *, layers: Layers | None = None) -> Masks:
    """The given fraction, rounded and at least one, of all filters in `layers`, by highest score.

    Equal scores fall to the filter that comes first.
    """
    check_fraction(fraction)
    chosen = [name for name in scores if layers is None or layers(name)]
    if not chosen:
        raise ValueError(f"no layer is chosen of {few(scores)}")
    flat = torch.cat([scores[name].flatten() for name in chosen])
    if flat.isnan().any():
        raise ValueError("scores hold NaN, which has no rank")
    best = flat.argsort(descending=True, stable=True)[: max(1, round(fraction * len(flat)))]
    taken = torch.zeros_like(flat, dtype=torch.bool)
    taken[best] = True
    parts = taken.split([scores[name].numel() for name in chosen])
    masks = {name: torch.zeros_like(own, dtype=torch.bool) for name, own in scores.items()}
    return masks | {n: own.reshape(scores[n].shape) for n, own in zip(chosen, parts, strict=True)}


def check_fraction(fraction: float) -> None:
    """Refuse what is no share of the filters."""
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction lies in (0, 1], 0.01 for one per cent; got {fraction}")


def masked_weights(
    target_weights: Weights, baseline_weights: Weights, masks: Masks, *, strength: float = 1.0
) -> dict[str, Tensor]:
    """The target's weights with the masked filters moved back to the baseline's by `strength`.

    1 is the paper's masking, 0 leaves the target, values outside exaggerate. Biases, and all that
    is no filter, stay the target's. Masks of several degradations are applied one after another.

    >>> before, after = ({"0.weight": torch.full((2, 3, 3, 3), value)} for value in (0.0, 1.0))
    >>> masks = {"0": torch.tensor([[True, False, False], [False, False, False]])}
    >>> masked_weights(after, before, masks)["0.weight"].sum(dim=(2, 3))
    tensor([[0., 9., 9.],
            [9., 9., 9.]])
    """
    merged = dict(target_weights)
    for name, mask in masks.items():
        key = f"{name}.weight"
        if key not in target_weights or key not in baseline_weights:
            raise ValueError(f"there is a mask for {name!r}, but no {key!r} in the weights")
        target, baseline = target_weights[key], baseline_weights[key].to(target_weights[key])
        if not target.shape == baseline.shape == (*mask.shape, *target.shape[2:]):
            raise ValueError(
                f"{key!r} is {tuple(target.shape)} in the target and {tuple(baseline.shape)} in "
                f"the baseline, its mask {tuple(mask.shape)}"
            )
        moved = torch.lerp(target, baseline, strength)
        merged[key] = torch.where(mask.to(target.device)[..., None, None], moved, target)
    return merged


def overlap_score(masks: Masks, discriminative: Masks) -> float:
    """The share of the filters in `masks` that are `discriminative` too (Eq. 8), 0 to 1.

    To predict an image's degradation, `masks` are its own `top_filters`.
    """
    _check_alike(masks, discriminative)
    if not (count := filter_count(masks)):
        raise ValueError("there is no filter whose overlap could be taken")
    return filter_count({n: own & discriminative[n] for n, own in masks.items()}) / count


def filter_count(masks: Masks) -> int:
    """How many filters are chosen."""
    return sum(int(mask.sum()) for mask in masks.values())


def filter_depths(masks: Masks) -> np.ndarray:
    """(filters,) where each chosen filter sits: 0 is the first convolution, 1 the last."""
    places = np.linspace(0, 1, len(masks))
    return np.repeat(places, [int(mask.sum()) for mask in masks.values()])


def _check_alike(one: Scores, other: Scores) -> None:
    if {n: own.shape for n, own in one.items()} != {n: own.shape for n, own in other.items()}:
        raise ValueError(
            "these are scores of two networks: "
            f"{len(one)} convolutions from {few(one)}; {len(other)} from {few(other)}"
        )
