"""What a network computes of a picture, operation by operation, as a list that can be run again.

Whatever a module or callable is made of (subclasses, hooks, wrappers), the operations that torch
ran are what it computes. Nothing is assumed about them: a network that cannot be repeated from
its list is said to have none.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

from srlab.capture import OperationWatch

# What a list cannot repeat at another picture: values that decide what is done next, or chance.
UNREPEATABLE = {
    torch.Tag.data_dependent_output,
    torch.Tag.dynamic_output_shape,
    torch.Tag.nondeterministic_seeded,
}


@dataclass(frozen=True)
class Ref:
    """The place of a value that depends on the picture; 0 is the picture."""

    place: int


@dataclass(frozen=True)
class Operation:
    """One call: arguments hold a `Ref` where a value is meant, and constants as they are."""

    function: Any  # of torch.ops, without effects on its arguments
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    taken: list[int]  # the places of its `Ref`s, in the order of its arguments
    places: list[int | None]  # of its results, None for what is no tensor

    @property
    def name(self) -> str:
        """Without overload: "convolution"."""
        return self.function.overloadpacket.__name__


@dataclass(frozen=True)
class Graph:
    """A network's operations on pictures of one shape, and the shapes of all values."""

    operations: list[Operation]
    shapes: list[torch.Size]  # of the values by place
    output: int  # the place of the SR image


def several(result: Any) -> Sequence[Any]:
    """What an operation returned, as a sequence also where that is one tensor."""
    return (result,) if isinstance(result, Tensor) else result


class UnrepeatableError(Exception):
    """Why there is no list."""


def record(network: Callable[[Tensor], Tensor], lr: Tensor) -> Graph:
    """The operations on lr (B, 3, h, w); raises `UnrepeatableError` where no list says them all."""
    given = lr.detach().clone()
    with torch.no_grad(), _Recorder(given) as recorder:
        sr = network(given)
    if id(sr) not in recorder.place:
        raise UnrepeatableError("the result does not come from the recorded operations")
    return Graph(recorder.operations, recorder.shapes, recorder.place[id(sr)])


class WatchedHooks(TorchFunctionMode):
    """Sees inside whether a hook is put on a value, which may change its gradient."""

    any = False

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run the function."""
        self.any |= function is Tensor.register_hook
        return function(*args, **(kwargs or {}))


def is_plain(value: Tensor) -> bool:
    """Whether all gradients behind a value are torch's own: no custom Function, no module's hook.

    What a network does to gradients cannot be seen in what it computes.
    """
    return not any(isinstance(node, BackwardCFunction) for node in _nodes(value))


def _nodes(value: Tensor) -> Iterator[Any]:
    waiting, seen = [value.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            waiting += [before for before, _ in node.next_functions]
            yield node


class _Recorder(OperationWatch):
    """Watches what torch runs; only what depends on the picture is written down."""

    def __init__(self, picture: Tensor) -> None:
        super().__init__()
        self.operations: list[Operation] = []
        self.shapes = [picture.shape]
        self.place = {id(picture): 0}
        self.alive = [picture]  # so that no id is given twice
        self.names = {_memory(picture): {id(picture)}}  # memory → the tensors that lie in it

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run the operation and write it down."""
        kwargs = kwargs or {}
        arguments, keywords = tree_map(self._ref, (args, kwargs))
        result = function(*args, **kwargs)
        results = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        self.alive += results
        leaves = tree_leaves((arguments, keywords))
        taken = [leaf.place for leaf in leaves if isinstance(leaf, Ref)]
        if not taken:
            return result
        if UNREPEATABLE & set(function.tags):
            raise UnrepeatableError(f"{function} depends on values or on chance")
        if function._schema.is_mutable:
            function = self._without_effect(function, args[0])
        places = [self._placed(part) for part in several(result)]
        self.operations.append(Operation(function, arguments, keywords, taken, places))
        return result

    def _ref(self, leaf: Any) -> Any:
        return Ref(self.place[id(leaf)]) if id(leaf) in self.place else leaf

    def _placed(self, result: Any) -> int | None:
        if not isinstance(result, Tensor):
            return None
        place = self.place[id(result)] = len(self.shapes)
        self.shapes.append(result.shape)
        self.names.setdefault(_memory(result), set()).add(id(result))
        return place

    def _without_effect(self, function: Any, changed: Tensor) -> Any:
        """The operation that returns what this one writes into `changed`.

        A value that others share memory with changes those too, which a list does not say.
        """
        name, overload = function.overloadpacket.__name__, function._overloadname
        alone = self.names.get(_memory(changed), set()) == {id(changed)}
        same = getattr(torch.ops.aten, name.removesuffix("_"), None)
        if not name.endswith("_") or not alone or not hasattr(same, overload):
            raise UnrepeatableError(f"{function} writes where other values are read")
        return getattr(same, overload)


def _memory(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
