"""Blind SR guided by deep degradation representations (DDR, Sec. 5, Tab. 2)."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from srlab.models.blocks import SuperResolver
from srlab.models.srresnet import SRResNet


class GuidedSRResNet(SuperResolver):
    """SRResNet whose blocks are modulated by what a frozen network's deep features say.

    The guide is an SRResNet trained on clean pictures alone. Mean and standard deviation of its
    last features over the picture are the degradation embedding; from it, a scale and a shift
    for every channel of every block are computed. The paper prints no more than "guidance by
    degradation embeddings": this is the plainest way to give it.
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
        super().__init__()
        guide = SRResNet(scale=scale, channels=guide_channels, num_blocks=guide_blocks)
        self.guide = nn.Sequential(OrderedDict(head=guide.head, body=guide.body))
        self.guide.requires_grad_(False)
        self.network = SRResNet(scale=scale, channels=channels, num_blocks=num_blocks)
        self.embedding = nn.Sequential(nn.Linear(2 * guide_channels, code), nn.LeakyReLU(0.1))
        self.modulation = nn.Linear(code, 2 * num_blocks * channels)
        nn.init.zeros_(self.modulation.weight)  # begins as the plain network
        nn.init.zeros_(self.modulation.bias)
        self.scale = scale
        self.taps = tuple(f"network.{tap}" for tap in self.network.taps)

    def represent(self, lr: Tensor) -> Tensor:
        """(B, 3, h, w) → (B, 2·guide_channels): the degradation embedding."""
        features = self.guide(lr).float()
        spread = (features.var(dim=(2, 3)) + 1e-6).sqrt()
        return torch.cat([features.mean(dim=(2, 3)), spread], dim=1).to(lr.dtype)

    def guided_by(self, lr: Tensor, other: Tensor) -> Tensor:
        """Super-resolve `lr` with the guidance that `other` (B, 3, h', w') would get."""
        return self.reconstruct(self._modulated(lr, self.represent(other)), lr)

    def extract(self, lr: Tensor) -> Tensor:
        return self._modulated(lr, self.represent(lr))

    def _modulated(self, lr: Tensor, representation: Tensor) -> Tensor:
        factors = self.modulation(self.embedding(representation))
        features = self.network.head(lr)
        blocks = list(self.network.body)
        for block, factor in zip(blocks, factors.chunk(len(blocks), dim=1), strict=True):
            gain, shift = factor[:, :, None, None].chunk(2, dim=1)
            features = block(features) * (1 + gain) + shift
        return features

    def reconstruct(self, features: Tensor, lr: Tensor) -> Tensor:
        return self.network.reconstruct(features, lr)
