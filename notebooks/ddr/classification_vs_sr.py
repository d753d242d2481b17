# %% [markdown]
# (finding-classification-vs-sr)=
# # Classifiers sort pictures by subject, super-resolvers by degradation
#
# ## The claim
#
# Deep features of a **classifier** form a cloud for each class of subjects. The deeper the layer,
# the clearer, and blurred or noisy pictures still gather by subject. Deep features of a
# **super-resolution network** form a cloud for each *degradation*, whatever the pictures show
# ({cite:t}`liu2021discovering`, Sec. 4.2, Fig. 1, 4 and 5).
#
# | deep features, 100 test pictures a class | of ResNet18 | of SRResNet and SRGAN |
# |---|---|---|
# | reported by the paper | cluster by class, more so from Conv2_x to Conv5_x | cluster by degradation |
# | with blur or noise | still by class | – |
# | accuracy on CIFAR-10 | 92.86 % | – |
#
# Why it matters: "semantics" in deep networks used to mean what a picture shows. A network that
# has nothing to name has semantics of another kind, and it takes **both** labellings of the same
# features to see that: what is noise in the one is the signal in the other.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"num_patches": 27, "classifier_seeds": [0], "training_seeds": [0], "blocks": [1, 2, 3, 4], "strengths": [0.5], "perplexity": 8}
image_set = "photographs+textures"  # each picture is a class; "cifar10" for the paper's classes
num_patches = 100  # contents, spread over the classes; each is shown under all three degradations
num_classes = 15  # at most so many pictures of the image set are classes
classifier_seeds = [0, 1, 2]  # classifiers, trained from other initializations; of CIFAR-10 one
training_seeds = [0, 1, 2]  # super-resolution networks, likewise
blocks = [4, 8, 12, 16]  # residual blocks to hold against Conv2_x … Conv5_x
strengths = [0.25, 0.5]  # milder blur and noise to look at as well, as shares of the paper's
perplexity = 30
train = False  # True trains the classifiers here instead of loading them (minutes)
live_steps = 150  # length of each of these trainings, of 32 patches a step
device = "auto"

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | classifier | ResNet18 ({cite:t}`he2016deep`), 64 channels | the same with 16 channels |
# | its classes | the ten of CIFAR-10 ({cite:t}`krizhevsky2009learning`) | **which photograph is the patch from?** Learnt from the left halves of six photographs and three textures in 150 steps, three seeds, judged on the right halves |
# | … with `image_set = "cifar10"` | trained on 50 000 pictures; 100 test pictures a class | trained on 20 000; 10 test pictures a class, accuracy on 2 000 |
# | super-resolver | SRResNet and SRGAN, 64 channels, 600 000 steps on DIV2K | SRResNet with {term}`global residual`, 32 channels, 6 000 steps, three seeds |
# | what it is shown | patches of photographs | **the same 32×32 pictures as the classifier** |
# | degradations | clean, blur of width 4, noise of σ 20/255 | the same |
#
# Which photograph a patch comes from is an easier question than what it shows: colours alone give
# much of the answer, and pixels may be sorted by class before any network has seen them. So the
# pixels stand in the tables too: the first claim is easy where they are.
#
# The CHI has one value for each labelling of the same points: by class, and by degradation. With
# $K$ classes it is divided by $K-1$, so values of both labellings can be compared; their **ratio**
# says which of the two a layer sorts by. Its 95 % interval comes from drawing contents with
# replacement.

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

from srlab.data.labelled import cifar10
from srlab.data.subjects import by_degradation, subject_task
from srlab.degradations import Degradation
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.embeddings import embedding_grid
from srlab.figures.pictures import picture_row, sprite_sheet
from srlab.figures.tables import matrix_heatmap
from srlab.images import image_to_array
from srlab.models import ResNet18
from srlab.representation.embedding import (
    embed,
    layer_components,
    layer_points,
    points,
    principal_components,
    separability,
)
from srlab.studies.ddr.labellings import both_indices, class_ratio, sample_row
from srlab.studies.frames import curves
from srlab.studies.networks import network, subject_classifiers
from srlab.studies.study import Study
from srlab.training.classification import accuracy
from srlab.training.recipes import seed_names

study = Study(
    "ddr/classification_vs_sr",
    claim="Deep features of classifiers cluster by class, those of SR networks by degradation",
    source="DDR, Sec. 4.2, Fig. 1, 4, 5",
    claims={
        "classifiers": "Conv5_x: CHI by class over CHI by degradation is above 1, interval included, "
        "in every classifier",
        "resolvers": "ResBlock 16: that ratio is below 1, interval included, in every SR network",
        "depth": "CHI by class is highest after the last stage, in every classifier",
        "damaged": "among blurred and among noisy patches alone, the classifiers' CHI by class is at "
        "least 20 and above the SR networks'",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)
study

# %% [markdown]
# ## Experiment
#
# The pictures: in rows subjects, in columns degradations. Every dot of this page is one of them.

# %%
degradations = [Degradation(), Degradation(blur_sigma=4), Degradation(noise_sigma=20 / 255)]
names, pairs = subject_task(image_set, degradations, count=num_patches, most=num_classes)
kinds, contents, subjects = pairs.degradation_labels, pairs.content_labels, np.array(pairs.contents)
tests, lr = by_degradation(pairs, names), pairs.lr.to(study.device)
pictures = np.stack([image_to_array(patch) for patch in pairs.lr])

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Four of the test pictures under the three degradations, as both kinds of networks see them. Two questions can be asked of each: what is it, and what happened to it?", "name": "fig-cls-patches"}}
picture_row(sample_row(pairs), height=200)

# %% [markdown]
# The networks. Classifiers learnt from clean patches only: none of the networks has met blur or
# noise.

# %%
by_name = subject_classifiers(
    "resnet18",
    image_set,
    classifier_seeds,
    classes=num_classes,
    train=train,
    steps=live_steps,
    device=study.device,
)
classifier_names, classifiers = list(by_name), list(by_name.values())
resolver_names = seed_names("srresnet-gr", training_seeds)
resolvers = [network(name, device=study.device) for name in resolver_names]

# %%
right = {kind: [accuracy(model, data) for model in classifiers] for kind, data in tests.items()}
everything = cifar10("test") if image_set == "cifar10" else tests[str(degradations[0])]
test_accuracy = [accuracy(model, everything) for model in classifiers]

# %% [markdown]
# Each network shows the same pictures four times, from shallow to deep. Features are flattened,
# reduced to 50 principal components, embedded in the plane, and measured under both labellings. The
# pixels that went in take the same way.

# %%
LAYERS = {"classifier": ResNet18.taps, "super-resolver": [f"body.{block - 1}" for block in blocks]}
models = {
    (kind, seed): model
    for kind, own in (("classifier", classifiers), ("super-resolver", resolvers))
    for seed, model in enumerate(own)
}
first, last = 0, len(blocks) - 1
components, alone = {("pixels", 0, last): principal_components(points(pairs.lr))}, {}
for (kind, seed), model in models.items():
    features = layer_points(model, lr, LAYERS[kind])
    for depth, layer in enumerate(LAYERS[kind]):
        components[kind, seed, depth] = principal_components(features[layer])
    deepest = features[LAYERS[kind][-1]]
    for k, degradation in enumerate(tests):
        alone[kind, seed, degradation] = principal_components(deepest[k :: len(tests)])

# %%
embeddings = {key: embed(cloud, perplexity=perplexity) for key, cloud in components.items()}
alone = {key: embed(cloud, perplexity=perplexity) for key, cloud in alone.items()}

TSNE, PCA = "CHI, t-SNE", "CHI, 50 PCA dimensions"
chi = pd.DataFrame(
    {"measure": title, "network": kind, "seed": seed, "depth": depth, "label": label}
    | {"line": f"{kind}, {label}", "value": value}
    for title, clouds in {TSNE: embeddings, PCA: components}.items()
    for (kind, seed, depth), cloud in clouds.items()
    for label, value in both_indices(cloud, pairs).items()
)
chi_alone = pd.DataFrame(
    {"network": kind, "seed": seed, "degradation": degradation}
    | {"value": separability(cloud, subjects).index}
    for (kind, seed, degradation), cloud in alone.items()
).pivot(index=["network", "seed"], columns="degradation", values="value")

# %% [markdown]
# ## By degradation?
#
# In this figure colour is the degradation. Follow the rows from left to right, shallow to deep.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE of the features of both kinds of networks along their depth (first seed). Colour: degradation; symbol: subject. Point at a dot to see its patch. Above each panel CHI by class and by degradation. Compare the lower right panel with the upper right one: in which of them do colours lie apart?", "name": "fig-cls-degradation"}}
titles = [f"{stage.capitalize()} · ResBlock {b}" for stage, b in zip(ResNet18.taps, blocks)]
places = {(kind, title): (kind, 0, d) for kind in LAYERS for d, title in enumerate(titles)}
panels = {place: embeddings[key] for place, key in places.items()}
layered = chi[chi.network != "pixels"]
shown = layered[(layered.measure == TSNE) & (layered.seed == 0)]
notes = {
    (kind, titles[d]): " · ".join(f"{row.label} {row.value:.0f}" for row in own.itertuples())
    for (kind, d), own in shown.groupby(["network", "depth"])
}
sprites = sprite_sheet(pictures)
embedding_grid(panels, classes=kinds, contents=contents, sprites=sprites, notes=notes)

# %% [markdown]
# ## By class?
#
# The same dots in the same places. Now colour is the subject, and the symbol the degradation.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The same embeddings, coloured by subject (symbol: degradation). Compare the rows: in which of them do colours gather from left to right? Each small group of three dots is one patch under its three degradations, wherever these do not matter.", "name": "fig-cls-class"}}
embedding_grid(panels, classes=contents, contents=kinds, sprites=sprites, notes=notes)

# %% [markdown]
# ## Along the depth

# %% tags=["hide-input"] mystnb={"figure": {"caption": "CHI under both labellings along the depth: mean over networks, bands from the lowest to the highest. Above in the plane, below on the 50 principal components. Look which of a network's two lines is on top at the right end, and how it came there.", "name": "fig-cls-depth"}}
lines, bands = curves(layered, panel="measure", line="line", x="depth")
stacked_curves(
    [depth + 1 for depth in range(len(blocks))],
    lines,
    bands=bands,
    x_title="layer, 1 = Conv2_x or first block shown, 4 = Conv5_x or last block shown",
    log_y=list(lines),
)

# %% [markdown]
# ## The table of two by two
#
# The deepest layers under both labellings, and for comparison the pixels that went in.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "CHI of the deepest layers by class and by degradation, mean over networks: the finding in one table. The claim is that the larger of two neighbours changes sides between the last two rows, in the plane (left) and on 50 principal components (right).", "name": "fig-cls-table"}}
deep = chi[chi.depth == last].pivot(
    index=["network", "seed"], columns=["measure", "label"], values="value"
)
table = deep.groupby("network").mean().loc[["pixels", *LAYERS]]
labels = {"by class": "class", "by degradation": "damage"}
columns = [(measure, label) for measure in (TSNE, PCA) for label in labels]
matrix_heatmap(
    table[columns].to_numpy(),
    list(table.index),
    [f"{label}, {measure.removeprefix('CHI, ')}" for measure, label in columns],
    colour_title="CHI",
    log=True,
)

# %% [markdown]
# ## Blur alone, noise alone
#
# Is a classifier's order by class owed to the clean pictures? Here each degradation is embedded
# on its own, so that nothing but subjects is left to sort by.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The deepest layers for clean, blurred and noisy patches, each embedded alone (first seed). Colour: subject. Above each panel CHI by class. Look whether the colours of the upper row still gather under blur and noise.", "name": "fig-cls-alone"}}
cells = [(kind, degradation) for kind in LAYERS for degradation in tests]
embedding_grid(
    {(kind, degradation): alone[kind, 0, degradation] for kind, degradation in cells},
    classes=subjects,
    contents=subjects,
    sprites=sprite_sheet(pictures[:: len(tests)]),
    notes={(k, d): f"CHI by class {chi_alone.at[(k, 0), d]:.0f}" for k, d in cells},
)

# %% [markdown]
# ## How much damage?
#
# A blur of 4 pixels leaves little of a subject that is 32 pixels wide. So the deepest layers once
# more, of the first network of each kind, under milder damage. This is no part of the criterion.

# %%
RATIO = "CHI by class / by degradation"
ratios = pd.DataFrame(
    {key: class_ratio(embeddings[*key, last], pairs) for key in models},
    index=["ratio", "low", "high"],
).T


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
milder[1] = {kind: tuple(ratios.loc[kind, 0]) for kind in LAYERS}, named

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Milder damage, up to that of the paper at 1. Above: CHI by class over CHI by degradation in the deepest layers (bands: 95 % bootstrap over contents); below 1 a layer sorts by degradation. Below: how many patches the classifier still names rightly. Look whether the classifier's ratio falls where its accuracy does.", "name": "fig-cls-strength"}}
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

# %%
typical = np.exp(np.log(ratios.ratio).groupby(level=0).mean())  # geometric mean
outer = {kind: (ratios.low[kind].min(), ratios.high[kind].max()) for kind in LAYERS}
own = layered[(layered.measure == TSNE) & (layered.line == "classifier, by class")]
by_class = own.pivot(index="seed", columns="depth", values="value")
_, blur, noise = tests
damaged = chi_alone[[blur, noise]]


# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: lowest to highest over networks; of the ratios the outer ends of the networks' 95 % bootstrap intervals.", "name": "fig-cls-verdict"}}
def measure(name, values, **more):
    """With the spread over networks where there are several."""
    study.measure(name, values if len(values) > 1 else values[0], **more)


SHORT = {"classifier": "cls", "super-resolver": "cls_sr"}
PAPER = {"classifier": "clusters by class", "super-resolver": "clusters by degradation"}
for kind, short in SHORT.items():
    name, own = f"{kind}: {RATIO}", {"interval": outer[kind], "paper": PAPER[kind]}
    study.measure(name, typical[kind], **own, glue=f"{short}_ratio")
measure("accuracy, clean test pictures", test_accuracy, paper="0.929 on CIFAR-10")
for kind, values in right.items():
    measure(f"accuracy, shown patches, {kind}", values)
for kind, short in SHORT.items():
    for label, word in labels.items():
        measure(f"{kind}: CHI {label}", deep.loc[kind][TSNE, label], glue=f"{short}_{word}")
for kind in LAYERS:
    for name in tests:
        measure(f"{kind}: CHI by class, {name} alone", chi_alone.loc[kind][name])
for kind in LAYERS:
    for label in labels:
        measure(f"{kind}: CHI {label}, 50 PCA dimensions", deep.loc[kind][PCA, label])
for share in (share for share in milder if share < 1):
    for kind in LAYERS:
        found = milder[share][0][kind][0]
        study.measure(f"{kind}: {RATIO}, {share:.0%} of blur and noise", found)

for kind, short in SHORT.items():
    values = {"damaged": damaged.loc[kind].mean(axis=None), "mild": along[kind][0][0]}
    study.glue(**{f"{short}_{word}": value for word, value in values.items()})
named = {"": test_accuracy, "_blur": right[blur], "_noise": right[noise]}
study.glue(**{f"cls_accuracy{ending}": 100 * np.mean(own) for ending, own in named.items()})
pixels = table.loc["pixels", TSNE]
study.glue(cls_pixels=pixels["by class"], cls_pixels_damage=pixels["by degradation"])
study.glue(cls_first=by_class[first].mean(), cls_share=100 * next(iter(milder)))
study.glue(cls_chance=100 / len(names))
low, high = damaged.loc["classifier"].min(axis=None), damaged.loc["super-resolver"].max(axis=None)
study.verdict(
    classifiers=outer["classifier"][0] > 1,
    resolvers=outer["super-resolver"][1] < 1,
    depth=(by_class.idxmax(axis=1) == last).all(),
    damaged=low >= max(20, high),
    notes={"classes": len(names)},
    checkpoints=[*([] if train else classifier_names), *resolver_names],
)

# %% [markdown]
# ## What we have seen
#
# - After Conv5_x the classifiers' features have a CHI of {glue:text}`cls_class:.1f` by class and
#   {glue:text}`cls_damage:.1f` by degradation, a ratio of {glue:text}`cls_ratio:.2f`. After the last
#   block of the super-resolution networks it is {glue:text}`cls_sr_class:.1f` and
#   {glue:text}`cls_sr_damage:.1f`, a ratio of {glue:text}`cls_sr_ratio:.3f`.
# - Depth: after Conv2_x the classifiers' CHI by class was {glue:text}`cls_first:.1f`. The pixels have
#   {glue:text}`cls_pixels:.1f` by class and {glue:text}`cls_pixels_damage:.3f` by degradation. Where that
#   is an order by class already, a classifier keeps and sharpens it, and it is the super-resolution
#   network that turns it around.
# - The classifiers name {glue:text}`cls_accuracy:.0f` % of clean test pictures rightly (chance:
#   {glue:text}`cls_chance:.0f` %), of the blurred ones {glue:text}`cls_accuracy_blur:.0f` % and of the
#   noisy ones {glue:text}`cls_accuracy_noise:.0f` %.
# - Embedded alone, blurred or noisy patches have a CHI by class of {glue:text}`cls_damaged:.1f` in
#   the classifiers and of {glue:text}`cls_sr_damaged:.1f` in the super-resolution networks.
# - With {glue:text}`cls_share:.0f` % of the blur and noise the ratio of CHI by class to CHI by
#   degradation is {glue:text}`cls_mild:.2f` in the classifier and {glue:text}`cls_sr_mild:.3f` in the
#   super-resolution network. A classifier can gather by subject only what it can still recognize; a
#   super-resolution network has no such reason to ignore damage.
#
# ## Try it yourself
#
# - Set `image_set = "cifar10"`: real classes, and a classifier that had twenty thousand pictures to
#   learn from (the pictures are downloaded on first use). Subjects are harder to tell there: how
#   much of the order by class is left under blur?
# - Set `train = True` and `live_steps = 10`. A classifier that has hardly learnt: what do its features sort by?
# - Add weaker damage to `strengths`, such as 0.05. At which strength does the super-resolver begin to
#   sort by subject?
