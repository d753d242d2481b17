# %% [markdown]
# (finding-adversarial-learning)=
# # Does adversarial training separate degradations without a residual?
#
# *8 minutes. You learn to compare two causes, an architecture and a training aim, in one two-by-two figure.
# Builds on {doc}`global_residual`.*
#
# ## The claim
#
# Trained to come close to the original picture, an SRResNet needs a global residual (GR) before its
# features separate degradations. Trained **adversarially**, so that a second network cannot tell its output
# from a photograph, it separates them with GR or without ({cite:t}`liu2021discovering`, Sec. 4.3, Fig. 7).
#
# Why it matters: with a residual the features need not carry the content. If another *aim* does the same to the
# same architecture, then what a network is asked for decides what it represents, not only how it is built.

# %% tags=["parameters", "hide-cell"] quick={"num_patches": 11, "num_quality": 4, "num_labelled": 12, "training_seeds": [0], "blocks": [1, 16], "tsne_runs": 1}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_patches = 100  # contents; each is shown under all three degradations
networks = {  # training aim and architecture → recipe; further seeds are called "…-s1", "…-s2"
    "MSE, with GR": "srresnet-gr",
    "MSE, without GR": "srresnet-wogr",
    "GAN, with GR": "srgan-gr",
    "GAN, without GR": "srgan-wogr",
}
training_seeds = [0, 1, 2]  # networks trained from different initializations and data orders
blocks = [1, 8, 16]  # residual blocks whose output is taken; the last one is judged
tsne_runs = 5  # random starts of t-SNE, as in the paper; their mean is judged
labelled = "photographs+textures"  # pictures with a subject each; "cifar10" for the paper's classes
num_labelled = 60  # of these, spread over the subjects
num_quality = 20  # clean patches that PSNR and sharpness are measured on
perplexity = 30
train = False  # True trains all networks here (many minutes each) instead of loading them
device = "auto"

# %% tags=["hide-cell"]
import numpy as np
import pandas as pd
import torch

from srlab.data.datasets import degraded_patches, load_images
from srlab.data.subjects import subject_task
from srlab.degradations import Degradation
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.embeddings import animated_grid
from srlab.figures.pictures import picture_grid
from srlab.images import image_to_array
from srlab.metrics import psnr
from srlab.representation.embedding import align, embed, layer_components, separability
from srlab.studies.ddr.clouds import index_words, thumbnails
from srlab.studies.ddr.feature_maps import edges
from srlab.studies.ddr.labellings import both_indices
from srlab.studies.ddr.restarts import restarts, runs_index
from srlab.studies.frames import curves
from srlab.studies.study import Study, exceeds, reaches, span, stays_below, together
from srlab.training.recipes import recipe, seed_name

study = Study(
    "ddr/adversarial_learning",
    claim="Adversarial training separates degradations with and without a global residual",
    source="DDR, Sec. 4.2, 4.3, Fig. 5, 7",
    claims={
        "wogr": "SRGAN without GR separates clean, blurred and noisy patches behind the last block: CHI, mean of five t-SNE runs, reaches level + (20), in every seed",
        "gr": "so does SRGAN with GR, in every seed",
        "help": "without GR, CHI is greater after adversarial training than after MSE training, in every seed",
        "task": "SRGAN with GR sorts labelled pictures by degradation rather than by what they show: CHI by degradation is the greater one, in every seed",
    },
    says={
        "wogr": "Fig. 7: “Even without GR, GAN-based SR networks can still obtain DDR”",
        "gr": "Sec. 4.3: “the deep features are bound to be discriminative to degradation types for the GAN-based method, whether there is GR or not”",
        "help": "Sec. 4.3: “Adversarial learning can help the network learn more informative features for distinguishing image degradation”",
        "task": "Sec. 4.2, Fig. 5: “the deep representations obtained by SR networks (SRResNet and SRGAN) are clustered with regard to degradation types”",
    },
    controls={
        "mse": "SRResNet reaches CHI 20 with GR and stays below without, in every seed",
        "gain": "without GR, adversarial training at least doubles the CHI on 50 PCA dimensions, in every seed",
        "sharper": "adversarial training makes pictures sharper, with GR and without, in every seed",
        "longer": "SRGAN without GR, trained with its critic four times as long (training seed 0): CHI, mean of five t-SNE runs, reaches 20, by its 95 % interval over contents",
        "grows": "and is greater than after the shorter training of that seed, by the interval of the ratio",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

# %% tags=["hide-cell"]
degradations = [Degradation(), Degradation(blur_sigma=4), Degradation(noise_sigma=20 / 255)]
pairs = degraded_patches(load_images(image_set), degradations, count=num_patches)
kinds, contents = pairs.degradation_labels, pairs.content_labels
lr, hr = pairs.lr.to(study.device), pairs.hr[:num_quality].to(study.device)
models = {
    (kind, seed): study.network(seed_name(base, seed))
    for kind, base in networks.items()
    for seed in training_seeds
}

first = training_seeds[0]
layers, last = [f"body.{block - 1}" for block in blocks], blocks[-1]
components = {
    (kind, seed, block): cloud
    for (kind, seed), model in models.items()
    for block, cloud in zip(blocks, layer_components(model, lr, layers).values(), strict=True)
}
embeddings = {
    key: embed(cloud, perplexity=perplexity) for key, cloud in components.items() if key[1] == first
}
groups = np.repeat(np.arange(num_patches), len(degradations))
judged = {}
for (kind, seed, block), cloud in components.items():
    if block == last:
        runs = restarts(cloud, 1 if kind == "MSE, with GR" else tsne_runs, perplexity=perplexity)
        judged[kind, seed] = runs_index(runs, kinds, groups)
TSNE, PCA = "CHI, t-SNE", "CHI, 50 PCA dimensions"
chi = pd.DataFrame(
    {"measure": title, "network": kind, "seed": seed, "block": block}
    | {"value": separability(cloud, kinds).index}
    for title, clouds in {TSNE: embeddings, PCA: components}.items()
    for (kind, seed, block), cloud in clouds.items()
)

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "What four networks make of clean, blurred and noisy patches, block by block (t-SNE, training seed 0). They share one architecture up to the global residual (columns) and differ in their aim (rows): MSE, to be close to the original; GAN, to look real. Colour: degradation; symbol: picture; in each panel the Caliński–Harabasz index (CHI) and the paper's level of it. Move the slider from the first block to the last: in which panels do the colours separate? Point at a dot to see its patch.", "name": "fig-adv-story"}}
place, frames, later = {kind: tuple(kind.split(", ", 1)) for kind in networks}, {}, {}
for block in reversed(blocks):  # each turned to fit its successor
    own = {kind: embeddings[kind, first, block] for kind in networks}
    later = {kind: align(points, later.get(kind, points)) for kind, points in own.items()}
    frames[str(block)] = {place[kind]: points for kind, points in later.items()}
notes = {str(block): {} for block in blocks}
for row in chi[(chi.measure == TSNE) & (chi.seed == first)].itertuples():
    notes[str(row.block)][place[row.network]] = index_words(row.value)
animated_grid(
    dict(reversed(frames.items())),
    classes=kinds,
    contents=contents,
    sprites=thumbnails(pairs.lr),
    notes=notes,
    slider_title="after residual block",
)

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | generator | SRResNet, 16 blocks, 64 channels in its own paper, no BN | the same with 32 channels, all four |
# | supervised aim | called MSE networks; trained with L1 | L1 |
# | adversarial aim | Ledig's discriminator, perceptual loss of VGG | a critic on patches, perceptual loss of a CIFAR-10 classifier of our own (16 channels), L1 with a small weight |
# | training | 600 000 steps | MSE: 6 000 steps; GAN: 5 000 more, starting from the MSE network of its seed; one without GR (seed 0) for 20 000 as well, which decides nothing |
# | test patches | 100 contents | 100 from six embedded photographs, which overlap in part; with `b100` from a hundred pictures |
# | degradations, projection | clean, blur 4, noise 20/255; mean of five t-SNE runs | the same; MSE with GR, where it is far above the level, one run |
# | by subject or by degradation? | 100 CIFAR-10 pictures per class | 60 patches of nine photographs, each a subject; with `labelled = "cifar10"` six pictures per class |
#
# An adversarial network has therefore seen more steps than its partner; {doc}`training_evolution` shows
# what steps alone do. Two numbers guard against a discriminator that did nothing: **PSNR** should be lower
# after adversarial training, which invents detail, and **sharpness**, the gradient magnitude of the output
# over that of the original, higher.

# %% tags=["remove-input"]
study

# %% tags=["hide-cell"]
rows, outputs = [], {}
for (kind, seed), model in models.items():
    with torch.no_grad():
        sr = model(lr[:: len(degradations)][:num_quality])
    quality, sharpness = psnr(sr, hr, border=4).mean().item(), edges(sr).mean() / edges(hr).mean()
    rows.append({"network": kind, "seed": seed, "psnr": quality, "sharpness": sharpness.item()})
    outputs[kind, seed] = sr.cpu()
quality = pd.DataFrame(rows).pivot(index="seed", columns="network")

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Three clean patches, their outputs (training seed 0) and originals. Above: PSNR-Y and sharpness, over all clean patches measured. What texture do the adversarial networks add?", "name": "fig-adv-pictures"}}
panels = {}
for index in np.linspace(0, num_quality - 1, 3, dtype=int):
    row = f"{pairs.contents[index]}, {index}"
    panels |= {(row, kind): image_to_array(outputs[kind, first][index]) for kind in networks}
    panels[row, "original"] = image_to_array(pairs.hr[index])
top, own = next(iter(panels))[0], quality.loc[first]
notes = {
    (top, kind): f"{own['psnr', kind]:.1f} dB<br>sharpness {own['sharpness', kind]:.2f}"
    for kind in networks
}
picture_grid(panels, notes=notes)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "CHI along depth. Above in the 2-D embedding, training seed 0; below on the 50 principal components, mean over the training seeds, bands from the lowest to the highest. Compare the two networks without GR: the distance between them is what the adversarial aim does alone.", "name": "fig-adv-depth"}}
lines, bands = curves(chi, panel="measure", line="network", x="block")
stacked_curves(blocks, lines, bands=bands, x_title="residual block", log_y=list(lines))

# %% [markdown]
# ## Along adversarial training
#
# Does SRGAN without GR reach level + (20) if it is given more time? One network (training seed 0) learnt for
# {glue:text}`adv_long_steps` steps with its critic. It decides nothing: it shows where the index is heading.

# %% tags=["hide-cell"]
plain, adversarial, longer = "MSE, without GR", "GAN, without GR", "srgan-wogr-long"
usual, long = (recipe(name).steps for name in ("srgan-wogr", longer))
clouds = {0: components[plain, first, last], usual: components[adversarial, first, last]}
climbed = {0: judged[plain, first], usual: judged[adversarial, first]}
if not train and networks[adversarial] == "srgan-wogr" and first == 0:
    clouds[long] = layer_components(study.network(longer), lr, layers[-1:])[layers[-1]]
    runs = restarts(clouds[long], tsne_runs, perplexity=perplexity)
    climbed[long] = runs_index(runs, kinds, groups)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "CHI after the last block of SRGAN without GR, training seed 0, by the steps that it learnt with its critic. 0: the MSE network that it started from; then the network above; at the right end a training of its own, four times as long. Above: mean of the t-SNE runs, band: 95 % over contents; below: 50 principal components. Dotted: level +. Does the upper curve reach it?", "name": "fig-adv-ladder"}}
means = {adversarial: np.array([own.mean for own in climbed.values()])}
linear = {adversarial: np.array([separability(own, kinds).index for own in clouds.values()])}
band = tuple(np.array([own.interval for own in climbed.values()]).T)
figure = stacked_curves(
    list(climbed),
    {TSNE: means, PCA: linear},
    bands={TSNE: {adversarial: band}},
    x_title="adversarial training steps",
    log_y=[TSNE, PCA],
)
figure.add_hline(20, line={"dash": "dot", "color": "#8C8C8C"}, row=1, col=1)

# %% [markdown]
# ## Verdict
#
# The index is taken twice for SRGAN with GR on labelled pictures: by subject and by degradation.

# %% tags=["hide-cell"]
_, task = subject_task(labelled, degradations, count=num_labelled)
found = []
for seed in training_seeds:
    model, layer = models["GAN, with GR", seed], layers[-1]
    cloud = layer_components(model, task.lr.to(study.device), [layer])[layer]
    runs = [both_indices(own, task) for own in restarts(cloud, tsne_runs)]
    found.append(pd.DataFrame(runs).mean())
sorting = pd.DataFrame(found)
preference = sorting["by degradation"] / sorting["by class"]

deep = pd.Series({key: own.mean for key, own in judged.items()}).unstack(0)
at_end = chi[(chi.measure == PCA) & (chi.block == last)]
deep_pca = at_end.pivot(index="seed", columns="network", values="value")
gain, gain_pca = (own[adversarial] / own[plain] for own in (deep, deep_pca))
sharp = quality["sharpness"]
sharper = [sharp[f"GAN, {how} GR"] / sharp[f"MSE, {how} GR"] for how in ("with", "without")]

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: lowest to highest over training seeds.", "name": "fig-adv-verdict"}}
SHORT = {"GAN, without GR": "gan_wogr", "MSE, without GR": "mse_wogr"}
SHORT |= {"GAN, with GR": "gan_gr", "MSE, with GR": "mse_gr"}
for kind, short in SHORT.items():
    paper = "does not, at any depth" if short == "mse_wogr" else "separates"
    study.measure(f"CHI, {kind}", deep[kind], paper=paper, glue=f"adv_{short}")
for title, table, ending in [
    ("CHI on 50 PCA dimensions", deep_pca, "pca"),
    ("PSNR-Y of clean patches", quality["psnr"], "psnr"),
    ("sharpness", quality["sharpness"], "sharp"),
]:
    for kind, short in SHORT.items():
        study.measure(f"{title}, {kind}", table[kind], glue=f"adv_{short}_{ending}")
study.measure("adversarial gain without GR", gain, paper="above 1")
study.measure("adversarial gain without GR, 50 PCA dimensions", gain_pca)
name = "CHI by degradation / by subject, GAN, with GR"
study.measure(name, preference, paper="sorted by degradation", glue="adv_preference")
study.glue(adv_gain_low=gain_pca.min(), adv_gain_high=gain_pca.max(), adv_seeds=len(training_seeds))
study.glue(adv_labelled=len(task.contents), adv_long_steps=long)
if long in climbed:
    name = f"CHI, {adversarial}, {long} steps (one seed)"
    end = {"interval": climbed[long].interval, "glue": "adv_long"}
    study.measure(name, climbed[long].mean, **end)
    _, short_pca, long_pca = linear[adversarial]
    study.glue(adv_short=climbed[usual].mean, adv_short_pca=short_pca, adv_long_pca=long_pca)
study.verdict(
    wogr=reaches(span(deep[adversarial]), 20),
    gr=reaches(span(deep["GAN, with GR"]), 20),
    help=exceeds(span(gain), than=1),
    task=exceeds(span(preference), than=1),
    mse=together(reaches(span(deep["MSE, with GR"]), 20), stays_below(span(deep[plain]), 20)),
    gain=reaches(span(gain_pca), 2),
    sharper=together(*(exceeds(span(own), than=1) for own in sharper)),
    longer=reaches(climbed[long].interval, 20) if long in climbed else None,
    grows=exceeds(climbed[long].over(climbed[usual])[1:], than=1) if long in climbed else None,
)

# %% [markdown]
# ## What we have seen
#
# Means over {glue:text}`adv_seeds` training seeds, after the last block:
#
# | | CHI, t-SNE | CHI, 50 PCA dimensions | PSNR-Y | sharpness |
# |---|---|---|---|---|
# | MSE, with GR | {glue:text}`adv_mse_gr:.1f` | {glue:text}`adv_mse_gr_pca:.1f` | {glue:text}`adv_mse_gr_psnr:.2f` dB | {glue:text}`adv_mse_gr_sharp:.2f` |
# | MSE, without GR | {glue:text}`adv_mse_wogr:.1f` | {glue:text}`adv_mse_wogr_pca:.1f` | {glue:text}`adv_mse_wogr_psnr:.2f` dB | {glue:text}`adv_mse_wogr_sharp:.2f` |
# | GAN, with GR | {glue:text}`adv_gan_gr:.1f` | {glue:text}`adv_gan_gr_pca:.1f` | {glue:text}`adv_gan_gr_psnr:.2f` dB | {glue:text}`adv_gan_gr_sharp:.2f` |
# | GAN, without GR | {glue:text}`adv_gan_wogr:.1f` | {glue:text}`adv_gan_wogr_pca:.1f` | {glue:text}`adv_gan_wogr_psnr:.2f` dB | {glue:text}`adv_gan_wogr_sharp:.2f` |
#
# - Without GR, the adversarial aim multiplies CHI on the principal components by
#   {glue:text}`adv_gain_low:.1f` to {glue:text}`adv_gain_high:.1f`, depending on the seed. The t-SNE
#   column tells whether that is enough for clouds in the plane.
# - Four times as many steps with a critic take SRGAN without GR (training seed 0) from {glue:text}`adv_short:.3g` to
#   {glue:text}`adv_long:.3g` in the plane, where level + begins at 20, and from {glue:text}`adv_short_pca:.3g` to
#   {glue:text}`adv_long_pca:.3g` on the principal components.
# - Shown {glue:text}`adv_labelled` contents with a subject each, SRGAN with GR has a CHI by degradation
#   that is {glue:text}`adv_preference:.3g` times that by subject ({doc}`classification_vs_sr` looks at
#   SRResNet too).
# - A likely reason: a discriminator looks at the *statistics* of a picture, its noise and its sharpness,
#   not at which pixel belongs where. A generator that has to satisfy it gains by knowing those of its
#   input.
#
# ## Exercises
#
# 1. Which comparison shows what the aim does alone, and which what the residual does alone?
# 2. Why must PSNR and sharpness be reported on this page at all?
# 3. With `num_patches = 40` CHI is lower everywhere. What should not change?
#
# ```{dropdown} Answers
# 1. The two rows of one column share their architecture and differ in the aim; the two columns of one row
#    differ in the residual.
# 2. Had the discriminator done nothing, both rows would be one and the same experiment; lower PSNR and
#    higher sharpness show that it acted.
# 3. The order of the four networks: CHI grows with the number of points, but for all of them.
# ```
#
# To go on: `networks["GAN, without GR"] = "srresnet-noise"` asks whether degraded training pictures do what
# an adversary does (the criterion then judges another claim; look at the figures); `image_set = "b100"`
# takes the literature's pictures.
