"""What srlab asks of a network, checked on an image: scale, sizes, range, and a gradient.

Any callable (1, 3, h, w) → (1, 3, scale·h, scale·w), RGB in [0, 1], will do. `connect` measures it
and, only where it must, wraps the network so that the rest of srlab sees exactly this.
"""

import html
import warnings
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.capture import frozen
from srlab.degradations.filters import downsample
from srlab.images import luma as luma_of
from srlab.networks.advice import (
    ContractError,
    GreyError,
    RangeError,
    Setting,
    SizeError,
    refusal,
)
from srlab.networks.answer import checked, pick, scale_of
from srlab.networks.cost import gradient_memory

Range = tuple[float, float]
UNIT: Range = (0.0, 1.0)
RANGES: tuple[Range, ...] = (UNIT, (0.0, 255.0), (-1.0, 1.0))
MULTIPLES = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 256)
PROBED = 96  # pixels a side of the part by which the memory for a picture is told
UNLIKE = 0.1  # mean difference above which an SR image does not look like its input
VISIBLE = 1 / 255  # mean difference below which no range of values is doubted
BETTER = 2.0  # how many times better a range must fit than the one given
REPEATABLE = 1e-5  # of the SR image: more is noise, less the order in which a GPU adds


@dataclass(frozen=True)
class Adaptation:
    """What is done around a network."""

    value_range: Range = UNIT  # what the network itself is fed; srlab's side is always [0, 1]
    multiple: int = 1  # to which heights and widths are padded; 1 = not at all
    output: str | None = None  # which part of the network's answer is the image; None = all of it
    luma: bool = False  # it is fed luma alone, and its answer shown in grey


@dataclass(frozen=True, kw_only=True)
class Contract(Adaptation):
    """What was found out about a network."""

    scale: int
    sizes: int | None  # heights and widths it takes are multiples of this; None = unknown
    in_place: bool  # it overwrote its input and is given copies
    variation: float  # mean |one run − another| / mean |sr|
    gradient: float  # mean |d sum(sr) / d lr| over the input's values
    kept: int  # bytes that its gradient on this picture takes, about
    unlikeness: float  # mean |sr reduced to the LR grid − lr|
    better_range: Range | None  # a range that fits much better, if there is one

    @property
    def deterministic(self) -> bool:
        """The same input gives the same output."""
        return self.variation <= REPEATABLE

    def checks(self) -> dict[str, str]:
        """Each question and its answer, in words."""
        low, high = self.value_range
        return {
            "enlarges by": f"×{self.scale}",
            "takes heights and widths": self._sizes(),
            "is fed values in": f"[{low:g}, {high:g}]" + (", luma alone" if self.luma else ""),
            "answers with": "an image" if self.output is None else f"part {self.output!r}",
            "leaves its input alone": "no: it is given copies" if self.in_place else "yes",
            "answers alike each time": self._repetition(),
            "gradient reaches the input": f"yes, mean magnitude {self.gradient:.3g}",
            "output resembles the input": self._resemblance(),
            "gradient takes": f"about {self.kept / 1e9:.2g} GB of memory for this picture",
        }

    def doubts(self) -> list[str]:
        """What makes its maps doubtful, a sentence each."""
        found = []
        if self.unlikeness > UNLIKE or self.better_range is not None:
            found.append(f"does the output resemble the input? {self._resemblance()}")
        if not self.deterministic:
            found.append(f"does it answer alike each time? {self._repetition()}")
        return found

    def _repetition(self) -> str:
        if self.deterministic:
            return "yes"
        return (
            f"no, it is not deterministic: two runs differ by {self.variation:.2g} of the output, "
            "and so do maps; switch its noise off or fix the seed in its forward"
        )

    def _sizes(self) -> str:
        known = {None: "like this one", 1: "of any size"}
        found = known.get(self.sizes, f"that are multiples of {self.sizes}")
        return found + (f", padded to multiples of {self.multiple}" if self.multiple > 1 else "")

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th scope='row'>{html.escape(name)}</th><td>{html.escape(found)}</td></tr>"
            for name, found in self.checks().items()
        )
        return f"<table>{rows}</table>"

    def _resemblance(self) -> str:
        found = f"mean difference {self.unlikeness:.3f}"
        if self.better_range is not None:
            low, high = self.better_range
            return f"no, {found}: it fits values in [{low:g}, {high:g}] better"
        if self.unlikeness > UNLIKE:
            return f"no, {found}: untrained, or trained for another range of values?"
        return f"yes, {found}"


class Adapter(nn.Module):
    """A network seen through srlab's contract; gradients pass, the network's input is a copy."""

    def __init__(self, network: nn.Module, adaptation: Adaptation) -> None:
        super().__init__()
        self.network, self.adaptation = network, adaptation

    def but(self, **changes: Any) -> "Adapter":
        """The same network, adapted otherwise."""
        return Adapter(self.network, replace(self.adaptation, **changes))

    def forward(self, lr: Tensor) -> Tensor:
        """(B, 3, h, w) → (B, 3, scale·h, scale·w), padded by reflection on the way and cut back."""
        own, (height, width) = self.adaptation, lr.shape[-2:]
        bottom, right = -height % own.multiple, -width % own.multiple
        if bottom >= height or right >= width:
            raise ContractError(
                f"{height}×{width} pixels are too few to be mirrored to a multiple of "
                f"{own.multiple}; use a larger picture or a smaller multiple"
            )
        low, high = own.value_range
        fed = luma_of(lr) if own.luma else lr
        padded = F.pad(fed, (0, right, 0, bottom), mode="reflect")
        sr = pick(self.network(padded * (high - low) + low), own.output)
        scale = scale_of(sr, padded.shape)
        sr = (sr[..., : scale * height, : scale * width] - low) / (high - low)
        return sr.expand(-1, 3, -1, -1) if own.luma else sr


def connect(
    network: nn.Module,
    lr: Tensor,
    *,
    scale: int | None = None,
    multiple: int = 1,
    value_range: Range = UNIT,
    output: str | None = None,
    luma: bool = False,
) -> tuple[nn.Module, Contract]:
    """The network as srlab needs it, in eval mode, and what was found on `lr` (1, 3, h, w).

    Returns the network itself when it already keeps the contract, else an `Adapter` (whose
    layers are called `network.…`). One that takes a single channel is fed the `luma`, and its SR
    image is grey. Raises `ContractError` with what to do when it cannot be used.
    """
    if multiple < 1 or value_range[0] >= value_range[1]:
        raise ContractError(f"impossible multiple {multiple} or value range {value_range}")
    adapter = Adapter(network.eval(), Adaptation(value_range, multiple, output, luma))
    try:
        return _connected(adapter, lr.detach(), scale)
    except GreyError:
        return _connected(adapter.but(luma=True), lr.detach(), scale)


def _connected(adapter: Adapter, lr: Tensor, scale: int | None) -> tuple[nn.Module, Contract]:
    plain = adapter.adaptation == Adaptation()
    model = adapter.network if plain else adapter
    given = lr.clone()
    sr = _answer(model, given, adapter, lr)
    in_place = not torch.equal(given, lr)
    if in_place:
        model, sr = adapter, run(adapter, lr)
    found = sr.shape[-1] // lr.shape[-1]
    if scale not in (None, found):
        raise ContractError(f"the network enlarges by {found}, not by {scale}")
    unlikeness = _unlikeness(adapter, sr, lr)
    contract = Contract(
        **vars(adapter.adaptation),
        scale=found,
        sizes=size_multiple(adapter.but(multiple=1), lr),
        in_place=in_place,
        variation=((run(model, lr) - sr).abs().mean() / sr.abs().mean().clamp(min=1e-12)).item(),
        gradient=mean_gradient(model, lr),
        kept=_kept(model, lr),
        unlikeness=unlikeness,
        better_range=_better_range(adapter, lr, unlikeness),
    )
    return model, contract


def measured_scale(network: nn.Module, lr: Tensor, **adapt: Any) -> int:
    """How much a network enlarges `lr`, by one run; `adapt` as `connect` takes it."""
    adapt.pop("scale", None)
    adapter, lr = Adapter(network.eval(), Adaptation(**adapt)), lr.detach()
    try:
        sr = _answer(adapter, lr, adapter, lr)
    except GreyError:
        grey = adapter.but(luma=True)
        sr = _answer(grey, lr, grey, lr)
    return sr.shape[-1] // lr.shape[-1]


def size_multiple(model: nn.Module, lr: Tensor) -> int | None:
    """The smallest tried m such that the network takes multiples of m; None if none works.

    Tries m·a × m·(a−1) pixels cut from `lr`: two sizes that share no other divisor.
    """
    shortest = min(lr.shape[-2:])
    for multiple in MULTIPLES:
        count = min(shortest, max(64, 2 * multiple)) // multiple
        if count < 2:
            break
        with suppress(ContractError):
            run(model, lr[..., : count * multiple, : (count - 1) * multiple].clone())
            return multiple
    return None


def _answer(model: nn.Module, given: Tensor, adapter: Adapter, lr: Tensor) -> Tensor:
    """The SR image of `given`, which is lr and may be overwritten; or what would help to get it."""
    try:
        return run(model, given)
    except RangeError as error:
        ranges = [f"{low:g}, {high:g}" for low, high in _fits(adapter, lr)]
        if not ranges:
            raise
        low, high = adapter.adaptation.value_range
        raise ContractError(
            f"fed values in [{low:g}, {high:g}] the network's output holds NaN or infinity, but "
            f"not in {', '.join(f'[{ends}]' for ends in ranges)}: give it the range that it was "
            "trained on, ",
            Setting("value_range", f"({ranges[0]})"),
        ) from error
    except SizeError as error:
        multiple = size_multiple(adapter.but(multiple=1), lr)
        ran = error.__cause__ is None  # and gave an odd picture
        if multiple == 1 or (multiple is None and ran):
            raise
        if multiple is None:
            raise ContractError(
                f"{error}. If it takes pictures of one size only, cut that size out of the picture"
            ) from error
        raise ContractError(
            f"the network does not take {lr.shape[-2]}×{lr.shape[-1]} pixels, but multiples of "
            f"{multiple} it does: pad to them, ",
            Setting("multiple", f"{multiple}"),
            f"; its own words: {error}",
        ) from error


@torch.no_grad()
def run(model: nn.Module, lr: Tensor) -> Tensor:
    """The SR image of lr (B, 3, h, w), checked."""
    shape = tuple(lr.shape)
    try:
        with warnings.catch_warnings():  # a checkpointed block misses what nobody asks of it here
            warnings.filterwarnings("ignore", "None of the inputs have requires_grad")
            answer = model(lr)
    except ContractError:
        raise
    except Exception as error:
        raise refusal(error, shape) from error
    return checked(answer, shape)


def _kept(model: nn.Module, lr: Tensor) -> int:
    """Told by a part of the picture, where it takes such parts."""
    for part in (lr[..., :PROBED, :PROBED], lr):
        with suppress(Exception):  # a foreign network may raise anything
            return gradient_memory(model, part) * lr.numel() // part.numel()
    return 0


def mean_gradient(model: nn.Module, lr: Tensor) -> float:
    """Mean |d sum(sr) / d lr|, by backward(), which passes checkpointed blocks of both kinds."""
    given = lr.clone().requires_grad_()
    overwriting = torch.autograd.graph.allow_mutation_on_saved_tensors  # a network may, exactly
    try:
        with frozen(model), torch.enable_grad(), overwriting():
            sr = model(given)
            if sr.requires_grad:
                sr.sum().backward()
    except Exception as error:
        raise refusal(error, tuple(lr.shape)) from error
    gradient = given.grad
    if gradient is None:
        raise ContractError(
            "the output does not depend on the input through autograd: forward runs under "
            "torch.no_grad() or inference_mode(), detaches, or leaves torch; remove that"
        )
    if not torch.isfinite(gradient).all():
        raise ContractError("the gradient holds NaN or infinity: √ or division by 0 in the network")
    if not gradient.any():
        raise ContractError(
            "the gradient is zero at every input value: the network rounds or clamps its output "
            "(return the values before that), or all its weights are zero"
        )
    return gradient.abs().mean().item()


def _unlikeness(adapter: Adapter, sr: Tensor, lr: Tensor) -> float:
    reduced = downsample(sr.cpu().float(), sr.shape[-1] // lr.shape[-1])
    seen = luma_of(lr) if adapter.adaptation.luma else lr
    return (reduced - seen.cpu()).abs().mean().item()


def _better_range(adapter: Adapter, lr: Tensor, found: float) -> Range | None:
    """The range in which the output resembles the input far more than `found` says, if any.

    A constant output resembles any picture somewhat: it does not count.
    """
    if found < VISIBLE:
        return None
    spread = (lr - lr.mean(dim=(2, 3), keepdim=True)).abs().mean().item()
    most = min(found / BETTER, spread / 2)
    better = {values: own for values, own in _fits(adapter, lr).items() if own <= most}
    return min(better, key=better.__getitem__, default=None)


def _fits(adapter: Adapter, lr: Tensor) -> dict[Range, float]:
    """{another range: how unlike its input the output is}; where it fails it is left out."""
    found = {}
    for values in (own for own in RANGES if own != adapter.adaptation.value_range):
        with suppress(ContractError):
            sr = run(adapter.but(value_range=values), lr)
            found[values] = _unlikeness(adapter, sr, lr)
    return found
