"""Networks on their way down one loss."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from lightning_fabric import Fabric

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": partial(torch.optim.Adam, betas=(0.9, 0.99)),
    "sgd": partial(torch.optim.SGD, momentum=0.9, weight_decay=5e-4, nesterov=True),
}
Made = TypeVar("Made")


def rate(step: int, cycles: Sequence[int]) -> float:
    """The share of the peak rate at a step, counted from 0, of cycles of so many steps each.

    From 1/25 up within a tenth of a cycle, then down to nothing, both along half a cosine: torch's
    OneCycleLR, several times.
    """
    for length in cycles:
        if step < length:
            break
        step -= length
    rise, end = (0.1 if length >= 20 else 0.3) * length - 1, length - 1
    low, part = (1 / 25, step / rise) if step <= rise else (4e-6, (end - step) / (end - rise))
    return low + (1 - low) * (1 - math.cos(math.pi * part)) / 2


class Descent:
    """Networks set up on Fabric's device, each with an optimizer and cosine cycles of the rate.

    All uses of the networks that a loss comes from must happen in one call of `together`: the
    gradients are averaged over the processes only where DDP has seen its forward pass.
    """

    def __init__(
        self,
        fabric: "Fabric",
        *modules: nn.Module,
        cycles: Sequence[int],
        learning_rate: float,
        optimizer: str,
    ) -> None:
        self.fabric = fabric
        optimizers = []
        for module in modules:
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # no stub
            learned = [parameter for parameter in module.parameters() if parameter.requires_grad]
            optimizers.append(OPTIMIZERS[optimizer](learned, lr=learning_rate))
        self._network, *self.optimizers = fabric.setup(_Together(modules), *optimizers)
        self.schedules = [
            torch.optim.lr_scheduler.LambdaLR(made, lambda step: rate(step, cycles))
            for made in self.optimizers
        ]
        triples = zip(modules, self.optimizers, self.schedules, strict=True)
        self.parts: tuple[Any, ...] = (*chain(*triples),)  # all that a resumed run needs

    def together(self, compute: Callable[[], Made]) -> Made:
        """What `compute()` makes of the networks: a loss, alone or with what led to it."""
        return self._network(compute)

    def step(self, loss: Tensor) -> None:
        """One step of each network against the gradient of the loss."""
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        self.fabric.backward(loss)
        for optimizer, schedule in zip(self.optimizers, self.schedules, strict=True):
            optimizer.step()
            schedule.step()


class _Together(nn.ModuleList):
    """Networks behind one `forward`."""

    def forward(self, compute: Callable[[], Made]) -> Made:
        return compute()
