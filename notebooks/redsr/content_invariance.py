# %% [markdown]
# (finding-content-invariance)=
# # A code says what was done to a picture, not what the picture shows
#
# ## The claim
#
# A {term}`code` is read off one picture and used to restore it. If it holds the degradation and nothing
# of the picture, then the code of *any* picture that suffered the same will do as well.
# {cite:t}`liu2024preserving` (Sec. 4, Fig. 6) take 100 codes from 100 pictures of one degradation and
# super-resolve one and the same picture with each.
#
# | | reported |
# |---|---|
# | 100 codes of one degradation, one picture | restored equally well by all of them |
# | DASR, which is taught that two crops of a picture share a code | not shown |
#
# Why it matters: a description that changes with the subject is a bad description of the damage. And it
# is tempting for a network to keep some of the content in the code, because content helps to restore.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"num_codes": 6, "num_others": 2, "num_targets": 1, "other_widths": [0.5, 4.0], "training_seeds": [0], "perplexity": 5}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_codes = 30  # pictures that lend their codes, windows of 192×192 HR pixels; the paper has 100
num_others = 10  # of them also lend codes of other widths
num_targets = 3  # pictures that are restored: the middle of a window
width = 2.3  # σ of the blur that targets suffered, HR pixels
other_widths = [0.5, 1.4, 3.2, 4.0]
training_seeds = [0, 1, 2]  # of both networks; those that are shipped
perplexity = 30
train = False  # True trains all networks here (half an hour each) instead of loading them
device = "auto"

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | networks | ReDSR, 6.28 M parameters | narrow ReDSR (model 8) and DASR, several trainings each |
# | codes | 100 pictures under one degradation | 30 windows of the embedded photographs; 100 with another image set |
# | restored | one picture | the middle 96×96 HR pixels of three windows |
# | shown | pictures and PSNR | PSNR against the picture's own code, window by window |
#
# One thing more is needed. A network that *ignores* its code restores equally well with all of them.
# So every target is also restored with codes of **other** widths: these must hurt. And the codes
# themselves are asked: how much of their variance goes back to the degradation, how much to the window
# it was read from, how much to neither (an analysis of variance in two ways; the three shares add up
# to 1)?
#
# DASR stands beside ReDSR, measured and not judged: the paper makes no claim about its content.

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

from srlab.data.datasets import load_images
from srlab.degradations.filters import upsample
from srlab.degradations.windows import windows
from srlab.devices import pick_device
from srlab.figures.dots import interval_dots
from srlab.figures.embeddings import embedding_grid
from srlab.figures.pictures import picture_grid, picture_row
from srlab.images import center_crop, image_to_array
from srlab.metrics import psnr
from srlab.representation.embedding import embed, separability
from srlab.studies.networks import obtainable
from srlab.studies.redsr.blurs import blurred
from srlab.studies.redsr.borrowed import borrowed_changes, restored_with
from srlab.studies.redsr.clouds import labels
from srlab.studies.redsr.codes import codes_of, stacked, variance_shares
from srlab.studies.study import Study
from srlab.training.initial import initial_model
from srlab.training.recipes import recipe, seed_names

study = Study(
    "redsr/content_invariance",
    claim="Codes hold the degradation and not the content: any picture's code restores as well",
    source="ReDSR, Sec. 4, Fig. 6",
    claims={
        "alike": "95 % of borrowed codes of the same blur change PSNR by 0.1 dB at most, in every seed",
        "heeded": "codes of other blurs cost 0.1 dB at least, and five times as much, in every seed",
        "half": "half of the codes' variance at least goes back to the blur, in every seed",
        "more": "more of it goes back to the blur than to the content, in every seed",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)
study

# %% [markdown]
# ## Experiment
#
# Every window under every width, and the middle of a few of them as targets.

# %%
widths = sorted({width, *other_widths})
kinds = {f"blur {w:g}": blurred(w) for w in widths}
right = f"blur {width:g}"
cut = windows(load_images(image_set), kinds, count=num_codes, size=192).to(study.device)
lenders = stacked(cut)
target_lr = center_crop(cut.lr[right][:num_targets], 24)
target_hr = center_crop(cut.hr[:num_targets], 96)

NETWORKS = {"ReDSR": "redsr-8", "DASR": "dasr"}
models = {
    title: [study.network(one) for one in obtainable(seed_names(name, training_seeds), train=train)]
    for title, name in NETWORKS.items()
}
codes = {  # {title: [of each seed: (kinds, windows, D)]}
    title: [codes_of(model, lenders.lr).reshape(len(kinds), num_codes, -1) for model in own]
    for title, own in models.items()
}

# %% [markdown]
# Then each target is restored with its own code, with those of all windows of its width that are no
# targets, and with some of every other width.

# %%
lent = {  # targets lend none of their own blur
    kind: np.arange(num_targets, num_codes) if kind == right else np.arange(num_others)
    for kind in kinds
}
change = {  # {title: [of each seed: {kind told: (targets, lenders)} dB]}
    title: [
        borrowed_changes(model, (target_lr, target_hr), dict(zip(kinds, own)), right, lent)
        for model, own in zip(models[title], codes[title], strict=True)
    ]
    for title in models
}

# %% [markdown]
# ## Look first
#
# One target, restored with codes that were read off other pictures.

# %%
narrow, *_, wide = kinds
panels, notes = {}, {}
for title in models:
    own, db = dict(zip(kinds, codes[title][0])), change[title][0][right][0]
    asked = {
        "bicubic": None,
        "its own code": (right, 0),
        "best borrowed": (right, lent[right][db.argmax()]),
        "worst borrowed": (right, lent[right][db.argmin()]),
        f"code of {narrow}": (narrow, 0),
        f"code of {wide}": (wide, 0),
    }
    for column, asks in asked.items():
        sr = upsample(target_lr[:1], 4)
        if asks:
            kind, lender = asks
            sr = restored_with(models[title][0], target_lr[0], own[kind][[lender]])
        panels[title, column] = image_to_array(sr[0])
        notes[title, column] = f"{psnr(sr, target_hr[:1], border=4).item():.2f} dB"

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One target, blurred by the width under judgement, and restored with different codes (training seed 0): its own, those of other pictures with the same blur (the best and the worst of all), and its own window's codes under the narrowest and the widest blur. Zoom in; the pictures move together.", "name": "fig-lent-pictures"}}
picture_grid(panels, notes=notes)

# %% name="hero" tags=["remove-cell"]
picture_row({column: panels["ReDSR", column] for column in list(asked)[1:4]})

# %% [markdown]
# ## Does it matter whose code it is?

# %% tags=["hide-input"] mystnb={"figure": {"caption": "What a borrowed code changes, dB: a dot for each window that lent it (mean over targets and training seeds; point at it to see the window), bars from lowest to highest. In the rows of the targets' own blur, the dots should lie on the dashed line; in the others, to the left of it.", "name": "fig-lent-change"}}
written = labels(lenders, zoom=2)
rows, tiles = {}, {}
for title in models:
    for at, kind in enumerate(kinds):
        row = f"{title}, told {kind}"
        rows[row] = np.mean([own[kind] for own in change[title]], axis=(0, 1))
        tiles[row] = at * num_codes + lent[kind]
interval_dots(
    rows,
    x_title="PSNR minus that with the own code, dB",
    reference=0,
    sprites=written["sprites"],
    pictures=tiles,
)

# %% [markdown]
# ## What do codes hold?
#
# The codes themselves. If they held content, a picture's codes (one symbol) would lie together.

# %%
embedded = {
    ("", title): embed(own[0].reshape(len(lenders.kinds), -1), perplexity=perplexity)
    for title, own in codes.items()
}
notes = {
    place: f"CHI {separability(points, lenders.kinds).index:.1f} by blur, "
    f"{separability(points, lenders.pictures).index:.1f} by picture"
    for place, points in embedded.items()
}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE of all codes (training seed 0). Colour: width of the blur; symbol: picture. Point at a dot to see the window. Do the colours gather, or the symbols?", "name": "fig-lent-codes"}}
embedding_grid(embedded, **written, notes=notes)

# %%
window = np.tile(np.arange(num_codes), len(kinds))
newborn = codes_of(initial_model(recipe("redsr-8")).eval().to(study.device), lenders.lr)
shares = pd.DataFrame(
    {"network": title}
    | variance_shares(one.reshape(len(window), -1), lenders.kinds, window)._asdict()
    for title, seeds in (codes | {"ReDSR, untrained": [newborn]}).items()
    for one in seeds
)
PARTS = {"degradation": "blur", "content": "window", "rest": "neither"}
explained = dict(iter(shares.groupby("network", sort=False)))  # a row for each seed

# %% tags=["hide-input"] mystnb={"figure": {"caption": "What the variance of codes goes back to: the width of the blur, the window, or neither alone. Small dots are training seeds. Before training, an encoder's code is nearly all content: that is where it starts from.", "name": "fig-lent-shares"}}
interval_dots(
    {
        f"{title}: {word}": own[part]
        for title, own in explained.items()
        for part, word in PARTS.items()
    },
    x_title="share of the codes' variance",
)

# %% [markdown]
# ## Verdict
#
# Spread is over training seeds.

# %%
wrong = [kind for kind in kinds if kind != right]


def summary(own):
    """Of one seed's changes {kind told: (targets, lenders) dB}."""
    return {
        "alike": np.mean(np.abs(own[right]) <= 0.1),
        "spread": np.std(own[right], axis=1).mean(),
        "cost": -np.mean(own[right]),
        "wrong": -np.mean([own[kind].mean() for kind in wrong]),
    }


told = {title: pd.DataFrame(map(summary, seeds)) for title, seeds in change.items()}
for title, key in {"ReDSR": "redsr", "DASR": "dasr", "ReDSR, untrained": "newborn"}.items():
    for part, share in explained[title][[*PARTS]].mean().items():
        study.glue(**{f"content_{key}_{part}": 100 * share})
for title, own in told.items():
    shown = {"alike": 100 * own.alike.mean(), "seeds": len(own)}
    study.glue(**{f"content_{title.lower()}_{name}": value for name, value in shown.items()})
study.glue(content_codes=len(lent[right]), content_targets=num_targets)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: lowest to highest over training seeds.", "name": "fig-lent-verdict"}}
WHAT = {
    "alike": "same blur, share within 0.1 dB",
    "spread": "same blur, deviation over codes, dB",
    "cost": "same blur, mean cost, dB",
    "wrong": "other blurs, mean cost, dB",
}
PAPER = {("ReDSR", "alike"): "restored equally well by all"}
for title, own in told.items():
    for name, words in WHAT.items():
        glued = "" if name == "alike" else f"content_{title.lower()}_{name}"
        reported = PAPER.get((title, name), "")
        study.measure(f"{title}: {words}", own[name], paper=reported, glue=glued)
    for part in PARTS:
        study.measure(f"{title}: variance from {part}", explained[title][part])
own, held = told["ReDSR"], explained["ReDSR"]
study.verdict(
    alike=own.alike.min() >= 0.95,
    heeded=(own.wrong >= np.maximum(0.1, 5 * own.cost)).all(),
    half=held.degradation.min() >= 0.5,
    more=(held.degradation > held.content).all(),
)

# %% [markdown]
# ## What we have seen
#
# - **Whose code it is.** Of {glue:text}`content_codes` other windows' codes of the same blur, told for
#   {glue:text}`content_targets` targets, {glue:text}`content_redsr_alike:.0f` % change ReDSR's PSNR by no
#   more than 0.1 dB ({glue:text}`content_redsr_seeds` trainings; deviation over codes
#   {glue:text}`content_redsr_spread:.3f` dB). For DASR ({glue:text}`content_dasr_seeds` trainings) it is
#   {glue:text}`content_dasr_alike:.0f` %, {glue:text}`content_dasr_spread:.3f` dB.
# - **Whether it is listened to.** A code of the same blur costs ReDSR {glue:text}`content_redsr_cost:.3f` dB
#   in the mean, one of another blur {glue:text}`content_redsr_wrong:.2f` dB; DASR
#   {glue:text}`content_dasr_cost:.3f` and {glue:text}`content_dasr_wrong:.2f` dB. Without the second number
#   the first means nothing.
# - **What codes hold.** Of the variance of ReDSR's codes, {glue:text}`content_redsr_degradation:.0f` % goes
#   back to the blur, {glue:text}`content_redsr_content:.0f` % to the window and
#   {glue:text}`content_redsr_rest:.0f` % to neither alone; of DASR's {glue:text}`content_dasr_degradation:.0f`,
#   {glue:text}`content_dasr_content:.0f` and {glue:text}`content_dasr_rest:.0f` %. Before training it was
#   {glue:text}`content_newborn_degradation:.0f`, {glue:text}`content_newborn_content:.0f` and
#   {glue:text}`content_newborn_rest:.0f` %.
# - Equal variance is not equal use: a generator may read only those directions of the code that tell the
#   blur. Compare the first and the last point.
#
# ## Try it yourself
#
# - `image_set = "b100"` with `num_codes = 100` is the paper's number (the set is downloaded on first use).
# - Find the most stubborn lender: point at the outermost dots. What do flat windows have in common?
# - Narrower blurs are harder to tell: `width = 0.5`.
# - Average ten borrowed codes before restoring. Does the mean code beat the target's own?
