# %% [markdown]
# (finding-classification-vs-sr)=
# # What do classifiers and SR networks sort pictures by?
#
# *9 minutes. You learn to judge one set of features under two labellings, and why it takes both. Builds on
# {doc}`global_residual`.*
#
# ## The claim
#
# Deep features of a **classifier** form a cloud for each class of subjects: the deeper the layer, the
# clearer, and blurred or noisy pictures still gather by subject. Deep features of a **super-resolution
# network** form a cloud for each *degradation*, whatever the pictures show ({cite:t}`liu2021discovering`,
# Sec. 4.2, Fig. 1, 4 and 5; accuracy of the paper's ResNet18 on CIFAR-10: 92.86 %).
#
# Why it matters: "semantics" in deep networks used to mean what a picture shows. What is noise under one
# labelling is the signal under the other.

# %% tags=["parameters", "hide-cell"] quick={"num_patches": 18, "classifier_seeds": [0], "training_seeds": [0], "blocks": [1, 2, 3, 4], "tsne_runs": 1, "perplexity": 8}
image_set = "photographs+textures"  # "cifar10" is the paper's; here each picture is a class
num_patches = 100  # contents, spread over the classes; each is shown under all three degradations
num_classes = 15  # at most so many pictures of the image set are classes
classifier_seeds = [0, 1, 2]  # classifiers, trained from other initializations; of CIFAR-10 one
training_seeds = [0, 1, 2]  # super-resolution networks, likewise; those that are shipped
blocks = [4, 8, 12, 16]  # residual blocks to compare with Conv2_x … Conv5_x; the last is judged
strengths = [0.5]  # milder blur and noise to look at as well, as shares of the paper's
tsne_runs = 5  # random starts of t-SNE for what is judged, as in the paper
perplexity = 30
train = False  # True trains the classifiers here instead of loading them (minutes; cifar10: hours)
live_steps = 150  # length of each of these trainings, of 32 patches a step; cifar10 has its own
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
from srlab.models import ResNet18
from srlab.representation.embedding import (
    embed,
    layer_components,
    layer_points,
    points,
    principal_components,
    separability,
)
from srlab.studies.ddr.clouds import thumbnails
from srlab.studies.ddr.labellings import both_indices, class_ratio, sample_row
from srlab.studies.ddr.restarts import dispersion_table, over_seeds, restarts, runs_index
from srlab.studies.frames import curves
from srlab.studies.networks import network, obtainable, subject_classifiers
from srlab.studies.study import Study, exceeds, outer, reaches
from srlab.training.classification import accuracy
from srlab.training.recipes import seed_names

study = Study(
    "ddr/classification_vs_sr",
    claim="Deep features of classifiers cluster by class, those of SR networks by degradation",
    source="DDR, Sec. 4.2, Fig. 1, 4, 5",
    claims={
        "classifiers": "after Conv5_x, CHI by class over CHI by degradation of clean, blurred and noisy "
        "pictures is above 1, in every classifier",
        "resolvers": "after the last block of SRResNet and SRGAN, CHI by degradation over CHI by class "
        "of the same pictures is above 1, in every network",
        "depth": "CHI by class of clean pictures is higher after Conv5_x than after Conv2_x, in every "
        "classifier",
        "level": "and reaches 20 (level +) after Conv5_x, in every classifier",
    },
    controls={
        "damaged": "among blurred and among noisy pictures alone, the first classifier's CHI by class is "
        "at least 20 and above the super-resolution networks'",
        "pixels": "CHI by class of the pixels of clean pictures stays below the classifiers'",
    },
    says={
        "classifiers": "Sec. 4.2: “after adding degradations to the test data, the deep "
        "representations obtained by the classification network (ResNet18) are still clustered by "
        "object categories”",
        "resolvers": "Sec. 4.2: “the deep representations obtained by SR networks (SRResNet and "
        "SRGAN) are clustered with regard to degradation types”",
        "depth": "Sec. 4.2, Fig. 4: “the learned features are increasingly becoming semantically "
        "discriminative”",
        "level": "Sec. 4.2, Fig. 4: “as the network deepens, the extracted feature representations "
        "produce obvious discriminative clusters”",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

# %% tags=["hide-cell"]
degradations = [Degradation(), Degradation(blur_sigma=4), Degradation(noise_sigma=20 / 255)]
names, pairs = subject_task(image_set, degradations, count=num_patches, most=num_classes)
kinds, contents, subjects = pairs.degradation_labels, pairs.content_labels, np.array(pairs.contents)
tests, lr = by_degradation(pairs, names), pairs.lr.to(study.device)

by_name = subject_classifiers(
    "resnet18",
    image_set,
    classifier_seeds,
    classes=num_classes,
    train=train,
    steps=live_steps,
    device=study.device,
)
classifiers = list(by_name.values())
RESOLVERS = {"SRResNet": "srresnet-gr", "SRGAN": "srgan-gr"}
resolvers = {kind: obtainable(seed_names(base, training_seeds)) for kind, base in RESOLVERS.items()}

right = {kind: [accuracy(model, data) for model in classifiers] for kind, data in tests.items()}
everything = cifar10("test") if image_set == "cifar10" else tests[str(degradations[0])]
test_accuracy = [accuracy(model, everything) for model in classifiers]

LAYERS = {"classifier": ResNet18.taps}
LAYERS |= {kind: [f"body.{block - 1}" for block in blocks] for kind in RESOLVERS}
models = {("classifier", seed): model for seed, model in enumerate(classifiers)} | {
    (kind, seed): network(name, device=study.device)
    for kind, own in resolvers.items()
    for seed, name in enumerate(own)
}
first, last = 0, len(blocks) - 1
components = {("pixels", 0, last): principal_components(points(pairs.lr))}
clean, alone = {"pixels": principal_components(points(pairs.lr[:: len(tests)]))}, {}
for (kind, seed), model in models.items():
    features = layer_points(model, lr, LAYERS[kind])
    for depth, layer in enumerate(LAYERS[kind]):
        components[kind, seed, depth] = principal_components(features[layer])
        if kind == "classifier" and depth in (first, last):
            clean[seed, depth] = principal_components(features[layer][:: len(tests)])
    if seed == 0:
        for k, degradation in enumerate(tests):
            alone[kind, degradation] = principal_components(features[layer][k :: len(tests)])

embeddings = {
    key: embed(cloud, perplexity=perplexity) for key, cloud in components.items() if key[1] == 0
}
alone = {key: embed(cloud, perplexity=perplexity) for key, cloud in alone.items()}
chi_alone = {key: separability(cloud, subjects).index for key, cloud in alone.items()}

TSNE, PCA = "CHI, t-SNE", "CHI, 50 PCA dimensions"
chi = pd.DataFrame(
    {"measure": title, "network": kind, "seed": seed, "depth": depth, "label": label}
    | {"line": f"{kind}, {label}", "value": value}
    for title, clouds in {TSNE: embeddings, PCA: components}.items()
    for (kind, seed, depth), cloud in clouds.items()
    for label, value in both_indices(cloud, pairs).items()
)

each = np.arange(len(subjects))
by_class, by_damage = {}, {}
for key in models:
    runs = restarts(components[*key, last], tsne_runs, perplexity=perplexity)
    by_class[key] = runs_index(runs, contents, np.repeat(each, len(tests)))
    by_damage[key] = runs_index(runs, kinds, np.repeat(each, len(tests)))
of_clean = {
    key: runs_index(restarts(cloud, tsne_runs, perplexity=perplexity), subjects, each)
    for key, cloud in clean.items()
}

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE of the features of both kinds of networks along their depth (first seed). Colour: degradation; symbol: subject. Above each panel the Caliński–Harabasz index (CHI) by class and by degradation. Compare the right end of the rows: in which of them do colours lie apart? Point at a dot to see its patch.", "name": "fig-cls-degradation"}}
titles = [f"{stage.capitalize()} · block {b}" for stage, b in zip(ResNet18.taps, blocks)]
places = {(kind, title): (kind, 0, d) for kind in LAYERS for d, title in enumerate(titles)}
panels = {place: embeddings[key] for place, key in places.items()}
layered = chi[chi.network != "pixels"]
shown = layered[(layered.measure == TSNE) & (layered.seed == 0)]
notes = {
    (kind, titles[d]): "class {:.0f}<br>degradation {:.0f}".format(*own.sort_values("label").value)
    for (kind, d), own in shown.groupby(["network", "depth"])
}
sprites = thumbnails(pairs.lr)
embedding_grid(panels, classes=kinds, contents=contents, sprites=sprites, notes=notes)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The same dots in the same places, now coloured by subject (symbol: degradation). In which rows do colours gather from left to right? A group of three dots is one patch under its three degradations.", "name": "fig-cls-class"}}
embedding_grid(panels, classes=contents, contents=kinds, sprites=sprites, notes=notes)

# %% [markdown]
# ## What we run, and what differs from the paper
#
# The paper's data is CIFAR-10; `image_set = "cifar10"` runs on it, and that column of the scoreboard speaks
# of the paper's claim. This page needs no data set and asks an easier question, **which photograph is the
# patch from?**
#
# | | paper | here, on CIFAR-10 | here, without it (default) |
# |---|---|---|---|
# | classifier | ResNet18 ({cite:t}`he2016deep`), 64 channels in its own paper | the same with 32 channels | with 16 channels, three seeds |
# | trained on | 50 000 pictures of CIFAR-10 ({cite:t}`krizhevsky2009learning`) | 20 000 of them, 15 000 steps | left halves of six photographs and three textures, 150 steps |
# | shown | 100 test pictures per class | `num_patches`, spread over ten classes | patches of the right halves |
# | super-resolvers | SRResNet and SRGAN, 64 channels in their own paper, 600 000 steps on DIV2K | with {term}`global residual`, 32 channels, 6 000 steps and 5 000 more with a critic, three seeds | the same |
# | degradations | clean, blur of width 4, noise of σ 20/255 | the same | the same |
# | judged by | looking | mean over five t-SNE runs | the same |
# | with more training | – | not shown: snapshots of the classifier do not ship | not shown: {doc}`training_evolution` follows a super-resolver |
#
# No network met blur or noise in training, and all see the same 32×32 pictures. Colours alone tell much
# about which photograph a patch is from, so the pixels are measured too. CHI has one value for each
# labelling of the same points and is divided by $K-1$ for $K$ classes, so the two can be compared: their
# **ratio** says which labelling a layer sorts by. Its 95 % interval comes from drawing contents with
# replacement.

# %% tags=["remove-input"]
study

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Four of the test pictures under the three degradations, as both kinds of networks see them. Two questions can be asked of each: what is it, and what happened to it?", "name": "fig-cls-patches"}}
picture_row(sample_row(pairs), height=200)

# %% [markdown]
# ## Where do the two kinds of networks part?

# %% tags=["hide-input"] mystnb={"figure": {"caption": "CHI under both labellings along the depth. Above in the plane (first networks), below on the 50 principal components (mean over networks, bands from the lowest to the highest). Which of a network's two lines is on top at the right end?", "name": "fig-cls-depth"}}
lines, bands = curves(layered, panel="measure", line="line", x="depth")
stacked_curves(
    [depth + 1 for depth in range(len(blocks))],
    lines,
    bands=bands,
    x_title="layer: Conv2_x to Conv5_x, or the residual blocks shown",
    log_y=list(lines),
)

# %% [markdown]
# ## Blur alone, noise alone, and milder damage
#
# Do only the clean pictures give a classifier its order by class? Here each degradation is embedded on its
# own, so that only subjects are left to sort by. Then all three again under milder damage: a blur of 4
# pixels leaves little of a subject 32 pixels wide. This is no part of the criterion.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The deepest layers for clean, blurred and noisy patches, each embedded alone (first seed). Colour: subject. Do the colours of the upper row still gather under blur and noise?", "name": "fig-cls-alone"}}
cells = [(kind, degradation) for kind in LAYERS for degradation in tests]
embedding_grid(
    {cell: alone[cell] for cell in cells},
    classes=subjects,
    contents=subjects,
    sprites=thumbnails(pairs.lr[:: len(tests)]),
    notes={cell: f"CHI {chi_alone[cell]:.0f}" for cell in cells},
)

# %% tags=["hide-cell"]
RATIO = "CHI by class / by degradation"


def under(share):
    """(ratio, low, high) of each kind, and the accuracy (blurred, noisy), under milder damage."""
    milder = [Degradation(), Degradation(blur_sigma=4 * share)]
    milder += [Degradation(noise_sigma=20 / 255 * share)]
    pairs = subject_task(image_set, milder, count=num_patches, most=num_classes).pairs
    found = {}
    for kind, layers in LAYERS.items():
        cloud = layer_components(models[kind, 0], pairs.lr.to(study.device), layers[-1:])
        found[kind] = class_ratio(embed(*cloud.values(), perplexity=perplexity), pairs)
    _, *damaged = by_degradation(pairs, names).values()
    return found, [accuracy(classifiers[0], data) for data in damaged]


milder = {share: under(share) for share in strengths}
named = [values[0] for values in right.values()][1:]
milder[1] = {kind: class_ratio(embeddings[kind, 0, last], pairs) for kind in LAYERS}, named

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Milder damage, up to that of the paper at 1. Above: CHI by class over CHI by degradation in the deepest layers (bands: 95 % bootstrap over contents); below 1 a layer sorts by degradation. Below: the share of patches that the classifier names correctly. Does its ratio fall where its accuracy does?", "name": "fig-cls-strength"}}
along = {kind: np.transpose([found[kind] for found, _ in milder.values()]) for kind in LAYERS}
accuracies = zip(("blurred", "noisy"), np.transpose([named for _, named in milder.values()]))
figure = stacked_curves(
    list(milder),
    {RATIO: {kind: own[0] for kind, own in along.items()}}
    | {f"accuracy, {name}": {"classifier": values} for name, values in accuracies},
    bands={RATIO: {kind: tuple(own[1:]) for kind, own in along.items()}},
    x_title="share of the paper's blur (4 pixels) and noise (20/255)",
    log_y=[RATIO],
)
figure.update_layout(yaxis2_range=[0, 1.03], yaxis3_range=[0, 1.03])

# %% [markdown]
# ## Verdict

# %% tags=["hide-cell"]
ratios = pd.DataFrame(
    {key: by_class[key].over(by_damage[key]) for key in models}, index=["ratio", "low", "high"]
).T
typical = np.exp(np.log(ratios.ratio).groupby(level=0).mean())  # geometric mean
ends = {kind: outer(ratios.loc[kind][["low", "high"]].to_numpy()) for kind in LAYERS}
resolving = outer(ends[kind] for kind in RESOLVERS)
seeds = range(len(classifiers))
depth = outer(of_clean[seed, last].over(of_clean[seed, first])[1:] for seed in seeds)
level = outer(of_clean[seed, last].interval for seed in seeds)
beyond = outer(of_clean[seed, last].over(of_clean["pixels"])[1:] for seed in seeds)
_, blur, noise = tests
damaged = {kind: [chi_alone[kind, own] for own in (blur, noise)] for kind in LAYERS}

# %% [markdown]
# Dispersion within (WD) and between (BD) the classes, and CHI, as the paper prints them: mean ± standard
# deviation over the runs of t-SNE (first seed).

# %% tags=["hide-input"]
rows = {f"{kind}, by class": by_class[kind, 0] for kind in LAYERS}
rows |= {f"{kind}, by degradation": by_damage[kind, 0] for kind in LAYERS}
stages = {"Conv2_x": first, "Conv5_x": last}
rows |= {f"classifier, {stage}, clean, by class": of_clean[0, at] for stage, at in stages.items()}
dispersion_table(rows)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run: means over t-SNE runs. Spread: the outer ends of the networks' 95 % bootstrap intervals over contents; lowest to highest over networks for accuracies.", "name": "fig-cls-verdict"}}
deep = chi[(chi.depth == last) & (chi.measure == PCA)]
linear = deep.groupby(["network", "label"])["value"].mean()
SHORT = {"classifier": "cls", "SRResNet": "cls_sr", "SRGAN": "cls_gan"}
for kind, short in SHORT.items():
    paper = "clusters by class" if kind == "classifier" else "clusters by degradation"
    name, own = f"{kind}: {RATIO}", {"interval": ends[kind], "paper": paper}
    study.measure(name, typical[kind], **own, glue=f"{short}_ratio")
for kind, short in SHORT.items():
    for label, found in (("class", by_class), ("degradation", by_damage)):
        own = over_seeds(found[key] for key in models if key[0] == kind)
        study.measure(f"{kind}: CHI by {label}", **own, glue=f"{short}_{label}")
for title, depth_at in stages.items():
    own = over_seeds(of_clean[seed, depth_at] for seed in seeds)
    name = f"classifier: CHI by class of clean pictures, {title}"
    study.measure(name, **own, glue=f"cls_clean_{title.lower()}")
pixels = over_seeds([of_clean["pixels"]])
study.measure("pixels: CHI by class of clean pictures", **pixels, glue="cls_pixels")
named = {"clean test pictures": test_accuracy}
named |= {f"shown pictures, {kind}": values for kind, values in right.items()}
for kind, values in named.items():
    paper = "0.929 on CIFAR-10" if kind == "clean test pictures" else ""
    study.measure(f"accuracy, {kind}", values if len(values) > 1 else values[0], paper=paper)
for kind in LAYERS:
    for name in tests:
        study.measure(f"{kind}: CHI by class, {name} alone", chi_alone[kind, name])
for kind in LAYERS:
    for label in ("by class", "by degradation"):
        study.measure(f"{kind}: CHI {label}, 50 PCA dimensions", linear[kind, label])

for kind, short in SHORT.items():
    values = {"damaged": np.mean(damaged[kind]), "mild": along[kind][0][0]}
    study.glue(**{f"{short}_{word}": value for word, value in values.items()})
named = {"": test_accuracy, "_blur": right[blur], "_noise": right[noise]}
study.glue(**{f"cls_accuracy{ending}": 100 * np.mean(own) for ending, own in named.items()})
study.glue(cls_share=100 * next(iter(milder)), cls_chance=100 / len(names))
low, high = resolving
lowest, theirs = min(damaged["classifier"]), max(*damaged["SRResNet"], *damaged["SRGAN"])
study.verdict(
    classifiers=exceeds(ends["classifier"], 1),
    resolvers=exceeds((1 / high, 1 / low), 1),
    depth=exceeds(depth, 1),
    level=reaches(level, 20),
    damaged=lowest >= 20 and lowest > theirs,
    pixels=exceeds(beyond, 1),
    notes={"classes": len(names)},
    checkpoints=[*([] if train else by_name), *resolvers["SRResNet"], *resolvers["SRGAN"]],
)

# %% [markdown]
# ## What we have seen
#
# | deepest layer | CHI by class | by degradation | ratio | ratio at {glue:text}`cls_share:.0f` % of the damage | blurred or noisy alone, by class |
# |---|---|---|---|---|---|
# | classifier | {glue:text}`cls_class:.1f` | {glue:text}`cls_degradation:.2f` | {glue:text}`cls_ratio:,.1f` | {glue:text}`cls_mild:,.1f` | {glue:text}`cls_damaged:.1f` |
# | SRResNet | {glue:text}`cls_sr_class:.1f` | {glue:text}`cls_sr_degradation:.1f` | {glue:text}`cls_sr_ratio:.3f` | {glue:text}`cls_sr_mild:.3f` | {glue:text}`cls_sr_damaged:.1f` |
# | SRGAN | {glue:text}`cls_gan_class:.1f` | {glue:text}`cls_gan_degradation:.1f` | {glue:text}`cls_gan_ratio:.3f` | {glue:text}`cls_gan_mild:.3f` | {glue:text}`cls_gan_damaged:.1f` |
#
# - Clean pictures by themselves: CHI by class is {glue:text}`cls_clean_conv2_x:.1f` after Conv2_x,
#   {glue:text}`cls_clean_conv5_x:.1f` after Conv5_x and {glue:text}`cls_pixels:.1f` for the pixels.
# - The classifiers name {glue:text}`cls_accuracy:.0f` % of clean test pictures correctly (chance:
#   {glue:text}`cls_chance:.0f` %), {glue:text}`cls_accuracy_blur:.0f` % of the blurred and
#   {glue:text}`cls_accuracy_noise:.0f` % of the noisy ones. A classifier can gather by subject only what it
#   still recognizes.
# - Which photograph a patch is from can be told by its colours, blurred or not; what an object of 32
#   pixels is can hardly be told. Where the runs on photographs and on CIFAR-10 differ, the one on CIFAR-10
#   speaks of the paper's claim.
#
# ## Exercises
#
# 1. Why may CHI by class and CHI by degradation be compared although there are more classes than
#    degradations?
# 2. The pixels already have a CHI by class. What would it mean if the classifier's were no higher?
# 3. Set `train = True` and `live_steps = 10`: a classifier that has hardly learnt. What should its features
#    sort by?
#
# ```{dropdown} Answers
# 1. CHI divides both dispersions by their degrees of freedom, $K-1$ between and $N-K$ within, so labels
#    that mean nothing have an expected value of about 1, whatever $K$.
# 2. The clouds could come from colour and brightness, which the network merely passes on; only the excess
#    over the pixels is learnt.
# 3. By what the pixels hold, that is by colour and brightness: random layers pass their input's geometry on
#    ({doc}`unified_backbone` measures an untrained body).
# ```
#
# To go on: `image_set = "cifar10"` has real classes (downloaded on first use), and `strengths = [0.05,
# 0.5]` adds weaker damage.
