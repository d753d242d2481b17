# %% [markdown]
# (finding-effective-field)=
# # Do three measures of how far a network looks agree?
#
# *5 minutes. You learn what theoretical field, effective field and diffusion index measure, and what
# a skip hides. Read {doc}`receptive_field` first.*
#
# ## The question
#
# Papers that claim a wide view show one of three things. The *theoretical receptive field* is what
# could change an SR pixel, whatever the weights. The *effective receptive field* (ERF) of
# {cite:t}`luo2016understanding` is the gradient of the SR pixel in the middle with respect to the LR
# image, averaged over pictures; its area is printed as the *contribution-area ratio*. The
# {term}`diffusion index` (DI) of {cite:t}`gu2021interpreting` says how widely the attribution of a
# patch spreads. Do the three put networks into the same order? If they do, one will do. If they do
# not, a table of one says little about the others.
#
# Many users ask for scripts for the ERF, and the public ones follow a convention of their own:
# pictures are stretched to a square, and what is negative in the gradient is dropped (RepLKNet,
# VMamba, MambaIR). We also ask whether that matters.

# %% tags=["parameters", "hide-cell"] quick={"num_pictures": 2, "size": 32, "networks": ["fsrcnn-d56-m4", "carn", "imdn"], "steps": 2, "weights": "zoo"}
image_set = "pictures"  # none was seen in training
num_pictures = 3
size = 48  # side of the LR pictures; areas and DI depend on it
window = 16  # side of the patch that LAM explains, SR pixels
networks = [  # those that are shipped are measured
    *["fsrcnn-d56-m4", "carn", "edsr", "pan", "swinir"],
    *["rrdbnet", "rfdn", "imdn", "rcan", "san"],
]
weights = "present"  # the zoo, and published networks that need no download; or "zoo", "both"
skips = ["srresnet-gr", "srresnet-wogr"]  # one with a global residual, one without
steps = 4  # of every path integral
device = "auto"

# %% [markdown]
# ## What we run
#
# - **Effective field**: |∂ (SR pixel in the middle, RGB summed) / ∂ LR| on the middle of each
#   picture, computed exactly, and as in the published scripts.
# - **Area**: the smallest square that holds 99 % of the mean map, as a share of the picture.
# - **Theoretical field**: measured up to 128 LR pixels ("global" beyond), its side cut off at the
#   picture's.
# - **DI**: of the middle window, mean over the same pictures.
# - With more training: not shown; instead, published networks that need no download stand among the narrow ones.
#
# Orders are compared by Spearman's ρ over the networks. Its interval draws whole families (the narrow
# IMDN of this book and the published one are related).

# %% tags=["hide-cell"]
import numpy as np
import pandas as pd

from srlab.attribution.agreement import overlap
from srlab.attribution.effective_field import SHARES, erf
from srlab.attribution.lam import diffusion_index, lam, patch, signed
from srlab.attribution.paths import deblur
from srlab.attribution.targets import residual
from srlab.data.datasets import load_images
from srlab.degradations import Degradation
from srlab.devices import pick_device
from srlab.figures.maps import attribution_grid
from srlab.images import center_crop, crop_to_multiple, image_to_array
from srlab.networks.receptive_field import receptive_field
from srlab.statistics import rank_correlation, rank_correlation_interval
from srlab.studies.lam.chosen import chosen_networks, family
from srlab.studies.study import Study, exceeds

study = Study(
    "lam/effective_field",
    claim="Theoretical field, effective field and diffusion index order networks alike",
    source="asked by this book, of measures that papers print",
    claims={
        "used": "effective field (99 % area) and DI order networks alike: Spearman's ρ, interval above 0.5",
        "possible": "theoretical and effective field order networks alike: Spearman's ρ, interval above 0.5",
        "far": "theoretical field and DI order networks alike: Spearman's ρ, interval above 0.5",
        "convention": "the published convention orders effective fields as the exact one does: Spearman's ρ, interval above 0.8",
    },
    controls={"inside": "nothing of any effective field lies outside the theoretical one"},
    own_question=True,
    image_set=image_set,
    device=pick_device(device),
)
study

# %% [markdown]
# ## Experiment

# %%
models = chosen_networks(study, networks, weights)
reduce, pictures = Degradation(scale=4), load_images(image_set, limit=num_pictures).values()
whole = [reduce(crop_to_multiple(own, 4)[None])[0].to(study.device) for own in pictures]
lr = [center_crop(own, size)[None] for own in whole]
middle = (4 * size - window) // 2
target = patch(middle, middle, window)

# %%
field = {name: receptive_field(model, largest=128) for name, model in models.items()}
exact = {name: erf(model, whole, size=size) for name, model in models.items()}
published = {
    name: erf(model, whole, size=size, convention="published") for name, model in models.items()
}
walk = deblur(steps=steps)
di = {
    name: np.mean([diffusion_index(lam(model, own, target, path=walk)) for own in lr])
    for name, model in models.items()
}

# %% [markdown]
# ## The three, side by side

# %% tags=["hide-input"]
order = sorted(models, key=lambda name: (max(field[name]), exact[name].area_ratio(0.99)))
rows = {
    name: {
        "theoretical field": str(field[name]),
        **{f"area of {s:.0%}": f"{exact[name].area_ratio(s):.1%}" for s in SHARES},
        "99 %, published": f"{published[name].area_ratio(0.99):.1%}",
        "DI": f"{di[name]:.2f}",
    }
    for name in order
}
pd.DataFrame.from_dict(rows, orient="index")

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "Effective receptive fields, mean over the pictures, in the order of the theoretical field; the square is the SR pixel's own LR pixel. Each map is divided by its maximum, colours follow the square root. Above each: theoretical field, and the side of the square that holds 99 %. Which networks that could see everything use a small square?", "name": "fig-erf-maps"}}
panels, notes = {}, {}
for i, name in enumerate(order):
    place = (" " * (i // 5), " " * (i % 5))
    shown = exact[name].map
    panels[place] = (shown / shown.max()).cpu().numpy()
    label = name.replace(", ", "<br>")
    notes[place] = f"{label}<br>{field[name]}, 99 % in {exact[name].side(0.99)}"
attribution_grid(panels, size=(size, size), window=(size // 2, size // 2, 1, 1), notes=notes)

# %% [markdown]
# ## What does a skip hide?
#
# A skip from input to output hands the picture through, and what it hands through counts as
# attribution. `residual(network)` is the network less bicubic enlargement: its maps tell what the
# network adds. Both networks are asked the same on one picture, one with a skip and one without.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Attribution of the middle window's edges in SR, and in SR less bicubic. In which network does the map change?", "name": "fig-erf-skip"}}
panels, notes, common = {}, {}, {}
for name in skips:
    model = study.network(name)
    both = {
        "SR": lam(model, lr[0], target, path=walk),
        "SR − bicubic": lam(residual(model), lr[0], target, path=walk),
    }
    common[name] = overlap(*both.values())
    panels[name, "LR"] = image_to_array(lr[0][0])
    for title, own in both.items():
        panels[name, title] = signed(own).cpu().numpy()
        notes[name, title] = f"DI {diffusion_index(own):.2f}"
square = (middle / 4, middle / 4, window / 4, window / 4)
attribution_grid(panels, size=(size, size), window=square, around=12, notes=notes)

# %% [markdown]
# ## Verdict

# %%
measures = {
    "theoretical field": [min(max(field[name]), size) for name in models],
    "99 % area": [exact[name].area_ratio(0.99) for name in models],
    "DI": [*di.values()],
    "99 % area, published": [published[name].area_ratio(0.99) for name in models],
}
PAIRS = {
    "used": ("99 % area", "DI", 0.5),
    "possible": ("theoretical field", "99 % area", 0.5),
    "far": ("theoretical field", "DI", 0.5),
    "convention": ("99 % area, published", "99 % area", 0.8),
}
outcomes = {}
for key, (one, other, level) in PAIRS.items():
    pair = measures[one], measures[other]
    interval = rank_correlation_interval(*pair, [family(name) for name in models])
    rho = rank_correlation(*pair)
    study.measure(f"Spearman's ρ of {one} and {other}", rho, interval=interval, glue=f"erf_{key}")
    outcomes[key] = exceeds(interval, level)


def stray(name):
    """What of an effective field lies outside the theoretical one."""
    reach = min(max(field[name]), 2 * size)
    away = np.abs(np.arange(size) - size // 2)
    outside = np.maximum(away[:, None], away) > reach // 2
    return exact[name].map.cpu().numpy()[outside].sum()


study.measure("most of a field outside the theoretical one", max(map(stray, models)))
study.glue(erf_networks=len(models), erf_pictures=num_pictures)
study.glue(**dict(zip(["erf_common_with", "erf_common_without"], common.values())))
study.verdict(**outcomes, inside=max(map(stray, models)) == 0)

# %% [markdown]
# ## What we have seen
#
# - Over {glue:text}`erf_networks` networks and {glue:text}`erf_pictures` pictures, the effective
#   field and LAM's diffusion index have a rank correlation of {glue:text}`erf_used:.2f`, the
#   theoretical and the effective field of {glue:text}`erf_possible:.2f`, the theoretical field and DI
#   of {glue:text}`erf_far:.2f`.
# - The published convention and the exact one have a rank correlation of
#   {glue:text}`erf_convention:.2f`.
# - With a global residual, the maps of SR and of SR − bicubic have {glue:text}`erf_common_with:.0%` in
#   common, without one {glue:text}`erf_common_without:.0%`. If the skip's own part weighed much, the first
#   would be far below the second.
#
# ## Exercise
#
# Why can the published convention give a network half of the exact field's sum, or all of it?
#
# ```{dropdown} Answer
# It drops negative gradients. A smoothing kernel has none, so that nothing is lost; a network whose
# gradient has as much below zero as above loses half.
# ```
#
# ## Try it yourself
#
# - Your own network: `srlab erf mynet:Net edsr --images photos/`, or `srlab.erf(network, images)`.
# - The field of what a network adds: `erf(residual(model), whole, size=size)`.
