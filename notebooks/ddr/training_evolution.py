# %% [markdown]
# (finding-training-evolution)=
# # Does separability grow while the network learns?
#
# *6 minutes. You learn to follow features along training, and how sure a trend over snapshots is. Builds on
# {doc}`global_residual`.*
#
# ## The claim
#
# Deep degradation representations are **learned**. In a fresh SRResNet with global residual (GR) the three
# degradations lie mixed; as training goes on and the PSNR rises, they separate
# ({cite:t}`liu2021discovering`, Sec. 4.4).
#
# Why it matters: if a random network separated degradations just as well, the clouds would be a property of
# convolutions. If they appear together with quality, they are part of what the network learns in order to
# super-resolve.

# %% tags=["parameters", "hide-cell"] quick={"num_patches": 11, "steps_with_gr": [0, 250, 1000, 6000], "steps_without_gr": [0, 6000], "num_quality": 3, "seeds": [0], "tsne_runs": 1}
image_set = "photographs"  # judged on these; never trained on, unless train = True (see below)
num_patches = 100  # contents; each under clean, blur and noise
steps_with_gr = [0, 250, 500, 1000, 2500, 4000, 6000]  # snapshots to look at; 0 is untrained
steps_without_gr = [0, 1000, 6000]  # a control, which one run of t-SNE judges
seeds = [0, 1, 2]  # of the networks with GR whose start and end are compared
num_quality = 40  # clean patches that PSNR is measured on
tsne_runs = 5  # random starts of t-SNE, as in the paper; their mean is judged
block = 16  # residual block whose output is taken
train = False  # True: train both networks here, live, in about five minutes on two cores
live_steps = 2000  # length of the live runs
device = "auto"

# %% tags=["hide-cell"]
from dataclasses import replace

import numpy as np
import pandas as pd

from srlab.checkpoints.files import load_checkpoint
from srlab.data.datasets import degraded_patches, load_images
from srlab.degradations import Degradation
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.embeddings import animated_embedding
from srlab.metrics import network_psnr
from srlab.representation.embedding import align, embed, layer_components, separability
from srlab.statistics import middle, rank_correlation
from srlab.studies.ddr.clouds import thumbnails
from srlab.studies.ddr.restarts import restarts, runs_index
from srlab.studies.study import Study, exceeds, reaches, span, stays_below, together
from srlab.training.initial import initial_model
from srlab.training.recipes import recipe, seed_names

study = Study(
    "ddr/training_evolution",
    claim="The separability of degradations grows along training, together with PSNR",
    source="DDR, Sec. 4.4, 4.5",
    claims={
        "rank": "with GR, CHI (mean of five t-SNE runs) rises with PSNR over the snapshots: Spearman's ρ lies above 0, with its interval over contents",
        "longer": "with GR, CHI rises with the number of training steps: ρ lies above 0, with its interval over contents",
        "seeds": "with GR, CHI and PSNR are greater at the end than before training, in every seed",
    },
    says={
        "rank": "Sec. 4.4: “the relationship between the model performance and DDR discriminability”, reported as growing together; the sentence itself is lost in our copy",
        "longer": "Sec. 4.5: “prolonging the training iterations and deepening the network depth will make the network further overfit to the training data”, which is what makes features separate",
        "seeds": "Sec. 4.4: “SRResNet models with different training iterations” are compared",
    },
    controls={
        "untrained": "with GR, the untrained network stays below CHI 20",
        "level": "with GR, the last snapshot reaches CHI 20, in every seed",
        "growth": "with GR, CHI grows at least tenfold after the first snapshot",
        "without": "without GR, no snapshot reaches CHI 20",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

# %% tags=["hide-cell"]
NAMES = {"with GR": "srresnet-gr", "without GR": "srresnet-wogr"}
pictures, checkpoints = load_images(image_set), []


def shipped(name, steps):
    final = recipe(name).steps
    files = {step: name if step == final else f"{name}@{step}" for step in steps if step}
    checkpoints.extend(files.values())
    return {0: initial_model(recipe(name))} | {s: load_checkpoint(f)[0] for s, f in files.items()}


def trained_live(name):
    from srlab.training.fit import fit  # loads what takes seconds, and only training needs

    marks = tuple(int(live_steps * share) for share in (0.05, 0.12, 0.25, 0.5, 0.75))
    short = replace(recipe(name), steps=live_steps, snapshots=marks)
    left = {title: image[..., : image.shape[-1] // 2] for title, image in pictures.items()}
    run = fit(short, images=left, device=study.device.type)
    return {0: initial_model(short)} | {step: run.model(step) for step in run.weights}


if train:
    runs = {kind: trained_live(name) for kind, name in NAMES.items()}
    pictures = {title: image[..., image.shape[-1] // 2 :] for title, image in pictures.items()}
else:
    steps = {"with GR": steps_with_gr, "without GR": steps_without_gr}
    runs = {kind: shipped(name, steps[kind]) for kind, name in NAMES.items()}
    for name in seed_names("srresnet-gr", seeds)[1:]:
        runs[name] = shipped(name, [0, recipe(name).steps])

degradations = [Degradation(), Degradation(blur_sigma=4), Degradation(noise_sigma=20 / 255)]
pairs = degraded_patches(pictures, degradations, count=num_patches)
kinds, layer = pairs.degradation_labels, f"body.{block - 1}"
lr, hr = pairs.lr.to(study.device), pairs.hr.to(study.device)
clean = lr[:: len(degradations)][:num_quality]
groups = np.repeat(np.arange(num_patches), len(degradations))
CHI, LINEAR, PSNR = "CHI, t-SNE", "CHI, 50 PCA dimensions", "PSNR-Y, dB"

embeddings, found, judged, quality = {}, [], {}, {}
for kind, run in runs.items():
    for step, model in run.items():
        model = model.to(study.device).eval()
        components = layer_components(model, lr, [layer])[layer]
        once = kind == "without GR" or step == 0  # where it is far from any level
        own = runs_index(restarts(components, 1 if once else tsne_runs), kinds, groups)
        own_psnr = network_psnr(model, clean, hr[:num_quality], border=4).cpu().numpy()
        judged[kind, step], quality[kind, step] = own, own_psnr
        values = (own.mean, separability(components, kinds).index, own_psnr.mean())
        place = {"network": kind, "step": step, "low": own.interval[0], "high": own.interval[1]}
        found.append(place | dict(zip((CHI, LINEAR, PSNR), values)))
        if kind == "with GR":
            embeddings[step] = embed(components)
along = dict(iter(pd.DataFrame(found).groupby("network", sort=False)))

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The features with GR after ResBlock 16 as training goes on (t-SNE of each snapshot, turned to fit its successor). Each dot stays the same patch. Colour: degradation; symbol: picture; at the top right the Caliński–Harabasz index (CHI). Press play: which degradation leaves first?", "name": "fig-evolution-animated"}}
gr = along["with GR"]
frames, reference = {}, None
for step in reversed(gr["step"].tolist()):
    embedding = embeddings[step]
    reference = embedding if reference is None else align(embedding, reference)
    frames[str(step)] = reference
animated_embedding(
    dict(reversed(frames.items())),
    classes=kinds,
    contents=pairs.content_labels,
    sprites=thumbnails(pairs.lr),
    notes={str(step): f"CHI {index:.1f}" for step, index in zip(gr["step"], gr[CHI])},
    slider_title="training step",
)

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "Along training, first seed: CHI in the plane, mean of five t-SNE runs (bands: 95 % bootstrap over contents), CHI on 50 principal components, and PSNR-Y of forty clean patches. With GR, does PSNR climb first, or do the clouds separate first? Without GR, what rises?", "name": "fig-evolution"}}
shown = {kind: along[kind] for kind in NAMES}
stacked_curves(
    {kind: own["step"] for kind, own in shown.items()},
    {title: {kind: own[title] for kind, own in shown.items()} for title in (CHI, LINEAR, PSNR)},
    bands={CHI: {kind: (own["low"], own["high"]) for kind, own in shown.items()}},
    x_title="training step",
)

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | network | SRResNet with GR, 64 channels in its own paper | with and without GR, 32 channels |
# | training | 600 000 steps on DIV2K | 6 000 steps on 577 pictures; snapshots of the first seed are shipped; of the other seeds only the end |
# | live run (`train = True`) | – | 2 000 steps on the **left halves** of six photographs, judged on the right halves |
# | measure | CHI on t-SNE, mean of five runs; PSNR | the same over 100 contents (without GR and before training one run), and CHI on 50 principal components |
#
# ResBlock 16 is judged. The learning rate falls along a cosine, so snapshots in the middle are noisier than
# the last. How sure is an order of snapshots? Contents are drawn with replacement, the same ones for all
# snapshots (PSNR: among its own patches), and the rank correlation is taken anew each time.

# %% tags=["remove-input"]
study

# %% [markdown]
# ## Verdict

# %% tags=["hide-cell"]
trained = gr["step"].tolist()[1:]  # the first is untrained
drawn = {step: judged["with GR", step].draws for step in trained}
rng = np.random.default_rng(0)
patches = len(quality["with GR", trained[0]])
rows = rng.integers(patches, size=(len(drawn[trained[0]]), patches))
drawn_psnr = {step: quality["with GR", step][rows].mean(axis=1) for step in trained}


def ranked(values, by, drawn_values, drawn_by):
    """(Spearman's ρ over the snapshots, its 95 % interval over contents)."""
    ranks = [rank_correlation(*pair) for pair in zip(drawn_values, drawn_by, strict=True)]
    return rank_correlation(values, by), middle(ranks)


chis = np.transpose([drawn[step] for step in trained])
psnrs = np.transpose([drawn_psnr[step] for step in trained])
by_psnr = ranked(gr[CHI][1:], gr[PSNR][1:], chis, psnrs)
by_step = ranked(gr[CHI][1:], trained, chis, [trained] * len(chis))

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: 95 % bootstrap interval over contents; where it says so, lowest to highest over training seeds.", "name": "fig-evolution-verdict"}}
wogr = along["without GR"]
untrained, first, last = (gr.iloc[place] for place in (0, 1, -1))
highest = wogr.loc[wogr[CHI].idxmax()]
ends = pd.concat(own.iloc[[0, -1]] for kind, own in along.items() if kind != "without GR")
starts, finals = ends.iloc[::2], ends.iloc[1::2]  # a row a seed


def measure_chi(name, row, **options):
    study.measure(name, row[CHI], interval=(row["low"], row["high"]), **options)


name = "Spearman ρ of CHI and PSNR, with GR"
study.measure(name, by_psnr[0], interval=by_psnr[1], paper="both grow", glue="evo_rho")
name = "Spearman ρ of CHI and steps, with GR"
study.measure(name, by_step[0], interval=by_step[1], paper="grows", glue="evo_rho_steps")
name = "CHI at the end, with GR, over seeds"
study.measure(name, finals[CHI], paper="separates", glue="evo_last")
study.measure("CHI untrained, with GR, over seeds", starts[CHI], glue="evo_untrained")
measure_chi("CHI at the first snapshot, with GR", first, glue="evo_first")
measure_chi("highest CHI, without GR", highest, glue="evo_wogr")
study.measure("PSNR-Y at the end, with GR, over seeds", finals[PSNR], glue="evo_psnr_last")
study.measure("PSNR-Y at the end, without GR", wogr.iloc[-1][PSNR])
study.glue(evo_psnr_first=first[PSNR], evo_seeds=len(finals), evo_contents=num_patches)
grown = [finals[title].to_numpy() - starts[title].to_numpy() for title in (CHI, PSNR)]
study.verdict(
    rank=exceeds(by_psnr[1]),
    longer=exceeds(by_step[1]),
    seeds=together(*(exceeds(span(own)) for own in grown)),
    untrained=stays_below(span(starts[CHI]), 20),
    level=reaches(span(finals[CHI]), 20),
    growth=last[CHI] / first[CHI] >= 10,
    without=stays_below((highest["low"], highest["high"]), 20),
    checkpoints=checkpoints,
)

# %% [markdown]
# ## What we have seen
#
# - Untrained, the features after the last block have a CHI of {glue:text}`evo_untrained:.3f`. At the first
#   snapshot it is {glue:text}`evo_first:.3f`, at the end {glue:text}`evo_last:.0f` (mean of
#   {glue:text}`evo_seeds` seeds), while PSNR goes from {glue:text}`evo_psnr_first:.2f` to
#   {glue:text}`evo_psnr_last:.2f` dB. Spearman's ρ of CHI over the snapshots is {glue:text}`evo_rho:.2f`
#   with PSNR and {glue:text}`evo_rho_steps:.2f` with steps.
# - Without GR CHI is {glue:text}`evo_wogr:.3f` at most; its PSNR is in the figure.
#
# ## Exercises
#
# 1. CHI and PSNR both rise with the number of steps. Does their rank correlation show that one needs the
#    other?
# 2. Why are snapshots embedded one by one and then turned to fit each other, not all in one t-SNE?
# 3. Set `train = True`: two fresh networks learn from six half photographs for 2 000 steps. On which of the
#    two indices do you expect to see a rise first?
#
# ```{dropdown} Answers
# 1. No: anything that grows along training correlates with anything else that does. The network without GR
#    is the test: there the PSNR can rise while the index is free to stay.
# 2. Features of different snapshots have different coordinates, so distances across snapshots mean nothing.
#    Turning and mirroring change no distance within a snapshot.
# 3. On the 50 principal components: t-SNE minds nearest neighbours only, and as long as a patch's nearest
#    neighbour is its own degraded version, nothing shows in the plane.
# ```
#
# To go on: take an earlier block (`block = 8`), or double `live_steps`.
