# %% [markdown]
# (finding-global-residual)=
# # Does a global residual make deep features separate degradations?
#
# *8 minutes. You learn how features become a cloud of dots, how its separation is measured, and how to
# check that a projection did not invent it.*
#
# ## The claim
#
# Show a super-resolution network the same hundred patches clean, blurred and noisy, and look at its deep
# features. In an SRResNet **with a global residual** (GR: the enlarged input is added to the output) the
# three versions form three clouds, whatever the patches show. In the same network **without** it they stay
# mixed at every depth ({cite:t}`liu2021discovering`, Sec. 4.3, Fig. 6).
#
# Why it matters: both networks were trained on clean pictures only. If one added line of code decides
# whether features separate degradations, architecture decides what there is to interpret.

# %% tags=["parameters", "hide-cell"] quick={"num_patches": 12, "training_seeds": [0], "blocks": [1, 16], "sizes": [16], "tsne_runs": 1, "umap": false}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_patches = 100  # contents; each is shown under all three degradations
training_seeds = [0, 1, 2]  # networks trained from different initializations and data orders
num_seeds = None  # or only how many of them, from 0 on: easier to say on a command line
blocks = [1, 4, 8, 12, 16]  # residual blocks whose output is taken; the last one is judged
sizes = [16, 40]  # further sides of a patch, LR pixels (first seed); a patch has 32 otherwise
tsne_runs = 5  # random starts of t-SNE, as in the paper; their mean is judged
projection = "tsne"  # on which the clouds are judged: "tsne" as in the paper, "pca" or "umap"
perplexity = 30
umap = False  # True also projects with UMAP (compiles for some seconds)
train = False  # True trains all networks here (7 minutes each on one core) instead of loading them
device = "auto"

# %% tags=["hide-cell"]
import numpy as np
import pandas as pd

from srlab.data.datasets import degraded_patches, load_images
from srlab.degradations import Degradation
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.pictures import picture_row
from srlab.metrics import network_psnr
from srlab.representation.embedding import (
    METHODS,
    embed,
    layer_components,
    layer_points,
    principal_components,
    separability,
)
from srlab.studies.ddr.clouds import degradation_clouds
from srlab.studies.ddr.labellings import sample_row
from srlab.studies.ddr.restarts import dispersion_table, restarts, runs_index
from srlab.studies.frames import curves
from srlab.studies.networks import obtainable_places
from srlab.studies.study import Study, exceeds, reaches, span, stays_below, together
from srlab.training.recipes import seed_name

study = Study(
    "ddr/global_residual",
    claim="With a global residual, deep features of SRResNet separate degradations; without, not",
    source="DDR, Sec. 4.3, A.5, Fig. 6",
    claims={
        "gr": "with GR, clean, blurred and noisy patches separate behind the last block: CHI, mean of five t-SNE runs, reaches level + (20), in every seed",
        "wogr": "without GR they do not: it stays below 20, in every seed",
        "size": "patches of 16 and of 40 LR pixels give both answers too (first seed)",
    },
    says={
        "gr": "Sec. 4.3: “the clean, blur, and noise data are clustered separately”",
        "wogr": "Sec. 4.3: “SRResNet-woGR shows no discriminability even in deep layers”",
        "size": "Sec. A.5: “the patch size has little effect on revealing the deep degradation representations”",
    },
    controls={
        "ratio": "CHI with GR is at least 50 times that without, in every seed",
        "depth": "with GR, CHI grows from the first over the middle to the last block, in every seed",
        "linear": "on 50 principal components CHI is greater with GR than without, in every seed",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

# %% tags=["hide-cell"]
degradations = [Degradation(), Degradation(blur_sigma=4), Degradation(noise_sigma=20 / 255)]
pairs = degraded_patches(load_images(image_set), degradations, count=num_patches)
kinds, lr = pairs.degradation_labels, pairs.lr.to(study.device)

NAMES = {"with GR": "srresnet-gr", "without GR": "srresnet-wogr"}
if num_seeds is not None:
    training_seeds = range(num_seeds)
wanted = {(kind, s): seed_name(base, s) for s in training_seeds for kind, base in NAMES.items()}
names, missing = obtainable_places(wanted, train=train)
training_seeds = [s for s in training_seeds if all((kind, s) in names for kind in NAMES)]
if missing:
    print(f"Left out, for they are not shipped: {', '.join(missing)}; train = True trains them.")
layers = [f"body.{block - 1}" for block in blocks]

components, embeddings = {}, {}
for seed in training_seeds:
    for kind in NAMES:
        features = layer_points(study.network(names[kind, seed]), lr, layers)
        for block, layer in zip(blocks, layers, strict=True):
            components[kind, seed, block] = principal_components(features[layer])

first, controls = training_seeds[0], (blocks[0], blocks[len(blocks) // 2], blocks[-1])
for (kind, seed, block), points in components.items():
    if seed == first or (kind == "with GR" and block in controls):  # what a figure or control shows
        one = embed(points, method=projection, perplexity=perplexity)
        embeddings[kind, seed, block] = one
TITLES = {f"CHI, {METHODS[projection]}": embeddings, "CHI, 50 PCA dimensions": components}
chi = pd.DataFrame(
    {"measure": title, "network": kind, "seed": seed, "block": block}
    | {"value": separability(found, kinds).index}
    for title, points in TITLES.items()
    for (kind, seed, block), found in points.items()
)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Features after several residual blocks, from left to right deeper (t-SNE by default; training seed 0). Colour: degradation; symbol: the picture a patch was cut from. Above each panel: the Caliński–Harabasz index (CHI) and the paper's level of it. In which panels do the colours separate, and do the symbols ever? Point at a dot to see its patch; click a class in the legend to hide it.", "name": "fig-gr-tsne"}}
panels = {(kind, f"ResBlock {b}"): embeddings[kind, first, b] for kind in NAMES for b in blocks}
degradation_clouds(panels, pairs)

# %% [markdown]
# Colours that lie apart mean that the layer represents the three degradations differently. Symbols that
# lie apart would mean that it sorts by picture.

# %% name="hero" tags=["remove-cell"] caption="The same patches after the last block of two networks that differ in one line of code, the global residual (GR; t-SNE, training seed 0). Colour: degradation. In which network do the three colours lie apart?"
last = blocks[-1]
hero = {("", f"ResBlock {last}, {kind}"): embeddings[kind, first, last] for kind in NAMES}
degradation_clouds(hero, pairs, notes={})

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | network | SRResNet, 16 blocks, 64 channels in its own paper, no BN, bilinear GR | the same with 32 channels |
# | training | 600 000 steps on DIV2K, LR patches of 128×128 as printed, L1, Adam | 6 000 steps on 577 training pictures, LR patches of 16×16, L1, Adam |
# | test patches | 100 contents, 32×32 LR pixels | 100 from six embedded photographs, which overlap in part; with `b100` from a hundred pictures |
# | degradations of the LR image | clean, blur of width 4, noise of σ 20/255 | the same |
# | projection | PCA to 50, t-SNE to 2, five runs; settings not stated | the same; perplexity 30; figures show one run, started from the components |
#
# Patches are cut after the whole picture was degraded, so that no patch shows its degradation at its
# borders. The {term}`Caliński–Harabasz index` (CHI) is the dispersion between the degradations over that
# within them; the paper calls 20 and more separated. It is taken in the embedding, as in the paper, and on
# the 50 principal components too, because t-SNE distorts distances.

# %% tags=["remove-input"]
study

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Four contents (of 100) under the three degradations. Blur and noise act on the LR image. How much of the subject can you tell from 32×32 pixels?", "name": "fig-gr-patches"}}
picture_row(sample_row(pairs), height=200)

# %% [markdown]
# ## Where along the depth, and is it the projection?

# %% tags=["hide-input"] mystnb={"figure": {"caption": "CHI along depth: mean over the training seeds, bands from the lowest to the highest. Above in the embedding (without GR: first seed), below on the 50 principal components, where t-SNE plays no part. Read the gap between the lines at the last block, and compare it with the level of 20.", "name": "fig-gr-depth"}}
lines, bands = curves(chi, panel="measure", line="network", x="block")
stacked_curves(blocks, lines, bands=bands, x_title="residual block", log_y=list(lines))

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The last block under several projections (training seed 0). PCA is linear and cannot invent clusters: which clouds are left in its column?", "name": "fig-gr-projections"}}
methods = [method for method in METHODS if umap or method != "umap"]
projected = {
    (kind, METHODS[method]): embeddings[kind, first, last]
    if method == projection
    else embed(components[kind, first, last], method=method, perplexity=perplexity)
    for kind in NAMES
    for method in methods
}
degradation_clouds(projected, pairs)

# %% [markdown]
# ## Verdict
#
# The last block is judged, over runs of t-SNE from random starts; patches of other sizes and the PSNR of
# both networks are measured as well.


# %% tags=["hide-cell"]
def judged(points):
    """The index of one network's points over the runs of t-SNE."""
    if projection == "tsne":
        runs = restarts(points, tsne_runs, perplexity=perplexity)
    else:
        runs = [embed(points, method=projection, perplexity=perplexity)]
    return runs_index(runs, kinds, np.arange(len(points)) // len(degradations))


drawn, linear = (chi[chi.measure == title] for title in TITLES)
at_end = {key[:2]: judged(points) for key, points in components.items() if key[2] == last}
deep = pd.Series({key: found.mean for key, found in at_end.items()}).unstack(0)
deep_pca = linear[linear.block == last].pivot(index="seed", columns="network", values="value")
ratio, ratio_pca = (own["with GR"] / own["without GR"] for own in (deep, deep_pca))
depth = drawn[drawn.network == "with GR"].pivot(index="block", columns="seed", values="value")
grows = depth.loc[[*controls]].diff().iloc[1:] > 0

by_size, images = {}, load_images(image_set)
for side in sizes:
    own = degraded_patches(images, degradations, count=num_patches, size=side)
    for kind in NAMES:
        model = study.network(names[kind, first])
        found = layer_components(model, own.lr.to(study.device), layers[-1:])
        by_size[kind, side] = judged(found[layers[-1]])

hr, clean = pairs.hr.to(study.device), lr[:: len(degradations)]
psnr_of = {
    kind: network_psnr(study.network(names[kind, first]), clean, hr, border=4).mean().item()
    for kind in NAMES
}

# %% [markdown]
# Behind each index stand two dispersions: within the classes (WD) and between them (BD), both in squared
# units of the embedding; CHI is BD/WD times (N − K)/(K − 1). The paper prints all three and calls a larger
# BD "stronger discriminability between different feature clusters" (Sec. A.6). Below: mean ± standard
# deviation over the runs of t-SNE, by training seed and by patch size.

# %% tags=["hide-input"]
rows = {f"{kind}, 32×32, seed {seed}": found for (kind, seed), found in at_end.items()}
rows |= {f"{kind}, {side}×{side}, seed {first}": found for (kind, side), found in by_size.items()}
dispersion_table(rows)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: lowest to highest over training seeds, or over restarts of t-SNE where it says so.", "name": "fig-gr-verdict"}}
WORDS = {"with GR": ("gr", "separates"), "without GR": ("wogr", "does not, at any depth")}
for kind, (short, paper) in WORDS.items():
    study.measure(f"CHI at RB16, {kind}", deep[kind], paper=paper, glue=f"{short}_chi")
study.measure("smallest ratio over seeds", ratio.min(), interval=span(ratio))
for (kind, side), found in by_size.items():
    name = f"CHI at RB16, {kind}, patches of {side}×{side}"
    study.measure(name, found.mean, interval=found.interval, paper="patch size matters little")
for kind, (short, _) in WORDS.items():
    study.measure(f"CHI on 50 PCA dimensions, {kind}", deep_pca[kind], glue=f"{short}_chi_pca")
for kind in WORDS:
    study.measure(f"CHI over t-SNE runs, {kind}, first seed", at_end[kind, first].values)
for kind, (short, _) in WORDS.items():
    study.measure(f"PSNR-Y of clean patches, {kind}", psnr_of[kind], glue=f"{short}_psnr")
low, high = at_end["with GR", first].interval
told = separability(projected["with GR", "PCA"], kinds).index
study.glue(gr_low=low, gr_high=high, gr_seeds=len(training_seeds), gr_linear=told)
for kind, (short, _) in WORDS.items():
    values = [found.mean for (own, _), found in by_size.items() if own == kind]
    study.glue(**{f"{short}_size_low": min(values), f"{short}_size_high": max(values)})
study.glue(gr_sizes=" and ".join(map(str, sizes)))
study.verdict(
    gr=reaches(span(deep["with GR"]), 20),
    wogr=stays_below(span(deep["without GR"]), 20),
    size=together(
        *(reaches(by_size["with GR", side].interval, 20) for side in sizes),
        *(stays_below(by_size["without GR", side].interval, 20) for side in sizes),
    ),
    ratio=reaches(span(ratio), 50),
    depth=grows.all(axis=None),
    linear=exceeds(span(ratio_pca), than=1),
)

# %% [markdown]
# ## What we have seen
#
# - Over {glue:text}`gr_seeds` training seeds the last block's features have a CHI of
#   {glue:text}`gr_chi:.0f` with the global residual and {glue:text}`wogr_chi:.2f` without (95 % bootstrap
#   over contents, first seed with GR: {glue:text}`gr_low:.0f` to {glue:text}`gr_high:.0f`).
# - Patches with sides of {glue:text}`gr_sizes` LR pixels: {glue:text}`gr_size_low:.0f` to
#   {glue:text}`gr_size_high:.0f` with GR, {glue:text}`wogr_size_low:.2f` to
#   {glue:text}`wogr_size_high:.2f` without.
# - On the 50 principal components CHI is {glue:text}`gr_chi_pca:.0f` with GR against
#   {glue:text}`wogr_chi_pca:.1f` without; the plane of the first two components, with GR, has
#   {glue:text}`gr_linear:.0f`.
# - The PSNR is {glue:text}`gr_psnr:.1f` dB with GR and {glue:text}`wogr_psnr:.1f` dB without: compare them
#   before you explain the clouds by quality.
# - A likely reason: with GR a network only has to paint what is *missing* from its input, and that depends
#   on the degradation; without GR it must repaint the whole content.
#
# ## Exercises
#
# 1. Why does a cloud in the linear PCA panel count for more than one in the t-SNE panel?
# 2. Each content appears under all three degradations. What could one object if each degradation had
#    contents of its own?
# 3. Replace `blur_sigma=4` by `1`, or 20/255 by 5/255. What do you expect of the clouds?
#
# ```{dropdown} Answers
# 1. A linear projection never enlarges distances, so what lies apart in it lies apart in the features.
#    t-SNE keeps neighbours, not distances, and can tear one cloud into several.
# 2. The clouds could then come from what the patches show: one degradation might have got all the skies.
# 3. The weaker a degradation, the smaller the difference between a patch and its degraded version, so the
#    clouds should approach each other ({doc}`degradation_degrees` measures it).
# ```
#
# To go on: `image_set = "b100"` takes the literature's pictures, `train = True` trains all networks here,
# and {doc}`/book/findings/your_network` looks into a network of yours.
