# %% [markdown]
# (finding-lam-diffusion)=
# # Can a diffusion network be attributed in spite of its noise?
#
# *5 minutes. You learn how a map is taken through a sampler, which of its steps looked where, and how
# much of what you see came from the noise. Read {doc}`method` first.*
#
# ## The question
#
# This page asks a question of our own. Diffusion networks make an SR image in several steps, each of which
# adds noise and takes some away. With other noise the image is another: so which pixels of the input made
# it? Given its noise, a sampler is a function like any other network, and a {term}`LAM` through all of its
# steps is defined, complete, and no harder to compute. But it would be worth little if the next draw of
# noise gave another map, or if what is explained came from the noise and not from the picture.
#
# The noise is an input, too. So we integrate over both: the picture sharpens while the noise rises from none to
# its full strength, and the change of the target is split **exactly** between them. The picture enters several
# times, where sampling begins and then in every step. Each of these uses has its own part as well.

# %% tags=["parameters", "hide-cell"] quick={"num_patches": 2, "size": 64, "stride": 320, "draws": 2, "steps": 2}
image_set = "pictures"  # none was seen in training
num_patches = 5  # the hardest crops, one of a picture
size = 144  # side of a crop, HR pixels
stride = 288  # between the crops that are considered, HR pixels
window = 16  # side of the explained patch in the middle of the crop, SR pixels
network = "resshift"  # the diffusion network
others = ["edsr", "srresnet-gr"]  # networks without noise, by which crops are chosen
draws = 3  # of the noise, at least 2
steps = 8  # of every path integral
device = "auto"

# %% tags=["hide-cell"]
from itertools import combinations

import numpy as np
import pandas as pd
import torch

from srlab.attribution.agreement import overlap
from srlab.attribution.lam import diffusion_index, lam, patch, signed
from srlab.attribution.paths import deblur
from srlab.degradations.filters import upsample
from srlab.devices import pick_device
from srlab.figures.dots import interval_dots
from srlab.figures.maps import attribution_grid
from srlab.images import image_to_array
from srlab.metrics import psnr
from srlab.studies.lam.hard_patches import hard_patches
from srlab.studies.lam.sampling import NOISE, noise_share, on_lr_grid, sampler_integral, uses
from srlab.studies.lam.views import outline
from srlab.studies.study import Study, exceeds, mean_interval, stays_below

study = Study(
    "lam/diffusion_models",
    claim="The picture, not the noise, decides the map of a diffusion network",
    source="asked by this book; LAM explains networks without noise",
    claims={
        "draws": "maps of two draws of noise have more in common than those of two networks: overlap between draws minus overlap with the networks without noise, interval over crops above 0",
        "share": "less than a quarter of the target's change comes through the noise: interval of its share over crops below 0.25",
    },
    controls={
        "complete": "every map is complete within 2 %, and so are the parts together",
        "same": "the same noise gives the same map",
        "levels": "the first step's own part spreads further than the last one's: difference in DI, interval above 0",
        "far": "the whole sampler's map spreads further than those of the networks without noise: difference in DI, interval above 0",
        "trained": "on these crops the network restores better than bicubic enlargement: difference in dB, interval above 0",
    },
    own_question=True,
    image_set=image_set,
    device=pick_device(device),
)

models = {name: study.network(name) for name in others}
diffusion = study.network(network)
patches = hard_patches(
    image_set, models, num_patches, size=size, stride=stride, per_picture=1, device=study.device
)
rows, lr, hr = range(num_patches), patches.lr.split(1), patches.hr.split(1)
side, scale, middle = size // 4, 4, (size - window) // 2
target, walk = patch(middle, middle, window), deblur(steps=steps)

noisy = [[lam(diffusion.redrawn(k), one, target, path=walk) for k in range(draws)] for one in lr]
plain = [[lam(model, one, target, path=walk) for model in models.values()] for one in lr]

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "Two SR images of the diffusion network, from two draws of noise, and their maps; beside them the map of a network without noise. Numbers: diffusion index. Do the two maps in the middle differ more from one another than from the last one?", "name": "fig-diffusion-draws"}}
panels, notes = {}, {}
for i in rows[:3]:
    row = patches.names[i].replace(" ", "<br>")
    shown = {"draw 1": noisy[i][0], "draw 2": noisy[i][1], others[0]: plain[i][0]}
    panels[row, "HR"] = image_to_array(hr[i][0])
    panels |= {(row, f"SR {k + 1}"): image_to_array(noisy[i][k].sr[0]) for k in range(2)}
    for name, own in shown.items():
        panels[row, name] = signed(own).cpu().numpy()
        notes[row, name] = f"DI {diffusion_index(own):.1f}"
square = outline(size, window)
attribution_grid(panels, size=(side, side), window=square, around=side / 4, notes=notes)

# %% [markdown]
# ## What we run
#
# The network is a **ResShift** ({cite:t}`yue2023resshift`) of our own. It begins at the enlarged LR image
# with noise on it and goes to the SR image in four steps. In each it guesses the HR image, and goes on with a
# mixture of guess, LR image and fresh noise. Ours is narrow: 32 channels, six residual blocks on the
# grid of the LR image, in pixels instead of the latent space of an autoencoder, trained for minutes on one core.
# What is said here is said of this network, and may be otherwise with more training, which is not shown (snapshots do
# not ship); the method works for any sampler of few steps.
#
# - **Between draws**: maps of the same crop at different noise. What two maps have in common (*overlap*) is what
#   their magnitudes share, each of them summing to 1. As a yardstick: the overlap with
#   maps of networks without noise, which were trained on the same pictures.
# - **Through the noise**: the integral over picture and noise together, from no noise. With S the sums of
#   the two parts, the share of the noise is $|S_\text{noise}| / (|S_\text{noise}| + |S_\text{picture}|)$.
# - **Step by step**: the same integral, with a map for each use of the picture.
#
# Without noise the network is outside what it was trained on. But a baseline stands for no information,
# and for this input that is no noise.
#
# In a first run the noise rose with the blur of the picture, so that a quarter of it entered in one step and parts
# missed the change by up to 43 %. It now rises as the picture changes, with twice the nodes. The criterion was
# stated before either run and stayed; the verdict was the same.

# %% tags=["remove-input"]
study

# %% [markdown]
# ## How much do maps differ from draw to draw?

# %% tags=["hide-cell"]
pairs = [*combinations(range(draws), 2)]
between = np.array([np.mean([overlap(own[a], own[b]) for a, b in pairs]) for own in noisy])
across = np.array([np.mean([overlap(a, b) for a in noisy[i] for b in plain[i]]) for i in rows])
own_di = np.array([np.mean([diffusion_index(one) for one in own]) for own in noisy])
plain_di = np.array([np.mean([diffusion_index(one) for one in own]) for own in plain])

# %% tags=["hide-input"] mystnb={"figure": {"caption": "What maps of one crop have in common: between draws of noise, and of the diffusion network with networks that have none. A dot for each crop, the larger ones are means, bars from lowest to highest. Do the two bars overlap?", "name": "fig-diffusion-overlap"}}
interval_dots({"between draws": between, "with other networks": across}, x_title="overlap of maps")

# %% [markdown]
# ## What comes through the noise, and what through each step?

# %% tags=["hide-cell"]
split = [
    sampler_integral(diffusion, one, diffusion.noise(one), target, steps=2 * steps) for one in lr
]
share = np.array([noise_share(one) for one in split])
names = uses(diffusion)
parts = [{name: one.attribution[name][None] for name in names} for one in split]
part_di = {name: np.array([diffusion_index(own[name]) for own in parts]) for name in names}
amounts = {
    name: np.array([float(one.attribution[name].sum()) / (one.end - one.start) for one in split])
    for name in [*names, NOISE]
}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One map in six parts, which sum to the change of the target: what the picture added where sampling begins and in each of its steps, from the noisiest level to the last, and what the noise added. Each is divided by its own maximum; the number is its part of the change, which may be negative. Which part is largest on a flat patch, which on an edge?", "name": "fig-diffusion-parts"}}
panels, notes = {}, {}
for i in rows[:2]:
    row = patches.names[i].replace(" ", "<br>")
    own = parts[i] | {NOISE: on_lr_grid(split[i].attribution[NOISE], scale)}
    for name, map_ in own.items():
        panels[row, name] = signed(map_).cpu().numpy()
        notes[row, name] = f"{amounts[name][i]:+.0%}"
attribution_grid(panels, size=(side, side), window=square, around=side / 4, notes=notes)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The parts of the change, over crops; they sum to 100 %. A dot for each crop, bars from lowest to highest. Which step adds most?", "name": "fig-diffusion-shares"}}
interval_dots(
    {name: 100 * own for name, own in amounts.items()}, x_title="part of the change, %", reference=0
)

# %% [markdown]
# ## How well does it restore?

# %% tags=["hide-input"]
with torch.no_grad():
    drawn = torch.stack([torch.cat([one.sr for one in own]) for own in noisy])
    restored = {"bicubic": upsample(patches.lr, scale), network: drawn[:, 0]}
    restored[f"{network}, mean of {draws} draws"] = drawn.mean(dim=1)
    restored |= {name: model(patches.lr) for name, model in models.items()}
    quality = {name: psnr(sr, patches.hr, border=4) for name, sr in restored.items()}
    spread = float(drawn.std(dim=1).mean())
pd.DataFrame({name: [f"{float(own.mean()):.2f} dB"] for name, own in quality.items()}, ["PSNR"])

# %% [markdown]
# ## Verdict

# %%
measured = {
    "overlap between draws": (between, "between"),
    "overlap with other networks": (across, "across"),
    "difference of the overlaps": (between - across, "apart"),
    "share that came through the noise": (share, "share"),
    "DI of the first step's part minus the last's": (
        part_di[names[1]] - part_di[names[-1]],
        "narrows",
    ),
    "DI of the sampler minus other networks'": (own_di - plain_di, "further"),
    "dB above bicubic": ((quality[network] - quality["bicubic"]).cpu().numpy(), "gain"),
}
found = {}
for text, (values, key) in measured.items():
    found[key] = mean_interval(values)
    study.measure(
        text, values, interval=found[key], glue=f"diffusion_{key}", headline=key == "apart"
    )
study.measure(
    "standard deviation of SR between draws, of 255", 255 * spread, glue="diffusion_spread"
)
ends = {"first": names[1], "last": names[-1]}
study.glue(**{f"diffusion_{key}": amounts[name].mean() for key, name in ends.items()})
study.glue(diffusion_least=share.min(), diffusion_most=share.max())
study.glue(diffusion_behind=float((quality[others[0]] - quality[network]).mean()))
again = lam(diffusion.redrawn(0), lr[0], target, path=walk)
worst = max(one.completeness_error for own in [*noisy, *plain, split] for one in own)
study.measure("largest completeness error, %", 100 * worst)
study.verdict(
    draws=exceeds(found["apart"]),
    share=stays_below(found["share"], 0.25),
    complete=worst < 0.02,
    same=torch.equal(again.map, noisy[0][0].map),
    levels=exceeds(found["narrows"]),
    far=exceeds(found["further"]),
    trained=exceeds(found["gain"]),
)

# %% [markdown]
# ## What we have seen
#
# - Maps of two draws have {glue:text}`diffusion_between:.0%` in common, those of the diffusion network and of
#   networks without noise {glue:text}`diffusion_across:.0%`.
# - Of the change of the target, {glue:text}`diffusion_share:.0%` came through the noise, from
#   {glue:text}`diffusion_least:.0%` to {glue:text}`diffusion_most:.0%` over the crops. Where the picture is flat
#   the patch has no structure but what noise left; where it has an edge, the edge decides. SR images
#   differ by {glue:text}`diffusion_spread:.1f` of 255 from draw to draw.
# - The last step, with the least noise, adds {glue:text}`diffusion_last:.0%` of the change, the first
#   {glue:text}`diffusion_first:.0%`: early guesses are corrected by later ones.
# - The DI of the sampler's maps differs from that of the networks without noise by
#   {glue:text}`diffusion_further:+.2f`, although its field is four times that of one step.
# - The network restores {glue:text}`diffusion_gain:.2f` dB better than bicubic enlargement on these crops,
#   and {glue:text}`diffusion_behind:.2f` dB worse than the narrow EDSR.
#
# **What may be concluded.** A map through a sampler can be computed, and split, for any network of this
# kind. How large the share of the noise is depends on the network: on its width, on the strength of its
# noise and on the loss. One that invents more will owe more of its texture to the noise.
#
# ## Exercise
#
# A single map explains one draw of noise. What does the mean of the maps over many draws explain?
#
# ```{dropdown} Answer
# The mean of the target over the draws: attribution is linear in the target. It is not the map of the mean
# SR image, which is smoother, so that its gradients are smaller.
# ```
#
# ## Try it yourself
#
# - Your own sampler, as a module that holds its noise: `srlab lam --network mynet:Sampler --image …`. Noise that
#   is drawn anew in `forward` makes it another network at every point of the path; `srlab` tells you.
# - `redrawn(seed)` gives the network other noise, `kappa` among its hyperparameters says how much of it.
