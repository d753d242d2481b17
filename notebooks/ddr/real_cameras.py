# %% [markdown]
# (finding-real-cameras)=
# # Deep features know the camera and how well it saw
#
# ## The claim
#
# Blur and noise from a formula are one thing; what cameras do is subtler. The paper takes pictures
# of the same scenes by an iPhone X and a Nikon D5500, each in a high and a low quality, and finds
# that deep features separate all four, although the contents are the same
# ({cite:t}`liu2021discovering`, Sec. A.3, Fig. 12; pictures of {cite:t}`chen2019camera`).
#
# | camera × quality, same scenes | separated? |
# |---|---|
# | reported by the paper | yes, all four (as pictures, without numbers) |
#
# Why it matters: nobody can write down the degradation of a real camera. If features group pictures
# by it nevertheless, they could tell which network or setting a photograph needs.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"num_patches": 20, "training_seeds": [0, 1], "blocks": [1, 16]}
image_set = "photographs"  # seen through SIMULATED cameras; "city100" for real photographs
num_pictures = 12  # at most so many scenes of a simulated set
num_patches = 100  # places; each is shown by two cameras in two qualities
# the first is judged, the second lacks the residual, others are shown for the first seed only
networks = ["srresnet-gr", "srresnet-wogr", "srgan-gr", "srgan-wogr"]
training_seeds = [0, 1, 2]  # networks trained from different initializations and data orders
blocks = [1, 8, 16]  # residual blocks to look behind
perplexity = 30
train = False  # True trains all networks here instead of loading them
device = "auto"

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | network | not stated for this figure | SRResNet with and without global residual, 32 channels; SRGANs beside them |
# | pictures | City100: real photographs | `city100`: the middle of 12 of its scenes; default: **simulated cameras** |
# | classes | iPhone X and Nikon D5500 × high and low quality | the same; default: “phone” and “single-lens reflex” × near and far |
# | places | not stated here; 100 elsewhere | 100, each under all four classes |
# | measure | pictures of a t-SNE | CHI on t-SNE and on 50 principal components |
#
# A simulated camera blurs a little, adds noise, smooths against it, sharpens and compresses; the
# two differ in how much. Low quality is the scene from twice as far, enlarged to the same size, as
# City100's low quality is. These cameras are **ours**: they show what the question is without a
# download, and are no evidence about real ones. Real pictures of two cameras differ in colour and
# resolution too; raw pixels serve as the control for such plain differences.
#
# :::{admonition} Criterion, set before the experiment
# :class: important
# Behind ResBlock 16 of the network with global residual, in every training seed: (1) the four
# classes reach the paper's level "+" (CHI of at least 20); (2) so does each pair of classes that
# differs in one thing only, camera or quality; (3) the CHI by class is greater than by scene;
# and (4) it is greater than without the residual.
# :::

# %% tags=["hide-cell"]
import numpy as np
from myst_nb import glue

from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.embeddings import embedding_grid
from srlab.figures.pictures import picture_row, sprite_sheet
from srlab.figures.tables import matrix_heatmap
from srlab.images import image_to_array
from srlab.representation.embedding import (
    embed,
    layer_components,
    principal_components,
    separability,
    separability_interval,
)
from srlab.studies.ddr.camera_patches import camera_patches
from srlab.studies.networks import network
from srlab.studies.parameters import check_parameters
from srlab.studies.study import Finding, record, span
from srlab.training.recipes import seed_names

check_parameters()
device = pick_device(device)
finding = Finding(
    name="ddr/real_cameras",
    claim="Deep features separate cameras and their qualities, whatever the scene",
    source="DDR, Sec. A.3, Fig. 12",
    criterion=(
        "Behind ResBlock 16 with global residual, in every training seed, CHI reaches 20 over the "
        "four classes and over each pair that differs in one thing, and exceeds that by scene and "
        "that without the residual."
    ),
)

# %% [markdown]
# ## Experiment
#
# The same places, seen four times. Real cameras stood side by side, so theirs agree roughly.

# %%
patches = camera_patches(image_set, count=num_patches, limit=num_pictures)
classes, scenes = patches.classes, patches.scenes
names = list(dict.fromkeys(classes))
source = "real photographs" if image_set == "city100" else "simulated cameras"
pictures = np.stack([image_to_array(patch) for patch in patches.images])

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Four places as each camera shows them in each quality. Look for what the columns differ in, whatever the row: sharpness, grain, edges drawn too hard.", "name": "fig-cameras-patches"}}
rows = np.linspace(0, num_patches - 1, 4, dtype=int) * len(names)
columns = {name: np.concatenate(pictures[rows + k], axis=0) for k, name in enumerate(names)}
picture_row(columns, height=520)

# %% [markdown]
# Features behind three residual blocks, of every training seed.

# %%
layers = [f"body.{block - 1}" for block in blocks]
images = patches.images.to(device)
judged, without = networks[:2]
seeds_of = {b: training_seeds if b in (judged, without) else training_seeds[:1] for b in networks}
components, embeddings, checkpoints = {}, {}, []
for base, seeds in seeds_of.items():
    for seed, name in zip(seeds, seed_names(base, seeds)):
        model = network(name, train=train, device=device)
        found = layer_components(model, images, layers)
        checkpoints.append(name)
        for block, layer in zip(blocks, layers):
            components[base, seed, block] = found[layer]
            embeddings[base, seed, block] = embed(found[layer], perplexity=perplexity)

pixels = principal_components(patches.images.flatten(1).numpy())
plane = embed(pixels, perplexity=perplexity)
chi = {key: separability(points, classes).index for key, points in embeddings.items()}
chi_pca = {key: separability(points, classes).index for key, points in components.items()}
chi_scene = {key: separability(points, scenes).index for key, points in embeddings.items()}
chi_pixels = separability(plane, classes).index

# %% tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE behind three residual blocks (first training seed); the title of the page says whether cameras are simulated. Colour: camera and quality; symbol: scene. Point at a dot to see its patch. Above each panel the CHI by class and by scene.", "name": "fig-cameras-tsne"}}
first, last = training_seeds[0], blocks[-1]
panels = {(base, f"ResBlock {b}"): embeddings[base, first, b] for base in networks for b in blocks}
notes = {
    (
        base,
        f"ResBlock {b}",
    ): f"class {chi[base, first, b]:.1f} · scene {chi_scene[base, first, b]:.1f}"
    for base in networks
    for b in blocks
}
sprites = sprite_sheet(pictures)
embedding_grid(panels, classes=classes, contents=scenes, sprites=sprites, notes=notes)


# %% tags=["hide-input"] mystnb={"figure": {"caption": "Separability of the four classes along depth: mean over the training seeds, bands from the lowest to the highest (one seed where there is none). Above on the plane, below on 50 principal components. Look at whether depth helps, and only with the residual.", "name": "fig-cameras-depth"}}
def over_seeds(values):
    table = {
        base: np.array([[values[base, s, b] for b in blocks] for s in seeds])
        for base, seeds in seeds_of.items()
    }
    bands = {base: (grid.min(axis=0), grid.max(axis=0)) for base, grid in table.items()}
    return {base: grid.mean(axis=0) for base, grid in table.items()}, bands


def is_wide(means):
    values = np.concatenate(list(means.values()))
    return values.max() > 100 * values.min()


lines = {
    title: over_seeds(values)
    for title, values in {"CHI, t-SNE": chi, "CHI, 50 PCA dimensions": chi_pca}.items()
}
stacked_curves(
    blocks,
    {title: means for title, (means, _) in lines.items()},
    bands={title: bands for title, (_, bands) in lines.items()},
    x_title="residual block",
    log_y=[title for title, (means, _) in lines.items() if is_wide(means)],
)

# %% [markdown]
# ## Camera or quality?
#
# Four clouds may be two: each pair of classes for itself.


# %%
def between(points, one, other):
    pair = np.isin(classes, (one, other))
    return separability(points[pair], classes[pair]).index


def pair_table(points):
    return np.array([[between(points, a, b) if a != b else np.nan for b in names] for a in names])


pairs = np.stack([pair_table(embeddings[judged, seed, last]) for seed in training_seeds])

# %% tags=["hide-input"] mystnb={"figure": {"caption": "CHI between each two classes behind the last block with global residual, mean over the training seeds. Pairs that differ in quality alone, in camera alone, or in both: look at which of the two the features see better.", "name": "fig-cameras-pairs"}}
table = matrix_heatmap(pairs.mean(axis=0), names, names, colour_title="CHI", log=True)
table.update_yaxes(automargin=True)

# %% [markdown]
# ## Verdict

# %%
alone = [(0, 1), (2, 3), (0, 2), (1, 3)]  # same camera; same quality
quality_chi = np.array([[grid[a, b] for a, b in alone[:2]] for grid in pairs])
camera_chi = np.array([[grid[a, b] for a, b in alone[2:]] for grid in pairs])


def deep(values, base=judged):
    return np.array([values[base, seed, last] for seed in training_seeds])


# the index grows with the number of points, and t-SNE with it: the first half of the places alone
part = num_patches // 2 * len(names)
half = {
    seed: separability(
        embed(components[judged, seed, last][:part], perplexity=perplexity), classes[:part]
    ).index
    for seed in training_seeds
}
groups = np.repeat(np.arange(num_patches), len(names))
bootstrap = separability_interval(embeddings[judged, first, last], classes, groups)

# %% tags=["remove-cell"]
glue("cam_source", source, display=False)
glue("cam_chi", float(deep(chi).mean()), display=False)
glue("cam_without", float(deep(chi, without).mean()), display=False)
glue("cam_scene", float(deep(chi_scene).mean()), display=False)
glue("cam_pixels", float(chi_pixels), display=False)
glue("cam_pca", float(deep(chi_pca).mean()), display=False)
glue("cam_quality", float(quality_chi.min()), display=False)
glue("cam_camera", float(camera_chi.min()), display=False)
glue("cam_quality_max", float(quality_chi.max()), display=False)
glue("cam_camera_max", float(camera_chi.max()), display=False)
others = ", ".join(f"{base} {chi[base, first, last]:.1f}" for base in networks[2:])
glue("cam_others", others or "none were looked at", display=False)
glue("cam_half", float(np.mean(list(half.values()))), display=False)
glue("cam_low", bootstrap[0], display=False)
glue("cam_high", bootstrap[1], display=False)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: lowest to highest over the training seeds (and pairs).", "name": "fig-cameras-verdict"}}
record(
    finding,
    checks={
        "the four classes reach CHI 20 with GR, in every seed": deep(chi).min() >= 20,
        "so does each pair that differs in camera or quality alone": (
            min(quality_chi.min(), camera_chi.min()) >= 20
        ),
        "CHI by class is greater than by scene, in every seed": bool(
            (deep(chi) > deep(chi_scene)).all()
        ),
        "CHI is greater than without GR, in every seed": bool(
            (deep(chi) > deep(chi, without)).all()
        ),
    },
    measured={
        "CHI of four classes, with GR": deep(chi).mean(),
        "CHI of four classes, without GR": deep(chi, without).mean(),
        **{f"CHI of four classes, {b}, first seed": chi[b, first, last] for b in networks[2:]},
        "lowest CHI of a pair that differs in one thing": min(quality_chi.min(), camera_chi.min()),
        "CHI between qualities of one camera": quality_chi.mean(),
        "CHI between cameras at one quality": camera_chi.mean(),
        "CHI by scene, with GR": deep(chi_scene).mean(),
        "CHI on 50 PCA dimensions, with GR": deep(chi_pca).mean(),
        "CHI on 50 PCA dimensions, without GR": deep(chi_pca, without).mean(),
        "CHI of four classes on half of the places, with GR": np.mean(list(half.values())),
        "CHI of raw pixels": chi_pixels,
    },
    interval={
        "CHI of four classes, with GR": span(deep(chi)),
        "CHI of four classes, without GR": span(deep(chi, without)),
        "CHI between qualities of one camera": span(quality_chi.ravel()),
        "CHI between cameras at one quality": span(camera_chi.ravel()),
        "CHI by scene, with GR": span(deep(chi_scene)),
        "CHI of four classes on half of the places, with GR": span(half.values()),
        "CHI on 50 PCA dimensions, with GR": span(deep(chi_pca)),
        "CHI on 50 PCA dimensions, without GR": span(deep(chi_pca, without)),
    },
    paper={"CHI of four classes, with GR": "separate"},
    image_set=image_set if image_set == "city100" else f"{image_set}, {source}",
    parameters={
        "num_patches": num_patches,
        "training_seeds": training_seeds,
        "perplexity": perplexity,
    },
    checkpoints=[] if train else checkpoints,
)

# %% [markdown]
# ## What we have seen
#
# - This run looked at {glue:text}`cam_source`. With global residual the four classes have a CHI of
#   {glue:text}`cam_chi:.1f` behind the last block (bootstrap over places for the first seed:
#   {glue:text}`cam_low:.1f` to {glue:text}`cam_high:.1f`), without it {glue:text}`cam_without:.1f`;
#   raw pixels have {glue:text}`cam_pixels:.1f`. By scene it is {glue:text}`cam_scene:.1f`.
# - Of networks trained adversarially, first seed: {glue:text}`cam_others`.
# - Two qualities of one camera lie {glue:text}`cam_quality:.1f` to {glue:text}`cam_quality_max:.1f`
#   apart, two cameras at one quality {glue:text}`cam_camera:.1f` to
#   {glue:text}`cam_camera_max:.1f`: four classes may separate as a whole while one pair does not.
# - On 50 principal components, where no projection can flatter or hide it, the four classes have
#   {glue:text}`cam_pca:.1f`.
# - How much a plane shows depends on the number of points: on half of the places, the four classes
#   of the same features have {glue:text}`cam_half:.1f`.
#
# ## Try it yourself
#
# - Set `image_set = "city100"` for the photographs of the paper (49 MB, downloaded on first use).
# - Make your own camera: `srlab.degradations.cameras.Camera`, one line. Which of its parts do the
#   features notice, sharpening or noise?
# - Give the two simulated cameras the same JPEG quality: were they told apart by compression alone?
