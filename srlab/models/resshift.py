"""A narrow ResShift (Yue et al., NeurIPS 2023): diffusion that begins at the enlarged LR image."""

from collections.abc import Iterator, Sequence
from copy import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.degradations.filters import upsample
from srlab.models.blocks import DirectUpsampler, SuperResolver, conv3x3, he_initialization

FIRST, LAST, BEND = 0.1, 0.9995, 0.5  # √η of the first and the last level, and the growth between


class TimedBlock(nn.Module):
    """x + conv(relu(conv(x) + shift)): a residual block with a shift for each level of noise."""

    def __init__(self, channels: int, levels: int) -> None:
        super().__init__()
        self.conv1 = conv3x3(channels, channels)
        self.shift = nn.Parameter(torch.zeros(levels, channels))
        self.relu = nn.ReLU()
        self.conv2 = conv3x3(channels, channels)

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        shift = self.shift[level][:, :, None, None]
        return x + self.conv2(self.relu(self.conv1(x) + shift))


class ResShift(SuperResolver):
    """HR image x₀ and enlarged LR image y, mixed: x_t = x₀ + η_t·(y − x₀) + κ·√η_t·ε.

    The network guesses x₀ from x_t, lr and the level t; sampling goes from x_T, which is y and
    noise, down to x₁, with fresh noise at each level, and the last guess is the SR image. Unlike
    the published one it works on pixels, not in the latent space of an autoencoder, and on the LR
    grid: κ = 0.2 of the range of a picture.

    `forward` is the same twice: its noise is drawn by `noise_seed`, and is the same for all
    images of one size. `redrawn` has other noise, and `sampling` takes any.
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        channels: int = 32,
        num_blocks: int = 8,
        levels: int = 4,
        kappa: float = 0.2,
        noise_seed: int = 0,
    ) -> None:
        super().__init__(scale)
        if levels < 2:
            raise ValueError(f"diffusion has at least 2 levels of noise, got {levels}")
        self.levels, self.kappa, self.noise_seed = levels, kappa, noise_seed
        growth = torch.linspace(0, 1, levels, dtype=torch.float64) ** BEND
        self.eta = [0.0, *(FIRST * (LAST / FIRST) ** growth).square().tolist()]  # η_0, …, η_T
        self.head = conv3x3(3 * scale**2 + 3, channels)
        self.body = nn.ModuleList(TimedBlock(channels, levels) for _ in range(num_blocks))
        self.upsampler = DirectUpsampler(channels, scale)
        he_initialization(self, calm=[*self.body, self.upsampler])

    def redrawn(self, noise_seed: int) -> "ResShift":
        """The same network, weights included, with other noise."""
        other = copy(self)
        other.noise_seed = noise_seed
        return other

    def noise(self, lr: Tensor) -> Tensor:
        """(levels, 1, 3, H, W) for images of the size of lr, the same on every device."""
        rng = torch.Generator().manual_seed(self.noise_seed)
        height, width = (self.scale * extent for extent in lr.shape[-2:])
        return torch.randn(self.levels, 1, 3, height, width, generator=rng).to(lr)

    def noised(self, hr: Tensor, lr: Tensor, level: Tensor, noise: Tensor) -> Tensor:
        """x_t of hr (B, 3, H, W) at levels t (B,) from 1 to T, with noise (B, 3, H, W)."""
        eta = torch.tensor(self.eta).to(hr)[level][:, None, None, None]
        return hr + eta * (upsample(lr, self.scale) - hr) + self.kappa * eta.sqrt() * noise

    def features(self, state: Tensor, lr: Tensor, level: Tensor) -> Tensor:
        """(B, C, h, w) of x_t (B, 3, H, W) at levels t (B or 1,)."""
        x = self.head(torch.cat([F.pixel_unshuffle(state, self.scale), lr], dim=1))
        for block in self.body:
            x = block(x, level - 1)
        return x

    def reconstruct(self, features: Tensor, lr: Tensor) -> Tensor:
        """The guess at x₀."""
        return upsample(lr, self.scale) + self.upsampler(features)

    def sampling(
        self, lr: Tensor | Sequence[Tensor], noise: Tensor
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """(features, guess at x₀) at each level, from the last to the first.

        lr is (B, 3, h, w), or one for each of its uses: where sampling begins, then each level;
        noise (levels, B or 1, 3, H, W).
        """
        start, *uses = [lr] * (self.levels + 1) if isinstance(lr, Tensor) else lr
        eta, levels = self.eta, range(self.levels, 0, -1)
        state = upsample(start, self.scale) + self.kappa * eta[-1] ** 0.5 * noise[0]
        for level, own in zip(levels, uses, strict=True):
            features = self.features(state, own, torch.tensor([level], device=own.device))
            guess = self.reconstruct(features, own)
            yield features, guess
            if level > 1:
                kept, fresh = eta[level - 1] / eta[level], noise[self.levels - level + 1]
                spread = self.kappa * (kept * (eta[level] - eta[level - 1])) ** 0.5
                state = kept * state + (1 - kept) * guess + spread * fresh

    def extract(self, lr: Tensor) -> Tensor:
        """The features of the last guess."""
        *_, (features, _) = self.sampling(lr, self.noise(lr))
        return features
