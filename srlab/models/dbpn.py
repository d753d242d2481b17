"""DBPN (Haris et al., CVPR 2018): up and down again, each time corrected by what that missed."""

import torch
from torch import Tensor, nn

from srlab.models.blocks import SuperResolver, conv3x3


def enlargement(channels: int, scale: int) -> nn.Sequential:
    """(B, C, h, w) → (B, C, scale·h, scale·w)."""
    spread = nn.ConvTranspose2d(channels, channels, scale + 4, stride=scale, padding=2)
    return nn.Sequential(spread, nn.PReLU())


def reduction(channels: int, scale: int) -> nn.Sequential:
    """(B, C, scale·h, scale·w) → (B, C, h, w)."""
    gather = nn.Conv2d(channels, channels, scale + 4, stride=scale, padding=2)
    return nn.Sequential(gather, nn.PReLU())


class Projection(nn.Module):
    """To the other grid, and there corrected by the error of the way back.

    All features of its grid so far, of which there are `count`, come in together.
    """

    def __init__(self, channels: int, scale: int, count: int, *, up: bool) -> None:
        super().__init__()
        there, back = (enlargement, reduction) if up else (reduction, enlargement)
        join = nn.Sequential(nn.Conv2d(count * channels, channels, 1), nn.PReLU())
        self.join = join if count > 1 else nn.Identity()
        self.there = there(channels, scale)
        self.back = back(channels, scale)
        self.again = there(channels, scale)

    def forward(self, features: list[Tensor]) -> Tensor:
        x = self.join(torch.cat(features, dim=1))
        there = self.there(x)
        return there + self.again(self.back(there) - x)


class DBPN(SuperResolver):
    """The dense form (D-DBPN): `num_stages` enlargements, and a reduction between any two."""

    def __init__(
        self, *, scale: int = 4, channels: int = 64, head_channels: int = 256, num_stages: int = 7
    ) -> None:
        super().__init__(scale)
        self.head = nn.Sequential(
            conv3x3(3, head_channels), nn.PReLU(), nn.Conv2d(head_channels, channels, 1), nn.PReLU()
        )
        # The shallow features are dropped for the first that come down: 1, 1, 2, 3, … come in.
        ups = [max(stage, 1) for stage in range(num_stages)]
        self.ups = nn.ModuleList(Projection(channels, scale, count, up=True) for count in ups)
        self.downs = nn.ModuleList(
            Projection(channels, scale, count, up=False) for count in range(1, num_stages)
        )
        self.tail = conv3x3(num_stages * channels, 3)
        order = (f"{kind}.{stage}" for stage in range(num_stages) for kind in ("ups", "downs"))
        self.taps = ("head", *list(order)[:-1])

    def extract(self, lr: Tensor) -> Tensor:
        return self.head(lr)

    def reconstruct(self, features: Tensor, lr: Tensor) -> Tensor:
        low, high = [features], [self.ups[0]([features])]
        for stage, down in enumerate(self.downs, start=1):
            low = [*(low if stage > 1 else []), down(high)]
            high = [*high, self.ups[stage](low)]
        return self.tail(torch.cat(high, dim=1))
