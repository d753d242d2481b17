# %% [markdown]
# (finding-one-branch)=
# # One branch restores as well as two
#
# ## The claim
#
# Most blind super-resolution networks have two branches: one describes how the input was degraded,
# the other restores under that description. {cite:t}`xie2021finding` (Sec. 3, Tab. 1, Fig. 1) train
# plain one-branch networks with as many parameters and operations on the same degraded pictures, and
# they do as well.
#
# | PSNR, dB | two branches | one branch of equal size |
# |---|---|---|
# | DAN: two kinds of test pictures | 26.168 / 27.341 | 26.182 / 27.288 |
# | DASR: two kinds of test pictures | 27.518 / 25.116 | 27.573 / 25.143 |
#
# Why it matters: if nothing is lost without the second branch, then a single stack of convolutions
# must recognize degradations by itself, and one can ask *where* – which is what the rest of this
# chapter does.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"num_windows": 4, "size": 64, "training_seeds": [0]}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_windows = 16  # judged on so many windows
size = 128  # side of a window, HR pixels
training_seeds = [0, 1, 2]  # those that are shipped are judged
train = False  # True trains the networks here (15 minutes each on one core)
device = "auto"

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | one branch | SRResNet without BN, sized to match | the same, 24 channels, 16 blocks |
# | two branches | DASR and DAN as published | narrow networks after them: DASR's encoder and degradation-aware convolutions; DAN's alternation of estimator and restorer, two turns |
# | what the first branch is told | DASR: contrast; DAN: the true kernel | nothing: all three learn from the picture alone, on equal terms |
# | training | as published for each | ×2, 4 000 steps on blur (σ 2, p ½) and noise (σ 0.1, p ½) |
# | parameters and operations | equal | equal within 10 %, counted below |
#
# The narrow rivals lack the extra lessons of the published ones. To see whether their first branch
# does anything at all, we also restore each picture with the description of *another* degradation.
#
# :::{admonition} Criterion, set before the experiment
# :class: important
# Parameters and operations differ by at most 10 %. For each rival the one-branch network is at
# most **0.1 dB** worse, on blurry, on noisy and on blurry and noisy pictures: the 95 % bootstrap
# interval of the difference over windows lies above −0.1 dB. And the rivals do use their second
# branch: the description of another degradation costs each of them at least 0.1 dB.
# :::

# %% tags=["hide-cell"]
from dataclasses import replace
from itertools import product

import numpy as np
import torch
from myst_nb import glue

from srlab.data.datasets import load_images
from srlab.data.examples import examples
from srlab.devices import pick_device
from srlab.figures.dots import interval_dots
from srlab.figures.pictures import picture_grid, sprite_sheet
from srlab.images import image_to_array
from srlab.metrics import psnr
from srlab.networks.cost import multiply_adds, parameter_count
from srlab.studies.faig.outputs import KINDS, restored_psnr
from srlab.studies.networks import network, obtainable
from srlab.studies.parameters import check_parameters
from srlab.studies.study import Finding, mean_interval, record
from srlab.training.recipes import seed_names

check_parameters()
device = pick_device(device)
finding = Finding(
    name="faig/one_branch",
    claim="A one-branch network restores as well as two-branch networks of equal size",
    source="FAIG, Sec. 3, Tab. 1, Fig. 1",
    criterion=(
        "At parameters and operations equal within 10 %, one branch is at most 0.1 dB worse than "
        "either rival on every kind of picture (95 % interval over windows), and the rivals "
        "lose 0.1 dB at least under the description of another degradation."
    ),
)

# %% [markdown]
# ## Experiment

# %%
NETWORKS = {
    "one branch (SRResNet)": "faig-one-branch",
    "two branches, after DASR": "faig-dasr",
    "two branches, after DAN": "faig-dan",
}
plain, *rivals = NETWORKS
kinds = {
    "blurry": KINDS["blur"],
    "noisy": KINDS["noise"],
    "blurry and noisy": replace(KINDS["blur"], noise_sigma=KINDS["noise"].noise_sigma),
}
windows = examples(load_images(image_set), kinds, count=num_windows, size=size).to(device)
trained = {
    title: obtainable(seed_names(name, training_seeds), train=train)
    for title, name in NETWORKS.items()
}
models = {
    title: [network(name, train=train, device=device) for name in names]
    for title, names in trained.items()
}
quality = {  # {title: {kind: (windows,) mean over the seeds}}
    title: {
        kind: np.mean([restored_psnr(m, m.state_dict(), windows)[kind] for m in own], axis=0)
        for kind in kinds
    }
    for title, own in models.items()
}

# %% [markdown]
# Size first: parameters, and millions of multiply-adds for a window.

# %%
one = windows.lr["blurry"][:1]
parameters = {title: parameter_count(own[0]) for title, own in models.items()}
cost = {
    title: multiply_adds(lambda model=own[0]: model(one)) / 1e6 for title, own in models.items()
}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One window in three states, restored by each network (training seed 0). Can you tell which network needed a second branch?", "name": "fig-branch-window"}}
panels, notes = {}, {}
with torch.no_grad():
    for kind, (title, own) in product(kinds, models.items()):
        sr = own[0](windows.lr[kind][:1])
        panels[kind, title] = image_to_array(sr[0])
        notes[kind, title] = f"{psnr(sr, windows.hr[:1], border=2).item():.1f} dB"
picture_grid(panels, notes=notes)

# %% [markdown]
# ## Does the second branch pay?

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One branch minus two branches, dB, window by window (point at one to see it); bars from lowest to highest, the mean in front. Right of the dashed line the one-branch network is better.", "name": "fig-branch-difference"}}
ahead = {
    (rival, kind): quality[plain][kind] - quality[rival][kind] for rival in rivals for kind in kinds
}
sprites = sprite_sheet(
    np.stack([image_to_array(lr) for kind in kinds for lr in windows.lr[kind]]), zoom=2
)
tiles = {
    kind: [number * num_windows + i for i in range(num_windows)]
    for number, kind in enumerate(kinds)
}
interval_dots(
    {f"{rival.split()[-1]}, {kind}": values for (rival, kind), values in ahead.items()},
    x_title="one branch minus two, dB",
    reference=0,
    sprites=sprites,
    pictures={f"{rival.split()[-1]}, {kind}": tiles[kind] for rival, kind in ahead},
)

# %% [markdown]
# ## Does the second branch do anything?
#
# Each rival restores blurry pictures under the description of a noisy one, and noisy pictures under
# the description of a blurry one. If that costs nothing, the branch is idle.

# %%
SWAPPED = {"blurry": "noisy", "noisy": "blurry"}


@torch.no_grad()
def misled(model, kind):
    """dB lost on each window under the description of the other degradation."""
    lr, other = windows.lr[kind], windows.lr[SWAPPED[kind]]
    right, wrong = model(lr), model.guided_by(lr, other)
    return (psnr(right, windows.hr, border=2) - psnr(wrong, windows.hr, border=2)).cpu().numpy()


lost = {
    (rival, kind): np.mean([misled(model, kind) for model in models[rival]], axis=0)
    for rival, kind in product(rivals, SWAPPED)
}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "What the wrong description costs: dB lost on each window. Zero means that the description is not used.", "name": "fig-branch-misled"}}
interval_dots(
    {f"{rival.split()[-1]}, {kind}": values for (rival, kind), values in lost.items()},
    x_title="lost under the description of the other degradation, dB",
    reference=0,
    sprites=sprites,
    pictures={f"{rival.split()[-1]}, {kind}": tiles[kind] for rival, kind in lost},
)

# %% [markdown]
# ## Verdict

# %%
within = {
    what: max(abs(own[rival] / own[plain] - 1) for rival in rivals)
    for what, own in {"parameters": parameters, "operations": cost}.items()
}

# %% tags=["remove-cell"]
glue("branch_seeds", len(trained[plain]), display=False)
glue("branch_parameters", 100 * within["parameters"], display=False)
glue("branch_operations", 100 * within["operations"], display=False)
for rival in rivals:
    short = rival.split()[-1].lower()
    for kind in kinds:
        glue(
            f"branch_{short}_{kind}".replace(" ", "_"),
            float(ahead[rival, kind].mean()),
            display=False,
        )
    for kind in SWAPPED:
        glue(f"branch_{short}_misled_{kind}", float(lost[rival, kind].mean()), display=False)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Intervals: 95 % bootstrap of the mean over windows.", "name": "fig-branch-verdict"}}
record(
    finding,
    checks={
        "parameters and operations are equal within 10 %": max(within.values()) <= 0.1,
        **{
            f"one branch is at most 0.1 dB worse than {rival.split(', ')[1]}, on every kind": all(
                mean_interval(ahead[rival, kind])[0] > -0.1 for kind in kinds
            )
            for rival in rivals
        },
        "each rival loses 0.1 dB at least under another description": all(
            max(lost[rival, kind].mean() for kind in SWAPPED) >= 0.1 for rival in rivals
        ),
    },
    measured={
        **{
            f"PSNR of {title}, {kind}": own[kind].mean()
            for title, own in quality.items()
            for kind in kinds
        },
        **{
            f"one branch ahead of {rival.split()[-1]}, {kind}": values.mean()
            for (rival, kind), values in ahead.items()
        },
        **{
            f"{rival.split()[-1]} misled, {kind}: dB lost": values.mean()
            for (rival, kind), values in lost.items()
        },
        **{f"parameters of {title}": count for title, count in parameters.items()},
        **{f"million multiply-adds of {title}": count for title, count in cost.items()},
    },
    interval={
        **{
            f"one branch ahead of {rival.split()[-1]}, {kind}": mean_interval(values)
            for (rival, kind), values in ahead.items()
        },
        **{
            f"{rival.split()[-1]} misled, {kind}: dB lost": mean_interval(values)
            for (rival, kind), values in lost.items()
        },
    },
    paper={
        "one branch ahead of DASR, blurry": "+0.055",
        "one branch ahead of DASR, blurry and noisy": "+0.027",
        "one branch ahead of DAN, blurry": "+0.014",
        "one branch ahead of DAN, blurry and noisy": "−0.053",
    },
    image_set=image_set,
    parameters={"num_windows": num_windows, "size": size},
    checkpoints=[] if train else [name for names in trained.values() for name in names],
)

# %% [markdown]
# ## What we have seen
#
# - Sizes differ by at most {glue:text}`branch_parameters:.0f` % (parameters) and
#   {glue:text}`branch_operations:.0f` % (operations); {glue:text}`branch_seeds` training seeds.
# - Against the network after DASR, one branch is {glue:text}`branch_dasr_blurry:+.2f` dB on blurry,
#   {glue:text}`branch_dasr_noisy:+.2f` dB on noisy and {glue:text}`branch_dasr_blurry_and_noisy:+.2f` dB
#   on blurry and noisy pictures. Against the one after DAN: {glue:text}`branch_dan_blurry:+.2f`,
#   {glue:text}`branch_dan_noisy:+.2f` and {glue:text}`branch_dan_blurry_and_noisy:+.2f` dB.
# - Under the wrong description the first loses {glue:text}`branch_dasr_misled_blurry:.2f` dB on blurry
#   and {glue:text}`branch_dasr_misled_noisy:.2f` dB on noisy pictures, the second
#   {glue:text}`branch_dan_misled_blurry:.2f` and {glue:text}`branch_dan_misled_noisy:.2f` dB: so much do
#   they rely on their second branch.
# - Three small networks trained for minutes cannot settle what is best when trained for days. What
#   they can show is that one branch is no handicap on equal terms.
#
# ## Try it yourself
#
# - Set `image_set = "b100"` or `"set14"` (downloaded on first use).
# - Give a rival more room: `replace(recipe("faig-dasr"), hyperparameters=…)`, then `fit`.
