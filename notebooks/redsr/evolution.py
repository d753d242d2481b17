# %% [markdown]
# (finding-code-evolution)=
# # Do codes separate by degradation as training goes on?
#
# *6 minutes. You learn what a code holds before, during and after training. Read {doc}`redegradation` first.*
#
# ## The claim
#
# At first a {term}`code` says little about the degradation; with every epoch of {term}`re-degradation` (RD) the codes of one
# blur draw together and those of different blurs separate ({cite:t}`liu2024preserving`, Sec. 4.2.2 (4), Fig. 5; a figure, no
# numbers). The paper credits the {term}`energy distance` (ED).
#
# **Why it matters:** blurry pictures have small gradients, which even a random convolution notices. Clusters are evidence only
# if they *come* with the training, and more of them than with a training that asks for sharp pictures alone.

# %% tags=["parameters", "hide-cell"] quick={"num_windows": 12, "code_widths": [0.5, 2.3, 4.1], "steps": [500], "training_seeds": [0], "perplexity": 10}
image_set = "photographs"  # never trained on, unless train = True (see below)
num_windows = 30  # contents of size × size HR pixels, each blurred by every width
size = 192  # an LR window of 48 pixels, as in training
code_widths = [0.5, 1.4, 2.3, 3.2, 4.1, 5.0]  # σ in HR pixels, as in Fig. 5; training ended at 4.0
steps = [250, 500, 1000, 2500]  # snapshots between the untrained network and the last step
training_seeds = [0, 1, 2]  # of the networks compared at their ends
perplexity = 30
train = False  # True: train both networks here and watch them, some fifteen minutes on one core
live_steps = 1000  # length of the live runs
live_windows = 10  # of the right halves, which the live runs do not see
device = "auto"

# %% tags=["hide-cell"]
from dataclasses import replace

import numpy as np
import pandas as pd
from IPython.display import Markdown, display

from srlab.checkpoints.files import read_provenance
from srlab.data.datasets import load_images
from srlab.degradations.windows import windows
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.dots import interval_dots
from srlab.figures.embeddings import animated_grid, embedding_grid
from srlab.representation.embedding import align, embed, separability_interval
from srlab.statistics import rank_correlation
from srlab.studies.networks import obtainable, shipped_steps
from srlab.studies.redsr.blurs import blurs
from srlab.studies.redsr.clouds import labels
from srlab.studies.redsr.codes import (
    code_separation,
    codes_of,
    gathering,
    prior_distance,
)
from srlab.studies.redsr.histories import training_curves
from srlab.studies.redsr.intervals import gain, rise_interval, trainings_interval
from srlab.studies.study import Study, exceeds
from srlab.training.initial import initial_model
from srlab.training.recipes import recipe, seed_names

study = Study(
    "redsr/evolution",
    claim="Codes gather by degradation along the training of re-degradation",
    source="ReDSR, Sec. 4.2.2 (4), Fig. 5",
    claims={
        "gathers": "codes gather by width more at the end of training than before it",
        "gradually": "they do so step by step: purity rises with the step, in rank correlation",
        "helps": "with the energy distance (4) they gather more than without it (2), at the end",
    },
    controls={
        "end": "at the end R² ≥ 0.5, and purity at least twice chance",
        "control": "codes gather more than in the network without a loss on the code (1), at the end",
        "chi": "CHI grows at least threefold",
    },
    says={
        "gathers": "Sec. 4.2.2 (4): “During the training phase, ED loss helps the encoder to gradually distinguish different degradations (Fig. 5)”",
        "gradually": "Sec. 4.2.2 (4): “… to gradually distinguish different degradations”",
        "helps": "Sec. 4.2.2 (4): “ED loss helps the encoder …”",
    },
    image_set=f"{image_set}, right halves" if train else image_set,
    device=pick_device(device),
    train=train,
)

FOLLOWED, CONTROL = "ReDSR", "no loss on the code"
NETWORKS = {FOLLOWED: "redsr-8", CONTROL: "redsr-1"}
kinds = blurs(code_widths)
pictures = load_images(image_set)
halves = {title: image.chunk(2, dim=2) for title, image in pictures.items()}
if train:
    pictures, num_windows = {title: right for title, (_, right) in halves.items()}, live_windows
seen = windows(pictures, kinds, count=num_windows, size=size).to(study.device)
sigmas, groups = np.repeat(code_widths, num_windows), np.tile(range(num_windows), len(kinds))
written = labels(seen)


def shipped(kind):
    """{step: codes}, and the curves of the training."""
    untrained = initial_model(recipe(NETWORKS[kind])).to(study.device).eval()
    codes = {0: codes_of(untrained, seen.stacked)}
    for step, file in shipped_steps(NETWORKS[kind], steps).items():
        codes[step] = codes_of(study.network(file), seen.stacked)
    return codes, read_provenance(NETWORKS[kind]).history


def trained_live(kind):
    """The same of a short run, watched."""
    from srlab.training.fit import fit  # loads what takes seconds, and only training needs

    marks = tuple(max(1, round(live_steps * share)) for share in (0.06, 0.12, 0.25, 0.45, 0.65))
    short = replace(
        recipe(NETWORKS[kind]), steps=live_steps, snapshots=marks, prior_rise=live_steps // 2
    )
    codes = {0: codes_of(initial_model(short).to(study.device).eval(), seen.stacked)}
    screen = display(Markdown(f"{kind}: training …"), display_id=True)

    def watch(step, model):
        codes[step] = codes_of(model, seen.stacked)
        panel = {("", f"{kind}, step {step}"): embed(codes[step], method="pca")}
        screen.update(embedding_grid(panel, **written))

    left = {title: left for title, (left, _) in halves.items()}
    run = fit(short, images=left, validation=pictures, device=study.device.type, watch=watch)
    return codes, run.history


runs = {kind: trained_live(kind) if train else shipped(kind) for kind in NETWORKS}
codes = {kind: own for kind, (own, _) in runs.items()}

scores = pd.DataFrame(
    {"network": kind, "step": step, "distance": prior_distance(own, "gaussian")}
    | code_separation(own, seen, sigmas)._asdict()
    | dict(zip(("low", "high"), separability_interval(own, seen.kind_labels, groups), strict=True))
    for kind, run in codes.items()
    for step, own in run.items()
).set_index("step")
along = dict(iter(scores.groupby("network", sort=False)))  # {network: a row for each step}
gathered = {  # {network: (steps, pictures)}
    kind: np.stack([gathering(own, seen) for own in run.values()]) for kind, run in codes.items()
}

ENDS = {FOLLOWED: "redsr-8", "RD + ED": "redsr-4", "RD": "redsr-2", CONTROL: "redsr-1"}
wanted = {} if train else {title: seed_names(name, training_seeds) for title, name in ENDS.items()}
ends = {  # {title: (seeds, pictures)}
    title: np.stack([gathering(codes_of(study.network(file), seen.stacked), seen) for file in own])
    for title, own in wanted.items()
    for own in [obtainable(own)]
}

# %% [markdown]
# ## Watch it happen
#
# Press play, or move the slider. Each dot stays the same window throughout.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The codes as training goes on (t-SNE of each snapshot, rotated to match its successor). Colour: σ of the blur; symbol: picture; point at a dot to see its window. In each panel: the step of its snapshot, R² of σ and the Caliński–Harabasz index (CHI) of the codes; a network without a snapshot at a step keeps its last. When do the colours begin to follow one another, and do they in the right panel?", "name": "fig-code-evolution-animated"}}
frames, notes, drawn = {}, {}, {}
for kind, run in codes.items():
    successor = None
    for step in reversed(run):
        flat = embed(run[step], perplexity=perplexity)
        drawn[kind, step] = successor = flat if successor is None else align(flat, successor)
for moment in sorted(set().union(*codes.values())):
    last = {kind: max(step for step in run if step <= moment) for kind, run in codes.items()}
    frames[str(moment)] = {("", kind): drawn[kind, step] for kind, step in last.items()}
    notes[str(moment)] = {
        ("", kind): f"step {step}: R² {own.probe:.2f}, CHI {own.chi:.1f}"
        for kind, step in last.items()
        for own in [along[kind].loc[step]]
    }
animated_grid(frames, **written, notes=notes, slider_title="training step")

# %% [markdown]
# ## What we run, and what differs from the paper
#
# What is judged: of the ten nearest codes of *other* pictures, the share with the same width ({term}`neighbour purity`; chance
# is one in six). Intervals of 95 % are bootstrapped over photographs, and over trainings where there are several. Beside it
# stand R² of σ by a {term}`linear probe` and the {term}`Caliński–Harabasz index` (CHI).
#
# :::{dropdown} What differs from the paper
# | | paper | here |
# |---|---|---|
# | followed | ReDSR: RD, ED, modulated loss | the same, narrow ({doc}`redegradation`, model 8); the prior's weight rises over the first 2 000 steps |
# | without ED | – | at the end only: model 4 (RD and ED) beside model 2 (RD), three trainings each; their snapshots do not ship |
# | control | – | the same network with no loss on the code (model 1) |
# | training | 1000 epochs | 4 000 steps of 8 pairs of crops, some 2 % of the paper's; four snapshots of one training ship; of model 1 its end alone |
# | with more training | – | the question of this page; {doc}`redegradation` shows a training of its own of 20 000 steps |
# | live run (`train = True`) | – | 1 000 steps on the **left halves** of six photographs, judged on the right halves |
# | measure | t-SNE, by eye | t-SNE, and measures of the codes themselves |
# :::

# %% tags=["remove-input"]
study

# %% [markdown]
# ## Measured along training

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "What the codes tell, along training: R² of σ, neighbour purity, CHI (bands: 95 % bootstrap over windows), and the energy distance of the codes to the Gaussian prior. The left end is a random encoder. Which curves rise, and does the network without a loss on the code rise with them?", "name": "fig-code-evolution"}}
VIEWS = {
    "probe": "R² of σ",
    "purity": "neighbour purity",
    "chi": "CHI",
    "distance": "energy distance",
}
stacked_curves(
    {kind: rows.index for kind, rows in along.items()},
    {title: {kind: rows[view] for kind, rows in along.items()} for view, title in VIEWS.items()},
    bands={"CHI": {kind: (rows.low, rows.high) for kind, rows in along.items()}},
    x_title="training step",
    log_y=["CHI"],
)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The training meanwhile: PSNR of the photographs reduced without blur, and the losses before their weights (of one batch each, hence noisy). Does re-degradation fall when the codes separate?", "name": "fig-code-evolution-losses"}}
history = {kind: rows for kind, (_, rows) in runs.items()}
training_curves(history)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Neighbour purity at the end of training; a dot for each training, larger: the mean; dashed: chance. Is re-degradation with ED above re-degradation alone?", "name": "fig-code-evolution-ends"}}
chance = 1 / len(code_widths)
shares = {title: own.mean(axis=1) for title, own in (ends or gathered).items()}
interval_dots(shares, x_title="neighbour purity", reference=chance)

# %% [markdown]
# ## Verdict

# %% tags=["hide-cell"]
own, control = along[FOLLOWED], along[CONTROL]
first, last = own.iloc[0], own.iloc[-1]
course = gathered[FOLLOWED]
rise = rise_interval(course, own.index)


def above(one, other):
    """None where the run is live."""
    return exceeds(trainings_interval(gain(ends[one], ends[other]))) if ends else None


outcomes = {
    "gathers": exceeds(trainings_interval(course[-1:] - course[:1])),
    "gradually": exceeds(rise),
    "helps": above("RD + ED", "RD"),
    "end": last.probe >= 0.5 and last.purity >= 2 * chance,
    "control": above(FOLLOWED, CONTROL),
    "chi": last.chi / first.chi >= 3,
}
half = own.index[own.probe >= 0.5]
study.glue(
    codes_half=f"step {half[0]}" if len(half) else "no snapshot",
    codes_rho=rank_correlation(own.index, own.purity),
    codes_pictures=course.shape[1],
    codes_chance=chance,
)
WHEN = {"untrained": ("first", 0), "at the end": ("last", -1)}
for word, at in WHEN.values():
    study.glue(**{f"codes_control_{word}": control.purity.iloc[at]})
    study.glue(**{f"codes_psnr_{word}": runs[FOLLOWED][1][at]["psnr"]})
for title, values in {"ed": "RD + ED", "rd": "RD"}.items():
    study.glue(**{f"codes_with_{title}": f"{ends[values].mean():.2f}" if ends else "(not here)"})

# %% tags=["hide-input"] mystnb={"figure": {"caption": "All measures of this run. Spread: 95 % bootstrap interval over pictures, and over trainings where there are several.", "name": "fig-code-evolution-verdict"}}
PAPER = {"untrained": "mixed", "at the end": "clusters"}
for kind, rows in along.items():
    for when, (word, at) in WHEN.items():
        ours = kind == FOLLOWED
        limits = {
            "purity": trainings_interval(gathered[kind][[at]]),
            "chi": (rows.low.iloc[at], rows.high.iloc[at]),
        }
        for view, title in VIEWS.items():
            study.measure(
                f"{title} {when}, {kind}",
                rows[view].iloc[at],
                interval=limits.get(view),
                paper=PAPER[when] if ours and view == "purity" else "",
                glue=f"codes_{view}_{word}" if ours else "",
                headline=ours and view == "purity" and when == "at the end",
            )
study.measure(
    "Spearman ρ of purity and step", rank_correlation(own.index, own.purity), interval=rise
)
for title, values in ends.items():
    name = f"neighbour purity of all trainings, {title}"
    study.measure(name, values, interval=trainings_interval)
study.measure("growth of CHI, times", last.chi / first.chi, glue="codes_growth")
study.verdict(**outcomes, notes={"steps seen": [*own.index]})

# %% [markdown]
# ## What we have seen
#
# - **Purity.** Of ten nearest codes of other pictures {glue:text}`codes_purity_first:.2f` have the same width before training
#   and {glue:text}`codes_purity_last:.2f` after it (chance {glue:text}`codes_chance:.2f`; {glue:text}`codes_pictures` pictures).
#   The rank correlation with the step is {glue:text}`codes_rho:.2f`.
# - **Probe and CHI.** R² of σ goes from {glue:text}`codes_probe_first:.2f` to {glue:text}`codes_probe_last:.2f`, CHI from
#   {glue:text}`codes_chi_first:.2f` to {glue:text}`codes_chi_last:.1f` ({glue:text}`codes_growth:.0f` times). The first snapshot
#   with an R² of 0.5: {glue:text}`codes_half`.
# - **ED.** At the end the purity is {glue:text}`codes_with_ed` with ED and {glue:text}`codes_with_rd` without, in the mean over
#   trainings. {doc}`bounded_space` asks what the prior does to the codes.
# - **No loss on the code.** There the purity goes from {glue:text}`codes_control_first:.2f` to
#   {glue:text}`codes_control_last:.2f`. What that network learns about blur, it learns because knowing it helps to restore.
# - **Prior and PSNR.** The codes' energy distance to the Gaussian goes from {glue:text}`codes_distance_first:.2f` to
#   {glue:text}`codes_distance_last:.2f`, PSNR from {glue:text}`codes_psnr_first:.2f` to {glue:text}`codes_psnr_last:.2f` dB.
#
# ## Exercises
#
# 1. Why must neighbours come from *other* pictures?
# 2. How could an encoder with random weights reach an R² of σ above 0?
#
# ```{dropdown} Answers
# 1. Codes of one picture under similar blurs lie close together if the code holds content. Counting them would reward a code of
#    the content.
# 2. Random filters followed by a mean measure the strength of gradients, which falls with the width of the blur.
# ```
#
# ## Try it yourself
#
# - Train both here: `train = True`. Six half photographs are little to learn from; how far does it go?
# - Other losses: `NETWORKS = {FOLLOWED: "redsr-4", CONTROL: "redsr-2"}` with `train = True`.
# - `code_widths = [0.2, 0.4, 0.6, 0.8]`: which blurs stay together longest?
# - Other pictures: `image_set = "urban100-30"`.
