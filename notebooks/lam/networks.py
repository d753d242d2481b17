# %% [markdown]
# (finding-lam-networks)=
# # Which networks look beyond the patch they restore?
#
# *9 minutes. You learn what separates networks with a wide attribution map from those with
# a narrow one, and how to test whether the pixels on a map are used. Read {doc}`method` first.*
#
# ## The claim
#
# Give the same hard patch to many networks, and ask each which pixels it used. {cite:t}`gu2021interpreting`
# (Sec. 4.3, Fig. 1, 5 and 6) find that all of them use the same small area around the patch, that networks
# with channel attention or non-local operations draw on far more pixels than plain convolutional ones, and
# that the gain lies in areas which *only* these wide networks use. But some look widely and still paint the
# wrong texture. The diffusion index ({term}`DI`) measures how widely a map spreads.
#
# | network | FSRCNN | CARN | EDSR | RRDBNet | IMDN | RFDN | RCAN | SAN |
# |---|---|---|---|---|---|---|---|---|
# | attention over the picture | no | no | no | no | yes | yes | yes | yes |
# | DI in the paper | 0.797 | 1.807 | 2.977 | 13.417 | 14.643 | 13.208 | 16.596 | 18.642 |
#
# **Why it matters:** two networks of equal quality may get there in different ways, which no metric of the
# output shows.

# %% tags=["parameters", "hide-cell"] quick={"num_patches": 2, "size": 128, "stride": 256, "zoo": ["fsrcnn-d56-m4", "edsr", "imdn", "rcan"], "steps": 4}
image_set = "pictures"  # none was seen in training; "urban100-30" and "b100" are downloaded
limit = None  # pictures taken from the set; None takes all
num_patches = 10  # the hardest crops, one of a picture
size = 192  # side of a crop, HR pixels; the paper's is 256
stride = 192  # between the crops that are considered, HR pixels; 256 is faster on large sets
window = 16  # side of the explained patch in the middle of the crop, SR pixels
zoo = [  # those that are shipped take part
    *["fsrcnn-d56-m4", "carn", "edsr", "pan", "swinir"],
    *["rrdbnet", "rfdn", "imdn", "rcan", "san"],
]
weights = "zoo"  # "published": networks as their authors trained them, downloaded; or "both"
judges = ["fsrcnn-d56-m4", "carn", "rcan"]  # whose PSNR says which crops are hard
steps = 8  # of every path integral
bandwidth = 1.5  # σ of the kernel density, LR pixels
share = 0.9  # of a map that its area of contribution holds
train = False  # True trains the networks here and now, instead of loading them
device = "auto"

# %% tags=["hide-cell"]
from itertools import product

import numpy as np
import torch

from srlab.degradations.filters import upsample
from srlab.devices import pick_device
from srlab.figures.dots import interval_dots
from srlab.figures.maps import attribution_grid
from srlab.figures.pictures import sprite_sheet, tinted
from srlab.figures.theme import COLOURS
from srlab.images import center_crop, image_to_array
from srlab.metrics import psnr
from srlab.studies.lam.chosen import chosen_networks, family, members
from srlab.studies.lam.contribution import contribution_area, contribution_density
from srlab.studies.lam.diffusion import diffusion
from srlab.studies.lam.hard_patches import hard_patches
from srlab.studies.lam.interest import blurred_away, shared_interest
from srlab.studies.lam.views import outline
from srlab.studies.networks import network, obtainable
from srlab.studies.study import Study, exceeds, mean_interval, together

study = Study(
    "lam/networks",
    claim="All networks look at the patch; those with attention look further",
    source="LAM, Sec. 4.3, Fig. 1, 5, 6",
    claims={
        "attention": "DI of networks with attention (IMDN, RFDN, RCAN, SAN) over that of plain ones (FSRCNN, CARN, EDSR, RRDBNet), geometric means: interval above 1",
        "deeper": "DI of deep networks (EDSR, RRDBNet, RCAN) over that of FSRCNN and CARN, geometric means: interval above 1",
        "red": "red, noticed by nearly all: blurring it changes the patch more than blurring as many unnoticed pixels, interval above 0 for every network",
        "blue": "blue, noticed by wide networks only: blurring it costs these PSNR in the patch, interval above 0",
        "wrong": "wide but wrong: in some crop a network of the wider half restores the patch worse than the narrower half does on average",
    },
    controls={
        "bicubic": "mean DI of every trained network is above bicubic's",
        "blue_wide": "blurring blue changes wide networks' patches more than narrow ones', interval above 0",
        "order": "published weights: DI of bicubic < PAN < IMDN",
    },
    says={
        "attention": "abstract: “Attention networks and non-local networks extract features from a wider range of input pixels.”",
        "deeper": "Sec. 4.3: “these networks are interested in a wider range of pixels in the LR images with similar patterns”; FSRCNN and CARN use “limited surrounding pixels”",
        "red": "Sec. 4.3: “The information carried in the red areas can be used for the most preliminary level of SR”",
        "blue": "Sec. 4.3: “the blue areas show the potential informative areas that can further improve SR”",
        "wrong": "Sec. 4.3: “some networks also take a wider range of pixels into account but still reconstruct wrong textures”",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

trained = chosen_networks(study, zoo, weights)
models = {"bicubic": lambda lr: upsample(lr, 4)} | trained
patches = hard_patches(
    image_set,
    {name: network(name, device=study.device) for name in obtainable(judges)},
    num_patches,
    size=size,
    stride=stride,
    limit=limit,
    per_picture=1,
    device=study.device,
)
found = {
    name: diffusion(model, patches, window=window, steps=steps) for name, model in models.items()
}
di = {name: own.index for name, own in found.items()}

# %% [markdown]
# Single pixels of a map are noisy. The area of contribution, from the map's kernel density, shows where they
# gather.

# %% tags=["hide-cell"]
density = {
    name: [contribution_density(torch.from_numpy(map_), bandwidth=bandwidth) for map_ in own.maps]
    for name, own in found.items()
}
area = {
    name: torch.stack([contribution_area(one, share=share) for one in own])
    for name, own in density.items()
}  # {network: (patches, h, w)}

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "One hard crop under all networks, in two blocks of three rows: the SR image, the local attribution map, and the area of contribution in orange (kernel density). The square is the window that is explained. Numbers: PSNR of the crop, diffusion index. Which maps leave the neighbourhood of the square, and what do they find there? Double-click for the whole crops.", "name": "fig-networks-maps"}}
grid = {"size": patches.lr.shape[-2:], "window": outline(size, window), "around": 14}
widest = int(np.argmax([np.mean([di[name][i] for name in trained]) for i in range(num_patches)]))
lr = image_to_array(patches.lr[widest])
half = -(-len(models) // 2)
panels, notes = {}, {}
for k, name in enumerate(models):
    block, column = " " * (k // half), " " * (k % half)
    panels["SR" + block, column] = image_to_array(found[name].sr[widest])
    panels["map" + block, column] = found[name].maps[widest]
    spread = (density[name][widest] / density[name][widest].max()).cpu().numpy()
    panels["area" + block, column] = tinted(lr, {COLOURS[1]: spread**0.5})
    notes["SR" + block, column] = name
    notes["map" + block, column] = f"{found[name].psnr[widest]:.1f} dB<br>DI {di[name][widest]:.2f}"
order = [f"{kind}{' ' * b}" for b in range(2) for kind in ("SR", "map", "area")]
panels = {key: panels[key] for row in order for key in panels if key[0] == row}
attribution_grid(panels, notes=notes, **grid)

# %% [markdown]
# ## What we run, and what differs from the paper
#
# The paper reads the *red* pixels (used by all) and the *blue* ones (used by wide networks only) off the maps
# alone. We test them: we blur the area in the LR image and measure how much the patch changes and how many
# dB it loses. On each patch, the networks are divided by their DI into a wide and a narrow half.
#
# :::{dropdown} What differs from the paper
# | | paper | here |
# |---|---|---|
# | networks | as published | narrow ones of the same design, all trained on the same pictures for 3 500 steps (FSRCNN 10 000), and bicubic enlargement; PAN and SwinIR are shown, but belong to neither group of the paper |
# | patches | 150 crops of 256×256 | the hardest crops of 192×192, one per picture, chosen in the same way; fewer |
# | map | gradient magnitude of the central 16×16 window; σ 1.2 (public code) | the same |
# | area of contribution | kernel density, bandwidth not stated | Gaussian, one bandwidth for all; the area holds 90 % |
# | red and blue (Fig. 6) | by eye | red: in the areas of at least 90 % of the networks; blue: in those of at least two of the wider half, and of none of the narrower half |
# | with more training | – | not shown; networks that others trained, at full width and for as long as they chose, are recorded: {doc}`/book/scoreboard` |
#
# The red of the figures is an orange red, which colour-blind readers can tell from blue.
# :::

# %% tags=["remove-input"]
study

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Diffusion index of every network, a dot for each hard crop; the larger ones are means, bars from lowest to highest. Point at a dot to see the crop and, in orange, where this network's map gathers. Which networks leave the range of bicubic enlargement?", "name": "fig-networks-di"}}
tiles, pictures = [], {}
for name in models:
    pictures[name] = list(range(len(tiles), len(tiles) + num_patches))
    for i in range(num_patches):
        spread = (density[name][i] / density[name][i].max()).cpu().numpy()
        tiles.append(tinted(image_to_array(patches.lr[i]), {COLOURS[1]: spread**0.5}))
sprites = sprite_sheet(np.stack(tiles))
sprites["labels"] = [f"{n}, {patches.names[i]}" for n in models for i in range(num_patches)]
interval_dots(di, x_title="diffusion index", log_x=True, sprites=sprites, pictures=pictures)

# %% [markdown]
# ## Which pixels do all networks use, and which only the wide ones?

# %% tags=["hide-cell"]
names = list(trained)
width = np.array([di[name] for name in names])  # (networks, patches)
areas = torch.stack([area[name] for name in names]).cpu().numpy()
found_in = shared_interest(areas, width)
MASKS = {"red": found_in.red, "blue": found_in.blue, "random": found_in.random}
treated = {
    kind: np.stack(
        [blurred_away(trained[n], patches, found[n].sr, mask, window=window) for n in names]
    )
    for kind, mask in MASKS.items()
}  # (networks, patches, 2)
effect = {kind: values[..., 0] for kind, values in treated.items()}
loss = {kind: values[..., 1] for kind, values in treated.items()}
red, blue = found_in.red, found_in.blue

# %% tags=["hide-input"] mystnb={"figure": {"caption": "What the areas of contribution have in common on each hard crop. Red: at least 90 % of the trained networks; blue: at least two of the wider half and none of the narrower half. Numbers: LR pixels. Do the blue areas resemble what is in the square? Double-click for the whole crops.", "name": "fig-networks-interest"}}
panels, notes = {}, {}
for i in range(num_patches):
    shown, column = image_to_array(patches.hr[i]), patches.names[i].replace(" ", "<br>")
    layers = {COLOURS[0]: 0.65 * blue[i], COLOURS[4]: 0.65 * red[i]}
    panels["HR", column] = shown
    panels["used", column] = tinted(shown, layers)
    notes["used", column] = f"red {red[i].sum()}<br>blue {blue[i].sum()}"
panels = {key: panels[key] for row in ("HR", "used") for key in panels if key[0] == row}
attribution_grid(panels, notes=notes, **grid)

# %% [markdown]
# A map is an attribution, not a proof of use. So we blur those areas in the LR image, with the Gaussian of
# LAM's baseline, and measure how much the SR patch changes.


# %% tags=["hide-input"] mystnb={"figure": {"caption": "How much the SR patch changes when an area is blurred in the LR image: a dot for each crop (mean over the networks of a half), bars from lowest to highest. “Random” are as many pixels as the red area has, outside every network's area. Does blue change the wide half more than the narrow one?", "name": "fig-networks-use"}}
halves = {"wide": found_in.wide, "narrow": found_in.narrow}
used = {
    f"{kind}: {half} networks": found_in.mean(effect[kind], halves[half]) + 1e-3
    for kind, half in product(effect, halves)
}
interval_dots(used, x_title="change of the patch, RMS in 1/255 (+ 0.001)", log_x=True)

# %% [markdown]
# ## Verdict

# %% tags=["hide-cell"]
ATTENTIVE, PLAIN = ["IMDN", "RFDN", "RCAN", "SAN"], ["FSRCNN", "CARN", "EDSR", "RRDBNet"]
DEEP, SHALLOW = ["EDSR", "RRDBNet", "RCAN"], ["FSRCNN", "CARN"]


def log_di(families):
    """Mean log DI of the networks of these families: one value a crop; None without any."""
    own = members(trained, families)
    return np.mean([np.log(di[name]) for name in own], axis=0) if own else None


def factor(families, others):
    """log of the DI of these over that of the others, one value a crop; None where some are missing."""
    one, other = log_di(families), log_di(others)
    return None if one is None or other is None else one - other


mean = {name: float(values.mean()) for name, values in di.items()}
further, deeper = factor(ATTENTIVE, PLAIN), factor(DEEP, SHALLOW)
used_by_all = effect["red"] - effect["random"]  # (networks, patches)
ahead = found_in.mean(effect["blue"], found_in.wide) - found_in.mean(
    effect["blue"], found_in.narrow
)
lost = found_in.mean(loss["blue"], found_in.wide)
by_width = sorted(names, key=mean.get)
best_plain = max(members(trained, PLAIN), key=mean.get)
attentive = members(trained, ATTENTIVE)
exceed = [name for name in attentive if mean[name] > mean[best_plain]]
original, *windows = (
    center_crop(one, window) for one in (patches.hr, *(found[n].sr for n in names))
)
window_psnr = np.array([psnr(own, original, border=0).cpu().numpy() for own in windows])
worse = found_in.wide & (
    window_psnr < found_in.mean(window_psnr, found_in.narrow)
)  # wide but wrong

# %% tags=["hide-input"] mystnb={"figure": {"caption": "All measures of this run. Spread: lowest to highest over the crops for a network's DI, bootstrap interval of the mean over crops for differences.", "name": "fig-networks-verdict"}}
PAPER = {"FSRCNN": "0.797", "CARN": "1.807", "EDSR": "2.977", "RRDBNet": "13.417"}
PAPER |= {"IMDN": "14.643", "RFDN": "13.208", "RCAN": "16.596", "SAN": "18.642"}
FACTORS = {"with attention over without": (further, "5.7"), "deep over shallow": (deeper, "7.3")}
for text, (values, told) in FACTORS.items():
    if values is not None:
        low, high = np.exp(mean_interval(values))
        study.measure(f"DI, {text}", np.exp(values.mean()), interval=(low, high), paper=told)
for name, values in di.items():
    study.measure(f"DI of {name}", values, paper=PAPER.get(family(name), ""))
study.measure("LR pixels that all notice", red.sum(axis=(1, 2)), glue="networks_red")
study.measure("LR pixels that only wide ones notice", blue.sum(axis=(1, 2)), glue="networks_blue")
text = "blue blurred: change, wide minus narrow"
study.measure(text, ahead, interval=mean_interval)
text = "blue blurred: wide networks' loss in the patch, dB"
study.measure(text, lost, interval=mean_interval, glue="networks_lost")
study.measure("wide but wrong, share of wide maps", worse.sum() / found_in.wide.sum())
study.glue(
    networks_wrong=int(worse.sum()),
    networks_wide_maps=int(found_in.wide.sum()),
    networks_best_plain=best_plain,
    networks_exceed=", ".join(exceed) or "none",
    networks_patches=num_patches,
    networks_count=len(names),
    networks_bicubic=mean["bicubic"],
    networks_narrowest=by_width[0],
    networks_widest=by_width[-1],
    networks_lowest=mean[by_width[0]],
    networks_highest=mean[by_width[-1]],
    networks_over_patches=np.mean([di[name].std() for name in names]),
    networks_over_networks=np.std([mean[name] for name in names]),
)
for kind, families in {"plain": PLAIN, "attentive": ATTENTIVE}.items():
    study.glue(**{f"networks_{kind}": np.mean([mean[n] for n in members(trained, families)])})
for kind, half in product(effect, halves):
    study.glue(**{f"networks_{kind}_{half}": found_in.mean(effect[kind], halves[half]).mean()})
order = [mean[name] for name in ("PAN, published", "IMDN, published") if name in mean]
study.verdict(
    attention=None if further is None else exceeds(mean_interval(further)),
    deeper=None if deeper is None else exceeds(mean_interval(deeper)),
    red=together(*(exceeds(mean_interval(own)) for own in used_by_all)),
    blue=exceeds(mean_interval(lost)),
    wrong=worse.any(),
    bicubic=min(mean[name] for name in names) > mean["bicubic"],
    blue_wide=exceeds(mean_interval(ahead)),
    order=mean["bicubic"] < order[0] < order[1] if order else None,
)

# %% [markdown]
# ## What we have seen
#
# - **What all use.** The areas of at least 90 % of the {glue:text}`networks_count` networks share
#   {glue:text}`networks_red:.0f` LR pixels of a crop (mean of {glue:text}`networks_patches` crops). Blurring
#   them changes the patch by {glue:text}`networks_red_wide:.1f` (wide half) and
#   {glue:text}`networks_red_narrow:.1f` (narrow half) of 255 levels; blurring as many pixels outside all
#   areas, by {glue:text}`networks_random_wide:.2f` and {glue:text}`networks_random_narrow:.2f`.
# - **What only wide networks use.** That is another {glue:text}`networks_blue:.0f` pixels. Blurring them
#   changes the patch of the wide half by {glue:text}`networks_blue_wide:.2f` levels and that of the narrow
#   half by {glue:text}`networks_blue_narrow:.2f`, and costs the wide half {glue:text}`networks_lost:.3f` dB.
# - **Wide but wrong.** In {glue:text}`networks_wrong` of {glue:text}`networks_wide_maps` cases (a crop and a
#   network of its wider half) the patch comes out worse than in the narrower half on average.
# - **How wide.** The mean DI is {glue:text}`networks_bicubic:.2f` for bicubic enlargement,
#   {glue:text}`networks_lowest:.2f` for the narrowest trained network ({glue:text}`networks_narrowest`)
#   and {glue:text}`networks_highest:.2f` for the widest ({glue:text}`networks_widest`); it averages
#   {glue:text}`networks_attentive:.2f` with attention and {glue:text}`networks_plain:.2f` without (plain
#   means; the verdict's ratio is of geometric means, in which one wide network counts less). Networks with
#   attention that exceed the widest one without ({glue:text}`networks_best_plain`):
#   {glue:text}`networks_exceed`. The paper's networks are many times larger and trained hundreds of times
#   longer.
# - **Patch or network?** One network's DI varies from crop to crop by
#   {glue:text}`networks_over_patches:.2f` (standard deviation, mean over networks); the mean DI varies from
#   network to network by {glue:text}`networks_over_networks:.2f`.
#
# ## Exercises
#
# 1. Two networks of equal PSNR have a DI of 3 and 13. Which is better on a crop full of noise, and which on
#    a brick wall, if you had to bet?
# 2. Why is the random control drawn outside *every* network's area, and with as many pixels as red has?
#
# ```{dropdown} Answers
# 1. The map says where information comes from, not whether it is good. On a regular texture distant pixels
#    repeat what is missing, so a wide map can pay; on noise they are independent of the patch and cannot.
# 2. Blurring more pixels changes more. Only at equal size does a difference speak of *which* pixels are
#    blurred.
# ```
#
# ## Try it yourself
#
# - The published networks: `weights = "published"`, or `"both"` to see them beside ours.
# - A larger area: `share = 0.99` lets areas grow into the faint outskirts. Does blue still matter?
# - How DI depends on depth, width and training: {doc}`network_scale` and {doc}`diffusion_and_performance`.
# - Any patch of any picture: {doc}`/book/findings/lam/explorer`.
