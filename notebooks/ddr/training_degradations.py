# %% [markdown]
# (finding-training-degradations)=
# # Do clean and noisy pictures become one for a network that was trained on both?
#
# ## The claim
#
# An SRGAN trained on clean pictures sorts its features by degradation. Train it on clean **and
# noisy** pictures, and it treats both alike: their representations become *unanimous*
# ({cite:t}`liu2021discovering`, Sec. 4.6, Fig. 9).
#
# | SRGAN with global residual, trained on … | clean and noisy pictures |
# |---|---|
# | clean pictures | apart |
# | clean + noise | **together** |
#
# Why it matters: distance between degradations would then measure what a network has *not* learnt
# to handle, which is how the paper comes to an index of generalization
# ({doc}`generalization_index`).
#
# There is a reason to doubt it for networks with a {term}`global residual`. The enlarged input,
# noise and all, is added to their output. To remove noise they must paint it once more with the
# opposite sign, and what is to be painted has to be known behind the last block. So we also measure
# how much of a degradation a network removes, and look at networks without a residual.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"num_patches": 20, "training_seeds": [0], "tsne_runs": 1, "size": 16, "restored": 4, "perplexity": 10}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_patches = 100  # contents; each is shown under all three degradations
training_seeds = [0, 1, 2]  # of the two SRGANs, from other initializations; those that are shipped
tsne_runs = 5  # random starts of t-SNE for what is judged, as in the paper
size = 32  # side of a patch, LR pixels
restored = 10  # contents whose outputs are compared
perplexity = 30
train = (
    False  # True trains all networks here (half an hour each on one core) instead of loading them
)
device = "auto"

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | network | SRGAN with GR, 16 blocks, 64 channels | the same with 32 channels |
# | trained on clean pictures | 600 000 steps | 6 000 steps with a pixel loss, then 5 000 with a critic |
# | trained on clean + noise | as many; strength of the noise cut off in the text at hand | 4 000 and 5 000; every second picture with noise of σ 20/255 |
# | tested on | clean and noisy pictures (DIV2K) | clean LR patches and the same with noise 20/255, embedded by themselves |
# | index | mean of five t-SNE runs | the same; bootstrap interval over contents |
#
# Beside the two SRGANs stand, as controls, SRResNets (first seed) trained on clean pictures, with
# noise, with blur of width 4, and with blur 0–4 and noise 0–25/255; and two without global residual.
# The controls' training goes on for 4 000 steps, that on clean pictures for 6 000.
# No ladder over steps stands here: of the SRGANs only the end of the training is shipped.

# %% tags=["hide-input"]
import numpy as np
import pandas as pd
import torch

from srlab.data.datasets import degraded_patches, load_images
from srlab.degradations import Degradation
from srlab.degradations.filters import upsample
from srlab.devices import pick_device
from srlab.figures.embeddings import embedding_grid
from srlab.figures.pictures import picture_row, sprite_sheet
from srlab.figures.tables import matrix_heatmap
from srlab.images import image_to_array
from srlab.metrics import network_psnr, removed_share
from srlab.representation.embedding import (
    embed,
    layer_points,
    principal_components,
    separability,
)
from srlab.studies.ddr.pairs import pair_separability
from srlab.studies.ddr.restarts import restarts, runs_index
from srlab.studies.networks import left_out, obtainable_groups
from srlab.studies.study import Study, exceeds, outer, reaches, span, stays_below
from srlab.training.recipes import seed_names

study = Study(
    "ddr/training_degradations",
    claim="SRGAN trained on clean and noisy pictures represents both alike",
    source="DDR, Sec. 4.6, Fig. 9",
    claims={
        "unanimous": "SRGAN trained on clean and noisy pictures: CHI of clean – noise behind "
        "ResBlock 16 stays below 20 (the paper's level −), in every seed",
        "apart": "SRGAN trained on clean pictures: that CHI reaches 20 (level +), in every seed",
        "falls": "that CHI is lower after training with noise, in every seed",
    },
    controls={
        "blur": "trained with noise, SRGAN keeps clean – blur, which it never met, at 20 or more",
        "linear": "clean – noise falls on 50 principal components too, in every seed",
        "mse_noise": "SRResNet trained with noise: clean – noise stays below 20",
        "mse_blur": "SRResNet trained with blur: clean – blur stays below 20",
        "mse_both": "SRResNet trained on blur and noise: all three stay below 20",
    },
    says={
        "unanimous": "Fig. 9: “By training with more degraded data, the deep representations become "
        "unanimous.”",
        "apart": "before Sec. 4.6, of networks trained on clean data: “These patterned features "
        "naturally show a strong discriminability between different degradations.”",
        "falls": "Sec. 4.6: “we compare the representations between SRGAN-wGR models trained on "
        "clean data and clean+noise data, respectively”",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)
study

# %% [markdown]
# ## Experiment
#
# Each network is shown the same patches three times: clean, blurred, noisy.

# %%
degradations = {
    "clean": Degradation(),
    "blur": Degradation(blur_sigma=4),
    "noise": Degradation(noise_sigma=20 / 255),
}
pictures = load_images(image_set)
pairs = degraded_patches(pictures, [*degradations.values()], count=num_patches, size=size)
kinds, contents = pairs.degradation_labels, pairs.content_labels
lr, hr = pairs.lr.to(study.device), pairs.hr.to(study.device)
two = np.isin(kinds, kinds[[0, 2]])  # clean and noise
groups = np.repeat(np.arange(num_patches), 2)

CLEAN, NOISY = "SRGAN, clean", "SRGAN, + noise"
JUDGED = {CLEAN: "srgan-gr", NOISY: "srgan-noise"}
CONTROLS = {
    "SRResNet, clean": "srresnet-gr",
    "SRResNet, + noise": "srresnet-noise",
    "SRResNet, + blur": "srresnet-blur",
    "SRResNet, + both": "srresnet-blind",
    "no GR, clean": "srresnet-wogr",
    "no GR, + noise": "srresnet-noise-wogr",
}
wanted = {
    (kind, seed): seed_names(base, [seed])
    for kind, base in JUDGED.items()
    for seed in training_seeds
}
wanted |= {(kind, 0): [name] for kind, name in CONTROLS.items()}
found, missing = obtainable_groups(wanted, train=train)
names = {place: name for place, [name] in found.items()}
networks = [*JUDGED, *CONTROLS]
seeds = {kind: [seed for own, seed in names if own == kind] for kind in networks}
if missing:
    print(left_out(missing))

# %% [markdown]
# Behind the last block: an embedding of all three degradations, in which every pair has a CHI, for
# the figures and the controls; and, for the SRGANs, several of clean and noisy patches alone.

# %%
NOISE, BLUR, ALL = "clean – noise", "clean – blur", "all three"
PAIRS = {NOISE: (0, 2), BLUR: (0, 1)}
LAYER = "body.15"
embeddings, judged, linear, rows = {}, {}, {}, []
for (kind, seed), name in names.items():
    points = layer_points(study.network(name), lr, [LAYER])[LAYER]
    if kind in JUDGED:
        components = principal_components(points[two])
        runs = restarts(components, tsne_runs, perplexity=perplexity)
        judged[kind, seed] = runs_index(runs, kinds[two], groups)
        linear[kind, seed] = separability(components, kinds[two]).index
    if seed == seeds[kind][0]:
        embeddings[kind] = embed(points, perplexity=perplexity)
        matrix = pair_separability(embeddings[kind], kinds)
        apart = {pair: matrix[place] for pair, place in PAIRS.items()}
        apart[ALL] = separability(embeddings[kind], kinds).index
        rows += [{"network": kind, "pair": pair, "value": value} for pair, value in apart.items()]
chi = pd.DataFrame(rows).pivot(index="network", columns="pair", values="value").loc[networks]

# %% [markdown]
# ## What training leaves apart
#
# From left to right the training changes, and nothing else. Watch whether clean and noisy mix.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE of the features behind ResBlock 16 of SRGAN and SRResNet, trained on clean pictures and on clean and noisy ones (first seed). Colour: degradation; symbol: picture. Point at a dot to see its patch; click a class in the legend to hide it. Above each panel: how far noise, and blur, are from clean (CHI).", "name": "fig-degraded-training-tsne"}}
shown = {tuple(kind.split(", ")): kind for kind in [*JUDGED, *list(CONTROLS)[:2]]}
panels = {place: embeddings[kind] for place, kind in shown.items()}
notes = {
    place: f"noise {chi.at[kind, NOISE]:.1f}, blur {chi.at[kind, BLUR]:.1f}"
    for place, kind in shown.items()
}
sprites = sprite_sheet(np.stack([image_to_array(patch) for patch in pairs.lr]))
embedding_grid(panels, classes=kinds, contents=contents, sprites=sprites, notes=notes)

# %% name="hero" tags=["remove-cell"]
hero = {("", kind): embeddings[kind] for kind in JUDGED}
embedding_grid(hero, classes=kinds, contents=contents, sprites=sprites)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "How far degradations are apart behind the last block, in the embedding of all three (first seed). Rows: the network and what it was trained on; columns: which degradations are compared. Compare each row with the first of its kind.", "name": "fig-degraded-training-chi"}}
columns = [*PAIRS, ALL]
AXES = ("trained on", "")
values = chi[columns].to_numpy()
matrix_heatmap(values, networks, columns, colour_title="CHI", axis_titles=AXES, log=True)

# %% [markdown]
# ## What the networks do to the degradations
#
# Features are one side, the picture is the other. A network that removes noise makes clean and noisy
# patches alike *in its output*. Here is one patch with noise, one with blur, and how much of each
# degradation is gone from the output.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One content with noise (above) and with blur (below), as given and as each network (first seed) restores it. Look which one removes what.", "name": "fig-degraded-training-outputs"}}
content = int(hr[:restored].std(dim=(1, 2, 3)).argmax())
chosen = [
    len(degradations) * content + list(degradations).index(kind) for kind in ("noise", "blur")
]
first = {kind: study.network(names[kind, seeds[kind][0]]) for kind in networks}


@torch.no_grad()
def restored_by(restore):
    return np.concatenate([image_to_array(image) for image in restore(lr[chosen])])


views = {"input": restored_by(lambda images: upsample(images, 4))}
picture_row(views | {kind: restored_by(model) for kind, model in first.items()}, height=320)

# %%
step = len(degradations)
versions = {kind: lr[at::step][:restored] for at, kind in enumerate(degradations)}
quality, removed = {}, {}
for kind, model in first.items():
    scores = [network_psnr(model, own, hr[:restored], border=4) for own in versions.values()]
    quality[kind] = [own.mean().item() for own in scores]
    removed[kind] = {
        part: removed_share(model, versions["clean"], versions[part]) for part in ("noise", "blur")
    }

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Left: the share of a degradation that each network (first seed) removes, in per cent; 0 passes it on, less amplifies it. Right: PSNR-Y in dB of what it makes of the three inputs. Compare with the CHI above: are the networks that remove a degradation those that keep it apart?", "name": "fig-degraded-training-removed"}}
percent = np.array([[100 * share for share in own.values()] for own in removed.values()])
table = np.concatenate([percent, np.array([*quality.values()])], axis=1)
columns = ["noise removed, %", "blur removed, %", *(f"{kind}, dB" for kind in degradations)]
matrix_heatmap(table, networks, columns, colour_title="% or dB", axis_titles=AXES)

# %% [markdown]
# ## Verdict

# %%
intervals = {kind: outer(judged[kind, seed].interval for seed in seeds[kind]) for kind in JUDGED}
both = [seed for seed in seeds[NOISY] if seed in seeds[CLEAN]]
fall = {seed: judged[CLEAN, seed].over(judged[NOISY, seed]) for seed in both}
falls = outer((low, high) for _, low, high in fall.values())
linear_fall = span(linear[CLEAN, seed] / linear[NOISY, seed] for seed in both)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: the outer ends of the seeds' 95 % bootstrap intervals over contents, of the mean over t-SNE runs; lowest to highest over seeds on principal components.", "name": "fig-degraded-training-verdict"}}
WORDS = {CLEAN: ("clean", "apart"), NOISY: ("noise", "together")}
for kind, (short, paper) in WORDS.items():
    values = [judged[kind, seed].mean for seed in seeds[kind]]
    study.measure(
        f"CHI clean – noise, {kind}",
        values,
        interval=intervals[kind],
        paper=paper,
        glue=f"tdeg_{short}",
    )
ratios = [ratio for ratio, *_ in fall.values()]
study.measure("CHI clean – noise: clean / + noise", ratios, interval=falls, glue="tdeg_fall")
for kind, (short, _) in WORDS.items():
    values = [linear[kind, seed] for seed in seeds[kind]]
    study.measure(f"CHI clean – noise, {kind}, 50 PCA dimensions", values, glue=f"tdeg_{short}_pca")
for kind in CONTROLS:
    for pair in (NOISE, BLUR):
        study.measure(f"CHI {pair}, {kind}", chi.at[kind, pair])
study.measure(f"CHI {BLUR}, {NOISY}", chi.at[NOISY, BLUR], glue="tdeg_blur")
for kind in (CLEAN, NOISY, "SRResNet, + noise"):
    study.measure(f"share of the noise removed, {kind}", removed[kind]["noise"])

low, high = intervals[NOISY]
plain, noisy, bare = (f"SRResNet, {kind}" for kind in ("clean", "+ noise", "+ blur"))
study.glue(tdeg_low=low, tdeg_high=high, tdeg_seeds=len(seeds[NOISY]))
study.glue(tdeg_mse_clean=chi.at[plain, NOISE], tdeg_mse_noise=chi.at[noisy, NOISE])
study.glue(tdeg_mse_blur_clean=chi.at[plain, BLUR], tdeg_mse_blur=chi.at[bare, BLUR])
study.glue(tdeg_wogr=chi.at["no GR, + noise", NOISE], tdeg_wogr_clean=chi.at["no GR, clean", NOISE])
for short, kind in {"clean": CLEAN, "noise": NOISY, "mse": noisy, "bare": "no GR, + noise"}.items():
    study.glue(**{f"tdeg_removed_{short}": 100 * removed[kind]["noise"]})
study.verdict(
    unanimous=stays_below(intervals[NOISY], 20),
    apart=reaches(intervals[CLEAN], 20),
    falls=exceeds(falls, 1),
    blur=chi.at[NOISY, BLUR] >= 20,
    linear=exceeds(linear_fall, 1),
    mse_noise=chi.at[noisy, NOISE] < 20,
    mse_blur=chi.at[bare, BLUR] < 20,
    mse_both=chi.at["SRResNet, + both", ALL] < 20,
    notes={"seeds with noise": len(seeds[NOISY])},
)

# %% [markdown]
# ## What we have seen
#
# - Between clean and noisy patches, behind the last block of SRGAN, the CHI is
#   {glue:text}`tdeg_clean:.1f` after training on clean pictures and {glue:text}`tdeg_noise:.1f` after
#   training with noise ({glue:text}`tdeg_low:.1f` to {glue:text}`tdeg_high:.1f`; trainings with
#   noise: {glue:text}`tdeg_seeds`): the first is {glue:text}`tdeg_fall:.2f` times the second. On 50
#   principal components it is {glue:text}`tdeg_clean_pca:.1f` and {glue:text}`tdeg_noise_pca:.1f`.
# - In the output it is another story. Trained on clean pictures SRGAN removes
#   {glue:text}`tdeg_removed_clean:.0f` % of the noise, trained with noise
#   {glue:text}`tdeg_removed_noise:.0f` %. Unanimous *outputs* are what training with noise is for.
# - SRResNet with a global residual (clean – noise {glue:text}`tdeg_mse_clean:.1f` after training on
#   clean pictures, {glue:text}`tdeg_mse_noise:.1f` after training with noise; clean – blur
#   {glue:text}`tdeg_mse_blur_clean:.1f`, and {glue:text}`tdeg_mse_blur:.1f` after training with blur)
#   tells whether this belongs to the critic or to the residual.
# - Where features stay apart and the share removed is high, the doubt from the beginning holds: with a
#   global residual, unanimous outputs need features that are not unanimous, because the last
#   features carry what has to be cancelled. Without a residual nothing has to be cancelled; there
#   clean – noise stands at {glue:text}`tdeg_wogr_clean:.3f` and {glue:text}`tdeg_wogr:.3f`, while
#   training with noise removes {glue:text}`tdeg_removed_bare:.0f` % of it.
#
# ## Try it yourself
#
# - Test with another strength: `noise_sigma=40 / 255` is twice what the networks with noise were
#   trained on. How much of it is still removed, and how far is it from clean?
# - `image_set = "b100"` cuts the patches from a hundred pictures instead of six.
# - {doc}`generalization_index` asks what this means for an index of generalization.
