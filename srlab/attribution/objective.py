"""A target as a function of the LR image, computing no more of the network than it needs."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import reduce
from typing import NamedTuple

import torch
from torch import Size, Tensor

from srlab.attribution.graph import (
    Graph,
    Operation,
    UnrepeatableError,
    WatchedHooks,
    is_plain,
    record,
    several,
)
from srlab.attribution.reach import Box, Span, Step, call, step, whole
from srlab.attribution.targets import PatchTarget, Target
from srlab.networks.answer import checked
from srlab.networks.layout import channels_last

Network = Callable[[Tensor], Tensor]  # (B, 3, h, w) → (B, 3, scale·h, scale·w)
ROUNDING = 1000  # times the precision of a number: how far apart two orders of adding may be


class Recording(NamedTuple):
    """A network at one picture: its operations, where a list says them all, and its result."""

    lr: Tensor  # (B, 3, h, w)
    sr: Tensor  # (B, 3, H, W)
    graph: Graph | None


Recordings = dict[Size, Recording]  # by the shape of lr


def objective(
    model: Network, target: Target, recordings: Recordings | None = None, *, whole: bool = False
) -> Callable[[Tensor], Tensor]:
    """lr (B, 3, h, w) → target of its SR image, (B,), with exact gradients.

    Every value is computed only on the rectangle that reaches the target's window, where the
    network is found to be the list of its operations; any other network is run whole, and every
    one if asked for. Several targets of one network may share its `recordings`.
    """
    known = {} if recordings is None else recordings
    found: dict[Size, Callable[[Tensor], Tensor]] = {}

    def of_all(lr: Tensor) -> Tensor:
        return target(super_resolved(model, lr))

    def values(lr: Tensor) -> Tensor:
        if lr.shape not in found:
            alone = None
            if isinstance(target, PatchTarget) and not whole:
                alone = _of_window(model, target, lr, known)
            found[lr.shape] = alone or of_all
        result = found[lr.shape](lr)
        return result.reshape(-1) if len(lr) == 1 else result

    return values


def seen_whole(
    network: Network, lr: Tensor, targets: Sequence[Target], recordings: Recordings
) -> Tensor:
    """The SR image of lr (1, 3, h, w); where a target has a window, the run is recorded for it."""
    with torch.inference_mode(False):
        if any(isinstance(target, PatchTarget) for target in targets):
            recordings[lr.shape] = _recording(network, lr.clone())
            return recordings[lr.shape].sr
        with torch.no_grad():
            return super_resolved(network, lr)


def _of_window(
    model: Network, target: PatchTarget, lr: Tensor, recordings: Recordings
) -> Callable[[Tensor], Tensor] | None:
    """lr → target, by its window alone; None where that is not what the whole image has there."""
    if lr.shape not in recordings:
        recordings[lr.shape] = _recording(model, lr.detach())
    lr, sr, graph = recordings[lr.shape]
    target.check_inside(*sr.shape[-2:])
    if graph is None:
        return None
    (rows, columns), moved = target.shape, replace(target, top=0, left=0)
    window = Box(
        Span(target.top, target.top + rows + 1), Span(target.left, target.left + columns + 1)
    )
    part = Rectangles(graph, window)
    expected = window.of(sr, whole(sr.shape))
    lost = ROUNDING * torch.finfo(sr.dtype).eps * float(sr.abs().max())
    with torch.no_grad():
        alike = (part(lr) - expected).abs().max() <= lost
    return (lambda lr: moved(part(lr))) if alike else None


def _recording(model: Network, lr: Tensor) -> Recording:
    with torch.enable_grad(), WatchedHooks() as hooks:
        sr = super_resolved(model, lr.clone().requires_grad_())
    graph = None
    if is_plain(sr) and not hooks.any:
        # Whatever a foreign network does while it is watched, it can still be run whole.
        with suppress(UnrepeatableError, RuntimeError, TypeError):
            graph = record(model, lr)
    return Recording(lr, sr.detach(), graph)


def super_resolved(model: Network, lr: Tensor) -> Tensor:
    """(B, 3, h, w) → (B, 3, H, W), checked."""
    try:
        sr = model(lr.clone())  # a foreign network may change its input
    except RuntimeError as error:
        error.add_note(
            f"the network failed on LR images of shape {tuple(lr.shape)}; if it needs a size "
            "multiple, give it srlab.images.crop_to_multiple(lr, multiple)"
        )
        raise
    return checked(sr, tuple(lr.shape))


def comfortable_batch(lr: Tensor) -> int:
    """Nodes a pass: one at a time is fastest on a CPU; a GPU takes 64 maps of 64×64 pixels."""
    return max(1, 2**18 // lr[0, 0].numel()) if lr.is_cuda else 1


class Rectangles:
    """lr (B, 3, h, w) → a window of the SR image, exact in value and gradient."""

    def __init__(self, graph: Graph, window: Box) -> None:
        self.output, self.window, self.plan = graph.output, window, list[tuple[Operation, Step]]()
        self.held = {0: whole(graph.shapes[0])}  # what of each value there is
        needed = {graph.output: window}
        for operation in reversed(graph.operations):
            boxes = [needed[place] for place in operation.places if place in needed]
            if boxes:
                self._plan(operation, graph, reduce(Box.around, boxes), needed)
        self.plan.reverse()
        self.picture = needed.get(0, window)

    def _plan(self, operation: Operation, graph: Graph, box: Box, needed: dict[int, Box]) -> None:
        found = step(operation, graph.shapes, box)
        wholes = [whole(graph.shapes[place]) for place in operation.taken]
        planned = found or Step(wholes, call(operation))
        for place, read in zip(operation.taken, planned.reads, strict=True):
            needed[place] = read.around(needed.get(place, read))
        results = [place for place in operation.places if place is not None]
        self.held |= {place: box if found else whole(graph.shapes[place]) for place in results}
        self.plan.append((operation, planned))

    def __call__(self, lr: Tensor) -> Tensor:
        """The window."""
        held = self.held | {0: self.picture}
        values: dict[int | None, Tensor] = {0: channels_last(self.picture.of(lr, self.held[0]))}
        for operation, (reads, run) in self.plan:
            taken = [
                read.of(values[place], held[place])
                for place, read in zip(operation.taken, reads, strict=True)
            ]
            values |= zip(operation.places, several(run(*taken)), strict=True)
        return self.window.of(values[self.output], held[self.output])
