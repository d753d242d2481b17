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
# All is judged with 1 % of the filters masked.

# %% tags=["hide-input"]
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np

from srlab.attribution.faig import filter_count, masked_weights, top_filters
from srlab.data.datasets import load_images
from srlab.data.subjects import separate
from srlab.degradations.windows import windows
from srlab.devices import pick_device
from srlab.explorers.controls import Control
from srlab.explorers.pictures import Chart, PictureExplorer, PictureState
from srlab.figures.curves import stacked_curves
from srlab.figures.pictures import picture_grid
from srlab.figures.tables import Matrix, matrix_grid
from srlab.images import image_to_array
from srlab.metrics import gradient_error, psnr
from srlab.studies.faig.effects import masking_effects
from srlab.studies.faig.outputs import KINDS, first_window, restored
from srlab.studies.faig.rankings import RANKINGS, attributions, fine_tuned, scores_by_ranking
from srlab.studies.frames import curves
from srlab.studies.study import Study

study = Study(
    "faig/masking",
    claim="Masking 1 % of the filters stops deblurring alone, another 1 % denoising alone",
    source="FAIG, Sec. 4.2, Fig. 2-3, Tab. 2",
    claims={
        "own": "own degradation changes at least twice as much as the other, both kinds, every seed",
        "loss": "at least 1 dB lost on the own degradation, both kinds, every seed",
        "other": "a third of it at most on the other, both kinds, every seed",
        "faig": "in the mean FAIG changes more than IG, both kinds",
        "rivals": "in the mean IG changes more than |Δθ| and chance, both kinds",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)
study

# %% [markdown]
# ## Experiment
#
# Windows from one half of the pictures to rank the filters on, from the other half to judge by.
# For each seed a baseline and the target that was fine-tuned from it.

# %%
AIMS = {"deblurring": "blurry", "denoising": "noisy"}
kinds = {"clean": KINDS["clean"], "blurry": KINDS["blur"], "noisy": KINDS["noise"]}
for_finding, for_judging = separate(load_images(image_set))
found = windows(for_finding, kinds, count=num_find, size=size).to(study.device)
judged = windows(for_judging, kinds, count=num_test, size=size).to(study.device)
cut = replace(judged, lr={kind: judged.lr[kind] for kind in AIMS.values()})
networks = fine_tuned(study, "faig-target", training_seeds)

# %% [markdown]
# Each image's integral is computed once and serves both directions: as the score of its own
# degradation, and as what is subtracted from the other.

# %%
errors = []


def ranked(net, seed):
    """{(ranking, kind of input): scores}; higher means more important."""
    own = attributions(net, found, AIMS.values(), steps=steps)
    errors.extend(np.concatenate([one.completeness_error for one in own.values()]))
    return scores_by_ranking(net, own, found, steps=steps, seed=seed)


def masks(scores, ranking, aim, share):
    return top_filters(scores[ranking, AIMS[aim]], share / 100)


scores = [ranked(net, seed) for seed, net in enumerate(networks)]

# %% [markdown]
# Then every mask, on blurry and on noisy pictures: how far the output's gradient map moves, and what
# that costs in PSNR.


# %%
def effects_of(networks, scores, shares):
    """A row for each seed, mask and input: means over the windows."""
    keys = list(product(RANKINGS, AIMS, shares))
    chosen = [{key: masks(own, *key) for key in keys} for own in scores]
    columns = ["ranking", "aim", "share"]
    frame = masking_effects(networks, chosen, cut, columns=columns)
    frame["on"] = np.where(frame.aim.map(AIMS) == frame.input, "own", "other")
    places = [*columns, "input", "on", "seed"]
    return frame.groupby(places, sort=False)[["change", "lost"]].mean().reset_index()


effect = effects_of(networks, scores, fractions)

# %% [markdown]
# ## What 1 % does
#
# The same window, blurry above and noisy below, through the target, through the target without its
# deblurring filters, without its denoising filters, and without as many at random.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One window (training seed 0) with 1 % of the filters masked. Look for blur in the upper picture of the second column, for noise in the lower one of the third, and for what happens to the other two.", "name": "fig-masking-window"}}
level = min(fractions, key=lambda fraction: abs(fraction - 1))
first = networks[0]
weights = {"target network": first.target}
for title, (ranking, aim) in {
    "no deblurring filters": ("FAIG", "deblurring"),
    "no denoising filters": ("FAIG", "denoising"),
    "as many random ones": ("random", "deblurring"),
}.items():
    chosen = masks(scores[0], ranking, aim, level)
    weights[title] = masked_weights(first.target, first.baseline, chosen)
panels, notes = first_window(
    {title: partial(restored, first.model, own) for title, own in weights.items()}, cut
)
picture_grid(panels, notes=notes)


# %% tags=["hide-input"] mystnb={"figure": {"caption": "Which filters (rows) are needed for which input (columns): change of the output's gradient map, ×10⁻³, at 1 % masked, mean over training seeds. Look for a strong diagonal: only filters that are specific make one.", "name": "fig-masking-matrix"}}
def tables(frame):
    """A table of masked filters and inputs for each ranking."""
    means = frame.groupby(["ranking", "aim", "input"], sort=False).change.mean()
    cells = {ranking: means[ranking].unstack(sort=False) for ranking in RANKINGS}
    return matrix_grid(
        {("", name): Matrix(own.to_numpy(), own.index, own.columns) for name, own in cells.items()},
        colour_title="×10⁻³",
        axis_titles=("masked filters", "input"),
        log=True,
    )


tables(effect[effect.share == level])

# %% [markdown]
# ## More and fewer filters

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Change of the output against the share of masked filters, on the degradation that the filters are meant for; mean over training seeds, bands from lowest to highest. At 100 % all rankings meet in the baseline. Look at how early each curve rises.", "name": "fig-masking-curves"}}
own = effect[effect.on == "own"]
own = own.assign(panel=own.aim + ", ×10⁻³", value=own.change)
lines, bands = curves(own, panel="panel", line="ranking", x="share")
figure = stacked_curves(
    fractions, lines, bands=bands, x_title="masked filters, %", log_x=True, log_y=list(lines)
)
figure.update_xaxes(tickvals=fractions, ticktext=[f"{fraction:g}" for fraction in fractions])

# %% [markdown]
# ## Another network
#
# The same in a plain chain of nine convolutions without skips, in the style of SRCNN.

# %%
plain = fine_tuned(study, "faig-srcnn-target", [0])
plain_effect = effects_of(plain, [ranked(plain[0], 0)], [level])

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The plain chain, 1 % masked: change of the output's gradient map, ×10⁻³. It has fewer filters, so each of them may carry more than one duty. Is the diagonal as strong as above?", "name": "fig-masking-plain"}}
tables(plain_effect)

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
    chosen = masks(scores[0], ranking, aim, named[share])
    weights = masked_weights(first.target, first.baseline, chosen)
    lr = cut.lr[name][:1]
    sr, reference = (restored(first.model, own, lr) for own in (weights, first.target))
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
    {setting: look(setting) for setting in product(shares, RANKINGS, AIMS, AIMS.values())},
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

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: lowest to highest over training seeds.", "name": "fig-masking-verdict"}}
PAPER = {
    "deblurring": {"FAIG": "6.68", "IG": "4.31", "|Δθ|": "0.18", "random": "0.07"},
    "denoising": {"FAIG": "6.62", "IG": "4.22", "|Δθ|": "0.49", "random": "0.04"},
}
at = effect[effect.share == level].set_index(["on", "ranking", "aim", "seed"]).sort_index()
change, lost = at.change, at.lost
for aim, ranking in product(AIMS, RANKINGS):
    study.measure(
        f"{aim} filters by {ranking}, own input, ×10⁻³",
        change["own", ranking, aim],
        paper=PAPER[aim][ranking],
        glue=f"masking_{aim}_{ranking.replace('|Δθ|', 'change')}",
    )
for aim in AIMS:
    moved = change["other", "FAIG", aim].mean()
    study.measure(f"{aim} filters by FAIG, other input, ×10⁻³", moved)
for (on, suffix), aim in product({"own": "", "other": "_other"}.items(), AIMS):
    name, label = f"dB lost without {aim} filters, {on}", f"masking_{aim}_lost{suffix}"
    study.measure(name, lost[on, "FAIG", aim], glue=label)
worst = study.measure("largest completeness error", max(errors))

ratio = change["own", "FAIG"] / change["other", "FAIG"]
on_plain = plain_effect[plain_effect.ranking == "FAIG"].set_index(["on", "aim"]).change
for aim in AIMS:
    study.glue(**{f"masking_{aim}_ratio": ratio[aim].min()})
    study.glue(**{f"masking_{aim}_plain": on_plain["own", aim]})
    study.glue(**{f"masking_{aim}_plain_other": on_plain["other", aim]})
filters = filter_count(masks(scores[0], "FAIG", "deblurring", level))
study.glue(masking_seeds=len(networks), masking_filters=filters, masking_error=100 * worst)
means = change["own"].groupby(["aim", "ranking"]).mean().unstack()
study.verdict(
    own=ratio.min() >= 2,
    loss=lost["own", "FAIG"].min() >= 1,
    other=(lost["other", "FAIG"] <= lost["own", "FAIG"] / 3).all(),
    faig=(means["FAIG"] > means["IG"]).all(),
    rivals=(means["IG"] > means[["|Δθ|", "random"]].max(axis=1)).all(),
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
# - Keep the first layer out: `top_filters(…, layers=inner_layers(…))` in `masks`. How much of the
#   denoising sits in the very first convolution?
# - Your own pair of weights: `srlab faig --baseline a.safetensors --target b.safetensors`.
