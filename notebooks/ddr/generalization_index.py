# %% [markdown]
# (finding-generalization-index)=
# # Does low separability of degradations mean good generalization?
#
# *10 minutes. You learn what an index of generalization would be good for, and two traps in ranking
# networks by one. Builds on {doc}`training_degradations` and {doc}`blind_sr_guidance`.*
#
# ## The claim
#
# A network that treats every input alike needs no separate clusters. So the paper proposes the
# {term}`Caliński–Harabasz index` (CHI) of degradations as an **index of generalization**: the lower, the
# better a network copes with them. Its RRDBNet has 322.16 after training on clean pictures, 14.04 on
# degraded ones, and 4.95 with guidance by deep degradation representations (DDR) as well
# ({cite:t}`liu2021discovering`, Sec. 5, Fig. 11).
#
# Why it matters: such an index needs no ground truth. It would tell which network to trust with real
# photographs, where PSNR cannot be measured.

# %% tags=["parameters", "hide-cell"] quick={"training_seeds": [0], "snapshots": [], "num_patches": 9, "tsne_runs": 1, "num_ranked": 6, "restored": 3, "size": 12, "perplexity": 10}
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

# %% tags=["hide-cell"]
from math import pi

import numpy as np
import pandas as pd

from srlab.data.datasets import degraded_patches, load_images
from srlab.degradations import Degradation
from srlab.devices import pick_device
from srlab.figures.dots import scatter_panels
from srlab.figures.tables import Matrix, matrix_grid
from srlab.metrics import network_psnr
from srlab.representation.embedding import (
    embed,
    layer_components,
    separability,
)
from srlab.statistics import rank_correlation, rank_correlation_interval
from srlab.studies.ddr.clouds import degradation_clouds
from srlab.studies.ddr.generalization import srga
from srlab.studies.ddr.restarts import over_seeds, restarts, runs_index
from srlab.studies.networks import left_out, obtainable, obtainable_places
from srlab.studies.study import Study, exceeds, mean_interval, outer
from srlab.training.recipes import seed_name

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

# %% tags=["hide-cell"]
CLEAN, DEGRADED = "clean pictures", "degraded pictures"
GUIDED = "degraded pictures, guided"
TRAININGS = (CLEAN, DEGRADED, GUIDED)
BASES = dict(zip(TRAININGS, ("srresnet-gr", "srresnet-blind", "srresnet-guided")))
pictures = load_images(image_set)
seen = [Degradation(), Degradation(blur_sigma=4), Degradation(noise_sigma=20 / 255)]
pairs = degraded_patches(pictures, seen, count=num_patches, size=size)
kinds, groups = pairs.degradation_labels, np.repeat(np.arange(num_patches), len(seen))
lr, hr = pairs.lr.to(study.device), pairs.hr[:restored].to(study.device)

wanted = {(s, kind): seed_name(base, s) for s in training_seeds for kind, base in BASES.items()}
names_of, missing = obtainable_places(wanted, train=train)
if missing:
    print(left_out(missing))
seeds = [s for s in training_seeds if all((s, kind) in names_of for kind in TRAININGS)]

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

# %% tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE of the features after the last block, for one architecture after three trainings (first seed, first run). Colour: degradation; symbol: picture. Above each panel CHI and the mean PSNR-Y on blurred and noisy patches. By the claim, clouds dissolve from left to right while PSNR rises. Do they? Point at a dot to see its patch.", "name": "fig-generalization-trainings"}}
shown = {("", kind.replace(", ", ",<br>")): first_runs[kind] for kind in TRAININGS}
notes = {
    (
        "",
        kind.replace(", ", ",<br>"),
    ): f"CHI {index[seeds[0], kind].mean:.1f}, {quality[seeds[0], kind].mean():.1f} dB"
    for kind in TRAININGS
}
degradation_clouds(shown, pairs, notes=notes)

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | networks | RRDB trained on clean pictures, on degraded ones, on degraded ones with DDR guidance | SRResNet with {term}`global residual` (GR), 32 channels, in the same three ways, three seeds each |
# | degraded training | missing in our copy of the paper | blur 0–4 LR pixels and noise 0–25/255, each in every second picture |
# | guidance | deep representations of a trained SR network | channel statistics of the first ({doc}`blind_sr_guidance`) |
# | patches | 32×32 LR pixels | 20×20 |
# | shown | clean, blur, noise; strengths not stated for this figure | clean, blur 4, noise 20/255 |
# | compared | CHI, mean of five t-SNE runs (A.6) | the same, after the last block; PSNR-Y on blur and noise |
# | ranking of all networks | not claimed | networks of this chapter of {glue:text}`gen_recipes` recipes, under four degradations that **no** network was trained on |
# | with more training | – | not shown: snapshots of the two blind networks do not ship. In the ranking two networks after 1 000 steps stand beside their ends |
#
# The paper calls its CHI a *rough* index (Sec. 5), to be used "under constrained conditions" (Sec. A.2), and
# shows it for networks of one architecture: that is judged. Whether it ranks networks of all
# kinds is our own question. Beside it stands {term}`SRGA` {cite:p}`liu2022evaluating`, a later index by the same group: it fits a generalized Gaussian
# to the principal components of clean and of degraded patches and takes their Kullback–Leibler divergence
# (smaller is better), here averaged over the four.
#
# Two traps of such a ranking: networks **without** GR have a CHI near zero whatever they can do
# ({doc}`global_residual`), so a second correlation is over networks with GR alone; and snapshots of one
# recipe are related, so the bootstrap draws whole recipes.

# %% tags=["remove-input"]
study

# %% [markdown]
# ## Our own question: does the index rank all networks?
#
# The chapter's networks of most recipes, and degradations that none was trained on: anisotropic blur; JPEG; noise
# stronger than any in training; weak noise under JPEG. If the index ranked the networks, the dots would
# fall from the upper left to the lower right.

# %% tags=["hide-cell"]
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

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "Quality on unseen degradations against three indices, one dot per network; point at it for its name. To the left features separate less, or differ less; further up pictures are better. Look first at the networks without global residual, at the far left of the first panel, then at the others by themselves.", "name": "fig-generalization-scatter"}}
family = np.where(table.residual, "with GR", "without GR") + np.where(table.early, ", early", "")
families = dict(iter(table.groupby(family, sort=False)))
axes = dict(zip(MEASURES, ("CHI, t-SNE", "CHI, 50 PCA", "SRGA")))
scatter_panels(
    {x: {f: (own[m], own.unseen) for f, own in families.items()} for m, x in axes.items()},
    names={f: own.index for f, own in families.items()},
    y_title="PSNR-Y on unseen degradations, dB",
    log_x=[*axes.values()],
)

# %% tags=["hide-cell"]
QUALITY, LOSS = OUTCOMES = ["PSNR on unseen", "loss against clean"]
rho = {
    (outcome, subset, measure): rank_correlation(own[measure], values)
    for subset, own in SUBSETS.items()
    for outcome, values in zip(OUTCOMES, (own.unseen, own.clean - own.unseen))
    for measure in MEASURES
}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Spearman's ρ of each index with PSNR on unseen degradations (above: −1 is a perfect index, 0 a useless one) and with the loss of PSNR against clean inputs (below: there a perfect index has 1). How does the sign of CHI depend on which networks are compared?", "name": "fig-generalization-rho"}}
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
# Of the three trainings: bootstrap over contents, in every seed. Of the ranking: 2 000 bootstrap draws of
# whole recipes.


# %% tags=["hide-cell"]
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
    own = over_seeds(index[s, kind] for s in seeds)
    study.measure(
        f"CHI, trained on {kind}",
        **own,
        paper=PAPER[kind],
        glue=f"gen_{short}",
        headline=kind == DEGRADED,
    )
for kind, short in SHORT.items():
    values, name = [quality[s, kind].mean() for s in seeds], f"trained on {kind}, dB"
    study.measure(f"PSNR on blur and noise, {name}", values, glue=f"gen_psnr_{short}")
gains = {}
for title, pair in {"degraded training": (DEGRADED, CLEAN), "guidance": (GUIDED, DEGRADED)}.items():
    gains[title] = better(*pair)
    values = [(quality[s, pair[0]] - quality[s, pair[1]]).mean() for s in seeds]
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
most, least, best = with_gr[CHI].idxmax(), with_gr[CHI].idxmin(), table.unseen.idxmax()
for key, name in {"most": most, "least": least, "best": best}.items():
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
#   clean pictures, {glue:text}`gen_degraded:.1f` on degraded ones and {glue:text}`gen_guided:.1f` with
#   guidance; the PSNR on blurred and noisy patches {glue:text}`gen_psnr_clean:.2f`,
#   {glue:text}`gen_psnr_degraded:.2f` and {glue:text}`gen_psnr_guided:.2f` dB. Where CHI does not fall
#   although PSNR rises, the residual is a likely reason: to remove a degradation, a network with GR has to
#   know it after its last block ({doc}`training_degradations`).
# - All {glue:text}`gen_networks` networks of {glue:text}`gen_recipes` recipes: CHI and PSNR on unseen
#   degradations have a ρ of {glue:text}`gen_all_chi:.2f` (95 %: {glue:text}`gen_all_chi_low:.2f` to
#   {glue:text}`gen_all_chi_high:.2f`); with GR alone {glue:text}`gen_gr_chi:.2f`
#   ({glue:text}`gen_gr_chi_low:.2f` to {glue:text}`gen_gr_chi_high:.2f`). On 50 principal components it is
#   {glue:text}`gen_all_pca:.2f` and {glue:text}`gen_gr_pca:.2f`. An index for which lower is better needs
#   −1; the paper does not claim this.
# - SRGA, on the same features, has {glue:text}`gen_all_srga:.2f` ({glue:text}`gen_all_srga_low:.2f` to
#   {glue:text}`gen_all_srga_high:.2f`) over all and {glue:text}`gen_gr_srga:.2f` with GR. It asks whether
#   the *spread* of features stays the same, not whether clouds can be told apart.
# - The {glue:text}`gen_without` networks without GR have a CHI of {glue:text}`gen_without_chi:.3f` at
#   most, with {glue:text}`gen_without_low:.2f` to {glue:text}`gen_without_high:.2f` dB on unseen inputs.
#   Among those with GR, {glue:text}`gen_most` (names as in `srlab list`; `@1000`: after 1 000 steps) has
#   the highest CHI ({glue:text}`gen_most_chi:.1f`) at {glue:text}`gen_most_psnr:.2f` dB and
#   {glue:text}`gen_least` the lowest ({glue:text}`gen_least_chi:.1f`) at {glue:text}`gen_least_psnr:.2f`
#   dB; the best of all is {glue:text}`gen_best` with {glue:text}`gen_best_psnr:.2f` dB.
#
# ## Exercises
#
# 1. Why can a correlation over all networks be misleading when some have a global residual and some do not?
# 2. Why does the bootstrap draw recipes, and not single networks?
# 3. Could a network have a CHI of zero and restore nothing?
#
# ```{dropdown} Answers
# 1. It mixes a difference of architecture with one of generalization: the residual alone moves CHI by
#    orders of magnitude, whatever the quality.
# 2. Snapshots of one recipe share their weights and their luck. Drawn one by one they would count as
#    independent evidence and make the interval too narrow.
# 3. Yes. Features that do not depend on the input at all separate nothing; so a low CHI cannot be
#    sufficient.
# ```
#
# To go on: replace `unseen` by what some networks were trained on (`Degradation(noise_sigma=20 / 255)`); or
# rank within one recipe, `recipes = ["srresnet-gr"]` with `snapshots = [250, 500, 1000, 2500, 4000]`.
