# %% [markdown]
# (finding-three-degradations)=
# # Does each of three degradations have filters of its own?
#
# *9 minutes. You learn why two degradations cannot test whether filters are specific, and why
# three can. Read {doc}`masking` first.*
#
# ## The question
#
# {doc}`masking` finds deblurring and denoising filters that are disjoint. How much of that is built in? Filter
# attribution (FAIG) ranks filters by
#
# $$
# \begin{aligned}
# \mathrm{FAIG}^{\mathrm{blur}} &= s_{\mathrm{blur}} - s_{\mathrm{noise}}, \\
# \mathrm{FAIG}^{\mathrm{noise}} &= s_{\mathrm{noise}} - s_{\mathrm{blur}},
# \end{aligned}
# $$
#
# and the second is the first with its sign changed: the two rankings are **mirror images by construction**,
# whatever the network learned. With two degradations, as in {cite:t}`xie2021finding`, disjoint sets cannot be a
# finding.
#
# With three they can: the scores under the other two degradations are averaged, so that two rankings may well begin
# with the same filters. A network is fine-tuned on blur, noise **and** JPEG, and each skill's filters are masked
# in turn. This page asks a question of our own; the paper has no such experiment.
#
# | | two degradations | three |
# |---|---|---|
# | rank correlation of two rankings | −1 always | free (their sum is zero, so −½ on average if they are unrelated) |
# | filters that two sets share | none, always | possible |
#
# **Why it matters:** if filters are specific even where the method does not force it, the network did divide
# its work.

# %% tags=["parameters", "hide-cell"] quick={"num_find": 2, "num_test": 2, "size": 64, "training_seeds": [0], "steps": 2}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_find = 4  # windows on which filters are ranked
num_test = 6  # windows, from other pictures, on which masking is judged
size = 96  # side of a window, HR pixels
training_seeds = [0, 1, 2]  # networks trained from different initializations and data orders
fraction = 1  # per cent of all filters that are masked
steps = 4  # of every path integral, at their middles
train = False  # True trains on from the baselines here (15 minutes a seed on one core)
device = "auto"

# %% tags=["hide-cell"]
from functools import partial
from itertools import combinations, permutations, product

import numpy as np

from srlab.attribution.faig import (
    discriminative_filters,
    discriminative_scores,
    filter_count,
    filters_by_degradation,
    masked_weights,
    overlap_score,
    top_filters,
)
from srlab.attribution.filter_rivals import random_scores
from srlab.data.datasets import load_images
from srlab.data.subjects import separate
from srlab.degradations.windows import windows
from srlab.devices import pick_device
from srlab.figures.dots import interval_dots
from srlab.figures.pictures import picture_grid
from srlab.figures.tables import Matrix, matrix_grid, matrix_heatmap
from srlab.statistics import rank_correlation
from srlab.studies.faig.effects import masking_effects
from srlab.studies.faig.outputs import KINDS, restored, typical_window
from srlab.studies.faig.rankings import fine_tuned, flat_scores, scores_by_kind
from srlab.studies.study import Study, exceeds, mean_interval, span, together

study = Study(
    "faig/three_degradations",
    claim="With three degradations, where nothing forces it, filters are specific to one",
    source="srlab's own, after FAIG, Sec. 4.2",
    own_question=True,
    claims={
        "lead": "filters harm their own degradation more than the other that suffers most, all three",
        "harm": "they do so in every seed",
        "change": "nothing changes an input like its own filters, all three, every seed",
    },
    controls={
        "chance": "random filters harm each degradation less than a fifth as much, every seed"
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

THREE = ["blur", "noise", "JPEG"]
kinds = {kind: KINDS[kind] for kind in THREE}
for_finding, for_judging = separate(load_images(image_set))
found = windows(for_finding, kinds, count=num_find, size=size).to(study.device)
judged = windows(for_judging, kinds, count=num_test, size=size).to(study.device)
networks = fine_tuned(study, "faig-three", training_seeds)
scores = [scores_by_kind(net, found, steps=steps) for net in networks]
with_two = fine_tuned(study, "faig-target", training_seeds[:1])[0]
scores_of_two = scores_by_kind(with_two, found, THREE[:2], steps=steps)

# %% [markdown]
# ## Mirror images
#
# Rank correlations between the rankings, of the network that learned two degradations and of those that learned
# three.


# %% tags=["hide-cell"]
def correlations(own):
    """(kinds, kinds) Spearman's ρ of their discriminative scores."""
    others = {kind: [own[other] for other in own if other != kind] for kind in own}
    flat = [flat_scores(discriminative_scores(own[kind], others[kind])) for kind in own]
    return np.array([[rank_correlation(a, b) for b in flat] for a in flat])


mirror = correlations(scores_of_two)
loose = np.array([correlations(own) for own in scores])

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Spearman's ρ between the rankings of all filters. With two degradations it is −1 by construction; with three (mean over training seeds) it is free. Compare the cells off the diagonal.", "name": "fig-three-correlations"}}
matrix_grid(
    {
        ("", "two degradations"): Matrix(mirror, THREE[:2], THREE[:2]),
        ("", "three degradations"): Matrix(loose.mean(axis=0), THREE, THREE),
    },
    colour_title="ρ",
    limits=(-1, 1),
)

# %% [markdown]
# ## What we run
#
# Masks (rows) and inputs (columns) make 3×3 tables. The largest entry of a *column* lies on the diagonal if nothing
# changes an input like its own filters; that of a *row*, if filters harm their own degradation most. The *lead* is
# the share of gain lost on the own degradation minus the largest other share, with a bootstrap interval over
# windows.
#
# :::{dropdown} Details
# | | |
# |---|---|
# | network | ×2 SRResNet, 16 blocks, 24 channels; bilinear reduction |
# | baseline | 4 000 steps on clean pictures |
# | target | 4 500 steps more on blur (σ 2, p ½), noise (σ 0.1, p ½) and JPEG (quality 30, p ½), in any combination |
# | filters | ranked by $s_k$ minus the mean of the two others, the first 1 % |
# | judged by | change of the output's gradient map; share of what fine-tuning gained in PSNR that is lost again |
# | control | as many filters at random |
# | with more training | not shown: snapshots of these targets do not ship; of two degradations {doc}`masking` follows a longer pair |
#
# Blur, noise and JPEG do unequal damage, and the network gained unequally from learning to undo them, so losses
# are divided by that gain: 0 % if masking does nothing, 100 % if the input is restored no better than by the
# baseline. The rankings subtract sums of squared errors, which noise moves most and JPEG least. A second,
# *balanced* ranking divides each degradation's scores by their sum first; it was added after a first look at the
# results and has no part in the verdict. A last experiment seeks filters of $i$ **against $j$ alone** and judges
# them on pictures with the third degradation $k$, which the ranking never saw.
# :::

# %% tags=["remove-input"]
study

# %% [markdown]
# ## Masks against inputs

# %% tags=["hide-cell"]
RANDOM = ("chance", "random")


def balanced(own):
    """Scores of each degradation divided by their sum: all weigh the same."""
    totals = {kind: sum(float(v.sum()) for v in each.values()) for kind, each in own.items()}
    return {kind: {n: v / totals[kind] for n, v in each.items()} for kind, each in own.items()}


def chosen(own, seed):
    """{(ranking, filters of): masks}: as in the paper, balanced, by chance, or blind to one kind."""
    share = fraction / 100
    found = {RANDOM: top_filters(random_scores(own["blur"], np.random.default_rng(seed)), share)}
    for ranking, some in {"as in the paper": own, "balanced": balanced(own)}.items():
        for kind, masks in filters_by_degradation(some, share).items():
            found[ranking, kind] = masks
    for i, j, k in permutations(THREE):
        found[f"blind to {k}", i] = discriminative_filters(own[i], [own[j]], share)
    return found


masks = [chosen(own, seed) for seed, own in enumerate(scores)]
effect = masking_effects(networks, masks, judged, columns=["ranking", "filters"])
gain = effect.groupby(["input", "seed"]).gained
effect["share"] = 100 * effect.lost / gain.transform("mean")
by_seed = effect.groupby(["ranking", "filters", "input", "seed"])[["change", "share"]].mean()
ROWS = {ranking: [(ranking, kind) for kind in THREE] for ranking in ("as in the paper", "balanced")}


def table(measure, rows):
    """(seeds, masks, inputs)."""
    cells = [[by_seed[measure][(*row, kind)] for kind in THREE] for row in rows]
    return np.array(cells).transpose(2, 0, 1)


moved, lost = (table(measure, ROWS["as in the paper"]) for measure in ("change", "share"))

# %% tags=["hide-input"] mystnb={"figure": {"caption": "A typical window under three degradations (rows), restored by the target of training seed 0 with each skill's filters masked (columns). Is the damage along the diagonal, and only there?", "name": "fig-three-window"}}
net = networks[0]
weights = {"target network": net.target}
for row in ROWS["as in the paper"]:
    weights[f"no {row[1]} filters"] = masked_weights(net.target, net.baseline, masks[0][row])
panels, notes = typical_window(
    {title: partial(restored, net.model, own) for title, own in weights.items()}, judged
)
picture_grid(panels, notes=notes)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Change of the output's gradient map, ×10⁻³, when 1 % of the filters (rows) is masked, on each input (columns); mean over training seeds. Left: ranked as in the paper, which is judged; right: with balanced scores. Compare within columns: which filters does this input need most?", "name": "fig-three-change"}}
names = [f"{name} filters" for name in (*THREE, "random")]


def matrices(measure, **look):
    panels = {
        ("", title): Matrix(table(measure, [*rows, RANDOM]).mean(axis=0), names, THREE)
        for title, rows in ROWS.items()
    }
    figure = matrix_grid(panels, axis_titles=("", "input"), **look)
    return figure.update_yaxes(showticklabels=False, col=2)  # the rows are the same in both


matrices("change", colour_title="×10⁻³", log=True)

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "Share of the gain of fine-tuning that is lost, %; mean over training seeds. Left: as in the paper, judged; right: balanced. Colours end at 0 and 100. Compare within rows: which degradation do these filters serve?", "name": "fig-three-lost"}}
matrices("share", colour_title="%", limits=(0, 100))

# %% [markdown]
# ## A degradation that the ranking never saw
#
# Filters of $i$ against $j$ alone, masked on inputs with the third degradation $k$: the ranking had no chance to
# spare it.

# %% tags=["hide-cell"]
held_out = lost.copy()
for i, _, k in permutations(THREE):
    held_out[:, THREE.index(i), THREE.index(k)] = by_seed.share[f"blind to {k}", i, k]

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Share of the gain lost, %, mean over training seeds. Off the diagonal, filters were sought without the degradation that they are judged on; the diagonal is that of the figure at the top, left. The emptier the cells off the diagonal, the more specific the filters are by themselves.", "name": "fig-three-unseen"}}
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
# By how much does each set harm its own degradation more than the other that suffers most?

# %% tags=["hide-cell"]
by_window = effect.groupby(["ranking", "filters", "input", "window"]).share.mean()
own_share = by_window["as in the paper"].groupby(["filters", "input"]).mean()
rival = {row: own_share[row].drop(row).idxmax() for row in THREE}
lead = {
    row: by_window["as in the paper", row, row] - by_window["as in the paper", row, rival[row]]
    for row in THREE
}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Share of the gain lost on the own degradation minus that on the other which suffers most, in percentage points; a dot for each training seed. At the dashed line filters would serve another degradation as much as their own.", "name": "fig-three-lead"}}
at = by_seed.share["as in the paper"]
interval_dots(
    {f"{row} filters, beyond {rival[row]}": at[row, row] - at[row, rival[row]] for row in THREE},
    x_title="own − largest other share of the gain lost, points",
    reference=0,
)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "All measures of this run. Spread: 95 % bootstrap interval over windows for shares of gain and leads, lowest to highest over training seeds for the rest.", "name": "fig-three-verdict"}}
lead_interval = {row: mean_interval(own) for row, own in lead.items()}
least = min(lead, key=lambda row: lead[row].mean())
for row, own in lead.items():
    name = f"lead of {row} filters on their own, points"
    study.measure(name, own, interval=lead_interval[row], headline=row == least)
for row, kind in product([*ROWS["as in the paper"], RANDOM], THREE):
    values = by_window[(*row, kind)]
    name = f"gain lost, %: {row[1]} filters, {kind} input"
    study.measure(name, values, interval=mean_interval)
for a, b in combinations(THREE, 2):
    met = [overlap_score(*(own["as in the paper", kind] for kind in (a, b))) for own in masks]
    share = study.measure(f"filters that {a} and {b} share", met)
    study.glue(**{f"three_shared_{a}_{b}": 100 * share})
rhos = [
    study.measure(f"rank correlation, {a} and {b}", loose[:, THREE.index(a), THREE.index(b)])
    for a, b in combinations(THREE, 2)
]
off = held_out[:, ~np.eye(3, dtype=bool)]
study.measure("gain lost on unseen degradations, %", off.mean(axis=1), glue="three_unseen")
for kind in THREE:
    gained = gain.mean()[kind]
    study.measure(f"gain of fine-tuning, {kind}, dB", gained, glue=f"three_gain_{kind}")
even = table("share", ROWS["balanced"])
own_first, even_first = (cells.argmax(axis=2) == np.arange(3) for cells in (lost, even))
study.measure("rows with their own degradation first, balanced scores", even_first.sum(axis=1))
sums = {kind: np.array([flat_scores(own[kind]).sum() for own in scores]) for kind in THREE}
for kind, word in {"blur": "blurry", "JPEG": "JPEG"}.items():
    name = f"scores on noisy pictures over those on {word} ones"
    study.measure(name, sums["noise"] / sums[kind], glue=f"three_weight_{kind}")
name, paper = "rank correlation with two degradations", "−1, by construction"
study.measure(name, mirror[0, 1], paper=paper, glue="three_mirror")

chance = by_seed.share[RANDOM]
for index, kind in enumerate(THREE):
    others = np.delete(even[:, index], index, axis=1).mean(axis=0)
    study.glue(**{f"three_even_own_{kind}": even[:, index, index].mean()})
    study.glue(**{f"three_even_other_{kind}": others.max()})
    study.glue(**{f"three_own_{kind}": own_share[kind, kind]})
    study.glue(**{f"three_other_{kind}": own_share[kind, rival[kind]]})
    study.glue(**{f"three_rival_{kind}": rival[kind]})
study.glue(
    three_seeds=len(networks),
    three_filters=filter_count(masks[0]["as in the paper", "blur"]),
    three_rows=own_first.sum(),
    three_even_rows=even_first.sum(),
    three_all_rows=own_first.size,
    three_unseen_most=off.mean(axis=0).max(),
    three_random=chance.groupby("input").mean().max(),
    three_rho_low=min(rhos),
    three_rho_high=max(rhos),
)


def beyond(cells):
    """(seeds, 3): a row's cell of its own degradation minus the largest other one."""
    others = np.where(np.eye(3, dtype=bool), -np.inf, cells).max(axis=2)
    return cells.diagonal(axis1=1, axis2=2) - others


study.verdict(
    lead=together(*(exceeds(own) for own in lead_interval.values())),
    harm=together(*(exceeds(span(own)) for own in beyond(lost).T)),
    change=together(*(exceeds(span(own)) for own in beyond(moved.swapaxes(1, 2)).T)),
    chance=all((chance[kind] < at[kind, kind] / 5).all() for kind in THREE),
)

# %% [markdown]
# ## What we have seen
#
# - **Rankings.** With two degradations they correlate by {glue:text}`three_mirror:.2f`, by arithmetic. With
#   three it is between {glue:text}`three_rho_low:.2f` and {glue:text}`three_rho_high:.2f` (means over
#   {glue:text}`three_seeds` training seeds). Of {glue:text}`three_filters` filters, blur and noise share
#   {glue:text}`three_shared_blur_noise:.1f` %, blur and JPEG {glue:text}`three_shared_blur_JPEG:.1f` %, noise and
#   JPEG {glue:text}`three_shared_noise_JPEG:.1f` %.
# - **Harm.** Fine-tuning gained {glue:text}`three_gain_blur:.1f` dB on blurry, {glue:text}`three_gain_noise:.1f` dB
#   on noisy and {glue:text}`three_gain_JPEG:.1f` dB on JPEG pictures (where the gain is small, a little harm is a
#   large share). Masking takes away:
#
# | filters of | own degradation | the other that suffers most | own, balanced | other, balanced |
# |---|---|---|---|---|
# | blur | {glue:text}`three_own_blur:.0f` % | {glue:text}`three_other_blur:.0f` % ({glue:text}`three_rival_blur`) | {glue:text}`three_even_own_blur:.0f` % | {glue:text}`three_even_other_blur:.0f` % |
# | noise | {glue:text}`three_own_noise:.0f` % | {glue:text}`three_other_noise:.0f` % ({glue:text}`three_rival_noise`) | {glue:text}`three_even_own_noise:.0f` % | {glue:text}`three_even_other_noise:.0f` % |
# | JPEG | {glue:text}`three_own_JPEG:.0f` % | {glue:text}`three_other_JPEG:.0f` % ({glue:text}`three_rival_JPEG`) | {glue:text}`three_even_own_JPEG:.0f` % | {glue:text}`three_even_other_JPEG:.0f` % |
#
# - Of {glue:text}`three_all_rows` rows (three per seed), {glue:text}`three_rows` have their own degradation first
#   as the paper ranks, and {glue:text}`three_even_rows` with balanced scores.
# - **Unequal scores.** Those on noisy pictures sum to {glue:text}`three_weight_blur:.1f` times those on blurry and
#   {glue:text}`three_weight_JPEG:.1f` times those on JPEG pictures. A difference of unequal numbers follows the
#   larger one: the further these ratios lie above one, the more "for blur" and "for JPEG" mean "not for noise".
# - **Chance.** Masking as many random filters takes at most {glue:text}`three_random:.1f` %.
# - **Unseen.** On a degradation that the ranking did not know, masking takes {glue:text}`three_unseen:.0f` % on
#   average and {glue:text}`three_unseen_most:.0f` % in the worst pairing.
#
# ## Exercises
#
# 1. Why is the rank correlation of two of three unrelated rankings −½ and not 0?
# 2. Why does balancing change the ranking for blur more than dividing all scores by ten would?
#
# ```{dropdown} Answers
# 1. The three discriminative scores sum to zero for every filter. Three variables of equal variance whose sum is
#    zero have pairwise correlations of −½ on average.
# 2. A common factor changes no ranking. Balancing uses a factor of its own for each degradation, so that the
#    subtracted terms no longer outweigh the first.
# ```
#
# ## Try it yourself
#
# - Fewer or more filters: `fraction = 0.5` or `3`. When do the sets begin to overlap?
# - Other pictures: `image_set = "set14"` or `"b100"` (downloaded on first use).
# - A fourth degradation: `srlab faig --degradations blur:2,noise:0.1,jpeg:30,…` with your own pair of weights.
