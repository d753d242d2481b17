# %% [markdown]
# (finding-degradation-degrees)=
# # Do degrees of a degradation form a spectrum in deep features?
#
# *10 minutes. You learn to judge an order of levels from pairs of them, and what t-SNE hides of it. Builds
# on {doc}`adversarial_learning`.*
#
# ## The claim
#
# Deep features tell blur from noise, and also *how much* of it there is. Take two levels of noise, or two
# widths of blur: the further apart they are, the better a layer separates them. Noise is graded more easily
# than blur, and to grade blur a network needs a global residual (GR), even one trained adversarially
# ({cite:t}`liu2021discovering`, Sec. A.9, Tab. 7, Fig. 17).
#
# Why it matters: clusters alone could come from a few telltale artefacts. A spectrum means that the network
# *measures* the degradation, though it never got a number to learn.

# %% tags=["parameters", "hide-cell"] quick={"num_patches": 16, "num_spectrum": 8, "noise_levels": [10, 20, 30], "blur_levels": [2, 4, 6], "training_seeds": [0], "draws": 20, "num_travellers": 8, "tsne_runs": 1}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_patches = 100  # contents; each is shown at every level that is judged
judged_noise = [10, 20, 30]  # σ of the noise, of 255: levels whose pairs are judged in the plane
judged_blur = [2, 4, 6]  # width σ of the Gaussian blur, LR pixels
tsne_runs = 5  # t-SNE of every pair from so many random starts; their mean is judged
noise_levels = [5, 10, 15, 20, 25, 30]  # of the finer spectrum, which is a control
blur_levels = [1, 2, 3, 4, 5, 6]
num_spectrum = 24  # contents at every one of these levels (first seed)
networks = {  # title → recipe, each in all training seeds
    "SRResNet with GR": "srresnet-gr",
    "SRResNet without GR": "srresnet-wogr",
    "SRGAN with GR": "srgan-gr",
    "SRGAN without GR": "srgan-wogr",
}
training_seeds = [0, 1, 2]  # networks trained from different initializations and data orders
block = 16  # residual block whose output is taken
draws = 200  # bootstrap draws over contents
num_travellers = 24  # contents in the explorer at the end
train = False  # True trains all networks here (7 minutes or more each) instead of loading them
device = "auto"

# %% tags=["hide-cell"]
import numpy as np
import pandas as pd

from srlab.data.datasets import degraded_patches, load_images
from srlab.degradations import Degradation
from srlab.devices import pick_device
from srlab.explorers.controls import Control
from srlab.explorers.scatter import EmbeddedState, Route, ScatterExplorer
from srlab.figures.curves import stacked_curves
from srlab.figures.pictures import picture_grid, sprite_sheet
from srlab.figures.tables import Matrix, matrix_grid
from srlab.figures.theme import COLOURS, shades
from srlab.images import image_to_array
from srlab.representation.embedding import (
    METHODS,
    embed,
    layer_points,
    principal_components,
    separability,
)
from srlab.studies.ddr.spectrum import (
    by_distance,
    compact,
    grades,
    level_pairs,
    outer_lead,
    plane_pairs,
)
from srlab.studies.frames import curves
from srlab.studies.study import Study, exceeds, reaches, span, stays_below, together
from srlab.training.recipes import seed_name

study = Study(
    "ddr/degradation_degrees",
    claim="Degrees of a degradation form a spectrum; noise is easier to grade than blur",
    source="DDR, Sec. A.9, Tab. 7, Fig. 17",
    claims={
        "noise": "noise 10 and 30 separate better than 10 and 20 and than 20 and 30: CHI, mean of five t-SNE runs, in SRResNet and SRGAN with GR, in every seed",
        "blur": "blur widths 2 and 6 separate better than 2 and 4 and than 4 and 6, in both and in every seed",
        "easier": "with GR, levels of noise separate better than those of blur (median over pairs), in both and in every seed",
        "indispensable": "SRGAN: two widths of blur reach level + (20) with GR and none do without, in every seed",
        "gan": "levels separate better in SRGAN than in SRResNet (median over all pairs), with GR and without, in every seed",
        "residual": "levels separate better with GR than without (median over all pairs), in SRResNet and in SRGAN, in every seed",
    },
    says={
        "noise": "Sec. A.9: “The greater the difference between degradation degrees, the stronger the discriminability of feature representations”; its example is noise 10, 20, 30",
        "blur": "Sec. A.9: “the discriminability has a monotonic relationship with the divergence between degradation types and degrees”",
        "easier": "Sec. A.9: “Comparing with blur degradation, noise degradation is easier to be discriminated”",
        "indispensable": "Sec. A.9: “Even for GAN-based method, global residual (GR) is indispensable to obtain representations that can be discriminative to different blur levels”",
        "gan": "Sec. A.9: “The representations obtained by GAN-based method have more discriminative semantics to degradation types and degrees than those of MSE-based method”",
        "residual": "Sec. A.9: “global residual can strengthen the representation discriminability for degradations”",
    },
    controls={
        "spectrum": "on 50 principal components CHI rises with distance for noise and for blur (ρ ≥ 0.7 over six levels), SRResNet with GR, first seed",
        "tenfold": "SRResNet: pairs of blur separate at least 10 times better with GR on 50 principal components, first seed",
        "farthest": "SRResNet with GR: noise 10 and 30 reach CHI 20 in the plane, in every seed",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

# %% tags=["hide-cell"]
clean = Degradation()
noises = [Degradation(noise_sigma=level / 255) for level in noise_levels]
blurs = [Degradation(blur_sigma=level) for level in blur_levels]
degradations, images = [clean, *noises, *blurs], load_images(image_set)
spectrum = degraded_patches(images, degradations, count=num_spectrum)
pictures = image_to_array(spectrum.lr)
pictures = pictures.reshape(num_spectrum, len(degradations), *pictures.shape[1:])
LEVELS = {"noise": noise_levels, "blur": blur_levels}
OWN = {"noise": slice(1, 1 + len(noises)), "blur": slice(1 + len(noises), None)}

JUDGED = {
    "noise": [Degradation(noise_sigma=level / 255) for level in judged_noise],
    "blur": [Degradation(blur_sigma=level) for level in judged_blur],
}
judged = {
    kind: degraded_patches(images, levels, count=num_patches).lr for kind, levels in JUDGED.items()
}

layer, lr = f"body.{block - 1}", spectrum.lr.to(study.device)
planes, spectra, travellers, found = {}, {}, {}, []
for title, base in networks.items():
    for seed in training_seeds:
        model = study.network(seed_name(base, seed))
        for kind, patches in judged.items():
            points = layer_points(model, patches.to(study.device), [layer])[layer]
            points = compact(points.reshape(num_patches, len(JUDGED[kind]), -1))
            runs = tsne_runs if "with GR" in title else 1
            planes[kind, title, seed] = own = plane_pairs(points, runs)
            numbers = {"lead": outer_lead(own), "farthest": own[0, -1]}
            numbers |= {"median": np.nanmedian(own), "highest": np.nanmax(own)}
            found.append({"kind": kind, "network": title, "seed": seed} | numbers)
table = pd.DataFrame(found).set_index(["kind", "network", "seed"])

first = training_seeds[0]
for title, base in networks.items():
    points = layer_points(study.network(seed_name(base, first)), lr, [layer])[layer]
    points = points.reshape(num_spectrum, len(degradations), -1)
    for kind, part in OWN.items():
        spectra[kind, title] = level_pairs(compact(points[:, part]), draws=draws)
    travellers[title] = principal_components(points[:num_travellers].reshape(-1, points.shape[2]))


# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "Separation of every two of the judged levels in the plane: the Caliński–Harabasz index (CHI), mean of five t-SNE runs and of the training seeds; one logarithmic colour scale. The paper counts 20 and more as separated. In a spectrum the blue is weak along the diagonal, where neighbours meet, and strong in the corners. Which panels show one? Compare noise with blur, and the rows.", "name": "fig-degrees-tsne"}}
def panels(matrices, levels):
    """{(network, kind): matrix} of {(kind, network): values}."""
    ticks = {kind: [str(level) for level in own] for kind, own in levels.items()}
    return {(t, k): Matrix(own, ticks[k], ticks[k]) for (k, t), own in matrices.items()}


mean = {
    (kind, title): np.mean([planes[kind, title, seed] for seed in training_seeds], axis=0)
    for title in networks
    for kind in JUDGED
}
judged_levels = {"noise": judged_noise, "blur": judged_blur}
matrix_grid(panels(mean, judged_levels), colour_title="CHI, t-SNE", log=True)

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | networks | SRResNet and SRGAN, 64 channels in their own paper | the same with 32 channels, three training seeds |
# | patches | 100 contents, 32×32 LR pixels | 100 from six embedded photographs, which overlap in part; with `b100` from a hundred pictures |
# | levels, on the LR image | its text names noise 10, 20 and 30; widths of blur are not stated there | noise 10, 20, 30 and blur 2, 4, 6; a finer spectrum as a control |
# | projection | each pair: PCA to 50, t-SNE to 2, five runs | the same |
# | verdict | levels −, +, ++, +++ | ratios of CHI, in every training seed |
# | with more training | – | not shown: snapshots of these SRGANs do not ship; {doc}`adversarial_learning` has one that was trained four times as long |
#
# Every pair of levels is projected by itself, so that no third level affects how two of them separate.
# ResBlock 16 is judged. Without GR t-SNE runs once for each of three seeds. The control takes six levels
# each, 24 contents and the 50 principal components, where t-SNE sets no threshold; distance is the
# difference of the noise's σ, or of the blur's width.

# %% tags=["remove-input"]
study

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Two contents, clean and at the levels of noise (above) and of blur (below). What is the widest blur you can still tell from the next? And which noise?", "name": "fig-degrees-patches"}}
some = pictures[[0, num_spectrum // 2]]
columns = {kind: [0, *range(*part.indices(len(degradations)))] for kind, part in OWN.items()}
at = {(kind, f"step {s}"): k for kind, levels in columns.items() for s, k in enumerate(levels)}
shown = {place: np.concatenate(some[:, k]) for place, k in at.items()}
picture_grid(shown, notes={place: str(degradations[k]) for place, k in at.items()})

# %% [markdown]
# ## The finer spectrum

# %% tags=["hide-input"] mystnb={"figure": {"caption": "CHI of every two of six levels on 50 principal components (first seed). Does the blue grow stronger along a row with the distance from the diagonal? Point at a cell to read its value.", "name": "fig-degrees-pca"}}
matrices = {key: own.matrix for key, own in spectra.items()}
matrix_grid(panels(matrices, LEVELS), colour_title="CHI, 50 PCA dimensions", log=True, text=False)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Mean CHI on 50 principal components of the pairs that are one step, two steps, … apart (first seed). A spectrum rises to the right. How high does blur get without GR?", "name": "fig-degrees-distance"}}
steps = pd.DataFrame(
    {"measure": f"CHI, {kind}", "network": title, "step": step, "value": value}
    for (kind, title), own in spectra.items()
    for step, value in enumerate(by_distance(own.matrix), start=1)
)
lines, _ = curves(steps, panel="measure", line="network", x="step")
stacked_curves(
    {t: np.arange(1, max(map(len, LEVELS.values()))) for t in networks},
    lines,
    x_title="steps between the two levels",
    log_y=list(lines),
)

# %% [markdown]
# ## Lead a patch through the spectrum
#
# All levels together in **one** embedding that stays as it is, while one patch moves. Choose a patch, then
# add noise or blur with the sliders: its dot travels, and the small picture shows what the network sees.
#
# - Move the **noise** slider from 0 to the end. Does the patch go one way, or does it wander?
# - Move the **blur** slider. Where do its steps become too small to see, in the embedding and in the
#   picture?
# - Change the **patch**, then the **network**: do other contents take parallel ways, with GR and without?
# - Switch to **PCA**, which is linear and tears nothing apart.


# %% tags=["hide-cell"]
def state(title, method):
    embedding = embed(travellers[title], method=method)
    labels = spectrum.degradation_labels[: len(embedding)]
    indices = [separability(own, labels).index for own in (embedding, travellers[title])]
    return EmbeddedState(embedding, *indices)


states = {(t, METHODS[m]): state(t, m) for t in networks for m in ("tsne", "pca")}

# %% tags=["hide-input"]
count = num_travellers * len(degradations)
routes = [
    Route(title, {str(level): str(degradation) for level, degradation in stops})
    for title, stops in {
        "Noise, σ of 255": zip([0, *noise_levels], [clean, *noises], strict=True),
        "Blur, width in LR pixels": zip([0, *blur_levels], [clean, *blurs], strict=True),
    }.items()
]
explorer = ScatterExplorer.from_controls(
    states,
    controls=[Control("network", "Network"), Control("projection", "Projection")],
    degradations=spectrum.degradation_labels[:count],
    contents=spectrum.content_labels[:count],
    patches=np.repeat(np.arange(num_travellers), len(degradations)),
    sprite=sprite_sheet(pictures[:num_travellers].reshape(-1, *pictures.shape[2:])),
    routes=routes,
    colours=["#8C8C8C", *shades(COLOURS[4], len(noises)), *shades(COLOURS[0], len(blurs))],
    fillings=[2, *[0] * len(noises), *[1] * len(blurs)],
)
explorer

# %% [markdown]
# ## Verdict

# %% tags=["hide-cell"]
GR, PLAIN = ("SRResNet with GR", "SRGAN with GR"), ("SRResNet without GR", "SRGAN without GR")
by_network = table.unstack("network")
noise, blur = (by_network.xs(kind, level="kind") for kind in JUDGED)


def overall(title):
    """Median CHI over the pairs of both kinds, of each training seed."""
    upper = np.triu_indices(len(judged_noise), 1), np.triu_indices(len(judged_blur), 1)
    own = [
        np.concatenate([planes[k, title, s][rows] for k, rows in zip(JUDGED, upper)])
        for s in training_seeds
    ]
    return np.median(own, axis=1)


easier = noise["median"][[*GR]] / blur["median"][[*GR]]
gan = [overall(srgan) / overall(srresnet) for srresnet, srgan in (GR, PLAIN)]
residual = [overall(own) / overall(other) for own, other in zip(GR, PLAIN)]
fine = {key: grades(own, LEVELS[key[0]]) for key, own in spectra.items()}
tenfold = fine["blur", GR[0]]["median"] / fine["blur", PLAIN[0]]["median"]

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: lowest to highest over training seeds (and networks, where there are two); of ρ: 95 % bootstrap over contents.", "name": "fig-degrees-verdict"}}
for kind, own in {"noise": noise, "blur": blur}.items():
    name = f"{kind}, with GR: CHI of the outermost levels over that of the others"
    study.measure(name, own["lead"][[*GR]].to_numpy().ravel(), paper="grows with distance")
name = "with GR: median CHI, noise over blur"
study.measure(name, easier.to_numpy().ravel(), paper="noise is easier")
for title in (GR[1], PLAIN[1]):
    paper = "discriminative" if title == GR[1] else "not"
    name = f"{title}, blur: highest CHI of a pair"
    study.measure(name, blur["highest"][title], paper=paper)
for how, own in zip(("with", "without"), gan):
    study.measure(f"{how} GR: median CHI, SRGAN over SRResNet", own, paper="above 1")
for family, own in zip(("SRResNet", "SRGAN"), residual):
    study.measure(f"{family}: median CHI, with GR over without", own, paper="above 1")
for title in networks:
    for kind, own in {"noise": noise, "blur": blur}.items():
        short = "degrees_" + title.lower().replace(" ", "_") + f"_{kind}"
        study.measure(f"{title}, {kind}: median CHI", own["median"][title], glue=short)
name = "SRResNet with GR: CHI of the farthest noise levels"
study.measure(name, noise["farthest"][GR[0]], glue="degrees_farthest")
for kind in LEVELS:
    own, name = fine[kind, GR[0]], f"Spearman ρ of CHI and distance, {kind}, 50 PCA dimensions"
    study.measure(name, own["rho"], interval=(own["low"], own["high"]), glue=f"degrees_{kind}_rho")
study.measure("SRResNet, blur, 50 PCA dimensions: median CHI, with GR over without", tenfold)
study.glue(degrees_seeds=len(training_seeds), degrees_contents=num_patches)
study.glue(degrees_tenfold=tenfold)
study.glue(**{f"degrees_{kind}_nested": 100 * fine[kind, GR[0]]["nested"] for kind in LEVELS})
study.verdict(
    noise=exceeds(span(noise["lead"][[*GR]].to_numpy().ravel()), than=1),
    blur=exceeds(span(blur["lead"][[*GR]].to_numpy().ravel()), than=1),
    easier=exceeds(span(easier.to_numpy().ravel()), than=1),
    indispensable=together(
        reaches(span(blur["highest"][GR[1]]), 20), stays_below(span(blur["highest"][PLAIN[1]]), 20)
    ),
    gan=together(*(exceeds(span(own), than=1) for own in gan)),
    residual=together(*(exceeds(span(own), than=1) for own in residual)),
    spectrum=min(fine[kind, GR[0]]["rho"] for kind in LEVELS) >= 0.7,
    tenfold=tenfold >= 10,
    farthest=reaches(span(noise["farthest"][GR[0]]), 20),
)

# %% [markdown]
# ## What we have seen
#
# Median CHI of three pairs each, in the plane, over {glue:text}`degrees_seeds` training seeds and with
# {glue:text}`degrees_contents` contents:
#
# | | noise | blur |
# |---|---|---|
# | SRResNet with GR | {glue:text}`degrees_srresnet_with_gr_noise:.3g` | {glue:text}`degrees_srresnet_with_gr_blur:.3g` |
# | SRResNet without GR | {glue:text}`degrees_srresnet_without_gr_noise:.3g` | {glue:text}`degrees_srresnet_without_gr_blur:.3g` |
# | SRGAN with GR | {glue:text}`degrees_srgan_with_gr_noise:.3g` | {glue:text}`degrees_srgan_with_gr_blur:.3g` |
# | SRGAN without GR | {glue:text}`degrees_srgan_without_gr_noise:.3g` | {glue:text}`degrees_srgan_without_gr_blur:.3g` |
#
# - The farthest noise levels have a CHI of {glue:text}`degrees_farthest:.3g` in SRResNet with GR. t-SNE
#   minds nearest neighbours only: as long as the nearest neighbour of a patch is the same patch at the
#   other level, two levels coincide in the plane, however orderly the step between them.
# - On the 50 components, over six levels, the rank correlation of separability and distance is
#   {glue:text}`degrees_noise_rho:.2f` for noise and {glue:text}`degrees_blur_rho:.2f` for blur. By order
#   alone (does the outer pair of three levels separate better than both inner ones?)
#   {glue:text}`degrees_noise_nested:.0f` % of the triples agree for noise and
#   {glue:text}`degrees_blur_nested:.0f` % for blur. The median pair of blur widths has
#   {glue:text}`degrees_tenfold:.0f` times the index of the network without GR.
#
# ## Exercises
#
# 1. "Noise is easier than blur" compares a σ in grey levels with a width in pixels. What does it depend on
#    besides the network?
# 2. Why is CHI of a pair small in the plane as long as each patch is nearest to its own other level?
# 3. Set `judged_blur = [0.5, 1, 2]`. These widths look more different to the eye than 4 and 6. What does a
#    difference in CHI then tell?
#
# ```{dropdown} Answers
# 1. On the ranges that someone chose: with weaker noise or narrower blurs the answer may differ.
# 2. t-SNE places each patch beside its nearest neighbour, so the two levels cover the same region and their
#    means coincide.
# 3. Whether the network's scale of blur resembles the eye's: equal steps in pixels need not be equal steps
#    in features.
# ```
#
# To go on: `block = 4` takes an earlier block; replace the blur by `Degradation(jpeg_quality=q)` for q =
# 90, 70, … 10.
