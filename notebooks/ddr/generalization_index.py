# %% [markdown]
# (finding-generalization-index)=
# # The less features separate unseen degradations, the better a network generalizes
#
# ## The claim
#
# A network that treats every input alike needs no separate clusters. So the paper turns the
# {term}`Caliński–Harabasz index` around and proposes it as an **index of generalization**: the lower
# the CHI of degradations, the better a network copes with them
# ({cite:t}`liu2021discovering`, Sec. 5, Fig. 11).
#
# | RRDBNet trained on … | clean pictures | degraded ones | degraded ones, with DDR guidance |
# |---|---|---|---|
# | CHI reported by the paper | 322.16 | 14.04 | 4.95 |
#
# A later index by the same group, {term}`SRGA` {cite:p}`liu2022evaluating`, compares the
# distributions of deep features instead of their clusters: reference set against degraded set.
# Smaller is better there, too.
#
# Why it matters: such an index needs no ground truth. Features of a handful of patches would tell
# which network to trust with pictures from the wild, where no PSNR can be measured.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"training_seeds": [0], "snapshots": [], "num_patches": 10, "restored": 4, "size": 12, "perplexity": 10}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
recipes = [  # those that are shipped are compared
    *["srresnet-gr", "srresnet-wogr", "srresnet-noise", "srresnet-blur", "srresnet-blind"],
    *["srresnet-noise-wogr", "srresnet-guided", "srgan-gr", "srgan-wogr", "srcnn-3", "fsrcnn"],
    *[f"srcnn-{depth}-gr" for depth in (3, 5, 7, 9, 11, 13)],
]
training_seeds = [0, 1, 2]  # of each recipe
snapshots = [1000]  # steps of the first seed to compare as well
shown = ["srresnet-gr", "srresnet-wogr", "srresnet-noise", "srresnet-blind"]  # embeddings to show
num_patches = 30  # contents; each is shown clean and under four unseen degradations
restored = 15  # contents whose PSNR is measured
size = 20  # side of a patch, LR pixels
perplexity = 30
train = False  # True trains all recipes here (hours) and leaves out the snapshots
device = "auto"

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | networks | three RRDBNets | every SR network of this chapter that is shipped |
# | features | a deep layer | the last layer before upsampling or output, `taps[-1]` |
# | compared | pictures of clusters, three CHI | CHI, SRGA and PSNR of every network; rank correlations |
# | degradations | clean, blur, noise | clean and four that **no** network was trained on |
#
# The four: anisotropic blur; JPEG; noise stronger than any in training; weak noise under JPEG.
# *Generalization* is the mean PSNR-Y over the patches under these four, against the sharp originals.
# CHI takes the five kinds of input as classes. SRGA (`srlab.studies.ddr.generalization`) fits a generalized
# Gaussian to the 50 principal components of clean and of degraded patches and averages the
# Kullback–Leibler divergence over the four.
#
# Two traps are set up from the start. Networks **without** global residual have a CHI near zero
# whatever they can do ({doc}`global_residual`); a correlation over all networks mixes this
# difference of architecture with generalization. So a second correlation is over networks with GR
# alone. And seeds and snapshots of one recipe are relatives: the bootstrap draws whole recipes.
#
# :::{admonition} Criterion, set before the experiment
# :class: important
# Spearman's ρ with the PSNR on unseen degradations is negative, with the whole 95 % interval below
# zero: (1) for CHI over all networks; (2) for CHI over networks with GR alone; (3) for SRGA over all
# networks.
# :::

# %% tags=["hide-cell"]
from math import pi

import numpy as np
from myst_nb import glue

from srlab.data.datasets import degraded_patches, load_images
from srlab.degradations import Degradation
from srlab.devices import pick_device
from srlab.figures.dots import scatter_panels
from srlab.figures.embeddings import embedding_grid
from srlab.figures.pictures import sprite_sheet
from srlab.figures.tables import Matrix, matrix_grid
from srlab.images import image_to_array
from srlab.metrics import network_psnr
from srlab.representation.embedding import embed, layer_components, separability
from srlab.statistics import rank_correlation, rank_correlation_interval
from srlab.studies.ddr.generalization import srga
from srlab.studies.networks import network, obtainable
from srlab.studies.parameters import check_parameters
from srlab.studies.study import Finding, record
from srlab.training.recipes import seed_names

check_parameters()
device = pick_device(device)
finding = Finding(
    name="ddr/generalization_index",
    claim="The lower the CHI of degradations in deep features, the better a network generalizes",
    source="DDR, Sec. 5, Fig. 11; Liu et al. 2022 (SRGA)",
    criterion=(
        "Spearman's ρ with PSNR on unseen degradations is negative, its 95 % interval (recipes "
        "drawn) below 0: CHI over all networks, CHI over those with global residual, SRGA over all."
    ),
)

# %% [markdown]
# ## Experiment
#
# The patches, clean and under degradations that none of the networks was trained on; and the
# networks.

# %%
unseen = [
    Degradation(blur_sigma=3, blur_sigma_y=0.8, blur_angle=pi / 4),
    Degradation(jpeg_quality=30),
    Degradation(noise_sigma=35 / 255),
    Degradation(noise_sigma=10 / 255, jpeg_quality=50),
]
pictures = load_images(image_set)
pairs = degraded_patches(pictures, [Degradation(), *unseen], count=num_patches, size=size)
kinds, contents = pairs.degradation_labels, pairs.content_labels
lr, hr = pairs.lr.to(device), pairs.hr.to(device)
clean, versions = kinds == kinds[0], 1 + len(unseen)

wanted = [name for recipe in recipes for name in seed_names(recipe, training_seeds)]
if not train:
    wanted += [f"{recipe}@{step}" for recipe in recipes for step in snapshots]
names = obtainable(wanted, train=train)


# %%
def look(name):
    """Of one network: embedding, CHI on it and on 50 components, SRGA, PSNR clean and unseen, GR."""
    model = network(name, train=train, device=device)
    components = layer_components(model, lr, [model.taps[-1]])[model.taps[-1]]
    embedding = embed(components, perplexity=perplexity)
    quality = network_psnr(model, lr[: restored * versions], hr[:restored], border=4).numpy()
    rows = [kinds == str(degradation) for degradation in unseen]
    return {
        "embedding": embedding,
        "CHI, t-SNE": separability(embedding, kinds).index,
        "CHI, 50 PCA dimensions": separability(components, kinds).index,
        "SRGA": np.mean([srga(components[clean], components[own]) for own in rows]),
        "PSNR, clean": quality[::versions].mean(),
        "PSNR, unseen": np.delete(quality, np.s_[::versions]).mean(),
        "GR": any(getattr(part, "global_residual", False) for part in model.modules()),
        "recipe": name.split("@")[0].removesuffix("-s1").removesuffix("-s2"),
    }


table = {name: look(name) for name in names}


# %%
def column(measure):
    return np.array([row[measure] for row in table.values()])


MEASURES = ["CHI, t-SNE", "CHI, 50 PCA dimensions", "SRGA"]
psnr_unseen, recipe_of = column("PSNR, unseen"), column("recipe")
with_gr = column("GR").astype(bool)
finished = np.array(["@" not in name for name in table])
SUBSETS = {
    "all networks": np.full(len(table), True),
    "with GR": with_gr,
    "with GR, fully trained": with_gr & finished,
}

# %% [markdown]
# ## What some networks make of unseen degradations
#
# Colours part where a network tells the inputs apart. By the claim, the networks that show one
# mixed cloud should be those with the highest PSNR.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE of the last layer of some networks: clean patches and four degradations that none was trained on. Colour: degradation; symbol: picture. Point at a dot to see its patch; click a class in the legend to hide it. CHI and mean PSNR on the four above each panel.", "name": "fig-generalization-tsne"}}
views = [name for name in shown if name in table] or list(table)[:4]
panels = {("", name): table[name]["embedding"] for name in views}
notes = {
    ("", name): f"CHI {table[name]['CHI, t-SNE']:.1f}, {table[name]['PSNR, unseen']:.2f} dB"
    for name in views
}
sprites = sprite_sheet(np.stack([image_to_array(patch) for patch in pairs.lr]))
embedding_grid(panels, classes=kinds, contents=contents, sprites=sprites, notes=notes)

# %% [markdown]
# ## All networks in one plane
#
# Each dot is a network. Were the claim true, the dots would fall from the upper left to the lower
# right.

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "Quality on unseen degradations against three indices, one dot a network; point at it to see its name. Colour and symbol: recipe, its early snapshots apart. To the left features separate less, or differ less; further up pictures are better. Look first at the networks without global residual, at the far left of the first panel, then at the rest.", "name": "fig-generalization-scatter"}}
families = np.array([f"{r}{'' if done else ', early'}" for r, done in zip(recipe_of, finished)])
own = {family: families == family for family in dict.fromkeys(families)}
titles = np.array(list(table))
scatter_panels(
    {
        measure: {f: (column(measure)[rows], psnr_unseen[rows]) for f, rows in own.items()}
        for measure in MEASURES
    },
    names={family: titles[rows] for family, rows in own.items()},
    y_title="PSNR-Y on unseen degradations, dB",
    log_x=MEASURES,
)

# %% [markdown]
# ## How well do they rank?
#
# Spearman's ρ of index and PSNR: −1 is a perfect index, 0 a useless one, 1 one to be read the other
# way round. Beside it the ρ of index and *loss*: how much PSNR falls from clean to unseen inputs.
# There a perfect index has 1.

# %%
loss = column("PSNR, clean") - psnr_unseen
outcomes = {"PSNR on unseen": psnr_unseen, "loss against clean": loss}
rho = {
    (outcome, subset, measure): rank_correlation(column(measure)[rows], values[rows])
    for outcome, values in outcomes.items()
    for subset, rows in SUBSETS.items()
    for measure in MEASURES
}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Rank correlations of each index with quality on unseen degradations (above: below zero if the index holds) and with the loss against clean inputs (below: above zero if it holds). Look how the sign for CHI depends on which networks are compared.", "name": "fig-generalization-rho"}}
grids = {
    (outcome, ""): Matrix(
        np.array([[rho[outcome, subset, measure] for measure in MEASURES] for subset in SUBSETS]),
        list(SUBSETS),
        ["CHI, t-SNE", "CHI, PCA", "SRGA"],
    )
    for outcome in outcomes
}
matrix_grid(grids, colour_title="Spearman's ρ")

# %% [markdown]
# ## Verdict
#
# The interval comes from 2 000 bootstrap draws of whole recipes.

# %%
QUALITY = "PSNR on unseen"
judged = [
    ("all networks", "CHI, t-SNE"),
    ("with GR", "CHI, t-SNE"),
    ("all networks", "SRGA"),
    ("all networks", "CHI, 50 PCA dimensions"),
    ("with GR", "CHI, 50 PCA dimensions"),
    ("with GR", "SRGA"),
]
interval = {
    (subset, measure): rank_correlation_interval(
        column(measure)[SUBSETS[subset]], psnr_unseen[SUBSETS[subset]], recipe_of[SUBSETS[subset]]
    )
    for subset, measure in judged
}

# %% tags=["remove-cell"]
for key, (subset, measure) in zip(
    ["all_chi", "gr_chi", "all_srga", "all_pca", "gr_pca", "gr_srga"], judged
):
    glue(f"gen_{key}", rho[QUALITY, subset, measure], display=False)
    glue(f"gen_{key}_low", interval[subset, measure][0], display=False)
    glue(f"gen_{key}_high", interval[subset, measure][1], display=False)
chi_of = column("CHI, t-SNE")
glue("gen_networks", len(table), display=False)
glue("gen_recipes", len(set(recipe_of)), display=False)
glue("gen_without", int((~with_gr).sum()), display=False)
glue("gen_without_chi", float(chi_of[~with_gr].max()), display=False)
glue("gen_without_low", float(psnr_unseen[~with_gr].min()), display=False)
glue("gen_without_high", float(psnr_unseen[~with_gr].max()), display=False)
for key, at in {
    "most": np.argmax(np.where(with_gr, chi_of, -np.inf)),
    "least": np.argmin(np.where(with_gr, chi_of, np.inf)),
    "best": np.argmax(psnr_unseen),
}.items():
    glue(f"gen_{key}", str(titles[at]), display=False)
    glue(f"gen_{key}_chi", float(chi_of[at]), display=False)
    glue(f"gen_{key}_psnr", float(psnr_unseen[at]), display=False)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: 95 % bootstrap interval, whole recipes drawn.", "name": "fig-generalization-verdict"}}
words = {place: f"ρ of {place[1]} and unseen PSNR, {place[0]}" for place in judged}
record(
    finding,
    checks={f"{words[place]}: interval below 0": interval[place][1] < 0 for place in judged[:3]},
    measured={words[place]: rho[QUALITY, *place] for place in judged}
    | {
        f"ρ of {measure} and loss against clean, {subset}": rho[
            "loss against clean", subset, measure
        ]
        for subset, measure in judged[:3]
    },
    interval={words[place]: interval[place] for place in judged},
    paper={words[judged[0]]: "lower is better", words[judged[2]]: "smaller is better"},
    image_set=image_set,
    parameters={"num_patches": num_patches, "size": size, "networks": len(table)},
    checkpoints=[] if train else list(table),
)

# %% [markdown]
# ## What we have seen
#
# - {glue:text}`gen_networks` networks of {glue:text}`gen_recipes` recipes. Over all of them CHI and
#   PSNR on unseen degradations have a ρ of {glue:text}`gen_all_chi:.2f`
#   ({glue:text}`gen_all_chi_low:.2f` to {glue:text}`gen_all_chi_high:.2f`); over those with global
#   residual {glue:text}`gen_gr_chi:.2f` ({glue:text}`gen_gr_chi_low:.2f` to
#   {glue:text}`gen_gr_chi_high:.2f`). On 50 principal components it is {glue:text}`gen_all_pca:.2f`
#   and {glue:text}`gen_gr_pca:.2f`. An index for which lower is better needs −1.
# - Architecture alone can win the lowest CHI: the {glue:text}`gen_without` networks without global
#   residual all stay below {glue:text}`gen_without_chi:.3f`, with anything from
#   {glue:text}`gen_without_low:.2f` to {glue:text}`gen_without_high:.2f` dB on unseen inputs.
# - Among those with GR, {glue:text}`gen_most` has the highest CHI ({glue:text}`gen_most_chi:.1f`) at
#   {glue:text}`gen_most_psnr:.2f` dB, and {glue:text}`gen_least` the lowest
#   ({glue:text}`gen_least_chi:.1f`) at {glue:text}`gen_least_psnr:.2f` dB. The best of all is
#   {glue:text}`gen_best` with {glue:text}`gen_best_psnr:.2f` dB. To remove a degradation, a network
#   with GR has to know it behind its last block ({doc}`training_degradations`): separation is then a
#   sign of ability as much as of the lack of it.
# - SRGA, on the same features, has a ρ of {glue:text}`gen_all_srga:.2f`
#   ({glue:text}`gen_all_srga_low:.2f` to {glue:text}`gen_all_srga_high:.2f`) over all networks and
#   {glue:text}`gen_gr_srga:.2f` with GR. It asks whether the *spread* of features stays the same, not
#   whether clouds can be told apart.
# - These are few recipes, and relatives of one another; the intervals say so. The paper compares
#   three networks.
#
# ## Try it yourself
#
# - Replace `unseen` by what some networks were trained on (`Degradation(noise_sigma=20 / 255)`): the
#   best network changes. Does any index notice?
# - Compare within one recipe: `recipes = ["srresnet-gr"]` with `snapshots = [250, 500, 1000, 2500, 4000]`
#   has too few recipes for an interval, but the dots show it: does CHI rise while PSNR on unseen
#   inputs rises or falls?
# - Add your own checkpoint to `srlab/weights` and its name to `recipes`.
