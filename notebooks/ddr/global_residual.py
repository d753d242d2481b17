# %% [markdown]
# (finding-global-residual)=
# # A global residual makes deep features tell degradations apart
#
# ## The claim
#
# Show a super-resolution network the same hundred patches three times – clean, blurred, noisy –
# and look at what its deep layers make of them. In an SRResNet **with a global residual** (GR: the
# enlarged input is added to the output image) the three versions part into three clouds, whatever
# the patches show. In the same network **without** it they stay mixed at every depth
# ({cite:t}`liu2021discovering`, Sec. 4.3, Fig. 6).
#
# | after ResBlock 16, clean / blur / noise | with GR | without GR |
# |---|---|---|
# | reported by the paper | three separate clusters | no separation at any depth |
#
# Why it matters: nobody taught these networks what a degradation is. They were trained on clean
# images only. If one added line of code decides whether a network *knows* how its input was
# damaged, then architecture decides what there is to interpret.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"num_patches": 20, "training_seeds": [0, 1], "blocks": [1, 8, 16], "tsne_runs": 1, "umap": false}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_patches = 100  # contents; each is shown under all three degradations
training_seeds = [0, 1, 2]  # networks trained from different initializations and data orders
num_seeds = None  # or only how many of them, from 0 on: easier to say on a command line
blocks = [1, 4, 8, 12, 16]  # residual blocks to look behind
tsne_runs = 5  # random restarts of t-SNE at the last block, as in the paper
projection = "tsne"  # on which the clouds are judged: "tsne" as in the paper, "pca" or "umap"
perplexity = 30
umap = False  # True also projects with UMAP (compiles for some seconds)
train = False  # True trains all networks here (7 minutes each on one core) instead of loading them
device = "auto"

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | network | SRResNet, 16 blocks, 64 channels, no BN, bilinear GR | the same with 32 channels |
# | training | 600 000 steps on DIV2K, L1, Adam | 6 000 steps on 577 training pictures, L1, Adam |
# | test patches | 100 contents, 32×32 LR pixels | 100 from the embedded photographs |
# | degradations of the LR image | clean, blur of width 4, noise of σ 20/255 | the same |
# | projection | PCA to 50, t-SNE to 2; settings not stated | the same; perplexity 30, PCA start |
#
# A patch is cut after its whole picture was degraded, so that no cloud can be told by its borders.
# How far clouds separate is measured with the {term}`Caliński–Harabasz index` (CHI): dispersion
# between the degradations over dispersion within, on the two embedded dimensions as the paper does
# and, because t-SNE distorts distances, on the 50 principal components too.
#
# :::{admonition} Criterion, set before the experiment
# :class: important
# After ResBlock 16 and **in every training seed**: the CHI with GR is at least **50 times** that
# without; it reaches the paper's level "+" (20) with GR and stays below it without; and with GR it
# grows from block 1 over block 8 to block 16.
# :::

# %% tags=["hide-cell"]
import numpy as np
import torch
from myst_nb import glue

from srlab.data.datasets import degraded_patches, load_images
from srlab.degradations import Degradation
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.embeddings import embedding_grid
from srlab.figures.pictures import picture_row, sprite_sheet
from srlab.images import image_to_array
from srlab.metrics import psnr
from srlab.representation.embedding import (
    METHODS,
    embed,
    layer_points,
    principal_components,
    separability,
    separability_interval,
    separability_level,
)
from srlab.studies.networks import network, obtainable_groups
from srlab.studies.parameters import check_parameters
from srlab.studies.study import Finding, record
from srlab.training.recipes import seed_names

check_parameters()
device = pick_device(device)
finding = Finding(
    name="ddr/global_residual",
    claim="With a global residual, deep features of SRResNet separate degradations; without, not",
    source="DDR, Sec. 4.3, Fig. 6",
    criterion=(
        "After ResBlock 16, in every training seed, CHI with GR is at least 50 times "
        "that without, reaches 20 with and stays below 20 without, and grows with depth."
    ),
)

# %% [markdown]
# ## Experiment
#
# The patches first. Row by row the same contents, column by column the three degradations; the
# networks see nothing else.

# %%
degradations = [Degradation(), Degradation(blur_sigma=4), Degradation(noise_sigma=20 / 255)]
pairs = degraded_patches(load_images(image_set), degradations, count=num_patches)
kinds, contents = pairs.degradation_labels, pairs.content_labels
lr = pairs.lr.to(device)
pictures = np.stack([image_to_array(patch) for patch in pairs.lr])

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Four contents (of 100) under the three degradations. Blur and noise act on the LR image. Look at how little a 32×32 patch shows: whatever the network reads from it, it is hardly the subject.", "name": "fig-gr-patches"}}
shown = np.stack(
    [pictures[3 * i : 3 * i + 3] for i in np.linspace(0, num_patches - 1, 4, dtype=int)]
)
columns = {kind: np.concatenate(shown[:, k], axis=1) for k, kind in enumerate(kinds[:3])}
picture_row(columns, height=200)

# %% [markdown]
# Now the networks: for each training seed one with and one without GR. Every layer's features are
# flattened and reduced to 50 principal components.

# %%
NAMES = {"with GR": "srresnet-gr", "without GR": "srresnet-wogr"}
if num_seeds is not None:
    training_seeds = range(num_seeds)
wanted = {s: [seed_names(base, [s])[0] for base in NAMES.values()] for s in training_seeds}
pairs_of, missing = obtainable_groups(wanted, train=train)
training_seeds = [seed for seed, both in pairs_of.items() if len(both) == len(NAMES)]
if missing:
    print(f"Left out, for they are not shipped: {', '.join(missing)}; train = True trains them.")
layers = [f"body.{block - 1}" for block in blocks]

components, embeddings, checkpoints = {}, {}, []
for seed in training_seeds:
    for kind, name in zip(NAMES, pairs_of[seed]):
        checkpoints.append(name)
        features = layer_points(network(name, train=train, device=device), lr, layers)
        for block, layer in zip(blocks, layers, strict=True):
            components[kind, seed, block] = principal_components(features[layer])

# %%
for key, points in components.items():
    embeddings[key] = embed(points, method=projection, perplexity=perplexity)
chi = {key: separability(points, kinds).index for key, points in embeddings.items()}
chi_pca = {key: separability(points, kinds).index for key, points in components.items()}

# %% [markdown]
# ## What the layers know
#
# From left to right the network gets deeper. With GR the colours part; without GR they do not. The
# symbols are the pictures that the patches were cut from: in no panel do *they* form the clouds.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Features behind five residual blocks, embedded by the projection chosen above (t-SNE by default), with and without global residual (training seed 0). Colour: degradation; symbol: picture. Point at a dot to see its patch; click a class in the legend to hide it. CHI above each panel.", "name": "fig-gr-tsne"}}
first = training_seeds[0]
panels = {(kind, f"ResBlock {b}"): embeddings[kind, first, b] for kind in NAMES for b in blocks}
notes = {
    (
        kind,
        f"ResBlock {b}",
    ): f"CHI {chi[kind, first, b]:.1f} ({separability_level(chi[kind, first, b])})"
    for kind in NAMES
    for b in blocks
}
sprites = sprite_sheet(pictures)
embedding_grid(panels, classes=kinds, contents=contents, sprites=sprites, notes=notes)


# %% tags=["hide-input"] mystnb={"figure": {"caption": "Separability along depth: mean over the training seeds, bands from the lowest to the highest. Above on the 2-D embedding, below on the 50 principal components, where no projection can flatter it. Look at the gap at the right end, and at the level 20 that the paper counts as separated.", "name": "fig-gr-depth"}}
def over_seeds(values):
    table = {
        k: np.array([[values[k, s, b] for b in blocks] for s in training_seeds]) for k in NAMES
    }
    bands = {k: (rows.min(axis=0), rows.max(axis=0)) for k, rows in table.items()}
    return {k: rows.mean(axis=0) for k, rows in table.items()}, bands


titles = {f"CHI, {METHODS[projection]}": chi, "CHI, 50 PCA dimensions": chi_pca}
lines = {title: over_seeds(values) for title, values in titles.items()}
stacked_curves(
    blocks,
    {title: means for title, (means, _) in lines.items()},
    bands={title: bands for title, (_, bands) in lines.items()},
    x_title="residual block",
    log_y=list(titles),
)

# %% name="hero" tags=["remove-cell"]
last = blocks[-1]
hero = {("", f"ResBlock {last}, {kind}"): embeddings[kind, first, last] for kind in NAMES}
embedding_grid(hero, classes=kinds, contents=contents, sprites=sprites)

# %% [markdown]
# ## Is it the projection?
#
# t-SNE likes to show clusters. So the last block again, beside a linear projection, which cannot invent
# any.

# %%
methods = [method for method in METHODS if umap or method != "umap"]
projected = {
    (kind, METHODS[method]): embed(
        components[kind, first, last], method=method, perplexity=perplexity
    )
    for kind in NAMES
    for method in methods
}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "ResBlock 16 under more than one projection (training seed 0). If only t-SNE showed the clouds, they would be its invention; look at the linear PCA column.", "name": "fig-gr-projections"}}
notes = {key: f"CHI {separability(points, kinds).index:.1f}" for key, points in projected.items()}
embedding_grid(projected, classes=kinds, contents=contents, sprites=sprites, notes=notes)

# %% [markdown]
# ## Does it cost or bring quality?
#
# Both networks super-resolve; the one that separates is not merely the one that works.

# %%
hr, reduce = pairs.hr.to(device), Degradation(scale=4)


@torch.no_grad()
def quality(model):
    clean = lr[:: len(degradations)]
    return (
        torch.cat([psnr(model(a), b, border=4) for a, b in zip(clean.split(20), hr.split(20))])
        .mean()
        .item()
    )


psnr_of = {
    kind: quality(network(name, train=train, device=device))
    for kind, name in zip(NAMES, pairs_of[first])
}

# %% [markdown]
# ## Verdict
#
# The paper repeats t-SNE five times; so do we, from random starts, at the last block. The
# bootstrap interval draws contents with replacement.

# %%
restarts = {
    kind: [
        separability(embed(components[kind, first, last], seed=s, init="random"), kinds).index
        for s in range(tsne_runs)
    ]
    for kind in NAMES
}
groups = np.repeat(np.arange(num_patches), len(degradations))
bootstrap = {k: separability_interval(embeddings[k, first, last], kinds, groups) for k in NAMES}

deep = {kind: np.array([chi[kind, s, last] for s in training_seeds]) for kind in NAMES}
deep_pca = {kind: np.array([chi_pca[kind, s, last] for s in training_seeds]) for kind in NAMES}
ratio = deep["with GR"] / deep["without GR"]
middle = blocks[len(blocks) // 2]
grows = [
    chi["with GR", s, blocks[0]] < chi["with GR", s, middle] < chi["with GR", s, last]
    for s in training_seeds
]


def span(values):
    return float(np.min(values)), float(np.max(values))


# %% tags=["remove-cell"]
glue("gr_chi", float(deep["with GR"].mean()), display=False)
glue("wogr_chi", float(deep["without GR"].mean()), display=False)
glue("gr_chi_pca", float(deep_pca["with GR"].mean()), display=False)
glue("wogr_chi_pca", float(deep_pca["without GR"].mean()), display=False)
glue("gr_low", bootstrap["with GR"][0], display=False)
glue("gr_high", bootstrap["with GR"][1], display=False)
glue("gr_psnr", psnr_of["with GR"], display=False)
glue("wogr_psnr", psnr_of["without GR"], display=False)
glue("gr_seeds", len(training_seeds), display=False)
glue("gr_linear", separability(projected["with GR", "PCA"], kinds).index, display=False)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: lowest to highest over training seeds, or over restarts of t-SNE where it says so.", "name": "fig-gr-verdict"}}
record(
    finding,
    checks={
        "CHI with GR is at least 50 times that without, in every seed": ratio.min() >= 50,
        "level + (20) with GR, below it without, in every seed": (
            deep["with GR"].min() >= 20 and deep["without GR"].max() < 20
        ),
        "with GR, CHI grows from the first over the middle to the last block, in every seed": all(
            grows
        ),
    },
    measured={
        "CHI at RB16, with GR": deep["with GR"].mean(),
        "CHI at RB16, without GR": deep["without GR"].mean(),
        "smallest ratio over seeds": ratio.min(),
        "CHI on 50 PCA dimensions, with GR": deep_pca["with GR"].mean(),
        "CHI on 50 PCA dimensions, without GR": deep_pca["without GR"].mean(),
        "CHI over t-SNE restarts, with GR": np.mean(restarts["with GR"]),
        "CHI over t-SNE restarts, without GR": np.mean(restarts["without GR"]),
        "PSNR-Y of clean patches, with GR": psnr_of["with GR"],
        "PSNR-Y of clean patches, without GR": psnr_of["without GR"],
    },
    interval={
        "CHI at RB16, with GR": span(deep["with GR"]),
        "CHI at RB16, without GR": span(deep["without GR"]),
        "smallest ratio over seeds": span(ratio),
        "CHI on 50 PCA dimensions, with GR": span(deep_pca["with GR"]),
        "CHI on 50 PCA dimensions, without GR": span(deep_pca["without GR"]),
        "CHI over t-SNE restarts, with GR": span(restarts["with GR"]),
        "CHI over t-SNE restarts, without GR": span(restarts["without GR"]),
    },
    paper={
        "CHI at RB16, with GR": "separates",
        "CHI at RB16, without GR": "does not, at any depth",
    },
    image_set=image_set,
    parameters={
        "num_patches": num_patches,
        "training_seeds": training_seeds,
        "projection": projection,
        "perplexity": perplexity,
    },
    checkpoints=checkpoints,
)

# %% [markdown]
# ## What we have seen
#
# - Over {glue:text}`gr_seeds` training seeds the last block's features reach a CHI of
#   {glue:text}`gr_chi:.0f` with the global residual and {glue:text}`wogr_chi:.2f` without
#   (bootstrap over contents for the first seed: {glue:text}`gr_low:.0f` to {glue:text}`gr_high:.0f`).
# - It is no artefact of t-SNE: on the 50 principal components it is {glue:text}`gr_chi_pca:.0f`
#   against {glue:text}`wogr_chi_pca:.1f`, and the linear projection alone shows
#   {glue:text}`gr_linear:.0f`.
# - Quality hardly differs: {glue:text}`gr_psnr:.2f` dB with GR, {glue:text}`wogr_psnr:.2f` dB without.
#   A network with GR only has to paint what is *missing*, and what is missing depends on how the
#   input was damaged; a network without GR must repaint the content, which drowns the rest.
#
# ## Try it yourself
#
# - Change the damage: replace `blur_sigma=4` by `1`, or 20/255 by 5/255. The clouds should move
#   together. Replace the blur by `jpeg_quality=30`: does a damage the network never met part as well?
# - Set `train = True` to train all networks here, or `image_set = "b100"` for the pictures of the
#   literature (downloaded on first use).
# - Write your own network's layers into `layers`: see {doc}`/book/findings/your_network`.
