"""DASR's training (Wang et al., CVPR 2021): codes by contrast first, then restoration as well."""

from typing import Any

from lightning_fabric import Fabric
from torch import Tensor, nn

from srlab.degradations.pipeline import Degradation
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
        self.queries = nn.Sequential(self.model.encoder, self.head)
        self.contrast = MomentumContrast(
            self.queries,
            width=self.model.width,
            length=recipe.queue,
            momentum=recipe.momentum,
            temperature=recipe.temperature,
            seed=recipe.seed,
            gather=self.share.whole,
        ).to(fabric.device)

    def partners(self) -> tuple[nn.Module, ...]:
        """The head that contrast needs."""
        with drawn_by(self.recipe.seed):
            self.head = ContrastHead(self.model.width)
        return (self.head,)

    @property
    def parts(self) -> tuple[Any, ...]:
        """All that a resumed run needs."""
        return *self.descent.parts, self.contrast

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

    def weights(self, step: int) -> dict[str, float]:
        """The recipe's, and the prior's as far as it has risen."""
        return {
            "contrast": self.recipe.contrast_weight,
            "energy": self.recipe.energy_weight * self.prior_share(step),
            "reconstruction": 1.0,
        }
