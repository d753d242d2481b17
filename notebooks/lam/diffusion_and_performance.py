# %% [markdown]
# (finding-diffusion-and-performance)=
# # Networks that use more pixels make better pictures
#
# ## The claim
#
# The {term}`diffusion index` (DI) says how widely a network's attribution spreads on a hard crop.
# {cite:t}`gu2021interpreting` plot it against quality for 48 networks – 18 published ones, 15 FSRCNNs
# and 15 EDSRs of several sizes – and find a close relation (Sec. 4.3, Fig. 7a, b):
#
# | over 48 networks, x = log DI | PSNR | LPIPS |
# |---|---|---|
# | Pearson and Spearman | above 0.8 | above 0.8 in size |
# | p | below 1e-12 | below 1e-12 |
#
# Why it matters: if it holds, a network that does badly may lack reach, and the map tells. If DI merely
# grew with the size of networks, as PSNR does, it would tell nothing that a count of the parameters
# does not.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"num_patches": 2, "size": 96, "fsrcnn_widths": [16, 56], "fsrcnn_depths": [1], "edsr_widths": [8, 32], "edsr_depths": [2], "zoo": ["carn", "pan"], "steps": 4}
image_set = "photographs"  # none was seen in training; "urban100-30" and "b100" are downloaded
num_patches = 6  # the hardest crops, at most two of a picture
size = 192  # side of a crop, HR pixels; the paper's is 256
stride = 192  # between the crops that are considered, HR pixels
window = 16  # side of the explained patch in the middle of the crop, SR pixels
zoo = ["carn", "edsr", "pan", "swinir", "rrdbnet", "rfdn", "imdn", "rcan", "san"]
fsrcnn_widths = [16, 32, 56]  # channels of the FSRCNN grid
fsrcnn_depths = [1, 4, 8]  # mapping layers
edsr_widths = [8, 16, 32]  # channels of the EDSR grid
edsr_depths = [2, 5, 10]  # residual blocks
official = []  # published weights to show as well: "imdn", "rfdn", "pan", "carn-m" (downloaded)
judges = ["fsrcnn-d56-m4", "carn", "rcan"]  # whose PSNR says which crops are hard
steps = 8  # of every path integral
train = False  # True trains all networks here (hours)
device = "auto"

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | networks | 18 published, 15 FSRCNN, 15 EDSR | 9 families, 9 FSRCNN, 9 EDSR; narrow, trained on equal terms: 3 500 steps, the small FSRCNN 10 000 |
# | patches | 150 hard crops of 256×256 | a few hard crops of 192×192 (LR 48×48) |
# | quality | PSNR, LPIPS of these crops | PSNR-Y, SSIM; LPIPS where it is installed |
# | uncertainty | p-values over networks | bootstrap over families of networks and over crops |
#
# The paper's p-values take 48 networks for 48 independent witnesses. But nine EDSRs are relatives: who
# knows three of them can guess the others. So the bootstrap draws **whole families**, and crops.
#
# The published networks differ in training as well as in architecture; ours share data, steps and
# patch. DI depends on the size of the crop: compare only within this page.
#
# LPIPS is a learned distance. It needs the package `lpips`, torchvision, and the weights of AlexNet;
# srlab brings none of them. Where they are installed, its correlation appears below. It is never
# judged.

# %% tags=["hide-input"]
from itertools import product

import numpy as np
import torch

from srlab.checkpoints.official import load_official
from srlab.degradations.filters import upsample
from srlab.devices import pick_device
from srlab.figures.dots import scatter_panels
from srlab.figures.pictures import sprite_sheet
from srlab.figures.tables import Matrix, matrix_grid
from srlab.images import luma
from srlab.metrics import network_psnr
from srlab.statistics import linear_correlation, rank_correlation
from srlab.studies.lam.diffusion import diffusion, log_correlation
from srlab.studies.lam.hard_patches import hard_patches
from srlab.studies.lam.perceptual import lpips_distance
from srlab.studies.networks import obtainable
from srlab.studies.study import Study

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
study

# %% [markdown]
# ## Experiment

# %%
fsrcnns = [f"fsrcnn-d{w}-m{d}" for w, d in product(fsrcnn_widths, fsrcnn_depths)]
edsrs = [f"edsr-c{w}-b{d}" for w, d in product(edsr_widths, edsr_depths)]
judged = obtainable([*zoo, *fsrcnns, *edsrs], train=train)
models = {name: study.network(name) for name in judged}
models |= {f"{name}, published": load_official(name)[0].to(study.device) for name in official}

judging = {name: study.network(name) for name in obtainable(judges, train=train)}
patches = hard_patches(
    image_set, judging, num_patches, size=size, stride=stride, per_picture=2, device=study.device
)
found = {
    name: diffusion(model, patches, window=window, steps=steps) for name, model in models.items()
}

# %%
names = np.array(list(models))
families = np.array([name.split("-")[0].split(",")[0] for name in names])
di = np.stack([own.index for own in found.values()])
quality = {
    "PSNR-Y, dB": np.stack([own.psnr for own in found.values()]),
    "SSIM": np.stack([own.ssim for own in found.values()]),
}
weights = np.array([sum(w.numel() for w in model.parameters()) for model in models.values()])
predictors = {"diffusion index": di, "parameters": np.repeat(weights[:, None], num_patches, 1)}

perceptual = lpips_distance()
if perceptual:
    with torch.no_grad():
        pictures = ((model(lr).cpu() for lr in patches.lr.split(1)) for model in models.values())
        pairs = [zip(own, patches.hr.cpu().split(1)) for own in pictures]
        quality["LPIPS"] = np.array([[perceptual(*pair).item() for pair in own] for own in pairs])

# %% [markdown]
# ## All networks in one plane
#
# Each dot is a network, the mean over the hard crops. Were DI all, the dots of the left panel would
# lie on a rising line. The right panel has the rival: the number of parameters. The dashed line is
# bicubic enlarging: a network below it has learnt less than nothing about these crops.


# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "PSNR of the hard crops against diffusion index and against the number of parameters, one dot a network, on logarithmic axes. Point at a dot to see its name and its map of the hardest crop (orange: LR pixels it used). Colour and symbol: family. Look at the trend over all dots, then at each grid by itself.", "name": "fig-performance-psnr"}}
def thumbnails():
    """The map of the hardest crop over its darkened picture, one for each network."""
    grey = 128 * luma(patches.lr[:1])[0, 0, ..., None].cpu().numpy()
    shade = [np.sqrt(own.maps[0])[..., None] for own in found.values()]
    tiles = np.stack([grey * (1 - own) + np.array([255, 140, 0]) * own for own in shade])
    labels = [f"{name}: DI {index:.2f}" for name, index in zip(names, di[:, 0])]
    return {**sprite_sheet(tiles.clip(0, 255).astype(np.uint8)), "labels": labels}


def plane(measure):
    rows = {family: np.flatnonzero(families == family) for family in dict.fromkeys(families)}
    means = {title: values.mean(axis=1) for title, values in predictors.items()}
    y = quality[measure].mean(axis=1)
    figure = scatter_panels(
        {title: {f: (x[own], y[own]) for f, own in rows.items()} for title, x in means.items()},
        names={family: names[own] for family, own in rows.items()},
        y_title=measure,
        log_x=list(predictors),
    )
    for trace in figure.data:
        trace.customdata = rows[trace.name].astype(np.int32)
    return figure.update_layout(meta={"srlab": {"sprite": thumbnails()}})


bicubic = network_psnr(lambda lr: upsample(lr, 4), patches.lr, patches.hr, border=4).mean().item()
figure = plane("PSNR-Y, dB")
figure.add_hline(bicubic, line={"dash": "dash", "color": "#8C8C8C", "width": 1})

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The same for SSIM, which asks for structure more than for brightness.", "name": "fig-performance-ssim"}}
plane("SSIM")

# %% [markdown]
# ## How close is the relation?
#
# Over all networks, and in parts: those that beat bicubic enlarging, the zoo of families alone, and
# each grid, in which nothing changes but width and depth. A relation that holds over all but in no part would be one between families.

# %%
own_terms = np.isin(names, judged)
SUBSETS = {
    "all": own_terms,
    "above bicubic": own_terms & (quality["PSNR-Y, dB"].mean(axis=1) > bicubic),
    "families": np.isin(names, zoo),
    "FSRCNN grid": np.isin(names, fsrcnns),
    "EDSR grid": np.isin(names, edsrs),
}
SUBSETS = {title: rows for title, rows in SUBSETS.items() if rows.sum() >= 3}
COEFFICIENTS = {"Pearson": linear_correlation, "Spearman": rank_correlation}
parts = {
    (f"{title} and {measure.split(',')[0]}", coefficient): [
        compute(np.log(x[rows].mean(axis=1)), y[rows].mean(axis=1)) for rows in SUBSETS.values()
    ]
    for title, x in predictors.items()
    for measure, y in quality.items()
    for coefficient, compute in COEFFICIENTS.items()
}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Correlation of quality with the logarithm of diffusion index and of the number of parameters, over all networks and in parts. Look whether the first rows beat the last ones.", "name": "fig-performance-parts"}}
rows = list(dict.fromkeys(row for row, _ in parts))
grids = {
    (coefficient, ""): Matrix(
        np.array([parts[row, coefficient] for row in rows]), rows, list(SUBSETS)
    )
    for coefficient in COEFFICIENTS
}
matrix_grid(grids, colour_title="coefficient", limits=(-1, 1))

# %% [markdown]
# ## Verdict
#
# The intervals come from 1 000 bootstrap draws of families and crops.

# %%
relation = {
    (title, measure): log_correlation(x[own_terms], y[own_terms], families[own_terms])
    for title, x in predictors.items()
    for measure, y in quality.items()
}
psnr, ssim = (relation["diffusion index", measure] for measure in ("PSNR-Y, dB", "SSIM"))
means = {measure: values[own_terms].mean(axis=1) for measure, values in quality.items()}
widest, best = (judged[np.argmax(own)] for own in (di[own_terms].mean(axis=1), means["PSNR-Y, dB"]))

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: 95 % bootstrap interval, families of networks and crops drawn.", "name": "fig-performance-verdict"}}
PAPER = {"PSNR-Y, dB": "> 0.8", "LPIPS": "> 0.8 in size"}
for (title, measure), own in relation.items():
    for coefficient in COEFFICIENTS:
        low, high = getattr(own, f"{coefficient.lower()}_interval")
        short = measure.split(",")[0]
        key = f"performance_{'size_' * (title == 'parameters')}{short[:4].lower()}_{coefficient.lower()}"
        study.measure(
            f"{coefficient}, {title} and {short}",
            getattr(own, coefficient.lower()),
            interval=(low, high),
            paper=PAPER.get(measure, "") if title == "diffusion index" else "",
            glue=key,
        )
        study.glue(**{f"{key}_low": low, f"{key}_high": high})
above = list(SUBSETS).index("above bicubic") if "above bicubic" in SUBSETS else 0
for coefficient in COEFFICIENTS:
    value = parts["diffusion index and PSNR-Y", coefficient][above]
    study.glue(**{f"performance_above_{coefficient.lower()}": value})
for key, name in {"widest": widest, "best": best}.items():
    own = {"": name, "_di": found[name].index.mean(), "_psnr": found[name].psnr.mean()}
    study.glue(**{f"performance_{key}{part}": value for part, value in own.items()})
study.glue(
    performance_networks=len(judged),
    performance_families=len(set(families[own_terms])),
    performance_patches=num_patches,
    performance_bicubic=bicubic,
    performance_below=int((means["PSNR-Y, dB"] <= bicubic).sum()),
)
coefficients = [(own.pearson, own.spearman) for own in (psnr, ssim)]
intervals = [(own.pearson_interval, own.spearman_interval) for own in (psnr, ssim)]
study.verdict(
    psnr=min(coefficients[0]) >= 0.8,
    ssim=min(coefficients[1]) >= 0.8,
    chance=np.min(intervals) > 0,
    notes={"networks": len(judged)},
    checkpoints=[] if train else judged,
)

# %% [markdown]
# ## What we have seen
#
# Over {glue:text}`performance_networks` networks of {glue:text}`performance_families` families and
# {glue:text}`performance_patches` hard crops:
#
# | | Pearson (95 % interval) | Spearman (95 % interval) |
# |---|---|---|
# | log DI and PSNR | {glue:text}`performance_psnr_pearson:.2f` ({glue:text}`performance_psnr_pearson_low:.2f` to {glue:text}`performance_psnr_pearson_high:.2f`) | {glue:text}`performance_psnr_spearman:.2f` ({glue:text}`performance_psnr_spearman_low:.2f` to {glue:text}`performance_psnr_spearman_high:.2f`) |
# | log DI and SSIM | {glue:text}`performance_ssim_pearson:.2f` ({glue:text}`performance_ssim_pearson_low:.2f` to {glue:text}`performance_ssim_pearson_high:.2f`) | {glue:text}`performance_ssim_spearman:.2f` ({glue:text}`performance_ssim_spearman_low:.2f` to {glue:text}`performance_ssim_spearman_high:.2f`) |
# | log parameters and PSNR | {glue:text}`performance_size_psnr_pearson:.2f` ({glue:text}`performance_size_psnr_pearson_low:.2f` to {glue:text}`performance_size_psnr_pearson_high:.2f`) | {glue:text}`performance_size_psnr_spearman:.2f` ({glue:text}`performance_size_psnr_spearman_low:.2f` to {glue:text}`performance_size_psnr_spearman_high:.2f`) |
# | log parameters and SSIM | {glue:text}`performance_size_ssim_pearson:.2f` ({glue:text}`performance_size_ssim_pearson_low:.2f` to {glue:text}`performance_size_ssim_pearson_high:.2f`) | {glue:text}`performance_size_ssim_spearman:.2f` ({glue:text}`performance_size_ssim_spearman_low:.2f` to {glue:text}`performance_size_ssim_spearman_high:.2f`) |
#
# - The paper reports more than 0.8 for both coefficients. The intervals are wide: families are few.
# - {glue:text}`performance_below` of the networks do not beat bicubic enlarging on these crops
#   ({glue:text}`performance_bicubic:.2f` dB). A network that smears uses many pixels, too: a wide map
#   is a sign of quality only in networks that have learnt to put far pixels to use. Among those that
#   do beat it, Pearson's coefficient of log DI and PSNR is
#   {glue:text}`performance_above_pearson:.2f`, Spearman's
#   {glue:text}`performance_above_spearman:.2f`.
# - The widest diffusion has {glue:text}`performance_widest`
#   (DI {glue:text}`performance_widest_di:.2f`, {glue:text}`performance_widest_psnr:.2f` dB), the
#   best pictures makes {glue:text}`performance_best`
#   (DI {glue:text}`performance_best_di:.2f`, {glue:text}`performance_best_psnr:.2f` dB).
# - The last two rows are the yardstick: an index of attribution is worth its cost where it tells more
#   than the size of the network.
# - A correlation over networks says nothing of one network: that a map is wide does not make its
#   picture good. What depth and width do to both is taken apart in {doc}`network_scale`.
#
# ## Try it yourself
#
# - Take regular patterns, `image_set = "urban100-30"`: there far pixels hold what is missing.
# - Add published networks: `official = ["imdn", "rfdn", "pan", "carn-m"]`. They are shown beside
#   ours and not judged, for they were trained for days and on other data.
# - Remove one family after another from `zoo`. How much does the relation hang on a single dot?
# - Replace the index: `np.array([own.maps.mean() for own in found.values()])` asks how much of the map is
#   bright. Is the Gini coefficient needed?
