# %% [markdown]
# (finding-cincgan-switches-off)=
# # Does a blind network switch off on degradations it never met?
#
# *9 minutes. You learn to measure what a network leaves of each part of a degradation, and why "it did
# nothing" needs a control.*
#
# ## The claim
#
# CinCGAN {cite:p}`yuan2018unsupervised` is a {term}`blind network`: from pictures with a camera's faults,
# and from sharp pictures of something else, it learns to undo those faults. On inputs degraded as in
# training it restores better than BM3D {cite:p}`dabov2007image`, a method without training; on others it
# seems not to act at all, while BM3D acts the same on every input ({cite:t}`liu2021discovering`, Sec. 3,
# Fig. 2).
#
# Why it matters: a network that acts by kind of degradation must recognize the kind, though nobody asked it
# to. Here the paper's search for *deep degradation representations* begins.

# %% tags=["parameters", "hide-cell"] quick={"num_patches": 3, "size": 24, "training_seeds": [0], "noise_levels": [20], "blur_widths": [4]}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_patches = 9  # contents; each is shown under every degradation
size = 48  # side of a patch, LR pixels
blind = "cincgan"  # the recipe trained without pairs on the mild degradation, or a checkpoint
training_seeds = [0, 1, 2]  # of the networks trained with pairs; those that are shipped
noise_levels = [5, 10, 20, 30, 40]  # of 255, for the curves
blur_widths = [0.5, 1, 2, 4]  # LR pixels, for the curves
train = False  # True trains all networks here (some 40 minutes on one core) instead of loading them
device = "auto"

# %% tags=["hide-cell"]
import numpy as np
import torch
from bm3d import BM3DProfile, bm3d_rgb
from IPython.display import display
from skimage.restoration import estimate_sigma

from srlab.data.datasets import degraded_patches, load_images
from srlab.degradations import Degradation
from srlab.degradations.filters import upsample
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.pictures import picture_grid, picture_row
from srlab.figures.tables import matrix_heatmap
from srlab.images import image_to_array
from srlab.studies.ddr.restoration import Restorations
from srlab.studies.networks import obtainable, shipped_steps
from srlab.studies.study import Study, exceeds, mean_interval, stays_below, together
from srlab.training.recipes import MILD, RECIPES, seed_names

study = Study(
    "ddr/cincgan_switches_off",
    claim="A blind network restores the degradation it was trained on and leaves others as they are",
    source="DDR, Sec. 3, Fig. 2",
    claims={
        "own": "on mild, as in its training, CinCGAN's PSNR exceeds that of BM3D and that of bicubic "
        "enlargement, which restores nothing",
        "ignores": "of the noise of noise 20 and of film, which it never met, CinCGAN leaves more than "
        "of mild's, by more than a point of per cent",
        "bm3d": "BM3D takes noise out of mild, noise 20 and film: of each less than all is left",
    },
    controls={
        "untouched": "CinCGAN leaves at least 80 % of noise 20, of blur 4 and of film's parts",
        "stable": "what BM3D leaves of the noise of mild and of noise 20 differs by at most 10 points",
        "paired": "trained with pairs: own degradation at most 50 % left, the other at least 80 %",
    },
    says={
        "own": "Fig. 2: “If the input image conforms to the training data distribution, CinCGAN will "
        "generate better restoration results than BM3D”",
        "ignores": "Fig. 2: “Otherwise, it tends to ignore the unseen degradation types”",
        "bm3d": "Sec. 3: “BM3D has an obvious and stable denoising performance for all different "
        "degradation types”",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

# %% tags=["hide-cell"]
CONDITIONS = ["mild", "noise 20", "film", "blur 4"]
hr = degraded_patches(load_images(image_set), [Degradation()], count=num_patches, size=size).hr
conditions = {
    "mild": [MILD.draw(np.random.default_rng((0, index))) for index in range(num_patches)],
    "film": Degradation(scale=4, blur_sigma=4 * 0.6, noise_sigma=8 / 255, jpeg_quality=35),
}
for level in {*noise_levels, 20}:
    conditions[f"noise {level}"] = Degradation(scale=4, noise_sigma=level / 255)
for width in {*blur_widths, 4}:
    conditions[f"blur {width}"] = Degradation(scale=4, blur_sigma=4 * width)

profile = BM3DProfile()
profile.nf, profile.num_threads = 0, 1


def bm3d(lr):
    pictures = [picture.permute(1, 2, 0).double().cpu().numpy() for picture in lr]
    levels = [max(np.mean(estimate_sigma(p, channel_axis=-1)), 1e-3) for p in pictures]
    denoised = [bm3d_rgb(p, level, profile) for p, level in zip(pictures, levels)]
    return upsample(torch.from_numpy(np.stack(denoised)).permute(0, 3, 1, 2).to(lr), 4)


PAIRED = {"noise 20": "srresnet-noise", "blur 4": "srresnet-blur"}
names = {
    f"trained on {own}": obtainable(seed_names(base, training_seeds), train=train)
    for own, base in PAIRED.items()
}
chosen = [blind, "srcnn-915-3-gr", "srresnet-gr", *(name for own in names.values() for name in own)]
labels = {"bicubic": "bicubic", "BM3D": "BM3D", "CinCGAN": blind}
labels |= {"SRCNN": "srcnn-915-3-gr", "trained on clean": "srresnet-gr"}
labels |= {label: own[0] for label, own in names.items()}

methods = {"bicubic": lambda lr: upsample(lr, 4), "BM3D": bm3d}
rungs = shipped_steps(blind) if blind in RECIPES and not train else {}  # {step: name}
methods |= {name: study.network(name) for name in [*chosen, *rungs.values()]}
results = Restorations(methods, hr.to(study.device), conditions)

content, panels, notes = int(hr.std(dim=(1, 2, 3)).argmax()), {}, {}  # the richest
for kind in CONDITIONS:
    for label in ("bicubic", "BM3D", "CinCGAN", "SRCNN"):
        with torch.no_grad():
            sr = methods[labels[label]](results.lr(kind)[[content]])
        panels[kind, label] = image_to_array(sr[0])
        notes[kind, label] = f"{results.quality(labels[label], kind)[content]:.1f} dB"

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One content under four conditions, as four methods return it, with PSNR-Y. The first row is CinCGAN's own degradation. Where does CinCGAN differ from bicubic enlargement? Zoom in; the pictures move together.", "name": "fig-switch-pictures"}}
picture_grid(panels, notes=notes)

# %% name="hero" tags=["remove-cell"] caption="One content as CinCGAN restores it: under the mild degradation that it was trained on (left), and under noise that it never met (right). Does it remove the one and leave the other?"
picture_row({f"{kind}, CinCGAN": panels[kind, "CinCGAN"] for kind in CONDITIONS[:2]})

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | blind network | CinCGAN | CinCGAN: inner cycle of 6, outer of 16 blocks, 32 channels |
# | trained on | the "mild" track of NTIRE 2018 | a mild degradation of our own, drawn anew for every picture |
# | its training | unpaired, on DIV2K-mild; length not stated | 10 000 steps of 8 pictures, its outer network started from SRResNet's weights |
# | seen on | DIV2K mild; noise 20; frames of old films | mild; noise 20; *film*, a stand-in: blur 0.6, noise 8/255, JPEG 35 |
# | judged by | looking | PSNR, and what is left of each part of a degradation |
#
# Our **mild** degradation, made after NTIRE's {cite:p}`timofte2018ntire`, acts on the HR picture: a
# Gaussian blur of 2 to 4 pixels along each of two axes in any direction, a shift of up to 4 pixels in each
# direction, bicubic reduction, then noise of 8 to 12 / 255 on the LR picture. The levels of the others are
# in LR pixels and of 255. PSNR is measured against the original shifted likewise.
#
# What is **left** of a part, say the noise, is measured exactly: the input's change is the input with
# noise minus the input without; the output's change likewise. Projected on the (bicubically enlarged)
# change of the input, in luma, 100 % means that the noise passed as in bicubic enlargement, 0 % that it is
# gone, more than 100 % that it was amplified.
#
# BM3D is its authors' package {cite:p}`makinen2020collaborative`, free for non-commercial use; its noise
# level is estimated from each picture, its result enlarged bicubically. An SRCNN stands beside it, as in
# the paper's figure, and, as a control, SRResNets that learnt from **pairs**: clean and noise 20, or clean
# and blur 4. A network that did nothing would leave everything as it is without having switched anything;
# so the criterion first asks that CinCGAN restores its own degradation, and then that it leaves *more* of
# what it never met.

# %% tags=["remove-input"]
study

# %% [markdown]
# ## What is left of noise, blur and compression

# %% tags=["hide-input"] mystnb={"figure": {"caption": "What is left of each part of a degradation in the output, per cent: 100 is as given, 0 is gone, more is amplified. Bicubic enlargement is linear, so it leaves 100 by definition. Mild is CinCGAN's training degradation; noise 20 and blur 4 are those of the last two rows. A method that switches has small numbers in its own columns and 100 elsewhere. Is there one?", "name": "fig-switch-left"}}
JUDGED = {
    f"{kind}: {part}" if len(results.parts(kind)) > 1 else kind: (kind, part)
    for kind in CONDITIONS
    for part in results.parts(kind)
}
left = {
    label: {title: results.left(method, *place) for title, place in JUDGED.items()}
    for label, method in labels.items()
}

values = np.array([[100 * own[title].value for title in JUDGED] for own in left.values()])
matrix_heatmap(values, list(left), list(JUDGED), colour_title="left, %", limits=(0, 100))


# %% tags=["hide-input"] mystnb={"figure": {"caption": "PSNR-Y gained over bicubic enlargement, dB, mean over contents. A method that acts on a degradation without restoring it has a loss here. Which gain only on what they were trained on?", "name": "fig-switch-psnr"}}
def gain(label, kind):
    """PSNR gained over bicubic enlargement, dB (N,)."""
    return results.quality(labels[label], kind) - results.quality("bicubic", kind)


values = np.array([[gain(label, kind).mean() for kind in CONDITIONS] for label in labels])
matrix_heatmap(values.round(2) + 0.0, list(labels), CONDITIONS, colour_title="gain, dB")

# %% [markdown]
# Now one part alone, at growing strength. CinCGAN was trained with noise of 8 to 12 and blur of ½ to 1 LR
# pixel. A network that recognizes a level would dip there and return to 100 %.


# %% tags=["hide-cell"]
def along(part, levels, own):
    """What is left, in per cent, and the PSNR gained at each level: {panel: {label: values}}."""
    kinds = [f"{part} {level}" for level in levels]
    shown = ("BM3D", "CinCGAN", "trained on clean", own)
    shares = [[100 * results.left(labels[m], kind, part).value for kind in kinds] for m in shown]
    gains = [[gain(label, kind).mean() for kind in kinds] for label in shown]
    panels = {f"{part} left, %": shares, "PSNR gain, dB": gains}
    return {title: dict(zip(shown, np.array(rows))) for title, rows in panels.items()}


# %% tags=["hide-input"] mystnb={"figure": {"caption": "Noise alone, from weak to strong: what is left of it, and the PSNR gained over bicubic enlargement. BM3D estimates the level from each picture. Does CinCGAN's curve dip where it was trained?", "name": "fig-switch-noise"}}
noise = along("noise", noise_levels, "trained on noise 20")
stacked_curves(noise_levels, noise, x_title="noise of the input, /255")

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Blur alone, from weak to strong: what is left of it, and the PSNR gained over bicubic enlargement. Which curve dips, and where?", "name": "fig-switch-blur"}}
blur = along("blur", blur_widths, "trained on blur 4")
stacked_curves(blur_widths, blur, x_title="blur of the input, LR pixels")

# %% [markdown]
# ## Along training
#
# A blind network must first learn to restore what it was trained on. Does CinCGAN still get better at that, and does it leave
# what it never met alone all the while?

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Along CinCGAN's training: PSNR on mild, its own degradation, above bicubic enlargement (BM3D beside it), and how much noise it leaves of mild and of noise 20, which it never met. Does the first curve reach BM3D's, and does less of mild's noise stay than of noise 20?", "name": "fig-switch-ladder"}}
if rungs:
    bicubic = results.quality("bicubic", "mild")
    rows = {"CinCGAN": rungs.values(), "BM3D": ["BM3D"] * len(rungs)}
    gains = {
        label: np.array([(results.quality(name, "mild") - bicubic).mean() for name in own])
        for label, own in rows.items()
    }
    shares = {
        f"noise of {kind} left, %": {
            label: np.array([100 * results.left(name, kind, "noise").value for name in own])
            for label, own in rows.items()
        }
        for kind in ("mild", "noise 20")
    }
    panels = {"PSNR gain on mild, dB": gains} | shares
    display(stacked_curves(list(rungs), panels, x_title="training step"))

# %% [markdown]
# ## Verdict

# %% tags=["hide-cell"]
cincgan, denoised = left["CinCGAN"], left["BM3D"]
NOISES = {"mild": "mild: noise", "noise 20": "noise 20", "film": "film: noise"}
FOREIGN = [title for title in JUDGED if not title.startswith("mild")]
against = {
    other: gain("CinCGAN", "mild") - gain(other, "mild") for other in ("BM3D", "bicubic")
}  # on its own degradation
more = [cincgan[NOISES[kind]].minus(cincgan[NOISES["mild"]]) for kind in ("noise 20", "film")]
paired = {
    (own, kind): [results.left(name, *JUDGED[kind]).value for name in names[f"trained on {own}"]]
    for own in PAIRED
    for kind in PAIRED
}
restored = max(max(paired[own, own]) for own in PAIRED) <= 0.5
untouched = min(min(paired[own, kind]) for own, kind in paired if own != kind) >= 0.8

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: 95 % over contents for CinCGAN and BM3D, lowest to highest over training seeds for the networks trained with pairs.", "name": "fig-switch-verdict"}}
for other, values in against.items():
    own = {"interval": mean_interval(values), "paper": "above 0", "glue": f"switch_over_{other}"}
    study.measure(f"PSNR of CinCGAN over {other} on mild, dB", values, **own)


def measure_left(method, title, paper=""):
    part = left[method][title]
    ends = tuple(100 * end for end in part.interval)
    study.measure(f"{title} left by {method}, %", 100 * part.value, interval=ends, paper=paper)


PAPER = {"mild: noise": "restored", "noise 20": "left as it is", "film: noise": "left as it is"}
for title in ("mild: noise", *FOREIGN, "mild: blur"):
    measure_left("CinCGAN", title, PAPER.get(title, ""))
for title in NOISES.values():
    measure_left("BM3D", title, "less on all")
for (own, kind), shares in paired.items():
    short = f"switch_paired_{own[0]}{kind[0]}"
    study.measure(f"{kind} left, trained on {own}, %", 100 * np.array(shares), glue=short)

SHORT = {"mild: noise": "own_noise", "mild: blur": "own_blur", "noise 20": "noise"}
SHORT |= {"film: noise": "film", "blur 4": "blur"}
for method, ending in {"CinCGAN": "", "BM3D": "_bm3d", "SRCNN": "_srcnn"}.items():
    shares = {word: 100 * left[method][title].value for title, word in SHORT.items()}
    study.glue(**{f"switch_{word}{ending}": share for word, share in shares.items()})
study.glue(switch_seeds=", ".join(f"{len(own)} {label}" for label, own in names.items()))
gap = abs(denoised["mild: noise"].value - denoised["noise 20"].value)
study.verdict(
    own=together(*(exceeds(mean_interval(values)) for values in against.values())),
    ignores=together(*(exceeds(difference, 0.01) for difference in more)),
    bm3d=together(*(stays_below(denoised[title].interval, 1) for title in NOISES.values())),
    untouched=min(cincgan[title].value for title in FOREIGN) >= 0.8,
    stable=gap <= 0.1,
    paired=restored and untouched,
)

# %% [markdown]
# ## What we have seen
#
# | left, % | noise of mild | blur of mild | noise 20 | noise of film | blur 4 |
# |---|---|---|---|---|---|
# | CinCGAN | {glue:text}`switch_own_noise:.0f` | {glue:text}`switch_own_blur:.0f` | {glue:text}`switch_noise:.0f` | {glue:text}`switch_film:.0f` | {glue:text}`switch_blur:.0f` |
# | BM3D | {glue:text}`switch_own_noise_bm3d:.0f` | {glue:text}`switch_own_blur_bm3d:.0f` | {glue:text}`switch_noise_bm3d:.0f` | {glue:text}`switch_film_bm3d:.0f` | {glue:text}`switch_blur_bm3d:.0f` |
# | SRCNN | {glue:text}`switch_own_noise_srcnn:.0f` | {glue:text}`switch_own_blur_srcnn:.0f` | {glue:text}`switch_noise_srcnn:.0f` | {glue:text}`switch_film_srcnn:.0f` | {glue:text}`switch_blur_srcnn:.0f` |
#
# - On mild, CinCGAN's PSNR differs by {glue:text}`switch_over_bicubic:+.2f` dB from that of bicubic
#   enlargement and {glue:text}`switch_over_BM3D:+.2f` dB from BM3D's. Yet it acts: {glue:text}`switch_own_noise:.0f` %
#   of mild's noise is left, and more of what it never met. The pictures show how both can be: where a picture is flat,
#   noise goes; where it is not, sharp edges appear that the original does not have. The critics never see a pair: they
#   ask for pictures that look clean, and PSNR pays for each edge in the wrong place.
# - Along its training the one grows at the expense of the other: a little PSNR is won first, while most of the noise
#   stays; then noise goes, and PSNR with it. Whether a longer training would bring both together, this page cannot say.
# - Trained with pairs on noise 20, SRResNets leave {glue:text}`switch_paired_nn:.0f` % of it and
#   {glue:text}`switch_paired_nb:.0f` % of blur 4; trained on blur 4, {glue:text}`switch_paired_bb:.0f` % of
#   it and {glue:text}`switch_paired_bn:.0f` % of noise 20 (mean over the trainings:
#   {glue:text}`switch_seeds`).
# - An unseen level is not an unseen kind: noise somewhat stronger than in training need not be foreign to
#   a network. The curves tell how far its range reaches.
#
# ## Exercises
#
# 1. Why does bicubic enlargement leave exactly 100 % of every part?
# 2. A network returns its input enlarged, whatever it is given. Which clauses of the criterion does it
#    pass?
# 3. Why may BM3D leave more of the noise in film than in noise 20?
#
# ```{dropdown} Answers
# 1. It is linear: the change of its output is the enlarged change of its input, and the projection of that
#    on itself is 1.
# 2. It ignores foreign degradations, but it does not restore its own: that is why the criterion asks for
#    both.
# 3. BM3D removes as much as its estimate of the level tells it; compression smooths a film's grain, so the
#    estimate comes out too low.
# ```
#
# To go on: `blind = "srresnet-blind"` is a network trained with pairs on all blur widths to 4 and noise
# levels to 25; {doc}`degradations_cluster` asks whether CinCGAN tells these inputs apart inside.
