# %% [markdown]
# (finding-adjustable-restoration)=
# # Two sliders: filters that were found can be turned up and down
#
# ## The claim
#
# A blind network restores as it sees fit; nobody can ask it for a little less denoising.
# {cite:t}`xie2021finding` name this among their contributions, as a use of the filters that FAIG finds: move
# the deblurring filters between the values before and after fine-tuning, and leave the rest alone, and
# the strength of deblurring should follow; the same for denoising. They give no numbers.
#
# Why it matters: it would be control without training, the step from *seeing* what filters do to
# *using* it.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"num_find": 2, "num_test": 1, "size": 64, "training_seeds": [0], "strengths": [0, 0.5, 1], "steps": 2}
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

# %% [markdown]
# ## What we run, and what differs from the paper
#
# The networks are those of {doc}`/book/findings/faig/masking`, where their differences from the paper
# are listed. FAIG's highest-ranked filters for deblurring and for denoising are moved on the straight
# line between baseline and target, each set by a strength of its own. All other weights stay the
# target's. The paper has no measurement to compare with, so the test is ours.
#
# A slider is worth its name if it moves what it says, smoothly, and nothing else; and if there is
# something to gain by moving it. The gain we look for: pictures with **half** the noise that the
# network was trained for. A network that knows one strength of noise should smooth them too much.
#
# :::{admonition} Criterion, set before the experiment
# :class: important
# **In every training seed**: (1) the PSNR on blurry pictures rises with every step of the deblurring
# strength, and that on noisy pictures with every step of the denoising strength, by at least 1 dB in
# all; (2) the other slider moves the same PSNR by at most a third as much; (3) on pictures that are
# blurry *and* noisy the two sliders add up: both together change the PSNR by what they change it by
# alone, within 30 %; (4) for noise of half the strength some denoising strength below 1 is better
# than 1.
# :::

# %% tags=["hide-cell"]
from dataclasses import replace
from itertools import product

import numpy as np
from myst_nb import glue

from srlab.attribution.faig import (
    filter_attribution,
    filter_count,
    filters_by_degradation,
    masked_weights,
)
from srlab.data.datasets import load_images
from srlab.data.examples import examples
from srlab.data.subjects import separate
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
from srlab.studies.networks import tuned
from srlab.studies.parameters import check_parameters
from srlab.studies.study import Finding, record, span

check_parameters()
device = pick_device(device)
finding = Finding(
    name="faig/adjustable_restoration",
    claim="Filters found by FAIG are sliders for deblurring and denoising",
    source="FAIG, second contribution (a use that the authors name without measuring it)",
    criterion=(
        "In every seed each strength raises its PSNR step by step by 1 dB at least, the other "
        "moves it by a third at most, both add up within 30 %, and for half the noise a strength "
        "below 1 is best."
    ),
)

# %% [markdown]
# ## Experiment

# %%
MIXED = {
    "blurry": KINDS["blur"],
    "noisy": KINDS["noise"],
    "blurry and noisy": replace(KINDS["blur"], noise_sigma=KINDS["noise"].noise_sigma),
    "half as noisy": replace(KINDS["noise"], noise_sigma=KINDS["noise"].noise_sigma / 2),
}
for_finding, for_judging = separate(load_images(image_set))
learned = {kind: KINDS[kind] for kind in ("blur", "noise")}
found = examples(for_finding, learned, count=num_find, size=size).to(device)
judged = examples(for_judging, MIXED, count=num_test, size=size).to(device)

pairs = tuned("faig-target", training_seeds, train=train, device=device)
model = pairs[0].model


def ranked(pair):
    """{"blur": masks, "noise": masks} of the filters found for each."""
    scores = {
        kind: filter_attribution(
            pair.model, pair.baseline, pair.target, lr, found.hr, steps=steps
        ).scores()
        for kind, lr in found.lr.items()
    }
    return filters_by_degradation(scores, fraction / 100)


masks = [ranked(pair) for pair in pairs]


def adjusted(seed, deblurring, denoising):
    """The target's weights with its two sets of filters at these strengths."""
    pair, own = pairs[seed], masks[seed]
    weights = masked_weights(pair.target, pair.baseline, own["blur"], strength=1 - deblurring)
    return masked_weights(weights, pair.baseline, own["noise"], strength=1 - denoising)


quality = {
    (seed, *pair): {
        kind: values.mean()
        for kind, values in restored_psnr(model, adjusted(seed, *pair), judged).items()
    }
    for seed in range(len(pairs))
    for pair in product(strengths, strengths)
}


def grid(seed, kind):
    """PSNR (deblurring, denoising) in dB."""
    return np.array([[quality[seed, a, b][kind] for b in strengths] for a in strengths])


# %% [markdown]
# ## What the sliders do
#
# One picture that is blurry and noisy at once. Down, deblurring is turned up; to the right, denoising.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One window, blurry and noisy, at three strengths of each slider (training seed 0). Look along the rows for the noise and down the columns for the edges.", "name": "fig-adjust-window"}}
ends = [strengths[0], strengths[len(strengths) // 2], strengths[-1]]
window = judged.lr["blurry and noisy"][:1]
panels, notes = {}, {}
for deblurring, denoising in product(ends, ends):
    sr = restored(model, adjusted(0, deblurring, denoising), window)
    key = f"deblurring {deblurring:g}", f"denoising {denoising:g}"
    panels[key] = image_to_array(sr[0])
    notes[key] = f"{psnr(sr, judged.hr[:1], border=2).item():.1f} dB"
picture_grid(panels, notes=notes)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "PSNR at all strengths (dB, mean over windows and training seeds), for blurry, noisy, mixed and half as noisy pictures. If the sliders do what they say, the first table changes downwards alone and the second to the right alone.", "name": "fig-adjust-grid"}}
names = [f"{strength:g}" for strength in strengths]
mean_grid = {
    kind: np.mean([grid(seed, kind) for seed in range(len(pairs))], axis=0) for kind in MIXED
}
matrix_grid(
    {("", kind): Matrix(values, names, names) for kind, values in mean_grid.items()},
    colour_title="dB",
    axis_titles=("deblurring", "denoising"),
)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Each slider alone, with the other at 1: PSNR on its own degradation and on the other; mean over training seeds, bands from lowest to highest.", "name": "fig-adjust-curves"}}
own = {"deblurring": "blurry", "denoising": "noisy"}


def moved(seed, slider, kind):
    """PSNR along one slider, the other at its end."""
    return grid(seed, kind)[:, -1] if slider == "deblurring" else grid(seed, kind)[-1]


lines = {
    f"PSNR, {kind}": {
        f"{slider} turned up": np.array([moved(s, slider, kind) for s in range(len(pairs))])
        for slider in own
    }
    for kind in own.values()
}
stacked_curves(
    strengths,
    {title: {n: v.mean(axis=0) for n, v in rows.items()} for title, rows in lines.items()},
    bands={
        title: {n: (v.min(axis=0), v.max(axis=0)) for n, v in rows.items()}
        for title, rows in lines.items()
    },
    x_title="strength",
)

# %% [markdown]
# ## Explore
#
# Set both strengths. Past 1 the filters go further than training took them. Which input wants which
# setting? What does deblurring do to noise that was left in?

# %% tags=["hide-input"]
SHOWN = ["blurry", "noisy", "blurry and noisy", "half as noisy"]
offered = [f"{value:g}" for value in np.arange(-0.5, 2.01, 0.125)]


def look(setting):
    deblurring, denoising, kind = setting
    weights = adjusted(0, float(deblurring), float(denoising))
    lr, hr = judged.lr[kind][:1], judged.hr[:1]
    sr = restored(model, weights, lr)
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
    axes={axis: sorted({*offered, *stops}, key=float) for axis in own},
    start=("1", "1", "blurry and noisy"),
    units={"PSNR": "dB"},
    chart=Chart("PSNR", along="deblurring", lines="input"),
    compute=look,
)
explorer

# %% [markdown]
# ## Verdict

# %%
seeds = range(len(pairs))
rise = {
    slider: np.array([np.diff(moved(seed, slider, kind)[[0, -1]])[0] for seed in seeds])
    for slider, kind in own.items()
}
steady = {
    slider: min(rank_correlation(strengths, moved(seed, slider, kind)) for seed in seeds)
    for slider, kind in own.items()
}
across = {  # what the other slider does to the same PSNR
    slider: np.array(
        [
            np.ptp(moved(seed, next(other for other in own if other != slider), kind))
            for seed in seeds
        ]
    )
    for slider, kind in own.items()
}
both = np.array([g[-1, -1] - g[0, 0] for g in (grid(s, "blurry and noisy") for s in seeds)])
apart = np.array(
    [g[-1, 0] + g[0, -1] - 2 * g[0, 0] for g in (grid(s, "blurry and noisy") for s in seeds)]
)
half = np.array([moved(seed, "denoising", "half as noisy") for seed in seeds])
gain = half[:, :-1].max(axis=1) - half[:, -1]
best = [strengths[int(row.argmax())] for row in half]

# %% tags=["remove-cell"]
glue("adjust_seeds", len(pairs), display=False)
glue("adjust_filters", filter_count(masks[0]["blur"]), display=False)
for slider in own:
    glue(f"adjust_{slider}", float(rise[slider].mean()), display=False)
    glue(f"adjust_{slider}_across", float(across[slider].mean()), display=False)
    glue(f"adjust_{slider}_steady", float(steady[slider]), display=False)
glue("adjust_both", float(both.mean()), display=False)
glue("adjust_apart", float(apart.mean()), display=False)
glue("adjust_gain", float(gain.mean()), display=False)
glue("adjust_best", float(np.mean(best)), display=False)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: lowest to highest over training seeds.", "name": "fig-adjust-verdict"}}
record(
    finding,
    checks={
        "each strength raises its own PSNR at every step, by 1 dB or more, every seed": all(
            steady[slider] > 1 - 1e-9 and rise[slider].min() >= 1 for slider in own
        ),
        "the other slider moves the same PSNR by a third at most, every seed": all(
            (across[slider] <= rise[slider] / 3).all() for slider in own
        ),
        "on mixed pictures the sliders add up within 30 %, every seed": bool(
            (np.abs(both - apart) <= 0.3 * np.abs(both)).all()
        ),
        "for half the noise a denoising strength below 1 is best, every seed": gain.min() > 0,
    },
    measured={
        **{f"dB by {slider} on {kind}": rise[slider].mean() for slider, kind in own.items()},
        **{f"dB by the other on {kind}": across[slider].mean() for slider, kind in own.items()},
        **{f"smallest rank correlation, {slider}": steady[slider] for slider in own},
        "dB by both on mixed": both.mean(),
        "sum of each alone on mixed": apart.mean(),
        "dB gained for half the noise": gain.mean(),
        "best denoising strength for half the noise": np.mean(best),
    },
    interval={
        **{f"dB by {slider} on {kind}": span(rise[slider]) for slider, kind in own.items()},
        **{f"dB by the other on {kind}": span(across[slider]) for slider, kind in own.items()},
        "dB by both on mixed": span(both),
        "sum of each alone on mixed": span(apart),
        "dB gained for half the noise": span(gain),
        "best denoising strength for half the noise": span(best),
    },
    paper={f"dB by {slider} on {kind}": "named, not measured" for slider, kind in own.items()},
    image_set=image_set,
    parameters={
        "num_find": num_find,
        "num_test": num_test,
        "size": size,
        "fraction": fraction,
        "steps": steps,
    },
    checkpoints=[] if train else [name for pair in pairs for name in (pair.start, pair.name)],
)

# %% [markdown]
# ## What we have seen
#
# - Each slider moves {glue:text}`adjust_filters` filters. Over {glue:text}`adjust_seeds` training seeds,
#   deblurring turned from 0 to 1 changes the PSNR of blurry pictures by
#   {glue:text}`adjust_deblurring:.1f` dB, while denoising moves it by
#   {glue:text}`adjust_deblurring_across:.1f` dB. Denoising changes that of noisy pictures by
#   {glue:text}`adjust_denoising:.1f` dB, deblurring moves it by
#   {glue:text}`adjust_denoising_across:.1f` dB.
# - How steadily: the smallest rank correlation of strength and PSNR over the seeds is
#   {glue:text}`adjust_deblurring_steady:.2f` for deblurring and
#   {glue:text}`adjust_denoising_steady:.2f` for denoising (1 rises at every step).
# - On pictures that are blurry and noisy, both together change {glue:text}`adjust_both:.1f` dB; each
#   alone sums to {glue:text}`adjust_apart:.1f` dB.
# - For half the noise the best of the tested strengths is {glue:text}`adjust_best:.2f` on average, and the
#   best one below 1 is {glue:text}`adjust_gain:.2f` dB ahead of 1 (behind it, if negative).
#
# ## Try it yourself
#
# - Set `fraction = 100`: one knob for everything, plain interpolation between two networks. What is
#   lost against two sliders?
# - Strengths beyond 1 exaggerate: set `strengths = [0, 0.5, 1, 1.5, 2]`.
# - Your own pair of networks: `srlab faig --network … --baseline a.safetensors --target b.safetensors`.
