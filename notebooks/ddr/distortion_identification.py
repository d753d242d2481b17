# %% [markdown]
# (finding-distortion-identification)=
# # Features of super-resolution tell which distortion a picture suffered
#
# ## The claim
#
# If deep features describe degradations rather than contents, a simple classifier on top of them
# should name the distortion of a picture it has never seen. The paper takes features of an SRGAN,
# reduces them to 120 principal components and trains a linear support vector machine on the LIVE
# database; it reports higher accuracy than with features designed for this task
# ({cite:t}`liu2021discovering`, Sec. 5, Tab. 1).
#
# | five distortions of LIVE | deep representation of SRGAN | BRISQUE, MLLNet |
# |---|---|---|
# | reported by the paper | most accurate | behind |
#
# Why it matters: the super-resolution network was trained on clean pictures and never told what a
# distortion is. Were its features better than {cite:t}`mittal2012no`'s, which were made to describe
# distortions, they would be a ready-made tool for judging pictures.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"num_pictures": 5, "num_splits": 4, "block": 2}
image_set = "pictures"  # 12 embedded ones; "live" for the real distortions, or "b100"
num_pictures = 12  # of the set
# the first is judged, the second lacks the residual, the others stand beside them
networks = ["srresnet-gr", "srresnet-wogr", "srgan-gr", "srgan-wogr"]
block = 16  # residual block to look behind
dimensions = 120  # principal components, as in the paper
num_splits = 15  # random choices of a third of the pictures to judge on
train = False  # True trains the networks here instead of loading them
device = "auto"

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | network | SRGAN, 64 channels | SRResNet with and without global residual, 32 channels; SRGANs beside them |
# | pictures | LIVE: 29 references | 12 embedded ones, distorted by us; or 6 references of LIVE |
# | distortions | JPEG, JPEG2000, white noise, blur, fast fading | the same five; LIVE's public copy lacks JPEG2000 |
# | features | of the 96×96 centre crop, PCA to 120 | the same, behind ResBlock 16, every value of every channel |
# | classifier | linear SVM | the same; its penalty chosen on the training pictures |
# | split | not stated | by picture: none is on both sides |
#
# Our own distortions have four strengths each. JPEG2000 is Pillow's. For fast fading – in LIVE, a
# JPEG2000 stream sent over a fading radio channel – we keep only the first part of the stream: a
# **simulation**. Undistorted pictures are not a class, as in the paper. The rivals: BRISQUE's 36
# features of natural scene statistics with the same linear classifier and with the curved one (RBF)
# that BRISQUE uses, and the raw pixels reduced to 120 components. We also try a variation of our
# own, which forgets *where* a feature was: mean and deviation of each channel. It has no part in
# the verdict.
#
# :::{admonition} Criterion, set before the experiment
# :class: important
# Over splits that keep pictures apart, the linear classifier on features of the network with
# global residual (1) is right at least 60 % of the time, (2) beats the raw pixels in at least nine
# splits of ten, (3) beats the linear classifier on BRISQUE's features on average, and (4) beats
# the network without the residual on average.
# :::

# %% tags=["hide-cell"]
import numpy as np
from myst_nb import glue

from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.dots import interval_dots
from srlab.figures.embeddings import embedding_grid
from srlab.figures.pictures import picture_row, sprite_sheet
from srlab.figures.tables import Matrix, matrix_grid
from srlab.images import image_to_array
from srlab.representation.embedding import (
    embed,
    layer_points,
    principal_components,
    separability,
)
from srlab.representation.identification import content_splits, identify
from srlab.studies.ddr.distortions import distorted_crops
from srlab.studies.ddr.natural_statistics import brisque_features
from srlab.studies.networks import network
from srlab.studies.parameters import check_parameters
from srlab.studies.study import Finding, record

check_parameters()
device = pick_device(device)
finding = Finding(
    name="ddr/distortion_identification",
    claim="Deep features of super-resolution identify distortions better than BRISQUE's features",
    source="DDR, Sec. 5, Tab. 1",
    criterion=(
        "On unseen pictures, a linear classifier on features with global residual is right at "
        "least 60 % of the time, beats raw pixels in nine splits of ten, and beats BRISQUE's "
        "features and the network without the residual on average."
    ),
)

# %% [markdown]
# ## Experiment
#
# One central crop of every distorted picture.

# %%
crops = distorted_crops(image_set, count=num_pictures)
kinds, contents = crops.distortions, crops.contents
names = list(dict.fromkeys(kinds))
pictures = np.stack([image_to_array(crop) for crop in crops.images])
splits = content_splits(contents, count=num_splits)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One picture under every distortion, mild above and strong below. Zoom in to see their signatures: blocks, ripples, grain, softness, and regions that lost their detail.", "name": "fig-identification-crops"}}
shown = contents == contents[-1]


def strengths(kind):
    own = np.flatnonzero(shown & (kinds == kind))
    return np.concatenate([pictures[own[0]], pictures[own[-1]]])


picture_row({kind: strengths(kind) for kind in names}, height=380)

# %% [markdown]
# Features of each network, and of its rivals, and one classifier a split on each.

# %%
layer = f"body.{block - 1}"
images = crops.images.to(device)
found, points, spaces = {}, {}, {}
for name in networks:
    model = network(name, train=train, device=device)
    features = layer_points(model, images, [layer])[layer]
    found[name] = identify(features, kinds, contents, splits, components=dimensions)
    points[name] = principal_components(features)
    maps = features.reshape(len(features), -1, images.shape[-1] ** 2)
    spaces[name] = np.concatenate([maps.mean(axis=-1), maps.std(axis=-1)], axis=1)
    del features, maps

# %%
pixels, brisque = crops.images.flatten(1).numpy(), brisque_features(crops.images)
points["raw pixels"] = principal_components(pixels)
points["BRISQUE"] = (brisque - brisque.mean(axis=0)) / brisque.std(axis=0)
found["raw pixels"] = identify(pixels, kinds, contents, splits, components=dimensions)
found["BRISQUE"] = identify(brisque, kinds, contents, splits)
found["BRISQUE, RBF"] = identify(brisque, kinds, contents, splits, kernel="rbf")
for name in networks:
    found[f"{name}, channels"] = identify(spaces[name], kinds, contents, splits)
accuracy = {name: result.accuracy for name, result in found.items()}

# %% [markdown]
# ## Who is right how often?

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Share of right answers about pictures that were not in training. Faint dots: single splits; large symbol: their mean; bar: from the lowest to the highest split; dashed: chance. ‘Channels’ is our variation, mean and deviation of each channel. Look at how far flattened features get, beside BRISQUE and beside features without a place.", "name": "fig-identification-accuracy"}}
interval_dots(accuracy, x_title="share of right answers, unseen pictures", reference=1 / len(names))

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Who is taken for whom: of each true distortion (row), the share that was called as in the column, over all splits. Look at which distortions are mixed up, and whether the different features mix up the same ones.", "name": "fig-identification-confusion"}}
columns = [networks[0], "raw pixels", "BRISQUE"]
tables = {("", name): Matrix(found[name].confusion(kinds), names, names) for name in columns}
grid = matrix_grid(tables, colour_title="share", axis_titles=("true", ""))
for column in range(2, len(columns) + 1):  # the rows are the same in all
    grid.update_yaxes(showticklabels=False, col=column)
grid.update_xaxes(automargin=True)
grid.update_yaxes(automargin=True)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The same answers by strength of the distortion, from mild to strong. Look at which features need strong damage to see it.", "name": "fig-identification-strength"}}
levels = sorted(set(crops.levels.tolist()))
by_level = {
    name: np.array([result.right(kinds, crops.levels == level) for level in levels])
    for name, result in found.items()
    if name in (*networks, "raw pixels", "BRISQUE")
}
stacked_curves(levels, {"share of right answers": by_level}, x_title="strength")

# %% [markdown]
# ## What the features look like
#
# The same points without any label: where colours part, a classifier has an easy task; where
# symbols part, it sees pictures instead.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE of what the classifiers see. Colour: distortion; symbol: picture. Point at a dot to see its crop. CHI by distortion and by picture, on the plane and, in brackets, on 50 principal components (BRISQUE: its 36 values).", "name": "fig-identification-tsne"}}
embeddings = {
    name: embed(points[name], perplexity=min(30, len(kinds) // 4)) for name in (*columns,)
}


def chi(name, labels):
    plane, full = separability(embeddings[name], labels), separability(points[name], labels)
    return f"{plane.index:.1f} ({full.index:.1f})"


notes = {("", n): f"distortion {chi(n, kinds)}<br>picture {chi(n, contents)}" for n in embeddings}
panels = {("", name): points_2d for name, points_2d in embeddings.items()}
sprites = sprite_sheet(pictures[:, 16:80:2, 16:80:2])
embedding_grid(panels, classes=kinds, contents=contents, sprites=sprites, notes=notes)

# %% [markdown]
# ## Verdict

# %%
judged, without = networks[:2]
against = {name: accuracy[judged] - accuracy[name] for name in accuracy}
ahead = float((against["raw pixels"] > 0).mean())
best_space = f"{judged}, channels"


def spread(values):
    return tuple(np.quantile(values, [0.025, 0.975]))


# %% tags=["remove-cell"]
glue("ident_deep", float(100 * accuracy[judged].mean()), display=False)
glue("ident_without", float(100 * accuracy[without].mean()), display=False)
glue("ident_pixels", float(100 * accuracy["raw pixels"].mean()), display=False)
glue("ident_brisque", float(100 * accuracy["BRISQUE"].mean()), display=False)
glue("ident_rbf", float(100 * accuracy["BRISQUE, RBF"].mean()), display=False)
glue("ident_channels", float(100 * accuracy[best_space].mean()), display=False)
others = ", ".join(f"{name} {100 * accuracy[name].mean():.0f} %" for name in networks[2:])
glue("ident_others", others or "none were looked at", display=False)
glue("ident_chance", 100 / len(names), display=False)
glue("ident_splits", len(splits), display=False)
glue("ident_pictures", len(set(contents)), display=False)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: 2.5 % to 97.5 % over the splits.", "name": "fig-identification-verdict"}}
record(
    finding,
    checks={
        "right at least 60 % of the time": accuracy[judged].mean() >= 0.6,
        "beats raw pixels in at least nine splits of ten": ahead >= 0.9,
        "beats BRISQUE's features, same classifier, on average": against["BRISQUE"].mean() > 0,
        "beats the network without global residual on average": against[without].mean() > 0,
    },
    measured={
        "right, features with GR": accuracy[judged].mean(),
        "right, BRISQUE's features": accuracy["BRISQUE"].mean(),
        **{f"right, {name}": accuracy[name].mean() for name in networks[2:]},
        "right, raw pixels": accuracy["raw pixels"].mean(),
        "right, features without GR": accuracy[without].mean(),
        "right, BRISQUE's features, RBF": accuracy["BRISQUE, RBF"].mean(),
        "right, channel statistics with GR": accuracy[best_space].mean(),
        "lead over BRISQUE's features": against["BRISQUE"].mean(),
        "lead over raw pixels": against["raw pixels"].mean(),
    },
    interval={
        "right, features with GR": spread(accuracy[judged]),
        **{f"right, {name}": spread(accuracy[name]) for name in networks[2:]},
        "right, BRISQUE's features": spread(accuracy["BRISQUE"]),
        "right, raw pixels": spread(accuracy["raw pixels"]),
        "right, features without GR": spread(accuracy[without]),
        "right, BRISQUE's features, RBF": spread(accuracy["BRISQUE, RBF"]),
        "right, channel statistics with GR": spread(accuracy[best_space]),
        "lead over BRISQUE's features": spread(against["BRISQUE"]),
        "lead over raw pixels": spread(against["raw pixels"]),
    },
    paper={
        "right, features with GR": "highest",
        "right, BRISQUE's features": "lower",
    },
    image_set=image_set,
    parameters={
        "num_pictures": len(set(contents)),
        "block": block,
        "dimensions": dimensions,
        "num_splits": num_splits,
    },
    checkpoints=[] if train else networks,
)

# %% [markdown]
# ## What we have seen
#
# - Over {glue:text}`ident_splits` splits of {glue:text}`ident_pictures` pictures, flattened features
#   with global residual name {glue:text}`ident_deep:.0f` % of the distortions of unseen pictures;
#   without the residual it is {glue:text}`ident_without:.0f` %, from raw pixels
#   {glue:text}`ident_pixels:.0f` %, and guessing would give {glue:text}`ident_chance:.0f` %.
# - Of networks trained adversarially, as the paper's was: {glue:text}`ident_others`.
# - BRISQUE's 36 numbers reach {glue:text}`ident_brisque:.0f` % with the same linear classifier and
#   {glue:text}`ident_rbf:.0f` % with a curved one.
# - Reduced to mean and deviation of each channel, features of the same network reach
#   {glue:text}`ident_channels:.0f` %. Flattened features keep every pixel's place: from a few pictures
#   a classifier has to learn for each place anew what a ripple means.
#
# ## Try it yourself
#
# - Set `image_set = "live"` for real distortions (six references of LIVE, downloaded on first use;
#   four distortions, without JPEG2000).
# - Look behind an earlier block (`block = 4`). Where do features of distortions arise?
# - Use fewer principal components (`dimensions = 10`): the first ones carry the strongest damage.
