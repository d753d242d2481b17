# %% [markdown]
# (finding-training-degradations)=
# # Do clean and noisy inputs become one after training on both?
#
# *9 minutes. You learn that alike outputs need not mean alike features, and how to measure both. Builds on
# {doc}`global_residual`.*
#
# ## The claim
#
# An SRGAN trained on clean pictures separates clean from noisy ones in its features. Train it on clean
# **and noisy** pictures, and it treats both alike: their representations become *unanimous*, that is,
# alike
# ({cite:t}`liu2021discovering`, Sec. 4.6, Fig. 9).
#
# Why it matters: the distance between degradations would then measure what a network has *not* learnt to
# handle, and so lead to an index of generalization ({doc}`generalization_index`).
#
# There is a reason to doubt it for networks with a {term}`global residual` (GR). The enlarged input, noise
# and all, is added to their output; to remove noise they must paint it once more with the opposite sign, so
# their last features have to hold it. So this page also measures how much of a degradation a network
# removes, and looks at networks without GR.

# %% tags=["parameters", "hide-cell"] quick={"num_patches": 20, "training_seeds": [0], "tsne_runs": 1, "size": 16, "restored": 4, "perplexity": 10}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_patches = 100  # contents; each is shown under all three degradations
training_seeds = [0, 1, 2]  # of the two SRGANs, from other initializations; those that are shipped
tsne_runs = 5  # random starts of t-SNE for what is judged, as in the paper
size = 32  # side of a patch, LR pixels
restored = 10  # contents whose outputs are compared
perplexity = 30
train = False  # True trains all networks here (half an hour each on one core)
device = "auto"

# %% tags=["hide-cell"]
import numpy as np
import pandas as pd
import torch

from srlab.data.datasets import degraded_patches, load_images
from srlab.degradations import Degradation
from srlab.degradations.filters import upsample
from srlab.devices import pick_device
from srlab.figures.pictures import picture_grid
from srlab.figures.tables import matrix_heatmap
from srlab.images import image_to_array
from srlab.metrics import removed_share
from srlab.representation.embedding import (
    embed,
    layer_points,
    principal_components,
    separability,
)
from srlab.studies.ddr.clouds import degradation_clouds
from srlab.studies.ddr.restarts import over_seeds, restarts, runs_index
from srlab.studies.ddr.spectrum import pair_separability
from srlab.studies.networks import left_out, obtainable_places
from srlab.studies.study import Study, exceeds, outer, reaches, span, stays_below
from srlab.training.recipes import seed_name

study = Study(
    "ddr/training_degradations",
    claim="SRGAN trained on clean and noisy pictures represents both alike",
    source="DDR, Sec. 4.6, Fig. 9",
    claims={
        "unanimous": "SRGAN trained on clean and noisy pictures: CHI of clean – noise behind "
        "ResBlock 16 stays below 20 (the paper's level −), in every seed",
        "apart": "SRGAN trained on clean pictures: that CHI reaches 20 (level +), in every seed",
        "falls": "that CHI is lower after training with noise, in every seed",
    },
    controls={
        "blur": "trained with noise, SRGAN keeps clean – blur, which it never met, at 20 or more",
        "linear": "clean – noise falls on 50 principal components too, in every seed",
        "mse_noise": "SRResNet trained with noise: clean – noise stays below 20",
        "mse_blur": "SRResNet trained with blur: clean – blur stays below 20",
        "mse_both": "SRResNet trained on blur and noise: all three stay below 20",
    },
    says={
        "unanimous": "Fig. 9: “By training with more degraded data, the deep representations become "
        "unanimous.”",
        "apart": "before Sec. 4.6, of networks trained on clean data: “These patterned features "
        "naturally show a strong discriminability between different degradations.”",
        "falls": "Sec. 4.6: “we compare the representations between SRGAN-wGR models trained on "
        "clean data and clean+noise data, respectively”",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

# %% tags=["hide-cell"]
degradations = {
    "clean": Degradation(),
    "blur": Degradation(blur_sigma=4),
    "noise": Degradation(noise_sigma=20 / 255),
}
pictures = load_images(image_set)
pairs = degraded_patches(pictures, [*degradations.values()], count=num_patches, size=size)
kinds = pairs.degradation_labels
lr = pairs.lr.to(study.device)
two = np.isin(kinds, kinds[[0, 2]])  # clean and noise
groups = np.repeat(np.arange(num_patches), 2)

CLEAN, NOISY = "SRGAN, clean", "SRGAN, + noise"
JUDGED = {CLEAN: "srgan-gr", NOISY: "srgan-noise"}
CONTROLS = {
    "SRResNet, clean": "srresnet-gr",
    "SRResNet, + noise": "srresnet-noise",
    "SRResNet, + blur": "srresnet-blur",
    "SRResNet, + both": "srresnet-blind",
    "no GR, clean": "srresnet-wogr",
    "no GR, + noise": "srresnet-noise-wogr",
}
wanted = {(kind, s): seed_name(base, s) for kind, base in JUDGED.items() for s in training_seeds}
wanted |= {(kind, 0): name for kind, name in CONTROLS.items()}
names, missing = obtainable_places(wanted, train=train)
networks = [*JUDGED, *CONTROLS]
seeds = {kind: [seed for own, seed in names if own == kind] for kind in networks}
if missing:
    print(left_out(missing))

NOISE, BLUR, ALL = "clean – noise", "clean – blur", "all three"
PAIRS = {NOISE: (0, 2), BLUR: (0, 1)}
LAYER = "body.15"
embeddings, judged, linear, rows = {}, {}, {}, []
for (kind, seed), name in names.items():
    points = layer_points(study.network(name), lr, [LAYER])[LAYER]
    if kind in JUDGED:
        components = principal_components(points[two])
        runs = restarts(components, tsne_runs, perplexity=perplexity)
        judged[kind, seed] = runs_index(runs, kinds[two], groups)
        linear[kind, seed] = separability(components, kinds[two]).index
    if seed == seeds[kind][0]:
        embeddings[kind] = embed(points, perplexity=perplexity)
        matrix = pair_separability(embeddings[kind], kinds)
        apart = {pair: matrix[place] for pair, place in PAIRS.items()}
        apart[ALL] = separability(embeddings[kind], kinds).index
        rows += [{"network": kind, "pair": pair, "value": value} for pair, value in apart.items()]
chi = pd.DataFrame(rows).pivot(index="network", columns="pair", values="value").loc[networks]

# %% tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE of the features after ResBlock 16 of SRGAN and SRResNet (first seed), trained on clean pictures and on clean and noisy ones. Colour: degradation; symbol: picture. Above each panel how far noise, and blur, are from clean: the Caliński–Harabasz index (CHI). From left to right only the training changes. Do clean and noisy mix? Click a class in the legend to hide it.", "name": "fig-degraded-training-tsne"}}
shown = {tuple(kind.split(", ")): kind for kind in [*JUDGED, *list(CONTROLS)[:2]]}
panels = {place: embeddings[kind] for place, kind in shown.items()}
notes = {
    place: f"noise {chi.at[kind, NOISE]:.1f}, blur {chi.at[kind, BLUR]:.1f}"
    for place, kind in shown.items()
}
degradation_clouds(panels, pairs, notes=notes)

# %% name="hero" tags=["remove-cell"] caption="Features after the last block of SRGAN, trained on clean pictures (left) and on clean and noisy ones (right; t-SNE, first seed). Colour: degradation. By the claim, clean and noisy patches mix at the right. Do they?"
hero = {("", kind): embeddings[kind] for kind in JUDGED}
degradation_clouds(hero, pairs, notes={})

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | network | SRGAN with GR, 16 blocks, 64 channels in its own paper | the same with 32 channels |
# | trained on clean pictures | 600 000 steps | 6 000 steps with a pixel loss, then 5 000 with a critic |
# | trained on clean + noise | as many; strength of the noise missing in our copy of the paper | 4 000 and 5 000; every second picture with noise of σ 20/255 |
# | tested on | clean and noisy pictures (DIV2K) | clean LR patches and the same with noise 20/255, embedded by themselves |
# | index | mean of five t-SNE runs | the same; bootstrap interval over contents |
# | with more training | – | not shown: snapshots of these SRGANs do not ship |
#
# Controls beside the two SRGANs are SRResNets (first seed) trained on clean pictures, with noise, with blur
# of width 4, and with blur 0–4 and noise 0–25/255; and two without GR. They trained for 4 000 steps, on
# clean pictures for 6 000.

# %% tags=["remove-input"]
study

# %% tags=["hide-input"] mystnb={"figure": {"caption": "CHI after the last block, in the embedding of all three degradations (first seed). Rows: the network and what it was trained on; columns: which degradations are compared. Compare each row with the first of its kind.", "name": "fig-degraded-training-chi"}}
columns = [*PAIRS, ALL]
AXES = ("trained on", "")
values = chi[columns].to_numpy()
matrix_heatmap(values, networks, columns, colour_title="CHI", axis_titles=AXES, log=True)

# %% [markdown]
# ## What the networks do to the degradations
#
# A network that removes noise makes clean and noisy patches alike *in its output*. What of its features?

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One content with noise (above) and with blur (below), as given and as four networks (first seed) restore it. Which one removes what?", "name": "fig-degraded-training-outputs"}}
content = int(pairs.hr[:restored].std(dim=(1, 2, 3)).argmax())
first = {kind: study.network(names[kind, seeds[kind][0]]) for kind in networks}
ways = {"input": lambda images: upsample(images, 4)}
ways |= {kind: first[kind] for kind in (CLEAN, NOISY, "SRResNet, + noise", "no GR, + noise")}
views = {}
for part in ("noise", "blur"):
    one = lr[[len(degradations) * content + list(degradations).index(part)]]
    with torch.no_grad():
        views |= {
            (part, title.replace(", ", ",<br>")): image_to_array(restore(one)[0])
            for title, restore in ways.items()
        }
picture_grid(views)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The share of a degradation that each network (first seed) removes, per cent: 100 removes it, 0 passes it on, less amplifies it. Compare with CHI above: are the networks that remove a degradation those that keep it separate?", "name": "fig-degraded-training-removed"}}
clean, *damaged = (lr[at :: len(degradations)][:restored] for at in range(len(degradations)))
removed = {
    kind: dict(zip(("blur", "noise"), (removed_share(model, clean, own) for own in damaged)))
    for kind, model in first.items()
}
percent = np.array([[100 * own["noise"], 100 * own["blur"]] for own in removed.values()])
matrix_heatmap(percent, networks, ["noise", "blur"], colour_title="removed, %", axis_titles=AXES)

# %% [markdown]
# ## Verdict

# %% tags=["hide-cell"]
intervals = {kind: outer(judged[kind, seed].interval for seed in seeds[kind]) for kind in JUDGED}
both = [seed for seed in seeds[NOISY] if seed in seeds[CLEAN]]
fall = {seed: judged[CLEAN, seed].over(judged[NOISY, seed]) for seed in both}
falls = outer((low, high) for _, low, high in fall.values())
linear_fall = span(linear[CLEAN, seed] / linear[NOISY, seed] for seed in both)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: the outer ends of the seeds' 95 % bootstrap intervals over contents, of the mean over t-SNE runs; lowest to highest over seeds on principal components.", "name": "fig-degraded-training-verdict"}}
WORDS = {CLEAN: ("clean", "apart"), NOISY: ("noise", "together")}
for kind, (short, paper) in WORDS.items():
    own = over_seeds(judged[kind, seed] for seed in seeds[kind])
    told = {"paper": paper, "glue": f"tdeg_{short}", "headline": kind == NOISY}
    study.measure(f"CHI clean – noise, {kind}", **own, **told)
ratios = [ratio for ratio, *_ in fall.values()]
study.measure("CHI clean – noise: clean / + noise", ratios, interval=falls, glue="tdeg_fall")
for kind, (short, _) in WORDS.items():
    values = [linear[kind, seed] for seed in seeds[kind]]
    study.measure(f"CHI clean – noise, {kind}, 50 PCA dimensions", values, glue=f"tdeg_{short}_pca")
for kind in CONTROLS:
    for pair in (NOISE, BLUR):
        study.measure(f"CHI {pair}, {kind}", chi.at[kind, pair])
study.measure(f"CHI {BLUR}, {NOISY}", chi.at[NOISY, BLUR], glue="tdeg_blur")
for kind in (CLEAN, NOISY, "SRResNet, + noise"):
    study.measure(f"share of the noise removed, {kind}", removed[kind]["noise"])

low, high = intervals[NOISY]
plain, noisy, bare = (f"SRResNet, {kind}" for kind in ("clean", "+ noise", "+ blur"))
study.glue(tdeg_low=low, tdeg_high=high, tdeg_seeds=len(seeds[NOISY]))
study.glue(tdeg_mse_clean=chi.at[plain, NOISE], tdeg_mse_noise=chi.at[noisy, NOISE])
study.glue(tdeg_mse_blur_clean=chi.at[plain, BLUR], tdeg_mse_blur=chi.at[bare, BLUR])
study.glue(tdeg_wogr=chi.at["no GR, + noise", NOISE], tdeg_wogr_clean=chi.at["no GR, clean", NOISE])
for short, kind in {"clean": CLEAN, "noise": NOISY, "mse": noisy, "bare": "no GR, + noise"}.items():
    study.glue(**{f"tdeg_removed_{short}": 100 * removed[kind]["noise"]})
study.verdict(
    unanimous=stays_below(intervals[NOISY], 20),
    apart=reaches(intervals[CLEAN], 20),
    falls=exceeds(falls, 1),
    blur=chi.at[NOISY, BLUR] >= 20,
    linear=exceeds(linear_fall, 1),
    mse_noise=chi.at[noisy, NOISE] < 20,
    mse_blur=chi.at[bare, BLUR] < 20,
    mse_both=chi.at["SRResNet, + both", ALL] < 20,
    notes={"seeds with noise": len(seeds[NOISY])},
)

# %% [markdown]
# ## What we have seen
#
# - After the last block of SRGAN, clean and noisy patches have a CHI of {glue:text}`tdeg_clean:.1f` after
#   training on clean pictures and {glue:text}`tdeg_noise:.1f` after training with noise
#   ({glue:text}`tdeg_low:.1f` to {glue:text}`tdeg_high:.1f`; trainings with noise:
#   {glue:text}`tdeg_seeds`): the first is {glue:text}`tdeg_fall:.2f` times the second. On 50 principal
#   components it is {glue:text}`tdeg_clean_pca:.1f` and {glue:text}`tdeg_noise_pca:.1f`.
# - In the output, SRGAN trained on clean pictures removes {glue:text}`tdeg_removed_clean:.0f` % of the
#   noise, trained with noise {glue:text}`tdeg_removed_noise:.0f` % (below 0: amplifies it).
# - SRResNet with GR, which has no critic: clean – noise {glue:text}`tdeg_mse_clean:.1f` after training on
#   clean pictures and {glue:text}`tdeg_mse_noise:.1f` with noise; clean – blur
#   {glue:text}`tdeg_mse_blur_clean:.1f` and, after training with blur, {glue:text}`tdeg_mse_blur:.1f`.
# - Without GR: clean – noise {glue:text}`tdeg_wogr_clean:.3f` and {glue:text}`tdeg_wogr:.3f`, while
#   training with noise removes {glue:text}`tdeg_removed_bare:.0f` % of it.
# - If features stay separate while the share removed is high, the doubt above holds: with GR, unanimous
#   outputs need features that are not unanimous, because these carry what has to be cancelled.
#
# ## Exercises
#
# 1. Write the output of a network with GR as enlarged input plus correction. What must the correction be
#    for a noisy and for a clean version of one patch, if both outputs are to be equal?
# 2. Which of the controls separates the influence of the critic from that of the residual?
# 3. Test with twice the noise, `noise_sigma=40 / 255`. Which two numbers would you look at?
#
# ```{dropdown} Answers
# 1. With input $x$ and noise $n$: $U(x) + c = U(x + n) + c'$, so $c' = c - U(n)$ for a linear enlargement
#    $U$. The corrections, and the features that make them, differ by the enlarged noise.
# 2. SRResNet with noise: it has the residual and no critic. The networks without GR show the reverse side:
#    training with noise, but no residual.
# 3. The share of the noise removed, and CHI of clean – noise: the one tells what the outputs make of it,
#    the other the features.
# ```
#
# To go on: `image_set = "b100"` cuts the patches from a hundred pictures; {doc}`generalization_index` asks
# what this means for an index of generalization.
