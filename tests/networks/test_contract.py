"""What strangers' networks do that a probe must see: ranges, noise, overwriting, checkpoints."""

import os
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from srlab.checkpoints.official import load_official
from srlab.degradations.filters import downsample
from srlab.images import center_crop, read_image
from srlab.networks.contract import ContractError, connect, measured_scale

BYTE, UNIT = (0.0, 255.0), (0.0, 1.0)


class Mix(nn.Module):
    """A small network with weights, ×2, in [0, `high`]: bilinear plus a little of a convolution."""

    def __init__(self, high: float = 1.0) -> None:
        super().__init__()
        self.high = high
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        for weight in self.parameters():
            weight.data = torch.linspace(-0.1, 0.1, weight.numel()).view_as(weight)

    def forward(self, lr: Tensor) -> Tensor:
        return F.interpolate(lr + 0.005 * self.high * self.body(lr / self.high), scale_factor=2)

    def body(self, x: Tensor) -> Tensor:
        return self.conv(x).tanh()


class Noisy(Mix):
    def forward(self, lr: Tensor) -> Tensor:
        return super().forward(lr) + 0.001 * torch.randn(1, 3, 1, 1)


class Overwriting(Mix):
    """Gates as FMEN's, slices as SMFANet's, an activation as everybody's; all in place."""

    def body(self, x: Tensor) -> Tensor:
        out = self.conv(x)
        out *= out.sigmoid()
        out[:, :1] = self.conv(out)[:, :1]
        return out.mul_(2).sigmoid_()


class Plain(Mix):
    """The same without."""

    def body(self, x: Tensor) -> Tensor:
        out = self.conv(x)
        out = out * out.sigmoid()
        out = torch.cat([self.conv(out)[:, :1], out[:, 1:]], dim=1)
        return (2 * out).sigmoid()


class Checkpointed(Mix):
    reentrant = True

    def body(self, x: Tensor) -> Tensor:
        return checkpoint(super().body, x, use_reentrant=self.reentrant)


class Returns(Mix):
    def __init__(self, wrap: object) -> None:
        super().__init__()
        self.wrap = wrap

    def forward(self, lr: Tensor) -> object:
        return self.wrap(super().forward(lr))


def waves(height: int = 33, width: int = 41) -> Tensor:
    """A smooth picture (1, 3, height, width)."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    phases = torch.tensor([0.0, 1.0, 2.0])[:, None, None]
    return (0.5 + 0.4 * torch.sin((rows + columns) / 4 + phases))[None]


def test_noise_in_every_forward_is_told() -> None:
    _, contract = connect(Noisy(), waves())
    assert not contract.deterministic
    assert "not deterministic" in contract.checks()["answers alike each time"]
    (doubt,) = contract.doubts()
    assert "not deterministic" in doubt
    _, contract = connect(Mix(), waves())
    assert contract.checks()["answers alike each time"] == "yes"
    assert contract.doubts() == []


class Lifted(nn.Module):
    """Bilinear ×2, lifted by `amount` in its own range of values: small there, large in another."""

    def __init__(self, amount: float) -> None:
        super().__init__()
        self.amount = amount

    def forward(self, lr: Tensor) -> Tensor:
        return F.interpolate(lr, scale_factor=2, mode="bilinear") + self.amount


def test_ranges_are_compared_however_well_the_given_one_fits() -> None:
    network = Lifted(0.03)  # in a network for [0, 255] a ten-thousandth, in [0, 1] not yet 0.1
    _, contract = connect(network, waves())
    assert contract.unlikeness < 0.05
    assert contract.better_range == BYTE
    assert "[0, 255] better" in contract.doubts()[0]
    _, contract = connect(network, waves(), value_range=BYTE)
    assert contract.better_range is None
    assert contract.doubts() == []


@pytest.mark.skipif("SRLAB_DATA" not in os.environ, reason="needs published weights")
@pytest.mark.parametrize("name", ["imdn", "pan", "rfdn", "carn-m"])
@pytest.mark.parametrize("trained", [UNIT, BYTE])
@pytest.mark.parametrize("given", [UNIT, BYTE])
def test_published_networks_tell_the_range_that_they_were_trained_on(name, trained, given) -> None:
    folder = Path(os.environ["SRLAB_DATA"], "test", "Urban100")
    hr = center_crop(read_image(sorted(folder.iterdir())[0])[None], 128)
    network, high = load_official(name), trained[1]
    stranger = Returns(lambda lr: network(lr / high) * high)
    stranger.forward = lambda lr: network(lr / high) * high
    _, contract = connect(stranger, downsample(hr, 4).clamp(0, 1), value_range=given)
    assert contract.better_range == (None if given == trained else trained)


class Overflowing(Mix):
    """Fine in [0, 1], infinite in [0, 255]."""

    def forward(self, lr: Tensor) -> Tensor:
        sr = super().forward(lr)
        return 1.5 * sr + torch.exp(80 * sr) * 1e-36


def test_a_range_that_overflows_is_no_guess_and_no_question_of_weights() -> None:
    _, contract = connect(Overflowing(), waves())
    assert contract.unlikeness > 0.1
    with pytest.raises(ContractError, match=r"in \[0, 255\] .* holds NaN .* not in \[0, 1\]"):
        connect(Overflowing(), waves(), value_range=BYTE)


def test_a_flat_answer_resembles_nothing() -> None:
    """Grey is near to any picture, in whatever range it is given out."""
    for lr in (waves(), 0.5 + 0.01 * (waves() - 0.5)):
        _, contract = connect(Returns(lambda sr: sr * 1e-3), lr)
        assert contract.better_range is None


def test_networks_that_work_in_place_have_the_exact_gradient() -> None:
    lr = waves()
    _, contract = connect(Overwriting(), lr)
    _, plain = connect(Plain(), lr)
    assert contract.gradient == pytest.approx(plain.gradient, rel=1e-6)
    assert not contract.in_place


def test_what_no_gradient_passes_is_said_in_plain_words() -> None:
    class Split(Mix):
        def body(self, x: Tensor) -> Tensor:
            first, *others = self.conv(x).split(1, dim=1)
            first *= 2
            return torch.cat([first, *others], dim=1)

    with pytest.raises(ContractError, match=r"write part = part \* gain"):
        connect(Split(), waves())


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpointed_networks_are_taken(reentrant: bool) -> None:
    network = Checkpointed()
    network.reentrant = reentrant
    _, contract = connect(network, waves())
    assert contract.gradient == pytest.approx(connect(Mix(), waves())[1].gradient)
    assert all(weight.requires_grad and weight.grad is None for weight in network.parameters())


def test_the_largest_of_several_pictures_is_suggested() -> None:
    steps = Returns(lambda sr: [F.avg_pool2d(sr, 4), F.avg_pool2d(sr, 2), sr, sr.mean()])
    with pytest.raises(ContractError, match="output='2'"):
        connect(steps, waves(32, 40))
    named = Returns(lambda sr: {"codes": sr.mean(), "small": F.avg_pool2d(sr, 2), "sr": sr})
    with pytest.raises(ContractError, match="output='sr'"):
        connect(named, waves(32, 40))


@pytest.mark.parametrize(
    ("wrap", "says"),
    [
        (lambda sr: sr + 0j, "complex values, torch.complex64.* real part"),
        (lambda sr: (sr * 255).byte(), "whole numbers, torch.uint8.* before rounding"),
        (lambda sr: sr.mean(), r"to \(\); srlab needs"),
        (lambda sr: sr.flatten(), r"to \(16236,\); srlab needs"),
    ],
)
def test_other_numbers_than_pictures_hold_are_explained(wrap: object, says: str) -> None:
    with pytest.raises(ContractError, match=says):
        connect(Returns(wrap), waves())


def test_half_precision_is_measured_like_any() -> None:
    _, contract = connect(Returns(lambda sr: sr.half()), waves())
    assert contract.scale == 2
    assert contract.doubts() == []


class Fixed(Mix):
    """Takes multiples of `side`, or with `only` that size alone."""

    def __init__(self, side: int, *, only: bool = False) -> None:
        super().__init__()
        self.side, self.only = side, only

    def forward(self, lr: Tensor) -> Tensor:
        sizes = lr.shape[-2:]
        if any(size % self.side or (self.only and size != self.side) for size in sizes):
            raise RuntimeError("windows do not fit")
        return super().forward(lr)


def test_large_multiples_are_found() -> None:
    with pytest.raises(ContractError, match="multiples of 128 it does"):
        connect(Fixed(128), waves(260, 300))


def test_a_network_of_one_size_says_how_to_give_it() -> None:
    with pytest.raises(ContractError, match=r"windows do not fit.*cut that size out"):
        connect(Fixed(48, only=True), waves())
    assert connect(Fixed(48, only=True), waves(48, 48))[1].sizes is None
    with pytest.raises(ContractError, match=r"no whole multiple$"):
        connect(Returns(lambda sr: sr[..., :-1]), waves())


def test_the_scale_alone_takes_one_run() -> None:
    assert measured_scale(Mix(), waves()) == 2
    assert measured_scale(Fixed(16), waves(), multiple=16, scale=4) == 2


def test_a_picture_that_requires_grad_is_taken_as_it_is() -> None:
    lr = waves().requires_grad_()
    connect(Mix(), lr)
    assert lr.grad is None
