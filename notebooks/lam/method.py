# %% [markdown]
# (finding-lam-method)=
# # Does a deblurring path keep attribution from saturating?
#
# *10 minutes. You learn how a local attribution map is computed, what its baseline does,
# and how to check that a map can be trusted.*
#
# ## The claim
#
# Integrated gradients explain a number by walking from an uninformative input, the *baseline*, to the
# real one and adding up the gradients on the way. The usual walk starts at a black image and fades the
# picture in. For super-resolution (SR) that is a poor walk, say {cite:t}`gu2021interpreting` (Sec. 3.3–3.4,
# Fig. 2–3): edges and textures are what counts, and a picture at a tenth of its brightness already has all
# of them, so that the gradients **saturate**. Their local attribution map ({term}`LAM`) starts from the
# *blurred* picture and *deblurs* it, so that structure appears gradually. With $\gamma(\alpha)$ the image at
# a share $\alpha$ of the way and $D$ the sum of gradient magnitudes in the explained window,
#
# $$
# \mathrm{LAM} = \int_0^1 \frac{\partial D(F(\gamma(\alpha)))}{\partial \gamma(\alpha)}
# \cdot \frac{\partial \gamma(\alpha)}{\partial \alpha}\, d\alpha .
# $$
#
# In words: a pixel is credited when it changes *and* the edges in the window react to that change.
#
# | | reported by the paper |
# |---|---|
# | black baseline, straight path | gradients saturate |
# | blurred baseline, deblurring path | gradients accumulate where the image changes most |
# | steps of the sum | 100 are enough |
# | brightness | explaining edges instead of intensities makes maps robust to it (Sec. 3.1) |
# | flat areas | easy; only hard patches tell networks apart (Sec. 3.1, 4.1) |
#
# **Why it matters:** a map is only worth looking at if the method behind it works: is the sum complete, has
# it converged, and does it stay inside what the network can see?

# %% tags=["parameters", "hide-cell"] quick={"image_sets": ["textures"], "limit": 1, "size": 64, "steps": 8, "published_steps": [8], "reference_steps": 16, "network": "fsrcnn"}
image_sets = ["textures", "photographs"]  # none of them was seen in training
limit = 3  # pictures taken from each set; None takes all
size = 192  # side of the central HR crop; maps of different sizes cannot be compared
window = 16  # side of the explained patch, SR pixels, in the middle of the crop
steps = 16  # nodes on every path (srlab's default)
published_steps = [50, 100]  # step counts of the published quadrature to try
reference_steps = 64  # what counts as converged
network = "srresnet-gr"  # the one whose paths are watched
device = "auto"

# %% tags=["hide-cell"]
from itertools import product

import numpy as np
import pandas as pd
import torch

from srlab.attribution.lam import diffusion_index, lam, magnitude, patch, signed
from srlab.attribution.paths import deblur, straight
from srlab.attribution.robustness import robustness
from srlab.attribution.targets import brightness
from srlab.data.datasets import load_images
from srlab.degradations import Degradation
from srlab.degradations.filters import upsample
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.dots import interval_dots
from srlab.figures.maps import attribution_grid
from srlab.images import center_crop, image_to_array
from srlab.statistics import rank_correlation
from srlab.studies.frames import curves
from srlab.studies.lam.principles import (
    change_with_brightness,
    errors_by_edges,
    root_first_map,
)
from srlab.studies.lam.views import outline
from srlab.studies.study import Study, exceeds, mean_interval, stays_below, together

study = Study(
    "lam/method",
    claim="A blurred baseline and a deblurring path keep attribution from saturating",
    source="LAM, Sec. 3, Fig. 2–3",
    claims={
        "gradient": "gradients saturate from black: mean cosine with the last one along the path above that while deblurring, interval of the difference above 0",
        "target": "the target saturates from black: mean share of its gain along the path above that while deblurring, interval of the difference above 0",
        "sharp": "while deblurring the target rises where the image changes: rank correlation of the two over the published steps, interval above 0",
        "converged": "100 published steps are enough: mean error of the map below 2 %, interval",
        "brightness": "in a brighter picture the map of edges changes less than that of mean intensity, interval of the difference above 0",
        "hard": "the third of windows with the weakest edges is restored better than that with the strongest, and networks differ less on it: both intervals above 0",
    },
    controls={
        "complete": "every map of every network is complete within 1 %",
        "local": "bicubic: no attribution outside its receptive field",
    },
    says={
        "gradient": "Sec. 3.4: “It reduces D(F(I)) by reducing the intensity of all the pixels, resulting in saturation for the gradients of all these interpolations.”",
        "target": "Sec. 3.4, Fig. 3f: “saturation can be triggered when the curve shows a flat trend”",
        "sharp": "Sec. 3.4: “high magnitude gradients accumulate at the same range where the D(F(γpb(α))) increases sharply and also where the magnitudes of ∂γpb(α)/∂α have large values”",
        "converged": "Sec. 3.3: “Experimentally, a step number of 100 is enough to approximate the integral.”",
        "brightness": "Sec. 3.1: “In this manner, the attribution results are robust to the brightness changes.”",
        "hard": "Sec. 3.1: “The flat areas and simple edges are relatively easy to reconstruct in SR.”",
    },
    image_set=", ".join(image_sets),
    device=pick_device(device),
)

reduce = Degradation(scale=4)
pictures = {n: i for s in image_sets for n, i in load_images(s, limit=limit).items()}
lr = {
    name: reduce(center_crop(image, size)[None]).to(study.device)
    for name, image in pictures.items()
}
textures = [name for name in pictures if name in load_images(image_sets[0])]
middle = (size - window) // 2
target = patch(middle, middle, window)
grid = {"size": (size // 4, size // 4), "window": outline(size, window)}

networks = {"bicubic": lambda lr: upsample(lr, 4)}
networks |= {"SRCNN": study.network("srcnn-3"), "FSRCNN": study.network("fsrcnn")}
networks["SRResNet"] = study.network(network)
model = networks["SRResNet"]

# %% [markdown]
# Three paths lead from a baseline to the picture: a straight one from black, a straight one from the
# blurred picture, and deblurring. All are cut into steps over which the image changes equally much.

# %% tags=["hide-cell"]
PATHS = {
    "black, straight": straight("black", steps=steps),
    "blurred, straight": straight("blur", steps=steps),
    "blurred, deblurring": deblur(steps=steps),
}
walks = {
    (title, name): lam(model, image, target, path=path, keep_gradients=True)
    for title, path in PATHS.items()
    for name, image in lr.items()
}


# %% tags=["hide-input"] mystnb={"figure": {"caption": "Two paths to the same picture: the image, the gradient of the target, and the map accumulated so far, at five of the steps. The orange square is the window that is explained. Above, the picture fades in from black; below, it is deblurred. Compare the gradients from left to right: on which path do they still change at the end? Maps are divided by their maximum; their colours follow the square root. Only the surroundings of the window are shown: double-click for the whole maps.", "name": "fig-lam-walks"}}
def array(map_):
    return magnitude(map_).cpu().numpy()


first, seen = next(iter(lr)), np.linspace(0, steps - 1, 5).round().astype(int)
panels = {}
for path in ("black, straight", "blurred, deblurring"):
    walk = walks[path, first]
    images, grown = walk.path.curve(torch.tensor(walk.path.nodes)), walk.accumulated()
    for k in seen:
        column = f"step {k + 1} of {steps}"
        panels[f"{path}:<br>image", column] = image_to_array(images[k])
        panels[f"{path}:<br>gradient", column] = array(walk.gradients[k : k + 1])
        panels[f"{path}:<br>map", column] = array(grown[k : k + 1])
attribution_grid(panels, around=8, **grid)

# %% [markdown]
# ## What we run, and what differs from the paper
#
# "Saturates" can mean two things, and we test both. The *target* saturates when it has made its whole gain
# long before the path ends: its mean gain along the path is then high. The *gradient* saturates when it
# stops changing although the image still does: the mean cosine of all gradients, summed over the colours,
# with the last one is then high. The paper shows both in a figure and states no thresholds, so the two
# paths are compared.
#
# :::{dropdown} What differs from the paper
# | | paper | here |
# |---|---|---|
# | networks | 18 published ones at ×4 | bicubic, SRCNN, FSRCNN, SRResNet (32 channels) at ×4, trained for minutes |
# | pictures | 150 hard crops of 256×256 | the middle 192×192 of embedded textures and photographs |
# | explained | gradient magnitude in a central 16×16 window | the same |
# | blurred baseline | Gaussian, σ 1.2 LR pixels (public code) | the same |
# | sum | 100 steps, even in σ (public code: 50, gradient at the right end) | 16 steps of equal length on the path, gradient in their middle |
# | with more training | – | not shown: the claims are about paths and targets, which are the same for any weights |
# :::

# %% tags=["remove-input"]
study

# %% [markdown]
# The same over all pictures. The upper panel is the usual *saturation curve*: what share of its gain has
# the target made? The lower one asks how similar the gradient already is to the last one.


# %% tags=["hide-cell"]
def similarity(gradients):
    """Cosine of each gradient, summed over the colours, with the last: (steps,)."""
    flat = gradients.sum(dim=1).flatten(1).double()
    return torch.cosine_similarity(flat, flat[-1:]).cpu().numpy()


way = (np.arange(steps) + 0.5) / steps  # share of the path's length at the nodes
gain = {key: (walk.values - walk.start) / (walk.end - walk.start) for key, walk in walks.items()}
alike = {key: similarity(walk.gradients) for key, walk in walks.items()}
stale, early = (  # {path: mean along it, one value a picture}
    {path: np.array([values[path, name].mean() for name in lr]) for path in PATHS}
    for values in (alike, gain)
)


# %% tags=["hide-input"] mystnb={"figure": {"caption": "What the target and its gradient do along the three paths; mean over the pictures, bands from lowest to highest. Above: a curve that flattens before the end would show a saturated target. Below: a curve that is high early shows a saturated gradient.", "name": "fig-lam-saturation"}}
TITLES = {"share of the gain made": gain, "cosine with the last gradient": alike}
along = pd.concat(
    pd.DataFrame({"measure": title, "path": path, "way": way, "value": values[path, name]})
    for title, values in TITLES.items()
    for path in PATHS
    for name in lr
)
lines, bands = curves(along, panel="measure", line="path", x="way")
stacked_curves(way, lines, bands=bands, x_title="share of the path's length")

# %% [markdown]
# In classification one expects the upper panel to level off. A network of convolutions and ReLUs without
# biases is *homogeneous*: half the brightness in, half the brightness out. A dark picture has the same
# edges, only weaker, so the target of such a network grows in proportion to the brightness and cannot
# saturate, whereas its gradient can.
#
# Where on the deblurring path does the target make its gain? The public code cuts σ evenly; then the
# image moves far in some steps and hardly at all in others.


# %% tags=["hide-cell"]
def moves_with_target(image):
    """Rank correlation, over published steps, of the target's rise and the image's way."""
    found = lam(model, image, target, path=deblur(rule="right", steps=steps))
    ((_, moved),) = found.path.pieces(steps)
    rise = np.diff([found.start, *found.values])
    return rank_correlation(rise, moved.abs().flatten(1).sum(dim=1).cpu().numpy())


together_along = np.array([moves_with_target(image) for image in lr.values()])

# %% [markdown]
# ## How many steps?
#
# The sum that stands in for the integral has two settings: where in a step the gradient is taken, and how
# the path is cut into steps. The public code takes the right end and cuts σ evenly. A Gaussian of σ below
# 0.3 pixels hardly blurs on a pixel grid, so the last quarter of those steps does not move the image. srlab
# takes the middle of steps of equal length.

# %% tags=["hide-cell"]
RULES = {
    "published: right end, even σ": ("right", published_steps),
    "middle, even σ": ("midpoint", [steps // 2, steps]),
    "srlab: middle, equal length": ("arc-midpoint", [steps // 2, steps]),
}
converged = {
    name: array(lam(model, lr[name], target, path=deblur(steps=reference_steps)))
    for name in textures
}
errors = []
for rule, (kind, counts) in RULES.items():
    for count, name in product(counts, textures):
        found = lam(model, lr[name], target, path=deblur(rule=kind, steps=count))
        apart = np.abs(array(found) - converged[name]).sum() / converged[name].sum()
        values = {"map": apart, "completeness": found.completeness_error}
        errors += [
            {"measure": f"error of the {m}, %", "rule": rule, "count": count, "value": 100 * value}
            for m, value in values.items()
        ]
errors = pd.DataFrame(errors)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Error of the sum against the number of gradients, on the textures: mean, and bands from lowest to highest. Above: mean absolute difference of the shown map from the converged one, relative to its mean. Below: how far the map's sum is from what the target gained. How many right ends does it take to equal sixteen midpoints of equal length?", "name": "fig-lam-quadrature"}}
lines, bands = curves(errors, panel="measure", line="rule", x="count")
axes = {rule: counts for rule, (_, counts) in RULES.items()}
figure = stacked_curves(
    axes, lines, bands=bands, x_title="gradients taken", log_x=True, log_y=list(lines)
)
figure.update_xaxes(tickvals=sorted({*errors["count"]}))
figure.update_yaxes(tickvals=[0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10])

# %% [markdown]
# ## How much does a map owe to its settings?
#
# The blur of the baseline and the size of the window are choices. We repeat the map of one picture
# under other ones, and watch on which part of the path it is made.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Where on the path the map is made: size of each step (sum over all pixels) over an even share, for baselines of different blur. Look at the widest blurs: do the first steps, which restore coarse shapes, add more than their share? In brackets the diffusion index of the whole map.", "name": "fig-lam-robust"}}
few = steps // 2
repeated = robustness(model, lr[first], target, steps=few)
sizes = {
    f"σ {sigma:g} (DI {own.diffusion_index:.2f})": few * own.step_sizes().cpu().numpy()
    for sigma, own in repeated.by_sigma.items()
}
places = (np.arange(few) + 0.5) / few
stacked_curves(places, {"size of the step": sizes}, x_title="share of the path's length")

# %% [markdown]
# ## Why is my map black?
#
# The target is a sum of square roots, √(dh² + dw²), and the slope of a root at zero is infinite. Where
# the SR image is *exactly* flat (a black bar, a blank page) the gradient is 0 · ∞, not a number (NaN). The
# public code takes the root over the whole image, cuts out the window afterwards, and replaces NaN by zero.
# How much of a map that silently erases depends on how far the network sees. We put black bars on a
# picture, as on a film frame, and ask two networks: SRCNN, which sees a few pixels, and the same SRCNN
# behind an exposure control that divides by the mean of the whole picture, as channel attention in effect does.


# %% tags=["hide-cell"]
def exposed(lr):
    exposure = lr.mean(dim=(1, 2, 3), keepdim=True)
    return networks["SRCNN"](lr / exposure) * exposure


frame, bar = lr[list(lr)[-1]].clone(), 3 * size // 64
frame[..., :bar, :] = frame[..., -bar:, :] = 0


# %% tags=["hide-input"] mystnb={"figure": {"caption": "The same target with the root taken before and after the window is cut out. Blank pixels are NaN, which the public code paints as zero. A network that sees little loses only what it never used; behind a global mean every pixel is connected with the flat bars. srlab cuts the window out first and defines the gradient of a flat place as zero. How much of each map in the middle is lost?", "name": "fig-lam-nan"}}
panels, notes, lost = {}, {}, {}
for label, net in {"SRCNN": networks["SRCNN"], "SRCNN, global exposure": exposed}.items():
    broken = root_first_map(net, frame, middle, window, steps=4)
    kept = lam(net, frame, target, path=deblur(steps=4))
    lost[label] = broken.isnan().any(dim=1).double().mean().item()
    panels[label, "picture"] = image_to_array(frame[0])
    shown = array(broken.nan_to_num(0))
    shown[broken.isnan().any(dim=1)[0].cpu().numpy()] = np.nan
    panels[label, "root first"] = shown
    panels[label, "window first (srlab)"] = array(kept)
    notes[label, "picture"] = "with black bars"
    notes[label, "root first"] = f"{lost[label]:.0%} of the pixels NaN"
    notes[label, "window first (srlab)"] = f"DI {diffusion_index(kept):.2f}"
attribution_grid(panels, notes=notes, **grid)

# %% [markdown]
# srlab never replaces NaN: it refuses a network that produces one, and names the likely cause.
#
# ## Four networks on the textures
#
# Each map is summed up by the diffusion index (DI): near 0 if few pixels decide, 100 if all take part
# equally.

# %% tags=["hide-cell"]
maps = {
    (label, name): lam(net, image, target, path=deblur(steps=steps))
    for label, net in networks.items()
    if label != "SRResNet"
    for name, image in lr.items()
}
maps |= {("SRResNet", name): walks["blurred, deblurring", name] for name in lr}
di = {key: diffusion_index(found) for key, found in maps.items()}

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "Local attribution maps of four networks for the orange square on the textures, with their diffusion index. The receptive field says what a network could use, the map what it does use: bicubic enlargement cannot use more than an 8×8 square, SRResNet could use the whole picture. How far does each map reach? Double-click to see the whole pictures.", "name": "fig-lam-maps"}}
panels = {(name, "LR"): image_to_array(lr[name][0]) for name in textures}
panels |= {
    (name, label): signed(maps[label, name]).cpu().numpy()
    for label in networks
    for name in textures
}
notes = {(name, label): f"DI {di[label, name]:.2f}" for label in networks for name in textures}
attribution_grid(panels, around=12, notes=notes, **grid)

# %% [markdown]
# ## Edges rather than intensities, hard rather than flat windows
#
# Two principles precede the method (Sec. 3.1). Explaining *edges* rather than intensities should make maps
# indifferent to brightness: each picture is shown once darker and once brighter by a fifth of the range, at
# the same contrast. And *flat* windows should be easy for every network, so that only hard ones tell
# networks apart: all windows of a crop are sorted into thirds by the gradient of the original.


# %% tags=["hide-cell"]
MEASURES = {
    "edges": target,
    "mean intensity": patch(middle, middle, window, measure=brightness),
}
changed = {
    name: np.array(
        [change_with_brightness(model, one, own, steps=steps // 2) for one in lr.values()]
    )
    for name, own in MEASURES.items()
}


trained = [own for name, own in networks.items() if name != "bicubic"]
originals = {n: center_crop(pictures[n], size)[None].to(study.device) for n in lr}
thirds = [errors_by_edges(trained, lr[n], originals[n], window=window) for n in lr]
thirds = np.array(thirds)  # (pictures, networks, 2)
flat, edged = thirds.mean(axis=1).T
flat_spread, edged_spread = thirds.std(axis=1).T

# %% tags=["hide-input"] mystnb={"figure": {"caption": "How much a map changes when the picture gets brighter; a dot for each picture, bars from lowest to highest. Does the map of edges change less?", "name": "fig-lam-brightness"}}
interval_dots({f"map of {name}": own for name, own in changed.items()}, x_title="change of the map")

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Error of the SR image in the third of windows with the weakest edges and in that with the strongest: mean over the networks, and standard deviation between them; a dot for each picture. Are edges harder, and do networks differ more on them?", "name": "fig-lam-hard"}}
errors_shown = {"flat: error": flat, "edges: error": edged}
errors_shown |= {"flat: between networks": flat_spread, "edges: between networks": edged_spread}
interval_dots(errors_shown, x_title="RMS error, 1/255")

# %% [markdown]
# ## Verdict

# %% tags=["hide-cell"]
worst = {label: max(maps[label, n].completeness_error for n in lr) for label in networks}
rows = np.arange(size // 4)
low, high = ((edge + 0.5) / 4 - 0.5 for edge in (middle, middle + window))  # LR coordinates
near = torch.tensor(
    (rows > low - 2) & (rows < high + 2), device=study.device
)  # ± 2: bicubic's reach
outside = ~(near[:, None] & near)
stray = max(maps["bicubic", n].map[0, :, outside].abs().max().item() for n in lr)

fewest, last = published_steps[0], published_steps[-1]
of_map = errors[errors.measure == "error of the map, %"].groupby(["rule", "count"]).value
of_map = {key: own.to_numpy() for key, own in of_map}
right_end, _, equal_length = RULES
published, ours = of_map[right_end, last], of_map[equal_length, steps]
BLACK, SHARP = "black, straight", "blurred, deblurring"
differences = {
    "mean cosine with the last gradient, black minus deblurring": stale[BLACK] - stale[SHARP],
    "mean gain along the path, black minus deblurring": early[BLACK] - early[SHARP],
    "change with brightness, intensity minus edges": changed["mean intensity"] - changed["edges"],
    "error, edges minus flat, 1/255": edged - flat,
    "spread between networks, edges minus flat, 1/255": edged_spread - flat_spread,
}
gradient, early_gain, robust, easier, closer = (
    exceeds(mean_interval(values)) for values in differences.values()
)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "All measures of this run. Spread: lowest to highest over the pictures.", "name": "fig-lam-verdict"}}
SHORT = {"black, straight": "black", "blurred, straight": "blurred", "blurred, deblurring": "sharp"}
for path, short in SHORT.items():
    study.measure(f"mean cosine with the last gradient, {path}", stale[path], glue=f"lam_{short}")
    study.measure(f"mean gain along the path, {path}", early[path], glue=f"lam_{short}_gain")
TOLD = ["saturates (figure)", "saturates (figure)", "robust", "flat areas are easy", ""]
for (name, values), told in zip(differences.items(), TOLD):
    study.measure(name, values, interval=mean_interval, paper=told)
name = "rank correlation of the target's rise and the image's way"
study.measure(name, together_along, interval=mean_interval, glue="lam_along")
largest = study.measure(
    "largest completeness error, %", 100 * max(worst.values()), glue="lam_worst"
)
name = f"error of the map, {last} published steps, %"
study.measure(name, published, paper="“enough”", glue="lam_published")
study.measure(f"error of the map, {steps} srlab steps, %", ours, glue="lam_ours")
for label, told in {"bicubic": "", "FSRCNN": "0.797", "SRResNet": "2.977 (EDSR)"}.items():
    values = [di[label, name] for name in lr]
    study.measure(f"DI of {label}", values, paper=told, glue=f"lam_di_{label.lower()}")
for kind, ends in {"blur": repeated.sigma_range(), "window": repeated.window_range()}.items():
    study.glue(**{f"lam_{kind}_low": ends[0], f"lam_{kind}_high": ends[1]})
study.glue(
    lam_pictures=len(lr),
    lam_published_steps=last,
    lam_fifty=of_map[right_end, fewest].mean(),
    lam_fifty_steps=fewest,
    lam_steps=steps,
    lam_lost=100 * lost["SRCNN, global exposure"],
    lam_lost_local=100 * lost["SRCNN"],
    lam_bright_edges=100 * changed["edges"].mean(),
    lam_bright_mean=100 * changed["mean intensity"].mean(),
    lam_flat=flat.mean(),
    lam_edged=edged.mean(),
)
study.verdict(
    gradient=gradient,
    target=early_gain,
    sharp=exceeds(mean_interval(together_along)),
    converged=stays_below(mean_interval(published), 2),
    brightness=robust,
    hard=together(easier, closer),
    complete=largest <= 1,
    local=stray == 0,
    notes={"pictures": len(lr)},
)

# %% [markdown]
# ## What we have seen
#
# - **Gradient and target.** On the path from black the gradients have a mean cosine of
#   {glue:text}`lam_black:.2f` with the last one, while deblurring {glue:text}`lam_sharp:.2f`, and on a straight
#   path from the blurred picture {glue:text}`lam_blurred:.2f` ({glue:text}`lam_pictures` pictures). The
#   target's mean gain along the path is {glue:text}`lam_black_gain:.2f` from black and
#   {glue:text}`lam_sharp_gain:.2f` while deblurring; 0.5 would be a straight rise, and a curve that levels off
#   lies above it.
# - **Where the image changes.** Over the published steps the target's rise and the image's change have a rank
#   correlation of {glue:text}`lam_along:.2f`.
# - **Brightness and edges.** When a picture gets brighter, the map of edges changes by
#   {glue:text}`lam_bright_edges:.1f` %, that of mean intensity by {glue:text}`lam_bright_mean:.1f` %. Note that
#   deblurring leaves the mean brightness alone, whatever is explained. In flat windows networks err by
#   {glue:text}`lam_flat:.1f`, among strong edges by {glue:text}`lam_edged:.1f` of 255 levels.
# - **The sum.** The least complete map misses its total by {glue:text}`lam_worst:.2f` %.
#   {glue:text}`lam_steps` midpoints of equal length leave an error of {glue:text}`lam_ours:.1f` % in the map,
#   {glue:text}`lam_fifty_steps` published right ends {glue:text}`lam_fifty:.1f` %, and
#   {glue:text}`lam_published_steps` of them {glue:text}`lam_published:.1f` %.
# - **Settings.** Over blurs of 0.6 to 4 LR pixels the DI of one picture lies between
#   {glue:text}`lam_blur_low:.2f` and {glue:text}`lam_blur_high:.2f`, over windows of 8 to 32 SR pixels
#   between {glue:text}`lam_window_low:.2f` and {glue:text}`lam_window_high:.2f`. `srlab lam --robust` does
#   the same for your network.
# - **Black maps.** With the root taken first, {glue:text}`lam_lost_local:.0f` % of the pixels become NaN for
#   SRCNN on a picture with black bars, and {glue:text}`lam_lost:.0f` % once it sees a global mean.
# - **Diffusion.** The mean DI is {glue:text}`lam_di_bicubic:.2f` for bicubic enlargement,
#   {glue:text}`lam_di_fsrcnn:.2f` for FSRCNN and {glue:text}`lam_di_srresnet:.2f` for SRResNet.
#
# ## Exercises
#
# 1. Why can a path that fades in from black give credit to bright flat areas, while a deblurring path gives
#    them none?
# 2. A map of a network with a receptive field of 9×9 LR pixels shows attribution 20 pixels from the window.
#    What is wrong?
#
# ```{dropdown} Answers
# 1. The integrand is the gradient times the change of the image. From black, a pixel changes by its full
#    brightness; from the blurred picture it changes only by what blurring removed, which is zero in a flat area.
# 2. The method, not the network: outside the receptive field every gradient is exactly zero, and so is
#    their sum. This is the control `local` of this page.
# ```
#
# ## Try it yourself
#
# - Move the window: `target = patch(40, 200)`, or try every window in {doc}`/book/findings/lam/explorer`.
# - Blur less or more: `lam(…, path=deblur(sigma=0.6))` or `sigma=3`. The map follows the details that the
#   baseline lacks.
# - Explain something else: `patch(120, 120, measure=lambda window: window.mean(dim=(1, 2, 3)))` asks which
#   pixels make the window bright. What happens to the completeness error, and why?
# - Explain your own network: {doc}`/book/findings/your_network`.
