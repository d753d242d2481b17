"""A window of the SR image alone: each operation on no more than the rectangle that reaches it."""

from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

from torch import Tensor

from srlab.attribution.graph import Graph, Operation
from srlab.attribution.reach import Box, call, step, whole
from srlab.networks.layout import channels_last


class Task(NamedTuple):
    """One operation, ready to be run."""

    places: list[int]  # of the values that it reads
    reads: list[Box]  # what of each
    run: Callable[..., Any]
    results: tuple[int | None, ...]
    single: bool


class Rectangles:
    """lr (B, 3, h, w) → a window of the SR image, exact in value and gradient."""

    def __init__(self, graph: Graph, window: Box) -> None:
        self.output, self.window, self.tasks = graph.output, window, list[Task]()
        self.held = {0: whole(graph.shapes[0])}  # what of each value there is
        needed = {graph.output: window}
        for operation in reversed(graph.operations):
            boxes = [needed[place] for place in operation.places if place in needed]
            if boxes:
                self._plan(operation, graph, reduce(Box.around, boxes), needed)
        self.tasks.reverse()
        self.picture = needed.get(0, window)

    def _plan(self, operation: Operation, graph: Graph, box: Box, needed: dict[int, Box]) -> None:
        places = [ref.place for ref in operation.refs()]
        found = step(operation, graph.shapes, box)
        reads = found.reads if found else [whole(graph.shapes[place]) for place in places]
        for place, read in zip(places, reads, strict=True):
            needed[place] = read.around(needed.get(place, read))
        results = [place for place in operation.places if place is not None]
        self.held |= {place: box if found else whole(graph.shapes[place]) for place in results}
        run = found.run if found else call(operation)
        self.tasks.append(Task(places, reads, run, operation.places, operation.single))

    def __call__(self, lr: Tensor) -> Tensor:
        """The window."""
        held = self.held | {0: self.picture}
        values = {0: channels_last(_part(lr, self.picture, self.held[0]))}
        for places, reads, run, results, single in self.tasks:
            taken = [
                _part(values[place], read, held[place])
                for place, read in zip(places, reads, strict=True)
            ]
            made = run(*taken)
            for place, value in zip(results, (made,) if single else made, strict=True):
                if place is not None:
                    values[place] = value
        return _part(values[self.output], self.window, held[self.output])


def _part(value: Tensor, box: Box, held: Box) -> Tensor:
    """`box` of a value that holds more."""
    if box == held:
        return value
    rows, columns = (own.within(all_) for own, all_ in zip(box, held, strict=True))
    return value[..., rows, columns]
