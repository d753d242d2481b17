# %% [markdown]
# (finding-feature-maps)=
# # Do features that separate degradations show less of the picture?
#
# *8 minutes. You learn to read feature maps and to put a number on "shows the picture". Builds on
# {doc}`adversarial_learning`.*
#
# ## The claim
#
# Dots in an embedding are one way to look at features; the feature maps themselves are another. Those of an
# SRResNet without global residual (GR) look like the picture, again and again. With GR, or trained
# adversarially, they **show less of its content and more of its degradation**
# ({cite:t}`liu2021discovering`, Sec. A.13, Fig. 22: pictures, no numbers). Here are two numbers, and a
# control.

# %% tags=["parameters", "hide-cell"] quick={"num_patches": 12, "training_seeds": [0], "blocks": [1, 16]}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_patches = 100  # contents; each is shown under all three degradations
networks = {  # training aim and architecture → recipe; further seeds are called "…-s1", "…-s2"
    "MSE, without GR": "srresnet-wogr",
    "MSE, with GR": "srresnet-gr",
    "GAN, without GR": "srgan-wogr",
    "GAN, with GR": "srgan-gr",
}
training_seeds = [0, 1, 2]  # networks trained from different initializations and data orders
blocks = [1, 8, 16]  # residual blocks whose output is taken; the last one is judged
count = 8  # maps kept of each patch
shown = 0  # which of the larger patches to look at
train = False  # True trains all networks here (many minutes each) instead of loading them
device = "auto"

# %% tags=["hide-cell"]
import numpy as np
import pandas as pd

from srlab.data.datasets import degraded_patches, load_images
from srlab.degradations import Degradation
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.pictures import picture_grid, signed_tiles
from srlab.figures.tables import Matrix, matrix_grid
from srlab.images import image_to_array
from srlab.representation.embedding import features
from srlab.studies.ddr.feature_maps import (
    content_share,
    degradation_share,
    edge_correlation,
    edges,
    layer_maps,
    principal_maps,
)
from srlab.studies.frames import curves
from srlab.studies.study import Study, exceeds, mean_interval, span
from srlab.training.recipes import seed_name

study = Study(
    "ddr/feature_maps",
    claim="With a global residual or adversarial training, feature maps show less content",
    source="DDR, Sec. A.13, Fig. 22",
    claims={
        "gr": "SRResNet: the clean patch explains less of the eight strongest maps behind the last block with GR than without, in every seed",
        "gan": "without GR, it explains less of them in SRGAN than in SRResNet, in every seed",
        "both": "SRGAN: it explains less of them with GR than without, in every seed",
        "damage_gr": "SRResNet: the degradation accounts for more of the last block's variance with GR than without, in every seed",
        "damage_gan": "without GR, the degradation accounts for more of it in SRGAN than in SRResNet, in every seed",
    },
    says={
        "gr": "Sec. A.13: “by adopting GR, the extracted features seem to contain less components of original shape and content information”",
        "gan": "Sec. A.13: “the feature maps extracted by GAN-based method contain less object shape and content information compared with MSE-based method”",
        "both": "Sec. A.13: “when there is global residual, the feature maps containing the image original content information are further reduced”",
        "damage_gr": "Fig. 22: “GR and GAN can facilitate the network to obtain more features on degradation information”",
        "damage_gan": "Fig. 22: “GR and GAN can facilitate the network to obtain more features on degradation information”",
    },
    controls={
        "edges_gr": "SRResNet: the maps follow the clean patch's edges less with GR than without, in every seed",
        "edges_gan": "without GR, they follow them less in SRGAN than in SRResNet, in every seed",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

# %% tags=["hide-cell"]
degradations = [Degradation(), Degradation(blur_sigma=4), Degradation(noise_sigma=20 / 255)]
names, last = [str(degradation) for degradation in degradations], f"body.{blocks[-1] - 1}"
images = load_images(image_set)
large = degraded_patches(images, degradations, count=shown + 1, size=64).lr[-len(names) :]
large, clean = large.to(study.device), large[:1]

models = {
    (kind, seed): study.network(seed_name(base, seed))
    for kind, base in networks.items()
    for seed in training_seeds
}
first = training_seeds[0]
maps = {
    kind: layer_maps(models[kind, first], large, [last], count=count)[last] for kind in networks
}

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "The eight maps with the largest eigenvalues after the last block (training seed 0), strongest first, each on its own scale: blue below zero, orange above. Top row: the input and its edges. Above each panel: share of the layer's variance in these maps; edge correlation r; content share R². In which rows of the first column can you tell what the picture shows? Along a row, do the maps change with the degradation?", "name": "fig-maps-pictures"}}
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
        notes[place] = f"{shares[index].sum():.0%}<br>r {r:.2f}<br>R² {share:.2f}"
picture_grid(panels, notes=notes)

# %% [markdown]
# ## What we run, and what differs from the paper
#
# **Which maps.** For each patch, every channel of a layer is a vector of pixels, centred. The principal
# components over the channels are the maps, ordered by their variance over the pixels (the eigenvalue). The
# paper shows the first eight, as far as its text tells; they do not depend on how a network numbers or
# mixes its channels.
#
# **How much content.** The content is the *clean* LR patch, whatever the network was given.
#
# - **content share**: how much of the eight maps' variance a linear filter of the clean patch's luma (5×5
#   at most) explains (R²). It asks whether the maps *are* the picture: smooth areas, shading, lines.
# - **degradation share**: how much of the whole layer's variance differs between the three versions of one
#   patch; the rest is what they have in common.
# - **edge correlation**, a control: Pearson's r over the pixels, between the maps' activity (root of the
#   summed squares) and the gradient magnitude of the clean patch's luma. What is missing from an enlarged
#   picture are its edges, so a network with GR works along them and may show them without showing anything
#   else.
#
# | | paper | here |
# |---|---|---|
# | networks | SRResNet and SRGAN, 64 channels in their own paper | the same with 32, three training seeds |
# | evidence | 8 maps of one picture each, three degradations | the same, and numbers over 100 patches of 32×32 LR pixels from six photographs; with `b100` from a hundred |
#
# The last block is judged, averaged over contents and degradations; four pixels on each side are left out,
# where zero padding draws a frame.

# %% tags=["remove-input"]
study

# %% tags=["hide-cell"]
pairs = degraded_patches(images, degradations, count=num_patches)
lr = pairs.lr.to(study.device)
content = pairs.lr[:: len(names)].repeat_interleave(len(names), dim=0)
layers = [f"body.{block - 1}" for block in blocks]
of_patches = {
    "content": np.repeat(np.arange(num_patches), len(names)),
    "degradation": pairs.degradation_labels,
}
R, SHARE, DAMAGE = "edge correlation", "content share", "degradation share"
found = []
for (kind, seed), model in models.items():
    for block, own in zip(blocks, features(model, lr, layers).values()):
        maps_of, shares = principal_maps(own, count)
        damage = degradation_share(own, len(names)).repeat_interleave(len(names))
        measures = {R: edge_correlation(maps_of, content), SHARE: content_share(maps_of, content)}
        place = {"network": kind, "seed": seed, "block": block, "kept": shares.sum(dim=1)}
        found.append(pd.DataFrame(place | of_patches | measures | {DAMAGE: damage}))
table = pd.concat(found).melt([*place, *of_patches], var_name="measure")
deep = table[table.block == blocks[-1]]

# %% tags=["hide-input"] mystnb={"figure": {"caption": "After the last block: mean over contents and training seeds. Left: correlation of the maps' activity with the clean patch's edges. Right: share of the maps' variance that the clean patch explains. By the claim, the other rows show less content than the MSE network without GR. Do they?", "name": "fig-maps-matrix"}}
means = deep.groupby(["measure", "network", "degradation"])["value"].mean().unstack()[names]
figure = matrix_grid(
    {
        ("", title): Matrix(means.loc[title].loc[list(networks)].to_numpy(), list(networks), names)
        for title in (R, SHARE)
    },
    colour_title="r, R²",
)
figure.update_yaxes(automargin=True).update_yaxes(showticklabels=False, col=2)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Along depth: mean over contents, degradations and training seeds; bands from the lowest to the highest seed. In which networks does the content share stay high, and where does it fall? Below: how much of a layer's variance the degradation makes.", "name": "fig-maps-depth"}}
by_seed = table.groupby(["measure", "network", "block", "seed"], sort=False)["value"].mean()
lines, bands = curves(by_seed.reset_index(), panel="measure", line="network", x="block")
stacked_curves(blocks, lines, bands=bands, x_title="residual block")

# %% [markdown]
# ## Verdict
#
# One number for each network and seed. The interval of the difference that GR makes is a bootstrap over
# contents, of the first seed: the same patches pass through both networks.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: lowest to highest over training seeds; of the changes by GR: 95 % bootstrap over contents.", "name": "fig-maps-verdict"}}
at_end = by_seed.unstack("seed").xs(blocks[-1], level="block")
SHORT = {
    "MSE, without GR": ("plain", "maps show the picture"),
    "MSE, with GR": ("gr", "less content"),
    "GAN, without GR": ("gan", "less content"),
    "GAN, with GR": ("gangr", "still less content"),
}
for kind, (short, paper) in SHORT.items():
    share = study.measure(f"{SHARE}, {kind}", at_end.loc[SHARE, kind], paper=paper)
    study.glue(**{f"maps_{short}_share": 100 * share})
for kind, (short, _) in SHORT.items():
    share = study.measure(f"{DAMAGE}, {kind}", at_end.loc[DAMAGE, kind])
    study.glue(**{f"maps_{short}_damage": 100 * share})
for kind, (short, _) in SHORT.items():
    study.measure(f"{R}, {kind}", at_end.loc[R, kind], glue=f"maps_{short}_r")
plain, residual, adversarial, both = SHORT
same_seed = deep[deep.seed == first]
by_content = same_seed.groupby(["measure", "content", "network"])["value"].mean().unstack()
gaps = by_content[residual] - by_content[plain]
for title in (SHARE, DAMAGE, R):
    interval = mean_interval(gaps[title], draws=500)
    study.measure(f"change of {title} by GR, first seed", gaps[title], interval=interval)
kept = same_seed.groupby("network")["kept"].mean()
study.glue(maps_kept=100 * kept.min(), maps_seeds=len(training_seeds), maps_contents=num_patches)


def more(title, kind, other):
    """Whether a number is greater in one network than in the other, in every seed."""
    return exceeds(span(at_end.loc[title, kind] - at_end.loc[title, other]))


study.verdict(
    gr=more(SHARE, plain, residual),
    gan=more(SHARE, plain, adversarial),
    both=more(SHARE, adversarial, both),
    damage_gr=more(DAMAGE, residual, plain),
    damage_gan=more(DAMAGE, adversarial, plain),
    edges_gr=more(R, plain, residual),
    edges_gan=more(R, plain, adversarial),
)

# %% [markdown]
# ## What we have seen
#
# Means over {glue:text}`maps_contents` contents, three degradations and {glue:text}`maps_seeds` training
# seeds, after the last block, where the eight maps hold at least {glue:text}`maps_kept:.0f` % of the
# variance:
#
# | | content share R² | degradation share | edge correlation r |
# |---|---|---|---|
# | MSE, without GR | {glue:text}`maps_plain_share:.1f` % | {glue:text}`maps_plain_damage:.1f` % | {glue:text}`maps_plain_r:.2f` |
# | MSE, with GR | {glue:text}`maps_gr_share:.1f` % | {glue:text}`maps_gr_damage:.1f` % | {glue:text}`maps_gr_r:.2f` |
# | GAN, without GR | {glue:text}`maps_gan_share:.1f` % | {glue:text}`maps_gan_damage:.1f` % | {glue:text}`maps_gan_r:.2f` |
# | GAN, with GR | {glue:text}`maps_gangr_share:.1f` % | {glue:text}`maps_gangr_damage:.1f` % | {glue:text}`maps_gangr_r:.2f` |
#
# - The content share says how far a layer *repeats* the picture. Without GR the features after the last
#   block are all that the whole output picture can be painted from; with GR the picture goes around the
#   body.
# - The edge correlation says where a layer is *active*. Where the two columns disagree, "less content" is a
#   matter of definition.
#
# ## Exercises
#
# 1. Why principal components, and not simply the eight strongest channels?
# 2. A layer doubles every channel. Which of the three numbers change?
# 3. Replace `content` by `pairs.lr` in the measurement, so that maps are compared with the *degraded*
#    patch. What would a higher edge correlation under noise mean?
#
# ```{dropdown} Answers
# 1. A network may permute or mix its channels without changing its output, if the next layer undoes it.
#    Principal components are the same for every rotation of the channels.
# 2. None: shares of variance and correlations are free of scale.
# 3. That the maps follow the edges of the noise, so they show the degradation, not the content.
# ```
#
# To go on: `shown = 3` looks at another picture; `count = 1` or `32` asks whether content sits in the
# strongest maps or in the rest.
