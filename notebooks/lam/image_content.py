# %% [markdown]
# (finding-lam-image-content)=
# # Which textures make a network look further?
#
# *8 minutes. You learn how the width of an attribution map depends on the picture, and how
# to measure regularity and direction of a texture. Read {doc}`method` first.*
#
# ## The claim
#
# How widely a network looks depends on the network and on what it is given. {cite:t}`gu2021interpreting` sort
# patches by their diffusion index ({term}`DI`; Sec. 4.4, Fig. 8): patches with **regular stripes and grids**
# have wide maps, because the same structure recurs further away. Patches with **complex semantics** (humans,
# animals) have narrow ones. And attention **runs along the texture** (Sec. 4.3, Fig. 6). The paper shows
# galleries and gives no numbers.
#
# **Why it matters:** a test set of façades rewards looking far, one of portraits may not. Compare networks
# by DI on the same patches only.

# %% tags=["parameters", "hide-cell"] quick={"image_set": "photographs", "num_patches": 4, "size": 128, "stride": 128, "networks": ["edsr", "rcan"], "steps": 3}
image_set = "pictures"  # joined by + if several: "urban100-30+b100" (downloaded)
limit = None  # pictures taken from each set; None takes all
num_patches = 32  # spread evenly over all degrees of regularity
size = 192  # side of a crop, HR pixels; maps of different sizes cannot be compared
stride = 96  # between the crops that are considered, HR pixels
context = 96  # side of the square around the patch whose regularity is measured, HR pixels
window = 16  # side of the explained patch in the middle of the crop, SR pixels
least = 0.02  # mean gradient magnitude below which a patch counts as empty
networks = ["edsr", "pan", "imdn", "rcan"]  # what they agree on is about the picture
weights = "zoo"  # "published": networks as their authors trained them, downloaded; or "both"
kinds = {  # what pictures, or all of a set, show; others are known by the name of their set
    "person": [
        *["astronaut", "camera", "101087", "119082", "157055", "170057", "189080", "216081"],
        *["220075", "229036", "271035", "285079", "302008", "376043", "385039", "85048", "89072"],
    ],
    "animal": [
        *["chelsea", "103070", "105025", "106024", "108005", "108070", "108082", "109053"],
        *["123074", "130026", "134035", "159008", "160068", "16077", "163085", "175032", "175043"],
        *["196073", "197017", "210088", "236037", "253027", "253055", "291000", "296059"],
        *["304034", "304074", "306005", "38082", "38092", "41033", "41069", "42049", "43074"],
        *["66053", "69015", "69020", "69040", "8023", "86068", "87046"],
    ],
    "plant": ["flower"],
    "building": ["china", "brick", "urban100-30", "urban100"],
    "texture": ["grass", "gravel"],
    "object": ["coffee", "rocket", "coins", "motorcycle"],
}
semantic = ["person", "animal"]  # kinds that the paper contrasts with regular textures
steps = 8  # of every path integral
train = False  # True trains the networks here and now, instead of loading them
device = "auto"

# %% tags=["hide-cell"]
from itertools import combinations

import numpy as np

from srlab.attribution.lam import diffusion_index, lam, magnitude, patch
from srlab.attribution.paths import deblur
from srlab.degradations.filters import downsample, upsample
from srlab.devices import pick_device
from srlab.figures.dots import scatter_panels
from srlab.figures.maps import attribution_grid
from srlab.figures.pictures import sprite_sheet, tinted
from srlab.figures.theme import COLOURS
from srlab.images import center_crop, image_to_array
from srlab.statistics import drawn_groups, partial_rank_correlation, rank_correlation
from srlab.studies.lam.chosen import chosen_networks
from srlab.studies.lam.diffusion import middle
from srlab.studies.lam.regular_patches import patches_by_regularity
from srlab.studies.lam.regularity import (
    edge_strength,
    elongation,
    texture_direction,
)
from srlab.studies.lam.views import outline
from srlab.studies.study import Study, exceeds

study = Study(
    "lam/image_content",
    claim="Stripes and grids spread attribution, complex semantics do not",
    source="LAM, Sec. 4.3–4.4, Fig. 6, 8",
    claims={
        "regularity": "the more regular the texture around a patch, the wider its map: rank correlation of peakiness and DI, interval above 0",
        "semantics": "DI of patches that show persons and animals over that of regular textures (the upper quarter of peakiness elsewhere), geometric means: interval below 1",
        "direction": "in the half of patches with the clearest direction, maps reach further along the texture than across: interval of the mean log ratio above 0",
    },
    controls={
        "edges": "at equal edges: partial rank correlation of peakiness and DI, interval above 0",
        "alike": "networks rank patches alike, mean ρ at least 0.5",
        "bicubic": "along against across: more than in the maps of bicubic enlarging, interval above 0",
    },
    says={
        "regularity": "Sec. 4.4: “images with regular stripe and grid textures are very likely to be detected by SR networks”",
        "semantics": "Sec. 4.4: “the complex high-level semantics, such as human and animal, can not be effectively used”",
        "direction": "Sec. 4.3: “the attention of the SR networks is distributed along the direction of texture extension”",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

patches = patches_by_regularity(
    image_set, num_patches, size=size, stride=stride, context=context, least=least, limit=limit
)
num_patches, picture, peakiness = len(patches), patches.pictures, patches.peakiness
hr, names = patches.hr.to(study.device), patches.names
known = {name: group for group, own in kinds.items() for name in own}
shows = [known.get(n, known.get(s, s)) for n, s in zip(picture, patches.sets, strict=True)]
kind = np.array(shows)
edges = edge_strength(center_crop(hr, window)).cpu().numpy()

models = chosen_networks(study, networks, weights)
bicubic = {"bicubic": lambda lr: upsample(lr, 4)}
start = middle(size, window)
target = patch(start, start, window)
maps = {
    (name, i): lam(model, downsample(one[None], 4).clamp(0, 1), target, path=deblur(steps=steps))
    for name, model in {**models, **bicubic}.items()
    for i, one in enumerate(hr)
}
di = {
    name: np.array([diffusion_index(maps[name, i]) for i in range(num_patches)]) for name in models
}
width = np.exp(np.mean([np.log(own) for own in di.values()], axis=0))
shown = {key: magnitude(own).cpu().numpy() for key, own in maps.items()}
mean_map = [np.mean([shown[name, i] for name in models], axis=0) for i in range(num_patches)]

around = np.array([(start + window / 2) / 4 - 0.5] * 2)  # the window's middle, LR pixels
along, clear = texture_direction(center_crop(hr, context))
along, clear = along.cpu().numpy(), clear.cpu().numpy()
stretch = {
    name: np.array([elongation(shown[name, i], around, along[i]) for i in range(num_patches)])
    for name in (*models, *bicubic)
}
stretched = np.mean([stretch[name] for name in models], axis=0)
directed = clear >= np.median(clear)

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "Width of the maps against the regularity of the patch's surroundings (left) and the strength of the edges inside it (right); a dot for each patch, colour and symbol show its kind. Point at a dot to see the crop and, in orange, the mean map of the networks. Do the dots rise to the right?", "name": "fig-content-scatter"}}
tiles = np.stack(
    [
        tinted(image_to_array(one), {COLOURS[1]: (own / own.max()) ** 0.5})
        for one, own in zip(hr, mean_map, strict=True)
    ]
)
sprites = sprite_sheet(tiles, zoom=1)
sprites["labels"] = [f"{n}: DI {w:.2f}" for n, w in zip(names, width, strict=True)]
groups = {group: np.flatnonzero(kind == group) for group in dict.fromkeys(kind.tolist())}
figure = scatter_panels(
    {
        title: {group: (values[rows], width[rows]) for group, rows in groups.items()}
        for title, values in {"spectral peakiness": peakiness, "mean gradient": edges}.items()
    },
    names={group: [names[i] for i in rows] for group, rows in groups.items()},
    y_title="diffusion index",
    log_x=["mean gradient"],
    sprites=sprites,
    pictures=groups,
)
figure.update_yaxes(type="log")

# %% [markdown]
# ## What we run, and what differs from the paper
#
# The paper shows patches; we measure them. A strong edge is a peak of the spectrum to some degree, and edges
# may widen or narrow a map by themselves. So regularity must also count among patches of equal edges: partial
# rank correlation.
#
# :::{dropdown} How it is measured
# | | here |
# |---|---|
# | patches | crops of 192×192 on a grid over all pictures, flat ones left out; the others are sorted by regularity and every n-th is taken, so that all degrees occur |
# | **regularity** | spectral peakiness: share of the energy of slopes in the nine strongest frequencies of the 96×96 pixels around the patch (1 for a wave, 0.03 for noise). Regular texture: the upper quarter of all patches that show no person or animal |
# | **direction** | of the same pixels: the eigenvector of the structure tensor along which they change least; how clear it is follows from the eigenvalues. Of a map: root mean square distance from the window's middle along and across it |
# | **edges** | mean gradient magnitude inside the explained window |
# | **kind** | what the picture shows, as far as it is known; used to find persons and animals only, since a house may show a bare wall |
# | **width** | geometric mean of the DI over four networks of one training |
# | with more training | not shown; networks that others trained, at full width and for as long as they chose, are recorded: {doc}`/book/scoreboard` |
# :::

# %% tags=["remove-input"]
study

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The widest patches (above) and the narrowest ones (below), each with the mean of the networks' maps. The square is what is explained. Numbers: diffusion index and spectral peakiness. In which rows do structures repeat? Double-click for the whole crops.", "name": "fig-content-gallery"}}
rank = np.argsort(-width)
scale, ends = 4, min(5, num_patches // 2)
panels, notes = {}, {}
for end, rows in {"widest": rank[:ends], "narrowest": rank[-ends:]}.items():
    for layer in ("picture", "map"):
        for column, i in enumerate(rows):
            cell = f"{end}:<br>{layer}", " " * column
            of_map = f"DI {width[i]:.2f}<br>peak {peakiness[i]:.2f}"
            panels[cell] = image_to_array(hr[i]) if layer == "picture" else mean_map[i]
            notes[cell] = names[i].replace(" ", "<br>") if layer == "picture" else of_map
lr_size = (size // scale, size // scale)
attribution_grid(panels, size=lr_size, window=outline(size, window), around=14, notes=notes)

# %% [markdown]
# ## Do maps follow the direction of the texture?

# %% tags=["hide-input"] mystnb={"figure": {"caption": "How much further maps reach along the texture than across it (log ratio; 0: equally far), against how clear the texture's direction is; a dot for each patch: mean over the networks, and bicubic enlargement, which knows nothing of textures. The right half, from the median on, is judged. Do the dots lie above zero, and above bicubic's?", "name": "fig-content-direction"}}
spreads = {"networks": stretched, "bicubic": stretch["bicubic"]}
scatter_panels(
    {"coherence of the texture": {name: (clear, own) for name, own in spreads.items()}},
    names=dict.fromkeys(spreads, names),
    y_title="log (along / across)",
    sprites=sprites,
    pictures=dict.fromkeys(spreads, np.arange(num_patches)),
)

# %% [markdown]
# ## Verdict


# %% tags=["hide-cell"]
def drawn(measure, *columns, draws=1000):
    """95 % bootstrap interval of a measure: whole pictures are drawn with replacement."""
    members = [np.flatnonzero(np.array(picture) == name) for name in dict.fromkeys(picture)]
    drawn_rows = drawn_groups(members, draws, np.random.default_rng(0))
    values = [measure(*(column[rows] for column in columns)) for rows in drawn_rows]
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)


RELATIONS = {
    "rho": ("ρ of peakiness and DI", rank_correlation, (peakiness, width)),
    "given": (
        "ρ of peakiness and DI, given edges",
        partial_rank_correlation,
        (peakiness, width, edges),
    ),
    "edges": ("ρ of edges and DI", rank_correlation, (edges, width)),
}
ranges = {key: drawn(relate, *columns) for key, (_, relate, columns) in RELATIONS.items()}
alike = [rank_correlation(di[a], di[b]) for a, b in combinations(di, 2)]
high = [own >= np.quantile(own, 0.75) for own in di.values()]
by_kind = {group: width[rows] for group, rows in groups.items()}


def contrast(log_width, is_semantic, is_regular):
    """Mean log DI of the one kind minus that of the other; NaN where one is absent."""
    both = is_semantic.any() and is_regular.any()
    return log_width[is_semantic].mean() - log_width[is_regular].mean() if both else np.nan


def mean_of(values, chosen):
    """Mean of the chosen values; NaN where none is."""
    return values[chosen].mean() if chosen.any() else np.nan


is_semantic = np.isin(kind, semantic)
is_regular = ~is_semantic & (peakiness >= np.quantile(peakiness[~is_semantic], 0.75))
columns = np.log(width), is_semantic, is_regular
labelled = min(column.sum() for column in columns[1:]) >= 3
apart = drawn(contrast, *columns) if labelled else None
more = stretched - stretch["bicubic"]
directions = {"texture": (stretched, "content_stretch"), "bicubic": (more, "content_more")}
lengths = {key: drawn(mean_of, values, directed) for key, (values, _) in directions.items()}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "All measures of this run. Spread: bootstrap interval over pictures; for two networks' DI and for kinds, lowest to highest.", "name": "fig-content-verdict"}}
for key, (text, relate, values) in RELATIONS.items():
    marked = {"glue": f"content_{key}", "headline": key == "rho"}
    study.measure(text, relate(*values), interval=ranges[key], **marked)
study.measure("ρ of two networks' DI", alike, glue="content_alike")
for_all = int(np.all(high, axis=0).sum())
study.measure("patches in every network's widest quarter", for_all)
if labelled:
    name = "DI of persons and animals over regular textures"
    study.measure(name, np.exp(contrast(*columns)), interval=tuple(np.exp(apart)), paper="below 1")
TEXTS = {
    "texture": "reach along over across, clear directions",
    "bicubic": "the same over that of bicubic's maps",
}
for key, (values, glue) in directions.items():
    mean, told = np.exp(mean_of(values, directed)), "above 1" if key == "texture" else ""
    study.measure(TEXTS[key], mean, interval=tuple(np.exp(lengths[key])), paper=told, glue=glue)
for group, values in by_kind.items():
    study.measure(f"DI of {group}", values)
study.glue(
    content_patches=num_patches,
    content_candidates=patches.candidates,
    content_rho_low=ranges["rho"][0],
    content_rho_high=ranges["rho"][1],
    content_for_all=for_all,
    content_quarter=int(np.max([own.sum() for own in high])),
    content_widest=names[rank[0]],
    content_narrowest=names[rank[-1]],
    content_high=width.max(),
    content_low=width.min(),
    content_kinds=", ".join(f"{g} {v.mean():.2f}" for g, v in by_kind.items()),
)
study.verdict(
    regularity=exceeds(ranges["rho"]),
    semantics=exceeds((-apart[1], -apart[0])) if labelled else None,
    direction=exceeds(lengths["texture"]),
    edges=exceeds(ranges["given"]),
    alike=np.mean(alike) >= 0.5,
    bicubic=exceeds(lengths["bicubic"]),
    notes={"num_patches": num_patches},
)

# %% [markdown]
# ## What we have seen
#
# - **Regularity.** Over {glue:text}`content_patches` of {glue:text}`content_candidates` patches, peakiness
#   and width have a rank correlation of {glue:text}`content_rho:.2f` (95 % of bootstrap draws of pictures:
#   {glue:text}`content_rho_low:.2f` to {glue:text}`content_rho_high:.2f`); at equal edges it is
#   {glue:text}`content_given:.2f`. For edges by themselves it is {glue:text}`content_edges:.2f`.
# - **Direction.** Where the direction is clearest, maps reach {glue:text}`content_stretch:.2f` times as far
#   along the texture as across it, which is {glue:text}`content_more:.2f` times the ratio of bicubic
#   enlargement.
# - **Agreement.** Two networks rank the patches with a correlation of {glue:text}`content_alike:.2f`;
#   {glue:text}`content_for_all` patches are in the widest quarter ({glue:text}`content_quarter` patches) of
#   every network.
# - **Networks of published size.** On 64 patches of Urban100 and B100, the correlation of peakiness and width is
#   {measured}`others urban100-30+b100 lam/image_content | ρ of peakiness and DI` for CARN-M, PAN, IMDN and RFDN as
#   their authors trained them, and
#   {measured}`literature urban100-30+b100 lam/image_content | ρ of peakiness and DI` for the narrow networks of
#   this book.
# - **Kinds.** Mean DI: {glue:text}`content_kinds`. The widest patch (picture, and place of the crop in it)
#   is {glue:text}`content_widest` ({glue:text}`content_high:.2f`), the narrowest
#   {glue:text}`content_narrowest` ({glue:text}`content_low:.2f`). A picture's label says little about the
#   16 pixels that are explained: a portrait has collars and buttons.
#
# ## Exercises
#
# 1. Bicubic enlargement is a fixed filter. Why can its map still be longer along an edge than across it?
# 2. Why does peakiness need a partial correlation at equal edges?
#
# ```{dropdown} Answers
# 1. The map is gradient times change of the image. Deblurring changes the pixels along the edge most,
#    so credit lies along it for any enlargement.
# 2. A strong edge raises both the peakiness and, perhaps, the DI. Without the correction a correlation of the
#    two could come from edges alone.
# ```
#
# ## Try it yourself
#
# - Façades against nature: `image_set = "urban100-30+b100"`, `num_patches = 100`.
# - The regularity of a larger surrounding: `context = 160`. Which patches move?
# - Networks trained for days: `weights = "published"`.
# - A network that cannot look far: `networks = ["fsrcnn-d56-m4", "swinir"]`.
# - Any patch: {doc}`/book/findings/lam/explorer`.
