# %% [markdown]
# (finding-degradations-cluster)=
# # Deep features gather by degradation, although the contents are the same
#
# ## The claim
#
# Take pictures in three states – with a camera's mild faults, with strong noise, and as an old film – and look at the deep features of two very different networks: CinCGAN, built to undo
# one unknown degradation, and SRGAN, which only ever saw clean pictures. In both, the features
# **gather by state, not by picture** ({cite:t}`liu2021discovering`, Sec. 4.1, Fig. 3, and Sec. A.14).
#
# | DIV2K-mild, DIV2K-noise20, Hollywood | CinCGAN | SRGAN |
# |---|---|---|
# | reported by the paper | three clusters | three clusters |
#
# Why it matters: this is where the paper's question begins. Two networks with different aims and
# training pictures sort by the same thing, so the sorting is not one method's quirk.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"num_patches": 20, "training_seeds": [0], "tsne_runs": 1, "perplexity": 10}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_patches = 80  # contents a set; three disjoint sets are needed (the photographs hold 242)
networks = {"SRGAN": "srgan-gr", "CinCGAN": "cincgan", "SRCNN": "srcnn-3-gr"}  # judged, every seed
controls = {"SRResNet": "srresnet-gr", "SRResNet, without GR": "srresnet-wogr"}  # looked at beside
training_seeds = [0, 1, 2]  # networks trained from different initializations and data orders
tsne_runs = 5  # random starts of t-SNE for what is judged, as in the paper
restored = 9  # contents on which CinCGAN has to show that it restores its own degradation
perplexity = 30
train = False  # True trains all networks here (many minutes each) instead of loading them
device = "auto"

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | mild | DIV2K-mild: blur, noise and a shift by fractions of a pixel | the same three: blur of 0.5 × 1 LR pixels, noise 10/255, a shift of half a pixel: the middle of what our CinCGAN is trained on |
# | noise | DIV2K with noise 20/255 | noise 20/255 |
# | film | Hollywood: frames of old films, so other contents | a stand-in: a little soft (blur 0.6), grain (noise 8/255), compressed (JPEG 35) |
# | networks | CinCGAN, SRGAN; SRCNN with a global residual added | narrow ones of our own; SRResNet with and without GR beside them |
# | features | a deep layer | the last layer before the enlargement |
# | contents | 100 pictures a set | `num_patches` patches |
# | index | mean of five t-SNE runs | the same; bootstrap interval over contents |
#
# CinCGAN is judged only if it does what it is for. Its outer network begins as an SRResNet trained
# on clean pictures, whose features part without any unpaired training. So we first measure whether it
# restores *mild*, its own degradation, better than bicubic enlargement does, which does nothing; as
# long as it does not, its features are shown and its claim is left open. No ladder over the training
# is shown: of SRGAN and CinCGAN only the end is shipped.
#
# Hollywood's frames do not show what DIV2K shows. That leaves a doubt: does such a set lie apart because
# it is *old*, or because it shows something else? So we run both designs.
#
# - **Aligned**: each patch appears in all three states. Features that follow content would put the three
#   versions together.
# - **Not aligned**: three disjoint sets of patches, one a state. Features that follow content would
#   have every chance to look separated.
#
# If features follow the degradation, both designs show the same clouds. And two yardsticks: the
# **pixels** themselves, treated like features; and the index **by content**, with each patch's three
# versions as one class. A {term}`CHI` is about 1 if its labels mean nothing.

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

from srlab.data.datasets import degraded_patches, load_images
from srlab.degradations import Degradation
from srlab.degradations.filters import upsample
from srlab.devices import pick_device
from srlab.figures.embeddings import embedding_grid
from srlab.figures.pictures import picture_grid, sprite_sheet
from srlab.images import image_to_array
from srlab.representation.embedding import (
    embed,
    layer_points,
    points,
    principal_components,
    separability,
    separability_level,
)
from srlab.studies.ddr.restarts import restarts, runs_index
from srlab.studies.ddr.restoration import Restorations
from srlab.studies.study import (
    Study,
    exceeds,
    mean_interval,
    outer,
    reaches,
    stays_below,
    together,
)
from srlab.training.recipes import MILD, RECIPES, seed_names

study = Study(
    "ddr/degradations_cluster",
    claim="Features of CinCGAN and SRGAN gather by degradation, not by content",
    source="DDR, Sec. 4.1, Fig. 3, Sec. A.14",
    claims={
        "srgan": "SRGAN, contents aligned: CHI by degradation reaches 20 (level +), in every seed",
        "content": "SRGAN: that CHI exceeds the one by content, in every seed",
        "cincgan": "CinCGAN, contents aligned: CHI by degradation reaches 20 and exceeds the one by "
        "content; judged of a CinCGAN that restores its own degradation",
        "srcnn": "SRCNN of three layers: CHI by degradation stays below 20",
    },
    controls={
        "apart": "SRGAN, contents not aligned: CHI by degradation reaches 20, in every seed",
        "pixels": "the pixels stay below 20 in both designs",
    },
    says={
        "srgan": "Fig. 3: “The deep features of CinCGAN and SRGAN are separated by degradation "
        "types, even if the image contents are aligned.”",
        "content": "Fig. 3: “even if the image contents are aligned”",
        "cincgan": "Fig. 3: “The deep features of CinCGAN and SRGAN are separated by degradation "
        "types”",
        "srcnn": "Sec. A.7: “a shallow 3-layer SRCNN […] does not manifest "
        "representational discriminability on degradation types”",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)
study

# %% [markdown]
# ## The three states
#
# The damage is less drastic than it is elsewhere in this chapter: mild and film are both a little soft
# and a little noisy.

# %%
STATES = {
    "mild": Degradation(
        blur_sigma=0.5, blur_sigma_y=1.0, blur_angle=0.6, noise_sigma=10 / 255, shift=(0.5, 0.5)
    ),
    "noise 20": Degradation(noise_sigma=20 / 255),
    "film": Degradation(blur_sigma=0.6, noise_sigma=8 / 255, jpeg_quality=35),
}
states, images = list(STATES), load_images(image_set)
pairs = degraded_patches(images, list(STATES.values()), count=len(states) * num_patches)
rows = np.arange(len(pairs.lr)).reshape(-1, len(states))  # contents × states
ALIGNED, APART = "aligned", "not aligned"
designs = {
    ALIGNED: rows[:num_patches].ravel(),
    APART: rows[np.arange(len(rows)), np.arange(len(rows)) % len(states)],
}
kinds = np.tile(states, num_patches)  # of both designs

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Samples of the three sets, LR pixels; left the clean picture, which no network is shown here. Zoom in: film is soft, with grain that compression has half eaten; mild is shifted and has fine noise.", "name": "fig-cluster-samples"}}
views = degraded_patches(images, [Degradation(), *STATES.values()], count=3, size=64)
pictures = [image_to_array(patch) for patch in views.lr]
panels = {
    (f"{title}, {index}", state): pictures[4 * index + column]
    for index, title in enumerate(views.contents)
    for column, state in enumerate(["clean", *states])
}
picture_grid(panels)

# %% [markdown]
# ## Experiment
#
# One pass through each network, for both designs at once. The pixels take the same way: flattened,
# 50 principal components, t-SNE.

# %%
checkpoints = {
    kind: [name for name in seed_names(base, training_seeds) if name in RECIPES]
    for kind, base in networks.items()
} | {kind: [base] for kind, base in controls.items()}
needed = np.unique(np.concatenate(list(designs.values())))
lr = pairs.lr[needed].to(study.device)


def last_layer(name):
    model = study.network(name)
    return layer_points(model, lr, [model.taps[-1]])[model.taps[-1]]


components = {}
for kind, names in {"pixels": [""], **checkpoints}.items():
    for name in names:
        features = last_layer(name) if name else points(lr)
        for design, chosen in designs.items():
            own = features[np.searchsorted(needed, chosen)]
            components[kind, name, design] = principal_components(own)

# %%
embeddings = {key: embed(cloud, perplexity=perplexity) for key, cloud in components.items()}
patches = np.repeat(np.arange(num_patches), len(states))


def indices(key):
    """CHI by degradation, in the plane and on 50 components, and by content where it repeats."""
    in_plane, full = (separability(clouds[key], kinds).index for clouds in (embeddings, components))
    by_content = separability(embeddings[key], patches).index if key[2] == ALIGNED else np.nan
    return {"CHI": in_plane, "PCA": full, "content": by_content}


chi = pd.DataFrame(
    {"network": key[0], "name": key[1], "design": key[2]} | indices(key) for key in embeddings
)

# %% [markdown]
# ## The same contents in three states
#
# Colour is the state, the symbol is the picture a patch was cut from. Clouds of one colour with all
# symbols in them: sorted by degradation. Tight triples of three colours: sorted by content.


# %% tags=["hide-input"] mystnb={"figure": {"caption": "Contents aligned: each patch three times (t-SNE, training seed 0). Colour: state; symbol: picture. The pixels are the yardstick: whatever a network's panel shows beyond them, the network made. Point at a dot to see its patch.", "name": "fig-cluster-aligned"}}
def show(design):
    own = chi[chi.design == design].drop_duplicates("network")  # its first seed
    chosen = designs[design]
    return embedding_grid(
        {("", row.network): embeddings[row.network, row.name, design] for row in own.itertuples()},
        classes=kinds,
        contents=pairs.content_labels[chosen],
        sprites=sprite_sheet(np.stack([image_to_array(patch) for patch in pairs.lr[chosen]])),
        notes={
            ("", row.network): f"CHI {row.CHI:.1f} ({separability_level(row.CHI)})"
            for row in own.itertuples()
        },
    )


show(ALIGNED)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Contents not aligned: every patch once, in one state. If the clouds of the figure above needed their contents aligned, they are gone here; if contents alone made clouds, there would be some in the pixels' panel.", "name": "fig-cluster-apart"}}
show(APART)

# %% [markdown]
# ## Does CinCGAN restore at all?
#
# On its own degradation, drawn as in its training.

# %%
hr = degraded_patches(images, [Degradation()], count=restored, size=48).hr
own = {"mild": [MILD.draw(np.random.default_rng((0, index))) for index in range(restored)]}
methods = {"bicubic": lambda lr: upsample(lr, 4), "CinCGAN": study.network(networks["CinCGAN"])}
results = Restorations(methods, hr.to(study.device), own)
gain = results.quality("CinCGAN", "mild") - results.quality("bicubic", "mild")
works = mean_interval(gain)[0] > 0
print(f"CinCGAN on mild: {gain.mean():+.2f} dB against bicubic enlargement;", end=" ")
print("it is judged." if works else "what its features do is left open.")

# %% [markdown]
# ## Verdict

# %%
by_degradation, by_content = {}, {}  # of each judged network, one index a seed
for kind in networks:
    runs = [
        restarts(components[kind, name, ALIGNED], tsne_runs, perplexity=perplexity)
        for name in checkpoints[kind]
    ]
    by_degradation[kind] = [runs_index(own, kinds, patches) for own in runs]
    by_content[kind] = [runs_index(own, patches, patches) for own in runs]
spread = {
    kind: outer(index.interval for index in indices) for kind, indices in by_degradation.items()
}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: the outer ends of the seeds' 95 % bootstrap intervals over contents, of means over t-SNE runs; from the lowest to the highest seed where contents are not aligned.", "name": "fig-cluster-verdict"}}
PAPER = {"SRGAN": "three clusters", "CinCGAN": "three clusters", "SRCNN": "no clusters"}
SHORT = {kind: f"cluster_{kind.lower()}" for kind in networks}
for kind, short in SHORT.items():
    values = [index.mean for index in by_degradation[kind]]
    own = {"interval": spread[kind], "paper": PAPER[kind], "glue": short}
    study.measure(f"CHI, {kind}, aligned", values, **own)
    values, ends = zip(*((index.mean, index.interval) for index in by_content[kind]))
    name, glue = f"CHI by content, {kind}", f"{short}_content"
    study.measure(name, values, interval=outer(ends), glue=glue)
    values = chi[(chi.network == kind) & (chi.design == APART)].CHI
    study.measure(f"CHI, {kind}, not aligned", values, glue=f"{short}_apart")
single = chi.groupby(["network", "design"])[["CHI", "PCA", "content"]].mean()
for kind in ["pixels", *controls]:
    for design in designs:
        study.measure(f"CHI, {kind}, {design}", single.at[(kind, design), "CHI"])
for kind in checkpoints:
    pca = single.at[(kind, ALIGNED), "PCA"]
    study.measure(f"CHI on 50 PCA dimensions, {kind}, aligned", pca)
study.measure("PSNR gain of CinCGAN on mild, dB", gain, interval=mean_interval(gain))

plain, pixels = single.loc[("SRResNet, without GR", ALIGNED)], single.loc["pixels", "CHI"]
study.glue(**{f"{short}_pca": single.at[(kind, ALIGNED), "PCA"] for kind, short in SHORT.items()})
study.glue(cluster_pixels=pixels[ALIGNED], cluster_pixels_apart=pixels[APART])
study.glue(cluster_plain=plain["CHI"], cluster_plain_content=plain["content"])
study.glue(cluster_gain=gain.mean())
study.glue(**dict(zip(("cluster_srgan_low", "cluster_srgan_high"), spread["SRGAN"])))


def sorted_by_degradation(kind):
    """Whether its index by degradation exceeds that by content."""
    both = zip(by_degradation[kind], by_content[kind])
    return exceeds(outer(one.over(other)[1:] for one, other in both), 1)


cincgan = together(reaches(spread["CinCGAN"], 20), sorted_by_degradation("CinCGAN"))
apart = chi[(chi.network == "SRGAN") & (chi.design == APART)].CHI
study.verdict(
    srgan=reaches(spread["SRGAN"], 20),
    content=sorted_by_degradation("SRGAN"),
    cincgan=cincgan if works else None,
    srcnn=stays_below(spread["SRCNN"], 20),
    apart=apart.min() >= 20,
    pixels=pixels.max() < 20,
)

# %% [markdown]
# ## What we have seen
#
# | last layer before the enlargement | CHI by degradation | by content | 50 PCA dimensions | contents not aligned |
# |---|---|---|---|---|
# | SRGAN | {glue:text}`cluster_srgan:.1f` | {glue:text}`cluster_srgan_content:.1f` | {glue:text}`cluster_srgan_pca:.1f` | {glue:text}`cluster_srgan_apart:.1f` |
# | CinCGAN | {glue:text}`cluster_cincgan:.1f` | {glue:text}`cluster_cincgan_content:.1f` | {glue:text}`cluster_cincgan_pca:.1f` | {glue:text}`cluster_cincgan_apart:.1f` |
# | SRCNN | {glue:text}`cluster_srcnn:.1f` | {glue:text}`cluster_srcnn_content:.1f` | {glue:text}`cluster_srcnn_pca:.1f` | {glue:text}`cluster_srcnn_apart:.1f` |
#
# - SRGAN's index lies between {glue:text}`cluster_srgan_low:.1f` and {glue:text}`cluster_srgan_high:.1f`
#   over seeds and contents.
# - CinCGAN changes the PSNR of its own degradation by {glue:text}`cluster_gain:+.2f` dB against
#   enlargement alone. Where that is no gain, its numbers are those of a network that was begun with
#   SRResNet's weights and does not do its work; {doc}`cincgan_switches_off` looks at it.
# - The pixels reach {glue:text}`cluster_pixels:.2f` with contents aligned and
#   {glue:text}`cluster_pixels_apart:.1f` with contents not aligned: so much a separation by mere
#   content can contribute. What a network shows beyond that is its own doing.
# - An SRResNet without global residual is the counterexample: {glue:text}`cluster_plain:.2f` by
#   degradation, {glue:text}`cluster_plain_content:.0f` by content. Its triples stay together.
#   {doc}`/book/findings/ddr/global_residual` is about this difference.
#
# ## Try it yourself
#
# - Make film and mild more alike: JPEG 90 instead of 35 in `STATES`. The two clouds should approach
#   each other, the noisy one stay where it is.
# - Add a state, such as `"dark": Degradation(blur_sigma=2)`: everything follows from the table.
# - `image_set = "b100"` cuts the patches from a hundred pictures instead of six.
