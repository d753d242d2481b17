# %% [markdown]
# (finding-one-branch)=
# # Does one branch restore as well as two?
#
# *5 minutes. You learn what the second branch of a blind network is for, and how to test whether it
# is used.*
#
# ## The claim
#
# Most blind super-resolution networks have two branches: one describes how the input was degraded, the other restores
# under that description. {cite:t}`xie2021finding` (Sec. 3, Tab. 1, Fig. 1) train plain one-branch networks with as
# many parameters and operations on the same degraded pictures, and report equal quality.
#
# | PSNR, dB: blur / blur and noise | two branches | one branch of equal size |
# |---|---|---|
# | DAN, with its authors' code | 26.168 / 27.341 | 26.182 / 27.288 |
# | DASR, with its authors' code | 27.518 / 25.116 | 27.573 / 25.143 |
#
# **Why it matters:** if nothing is lost without the second branch, a single stack of convolutions must recognize
# degradations by itself, and one can ask *where*. The rest of this chapter does.

# %% tags=["parameters", "hide-cell"] quick={"num_windows": 4, "size": 64, "training_seeds": [0]}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_windows = 16  # judged on so many windows
size = 128  # side of a window, HR pixels
training_seeds = [0, 1, 2]  # those that are shipped are judged
train = False  # True trains the networks here (15 minutes each on one core)
device = "auto"

# %% tags=["hide-cell"]
from dataclasses import replace

import numpy as np
import torch

from srlab.data.datasets import load_images
from srlab.degradations.windows import windows
from srlab.devices import pick_device
from srlab.figures.dots import interval_dots
from srlab.figures.pictures import picture_grid, sprite_sheet
from srlab.images import image_to_array
from srlab.metrics import psnr
from srlab.networks.cost import multiply_adds, parameter_count
from srlab.studies.faig.outputs import KINDS, restored_psnr, typical_window
from srlab.studies.study import Study, mean_interval, reaches, together

study = Study(
    "faig/one_branch",
    claim="A one-branch network restores as well as two-branch networks of equal size",
    source="FAIG, Sec. 3, Tab. 1, Fig. 1",
    claims={
        "dasr": "one branch is at most 0.1 dB behind two after DASR, on blurry and on blurry and noisy pictures",
        "dan": "one branch is at most 0.1 dB behind two after DAN, on both",
    },
    says={
        "dasr": "Sec. 3, Tab. 1: “a unified one-branch network can also achieve comparable results under similar computation budgets on both settings” (0.055 and 0.027 dB ahead)",
        "dan": "Sec. 3, Tab. 1: 0.014 dB ahead on blur, 0.053 dB behind on blur and noise",
    },
    controls={
        "noisy": "the same on noisy pictures, which the paper does not test apart",
        "size": "parameters and operations are equal within 10 %",
        "used": "each rival loses 0.1 dB at least under another description",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

NETWORKS = {
    "one branch (SRResNet)": "faig-one-branch",
    "two branches, after DASR": "faig-dasr",
    "two branches, after DAN": "faig-dan",
}
plain, *_ = NETWORKS
RIVALS = {"DASR": "two branches, after DASR", "DAN": "two branches, after DAN"}
kinds = {
    "blurry": KINDS["blur"],
    "noisy": KINDS["noise"],
    "blurry and noisy": replace(KINDS["blur"], noise_sigma=KINDS["noise"].noise_sigma),
}
cut = windows(load_images(image_set), kinds, count=num_windows, size=size).to(study.device)
models, quality = {}, {}
for title, name in NETWORKS.items():
    models[title] = study.trainings(name, training_seeds)
    found = [restored_psnr(model, model.state_dict(), cut) for model in models[title]]
    quality[title] = {kind: np.mean([own[kind] for own in found], axis=0) for kind in kinds}

# %% [markdown]
# Size first: parameters, and millions of multiply-adds for a window.

# %% tags=["hide-cell"]
one = cut.lr["blurry"][:1]
parameters = {title: parameter_count(own[0]) for title, own in models.items()}
cost = {
    title: multiply_adds(lambda model=own[0]: model(one)) / 1e6 for title, own in models.items()
}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "A typical window in three states, restored by each network (training seed 0). Can you tell which network has a second branch?", "name": "fig-branch-window"}}
panels, notes = typical_window({title: own[0] for title, own in models.items()}, cut)
picture_grid(panels, notes=notes)

# %% [markdown]
# ## What we run, and what differs from the paper
#
# To see whether the first branch does anything at all, we also restore each picture with the description of
# *another* degradation. "At most 0.1 dB behind" holds where the 95 % bootstrap interval of the difference over windows
# lies above −0.1 dB.
#
# :::{dropdown} What differs from the paper
# | | paper | here |
# |---|---|---|
# | one branch | SRResNet without BN, sized to match | the same, 24 channels, 16 blocks |
# | two branches | DASR and DAN as published | narrow networks after them: DASR's encoder and degradation-aware convolutions; DAN's alternation of estimator and restorer, two turns |
# | what the first branch is taught | DASR: contrast; DAN: the true kernel | nothing: all three learn from the picture alone, on equal terms |
# | training | as published for each | ×2, 4 000 steps on blur (σ 2, p ½) and noise (σ 0.1, p ½) |
# | PSNR | of all channels (RGB) | of luma |
# | parameters and operations | equal | equal within 10 %, counted below |
# :::

# %% tags=["remove-input"]
study

# %% [markdown]
# ## Does the second branch pay?

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "One branch minus two branches, dB, window by window (point at one to see it); larger dots are means, bars from lowest to highest. Right of the dashed line the one-branch network is better; the criterion asks for the interval of the mean to be right of the dotted one.", "name": "fig-branch-difference"}}
ahead = {
    (rival, kind): quality[plain][kind] - quality[title][kind]
    for rival, title in RIVALS.items()
    for kind in kinds
}
sprites = sprite_sheet(image_to_array(cut.stacked), zoom=2)
tiles = dict(zip(kinds, np.arange(len(kinds) * num_windows).reshape(-1, num_windows), strict=True))


def dots(measured, x_title, levels=()):
    return interval_dots(
        {f"{rival}, {kind}": values for (rival, kind), values in measured.items()},
        x_title=x_title,
        reference=0,
        levels=levels,
        sprites=sprites,
        pictures={f"{rival}, {kind}": tiles[kind] for rival, kind in measured},
    )


dots(ahead, "one branch minus two, dB", [-0.1])

# %% [markdown]
# ## Is the second branch used?
#
# Each rival restores blurry pictures under the description of a noisy one, and noisy pictures under the description
# of a blurry one. If that costs nothing, the branch is not used.

# %% tags=["hide-cell"]
SWAPPED = {"blurry": "noisy", "noisy": "blurry"}


@torch.no_grad()
def misled(model, kind):
    """dB lost on each window under the description of the other degradation."""
    lr, other = cut.lr[kind], cut.lr[SWAPPED[kind]]
    right, wrong = model(lr), model.guided_by(lr, other)
    return (psnr(right, cut.hr, border=2) - psnr(wrong, cut.hr, border=2)).cpu().numpy()


lost = {
    (rival, kind): np.mean([misled(model, kind) for model in models[title]], axis=0)
    for rival, title in RIVALS.items()
    for kind in SWAPPED
}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "What the wrong description costs: dB lost on each window. At zero the description is not used.", "name": "fig-branch-misled"}}
dots(lost, "lost under the description of the other degradation, dB")

# %% [markdown]
# ## Verdict

# %% tags=["hide-input"] mystnb={"figure": {"caption": "All measures of this run. Intervals: 95 % bootstrap of the mean over windows.", "name": "fig-branch-verdict"}}
PAPER = {
    ("DASR", "blurry"): "+0.055",
    ("DASR", "blurry and noisy"): "+0.027",
    ("DAN", "blurry"): "+0.014",
    ("DAN", "blurry and noisy"): "−0.053",
}
for title, own in quality.items():
    for kind, values in own.items():
        study.measure(f"PSNR of {title}, {kind}", values.mean())
margin = {key: reaches(mean_interval(values), -0.1) for key, values in ahead.items()}
for (rival, kind), values in ahead.items():
    study.measure(
        f"one branch ahead of {rival}, {kind}",
        values,
        interval=mean_interval,
        paper=PAPER.get((rival, kind), ""),
        glue=f"branch_{rival.lower()}_{kind.replace(' ', '_')}",
    )
for (rival, kind), values in lost.items():
    name, label = f"{rival} misled, {kind}: dB lost", f"branch_{rival.lower()}_misled_{kind}"
    study.measure(name, values, interval=mean_interval, glue=label)
within = []
for what, own in {"parameters": parameters, "million multiply-adds": cost}.items():
    for title, count in own.items():
        study.measure(f"{what} of {title}", count)
    within.append(max(abs(own[title] / own[plain] - 1) for title in RIVALS.values()))
study.glue(
    branch_seeds=len(models[plain]),
    branch_parameters=100 * within[0],
    branch_operations=100 * within[1],
)
tested = ("blurry", "blurry and noisy")  # as in the paper
study.verdict(
    dasr=together(*(margin["DASR", kind] for kind in tested)),
    dan=together(*(margin["DAN", kind] for kind in tested)),
    noisy=together(*(margin[rival, "noisy"] for rival in RIVALS)),
    size=max(within) <= 0.1,
    used=all(max(lost[rival, kind].mean() for kind in SWAPPED) >= 0.1 for rival in RIVALS),
)

# %% [markdown]
# ## What we have seen
#
# - **Size.** The networks differ by at most {glue:text}`branch_parameters:.0f` % (parameters) and
#   {glue:text}`branch_operations:.0f` % (operations). Training seeds: {glue:text}`branch_seeds`.
# - **Quality.** Against the network after DASR, one branch is {glue:text}`branch_dasr_blurry:+.2f` dB on blurry,
#   {glue:text}`branch_dasr_noisy:+.2f` dB on noisy and {glue:text}`branch_dasr_blurry_and_noisy:+.2f` dB on blurry and
#   noisy pictures. Against the one after DAN: {glue:text}`branch_dan_blurry:+.2f`, {glue:text}`branch_dan_noisy:+.2f` and
#   {glue:text}`branch_dan_blurry_and_noisy:+.2f` dB.
# - **Use.** Under the wrong description the network after DASR loses {glue:text}`branch_dasr_misled_blurry:.2f` dB on
#   blurry and {glue:text}`branch_dasr_misled_noisy:.2f` dB on noisy pictures, the one after DAN
#   {glue:text}`branch_dan_misled_blurry:.2f` and {glue:text}`branch_dan_misled_noisy:.2f` dB.
# - Small networks trained for minutes cannot settle what is best after days of training; they are compared here on
#   equal terms.
#
# ## Exercises
#
# 1. A rival loses nothing under a wrong description. Has its second branch failed?
# 2. Why must operations be equal, and not parameters alone?
#
# ```{dropdown} Answers
# 1. It is not used at restoration. The network may still restore well, because its other branch recognizes the
#    degradation by itself. That would support the claim rather than refute it.
# 2. A branch that computes a short code for the whole picture has many parameters but few operations. With equal
#    parameters only, the one-branch network would get far more computation.
# ```
#
# ## Try it yourself
#
# - Other pictures: `image_set = "b100"` or `"set14"` (downloaded on first use).
# - Give a rival more room: `replace(recipe("faig-dasr"), hyperparameters=…)`, then `fit`.
