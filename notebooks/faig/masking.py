# %% [markdown]
# (finding-masking)=
# # One per cent of the filters does the deblurring, another one per cent the denoising
#
# ## The claim
#
# Take a network that super-resolves clean pictures, and fine-tune it until it also undoes blur and
# noise. Which of its filters changed *for* deblurring? {cite:t}`xie2021finding` integrate the
# gradient of the loss along the way from the old weights to the new (FAIG) and rank the filters by
# what they contribute on blurry pictures beyond noisy ones. Put the highest-ranked 1 % back to
# what they were before fine-tuning: the network no longer deblurs, and still removes noise
# (Sec. 4.2, Fig. 2 and 3, Tab. 2).
#
# | change of the output's gradient map when 1 % is masked, ×10⁻³ | FAIG | IG | \|Δθ\| | random |
# |---|---|---|---|---|
# | deblurring filters, blurry input | 6.68 ± 0.63 | 4.31 ± 1.54 | 0.18 | 0.07 |
# | denoising filters, noisy input | 6.62 ± 0.54 | 4.22 ± 0.44 | 0.49 | 0.04 |
#
# Why it matters: a network that restores everything with the same weights is no black box if its
# skills have addresses.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"num_find": 2, "num_test": 1, "size": 64, "training_seeds": [0], "fractions": [1, 100], "steps": 2}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_find = 6  # windows on which filters are ranked
num_test = 4  # windows, from other pictures, on which masking is judged
size = 96  # side of a window, HR pixels
training_seeds = [0, 1, 2]  # networks trained from different initializations and data orders
fractions = [0.5, 1, 3, 10, 100]  # per cent of all filters that are masked
steps = 4  # of every path integral, at their middles
train = False  # True trains the networks here (25 minutes a seed on one core)
device = "auto"

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | network | ×2 SRResNet, 16 blocks, 64 channels; bilinear reduction | the same with 24 channels |
# | baseline | converged on clean pictures | 4 000 steps on clean pictures |
# | target | 100 000 steps more on blur (σ 2, p ½) and noise (σ 0.1, p ½) | 6 000 steps more on the same |
# | filters ranked and masked on | Set14, both | different pictures of one set |
# | path integral | 100 one-sided steps | 4 midpoint steps, the error is measured |
# | gradient map | the public code takes the blue channel | luma |
#
# A *filter* is one K×K slice of a convolution; to *mask* it is to give it the baseline's values.
# Biases stay the target's. All convolutions take part, the first and the last too. Rivals: integrated
# gradients of the output from the clean to the degraded picture (IG), the size of the change
# $|\Delta\theta|$, and chance.
#
# One caution, which the paper does not spell out: with two degradations the deblurring ranking is
# the denoising ranking upside down, because each is the difference of the same two scores. That the
# two sets are disjoint is therefore built in, not found. What can be *found* is whether masking acts
# on one degradation alone; see {doc}`/book/findings/faig/three_degradations` for a test that cannot
# be rigged in this way.
#
# :::{admonition} Criterion, set before the experiment
# :class: important
# With **1 %** of the filters masked, **in every training seed**: FAIG's deblurring filters change
# the output on blurry pictures at least **twice** as much as on noisy ones, and its denoising filters
# the reverse; both lower the PSNR on their own degradation by at least **1 dB**, and on the other by at
# most a **third** of that. In the mean over seeds FAIG changes its own degradation more than IG, and
# IG more than $|\Delta\theta|$ and chance.
# :::

# %% tags=["hide-cell"]
from dataclasses import replace
from itertools import product

import numpy as np
from myst_nb import glue

from srlab.attribution.faig import (
    discriminative_filters,
    filter_attribution,
    filter_count,
    masked_weights,
    top_filters,
)
from srlab.attribution.filter_rivals import internal_influence, random_scores, weight_change
from srlab.data.datasets import load_images
from srlab.data.examples import examples
from srlab.data.subjects import separate
from srlab.devices import pick_device
from srlab.explorers.controls import Control
from srlab.explorers.pictures import Chart, PictureExplorer, PictureState
from srlab.figures.curves import stacked_curves
from srlab.figures.pictures import picture_grid
from srlab.figures.tables import Matrix, matrix_grid
from srlab.images import image_to_array
from srlab.metrics import gradient_error, psnr
from srlab.studies.faig.effects import effects
from srlab.studies.faig.outputs import KINDS, restored, restored_psnr
from srlab.studies.networks import tuned
from srlab.studies.parameters import check_parameters
from srlab.studies.study import Finding, record, span

check_parameters()
device = pick_device(device)
finding = Finding(
    name="faig/masking",
    claim="Masking 1 % of the filters stops deblurring alone, another 1 % denoising alone",
    source="FAIG, Sec. 4.2, Fig. 2-3, Tab. 2",
    criterion=(
        "At 1 % masked, in every seed: twice the change on the own degradation, at least 1 dB lost "
        "there and a third of it at most on the other. In the mean FAIG > IG > |Δθ| and random."
    ),
)

# %% [markdown]
# ## Experiment
#
# Windows from one half of the pictures to rank the filters on, from the other half to judge by.
# For each seed a baseline and the target that was fine-tuned from it.

# %%
AIMS = {"deblurring": "blur", "denoising": "noise"}
kinds = {kind: KINDS[kind] for kind in ("clean", "blur", "noise")}
for_finding, for_judging = separate(load_images(image_set))
found = examples(for_finding, kinds, count=num_find, size=size).to(device)
judged = examples(for_judging, kinds, count=num_test, size=size).to(device)

pairs = tuned("faig-target", training_seeds, train=train, device=device)
model = pairs[0].model


# %% [markdown]
# Each image's integral is computed once and serves both directions: as the score of its own
# degradation, and as what is subtracted from the other.


# %%
def rankings(pair, seed):
    """{(ranking, aim): scores}; higher means more important."""
    lr, scores = found.lr, {}
    for aim, kind in AIMS.items():
        own = filter_attribution(
            pair.model, pair.baseline, pair.target, lr[kind], found.hr, steps=steps
        )
        scores["FAIG", aim] = own.scores()
        errors.append(own.completeness_error)
        scores["IG", aim] = internal_influence(
            pair.model, pair.target, lr["clean"], lr[kind], steps=steps
        )
        scores["|Δθ|", aim] = weight_change(pair.baseline, pair.target, scores["FAIG", aim])
        scores["random", aim] = random_scores(
            scores["FAIG", aim], np.random.default_rng((seed, len(scores)))
        )
    return scores


def masks(scores, ranking, aim, fraction):
    if ranking != "FAIG":
        return top_filters(scores[ranking, aim], fraction / 100)
    other = next(name for name in AIMS if name != aim)
    return discriminative_filters(scores["FAIG", aim], [scores["FAIG", other]], fraction / 100)


errors = []
scores = [rankings(pair, seed) for seed, pair in enumerate(pairs)]

# %% [markdown]
# Then every mask, on blurry and on noisy pictures: how far the output's gradient map moves, and what
# that costs in PSNR.

# %%
RANKINGS = ["FAIG", "IG", "|Δθ|", "random"]
settings = list(product(RANKINGS, AIMS, fractions))
inputs = {"blurry": "blur", "noisy": "noise"}
own_input = dict(zip(AIMS, inputs, strict=True))
windows = replace(judged, lr={name: judged.lr[kind] for name, kind in inputs.items()})
error, quality, unmasked = {}, {}, {}
for seed, pair in enumerate(pairs):
    networks = {
        key: masked_weights(pair.target, pair.baseline, masks(scores[seed], *key))
        for key in settings
    }
    for (key, name), effect in effects(pair.model, pair.target, networks, windows).items():
        error[(*key, name, seed)] = effect.change.mean()
        quality[(*key, name, seed)] = effect.psnr.mean()
    for name, values in restored_psnr(pair.model, pair.target, windows).items():
        unmasked[name, seed] = values.mean()
seeds = range(len(pairs))


def over_seeds(values, *key):
    return np.array([values[(*key, seed)] for seed in seeds])


# %% [markdown]
# ## What 1 % does
#
# The same window, blurry above and noisy below, through the target, through the target without its
# deblurring filters, without its denoising filters, and without as many at random.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One window (training seed 0) with 1 % of the filters masked. Look for blur in the upper picture of the second column, for noise in the lower one of the third, and for what happens to the other two.", "name": "fig-masking-window"}}
level = min(fractions, key=lambda fraction: abs(fraction - 1))
columns = {
    "target network": {},
    "no deblurring filters": masks(scores[0], "FAIG", "deblurring", level),
    "no denoising filters": masks(scores[0], "FAIG", "denoising", level),
    "as many random ones": masks(scores[0], "random", "deblurring", level),
}
panels, notes = {}, {}
for name, (title, mask) in product(inputs, columns.items()):
    weights = masked_weights(pairs[0].target, pairs[0].baseline, mask)
    sr = restored(model, weights, windows.lr[name][:1])
    panels[name, title] = image_to_array(sr[0])
    notes[name, title] = f"{psnr(sr, judged.hr[:1], border=2).item():.1f} dB"
picture_grid(panels, notes=notes)


# %% tags=["hide-input"] mystnb={"figure": {"caption": "Which filters (rows) are needed for which input (columns): change of the output's gradient map, ×10⁻³, at 1 % masked, mean over training seeds. Look for a strong diagonal: only filters that are specific make one.", "name": "fig-masking-matrix"}}
def tables(change):
    """A table for each ranking of change(ranking, aim, input)."""
    found = {
        ("", ranking): np.array([[change(ranking, aim, name) for name in inputs] for aim in AIMS])
        for ranking in RANKINGS
    }
    return matrix_grid(
        {title: Matrix(cells, list(AIMS), list(inputs)) for title, cells in found.items()},
        colour_title="×10⁻³",
        axis_titles=("masked filters", "input"),
        log=True,
    )


tables(lambda ranking, aim, name: over_seeds(error, ranking, aim, level, name).mean())

# %% [markdown]
# ## More and fewer filters


# %% tags=["hide-input"] mystnb={"figure": {"caption": "Change of the output against the share of masked filters, on the degradation that the filters are meant for; mean over training seeds, bands from lowest to highest. At 100 % all rankings meet in the baseline. Look at how early each curve rises.", "name": "fig-masking-curves"}}
def panel(aim):
    rows = {
        r: np.array([over_seeds(error, r, aim, f, own_input[aim]) for f in fractions])
        for r in RANKINGS
    }
    means = {ranking: own.mean(axis=1) for ranking, own in rows.items()}
    return means, {ranking: (own.min(axis=1), own.max(axis=1)) for ranking, own in rows.items()}


titles = {f"{aim}, ×10⁻³": panel(aim) for aim in AIMS}
figure = stacked_curves(
    fractions,
    {title: means for title, (means, _) in titles.items()},
    bands={title: bands for title, (_, bands) in titles.items()},
    x_title="masked filters, %",
    log_x=True,
    log_y=list(titles),
)
figure.update_xaxes(tickvals=fractions, ticktext=[f"{fraction:g}" for fraction in fractions])

# %% [markdown]
# ## Another network
#
# The same in a plain chain of nine convolutions without skips, in the style of SRCNN.

# %%
plain = tuned("faig-srcnn-target", [0], train=train, device=device)[0]
plain_scores = rankings(plain, 0)
plain_effects = effects(
    plain.model,
    plain.target,
    {
        (ranking, aim): masked_weights(
            plain.target, plain.baseline, masks(plain_scores, ranking, aim, level)
        )
        for ranking, aim in product(RANKINGS, AIMS)
    },
    windows,
)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The plain chain, 1 % masked: change of the output's gradient map, ×10⁻³. It has fewer filters, so each of them may carry more than one duty. Is the diagonal as strong as above?", "name": "fig-masking-plain"}}
tables(lambda ranking, aim, name: plain_effects[(ranking, aim), name].change.mean())

# %% [markdown]
# ## Explore
#
# Move the share of masked filters, change the ranking, and watch the picture. Which ranking needs the
# fewest filters to break deblurring? What do the denoising filters do to a blurry picture?

# %% tags=["hide-input"]
FINER = [0.1, 0.2, 0.5, 1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 70, 100]
named = {f"{fraction:g} %": fraction for fraction in sorted({*fractions, *FINER})}


def look(setting):
    share, ranking, aim, name = setting
    weights = masked_weights(
        pairs[0].target, pairs[0].baseline, masks(scores[0], ranking, aim, named[share])
    )
    lr = windows.lr[name][:1]
    sr, reference = (restored(model, own, lr) for own in (weights, pairs[0].target))
    enlarged = lr[0].repeat_interleave(2, dim=-2).repeat_interleave(2, dim=-1)
    return PictureState(
        {
            "LR input": image_to_array(enlarged),
            "target network": image_to_array(reference[0]),
            "filters masked": image_to_array(sr[0]),
        },
        {
            "PSNR": psnr(sr, judged.hr[:1], border=2).item(),
            "change of the gradient map": 1e3 * gradient_error(sr, reference, border=2).item(),
        },
    )


shares = [f"{fraction:g} %" for fraction in fractions]
explorer = PictureExplorer.from_states(
    {setting: look(setting) for setting in product(shares, RANKINGS, AIMS, inputs)},
    controls=[
        Control("share", "Filters masked", "slider"),
        Control("ranking", "Ranking"),
        Control("aim", "Filters for"),
        Control("input", "Input"),
    ],
    axes={"share": list(named)},
    start=(f"{level:g} %", "FAIG", "deblurring", "blurry"),
    units={"PSNR": "dB", "change of the gradient map": "×10⁻³"},
    chart=Chart("PSNR", along="share", lines="ranking", log=True),
    compute=look,
)
explorer

# %% [markdown]
# ## Verdict

# %%
other_input = {aim: next(name for name in inputs if name != own) for aim, own in own_input.items()}
change = {
    (ranking, aim, which): over_seeds(error, ranking, aim, level, place[aim])
    for ranking, aim in product(RANKINGS, AIMS)
    for which, place in {"own": own_input, "other": other_input}.items()
}
lost = {
    (ranking, aim, which): over_seeds(unmasked, place[aim])
    - over_seeds(quality, ranking, aim, level, place[aim])
    for ranking, aim in product(RANKINGS, AIMS)
    for which, place in {"own": own_input, "other": other_input}.items()
}


def mean_change(ranking, aim):
    return change[ranking, aim, "own"].mean()


filters = filter_count(masks(scores[0], "FAIG", "deblurring", level))
worst_error = float(np.concatenate(errors).max())
specific = {aim: change["FAIG", aim, "own"] / change["FAIG", aim, "other"] for aim in AIMS}

# %% tags=["remove-cell"]
glue("masking_seeds", len(pairs), display=False)
glue("masking_filters", filters, display=False)
glue("masking_error", 100 * worst_error, display=False)
for aim, ranking in product(AIMS, RANKINGS):
    label = {"|Δθ|": "change"}.get(ranking, ranking)
    glue(f"masking_{aim}_{label}", float(mean_change(ranking, aim)), display=False)
plain_change = {
    (aim, which): plain_effects[("FAIG", aim), place[aim]].change.mean()
    for aim in AIMS
    for which, place in {"own": own_input, "other": other_input}.items()
}
for aim in AIMS:
    glue(f"masking_{aim}_plain", float(plain_change[aim, "own"]), display=False)
    glue(f"masking_{aim}_plain_other", float(plain_change[aim, "other"]), display=False)
    glue(f"masking_{aim}_lost", float(lost["FAIG", aim, "own"].mean()), display=False)
    glue(f"masking_{aim}_lost_other", float(lost["FAIG", aim, "other"].mean()), display=False)
    glue(f"masking_{aim}_ratio", float(specific[aim].min()), display=False)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: lowest to highest over training seeds.", "name": "fig-masking-verdict"}}
record(
    finding,
    checks={
        "own degradation changes at least twice as much as the other, both kinds, every seed": all(
            specific[aim].min() >= 2 for aim in AIMS
        ),
        "at least 1 dB lost on the own degradation, both kinds, every seed": all(
            lost["FAIG", aim, "own"].min() >= 1 for aim in AIMS
        ),
        "a third of it at most on the other, both kinds, every seed": all(
            (lost["FAIG", aim, "other"] <= lost["FAIG", aim, "own"] / 3).all() for aim in AIMS
        ),
        "in the mean FAIG changes more than IG, both kinds": all(
            mean_change("FAIG", aim) > mean_change("IG", aim) for aim in AIMS
        ),
        "in the mean IG changes more than |Δθ| and chance, both kinds": all(
            mean_change("IG", aim) > max(mean_change("|Δθ|", aim), mean_change("random", aim))
            for aim in AIMS
        ),
    },
    measured={
        **{
            f"{aim} filters by {ranking}, own input, ×10⁻³": mean_change(ranking, aim)
            for aim, ranking in product(AIMS, RANKINGS)
        },
        **{
            f"{aim} filters by FAIG, other input, ×10⁻³": change["FAIG", aim, "other"].mean()
            for aim in AIMS
        },
        **{f"dB lost without {aim} filters, own": lost["FAIG", aim, "own"].mean() for aim in AIMS},
        **{
            f"dB lost without {aim} filters, other": lost["FAIG", aim, "other"].mean()
            for aim in AIMS
        },
        "largest completeness error": worst_error,
    },
    interval={
        **{
            f"{aim} filters by {ranking}, own input, ×10⁻³": span(change[ranking, aim, "own"])
            for aim, ranking in product(AIMS, RANKINGS)
        },
        **{f"dB lost without {aim} filters, own": span(lost["FAIG", aim, "own"]) for aim in AIMS},
        **{
            f"dB lost without {aim} filters, other": span(lost["FAIG", aim, "other"])
            for aim in AIMS
        },
    },
    paper={
        "deblurring filters by FAIG, own input, ×10⁻³": "6.68",
        "deblurring filters by IG, own input, ×10⁻³": "4.31",
        "deblurring filters by |Δθ|, own input, ×10⁻³": "0.18",
        "deblurring filters by random, own input, ×10⁻³": "0.07",
        "denoising filters by FAIG, own input, ×10⁻³": "6.62",
        "denoising filters by IG, own input, ×10⁻³": "4.22",
        "denoising filters by |Δθ|, own input, ×10⁻³": "0.49",
        "denoising filters by random, own input, ×10⁻³": "0.04",
    },
    image_set=image_set,
    parameters={
        "num_find": num_find,
        "num_test": num_test,
        "size": size,
        "fractions": fractions,
        "steps": steps,
    },
    checkpoints=[] if train else [n for pair in (*pairs, plain) for n in (pair.start, pair.name)],
)

# %% [markdown]
# ## What we have seen
#
# - 1 % of the filters are {glue:text}`masking_filters`. Over {glue:text}`masking_seeds` training seeds,
#   putting FAIG's deblurring filters back costs {glue:text}`masking_deblurring_lost:.1f` dB on blurry
#   pictures and {glue:text}`masking_deblurring_lost_other:.1f` dB on noisy ones; the denoising filters
#   cost {glue:text}`masking_denoising_lost:.1f` dB on noisy and
#   {glue:text}`masking_denoising_lost_other:.1f` dB on blurry ones.
# - The output's gradient map moves by {glue:text}`masking_deblurring_FAIG:.2f` (FAIG),
#   {glue:text}`masking_deblurring_IG:.2f` (IG), {glue:text}`masking_deblurring_change:.2f`
#   ($|\Delta\theta|$) and {glue:text}`masking_deblurring_random:.2f` (random) for deblurring, and by
#   {glue:text}`masking_denoising_FAIG:.2f`, {glue:text}`masking_denoising_IG:.2f`,
#   {glue:text}`masking_denoising_change:.2f` and {glue:text}`masking_denoising_random:.2f` for
#   denoising (×10⁻³).
# - In the least specific seed the own degradation moves {glue:text}`masking_deblurring_ratio:.1f` times
#   (deblurring) and {glue:text}`masking_denoising_ratio:.1f` times (denoising) as much as the other.
# - In the plain chain FAIG's deblurring filters move blurry pictures by
#   {glue:text}`masking_deblurring_plain:.2f` and noisy ones by
#   {glue:text}`masking_deblurring_plain_other:.2f`, its denoising filters noisy pictures by
#   {glue:text}`masking_denoising_plain:.2f` and blurry ones by
#   {glue:text}`masking_denoising_plain_other:.2f`.
# - The integrals of the loss are complete within {glue:text}`masking_error:.1f` %, with few steps.
#
# ## Try it yourself
#
# - Set `image_set = "set14"`, the paper's pictures, or `"b100"` (downloaded on first use).
# - Keep the first layer out: `discriminative_filters(…, layers=inner_layers(scores))`. How much of the
#   denoising sits in the very first convolution?
# - Your own pair of weights: `srlab faig --baseline a.safetensors --target b.safetensors`.
