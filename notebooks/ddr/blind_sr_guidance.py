# %% [markdown]
# (finding-blind-sr-guidance)=
# # Telling a blind network what a clean-trained one knows of the degradation
#
# ## The claim
#
# A network trained on clean pictures alone *knows* how its input was degraded: its deep features part
# by degradation ({doc}`global_residual`). That knowledge can be put to use. Take a
# {term}`blind network`, feed it the deep degradation representation of its input beside the input, and
# it restores better ({cite:t}`liu2021discovering`, Sec. 5, Tab. 2).
#
# | blind SR | without guidance | with DDR guidance |
# |---|---|---|
# | PSNR | | higher |
# | NIQE | | lower, that is more natural |
#
# Why it matters: it would turn an observation into a tool. Blind methods spend a branch and a loss of
# their own on estimating the degradation; here the estimate comes free from a network that was never
# asked for it.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"num_patches": 4, "size": 32, "training_seeds": [0], "num_swapped": 1}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_patches = 9  # contents; each is shown under every degradation
size = 48  # side of a patch, LR pixels; NIQE needs 24 at least
training_seeds = [0, 1, 2]  # of both networks; those that are shipped
num_swapped = 3  # contents for which guidance is exchanged
train = False  # True trains all networks here (10 minutes each on one core) instead of loading them
device = "auto"

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | blind network | a large residual network | SRResNet with global residual, 32 channels, 4 000 steps |
# | trained on | a broad space of degradations | blur 0–4 LR pixels and noise 0–25/255, each in every second picture |
# | guidance | "degradation embeddings" of a pretrained SR network; no more is said | mean and standard deviation of each channel behind the last block of an SRResNet trained on clean pictures |
# | how it enters | not stated | from these 64 numbers, a factor and an offset for every channel of every block |
# | judged by | PSNR and NIQE | PSNR, SSIM and {term}`NIQE`, three trainings each, and a control |
#
# The guide is frozen and the same for all. Both networks see the same pictures in the same order; the
# guided one has a few more weights to learn, and costs nearly twice as much to run. In training the blur acts
# on the HR picture, in the test on the LR one, as everywhere in this chapter.
#
# A higher PSNR alone would not show that guidance is *used*. So there is a control: each
# degraded patch is also restored under the guidance of another degradation of the same content, and
# under that of the next content with the same degradation. If the guidance says "noise" or "blur",
# the first must hurt and the second hardly.
#
# :::{admonition} Criterion, set before the experiment
# :class: important
# **In every training seed**, on the mean over the degradations: (1) PSNR-Y with guidance is above that
# without, (2) so is SSIM, (3) NIQE is lower. (4) Guidance is used: the guidance of another degradation
# costs at least 0.1 dB, and at least twice what that of another content costs.
# :::

# %% tags=["hide-cell"]
import numpy as np
import pandas as pd
import torch
from myst_nb import glue

from srlab.data.datasets import degraded_patches, load_images
from srlab.degradations import Degradation
from srlab.degradations.filters import upsample
from srlab.devices import pick_device
from srlab.figures.dots import interval_dots
from srlab.figures.embeddings import embedding_grid
from srlab.figures.pictures import picture_grid, picture_row, sprite_sheet
from srlab.figures.tables import matrix_heatmap
from srlab.images import image_to_array
from srlab.metrics import psnr, ssim
from srlab.representation.embedding import embed, separability
from srlab.studies.ddr.natural_statistics import niqe
from srlab.studies.networks import network, obtainable
from srlab.studies.parameters import check_parameters
from srlab.studies.study import Finding, mean_interval, record, span
from srlab.training.recipes import seed_names

check_parameters()
device = pick_device(device)
finding = Finding(
    name="ddr/blind_sr_guidance",
    claim="Guided by deep degradation representations, blind SR restores better",
    source="DDR, Sec. 5, Tab. 2",
    criterion=(
        "In every seed, on the mean over degradations, guidance raises PSNR and SSIM and lowers "
        "NIQE; and exchanging it for another degradation's costs 0.1 dB and twice what another "
        "content's costs."
    ),
)

# %% [markdown]
# ## Experiment
#
# Seven degradations, from none to both at once, of the same contents.

# %%
degradations = [
    Degradation(),
    *(Degradation(blur_sigma=sigma) for sigma in (1, 2, 4)),
    *(Degradation(noise_sigma=level / 255) for level in (10, 20)),
    Degradation(blur_sigma=2, noise_sigma=10 / 255),
]
pairs = degraded_patches(load_images(image_set), degradations, count=num_patches, size=size)
kinds, contents = pairs.degradation_labels, pairs.content_labels
titles, hr = list(dict.fromkeys(kinds)), pairs.hr.to(device)
versions = {kind: pairs.lr[at :: len(titles)].to(device) for at, kind in enumerate(titles)}

ways = {"blind": "srresnet-blind", "guided": "srresnet-guided"}
wanted = list(zip(*(seed_names(base, training_seeds) for base in ways.values())))
found = obtainable([name for names in wanted for name in names], train=train)
runs = [names for names in wanted if set(names) <= set(found)]
blind, guided = (
    [network(names[at], train=train, device=device) for names in runs] for at in range(2)
)

# %% [markdown]
# ## What the guide tells
#
# First the guidance itself: two numbers for each of the guide's channels, patch by patch. It has to
# part by degradation to be of use.

# %%
with torch.no_grad():
    codes = [guided[0].represent(lr).cpu() for lr in pairs.lr.to(device).split(20)]
codes = torch.cat(codes).numpy()
codes = (codes - codes.mean(axis=0)) / np.maximum(codes.std(axis=0), 1e-6)
embedding = embed(codes, perplexity=min(30, num_patches))
code_chi = separability(codes, kinds).index

# %% tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE of the guidance that each patch yields (standardized). Colour: degradation; symbol: picture. Point at a dot to see its patch. What lies together here is told the same thing to the blind network.", "name": "fig-guidance-codes"}}
sprites = sprite_sheet(np.stack([image_to_array(patch) for patch in pairs.lr]), zoom=2)
notes = {
    ("", ""): f"CHI {separability(embedding, kinds).index:.1f}, before projection {code_chi:.1f}"
}
embedding_grid(
    {("", ""): embedding}, classes=kinds, contents=contents, sprites=sprites, notes=notes
)

# %% [markdown]
# ## Look first
#
# One content under three degradations, restored without guidance, with it, and under the guidance
# of its own clean version: that is, told a lie.


# %%
content = min(num_patches - 1, 4)
told = [titles[2], titles[5], titles[6]]


@torch.no_grad()
def restored(kind):
    lr, clean = (versions[name][[content]] for name in (kind, titles[0]))
    return {
        "bicubic": upsample(lr, 4),
        "blind": blind[0](lr),
        "guided": guided[0](lr),
        "guided as if clean": guided[0].guided_by(lr, clean),
    }


shown = {(kind, way): sr for kind in told for way, sr in restored(kind).items()}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One content under three degradations, with PSNR-Y. The two networks in the middle differ in guidance alone; in the last column the guided one is told that the picture were clean. Zoom in; the pictures move together.", "name": "fig-guidance-pictures"}}
notes = {place: f"{psnr(sr, hr[[content]], border=4).item():.2f} dB" for place, sr in shown.items()}
panels = {place: image_to_array(sr[0]) for place, sr in shown.items()}
picture_grid(panels, notes=notes)

# %% name="hero" tags=["remove-cell"]
picture_row({way: panels[told[-1], way] for way in ("bicubic", "blind", "guided")})

# %% [markdown]
# ## Measured by degradation
#
# PSNR and SSIM of luma for every content, NIQE for all pictures of a degradation together.


# %%
@torch.no_grad()
def judged(restore):
    """{degradation: (PSNR of each content, SSIM of each content, NIQE of all)}."""
    results = {}
    for kind, lr in versions.items():
        sr = torch.cat([restore(some) for some in lr.split(4)])
        quality = [measure(sr, hr, border=4).cpu().numpy() for measure in (psnr, ssim)]
        results[kind] = (*quality, niqe(sr.clamp(0, 1).cpu()))
    return results


tables = {
    "blind": [judged(model) for model in blind],
    "guided": [judged(model) for model in guided],
}
bicubic = judged(lambda lr: upsample(lr, 4))
METRICS = {"PSNR, dB": 0, "SSIM": 1, "NIQE": 2}


def by_seed(way, metric):
    """Means over contents: (seeds, degradations)."""
    at = METRICS[metric]
    return np.array([[np.mean(own[kind][at]) for kind in titles] for own in tables[way]])


gains = {metric: by_seed("guided", metric) - by_seed("blind", metric) for metric in METRICS}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "What guidance gains in PSNR-Y, by degradation of the input: a small dot for each training seed, a large one for their mean. Right of the dashed line, guidance helps.", "name": "fig-guidance-gain"}}
rows = {kind: gains["PSNR, dB"][:, at] for at, kind in enumerate(titles)}
interval_dots(rows | {"mean": gains["PSNR, dB"].mean(axis=1)}, x_title="PSNR gain, dB", reference=0)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The same for NIQE. Lower is more natural: left of the dashed line, guidance helps.", "name": "fig-guidance-niqe"}}
rows = {kind: gains["NIQE"][:, at] for at, kind in enumerate(titles)}
interval_dots(rows | {"mean": gains["NIQE"].mean(axis=1)}, x_title="NIQE, change", reference=0)

# %% [markdown]
# The numbers behind the figures, mean over training seeds; the paper's Tab. 2 has this form.

# %% tags=["hide-input"]
columns = {
    (metric, way): values
    for metric, at in METRICS.items()
    for way, values in {
        "bicubic": [np.mean(bicubic[kind][at]) for kind in titles],
        "blind": by_seed("blind", metric).mean(axis=0),
        "guided": by_seed("guided", metric).mean(axis=0),
    }.items()
}
pd.DataFrame(columns, index=titles).round({name: 3 if "SSIM" in name else 2 for name in columns})

# %% [markdown]
# ## Is the guidance used?
#
# Now guidance is exchanged. Down the rows the true degradation of the input, along the columns the
# degradation that the network is told.

# %%
few = {kind: lr[:num_swapped] for kind, lr in versions.items()}


@torch.no_grad()
def quality(model, lr, other):
    return psnr(model.guided_by(lr, other), hr[:num_swapped], border=4).mean().item()


def exchanged(model):
    """PSNR under each guidance (true, told), and with the same degradation of other contents."""
    degraded = [[quality(model, lr, other) for other in few.values()] for lr in few.values()]
    others = [quality(model, few[kind], versions[kind].roll(-1, 0)[:num_swapped]) for kind in few]
    return np.array(degraded), np.array(others)


swaps = [exchanged(model) for model in guided]
off = ~np.eye(len(titles), dtype=bool)
cost = np.array([(told.diagonal()[:, None] - told)[off].mean() for told, _ in swaps])
content_cost = np.array([(told.diagonal() - others).mean() for told, others in swaps])

# %% tags=["hide-input"] mystnb={"figure": {"caption": "What false guidance costs: PSNR-Y under the guidance of another degradation of the same content, minus that under its own, dB (first seed). 0 on the diagonal by definition. Rows that stay near 0 do not listen.", "name": "fig-guidance-exchange"}}
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

# %%
mean_gain = {metric: values.mean(axis=1) for metric, values in gains.items()}
content_gain = np.mean(
    [
        after[kind][0] - before[kind][0]
        for before, after in zip(tables["blind"], tables["guided"])
        for kind in titles
    ],
    axis=0,
)
gain_interval = mean_interval(content_gain)

# %% tags=["remove-cell"]
helped = gains["PSNR, dB"].mean(axis=0)
glue("guide_gain", float(mean_gain["PSNR, dB"].mean()), display=False)
glue("guide_gain_low", gain_interval[0], display=False)
glue("guide_gain_high", gain_interval[1], display=False)
glue("guide_seeds", len(runs), display=False)
glue("guide_positive", int((mean_gain["PSNR, dB"] > 0).sum()), display=False)
glue("guide_best", titles[int(helped.argmax())], display=False)
glue("guide_best_gain", float(helped.max()), display=False)
glue("guide_worst", titles[int(helped.argmin())], display=False)
glue("guide_worst_gain", float(helped.min()), display=False)
glue("guide_ssim", float(mean_gain["SSIM"].mean()), display=False)
glue("guide_niqe", float(mean_gain["NIQE"].mean()), display=False)
glue("guide_cost", float(cost.mean()), display=False)
glue("guide_content_cost", float(content_cost.mean()), display=False)
glue("guide_code_chi", code_chi, display=False)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: lowest to highest over training seeds.", "name": "fig-guidance-verdict"}}
measured = {
    "PSNR gain by guidance, dB": mean_gain["PSNR, dB"],
    "NIQE change by guidance": mean_gain["NIQE"],
    "cost of another degradation's guidance, dB": cost,
    "cost of another content's guidance, dB": content_cost,
    "SSIM gain by guidance": mean_gain["SSIM"],
    "PSNR without guidance, dB": by_seed("blind", "PSNR, dB").mean(axis=1),
    "PSNR with guidance, dB": by_seed("guided", "PSNR, dB").mean(axis=1),
    "NIQE without guidance": by_seed("blind", "NIQE").mean(axis=1),
    "NIQE with guidance": by_seed("guided", "NIQE").mean(axis=1),
}
record(
    finding,
    checks={
        "guidance raises the mean PSNR in every seed": mean_gain["PSNR, dB"].min() > 0,
        "guidance raises the mean SSIM in every seed": mean_gain["SSIM"].min() > 0,
        "guidance lowers the mean NIQE in every seed": mean_gain["NIQE"].max() < 0,
        "another degradation's guidance costs 0.1 dB, and twice another content's, in every seed": (
            cost.min() >= 0.1 and (cost >= 2 * content_cost).all()
        ),
    },
    measured={title: values.mean() for title, values in measured.items()}
    | {"PSNR gain, bootstrap over contents, dB": content_gain.mean()},
    interval={title: span(values) for title, values in measured.items()}
    | {"PSNR gain, bootstrap over contents, dB": gain_interval},
    paper={"PSNR gain by guidance, dB": "higher", "NIQE change by guidance": "lower"},
    image_set=image_set,
    parameters={"num_patches": num_patches, "size": size, "num_swapped": num_swapped},
    checkpoints=[name for names in runs for name in names],
)

# %% [markdown]
# ## What we have seen
#
# - Guidance changes PSNR by {glue:text}`guide_gain:+.3f` dB on the mean over degradations and over
#   {glue:text}`guide_seeds` trainings (bootstrap over contents: {glue:text}`guide_gain_low:+.3f` to
#   {glue:text}`guide_gain_high:+.3f`); in {glue:text}`guide_positive` of the trainings it is a gain.
#   Most on {glue:text}`guide_best` ({glue:text}`guide_best_gain:+.2f` dB), least on
#   {glue:text}`guide_worst` ({glue:text}`guide_worst_gain:+.2f` dB).
# - SSIM changes by {glue:text}`guide_ssim:+.4f`, NIQE by {glue:text}`guide_niqe:+.2f`. NIQE knows no
#   ground truth: it prefers texture of the right statistics to none, be it right or wrong.
# - Told another degradation, the guided network loses {glue:text}`guide_cost:.2f` dB; told another
#   content under the same degradation, {glue:text}`guide_content_cost:.2f` dB. Only where the first
#   is much larger than the second does the guidance speak of degradations, and does the network listen.
# - The guidance parts the degradations with a CHI of {glue:text}`guide_code_chi:.1f` before any
#   projection. But a blind network has sixteen blocks of its own to find out what it is given: what
#   it finds by itself, guidance cannot add.
#
# ## Try it yourself
#
# - Tell the network a half-truth: `guided[0].guided_by(lr, other)` takes any picture as `other`, a
#   mixture of two degraded ones too. Does restoration change gradually?
# - Add a degradation that neither network met, `Degradation(jpeg_quality=30)`. Does guidance
#   still help where the guide's features part from all it was trained on?
# - {doc}`generalization_index` asks whether guided networks treat degradations more alike inside.
