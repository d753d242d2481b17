# %% [markdown]
# (finding-lam-sanity)=
# # Do attribution maps depend on the network and on what it needs?
#
# *10 minutes. You learn four tests that an attribution map can fail, and why comparing whole maps by rank
# hides most of it. Read {doc}`method` first.*
#
# ## The question
#
# This page asks a question of our own. A {term}`LAM` looks convincing: the pixels it marks lie on edges near
# the patch. So would the output of an edge detector, limited to the neighbourhood. {cite:t}`adebayo2018sanity`
# found that some popular maps of classifiers stay the same when the network's weights are replaced by random
# ones. {cite:t}`gu2021interpreting` show what their maps reveal, but include no test that a map could fail.
# Here are four.
#
# | a map that can be trusted … | tested by the paper |
# |---|---|
# | accounts for the whole gain of the target | states it (completeness) |
# | changes when the weights are replaced | no |
# | marks pixels whose loss hurts the patch, more than random or merely near ones | no |
# | does so better than simpler methods | compares pictures |
#
# **Why it matters:** every later finding of this chapter is read off these maps. If the distance to the patch
# alone could draw them, those findings would be about distance.

# %% tags=["parameters", "hide-cell"] quick={"num_patches": 2, "size": 64, "stride": 256, "networks": ["fsrcnn", "srresnet-gr"], "seeds": ["srresnet-gr-s1"], "random_layers": ["tail", "body"], "steps": 2}
image_set = "pictures"  # none was seen in training; "urban100-30" and "b100" are downloaded
num_patches = 6  # the hardest crops, one of a picture
size = 192  # side of a crop, HR pixels
stride = 192  # between the crops that are considered, HR pixels; 256 is faster on large sets
window = 16  # side of the explained patch in the middle of the crop, SR pixels
networks = ["fsrcnn", "srresnet-gr", "rcan-sr"]  # whose maps are tested
network = "srresnet-gr"  # the one whose weights are randomized, and that the rivals explain
seeds = ["srresnet-gr-s1", "srresnet-gr-s2"]  # the same network from other training seeds
random_layers = ["tail", "upsampler", "body", "head"]  # randomized one after another
steps = 12  # of every path integral, and noisy copies for SmoothGrad
shares = [0.005, 0.02, 0.08, 0.32]  # of the LR pixels that are treated
tile = 8  # side of the tiles that the causal method replaces, LR pixels
device = "auto"

# %% tags=["hide-cell"]
from itertools import product

import numpy as np
import torch

from srlab.attribution.lam import diffusion_index, lam, magnitude, patch
from srlab.attribution.paths import deblur
from srlab.attribution.rivals import causal_effect, plain_gradient, smooth_gradient
from srlab.attribution.sanity import (
    at_equal_distance,
    at_random,
    by_magnitude,
    by_nearness,
    randomized,
    replacement_curves,
    ring_correlation,
    similarity,
)
from srlab.attribution.targets import error_target
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.dots import interval_dots
from srlab.figures.maps import attribution_grid
from srlab.studies.lam.hard_patches import hard_patches
from srlab.studies.lam.views import map_rows, outline
from srlab.studies.study import Study, exceeds, mean_interval, together

study = Study(
    "lam/sanity",
    claim="Attribution maps depend on the weights and mark what the patch needs",
    source="asked by this book; LAM, Sec. 3, shows maps but does not test them",
    claims={
        "weights": "within rings of equal distance, maps of random weights are less like the trained map than those of other training seeds: interval of the difference above 0",
        "harm": "deletion: attributed pixels cost more than as many others at the same distances: interval above 0 for every network",
        "repair": "insertion: attributed pixels restore more than as many others at the same distances: interval above 0 for every network",
        "rivals": "deletion in LAM's order costs more than in that of the gradient and of SmoothGrad: both intervals above 0",
    },
    controls={
        "complete": "every map is complete within 1 %",
        "whole": "whole maps: random weights less alike than training seeds, by rank and SSIM, in every crop",
        "harm_random": "deletion: costs more than random pixels, interval above 0",
        "harm_nearest": "deletion: costs more than the nearest pixels, interval above 0",
        "repair_random": "insertion: restores more than random pixels, interval above 0",
        "repair_nearest": "insertion: restores more than the nearest pixels, interval above 0",
    },
    own_question=True,
    image_set=image_set,
    device=pick_device(device),
)

models = {name: study.network(name) for name in networks}
patches = hard_patches(
    image_set, models, num_patches, size=size, stride=stride, per_picture=1, device=study.device
)
rows, lr, hr = range(num_patches), patches.lr.split(1), patches.hr.split(1)
side, scale, middle = size // 4, 4, (size - window) // 2
target = patch(middle, middle, window)


def maps_of(model):
    return [lam(model, one, target, path=deblur(steps=steps)) for one in lr]


def shown(own):
    return [magnitude(one).cpu().numpy() for one in own]


maps = {name: maps_of(model) for name, model in models.items()}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The hardest crops and their maps. The orange square is the window that is explained. Numbers: PSNR of the crop in dB, diffusion index. Which maps leave the square, and along what? Double-click for the whole crops.", "name": "fig-sanity-maps"}}
notes = {
    name: [
        f"{db:.1f} dB<br>DI {diffusion_index(one):.1f}"
        for db, one in zip(patches.psnr[name], own, strict=True)
    ]
    for name, own in maps.items()
}
drawn = {name: shown(own) for name, own in maps.items()}
map_rows(patches, drawn, notes, window=window, count=num_patches)

# %% [markdown]
# ## What we run
#
# | question | test |
# |---|---|
# | complete? | sum of every map against the gain of its target |
# | about the network? | weights replaced by noise of the same mean and spread, from tail to head ({cite:t}`adebayo2018sanity`); as a yardstick, the same network from two other training seeds |
# | about what the patch needs? | *deletion*: blur the most attributed LR pixels and measure how many dB the patch loses; *insertion*: blur all but those and measure how many it keeps (after {cite:t}`petsiuk2018rise`) |
# | better than simpler maps? | the same test for the plain gradient, SmoothGrad ({cite:t}`smilkov2017smoothgrad`) and causal effects of tiles (CEM, {cite:t}`hu2024interpreting`) |
#
# In any stack of small convolutions attribution fades with distance. What is judged is therefore what a map
# says **beyond distance**. Two maps are compared *within rings*: each magnitude is divided by the mean of
# those at the same distance from the middle of the patch, up to 8 LR pixels away. And attributed pixels are tested
# against as many others *at the same distances*, drawn at random ring by ring. Random pixels and the *nearest*
# ones are controls.
#
# With more training: not shown. The tests are of the maps, and three networks as they are stand for others.
#
# Patches are chosen as in the paper: crops on which the networks do badly and differ much. Pixels are blurred
# with the Gaussian of σ 1.2 that is LAM's baseline. Losses and gains are averaged over the shares of pixels.

# %% tags=["remove-input"]
study

# %% [markdown]
# ## Is the map about the network?
#
# From the output towards the input, one part after another gets random weights. How similar does the map stay?
# Two yardsticks: the map of the same network from other training seeds, which learned much the same; and a
# ranking of pixels by nothing but their distance to the patch.

# %% tags=["hide-cell"]
trained = maps[network]


def alike_to_trained(own):
    """Rank correlation and SSIM of whole maps, correlation within rings: (crops, 3)."""
    pairs = zip(own, trained, strict=True)
    return np.array([(*similarity(*two), ring_correlation(*two, target, scale)) for two in pairs])


generator = torch.Generator().manual_seed(0)
stages = {"trained": trained}
for layer, model in randomized(models[network], generator=generator, layers=random_layers):
    stages[f"+ {layer}"] = maps_of(model)  # the model changes on the way
others = [maps_of(study.network(name)) for name in seeds]
alike = {stage: alike_to_trained(own) for stage, own in stages.items()}
alike["another seed"] = np.mean([alike_to_trained(own) for own in others], axis=0)
near = by_nearness((side, side), target, scale)
ruler = torch.empty(side * side).index_copy_(0, near, torch.arange(side * side, 0.0, -1))
ruler = ruler.reshape(1, 1, side, side).expand(1, 3, -1, -1)
with_ruler = [similarity(ruler, one.map).rank for one in trained]

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "The map of the first crop while weights are replaced by noise, from the tail (second panel) to the whole network (last but one), and the map of a network from another training seed (last). Numbers: rank correlation and SSIM with the trained network's map. Which panel resembles the first most?", "name": "fig-sanity-random"}}
firsts = {stage: own[0] for stage, own in stages.items()} | {"another seed": others[0][0]}
panels = {("", stage): one for stage, one in zip(firsts, shown(firsts.values()), strict=True)}
notes = {place: "ρ {:.2f}<br>SSIM {:.2f}".format(*alike[place[1]][0]) for place in panels}
square = outline(size, window)
attribution_grid(panels, size=(side, side), window=square, around=side / 3, notes=notes)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Similarity to the trained network's map while weights are replaced by noise, mean over the crops with bands from lowest to highest; the horizontal line: networks from other training seeds. Above: within rings, as judged. Middle and below, as controls: over whole maps, where the ranking is dominated by distance. Mind the different axes.", "name": "fig-sanity-cascade"}}
LINES = {"weights random": [*stages], "other training seeds": ["another seed"] * len(stages)}
values = {  # {measure: {line: (stages, crops)}}
    title: {line: np.stack([alike[stage][:, k] for stage in own]) for line, own in LINES.items()}
    for title, k in {"within rings": 2, "rank correlation": 0, "SSIM": 1}.items()
}
figure = stacked_curves(
    [*stages],
    {title: {k: v.mean(axis=1) for k, v in own.items()} for title, own in values.items()},
    bands={
        title: {k: (v.min(axis=1), v.max(axis=1)) for k, v in own.items()}
        for title, own in values.items()
    },
    x_title="randomized so far",
)
figure.update_xaxes(type="category")

# %% [markdown]
# ## Does the patch need the marked pixels?
#
# Now the network stays as it is, and the input loses the sharpness of some pixels: those that the map ranks
# first, as many at the same distances, the nearest ones, or as many at random.

# %% tags=["hide-cell"]
generator = torch.Generator().manual_seed(1)
curves = {}
for i in rows:
    random = at_random((side, side), generator)
    for name, model in models.items():
        first = by_magnitude(maps[name][i])
        same = at_equal_distance(first, (side, side), target, scale, generator)
        orders = {"attributed": first, "same distances": same, "nearest": near, "random": random}
        for kind, order in orders.items():
            curves[name, kind, i] = replacement_curves(
                model, lr[i], hr[i], target, order, shares=shares
            )
kinds = list(orders)
harm, repair = (
    {
        (name, kind): np.array([getattr(curves[name, kind, i], what) for i in rows])
        for name, kind in product(networks, kinds)
    }
    for what in ("harm", "repair")
)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "PSNR of the patch while growing shares of the LR pixels are blurred (above) or alone kept sharp (below), in the order of the map, at the same distances, by nearness, or at random; mean over the crops for one network. Above, the lower curve marks the better order; below, the higher one.", "name": "fig-sanity-curves"}}
panels = {
    f"{title}, dB": {
        kind: np.mean([getattr(curves[network, kind, i], title) for i in rows], axis=0)
        for kind in kinds
    }
    for title in ("deletion", "insertion")
}
stacked_curves(100 * np.array(shares), panels, x_title="pixels treated, %", log_x=True)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "How many dB more the patch loses when attributed pixels are blurred instead of as many others; a dot for each crop, the larger ones are means, bars from lowest to highest. Right of the dashed line the map ranks better than the control.", "name": "fig-sanity-harm"}}
CONTROLS = ("same distances", "random", "nearest")
ahead = {
    f"{name}: against {kind}": harm[name, "attributed"] - harm[name, kind]
    for name, kind in product(networks, CONTROLS)
}
interval_dots(ahead, x_title="dB lost more by deletion", reference=0)

# %% [markdown]
# ## Do simpler maps do as well?
#
# Three rivals explain the same network. The **gradient** asks what a tiny change would do. **SmoothGrad** asks
# that around the input. **CEM** blurs one tile after another and measures the error of the patch, for which it
# needs the original. Only LAM distributes the *whole* gain of the target.

# %% tags=["hide-cell"]
KINDS = ("gradient", "SmoothGrad", "CEM")
model, rivals = models[network], {kind: [] for kind in KINDS}
for i in rows:
    error = error_target(hr[i], middle, middle, window)
    rivals["gradient"].append(plain_gradient(model, lr[i], target))
    rivals["SmoothGrad"].append(smooth_gradient(model, lr[i], target, draws=steps))
    rivals["CEM"].append(causal_effect(model, lr[i], error, tile=tile))
helpful = {
    kind: [one.map.clamp(max=0) if kind == "CEM" else one.map for one in own]
    for kind, own in rivals.items()
}
rival_harm = {"LAM": harm[network, "attributed"]}
for kind, own in helpful.items():
    orders = [by_magnitude(one) for one in own]
    found = [
        replacement_curves(model, lr[i], hr[i], target, orders[i], shares=shares) for i in rows
    ]
    rival_harm[kind] = np.array([one.harm for one in found])
rival_harm |= {kind: harm[network, kind] for kind in CONTROLS}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Four maps for the same patches of one network. CEM shows the tiles that help. Numbers: loss in dB when pixels are blurred in the order of the map. Do the first three mark the same pixels?", "name": "fig-sanity-rivals"}}
drawn = {"LAM": shown(trained)} | {kind: shown(own) for kind, own in helpful.items()}
notes = {kind: [f"{value:.2f} dB" for value in rival_harm[kind]] for kind in drawn}
map_rows(patches, drawn, notes, window=window, count=3)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Loss of the patch when pixels are blurred in the order of each map and of the controls; a dot for each crop, bars from lowest to highest. Which maps do better than the nearest pixels?", "name": "fig-sanity-rival-harm"}}
interval_dots(rival_harm, x_title="dB lost by deletion")

# %% [markdown]
# ## Verdict

# %% tags=["hide-cell"]
worst = max(one.completeness_error for own in maps.values() for one in own)
last, other = alike[[*stages][-1]], alike["another seed"]


def ahead_of(values, kind):
    """How much more attributed pixels do: (networks, crops)."""
    return np.array([values[name, "attributed"] - values[name, kind] for name in networks])


def every(gains):
    """Whether each network's mean over the crops lies above 0."""
    return together(*(exceeds(mean_interval(own)) for own in gains))


def on_average(values, kind):
    return exceeds(mean_interval(ahead_of(values, kind).mean(axis=0)))


seeds_ahead = other[:, 2] - last[:, 2]
over_rivals = [rival_harm["LAM"] - rival_harm[kind] for kind in ("gradient", "SmoothGrad")]

# %% tags=["hide-input"] mystnb={"figure": {"caption": "All measures of this run. Spread: bootstrap interval of the mean over crops for what deletion and insertion cost, else lowest to highest over crops.", "name": "fig-sanity-verdict"}}
RANK, SSIM, RINGS = "rank correlation", "SSIM", "within rings"
text = f"{RINGS}: other seeds minus random weights"
study.measure(text, seeds_ahead, interval=mean_interval)
for at, (text, key) in enumerate({RANK: "rank", SSIM: "ssim", RINGS: "ring"}.items()):
    study.measure(f"{text}, all weights random", last[:, at], glue=f"sanity_{key}")
    study.measure(f"{text}, other training seeds", other[:, at], glue=f"sanity_seed_{key}")
study.measure(f"{RANK}, nearness alone", with_ruler, glue="sanity_ruler")
study.measure("largest completeness error, %", 100 * worst, glue="sanity_worst")
SHORT = {"same distances": "same", "random": "random", "nearest": "nearest"}
costs = {
    f"{words}: more than {kind}, dB": (
        ahead_of(values, kind).mean(axis=0),
        f"sanity_{key}_{SHORT[kind]}",
    )
    for words, key, values in (("deletion", "harm", harm), ("insertion", "repair", repair))
    for kind in CONTROLS
}
costs |= {
    f"deletion by {kind}, dB": (rival_harm[kind], f"sanity_rival_{kind.lower()}")
    for kind in ("LAM", *KINDS)
}
for name, (values, key) in costs.items():
    study.measure(name, values, interval=mean_interval, glue=key)
for kind in KINDS:
    one = rivals[kind][0]
    passes = {"forward": one.forward_passes, "backward": one.backward_passes}
    study.glue(**{f"sanity_{way}_{kind.lower()}": count for way, count in passes.items()})
study.glue(sanity_forward_lam=steps + 2, sanity_backward_lam=steps)
study.glue(sanity_patches=num_patches)
study.verdict(
    weights=exceeds(mean_interval(seeds_ahead)),
    harm=every(ahead_of(harm, "same distances")),
    repair=every(ahead_of(repair, "same distances")),
    rivals=together(*(exceeds(mean_interval(gain)) for gain in over_rivals)),
    complete=worst <= 0.01,
    whole=(last[:, :2] < other[:, :2]).all(),
    harm_random=on_average(harm, "random"),
    harm_nearest=on_average(harm, "nearest"),
    repair_random=on_average(repair, "random"),
    repair_nearest=on_average(repair, "nearest"),
)

# %% [markdown]
# ## What we have seen
#
# - **Complete.** The least complete map misses its total by {glue:text}`sanity_worst:.2f` % of the gain.
# - **About the network.** Within rings the map of a network with random weights correlates with the trained
#   one by {glue:text}`sanity_ring:.2f`, that of another training seed by {glue:text}`sanity_seed_ring:.2f`. Over
#   whole maps the rank correlations are {glue:text}`sanity_rank:.2f` and {glue:text}`sanity_seed_rank:.2f`, the
#   SSIM {glue:text}`sanity_ssim:.2f` and {glue:text}`sanity_seed_ssim:.2f`; distance alone reaches a rank
#   correlation of {glue:text}`sanity_ruler:.2f`.
# - **About the patch.** Blurring attributed pixels costs {glue:text}`sanity_harm_same:.2f` dB more than blurring
#   others at the same distances, {glue:text}`sanity_harm_random:.2f` dB more than random ones and
#   {glue:text}`sanity_harm_nearest:.2f` dB more than the nearest. Kept sharp, they restore
#   {glue:text}`sanity_repair_same:.2f`, {glue:text}`sanity_repair_random:.2f` and
#   {glue:text}`sanity_repair_nearest:.2f` dB more (means over networks and {glue:text}`sanity_patches` crops;
#   negative: less).
# - **Against its rivals**, on one network:
#
# | map | loss by deletion, dB | forward passes | backward passes | needs the original |
# |---|---|---|---|---|
# | LAM | {glue:text}`sanity_rival_lam:.2f` | {glue:text}`sanity_forward_lam` | {glue:text}`sanity_backward_lam` | no |
# | gradient | {glue:text}`sanity_rival_gradient:.2f` | {glue:text}`sanity_forward_gradient` | {glue:text}`sanity_backward_gradient` | no |
# | SmoothGrad | {glue:text}`sanity_rival_smoothgrad:.2f` | {glue:text}`sanity_forward_smoothgrad` | {glue:text}`sanity_backward_smoothgrad` | no |
# | CEM, tiles | {glue:text}`sanity_rival_cem:.2f` | {glue:text}`sanity_forward_cem` | {glue:text}`sanity_backward_cem` | yes |
#
# ## Exercises
#
# 1. Why does the rank correlation over whole maps stay high even with random weights?
# 2. A map passes deletion but fails insertion. What could it look like?
#
# ```{dropdown} Answers
# 1. Random convolutions have the same receptive field, and gradients fade with distance in any stack of them.
#    Most pixels lie far from the patch and rank low in both maps, whatever the weights.
# 2. It marks pixels that are necessary but not sufficient, for instance only one side of an edge: without
#    them the patch suffers, but they alone cannot restore it.
# ```
#
# ## Try it yourself
#
# - Refine the causal tiles: `tile = 4`. CEM gets sharper, and four times as expensive.
# - Randomize from the head instead: `random_layers = ["head", "body", "upsampler", "tail"]`.
# - Does the global residual, which has no weights, preserve the map? `network = "srresnet-wogr"`, with
#   `seeds = ["srresnet-wogr-s1"]` and the network added to `networks`.
# - Test the maps of your own network: {doc}`/book/findings/your_network`.
