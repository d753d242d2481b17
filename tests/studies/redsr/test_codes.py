import numpy as np
import pytest
import torch

from srlab.degradations.windows import Windows
from srlab.models import build
from srlab.representation.embedding import separability
from srlab.studies.redsr.codes import (
    code_separation,
    codes_of,
    effective_rank,
    filling,
    gathering,
    linear_probe,
    neighbour_purity,
    prior_distance,
    variance_shares,
)
from srlab.training.code_losses import PRIORS, prior_draws

RNG = np.random.default_rng(0)
CONTENTS = np.repeat([f"picture {i}" for i in range(20)], 6)
WIDTHS = np.tile([0.5, 1.4, 2.3, 3.2, 4.1, 5.0], 20)
NOISE = RNG.standard_normal((120, 5))
OWN = RNG.standard_normal((20, 5)).repeat(6, axis=0)  # of each picture


def test_codes_are_what_the_network_represents():
    model = build("redsr", channels=4, num_groups=1, num_blocks=1, encoder_channels=4, code=6)
    lr = torch.rand(5, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    np.testing.assert_allclose(
        codes_of(model.eval(), lr, batch_size=2), model.represent(lr).detach(), rtol=1e-4, atol=1e-6
    )


KIND_BY_KIND = np.argsort(WIDTHS, kind="stable")  # as windows are stacked
BLANK = torch.zeros(20, 3, 1, 1)
SEEN = Windows(BLANK, dict.fromkeys(map(str, WIDTHS[:6]), BLANK), tuple(CONTENTS[::6]))


def test_separation_is_seen_in_three_ways():
    codes, widths = (np.outer(WIDTHS, np.ones(5)) + 0.1 * NOISE)[KIND_BY_KIND], SEEN.kind_labels
    found = code_separation(codes, SEEN, widths.astype(float))
    assert found.probe == linear_probe(codes, widths.astype(float), SEEN.picture_labels)
    assert found.purity == neighbour_purity(codes, widths, SEEN.picture_labels).mean()
    assert found.chi == separability(codes, widths).index


def test_purity_is_the_mean_of_all_codes_and_of_all_pictures():
    codes = (np.outer(WIDTHS, np.ones(5)) + 2 * NOISE)[KIND_BY_KIND]
    purity = neighbour_purity(codes, SEEN.kind_labels, SEEN.picture_labels)
    assert purity.shape == (120,)
    assert gathering(codes, SEEN).shape == (20,)
    assert gathering(codes, SEEN).mean() == pytest.approx(purity.mean())
    stray = codes.copy()
    stray[SEEN.picture_labels == "picture 3"] = 1000  # far from all
    assert gathering(stray, SEEN).argmin() == 3


@pytest.mark.parametrize("prior", PRIORS)
def test_codes_that_fill_their_prior_are_at_no_distance(prior):
    codes = prior_draws(prior, 400, 5, np.random.default_rng(1)).numpy()
    assert prior_distance(codes, prior) == pytest.approx(0, abs=0.02)
    narrow = 0.01 * codes
    assert prior_distance(narrow, prior) > 0.5
    assert prior_distance(narrow, prior, scaled=True) == pytest.approx(0, abs=0.02)
    line = np.repeat(codes[:, :1], 5, axis=1)  # of the right deviations, but no cloud
    assert prior_distance(line, prior, scaled=True) > 0.05
    longer = np.repeat(codes[:, :1], 45, axis=1)
    assert prior_distance(longer, prior, scaled=True) < 3 * prior_distance(line, prior, scaled=True)


def test_a_cloud_fills_its_prior_by_shape_alone():
    draws = prior_draws("gaussian", 400, 5, np.random.default_rng(1)).numpy()
    full, line = filling(3 * draws, "gaussian"), filling(draws[:, :1].repeat(5, axis=1), "gaussian")
    assert full.distance == pytest.approx(0, abs=0.02)
    assert full.rank > 0.95
    assert line.distance > full.distance
    assert line.rank == pytest.approx(0.2)


def test_a_probe_reads_what_is_linear_and_nothing_else():
    told = NOISE.copy()
    told[:, 2] = 3 * WIDTHS + 0.1 * NOISE[:, 2]
    assert linear_probe(told, WIDTHS, CONTENTS) > 0.99
    assert linear_probe(NOISE, WIDTHS, CONTENTS) < 0.1


def test_a_probe_cannot_use_what_a_picture_shows():
    by_picture = RNG.standard_normal(20).repeat(6)  # an accident of each picture
    assert linear_probe(OWN + 0.01 * NOISE, by_picture, CONTENTS) < 0.3


def test_a_probe_that_knows_nothing_guesses_the_mean():
    few = np.repeat(["one", "two", "three", "four"], 30)
    widths = np.tile(WIDTHS[:6], 20)
    by_picture = 5 * RNG.standard_normal((4, 5)).repeat(30, axis=0)
    # within a picture the width shows, in each another way: nothing that another picture could use
    drift = np.concatenate([np.outer(widths[:30], RNG.standard_normal(5)) for _ in range(4)])
    assert -0.5 < linear_probe(by_picture + 0.3 * drift, widths, few) < 0.3
    with pytest.raises(ValueError, match="at least 3 pictures"):
        linear_probe(NOISE, widths, np.repeat(["one", "two"], 60))


def test_a_probe_reads_several_numbers():
    pair = np.stack([WIDTHS, WIDTHS**2], axis=1)
    assert linear_probe(np.concatenate([pair, NOISE], axis=1), pair, CONTENTS) > 0.99


def test_an_almost_constant_dimension_does_not_explode_a_probe():
    told = np.stack([WIDTHS, 1e-9 * NOISE[:, 0]], axis=1)
    told[-1, 1] = 1e-3  # seen in the last picture alone
    assert linear_probe(told, WIDTHS, CONTENTS) > 0.99


def test_neighbours_of_other_pictures_tell_the_label():
    clusters = np.stack([np.cos(WIDTHS), np.sin(WIDTHS)], axis=1)
    assert (neighbour_purity(clusters + 0.01 * NOISE[:, :2], WIDTHS, CONTENTS) == 1).all()
    # each picture far from all others: its own codes are next to each other, and do not count
    alone = neighbour_purity(100 * OWN + NOISE, WIDTHS, CONTENTS)
    assert alone.mean() == pytest.approx(1 / 6, abs=0.06)
    with pytest.raises(ValueError, match="has 114 of other pictures"):
        neighbour_purity(NOISE, WIDTHS, CONTENTS, neighbours=115)


def test_variance_is_shared_out_to_what_made_it():
    by_width = np.outer(WIDTHS, np.ones(5))
    assert variance_shares(by_width, WIDTHS, CONTENTS).degradation == pytest.approx(1)
    assert variance_shares(OWN, WIDTHS, CONTENTS).content == pytest.approx(1)
    both = variance_shares(by_width + OWN, WIDTHS, CONTENTS)
    assert both.rest == pytest.approx(0, abs=1e-12)
    assert min(both.degradation, both.content) > 0.1
    assert sum(variance_shares(NOISE, WIDTHS, CONTENTS)) == pytest.approx(1)
    with pytest.raises(ValueError, match="of 120 pairs 119 appear"):
        variance_shares(NOISE[1:], WIDTHS[1:], CONTENTS[1:])
    with pytest.raises(ValueError, match="all codes are the same"):
        variance_shares(np.ones((120, 5)), WIDTHS, CONTENTS)


def test_the_effective_rank_counts_filled_dimensions():
    even = np.linalg.qr(RNG.standard_normal((500, 8)))[0]
    assert effective_rank(even - even.mean(axis=0)) == pytest.approx(8, rel=0.02)
    assert effective_rank(np.outer(WIDTHS, [1.0, 2.0, 3.0])) == pytest.approx(1)
    assert effective_rank(100 * even) == pytest.approx(effective_rank(even))
    shares = np.linalg.eigvalsh(np.cov(NOISE * [1, 2, 3, 4, 5], rowvar=False))
    shares = shares / shares.sum()
    expected = np.exp(-(shares * np.log(shares)).sum())
    assert effective_rank(NOISE * [1, 2, 3, 4, 5]) == pytest.approx(expected)
    with pytest.raises(ValueError, match="they fill no dimension"):
        effective_rank(np.ones((5, 3)))
    with pytest.raises(ValueError, match="at least 2 finite codes"):
        effective_rank(NOISE[:1])


@pytest.mark.parametrize(
    ("codes", "contents", "word"),
    [
        (NOISE[:-1], CONTENTS, "expected codes .* got .119, 5., 120"),
        (np.full((120, 5), np.nan), CONTENTS, "NaN or infinity"),
        (NOISE, ["one"] * 120, "at least 2 pictures"),
    ],
)
def test_codes_that_cannot_be_judged_are_refused(codes, contents, word):
    for ask in (linear_probe, neighbour_purity, variance_shares):
        with pytest.raises(ValueError, match=word):
            ask(codes, WIDTHS, contents)
