# %% [markdown]
# (finding-feature-maps)=
# # Features that sort by degradation show less of the picture
#
# ## The claim
#
# Dots in an embedding are one way to look at features; the feature maps themselves are another.
# Those of an SRResNet without global residual (GR) look like the picture. With GR, or trained
# adversarially, they **show less of its content and more of its degradation**
# ({cite:t}`liu2021discovering`, Sec. A.13, Fig. 22).
#
# | the 8 maps with the largest eigenvalues | with GR | without GR |
# |---|---|---|
# | SRResNet | less content | the picture, again and again |
# | SRGAN | less content | less content |
#
# The paper shows pictures and gives no number. Here is one – two, in fact.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"num_patches": 12, "training_seeds": [0, 1], "blocks": [1, 16]}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_patches = 60  # contents; each is shown under all three degradations
networks = {  # training aim and architecture → recipe; further seeds are called "…-s1", "…-s2"
    "MSE, without GR": "srresnet-wogr",
    "MSE, with GR": "srresnet-gr",
    "GAN, without GR": "srgan-wogr",
    "GAN, with GR": "srgan-gr",
}
training_seeds = [0, 1, 2]  # networks trained from different initializations and data orders
blocks = [1, 8, 16]  # residual blocks to look behind; the last one is judged
count = 8  # maps kept of each patch
shown = 0  # which of the larger patches to look at
train = False  # True trains all networks here (many minutes each) instead of loading them
device = "auto"

# %% [markdown]
# ## What we run, and what differs from the paper
#
# **Which maps.** For each patch, every channel of a layer is a vector of pixels, centred. The
# principal components over the channels are the maps, ordered by their eigenvalue, which is a map's
# variance over the pixels. The first eight are what the paper shows, as far as its text tells. They
# do not depend on how a network happens to number or mix its channels.
#
# **How much content.** The content is the *clean* LR patch, whatever degradation the network was
# given. Two numbers, both for the eight maps together, so that a strong map counts for more:
#
# - **edge correlation** – Pearson's r over the pixels, between the maps' activity (root of the
#   summed squares) and the gradient magnitude of the clean patch's luma. It asks whether the maps
#   are busy where the picture is.
# - **content share** – how much of the maps' variance is a linear filter, 5×5 at most, of the clean
#   patch's luma (R²). It asks whether the maps *are* the picture: smooth areas, shading and lines.
#
# They need not agree: a network that paints only what is missing works along edges, and may show them
# without showing anything else. Four pixels on each side are left out, where zero padding draws a frame.
#
# | | paper | here |
# |---|---|---|
# | networks | SRResNet and SRGAN, 64 channels | the same with 32, three training seeds |
# | evidence | 8 maps of one picture each, three degradations | the same, and two numbers over 60 patches of 32×32 LR pixels |
#
# :::{admonition} Criterion, set before the experiment
# :class: important
# Behind the last block, averaged over contents and degradations, and **in every training seed**: the
# edge correlation is lower than in the SRResNet without GR (1) with GR, (2) with adversarial
# training alone; and the same holds for the content share, (3) and (4).
# :::

# %% tags=["hide-cell"]
import numpy as np
from myst_nb import glue

from srlab.data.datasets import degraded_patches, load_images
from srlab.degradations import Degradation
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.pictures import picture_grid, signed_tiles
from srlab.figures.tables import Matrix, matrix_grid
from srlab.images import image_to_array
from srlab.studies.ddr.feature_maps import content_share, edge_correlation, edges, layer_maps
from srlab.studies.networks import network
from srlab.studies.parameters import check_parameters
from srlab.studies.study import Finding, record, span
from srlab.training.recipes import seed_names

check_parameters()
device = pick_device(device)
finding = Finding(
    name="ddr/feature_maps",
    claim="With a global residual or adversarial training, feature maps show less content",
    source="DDR, Sec. A.13, Fig. 22",
    criterion=(
        "Behind the last block, in every training seed, the eight strongest maps of networks with "
        "GR, and of adversarial ones without, correlate less with the picture's edges than those "
        "of the SRResNet without GR; and less of their variance is a linear filter of the picture."
    ),
)

# %% [markdown]
# ## Look at the maps
#
# One larger patch, three degradations, four networks. First compare within the column "clean": in
# which rows can you tell what the picture shows? Then go along a row: in which do the maps
# change with the degradation?

# %%
degradations = [Degradation(), Degradation(blur_sigma=4), Degradation(noise_sigma=20 / 255)]
names, last = [str(degradation) for degradation in degradations], f"body.{blocks[-1] - 1}"
images = load_images(image_set)
large = degraded_patches(images, degradations, count=shown + 1, size=64).lr[-len(names) :]
large, clean = large.to(device), large[:1]

checkpoints = {kind: seed_names(base, training_seeds) for kind, base in networks.items()}
models = {
    (kind, seed): network(name, train=train, device=device)
    for kind, own in checkpoints.items()
    for seed, name in zip(training_seeds, own, strict=True)
}
first = training_seeds[0]
maps = {
    kind: layer_maps(models[kind, first], large, [last], count=count)[last] for kind in networks
}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The eight maps with the largest eigenvalues behind the last block (training seed 0), strongest first, each on its own scale: blue below zero, orange above. Top row: what the network was given, and its edges. Above each panel: share of the layer's variance in these maps, edge correlation r, content share R².", "name": "fig-maps-pictures"}}
border = np.full((64, 1, 3), 160, np.uint8)
panels, notes = {}, {}
for index, name in enumerate(names):
    grey = (edges(large[index : index + 1])[0] / edges(large[index : index + 1]).max()).cpu()
    halves = [image_to_array(large[index]), image_to_array(grey.expand(3, -1, -1))]
    framed = np.concatenate([np.concatenate([half, border], axis=1) for half in halves], axis=1)
    panels["input, its edges", name] = np.repeat(np.repeat(framed, 2, axis=0), 2, axis=1)
    for kind, (found, shares) in maps.items():
        own, place = found[index : index + 1], (kind, name)
        panels[place] = signed_tiles(own[0].numpy())
        r, share = edge_correlation(own, clean).item(), content_share(own, clean).item()
        notes[place] = f"{shares[index].sum():.0%} of variance, r {r:.2f}, R² {share:.2f}"
picture_grid(panels, notes=notes)

# %% [markdown]
# ## Measure them
#
# The same two numbers for many patches, three depths and all training seeds.

# %%
pairs = degraded_patches(images, degradations, count=num_patches)
lr, content = pairs.lr.to(device), pairs.lr[:: len(names)].repeat_interleave(len(names), dim=0)
layers = [f"body.{block - 1}" for block in blocks]
correlation, explained, kept = {}, {}, {}
for (kind, seed), model in models.items():
    found = layer_maps(model, lr, layers, count=count)
    for block, (own, shares) in zip(blocks, found.values(), strict=True):
        by_kind = (num_patches, len(names))  # rows: contents, columns: degradations
        correlation[kind, seed, block] = edge_correlation(own, content).numpy().reshape(by_kind)
        explained[kind, seed, block] = content_share(own, content).numpy().reshape(by_kind)
        kept[kind, seed, block] = shares.sum(dim=1).mean().item()

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Behind the last block: mean over contents and training seeds. Left: correlation of the maps' activity with the clean patch's edges. Right: share of the maps' variance that the clean patch explains. The row of the MSE network without GR is what the claim compares the others with.", "name": "fig-maps-matrix"}}
MEASURES = {"edge correlation": correlation, "content share": explained}
deepest = blocks[-1]


def by_degradation(values):
    rows = [
        np.mean([values[kind, seed, deepest].mean(axis=0) for seed in training_seeds], axis=0)
        for kind in networks
    ]
    return Matrix(np.array(rows), list(networks), names)


figure = matrix_grid(
    {("", title): by_degradation(values) for title, values in MEASURES.items()},
    colour_title="r, R²",
)
figure.update_yaxes(automargin=True).update_yaxes(showticklabels=False, col=2)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Along depth: mean over contents, degradations and training seeds; bands from the lowest to the highest seed. Look at the lower panel: which networks keep repeating the picture, and which turn away from it?", "name": "fig-maps-depth"}}


def seeds_by_block(values):
    table = {
        kind: np.array([[values[kind, s, b].mean() for b in blocks] for s in training_seeds])
        for kind in networks
    }
    bands = {kind: (rows.min(axis=0), rows.max(axis=0)) for kind, rows in table.items()}
    return {kind: rows.mean(axis=0) for kind, rows in table.items()}, bands


curves = {title: seeds_by_block(values) for title, values in MEASURES.items()}
stacked_curves(
    blocks,
    {title: means for title, (means, _) in curves.items()},
    bands={title: bands for title, (_, bands) in curves.items()},
    x_title="residual block",
)

# %% [markdown]
# ## Verdict
#
# One number for each network and seed. The interval of the difference that GR makes is a bootstrap
# over contents, of the first seed: the same patches pass through both networks.

# %%
deep = {
    (title, kind): np.array([values[kind, seed, deepest].mean() for seed in training_seeds])
    for title, values in MEASURES.items()
    for kind in networks
}
plain, residual, adversarial = "MSE, without GR", "MSE, with GR", "GAN, without GR"
draws = np.random.default_rng(0).integers(num_patches, size=(500, num_patches))
change = {
    title: (values[residual, first, deepest] - values[plain, first, deepest]).mean(axis=1)
    for title, values in MEASURES.items()
}
spread = {
    title: np.quantile(gaps[draws].mean(axis=1), [0.025, 0.975]) for title, gaps in change.items()
}

# %% tags=["remove-cell"]
short = {plain: "plain", residual: "gr", adversarial: "gan", "GAN, with GR": "gangr"}
for kind, name in short.items():
    glue(f"maps_{name}_r", float(deep["edge correlation", kind].mean()), display=False)
    glue(f"maps_{name}_share", float(100 * deep["content share", kind].mean()), display=False)
glue("maps_kept", float(100 * min(kept[kind, first, deepest] for kind in networks)), display=False)
glue("maps_seeds", len(training_seeds), display=False)
glue("maps_contents", num_patches, display=False)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: lowest to highest over training seeds; of the changes by GR: 95 % bootstrap over contents.", "name": "fig-maps-verdict"}}
order = [plain, residual, adversarial, "GAN, with GR"]
measured = {f"{title}, {kind}": deep[title, kind].mean() for title in MEASURES for kind in order}
interval = {f"{title}, {kind}": span(deep[title, kind]) for title in MEASURES for kind in order}
for title, gaps in change.items():
    measured[f"change of {title} by GR, first seed"] = gaps.mean()
    interval[f"change of {title} by GR, first seed"] = tuple(spread[title])
record(
    finding,
    checks={
        f"the {title} is lower {what} than in the plain SRResNet, in every seed": bool(
            (deep[title, kind] < deep[title, plain]).all()
        )
        for title in MEASURES
        for what, kind in {"with GR": residual, "with adversarial training": adversarial}.items()
    },
    measured=measured,
    interval=interval,
    paper={
        f"edge correlation, {plain}": "maps show the picture",
        f"edge correlation, {residual}": "less content",
        f"edge correlation, {adversarial}": "less content",
    },
    image_set=image_set,
    parameters={
        "num_patches": num_patches,
        "training_seeds": training_seeds,
        "count": count,
        "networks": networks,
        "trained_live": train,
    },
    checkpoints=[] if train else [name for own in checkpoints.values() for name in own],
)

# %% [markdown]
# ## What we have seen
#
# Means over {glue:text}`maps_contents` contents, three degradations and {glue:text}`maps_seeds`
# training seeds, behind the last block, where the eight maps hold at least {glue:text}`maps_kept:.0f` % of
# the variance:
#
# | | edge correlation r | content share R² |
# |---|---|---|
# | MSE, without GR | {glue:text}`maps_plain_r:.2f` | {glue:text}`maps_plain_share:.0f` % |
# | MSE, with GR | {glue:text}`maps_gr_r:.2f` | {glue:text}`maps_gr_share:.0f` % |
# | GAN, without GR | {glue:text}`maps_gan_r:.2f` | {glue:text}`maps_gan_share:.0f` % |
# | GAN, with GR | {glue:text}`maps_gangr_r:.2f` | {glue:text}`maps_gangr_share:.0f` % |
#
# - The content share says how far a layer still *repeats* the picture. A network without GR has to:
#   its output is the whole picture, and the features behind the last block are all it has left to
#   paint it from. With GR the picture takes the other way round.
# - The edge correlation says where a layer is *busy*, and here "less content" becomes a matter of
#   words: what is missing from an enlarged picture are its edges, so a network that paints only that
#   has every reason to be busy along them. Where the two columns disagree, this is why.
#
# ## Try it yourself
#
# - `shown = 3` looks at another picture.
# - Compare with the *degraded* picture: replace `content` by `pairs.lr` in the measurement. For noise,
#   edges are then those of the noise; maps that follow them show degradation, not content.
# - Set `count = 1` or `count = 32`: does content sit in the strongest maps or in the tail?
