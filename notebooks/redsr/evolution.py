# %% [markdown]
# (finding-code-evolution)=
# # Codes gather by degradation while the network learns to repeat it
#
# ## The claim
#
# At first a {term}`code` says little about the degradation; with every epoch of {term}`re-degradation`
# the codes of one blur draw together and those of different blurs part ({cite:t}`liu2024preserving`,
# Fig. 5).
#
# | along the training of ReDSR | codes of six widths of blur |
# |---|---|
# | reported by the paper | mixed at first, then more and more compact clusters |
#
# Why it matters: blurry pictures have small gradients, and even a random convolution notices that.
# Clusters are only worth something if they *come* with the training, and more of them with this
# training than with one that asks for sharp pictures alone. And whoever trains such a network wants to
# know how long to wait until the code says anything.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"num_windows": 12, "code_widths": [0.5, 2.3, 4.1], "steps": [500], "perplexity": 10}
image_set = "photographs"  # never trained on, unless train = True (see below)
num_windows = 30  # contents of size × size HR pixels, each blurred by every width
size = 192  # an LR window of 48 pixels, as in training
code_widths = [0.5, 1.4, 2.3, 3.2, 4.1, 5.0]  # σ in HR pixels, as in Fig. 5; training ended at 4.0
steps = [250, 500, 1000, 1750, 2500]  # snapshots between the untrained network and the last step
perplexity = 30
train = False  # True: train both networks here and watch them, some fifteen minutes on one core
live_steps = 1000  # length of the live runs
live_windows = 10  # of the right halves, which the live runs do not see
device = "auto"

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | followed | ReDSR: re-degradation (RD), {term}`energy distance` (ED), modulated loss | the same, narrow ({doc}`/book/findings/redsr/redegradation`, model 8) |
# | control | – | the same network with no loss on the code (model 1) |
# | training | 1000 epochs | 4 000 steps of 8 crops; snapshots shipped |
# | live run (`train = True`) | – | 1 000 steps on the **left halves** of six photographs, judged on the right halves |
# | measure | t-SNE, looked at | t-SNE, and three numbers of the codes themselves |
#
# The numbers: R² of σ by a {term}`linear probe`, {term}`neighbour purity` among other pictures, and the
# {term}`Caliński–Harabasz index` (CHI). The prior's weight rises over the first 2 000 steps, so its pull
# comes when the code already says something.

# %% tags=["hide-input"]
from dataclasses import replace

import numpy as np
import pandas as pd
from IPython.display import Markdown, display

from srlab.checkpoints.files import load_checkpoint
from srlab.data.datasets import load_images
from srlab.degradations.windows import windows
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.embeddings import animated_grid, embedding_grid
from srlab.representation.embedding import align, embed, separability_interval
from srlab.statistics import rank_correlation
from srlab.studies.networks import obtainable
from srlab.studies.redsr.blurs import blurs
from srlab.studies.redsr.clouds import labels
from srlab.studies.redsr.codes import code_separation, codes_of, prior_distance, stacked
from srlab.studies.redsr.histories import training_curves
from srlab.studies.study import Study
from srlab.training.initial import initial_model
from srlab.training.recipes import recipe

study = Study(
    "redsr/evolution",
    claim="Codes gather by degradation along the training of re-degradation",
    source="ReDSR, Fig. 5",
    claims={
        "end": "at the end R² ≥ 0.5, and purity at least twice chance",
        "rises": "CHI rises along training (Spearman ≥ 0.8)",
        "grows": "CHI grows at least threefold",
        "control": "CHI ends above the network without a loss on the code",
    },
    image_set=f"{image_set}, right halves" if train else image_set,
    device=pick_device(device),
    train=train,
)
study

# %% [markdown]
# ## The windows, and the networks at several moments of their training
#
# Either the shipped snapshots, or – this is the switch – two networks that are trained right here: at
# each snapshot `watch` is called with the network, reads the codes off, and redraws them below the
# progress bar.

# %%
FOLLOWED, CONTROL = "RD + ED", "no loss on the code"
NETWORKS = {FOLLOWED: "redsr-8", CONTROL: "redsr-1"}
kinds = blurs(code_widths)
pictures = load_images(image_set)
halves = {title: image.chunk(2, dim=2) for title, image in pictures.items()}
if train:
    pictures, num_windows = {title: right for title, (_, right) in halves.items()}, live_windows
seen = stacked(windows(pictures, kinds, count=num_windows, size=size).to(study.device))
sigmas, groups = np.repeat(code_widths, num_windows), np.tile(range(num_windows), len(kinds))
written = labels(seen)
files = {kind: [*(f"{name}@{step}" for step in steps), name] for kind, name in NETWORKS.items()}
here = [] if train else obtainable([file for own in files.values() for file in own])


def shipped(kind):
    """{step: codes}, and the curves of the training."""
    untrained = initial_model(recipe(NETWORKS[kind])).to(study.device).eval()
    codes, history = {0: codes_of(untrained, seen.lr)}, []
    for file in files[kind]:
        if file in here:
            model, provenance = load_checkpoint(file)
            codes[provenance.step] = codes_of(model.to(study.device), seen.lr)
            history = provenance.history
    return codes, history


def trained_live(kind):
    """The same of a short run, watched."""
    from srlab.training.fit import fit  # loads what takes seconds, and only training needs

    marks = tuple(max(1, round(live_steps * share)) for share in (0.06, 0.12, 0.25, 0.45, 0.65))
    short = replace(
        recipe(NETWORKS[kind]), steps=live_steps, snapshots=marks, prior_rise=live_steps // 2
    )
    codes = {0: codes_of(initial_model(short).to(study.device).eval(), seen.lr)}
    screen = display(Markdown(f"{kind}: training …"), display_id=True)

    def watch(step, model):
        codes[step] = codes_of(model, seen.lr)
        panel = {("", f"{kind}, step {step}"): embed(codes[step], method="pca")}
        screen.update(embedding_grid(panel, **written))

    left = {title: left for title, (left, _) in halves.items()}
    run = fit(short, images=left, validation=pictures, device=study.device.type, watch=watch)
    return codes, run.history


followed = [kind for kind, name in NETWORKS.items() if train or name in here]
runs = {kind: trained_live(kind) if train else shipped(kind) for kind in followed}
codes = {kind: own for kind, (own, _) in runs.items()}
missing = [] if train else [f for kind in NETWORKS for f in files[kind] if f not in here]

# %% [markdown]
# ## Experiment
#
# The same windows for every snapshot.

# %%
scores = pd.DataFrame(
    {"network": kind, "step": step, "distance": prior_distance(own, "gaussian")}
    | code_separation(own, seen.kinds, sigmas, seen.pictures)._asdict()
    | dict(zip(("low", "high"), separability_interval(own, seen.kinds, groups), strict=True))
    for kind, run in codes.items()
    for step, own in run.items()
).set_index("step")
along = dict(iter(scores.groupby("network", sort=False)))  # {network: a row for each step}

# %% [markdown]
# ## Watch it happen
#
# Press play, or move the slider. Each dot stays the same window throughout.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The codes as training goes on (t-SNE of each snapshot, turned to fit its successor). Colour: σ of the blur; symbol: picture; point at a dot to see its window. In each panel the step of its snapshot, R² of σ and CHI of the codes; a network that has none at a step keeps its last. Watch when the colours begin to follow one another, and whether they do on the right.", "name": "fig-code-evolution-animated"}}
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
# ## On one time axis

# %% tags=["hide-input"] mystnb={"figure": {"caption": "What the codes tell, along training: R² of σ, neighbour purity, CHI (bands: 95 % bootstrap over windows), and the energy distance of the codes to the Gaussian prior. Compare the two lines where they start: that much a random encoder knows.", "name": "fig-code-evolution"}}
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

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The training meanwhile: PSNR of the photographs reduced without blur, and the losses before their weights (of one batch each, hence noisy). Does re-degradation fall when the codes part?", "name": "fig-code-evolution-losses"}}
history = {kind: rows for kind, (_, rows) in runs.items()}
training_curves(history)

# %% [markdown]
# ## Verdict

# %%
own, control = along[FOLLOWED], along.get(CONTROL)
first, last = own.iloc[0], own.iloc[-1]
rho = rank_correlation(own.index, own.chi) if len(own) >= 3 else None
outcomes = {  # None: left open, for want of networks
    "end": last.probe >= 0.5 and last.purity >= 2 / len(code_widths),
    "rises": None if rho is None else rho >= 0.8,
    "grows": last.chi / first.chi >= 3,
    "control": None if control is None else last.chi > control.chi.iloc[-1],
}
unjudged = "; ".join(study.claims[key] for key, held in outcomes.items() if held is None) or "none"
half = own.index[own.probe >= 0.5]
study.glue(
    codes_half=f"step {half[0]}" if len(half) else "no snapshot",
    codes_rho="none" if rho is None else f"{rho:.2f}",
    codes_unjudged=unjudged,
    codes_missing=", ".join(missing) or "none",
)
WHEN = {"untrained": ("first", 0), "at the end": ("last", -1)}
for word, at in WHEN.values():
    told = "(not here)" if control is None else f"{control.probe.iloc[at]:.2f}"
    psnr = history[FOLLOWED][at]["psnr"]
    study.glue(**{f"codes_control_{word}": told, f"codes_psnr_{word}": psnr})

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: 95 % bootstrap interval over windows.", "name": "fig-code-evolution-verdict"}}
PAPER = {"untrained": "mixed", "at the end": "clusters"}
for view, title in VIEWS.items():
    for kind, rows in along.items():
        for when, (word, at) in WHEN.items():
            study.measure(
                f"{title} {when}, {kind}",
                rows[view].iloc[at],
                interval=(rows.low.iloc[at], rows.high.iloc[at]) if view == "chi" else None,
                paper=PAPER[when] if (view, kind) == ("chi", FOLLOWED) else "",
                glue=f"codes_{view}_{word}" if kind == FOLLOWED else "",
            )
if rho is not None:
    study.measure("Spearman ρ of CHI and step", rho)
study.measure("growth of CHI, times", last.chi / first.chi, glue="codes_growth")
study.verdict(
    **outcomes, notes={"steps seen": [*own.index], "not judged": unjudged}, checkpoints=here
)

# %% [markdown]
# ## What we have seen
#
# - Snapshots missing on this page: {glue:text}`codes_missing`. Conditions not judged:
#   {glue:text}`codes_unjudged`.
# - The untrained encoder starts at R² {glue:text}`codes_probe_first:.2f`, purity
#   {glue:text}`codes_purity_first:.2f` and CHI {glue:text}`codes_chi_first:.1f`; the trained one ends at
#   {glue:text}`codes_probe_last:.2f`, {glue:text}`codes_purity_last:.2f` and
#   {glue:text}`codes_chi_last:.1f`. CHI grows {glue:text}`codes_growth:.1f` times; its rank correlation
#   with the step is {glue:text}`codes_rho`.
# - The first snapshot with an R² of 0.5: {glue:text}`codes_half`.
# - Without a loss on the code R² goes from {glue:text}`codes_control_first` to
#   {glue:text}`codes_control_last`. Whatever that network learns about blur, it learns because sharp
#   pictures are easier with it.
# - The codes' energy distance to the Gaussian goes from {glue:text}`codes_distance_first:.2f` to
#   {glue:text}`codes_distance_last:.2f`; PSNR from {glue:text}`codes_psnr_first:.2f` to
#   {glue:text}`codes_psnr_last:.2f` dB.
#
# ## Try it yourself
#
# - Train both here: `train = True`. Six half photographs are little to learn from; look how far it goes.
# - Follow other losses: `NETWORKS = {FOLLOWED: "redsr-4", CONTROL: "redsr-2"}`. A snapshot that is not
#   shipped is made by `srlab train redsr-2`.
# - `code_widths = [0.2, 0.4, 0.6, 0.8]`: which blurs stay together longest?
# - Never seen pictures from elsewhere: `image_set = "urban100-30"`.
