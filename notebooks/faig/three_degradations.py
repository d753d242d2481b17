# %% [markdown]
# (finding-three-degradations)=
# # Does each of three degradations have filters of its own?
#
# ## The claim
#
# {doc}`/book/findings/faig/masking` finds that deblurring and denoising filters are disjoint, and that
# masking one kind leaves the other skill alone. How much of that is built in? FAIG ranks filters by
#
# $$
# \mathrm{FAIG}^{\mathrm{blur}} = s_{\mathrm{blur}} - s_{\mathrm{noise}}, \qquad
# \mathrm{FAIG}^{\mathrm{noise}} = s_{\mathrm{noise}} - s_{\mathrm{blur}},
# $$
#
# and the second is the first with its sign turned: the two rankings are **mirror images by
# construction**, whatever the network learned. Filters that are first in one *are* last in the other.
# With only two degradations, that the sets do not meet cannot be a finding
# ({cite:t}`xie2021finding` test with two).
#
# With three it can. The scores under the other two degradations are averaged, so that two rankings may
# well begin with the same filters. A network is fine-tuned on blur, noise **and** JPEG, and each skill's
# filters are masked in turn. This page is our own; the paper has no such experiment.
#
# | | two degradations | three |
# |---|---|---|
# | rank correlation of two rankings | −1 always | free (their sum is zero, so −½ on average if they are unrelated) |
# | filters that two sets share | none, always | possible |
#
# Why it matters: if the filters are specific even where the method does not force it, the network did
# divide its work.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"num_find": 2, "num_test": 2, "size": 64, "training_seeds": [0], "steps": 2}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_find = 4  # windows on which filters are ranked
num_test = 6  # windows, from other pictures, on which masking is judged
size = 96  # side of a window, HR pixels
training_seeds = [0, 1, 2]  # networks trained from different initializations and data orders
fraction = 1  # per cent of all filters that are masked
steps = 4  # of every path integral, at their middles
train = False  # True trains on from the baselines here (15 minutes a seed on one core)
device = "auto"

# %% [markdown]
# ## What we run
#
# | | |
# |---|---|
# | network | ×2 SRResNet, 16 blocks, 24 channels; bilinear reduction |
# | baseline | 4 000 steps on clean pictures |
# | target | 6 000 steps more on blur (σ 2, p ½), noise (σ 0.1, p ½) and JPEG (quality 30, p ½), in any combination |
# | filters | ranked by $s_k$ minus the mean of the two others, the first 1 % |
# | judged by | change of the output's gradient map; share of what fine-tuning gained in PSNR that is lost again |
# | control | as many filters at random |
#
# Blur, noise and JPEG do unequal damage, and the network gained unequally from learning to undo them.
# So the second measure divides by that gain: 0 % if masking does nothing, 100 % if the input is restored
# no better than by the baseline. It can go beyond 100 % and below 0.
#
# The rankings subtract sums of squared errors. Noise moves these more than blur does, and JPEG least, so
# the largest may decide every difference. A second ranking divides each degradation's scores by their
# sum first. It was added after a first look at the results, and has no part in the verdict.
#
# A last experiment takes away the rest of what is built in: filters of $i$ are sought **against $j$
# alone**, and judged on pictures with the third degradation $k$, which the ranking never saw.
#
# :::{admonition} Criterion, set before the experiment
# :class: important
# In the 3×3 tables of masks (rows) and inputs (columns), **in every training seed**: (1) each *column's*
# largest change of the gradient map is on the diagonal, that is, nothing changes an input like its own
# filters; (2) each *row's* largest share of lost gain is on the diagonal, that is, filters harm their
# own degradation most. (3) The mean over windows and seeds of "own minus the largest other share" is above zero,
# with its whole 95 % bootstrap interval, in each row. (4) Random filters lose less than a **fifth** of what the
# own ones lose, for each degradation, in every seed.
# :::

# %% tags=["hide-cell"]
from dataclasses import replace
from itertools import combinations, permutations

import numpy as np
from myst_nb import glue

from srlab.attribution.faig import (
    discriminative_filters,
    discriminative_scores,
    filter_attribution,
    filter_count,
    filters_by_degradation,
    masked_weights,
    overlap_score,
    top_filters,
)
from srlab.attribution.filter_rivals import random_scores
from srlab.data.datasets import load_images
from srlab.data.examples import examples
from srlab.data.subjects import separate
from srlab.devices import pick_device
from srlab.figures.dots import interval_dots
from srlab.figures.pictures import picture_grid
from srlab.figures.tables import Matrix, matrix_grid, matrix_heatmap
from srlab.images import image_to_array
from srlab.metrics import psnr
from srlab.statistics import rank_correlation
from srlab.studies.faig.effects import effects
from srlab.studies.faig.outputs import KINDS, restored
from srlab.studies.networks import tuned
from srlab.studies.parameters import check_parameters
from srlab.studies.study import Finding, mean_interval, record, span

check_parameters()
device = pick_device(device)
finding = Finding(
    name="faig/three_degradations",
    claim="With three degradations, where nothing forces it, filters are specific to one",
    source="srlab's own, after FAIG, Sec. 4.2",
    criterion=(
        "In the 3×3 tables of masks and inputs, in every seed, the diagonal is the largest of its "
        "column (gradient map) and of its row (share of the gain lost; pooled interval above 0), "
        "and five times what random filters lose."
    ),
)

# %% [markdown]
# ## Experiment
#
# Windows from one half of the pictures to rank the filters on, from the other half to judge by.

# %%
THREE = ["blur", "noise", "JPEG"]
kinds = {kind: KINDS[kind] for kind in THREE}
for_finding, for_judging = separate(load_images(image_set))
found = examples(for_finding, kinds, count=num_find, size=size).to(device)
judged = examples(for_judging, kinds, count=num_test, size=size).to(device)


def attributed(net, kinds):
    """{kind: scores}; one pass over the windows of each kind serves every comparison below."""
    weights = (net.baseline, net.target)
    return {
        kind: filter_attribution(
            net.model, *weights, found.lr[kind], found.hr, steps=steps
        ).scores()
        for kind in kinds
    }


networks = tuned("faig-three", training_seeds, train=train, device=device)
scores = [attributed(net, THREE) for net in networks]
with_two = tuned("faig-target", training_seeds[:1], train=train, device=device)[0]
scores_of_two = attributed(with_two, THREE[:2])

# %% [markdown]
# ## Mirror images
#
# Rank correlations between the rankings: of the network that learned two degradations, and of the
# networks that learned three.


# %%
def flat(own):
    return np.concatenate([value.cpu().numpy().ravel() for value in own.values()])


def rankings(own):
    """{kind: (filters,)} discriminative scores."""
    return {
        kind: flat(discriminative_scores(own[kind], [own[k] for k in own if k != kind]))
        for kind in own
    }


def correlations(own):
    return np.array([[rank_correlation(a, b) for b in own.values()] for a in own.values()])


mirror = correlations(rankings(scores_of_two))
loose = np.array([correlations(rankings(own)) for own in scores])

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Spearman's ρ between the rankings of all filters. Two degradations: −1 exactly, before any network is looked at. Three (mean over training seeds): no longer mirror images. Blue is high. Look at the cells off the diagonal.", "name": "fig-three-correlations"}}
matrix_grid(
    {
        ("", "two degradations"): Matrix(mirror, THREE[:2], THREE[:2]),
        ("", "three degradations"): Matrix(loose.mean(axis=0), THREE, THREE),
    },
    colour_title="ρ",
    limits=(-1, 1),
)

# %% [markdown]
# ## Masks against inputs

# %%
RANDOM = "random"


def balanced(own):
    """Scores of each degradation divided by their sum: all weigh the same."""
    totals = {
        kind: sum(float(value.sum()) for value in each.values()) for kind, each in own.items()
    }
    return {kind: {n: v / totals[kind] for n, v in each.items()} for kind, each in own.items()}


def chosen(own, seed):
    """{name: masks} of each degradation, as in the paper and balanced, and of chance."""
    chance = random_scores(own["blur"], np.random.default_rng(seed))
    even = filters_by_degradation(balanced(own), fraction / 100)
    return {
        **filters_by_degradation(own, fraction / 100),
        **{("balanced", kind): masks for kind, masks in even.items()},
        RANDOM: top_filters(chance, fraction / 100),
    }


def measured(net, masks, windows):
    """{(mask, kind): effect}, also of the whole target (None) and of the baseline."""
    weights = {name: masked_weights(net.target, net.baseline, own) for name, own in masks.items()}
    weights |= {None: net.target, "baseline": net.baseline}
    return effects(net.model, net.target, weights, windows)


masks = [chosen(own, seed) for seed, own in enumerate(scores)]
results = [measured(net, own, judged) for net, own in zip(networks, masks, strict=True)]


def change(name, kind):
    """(seeds, windows) movement of the gradient map, ×1e-3."""
    return np.array([own[name, kind].change for own in results])


def lost_share(name, kind):
    """(seeds, windows) what masking takes away of fine-tuning's mean gain in PSNR, %."""
    rows = []
    for own in results:
        after, before = own[None, kind].psnr, own["baseline", kind].psnr
        rows.append(100 * (after - own[name, kind].psnr) / (after - before).mean())
    return np.array(rows)


def table(measure, rows):
    cells = [[measure(name, kind).mean(axis=1) for kind in THREE] for name in rows]
    return np.array(cells).transpose(2, 0, 1)  # (seeds, masks, inputs)


moved, lost = (table(measure, THREE) for measure in (change, lost_share))

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One window under three degradations (rows), restored by the target of training seed 0 with each skill's filters masked (columns). Look along the diagonal for the damage that stays, and beside it for damage that should not.", "name": "fig-three-window"}}
net = networks[0]
columns = {"target network": net.target}
columns |= {
    f"no {kind} filters": masked_weights(net.target, net.baseline, masks[0][kind]) for kind in THREE
}
panels, notes = {}, {}
for kind in THREE:
    for title, weights in columns.items():
        sr = restored(net.model, weights, judged.lr[kind][:1])
        panels[kind, title] = image_to_array(sr[0])
        notes[kind, title] = f"{psnr(sr, judged.hr[:1], border=2).item():.1f} dB"
picture_grid(panels, notes=notes)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Change of the output's gradient map, ×10⁻³, when 1 % of the filters (rows) is masked, on each input (columns); mean over training seeds. Left: ranked as in the paper, which is judged; right: with scores that weigh the same. Compare within columns: which filters does this input need most?", "name": "fig-three-change"}}
RANKED = {"as in the paper": THREE, "balanced": [("balanced", kind) for kind in THREE]}
names = [f"{name} filters" for name in (*THREE, RANDOM)]


def matrices(measure):
    return {
        ("", title): Matrix(table(measure, [*own, RANDOM]).mean(axis=0), names, THREE)
        for title, own in RANKED.items()
    }


def with_one_legend(figure):
    return figure.update_yaxes(showticklabels=False, col=2)  # the rows are the same in both


changes = matrix_grid(matrices(change), colour_title="×10⁻³", axis_titles=("", "input"), log=True)
with_one_legend(changes)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Share of the gain of fine-tuning that is lost, %; mean over training seeds. Left: as in the paper, judged; right: balanced. Colours end at 0 and 100. Compare within rows: whom do these filters serve?", "name": "fig-three-lost"}}
shares = matrix_grid(
    matrices(lost_share), colour_title="%", axis_titles=("", "input"), limits=(0, 100)
)
with_one_legend(shares)

# %% [markdown]
# ## Seen by the ranking, or not
#
# Filters of $i$ against $j$ alone, on the third degradation $k$: the ranking had no chance to spare it.


# %%
def unseen(net, own, result):
    """(3, 3) share of the gain on k (column) lost with the filters of i (row) against j alone."""
    cells = np.full((3, 3), np.nan)
    for i, j, k in permutations(THREE):
        pair = discriminative_filters(own[i], [own[j]], fraction / 100)
        weights = {"pair": masked_weights(net.target, net.baseline, pair)}
        windows = replace(judged, lr={k: judged.lr[k]})
        after = effects(net.model, net.target, weights, windows)["pair", k].psnr.mean()
        top, bottom = (result[name, k].psnr.mean() for name in (None, "baseline"))
        cells[THREE.index(i), THREE.index(k)] = 100 * (top - after) / (top - bottom)
    return cells


held_out = np.array([unseen(*each) for each in zip(networks, scores, results, strict=True)])
diagonal = np.eye(3, dtype=bool)
held_out[:, diagonal] = lost[:, diagonal]

# %% tags=["hide-input"] mystnb={"figure": {"caption": "As above, but off the diagonal filters were sought without the degradation that they are judged on (mean over training seeds; the diagonal is that of the figure before). Look at whether the off-diagonal cells fill up: the less, the more specific the filters are by themselves.", "name": "fig-three-unseen"}}
matrix_heatmap(
    held_out.mean(axis=0),
    names[:3],
    THREE,
    colour_title="%",
    axis_titles=("", "input, not used in the ranking"),
    limits=(0, 100),
)

# %% [markdown]
# ## Verdict
#
# By how much each set harms its own degradation more than the one it harms most among the others.


# %%
def rival(row):
    """The other degradation that suffers most from a row's filters, in the mean over seeds."""
    return max(set(THREE) - {row}, key=lambda kind: lost_share(row, kind).mean())


lead = {row: (lost_share(row, row) - lost_share(row, rival(row))).mean(axis=0) for row in THREE}
by_seed = {row: (lost_share(row, row) - lost_share(row, rival(row))).mean(axis=1) for row in THREE}
lead_interval = {row: mean_interval(own) for row, own in lead.items()}
chance = {kind: lost_share(RANDOM, kind).mean(axis=1) for kind in THREE}
own_share = {kind: lost_share(kind, kind).mean(axis=1) for kind in THREE}
pairs = list(combinations(THREE, 2))
shared = {(a, b): np.array([overlap_score(own[a], own[b]) for own in masks]) for a, b in pairs}
between = {(a, b): loose[:, THREE.index(a), THREE.index(b)] for a, b in pairs}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Share of the gain lost on the own degradation minus that on the other which suffers most, in points; a dot for each training seed. Look at which degradation comes closest to the dashed line, where filters would be no more its own than another's.", "name": "fig-three-lead"}}
interval_dots(
    {f"{row} filters, beyond {rival(row)}": own for row, own in by_seed.items()},
    x_title="own − largest other share of the gain lost, points",
    reference=0,
)

# %%
even = table(lost_share, RANKED["balanced"])
even_diagonal = (even.argmax(axis=2) == np.arange(3)).sum(axis=1)  # rows of three, each seed
gain = {
    kind: np.array([(r[None, kind].psnr - r["baseline", kind].psnr).mean() for r in results])
    for kind in THREE
}
weight = {
    kind: np.array([sum(float(v.sum()) for v in own[kind].values()) for own in scores])
    for kind in THREE
}

# %% tags=["remove-cell"]
for kind, own in gain.items():
    glue(f"three_gain_{kind}", float(own.mean()), display=False)
glue("three_weight_blur", float((weight["noise"] / weight["blur"]).mean()), display=False)
glue("three_weight_JPEG", float((weight["noise"] / weight["JPEG"]).mean()), display=False)
glue("three_even_rows", int(even_diagonal.sum()), display=False)
glue("three_rows", int((lost.argmax(axis=2) == np.arange(3)).sum()), display=False)
glue("three_all_rows", 3 * len(networks), display=False)
for kind in THREE:
    index = THREE.index(kind)
    others = np.delete(even[:, index], index, axis=1).mean(axis=0)
    glue(f"three_even_own_{kind}", float(even[:, index, index].mean()), display=False)
    glue(f"three_even_other_{kind}", float(others.max()), display=False)
count = filter_count(masks[0]["blur"])
off = held_out[:, ~diagonal]
glue("three_seeds", len(networks), display=False)
glue("three_filters", count, display=False)
glue("three_mirror", float(mirror[0, 1]), display=False)
glue("three_unseen", float(off.mean()), display=False)
glue("three_unseen_most", float(held_out.mean(axis=0)[~diagonal].max()), display=False)
glue("three_random", float(max(own.mean() for own in chance.values())), display=False)
glue("three_rho_low", float(min(own.mean() for own in between.values())), display=False)
glue("three_rho_high", float(max(own.mean() for own in between.values())), display=False)
for kind in THREE:
    glue(f"three_own_{kind}", float(own_share[kind].mean()), display=False)
    glue(f"three_other_{kind}", float(lost_share(kind, rival(kind)).mean()), display=False)
    glue(f"three_rival_{kind}", rival(kind), display=False)
for a, b in pairs:
    glue(f"three_shared_{a}_{b}", float(100 * shared[a, b].mean()), display=False)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: 95 % bootstrap interval over windows for shares of gain and leads, lowest to highest over training seeds for the rest.", "name": "fig-three-verdict"}}
share_rows = {
    f"gain lost, %: {row} filters, {kind} input": lost_share(row, kind).mean(axis=0)
    for row in (*THREE, RANDOM)
    for kind in THREE
}
lead_rows = {f"lead of {row} filters on their own, points": own for row, own in lead.items()}
seed_rows = {
    **{f"filters that {a} and {b} share": own for (a, b), own in shared.items()},
    **{f"rank correlation, {a} and {b}": own for (a, b), own in between.items()},
    "gain lost on unseen degradations, %": off.mean(axis=1),
    **{f"gain of fine-tuning, {kind}, dB": own for kind, own in gain.items()},
    "rows with their own degradation first, balanced scores": even_diagonal,
    "scores on noisy pictures over those on blurry ones": weight["noise"] / weight["blur"],
    "scores on noisy pictures over those on JPEG ones": weight["noise"] / weight["JPEG"],
}
record(
    finding,
    checks={
        "nothing changes an input like its own filters, every seed": bool(
            (moved.argmax(axis=1) == np.arange(3)).all()
        ),
        "filters harm their own degradation most, every seed": bool(
            (lost.argmax(axis=2) == np.arange(3)).all()
        ),
        "their lead over the other that suffers most is above zero with its whole interval": all(
            low > 0 for low, _ in lead_interval.values()
        ),
        "random filters lose less than a fifth, each degradation, every seed": all(
            (chance[kind] < own_share[kind] / 5).all() for kind in THREE
        ),
    },
    measured={
        **{name: own.mean() for name, own in (lead_rows | share_rows | seed_rows).items()},
        "rank correlation with two degradations": mirror[0, 1],
    },
    interval={
        **{name: mean_interval(own) for name, own in (lead_rows | share_rows).items()},
        **{name: span(own) for name, own in seed_rows.items()},
    },
    paper={"rank correlation with two degradations": "−1, by construction"},
    image_set=image_set,
    parameters={
        "num_find": num_find,
        "num_test": num_test,
        "size": size,
        "fraction": fraction,
        "steps": steps,
    },
    checkpoints=[]
    if train
    else list(dict.fromkeys(n for net in (*networks, with_two) for n in (net.start, net.name))),
)

# %% [markdown]
# ## What we have seen
#
# - With two degradations the rankings correlate by {glue:text}`three_mirror:.3f`. That is arithmetic. With
#   three it is between {glue:text}`three_rho_low:.2f` and {glue:text}`three_rho_high:.2f` (means over
#   {glue:text}`three_seeds` training seeds), and the sets of {glue:text}`three_filters` filters may
#   meet: blur and noise share {glue:text}`three_shared_blur_noise:.1f` %, blur and JPEG
#   {glue:text}`three_shared_blur_JPEG:.1f` %, noise and JPEG {glue:text}`three_shared_noise_JPEG:.1f` %.
# - Fine-tuning gained {glue:text}`three_gain_blur:.1f` dB on blurry, {glue:text}`three_gain_noise:.1f` dB
#   on noisy and {glue:text}`three_gain_JPEG:.1f` dB on JPEG pictures. Masked, filters take away so much
#   of it (where the gain is small, a little harm is a large share):
#
# | filters of | own degradation | the other that suffers most | own, balanced | other, balanced |
# |---|---|---|---|---|
# | blur | {glue:text}`three_own_blur:.0f` % | {glue:text}`three_other_blur:.0f` % ({glue:text}`three_rival_blur`) | {glue:text}`three_even_own_blur:.0f` % | {glue:text}`three_even_other_blur:.0f` % |
# | noise | {glue:text}`three_own_noise:.0f` % | {glue:text}`three_other_noise:.0f` % ({glue:text}`three_rival_noise`) | {glue:text}`three_even_own_noise:.0f` % | {glue:text}`three_even_other_noise:.0f` % |
# | JPEG | {glue:text}`three_own_JPEG:.0f` % | {glue:text}`three_other_JPEG:.0f` % ({glue:text}`three_rival_JPEG`) | {glue:text}`three_even_own_JPEG:.0f` % | {glue:text}`three_even_other_JPEG:.0f` % |
#
#   Of {glue:text}`three_all_rows` rows (three a seed), {glue:text}`three_rows` have their own degradation
#   first as the paper ranks, and {glue:text}`three_even_rows` with balanced scores.
# - The scores on noisy pictures sum to {glue:text}`three_weight_blur:.1f` times those on blurry and
#   {glue:text}`three_weight_JPEG:.1f` times those on JPEG pictures. A difference of unequal numbers
#   follows the larger one: where these ratios are far above one, "for blur" and "for JPEG" both
#   mean little more than "not for noise".
# - As many random filters take {glue:text}`three_random:.1f` % at most, where they take most.
# - On a degradation that the ranking did not know of, masking takes {glue:text}`three_unseen:.0f` % on
#   average and {glue:text}`three_unseen_most:.0f` % in the worst pairing. What is more than the same
#   filters take when the ranking knows of it, the second term had kept out.
#
# ## Try it yourself
#
# - Set `image_set = "set14"` or `"b100"` (downloaded on first use).
# - Take fewer or more filters: `fraction = 0.5` or `3`. When do the sets begin to meet?
# - A fourth degradation of your own: `srlab faig --degradations blur:2,noise:0.1,jpeg:30,…` with your own
#   pair of weights.
