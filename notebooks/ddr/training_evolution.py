# %% [markdown]
# (finding-training-evolution)=
# # Separability grows while the network learns
#
# ## The claim
#
# Deep degradation representations are **learned**. In a fresh network the three degradations lie
# mixed; as training goes on and the PSNR rises, they part ({cite:t}`liu2021discovering`, Sec. 4.4).
#
# | along training of an SRResNet with global residual | separability | PSNR |
# |---|---|---|
# | reported by the paper | grows | grows with it |
#
# Why it matters: if a random network separated degradations just as well, the clouds would be a
# property of convolutions. If they appear together with quality, they are part of what the network
# learns in order to super-resolve.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"num_patches": 20, "steps_with_gr": [0, 1000, 6000], "steps_without_gr": [0, 6000]}
image_set = "photographs"  # judged on these; never trained on, unless train = True (see below)
num_patches = 70  # contents; each under clean, blur and noise
steps_with_gr = [0, 250, 500, 1000, 2500, 4000, 6000]  # snapshots to look at; 0 is untrained
steps_without_gr = [0, 250, 1000, 2500, 6000]
block = 16  # residual block to look behind
train = False  # True: train both networks here, live, in about five minutes on two cores
live_steps = 2000  # length of the live runs
device = "auto"

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | network | SRResNet with GR, 64 channels | with and without GR, 32 channels |
# | training | 600 000 steps on DIV2K | 6 000 steps on 577 pictures; snapshots shipped |
# | live run (`train = True`) | – | 2 000 steps on the **left halves** of six photographs, judged on the right halves |
# | measure | CHI on t-SNE, PSNR | the same, and CHI on 50 principal components |
#
# The learning rate falls along a cosine, so snapshots in the middle are noisier than the last.
#
# :::{admonition} Criterion, set before the experiment
# :class: important
# With GR, behind ResBlock 16: (1) the untrained network stays below CHI 20; (2) over the snapshots,
# CHI rises with PSNR (Spearman's ρ at least 0.8); (3) the last snapshot reaches at least ten times
# the CHI of the first one after training began. Without GR (4) no snapshot reaches 20.
# :::

# %% tags=["hide-cell"]
from dataclasses import replace

import numpy as np
import torch
from myst_nb import glue
from scipy.stats import spearmanr

from srlab.checkpoints.files import load_checkpoint
from srlab.data.datasets import degraded_patches, load_images
from srlab.degradations import Degradation
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.embeddings import animated_embedding
from srlab.figures.pictures import sprite_sheet
from srlab.images import image_to_array
from srlab.metrics import psnr
from srlab.representation.embedding import (
    align,
    embed,
    layer_points,
    principal_components,
    separability,
    separability_interval,
)
from srlab.studies.parameters import check_parameters
from srlab.studies.study import Finding, record
from srlab.training.initial import initial_model
from srlab.training.recipes import recipe

check_parameters()
device = pick_device(device)
finding = Finding(
    name="ddr/training_evolution",
    claim="The separability of degradations grows along training, together with PSNR",
    source="DDR, Sec. 4.4",
    criterion=(
        "With GR, CHI behind ResBlock 16 is below 20 untrained, rises with PSNR over "
        "the snapshots (Spearman ≥ 0.8) and at least tenfold after the first; without GR it never "
        "reaches 20."
    ),
)

# %% [markdown]
# ## The networks, at several moments of their training
#
# Either the shipped snapshots, or – this is the switch – two networks trained right here. A live
# run shows a progress bar with its PSNR.

# %%
NAMES = {"with GR": "srresnet-gr", "without GR": "srresnet-wogr"}
pictures = load_images(image_set)


def shipped(name, steps):
    final = recipe(name).steps
    files = {step: name if step == final else f"{name}@{step}" for step in steps if step}
    return {0: initial_model(recipe(name))} | {s: load_checkpoint(f)[0] for s, f in files.items()}


def trained_live(name):
    from srlab.training.fit import fit  # loads what takes seconds, and only training needs

    marks = tuple(int(live_steps * share) for share in (0.05, 0.12, 0.25, 0.5, 0.75))
    short = replace(recipe(name), steps=live_steps, snapshots=marks)
    left = {title: image[..., : image.shape[-1] // 2] for title, image in pictures.items()}
    run = fit(short, images=left, device=device.type)
    return {0: initial_model(short)} | {step: run.model(step) for step in run.weights}


if train:
    runs = {kind: trained_live(name) for kind, name in NAMES.items()}
    pictures = {title: image[..., image.shape[-1] // 2 :] for title, image in pictures.items()}
else:
    chosen = {"with GR": steps_with_gr, "without GR": steps_without_gr}
    runs = {kind: shipped(name, chosen[kind]) for kind, name in NAMES.items()}

# %% [markdown]
# ## Experiment
#
# The same patches pass through every snapshot; we keep the 50 principal components behind one
# block, their embedding, and the PSNR of forty clean patches.

# %%
degradations = [Degradation(), Degradation(blur_sigma=4), Degradation(noise_sigma=20 / 255)]
pairs = degraded_patches(pictures, degradations, count=num_patches)
kinds, lr, hr = pairs.degradation_labels, pairs.lr.to(device), pairs.hr.to(device)
groups = np.repeat(np.arange(num_patches), len(degradations))


@torch.no_grad()
def look(model):
    model = model.to(device).eval()
    layer = f"body.{block - 1}"
    components = principal_components(layer_points(model, lr, [layer])[layer])
    quality = psnr(model(lr[:: len(degradations)][:40]), hr[:40], border=4)
    return components, embed(components), quality.mean().item()


seen = {kind: {step: look(model) for step, model in run.items()} for kind, run in runs.items()}


# %%
def along(measure):
    return {
        kind: np.array([measure(*views) for views in run.values()]) for kind, run in seen.items()
    }


chi = along(lambda components, embedding, quality: separability(embedding, kinds).index)
chi_pca = along(lambda components, embedding, quality: separability(components, kinds).index)
quality = along(lambda components, embedding, quality: quality)
spread = along(
    lambda components, embedding, quality: separability_interval(embedding, kinds, groups)
)

# %% [markdown]
# ## On one time axis
#
# Separability and quality rise together with GR. Without GR quality rises too, but the degradations
# stay mixed: learning to super-resolve is not enough.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Along training: CHI on the 2-D embedding (bands: 95 % bootstrap over contents), CHI on 50 principal components, and PSNR-Y of forty clean patches. Look at the order of events with GR: first the PSNR climbs, then the clouds part.", "name": "fig-evolution"}}
time = {kind: list(run) for kind, run in seen.items()}
stacked_curves(
    time,
    {"CHI, t-SNE": chi, "CHI, 50 PCA dimensions": chi_pca, "PSNR-Y, dB": quality},
    bands={"CHI, t-SNE": {kind: (rows[:, 0], rows[:, 1]) for kind, rows in spread.items()}},
    x_title="training step",
)

# %% [markdown]
# ## Watch it happen
#
# Press play, or move the slider. Each dot stays the same patch throughout.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The features with GR behind ResBlock 16 as training goes on (t-SNE of each snapshot, turned to fit its successor). Colour: degradation; symbol: picture. Watch noise leave first.", "name": "fig-evolution-animated"}}
frames, reference = {}, None
for step, (_, embedding, _) in reversed(seen["with GR"].items()):
    reference = embedding if reference is None else align(embedding, reference)
    frames[str(step)] = reference
notes = {str(s): f"CHI {c:.1f}" for s, c in zip(time["with GR"], chi["with GR"])}
animated_embedding(
    dict(reversed(frames.items())),
    classes=kinds,
    contents=pairs.content_labels,
    sprites=sprite_sheet(np.stack([image_to_array(patch) for patch in pairs.lr])),
    notes=notes,
    slider_title="training step",
)

# %% [markdown]
# ## Verdict

# %%
trained = slice(1, None)  # without the untrained network
rho = spearmanr(quality["with GR"][trained], chi["with GR"][trained]).statistic
growth = chi["with GR"][-1] / chi["with GR"][1]


# %% tags=["remove-cell"]
glue("evo_rho", float(rho), display=False)
glue("evo_first", float(chi["with GR"][1]), display=False)
glue("evo_last", float(chi["with GR"][-1]), display=False)
glue("evo_untrained", float(chi["with GR"][0]), display=False)
glue("evo_wogr", float(chi["without GR"].max()), display=False)
glue("evo_psnr_first", float(quality["with GR"][1]), display=False)
glue("evo_psnr_last", float(quality["with GR"][-1]), display=False)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: 95 % bootstrap interval over contents.", "name": "fig-evolution-verdict"}}
record(
    finding,
    checks={
        "with GR, the untrained network stays below CHI 20": chi["with GR"][0] < 20,
        "with GR, CHI rises with PSNR over the snapshots (Spearman ≥ 0.8)": rho >= 0.8,
        "with GR, CHI grows at least tenfold after the first snapshot": growth >= 10,
        "without GR, no snapshot reaches CHI 20": chi["without GR"].max() < 20,
    },
    measured={
        "Spearman ρ of CHI and PSNR, with GR": rho,
        "CHI at the end, with GR": chi["with GR"][-1],
        "highest CHI, without GR": chi["without GR"].max(),
        "CHI untrained, with GR": chi["with GR"][0],
        "CHI at the first snapshot, with GR": chi["with GR"][1],
        "PSNR-Y at the end, with GR": quality["with GR"][-1],
        "PSNR-Y at the end, without GR": quality["without GR"][-1],
    },
    interval={
        "CHI untrained, with GR": tuple(spread["with GR"][0]),
        "CHI at the first snapshot, with GR": tuple(spread["with GR"][1]),
        "CHI at the end, with GR": tuple(spread["with GR"][-1]),
        "highest CHI, without GR": tuple(spread["without GR"][chi["without GR"].argmax()]),
    },
    paper={
        "Spearman ρ of CHI and PSNR, with GR": "both grow",
        "CHI at the end, with GR": "separates",
    },
    image_set=image_set,
    parameters={"num_patches": num_patches, "block": block, "trained_live": train},
    checkpoints=[]
    if train
    else [
        name if step == recipe(name).steps else f"{name}@{step}"
        for name, run in ((NAMES[kind], run) for kind, run in seen.items())
        for step in run
        if step
    ],
)

# %% [markdown]
# ## What we have seen
#
# - Untrained, the features behind the last block have a CHI of {glue:text}`evo_untrained:.1f`: no
#   separation comes for free. It grows from {glue:text}`evo_first:.1f` at the first snapshot to
#   {glue:text}`evo_last:.0f` at the end, while PSNR goes from {glue:text}`evo_psnr_first:.2f` to
#   {glue:text}`evo_psnr_last:.2f` dB (Spearman's ρ {glue:text}`evo_rho:.2f`).
# - Without GR it stays at {glue:text}`evo_wogr:.2f` at most, although that network learns to
#   super-resolve as well.
#
# ## Try it yourself
#
# - Set `train = True`. Two fresh networks learn from the left halves of six photographs, and are
#   judged on the right halves. Within some minutes the index on the 50 principal components should
#   rise with GR and stay near zero without. So few pictures and steps do not suffice for clouds in
#   the plane: the index of t-SNE rises a little and levels off, and the verdict then reads *partly*.
# - Look behind an earlier block (`block = 8`): separability should come later, or not at all.
# - Double `live_steps`: does the live run catch up with the shipped networks, which saw 577 pictures?
