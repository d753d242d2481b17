# %% [markdown]
# (finding-unified-backbone)=
# # One backbone, two tasks: the task decides what features mean
#
# ## The claim
#
# A ResNet18 sorts pictures by subject, an SRResNet by degradation
# ({doc}`classification_vs_sr`). But they differ in everything: strides, normalization, depth. So
# let **one** body do both: residual blocks with channel attention, once in front of a tail that
# names the picture, once in front of a tail that enlarges it. If the two bodies' features mean what
# those of ResNet18 and SRResNet mean, it is the task that decides, and not the structure
# ({cite:t}`liu2021discovering`, Sec. A.10, Fig. 18–20).
#
# | one body of residual channel attention | trained to classify | trained to super-resolve |
# |---|---|---|
# | reported by the paper: deep features | cluster by class | cluster by degradation |
# | accuracy on CIFAR-10 | 92.08 % | – |
#
# Why it matters: it is the controlled experiment behind the comparison. What is left to differ is
# the question that the network was trained to answer.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"num_patches": 27, "blocks": [1, 2], "perplexity": 8}
image_set = "photographs+textures"  # each picture is a class; "cifar10" for the paper's classes
num_patches = 100  # contents, spread over the classes; each is shown under all three degradations
num_classes = 10  # at most so many pictures are classes: the classifier has a tail of ten
blocks = [2, 4, 6, 8]  # blocks of the body to look behind; it has eight
perplexity = 30
train = False  # True teaches the CIFAR-10 classifier these photographs here (minutes)
live_steps = 100  # length of that training, of 32 patches a step
device = "auto"

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | body | residual channel attention ({cite:t}`zhang2018image`) | 8 blocks of 32 channels, attention reduced by 4, no normalization, no strides |
# | tail to classify | – | mean over the picture, one linear layer |
# | tail to super-resolve | – | two pixel-shuffles, {term}`global residual` |
# | training to classify | CIFAR-10, 50 000 pictures | CIFAR-10, 20 000 pictures, 4 000 steps of 32: short for a body without normalization |
# | training to super-resolve | DIV2K | 577 pictures, 4 000 steps, L1 |
# | classes looked at | the ten of CIFAR-10 | **which photograph is the patch from?** The CIFAR-10 classifier went on learning for 100 steps, from the left halves of six photographs and three textures, and is judged on the right halves |
# | … with `image_set = "cifar10"` | test pictures of CIFAR-10 | 100 of its test pictures, no further learning |
# | control | – | the same body **before any training** |
#
# All bodies see the same clean, blurred and noisy 32×32 pictures. As in the paper, features are
# flattened: each place counts for itself. The classifier's tail averages over all places, so the
# features' **means over the picture** are measured too. Photographs differ in their colours, so that
# untrained features may well be sorted by class: only the difference to them was learnt. One
# training seed of each task; intervals come from drawing contents with replacement.
#
# :::{admonition} Criterion, set before the experiment
# :class: important
# After the last block, with CHI on the t-SNE embedding of flattened features: CHI by class over CHI
# by degradation is (1) above 1, its 95 % interval included, in the body trained to classify; (2)
# below 1, its interval included, in the body trained to super-resolve; (3) in the untrained body
# it lies between the two. And it was learnt: (4) CHI by class reaches 20, the paper's level "+",
# and exceeds that of the untrained body, in the body trained to classify; (5) so does CHI by
# degradation in the body trained to super-resolve.
# :::

# %% tags=["hide-cell"]
import numpy as np
from myst_nb import glue

from srlab.data.labelled import cifar10
from srlab.data.subjects import by_degradation, subject_task
from srlab.degradations import Degradation
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.embeddings import embedding_grid
from srlab.figures.pictures import picture_row, sprite_sheet
from srlab.figures.tables import matrix_heatmap
from srlab.images import image_to_array
from srlab.representation.embedding import (
    embed,
    layer_points,
    principal_components,
    separability,
    separability_ratio,
)
from srlab.studies.networks import network, subject_classifiers
from srlab.studies.parameters import check_parameters
from srlab.studies.study import Finding, record
from srlab.training.classification import accuracy
from srlab.training.initial import initial_model
from srlab.training.recipes import recipe

check_parameters()
device = pick_device(device)
finding = Finding(
    name="ddr/unified_backbone",
    claim="In one backbone, the task decides whether features sort by class or by degradation",
    source="DDR, Sec. A.10, Fig. 18–20",
    criterion=(
        "After the last block, CHI by class over CHI by degradation is above 1 (with its interval) "
        "in the body trained to classify, below 1 in the body trained to super-resolve, and in "
        "between in the untrained body; CHI by class in the first and by degradation in the second "
        "reach 20 and exceed the untrained body's."
    ),
)

# %% [markdown]
# ## Experiment

# %%
degradations = [Degradation(), Degradation(blur_sigma=4), Degradation(noise_sigma=20 / 255)]
task = subject_task(image_set, degradations, count=num_patches, most=num_classes)
kinds, contents = task.pairs.degradation_labels, task.pairs.content_labels
groups = np.repeat(np.arange(len(task.pairs.contents)), len(degradations))
tests = by_degradation(task.pairs, task.names)
lr = task.pairs.lr.to(device)
pictures = np.stack([image_to_array(patch) for patch in task.pairs.lr])

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Four of the test pictures under the three degradations. All bodies see exactly these.", "name": "fig-backbone-patches"}}
some = np.linspace(0, len(task.pairs.contents) - 1, 4, dtype=int)
columns = {
    kind: np.concatenate([pictures[3 * content + k] for content in some], axis=1)
    for k, kind in enumerate(tests)
}
picture_row(columns, height=200)

# %% [markdown]
# Three bodies of one structure. The first has not learnt anything.

# %%
found = subject_classifiers("rcan", image_set, train=train, steps=live_steps, device=device)
[(classifier_name, classifier)] = found.items()
models = {
    "untrained": initial_model(recipe("rcan-sr")).eval().to(device),
    "classifies": classifier,
    "super-resolves": network("rcan-sr", device=device),
}
right = {kind: accuracy(classifier, data) for kind, data in tests.items()}
everything = cifar10("test") if image_set == "cifar10" else tests[str(degradations[0])]
test_accuracy = accuracy(classifier, everything)

# %% [markdown]
# Behind four blocks of each: principal components of the flattened features, and of their means
# over the picture; the embedding; the index under both labellings.

# %%
layers = [f"body.{block - 1}" for block in blocks]
channels = recipe("rcan-sr").hyperparameters["channels"]
components, means = {}, {}
for kind, model in models.items():
    features = layer_points(model, lr, layers)
    for block, layer in zip(blocks, layers, strict=True):
        components[kind, block] = principal_components(features[layer])
    means[kind] = features[layer].reshape(len(lr), channels, -1).mean(axis=2)

embeddings = {key: embed(cloud, perplexity=perplexity) for key, cloud in components.items()}
mean_embeddings = {key: embed(cloud, perplexity=perplexity) for key, cloud in means.items()}

# %%
labels = {"by class": contents, "by degradation": kinds}
last = blocks[-1]


def both(cloud):
    """{labelling: CHI} of one cloud."""
    return {label: separability(cloud, own).index for label, own in labels.items()}


def ratio(cloud):
    """(CHI by class over CHI by degradation, low, high)."""
    return separability_ratio(cloud, contents, kinds, groups)


chi = {key: both(cloud) for key, cloud in embeddings.items()}
chi_pca = {key: both(cloud) for key, cloud in components.items()}
chi_mean = {kind: both(cloud) for kind, cloud in mean_embeddings.items()}
ratios = {key: ratio(cloud) for key, cloud in embeddings.items()}

# %% [markdown]
# ## The same structure, by degradation
#
# In this figure colour is the degradation.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE of the features along the depth of one body: untrained, trained to classify, trained to super-resolve. Colour: degradation; symbol: subject. Point at a dot to see its patch. Above each panel CHI by class and by degradation. Look at the last column: whatever differs there was learnt.", "name": "fig-backbone-degradation"}}
panels = {(kind, f"block {block}"): cloud for (kind, block), cloud in embeddings.items()}
notes = {
    (kind, f"block {block}"): " · ".join(f"{label} {index:.0f}" for label, index in own.items())
    for (kind, block), own in chi.items()
}
sprites = sprite_sheet(pictures)
embedding_grid(panels, classes=kinds, contents=contents, sprites=sprites, notes=notes)

# %% [markdown]
# ## … and by class
#
# The same dots in the same places, coloured by subject.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The same embeddings, coloured by subject (symbol: degradation). Look for the row and the depth at which colours gather.", "name": "fig-backbone-class"}}
embedding_grid(panels, classes=contents, contents=kinds, sprites=sprites, notes=notes)

# %% [markdown]
# ## Where the ways part
#
# Above 1, a layer sorts by class; below 1, by degradation.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "CHI by class over CHI by degradation behind the blocks of three equal bodies; bands: 95 % bootstrap over contents. Look how far the trained bodies lie from the untrained one, and on which sides of it.", "name": "fig-backbone-depth"}}
curves = {kind: np.array([ratios[kind, block] for block in blocks]).T for kind in models}
title = "CHI by class / by degradation"
stacked_curves(
    blocks,
    {title: {kind: rows[0] for kind, rows in curves.items()}},
    bands={title: {kind: (rows[1], rows[2]) for kind, rows in curves.items()}},
    x_title="block of the body",
    log_y=[title],
)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "CHI after the last block by class and by degradation: on the embedding, on the 50 principal components, and on the embedding of the features' means over the picture, which are all that the classifier's tail uses. The claim is that the larger of two neighbours changes sides between the last two rows.", "name": "fig-backbone-table"}}
tables = {
    "t-SNE": {kind: chi[kind, last] for kind in models},
    "50 PCA": {kind: chi_pca[kind, last] for kind in models},
    "means": chi_mean,
}
matrix_heatmap(
    np.array(
        [[rows[kind][label] for rows in tables.values() for label in labels] for kind in models]
    ),
    list(models),
    [f"{label}, {name}" for name in tables for label in labels],
    colour_title="CHI",
    log=True,
)

# %% [markdown]
# ## Verdict

# %%
final = {kind: ratios[kind, last] for kind in models}
of_means = {kind: ratio(cloud) for kind, cloud in mean_embeddings.items()}

# %% tags=["remove-cell"]
_, blur, noise = tests
for key, value in {
    "bb_class": chi["classifies", last]["by class"],
    "bb_damage": chi["classifies", last]["by degradation"],
    "bb_sr_class": chi["super-resolves", last]["by class"],
    "bb_sr_damage": chi["super-resolves", last]["by degradation"],
    "bb_ratio": final["classifies"][0],
    "bb_sr_ratio": final["super-resolves"][0],
    "bb_untrained": final["untrained"][0],
    "bb_untrained_class": chi["untrained", last]["by class"],
    "bb_means": of_means["classifies"][0],
    "bb_sr_means": of_means["super-resolves"][0],
    "bb_accuracy": 100 * test_accuracy,
    "bb_accuracy_blur": 100 * right[blur],
    "bb_accuracy_noise": 100 * right[noise],
}.items():
    glue(key, float(value), display=False)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: 95 % bootstrap interval over contents.", "name": "fig-backbone-verdict"}}
headline = {f"{kind}: CHI by class / by degradation": final[kind] for kind in final}
pooled = {f"{kind}: the same, means over the picture": of_means[kind] for kind in of_means}
record(
    finding,
    checks={
        "trained to classify: CHI by class over CHI by degradation is above 1, interval included": (
            final["classifies"][1] > 1
        ),
        "trained to super-resolve: that ratio is below 1, interval included": (
            final["super-resolves"][2] < 1
        ),
        "untrained: that ratio lies between the two": (
            final["super-resolves"][0] < final["untrained"][0] < final["classifies"][0]
        ),
        "trained to classify: CHI by class is at least 20 and above the untrained body's": (
            chi["classifies", last]["by class"] >= max(20, chi["untrained", last]["by class"])
        ),
        "trained to super-resolve: CHI by degradation is at least 20 and above the untrained "
        "body's": chi["super-resolves", last]["by degradation"]
        >= max(20, chi["untrained", last]["by degradation"]),
    },
    measured={
        **{name: value for name, (value, _, _) in reversed(headline.items())},
        "accuracy, clean test pictures": test_accuracy,
        **{f"accuracy, shown patches, {kind}": value for kind, value in right.items()},
        **{
            f"{kind}: CHI {label}": value
            for kind in models
            for label, value in chi[kind, last].items()
        },
        **{
            f"{kind}: CHI {label}, 50 PCA dimensions": value
            for kind in models
            for label, value in chi_pca[kind, last].items()
        },
        **{name: value for name, (value, _, _) in pooled.items()},
    },
    interval={name: own[1:] for name, own in {**headline, **pooled}.items()},
    paper={
        "classifies: CHI by class / by degradation": "clusters by class",
        "super-resolves: CHI by class / by degradation": "clusters by degradation",
        "accuracy, clean test pictures": "0.921 on CIFAR-10",
    },
    image_set=image_set,
    parameters={
        "num_patches": num_patches,
        "classes": len(task.names),
        "trained_live": live_steps if train else 0,
        "perplexity": perplexity,
    },
    checkpoints=[*([] if train else [classifier_name]), "rcan-sr"],
)

# %% [markdown]
# ## What we have seen
#
# - After the last block of the body that classifies, CHI is {glue:text}`bb_class:.1f` by class and
#   {glue:text}`bb_damage:.1f` by degradation, a ratio of {glue:text}`bb_ratio:.2f`; in the body that
#   super-resolves {glue:text}`bb_sr_class:.1f` and {glue:text}`bb_sr_damage:.1f`, a ratio of
#   {glue:text}`bb_sr_ratio:.3f`. Before any training the ratio was {glue:text}`bb_untrained:.2f`: random
#   layers hand on what the pixels have, and pixels of blurred and noisy pictures hardly lie apart.
#   A high ratio alone is therefore no sign of learning; CHI by class has to rise as well (from
#   {glue:text}`bb_untrained_class:.1f`).
# - Averaged over the picture, the features of the body that classifies have a ratio of
#   {glue:text}`bb_means:.2f`, those of the other one {glue:text}`bb_sr_means:.3f`. A body without
#   strides keeps every place; what it knows of the subject may lie in the averages rather than in
#   the places.
# - The classifier names {glue:text}`bb_accuracy:.0f` % of clean test pictures rightly, of the
#   blurred ones {glue:text}`bb_accuracy_blur:.0f` %, of the noisy ones
#   {glue:text}`bb_accuracy_noise:.0f` % (the paper's names 92 % of CIFAR-10's). A verdict on its features
#   is one on a classifier of this quality.
#
# ## Try it yourself
#
# - Set `image_set = "cifar10"` for the classes that the classifier was first trained on (the
#   pictures are downloaded on first use).
# - Set `train = True` and `live_steps = 1`. Features learnt on CIFAR-10 then meet photographs that they were never
#   asked to tell apart: is there less order by class?
# - Halve the damage (`blur_sigma=2`, 10/255) and compare with
#   {doc}`classification_vs_sr`, where milder damage is measured.
