# %% [markdown]
# (finding-ddr-or-code)=
# # Taught codes beat untaught features, on degradations they know
#
# ## The claim
#
# Two of this book's papers look for degradations inside networks, and find them in different places.
# {cite:t}`liu2021discovering` find them where nobody put them: in the deep features of a network that
# saw clean pictures only (the {term}`deep degradation representation`). {cite:t}`wang2021unsupervised`
# (DASR) and {cite:t}`liu2024preserving` (ReDSR) teach an encoder to write them down as a *code*. Neither
# compares the two. This page does.
#
# | | emergent: DDR | taught: DASR, ReDSR |
# |---|---|---|
# | reported | "discriminative to degradation types and degrees" | codes part by width; ReDSR's keep more than DASR's |
# | compared by a paper | no | no |
#
# What one would expect of the two: whoever was taught widths of blur reads them better, and whoever was
# taught nothing has nothing to unlearn, and reads what it never met at least as well as those who were
# taught something else.
#
# Why it matters: a code costs a training with paired degradations. If a network that is lying around
# anyway knows as much, the code is not worth it; if it does not, that is what the teaching bought.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"num_windows": 6, "training_seeds": [0], "blur_widths": [0.5, 2.3, 4.0], "noise_levels": [0, 25], "jpeg_qualities": [90, 10], "dimensions": 4, "perplexity": 5}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_windows = 20  # contents of 192×192 HR pixels; each is shown under every degradation
training_seeds = [0, 1, 2]  # of every network; those that are shipped
blur_widths = [0.5, 1.4, 2.3, 3.2, 4.0]  # HR pixels; the taught networks met 0.2 to 4
noise_levels = [0, 5, 10, 15, 25]  # of 255
jpeg_qualities = [90, 70, 50, 30, 10]
dimensions = 32  # everyone may say so much: principal components
perplexity = 30
train = False  # True trains all networks here (half an hour each) instead of loading them
device = "auto"

# %% [markdown]
# ## What we run, and how the comparison is made fair
#
# | | what is read | trained on |
# |---|---|---|
# | DDR | last block of a narrow SRResNet: all values at all positions | clean pictures |
# | DDR, averaged | the same: mean and deviation of each channel | clean pictures |
# | DASR | the encoder's code (it is told which crops share a degradation) | blur of σ 0.2 to 4 |
# | ReDSR | the encoder's code (it must reproduce the degradation) | blur of σ 0.2 to 4 |
# | DASR, ReDSR with noise | the same | anisotropic blur, and noise up to 25/255 |
# | *controls* | ReDSR's encoder before training; the LR pixels themselves | nothing |
#
# All see the same windows. A code averages over the picture and DDR does not, which a comparison must
# not turn on: so DDR appears in both forms, and **counts with the better one** for each measure. All are
# reduced to equally many principal components. Three measures, and for none of them may a picture
# explain itself: R² of a **linear probe** that predicts the strength for pictures it was not fitted on;
# **purity**, the share of a point's ten nearest neighbours *from other pictures* with the same
# strength (chance is one fifth with five strengths); and the {term}`Caliński–Harabasz index` (CHI) on the
# components and on t-SNE. Noise and JPEG come on top of a blur of σ 1.
#
# :::{admonition} Criterion, set before the experiment
# :class: important
# **In every training seed**, that is, the worst seed of the one above the best of the other:
#
# 1. DDR reads the width of a blur, the level of noise and the quality of JPEG with R² ≥ 0.5: without that
#    there is nothing to compare.
# 2. On blur, which the codes were taught, ReDSR and 3. DASR beat DDR in R², in purity and in CHI on the
#    components.
# 4. On noise and JPEG, which codes taught on blur never met, DDR beats both in R².
# 5. Taught with noise, both beat DDR on noise in R².
# :::

# %% tags=["hide-cell"]
import numpy as np
import pandas as pd
from myst_nb import glue

from srlab.checkpoints.files import shipped_checkpoints
from srlab.data.datasets import load_images
from srlab.data.examples import examples
from srlab.degradations import Degradation
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.dots import interval_dots
from srlab.figures.embeddings import embedding_grid
from srlab.figures.pictures import sprite_sheet
from srlab.figures.tables import Matrix, matrix_grid
from srlab.images import image_to_array
from srlab.networks.cost import multiply_adds, parameter_count, seconds
from srlab.representation.embedding import (
    embed,
    layer_points,
    principal_components,
    separability,
    separability_interval,
)
from srlab.studies.networks import network, obtainable
from srlab.studies.parameters import check_parameters
from srlab.studies.redsr.codes import code_separation, codes_of, linear_probe, stacked
from srlab.studies.study import Finding, record, span
from srlab.training.initial import initial_model
from srlab.training.recipes import recipe, seed_names

check_parameters()
device = pick_device(device)
finding = Finding(
    name="redsr/ddr_or_code",
    claim="Learned codes tell the degradations they know apart better than emergent features do",
    source="DDR, Sec. 4; ReDSR, Sec. 4; the comparison is this book's",
    criterion=(
        "In every seed and in equally many dimensions: DDR reads blur, noise and JPEG with R² of 0.5 "
        "at least; on blur, codes beat it in R², purity and CHI; on what the codes never met, it "
        "beats them in R²; and codes taught with noise beat it on noise."
    ),
)

# %% [markdown]
# ## Experiment
#
# Three degradations in five strengths each, of the same windows.


# %%
def blurred(sigma, **more):
    return Degradation(scale=4, blur_sigma=sigma, kernel_size=21, **more)


strengths = {"blur": blur_widths, "noise": noise_levels, "JPEG": jpeg_qualities}
kinds = {
    "blur": {f"blur {width:g}": blurred(width) for width in blur_widths},
    "noise": {f"noise {level:g}": blurred(1, noise_sigma=level / 255) for level in noise_levels},
    "JPEG": {f"JPEG {quality}": blurred(1, jpeg_quality=quality) for quality in jpeg_qualities},
}
images = load_images(image_set)
windows = {
    axis: stacked(examples(images, own, count=num_windows, size=192).to(device))
    for axis, own in kinds.items()
}
values = {axis: np.repeat(own, num_windows).astype(float) for axis, own in strengths.items()}

# %% [markdown]
# Then what each network makes of them: codes from the encoders, features from the SRResNet.


# %%
def emergent(model, lr):
    """All values of the last block, and mean and deviation of each channel: two (N, D)."""
    tap, channels = model.taps[-1], model.head[0].out_channels
    points = layer_points(model, lr, [tap])[tap]
    maps = points.reshape(len(points), channels, -1)
    return points, np.concatenate([maps.mean(axis=2), maps.std(axis=2)], axis=1)


def components(points):
    return principal_components(points, dimensions)


ENCODERS = {"DASR": "dasr", "ReDSR": "redsr-8"}
WITH_NOISE = {"DASR with noise": "dasr-general", "ReDSR with noise": "redsr-general"}
missing = [name for name in WITH_NOISE.values() if not train and name not in shipped_checkpoints()]
clean = obtainable(seed_names("srresnet-gr", training_seeds), train=train)
trained = {
    title: obtainable(seed_names(name, training_seeds), train=train)
    for title, name in ENCODERS.items()
} | {title: [name] for title, name in WITH_NOISE.items() if name not in missing}

FORMS = ("DDR", "DDR, averaged")
found = {}  # {(title, axis): components of each seed}
newborn = initial_model(recipe("redsr-8")).eval().to(device)
for axis, own in windows.items():
    forms = zip(*(emergent(network(name, train=train, device=device), own.lr) for name in clean))
    for form, seeds in zip(FORMS, forms, strict=True):
        found[form, axis] = [components(points) for points in seeds]
    for title, names in trained.items():
        codes = [codes_of(network(name, train=train, device=device), own.lr) for name in names]
        found[title, axis] = [components(points) for points in codes]
    found["encoder, untrained", axis] = [components(codes_of(newborn, own.lr))]
    found["LR pixels", axis] = [components(own.lr.flatten(1).cpu().numpy())]
titles = list(dict.fromkeys(title for title, _ in found))

# %% [markdown]
# ## Look first
#
# Blur, which DASR and ReDSR were taught. Widths are colours, pictures are symbols.


# %%
def clouds(shown, axis):
    """t-SNE of the first seeds, with its CHI: panels, and what is written on them."""
    own = windows[axis]
    panels = {("", title): embed(found[title, axis][0], perplexity=perplexity) for title in shown}
    notes = {
        place: f"CHI {separability(points, own.kinds).index:.1f}"
        for place, points in panels.items()
    }
    sprites = sprite_sheet(np.stack([image_to_array(lr) for lr in own.lr]), zoom=2)
    return panels, {
        "classes": own.kinds,
        "contents": own.pictures,
        "sprites": sprites,
        "notes": notes,
    }


panels, written = clouds([*FORMS, *ENCODERS], "blur")

# %% tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE of five widths of blur (training seed 0). Colour: width, HR pixels; symbol: picture. Point at a dot to see its window. Left, features of a network that never met a blur; right, codes that were taught blur. Look whether the colours follow one another in order.", "name": "fig-code-blur"}}
embedding_grid(panels, **written)

# %% name="hero" tags=["remove-cell"]
embedding_grid({place: panels[place] for place in [("", FORMS[1]), ("", "ReDSR")]}, **written)

# %% [markdown]
# Noise, which only the codes "with noise" were taught.

# %%
taught = [title for title in trained if title not in ENCODERS]
noisy, written = clouds([FORMS[1], *ENCODERS, *taught], "noise")

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The same for five levels of noise. DDR, DASR and ReDSR never met noise; the networks \"with noise\" did.", "name": "fig-code-noise"}}
embedding_grid(noisy, **written)

# %% [markdown]
# ## How well is a strength read?

# %%
MEASURES = ("R²", "purity", "CHI")
scores = {}  # {(measure, title, axis): (seeds,)}
for (title, axis), seeds in found.items():
    told = (windows[axis].kinds, values[axis], windows[axis].pictures)
    judged = np.array([code_separation(points, *told) for points in seeds])
    scores |= {(name, title, axis): judged[:, at] for at, name in enumerate(MEASURES)}


def emergent_best(measure, axis):
    """DDR in its better form: (seeds,)."""
    return max((scores[measure, form, axis] for form in FORMS), key=np.mean)


# %% tags=["hide-input"] mystnb={"figure": {"caption": "How well each representation tells strengths apart, mean over training seeds: R² of the linear probe (0 is no better than the mean) and purity among the ten nearest neighbours. Columns: what the degradation was. Look down each column for the winner, and at the two controls at the bottom: they were taught nothing.", "name": "fig-code-told"}}
axes = list(kinds)
tables = {
    ("", measure): Matrix(
        np.array(
            [[np.mean(scores[measure, title, axis]) for axis in axes] for title in titles]
        ).round(2)
        + 0.0,
        titles,
        axes,
    )
    for measure in ("R²", "purity")
}
matrix_grid(tables, colour_title="", limits=(0, 1))

# %% tags=["hide-input"] mystnb={"figure": {"caption": "R² of the blur's width, seed by seed: small dots are training seeds, the large one their mean. The dashed line is DDR's better form, in the mean.", "name": "fig-code-seeds"}}
interval_dots(
    {title: scores["R²", title, "blur"] for title in titles},
    x_title="R² of the width of the blur",
    reference=float(emergent_best("R²", "blur").mean()),
)

# %% [markdown]
# Equally many dimensions, but how many are needed? A code that says the width in two numbers is worth
# more than features that say it somewhere in thirty.

# %%
counts = [count for count in (1, 2, 4, 8, 16, 32, 64) if count <= dimensions]
compared = [*FORMS, *trained]
by_count = {
    f"R², {axis}": {
        title: np.array(
            [
                linear_probe(found[title, axis][0][:, :count], values[axis], own.pictures)
                for count in counts
            ]
        )
        for title in compared
    }
    for axis, own in windows.items()
}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "R² from the first few principal components only (training seed 0). Who rises first says it most plainly.", "name": "fig-code-dimensions"}}
stacked_curves(counts, by_count, x_title="principal components read", log_x=True)

# %% [markdown]
# ## What does it cost?
#
# Only what is needed to describe a picture counts: the encoder, or the SRResNet up to its last block.

# %%
one = windows["blur"].lr[:1]


def price(names, read, parts, pictures):
    model = network(names[0], train=train, device=device)
    return {
        "parameters": parameter_count(*parts(model)),
        "million multiply-adds": multiply_adds(lambda: read(model, one)) / 1e6,
        "ms per picture": 1000 * seconds(lambda: read(model, one)),
        "training pictures": pictures,
    }


def features(model, lr):
    return layer_points(model, lr, [model.taps[-1]])


prices = {"DDR": price(clean, features, lambda model: (model.head, model.body), "clean")} | {
    title: price(
        names,
        lambda model, lr: model.represent(lr),
        lambda model: (model.encoder,),
        "degraded, crops in pairs",
    )
    for title, names in trained.items()
}

# %% tags=["hide-input"]
pd.DataFrame(prices).T.style.format(
    {"parameters": "{:,.0f}", "million multiply-adds": "{:.1f}", "ms per picture": "{:.1f}"}
)

# %% [markdown]
# DDR's price may be nothing, though, where the picture is super-resolved by that network anyway; and an
# encoder's training is that of the whole network around it.
#
# ## Verdict
#
# Spread is over training seeds.


# %%
def ahead(title, axis, measure="R²"):
    """The worst seed of a code minus the best of DDR: above 0 it beats DDR in every seed."""
    return float(scores[measure, title, axis].min() - emergent_best(measure, axis).max())


def behind(title, axis):
    return float(emergent_best("R²", axis).min() - scores["R²", title, axis].max())


readable = {axis: emergent_best("R²", axis) for axis in axes}
checks = {
    "DDR reads blur, noise and JPEG with R² ≥ 0.5, in every seed": (
        min(seeds.min() for seeds in readable.values()) >= 0.5
    )
}
for title in ENCODERS:
    checks[f"on blur, {title} beats DDR in R², purity and CHI, in every seed"] = all(
        ahead(title, "blur", measure) > 0 for measure in MEASURES
    )
for axis in ("noise", "JPEG"):
    checks[f"on {axis}, DDR beats codes taught on blur in R², in every seed"] = all(
        behind(title, axis) > 0 for title in ENCODERS
    )
for title in taught:
    checks[f"{title} beats DDR on noise in R²"] = ahead(title, "noise") > 0
not_judged = f"Not trained yet, and not judged: {', '.join(missing)}." if missing else ""

groups = np.tile(np.arange(num_windows), len(blur_widths))
shown = {title: points for (_, title), points in panels.items()}
bootstrap = {
    title: separability_interval(points, windows["blur"].kinds, groups)
    for title, points in shown.items()
}

# %% tags=["remove-cell"]
short = {"DDR": "ddr", "DASR": "dasr", "ReDSR": "redsr"}
for title, key in short.items():
    for axis in axes:
        own = emergent_best("R²", axis) if title == "DDR" else scores["R²", title, axis]
        glue(f"code_{key}_{axis.lower()}", float(own.mean()), display=False)
    purity = emergent_best("purity", "blur") if title == "DDR" else scores["purity", title, "blur"]
    glue(f"code_{key}_purity", float(purity.mean()), display=False)
    glue(f"code_{key}_first", float(by_count["R², blur"][title][0]), display=False)
    glue(f"code_{key}_adds", prices[title]["million multiply-adds"], display=False)
    glue(f"code_{key}_seeds", len(clean if title == "DDR" else trained[title]), display=False)
for axis in axes:
    own = {t: np.mean(scores["R²", t, axis]) for t in titles}
    glue(f"code_best_{axis.lower()}", max(own, key=own.get), display=False)
    glue(f"code_best_{axis.lower()}_r2", float(max(own.values())), display=False)
    for control, key in {"encoder, untrained": "untrained", "LR pixels": "pixels"}.items():
        glue(f"code_{key}_{axis.lower()}", float(own[control]), display=False)
glue("code_not_judged", not_judged, display=False)
glue("code_dimensions", dimensions, display=False)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: lowest to highest over training seeds; for CHI on t-SNE a 95 % bootstrap interval over windows. DDR stands for the better of its two forms.", "name": "fig-code-verdict"}}
measured = {
    f"{measure} on {axis}, {title}": (
        emergent_best(measure, axis) if title == "DDR" else scores[measure, title, axis]
    )
    for measure in MEASURES
    for axis in (axes if measure == "R²" else axes[:1])
    for title in ["DDR", *trained]
}
record(
    finding,
    checks=checks,
    measured={name: seeds.mean() for name, seeds in measured.items()}
    | {
        f"CHI on t-SNE, blur, {title}": separability(points, windows["blur"].kinds).index
        for title, points in shown.items()
    }
    | {
        f"million multiply-adds, {title}": own["million multiply-adds"]
        for title, own in prices.items()
    },
    interval={name: span(seeds) for name, seeds in measured.items()}
    | {f"CHI on t-SNE, blur, {title}": own for title, own in bootstrap.items()},
    image_set=image_set,
    parameters={
        "num_windows": num_windows,
        "dimensions": dimensions,
        "perplexity": perplexity,
        "not trained yet": missing,
    },
    checkpoints=[*clean, *(name for names in trained.values() for name in names)],
)

# %% [markdown]
# {glue:text}`code_not_judged`
#
# ## What we have seen
#
# - **The width of a blur**, which the codes were taught, is read with an R² of
#   {glue:text}`code_ddr_blur:.2f` from DDR (better form, {glue:text}`code_ddr_seeds` trainings),
#   {glue:text}`code_dasr_blur:.2f` from DASR ({glue:text}`code_dasr_seeds`) and
#   {glue:text}`code_redsr_blur:.2f` from ReDSR ({glue:text}`code_redsr_seeds`), all in
#   {glue:text}`code_dimensions` dimensions. Of ten neighbours from other pictures, a share of
#   {glue:text}`code_ddr_purity:.2f`, {glue:text}`code_dasr_purity:.2f` and
#   {glue:text}`code_redsr_purity:.2f` has the same width. The best reading of all is that of
#   {glue:text}`code_best_blur`, {glue:text}`code_best_blur_r2:.2f`.
# - **How plainly it is said**: one component alone gives {glue:text}`code_ddr_first:.2f`,
#   {glue:text}`code_dasr_first:.2f` and {glue:text}`code_redsr_first:.2f` (DDR in its first form).
# - **What the codes never met**: noise is read with {glue:text}`code_ddr_noise:.2f` (DDR),
#   {glue:text}`code_dasr_noise:.2f` (DASR) and {glue:text}`code_redsr_noise:.2f` (ReDSR), the quality of
#   JPEG with {glue:text}`code_ddr_jpeg:.2f`, {glue:text}`code_dasr_jpeg:.2f` and
#   {glue:text}`code_redsr_jpeg:.2f`. Best on noise is {glue:text}`code_best_noise`
#   ({glue:text}`code_best_noise_r2:.2f`), on JPEG {glue:text}`code_best_jpeg`
#   ({glue:text}`code_best_jpeg_r2:.2f`).
# - **Untaught is not the same as untrained, or is it?** An encoder with random weights, averaged over
#   the picture, reads blur, noise and JPEG with {glue:text}`code_untrained_blur:.2f`,
#   {glue:text}`code_untrained_noise:.2f` and {glue:text}`code_untrained_jpeg:.2f`; the LR pixels with
#   {glue:text}`code_pixels_blur:.2f`, {glue:text}`code_pixels_noise:.2f` and
#   {glue:text}`code_pixels_jpeg:.2f`. Only what lies above these numbers was learned by anyone.
# - **The price**: {glue:text}`code_ddr_adds:.0f` million multiply-adds a picture for DDR,
#   {glue:text}`code_dasr_adds:.0f` for DASR's encoder and {glue:text}`code_redsr_adds:.0f` for ReDSR's.
#   The encoders were trained on pairs of degraded crops, SRResNet on clean pictures alone.
#
# ## Try it yourself
#
# - Read DDR earlier: replace `model.taps[-1]` by `"body.3"`. Does the width of a blur sit deep?
# - Give DDR more room: `dimensions = 64`. Is it a matter of dimensions at all?
# - Beyond the training range: `blur_widths = [4.2, 4.4, 4.6, 4.8, 5.0]`. Whose reading goes on?
# - Other pictures: `image_set = "b100"` (downloaded on first use).
# - {doc}`/book/findings/ddr/blind_sr_guidance` asks whether DDR can steer a restoration as a code does.
