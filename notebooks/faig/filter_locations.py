# %% [markdown]
# (finding-filter-locations)=
# # Where in the network do deblurring and denoising filters sit?
#
# *5 minutes. You learn how to describe where filters sit, and how to test it against chance. Read
# {doc}`masking` first.*
#
# ## The claim
#
# {doc}`masking` locates skills: 1 % of the filters for deblurring, another 1 % for denoising. {cite:t}`xie2021finding`
# look where in the network these filters sit (Sec. 5.2.3, Fig. 4): deblurring filters mostly in the back, denoising
# filters spread uniformly over all layers. They show it in a figure, without numbers.
#
# **Why it matters:** where a skill sits in few layers, pruning, fine-tuning and adapters need not touch the others.

# %% tags=["parameters", "hide-cell"] quick={"num_find": 2, "size": 64, "training_seeds": [0], "draws": 200, "steps": 2}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_find = 6  # windows on which filters are ranked
size = 96  # side of a window, HR pixels
training_seeds = [0, 1, 2]  # networks trained from different initializations and data orders
fraction = 1  # per cent of all filters that count as discriminative
draws = 2000  # shuffles of the two labels, for the interval of chance
steps = 4  # of every path integral, at their middles
train = False  # True trains on from the baselines here (15 minutes a seed on one core)
device = "auto"

# %% tags=["hide-cell"]
import numpy as np

from srlab.attribution.faig import (
    discriminative_scores,
    filter_count,
    filter_depths,
    top_filters,
)
from srlab.data.datasets import load_images
from srlab.degradations.windows import windows
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.dots import interval_dots
from srlab.figures.filters import ChosenFilters, network_map
from srlab.studies.faig.outputs import KINDS
from srlab.studies.faig.places import depth_curve, evenness, shuffled_differences
from srlab.studies.faig.rankings import attributions, fine_tuned
from srlab.studies.study import Study, exceeds, reaches, span

study = Study(
    "faig/filter_locations",
    claim="Deblurring filters sit in the back of the network, denoising filters spread",
    source="FAIG, Sec. 5.2.3, Fig. 4",
    claims={
        "order": "deblurring filters lie deeper than denoising filters, every seed",
        "back": "deblurring filters lie deeper than the filters of the network on average, every seed",
        "spread": "denoising filters divide more evenly among the layers, every seed",
    },
    says={
        "order": "Sec. 5.2.3: “the filters for deblurring and denoising have very different distributions inside the network”",
        "back": "Sec. 5.2.3: “The deblurring filters are more located in the back part of the network”",
        "spread": "Sec. 5.2.3: “while denoising filters locate more uniformly”",
    },
    controls={"shuffles": "the difference of depths is beyond 95 % of shuffled labels, every seed"},
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

AIMS = {"deblurring": "blur", "denoising": "noise"}
kinds = {kind: KINDS[kind] for kind in AIMS.values()}
found = windows(load_images(image_set), kinds, count=num_find, size=size).to(study.device)
networks = fine_tuned(study, "faig-target", training_seeds)
attributed = [attributions(net, found, steps=steps) for net in networks]


def ranked(own):
    """{aim: chosen filters and the scores they were chosen by}."""
    scores = {aim: own[kind].scores() for aim, kind in AIMS.items()}
    chosen = {}
    for aim in AIMS:
        beyond = discriminative_scores(
            scores[aim], [scores[other] for other in AIMS if other != aim]
        )
        chosen[aim] = ChosenFilters(top_filters(beyond, fraction / 100), beyond)
    return chosen


chosen = [ranked(own) for own in attributed]

# %% [markdown]
# ## The network as a map
#
# Each strip is a convolution, the first on the left; each dot a filter among the 1 %. A row of dots within a strip is
# an output channel that was taken over as a whole, a column an input channel.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Where the discriminative filters sit, a panel for each training seed. Strips: convolutions from first to last; in each, input channels from left to right and output channels from top to bottom. Point at a dot for its layer, channels and score; click a name in the legend to hide its filters. In which strips does each colour gather?", "name": "fig-locations-map"}}
titles = [f"training seed {seed}" for seed in range(len(networks))]
network_map(dict(zip(titles, chosen, strict=True)), score_title="score")


# %% [markdown]
# ## What we run, and what differs from the paper
#
# *Depth* is a convolution's place in running order, from 0 (the first) to 1 (the last). *Evenness* is the
# {term}`entropy` of how the chosen filters divide among the convolutions, as a share of what it is when all filters of
# the network are chosen. The network has wider and narrower layers, so chance does not mean depth 0.5 exactly: the
# curve of all filters stands beside the others. All convolutions take part. Networks and attributions are those of
# {doc}`masking`, where the differences from the paper are listed; the paper does not state which pictures its Fig. 4
# ranks filters on.

# %% tags=["remove-input"]
study

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "Share of the filters up to a depth: mean over training seeds, bands from lowest to highest. A curve below that of all filters means that its filters come late; a curve along it, an even spread.", "name": "fig-locations-depth"}}
everything = {name: np.ones(mask.shape) for name, mask in chosen[0]["deblurring"].masks.items()}
depths = np.linspace(0, 1, len(everything))
curves = {aim: np.array([depth_curve(own[aim].masks) for own in chosen]) for aim in AIMS}
curves["all filters"] = depth_curve(everything)[None]
axis = "share of the filters up to here"
stacked_curves(
    depths,
    {axis: {name: rows.mean(axis=0) for name, rows in curves.items()}},
    bands={axis: {name: (rows.min(axis=0), rows.max(axis=0)) for name, rows in curves.items()}},
    x_title="depth, from the first convolution to the last",
).update_layout(height=380)

# %% [markdown]
# ## Could it be chance?
#
# We shuffle which filter is called deblurring and which denoising: how far apart are the mean depths then? Filters of
# one layer are often chosen together, so this interval is rather narrow. The harder test is that every training seed
# must agree.

# %% tags=["hide-cell"]
sizes = [mask.size for mask in everything.values()]
mean_all = float(np.average(depths, weights=sizes))
depth = {aim: np.array([filter_depths(own[aim].masks).mean() for own in chosen]) for aim in AIMS}
spread = {aim: np.array([evenness(own[aim].masks) for own in chosen]) for aim in AIMS}
difference = depth["deblurring"] - depth["denoising"]
chance = [
    shuffled_differences(*(own[aim].masks for aim in AIMS), draws=draws, seed=seed)
    for seed, own in enumerate(chosen)
]
beyond = np.array([(own < gap).mean() for own, gap in zip(chance, difference, strict=True)])

# %% tags=["hide-input"] mystnb={"figure": {"caption": "How much deeper deblurring filters lie than denoising ones, a dot for each training seed, and the same for shuffled labels (seeds pooled; bar: the middle 95 %). Do the two bars overlap?", "name": "fig-locations-chance"}}
pooled = np.concatenate(chance)
interval_dots(
    {"measured": difference, "labels shuffled": np.quantile(pooled, [0.025, 0.5, 0.975])},
    x_title="mean depth of deblurring filters − mean depth of denoising filters",
    reference=0,
)

# %% [markdown]
# ## Verdict

# %% tags=["hide-input"] mystnb={"figure": {"caption": "All measures of this run. Spread: lowest to highest over training seeds.", "name": "fig-locations-verdict"}}
for aim, paper in {"deblurring": "in the back", "denoising": "spread"}.items():
    name = f"mean depth, {aim} filters"
    study.measure(name, depth[aim], paper=paper, glue=f"locations_{aim}")
study.measure("mean depth, all filters", mean_all, glue="locations_all")
study.measure("difference", difference)
name = "share of shuffles with a smaller difference"
study.measure(name, beyond.min(), interval=span(beyond))
count = filter_count(chosen[0]["deblurring"].masks)
front = next(iter(everything))
for aim in AIMS:
    even = study.measure(f"evenness, {aim} filters", spread[aim])
    in_front = np.mean([own[aim].masks[front].sum().item() / count for own in chosen])
    study.glue(**{f"locations_{aim}_even": 100 * even, f"locations_{aim}_first": 100 * in_front})
errors = [one.completeness_error for own in attributed for one in own.values()]
study.glue(
    locations_seeds=len(networks),
    locations_filters=count,
    locations_chance=np.quantile(np.abs(pooled), 0.95),
    locations_error=100 * np.mean(errors),
)
study.verdict(
    order=exceeds(span(difference)),
    back=exceeds(span(depth["deblurring"] - mean_all)),
    spread=exceeds(span(spread["denoising"] - spread["deblurring"])),
    shuffles=reaches(span(beyond), 0.95),
)

# %% [markdown]
# ## What we have seen
#
# - **Depth.** Over {glue:text}`locations_seeds` training seeds the {glue:text}`locations_filters` deblurring filters have
#   a mean depth of {glue:text}`locations_deblurring:.2f`, the denoising filters of {glue:text}`locations_denoising:.2f`,
#   all filters of {glue:text}`locations_all:.2f`. Shuffled labels leave a difference of less than
#   {glue:text}`locations_chance:.2f` in 95 % of cases.
# - **Evenness** over the layers is {glue:text}`locations_deblurring_even:.0f` % for deblurring and
#   {glue:text}`locations_denoising_even:.0f` % for denoising, where 100 % is that of all filters.
# - **The first convolution** holds {glue:text}`locations_deblurring_first:.1f` % of the deblurring and
#   {glue:text}`locations_denoising_first:.1f` % of the denoising filters. Re-training in the public code leaves it out.
# - With two degradations a place taken by one kind of filter is closed to the other ({doc}`three_degradations`): the
#   two maps are one finding, not two.
# - **Completeness.** The scores miss {glue:text}`locations_error:.1f` % of the change of the loss on average.
#
# ## Exercises
#
# 1. Half of the filters of a network sit in its last two of 37 convolutions. Is "mean depth 0.5" then a neutral value?
# 2. Why is the shuffled interval too narrow when filters of a layer are chosen together?
#
# ```{dropdown} Answers
# 1. No. Filters drawn at random would have a mean depth well above 0.5. Compare with the mean depth of all filters.
# 2. Shuffling treats filters as independent draws. Filters that come in groups are fewer independent draws, whose
#    mean varies more.
# ```
#
# ## Try it yourself
#
# - More filters: `fraction = 5`. Does deblurring reach further to the front?
# - A chain without residual blocks: `fine_tuned(study, "faig-srcnn-target", [0])`. Is the order the same?
# - Your own pair of weights: `srlab faig --baseline a.safetensors --target b.safetensors`.
