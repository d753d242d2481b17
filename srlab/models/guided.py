"""Blind SR guided by deep degradation representations (DDR, Sec. 5, Tab. 2)."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from srlab.models.blocks import Modulation
from srlab.models.degradation_aware import BlindSuperResolver
from srlab.models.srresnet import SRResNet


class GuidedSRResNet(BlindSuperResolver):
    """SRResNet whose blocks are modulated by what a frozen network's deep features say.

    The guide is an SRResNet trained on clean pictures alone. Mean and standard deviation of its
    last features over the picture are the degradation embedding; from it, a scale and a shift
    for every channel of every block are computed. How the paper guides is not in our copy of it:
    this is the plainest way.
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        channels: int = 64,
        num_blocks: int = 16,
        guide_channels: int = 64,
        guide_blocks: int = 16,
        code: int = 32,
    ) -> None:
        super().__init__(scale)
        guide = SRResNet(scale=scale, channels=guide_channels, num_blocks=guide_blocks)
        self.guide = nn.Sequential(OrderedDict(head=guide.head, body=guide.body))
        self.guide.requires_grad_(False)
        self.network = SRResNet(scale=scale, channels=channels, num_blocks=num_blocks)
        self.embedding = nn.Sequential(nn.Linear(2 * guide_channels, code), nn.LeakyReLU(0.1))
        self.modulation = Modulation(code, num_blocks, channels)
        self.taps = tuple(f"network.{tap}" for tap in self.network.taps)

    def represent(self, lr: Tensor) -> Tensor:
        """(B, 3, h, w) → (B, 2·guide_channels): the degradation embedding."""
        features = self.guide(lr).float()
        spread = (features.var(dim=(2, 3)) + 1e-6).sqrt()
        return torch.cat([features.mean(dim=(2, 3)), spread], dim=1).to(lr.dtype)

    def extract_under(self, lr: Tensor, representation: Tensor) -> Tensor:
        network, code = self.network, self.embedding(representation)
        return self.modulation.through(network.body, network.head(lr), code)

    def reconstruct(self, features: Tensor, lr: Tensor) -> Tensor:
        return self.network.reconstruct(features, lr)
