# %% [markdown]
# (finding-published-networks)=
# # Any skip around the body makes features tell degradations apart
#
# ## The claim
#
# The paper compares one line of code: an SRResNet whose *image* is added to its output, and one
# without ({cite:t}`liu2021discovering`, Sec. 4.3). It says nothing of networks that add *features*
# instead, as nearly all published ones do. Our own question is wider:
#
# > Any skip around the body, in features or in the image, makes its features tell degradations
# > apart; without one they do not. Training on degradations makes them tell less.
#
# Why it should be so: what is passed around the body need not be carried through it. What is left to
# carry is what the input *lacks*, and that depends on how it was damaged. And a network that has
# learnt to undo a damage must give one answer to all its forms.
#
# | | the paper | here |
# |---|---|---|
# | skip of the image | SRResNet with and without | the same, three seeds |
# | skip of features | not asked | SRResNet, three seeds; networks of other architectures |
# | trained on degradations | SRGAN on clean and noise (Sec. 4.6) | SRResNet on blur and noise; two Real-ESRGANs |
# | trained by | the authors | us; and by others, who never heard of the question |

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"num_patches": 20, "training_seeds": [0], "tsne_runs": 1, "ladder": [1000], "perplexity": 10}
image_set = "pictures"  # the 12 embedded ones; not b100, on which the question arose
networks = (
    "alike"  # SRResNets that differ in their skip; "zoo": ours of other architectures; "published"
)
num_patches = 100  # contents, from all pictures in turn; each under all three degradations
training_seeds = [0, 1, 2]  # of the SRResNets
tsne_runs = 5  # random restarts of t-SNE, over which the index is judged
ladder = [250, 1000, 2500]  # training steps at which the SRResNets are looked into, too
perplexity = 30
device = "auto"

# %% [markdown]
# ## What we run
#
# An exploration on B100 gave us the idea, so that set judges nothing here. Each network is given the same
# patches clean, blurred (width 4) and noisy (σ 20/255), rounded to 8 bits and clipped as a file would: some
# networks overflow beyond. We look **behind the last block that the skip goes around**, before the skip
# comes back, and judge the {term}`Caliński–Harabasz index` over restarts of t-SNE.
#
# Three groups: SRResNets of ours, trained alike but for their skip (6 000 steps; those on blur and noise
# 4 000); our narrow networks of ten architectures (3 500 steps; FSRCNN 10 000); and what others trained and
# published at full width. Only the first group is run with each build of the book. The published FSRCNN and
# SRGAN are by others than the papers' authors.

# %% tags=["hide-input"]
import numpy as np
import pandas as pd
import torch

from srlab.checkpoints.load import load
from srlab.data.datasets import degraded_patches, load_images
from srlab.degradations import Degradation
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.embeddings import embedding_grid
from srlab.figures.pictures import sprite_sheet
from srlab.images import image_to_array
from srlab.metrics import network_psnr
from srlab.representation.embedding import embed, layer_components, principal_components
from srlab.representation.embedding import points as points_of
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
study

# %% [markdown]
# ## Experiment

# %%
degradations = [Degradation(), Degradation(blur_sigma=4), Degradation(noise_sigma=20 / 255)]
pairs = degraded_patches(load_images(image_set), degradations, count=num_patches)
kinds, contents = pairs.degradation_labels, pairs.content_labels
pictures = np.stack([image_to_array(patch) for patch in pairs.lr])  # clipped, in 8 bits
lr = torch.from_numpy(pictures).permute(0, 3, 1, 2).float().to(study.device) / 255
hr = pairs.hr[:20].to(study.device)
clean = lr[:: len(degradations)][: len(hr)]
settings = {"runs": tsne_runs, "perplexity": perplexity}


def look(subject, **settings):
    """The components behind its layer, and what they come to."""
    named = subject.network
    network = load(named).to(study.device) if ":" in named else study.network(named)
    points = layer_components(network, lr, [subject.layer])[subject.layer]
    quality = network_psnr(network, clean, hr, border=4).mean().item()
    return points, separation(subject, points, kinds, psnr=quality, **settings)


# %%
chosen, missing = obtainable_subjects(networks, training_seeds)
components, found = zip(*(look(subject, **settings) for subject in chosen), strict=True)
print(f"{num_patches} contents from {len(set(contents))} pictures.", left_out(missing))

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One row a network, behind the last block within its skip: the index over restarts of t-SNE (bar: lowest to highest), on the 50 principal components, and the quality on clean patches. Look at the first panel: the paper counts 20 and more as separated.", "name": "fig-published-now"}}
separation_dots(
    {
        "CHI, t-SNE": {one.subject: one.tsne for one in found},
        "CHI, 50 PCA dimensions": {one.subject: [one.pca] for one in found},
        "PSNR-Y of clean patches, dB": {one.subject: [one.psnr] for one in found},
    }
)

# %% [markdown]
# ## The clouds
#
# The first network of each kind. The symbols are the pictures that patches were cut from: they form no
# clouds where the colours do.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One t-SNE (PCA start) of one network of each kind. Colour: degradation; symbol: picture. Point at a dot to see its patch.", "name": "fig-published-tsne"}}
panels, notes = {}, {}
for points, one in zip(components, found, strict=True):
    if ("", one.subject.kind) not in panels:
        panels["", one.subject.kind] = embed(points, perplexity=perplexity)
        notes["", one.subject.kind] = f"CHI {np.mean(one.tsne):.1f}"
sprites = sprite_sheet(pictures)
embedding_grid(panels, classes=kinds, contents=contents, sprites=sprites, notes=notes)

# %% [markdown]
# ## Along training
#
# If the skip decides, its effect should be there early and grow; without it no amount of training should
# bring it. The SRResNets of the first seed after some steps (one restart of t-SNE each).

# %%
steps = [*ladder, 6000]
known = {one.subject: one for one in found}
rungs = [
    {"network": subject.kind, "step": step, "measure": measure, "value": value}
    for subject in subjects("alike", training_seeds[:1])
    if not subject.degraded
    for step in steps
    for rung in [at_step(subject, step)]
    for one in [known.get(rung) or look(rung, runs=1, perplexity=perplexity)[1]]
    for measure, value in (("CHI, t-SNE", one.tsne[0]), ("CHI, 50 PCA dimensions", one.pca))
]

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The ladder: separability after more and more training steps, on the 2-D embedding and on the 50 principal components. Look where the lines part.", "name": "fig-published-ladder"}}
lines, _ = curves(pd.DataFrame(rungs), panel="measure", line="network", x="step")
stacked_curves(steps, lines, x_title="training steps", log_x=True, log_y=[*lines])

# %% [markdown]
# ## Networks that others trained, and other architectures
#
# Real-ESRGAN alone takes minutes. So this is a **recorded** run of this notebook with
# `networks = "published"` and `networks = "zoo"`.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Recorded, not computed with this build: what others trained (first), and our narrow networks of other architectures, on three sets of pictures. Colour and symbol: whether there is a skip, and what they were trained on. Bars: restarts of t-SNE.", "name": "fig-published-recorded"}}
recorded = read_recorded()
print("; ".join(sorted({f"recorded {run.date} at {run.commit}" for run in recorded})))
separation_dots(by_picture_set(recorded))

# %% [markdown]
# ## Verdict
#
# An interval is what the restarts of t-SNE span. The verdict is on the group computed above; the scoreboard
# shows the others beside it.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict on the networks computed above. Spread: over training seeds or, where a kind is one network, over restarts of t-SNE.", "name": "fig-published-verdict"}}
by_kind = {one.subject.kind: [] for one in found}
for one in found:
    by_kind[one.subject.kind].append(one)
for kind, own in by_kind.items():
    indices = own[0].tsne if len(own) == 1 else [np.mean(one.tsne) for one in own]
    study.measure(f"CHI, {kind}", indices)
    study.measure(f"CHI on 50 PCA dimensions, {kind}", [one.pca for one in own])
raw = separation(PIXELS, principal_components(points_of(lr)), kinds, psnr=0.0, **settings)
study.measure("CHI of the pixels", raw.tsne, glue="published_pixels")
study.verdict(
    **outcomes(found),
    linear=larger_with_skip(found),
    pixels=stays_below(span(raw.tsne), LEVEL),
    notes={"separations": as_rows(found), "left out": missing},
)
