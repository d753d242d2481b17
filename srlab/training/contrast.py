"""Contrast with a queue of momentum keys (MoCo, He et al., CVPR 2020), as DASR learns its codes."""

from collections.abc import Callable
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class MomentumContrast(nn.Module):
    """Two views of one degradation agree; those of earlier batches are the others (InfoNCE).

    `keys` is a slow copy of the network (images → (B, D)) that the gradient trains. Copy, queue
    and its place are the state: `state_dict` resumes exactly.
    """

    queue: Tensor
    place: Tensor

    def __init__(
        self,
        network: nn.Module,
        *,
        width: int,
        length: int = 8192,
        momentum: float = 0.999,
        temperature: float = 0.07,
        seed: int = 0,
        gather: Callable[[Tensor], Tensor] = lambda keys: keys,
    ) -> None:
        super().__init__()
        self.gather = gather  # the keys of all processes that share the batch
        self.momentum, self.temperature = momentum, temperature
        self.keys = deepcopy(network).requires_grad_(False)
        generator = torch.Generator().manual_seed(seed)
        self.register_buffer(
            "queue", F.normalize(torch.randn(length, width, generator=generator), dim=1)
        )
        self.register_buffer("place", torch.zeros((), dtype=torch.long))

    def loss(self, queries: Tensor, images: Tensor) -> Tensor:
        """Cross entropy of the queries (B, D) with the keys of other views (B, 3, h, w).

        The keys join the queue and push the oldest out.
        """
        with torch.no_grad():
            keys = F.normalize(self.keys(images).float(), dim=1)
        queries = F.normalize(queries.float(), dim=1)
        alike = (queries * keys).sum(dim=1, keepdim=True)
        logits = torch.cat([alike, queries @ self.queue.T], dim=1) / self.temperature
        self._join(self.gather(keys))
        return F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.long).to(logits.device))

    @torch.no_grad()
    def follow(self, network: nn.Module) -> None:
        """Move the slow copy a little towards the network."""
        for slow, fast in zip(self.keys.parameters(), network.parameters(), strict=True):
            slow.lerp_(fast, 1 - self.momentum)

    def _join(self, keys: Tensor) -> None:
        places = (self.place + torch.arange(len(keys), device=keys.device)) % len(self.queue)
        self.queue = self.queue.index_copy(0, places, keys)  # the old one is in the loss's graph
        self.place = (self.place + len(keys)) % len(self.queue)
