# %% [markdown]
# (finding-receptive-field)=
# # How much of its receptive field does a network use?
#
# *8 minutes. You learn the difference between what a network can see and what it uses, and
# how to measure both. Read {doc}`method` first.*
#
# ## The claim
#
# The *receptive field* of an SR pixel is all input that could possibly change it. It follows from the
# architecture alone, and work on ever wider fields takes for granted that what can be seen is used.
# {cite:t}`gu2021interpreting` put the field beside the {term}`diffusion index` (DI) of trained networks
# (Sec. 4.4, Tab. 1):
#
# | | FSRCNN | CARN | EDSR | MSRN | RRDBNet | IMDN | RFDN | RCAN | RNAN | SAN |
# |---|---|---|---|---|---|---|---|---|---|---|
# | receptive field | 17 | 45 | 75 | 107 | 703 | global | global | global | global | global |
# | PSNR | 20.30 | 21.27 | 20.96 | 21.39 | 20.96 | 21.23 | 21.40 | 22.20 | 21.91 | 22.55 |
# | DI | 0.797 | 1.807 | 2.977 | 3.194 | 13.417 | 14.643 | 13.208 | 16.596 | 13.243 | 18.642 |
#
# Up to a point wider fields come with a higher DI. But IMDN and RFDN, whose fields the paper calls global,
# use hardly more than RRDBNet, whose field already exceeds the crop, and make better pictures of it. Only RCAN
# and SAN, with both depth and global operations, use more.
#
# **Why it matters:** a wider field costs layers. Ask first how much of its field a network uses.

# %% tags=["parameters", "hide-cell"] quick={"num_patches": 2, "size": 96, "networks": ["fsrcnn-d56-m4", "carn", "edsr", "imdn", "rrdbnet"], "steps": 4}
image_set = "pictures"  # none was seen in training; "urban100-30" and "b100" are downloaded
num_patches = 8  # the hardest crops, one of a picture
size = 192  # side of a crop, HR pixels; the paper's is 256
stride = 192  # between the crops that are considered, HR pixels
window = 16  # side of the explained patch in the middle of the crop, SR pixels
networks = [  # those that are shipped are measured
    *["fsrcnn-d56-m4", "carn", "edsr", "msrn", "pan", "swinir"],
    *["rrdbnet", "rfdn", "imdn", "rcan", "rnan", "san"],
]
weights = "zoo"  # "published": networks as their authors trained them, downloaded; or "both"
judges = ["fsrcnn-d56-m4", "carn", "rcan"]  # whose PSNR says which crops are hard
shown = ["FSRCNN", "EDSR", "RRDBNet", "RCAN", "SAN"]  # whose maps are drawn
share = 0.95  # of the attribution that counts as used
steps = 8  # of every path integral
train = False  # True trains all networks here (hours)
device = "auto"

# %% tags=["hide-cell"]
import math
from itertools import pairwise, product

import numpy as np
import pandas as pd

from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.dots import interval_dots
from srlab.figures.theme import COLOURS
from srlab.networks.receptive_field import counted_receptive_field, receptive_field
from srlab.studies.lam.chosen import chosen_networks, family, members
from srlab.studies.lam.diffusion import diffusion, gathered, reach
from srlab.studies.lam.hard_patches import hard_patches
from srlab.studies.lam.views import map_rows, outline
from srlab.studies.networks import network, obtainable
from srlab.studies.study import Study, exceeds, mean_interval, reaches, stays_below, together

study = Study(
    "lam/receptive_field",
    claim="Networks use a small part of their receptive field, and a wider one alone does not help",
    source="LAM, Sec. 4.4, Tab. 1",
    claims={
        "used": "most networks with fields of more than 40 pixels: mean used reach below half of the possible one, by their intervals",
        "order": "without global operations DI rises with the field, FSRCNN < CARN < EDSR < RRDBNet: interval of each ratio above 1",
        "alone": "global operations alone do not help: DI of IMDN and RFDN over RRDBNet's, whose field exceeds the crop, interval below 1.1",
        "efficient": "they use it better: PSNR of IMDN and RFDN above RRDBNet's, interval above 0",
        "further": "RCAN and SAN: DI and PSNR above those of RRDBNet, IMDN and RFDN, both intervals",
    },
    controls={
        "fence": "at most a millionth of any map lies outside the measured field",
        "decides": "networks that see the whole crop: highest over lowest DI, interval above 1",
    },
    says={
        "used": "Sec. 1: “For most deep networks, the receptive field is much larger than the pixel range that actually contributes to the SR.”",
        "order": "Sec. 4.4, Tab. 1: fields of 17, 45, 75 and 703 pixels have a DI of 0.797, 1.807, 2.977 and 13.417",
        "alone": "Sec. 4.4: “IMDN, RFDN and RNAN with the above global operations do not significantly utilize the information from more pixels”; in Tab. 1 IMDN's DI is 1.09 times RRDBNet's",
        "efficient": "Sec. 4.4: “they are more efficient in the use of information, which is reflected in their better PSNR performance”",
        "further": "Sec. 4.4, of RCAN and SAN: “They all achieve higher DI values and also better performances.”",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

models = chosen_networks(study, networks, weights)
field = {name: receptive_field(model) for name, model in models.items()}  # (rows, columns)
counted = {  # to see everything, one layer suffices
    name: own if math.isinf(max(own)) else counted_receptive_field(models[name])
    for name, own in field.items()
}
widest = {name: max(own) for name, own in field.items()}  # side of the square around it

judging = {name: network(name, device=study.device) for name in obtainable(judges)}
patches = hard_patches(
    image_set, judging, num_patches, size=size, stride=stride, per_picture=1, device=study.device
)

found = {
    name: diffusion(model, patches, window=window, steps=steps) for name, model in models.items()
}
scale = patches.hr.shape[-1] // patches.lr.shape[-1]
side = size // scale
square = outline(size, window, scale)
used = {
    name: np.array([reach(own, square, share) for own in result.maps])
    for name, result in found.items()
}
border = side - math.ceil(square[0] + square[2])  # the crop ends here
possible = {name: min((own - 1) / 2, border) for name, own in widest.items()}


# %% tags=["hide-input"]
order = sorted(models, key=lambda name: (widest[name], found[name].index.mean()))
rows = {
    name: {
        "field, measured": str(field[name]),
        "field, counted": str(counted[name]),
        "reach, used": f"{used[name].mean():.1f} of {possible[name]:.0f}",
        "DI": f"{found[name].index.mean():.2f}",
        "PSNR-Y, dB": f"{found[name].psnr.mean():.2f}",
    }
    for name in order
}
pd.DataFrame.from_dict(rows, orient="index")

# %% [markdown]
# ## What is used
#
# Each map, the square that gathers 95 % of it, and the edge of the receptive field.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Attribution maps of the orange square in the two hardest crops. The dashed square holds 95 % of the attribution; the dotted one is the measured receptive field of the window, where it ends inside the crop. Numbers: measured field in LR pixels, diffusion index. How much of the field does the dashed square fill? Double-click for the whole crops.", "name": "fig-field-maps"}}
drawn = [name for name in shown if name in models] or order[:5]
notes = {name: [f"{field[name]}<br>DI {di:.1f}" for di in found[name].index] for name in drawn}
figure = map_rows(patches, {name: found[name].maps for name in drawn}, notes, window=window)
for (i, row), (k, name) in product(
    enumerate(range(min(2, num_patches)), start=1), enumerate(drawn, start=2)
):
    for dash, far in {"dash": used[name][row], "dot": (widest[name] - 1) / 2}.items():
        if far <= border:
            low, high = square[0] - far - 0.5, square[0] + square[2] + far - 0.5
            line = {"dash": dash, "color": COLOURS[5], "width": 2}
            figure.add_shape(type="rect", x0=low, x1=high, y0=low, y1=high, line=line, row=i, col=k)
figure

# %% [markdown]
# ## What we run, and what differs from the paper
#
# **Reach.** A field of 2r + 1 pixels reaches r pixels around an SR pixel. The *used reach* is how far around
# the window one must go to gather 95 % of the attribution. The *possible reach* ends at the field, or at the
# border of the crop if that comes first.
#
# :::{dropdown} What differs from the paper
# | | paper | here |
# |---|---|---|
# | networks | ten published ones | the same families, PAN and SwinIR; narrow ones, trained on the same pictures for 3 500 steps (FSRCNN 10 000) |
# | receptive field | counted over the layers (Araujo et al.) | measured on the network, and counted as in the paper |
# | patches | 150 hard crops of 256×256 | the hardest crops of 192×192 (LR 48×48), one per picture |
# | diffusion index | mean over the patches | the same |
# | with more training | – | not shown; networks that others trained, at full width and for as long as they chose, are recorded: {doc}`/book/scoreboard` |
#
# The *measured* field: an LR column is made NaN, which no weight and no activation can hide; the SR pixels it
# reaches depend on it. The *counted* field, which papers print, adds up all kernels as if they worked on one
# grid; layers after the upsampler see only parts of an LR pixel, so it comes out larger. A global mean or
# covariance has an unlimited field; RFDN's attention pools in steps and sees far, but not everything. DI
# depends on the size of the crop: compare only the order with the paper's.
# :::

# %% tags=["remove-input"]
study

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Share of the attribution gathered within so many LR pixels of the window; mean over the crops. A network that used all pixels alike would follow the curve of the area. At what distance does each network reach 0.95? Click a network in the legend to hide it, double-click to see it alone.", "name": "fig-field-gathered"}}
gather = {
    name: np.mean([gathered(own, square) for own in found[name].maps], axis=0) for name in order
}
area = gathered(np.ones((side, side)), square)
stacked_curves(
    np.arange(len(area)),
    {"share gathered": gather | {"the area": area}},
    x_title="distance from the window, LR pixels",
)

# %% [markdown]
# ## Does a wider field diffuse more?

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "Diffusion index of each network, in the order of its measured receptive field (in brackets); a dot for each crop, the larger ones are means, bars from lowest to highest. Is there a trend from top to bottom, and how far do the networks that see everything differ?", "name": "fig-field-di"}}
interval_dots(
    {f"{name} ({field[name]})": found[name].index for name in order},
    x_title="diffusion index",
)

# %% [markdown]
# ## Verdict


# %% tags=["hide-cell"]
def outside(name):
    """Largest share of a map outside the field; the window's last differences reach one further."""
    far = math.ceil(widest[name] / 2) + 1 if widest[name] <= 2 * border else border
    rings = [gathered(own, square) for own in found[name].maps]
    return max(1 - own[min(far, len(own) - 1)] for own in rings)


def per_crop(measure, *families):
    """Mean of a measure over the networks of these families: one value a crop."""
    return np.mean([measure(found[name]) for name in members(models, families)], axis=0)


def log_di(own):
    return np.log(own.index)


def psnr(own):
    return own.psnr


def ahead(measure, one, other):
    """By how much these families are ahead of those, one value a crop; None where one is not here."""
    if not all(members(models, [own]) for own in (*one, *other)):
        return None
    return per_crop(measure, *one) - per_crop(measure, *other)


def judged(values, judge=exceeds, *level):
    return None if values is None else judge(mean_interval(values), *level)


def most(outcomes):
    """Whether a clause holds for more than half of the networks it was asked of."""
    held, open_ = (sum(one == kind for one in outcomes) for kind in ("held", "undecided"))
    return reaches((held, held + open_), len(outcomes) // 2 + 1)


stray = max(outside(name) for name in models)
wide = [name for name in models if widest[name] > 40]
part = {name: used[name] / possible[name] for name in models}
di = {name: own.index.mean() for name, own in found.items()}
everything = [name for name in models if widest[name] >= 2 * side]
top, bottom = (pick(everything or models, key=di.get) for pick in (max, min))
ratio = found[top].index / found[bottom].index  # on the same crops
narrow, best = min(models, key=widest.get), max(models, key=lambda name: found[name].psnr.mean())

GLOBAL, SEES_ALL, MORE = ["IMDN", "RFDN"], ["RRDBNet"], ["RCAN", "SAN"]
plain = [own for own in ("FSRCNN", "CARN", "EDSR", "RRDBNet") if members(models, [own])]
rises = [ahead(log_di, [wider], [narrower]) for narrower, wider in pairwise(plain)]
beyond = all(widest[name] > side for name in members(models, SEES_ALL))
alone = ahead(log_di, GLOBAL, SEES_ALL) if beyond else None
efficient = ahead(psnr, GLOBAL, SEES_ALL)
further = [ahead(measure, MORE, [*SEES_ALL, *GLOBAL]) for measure in (log_di, psnr)]

# %% tags=["hide-input"] mystnb={"figure": {"caption": "All measures of this run. Spread: 95 % bootstrap interval of the mean over crops; over networks for the share of those above 40 pixels.", "name": "fig-field-verdict"}}
PAPER = {"FSRCNN": "0.797", "CARN": "1.807", "EDSR": "2.977", "RRDBNet": "13.417"}
PAPER |= {
    "MSRN": "3.194",
    "RNAN": "13.243",
    "IMDN": "14.643",
    "RFDN": "13.208",
    "RCAN": "16.596",
    "SAN": "18.642",
}
for name, own in found.items():
    paper = PAPER.get(family(name), "")
    study.measure(f"DI of {name}", own.index, interval=mean_interval, paper=paper)
for name, values in part.items():
    between = mean_interval(values)
    study.measure(f"used share of the possible reach, {name}", values.mean(), interval=between)
if wide:
    shares = [part[name].mean() for name in wide]
    study.measure("used share of the possible reach, fields above 40 pixels", shares, headline=True)
COMPARED = {
    "DI of IMDN and RFDN over RRDBNet's": (alone, "1.04", np.exp),
    "PSNR of IMDN and RFDN minus RRDBNet's, dB": (efficient, "0.36", np.asarray),
    "DI of RCAN and SAN over RRDBNet's, IMDN's and RFDN's": (further[0], "1.28", np.exp),
    "the same in PSNR, dB": (further[1], "1.18", np.asarray),
}
for text, (values, paper, shown_as) in COMPARED.items():
    if values is not None:
        interval = tuple(shown_as(mean_interval(values)))
        study.measure(text, shown_as(values.mean()), interval=interval, paper=paper)
study.measure(f"DI of {top} over that of {bottom}, typical crop", np.median(ratio))
study.measure("largest share of a map outside the field", stray, glue="field_stray")
study.glue(
    field_networks=len(models),
    field_patches=num_patches,
    field_wide=len(wide),
    field_part_low=100 * min((part[name].mean() for name in wide), default=0),
    field_part_high=100 * max((part[name].mean() for name in wide), default=0),
    field_part_narrow=100 * part[narrow].mean(),
    field_everything=len(everything),
    field_more=int((ratio > 1).sum()),
)
for key, name in {"narrow": narrow, "top": top, "bottom": bottom, "best": best}.items():
    own = {"": name, "_field": str(field[name]), "_di": di[name], "_psnr": found[name].psnr.mean()}
    study.glue(**{f"field_{key}{kind}": value for kind, value in own.items()})
study.verdict(
    used=most([stays_below(mean_interval(part[name]), 0.5) for name in wide]) if wide else None,
    order=together(*map(judged, rises)) if rises else None,
    alone=judged(alone, stays_below, np.log(1.1)),
    efficient=judged(efficient),
    further=None if further[0] is None else together(*map(judged, further)),
    fence=stray <= 1e-6,
    decides=exceeds(mean_interval(np.log(ratio))) if len(everything) > 1 else None,
)

# %% [markdown]
# ## What we have seen
#
# - **The field is a bound.** The largest share of a map outside the measured field is
#   {glue:text}`field_stray:.1g` ({glue:text}`field_networks` networks, {glue:text}`field_patches` crops).
# - **Used and possible.** The {glue:text}`field_wide` networks with fields of more than 40 pixels gather 95 %
#   of their attribution within {glue:text}`field_part_low:.0f` to {glue:text}`field_part_high:.0f` % of their
#   possible reach; {glue:text}`field_narrow`, with the smallest field ({glue:text}`field_narrow_field`), within
#   {glue:text}`field_part_narrow:.0f` % (DI {glue:text}`field_narrow_di:.2f`,
#   {glue:text}`field_narrow_psnr:.2f` dB).
# - **Seeing and using.** Of the {glue:text}`field_everything` networks that see the whole crop,
#   {glue:text}`field_top` has the highest DI ({glue:text}`field_top_di:.2f`, {glue:text}`field_top_psnr:.2f`
#   dB) and {glue:text}`field_bottom` the lowest ({glue:text}`field_bottom_di:.2f`,
#   {glue:text}`field_bottom_psnr:.2f` dB); on the same crop the former is the higher in {glue:text}`field_more`
#   of {glue:text}`field_patches`.
# - **Quality.** The highest PSNR has {glue:text}`field_best` ({glue:text}`field_best_psnr:.2f` dB, field
#   {glue:text}`field_best_field`, DI {glue:text}`field_best_di:.2f`). Over more networks:
#   {doc}`diffusion_and_performance`; over depth and width: {doc}`network_scale`.
#
# ## Exercises
#
# 1. What is the receptive field, in LR pixels, of eight 3×3 convolutions in a row? By how much does a ninth
#    layer with a global mean enlarge it?
# 2. Can a network with a smaller receptive field have a higher DI than one with a larger field?
#
# ```{dropdown} Answers
# 1. Each layer adds one pixel on either side: 2·8 + 1 = 17. With a global mean every output depends on every
#    input, so the field becomes the whole picture, whatever its size.
# 2. Yes. DI measures how evenly attribution spreads over the crop. A small field used up to its edge
#    can spread more evenly than a large one of which only the centre is used.
# ```
#
# ## Try it yourself
#
# - The published networks: `weights = "published"` with `size = 256`, so that DI compares with the paper's.
# - Another share: 0.5 is the core of a map, 0.99 its halo. Which networks differ in the halo only?
# - Crops full of stripes: `image_set = "urban100-30"`.
# - Your own network: `receptive_field(model)` takes any callable; its maps come from
#   {doc}`/book/findings/your_network`.
