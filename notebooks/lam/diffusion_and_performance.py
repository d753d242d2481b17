# %% [markdown]
# (finding-diffusion-and-performance)=
# # Do networks that use more pixels make better pictures?
#
# *7 minutes. You learn how closely the diffusion index goes with quality, and why a correlation
# over networks needs families, not networks, as its sample. Read {doc}`networks` first.*
#
# ## The claim
#
# The {term}`diffusion index` (DI) measures how widely a network's attribution spreads on a hard crop.
# {cite:t}`gu2021interpreting` plot it against quality for 48 networks (18 published ones, 15 FSRCNNs and 15 EDSRs
# of several sizes) and find a close relation (Sec. 4.4, Fig. 7a, b):
#
# | over 48 networks, x = log DI | PSNR | LPIPS |
# |---|---|---|
# | Pearson and Spearman | above 0.8 | above 0.8 in size |
# | p | below 1e-12 | below 1e-12 |
#
# **Why it matters:** if the relation holds, a network that does badly may lack reach, and its map shows it. If
# DI merely grew with the size of networks, as PSNR does, a count of parameters would tell as much.

# %% tags=["parameters", "hide-cell"] quick={"num_patches": 2, "size": 96, "fsrcnn_widths": [16, 56], "fsrcnn_depths": [1], "edsr_widths": [8, 32], "edsr_depths": [2], "zoo": ["carn", "pan"], "ladder": [250], "steps": 4}
image_set = "pictures"  # none was seen in training; "urban100-30" and "b100" are downloaded
num_patches = 6  # the hardest crops, one of a picture
size = 192  # side of a crop, HR pixels; the paper's is 256
stride = 192  # between the crops that are considered, HR pixels
window = 16  # side of the explained patch in the middle of the crop, SR pixels
zoo = [  # those that are shipped take part
    *["srcnn-lam", "carn", "edsr", "lapsrn", "srresnet-lam", "dbpn", "rdn", "msrn", "rrdbnet"],
    *["pan", "swinir", "drln", "rfdn", "imdn", "rcan", "rnan", "san"],
]
fsrcnn_widths = [16, 32, 56]  # channels of the FSRCNN grid
fsrcnn_depths = [1, 4, 8]  # mapping layers
edsr_widths = [8, 16, 32]  # channels of the EDSR grid
edsr_depths = [2, 5, 10]  # residual blocks
weights = "zoo"  # "published": networks as their authors trained them, downloaded; or "both"
ladder = [250, 500, 1000, 2500, 4000]  # steps at which SRResNet's training is looked at
judges = ["fsrcnn-d56-m4", "carn", "rcan"]  # whose PSNR says which crops are hard
steps = 8  # of every path integral
train = False  # True trains all networks here (hours)
device = "auto"

# %% tags=["hide-cell"]
from itertools import product

import numpy as np

from srlab.degradations.filters import upsample
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.dots import scatter_panels
from srlab.figures.pictures import sprite_sheet
from srlab.figures.tables import Matrix, matrix_grid
from srlab.images import luma
from srlab.metrics import network_psnr
from srlab.studies.lam.chosen import chosen_networks, family, label
from srlab.studies.lam.diffusion import COEFFICIENTS, diffusion, log_correlation
from srlab.studies.lam.hard_patches import hard_patches
from srlab.studies.lam.perceptual import lpips_distance
from srlab.studies.networks import network, obtainable
from srlab.studies.study import Study, exceeds, mean_interval, reaches, together
from srlab.training.recipes import recipe

study = Study(
    "lam/diffusion_and_performance",
    claim="The diffusion index rises with quality over networks",
    source="LAM, Sec. 4.4, Fig. 7a, b",
    claims={
        "psnr": "log DI and PSNR: intervals of Pearson's and Spearman's coefficient at or above 0.8",
        "lpips": "log DI and LPIPS (lower is better): intervals of both coefficients at or below −0.8",
        "direction": "more pixels, better quality: both intervals above 0 for PSNR",
        "direction_lpips": "and below 0 for LPIPS",
    },
    controls={
        "ssim": "log DI and SSIM: both intervals above 0",
        "parameters": "log DI goes with PSNR more closely than the log of the number of parameters, both coefficients",
    },
    says={
        "psnr": "Sec. 4.4, Fig. 7a: “The high pearson correlation and spearman correlation (both larger than 0.8)”",
        "lpips": "Sec. 4.4, Fig. 7b: the same sentence, of LPIPS",
        "direction": "abstract: “SR networks with a wider range of involved input pixels could achieve better performance.”",
        "direction_lpips": "Sec. 4.4: “two-tailed p-test results for both experiments” below 1e-12",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

fsrcnns = [f"fsrcnn-d{w}-m{d}" for w, d in product(fsrcnn_widths, fsrcnn_depths)]
edsrs = [f"edsr-c{w}-b{d}" for w, d in product(edsr_widths, edsr_depths)]
models = chosen_networks(study, [*zoo, *fsrcnns, *edsrs], weights)
judging = {name: network(name, device=study.device) for name in obtainable(judges)}
patches = hard_patches(
    image_set, judging, num_patches, size=size, stride=stride, per_picture=1, device=study.device
)
found = {
    name: diffusion(model, patches, window=window, steps=steps) for name, model in models.items()
}

names = np.array(list(models))
families = np.array([family(name) for name in names])
di = np.stack([own.index for own in found.values()])
quality = {
    "PSNR-Y, dB": np.stack([own.psnr for own in found.values()]),
    "SSIM": np.stack([own.ssim for own in found.values()]),
}
counts = np.array([sum(w.numel() for w in model.parameters()) for model in models.values()])
predictors = {"diffusion index": di, "parameters": np.repeat(counts[:, None], num_patches, 1)}
if perceptual := lpips_distance():
    quality["LPIPS"] = np.stack([perceptual(own.sr, patches.hr).numpy() for own in found.values()])

# %% [markdown]
# ## All networks in one plane
#
# Each dot is a network, the mean over the hard crops. If quality followed from DI, the dots of the left panel
# would lie on a rising line. The right panel shows the rival, the number of parameters. The dashed line is
# bicubic enlargement.


# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "PSNR of the hard crops against diffusion index and against the number of parameters, one dot per network, on logarithmic axes. Point at a dot to see its name and its map of the hardest crop (orange: LR pixels it used). Colour and symbol: family. Compare the trend over all dots with that within each family.", "name": "fig-performance-psnr"}}
def thumbnails():
    """The map of the hardest crop over its darkened picture, one for each network."""
    grey = 128 * luma(patches.lr[:1])[0, 0, ..., None].cpu().numpy()
    shade = [np.sqrt(own.maps[0])[..., None] for own in found.values()]
    tiles = np.stack([grey * (1 - own) + np.array([255, 140, 0]) * own for own in shade])
    labels = [f"{name}: DI {index:.2f}" for name, index in zip(names, di[:, 0])]
    return {**sprite_sheet(tiles.clip(0, 255).astype(np.uint8)), "labels": labels}


def plane(measure):
    rows = {own: np.flatnonzero(families == own) for own in dict.fromkeys(families)}
    means = {title: values.mean(axis=1) for title, values in predictors.items()}
    y = quality[measure].mean(axis=1)
    figure = scatter_panels(
        {title: {f: (x[own], y[own]) for f, own in rows.items()} for title, x in means.items()},
        names={group: names[own] for group, own in rows.items()},
        y_title=measure,
        log_x=list(predictors),
    )
    for trace in figure.data:
        trace.customdata = rows[trace.name].astype(np.int32)
    return figure.update_layout(meta={"srlab": {"sprite": thumbnails()}})


bicubic = network_psnr(lambda lr: upsample(lr, 4), patches.lr, patches.hr, border=4).mean().item()
figure = plane("PSNR-Y, dB")
figure.add_hline(bicubic, line={"dash": "dash", "color": "#8C8C8C", "width": 1})

# %% [markdown]
# ## What we run, and what differs from the paper
#
# The paper's p-values treat 48 networks as independent. But nine EDSRs are related: three of them tell
# what the others will do. So our bootstrap draws **whole families**, and crops.
#
# :::{dropdown} What differs from the paper
# | | paper | here |
# |---|---|---|
# | networks | 18 published, 15 FSRCNN, 15 EDSR | 9 FSRCNN, 9 EDSR, and one each of the other designs (with SwinIR; without CSNLN: each gradient of a crop takes a core 8 s even at 8 channels and 2 of its 12 turns, and a training step 1.4 s); narrow, trained on equal terms: 3 500 steps, the small FSRCNN 10 000 |
# | patches | 150 hard crops of 256×256 | the hardest crops of 192×192 (LR 48×48), one per picture |
# | quality | PSNR, LPIPS of these crops | PSNR-Y; LPIPS with SqueezeNet's features, where its two files are available; SSIM |
# | uncertainty | p-values over networks | bootstrap over families of networks and over crops |
#
# The published networks differ in training as well as in architecture; ours share data, steps and patch. DI
# depends on the size of the crop: compare only within this page. LPIPS, a learned distance (lower is better),
# needs a network trained on ImageNet, which srlab does not ship: with `squeezenet1_1_imagenet_fp16.npz` and
# `lpips_v0.1_squeeze.pth` in `$SRLAB_DATA/weights` it is computed; without them its two claims stay open. The
# paper does not say which of LPIPS's networks it took.
# :::

# %% tags=["remove-input"]
study

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The same for LPIPS, a learned distance (lower is better), or for SSIM where LPIPS cannot be computed. Does either panel show a trend?", "name": "fig-performance-lpips"}}
plane("LPIPS" if perceptual else "SSIM")

# %% [markdown]
# ## How close is the relation?
#
# Over all networks, and in parts: those that beat bicubic enlargement, the families alone, and each grid, in
# which only width and depth change. A relation over all that is absent in the parts would be one between families.

# %% tags=["hide-cell"]
SUBSETS = {
    "all": np.full(len(names), True),
    "above bicubic": quality["PSNR-Y, dB"].mean(axis=1) > bicubic,
    "families": np.isin(names, [label(name) for name in zoo]),
    "FSRCNN grid": np.isin(names, [label(name) for name in fsrcnns]),
    "EDSR grid": np.isin(names, [label(name) for name in edsrs]),
    "published": np.char.endswith(names, ", published"),
}
SUBSETS = {title: rows for title, rows in SUBSETS.items() if rows.sum() >= 3}
parts = {
    (f"{title} and {measure.split(',')[0]}", coefficient): [
        compute(np.log(x[rows].mean(axis=1)), y[rows].mean(axis=1)) for rows in SUBSETS.values()
    ]
    for title, x in predictors.items()
    for measure, y in quality.items()
    for coefficient, compute in COEFFICIENTS.items()
}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Correlation of quality with the logarithm of diffusion index and of the number of parameters, over all networks and in parts. Do the first rows exceed the last ones?", "name": "fig-performance-parts"}}
rows = list(dict.fromkeys(row for row, _ in parts))
grids = {
    (coefficient, ""): Matrix(
        np.array([parts[row, coefficient] for row in rows]), rows, list(SUBSETS)
    )
    for coefficient in COEFFICIENTS
}
matrix_grid(grids, colour_title="coefficient", limits=(-1, 1))

# %% [markdown]
# ## Along the training of one network
#
# Networks trained for minutes are early on their way. One SRResNet was kept at several steps: do its DI and its
# quality rise together, and do they still rise at the end?

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Diffusion index and PSNR of the hard crops along the training of one SRResNet; bands: 95 % bootstrap draws of crops. Do the two curves go the same way, and has the upper one come to rest?", "name": "fig-performance-ladder"}}
rungs = {f"srresnet-gr@{own}": own for own in ladder} | {"srresnet-gr": recipe("srresnet-gr").steps}
climbed = {
    rungs[name]: diffusion(network(name, device=study.device), patches, window=window, steps=steps)
    for name in obtainable(rungs)
}
rises = {
    "diffusion index": [own.index for own in climbed.values()],
    "PSNR-Y, dB": [own.psnr for own in climbed.values()],
}
stacked_curves(
    list(climbed),
    {title: {"SRResNet": np.array([one.mean() for one in own])} for title, own in rises.items()},
    bands={
        title: {"SRResNet": tuple(np.array([mean_interval(one) for one in own]).T)}
        for title, own in rises.items()
    },
    x_title="training steps",
    log_x=True,
)

# %% [markdown]
# ## Verdict
#
# The intervals come from 1 000 bootstrap draws of families and crops.

# %% tags=["hide-cell"]
relation = {
    (title, measure): log_correlation(x, y, families)
    for title, x in predictors.items()
    for measure, y in quality.items()
}


def at_least(level, measure, *, sign=1):
    """Whether both coefficients of log DI and a measure reach a level; None where not measured."""
    return both(measure, sign, lambda own: reaches(own, level))


def above_zero(measure, *, sign=1):
    return both(measure, sign, exceeds)


def both(measure, sign, judge):
    if measure not in quality:
        return None
    ends = [sign * np.array(own.interval) for own in relation["diffusion index", measure].values()]
    return together(*(judge(tuple(sorted(own))) for own in ends))


def sizes(coefficient):
    """Of log DI and of the log of the number of parameters, with PSNR."""
    return [relation[title, "PSNR-Y, dB"][coefficient].value for title in predictors]


means = {measure: values.mean(axis=1) for measure, values in quality.items()}
widest, best = (names[np.argmax(own)] for own in (di.mean(axis=1), means["PSNR-Y, dB"]))

# %% tags=["hide-input"] mystnb={"figure": {"caption": "All measures of this run. Spread: 95 % bootstrap interval, families of networks and crops drawn.", "name": "fig-performance-verdict"}}
PAPER = {"PSNR-Y, dB": "> 0.8", "LPIPS": "> 0.8 in size"}
for (title, measure), coefficients in relation.items():
    for coefficient, own in coefficients.items():
        short = measure.split(",")[0]
        key = f"performance_{'size_' * (title == 'parameters')}{short[:4].lower()}_{coefficient.lower()}"
        study.measure(
            f"{coefficient}, {title} and {short}",
            own.value,
            interval=own.interval,
            paper=PAPER.get(measure, "") if title == "diffusion index" else "",
            glue=key,
        )
above = list(SUBSETS).index("above bicubic") if "above bicubic" in SUBSETS else 0
for coefficient in COEFFICIENTS:
    value = parts["diffusion index and PSNR-Y", coefficient][above]
    study.glue(**{f"performance_above_{coefficient.lower()}": value})
for key, name in {"widest": widest, "best": best}.items():
    own = {"": name, "_di": found[name].index.mean(), "_psnr": found[name].psnr.mean()}
    study.glue(**{f"performance_{key}{part}": value for part, value in own.items()})
study.glue(
    performance_networks=len(names),
    performance_families=len(set(families)),
    performance_patches=num_patches,
    performance_bicubic=bicubic,
    performance_below=int((means["PSNR-Y, dB"] <= bicubic).sum()),
)
for title, own in rises.items():
    key = f"performance_ladder_{title[:4].lower()}"
    study.glue(**{f"{key}_first": own[0].mean(), f"{key}_last": own[-1].mean()})
study.glue(performance_ladder_first=min(climbed), performance_ladder_last=max(climbed))
study.verdict(
    psnr=at_least(0.8, "PSNR-Y, dB"),
    lpips=at_least(0.8, "LPIPS", sign=-1),
    direction=above_zero("PSNR-Y, dB"),
    direction_lpips=above_zero("LPIPS", sign=-1),
    ssim=above_zero("SSIM"),
    parameters=all(np.greater(*sizes(coefficient)) for coefficient in COEFFICIENTS),
    notes={"networks": len(names)},
)

# %% [markdown]
# ## What we have seen
#
# Over {glue:text}`performance_networks` networks of {glue:text}`performance_families` families and
# {glue:text}`performance_patches` hard crops (intervals, SSIM and LPIPS in the table above):
#
# - **DI and PSNR** correlate by {glue:text}`performance_psnr_pearson:.2f` (Pearson, of log DI) and
#   {glue:text}`performance_psnr_spearman:.2f` (Spearman); the number of parameters and PSNR by
#   {glue:text}`performance_size_psnr_pearson:.2f` and {glue:text}`performance_size_psnr_spearman:.2f`. An index of
#   attribution is worth its cost where it says more than the size of the network.
# - **Below bicubic.** {glue:text}`performance_below` of the networks do not beat bicubic enlargement on these
#   crops ({glue:text}`performance_bicubic:.2f` dB). A network that smears uses many pixels, too. Among those that
#   do beat it, the coefficients of DI and PSNR are {glue:text}`performance_above_pearson:.2f` and
#   {glue:text}`performance_above_spearman:.2f`.
# - **Along training.** From step {glue:text}`performance_ladder_first` to {glue:text}`performance_ladder_last`
#   SRResNet's DI goes from {glue:text}`performance_ladder_diff_first:.2f` to
#   {glue:text}`performance_ladder_diff_last:.2f`, its PSNR from {glue:text}`performance_ladder_psnr_first:.2f` to
#   {glue:text}`performance_ladder_psnr_last:.2f` dB.
# - **Extremes.** {glue:text}`performance_widest` has the highest DI
#   ({glue:text}`performance_widest_di:.2f`, {glue:text}`performance_widest_psnr:.2f` dB), the highest PSNR
#   {glue:text}`performance_best` ({glue:text}`performance_best_di:.2f`,
#   {glue:text}`performance_best_psnr:.2f` dB).
#
# ## Exercises
#
# 1. Nine networks of one family lie close together at one end of the plot, one of another family at the other
#    end. Why is the correlation over all ten no evidence?
# 2. Name a third variable that could raise both DI and PSNR.
#
# ```{dropdown} Answers
# 1. There are two independent observations, the families. Two points always lie on a line.
# 2. Training length, the number of parameters and depth all can. Hence the control by parameters here and the
#    grids of {doc}`network_scale`.
# ```
#
# ## Try it yourself
#
# - Regular patterns, where distant pixels hold what is missing: `image_set = "urban100-30"`.
# - Networks trained for days: `weights = "published"`, or `"both"`.
# - Remove one family after another from `zoo`. How much does the relation depend on a single dot?
# - Replace the index: `np.array([own.maps.mean() for own in found.values()])`. Is the Gini coefficient needed?
