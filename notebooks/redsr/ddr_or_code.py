# %% [markdown]
# (finding-ddr-or-code)=
# # Do learned codes describe degradations better than DDR features?
#
# *8 minutes. You learn what teaching buys over features that emerge by themselves. Read
# {doc}`/book/findings/ddr/degradations_cluster` and {doc}`redegradation` first.*
#
# ## The question
#
# Two of this book's papers look for degradations inside networks, and find them in different places. {cite:t}`liu2021discovering` find them
# where nobody put them: in the deep features of a network that saw clean pictures only, the {term}`deep degradation representation` (DDR).
# {cite:t}`wang2021unsupervised` (DASR) and {cite:t}`liu2024preserving` (ReDSR) teach an encoder to write them down as a *code*. Neither
# compares the two, so this page asks a question of our own.
#
# One would expect codes that were taught widths of blur to tell widths better, and features that were taught nothing to tell degradations
# that neither has met at least as well.
#
# **Why it matters:** a code needs training with paired degradations. If a network that exists anyway knows as much, the code is not worth it;
# if not, the difference is what the teaching bought.

# %% tags=["parameters", "hide-cell"] quick={"num_windows": 6, "training_seeds": [0], "blur_widths": [0.5, 2.3, 4.0], "noise_levels": [0, 25], "jpeg_qualities": [90, 10], "dimensions": 4, "perplexity": 5}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_windows = 20  # contents of 192×192 HR pixels; each is shown under every degradation
training_seeds = [0, 1, 2]  # of networks that know no noise; compared in equal numbers
blur_widths = [0.5, 1.4, 2.3, 3.2, 4.0]  # HR pixels; the taught networks met 0.2 to 4
noise_levels = [0, 5, 10, 15, 25]  # of 255
jpeg_qualities = [90, 70, 50, 30, 10]
dimensions = 32  # everyone may say so much: principal components
perplexity = 30
train = False  # True trains all networks here (half an hour each) instead of loading them
device = "auto"

# %% tags=["hide-cell"]
import numpy as np
import pandas as pd

from srlab.data.datasets import load_images
from srlab.degradations.windows import windows
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.dots import interval_dots
from srlab.figures.embeddings import embedding_grid
from srlab.networks.cost import multiply_adds, parameter_count, seconds
from srlab.representation.embedding import (
    layer_points,
    principal_components,
    separability,
    separability_interval,
)
from srlab.studies.redsr.blurs import blurred
from srlab.studies.redsr.clouds import code_clouds
from srlab.studies.redsr.codes import codes_of, gathering, linear_probe
from srlab.studies.redsr.intervals import trainings_interval
from srlab.studies.redsr.tables import separation_grid, separation_table
from srlab.studies.study import Outcome, Study, exceeds, reaches, span, together
from srlab.training.initial import initial_model
from srlab.training.recipes import recipe

study = Study(
    "redsr/ddr_or_code",
    claim="Learned codes tell the degradations they know apart better than emergent features do",
    source="DDR, Sec. 4; ReDSR, Sec. 4.2; the comparison is this book's",
    claims={
        "redsr": "on blur, ReDSR beats DDR in R², purity and CHI, in every seed",
        "dasr": "on blur, DASR beats DDR in R², purity and CHI, in every seed",
        "redsr_noise": "ReDSR with noise beats DDR on noise in R²",
        "dasr_noise": "DASR with noise beats DDR on noise in R²",
        "noise": "on noise, DDR beats ReDSR taught on blur in R², in every seed",
        "jpeg": "on JPEG, DDR beats ReDSR taught on blur in R², in every seed",
    },
    controls={
        "reads": "DDR reads blur, noise and JPEG with R² ≥ 0.5, in every seed",
        "gate": "DASR's codes gather by blur above chance, without which it is no rival",
        "gate_noise": "the codes of DASR with noise gather by noise above chance",
        "untrained": "ReDSR reads blur better than its encoder before training, in every seed",
    },
    own_question=True,
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

strengths = {"blur": blur_widths, "noise": noise_levels, "JPEG": jpeg_qualities}
kinds = {
    "blur": {f"blur {width:g}": blurred(width) for width in blur_widths},
    "noise": {f"noise {level:g}": blurred(1, noise_sigma=level / 255) for level in noise_levels},
    "JPEG": {f"JPEG {quality}": blurred(1, jpeg_quality=quality) for quality in jpeg_qualities},
}
images = load_images(image_set)
cut = {
    axis: windows(images, own, count=num_windows, size=192).to(study.device)
    for axis, own in kinds.items()
}
values = {axis: np.repeat(own, num_windows).astype(float) for axis, own in strengths.items()}


def emergent(model, lr):
    """All values of the last block, and mean and deviation of each channel: two (N, D)."""
    tap, channels = model.taps[-1], model.head[0].out_channels
    points = layer_points(model, lr, [tap])[tap]
    maps = points.reshape(len(points), channels, -1)
    return points, np.concatenate([maps.mean(axis=2), maps.std(axis=2)], axis=1)


ENCODERS = {"DASR": "dasr", "ReDSR": "redsr-8"}
WITH_NOISE = {"DASR with noise": "dasr-general", "ReDSR with noise": "redsr-general"}
srresnets = study.trainings("srresnet-gr", training_seeds)
models = {title: study.trainings(name, training_seeds) for title, name in ENCODERS.items()}
models |= {title: [study.network(name)] for title, name in WITH_NOISE.items()}

FORMS = ("DDR", "DDR, averaged")
found = {}  # {(title, axis): components of each seed}
newborn = initial_model(recipe("redsr-8")).eval().to(study.device)
for axis, own in cut.items():
    forms = zip(*(emergent(model, own.stacked) for model in srresnets), strict=True)
    described = dict(zip(FORMS, forms, strict=True))
    described |= {
        title: [codes_of(one, own.stacked) for one in seeds] for title, seeds in models.items()
    }
    described["encoder, untrained"] = [codes_of(newborn, own.stacked)]
    described["LR pixels"] = [own.stacked.flatten(1).cpu().numpy()]
    for title, seeds in described.items():
        found[title, axis] = [principal_components(points, dimensions) for points in seeds]
titles, axes = list(described), list(kinds)

# %% [markdown]
# ## Look first


# %% tags=["hide-cell"]
def clouds(shown, axis):
    firsts = {title: found[title, axis][0] for title in shown}
    return code_clouds(firsts, cut[axis], perplexity=perplexity)


panels, written = clouds([*FORMS, *ENCODERS], "blur")

# %% tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE of five widths of blur (training seed 0). Colour: width, HR pixels; symbol: picture. Above each panel: the Caliński–Harabasz index (CHI). Point at a dot to see its window. Left, features of a network that never met a blur; right, codes that were taught blur. Do the colours follow one another in order?", "name": "fig-code-blur"}}
embedding_grid(panels, **written)

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
# All see the same windows. A code averages over the picture and DDR does not, so DDR appears in both forms and **counts with the better one**
# for each measure. All are reduced to equally many principal components.
#
# :::{dropdown} Measures and comparisons
# For none of the three measures may a picture explain itself: R² of a **linear probe** that predicts the strength for pictures it was not fitted
# on; **purity**, the share of a point's ten nearest neighbours *from other pictures* with the same strength (chance is one fifth with five
# strengths); and the {term}`Caliński–Harabasz index` (CHI) on the components and on t-SNE. Noise and JPEG come on top of a blur of σ 1.
#
# "In every seed" means: the worst seed of the one above the best of the other, of equally many trainings; where seeds overlap, it is
# undecided. DASR is compared only once its codes tell anything (the *gate*: purity above chance, 95 % interval over pictures).
# With more training: not shown here; {doc}`evolution` follows ReDSR's codes, {doc}`/book/findings/ddr/training_evolution` DDR's features.
# :::

# %% tags=["remove-input"]
study

# %% name="hero" tags=["remove-cell"] caption="t-SNE of five widths of blur. Left: features of a network that never met a blur; right: codes that were taught blur. Colour: width; symbol: picture. In which panel do the colours follow one another?"
embedding_grid({place: panels[place] for place in [("", FORMS[1]), ("", "ReDSR")]}, **written)

# %% tags=["hide-cell"]
taught = [title for title in models if title not in ENCODERS]
noisy, written = clouds([FORMS[1], *ENCODERS, *taught], "noise")

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The same for five levels of noise. DDR, DASR and ReDSR never met noise; the networks \"with noise\" did. Does it help them?", "name": "fig-code-noise"}}
embedding_grid(noisy, **written)

# %% [markdown]
# ## How well is a strength predicted?

# %% tags=["hide-cell"]
MEASURES = {"R²": "probe", "purity": "purity", "CHI": "chi"}
scores = separation_table(found, cut, values)  # a row for each seed
means = scores.groupby(["network", "axis"], sort=False).mean()


def of_seeds(measure, title, axis):
    """(seeds,); DDR is taken in its better form."""
    if title == "DDR":
        title = max(FORMS, key=lambda form: means.loc[(form, axis), MEASURES[measure]])
    return scores.loc[[(title, axis)], MEASURES[measure]].to_numpy()


# %% tags=["hide-input"] mystnb={"figure": {"caption": "How well each representation tells strengths apart, mean over training seeds: R² of the linear probe (0 is no better than the mean) and purity among the ten nearest neighbours. Columns: the degradation. Compare each column with the two controls at the bottom, which were taught nothing.", "name": "fig-code-told"}}
separation_grid(scores)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "R² of the blur's width, seed by seed: small dots are training seeds, the large one their mean. The dashed line is DDR's better form, in the mean.", "name": "fig-code-seeds"}}
interval_dots(
    {title: scores.probe.loc[[(title, "blur")]] for title in titles},
    x_title="R² of the width of the blur",
    reference=of_seeds("R²", "DDR", "blur").mean(),
)

# %% [markdown]
# How many dimensions does the answer need? A code that tells the width in two numbers is worth more than features that tell it somewhere in
# thirty.

# %% tags=["hide-cell"]
counts = [count for count in (1, 2, 4, 8, 16, 32, 64) if count <= dimensions]
compared = [*FORMS, *models]
by_count = {
    f"R², {axis}": {
        title: [
            linear_probe(found[title, axis][0][:, :count], values[axis], own.picture_labels)
            for count in counts
        ]
        for title in compared
    }
    for axis, own in cut.items()
}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "R² from the first few principal components only (training seed 0). The earlier a curve rises, the more plainly the representation tells the strength.", "name": "fig-code-dimensions"}}
stacked_curves(counts, by_count, x_title="principal components read", log_x=True)

# %% [markdown]
# ## What does it cost?
#
# Only what is needed to describe a picture counts: the encoder, or the SRResNet up to its last block. DDR is free where the picture is
# super-resolved by that network anyway; an encoder's training is that of the whole network around it.

# %% tags=["hide-cell"]
one = cut["blur"].stacked[:1]


def price(read, parts, pictures):
    return {
        "parameters": parameter_count(*parts),
        "million multiply-adds": multiply_adds(lambda: read(one)) / 1e6,
        "ms per picture": 1000 * seconds(lambda: read(one)),
        "training pictures": pictures,
    }


ddr = srresnets[0]
prices = {
    "DDR": price(lambda lr: layer_points(ddr, lr, [ddr.taps[-1]]), (ddr.head, ddr.body), "clean")
} | {
    title: price(model.represent, (model.encoder,), "degraded, crops in pairs")
    for title, (model, *_) in models.items()
}

# %% tags=["hide-input"]
pd.DataFrame(prices).T.style.format(
    {"parameters": "{:,.0f}", "million multiply-adds": "{:.1f}", "ms per picture": "{:.1f}"}
)

# %% [markdown]
# ## Verdict


# %% tags=["hide-cell"]
def apart(measure, one, other, axis):
    """(worst of one − best of the other, best − worst) of equally many trainings."""
    ours, theirs = (of_seeds(measure, title, axis) for title in (one, other))
    count = min(len(ours), len(theirs))
    ours, theirs = ours[:count], theirs[:count]
    return ours.min() - theirs.max(), ours.max() - theirs.min()


def beats(one, other, axis, *measures):
    return together(*(exceeds(apart(measure, one, other, axis)) for measure in measures))


def gathers(title, axis):
    """Whether its codes do so above chance."""
    own = np.stack([gathering(points, cut[axis]) for points in found[title, axis]])
    return exceeds(trainings_interval(own), 1 / len(strengths[axis]))


def taught_to(title, axis, gate, *measures):
    return beats(title, "DDR", axis, *measures) if gate is Outcome.HELD else Outcome.UNDECIDED


gate, gate_noise = gathers("DASR", "blur"), gathers("DASR with noise", "noise")
outcomes = {
    "redsr": beats("ReDSR", "DDR", "blur", *MEASURES),
    "dasr": taught_to("DASR", "blur", gate, *MEASURES),
    "redsr_noise": taught_to("ReDSR with noise", "noise", Outcome.HELD, "R²"),
    "dasr_noise": taught_to("DASR with noise", "noise", gate_noise, "R²"),
    "noise": beats("DDR", "ReDSR", "noise", "R²"),
    "jpeg": beats("DDR", "ReDSR", "JPEG", "R²"),
    "reads": reaches(span([r for axis in axes for r in of_seeds("R²", "DDR", axis)]), 0.5),
    "gate": gate,
    "gate_noise": gate_noise,
    "untrained": beats("ReDSR", "encoder, untrained", "blur", "R²"),
}

PROSE = ("DDR", "DASR", "ReDSR")
for title in PROSE:
    seeds = len(srresnets if title == "DDR" else models[title])
    plainly = by_count["R², blur"][title][0]
    study.glue(**{f"code_{title.lower()}_seeds": seeds, f"code_{title.lower()}_first": plainly})
for axis in axes:
    own, name = means.xs(axis, level="axis").probe, axis.lower()
    study.glue(**{f"code_best_{name}": own.idxmax(), f"code_best_{name}_r2": own.max()})
    study.glue(**{f"code_untrained_{name}": own["encoder, untrained"]})
    study.glue(**{f"code_pixels_{name}": own["LR pixels"]})
study.glue(code_dimensions=dimensions)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "All measures of this run. Spread: lowest to highest over training seeds; for CHI on t-SNE a 95 % bootstrap interval over windows. DDR stands for the better of its two forms.", "name": "fig-code-verdict"}}
for measure in MEASURES:
    for axis in axes if measure == "R²" else axes[:1]:
        word = {"R²": axis.lower(), "purity": "purity"}.get(measure)
        for title in ["DDR", *models]:
            glue = f"code_{title.lower()}_{word}" if word and title in PROSE else ""
            name = f"{measure} on {axis}, {title}"
            first = (measure, axis, title) == ("R²", axes[0], "ReDSR")
            study.measure(name, of_seeds(measure, title, axis), glue=glue, headline=first)
blur, groups = cut["blur"].kind_labels, np.tile(np.arange(num_windows), len(blur_widths))
for (_, title), points in panels.items():
    limits = separability_interval(points, blur, groups)
    study.measure(f"CHI on t-SNE, blur, {title}", separability(points, blur).index, interval=limits)
for title, own in prices.items():
    adds, glue = own["million multiply-adds"], f"code_{title.lower()}_adds"
    study.measure(f"million multiply-adds, {title}", adds, glue=glue if title in PROSE else "")
study.verdict(**outcomes)

# %% [markdown]
# ## What we have seen
#
# - **Width of a blur**, which the codes were taught: R² is {glue:text}`code_ddr_blur:.2f` for DDR (better form,
#   {glue:text}`code_ddr_seeds` trainings), {glue:text}`code_dasr_blur:.2f` for DASR ({glue:text}`code_dasr_seeds`) and
#   {glue:text}`code_redsr_blur:.2f` for ReDSR ({glue:text}`code_redsr_seeds`), in {glue:text}`code_dimensions` dimensions; purity is
#   {glue:text}`code_ddr_purity:.2f`, {glue:text}`code_dasr_purity:.2f` and {glue:text}`code_redsr_purity:.2f`. The highest R² is that of
#   {glue:text}`code_best_blur` ({glue:text}`code_best_blur_r2:.2f`).
# - **One component** alone gives {glue:text}`code_ddr_first:.2f`, {glue:text}`code_dasr_first:.2f` and {glue:text}`code_redsr_first:.2f` (DDR in
#   its first form).
# - **Never met**: R² of noise is {glue:text}`code_ddr_noise:.2f` (DDR), {glue:text}`code_dasr_noise:.2f` (DASR) and
#   {glue:text}`code_redsr_noise:.2f` (ReDSR), of the JPEG quality {glue:text}`code_ddr_jpeg:.2f`, {glue:text}`code_dasr_jpeg:.2f` and
#   {glue:text}`code_redsr_jpeg:.2f`. Best on noise: {glue:text}`code_best_noise` ({glue:text}`code_best_noise_r2:.2f`); on JPEG:
#   {glue:text}`code_best_jpeg` ({glue:text}`code_best_jpeg_r2:.2f`).
# - **Controls.** An encoder with random weights has an R² of {glue:text}`code_untrained_blur:.2f` on blur,
#   {glue:text}`code_untrained_noise:.2f` on noise and {glue:text}`code_untrained_jpeg:.2f` on JPEG; the LR pixels
#   {glue:text}`code_pixels_blur:.2f`, {glue:text}`code_pixels_noise:.2f` and {glue:text}`code_pixels_jpeg:.2f`. Only what exceeds these
#   numbers was learned.
# - **Cost** in million multiply-adds per picture: {glue:text}`code_ddr_adds:.0f` for DDR, {glue:text}`code_dasr_adds:.0f` for DASR's encoder,
#   {glue:text}`code_redsr_adds:.0f` for ReDSR's.
#
# ## Exercises
#
# 1. Why does DDR appear in two forms?
# 2. A control with random weights tells noise with an R² of 0.9. What is a trained code's 0.92 worth?
#
# ```{dropdown} Answers
# 1. A code averages over positions, which removes much of the content. Without an averaged form of DDR, a lead of the codes could be due to
#    averaging rather than to teaching.
# 2. Little: almost all of it needs no training. Such a degradation is a poor test of learning.
# ```
#
# ## Try it yourself
#
# - An earlier layer for DDR: replace `model.taps[-1]` by `"body.3"`.
# - More room: `dimensions = 64`.
# - Beyond the training range: `blur_widths = [4.2, 4.4, 4.6, 4.8, 5.0]`.
# - Other pictures: `image_set = "b100"` (downloaded on first use).
# - {doc}`/book/findings/ddr/blind_sr_guidance` asks whether DDR can steer a restoration as a code does.
