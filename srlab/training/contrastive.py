"""DASR's training (Wang et al., CVPR 2021): codes by contrast first, then restoration as well."""

from typing import Any

from lightning_fabric import Fabric
from torch import Tensor, nn

from srlab.models.dasr import DASR, ContrastHead
from srlab.training.contrast import MomentumContrast
from srlab.training.initial import drawn_by
from srlab.training.losses import pixel_loss
from srlab.training.paired import Paired
from srlab.training.recipes import ContrastiveRecipe


class Contrastive(Paired):
    """Two crops under one degradation are alike, those of other degradations are not."""

    recipe: ContrastiveRecipe
    model: DASR

    def __init__(
        self,
        recipe: ContrastiveRecipe,
        fabric: Fabric,
        images: dict[str, Tensor] | None = None,
    ) -> None:
        super().__init__(recipe, fabric, images)
        width = self.model.width
        with drawn_by(recipe.seed):
            head = ContrastHead(width)
        self.head = self.partner(head)
        self.queries = nn.Sequential(self.model.encoder, head)
        self.contrast = MomentumContrast(
            self.queries,
            width=width,
            length=recipe.queue,
            momentum=recipe.momentum,
            temperature=recipe.temperature,
            seed=recipe.seed,
        ).to(fabric.device)

    @property
    def parts(self) -> tuple[Any, ...]:
        """All that a resumed run needs."""
        return *self.descent.parts, *self.head.parts, self.contrast

    def update(self, step: int) -> Tensor:
        """One step; the loss before it."""
        recipe = self.recipe
        lr, hr, _ = self.drawn_batch(step)
        (lr, others), hr = lr.chunk(2), hr.chunk(2)[0]
        self.contrast.follow(self.queries)
        with self.autocast():
            codes = self.model.represent(lr)
            losses = {"contrast": self.contrast.loss(self.head.network(codes), others)}
            if step > recipe.pretraining:
                sr, wanted = self.restored(lr, hr, codes)
                losses["reconstruction"] = pixel_loss(sr, wanted)
        if recipe.energy_weight:
            losses["energy"] = self.energy(codes, step)
        weights = {
            "contrast": recipe.contrast_weight,
            "energy": recipe.energy_weight * self.prior_share(step),
            "reconstruction": 1.0,
        }
        return self.descend(losses, weights, self.head)
