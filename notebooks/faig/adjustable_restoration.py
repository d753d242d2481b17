# %% [markdown]
# (finding-adjustable-restoration)=
# # Can filters act as sliders for deblurring and denoising?
#
# *6 minutes. You learn what happens between the weights before and after fine-tuning. Read
# {doc}`masking` first.*
#
# ## The claim
#
# A blind network offers no control: nobody can ask it for a little less denoising. {cite:t}`xie2021finding` name such
# control among their contributions, as a use of the filters that filter attribution (FAIG) finds: move the deblurring
# filters between their values before and after fine-tuning, leave the rest alone, and the strength of deblurring should
# follow; the same for denoising. They give no numbers.
#
# **Why it matters:** it would be control without training, the step from *seeing* what filters do to *using* it.

# %% tags=["parameters", "hide-cell"] quick={"num_find": 2, "num_test": 1, "size": 64, "training_seeds": [0], "strengths": [0, 0.5, 1], "steps": 2}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_find = 6  # windows on which filters are ranked
num_test = 3  # windows, from other pictures, on which strengths are judged
size = 96  # side of a window, HR pixels
training_seeds = [0, 1, 2]  # networks trained from different initializations and data orders
fraction = 3  # per cent of all filters that a slider moves
strengths = [0, 0.25, 0.5, 0.75, 1]  # 0: as before fine-tuning, 1: as after it
steps = 4  # of every path integral, at their middles
train = False  # True trains the networks here (25 minutes a seed on one core)
device = "auto"

# %% tags=["hide-cell"]
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd

from srlab.attribution.faig import filter_count, filters_by_degradation, masked_weights
from srlab.data.datasets import load_images
from srlab.data.subjects import separate
from srlab.degradations.windows import windows
from srlab.devices import pick_device
from srlab.explorers.controls import Control
from srlab.explorers.pictures import Chart, PictureExplorer, PictureState
from srlab.figures.curves import stacked_curves
from srlab.figures.pictures import picture_grid
from srlab.figures.tables import Matrix, matrix_grid
from srlab.images import image_to_array
from srlab.metrics import psnr
from srlab.statistics import rank_correlation
from srlab.studies.faig.outputs import KINDS, restored, restored_psnr
from srlab.studies.faig.rankings import fine_tuned, scores_by_kind
from srlab.studies.frames import curves
from srlab.studies.study import Study, exceeds, reaches, span, together

study = Study(
    "faig/adjustable_restoration",
    claim="Filters found by FAIG are sliders for deblurring and denoising",
    source="FAIG, Sec. 1, second contribution (named, not measured)",
    claims={
        "rise": "turned from before to after fine-tuning, each slider raises the PSNR on its own degradation at every step, every seed",
        "own": "it moves that PSNR further than the other slider does, every seed",
    },
    says={
        "rise": "Sec. 1: “achieve a controllable adjustment of restoration strength without introducing extra parameters”",
        "own": "Sec. 1: “The discovered discriminative filters for specific degradations allow us” to do so",
    },
    controls={
        "decibel": "each slider raises its own PSNR by 1 dB or more, every seed",
        "alone": "the other slider moves the same PSNR by a third at most, every seed",
        "sum": "on mixed pictures the sliders add up within 30 %, every seed",
        "half": "for half the noise a denoising strength below 1 is best, every seed",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

MIXED = {
    "blurry": KINDS["blur"],
    "noisy": KINDS["noise"],
    "blurry and noisy": replace(KINDS["blur"], noise_sigma=KINDS["noise"].noise_sigma),
    "half as noisy": replace(KINDS["noise"], noise_sigma=KINDS["noise"].noise_sigma / 2),
}
for_finding, for_judging = separate(load_images(image_set))
learned = {kind: KINDS[kind] for kind in ("blur", "noise")}
found = windows(for_finding, learned, count=num_find, size=size).to(study.device)
judged = windows(for_judging, MIXED, count=num_test, size=size).to(study.device)
networks = fine_tuned(study, "faig-target", training_seeds)
scores = [scores_by_kind(net, found, steps=steps) for net in networks]
masks = [filters_by_degradation(own, fraction / 100) for own in scores]


def adjusted(seed, deblurring, denoising):
    """The target's weights with its two sets of filters at these strengths."""
    net, own = networks[seed], masks[seed]
    weights = masked_weights(net.target, net.baseline, own["blur"], strength=1 - deblurring)
    return masked_weights(weights, net.baseline, own["noise"], strength=1 - denoising)


quality = pd.DataFrame(
    {"seed": seed, "deblurring": a, "denoising": b, "input": kind, "value": values.mean()}
    for seed, a, b in product(range(len(networks)), strengths, strengths)
    for kind, values in restored_psnr(networks[seed].model, adjusted(seed, a, b), judged).items()
)

# %% [markdown]
# ## What the sliders do
#
# This picture is both blurry and noisy. Deblurring increases downwards, denoising to the right.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One window, blurry and noisy, at three strengths of each slider (training seed 0). Follow the noise along the rows and the edges down the columns.", "name": "fig-adjust-window"}}
ends = [strengths[0], strengths[len(strengths) // 2], strengths[-1]]
window = judged.lr["blurry and noisy"][:1]
panels, notes = {}, {}
for deblurring, denoising in product(ends, ends):
    sr = restored(networks[0].model, adjusted(0, deblurring, denoising), window)
    key = f"deblurring {deblurring:g}", f"denoising {denoising:g}"
    panels[key] = image_to_array(sr[0])
    notes[key] = f"{psnr(sr, judged.hr[:1], border=2).item():.1f} dB"
picture_grid(panels, notes=notes)

# %% [markdown]
# ## What we run, and what differs from the paper
#
# The networks are those of {doc}`masking`, where their differences from the paper are listed. The highest-ranked filters
# for deblurring and for denoising move on the straight line between baseline and target, each set by a strength of its
# own:
#
# $$
# \theta(s) = \theta_{\mathrm{baseline}} + s\,(\theta_{\mathrm{target}} - \theta_{\mathrm{baseline}}) .
# $$
#
# Strength 0 is a filter before fine-tuning, 1 after it. All other weights stay the target's. Of the paper's sentence we
# judge the weakest reading: a slider moves what it says, step by step, and further than the other slider does. How far,
# how purely, and what there is to gain are controls. The gain we look for is on pictures with **half** the noise that the
# network was trained for, which a network that knows one strength of noise may smooth too much. With more training: not
# shown; {doc}`masking` and {doc}`gradient_elimination` follow a longer pair, on which the sliders can be tried.

# %% tags=["remove-input"]
study

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "PSNR at all strengths (dB, mean over windows and training seeds), for blurry, noisy, mixed and half as noisy pictures. If the sliders do what they say, the first panel changes downwards alone and the second to the right alone.", "name": "fig-adjust-grid"}}
names = [f"{strength:g}" for strength in strengths]
means = quality.groupby(["input", "deblurring", "denoising"], sort=False).value.mean()
matrix_grid(
    {
        ("", kind): Matrix(means[kind].unstack(sort=False).to_numpy(), names, names)
        for kind in MIXED
    },
    colour_title="dB",
    axis_titles=("deblurring", "denoising"),
)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Each slider alone, with the other at 1: PSNR on its own degradation and on the other; mean over training seeds, bands from lowest to highest. Does only a slider's own degradation follow it?", "name": "fig-adjust-curves"}}
AIMS = {"deblurring": "blurry", "denoising": "noisy"}
OTHER = {"deblurring": "denoising", "denoising": "deblurring"}
alone = pd.concat(
    quality[quality[OTHER[slider]] == strengths[-1]].assign(
        slider=f"{slider} turned up", strength=quality[slider], panel="PSNR, " + quality.input
    )
    for slider in AIMS
)
lines, bands = curves(
    alone[alone.input.isin(AIMS.values())], panel="panel", line="slider", x="strength"
)
stacked_curves(strengths, lines, bands=bands, x_title="strength")

# %% [markdown]
# ## Explore
#
# Set both strengths. Past 1 the filters go further than training took them. Which input needs which setting? What does
# deblurring do to noise that was left in?

# %% tags=["hide-input"]
SHOWN = ["blurry", "noisy", "blurry and noisy", "half as noisy"]
offered = [f"{value:g}" for value in np.arange(-0.5, 2.01, 0.125)]


def look(setting):
    deblurring, denoising, kind = setting
    weights = adjusted(0, float(deblurring), float(denoising))
    lr, hr = judged.lr[kind][:1], judged.hr[:1]
    sr = restored(networks[0].model, weights, lr)
    enlarged = lr[0].repeat_interleave(2, dim=-2).repeat_interleave(2, dim=-1)
    pictures = {"LR input": enlarged, "restored": sr[0], "original": hr[0]}
    return PictureState(
        {name: image_to_array(picture) for name, picture in pictures.items()},
        {"PSNR": psnr(sr, hr, border=2).item()},
    )


stops = [f"{value:g}" for value in (*strengths, 1.25)]
explorer = PictureExplorer.from_states(
    {setting: look(setting) for setting in product(stops, stops, SHOWN)},
    controls=[
        Control("deblurring", "Deblurring strength", "slider"),
        Control("denoising", "Denoising strength", "slider"),
        Control("input", "Input"),
    ],
    axes={axis: sorted({*offered, *stops}, key=float) for axis in AIMS},
    start=("1", "1", "blurry and noisy"),
    units={"PSNR": "dB"},
    chart=Chart("PSNR", along="deblurring", lines="input"),
    compute=look,
)
explorer

# %% [markdown]
# ## Verdict

# %% tags=["hide-cell"]
along = alone.pivot_table(index=["slider", "input", "seed"], columns="strength", values="value")
rise, steps_up, steady, across = {}, {}, {}, {}
for slider, kind in AIMS.items():
    own = along.loc[f"{slider} turned up", kind]
    other = along.loc[f"{OTHER[slider]} turned up", kind]
    rise[slider] = own.iloc[:, -1] - own.iloc[:, 0]
    steps_up[slider] = own.diff(axis=1).iloc[:, 1:].min(axis=None)  # the smallest
    steady[slider] = min(rank_correlation(own.columns, row) for row in own.to_numpy())
    across[slider] = other.max(axis=1) - other.min(axis=1)  # of the same PSNR
mixed = quality[quality.input == "blurry and noisy"]
mixed = mixed.set_index(["deblurring", "denoising", "seed"]).value.sort_index()
low, high = strengths[0], strengths[-1]
both = mixed[high, high] - mixed[low, low]
apart = mixed[high, low] + mixed[low, high] - 2 * mixed[low, low]
half = along.loc["denoising turned up", "half as noisy"]
gain = half.iloc[:, :-1].max(axis=1) - half.iloc[:, -1]

# %% tags=["hide-input"] mystnb={"figure": {"caption": "All measures of this run. Spread: lowest to highest over training seeds.", "name": "fig-adjust-verdict"}}
for slider, kind in AIMS.items():
    paper = "named, not measured"
    study.measure(f"dB by {slider} on {kind}", rise[slider], paper=paper, glue=f"adjust_{slider}")
for slider, kind in AIMS.items():
    study.measure(f"dB by the other on {kind}", across[slider], glue=f"adjust_{slider}_across")
for slider in AIMS:
    name = f"smallest rank correlation, {slider}"
    study.measure(name, steady[slider], glue=f"adjust_{slider}_steady")
study.measure("dB by both on mixed", both, glue="adjust_both")
study.measure("sum of each alone on mixed", apart, glue="adjust_apart")
study.measure("dB gained for half the noise", gain, glue="adjust_gain")
best = half.idxmax(axis=1)
study.measure("best denoising strength for half the noise", best, glue="adjust_best")
study.glue(adjust_seeds=len(networks), adjust_filters=filter_count(masks[0]["blur"]))
beyond = {slider: rise[slider] - across[slider] for slider in AIMS}
study.verdict(
    rise=together(
        *(exceeds(span(rise[slider])) for slider in AIMS),
        *(steps_up[slider] > 0 for slider in AIMS),
    ),
    own=together(*(exceeds(span(beyond[slider])) for slider in AIMS)),
    decibel=together(*(reaches(span(rise[slider]), 1) for slider in AIMS)),
    alone=all((across[slider] <= rise[slider] / 3).all() for slider in AIMS),
    sum=((both - apart).abs() <= 0.3 * both.abs()).all(),
    half=gain.min() > 0,
)

# %% [markdown]
# ## What we have seen
#
# - **Each slider** moves {glue:text}`adjust_filters` filters. Over {glue:text}`adjust_seeds` training seeds, deblurring from
#   0 to 1 changes the PSNR of blurry pictures by {glue:text}`adjust_deblurring:.1f` dB; denoising moves it by
#   {glue:text}`adjust_deblurring_across:.1f` dB. Denoising changes that of noisy pictures by
#   {glue:text}`adjust_denoising:.1f` dB; deblurring moves it by {glue:text}`adjust_denoising_across:.1f` dB.
# - **Steadiness.** The smallest rank correlation of strength and PSNR over the seeds is
#   {glue:text}`adjust_deblurring_steady:.2f` for deblurring and {glue:text}`adjust_denoising_steady:.2f` for denoising (1: it
#   rises at every step).
# - **Together.** On pictures that are blurry and noisy, both sliders together change {glue:text}`adjust_both:.1f` dB, and
#   the sum of each alone is {glue:text}`adjust_apart:.1f` dB.
# - **Half the noise.** The best tested strength is {glue:text}`adjust_best:.2f` on average. The best one below 1 gains
#   {glue:text}`adjust_gain:+.2f` dB over 1.
#
# ## Exercises
#
# 1. With `fraction = 100` both sliders move the same filters, all of them. What does the setting (0, 1) restore like?
# 2. Why do the effects of two sliders not add up exactly on mixed pictures?
#
# ```{dropdown} Answers
# 1. Like the baseline. The sliders are applied one after the other, so their strengths multiply: 0 · 1 = 0. Two sliders
#    need disjoint sets.
# 2. The network is not linear in its weights, and PSNR is a logarithm: removing noise from a picture that stays blurry
#    gains fewer dB than removing it from one that gets sharp.
# ```
#
# ## Try it yourself
#
# - Strengths beyond 1 exaggerate: `strengths = [0, 0.5, 1, 1.5, 2]`.
# - Your own pair of networks: `srlab faig --network … --baseline a.safetensors --target b.safetensors`.
