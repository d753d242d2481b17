# %% [markdown]
# (finding-network-scale)=
# # Does a deeper or a wider network use more pixels?
#
# *6 minutes. You learn what depth and width do to the pixels a network uses and to its
# quality. Read {doc}`receptive_field` first.*
#
# ## The claim
#
# A network can grow in two directions: more channels, or more layers. Both cost parameters.
# {cite:t}`gu2021interpreting` trained FSRCNN with 16–128 channels and 2–16 layers, and EDSR with 32–256 channels
# and 10–24 blocks, 15 networks each, and measured their {term}`diffusion index` (DI) and PSNR (Sec. 4.4,
# Fig. 7c):
#
# | | more depth | more width |
# |---|---|---|
# | FSRCNN | DI and PSNR grow | DI and PSNR grow |
# | EDSR | DI and PSNR grow | no corresponding growth |
#
# Their reason for the last cell: under one training, networks with more parameters are harder to optimize.
#
# **Why it matters:** depth and width are two ways to spend a budget. If only depth brings in distant pixels, the
# choice depends on whether distant pixels help.

# %% tags=["parameters", "hide-cell"] quick={"num_patches": 2, "size": 96, "fsrcnn_widths": [16, 56], "fsrcnn_depths": [1, 8], "edsr_widths": [8, 32], "edsr_depths": [2, 10], "steps": 4}
image_set = "pictures"  # none was seen in training; "urban100-30" and "b100" are downloaded
num_patches = 12  # the hardest crops, one of a picture
size = 192  # side of a crop, HR pixels; the paper's is 256
stride = 192  # between the crops that are considered, HR pixels
window = 16  # side of the explained patch in the middle of the crop, SR pixels
fsrcnn_widths = [16, 32, 56]  # channels; a quarter of them in the mapping layers
fsrcnn_depths = [1, 4, 8]  # mapping layers
edsr_widths = [8, 16, 32]  # channels
edsr_depths = [2, 5, 10]  # residual blocks
judges = ["fsrcnn-d56-m4", "carn", "rcan"]  # whose PSNR says which crops are hard
steps = 10  # of every path integral
train = False  # True trains all networks here (hours)
device = "auto"

# %% tags=["hide-cell"]
from itertools import product

import numpy as np

from srlab.degradations.filters import upsample
from srlab.devices import pick_device
from srlab.figures.tables import Matrix, matrix_grid
from srlab.metrics import network_psnr
from srlab.studies.lam.diffusion import diffusion, growth
from srlab.studies.lam.hard_patches import hard_patches
from srlab.studies.lam.views import map_rows
from srlab.studies.networks import obtainable
from srlab.studies.study import Study, exceeds, together

study = Study(
    "lam/network_scale",
    claim="FSRCNN uses more pixels when deeper and when wider, EDSR only when deeper",
    source="LAM, Sec. 4.4, Fig. 7c",
    claims={
        "fsrcnn": "FSRCNN: doubling depth and doubling width each raise DI, both intervals above a factor of 1",
        "fsrcnn_psnr": "FSRCNN: doubling depth and doubling width each raise PSNR, both intervals above 0",
        "edsr": "EDSR: doubling depth raises DI, interval above a factor of 1",
        "edsr_psnr": "EDSR: doubling depth raises PSNR, interval above 0",
        "width": "EDSR: doubling width raises DI less than doubling depth, interval of the difference above 0",
        "width_psnr": "EDSR: doubling width raises PSNR less than doubling depth, interval of the difference above 0",
    },
    says={
        "fsrcnn": "Sec. 4.4: “with the increase of both depth and width, FSRCNN is able to extract information from more pixels”",
        "fsrcnn_psnr": "Sec. 4.4, of the same: “and also achieves better PSNR performance”",
        "edsr": "Sec. 4.4: “the increase of the number of convolution layers directly increases the receptive field and leads to better DI values and PSNR performance”",
        "edsr_psnr": "Sec. 4.4: the same sentence",
        "width": "Sec. 4.4: “however, the increase of the number of feature maps in each layer does not achieve the corresponding improvement”",
        "width_psnr": "Sec. 4.4: the same sentence",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

GRIDS = {
    "FSRCNN": ("fsrcnn-d{}-m{}", fsrcnn_widths, fsrcnn_depths),
    "EDSR": ("edsr-c{}-b{}", edsr_widths, edsr_depths),
}
sizes = {  # name → family, width, depth
    pattern.format(width, depth): (family, width, depth)
    for family, (pattern, widths, depths) in GRIDS.items()
    for width, depth in product(widths, depths)
}
names = obtainable(sizes, train=train)
models = {name: study.network(name) for name in names}
judging = {name: study.network(name) for name in obtainable(judges, train=train)}
patches = hard_patches(
    image_set, judging, num_patches, size=size, stride=stride, per_picture=1, device=study.device
)
found = {
    name: diffusion(model, patches, window=window, steps=steps) for name, model in models.items()
}
bicubic = network_psnr(lambda lr: upsample(lr, 4), patches.lr, patches.hr, border=4).cpu().numpy()


def surface(family, measure):
    """Mean of a measure over the crops, (depths, widths); NaN where there is no network."""
    pattern, widths, depths = GRIDS[family]
    cells = [[pattern.format(width, depth) for width in widths] for depth in depths]
    return np.array([[measure(found[n]) if n in found else np.nan for n in row] for row in cells])


# %% [markdown]
# ## DI and PSNR over the grid
#
# Networks get wider from left to right and deeper from top to bottom.


# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "Mean diffusion index of the hard crops. Does the colour change downwards (depth) or to the right (width)?", "name": "fig-scale-di"}}
def grid_figure(measure, title):
    panels = {
        ("", family): Matrix(
            surface(family, measure), [str(depth) for depth in depths], [str(w) for w in widths]
        )
        for family, (_, widths, depths) in GRIDS.items()
    }
    return matrix_grid(panels, colour_title=title, axis_titles=("layers, blocks", "channels"))


grid_figure(lambda own: own.index.mean(), "DI")

# %% [markdown]
# ## What we run, and what differs from the paper
#
# One plane is fitted to all nine networks of a family, log₂ DI = a + b · log₂ width + c · log₂ depth. It tells
# what a **doubling** of either size does: 2^b and 2^c are factors on DI. The bootstrap draws crops; each network
# was trained once, so the spread over training seeds is not in the intervals.
#
# :::{dropdown} What differs from the paper
# | | paper | here |
# |---|---|---|
# | FSRCNN | 15 networks, 16–128 channels, 2–16 layers | 9: 16, 32, 56 channels × 1, 4, 8 mapping layers |
# | EDSR | 15 networks, 32–256 channels, 10–24 blocks | 9: 8, 16, 32 channels × 2, 5, 10 blocks |
# | training | one setting for all, its length not stated | one setting within a family, 3 500 steps for EDSR and 10 000 for FSRCNN; one run per network |
# | patches | 150 hard crops of 256×256 | the hardest crops of 192×192 (LR 48×48), one per picture |
# | with more training | – | not shown: snapshots of the grids do not ship |
#
# Width here ends where the paper's begins, at 32 channels for EDSR. DI counts all pixels of a crop: numbers
# from the paper's larger crops are lower for the same area; factors are hardly affected. No published networks
# come in such a grid.
# :::

# %% tags=["remove-input"]
study

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Mean PSNR-Y of the same crops above that of bicubic enlargement, in dB. Compare with the figure above: does quality rise where the diffusion index does?", "name": "fig-scale-psnr"}}
grid_figure(lambda own: (own.psnr - bicubic).mean(), "dB above bicubic")

# %% [markdown]
# ## The corners of the grid

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Maps of the orange square in the two hardest crops, by the four corners of EDSR's grid. From the second panel to the third width grows, from the third to the fourth depth, and from the fourth to the fifth width shrinks. Numbers: diffusion index, PSNR of the crop in dB. Which change makes the map wider?", "name": "fig-scale-maps"}}
(narrow, wide), (shallow, deep) = (
    (s[0], s[-1]) for s in (sorted(edsr_widths), sorted(edsr_depths))
)
corners = [(narrow, shallow), (wide, shallow), (wide, deep), (narrow, deep)]
titles = {f"edsr-c{w}-b{d}": f"{w} wide, {d} deep" for w, d in corners}
drawn = {title: found[name].maps for name, title in titles.items() if name in found}
notes = {
    title: [f"DI {di:.2f}<br>{db:.2f} dB" for di, db in zip(own.index, own.psnr, strict=True)]
    for name, title in titles.items()
    for own in [found.get(name)]
    if own
}
map_rows(patches, drawn, notes, window=window)

# %% [markdown]
# ## Verdict


# %% tags=["hide-cell"]
def slopes(family, measure):
    """What a doubling of width and of depth adds to a measure of the family's networks."""
    own = [name for name in names if sizes[name][0] == family]
    _, widths, depths = zip(*(sizes[name] for name in own))
    return growth(np.stack([measure(found[name]) for name in own]), widths, depths)


di = {family: slopes(family, lambda own: np.log2(own.index)) for family in GRIDS}
quality = {family: slopes(family, lambda own: own.psnr) for family in GRIDS}


def grows(found, *ways):
    """Whether a doubling of each of these sizes raises the measure."""
    return together(*(exceeds(found[way].interval) for way in ways))


def depth_first(found):
    """Whether doubling depth raises the measure more than doubling width."""
    return exceeds(found["depth"].minus(found["width"]))


# %% tags=["hide-input"] mystnb={"figure": {"caption": "All measures of this run. Spread: 95 % bootstrap interval over crops.", "name": "fig-scale-verdict"}}
PAPER = dict.fromkeys(product(GRIDS, ("depth", "width")), "grows")
PAPER["EDSR", "width"] = "no corresponding growth"
doublings = list(product(GRIDS, ("depth", "width")))
for family, way in doublings:
    study.measure(
        f"{family}: factor on DI by double {way}",
        2 ** di[family][way].value,
        interval=tuple(2 ** np.array(di[family][way].interval)),
        paper=PAPER[family, way],
        glue=f"scale_{family.lower()}_{way}",
    )
for family, way in doublings:
    study.measure(
        f"{family}: PSNR by double {way}, dB",
        quality[family][way].value,
        interval=quality[family][way].interval,
        paper=PAPER[family, way],
        glue=f"scale_{family.lower()}_{way}_psnr",
    )
study.glue(scale_patches=num_patches, scale_networks=len(names))
study.verdict(
    fsrcnn=grows(di["FSRCNN"], "depth", "width"),
    fsrcnn_psnr=grows(quality["FSRCNN"], "depth", "width"),
    edsr=grows(di["EDSR"], "depth"),
    edsr_psnr=grows(quality["EDSR"], "depth"),
    width=depth_first(di["EDSR"]),
    width_psnr=depth_first(quality["EDSR"]),
    checkpoints=[] if train else names,
)

# %% [markdown]
# ## What we have seen
#
# Over {glue:text}`scale_networks` networks and {glue:text}`scale_patches` crops (intervals in the table above):
#
# - **FSRCNN.** Twice as deep multiplies DI by {glue:text}`scale_fsrcnn_depth:.2f` and changes PSNR by
#   {glue:text}`scale_fsrcnn_depth_psnr:+.2f` dB; twice as wide, by {glue:text}`scale_fsrcnn_width:.2f` and
#   {glue:text}`scale_fsrcnn_width_psnr:+.2f` dB.
# - **EDSR.** Twice as deep multiplies DI by {glue:text}`scale_edsr_depth:.2f` and changes PSNR by
#   {glue:text}`scale_edsr_depth_psnr:+.2f` dB; twice as wide, by {glue:text}`scale_edsr_width:.2f` and
#   {glue:text}`scale_edsr_width_psnr:+.2f` dB.
# - Depth widens the receptive field by construction, width does not. Where a wider network has the lower DI
#   and the higher PSNR, it weighs near pixels better within the same field. Where a deeper one has the lower
#   PSNR, its training may be too short for its depth.
#
# ## Exercises
#
# 1. A plane fitted to log₂ DI has the slopes b = 0.1 (width) and c = 0.5 (depth). What do four times as many
#    layers do to DI?
# 2. DI differs much more from crop to crop than from network to network. Why can the criterion still be decided?
#
# ```{dropdown} Answers
# 1. Four times is two doublings: DI is multiplied by 2^(2·0.5) = 2.
# 2. The networks are compared on the *same* crops, so that what a crop adds to all of them cancels.
# ```
#
# ## Try it yourself
#
# - Leave out the thinnest networks: `edsr_widths = [16, 32]`. Does width still count?
# - Is it depth or the field? `fsrcnn_depths = [1, 8]` differ by 14 LR pixels of field.
# - Regular patterns: `image_set = "urban100-30"`.
# - Other training seeds: `fit(recipe("edsr-c32-b10").seeded(1))`.
