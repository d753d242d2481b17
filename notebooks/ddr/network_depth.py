# %% [markdown]
# (finding-network-depth)=
# # Do deeper networks separate degradations better?
#
# *6 minutes. You learn to judge a trend over several networks, and what depth brings besides layers. Builds
# on {doc}`global_residual`.*
#
# ## The claim
#
# SRCNN has three layers, and its features do not separate degradations. Deepened layer by layer, with a
# global residual (GR), it begins to: with 13 layers the Caliński–Harabasz index (CHI) is 168.12
# ({cite:t}`liu2021discovering`, Sec. A.7, Tab. 4, Fig. 14).
#
# Why it matters: to tell how an image was degraded takes more than a few pixels; a flat one may be a wall
# or a blurred wall. If depth makes the difference, a network needs room to work its "semantics" out.

# %% tags=["parameters", "hide-cell"] quick={"num_patches": 20, "depths": [3, 7, 13], "training_seeds": [0], "size": 12, "perplexity": 10, "tsne_runs": 1}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_patches = 100  # contents; each is shown under all three degradations
depths = [3, 5, 7, 9, 11, 13]  # layers of the networks
training_seeds = [0, 1, 2]  # of the paper's SRCNN; the other one was trained once a depth
size = 24  # side of a patch, LR pixels
perplexity = 30
tsne_runs = 5  # random starts of t-SNE, as in the paper; their mean is judged
train = False  # True trains all networks here (half an hour or more each) instead of loading them
device = "auto"

# %% tags=["hide-cell"]
import numpy as np

from srlab.data.datasets import degraded_patches, load_images
from srlab.degradations import Degradation
from srlab.degradations.filters import upsample
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.metrics import network_psnr
from srlab.representation.embedding import embed, layer_components, separability, separability_draws
from srlab.statistics import middle, rank_correlation
from srlab.studies.ddr.clouds import degradation_clouds
from srlab.studies.ddr.restarts import over_seeds, restarts, runs_index
from srlab.studies.networks import left_out, obtainable_places
from srlab.studies.study import Study, exceeds, outer, reaches, stays_below, together
from srlab.training.recipes import seed_name

study = Study(
    "ddr/network_depth",
    claim="Separability of degradations grows with a network's depth: none at 3 layers of SRCNN",
    source="DDR, Sec. A.7, Tab. 4, Fig. 14",
    claims={
        "deep": "13 layers separate clean, blurred and noisy patches: CHI of the last hidden layer of SRCNN 9-1-…-5, mean of five t-SNE runs, reaches level + (20) in every training",
        "shallow": "3 layers do not: it stays below 20 in every training",
        "grows": "CHI rises with depth from 3 to 13 layers: Spearman's ρ lies above 0, with its interval over contents, in every training",
        "psnr": "so does PSNR, in every training",
    },
    says={
        "deep": "Sec. A.7: “when we increase the depth to 13 layers, the deep representations begin to show discriminability on degradation types, with the CHI score increasing to 168.12”",
        "shallow": "Sec. A.7: “When the model only has 3 layers, its representations cannot distinguish different degradation types”",
        "grows": "Sec. A.7: “the deep representations also gradually manifest discriminability on degradation types”",
        "psnr": "Sec. A.7, Tab. 4: “the model achieves better SR performance with the increase of network depth”",
    },
    controls={
        "wider_deep": "9-5-…-5 of 32 and 16 channels, whose view grows with depth, reaches 20 with 13 layers",
        "wider_shallow": "with 3 layers it stays below 20",
        "wider_grows": "its CHI rises with depth (ρ above 0)",
        "wider_psnr": "so does its PSNR",
        "linear": "so does its CHI on 50 principal components",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

# %% tags=["hide-cell"]
degradations = [Degradation(), Degradation(blur_sigma=4), Degradation(noise_sigma=20 / 255)]
pictures = load_images(image_set)
pairs = degraded_patches(pictures, degradations, count=num_patches, size=size)
kinds = pairs.degradation_labels
lr, hr = pairs.lr.to(study.device), pairs.hr.to(study.device)
clean, groups = lr[:: len(degradations)], np.repeat(np.arange(num_patches), len(degradations))


def look(name):
    """(components, CHI over runs of t-SNE, PSNR of each clean patch) of the last hidden layer."""
    model = study.network(name)
    layer = model.taps[-1]
    points = layer_components(model, lr, [layer])[layer]
    index = runs_index(restarts(points, tsne_runs, perplexity=perplexity), kinds, groups)
    return points, index, network_psnr(model, clean, hr, border=4).cpu().numpy()


bicubic = network_psnr(lambda images: upsample(images, 4), clean, hr, border=4).cpu().numpy()
WIDER = "9-5-…-5"
bases = {f"9-1-…-5, seed {s}": seed_name("srcnn-915-{}-gr", s) for s in training_seeds}
bases[WIDER] = "srcnn-{}-gr"
wanted = {(kind, depth): base.format(depth) for kind, base in bases.items() for depth in depths}
places, missing = obtainable_places(wanted, train=train)
found = {}  # {kind: {depth: (components, index, PSNR)}}
for (kind, depth), name in places.items():
    found.setdefault(kind, {})[depth] = look(name)
if missing:
    print(left_out(missing))
papers = [kind for kind in found if kind != WIDER]

# %% tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE of the last hidden layer of SRCNNs, from left to right deeper; each panel is another network. Above: the paper's SRCNN, first seed; below: one whose view grows with its depth. Colour: degradation; symbol: picture. Above each panel CHI and the paper's level of it. At which depth do the colours begin to separate? Point at a dot to see its patch; click a class in the legend to hide it.", "name": "fig-depth-tsne"}}
first = papers[0]
at = list(found[first])
chosen = sorted({at[0], at[len(at) // 3], at[2 * len(at) // 3], at[-1]})
panels = {
    (kind, f"{depth} layers"): embed(found[kind][depth][0], perplexity=perplexity)
    for kind in (first, WIDER)
    for depth in chosen
}
degradation_clouds(panels, pairs)

# %% name="hero" tags=["remove-cell"] caption="Features of the paper's SRCNN, the shallowest and the deepest (t-SNE of the last hidden layer). Colour: degradation. By the claim the colours mix at the left and lie apart at the right. Do they?"
shallow, deep = at[0], at[-1]
ends = [f"{depth} layers" for depth in (shallow, deep)]
degradation_clouds({("", end): panels[first, end] for end in ends}, pairs, notes={})

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | network | SRCNN of 3 to 13 layers; by a footnote to the main text that of {cite:t}`dong2014learning`, 9-1-5 with 64 and 32 channels, and a global residual; how it is deepened is not stated | the same, deepened by more 1×1 layers in the middle, which is **our reading**; as a control another one, 9-5-…-5 with 32 and then 16 channels |
# | training | DIV2K | 4 000 steps on 577 pictures; of 9-1-…-5 three runs a depth, of 9-5-…-5 one |
# | PSNR | on the usual test sets | of the test patches |
# | features | layer not stated | of the last hidden layer |
# | test patches | 100 contents, 32×32 LR pixels | 100 contents, 24×24 LR pixels, from six photographs; with `b100` from a hundred pictures |
# | degradations of the LR image | clean, blur of width 4, noise of σ 20/255 | the same |
# | with more training | – | not shown: no snapshots ship. Longer training would help the deep ones most |
#
# SRCNN enlarges its input first and works on the HR grid, where a patch of 24×24 LR pixels has 96×96
# features a channel; nothing is pooled. All depths train for equally many steps, so the deep ones end
# further from their best. A CHI of 20 is the paper's level “+”. More layers of 1×1 see no further: whatever
# its depth, the last hidden layer of 9-1-…-5 looks at 9×9 pixels of the HR grid.

# %% tags=["remove-input"]
study

# %% [markdown]
# How sure is an order of depths? Contents are drawn with replacement, the same ones for all networks.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "CHI of the last hidden layer in the plane (mean of five t-SNE runs) and on 50 principal components, and by how much the clean patches have more PSNR-Y than enlarged by bicubic interpolation, by depth, of each training of the paper's SRCNN and of the other (band of its first: 95 % bootstrap over contents; dotted: level +). Do quality and separability rise together?", "name": "fig-depth"}}
rows = np.random.default_rng(0).integers(num_patches, size=(500, num_patches))
TSNE, PCA, PSNR = "CHI, t-SNE", "CHI, 50 PCA dimensions", "PSNR-Y over bicubic, dB"
means, draws = {}, {}  # {measure: {kind: of each depth, a number or its bootstrap draws}}
for kind, own in found.items():
    measured = {
        TSNE: [(index.mean, index.draws) for _, index, _ in own.values()],
        PCA: [
            (separability(points, kinds).index, separability_draws(points, kinds, groups))
            for points, *_ in own.values()
        ],
        PSNR: [
            (gain.mean(), gain[rows].mean(axis=1))
            for *_, psnr in own.values()
            for gain in [psnr - bicubic]
        ],
    }
    for title, values in measured.items():
        means.setdefault(title, {})[kind], draws.setdefault(title, {})[kind] = zip(*values)


def order(title, kind):
    """(Spearman's ρ of depth and a measure, its interval over contents)."""
    at = list(found[kind])
    drawn = [rank_correlation(at, values) for values in zip(*draws[title][kind])]
    return rank_correlation(at, means[title][kind]), middle(drawn)


figure = stacked_curves(
    {kind: list(own) for kind, own in found.items()},
    {title: {kind: np.array(own) for kind, own in lines.items()} for title, lines in means.items()},
    bands={
        title: {first: tuple(np.transpose([middle(drawn) for drawn in lines[first]]))}
        for title, lines in draws.items()
    },
    x_title="layers",
)
figure.add_hline(20, line={"dash": "dot", "color": "#8C8C8C"}, row=1, col=1)

# %% [markdown]
# ## Verdict

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: 95 % bootstrap interval over contents; of 9-1-…-5 the outer ends over its trainings.", "name": "fig-depth-verdict"}}
ordered = [kind for kind in papers if len(found[kind]) >= 3]  # of depths enough for an order
PAPER = {"deep": "168.12", "shallow": "not separated", TSNE: "grows", PSNR: "grows"}
for end, depth in {"deep": deep, "shallow": shallow}.items():
    indices, psnr = zip(*(found[kind][depth][1:] for kind in papers if depth in found[kind]))
    told = {"paper": PAPER[end], "glue": f"depth_chi_{end}", "headline": depth == deep}
    study.measure(f"CHI, 9-1-…-5, {end}est", **over_seeds(indices), **told)
    own = [values.mean() for values in psnr]
    study.measure(f"PSNR-Y, 9-1-…-5, {end}est", own, glue=f"depth_psnr_{end}")
    _, index, psnr = found[WIDER][depth]
    told = {"interval": index.interval, "glue": f"depth_wider_{end}"}
    study.measure(f"CHI, {WIDER}, {end}est", index.mean, **told)
    study.measure(f"PSNR-Y, {WIDER}, {end}est", psnr.mean(), glue=f"depth_wider_psnr_{end}")
    study.glue(**{f"depth_{end}": depth, f"depth_reach_{end}": 9 + 4 * (depth - 2)})
for title, ending in {TSNE: "rho", PCA: "rho_pca", PSNR: "rho_psnr"}.items():
    if ordered:
        rho, intervals = zip(*(order(title, kind) for kind in ordered))
        told = {"paper": PAPER.get(title, ""), "glue": f"depth_{ending}"}
        name = f"Spearman ρ of depth and {title}, 9-1-…-5"
        study.measure(name, rho, interval=outer(intervals), **told)
    rho, interval = order(title, WIDER)
    told = {"interval": interval, "glue": f"depth_wider_{ending}"}
    study.measure(f"Spearman ρ of depth and {title}, {WIDER}", rho, **told)
study.measure("PSNR-Y, bicubic", bicubic.mean(), glue="depth_bicubic")
study.glue(depth_seeds=sum(deep in found[kind] for kind in papers), depth_orders=len(ordered))


def trend(some):
    """The outcomes of the four claims in some kinds of SRCNN, each kind with its depths."""
    chi = {
        depth: [at[depth][1] for at in map(found.get, some) if depth in at]
        for depth in (shallow, deep)
    }
    long = [kind for kind in some if len(found[kind]) >= 3]
    return {
        "deep": together(*(reaches(own.interval, 20) for own in chi[deep])),
        "shallow": together(*(stays_below(own.interval, 20) for own in chi[shallow])),
        "grows": together(*(exceeds(order(TSNE, kind)[1]) for kind in long)),
        "psnr": together(*(exceeds(order(PSNR, kind)[1]) for kind in long)),
    }


wider = {f"wider_{key}": outcome for key, outcome in trend([WIDER]).items()}
study.verdict(
    **trend(papers), **wider, linear=exceeds(order(PCA, WIDER)[1]), notes={"depths": depths}
)

# %% [markdown]
# ## What we have seen
#
# - **The paper's SRCNN**, 9-1-5, has a CHI of {glue:text}`depth_chi_shallow:.1f` with {glue:text}`depth_shallow`
#   layers and of {glue:text}`depth_chi_deep:.1f` with {glue:text}`depth_deep` (mean of
#   {glue:text}`depth_seeds` trainings). Layers of 1×1 widen no view, so depth alone does this.
# - By depth, its CHI has a Spearman's ρ of {glue:text}`depth_rho:.2f` and its PSNR of
#   {glue:text}`depth_rho_psnr:.2f`, which goes from {glue:text}`depth_psnr_shallow:.2f` to
#   {glue:text}`depth_psnr_deep:.2f` dB (bicubic: {glue:text}`depth_bicubic:.2f`; mean of the trainings,
#   {glue:text}`depth_orders` of which have three depths or more). A single step of a curve may be chance.
# - **With 5×5 filters**, half the channels and a view that grows, CHI is {glue:text}`depth_wider_shallow:.1f` with
#   {glue:text}`depth_shallow` layers already, and {glue:text}`depth_wider_deep:.1f` with
#   {glue:text}`depth_deep` (ρ {glue:text}`depth_wider_rho:.2f`; on 50 principal components
#   {glue:text}`depth_wider_rho_pca:.2f`). Its PSNR goes from {glue:text}`depth_wider_psnr_shallow:.2f` to
#   {glue:text}`depth_wider_psnr_deep:.2f` dB (ρ {glue:text}`depth_wider_rho_psnr:.2f`).
#
# ## Exercises
#
# 1. In 9-5-…-5 the first layer has 9×9 filters, each further one 5×5. How many HR pixels across do the last hidden
#    features see with 3 and with 13 layers, the last of which is the output layer? Compare with a blur of 4
#    LR pixels.
# 2. Leave the blur out of `degradations`: noise shows in a few pixels. What do you expect of the shallowest
#    network?
# 3. Why is one training per depth enough for a trend, but not for a comparison of 7 with 9 layers?
#
# ```{dropdown} Answers
# 1. Each 5×5 layer adds 4 pixels: {glue:text}`depth_reach_shallow` in the shallowest network of this run
#    and {glue:text}`depth_reach_deep` in the deepest. The blur has a σ of 16 HR pixels, so it reaches
#    beyond all of them.
# 2. If reach is what it lacks, it should separate noise better than it separates blur.
# 3. Two trainings differ by their initialization too. Over many depths such differences average out;
#    between two they cannot be told from the effect.
# ```
#
# To go on: take the same layer of every network (`layer = "body.0"`): does the depth of the *layer* count,
# or that of the network?
