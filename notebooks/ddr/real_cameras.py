# %% [markdown]
# (finding-real-cameras)=
# # Do deep features tell cameras and their qualities apart?
#
# *7 minutes. You learn how to ask about degradations that nobody can write down, and which controls the
# answer needs.*
#
# ## The claim
#
# Blur and noise from a formula are one thing; what cameras do is subtler. The paper takes pictures of the
# same scenes by an iPhone X and a Nikon D5500, each in a high and a low quality, and finds that deep
# features separate all four, shown as a picture without numbers ({cite:t}`liu2021discovering`, Sec. A.3,
# Fig. 12; pictures of {cite:t}`chen2019camera`).
#
# Why it matters: nobody can write down the degradation of a real camera. If features group pictures by it
# nevertheless, they could tell which network or setting a photograph needs.

# %% tags=["parameters", "hide-cell"] quick={"num_patches": 16, "training_seeds": [0], "blocks": [1, 16], "tsne_runs": 1}
image_set = "photographs"  # seen through SIMULATED cameras; "city100" for real photographs
num_pictures = 12  # at most so many scenes of a simulated set
num_patches = 100  # places; each is shown by two cameras in two qualities
# the first is judged; the second lacks the residual; the last two, with and without, saw no critic
networks = ["srgan-gr", "srgan-wogr", "srresnet-gr", "srresnet-wogr"]
training_seeds = [0, 1, 2]  # networks trained from different initializations and data orders
blocks = [1, 8, 16]  # residual blocks whose output is taken; the last one is judged
tsne_runs = 5  # random starts of t-SNE, as in the paper; their mean is judged
perplexity = 30
train = False  # True trains all networks here instead of loading them
device = "auto"

# %% tags=["hide-cell"]
import numpy as np
import pandas as pd

from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.embeddings import embedding_grid
from srlab.figures.pictures import picture_row
from srlab.figures.tables import matrix_heatmap
from srlab.images import image_to_array
from srlab.representation.embedding import (
    embed,
    layer_components,
    principal_components,
    separability,
)
from srlab.studies.ddr.camera_patches import camera_patches
from srlab.studies.ddr.clouds import network_title, thumbnails
from srlab.studies.ddr.restarts import restarts, runs_index
from srlab.studies.ddr.spectrum import pair_separability
from srlab.studies.frames import curves
from srlab.studies.study import Study, exceeds, reaches, span, stays_below
from srlab.training.recipes import seed_name

source = "real photographs" if image_set == "city100" else "simulated cameras"
study = Study(
    "ddr/real_cameras",
    claim="Deep features separate cameras and their qualities, whatever the scene",
    source="DDR, Sec. A.3, Fig. 12",
    claims={
        "classes": "two cameras in two qualities separate behind the last block of SRGAN with GR: CHI of the four classes, mean of five t-SNE runs, reaches level + (20), in every seed",
        "content": "there CHI by camera and quality is greater than by scene, in every seed",
    },
    says={
        "classes": "Sec. A.3, Fig. 12: “Projected feature representations of SRGAN-wGR on Real-City100 dataset”, four clouds without numbers",
        "content": "Sec. A.3: unless contents are the same, “it is hard to say whether the feature discriminability is targeted at image content or at image degradation”",
    },
    controls={
        "pairs": "each two classes that differ in camera or in quality alone reach CHI 20, in every seed",
        "residual": "SRGAN: CHI of the four classes is greater with GR than without, in every seed",
        "mse": "SRResNet with GR reaches CHI 20 as well, in every seed",
        "pixels": "raw pixels stay below CHI 20",
    },
    image_set=image_set if image_set == "city100" else f"{image_set}, {source}",
    device=pick_device(device),
    train=train,
)

# %% tags=["hide-cell"]
patches = camera_patches(image_set, count=num_patches, limit=num_pictures)
classes, scenes = patches.classes, patches.scenes
names = list(dict.fromkeys(classes))
pictures = image_to_array(patches.images)

layers = [f"body.{block - 1}" for block in blocks]
images, first, last = patches.images.to(study.device), training_seeds[0], blocks[-1]
judged, without, mse = networks[:3]
groups = np.repeat(np.arange(num_patches), len(names))
CHI, LINEAR = "CHI, t-SNE", "CHI, 50 PCA dimensions"
titled = {base: network_title(base) for base in networks}
components, embeddings, runs, rows = {}, {}, {}, []
for base in networks:
    seeds = training_seeds if base in networks[:3] else [first]
    for seed in seeds:
        found = layer_components(study.network(seed_name(base, seed)), images, layers)
        components[base, seed] = found[layers[-1]]
        count = tsne_runs if base == judged else 1  # what only a control looks at runs once
        runs[base, seed] = restarts(found[layers[-1]], count, perplexity=perplexity)
        for block, layer in zip(blocks, layers, strict=True):
            views = {LINEAR: found[layer]}
            if seed == first:
                views[CHI] = embeddings[base, block] = embed(found[layer], perplexity=perplexity)
            rows += [
                {"measure": title, "network": titled[base], "seed": seed, "block": block}
                | {"value": separability(points, classes).index}
                for title, points in views.items()
            ]
table = pd.DataFrame(rows)
by_class = {key: runs_index(own, classes, groups) for key, own in runs.items()}
by_scene = {key: runs_index(own, scenes, groups) for key, own in runs.items()}
pixels = principal_components(patches.images.flatten(1).numpy())
chi_pixels = runs_index(restarts(pixels, 1, perplexity=perplexity), classes, groups)

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE after three residual blocks (first training seed). Colour: camera and quality; symbol: scene. Above each panel the Caliński–Harabasz index (CHI) by class and by scene. In which rows do the four colours separate, and from which block on? Point at a dot to see its patch.", "name": "fig-cameras-tsne"}}
panels, notes = {}, {}
for (base, block), points in embeddings.items():
    panels[titled[base], f"ResBlock {block}"] = points
    chi = [separability(points, labels).index for labels in (classes, scenes)]
    notes[titled[base], f"ResBlock {block}"] = f"class {chi[0]:.1f}<br>scene {chi[1]:.1f}"
sprites = thumbnails(patches.images)
embedding_grid(panels, classes=classes, contents=scenes, sprites=sprites, notes=notes)

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | network | SRGAN with global residual (GR), 64 channels in its own paper | the same with 32 channels, three training seeds; without the residual, and SRResNets, beside it |
# | pictures | City100: real photographs | `city100`: the middle of 12 of its scenes; default: **simulated cameras** |
# | classes | iPhone X and Nikon D5500 × high and low quality | the same; default: “phone” and “single-lens reflex” × near and far |
# | places | not stated here; 100 elsewhere | 100 in twelve scenes of City100, or in six photographs, each under all four classes |
# | measure | pictures of a t-SNE | CHI on t-SNE, mean of five runs (controls: one), and on 50 principal components |
#
# A simulated camera blurs a little, adds noise, smooths against it, sharpens and compresses; the two differ
# in how much. Low quality is the scene from twice as far, enlarged to the same size, as City100's is. These
# cameras are **ours**: they show the question without a download, and are no evidence about real ones. Real
# pictures of two cameras differ in colour and resolution too; raw pixels are the control for such plain
# differences.

# %% tags=["remove-input"]
study

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Four places as each camera shows them in each quality. What do the columns differ in, whatever the row: sharpness, grain, edges sharpened too much?", "name": "fig-cameras-patches"}}
rows = np.linspace(0, num_patches - 1, 4, dtype=int) * len(names)
columns = {name: np.concatenate(pictures[rows + k], axis=0) for k, name in enumerate(names)}
picture_row(columns, height=520)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "CHI of the four classes along depth. Above on 50 principal components, mean over the training seeds, bands from the lowest to the highest; below one run of t-SNE, first seed. Does depth help, and with the residual only?", "name": "fig-cameras-depth"}}
lines, bands = curves(table, panel="measure", line="network", x="block")
wide = [t for t, own in lines.items() if np.max([*own.values()]) > 100 * np.min([*own.values()])]
stacked_curves(blocks, lines, bands=bands, x_title="residual block", log_y=wide)

# %% [markdown]
# ## Camera or quality?
#
# Four classes may separate as a whole while one pair does not: so each pair by itself.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "CHI between each two classes after the last block of SRGAN with GR, mean over t-SNE runs and training seeds. Pairs differ in quality alone, in camera alone, or in both: which do the features separate better?", "name": "fig-cameras-pairs"}}
pairs = [[pair_separability(own, classes) for own in runs[judged, s]] for s in training_seeds]
pairs = np.mean(pairs, axis=1)  # (seeds, classes, classes)

matrix_heatmap(pairs.mean(axis=0), names, names, colour_title="CHI", log=True)

# %% [markdown]
# ## Verdict

# %% tags=["hide-cell"]
between_qualities = pairs[:, [0, 2], [1, 3]]  # of one camera
between_cameras = pairs[:, [0, 1], [2, 3]]  # at one quality
both = np.concatenate([between_qualities.ravel(), between_cameras.ravel()])


def over_seeds(indices, base):
    return np.array([indices[base, seed].mean for seed in training_seeds])


chi, plain, pixelwise = (over_seeds(by_class, base) for base in (judged, without, mse))
scene = over_seeds(by_scene, judged)
ends = table[(table.measure == LINEAR) & (table.block == last)].set_index("network")["value"]

# the index grows with the number of points, and t-SNE with it: the first half of the places alone
part = num_patches // 2 * len(names)
firsts = [components[judged, seed][:part] for seed in training_seeds]
half = [separability(embed(own, perplexity=perplexity), classes[:part]).index for own in firsts]

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: lowest to highest over the training seeds (and pairs).", "name": "fig-cameras-verdict"}}
study.measure("CHI of four classes, SRGAN with GR", chi, paper="separate", glue="cam_chi")
study.measure("CHI by scene, SRGAN with GR", scene, paper="lower", glue="cam_scene")
study.measure("CHI of four classes / by scene", chi / scene, paper="above 1")
study.measure("CHI of four classes, SRGAN without GR", plain, glue="cam_without")
study.measure("CHI of four classes, SRResNet with GR", pixelwise, glue="cam_mse")
others = {base: by_class[base, first].mean for base in networks[3:]}
for base, value in others.items():
    study.measure(f"CHI of four classes, {base}, first seed", value)
study.measure("CHI between qualities of one camera", between_qualities.ravel())
study.measure("CHI between cameras at one quality", between_cameras.ravel())
study.measure("CHI on 50 PCA dimensions, SRGAN with GR", ends[[titled[judged]]], glue="cam_pca")
study.measure("CHI on 50 PCA dimensions, SRGAN without GR", ends[[titled[without]]])
study.measure("CHI of four classes on half of the places", half, glue="cam_half")
study.measure("CHI of raw pixels", chi_pixels.mean, interval=chi_pixels.interval, glue="cam_pixels")
low, high = by_class[judged, first].interval
study.glue(cam_source=source, cam_low=low, cam_high=high)
study.glue(cam_quality=between_qualities.min(), cam_quality_max=between_qualities.max())
study.glue(cam_camera=between_cameras.min(), cam_camera_max=between_cameras.max())
study.verdict(
    classes=reaches(span(chi), 20),
    content=exceeds(span(chi / scene), than=1),
    pairs=reaches(span(both), 20),
    residual=exceeds(span(chi / plain), than=1),
    mse=reaches(span(pixelwise), 20),
    pixels=stays_below(chi_pixels.interval, 20),
)

# %% [markdown]
# ## What we have seen
#
# - This run looked at {glue:text}`cam_source`. After the last block of SRGAN with GR the four classes have
#   a CHI of {glue:text}`cam_chi:.1f` (95 % over places, first seed: {glue:text}`cam_low:.1f` to
#   {glue:text}`cam_high:.1f`), without the residual {glue:text}`cam_without:.1f`, in SRResNet with it
#   {glue:text}`cam_mse:.1f`; raw pixels have {glue:text}`cam_pixels:.1f`. By scene it is
#   {glue:text}`cam_scene:.1f`; on 50 principal components, by class, {glue:text}`cam_pca:.1f`.
# - Two qualities of one camera have a CHI of {glue:text}`cam_quality:.1f` to
#   {glue:text}`cam_quality_max:.1f`; two cameras at one quality have {glue:text}`cam_camera:.1f` to
#   {glue:text}`cam_camera_max:.1f`.
# - The index depends on the number of points: on half of the places the four classes of the same features
#   have {glue:text}`cam_half:.1f`.
#
# ## Exercises
#
# 1. Why must the two cameras show the same scenes?
# 2. Raw pixels of real cameras may separate by themselves. What would that leave of the claim?
# 3. Give the two simulated cameras the same JPEG quality. What follows if they are no longer separated?
#
# ```{dropdown} Answers
# 1. Otherwise one could not say whether features separate the cameras or what they happened to photograph;
#    the paper says so too.
# 2. A plain difference, of colour say, would be enough to explain the clouds; only what features add beyond
#    the pixels is the network's.
# 3. They had been told apart by compression alone.
# ```
#
# To go on: `image_set = "city100"` takes the photographs of the paper (49 MB, downloaded on first use);
# `srlab.studies.ddr.cameras.Camera` makes a camera of yours in one line.
