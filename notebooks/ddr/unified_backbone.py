# %% [markdown]
# (finding-unified-backbone)=
# # One backbone, two tasks: does the task decide what features mean?
#
# *8 minutes. You learn how to compare two tasks on one architecture, and what an untrained network is good
# for. Builds on {doc}`classification_vs_sr`.*
#
# ## The claim
#
# A ResNet18 sorts pictures by subject, an SRResNet by degradation. But they differ in strides,
# normalization and depth. So let **one** body do both: residual blocks with channel attention, once in
# front of a tail that names the picture, once in front of one that enlarges it. The first body's deep
# features cluster by class (accuracy on CIFAR-10: 92.08 %), the second's by degradation
# ({cite:t}`liu2021discovering`, Sec. A.10, Fig. 18–20).
#
# Why it matters: it is the controlled experiment behind the comparison. Only the question that the network
# was trained to answer differs.

# %% tags=["parameters", "hide-cell"] quick={"num_patches": 27, "blocks": [1, 2], "tsne_runs": 1, "perplexity": 8}
image_set = "photographs+textures"  # each picture is a class; "cifar10" for the paper's classes
num_patches = 100  # contents, spread over the classes; each is shown under all three degradations
num_classes = 10  # at most so many pictures are classes: the classifier has a tail of ten
blocks = [2, 4, 6, 8]  # blocks of the body whose output is taken; it has eight
tsne_runs = 5  # random starts of t-SNE for what is judged, as in the paper
perplexity = 30
train = False  # True teaches a CIFAR-10 classifier these photographs here, or CIFAR-10 (minutes)
live_steps = 100  # length of that training, of 32 patches a step
device = "auto"

# %% tags=["hide-cell"]
import numpy as np
import pandas as pd

from srlab.data.labelled import cifar10
from srlab.data.subjects import by_degradation, subject_task
from srlab.degradations import Degradation
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.embeddings import embedding_grid
from srlab.figures.pictures import picture_row
from srlab.figures.tables import matrix_heatmap
from srlab.representation.embedding import embed, layer_points, principal_components
from srlab.statistics import middle
from srlab.studies.ddr.clouds import thumbnails
from srlab.studies.ddr.labellings import both_indices, class_ratio, sample_row
from srlab.studies.ddr.restarts import dispersion_table, restarts, runs_index
from srlab.studies.networks import network, subject_classifiers
from srlab.studies.study import Study, exceeds, reaches, together
from srlab.training.classification import accuracy
from srlab.training.initial import initial_model
from srlab.training.recipes import recipe

study = Study(
    "ddr/unified_backbone",
    claim="In one backbone, the task decides whether features sort by class or by degradation",
    source="DDR, Sec. A.10, Fig. 18–20",
    claims={
        "task": "after the last block, CHI by class over CHI by degradation of the same pictures is "
        "above 1 in the body that classifies and below 1 in the body that super-resolves",
        "classes": "trained to classify: CHI by class of clean pictures reaches 20 (level +)",
        "damage": "trained to super-resolve: CHI by degradation reaches 20 (level +)",
    },
    controls={
        "untrained": "untrained: the ratio lies between those of the two trained bodies",
        "learnt": "trained to classify: CHI by class of clean pictures exceeds the untrained body's",
        "learnt_damage": "trained to super-resolve: CHI by degradation exceeds the untrained body's",
    },
    says={
        "task": "Sec. A.10: “the semantic representations do not stem from network structures, but "
        "from the task itself”",
        "classes": "Sec. A.10, Fig. 19: “the observations are consistent with the findings in the "
        "main paper”, there (Sec. 4.2) “obvious discriminative clusters” by category",
        "damage": "Sec. A.10, Fig. 20: “we adopt global residual (GR) in the network design to obtain "
        "deep degradation representations (DDR)”",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

# %% tags=["hide-cell"]
degradations = [Degradation(), Degradation(blur_sigma=4), Degradation(noise_sigma=20 / 255)]
names, pairs = subject_task(image_set, degradations, count=num_patches, most=num_classes)
kinds, contents = pairs.degradation_labels, pairs.content_labels
tests, lr = by_degradation(pairs, names), pairs.lr.to(study.device)

found = subject_classifiers("rcan", image_set, train=train, steps=live_steps, device=study.device)
[(classifier_name, classifier)] = found.items()
models = {
    "untrained": initial_model(recipe("rcan-sr")).eval().to(study.device),
    "classifies": classifier,
    "super-resolves": network("rcan-sr", device=study.device),
}
right = {kind: accuracy(classifier, data) for kind, data in tests.items()}
everything = cifar10("test") if image_set == "cifar10" else tests[str(degradations[0])]
test_accuracy = accuracy(classifier, everything)

layers, last = [f"body.{block - 1}" for block in blocks], blocks[-1]
channels = recipe("rcan-sr").hyperparameters["channels"]
components, means, clean_points = {}, {}, {}
for kind, model in models.items():
    features = layer_points(model, lr, layers)
    for block, layer in zip(blocks, layers, strict=True):
        components[kind, block] = principal_components(features[layer])
    clean_points[kind] = principal_components(features[layer][:: len(degradations)])
    means[kind, last] = features[layer].reshape(len(lr), channels, -1).mean(axis=2)

embeddings, mean_embeddings = (
    {key: embed(cloud, perplexity=perplexity) for key, cloud in clouds.items()}
    for clouds in (components, means)
)
spaces = {"t-SNE": embeddings, "50 PCA": components, "means": mean_embeddings}
chi = pd.DataFrame(
    {"space": space, "body": kind, "block": block, "label": label, "value": value}
    for space, clouds in spaces.items()
    for (kind, block), cloud in clouds.items()
    for label, value in both_indices(cloud, pairs).items()
)
ratios, of_means = (  # CHI by class over CHI by degradation, low, high
    {key: class_ratio(cloud, pairs) for key, cloud in clouds.items()}
    for clouds in (embeddings, mean_embeddings)
)

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE of the features along the depth of one body: untrained, trained to classify, trained to super-resolve. Colour: degradation; symbol: subject. Above each panel the Caliński–Harabasz index (CHI) by class and by degradation. Whatever differs between the rows of the last column was learnt. Point at a dot to see its patch.", "name": "fig-backbone-degradation"}}
panels = {(kind, f"block {block}"): cloud for (kind, block), cloud in embeddings.items()}
notes = {
    (kind, f"block {block}"): "class {:.0f}<br>degradation {:.0f}".format(
        *own.sort_values("label").value
    )
    for (kind, block), own in chi[chi.space == "t-SNE"].groupby(["body", "block"])
}
sprites = thumbnails(pairs.lr)
embedding_grid(panels, classes=kinds, contents=contents, sprites=sprites, notes=notes)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The same dots in the same places, coloured by subject (symbol: degradation). In which row, and from which block on, do colours gather?", "name": "fig-backbone-class"}}
embedding_grid(panels, classes=contents, contents=kinds, sprites=sprites, notes=notes)

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | body | residual channel attention ({cite:t}`zhang2018image`) | 8 blocks of 32 channels, attention reduced by 4, no normalization, no strides |
# | tail to classify | three max-poolings, a fully connected layer | with `image_set = "cifar10"` the same; by default mean over the picture, one linear layer |
# | tail to super-resolve | two pixel-shuffles, {term}`global residual` | the same |
# | training to classify | CIFAR-10, 50 000 pictures, SGD | CIFAR-10, 20 000 pictures, Adam, 4 000 steps of 32: short for a body without normalization |
# | training to super-resolve | DIV2K | 577 pictures, 4 000 steps, L1 |
# | classes looked at | 1 000 test pictures of CIFAR-10 | `cifar10`: `num_patches` of its test pictures; default, **a stand-in: which photograph is the patch from?** A CIFAR-10 classifier whose tail takes means learns on for 100 steps from the left halves of six photographs and three textures, and is judged on the right halves |
# | with more training | – | not shown: snapshots of neither body ship; {doc}`training_evolution` follows a super-resolver |
# | control | – | the same body **before any training** |
#
# All bodies see the same clean, blurred and noisy 32×32 pictures. As in the paper, features are flattened:
# each place counts for itself. By default the classifier's tail averages over all places, so the features'
# **means over the picture** are measured too. Photographs differ in colour, so untrained features may be sorted by
# class as well: only the difference to them was learnt. There is one training seed of each task; intervals
# come from drawing contents with replacement.

# %% tags=["remove-input"]
study

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Four of the test pictures under the three degradations, as all bodies see them. Which can still be named?", "name": "fig-backbone-patches"}}
picture_row(sample_row(pairs), height=200)

# %% [markdown]
# ## Where the two bodies part

# %% tags=["hide-input"] mystnb={"figure": {"caption": "CHI by class over CHI by degradation after the blocks of three equal bodies (bands: 95 % bootstrap over contents). Above 1 a layer sorts by class, below 1 by degradation. This is one t-SNE run; the verdict averages several from random starts. How far do the trained bodies lie from the untrained one, and on which sides of it?", "name": "fig-backbone-depth"}}
curves = {kind: np.array([ratios[kind, block] for block in blocks]).T for kind in models}
title = "CHI by class / by degradation"
stacked_curves(
    blocks,
    {title: {kind: rows[0] for kind, rows in curves.items()}},
    bands={title: {kind: (rows[1], rows[2]) for kind, rows in curves.items()}},
    x_title="block of the body",
    log_y=[title],
)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "CHI after the last block by class and by degradation: in the embedding, on the 50 principal components, and in the embedding of the features' means over the picture, which are all that the tail of the default classifier uses. If the claim holds, “by class” is larger for the body that classifies and “by degradation” for the one that super-resolves.", "name": "fig-backbone-table"}}
labels = ["by class", "by degradation"]
columns = [(space, label) for space in spaces for label in labels]
at_end = chi[chi.block == last].pivot(index="body", columns=["space", "label"], values="value")
matrix_heatmap(
    at_end.loc[list(models), columns].to_numpy(),
    list(models),
    [f"{label.removeprefix('by ')},<br>{space}" for space, label in columns],
    colour_title="CHI",
    log=True,
)

# %% [markdown]
# ## Verdict

# %% tags=["hide-cell"]
groups = np.repeat(np.arange(len(pairs.contents)), len(degradations))
clean = kinds == kinds[0]
by_class, by_damage, by_clean = {}, {}, {}
for kind in models:
    runs = restarts(components[kind, last], tsne_runs, perplexity=perplexity)
    by_class[kind] = runs_index(runs, contents, groups)
    by_damage[kind] = runs_index(runs, kinds, groups)
    alone = restarts(clean_points[kind], tsne_runs, perplexity=perplexity)
    by_clean[kind] = runs_index(alone, contents[clean], groups[clean])
final = {kind: by_class[kind].over(by_damage[kind]) for kind in models}

# %% [markdown]
# Dispersion within (WD) and between (BD) the classes, and CHI, as the paper prints them: mean ± standard
# deviation over the runs of t-SNE. The two labellings share their dots, so WD + BD is the same for both.

# %% tags=["hide-input"]
labellings = {"by class": by_class, "by degradation": by_damage, "clean, by class": by_clean}
dispersion_table(
    {f"{kind}, {name}": own[kind] for kind in models for name, own in labellings.items()}
)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run: means over t-SNE runs. Spread: 95 % bootstrap interval over contents.", "name": "fig-backbone-verdict"}}
PAPER = {"classifies": "clusters by class", "super-resolves": "clusters by degradation"}
SHORT = {"untrained": "bb_untrained", "classifies": "bb", "super-resolves": "bb_sr"}
for kind, (value, *ends) in reversed(final.items()):
    name, paper = f"{kind}: CHI by class / by degradation", PAPER.get(kind, "")
    study.measure(name, value, interval=ends, paper=paper, glue=f"{SHORT[kind]}_ratio")
study.measure("accuracy, clean test pictures", test_accuracy, paper="0.921 on CIFAR-10")
for kind, value in right.items():
    study.measure(f"accuracy, shown patches, {kind}", value)
JUDGED = {"CHI by class, clean pictures": by_clean, "CHI by class": by_class}
JUDGED |= {"CHI by degradation": by_damage}
WORDS = dict(zip(JUDGED, ("clean", "class", "damage")))
for kind, short in SHORT.items():
    for title, found in JUDGED.items():
        index, glue = found[kind], f"{short}_{WORDS[title]}"
        study.measure(f"{kind}: {title}", index.mean, interval=index.interval, glue=glue)
for kind in models:
    for label in labels:
        name = f"{kind}: CHI {label}, 50 PCA dimensions"
        study.measure(name, at_end.at[kind, ("50 PCA", label)])
for (kind, _), (value, *ends) in of_means.items():
    study.measure(f"{kind}: the same, means over the picture", value, interval=ends)

_, blur, noise = (100 * value for value in right.values())
study.glue(bb_accuracy=100 * test_accuracy, bb_accuracy_blur=blur, bb_accuracy_noise=noise)
study.glue(
    bb_means=of_means["classifies", last][0], bb_sr_means=of_means["super-resolves", last][0]
)
up = final["classifies"]


def beyond(kind, other):
    """Interval of one body's ratio over another's, from the same contents."""
    own, others = (by_class[body].draws / by_damage[body].draws for body in (kind, other))
    return middle(own / others)


sorts_by_damage = by_damage["super-resolves"].over(by_class["super-resolves"])
study.verdict(
    task=together(exceeds(up[1:], 1), exceeds(sorts_by_damage[1:], 1)),
    classes=reaches(by_clean["classifies"].interval, 20),
    damage=reaches(by_damage["super-resolves"].interval, 20),
    untrained=together(
        exceeds(beyond("classifies", "untrained"), 1),
        exceeds(beyond("untrained", "super-resolves"), 1),
    ),
    learnt=exceeds(by_clean["classifies"].over(by_clean["untrained"])[1:], 1),
    learnt_damage=exceeds(by_damage["super-resolves"].over(by_damage["untrained"])[1:], 1),
    notes={"classes": len(names), "accuracy": test_accuracy},
    checkpoints=[*([] if train else [classifier_name]), "rcan-sr"],
)

# %% [markdown]
# ## What we have seen
#
# | after the last block | CHI by class | by degradation | ratio | clean pictures, by class |
# |---|---|---|---|---|
# | untrained | {glue:text}`bb_untrained_class:.1f` | {glue:text}`bb_untrained_damage:.1f` | {glue:text}`bb_untrained_ratio:.2f` | {glue:text}`bb_untrained_clean:.1f` |
# | classifies | {glue:text}`bb_class:.1f` | {glue:text}`bb_damage:.1f` | {glue:text}`bb_ratio:.2f` | {glue:text}`bb_clean:.1f` |
# | super-resolves | {glue:text}`bb_sr_class:.1f` | {glue:text}`bb_sr_damage:.1f` | {glue:text}`bb_sr_ratio:.3f` | {glue:text}`bb_sr_clean:.1f` |
#
# - Read a ratio against the untrained row: random layers pass on what the pixels have. A high ratio alone
#   is no sign of learning.
# - The figures show one t-SNE run, started from the principal components; this table and the verdict average
#   runs from random starts. Where the two disagree on which side of 1 a body lies, the answer hangs on
#   t-SNE's start.
# - Averaged over the picture, the features of the body that classifies have a ratio of
#   {glue:text}`bb_means:.2f`, those of the other {glue:text}`bb_sr_means:.3f`. A body without strides
#   keeps every place; what it knows of the subject may lie in the averages.
# - The classifier names {glue:text}`bb_accuracy:.0f` % of clean test pictures correctly,
#   {glue:text}`bb_accuracy_blur:.0f` % of the blurred and {glue:text}`bb_accuracy_noise:.0f` % of the
#   noisy ones (the paper's names 92 % of CIFAR-10's). The verdict is about a classifier of this quality.
#
# ## Exercises
#
# 1. Why is the untrained body a better yardstick here than the pixels?
# 2. The two trained bodies share their architecture. What else still differs between their trainings?
# 3. Set `train = True` and `live_steps = 1`. What do you expect of CHI by class?
#
# ```{dropdown} Answers
# 1. It has the same layers and as many features as the trained ones, so whatever convolutions do by
#    themselves is in it already.
# 2. The pictures (CIFAR-10 against 577 photographs), the loss and the number of pictures seen: "task" here
#    includes its data.
# 3. The body then holds what it learnt on CIFAR-10 and hardly anything of these photographs, so less order
#    by class than after 100 steps.
# ```
#
# To go on: `image_set = "cifar10"` has the classes that the classifier was first trained on (downloaded on
# first use).
