# %% [markdown]
# (finding-projection-choice)=
# # Which projection shows clusters best, and what may be read off it?
#
# *12 minutes. You learn which readings of a t-SNE picture can be trusted, and how to test for clusters that
# are not there.*
#
# ## The claim
#
# The paper draws its representations with t-SNE in two dimensions, and defends that choice on a classifier:
# after "Conv5_4" of ResNet18 the Caliński–Harabasz index (CHI) of the classes is higher for t-SNE than for
# PCA, higher in two dimensions than in three, and lower for PCA with every further dimension
# ({cite:t}`liu2021discovering`, Sec. A.6 and A.12, Fig. 21, Tab. 9).
#
# Why it matters: every picture in this chapter depends on the projection, and t-SNE
# {cite:p}`vandermaaten2008visualizing` is known to show clusters where there are none. If the findings
# needed t-SNE, they would be findings about t-SNE.

# %% tags=["parameters", "hide-cell"] quick={"num_images": 36, "num_patches": 12, "training_seeds": [0], "perplexities": [5, 30], "starts": [0, 1], "tsne_runs": 1, "umap": false}
image_set = "photographs+textures"  # each picture is a class; "cifar10" for the paper's classes
num_images = 150  # labelled, clean, spread over the classes; the paper has 1000 of CIFAR-10
layer = "conv5_x.1.residual.3"  # of the classifier: the fourth convolution of its fifth stage
tsne_runs = 5  # random starts of t-SNE, as in the paper; their mean is judged
patches = "photographs"  # what super-resolution networks are shown: a control
num_patches = 100  # contents of these; each under clean, blur and noise
training_seeds = [0, 1, 2]  # networks trained from different initializations and data orders
block = 16  # of the super-resolution networks: the residual block whose output is taken
perplexities = [5, 30, 90]  # of t-SNE: about how many neighbours a point minds
starts = [0, 1]  # 0 starts t-SNE from the principal components, others from random places
umap = True  # also project with UMAP, in 2-D (compiles for some seconds; first training seed)
train = False  # True trains all networks here (minutes each) instead of loading them
device = "auto"

# %% tags=["hide-cell"]
from functools import cache

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans

from srlab.data.datasets import degraded_patches, load_images
from srlab.data.subjects import subject_task
from srlab.degradations import Degradation
from srlab.devices import pick_device
from srlab.explorers.controls import Control
from srlab.explorers.scatter import EmbeddedState, ScatterExplorer
from srlab.figures.curves import stacked_curves
from srlab.figures.embeddings import embedding_grid
from srlab.representation.embedding import METHODS, embed, layer_components, separability
from srlab.studies.ddr.clouds import thumbnails
from srlab.studies.ddr.projections import (
    DIMENSIONS,
    projection_indices,
    readings,
    structureless,
)
from srlab.studies.frames import curves
from srlab.studies.networks import subject_classifiers
from srlab.studies.study import Study, exceeds, outer, reaches, span, stays_below, together
from srlab.training.recipes import seed_name

study = Study(
    "ddr/projection_choice",
    claim="t-SNE in two dimensions shows classes better than PCA and than more dimensions",
    source="DDR, Sec. A.6, A.12, Fig. 21, Tab. 9",
    claims={
        "method": "classes behind Conv5_4 of ResNet18: CHI of t-SNE in 2-D, mean of five runs, is higher than that of PCA in 2-D (the ratio's interval over contents lies above 1), in every seed",
        "plane": "CHI of t-SNE is higher in 2-D than in 3-D (the ratio's interval lies above 1), in every seed",
        "three": "t-SNE in 3-D shows the classes as well: level + (20), in every seed",
        "pca": "CHI of PCA falls from 2 over 3 to 10 dimensions (the ratios' intervals lie above 1), in every seed",
    },
    says={
        "method": "Sec. A.12, Tab. 9: “t-SNE surpasses PCA and reducing to two dimensions is better”",
        "plane": "Sec. A.12: “two dimensions can better portray the discriminability than three or higher dimensions”",
        "three": "Sec. A.12: “When we reduce the features to three dimensions, the reduced representations also show discriminability to semantic labels”",
        "pca": "Sec. A.12: “For PCA, the results are similar. With higher dimensions, the discriminability decrease”",
    },
    controls={
        "degradations": "SRResNet with GR, by degradation: CHI of t-SNE in 2-D is higher than that of PCA in 2-D, in every seed",
        "gap": "SRResNet, by degradation: under every projection CHI with GR is at least 10 times that without, in every seed",
        "null": "one degradation drawn three times stays below CHI 20 under every projection",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

# %% tags=["hide-cell"]
_, task = subject_task(image_set, [Degradation()], count=num_images)
subjects = np.array(task.contents)
classifiers = subject_classifiers(
    "resnet18", image_set, training_seeds, train=train, device=study.device
)
own = {
    name: layer_components(model, task.lr.to(study.device), [layer])[layer]
    for name, model in classifiers.items()
}
groups = np.arange(len(subjects))
found = {
    name: projection_indices(cloud, subjects, groups, runs=tsne_runs) for name, cloud in own.items()
}

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "The classifier's features in the plane under every projection (first network, one run). Colour: class. PCA is linear: what it shows apart is apart. Which colours does it lay over one another while t-SNE and UMAP, which only keep neighbours together, do not? Point at a dot to see its picture.", "name": "fig-projection-methods"}}
cloud = next(iter(own.values()))
methods = [method for method in METHODS if umap or method != "umap"]
flat = {("", METHODS[method]): embed(cloud, method=method) for method in methods}
notes = {place: f"CHI {separability(points, subjects).index:.1f}" for place, points in flat.items()}
shown = thumbnails(task.lr)
embedding_grid(flat, classes=subjects, contents=subjects, sprites=shown, notes=notes)

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | network | ResNet18 ({cite:t}`he2016deep`), 64 channels in its own paper, 92.86 % on CIFAR-10 | ResNet18 with 16 channels; of CIFAR-10 with 32 |
# | classes | the ten of CIFAR-10, 100 test pictures each | `cifar10`: the same; default: **which of nine photographs is the patch from?**, learnt from their left halves in three seeds, 150 patches of the right halves |
# | layer | "Conv5_4" | the fourth convolution of the fifth stage, as it comes out |
# | t-SNE | in 2 and 3 dimensions, five runs | the same; perplexity 30 |
# | PCA | in 2, 3 and more dimensions | in 2, 3 and 10 |
# | control | – | SRResNet with and without global residual (GR) by degradation; one degradation drawn three times; points without structure; UMAP {cite:p}`mcinnes2018umap` |
# | with more training | – | not shown: the claim compares projections of the same features; those of a classifier of CIFAR-10 are recorded ({doc}`/book/scoreboard`) |
#
# All projections start from the same 50 principal components. A CHI of 20 is the paper's level “+”; the
# index grows with the number of points, so compare projections of the same points only. Of the one
# degradation drawn three times, the three classes differ in nothing but their names.

# %% tags=["remove-input"]
study

# %% tags=["hide-cell"]
noise = Degradation(noise_sigma=20 / 255)
degradations = [Degradation(), Degradation(blur_sigma=4), noise]
images = load_images(patches)
pairs = degraded_patches(images, degradations, count=num_patches)
null = degraded_patches(images, [noise] * 3, count=num_patches)
kinds, contents = pairs.degradation_labels, pairs.content_labels
groups = np.repeat(np.arange(num_patches), len(degradations))
thrice = np.tile(["first draw", "second draw", "third draw"], num_patches)

NAMES = {"with GR": "srresnet-gr", "without GR": "srresnet-wogr"}
behind, first = f"body.{block - 1}", training_seeds[0]
components = {}
for kind, base in NAMES.items():
    for seed in training_seeds:
        lr, model = pairs.lr.to(study.device), study.network(seed_name(base, seed))
        components[kind, seed] = layer_components(model, lr, [behind])[behind]
model = study.network(study.networks[0])  # with GR
nothing = layer_components(model, null.lr.to(study.device), [behind])[behind]
restored = {
    place: projection_indices(cloud, kinds, groups, runs=1) for place, cloud in components.items()
}

rows = [("CHI, classifier, by class", name, indexed) for name, indexed in found.items()]
rows += [(f"CHI, SRResNet {kind}, by degradation", s, own) for (kind, s), own in restored.items()]
table = pd.DataFrame(
    {"network": network, "seed": seed, "method": method, "dimensions": number, "value": index.mean}
    for network, seed, indexed in rows
    for (method, number), index in indexed.items()
)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "CHI by number of dimensions: mean over networks, bands from the lowest to the highest. Above the classifier by class, as in the paper; below the control, by degradation. Is t-SNE above PCA at the left end, and does every line fall to the right?", "name": "fig-projection-dimensions"}}
NUMBERS = {METHODS[method]: own for method, own in DIMENSIONS.items()}
lines, bands = curves(table, panel="network", line="method", x="dimensions")
figure = stacked_curves(NUMBERS, lines, bands=bands, x_title="dimensions", log_y=list(lines))
figure.update_xaxes(tickvals=NUMBERS["PCA"])

# %% [markdown]
# ## Turn the knobs of t-SNE yourself
#
# The points of the SRResNets, which the rest of this chapter is about, and a third set **without
# structure**: random points of one Gaussian cloud, as wide along each component as the points with GR. The
# patches shown at its dots mean nothing; any pattern you see is t-SNE's own.
#
# - Move the **perplexity**, about the number of neighbours a point attends to. At the lowest value, do the
#   clouds fall into crumbs?
# - Compare the **starts** at one perplexity. Which clouds stay together, and do they stay in the same
#   place?
# - Choose "no structure". Had you not been told, how many clusters would you count?

# %% tags=["hide-cell"]
points = {kind: components[kind, first] for kind in NAMES}
points["no structure"] = structureless(points["with GR"])
usual = min(30, num_patches)  # perplexity, where it is not what we vary


@cache
def state(setting):
    data, perplexity, start = setting
    own, seed = points[data], int(start)
    init = "random" if seed else "pca"
    embedding = embed(own, perplexity=int(perplexity), seed=seed, init=init)
    return EmbeddedState(
        embedding, separability(embedding, kinds).index, separability(own, kinds).index
    )


sprites = thumbnails(pairs.lr)
settings = [(d, str(p), str(s)) for d in points for p in perplexities for s in starts]
states = {setting: state(setting) for setting in settings}

# %% tags=["hide-input"]
explorer = ScatterExplorer.from_controls(
    states,
    controls=[
        Control("data", "Points"),
        Control("perplexity", "Perplexity", "slider"),
        Control("start", "Start", "slider"),
    ],
    axes={"start": [str(start) for start in range(max(10, len(starts)))]},
    start=("with GR", str(usual if usual in perplexities else perplexities[-1]), str(starts[0])),
    table=("perplexity", "start"),
    degradations=kinds,
    contents=contents,
    patches=np.repeat(np.arange(num_patches), len(degradations)),
    sprite=sprites,
    compute=state,
)
explorer

# %% [markdown]
# ## What may be read off, and what may not
#
# Three questions one would like to ask such a picture, each answered in the 50 dimensions and in the plane.
# **Who is next to whom** is what t-SNE is made to keep. **How large** a cloud is, and **how far** two
# clouds are apart, it does not even try to keep.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Three readings of the points with GR: in the 50 dimensions (the truth), in t-SNE's plane by perplexity (band: over the starts), and in PCA's plane. Which readings of t-SNE come near the truth, and which follow the perplexity?", "name": "fig-projection-readings"}}
READ = ("neighbours kept", "largest cloud / smallest", "longest distance / shortest")
gr = points["with GR"]
by_start = np.array(  # (starts, perplexities, readings)
    [
        [readings(gr, states["with GR", str(p), str(s)].embedding, kinds) for p in perplexities]
        for s in starts
    ]
)
linear = readings(gr, embed(gr, method="pca"), kinds)
truth = readings(gr, gr, kinds)

level = np.ones(len(perplexities))
drawn = {name: by_start[..., i] for i, name in enumerate(READ)}
stacked_curves(
    perplexities,
    {
        name: {"t-SNE": own.mean(axis=0), "PCA": flat * level, "50 components": true * level}
        for (name, own), flat, true in zip(drawn.items(), linear, truth)
    },
    bands={name: {"t-SNE": (own.min(axis=0), own.max(axis=0))} for name, own in drawn.items()},
    x_title="perplexity",
    log_x=True,
)

# %% [markdown]
# The fourth question: **are there clusters at all?** Here there are none, twice. The index of classes
# *known* beforehand tells so. But k-means, told to find three clusters in the picture of points without
# structure, finds three, and their index looks like a discovery. It is circular: they were chosen to be
# apart.

# %% tags=["hide-cell"]
controls = {"noise, drawn three times": thrice, "no structure": kinds}
points["noise, drawn three times"] = nothing
pictures = {
    (name, f"perplexity {p}", s): state((name, str(p), str(s))).embedding
    for name in controls
    for p in perplexities
    for s in starts
}
known = {key: separability(own, controls[key[0]]).index for key, own in pictures.items()}
eye = KMeans(3, n_init=4, random_state=0)  # an eager one
eager = {key: separability(own, eye.fit_predict(own)).index for key, own in pictures.items()}
projected = [embed(nothing, method=method, perplexity=usual) for method in methods]
nulls = [separability(own, thrice).index for own in [nothing, *projected]]
nulls += [value for key, value in known.items() if key[0] != "no structure"]

# %% tags=["hide-input"] mystnb={"figure": {"caption": "No clusters, twice, by perplexity (PCA start). Above: one noise, drawn three times; colours are the draws. Below: points without structure; colours mean nothing. “Known”: CHI of the classes; “seen”: CHI of three clusters that k-means finds in the picture. At low perplexity, is there a clump that you would have given a name?", "name": "fig-projection-null"}}
shown = {key[:2]: own for key, own in pictures.items() if key[2] == starts[0]}
notes = {k: f"known {known[(*k, starts[0])]:.1f}, seen {eager[(*k, starts[0])]:.0f}" for k in shown}
embedding_grid(shown, classes=thrice, contents=contents, sprites=sprites, notes=notes)

# %% [markdown]
# ## Verdict


# %% tags=["hide-cell"]
def over(one, other):
    """(ratio of two projections' CHI in each classifier, outer ends of its intervals)."""
    ratios = [indexed[one].over(indexed[other]) for indexed in found.values()]
    return [ratio for ratio, *_ in ratios], outer(ends for _, *ends in ratios)


T2, T3, P2, P3, P10 = [(title, number) for title, own in NUMBERS.items() for number in own]
RATIOS = {
    "t-SNE over PCA, both in 2-D": over(T2, P2),
    "t-SNE: 2-D over 3-D": over(T2, T3),
    "PCA: 2-D over 3-D": over(P2, P3),
    "PCA: 3-D over 10-D": over(P3, P10),
}
method, plane, *falls = (ends for _, ends in RATIOS.values())
three = outer(indexed[T3].interval for indexed in found.values())
gaps, higher = [], []
for seed in training_seeds:
    with_gr, without = (restored[kind, seed] for kind in NAMES)
    gaps += [own.mean / without[place].mean for place, own in with_gr.items()]
    higher.append(with_gr[T2].mean / with_gr[P2].mean)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: of the classifiers' ratios and CHI in 3-D the outer ends of 95 % bootstrap intervals over contents; otherwise lowest to highest over networks; for the null controls over projections, perplexities and starts; for the readings over perplexities and starts.", "name": "fig-projection-verdict"}}
PAPER = {T2: "highest", T3: "lower", P2: "lower", P3: "lower still", P10: "lowest"}
for (title, number), paper in PAPER.items():
    values = [indexed[title, number].mean for indexed in found.values()]
    ends = three if (title, number) == T3 else span(values)
    name = f"projection_{title.lower().replace('-', '')}_{number}"
    title = f"CHI by class, {title} in {number}-D"
    study.measure(title, values, interval=ends, paper=paper, glue=name)
for name, (values, ends) in RATIOS.items():
    study.measure(f"CHI by class, {name}", values, interval=ends, paper="above 1")
seen = [value for key, value in eager.items() if key[0] == "no structure"]
name = "SRResNet with GR, by degradation: t-SNE over PCA in 2-D"
study.measure(name, higher, glue="projection_higher")
study.measure("smallest ratio with GR / without, all projections", min(gaps), glue="projection_gap")
name = "highest CHI of one degradation drawn three times"
study.measure(name, max(nulls), interval=span(nulls), glue="projection_null")
study.measure("CHI of clusters seen where there is no structure", seen)
kept, sizes, distances = (drawn[name].ravel() for name in READ)
study.measure("neighbours kept by t-SNE", kept)
study.measure("neighbours kept by PCA", linear[0])
study.measure("largest cloud / smallest, t-SNE", sizes)
study.measure("largest cloud / smallest, 50 components", truth[1], glue="projection_size_true")
study.measure("longest distance / shortest, t-SNE", distances)
name = "longest distance / shortest, 50 components"
study.measure(name, truth[2], glue="projection_distance_true")
study.glue(projection_kept=100 * kept.max(), projection_kept_pca=100 * linear[0])
study.glue(projection_images=len(subjects), projection_classes=len(set(subjects)))
for name, values in {"seen": seen, "size": sizes, "distance": distances}.items():
    low, high = span(values)
    study.glue(**{f"projection_{name}_low": low, f"projection_{name}_high": high})
study.verdict(
    method=exceeds(method, than=1),
    plane=exceeds(plane, than=1),
    three=reaches(three, 20),
    pca=together(*(exceeds(ends, than=1) for ends in falls)),
    degradations=exceeds(span(higher), than=1),
    gap=reaches(span(gaps), 10),
    null=stays_below(span(nulls), 20),
    checkpoints=[*([] if train else [*classifiers, *study.networks])],
)

# %% [markdown]
# ## What we have seen
#
# - {glue:text}`projection_images` pictures of {glue:text}`projection_classes` classes, after Conv5_4: t-SNE
#   has a mean CHI of {glue:text}`projection_tsne_2:.1f` in two dimensions and
#   {glue:text}`projection_tsne_3:.1f` in three; PCA {glue:text}`projection_pca_2:.1f` in two,
#   {glue:text}`projection_pca_3:.1f` in three and {glue:text}`projection_pca_10:.1f` in ten.
# - In SRResNet with GR, by degradation, t-SNE's plane has {glue:text}`projection_higher:.2f` times the
#   index of PCA's: below 1 the linear plane separates them better.
# - Whatever the projection, the network with GR has at least {glue:text}`projection_gap:,.0f` times the
#   index of the one without. The larger that number, the less the other pages depend on t-SNE.
# - **May be read:** who is next to whom (t-SNE keeps up to {glue:text}`projection_kept:.0f` % of the ten
#   nearest neighbours, PCA's plane {glue:text}`projection_kept_pca:.0f` %), and whether classes that were
#   named beforehand mix.
# - **May not be read:** sizes (largest cloud over smallest: {glue:text}`projection_size_true:.2f` in truth,
#   {glue:text}`projection_size_low:.2f` to {glue:text}`projection_size_high:.2f` in the plane); distances
#   (longest over shortest: {glue:text}`projection_distance_true:.2f` in truth,
#   {glue:text}`projection_distance_low:.2f` to {glue:text}`projection_distance_high:.2f`); and clusters
#   found by looking: in points without structure they have a CHI of {glue:text}`projection_seen_low:.0f` to
#   {glue:text}`projection_seen_high:.0f`, while one noise drawn three times, with classes known beforehand,
#   has {glue:text}`projection_null:.2f` at most.
#
# ## Exercises
#
# 1. Why can CHI fall when PCA is given more dimensions, although nothing is lost?
# 2. Why does a high CHI of clusters that k-means found in the same picture prove nothing?
# 3. Which of these may you conclude from a t-SNE picture: (a) two named classes mix, (b) noise is farther
#    from clean than blur is, (c) one class varies more than another?
#
# ```{dropdown} Answers
# 1. CHI compares the dispersion between classes with that within. Further components add mostly dispersion
#    within, which lowers the ratio. A higher number in the plane is therefore no merit of the plane.
# 2. k-means chooses the labels so as to make the dispersion within small; the index then measures k-means,
#    not the data. Labels must come from elsewhere.
# 3. Only (a). Distances between clouds and sizes of clouds are not kept.
# ```
#
# To go on: `image_set = "cifar10"` and `num_images = 1000` for the paper's classes and pictures; `block =
# 4`, an early layer, asks whether any projection shows clouds there.
