# %% [markdown]
# (finding-generalization-index)=
# # The less features separate degradations, the better a network copes with them
#
# ## The claim
#
# A network that treats every input alike needs no separate clusters. So the paper turns the
# {term}`Caliński–Harabasz index` around and proposes it as an **index of generalization**: the lower
# the CHI of degradations, the better a network copes with them
# ({cite:t}`liu2021discovering`, Sec. 5, Fig. 11).
#
# | RRDBNet trained on … | clean pictures | degraded ones | degraded ones, with DDR guidance |
# |---|---|---|---|
# | CHI reported by the paper | 322.16 | 14.04 | 4.95 |
#
# A later index by the same group, {term}`SRGA` {cite:p}`liu2022evaluating`, compares the
# distributions of deep features instead of their clusters: reference set against degraded set.
# Smaller is better there, too. The paper calls its CHI a *rough* index, good for networks of one
# architecture "under constrained conditions" (Sec. A.2). That is what is judged here; whether it also
# ranks networks of all kinds is a question of our own, shown below.
#
# Why it matters: such an index needs no ground truth. Features of a handful of patches would tell
# which network to trust with pictures from the wild, where no PSNR can be measured.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"training_seeds": [0], "snapshots": [], "num_patches": 12, "tsne_runs": 1, "num_ranked": 10, "restored": 4, "size": 12, "perplexity": 10}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
training_seeds = [0, 1, 2]  # of the three trainings; those that are shipped
num_patches = 100  # contents; each is shown clean, blurred and noisy
tsne_runs = 5  # random starts of t-SNE for what is judged, as in the paper
restored = 15  # contents whose PSNR is measured
size = 20  # side of a patch, LR pixels
perplexity = 30
recipes = [  # ranked in the second part
    *["srresnet-gr", "srresnet-wogr", "srresnet-noise", "srresnet-blur", "srresnet-blind"],
    *["srresnet-noise-wogr", "srresnet-guided", "srgan-gr", "srgan-wogr", "srcnn-3", "fsrcnn"],
    *[f"srcnn-{depth}-gr" for depth in (3, 5, 7, 9, 11, 13)],
]
snapshots = [1000]  # steps to rank as well
num_ranked = 30  # contents for the ranking, under four more degradations
train = False  # True trains all recipes here (hours) and leaves out the snapshots
device = "auto"

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | networks | RRDB trained on clean pictures, on degraded ones, on degraded ones with DDR guidance | SRResNet with GR, 32 channels, in the same three ways, three seeds each |
# | degraded training | cut off in the text at hand | blur 0–4 LR pixels and noise 0–25/255, each in every second picture |
# | guidance | deep representations of a trained SR network | channel statistics of the first ({doc}`blind_sr_guidance`) |
# | shown | clean, blur, noise; strengths not stated for this figure | clean, blur 4, noise 20/255 |
# | compared | CHI, mean of five t-SNE runs (A.6) | the same, behind the last block; PSNR-Y on blur and noise |
# | ranking of all networks | not claimed | every SR network of this chapter, under four degradations that **no** network was trained on |
#
# The four: anisotropic blur; JPEG; noise stronger than any in training; weak noise under JPEG. SRGA
# (`srlab.studies.ddr.generalization`) fits a generalized Gaussian to the 50 principal components of
# clean and of degraded patches and averages the Kullback–Leibler divergence over the four. There is
# no ladder over the training: of the degraded trainings only the end is shipped.
#
# In the ranking two traps are set up from the start. Networks **without** global residual have a
# CHI near zero whatever they can do ({doc}`global_residual`); a correlation over all networks mixes this
# difference of architecture with generalization. So a second correlation is over networks with GR
# alone. And snapshots of one recipe are its relatives: the bootstrap draws whole recipes.

# %% tags=["hide-input"]
from math import pi

import numpy as np
import pandas as pd

from srlab.data.datasets import degraded_patches, load_images
from srlab.degradations import Degradation
from srlab.devices import pick_device
from srlab.figures.dots import scatter_panels
from srlab.figures.embeddings import embedding_grid
from srlab.figures.pictures import sprite_sheet
from srlab.figures.tables import Matrix, matrix_grid
from srlab.images import image_to_array
from srlab.metrics import network_psnr
from srlab.representation.embedding import (
    embed,
    layer_components,
    separability,
)
from srlab.statistics import rank_correlation, rank_correlation_interval
from srlab.studies.ddr.generalization import srga
from srlab.studies.ddr.restarts import restarts, runs_index
from srlab.studies.networks import left_out, obtainable, obtainable_groups
from srlab.studies.study import Study, exceeds, mean_interval, outer
from srlab.training.recipes import seed_names

study = Study(
    "ddr/generalization_index",
    claim="The lower the CHI of degradations in deep features, the better a network copes with them",
    source="DDR, Sec. 5, Fig. 11",
    claims={
        "falls": "CHI of clean, blur and noise: trained with degradations, SRResNet lies below the same "
        "trained on clean pictures, in every seed",
        "guided": "with DDR guidance it lies lower still, in every seed",
        "quality": "PSNR on blur and noise goes the other way: trained with degradations it is higher "
        "than trained on clean pictures, in every seed",
        "guided_quality": "with DDR guidance it is higher still, in every seed",
    },
    controls={
        "all": "our own question: ρ of CHI and PSNR on unseen degradations, all networks: interval "
        "below 0",
        "residual": "the same over networks with GR: interval below 0",
        "srga": "ρ of SRGA and PSNR on unseen degradations, all networks: interval below 0",
    },
    says={
        "falls": "Sec. 5, Fig. 11 (from 322.16): “By introducing degraded data into training, the "
        "model gains better generalization and the CHI score is 14.04.”",
        "guided": "Sec. 5, Fig. 11: “With DDR guidance, the generalization ability is further "
        "enhanced. The CHI score decreases to 4.95.”",
        "quality": "Sec. 5: “RRDB (clean) is unable to deal with degraded data and obtains lower PSNR "
        "values on blur and noise inputs.”",
        "guided_quality": "Sec. 5: “The results are consistent with the results in the previous "
        "section”, the PSNR of Tab. 2",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)
study

# %% [markdown]
# ## Experiment: one architecture, three trainings

# %%
CLEAN, DEGRADED, GUIDED = TRAININGS = (
    "clean pictures",
    "degraded pictures",
    "degraded pictures, guided",
)
BASES = dict(zip(TRAININGS, ("srresnet-gr", "srresnet-blind", "srresnet-guided")))
pictures = load_images(image_set)
seen = [Degradation(), Degradation(blur_sigma=4), Degradation(noise_sigma=20 / 255)]
pairs = degraded_patches(pictures, seen, count=num_patches, size=size)
kinds, groups = pairs.degradation_labels, np.repeat(np.arange(num_patches), len(seen))
lr, hr = pairs.lr.to(study.device), pairs.hr[:restored].to(study.device)

wanted = {
    (seed, kind): seed_names(base, [seed])
    for seed in training_seeds
    for kind, base in BASES.items()
}
found, missing = obtainable_groups(wanted, train=train)
names_of = {place: name for place, [name] in found.items()}
if missing:
    print(left_out(missing))
seeds = [s for s in training_seeds if all((s, kind) in names_of for kind in TRAININGS)]

# %% [markdown]
# The index of each, from several t-SNE runs, and the PSNR of what it makes of blurred and noisy
# patches.

# %%
index, quality, first_runs = {}, {}, {}
for seed in seeds:
    for kind in TRAININGS:
        model = study.network(names_of[seed, kind])
        components = layer_components(model, lr, [model.taps[-1]])[model.taps[-1]]
        runs = restarts(components, tsne_runs, perplexity=perplexity)
        first_runs.setdefault(kind, runs[0])
        index[seed, kind] = runs_index(runs, kinds, groups)
        psnr = network_psnr(model, lr[: restored * len(seen)], hr, border=4).numpy()
        quality[seed, kind] = psnr.reshape(restored, len(seen))[:, 1:].mean(axis=1)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE of the features behind the last block after three trainings (first seed, first run). Colour: degradation; symbol: picture. Point at a dot to see its patch. Above each panel CHI and the mean PSNR-Y on blurred and noisy patches. By the claim, clouds dissolve from left to right while PSNR rises.", "name": "fig-generalization-trainings"}}
sprites = sprite_sheet(np.stack([image_to_array(patch) for patch in pairs.lr]))
shown = {("", kind): first_runs[kind] for kind in TRAININGS}
notes = {
    ("", kind): f"CHI {index[seeds[0], kind].mean:.1f}, {quality[seeds[0], kind].mean():.2f} dB"
    for kind in TRAININGS
}
contents = pairs.content_labels
embedding_grid(shown, classes=kinds, contents=contents, sprites=sprites, notes=notes)

# %% [markdown]
# ## Our own question: does it rank all networks?
#
# Now every network of the chapter, and degradations that none of them was trained on.

# %%
unseen = [
    Degradation(blur_sigma=3, blur_sigma_y=0.8, blur_angle=pi / 4),
    Degradation(jpeg_quality=30),
    Degradation(noise_sigma=35 / 255),
    Degradation(noise_sigma=10 / 255, jpeg_quality=50),
]
pairs = degraded_patches(pictures, [Degradation(), *unseen], count=num_ranked, size=size)
kinds, lr, hr = pairs.degradation_labels, pairs.lr.to(study.device), pairs.hr.to(study.device)
clean, versions = kinds == kinds[0], 1 + len(unseen)

wanted = list(recipes)  # the first seed of each
if not train:
    wanted += [f"{recipe}@{step}" for recipe in recipes for step in snapshots]
names = obtainable(wanted, train=train)

# %%
CHI, LINEAR, SRGA = MEASURES = ["CHI, t-SNE", "CHI, 50 PCA dimensions", "SRGA"]
found = []
for name in names:
    model = study.network(name)
    components = layer_components(model, lr, [model.taps[-1]])[model.taps[-1]]
    others = [components[kinds == str(degradation)] for degradation in unseen]
    psnr = network_psnr(model, lr[: restored * versions], hr[:restored], border=4).numpy()
    measures = {
        CHI: separability(embed(components, perplexity=perplexity), kinds).index,
        LINEAR: separability(components, kinds).index,
        SRGA: np.mean([srga(components[clean], other) for other in others]),
        "clean": psnr[::versions].mean(),
        "unseen": np.delete(psnr, np.s_[::versions]).mean(),
        "residual": any(getattr(part, "global_residual", False) for part in model.modules()),
        "recipe": name.split("@")[0],
        "early": "@" in name,
    }
    found.append(measures)
table = pd.DataFrame(found, index=names)  # a row for each network
with_gr = table[table.residual]
SUBSETS = {
    "all networks": table,
    "with GR": with_gr,
    "with GR, fully trained": with_gr[~with_gr.early],
}

# %% [markdown]
# ## All networks in one plane
#
# Each dot is a network. Did the index rank them, the dots would fall from the upper left to the lower
# right.

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "Quality on unseen degradations against three indices, one dot a network; point at it to see its name. Colour and symbol: recipe, its early snapshots apart. To the left features separate less, or differ less; further up pictures are better. Look first at the networks without global residual, at the far left of the first panel, then at the rest.", "name": "fig-generalization-scatter"}}
family = table.recipe + np.where(table.early, ", early", "")
families = dict(iter(table.groupby(family, sort=False)))
scatter_panels(
    {
        measure: {f: (own[measure], own.unseen) for f, own in families.items()}
        for measure in MEASURES
    },
    names={f: own.index for f, own in families.items()},
    y_title="PSNR-Y on unseen degradations, dB",
    log_x=MEASURES,
)

# %% [markdown]
# ## How well does it rank?
#
# Spearman's ρ of index and PSNR: −1 is a perfect index, 0 a useless one, 1 one to be read the other
# way round. Beside it the ρ of index and *loss*: how much PSNR falls from clean to unseen inputs.
# There a perfect index has 1.

# %%
QUALITY, LOSS = OUTCOMES = ["PSNR on unseen", "loss against clean"]
rho = {
    (outcome, subset, measure): rank_correlation(own[measure], values)
    for subset, own in SUBSETS.items()
    for outcome, values in zip(OUTCOMES, (own.unseen, own.clean - own.unseen))
    for measure in MEASURES
}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Rank correlations of each index with quality on unseen degradations (above: below zero if the index holds) and with the loss against clean inputs (below: above zero if it holds). Look how the sign for CHI depends on which networks are compared.", "name": "fig-generalization-rho"}}
grids = {
    (outcome, ""): Matrix(
        np.array([[rho[outcome, subset, measure] for measure in MEASURES] for subset in SUBSETS]),
        list(SUBSETS),
        ["CHI, t-SNE", "CHI, PCA", "SRGA"],
    )
    for outcome in OUTCOMES
}
matrix_grid(grids, colour_title="Spearman's ρ")

# %% [markdown]
# ## Verdict
#
# Of the three trainings: bootstrap over contents, in every seed. Of the ranking: 2 000 bootstrap draws
# of whole recipes.


# %%
def lower(one, other):
    """Whether the CHI of one training lies below that of another."""
    return exceeds(outer(index[s, other].over(index[s, one])[1:] for s in seeds), 1)


def better(one, other):
    """Interval of how much better it restores, dB."""
    return outer(mean_interval(quality[s, one] - quality[s, other]) for s in seeds)


RANKED = {
    "all_chi": ("all networks", CHI),
    "gr_chi": ("with GR", CHI),
    "all_srga": ("all networks", SRGA),
    "all_pca": ("all networks", LINEAR),
    "gr_pca": ("with GR", LINEAR),
    "gr_srga": ("with GR", SRGA),
}
interval = {
    key: rank_correlation_interval(*(SUBSETS[subset][of] for of in (measure, "unseen", "recipe")))
    for key, (subset, measure) in RANKED.items()
}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: the outer ends of the seeds' 95 % bootstrap intervals over contents; of ρ, over whole recipes.", "name": "fig-generalization-verdict"}}
PAPER = dict(zip(TRAININGS, ("322.16", "14.04", "4.95")))
SHORT = dict(zip(TRAININGS, ("clean", "degraded", "guided")))
for kind, short in SHORT.items():
    own = [index[s, kind] for s in seeds]
    values, spread = [one.mean for one in own], outer(one.interval for one in own)
    words = {"paper": PAPER[kind], "glue": f"gen_{short}"}
    study.measure(f"CHI, trained on {kind}", values, interval=spread, **words)
for kind, short in SHORT.items():
    values = [quality[s, kind].mean() for s in seeds]
    study.measure(
        f"PSNR on blur and noise, trained on {kind}, dB", values, glue=f"gen_psnr_{short}"
    )
gains = {
    "degraded training": better(DEGRADED, CLEAN),
    "guidance": better(GUIDED, DEGRADED),
}
for title, (one, other) in zip(gains, ((DEGRADED, CLEAN), (GUIDED, DEGRADED))):
    values = [(quality[s, one] - quality[s, other]).mean() for s in seeds]
    study.measure(f"PSNR gained by {title}, dB", values, interval=gains[title], paper="above 0")
for key, (subset, measure) in RANKED.items():
    name, value = f"ρ of {measure} and unseen PSNR, {subset}", rho[QUALITY, subset, measure]
    study.measure(name, value, interval=interval[key], glue=f"gen_{key}")
    low, high = interval[key]
    study.glue(**{f"gen_{key}_low": low, f"gen_{key}_high": high})

without = table[~table.residual]
study.glue(gen_networks=len(table), gen_recipes=table.recipe.nunique(), gen_without=len(without))
study.glue(gen_without_chi=without[CHI].max(), gen_seeds=len(seeds))
study.glue(gen_without_low=without.unseen.min(), gen_without_high=without.unseen.max())
EXAMPLES = {
    "most": with_gr[CHI].idxmax(),
    "least": with_gr[CHI].idxmin(),
    "best": table.unseen.idxmax(),
}
for key, name in EXAMPLES.items():
    chi, psnr = table[CHI][name], table.unseen[name]
    study.glue(**{f"gen_{key}": name, f"gen_{key}_chi": chi, f"gen_{key}_psnr": psnr})
study.verdict(
    falls=lower(DEGRADED, CLEAN),
    guided=lower(GUIDED, DEGRADED),
    quality=exceeds(gains["degraded training"]),
    guided_quality=exceeds(gains["guidance"]),
    all=interval["all_chi"][1] < 0,
    residual=interval["gr_chi"][1] < 0,
    srga=interval["all_srga"][1] < 0,
    notes={"networks": len(table)},
)

# %% [markdown]
# ## What we have seen
#
# - One architecture, {glue:text}`gen_seeds` seeds: CHI is {glue:text}`gen_clean:.1f` after training on
#   clean pictures, {glue:text}`gen_degraded:.1f` after training with degradations and
#   {glue:text}`gen_guided:.1f` with guidance (the paper's RRDB: 322.16, 14.04, 4.95); the PSNR on blurred
#   and noisy patches {glue:text}`gen_psnr_clean:.2f`, {glue:text}`gen_psnr_degraded:.2f` and
#   {glue:text}`gen_psnr_guided:.2f` dB. Where CHI does not fall although PSNR rises, the residual is a
#   reason: to remove a degradation, a network with GR has to know it behind its last block
#   ({doc}`training_degradations`).
# - All kinds of networks: {glue:text}`gen_networks` of {glue:text}`gen_recipes` recipes. CHI and PSNR on
#   unseen degradations have a ρ of {glue:text}`gen_all_chi:.2f` ({glue:text}`gen_all_chi_low:.2f` to
#   {glue:text}`gen_all_chi_high:.2f`); over those with global residual {glue:text}`gen_gr_chi:.2f`
#   ({glue:text}`gen_gr_chi_low:.2f` to {glue:text}`gen_gr_chi_high:.2f`). On 50 principal components it
#   is {glue:text}`gen_all_pca:.2f` and {glue:text}`gen_gr_pca:.2f`. An index for which lower is better
#   needs −1. The paper does not claim this.
# - Architecture alone can win the lowest CHI: the {glue:text}`gen_without` networks without global
#   residual all stay below {glue:text}`gen_without_chi:.3f`, with anything from
#   {glue:text}`gen_without_low:.2f` to {glue:text}`gen_without_high:.2f` dB on unseen inputs.
# - Among those with GR, {glue:text}`gen_most` has the highest CHI ({glue:text}`gen_most_chi:.1f`) at
#   {glue:text}`gen_most_psnr:.2f` dB, and {glue:text}`gen_least` the lowest
#   ({glue:text}`gen_least_chi:.1f`) at {glue:text}`gen_least_psnr:.2f` dB. The best of all is
#   {glue:text}`gen_best` with {glue:text}`gen_best_psnr:.2f` dB.
# - SRGA, on the same features, has a ρ of {glue:text}`gen_all_srga:.2f`
#   ({glue:text}`gen_all_srga_low:.2f` to {glue:text}`gen_all_srga_high:.2f`) over all networks and
#   {glue:text}`gen_gr_srga:.2f` with GR. It asks whether the *spread* of features stays the same, not
#   whether clouds can be told apart.
#
# ## Try it yourself
#
# - Replace `unseen` by what some networks were trained on (`Degradation(noise_sigma=20 / 255)`): the
#   best network changes. Does any index notice?
# - Rank within one recipe: `recipes = ["srresnet-gr"]` with `snapshots = [250, 500, 1000, 2500, 4000]`
#   has too few recipes for an interval, but the dots show it: does CHI rise while PSNR on unseen
#   inputs rises or falls?
# - Add your own checkpoint to `srlab/checkpoints/weights` and its name to `recipes`.
