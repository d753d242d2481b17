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
training_seeds = [0, 1, 2]  # of the paper's SRCNN; ours was trained once a depth
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
        "deep": "13 layers separate clean, blurred and noisy patches: CHI of the last hidden layer, mean of five t-SNE runs, reaches level + (20); in SRCNNs of 9×9, then 5×5 filters and 32, then 16 channels",
        "shallow": "3 layers do not: it stays below 20; in the same SRCNNs",
        "grows": "CHI rises with depth from 3 to 13 layers: Spearman's ρ lies above 0, with its interval over contents; in the same SRCNNs",
        "psnr": "so does PSNR; in the same SRCNNs",
        "original": "all of this in SRCNN 9-1-5 of 64 and 32 channels, deepened in the middle, in every seed",
    },
    says={
        "deep": "Sec. A.7: “when we increase the depth to 13 layers, the deep representations begin to show discriminability on degradation types, with the CHI score increasing to 168.12”",
        "shallow": "Sec. A.7: “When the model only has 3 layers, its representations cannot distinguish different degradation types”",
        "grows": "Sec. A.7: “the deep representations also gradually manifest discriminability on degradation types”",
        "psnr": "Sec. A.7, Tab. 4: “the model achieves better SR performance with the increase of network depth”",
        "original": "a footnote: “We use the same architecture as the original paper”, with a global residual",
    },
    controls={
        "linear": "in 9-5-…-5, CHI rises with depth on 50 principal components, too (ρ above 0)",
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


bicubic = network_psnr(lambda images: upsample(images, 4), clean, hr, border=4).mean().item()
OURS = "9-5-…-5"
bases = {OURS: "srcnn-{}-gr"}
bases |= {f"9-1-…-5, seed {s}": seed_name("srcnn-915-{}-gr", s) for s in training_seeds}
wanted = {(kind, depth): base.format(depth) for kind, base in bases.items() for depth in depths}
places, missing = obtainable_places(wanted, train=train)
found = {}  # {kind: {depth: (components, index, PSNR)}}
for (kind, depth), name in places.items():
    found.setdefault(kind, {})[depth] = look(name)
if missing:
    print(left_out(missing))
depths = list(found[OURS])
_, judged, quality = (dict(zip(depths, own)) for own in zip(*found[OURS].values()))

# %% tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE of the last hidden layer of SRCNNs, from left to right deeper; each panel is another network. Above: ours; below: the paper's, first seed. Colour: degradation; symbol: picture. Above each panel CHI and the paper's level of it. At which depth do the colours begin to separate? Point at a dot to see its patch; click a class in the legend to hide it.", "name": "fig-depth-tsne"}}
first_two = list(found)[:2]
both = [depth for depth in depths if all(depth in found[kind] for kind in first_two)]
chosen = sorted({both[0], both[len(both) // 3], both[2 * len(both) // 3], both[-1]})
panels = {
    (kind, f"{depth} layers"): embed(found[kind][depth][0], perplexity=perplexity)
    for kind in first_two
    for depth in chosen
}
degradation_clouds(panels, pairs)

# %% name="hero" tags=["remove-cell"] caption="Features of the shallowest SRCNN and of the deepest (t-SNE of the last hidden layer). Colour: degradation. By the claim the colours mix at the left and lie apart at the right. Do they?"
ends = [f"{depth} layers" for depth in (depths[0], depths[-1])]
degradation_clouds({("", end): panels[OURS, end] for end in ends}, pairs, notes={})

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | network | SRCNN of 3 to 13 layers; by a footnote to the main text that of {cite:t}`dong2014learning`, 9-1-5 with 64 and 32 channels, and a global residual; how it is deepened is not stated | the same, deepened by more 1×1 layers in the middle, which is **our reading**; and another one, 9-5-…-5 with 32 and then 16 channels |
# | training | DIV2K | 4 000 steps on 577 pictures; of 9-1-…-5 up to three runs a depth, of 9-5-…-5 one |
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

# %% tags=["hide-input"] mystnb={"figure": {"caption": "CHI of the last hidden layer in the plane (mean of five t-SNE runs) and on 50 principal components, and PSNR-Y of the clean patches, by depth, of ours and of the paper's SRCNN (band of ours: 95 % bootstrap over contents; dotted: level +). Do quality and separability rise together?", "name": "fig-depth"}}
rows = np.random.default_rng(0).integers(num_patches, size=(500, num_patches))
TSNE, PCA, PSNR = "CHI, t-SNE", "CHI, 50 PCA dimensions", "PSNR-Y, dB"
means, draws = {}, {}  # {measure: {kind: of each depth, a number or its bootstrap draws}}
for kind, own in found.items():
    measured = {
        TSNE: [(index.mean, index.draws) for _, index, _ in own.values()],
        PCA: [
            (separability(points, kinds).index, separability_draws(points, kinds, groups))
            for points, *_ in own.values()
        ],
        PSNR: [(psnr.mean(), psnr[rows].mean(axis=1)) for *_, psnr in own.values()],
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
        title: {OURS: tuple(np.transpose([middle(drawn) for drawn in lines[OURS]]))}
        for title, lines in draws.items()
    },
    x_title="layers",
)
figure.add_hline(20, line={"dash": "dot", "color": "#8C8C8C"}, row=1, col=1)

# %% [markdown]
# ## Verdict

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: 95 % bootstrap interval over contents; of 9-1-…-5 the outer ends over its trainings.", "name": "fig-depth-verdict"}}
shallow, deep = depths[0], depths[-1]
chi_pca = dict(zip(depths, means[PCA][OURS]))
ENDS = {"shallow": (shallow, "not separated"), "deep": (deep, "168.12")}
for end, (depth, paper) in ENDS.items():
    name, own = f"CHI, {end}est", judged[depth]
    study.measure(
        name,
        own.mean,
        interval=own.interval,
        paper=paper,
        glue=f"depth_chi_{end}",
        headline=depth == deep,
    )
for title, (paper, glue) in {
    TSNE: ("grows", "depth_rho"),
    PCA: ("", "depth_rho_pca"),
    PSNR: ("grows", "depth_rho_psnr"),
}.items():
    rho, interval = order(title, OURS)
    study.measure(
        f"Spearman ρ of depth and {title}", rho, interval=interval, paper=paper, glue=glue
    )
for end, (depth, _) in ENDS.items():
    study.measure(f"PSNR-Y, {end}est", quality[depth].mean(), glue=f"depth_psnr_{end}")
    study.measure(f"CHI on 50 PCA dimensions, {end}est", chi_pca[depth], glue=f"depth_pca_{end}")
    study.glue(**{f"depth_{end}": depth, f"depth_reach_{end}": 9 + 4 * (depth - 2)})
study.measure("PSNR-Y, bicubic", bicubic, glue="depth_bicubic")
papers = [  # those of enough depths for a rank correlation
    kind
    for kind, own in found.items()
    if kind != OURS and {shallow, deep} <= own.keys() and len(own) >= 3
]
low, high = judged[deep].interval
study.glue(depth_low=low, depth_high=high, depth_own_seeds=len(papers))
if papers:
    for end, (depth, paper) in ENDS.items():
        own = over_seeds(found[kind][depth][1] for kind in papers)
        study.measure(f"CHI, 9-1-…-5, {end}est", **own, paper=paper, glue=f"depth_own_{end}")
    for title, glue in {TSNE: "depth_own_rho", PSNR: "depth_own_rho_psnr"}.items():
        rho, intervals = zip(*(order(title, kind) for kind in papers))
        name = f"Spearman ρ of depth and {title}, 9-1-…-5"
        study.measure(name, rho, interval=outer(intervals), paper="grows", glue=glue)


def trend(kind):
    """The outcomes of the first four claims in one kind of SRCNN."""
    return {
        "deep": reaches(found[kind][deep][1].interval, 20),
        "shallow": stays_below(found[kind][shallow][1].interval, 20),
        "grows": exceeds(order(TSNE, kind)[1]),
        "psnr": exceeds(order(PSNR, kind)[1]),
    }


of_papers = [own for kind in papers for own in trend(kind).values()]
study.verdict(
    **trend(OURS),
    original=together(*of_papers) if of_papers else None,
    linear=exceeds(order(PCA, OURS)[1]),
    notes={"depths": depths},
)

# %% [markdown]
# ## What we have seen
#
# - In our SRCNN, with {glue:text}`depth_shallow` layers the last hidden layer has a CHI of
#   {glue:text}`depth_chi_shallow:.1f`, with {glue:text}`depth_deep` layers of
#   {glue:text}`depth_chi_deep:.1f` (95 % over contents: {glue:text}`depth_low:.1f` to
#   {glue:text}`depth_high:.1f`); on 50 principal components {glue:text}`depth_pca_shallow:.1f` and
#   {glue:text}`depth_pca_deep:.1f`.
# - Ordered by depth, CHI has a Spearman's ρ of {glue:text}`depth_rho:.2f` ({glue:text}`depth_rho_pca:.2f`
#   on the principal components). Each depth was trained once, so a single step of the curve may be chance;
#   the order of all of them is what counts.
# - **The paper's SRCNN**, 9-1-5, has a CHI of {glue:text}`depth_own_shallow:.1f` with
#   {glue:text}`depth_shallow` layers and of {glue:text}`depth_own_deep:.1f` with {glue:text}`depth_deep`
#   (mean of {glue:text}`depth_own_seeds` trainings); by depth, CHI has a ρ of {glue:text}`depth_own_rho:.2f` and PSNR of
#   {glue:text}`depth_own_rho_psnr:.2f`. It gains layers, but no wider view. Ours gains both, with half the
#   channels.
# - In ours PSNR goes from {glue:text}`depth_psnr_shallow:.2f` to {glue:text}`depth_psnr_deep:.2f` dB (bicubic:
#   {glue:text}`depth_bicubic:.2f`), and its rank correlation with depth is {glue:text}`depth_rho_psnr:.2f`.
#
# ## Exercises
#
# 1. In ours the first layer has 9×9 filters, each further one 5×5. How many HR pixels across do the last hidden
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
