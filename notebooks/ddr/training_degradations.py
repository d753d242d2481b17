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
# :::{admonition} Criterion, set before the experiment
# :class: important
# Behind ResBlock 16, **in every training seed**. *Together* means: a CHI below 20, the paper's
# level "+", and at most **a tenth** of the smallest that a network trained on clean pictures has.
# *Apart* means 20 or more. (1) Trained with noise, clean and noise come together; (2) clean and blur
# stay apart. (3) Trained with blur, clean and blur come together; (4) clean and noise stay apart.
# (5) Trained on all, the three degradations come together.
# :::

# %% tags=["hide-cell"]
import numpy as np
import torch
from myst_nb import glue

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
from srlab.studies.networks import network, obtainable
from srlab.studies.parameters import check_parameters
from srlab.studies.study import Finding, record, span
from srlab.training.recipes import seed_names

check_parameters()
device = pick_device(device)
finding = Finding(
    name="ddr/training_degradations",
    claim="Degradations seen in training become unanimous in deep features; unseen ones stay apart",
    source="DDR, Sec. 4.6, Fig. 9",
    criterion=(
        "Behind ResBlock 16, in every seed: trained with noise, CHI of clean and noise falls below "
        "20 and a tenth of the clean-trained networks', blur stays at 20 or more; the same with "
        "blur and noise exchanged; trained on all, all three come together."
    ),
)

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
lr, hr = pairs.lr.to(device), pairs.hr.to(device)

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
PAIRS = {"clean – noise": (0, 2), "clean – blur": (0, 1), "blur – noise": (1, 2)}
titles, layers = list(dict.fromkeys(kinds)), [f"body.{block - 1}" for block in blocks]


def separations(points):
    """CHI of each pair of degradations, and of all three."""
    own = {pair: np.isin(kinds, [titles[i] for i in ends]) for pair, ends in PAIRS.items()}
    apart = {pair: separability(points[rows], kinds[rows]).index for pair, rows in own.items()}
    return apart | {"all three": separability(points, kinds).index}


def look(model):
    components = layer_components(model, lr, layers)
    embedding = embed(components[layers[-1]], perplexity=perplexity)
    return embedding, separations(embedding), [separations(components[at]) for at in layers]


seen = {
    kind: [look(network(name, train=train, device=device)) for name in own]
    for kind, own in names.items()
}


def over_seeds(kind, pair):
    """CHI on the embedding behind the last block, seed by seed."""
    return np.array([chi[pair] for _, chi, _ in seen[kind]])


def along_depth(kind, pair):
    """CHI on the principal components: (seeds, blocks)."""
    return np.array([[chi[pair] for chi in depth] for _, _, depth in seen[kind]])


# %% [markdown]
# ## What training leaves apart
#
# From left to right the training changes, and nothing else. Watch which colours mix.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE of the features behind ResBlock 16 after four trainings (first seed). Colour: degradation; symbol: picture. Point at a dot to see its patch; click a class in the legend to hide it. Above each panel: how far noise, and blur, are from clean (CHI).", "name": "fig-degraded-training-tsne"}}
panels = {("", kind): seen[kind][0][0] for kind in TRAININGS}
chi = {kind: seen[kind][0][1] for kind in TRAININGS}
notes = {
    ("", kind): f"noise {own['clean – noise']:.1f}, blur {own['clean – blur']:.1f}"
    for kind, own in chi.items()
}
sprites = sprite_sheet(np.stack([image_to_array(patch) for patch in pairs.lr]))
embedding_grid(panels, classes=kinds, contents=contents, sprites=sprites, notes=notes)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "How far degradations are apart behind the last block: CHI, mean over the training seeds, on the 2-D embedding and on 50 principal components, which no projection can flatter. Rows: what the network was trained on; columns: which degradations are compared. Compare each row with the first, and the last two rows with one another.", "name": "fig-degraded-training-chi"}}
columns = [*PAIRS, "all three"]
measures = {
    "CHI, t-SNE": over_seeds,
    "CHI, 50 PCA dimensions": lambda kind, pair: along_depth(kind, pair)[:, -1],
}
tables = {
    (title, ""): Matrix(
        np.array([[measure(kind, pair).mean() for pair in columns] for kind in seen]),
        list(seen),
        columns,
    )
    for title, measure in measures.items()
}
matrix_grid(tables, colour_title="CHI", axis_titles=("trained on", ""), log=True)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Where on the way through the network degradations part: CHI on 50 principal components, mean over the training seeds, bands from the lowest to the highest. If a training made two degradations one, its line would fall somewhere and stay down.", "name": "fig-degraded-training-depth"}}
shown_pairs = ["clean – noise", "clean – blur"]
depth = {pair: {kind: along_depth(kind, pair) for kind in TRAININGS} for pair in shown_pairs}
stacked_curves(
    blocks,
    {f"CHI, {pair}": {k: rows.mean(axis=0) for k, rows in d.items()} for pair, d in depth.items()},
    bands={
        f"CHI, {pair}": {k: (rows.min(axis=0), rows.max(axis=0)) for k, rows in d.items()}
        for pair, d in depth.items()
    },
    x_title="residual block",
    log_y=[f"CHI, {pair}" for pair in shown_pairs],
)

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
first = {kind: network(own[0], train=train, device=device) for kind, own in names.items()}


@torch.no_grad()
def shown(restore):
    return np.concatenate([image_to_array(image) for image in restore(lr[rows])])


views = {"input": shown(lambda images: upsample(images, 4))}
picture_row(views | {kind: shown(model) for kind, model in first.items()}, height=320)

# %%
step = len(degradations)
versions = {kind: lr[at::step][:restored] for at, kind in enumerate(degradations)}
quality = {
    kind: [
        network_psnr(model, images, hr[:restored], border=4).mean().item()
        for images in versions.values()
    ]
    for kind, model in first.items()
}
removed = {
    kind: {
        pair: removed_share(model, versions["clean"], versions[pair]) for pair in ("noise", "blur")
    }
    for kind, model in first.items()
}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The share of a degradation that each network (first seed) removes, in per cent: 0 passes it on, less amplifies it. Compare with the CHI above: are the networks that remove a degradation those that keep it apart?", "name": "fig-degraded-training-removed"}}
percent = np.array([[100 * share for share in own.values()] for own in removed.values()])
matrix_heatmap(
    percent,
    list(removed),
    ["noise", "blur"],
    colour_title="removed, %",
    axis_titles=("trained on", "input"),
)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "PSNR-Y in dB of what each network (first seed) makes of the three inputs. Look down a column: which training helps for which input, and what it costs on clean ones.", "name": "fig-degraded-training-psnr"}}
matrix_heatmap(
    np.array([*quality.values()]),
    list(quality),
    list(degradations),
    colour_title="PSNR, dB",
    axis_titles=("trained on", "input"),
)

# %% [markdown]
# ## Verdict
#
# Two spreads: over training seeds, and for the first seed over contents (bootstrap). The snapshot
# of the clean training with as many steps as the others tells whether fewer steps explain the fall.

# %%
groups = np.repeat(np.arange(num_patches), len(degradations))
noise_only = np.isin(kinds, [titles[0], titles[2]])
with_noise = seen["+ noise"][0][0]
interval = separability_interval(with_noise[noise_only], kinds[noise_only], groups[noise_only])
control = look(load_checkpoint(same_steps)[0].to(device))[1]


def together(kind, pair):
    limit = min(20, over_seeds("clean only", pair).min() / 10)
    return over_seeds(kind, pair).max() < limit


def apart(kind, pair):
    return over_seeds(kind, pair).min() >= 20


# %% tags=["remove-cell"]
for key, kind, pair in [
    ("clean_noise", "clean only", "clean – noise"),
    ("noise_noise", "+ noise", "clean – noise"),
    ("noise_blur", "+ noise", "clean – blur"),
    ("clean_blur", "clean only", "clean – blur"),
    ("blur_blur", "+ blur", "clean – blur"),
    ("blur_noise", "+ blur", "clean – noise"),
    ("clean_all", "clean only", "all three"),
    ("blind_all", "+ both", "all three"),
]:
    glue(f"tdeg_{key}", float(over_seeds(kind, pair).mean()), display=False)
    glue(f"tdeg_{key}_pca", float(along_depth(kind, pair)[:, -1].mean()), display=False)
for key, kind in zip(("clean", "noise"), CONTROLS):
    glue(f"tdeg_{key}_wogr", float(over_seeds(kind, "clean – noise")[0]), display=False)
    glue(f"tdeg_{key}_wogr_pca", float(along_depth(kind, "clean – noise")[0, -1]), display=False)
glue("tdeg_removed_wogr", 100 * removed["+ noise, no GR"]["noise"], display=False)
glue("tdeg_low", interval[0], display=False)
glue("tdeg_high", interval[1], display=False)
glue("tdeg_control", control["clean – noise"], display=False)
glue("tdeg_removed_clean", 100 * removed["clean only"]["noise"], display=False)
glue("tdeg_removed_noise", 100 * removed["+ noise"]["noise"], display=False)
glue("tdeg_psnr_clean_clean", quality["clean only"][0], display=False)
glue("tdeg_psnr_noise_clean", quality["+ noise"][0], display=False)
glue("tdeg_psnr_clean_noise", quality["clean only"][2], display=False)
glue("tdeg_psnr_noise_noise", quality["+ noise"][2], display=False)
glue("tdeg_seeds", ", ".join(f"{len(own)} ({kind})" for kind, own in names.items()), display=False)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: lowest to highest over training seeds.", "name": "fig-degraded-training-verdict"}}
headline = {
    "CHI clean – noise, trained on clean": ("clean only", "clean – noise"),
    "CHI clean – noise, trained with noise": ("+ noise", "clean – noise"),
    "CHI clean – blur, trained with noise": ("+ noise", "clean – blur"),
    "CHI clean – blur, trained on clean": ("clean only", "clean – blur"),
    "CHI clean – blur, trained with blur": ("+ blur", "clean – blur"),
    "CHI clean – noise, trained with blur": ("+ blur", "clean – noise"),
    "CHI of all three, trained on clean": ("clean only", "all three"),
    "CHI of all three, trained on all": ("+ both", "all three"),
    "CHI clean – noise, trained on clean, no GR": ("clean only, no GR", "clean – noise"),
    "CHI clean – noise, trained with noise, no GR": ("+ noise, no GR", "clean – noise"),
}
measured = {title: over_seeds(*place) for title, place in headline.items()} | {
    f"{title}, 50 PCA dimensions": along_depth(*place)[:, -1] for title, place in headline.items()
}
record(
    finding,
    checks={
        "trained with noise, clean and noise come together": together("+ noise", "clean – noise"),
        "trained with noise, clean and blur stay apart": apart("+ noise", "clean – blur"),
        "trained with blur, clean and blur come together": together("+ blur", "clean – blur"),
        "trained with blur, clean and noise stay apart": apart("+ blur", "clean – noise"),
        "trained on all, the three come together": together("+ both", "all three"),
    },
    measured={title: values.mean() for title, values in measured.items()}
    | {
        "CHI clean – noise, clean training at 4 000 steps": control["clean – noise"],
        "share of the noise removed, trained on clean": removed["clean only"]["noise"],
        "share of the noise removed, trained with noise": removed["+ noise"]["noise"],
        "share of the blur removed, trained with blur": removed["+ blur"]["blur"],
    },
    interval={title: span(values) for title, values in measured.items()},
    paper={
        "CHI clean – noise, trained on clean": "apart",
        "CHI clean – noise, trained with noise": "together",
        "CHI clean – blur, trained with noise": "apart",
    },
    image_set=image_set,
    parameters={"num_patches": num_patches, "training_seeds": training_seeds, "blocks": blocks},
    checkpoints=[same_steps, *(name for own in names.values() for name in own if not train)],
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
