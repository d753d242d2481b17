"""DASR's training (Wang et al., CVPR 2021): codes by contrast first, then restoration as well."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.degradations.pipeline import Degradation
from srlab.models.dasr import DASR, ContrastHead
from srlab.training.initial import drawn_by
from srlab.training.losses import pixel_loss
from srlab.training.paired import Paired
from srlab.training.recipes.kinds import ContrastiveRecipe


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
        first = torch.randn(length, width, generator=torch.Generator().manual_seed(seed))
        self.register_buffer("queue", F.normalize(first, dim=1))
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


class Contrastive(Paired):
    """Two crops under one degradation are alike, those of other degradations are not."""

    recipe: ContrastiveRecipe
    model: DASR

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        recipe = self.recipe
        self.queries = nn.Sequential(self.model.encoder, self.head)
        self.contrast = MomentumContrast(
            self.queries,
            width=self.model.width,
            length=recipe.queue,
            momentum=recipe.momentum,
            temperature=recipe.temperature,
            seed=recipe.seed,
            gather=self.share.whole,
        ).to(self.fabric.device)
        self.parts += (self.contrast,)

    def partners(self) -> tuple[nn.Module, ...]:
        """The head that contrast needs."""
        with drawn_by(self.recipe.seed):
            self.head = ContrastHead(self.model.width)
        return (self.head,)

    def parted_loss(
        self, step: int, lr: Tensor, hr: Tensor, _drawn: list[Degradation]
    ) -> dict[str, Tensor]:
        """Contrast, after the first steps reconstruction, and a prior if the recipe weighs one."""
        (lr, others), hr = lr.chunk(2), hr.chunk(2)[0]
        self.contrast.follow(self.queries)
        with self.autocast():
            codes = self.model.represent(lr)
            losses = {"contrast": self.contrast.loss(self.head(codes), others)}
            if step > self.recipe.pretraining:
                sr, wanted = self.restored(lr, hr, codes)
                losses["reconstruction"] = pixel_loss(sr, wanted)
        if self.recipe.energy_weight:
            losses["energy"] = self.energy(codes, step)
        return losses
