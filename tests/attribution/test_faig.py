"""Laws of filter attribution, on tiny networks in double precision."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from srlab.attribution.faig import (
    FILTER_TOLERANCE,
    convolutions,
    discriminative_filters,
    discriminative_scores,
    faig,
    filter_count,
    filter_depths,
    filters_by_degradation,
    inner_layers,
    masked_weights,
    overlap_score,
    top_filters,
)
from srlab.attribution.filter_rivals import internal_influence, random_scores, weight_change
from srlab.attribution.integral import InexactWarning

# Few steps and small networks are what these laws need; what is not exact is told elsewhere.
pytestmark = pytest.mark.filterwarnings("ignore::srlab.attribution.integral.InexactWarning")


class Net(nn.Module):
    """Declares its convolutions in another order than it runs them; one is grouped."""

    def __init__(self) -> None:
        super().__init__()
        self.tail = nn.Conv2d(4, 12, 1)
        self.unused = nn.Conv2d(3, 3, 1)
        self.head = nn.Conv2d(3, 4, 3, padding=1)
        self.body = nn.Sequential(nn.Tanh(), nn.Conv2d(4, 4, 3, padding=1, groups=2), nn.PReLU())

    def forward(self, lr):
        return F.pixel_shuffle(self.tail(self.body(self.head(lr))), 2)


def images(count, size=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, size, size, generator=generator, dtype=torch.float64)


def pair(net=Net, change=0.1, **settings):
    """A network and two state dicts for it; it holds neither."""
    torch.manual_seed(0)
    model = net(**settings).double()
    baseline = {name: torch.randn_like(own) / 3 for name, own in model.state_dict().items()}
    target = {name: own + change * torch.randn_like(own) for name, own in baseline.items()}
    return model, baseline, target


def attribution(lr=None, steps=8, **settings):
    lr = images(2) if lr is None else lr
    hr = images(len(lr), 2 * lr.shape[-1], seed=9)
    return faig(*pair(), lr, hr, steps=steps, **settings)


SHAPES = {"head": (4, 3), "body.1": (4, 2), "tail": (12, 4)}


def scores(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.rand(shape, generator=generator) for name, shape in SHAPES.items()}


def every(value=True):
    return {name: torch.full(shape, value) for name, shape in SHAPES.items()}


def test_filters_come_in_the_order_in_which_they_run():
    found = attribution()
    assert {name: own.shape for name, own in found.magnitude.items()} == {
        name: (2, *shape) for name, shape in SHAPES.items()
    }
    assert tuple(found.signed) == tuple(found.scores()) == ("head", "body.1", "tail")


def test_all_weights_together_explain_the_change_of_the_loss():
    model, baseline, target = pair()
    lr, hr = images(1), images(1, 16, seed=9)
    found = faig(model, baseline, target, lr, hr, steps=64)
    start, end = (
        (functional_call(model, weights, (lr,)) - hr).square().sum().item()
        for weights in (baseline, target)
    )
    assert (found.start[0], found.end[0]) == pytest.approx((start, end))
    assert found.completeness_error[0] < 1e-3
    for name in baseline:  # with all else unchanged, filters alone explain it
        if not name.endswith("weight") or name.startswith("body.2"):
            target[name] = baseline[name]
    alone = faig(model, baseline, target, lr, hr, steps=64)
    total = sum(own.sum().item() for own in alone.signed.values())
    assert total == pytest.approx(alone.end[0] - alone.start[0], rel=1e-3)


def test_a_plain_loop_finds_the_same():
    model, baseline, target = pair()
    lr, hr = images(1), images(1, 16, seed=9)
    found = faig(model, baseline, target, lr, hr, rule="right", steps=5)
    total = {name: torch.zeros_like(own) for name, own in baseline.items()}
    for step in range(1, 6):
        other = Net().double()
        other.load_state_dict(
            {name: own + step / 5 * (target[name] - own) for name, own in baseline.items()}
        )
        F.mse_loss(other(lr), hr, reduction="sum").backward()
        for name, own in other.named_parameters():
            if own.grad is not None:
                total[name] += own.grad * (target[name] - baseline[name]) / 5
    for name in SHAPES:
        expected = total[f"{name}.weight"]
        torch.testing.assert_close(found.signed[name][0], expected.sum(dim=(2, 3)))
        torch.testing.assert_close(found.magnitude[name][0], expected.abs().sum(dim=(2, 3)))


def test_more_steps_come_closer_and_midpoints_beat_right_ends():
    midpoint = [attribution(steps=steps).completeness_error.max() for steps in (1, 4, 16)]
    assert midpoint[0] > midpoint[1] > midpoint[2]
    assert midpoint[1] < attribution(steps=4, rule="right").completeness_error.max()


def test_each_image_counts_by_itself_and_sizes_may_differ():
    model, baseline, target = pair()
    lr = [images(1, size, seed=size)[0] for size in (8, 6)]
    hr = [images(1, 2 * size, seed=size)[0] for size in (8, 6)]
    both = faig(model, baseline, target, lr, hr)
    for index in (0, 1):
        one = faig(model, baseline, target, [lr[index]], [hr[index]])
        for name in SHAPES:
            torch.testing.assert_close(both.scores([index])[name], one.scores()[name])
    mean = (both.scores([0])["tail"] + both.scores([1])["tail"]) / 2
    torch.testing.assert_close(both.scores()["tail"], mean)


def test_an_image_whose_loss_hardly_changes_does_not_rule_the_error():
    found = attribution(steps=2)
    missing = found.completeness_error * np.abs(found.end - found.start)
    assert found.error == pytest.approx(missing.sum() / np.abs(found.end - found.start).sum())
    assert found.completeness_error.min() < found.error < found.completeness_error.max()


def test_the_model_is_left_as_it_was():
    model, baseline, target = pair()
    model.train()
    model.head.eval()
    next(model.parameters()).requires_grad_(False)
    before = {name: own.clone() for name, own in model.state_dict().items()}
    given = {name: own.clone() for name, own in (baseline | target).items()}
    with torch.inference_mode():
        faig(model, baseline, target, images(1), images(1, 16))
        internal_influence(model, target, images(1), images(1, seed=1))
    assert all(torch.equal(before[name], own) for name, own in model.state_dict().items())
    assert all(torch.equal(given[name], own) for name, own in (baseline | target).items())
    assert model.training
    assert not model.head.training
    assert [own.requires_grad for own in model.parameters()].count(False) == 1
    assert all(own.grad is None for own in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())


def test_weights_swapped_give_the_opposite_attribution():
    model, baseline, target = pair()
    data = images(1), images(1, 16, seed=9)
    there = faig(model, baseline, target, *data)
    back = faig(model, target, baseline, *data)
    for name in SHAPES:
        torch.testing.assert_close(there.signed[name], -back.signed[name])


def test_a_filter_that_did_not_change_counts_nothing():
    model, baseline, target = pair()
    target["head.weight"][1, 2] = baseline["head.weight"][1, 2]
    found = faig(model, baseline, target, images(1), images(1, 16))
    zero = found.magnitude["head"][0] == 0
    assert zero.nonzero().tolist() == [[1, 2]]


def test_of_two_degradations_one_ranking_is_the_other_reversed():
    blur, noise = scores(0), scores(1)
    there, back = discriminative_scores(blur, [noise]), discriminative_scores(noise, [blur])
    assert all(torch.equal(there[name], -back[name]) for name in SHAPES)
    masks = filters_by_degradation({"blur": blur, "noise": noise}, 0.5)
    assert all(torch.equal(masks["blur"][name], ~masks["noise"][name]) for name in SHAPES)


def test_of_three_degradations_the_mean_of_the_others_is_subtracted():
    first, second, third = scores(0), scores(1), scores(2)
    found = discriminative_scores(first, [second, third])
    expected = first["head"] - (second["head"] + third["head"]) / 2
    torch.testing.assert_close(found["head"], expected)
    masks = discriminative_filters(first, [second, third], 0.1)
    assert (
        masks.keys()
        == filters_by_degradation({"a": first, "b": second, "c": third}, 0.1)["a"].keys()
    )
    assert overlap_score(masks, top_filters(found, 0.1)) == 1


@pytest.mark.parametrize(
    ("fraction", "count"), [(1e-6, 1), (0.01, 1), (0.1, 7), (0.5, 34), (1, 68)]
)
def test_a_fraction_takes_exactly_so_many_of_the_best(fraction, count):
    own = scores()
    masks = top_filters(own, fraction)
    assert filter_count(masks) == count
    taken = torch.cat([own[name][masks[name]] for name in SHAPES])
    left = torch.cat([own[name][~masks[name]] for name in SHAPES])
    assert not len(left) or taken.min() > left.max()


def test_equal_scores_fall_to_the_first():
    masks = top_filters({name: torch.zeros(shape) for name, shape in SHAPES.items()}, 0.25)
    assert masks["head"].all()
    assert masks["body.1"].flatten().tolist() == [True] * 5 + [False] * 3


def test_layers_are_chosen_by_name():
    masks = top_filters(scores(), 1, layers=inner_layers(SHAPES))
    assert {name: int(mask.sum()) for name, mask in masks.items()} == {
        "head": 0,
        "body.1": 8,
        "tail": 0,
    }
    assert filter_depths(masks) == pytest.approx([0.5] * 8)
    assert filter_depths(every()).mean() == pytest.approx((8 * 0.5 + 48) / 68)


def test_masking_everything_gives_back_the_baselines_filters():
    _, baseline, target = pair()
    merged = masked_weights(target, baseline, every())
    filters = {f"{name}.weight" for name in SHAPES}
    assert all(torch.equal(merged[name], baseline[name]) for name in filters)
    assert all(torch.equal(merged[name], target[name]) for name in target.keys() - filters)


def test_strength_scales_between_target_and_baseline():
    _, baseline, target = pair()
    masks = top_filters(scores(), 0.3)
    untouched = masked_weights(target, baseline, masks, strength=0)
    assert all(torch.equal(untouched[name], own) for name, own in target.items())
    for strength in (0.25, 1.0, 1.5, -0.5):
        moved = masked_weights(target, baseline, masks, strength=strength)["tail.weight"]
        a, b = target["tail.weight"], baseline["tail.weight"]
        torch.testing.assert_close(moved[masks["tail"]], (a + strength * (b - a))[masks["tail"]])
        assert torch.equal(moved[~masks["tail"]], a[~masks["tail"]])


def test_overlap_is_the_share_of_an_images_own_filters():
    own, other = every(False), every(False)
    own["head"][0], other["head"][0, :2], other["tail"][0] = True, True, True
    assert overlap_score(own, other) == pytest.approx(2 / 3)
    assert overlap_score(other, own) == pytest.approx(2 / 6)


def test_internal_influence_of_a_linear_network_is_exact():
    class Linear(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 1, bias=False)

        def forward(self, lr):
            return self.conv(lr)

    model, weights, _ = pair(Linear)
    clean, degraded = images(2), images(2, seed=1)
    found = internal_influence(model, weights, clean, degraded, steps=1)
    sums = (clean + degraded).sum(dim=(2, 3)) / 2  # every output channel adds up each input one
    torch.testing.assert_close(found["conv"], sums.mean(dim=0).expand(3, 3))
    twice = internal_influence(model, weights, clean, degraded, rule="left", steps=2)
    sums = (0.75 * clean + 0.25 * degraded).sum(dim=(2, 3))
    torch.testing.assert_close(twice["conv"], sums.mean(dim=0).expand(3, 3))


def test_weight_change_sums_over_the_kernel():
    _, baseline, target = pair()
    a, b = baseline["head.weight"], target["head.weight"]
    change = (b - a).abs().sum(dim=(2, 3))
    assert torch.equal(weight_change(baseline, target, SHAPES)["head"], change)
    relative = weight_change(baseline, target, ["head"], normalized=True)["head"]
    torch.testing.assert_close(relative, change / a.abs().sum(dim=(2, 3)))
    baseline["head.weight"][0, 0] = 0
    with pytest.raises(ValueError, match="zero in the baseline"):
        weight_change(baseline, target, ["head"], normalized=True)


def test_chance_follows_its_generator():
    one, same = (random_scores(scores(), np.random.default_rng(1)) for _ in range(2))
    other = random_scores(scores(), np.random.default_rng(2))
    assert {name: own.shape for name, own in one.items()} == SHAPES
    assert all(torch.equal(one[name], same[name]) for name in SHAPES)
    assert not torch.equal(one["head"], other["head"])


def test_transposed_convolutions_are_filters_too():
    class Enlarge(nn.Module):
        def __init__(self):
            super().__init__()
            self.up = nn.ConvTranspose2d(3, 3, 2, stride=2)

        def forward(self, lr):
            return self.up(lr)

    found = faig(*pair(Enlarge), images(1), images(1, 16), steps=2)
    assert found.completeness_error[0] < 1e-10  # the loss is quadratic


def refused(words, change, model=None):
    """faig refuses what `change` does to its arguments."""
    own, baseline, target = pair()
    arguments = {"baseline": baseline, "target": target, "lr": images(1), "hr": images(1, 16)}
    change(arguments)
    with pytest.raises(ValueError, match=words):
        faig(model or own, *arguments.values(), steps=1)


def test_weights_that_do_not_fit_are_refused():
    refused("missing head.bias", lambda given: given["baseline"].pop("head.bias"))
    refused("unexpected extra", lambda given: given["target"].update(extra=torch.ones(1)))
    wrong = {"head.bias": torch.ones(5)}
    refused(r"head.bias: file \(5,\), network \(4,\)", lambda given: given["target"].update(wrong))
    spoilt = {"head.bias": torch.full((4,), torch.nan)}
    refused("NaN or infinity: head.bias", lambda given: given["baseline"].update(spoilt))
    refused("identical", lambda given: given.update(target=given["baseline"]))


def test_images_that_do_not_fit_are_refused():
    refused(r"but hr is \(1, 3, 15, 15\)", lambda given: given.update(hr=images(1, 15)))
    refused("longer", lambda given: given.update(hr=images(2, 16)))
    refused("NaN", lambda given: given.update(lr=images(1) * torch.nan))
    refused("no image", lambda given: given.update(lr=[], hr=[]))


def test_networks_whose_filters_cannot_be_seen_are_refused():
    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(3, 3, 1, 1))

        def forward(self, lr):
            return F.conv2d(lr, self.weight)

    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 3, 1)))
    with pytest.raises(ValueError, match="reparametrised"):
        convolutions(model, torch.rand(1, 3, 4, 4))
    with pytest.raises(ValueError, match="no filters"):
        convolutions(Functional(), torch.rand(1, 3, 4, 4))


def test_normalisation_is_that_of_evaluation_and_may_not_differ():
    model = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))
    baseline = {name: own.clone() for name, own in model.state_dict().items()}
    target = {name: own + 1 for name, own in baseline.items()}
    lr, hr = torch.rand(1, 3, 4, 4), torch.rand(1, 3, 4, 4)
    with pytest.raises(ValueError, match=r"1\.running_mean.*fold"):
        faig(model, baseline, target, lr, hr)
    same = {name: own if "running" in name else target[name] for name, own in baseline.items()}
    found = faig(model, baseline, same, lr, hr)
    with torch.no_grad():
        assert found.start[0] == pytest.approx((model.eval()(lr) - hr).square().sum().item())


def test_mistakes_are_explained():
    for fraction in (0, -0.1, 1.1, 5, float("nan")):
        with pytest.raises(ValueError, match="for one per cent"):
            top_filters(scores(), fraction)
    with pytest.raises(ValueError, match="no layer is chosen"):
        top_filters(scores(), 0.1, layers=lambda name: name == "absent")
    with pytest.raises(ValueError, match="NaN"):
        top_filters({"head": torch.full((2, 2), torch.nan)}, 0.5)
    for others in ([], scores()):
        with pytest.raises(ValueError, match="list of scores"):
            discriminative_scores(scores(), others)
    with pytest.raises(ValueError, match="two networks"):
        discriminative_scores(scores(), [{"head": torch.rand(4, 3)}])
    with pytest.raises(ValueError, match="no filter whose overlap"):
        overlap_score(every(False), every())
    _, baseline, target = pair()
    with pytest.raises(ValueError, match=r"no 'absent\.weight'"):
        masked_weights(target, baseline, {"absent": torch.ones(1, 1, dtype=torch.bool)})
    with pytest.raises(ValueError, match=r"its mask \(1, 1\)"):
        masked_weights(target, baseline, {"head": torch.ones(1, 1, dtype=torch.bool)})


class Viewing(nn.Module):
    """A foreign network that takes it for granted how its features lie in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, lr):
        features = self.conv(lr)
        batch, channels, height, width = features.shape
        return features.view(batch, channels, height * width).view(batch, channels, height, width)


def test_a_network_that_views_its_features_is_attributed():
    one, other = (Viewing().state_dict() for _ in range(2))
    lr = torch.rand(2, 3, 9, 9)
    found = faig(Viewing(), one, other, lr, lr, steps=2)
    assert found.magnitude["conv"].shape == (2, 3, 3)


class Fourier(nn.Module):
    """Weighs frequencies by complex parameters, beside a convolution."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.gains = nn.Parameter(torch.ones(3, 8, 5, dtype=torch.complex128))

    def forward(self, lr):
        spectrum = torch.fft.rfft2(self.conv(lr)) * self.gains
        return torch.fft.irfft2(spectrum, s=lr.shape[-2:])


class Stale(nn.Module):
    """Runs a convolution into which another was folded, unseen by autograd."""

    def __init__(self):
        super().__init__()
        self.learned, self.folded = (nn.Conv2d(3, 3, 3, padding=1) for _ in range(2))

    def forward(self, lr):
        self.folded.weight.data = self.learned.weight.data
        return self.folded(lr)


def changed(model):
    """(model, baseline, target): all parameters moved."""
    model = model.double()
    baseline = {name: own.clone() for name, own in model.state_dict().items()}
    generator = torch.Generator().manual_seed(4)
    target = {
        name: own + 0.3 * torch.randn(own.shape, generator=generator, dtype=own.dtype)
        for name, own in baseline.items()
    }
    return model, baseline, target


def test_complex_parameters_explain_their_part():
    torch.manual_seed(0)
    found = faig(*changed(Fourier()), images(2), images(2, seed=3), steps=64)
    assert found.error < 1e-3


def test_weights_that_act_folded_into_others_are_told():
    torch.manual_seed(0)
    with pytest.warns(InexactWarning, match="folded"):
        faig(*changed(Stale()), images(2), images(2, seed=3))


def test_filters_are_as_exact_as_the_tolerance_asks():
    found = attribution(steps=None)
    reference = attribution(steps=1000)
    off = sum((found.signed[n] - reference.signed[n]).abs().sum() for n in SHAPES)
    size = sum(reference.signed[n].abs().sum() for n in SHAPES)
    assert off / size < FILTER_TOLERANCE
    assert found.filter_error.max() <= FILTER_TOLERANCE
