# %% [markdown]
# (finding-gradient-elimination)=
# # Without subtracting the other degradation, deblurring filters are needed for denoising too
#
# ## The claim
#
# FAIG gives every filter two scores: how much its change moved the loss on blurry pictures, and how much
# on noisy ones. The filters *for* deblurring are ranked by the difference of the two,
#
# $$
# \mathrm{FAIG}^{\mathcal D} = \overline{\lvert\mathrm{FAIG}(x^{\mathcal D})\rvert}
# - \overline{\lvert\mathrm{FAIG}(x^{\neg\mathcal D})\rvert},
# $$
#
# the mean over pictures with the degradation minus the mean over pictures with another.
# {cite:t}`xie2021finding` leave out the second term and mask again (Sec. 4.2, Fig. 5): now masking the
# "deblurring" filters destroys denoising as well.
#
# | deblurring filters masked | blurry input | noisy input |
# |---|---|---|
# | with the second term | stays blurry | is restored |
# | without it | stays blurry | stays noisy |
#
# Why it matters: a filter that matters for everything matters for deblurring too. Importance alone does
# not make a filter specific, in this network or in any other attribution of skills to parts.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"num_find": 2, "num_test": 2, "size": 64, "training_seeds": [0], "fractions": [1, 3], "steps": 2}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_find = 4  # windows on which filters are ranked
num_test = 6  # windows, from other pictures, on which masking is judged
size = 96  # side of a window, HR pixels
training_seeds = [0, 1, 2]  # networks trained from different initializations and data orders
fractions = [0.5, 1, 3]  # per cent of all filters that are masked; 1 is judged
steps = 4  # of every path integral, at their middles
train = False  # True trains on from the baselines here (15 minutes a seed on one core)
device = "auto"

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | network | ×2 SRResNet, 16 blocks, 64 channels; bilinear reduction | the same with 24 channels |
# | baseline | converged on clean pictures | 4 000 steps on clean pictures |
# | target | 100 000 steps more on blur (σ 2, p ½) and noise (σ 0.1, p ½) | 6 000 steps more on the same |
# | filters ranked and masked on | the same pictures | different pictures of one set |
# | the harm is shown by | a picture | PSNR and gradient maps of luma, over seeds |
# | path integral | 100 one-sided steps | 4 midpoint steps |
#
# Both rankings come from the same attributions. To *mask* is to give a filter the baseline's
# values. The paper shows deblurring filters; the denoising filters are our addition.
#
# :::{admonition} Criterion, set before the experiment
# :class: important
# With **1 %** of the filters masked and **in every training seed**: without the second term, masking
# the deblurring filters (1) changes the output on noisy pictures at least **twice** as much as with it and
# (2) costs at least **twice** as many dB there; (3) without it, the loss on noisy pictures exceeds a **third**
# of the loss on blurry ones, with it, not. (4) The denoising filters do the same, by (1) and (2), to blurry
# pictures.
# :::

# %% tags=["hide-cell"]
from itertools import product

import numpy as np
from myst_nb import glue

from srlab.attribution.faig import (
    discriminative_filters,
    filter_attribution,
    filter_count,
    masked_weights,
    overlap_score,
    top_filters,
)
from srlab.data.datasets import load_images
from srlab.data.examples import examples
from srlab.data.subjects import separate
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.dots import scatter_panels
from srlab.figures.pictures import picture_grid
from srlab.figures.tables import Matrix, matrix_grid
from srlab.images import image_to_array
from srlab.metrics import psnr
from srlab.statistics import rank_correlation
from srlab.studies.faig.effects import effects
from srlab.studies.faig.outputs import KINDS, restored
from srlab.studies.networks import tuned
from srlab.studies.parameters import check_parameters
from srlab.studies.study import Finding, record, span

check_parameters()
device = pick_device(device)
finding = Finding(
    name="faig/gradient_elimination",
    claim="Without subtracting the other degradation, deblurring filters serve denoising too",
    source="FAIG, Sec. 4.2, Fig. 5",
    criterion=(
        "At 1 % masked, in every seed: without the second term masking harms the other degradation "
        "at least twice as much as with it (gradient map and dB), for deblurring more than a third "
        "of the own loss, with it less."
    ),
)

# %% [markdown]
# ## Experiment
#
# Windows from one half of the pictures to rank the filters on, from the other half to judge by.

# %%
AIMS = {"deblurring": "blur", "denoising": "noise"}
OTHER = {"deblurring": "denoising", "denoising": "deblurring"}
kinds = {kind: KINDS[kind] for kind in AIMS.values()}
for_finding, for_judging = separate(load_images(image_set))
found = examples(for_finding, kinds, count=num_find, size=size).to(device)
judged = examples(for_judging, kinds, count=num_test, size=size).to(device)
networks = tuned("faig-target", training_seeds, train=train, device=device)


def attributed(net):
    """{aim: scores on pictures of its degradation}."""
    weights = (net.baseline, net.target)
    return {
        aim: filter_attribution(net.model, *weights, found.lr[kind], found.hr, steps=steps).scores()
        for aim, kind in AIMS.items()
    }


scores = [attributed(net) for net in networks]

# %% [markdown]
# One ranking subtracts the other degradation's scores, the other does not.

# %%
TERMS = ["without the term", "with the term"]


def masks(own, aim, term, fraction):
    if term == "without the term":
        return top_filters(own[aim], fraction / 100)
    return discriminative_filters(own[aim], [own[OTHER[aim]]], fraction / 100)


def measured(net, own):
    """{((term, aim, fraction), kind): effect}, and None as the first for the target itself."""
    weights = {None: net.target}
    for key in product(TERMS, AIMS, fractions):
        term, aim, fraction = key
        chosen = masks(own, aim, term, fraction)
        weights[key] = masked_weights(net.target, net.baseline, chosen)
    return effects(net.model, net.target, weights, judged)


results = [measured(net, own) for net, own in zip(networks, scores, strict=True)]


def change(*key, kind):
    """(seeds,) movement of the gradient map, ×1e-3."""
    return np.array([found[key, kind].change.mean() for found in results])


def lost(*key, kind):
    """(seeds,) dB."""
    rows = [found[None, kind].psnr - found[key, kind].psnr for found in results]
    return np.array([own.mean() for own in rows])


# %% [markdown]
# ## What masking the deblurring filters does
#
# The same window, blurry above and noisy below. If the masked filters were for deblurring alone, the
# lower row would not notice.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One window (training seed 0), 1 % of the filters masked: those ranked highest for deblurring, without and with the second term. Look along the lower row: does anything come back in the second column that is not in the third?", "name": "fig-elimination-window"}}
level = min(fractions, key=lambda fraction: abs(fraction - 1))
net = networks[0]
columns = {"target network": net.target}
for term in TERMS:
    chosen = masks(scores[0], "deblurring", term, level)
    columns[f"masked, ranked {term}"] = masked_weights(net.target, net.baseline, chosen)
columns["baseline network"] = net.baseline
panels, notes = {}, {}
rows = {"blurry": "blur", "noisy": "noise"}
for (name, kind), (title, weights) in product(rows.items(), columns.items()):
    sr = restored(net.model, weights, judged.lr[kind][:1])
    panels[name, title] = image_to_array(sr[0])
    notes[name, title] = f"{psnr(sr, judged.hr[:1], border=2).item():.1f} dB"
picture_grid(panels, notes=notes)


# %% tags=["hide-input"] mystnb={"figure": {"caption": "PSNR lost in dB (mean over training seeds) when the highest-ranked 1 % for one aim (rows) is masked, on each kind of input (columns). Look at the cells off the diagonal: they should be empty where filters are specific.", "name": "fig-elimination-matrix"}}
def table(term):
    cells = [[lost(term, aim, level, kind=kind).mean() for kind in rows.values()] for aim in AIMS]
    return Matrix(np.array(cells), list(AIMS), list(rows))


grid = matrix_grid(
    {("", term): table(term) for term in TERMS},
    colour_title="dB lost",
    axis_titles=("masked filters", "input"),
)
grid.update_yaxes(showticklabels=False, col=2)  # the rows are the same in both


# %% tags=["hide-input"] mystnb={"figure": {"caption": "Harm where none is meant, against the share of masked filters: mean over training seeds, bands from the lowest to the highest. Look at the distance between the two curves.", "name": "fig-elimination-curves"}}
def harm(aim):
    side = {
        term: np.array([lost(term, aim, f, kind=AIMS[OTHER[aim]]) for f in fractions])
        for term in TERMS
    }
    means = {term: own.mean(axis=1) for term, own in side.items()}
    return means, {term: (own.min(axis=1), own.max(axis=1)) for term, own in side.items()}


axes = {"noisy, dB lost without deblurring filters": "deblurring"}
axes |= {"blurry, dB lost without denoising filters": "denoising"}
curves = {title.replace(", dB lost ", "<br>dB lost<br>"): harm(aim) for title, aim in axes.items()}
stacked_curves(
    fractions,
    {title: means for title, (means, _) in curves.items()},
    bands={title: bands for title, (_, bands) in curves.items()},
    x_title="masked filters, %",
    log_x=True,
).update_layout(margin={"l": 80})

# %% [markdown]
# ## Why
#
# The two scores go together: a filter that matters on blurry pictures tends to matter on noisy ones.
# Without the second term the ranking takes what lies far right in the figure, at any height; with it, what
# lies far right *and* low.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The filters among the first 1 % for deblurring by either ranking (training seed 0): score on blurry pictures against score on noisy ones. Point at a dot for its place in the network. Look at how the filters that only one ranking takes divide by height.", "name": "fig-elimination-scores"}}
plain, beyond = (masks(scores[0], "deblurring", term, level) for term in TERMS)
groups = {
    "by both rankings": {n: plain[n] & beyond[n] for n in plain},
    "without the term only": {n: plain[n] & ~beyond[n] for n in plain},
    "with the term only": {n: ~plain[n] & beyond[n] for n in plain},
}
blurry, noisy = (scores[0][aim] for aim in AIMS)


def picked(values, own):
    return np.concatenate([values[name][mask].cpu().numpy() for name, mask in own.items()])


def filter_names(own):
    places = ((name, *place) for name, mask in own.items() for place in mask.nonzero().tolist())
    return [f"{name}, filter {out} ← {into}" for name, out, into in places]


filled = {name: own for name, own in groups.items() if filter_count(own)}
scatter_panels(
    {
        "score on blurry pictures": {
            name: (picked(blurry, own), picked(noisy, own)) for name, own in filled.items()
        }
    },
    names={name: filter_names(own) for name, own in filled.items()},
    y_title="score on noisy pictures",
    log_x=["score on blurry pictures"],
).update_yaxes(type="log", exponentformat="power")

# %% [markdown]
# ## Verdict

# %%
together = np.array(
    [
        rank_correlation(*(np.concatenate([v.flatten() for v in s.values()]) for s in own.values()))
        for own in scores
    ]
)
shared = np.array(
    [overlap_score(*(masks(own, aim, TERMS[0], level) for aim in AIMS)) for own in scores]
)
kept = np.array(
    [overlap_score(*(masks(own, "deblurring", term, level) for term in TERMS)) for own in scores]
)
moved = {
    (aim, term): change(term, aim, level, kind=AIMS[OTHER[aim]]) for aim in AIMS for term in TERMS
}
harmed = {
    (aim, term): lost(term, aim, level, kind=AIMS[OTHER[aim]]) for aim in AIMS for term in TERMS
}
meant = {(aim, term): lost(term, aim, level, kind=AIMS[aim]) for aim in AIMS for term in TERMS}
without, with_term = TERMS


def twice(values, aim):
    return bool((values[aim, without] >= 2 * np.maximum(values[aim, with_term], 0)).all())


def third(term):
    return harmed["deblurring", term] > meant["deblurring", term] / 3


# %% tags=["remove-cell"]
weight = {aim: [sum(float(v.sum()) for v in own[aim].values()) for own in scores] for aim in AIMS}
ratio = np.array(weight["denoising"]) / np.array(weight["deblurring"])
glue("elimination_ratio", float(ratio.mean()), display=False)
glue("elimination_seeds", len(networks), display=False)
glue("elimination_shared", float(100 * shared.mean()), display=False)
glue("elimination_kept", float(100 * kept.mean()), display=False)
glue("elimination_together", float(together.mean()), display=False)
for aim, term in product(AIMS, TERMS):
    label = f"{aim}_{term.split()[0]}"
    glue(f"elimination_harm_{label}", float(harmed[aim, term].mean()), display=False)
    glue(f"elimination_own_{label}", float(meant[aim, term].mean()), display=False)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: lowest to highest over training seeds.", "name": "fig-elimination-verdict"}}
harm_rows = {
    f"dB lost on {name} pictures, {aim} filters masked, {term}": harmed[aim, term]
    for (aim, name), term in product({"deblurring": "noisy", "denoising": "blurry"}.items(), TERMS)
}
own_rows = {
    f"dB lost on {name} pictures, {aim} filters masked, {term}": meant[aim, term]
    for (aim, name), term in product({"deblurring": "blurry", "denoising": "noisy"}.items(), TERMS)
}
moved_rows = {
    f"change on noisy pictures, deblurring filters masked, {term}, ×10⁻³": moved["deblurring", term]
    for term in TERMS
}
other_rows = {
    "filters that the two rankings without the term share": shared,
    "rank correlation of the two scores": together,
}
rows_of_table = harm_rows | own_rows | moved_rows | other_rows
record(
    finding,
    checks={
        "deblurring filters: noisy pictures change twice as much without the term, every seed": (
            twice(moved, "deblurring")
        ),
        "deblurring filters: noisy pictures lose twice as many dB without it, every seed": (
            twice(harmed, "deblurring")
        ),
        "without it, more than a third of the loss on blurry pictures, every seed": bool(
            third(without).all()
        ),
        "with it, no more than a third, every seed": not third(with_term).any(),
        "denoising filters: blurry pictures change and lose twice as much, every seed": (
            twice(moved, "denoising") and twice(harmed, "denoising")
        ),
    },
    measured={name: own.mean() for name, own in rows_of_table.items()},
    interval={name: span(own) for name, own in rows_of_table.items()},
    paper={
        "dB lost on noisy pictures, deblurring filters masked, without the term": "denoising fails",
        "dB lost on noisy pictures, deblurring filters masked, with the term": "denoising works",
    },
    image_set=image_set,
    parameters={
        "num_find": num_find,
        "num_test": num_test,
        "size": size,
        "fractions": fractions,
        "steps": steps,
    },
    checkpoints=[] if train else [name for net in networks for name in (net.start, net.name)],
)

# %% [markdown]
# ## What we have seen
#
# - Over {glue:text}`elimination_seeds` training seeds, masking the 1 % that matters most on blurry
#   pictures costs {glue:text}`elimination_own_deblurring_without:.1f` dB there and
#   {glue:text}`elimination_harm_deblurring_without:.1f` dB on noisy pictures. With the second term it
#   is {glue:text}`elimination_own_deblurring_with:.1f` dB and
#   {glue:text}`elimination_harm_deblurring_with:.1f` dB.
# - For the denoising filters: {glue:text}`elimination_own_denoising_without:.1f` dB on noisy and
#   {glue:text}`elimination_harm_denoising_without:.1f` dB on blurry pictures without the term,
#   {glue:text}`elimination_own_denoising_with:.1f` dB and
#   {glue:text}`elimination_harm_denoising_with:.1f` dB with it.
# - The scores on noisy pictures sum to {glue:text}`elimination_ratio:.1f` times those on blurry ones,
#   because noise costs more squared error. The larger the ratio, the less there is to subtract from the
#   denoising filters, and the more from the deblurring filters.
# - Without the term the deblurring and the denoising 1 % share {glue:text}`elimination_shared:.0f` % of
#   their filters, and the two scores correlate by {glue:text}`elimination_together:.2f` over all filters
#   (Spearman's ρ). With it they share none, because they cannot
#   ({doc}`/book/findings/faig/three_degradations`).
# - {glue:text}`elimination_kept:.0f` % of the deblurring filters are the same with and without the term.
#
# ## Try it yourself
#
# - Set `image_set = "set14"`, the paper's pictures, or `"b100"` (downloaded on first use).
# - Divide instead of subtracting: rank by the ratio of the two scores. Which small filters come up?
# - Subtract the scores on *clean* pictures: `discriminative_filters(blur, [clean], 0.01)`. What is left
#   of the harm to denoising?
