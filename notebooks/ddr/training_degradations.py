# %% [markdown]
# (finding-training-degradations)=
# # Networks stop telling apart what they were trained to restore
#
# ## The claim
#
# A network trained on clean pictures sorts its features by degradation. Train it on clean **and
# noisy** pictures, and it treats both alike: their representations become *unanimous*, while
# blur, which it never met, still lies apart ({cite:t}`liu2021discovering`, Sec. 4.6, Fig. 9).
# The same holds for training with blur, and for training with all of them.
#
# | SRResNet trained on … | clean and noise | clean and blur |
# |---|---|---|
# | clean pictures | apart | apart |
# | clean + noise | **together** | apart |
# | clean + blur | apart | **together** |
#
# Why it matters: distance between degradations would then measure what a network has *not* learnt
# to handle, which is how the paper comes to an index of generalization
# ({doc}`generalization_index`).
#
# There is a reason to doubt it for networks with a {term}`global residual`. The enlarged input,
# noise and all, is added to their output. To remove noise they must paint it once more with the
# opposite sign, and what is to be painted has to be known behind the last block. So we also measure
# how much of each degradation a network removes, and look at two networks without a residual.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"num_patches": 20, "training_seeds": [0], "blocks": [1, 16], "size": 16, "restored": 4, "perplexity": 10}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_patches = 100  # contents; each is shown under all three degradations
training_seeds = [0, 1, 2]  # networks trained from other initializations; those that are shipped
same_steps = "srresnet-gr@4000"  # trained on clean pictures for as many steps as the others
blocks = [4, 10, 16]  # residual blocks to look behind; the last one is judged
size = 32  # side of a patch, LR pixels
restored = 20  # contents whose outputs are compared
perplexity = 30
train = False  # True trains all networks here (7 minutes each on one core) instead of loading them
device = "auto"

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | networks | a residual network of 64 channels, shown in pictures | SRResNet with global residual, 32 channels |
# | trained on clean pictures | 600 000 steps | 6 000 steps |
# | trained on clean + noise | – | 4 000 steps; every second picture with noise of σ 20/255 |
# | trained on clean + blur | – | 4 000 steps; every second picture blurred, width 4 LR pixels |
# | trained on all | – | 4 000 steps; blur 0–4 LR pixels and noise 0–25/255, each in every second |
# | tested on | clean, blur 4, noise 20/255 of the LR image | the same |
#
# In training, the blur acts on the HR picture before it is reduced (16 pixels there are 4 in LR);
# in the test it acts on the LR picture. The networks trained with degradations saw fewer steps than
# those trained on clean pictures, and features part more the longer a network is trained
# ({doc}`training_evolution`). A snapshot of the clean training at 4 000 steps stands beside them.
#
# Two controls have no global residual, one trained on clean pictures, one with noise. They are no part
# of the criterion: without GR degradations hardly part at all ({doc}`global_residual`), so there is
# not much to bring together.
#
# A pair's CHI is that of its two degradations in the embedding of all three.
#
# Judged is ResBlock 16. *Together* means: a CHI below 20, the paper's level “+”, and at most **a tenth**
# of the smallest that a network trained on clean pictures has. *Apart* means 20 or more.

# %% tags=["hide-input"]
import numpy as np
import pandas as pd
import torch

from srlab.checkpoints.files import load_checkpoint
from srlab.data.datasets import degraded_patches, load_images
from srlab.degradations import Degradation
from srlab.degradations.filters import upsample
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.embeddings import embedding_grid
from srlab.figures.pictures import picture_row, sprite_sheet
from srlab.figures.tables import Matrix, matrix_grid, matrix_heatmap
from srlab.images import image_to_array
from srlab.metrics import network_psnr, removed_share
from srlab.representation.embedding import (
    embed,
    layer_components,
    separability,
    separability_interval,
)
from srlab.studies.ddr.pairs import pair_separability
from srlab.studies.frames import curves
from srlab.studies.networks import obtainable
from srlab.studies.study import Study
from srlab.training.recipes import seed_names

study = Study(
    "ddr/training_degradations",
    claim="Degradations seen in training become unanimous in deep features; unseen ones stay apart",
    source="DDR, Sec. 4.6, Fig. 9",
    claims={
        "noise": "trained with noise, clean and noise come together",
        "noise_blur": "trained with noise, clean and blur stay apart",
        "blur": "trained with blur, clean and blur come together",
        "blur_noise": "trained with blur, clean and noise stay apart",
        "both": "trained on all, the three come together",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)
study

# %% [markdown]
# ## Experiment
#
# Four ways to train one architecture. Each network is shown the same hundred patches three times:
# clean, blurred, noisy.

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

TRAININGS = {
    "clean only": "srresnet-gr",
    "+ noise": "srresnet-noise",
    "+ blur": "srresnet-blur",
    "+ both": "srresnet-blind",
}
CONTROLS = {"clean only, no GR": "srresnet-wogr", "+ noise, no GR": "srresnet-noise-wogr"}
names = {
    kind: obtainable(seed_names(base, training_seeds), train=train)
    for kind, base in TRAININGS.items()
} | {kind: [name] for kind, name in CONTROLS.items()}

# %% [markdown]
# Behind each block: principal components; behind the last one also the embedding; and how far each
# pair of degradations is apart.

# %%
NOISE, BLUR, ALL = "clean – noise", "clean – blur", "all three"
PAIRS = {NOISE: (0, 2), BLUR: (0, 1), "blur – noise": (1, 2)}
CHI, LINEAR = "CHI, t-SNE", "CHI, 50 PCA dimensions"
layers = [f"body.{block - 1}" for block in blocks]


def separations(points):
    """CHI of each pair of degradations, and of all three."""
    matrix = pair_separability(points, kinds)
    apart = {pair: matrix[place] for pair, place in PAIRS.items()}
    return apart | {ALL: separability(points, kinds).index}


embeddings, found = {}, []
for kind, own in names.items():
    for seed, name in enumerate(own):
        components = layer_components(study.network(name), lr, layers)
        embedding = embed(components[layers[-1]], perplexity=perplexity)
        embeddings.setdefault(kind, embedding)  # of the first seed
        views = [(LINEAR, block, components[at]) for block, at in zip(blocks, layers)]
        for measure, block, points in [(CHI, blocks[-1], embedding), *views]:
            place = {"measure": measure, "training": kind, "seed": seed, "block": block}
            found += [place | {"pair": p, "value": v} for p, v in separations(points).items()]
table = pd.DataFrame(found)
at_end = table[table.block == blocks[-1]].set_index(["measure", "training", "pair", "seed"])
chi = at_end["value"].sort_index()  # behind the last block

# %% [markdown]
# ## What training leaves apart
#
# From left to right the training changes, and nothing else. Watch which colours mix.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE of the features behind ResBlock 16 after four trainings (first seed). Colour: degradation; symbol: picture. Point at a dot to see its patch; click a class in the legend to hide it. Above each panel: how far noise, and blur, are from clean (CHI).", "name": "fig-degraded-training-tsne"}}
panels = {("", kind): embeddings[kind] for kind in TRAININGS}
notes = {
    ("", kind): f"noise {chi[CHI, kind, NOISE, 0]:.1f}, blur {chi[CHI, kind, BLUR, 0]:.1f}"
    for kind in TRAININGS
}
sprites = sprite_sheet(np.stack([image_to_array(patch) for patch in pairs.lr]))
embedding_grid(panels, classes=kinds, contents=contents, sprites=sprites, notes=notes)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "How far degradations are apart behind the last block: CHI, mean over the training seeds, on the 2-D embedding and on 50 principal components, which no projection can flatter. Rows: what the network was trained on; columns: which degradations are compared. Compare each row with the first, and the last two rows with one another.", "name": "fig-degraded-training-chi"}}
columns = [*PAIRS, ALL]
means = chi.groupby(level=["measure", "training", "pair"]).mean().unstack("pair")[columns]
tables = {
    (title, ""): Matrix(means.loc[title].loc[list(names)].to_numpy(), list(names), columns)
    for title in (CHI, LINEAR)
}
matrix_grid(tables, colour_title="CHI", axis_titles=("trained on", ""), log=True)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Where on the way through the network degradations part: CHI on 50 principal components, mean over the training seeds, bands from the lowest to the highest. If a training made two degradations one, its line would fall somewhere and stay down.", "name": "fig-degraded-training-depth"}}
linear = table[(table.measure == LINEAR) & table.training.isin(TRAININGS)]
depth = pd.concat(linear[linear.pair == pair] for pair in (NOISE, BLUR))
lines, bands = curves(
    depth.assign(panel="CHI, " + depth.pair), panel="panel", line="training", x="block"
)
stacked_curves(blocks, lines, bands=bands, x_title="residual block", log_y=list(lines))

# %% name="hero" tags=["remove-cell"]
hero = {key: panels[key] for key in list(panels)[:2]}
embedding_grid(hero, classes=kinds, contents=contents, sprites=sprites)

# %% [markdown]
# ## What the networks do to the degradations
#
# Features are one side, the picture is the other. A network that removes noise makes clean and noisy
# patches alike *in its output*. Here is one patch with noise, one with blur, and how much of each
# degradation is gone from the output.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One content with noise (above) and with blur (below), as given and as each network (first seed) restores it. Look which one removes what.", "name": "fig-degraded-training-outputs"}}
content = int(hr[:restored].std(dim=(1, 2, 3)).argmax())
rows = [len(degradations) * content + list(degradations).index(kind) for kind in ("noise", "blur")]
first = {kind: study.network(own[0]) for kind, own in names.items()}


@torch.no_grad()
def shown(restore):
    return np.concatenate([image_to_array(image) for image in restore(lr[rows])])


views = {"input": shown(lambda images: upsample(images, 4))}
picture_row(views | {kind: shown(model) for kind, model in first.items()}, height=320)

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

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The share of a degradation that each network (first seed) removes, in per cent: 0 passes it on, less amplifies it. Compare with the CHI above: are the networks that remove a degradation those that keep it apart?", "name": "fig-degraded-training-removed"}}
AXES = ("trained on", "input")
percent = np.array([[100 * share for share in own.values()] for own in removed.values()])
columns = ["noise", "blur"]
matrix_heatmap(percent, list(names), columns, colour_title="removed, %", axis_titles=AXES)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "PSNR-Y in dB of what each network (first seed) makes of the three inputs. Look down a column: which training helps for which input, and what it costs on clean ones.", "name": "fig-degraded-training-psnr"}}
decibels = np.array([*quality.values()])
columns = list(degradations)
matrix_heatmap(decibels, list(names), columns, colour_title="PSNR, dB", axis_titles=AXES)

# %% [markdown]
# ## Verdict
#
# Two spreads: over training seeds, and for the first seed over contents (bootstrap). The snapshot
# of the clean training with as many steps as the others tells whether fewer steps explain the fall.

# %%
groups = np.repeat(np.arange(num_patches), len(degradations))
two = np.isin(kinds, kinds[[0, 2]])  # clean and noise
low, high = separability_interval(embeddings["+ noise"][two], kinds[two], groups[two])
fewer = layer_components(load_checkpoint(same_steps)[0].to(study.device), lr, layers[-1:])
fewer_steps = separations(embed(fewer[layers[-1]], perplexity=perplexity))[NOISE]


def together(kind, pair):
    limit = min(20, chi[CHI, "clean only", pair].min() / 10)
    return chi[CHI, kind, pair].max() < limit


def apart(kind, pair):
    return chi[CHI, kind, pair].min() >= 20


# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: lowest to highest over training seeds.", "name": "fig-degraded-training-verdict"}}
HEADLINE = {  # measure: training, pair, what the paper says, in the prose
    "CHI clean – noise, trained on clean": ("clean only", NOISE, "apart", "clean_noise"),
    "CHI clean – noise, trained with noise": ("+ noise", NOISE, "together", "noise_noise"),
    "CHI clean – blur, trained with noise": ("+ noise", BLUR, "apart", "noise_blur"),
    "CHI clean – blur, trained on clean": ("clean only", BLUR, "", "clean_blur"),
    "CHI clean – blur, trained with blur": ("+ blur", BLUR, "", "blur_blur"),
    "CHI clean – noise, trained with blur": ("+ blur", NOISE, "", "blur_noise"),
    "CHI of all three, trained on clean": ("clean only", ALL, "", "clean_all"),
    "CHI of all three, trained on all": ("+ both", ALL, "", "blind_all"),
    "CHI clean – noise, trained on clean, no GR": ("clean only, no GR", NOISE, "", "clean_wogr"),
    "CHI clean – noise, trained with noise, no GR": ("+ noise, no GR", NOISE, "", "noise_wogr"),
}
for title, (kind, pair, paper, short) in HEADLINE.items():
    study.measure(title, chi[CHI, kind, pair], paper=paper, glue=f"tdeg_{short}")
for title, (kind, pair, _, short) in HEADLINE.items():
    linear = chi[LINEAR, kind, pair]
    study.measure(f"{title}, 50 PCA dimensions", linear, glue=f"tdeg_{short}_pca")
study.measure("CHI clean – noise, clean training at 4 000 steps", fewer_steps, glue="tdeg_control")
for words, kind, part in [
    ("noise removed, trained on clean", "clean only", "noise"),
    ("noise removed, trained with noise", "+ noise", "noise"),
    ("blur removed, trained with blur", "+ blur", "blur"),
]:
    study.measure(f"share of the {words}", removed[kind][part])
study.glue(
    tdeg_low=low,
    tdeg_high=high,
    tdeg_removed_clean=100 * removed["clean only"]["noise"],
    tdeg_removed_noise=100 * removed["+ noise"]["noise"],
    tdeg_removed_wogr=100 * removed["+ noise, no GR"]["noise"],
    tdeg_seeds=", ".join(f"{len(own)} ({kind})" for kind, own in names.items()),
)
for short, kind in {"clean": "clean only", "noise": "+ noise"}.items():
    clean, _, noisy = quality[kind]
    study.glue(**{f"tdeg_psnr_{short}_clean": clean, f"tdeg_psnr_{short}_noise": noisy})
study.verdict(
    noise=together("+ noise", NOISE),
    noise_blur=apart("+ noise", BLUR),
    blur=together("+ blur", BLUR),
    blur_noise=apart("+ blur", NOISE),
    both=together("+ both", ALL),
    checkpoints=[same_steps, *([] if train else study.networks)],
)

# %% [markdown]
# ## What we have seen
#
# - Between clean and noisy patches, behind the last block, the CHI is {glue:text}`tdeg_clean_noise:.0f`
#   after training on clean pictures and {glue:text}`tdeg_noise_noise:.1f` after training with noise
#   (first seed, bootstrap over contents: {glue:text}`tdeg_low:.1f` to {glue:text}`tdeg_high:.1f`);
#   on the 50 principal components {glue:text}`tdeg_clean_noise_pca:.1f` and
#   {glue:text}`tdeg_noise_noise_pca:.1f`. The blur that this training never showed lies
#   {glue:text}`tdeg_noise_blur:.1f` from clean ({glue:text}`tdeg_clean_blur:.1f` after training on
#   clean pictures).
# - Training with blur: clean – blur {glue:text}`tdeg_blur_blur:.1f`, clean – noise
#   {glue:text}`tdeg_blur_noise:.1f`. Training on all: the three together
#   {glue:text}`tdeg_blind_all:.1f`, against {glue:text}`tdeg_clean_all:.1f` after training on clean
#   pictures. The number of steps is not what differs: after 4 000 steps on clean pictures,
#   clean – noise stands at {glue:text}`tdeg_control:.0f`.
# - In the output it is another story. Trained on clean pictures the network removes
#   {glue:text}`tdeg_removed_clean:.0f` % of the noise, trained with noise
#   {glue:text}`tdeg_removed_noise:.0f` %: on noisy patches {glue:text}`tdeg_psnr_clean_noise:.2f` and
#   {glue:text}`tdeg_psnr_noise_noise:.2f` dB, on clean ones {glue:text}`tdeg_psnr_clean_clean:.2f`
#   and {glue:text}`tdeg_psnr_noise_clean:.2f` dB.
# - Where the verdict is negative and the share removed is high, the doubt from the beginning holds:
#   with a global residual, unanimous *outputs* need features that are not unanimous, because the
#   last features carry what has to be cancelled.
# - Without a global residual nothing has to be cancelled. There clean – noise stands at
#   {glue:text}`tdeg_clean_wogr:.3f` after training on clean pictures and at
#   {glue:text}`tdeg_noise_wogr:.3f` after training with noise, of which this network removes
#   {glue:text}`tdeg_removed_wogr:.0f` %; on the principal components at
#   {glue:text}`tdeg_clean_wogr_pca:.2f` and {glue:text}`tdeg_noise_wogr_pca:.2f`. A smaller second
#   number would mean that noise seen in training does become unanimous where the features paint the
#   whole picture; one seed each, so read no more than the order of magnitude.
# - Networks compared, by training: {glue:text}`tdeg_seeds`.
#
# ## Try it yourself
#
# - Test with another strength: `noise_sigma=40 / 255` is twice what the network with noise was
#   trained on. How much of it is still removed, and how far is it from clean?
# - {doc}`generalization_index` asks what this means for an index of generalization.
