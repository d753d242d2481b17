"""The share that a process has of each batch it learns from with others."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def share_size(batch_size: int, processes: int) -> int:
    """How many rows of a batch each of so many processes learns from."""
    size, rest = divmod(batch_size, processes)
    if rest:
        raise ValueError(
            f"a batch of {batch_size} cannot be shared equally by {processes} processes; "
            f"choose a number that divides {batch_size}"
        )
    return size


class Share:
    """The rows of each batch that this process learns from; of one process, all.

    Every process draws the whole batch, from the same numbers, and takes equally many rows, so
    that the mean over the processes of a loss that is a mean over rows is that of the batch.
    What looks at rows together must be given `whole`.
    """

    def __init__(self, fabric: "Fabric", batch_size: int) -> None:
        self.fabric, self.processes = fabric, fabric.world_size
        self.size = share_size(batch_size, self.processes)
        self.start = fabric.global_rank * self.size

    def rows(self, batch: Tensor, *, views: int = 1) -> Tensor:
        """(views · batch_size, …) → (views · size, …): its own rows of each view."""
        if self.processes == 1:
            return batch
        own = [view[self.start : self.start + self.size] for view in batch.chunk(views)]
        return torch.cat(own)

    def whole(self, rows: Tensor) -> Tensor:
        """The rows of all processes, first those of the first; gradients find their way back.

        They are gathered as float32, for not every backend can add bfloat16.
        """
        if self.processes == 1:
            return rows
        gathered: Any = self.fabric.all_gather(rows.float(), sync_grads=True)
        return gathered.flatten(0, 1).to(rows.dtype)

    def normalize_together(self, module: nn.Module) -> None:
        """Let batch normalization see the whole batch, as it would in one process.

        torch's SyncBatchNorm does so between GPUs alone.
        """
        if self.processes == 1:
            return
        for layer in module.modules():
            if isinstance(layer, _BatchNorm):
                layer.register_forward_pre_hook(self._gather)
                layer.register_forward_hook(self._part)

    def _gather(self, layer: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
        return (self.whole(inputs[0]),) if layer.training else inputs

    def _part(self, layer: nn.Module, _inputs: tuple[Tensor], output: Tensor) -> Tensor:
        return output.chunk(self.processes)[self.fabric.global_rank] if layer.training else output

    def __deepcopy__(self, _memo: dict[int, Any]) -> "Share":
        return self  # a copied network, hooks included, runs in the same processes
