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
# pixels stand in the tables too: criterion (1) is easy where they are. Both networks see the same
# patches, hence a difference between them is not one of the pictures.
#
# The CHI has one value for each labelling of the same points: by class, and by degradation. With
# $K$ classes it is divided by $K-1$, so values of both labellings can be compared; their **ratio**
# says which of the two a layer sorts by. Its 95 % interval comes from drawing contents with
# replacement.
#
# :::{admonition} Criterion, set before the experiment
# :class: important
# With CHI on the t-SNE embedding, as in the paper: (1) after Conv5_x of **every** classifier, CHI by
# class over CHI by degradation is above 1, its interval included; (2) after ResBlock 16 of **every**
# super-resolution network it is below 1, its interval included; (3) in every classifier CHI by
# class is highest after the last stage; (4) among blurred patches alone, and among noisy
# patches alone, the deepest layer of every classifier has a CHI by class of at least 20 (the paper's level
# "+") and more than that of any super-resolution network.
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
from srlab.models import ResNet18
from srlab.representation.embedding import (
    embed,
    layer_components,
    layer_points,
    points,
    principal_components,
    separability,
    separability_ratio,
)
from srlab.studies.networks import network, subject_classifiers
from srlab.studies.parameters import check_parameters
from srlab.studies.study import Finding, record, span
from srlab.training.classification import accuracy
from srlab.training.recipes import seed_names

check_parameters()
device = pick_device(device)
finding = Finding(
    name="ddr/classification_vs_sr",
    claim="Deep features of classifiers cluster by class, those of SR networks by degradation",
    source="DDR, Sec. 4.2, Fig. 1, 4, 5",
    criterion=(
        "In the deepest layer CHI by class over CHI by degradation is above 1 (with its interval) "
        "in every classifier and below 1 in every SR network; CHI by class is highest in the "
        "classifiers' last stage; among blurred or noisy patches alone it stays at 20 or more "
        "there, and above the SR networks'."
    ),
)

# %% [markdown]
# ## Experiment
#
# The pictures: in rows subjects, in columns degradations. Every dot of this page is one of them.

# %%
degradations = [Degradation(), Degradation(blur_sigma=4), Degradation(noise_sigma=20 / 255)]
task = subject_task(image_set, degradations, count=num_patches, most=num_classes)
kinds, contents = task.pairs.degradation_labels, task.pairs.content_labels
groups = np.repeat(np.arange(len(task.pairs.contents)), len(degradations))
tests = by_degradation(task.pairs, task.names)
lr = task.pairs.lr.to(device)
pictures = np.stack([image_to_array(patch) for patch in task.pairs.lr])

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Four of the test pictures under the three degradations, as both kinds of networks see them. Two questions can be asked of each: what is it, and what happened to it?", "name": "fig-cls-patches"}}
some = np.linspace(0, len(task.pairs.contents) - 1, 4, dtype=int)
columns = {
    kind: np.concatenate([pictures[3 * content + k] for content in some], axis=1)
    for k, kind in enumerate(tests)
}
picture_row(columns, height=200)

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
    device=device,
)
classifier_names, classifiers = list(by_name), list(by_name.values())
resolver_names = seed_names("srresnet-gr", training_seeds)
resolvers = [network(name, device=device) for name in resolver_names]

# %%
right = {kind: [accuracy(model, data) for model in classifiers] for kind, data in tests.items()}
everything = cifar10("test") if image_set == "cifar10" else tests[str(degradations[0])]
test_accuracy = [accuracy(model, everything) for model in classifiers]

# %% [markdown]
# Each network shows the same pictures four times, from shallow to deep. Features are flattened,
# reduced to 50 principal components, embedded in the plane, and measured under both labellings.

# %%
LAYERS = {"classifier": ResNet18.taps, "super-resolver": [f"body.{block - 1}" for block in blocks]}
models = {
    (kind, seed): model
    for kind, own in (("classifier", classifiers), ("super-resolver", resolvers))
    for seed, model in enumerate(own)
}
components, alone = {}, {}
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

labels = {"by class": contents, "by degradation": kinds}
depths = range(len(blocks))
first, last = depths[0], depths[-1]


def over_networks(clouds, kind, label):
    """CHI (networks, depths)."""
    own = [seed for kind_, seed in models if kind_ == kind]
    return np.array(
        [[separability(clouds[kind, s, d], labels[label]).index for d in depths] for s in own]
    )


chi, chi_pca = (
    {(kind, label): over_networks(clouds, kind, label) for kind in LAYERS for label in labels}
    for clouds in (embeddings, components)
)

# %% [markdown]
# ## By degradation?
#
# In this figure colour is the degradation. Follow the rows from left to right, shallow to deep.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE of the features of both kinds of networks along their depth (first seed). Colour: degradation; symbol: subject. Point at a dot to see its patch. Above each panel CHI by class and by degradation. Compare the lower right panel with the upper right one: in which of them do colours lie apart?", "name": "fig-cls-degradation"}}
titles = [
    f"{stage.capitalize()} · ResBlock {block}"
    for stage, block in zip(ResNet18.taps, blocks, strict=True)
]
panels = {(kind, titles[d]): embeddings[kind, 0, d] for kind in LAYERS for d in depths}
notes = {
    (kind, titles[d]): " · ".join(f"{label} {chi[kind, label][0, d]:.0f}" for label in labels)
    for kind in LAYERS
    for d in depths
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
lines = {"CHI, t-SNE": chi, "CHI, 50 PCA dimensions": chi_pca}
stacked_curves(
    [depth + 1 for depth in depths],
    {
        title: {", ".join(key): rows.mean(axis=0) for key, rows in table.items()}
        for title, table in lines.items()
    },
    bands={
        title: {", ".join(key): (rows.min(axis=0), rows.max(axis=0)) for key, rows in table.items()}
        for title, table in lines.items()
    },
    x_title="layer, 1 = Conv2_x or first block shown, 4 = Conv5_x or last block shown",
    log_y=list(lines),
)

# %% [markdown]
# ## The table of two by two
#
# The deepest layers under both labellings, and for comparison the pixels that went in.

# %%
pixels = {"CHI, 50 PCA dimensions": principal_components(points(task.pairs.lr))}
pixels["CHI, t-SNE"] = embed(pixels["CHI, 50 PCA dimensions"], perplexity=perplexity)
deep = {
    title: {
        "pixels": [separability(pixels[title], own).index for own in labels.values()],
        **{kind: [table[kind, label][:, last].mean() for label in labels] for kind in LAYERS},
    }
    for title, table in lines.items()
}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "CHI of the deepest layers by class and by degradation, mean over networks: the finding in one table. The claim is that the larger of two neighbours changes sides between the last two rows, in the plane (left) and on 50 principal components (right).", "name": "fig-cls-table"}}
matrix_heatmap(
    np.concatenate([list(rows.values()) for rows in deep.values()], axis=1),
    list(deep["CHI, t-SNE"]),
    [f"{label}, {title.removeprefix('CHI, ')}" for title in deep for label in labels],
    colour_title="CHI",
    log=True,
)

# %% [markdown]
# ## Blur alone, noise alone
#
# Is a classifier's order by class owed to the clean pictures? Here each degradation is embedded
# on its own, so that nothing but subjects is left to sort by.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The deepest layers for clean, blurred and noisy patches, each embedded alone (first seed). Colour: subject. Above each panel CHI by class. Look whether the colours of the upper row still gather under blur and noise.", "name": "fig-cls-alone"}}
subjects = np.array(task.pairs.contents)
chi_alone = {key: separability(cloud, subjects).index for key, cloud in alone.items()}
own = {(kind, degradation): (kind, 0, degradation) for kind in LAYERS for degradation in tests}
embedding_grid(
    {place: alone[key] for place, key in own.items()},
    classes=subjects,
    contents=subjects,
    sprites=sprite_sheet(pictures[:: len(tests)]),
    notes={place: f"CHI by class {chi_alone[key]:.0f}" for place, key in own.items()},
)

# %% [markdown]
# ## How much damage?
#
# A blur of 4 pixels leaves little of a subject that is 32 pixels wide. So the deepest layers once
# more, of the first network of each kind, under milder damage. This is no part of the criterion.

# %%
ratios = {
    key: separability_ratio(embeddings[*key, last], contents, kinds, groups) for key in models
}


def under(share):
    """[ratio, low, high] of each kind, and the accuracy (blurred, noisy), under milder damage."""
    milder = [Degradation(), Degradation(blur_sigma=4 * share)]
    milder += [Degradation(noise_sigma=20 / 255 * share)]
    pairs = subject_task(image_set, milder, count=num_patches, most=num_classes).pairs
    found = {}
    for kind in LAYERS:
        cloud = layer_components(models[kind, 0], pairs.lr.to(device), LAYERS[kind][-1:])
        cloud = embed(*cloud.values(), perplexity=perplexity)
        found[kind] = separability_ratio(
            cloud, pairs.content_labels, pairs.degradation_labels, groups
        )
    _, *damaged = by_degradation(pairs, task.names).values()
    return found, [accuracy(classifiers[0], data) for data in damaged]


milder = {share: under(share) for share in strengths}
milder[1] = {kind: ratios[kind, 0] for kind in LAYERS}, [own[0] for own in right.values()][1:]

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Milder damage, up to that of the paper at 1. Above: CHI by class over CHI by degradation in the deepest layers (bands: 95 % bootstrap over contents); below 1 a layer sorts by degradation. Below: how many patches the classifier still names rightly. Look whether the classifier's ratio falls where its accuracy does.", "name": "fig-cls-strength"}}
curves = {kind: np.array([found[kind] for found, _ in milder.values()]).T for kind in LAYERS}
figure = stacked_curves(
    list(milder),
    {
        "CHI by class / by degradation": {kind: own[0] for kind, own in curves.items()},
        **{
            f"accuracy, {name}": {
                "classifier": np.array([accuracies[k] for _, accuracies in milder.values()])
            }
            for k, name in enumerate(("blurred", "noisy"))
        },
    },
    bands={"CHI by class / by degradation": {kind: tuple(own[1:]) for kind, own in curves.items()}},
    x_title="share of the paper's blur (4 pixels) and noise (20/255)",
    log_y=["CHI by class / by degradation"],
)
figure.update_layout(yaxis2_range=[0, 1.03], yaxis3_range=[0, 1.03])

# %% [markdown]
# ## Verdict

# %%


def of_all(kind, values):
    """Of all networks of a kind, from {(kind, …): value}."""
    return np.array([value for key, value in values.items() if key[0] == kind])


ratio, low, high = ({kind: of_all(kind, ratios)[:, part] for kind in LAYERS} for part in (0, 1, 2))
typical = {kind: np.exp(np.log(own).mean()) for kind, own in ratio.items()}  # geometric mean
damaged = {key: value for key, value in chi_alone.items() if key[2] != str(degradations[0])}
by_class, by_damage = ({kind: chi[kind, label][:, last] for kind in LAYERS} for label in labels)

# %% tags=["remove-cell"]
_, blur, noise = tests
for key, values in {
    "cls_class": by_class["classifier"],
    "cls_damage": by_damage["classifier"],
    "cls_first": chi["classifier", "by class"][:, first],
    "cls_sr_class": by_class["super-resolver"],
    "cls_sr_damage": by_damage["super-resolver"],
    "cls_ratio": typical["classifier"],
    "cls_sr_ratio": typical["super-resolver"],
    "cls_accuracy": 100 * np.array(test_accuracy),
    "cls_accuracy_blur": 100 * np.array(right[blur]),
    "cls_accuracy_noise": 100 * np.array(right[noise]),
    "cls_damaged": of_all("classifier", damaged),
    "cls_sr_damaged": of_all("super-resolver", damaged),
    "cls_mild": curves["classifier"][0][0],
    "cls_sr_mild": curves["super-resolver"][0][0],
    "cls_share": 100 * next(iter(milder)),
    "cls_pixels": deep["CHI, t-SNE"]["pixels"][0],
    "cls_pixels_damage": deep["CHI, t-SNE"]["pixels"][1],
    "cls_chance": 100 / len(task.names),
}.items():
    glue(key, float(np.mean(values)), display=False)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: lowest to highest over networks; of the ratios the outer ends of the networks' 95 % bootstrap intervals.", "name": "fig-cls-verdict"}}
outer = {kind: (low[kind].min(), high[kind].max()) for kind in LAYERS}
values = {
    "accuracy, clean test pictures": test_accuracy,
    **{f"accuracy, shown patches, {kind}": right[kind] for kind in tests},
    "classifier: CHI by class": by_class["classifier"],
    "classifier: CHI by degradation": by_damage["classifier"],
    "super-resolver: CHI by class": by_class["super-resolver"],
    "super-resolver: CHI by degradation": by_damage["super-resolver"],
    **{
        f"{kind}: CHI by class, {name} alone": [
            value for key, value in chi_alone.items() if key[::2] == (kind, name)
        ]
        for kind in LAYERS
        for name in tests
    },
    **{
        f"{kind}: CHI {label}, 50 PCA dimensions": table[:, last]
        for (kind, label), table in chi_pca.items()
    },
}
record(
    finding,
    checks={
        "Conv5_x: CHI by class over CHI by degradation is above 1, interval included, "
        "in every classifier": outer["classifier"][0] > 1,
        "ResBlock 16: that ratio is below 1, interval included, in every SR network": (
            outer["super-resolver"][1] < 1
        ),
        "CHI by class is highest after the last stage, in every classifier": bool(
            (chi["classifier", "by class"].argmax(axis=1) == last).all()
        ),
        "among blurred and among noisy patches alone, the classifiers' CHI by class is at least "
        "20 and above the SR networks'": (
            of_all("classifier", damaged).min() >= max(20, of_all("super-resolver", damaged).max())
        ),
    },
    measured={
        "classifier: CHI by class / by degradation": typical["classifier"],
        "super-resolver: CHI by class / by degradation": typical["super-resolver"],
        **{name: np.mean(of_networks) for name, of_networks in values.items()},
        **{
            f"{kind}: CHI by class / by degradation, {share:.0%} of blur and noise": found[kind][0]
            for share, (found, _) in milder.items()
            if share < 1
            for kind in LAYERS
        },
    },
    interval={
        "classifier: CHI by class / by degradation": outer["classifier"],
        "super-resolver: CHI by class / by degradation": outer["super-resolver"],
        **{name: span(of_networks) for name, of_networks in values.items() if len(of_networks) > 1},
    },
    paper={
        "classifier: CHI by class / by degradation": "clusters by class",
        "super-resolver: CHI by class / by degradation": "clusters by degradation",
        "accuracy, clean test pictures": "0.929 on CIFAR-10",
    },
    image_set=image_set,
    parameters={
        "num_patches": num_patches,
        "classes": len(task.names),
        "trained_live": live_steps if train else 0,
        "perplexity": perplexity,
    },
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
