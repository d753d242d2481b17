# %% [markdown]
# (finding-blind-sr-guidance)=
# # Does guidance by deep degradation features improve blind SR?
#
# *8 minutes. You learn how features of one network can steer another, and how to test whether a network
# uses what it is told. Builds on {doc}`global_residual`.*
#
# ## The claim
#
# The deep features of a network trained on clean pictures alone separate degradations. Feed them to a
# {term}`blind network` beside its input, and it restores better: higher PSNR and lower NIQE, that is, more
# natural ({cite:t}`liu2021discovering`, Sec. 5, Tab. 2).
#
# Why it matters: it would turn an observation into a tool. Blind methods spend a branch and a loss of their
# own on estimating the degradation; here the estimate comes free from a network that was never asked for
# it.

# %% tags=["parameters", "hide-cell"] quick={"num_patches": 3, "size": 32, "training_seeds": [0], "num_swapped": 1}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_patches = 9  # contents; each is shown under every degradation
size = 48  # side of a patch, LR pixels; NIQE needs 24 at least
training_seeds = [0, 1, 2]  # of both networks; those that are shipped
num_swapped = 3  # contents for which guidance is exchanged
train = False  # True trains all networks here (10 minutes each on one core) instead of loading them
device = "auto"

# %% tags=["hide-cell"]
import numpy as np
import pandas as pd
import torch

from srlab.data.datasets import degraded_patches, load_images
from srlab.degradations import Degradation
from srlab.degradations.filters import upsample
from srlab.devices import pick_device
from srlab.figures.dots import interval_dots
from srlab.figures.pictures import picture_grid, picture_row
from srlab.figures.tables import matrix_heatmap
from srlab.images import image_to_array
from srlab.metrics import psnr
from srlab.representation.embedding import embed, separability
from srlab.studies.ddr.clouds import degradation_clouds
from srlab.studies.ddr.guidance import METRICS, exchanged_guidance, restored_quality
from srlab.studies.networks import obtainable_places
from srlab.studies.study import Study, exceeds, mean_interval, span
from srlab.training.recipes import seed_name

study = Study(
    "ddr/blind_sr_guidance",
    claim="Guided by deep degradation representations, blind SR restores better",
    source="DDR, Sec. 5, Tab. 2",
    claims={
        "psnr": "guidance raises the mean PSNR, in every seed",
        "niqe": "guidance lowers the mean NIQE, in every seed",
    },
    controls={
        "ssim": "guidance raises the mean SSIM in every seed",
        "contents": "the PSNR gained, over contents: interval above 0",
        "used": "another degradation's guidance costs 0.1 dB, and twice another content's, in every seed",
    },
    says={
        "psnr": "Sec. 5, Tab. 2: “PSNR↑/NIQE↓ results on datasets with different degradations”, "
        "better with guidance: “With DDR guidance, the generalization ability is further enhanced.”",
        "niqe": "Sec. 5, Tab. 2: “PSNR↑/NIQE↓ results on datasets with different degradations”",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

# %% tags=["hide-cell"]
degradations = [
    Degradation(),
    *(Degradation(blur_sigma=sigma) for sigma in (1, 2, 4)),
    *(Degradation(noise_sigma=level / 255) for level in (10, 20)),
    Degradation(blur_sigma=2, noise_sigma=10 / 255),
]
pairs = degraded_patches(load_images(image_set), degradations, count=num_patches, size=size)
kinds = pairs.degradation_labels
titles, hr = list(dict.fromkeys(kinds)), pairs.hr.to(study.device)
versions = {kind: pairs.lr[at :: len(titles)].to(study.device) for at, kind in enumerate(titles)}

bases = ("srresnet-blind", "srresnet-guided")
wanted = {(seed, base): seed_name(base, seed) for seed in training_seeds for base in bases}
found, _ = obtainable_places(wanted, train=train)
runs = [s for s in training_seeds if all((s, base) in found for base in bases)]
blind, guided = zip(*([study.network(found[s, base]) for base in bases] for s in runs))

content = int(hr.std(dim=(1, 2, 3)).argmax())  # the richest
told, shown = [titles[2], titles[5], titles[6]], {}
for kind in told:
    one, clean = (versions[name][[content]] for name in (kind, titles[0]))
    with torch.no_grad():
        shown[kind, "bicubic"] = upsample(one, 4)
        shown[kind, "blind"] = blind[0](one)
        shown[kind, "guided"] = guided[0](one)
        shown[kind, "guided as if clean"] = guided[0].guided_by(one, clean)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One content under three degradations, with PSNR-Y. “Blind” and “guided” differ in guidance alone; “guided as if clean” is told that the picture is clean. Can you see what guidance adds, and what false guidance costs? Zoom in; the pictures move together.", "name": "fig-guidance-pictures"}}
notes = {place: f"{psnr(sr, hr[[content]], border=4).item():.2f} dB" for place, sr in shown.items()}
panels = {place: image_to_array(sr[0]) for place, sr in shown.items()}
picture_grid(panels, notes=notes)

# %% name="hero" tags=["remove-cell"] caption="One content under blur and noise together, enlarged without a network (bicubic), by a blind network, and by one that is guided as well. Does guidance add anything that you can see?"
picture_row({way: panels[told[-1], way] for way in ("bicubic", "blind", "guided")})

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | blind network | RRDB | SRResNet with global residual, 32 channels, 4 000 steps |
# | trained on | missing in our copy of the paper | blur 0–4 LR pixels and noise 0–25/255, each in every second picture |
# | guidance | deep representations of a trained SR network; details missing in our copy | mean and standard deviation of each channel after the last block of an SRResNet trained on clean pictures |
# | how it enters | missing, too | from these 64 numbers, a factor and an offset for every channel of every block |
# | judged by | PSNR and NIQE (the numbers of Tab. 2 are missing in our copy) | PSNR, SSIM and {term}`NIQE`, three trainings each, and a control |
# | with more training | – | not shown: snapshots do not ship |
#
# The guide is frozen and the same for all. Both networks see the same pictures in the same order; the
# guided one has a few more weights and takes nearly twice as long to run. In training the blur acts on the
# HR picture, in the test on the LR one, as everywhere in this chapter.
#
# A higher PSNR alone would not show that guidance is *used*. So each degraded patch is also restored under
# the guidance of another degradation of the same content, and of another content with the same
# degradation. If guidance says "noise" or "blur", the first must cost quality, and the second hardly any.

# %% tags=["remove-input"]
study

# %% tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE of the guidance that each patch yields: two numbers for each of the guide's channels, standardized. Colour: degradation; symbol: picture. Above: the Caliński–Harabasz index (CHI). What lies together here tells the blind network the same. Which degradations lie together?", "name": "fig-guidance-codes"}}
with torch.no_grad():
    codes = [guided[0].represent(lr).cpu() for lr in pairs.lr.to(study.device).split(20)]
codes = torch.cat(codes).numpy()
codes = (codes - codes.mean(axis=0)) / np.maximum(codes.std(axis=0), 1e-6)
embedding = embed(codes, perplexity=min(30, num_patches))
code_chi = separability(codes, kinds).index

drawn = separability(embedding, kinds).index
notes = {("", ""): f"CHI {drawn:.1f}, before projection {code_chi:.1f}"}
degradation_clouds({("", ""): embedding}, pairs, notes=notes)

# %% [markdown]
# ## Does it help?
#
# PSNR and SSIM of luma for every content, NIQE for all pictures of a degradation together.

# %% tags=["hide-cell"]
restorers = {"bicubic": [lambda lr: upsample(lr, 4)], "blind": blind, "guided": guided}
quality = pd.DataFrame(
    {"restored by": kind, "seed": seed, **row}
    for kind, own in restorers.items()
    for seed, restore in enumerate(own)
    for row in restored_quality(restore, versions, hr)
)
means = quality.groupby(["restored by", "seed", "degradation"])[[*METRICS]].mean()
gains = means.loc["guided"] - means.loc["blind"]


def dots(metric):
    """{degradation: gain in every seed}, and the mean over degradations."""
    table = gains[metric].unstack()[titles]
    return {kind: own.to_numpy() for kind, own in table.assign(mean=table.mean(axis=1)).items()}


# %% tags=["hide-input"] mystnb={"figure": {"caption": "What guidance gains in PSNR-Y, by degradation of the input: a small dot for each training seed, a large one for their mean, a bar from the lowest to the highest. Right of the dashed line, guidance helps: for which degradations does the whole bar lie there?", "name": "fig-guidance-gain"}}
interval_dots(dots("PSNR, dB"), x_title="PSNR gain, dB", reference=0)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The same for NIQE. Lower is more natural, so guidance helps left of the dashed line. Is the order of the degradations the same?", "name": "fig-guidance-niqe"}}
interval_dots(dots("NIQE"), x_title="NIQE, change", reference=0)

# %% tags=["hide-input"]
table = means.groupby(["degradation", "restored by"]).mean().unstack().loc[titles]
table.round({name: 3 if "SSIM" in name else 2 for name in table}).rename_axis(index=None)

# %% [markdown]
# ## Is the guidance used?

# %% tags=["hide-input"] mystnb={"figure": {"caption": "What false guidance costs: PSNR-Y under the guidance of another degradation (column) of the same content, minus that under its own, dB (first seed); 0 on the diagonal by definition. For which inputs (rows) is the network indifferent to what it is told?", "name": "fig-guidance-exchange"}}
swaps = [exchanged_guidance(model, versions, hr, count=num_swapped) for model in guided]
off = ~np.eye(len(titles), dtype=bool)
cost = np.array([(told.diagonal()[:, None] - told)[off].mean() for told, _ in swaps])
content_cost = np.array([(told.diagonal() - others).mean() for told, others in swaps])

change = swaps[0][0] - swaps[0][0].diagonal()[:, None]
short = [title.replace("/255", "").replace(" +", "<br>+") for title in titles]
matrix_heatmap(
    change.round(2) + 0.0, short, short, colour_title="dB", axis_titles=("input", "told")
)

# %% [markdown]
# ## Verdict
#
# Spread is over training seeds. The bootstrap over contents takes each content's gain, averaged over
# degradations and seeds.

# %% tags=["hide-cell"]
by_seed = means.groupby(["restored by", "seed"]).mean()
gain = by_seed.loc["guided"] - by_seed.loc["blind"]
by_content = quality.groupby(["restored by", "content"])["PSNR, dB"].mean()
content_gain = (by_content["guided"] - by_content["blind"]).to_numpy()
low, high = mean_interval(content_gain)
helped = gains["PSNR, dB"].groupby("degradation").mean()

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: lowest to highest over training seeds.", "name": "fig-guidance-verdict"}}
for name, values, paper, glued in [
    ("PSNR gain by guidance, dB", gain["PSNR, dB"], "higher", "guide_gain"),
    ("NIQE change by guidance", gain["NIQE"], "lower", "guide_niqe"),
    ("cost of another degradation's guidance, dB", cost, "", "guide_cost"),
    ("cost of another content's guidance, dB", content_cost, "", "guide_content_cost"),
    ("SSIM gain by guidance", gain["SSIM"], "", "guide_ssim"),
    ("PSNR without guidance, dB", by_seed.loc["blind", "PSNR, dB"], "", ""),
    ("PSNR with guidance, dB", by_seed.loc["guided", "PSNR, dB"], "", ""),
    ("NIQE without guidance", by_seed.loc["blind", "NIQE"], "", ""),
    ("NIQE with guidance", by_seed.loc["guided", "NIQE"], "", ""),
]:
    study.measure(name, values, paper=paper, glue=glued)
study.measure("PSNR gain, bootstrap over contents, dB", content_gain, interval=(low, high))
study.glue(guide_gain_low=low, guide_gain_high=high, guide_seeds=len(runs))
study.glue(guide_positive=(gain["PSNR, dB"] > 0).sum(), guide_code_chi=code_chi)
study.glue(guide_best=helped.idxmax(), guide_best_gain=helped.max())
study.glue(guide_worst=helped.idxmin(), guide_worst_gain=helped.min())
study.verdict(
    psnr=exceeds(span(gain["PSNR, dB"])),
    niqe=exceeds(span(-gain["NIQE"])),
    ssim=exceeds(span(gain["SSIM"])),
    contents=exceeds((low, high)),
    used=cost.min() >= 0.1 and (cost >= 2 * content_cost).all(),
)

# %% [markdown]
# ## What we have seen
#
# - Guidance changes PSNR by {glue:text}`guide_gain:+.3f` dB on the mean over degradations and
#   {glue:text}`guide_seeds` trainings (95 % over contents: {glue:text}`guide_gain_low:+.3f` to
#   {glue:text}`guide_gain_high:+.3f`); in {glue:text}`guide_positive` of the trainings it is a gain. The
#   largest change is on {glue:text}`guide_best` ({glue:text}`guide_best_gain:+.2f` dB), the smallest on
#   {glue:text}`guide_worst` ({glue:text}`guide_worst_gain:+.2f` dB).
# - SSIM changes by {glue:text}`guide_ssim:+.4f`, NIQE by {glue:text}`guide_niqe:+.2f`.
# - Told another degradation, the guided network loses {glue:text}`guide_cost:.2f` dB; told another content
#   under the same degradation, {glue:text}`guide_content_cost:.2f` dB. Only if the first is much larger
#   than the second does the guidance speak of degradations.
# - The guidance separates the degradations with a CHI of {glue:text}`guide_code_chi:.1f` before any
#   projection. But a blind network has sixteen blocks of its own to find out what it is given, and what it
#   finds by itself, guidance cannot add.
#
# ## Exercises
#
# 1. How can false guidance cost much although true guidance gains little?
# 2. Why is NIQE measured beside PSNR, and why can it not replace it?
# 3. Add a degradation that neither network met, `Degradation(jpeg_quality=30)`. What has to hold for
#    guidance to help there?
#
# ```{dropdown} Answers
# 1. The network relies on what it is told, but without it could have found the same in its input. Use and
#    gain are two questions.
# 2. NIQE asks whether a picture looks natural, without ground truth: it prefers texture of the right
#    statistics, be it right or wrong. PSNR punishes invented detail.
# 3. The guide's features must place it near degradations whose treatment also suits it; guidance that the
#    network never saw in training can mislead it.
# ```
#
# To go on: `guided[0].guided_by(lr, other)` takes any picture as `other`, a mixture of two degraded ones
# too. {doc}`generalization_index` asks whether guided networks treat degradations more alike inside.
