# %% [markdown]
# (finding-published-networks)=
# # Is any skip around the body enough to separate degradations?
#
# *10 minutes. You learn how a hypothesis meets networks that others trained, and what such a comparison
# cannot show. Builds on {doc}`global_residual`.*
#
# ## The claim
#
# The paper compares an SRResNet whose *image* is added to its output with one without
# ({cite:t}`liu2021discovering`, Sec. 4.3). Nearly all published networks add *features* instead. Our own
# question is wider:
#
# > Any skip around the body, in features or in the image, makes its features separate degradations; without
# > one they do not. Training on degradations makes them separate less.
#
# Why it should be so: what is passed around the body need not be carried through it. What is left to carry
# is what the input *lacks*, and that depends on how it was degraded. And a network that has learnt to undo
# a degradation must give one answer to all its forms.

# %% tags=["parameters", "hide-cell"] quick={"num_patches": 9, "training_seeds": [0], "tsne_runs": 1, "ladder": [1000], "perplexity": 10}
image_set = "pictures"  # the 12 embedded ones; not b100, on which the question arose
networks = "alike"  # SRResNets that differ in their skip; "zoo": other architectures; "published"
num_patches = 100  # contents, from all pictures in turn; each under all three degradations
training_seeds = [0, 1, 2]  # of the SRResNets
tsne_runs = 5  # random restarts of t-SNE, over which the index is judged
ladder = [1000, 2500]  # training steps at which the SRResNets are measured, too
perplexity = 30
device = "auto"

# %% tags=["hide-cell"]
import numpy as np
import pandas as pd

from srlab.checkpoints.load import load
from srlab.data.datasets import degraded_patches, load_images
from srlab.degradations import Degradation
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.metrics import network_psnr
from srlab.representation.embedding import embed, layer_components, principal_components
from srlab.representation.embedding import points as points_of
from srlab.studies.ddr.clouds import degradation_clouds
from srlab.studies.ddr.skips import (
    LEVEL,
    PIXELS,
    as_rows,
    at_step,
    by_picture_set,
    larger_with_skip,
    obtainable_subjects,
    outcomes,
    read_recorded,
    separation,
    separation_dots,
    subjects,
)
from srlab.studies.frames import curves
from srlab.studies.networks import left_out
from srlab.studies.study import Study, span, stays_below

study = Study(
    "ddr/published_networks",
    claim="Any skip around the body makes its features separate degradations; without one, not",
    source="srlab's own, after DDR, Sec. 4.3 and 4.6",
    claims={
        "skip": "every network with a skip around its body that learnt from clean pictures reaches "
        "level + (20) behind its last block, in every seed",
        "none": "every network without one stays below 20 there, in every seed",
        "degraded": "trained on degradations, a network with a skip has a smaller index than the "
        "one that is like it but learnt from clean pictures, in every seed; where there is none "
        "like it, than every one of its group with a skip that learnt from clean pictures",
    },
    controls={
        "linear": "on the 50 principal components every network with a skip that learnt from clean "
        "pictures has a larger index than every one without",
        "pixels": "the pixels themselves stay below 20",
    },
    own_question=True,
    image_set=image_set,
    device=pick_device(device),
)

# %% tags=["hide-cell"]
degradations = [Degradation(), Degradation(blur_sigma=4), Degradation(noise_sigma=20 / 255)]
pairs = degraded_patches(load_images(image_set), degradations, count=num_patches)
kinds = pairs.degradation_labels
lr = (pairs.lr.clamp(0, 1) * 255).round().to(study.device) / 255  # in 8 bits
hr = pairs.hr[:20].to(study.device)
clean = lr[:: len(degradations)][: len(hr)]
settings = {"runs": tsne_runs, "perplexity": perplexity}


def look(subject, **settings):
    """The components behind its layer, and what they come to."""
    named = subject.network
    network = load(named).to(study.device) if ":" in named else study.network(named)
    points = layer_components(network, lr, [subject.layer])[subject.layer]
    quality = network_psnr(network, clean, hr, border=4).mean().item()
    return points, separation(subject, points, kinds, quality, **settings)


chosen, missing = obtainable_subjects(networks, training_seeds)
components, found = zip(*(look(subject, **settings) for subject in chosen), strict=True)
if missing:
    print(left_out(missing))

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "One row per network (seeds 0, 1, …), after the last block within its skip: the Caliński–Harabasz index (CHI) over restarts of t-SNE (bar: lowest to highest), on the 50 principal components, and the quality on clean patches. The paper counts 20 and more as separated (dotted): which rows reach it in the first panel?", "name": "fig-published-now"}}
MEASURES = ["CHI, t-SNE", "CHI, 50 PCA dimensions", "PSNR-Y, dB"]
values = {one.subject: (one.tsne, [one.pca], [one.psnr]) for one in found}
separation_dots(
    {
        measure: {subject: own[index] for subject, own in values.items()}
        for index, measure in enumerate(MEASURES)
    }
)

# %% [markdown]
# ## What we run
#
# Each network is given the same patches clean, blurred (width 4) and noisy (σ 20/255), rounded to 8 bits
# and clipped as a file would be: some networks overflow outside that range. We take features **after the
# last block that the skip goes around**, before the skip comes back, and judge the {term}`Caliński–Harabasz
# index` over restarts of t-SNE. An exploration on B100 gave us the idea, so that set judges nothing here.
#
# Three groups: SRResNets of ours, trained alike but for their skip (6 000 steps; those on blur and noise 4
# 000); our narrow networks of eighteen architectures (3 500 steps; FSRCNN 10 000); and what others trained and
# published at full width. Only the first is run with each build of the book. The published FSRCNN and
# SRGAN were trained by people other than the papers' authors.

# %% tags=["remove-input"]
study

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One t-SNE (PCA start) of the first network of each kind. Colour: degradation; symbol: picture. Where the colours separate, do the symbols? Point at a dot to see its patch.", "name": "fig-published-tsne"}}
panels, notes = {}, {}
for points, one in zip(components, found, strict=True):
    place = ("", one.subject.kind.replace(", ", ",<br>"))
    if place not in panels:
        panels[place] = embed(points, perplexity=perplexity)
        notes[place] = f"CHI {np.mean(one.tsne):.1f}"
degradation_clouds(panels, pairs, notes=notes)

# %% [markdown]
# ## Along training
#
# If the skip decides, its effect should be there early and grow; without it no amount of training should
# bring it. These are the SRResNets of the first seed after some steps (one restart of t-SNE each).

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Separability after more and more training steps, in the 2-D embedding and on the 50 principal components; below, the quality. Which lines reach 20, and do all networks learn?", "name": "fig-published-ladder"}}
steps = [*ladder, 6000]
known = {one.subject: one for one in found}
rungs = [
    {"network": subject.kind, "step": step, "measure": measure, "value": value}
    for subject in subjects("alike", training_seeds[:1])
    if networks == "alike" and not subject.degraded
    for step in steps
    for rung in [at_step(subject, step)]
    for one in [known.get(rung) or look(rung, runs=1, perplexity=perplexity)[1]]
    for measure, value in zip(MEASURES, (one.tsne[0], one.pca, one.psnr), strict=True)
]

columns = ["network", "step", "measure", "value"]
lines, _ = curves(pd.DataFrame(rungs, columns=columns), panel="measure", line="network", x="step")
drawn = {"x_title": "training steps", "log_x": True, "log_y": MEASURES[:2]}
stacked_curves(steps, lines, **drawn) if lines else None

# %% [markdown]
# ## Networks that others trained, and other architectures
#
# Real-ESRGAN alone takes minutes, so these are **recorded** runs of this notebook, with `networks =
# "published"` and `networks = "zoo"`. The table says what each came to, claim by claim: with a skip, with
# none, trained on degradations.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Recorded, not computed with this build: what others trained, and our narrow networks of other architectures. A row per network, a panel per set of pictures. Colour and symbol: what the skip adds, and whether the network learnt from degradations. Bars: restarts of t-SNE. Dotted: 20, from which on the paper calls it separated. Which networks with a skip stay below it?", "name": "fig-published-recorded"}}
recorded = read_recorded()
separation_dots(by_picture_set(recorded), same_measure=True)

# %% tags=["hide-input"]
table = pd.DataFrame(
    {
        "group": run.group,
        "chi": np.mean(one.tsne),
        "lowest": min(one.tsne),
        "linear": one.pca,
        **one.subject._asdict(),
    }
    for run in recorded
    for one in run.found
)
others = table[table.group == "published"].assign(skips=lambda one: one.skip != "none")
theirs = others.groupby(["skips", "degraded"]).chi.agg(["min", "max"])
zoo = dict(iter(table[table.group == "zoo"].groupby("skip")))
first, second = zoo["features"].groupby("kind").chi.max().nlargest(2).items()
study.glue(
    published_sets=len({run.image_set for run in recorded if run.group == "published"}),
    published_least=theirs["min"][True, False],
    published_none=theirs["max"][False, False],
    published_blind=theirs["max"][True, True],
    zoo_networks=sum(own.kind.nunique() for own in zoo.values()),
    zoo_none=zoo["none"].chi.max(),
    zoo_features=first[1],
    zoo_features_network=first[0],
    zoo_features_second=second[1],
    zoo_both=zoo["both"].chi.max(),
    zoo_image=f"{zoo['image'].chi.min():.0f} to {zoo['image'].chi.max():.0f}",
    zoo_image_lowest=zoo["image"].lowest.min(),
    zoo_image_linear=zoo["image"].linear.max(),
    zoo_features_linear=zoo["features"].linear.max(),
)
came_to = {(run.group, run.image_set): outcomes(run.found) for run in recorded}
made = sorted({f"recorded {run.date} at commit {run.commit}, {run.hardware}" for run in recorded})
print(*made, sep="; ")
pd.DataFrame(came_to).T.fillna("not asked")

# %% [markdown]
# ## Verdict
#
# An interval is what the restarts of t-SNE span. The verdict is on the group computed above; the scoreboard
# shows the others beside it.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict on the networks computed above. Spread: over training seeds or, where a kind is one network, over restarts of t-SNE.", "name": "fig-published-verdict"}}
GLUED = {  # in the prose below
    "no skip": "own_none",
    "skip of features": "own_features",
    "skip of the image": "own_image",
    "skip of the image, trained blind": "own_blind",
}
by_kind = {one.subject.kind: [] for one in found}
for one in found:
    by_kind[one.subject.kind].append(one)
for kind, own in by_kind.items():
    name, linear = GLUED.get(kind, ""), [one.pca for one in own]
    indices = own[0].tsne if len(own) == 1 else [np.mean(one.tsne) for one in own]
    study.measure(f"CHI, {kind}", indices, glue=name, headline=kind == "skip of features")
    study.measure(f"CHI on 50 PCA dimensions, {kind}", linear, glue=name and f"{name}_linear")
raw = separation(PIXELS, principal_components(points_of(lr)), kinds, 0.0, **settings)
study.measure("CHI of the pixels", raw.tsne)
study.verdict(
    **outcomes(found),
    linear=larger_with_skip(found),
    pixels=stays_below(span(raw.tsne), LEVEL),
    notes={"separations": as_rows(found), "left out": missing},
)

# %% [markdown]
# ## What we have seen
#
# - **Our SRResNets.** The mean index is {glue:text}`own_image:.0f` with a skip of the image,
#   {glue:text}`own_features:.2f` with one of features, {glue:text}`own_none:.2f` with none; on the
#   principal components {glue:text}`own_image_linear:.0f`, {glue:text}`own_features_linear:.1f` and
#   {glue:text}`own_none_linear:.1f`. Trained on blur and noise, with a skip of the image, it is
#   {glue:text}`own_blind:.0f`.
# - **Networks that others trained.** On the {glue:text}`published_sets` recorded sets those with a skip
#   that learnt from clean pictures have {glue:text}`published_least:.0f` or more; FSRCNN, which has none,
#   {glue:text}`published_none:.2f` or less; Real-ESRGAN, trained on degradations,
#   {glue:text}`published_blind:.0f` or less. All but PAN have a skip of features only.
# - **Other architectures, narrow and trained for minutes.** Of our {glue:text}`zoo_networks` designs, on
#   the same sets, those without a skip have {glue:text}`zoo_none:.2f` or less; those with a skip of features
#   {glue:text}`zoo_features_second:.1f` or less, but for {glue:text}`zoo_features_network` with up to
#   {glue:text}`zoo_features:.0f`; PAN, which adds features and the image, {glue:text}`zoo_both:.1f` or less.
#   **LapSRN alone adds nothing but the image, and has {glue:text}`zoo_image`** (means; its lowest restart is
#   {glue:text}`zoo_image_lowest:.0f`). On the principal components it does not stand out:
#   {glue:text}`zoo_image_linear:.0f` at most, with a skip of features {glue:text}`zoo_features_linear:.0f`.
#
# ## What may be concluded
#
# The verdict above judges the hypothesis as we wrote it down. What the paper says of a *global residual*
# may hold beyond its SRResNet: LapSRN, a pyramid that adds the image at every level, separates on each of
# the sets in the mean of its restarts; of the other designs on equal terms only {glue:text}`zoo_features_network` does,
# and not on all. It is one network, differs from the others in more than that, and falls below 20 in single restarts.
#
# IMDN, RFDN and PAN (and nearly CARN) are in both recorded groups; what ours may lack is width, time or both,
# and the figure along training cannot tell which. Nor can published networks show that the skip is the cause:
# only one has none, and it is the smallest; and Real-ESRGAN differs from the rest in more than its training
# pictures.
#
# Our reading, for others to test: what is added at the end sets what features must carry. Where the
# degraded *image* is added, a body that undoes the degradation has to carry what cancels it, and separates
# more; where *features* are added, it may drop the degradation. A skip of features merely allows the body
# to leave out the content; it may take long training to do so.
#
# In the exploration on B100 the published FSRCNN was given RGB; it expects luma and chroma, which it gets
# here.
#
# ## Exercises
#
# 1. Why does one published network without a skip not suffice to call the skip the cause?
# 2. By the reading above, what should an SRResNet with a skip of *features*, trained on blur and noise, do?
#
# ```{dropdown} Answers
# 1. It differs from the others in size and architecture as well, and any of these differences could be the
#    reason. Networks that differ in the skip alone are the test.
# 2. Separate less than the same network trained on clean pictures: by that reading its body may drop the
#    degradation instead of cancelling it. Change `global_residual` and `long_skip` in the recipe of
#    `srresnet-blind` to see.
# ```
#
# To go on: `networks = "published"` or `"zoo"` computes what is recorded above (the former downloads
# weights), `image_set = "set14"` takes other pictures; a `Subject` with its last block in
# `srlab/studies/ddr/skips.py` adds a network of yours.
