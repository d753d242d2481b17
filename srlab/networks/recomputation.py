"""Gradients in less memory: what parts of a network make is not kept, but made again."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from torch import nn
from torch.jit import ScriptModule
from torch.utils.checkpoint import checkpoint


@contextmanager
def recomputed(network: object) -> Iterator[None]:
    """Within it, gradients through a network take less memory, and a few times as long.

    Every module in it that is made of others keeps what it is given, no more, and is run again on
    the way back (Chen et al., 2016). Values and gradients are the same.

    >>> block = torch.nn.Sequential(torch.nn.Conv2d(3, 3, 3), torch.nn.ReLU())
    >>> network = torch.nn.Sequential(block, torch.nn.Conv2d(3, 3, 3))
    >>> with recomputed(network):
    ...     network(torch.rand(1, 3, 8, 8, requires_grad=True)).sum().backward()
    """
    parts = _made_of_others(network) if isinstance(network, nn.Module) else []
    before = [vars(part).get("forward") for part in parts]
    try:
        for part in parts:
            part.forward = partial(checkpoint, part.forward, use_reentrant=False)
        yield
    finally:
        for part, own in zip(parts, before, strict=True):
            del part.forward
            vars(part).update({"forward": own} if own else {})


def _made_of_others(network: nn.Module) -> list[nn.Module]:
    """The modules inside that hold modules; one that is compiled stays as it is."""
    _, *inside = network.modules()
    return [own for own in inside if any(own.children()) and not isinstance(own, ScriptModule)]
