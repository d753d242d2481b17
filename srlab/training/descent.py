"""A network on its way down: optimizer and learning-rate schedule beside it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

ADAM = partial(torch.optim.Adam, betas=(0.9, 0.99))


class Descent:
    """A network set up on Fabric's device, with optimizer and one cosine cycle of the rate."""

    def __init__(
        self,
        fabric: Fabric,
        module: nn.Module,
        *,
        steps: int,
        learning_rate: float,
        optimizer: Callable[..., torch.optim.Optimizer] = ADAM,
    ) -> None:
        self.fabric, self.module = fabric, module
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # no stub
        learned = [parameter for parameter in module.parameters() if parameter.requires_grad]
        made = optimizer(learned, lr=learning_rate)
        self.network, self.optimizer = fabric.setup(module, made)
        rise = 0.1 if steps >= 20 else 0.3  # torch divides by rise · steps − 1
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, learning_rate, steps, pct_start=rise, cycle_momentum=False
        )

    @property
    def parts(self) -> tuple[Any, ...]:
        """All that a resumed run needs."""
        return self.module, self.optimizer, self.schedule

    def step(self, loss: Tensor) -> None:
        """One step against the gradient of the loss."""
        self.optimizer.zero_grad()
        self.fabric.backward(loss)
        self.optimizer.step()
        self.schedule.step()
