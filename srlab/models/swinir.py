"""SwinIR (Liang et al., ICCVW 2021): attention in windows, which shift from layer to layer."""

import torch
from torch import Tensor, nn

from srlab.models.blocks import (
    DirectUpsampler,
    PixelShuffleUpsampler,
    SuperResolver,
    conv3x3,
    mean_colour,
    mirrored,
)


class WindowAttention(nn.Module):
    """(B, h, w, C) → the same: every position attends to its window, moved by `shift` pixels.

    h and w are multiples of the window. Positions that meet in a window only because the picture
    is rolled do not see each other.
    """

    offsets: Tensor

    def __init__(self, channels: int, heads: int, window: int, shift: int) -> None:
        super().__init__()
        self.heads, self.window, self.shift = heads, window, shift
        self.qkv = nn.Linear(channels, 3 * channels)
        self.mix = nn.Linear(channels, channels)
        self.bias = nn.Parameter(torch.zeros(heads, (2 * window - 1) ** 2))
        nn.init.trunc_normal_(self.bias, std=0.02)
        self.register_buffer("offsets", _offsets(window), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[1:3]
        rolled = x.roll((-self.shift, -self.shift), dims=(1, 2))
        windows = _windows(rolled, self.window)
        query, key, value = (
            part.unflatten(3, (self.heads, -1)).transpose(2, 3)
            for part in self.qkv(windows).chunk(3, dim=3)
        )  # each (B, windows, heads, window², C / heads)
        likeness = query @ key.mT / query.shape[-1] ** 0.5 + self.bias[:, self.offsets]
        if self.shift:
            likeness = likeness + self._strangers(height, width, x).to(likeness.dtype)
        seen = (likeness.softmax(dim=-1) @ value).transpose(2, 3).flatten(3)
        return self._whole(self.mix(seen), height, width)

    def _strangers(self, height: int, width: int, like: Tensor) -> Tensor:
        """(windows, 1, window², window²): −∞ between positions from opposite borders, else 0."""
        down = torch.arange(height, device=like.device) >= height - self.shift
        right = torch.arange(width, device=like.device) >= width - self.shift
        side = 2 * down[:, None] + 1 * right
        sides = _windows(side[None, :, :, None], self.window)[0, :, :, 0]
        apart = sides[:, None, :, None] != sides[:, None, None, :]
        return torch.zeros_like(apart, dtype=like.dtype).masked_fill(apart, float("-inf"))

    def _whole(self, windows: Tensor, height: int, width: int) -> Tensor:
        size = self.window
        grid = windows.unflatten(1, (height // size, width // size)).unflatten(3, (size, size))
        image = grid.transpose(2, 3).flatten(3, 4).flatten(1, 2)
        return image.roll((self.shift, self.shift), dims=(1, 2))


def _windows(image: Tensor, size: int) -> Tensor:
    """(B, h, w, C) → (B, windows, size², C)."""
    grid = image.unflatten(2, (-1, size)).unflatten(1, (-1, size))
    return grid.transpose(2, 3).flatten(3, 4).flatten(1, 2)


def _offsets(window: int) -> Tensor:
    """(window², window²): which entry of the bias belongs to a pair of positions."""
    places = torch.cartesian_prod(torch.arange(window), torch.arange(window))
    apart = places[:, None] - places[None] + window - 1
    return apart[..., 0] * (2 * window - 1) + apart[..., 1]


class SwinLayer(nn.Module):
    """Attention, then a perceptron at every position; both are residuals."""

    def __init__(self, channels: int, heads: int, window: int, shift: int, ratio: int) -> None:
        super().__init__()
        self.attention = nn.Sequential(
            nn.LayerNorm(channels), WindowAttention(channels, heads, window, shift)
        )
        self.perceptron = nn.Sequential(
            nn.LayerNorm(channels),
            nn.Linear(channels, ratio * channels),
            nn.GELU(),
            nn.Linear(ratio * channels, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(x)
        return x + self.perceptron(x)


class SwinGroup(nn.Module):
    """(B, C, h, w) → the same: layers with and without shift in turn, a convolution, a skip."""

    def __init__(self, channels: int, num_layers: int, heads: int, window: int, ratio: int) -> None:
        super().__init__()
        shifts = [(index % 2) * (window // 2) for index in range(num_layers)]
        self.layers = nn.Sequential(
            *(SwinLayer(channels, heads, window, shift, ratio) for shift in shifts)
        )
        self.conv = conv3x3(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(self.layers(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2))


class SwinIR(SuperResolver):
    """SwinIR-light. It mirrors the picture up to a multiple of the window and cuts back itself.

    `as_published` takes the mean colour off and puts it back, norms what enters the body, and cuts
    back at the end, not ahead of the upsampler;
    `upsampler_channels` enlarges in stages of so many channels, as classical SwinIR-M does with 64.
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        channels: int = 60,
        num_groups: int = 4,
        num_layers: int = 6,
        heads: int = 6,
        window: int = 8,
        ratio: int = 2,
        as_published: bool = False,
        upsampler_channels: int | None = None,
    ) -> None:
        super().__init__(scale)
        if channels % heads:
            raise ValueError(f"heads must divide the channels, got {heads} and {channels}")
        if window > 8:
            raise ValueError(f"pictures of 8 pixels cannot be mirrored to windows of {window}")
        self.window, self.as_published = window, as_published
        self.head = conv3x3(3, channels)
        self.entry = nn.LayerNorm(channels) if as_published else nn.Identity()
        self.body = nn.Sequential(
            *(SwinGroup(channels, num_layers, heads, window, ratio) for _ in range(num_groups))
        )
        self.norm = nn.LayerNorm(channels)
        self.fusion = conv3x3(channels, channels)
        self.upsampler = (
            _staged(channels, upsampler_channels, scale)
            if upsampler_channels
            else DirectUpsampler(channels, scale)
        )
        self.taps = ("head", *(f"body.{index}" for index in range(num_groups)), "fusion")

    def extract(self, lr: Tensor) -> Tensor:
        height, width = lr.shape[-2:]
        whole = mirrored(lr, self.window)
        shallow = self.head(whole - mean_colour(lr) if self.as_published else whole)
        deep = _at_each_place(self.norm, self.body(_at_each_place(self.entry, shallow)))
        features = shallow + self.fusion(deep)
        return features if self.as_published else features[..., :height, :width]

    def reconstruct(self, features: Tensor, lr: Tensor) -> Tensor:
        sr = self.upsampler(features)
        if not self.as_published:
            return sr
        height, width = lr.shape[-2:]
        return (sr + mean_colour(lr))[..., : self.scale * height, : self.scale * width]


def _at_each_place(layer: nn.Module, x: Tensor) -> Tensor:
    """A layer of the last axis on (B, C, h, w)."""
    return layer(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def _staged(channels: int, narrow: int, scale: int) -> nn.Sequential:
    """(B, C, h, w) → RGB (B, 3, scale·h, scale·w), through fewer channels."""
    return nn.Sequential(
        conv3x3(channels, narrow),
        nn.LeakyReLU(),
        PixelShuffleUpsampler(narrow, scale, activation=nn.Identity),
        conv3x3(narrow, 3),
    )
