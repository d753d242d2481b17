"""A window computed alone is the window of the whole, in value and gradient."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from srlab.attribution.graph import UnrepeatableError, is_plain, record
from srlab.attribution.lam import lam, lams
from srlab.attribution.objective import Rectangles, objective
from srlab.attribution.paths import deblur
from srlab.attribution.reach import Box, Span, step, whole
from srlab.attribution.targets import patch

# Few steps and small networks are what these laws need; what is not exact is told elsewhere.
pytestmark = pytest.mark.filterwarnings("ignore::srlab.attribution.integral.InexactWarning")

SIZE = 14


def picture(*, channels=3, size=SIZE, batch=1):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(batch, channels, size, size, generator=generator, dtype=torch.float64)


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def convolution(outputs=4, inputs=3, kernel=3, **settings):
    weight, bias = (
        drawn(outputs, inputs // settings.get("groups", 1), kernel, kernel),
        drawn(outputs),
    )
    return lambda x: F.conv2d(x, weight, bias, **settings)


def transposed(**settings):
    weight = drawn(3, 2, 5, 5)
    return lambda x: F.conv_transpose2d(x, weight, **settings)


def enlarged(mode, factor=2, **settings):
    return lambda x: F.interpolate(x, scale_factor=factor, mode=mode, **settings)


def shuffled(x):
    batch, channels, height, width = x.shape
    parts = x.view(batch, 3, channels // 3, height, width).transpose(1, 2)
    return parts.reshape(batch, channels, height, width)


EVERYWHERE = torch.linspace(0, 1, SIZE**2, dtype=torch.float64).reshape(SIZE, SIZE)
KNOWN = {  # operations of which only a part is read
    "convolution": convolution(padding=1),
    "even kernel": convolution(kernel=4, padding=2),
    "no padding": convolution(kernel=5),
    "stride": convolution(stride=2, padding=1),
    "dilation": convolution(padding=2, dilation=2),
    "groups": convolution(inputs=3, outputs=6, groups=3, padding=1),
    "uneven padding": convolution(padding=(0, 2)),
    "transposed": transposed(stride=3, padding=2, output_padding=1),
    "transposed, no padding": transposed(stride=2),
    "pixel shuffle": lambda x: F.pixel_shuffle(torch.cat([x] * 4, dim=1), 2),
    "pixel unshuffle": lambda x: F.pixel_unshuffle(x, 2),
    "bilinear": enlarged("bilinear", align_corners=False),
    "bilinear, corners": enlarged("bilinear", align_corners=True),
    "bilinear, one and a half": enlarged("bilinear", factor=1.5),
    "bicubic": enlarged("bicubic"),
    "bicubic, MATLAB's kernel": enlarged("bicubic", factor=3, antialias=True),
    "bilinear, antialiased": enlarged("bilinear", factor=0.5, antialias=True),
    "nearest": enlarged("nearest", factor=3),
    "zeros around": lambda x: F.pad(x, (1, 2, 3, 0)),
    "a value around": lambda x: F.pad(x, (4, 2), value=0.3),
    "less than nothing around": lambda x: F.pad(x, (-1, 2, 0, -2)),
    "mirrored": lambda x: F.pad(x, (2, 2, 1, 3), mode="reflect"),
    "repeated": lambda x: F.pad(x, (2, 2, 1, 3), mode="replicate"),
    "cut": lambda x: x[..., 1:-2, 3:],
    "channels": lambda x: torch.cat([x[:, 1:], x[:, :1] * 2, *x.split(1, dim=1)], dim=1),
    "channel shuffle": shuffled,
    "spatial weights": lambda x: x * EVERYWHERE + EVERYWHERE[0],
    "channel softmax": lambda x: x.softmax(dim=1) * x.mean(dim=1, keepdim=True),
    "activations": lambda x: F.silu(F.leaky_relu(x - 0.5, 0.1)) + x.clamp(0.2, 0.8).sqrt(),
    "in place": lambda x: F.relu(((x - 0.5) * 1).mul_(2).add_(x), inplace=True),
}
WHOLE = {  # …and all of which is
    "mean": lambda x: x * x.mean(dim=(2, 3), keepdim=True),
    "maximum": lambda x: F.max_pool2d(x, 3, 1, 1),
    "tokens": lambda x: x.flatten(2).softmax(dim=-1).reshape(x.shape),
    "row mixing": lambda x: EVERYWHERE @ x,
    "turned": lambda x: x.transpose(2, 3),
    "rolled": lambda x: x.roll(2, dims=3),
    "dilated cut": lambda x: x[..., ::2],
}
PLACES = [(0, 0), (5, 4), (0, 6), (7, 7)]


def agree(part, network, lr, window):
    """Value and gradient, weighted so that no two pixels may be exchanged."""
    one, other = lr.clone().requires_grad_(), lr.clone().requires_grad_()
    found = part(one)
    expected = network(other)[..., slice(*window.rows), slice(*window.columns)]
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11)
    weights = drawn(*found.shape)
    pairs = ((found, one), (expected, other))
    gradients = [torch.autograd.grad((sr * weights).sum(), given) for sr, given in pairs]
    torch.testing.assert_close(*(own for (own,) in gradients), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", [*KNOWN, *WHOLE])
def test_a_window_alone_is_the_window_of_the_whole(name, place):
    network, lr = {**KNOWN, **WHOLE}[name], picture(batch=2)
    graph = record(network, lr)
    rows, columns = graph.shapes[graph.output][-2:]
    top, left = min(place[0], rows - 4), min(place[1], columns - 3)
    window = Box(Span(top, top + 4), Span(left, left + 3))
    agree(Rectangles(graph, window), network, lr, window)


@pytest.mark.parametrize("name", KNOWN)
def test_of_known_operations_no_more_is_read_than_reaches_the_window(name):
    """Pixels just outside the rectangle have no influence, and those at its edges have some."""
    network, lr = KNOWN[name], picture()
    graph = record(network, lr)
    rows, columns = graph.shapes[graph.output][-2:]
    window = Box(Span(rows // 2, rows // 2 + 1), Span(columns // 2, columns // 2 + 1))
    read = Rectangles(graph, window).picture
    assert read != whole(lr.shape)
    given = lr.clone().requires_grad_()
    seen = network(given)[..., slice(*window.rows), slice(*window.columns)]
    (gradient,) = torch.autograd.grad((seen * drawn(*seen.shape)).sum(), given)
    reached = gradient.abs().sum(dim=(0, 1)).nonzero()
    for axis, span in enumerate(read):
        first, last = int(reached[:, axis].min()), int(reached[:, axis].max())
        assert span.first <= first
        assert last < span.stop
        loose = 1 if "stride" in name or "dilation" in name or "transposed" in name else 0
        assert span.size <= last - first + 1 + 2 * loose


@pytest.mark.parametrize("name", WHOLE)
def test_of_other_operations_the_whole_is_read(name):
    graph = record(WHOLE[name], picture())
    window = Box(Span(5, 8), Span(4, 6))
    assert Rectangles(graph, window).picture == whole(graph.shapes[0])


def test_statistics_of_the_batch_need_all_of_it():
    normalize = nn.BatchNorm2d(3, affine=False).double()
    window = Box(Span(5, 8), Span(4, 6))
    for training in (True, False):
        graph = record(copy.deepcopy(normalize).train(training), picture())
        assert (step(graph.operations[0], graph.shapes, window) is None) is training


class Mirrored(nn.Module):
    """Geometric self-ensemble: its result does not come from the same place of its parts."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        return (self.inner(x) + self.inner(x.flip(-1)).flip(-1)) / 2


def gradient(function, lr):
    given = lr.clone().requires_grad_()
    value = function(given)
    return value.detach(), torch.autograd.grad(value.sum(), given)[0]


def alike(network, lr, target):
    functions = (objective(network, target), lambda x: target(network(x)))
    found, expected = (gradient(function, lr) for function in functions)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11)


def test_what_a_subclass_or_a_hook_does_counts():
    torch.manual_seed(0)
    mirrored = Mirrored().double()
    alike(mirrored, picture(), patch(0, 0, 4))
    hooked = nn.Conv2d(3, 3, 3, padding=1).double()
    hooked.register_forward_hook(lambda _, __, sr: sr * sr.mean())
    alike(hooked, picture(), patch(4, 6, 4))


class Straight(torch.autograd.Function):
    """Rounds, and says in its gradient that it does not."""

    @staticmethod
    def forward(_, x):
        return (x * 8).round() / 8

    @staticmethod
    def backward(_, gradient):
        return gradient


def doubled(x):
    """Changes its gradient by a hook on a value that has one."""
    made = x.sin()
    if made.requires_grad:
        made.register_hook(lambda gradient: gradient * 2)
    return made.cos()


def chosen(x):
    return x * 2 if x.mean() > 0.5 else x


@pytest.mark.parametrize(
    "network",
    [
        lambda x: Straight.apply(x),
        doubled,
        lambda x: checkpoint(torch.sin, x, use_reentrant=False),
        chosen,
        lambda x: (x * 1).index_put_((torch.tensor([0]),), x),
    ],
    ids=["own gradient", "a hook", "checkpoint", "a choice", "a place written"],
)
def test_networks_that_no_list_repeats_are_run_whole(network):
    alike(network, picture(), patch(3, 5, 4))


def test_gradients_that_are_not_torchs_are_seen():
    given = picture().requires_grad_()
    assert is_plain(given.sin())
    assert not is_plain(Straight.apply(given).sin())


def test_choices_chance_and_shared_memory_are_not_recorded():
    def overwrites(x):
        made = x * 1
        made[:, :1] *= 2
        return made

    for network in (chosen, F.dropout, overwrites, lambda x: x[x > 0.5].sum() * x):
        with pytest.raises(UnrepeatableError):
            record(network, picture())
    with pytest.raises(UnrepeatableError):
        record(lambda _: picture(), picture())


class Overwriting(nn.Module):
    """Keeps what its gradient needs in memory that it writes into."""

    def forward(self, x):
        made = x.sigmoid()
        gate = made.sigmoid()
        made *= gate
        made[:, :1] *= 2
        return made


def test_the_gradient_of_a_network_that_overwrites_is_exact():
    def plain(x):
        made = x.sigmoid()
        made = made * made.sigmoid()
        return torch.cat([made[:, :1] * 2, made[:, 1:]], dim=1)

    target = patch(3, 5, 4)
    found, expected = (
        lam(network, picture(), target, path=deblur(steps=3)).map
        for network in (Overwriting(), plain)
    )
    torch.testing.assert_close(found, expected)


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")  # at the ends
def test_reentrant_checkpoints_change_nothing():
    target = patch(3, 5, 4)
    found, expected = (
        lam(network, picture(), target, path=deblur(steps=3)).map
        for network in (lambda x: checkpoint(torch.sin, x, use_reentrant=True), torch.sin)
    )
    torch.testing.assert_close(found, expected)


def test_values_of_one_place_are_exchanged_by_none_of_the_targets():
    """Several targets share the list of operations, and have the maps that each has alone."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 3, 3, padding=1))
    targets = [patch(0, 0, 4), patch(6, 7, 5), lambda sr: sr.square().sum()]
    together = lams(network.double(), picture(), targets)
    for found, target in zip(together, targets, strict=True):
        alone = lam(network, picture(), target)
        assert torch.equal(found.map, alone.map)
        assert found.values.tolist() == alone.values.tolist()
    assert lams(network, picture(), []) == []
