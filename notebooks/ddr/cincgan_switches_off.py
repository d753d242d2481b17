# %% [markdown]
# (finding-cincgan-switches-off)=
# # A blind network restores what it was trained on, and switches off elsewhere
#
# ## The claim
#
# CinCGAN {cite:p}`yuan2018unsupervised` is a {term}`blind network`: it learns from pictures of a
# camera's faults, and from sharp pictures of something else, to undo those faults. Give it other
# faults and it does not do its work badly; it seems not to do it at all. A method without training,
# BM3D {cite:p}`dabov2007image`, acts the same on every input ({cite:t}`liu2021discovering`, Sec. 3,
# Fig. 2).
#
# | input | CinCGAN | BM3D, bicubic |
# |---|---|---|
# | degraded as in training | restored | the same on all of them |
# | degraded otherwise | left as it is | |
#
# Why it matters: a network that acts by kind of degradation must recognize the kind, though nobody
# asked it to. This is where the paper's search for *deep degradation representations* begins.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"num_patches": 4, "size": 32, "training_seeds": [0], "noise_levels": [10, 20], "blur_widths": [1, 4]}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_patches = 9  # contents; each is shown under every degradation
size = 48  # side of a patch, LR pixels
blind = "cincgan"  # the recipe trained without pairs on the mild degradation, or a checkpoint
training_seeds = [0, 1, 2]  # of the networks trained with pairs; those that are shipped
noise_levels = [5, 10, 20, 30, 40]  # of 255, for the curves
blur_widths = [0.5, 1, 2, 4]  # LR pixels, for the curves
train = False  # True trains all networks here (some 40 minutes on one core) instead of loading them
device = "auto"

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | blind network | CinCGAN, published weights | CinCGAN: inner cycle of 6, outer of 16 blocks, 32 channels |
# | trained on | the "mild" track of NTIRE 2018 | a mild degradation of our own, drawn anew for every picture |
# | seen on | DIV2K mild; noise 20; frames of old films | mild; noise 20; blur 4; JPEG 30 |
# | judged by | looking | what is left of each part of a degradation, and PSNR |
#
# The paper's inputs of the third kind have no clean counterpart, so nothing can be measured
# there; blur and JPEG stand in. Our **mild** degradation, made after NTIRE's
# {cite:p}`timofte2018ntire`, acts on the HR picture: a Gaussian blur of 2 to 4 pixels along each
# of two axes in any direction, a shift of up to 4 pixels in each direction, bicubic reduction,
# then noise of 8 to 12 / 255 on the LR picture. The levels of the others are in LR pixels and of
# 255, too. Every patch is degraded by itself.
#
# Since the clean picture is known, what is **left** of a part can be told exactly. The noise, say,
# is what the input with noise has more than the same input without. The output with noise has more
# than the output without, too; we project this change on the (bicubically enlarged) change of the
# input, in luma. 100 % means that the noise passed as in bicubic enlargement, 0 % that it is gone,
# more than 100 % that it was amplified. In the same way for the blur and for JPEG's errors. A shift
# is nobody's to undo: PSNR is measured on the shifted grid.
#
# BM3D is its authors' package {cite:p}`makinen2020collaborative`, free for non-commercial use. It
# has to be told the noise level and gets an estimate from the picture alone (the median of its
# finest wavelet coefficients); its result is enlarged bicubically. Beside CinCGAN stand networks
# that learnt from **pairs**, in several trainings: SRResNets trained on clean pictures and noise
# 20, or on clean pictures and blur 4. If switching off belongs to blind networks, they should do
# it too.
#
# :::{admonition} Criterion, set before the experiment
# :class: important
# A part is *restored* if at most **50 %** of it is left, and *left as it is* if at least **80 %**
# is (more than 100 % is amplified, which is no restoring either). (1) On mild inputs CinCGAN
# leaves at most 50 % of the noise and less than 80 % of the blur, and its PSNR is above that of
# bicubic enlargement (95 % bootstrap over contents). (2) It leaves noise 20, blur 4 and JPEG 30
# as they are. (3) What BM3D leaves of the noise differs by at most 10 percentage points between
# mild and noise 20. (4) In **every training seed**, the network trained on noise 20 restores it
# and leaves blur 4 as it is, and the one trained on blur 4 restores that and leaves noise 20 as
# it is.
# :::

# %% tags=["hide-cell"]
import numpy as np
import torch
from bm3d import BM3DProfile, bm3d_rgb
from myst_nb import glue
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
from srlab.studies.networks import network, obtainable
from srlab.studies.parameters import check_parameters
from srlab.studies.study import Finding, mean_interval, record, span
from srlab.training.recipes import MILD, seed_names

check_parameters()
device = pick_device(device)
finding = Finding(
    name="ddr/cincgan_switches_off",
    claim="A blind network restores the degradation it was trained on and leaves others as they are",
    source="DDR, Sec. 3, Fig. 2",
    criterion=(
        "CinCGAN leaves at most 50 % of mild's noise, less than 80 % of its blur and gains PSNR on "
        "bicubic; at least 80 % of noise 20, blur 4 and JPEG 30; BM3D's share differs by at most 10 "
        "points between mild and noise 20; networks trained with pairs do alike in every seed."
    ),
)

# %% [markdown]
# ## Experiment
#
# The same contents under four conditions; the first is what CinCGAN was trained on.

# %%
CONDITIONS = ["mild", "noise 20", "blur 4", "JPEG 30"]
hr = degraded_patches(load_images(image_set), [Degradation()], count=num_patches, size=size).hr
conditions = {
    "mild": [MILD.draw(np.random.default_rng((0, index))) for index in range(num_patches)],
    "JPEG 30": Degradation(scale=4, jpeg_quality=30),
}
for level in {*noise_levels, 20}:
    conditions[f"noise {level}"] = Degradation(scale=4, noise_sigma=level / 255)
for width in {*blur_widths, 4}:
    conditions[f"blur {width}"] = Degradation(scale=4, blur_sigma=4 * width)

# %% [markdown]
# The methods. BM3D runs in its classical mode on one thread, so that a rerun gives the same picture.

# %%
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
checkpoints = [blind, "srresnet-gr", *(name for own in names.values() for name in own)]
models = {name: network(name, train=train, device=device) for name in checkpoints}
labels = {"bicubic": "bicubic", "BM3D": "BM3D", "CinCGAN": blind, "trained on clean": "srresnet-gr"}
labels |= {label: own[0] for label, own in names.items()}

methods = {"bicubic": lambda lr: upsample(lr, 4), "BM3D": bm3d, **models}
results = Restorations(methods, hr.to(device), conditions)

# %% [markdown]
# ## Look first
#
# One content, row by row another fault. Where does CinCGAN differ from plain enlargement?


# %%
content = min(num_patches - 1, 4)
shown = ["bicubic", "BM3D", "CinCGAN"]


@torch.no_grad()
def picture(label, condition):
    one = results.lr(condition)[[content]]
    return image_to_array(methods[labels[label]](one)[0])


panels = {(kind, label): picture(label, kind) for kind in CONDITIONS for label in shown}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One content under four conditions, as three methods give it back, with PSNR-Y. The first row is CinCGAN's own degradation. Zoom in; the pictures move together.", "name": "fig-switch-pictures"}}
notes = {
    (kind, label): f"{results.quality(labels[label], kind)[content]:.2f} dB"
    for kind, label in panels
}
picture_grid(panels, notes=notes)

# %% name="hero" tags=["remove-cell"]
picture_row({f"{kind}, CinCGAN": panels[kind, "CinCGAN"] for kind in CONDITIONS[:2]})

# %% [markdown]
# ## What is left of noise, blur and compression
#
# Bicubic enlargement is linear, so it leaves 100 % of everything by definition. Every other row asks:
# which of these does the method act on?

# %%
JUDGED = {
    f"{kind}: {part}" if len(results.parts(kind)) > 1 else kind: (kind, part)
    for kind in CONDITIONS
    for part in results.parts(kind)
}
left = {
    label: {title: results.left(method, *place) for title, place in JUDGED.items()}
    for label, method in labels.items()
}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "What is left of each part of a degradation in the output, per cent: 100 is as given, 0 is gone, more is amplified. Mild is CinCGAN's training degradation, noise 20 and blur 4 are those of the networks in the last two rows. A method that switches has small numbers in its own columns and 100 elsewhere.", "name": "fig-switch-left"}}
values = np.array([[100 * own[title].share for title in JUDGED] for own in left.values()])
matrix_heatmap(values, list(left), list(JUDGED), colour_title="left, %", limits=(0, 100))

# %% tags=["hide-input"] mystnb={"figure": {"caption": "PSNR-Y gained over bicubic enlargement, dB, mean over contents. What acts on a degradation without restoring it shows here as a loss.", "name": "fig-switch-psnr"}}
gain = {
    label: {
        kind: results.quality(method, kind) - results.quality("bicubic", kind)
        for kind in CONDITIONS
    }
    for label, method in labels.items()
}
values = np.array([[own[kind].mean() for kind in CONDITIONS] for own in gain.values()])
matrix_heatmap(values.round(2) + 0.0, list(gain), CONDITIONS, colour_title="gain, dB")

# %% [markdown]
# ## Where does it switch?
#
# Now one part alone, at growing strength. CinCGAN was trained with noise of 8 to 12 and blur of ½ to
# 1 LR pixel. Does it let through what is outside?


# %%
def curves(part, levels, own):
    """{label: what is left, in per cent, at each level}, and the PSNR gained."""
    kinds = [f"{part} {level}" for level in levels]
    rows = {label: labels[label] for label in ("BM3D", "CinCGAN", "trained on clean", own)}
    shares = {
        label: np.array([100 * results.left(method, kind, part).share for kind in kinds])
        for label, method in rows.items()
    }
    bicubic = [results.quality("bicubic", kind).mean() for kind in kinds]
    gained = {
        label: np.array([results.quality(method, kind).mean() for kind in kinds]) - bicubic
        for label, method in rows.items()
    }
    return {f"{part} left, %": shares, "PSNR gain, dB": gained}


along_noise = curves("noise", noise_levels, "trained on noise 20")
along_blur = curves("blur", blur_widths, "trained on blur 4")

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Noise alone, from weak to strong: what is left of it, and the PSNR gained over bicubic enlargement. BM3D estimates the level from each picture. A network that recognizes a level would dip there and come back to 100 %.", "name": "fig-switch-noise"}}
stacked_curves(noise_levels, along_noise, x_title="noise of the input, /255")

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Blur alone, from weak to strong: what is left of it, and the PSNR gained over bicubic enlargement.", "name": "fig-switch-blur"}}
stacked_curves(blur_widths, along_blur, x_title="blur of the input, LR pixels")

# %% [markdown]
# ## Verdict
#
# Intervals are over contents (bootstrap), or over training seeds where there are several.

# %%
cincgan, unseen = left["CinCGAN"], list(JUDGED)[2:]
gain_low, gain_high = mean_interval(gain["CinCGAN"]["mild"])
bm3d_gap = abs(left["BM3D"]["mild: noise"].share - left["BM3D"]["noise 20"].share)
paired = {
    (own, kind): [results.left(name, *JUDGED[kind]).share for name in names[f"trained on {own}"]]
    for own in PAIRED
    for kind in PAIRED
}
restored = max(max(paired[own, own]) for own in PAIRED) <= 0.5
untouched = min(min(paired[own, kind]) for own, kind in paired if own != kind) >= 0.8

# %% tags=["remove-cell"]
for key, title in [
    ("own_noise", "mild: noise"),
    ("own_blur", "mild: blur"),
    ("noise", "noise 20"),
    ("blur", "blur 4"),
    ("jpeg", "JPEG 30"),
]:
    glue(f"switch_{key}", 100 * cincgan[title].share, display=False)
    glue(f"switch_{key}_bm3d", 100 * left["BM3D"][title].share, display=False)
glue("switch_gain", float(gain["CinCGAN"]["mild"].mean()), display=False)
glue("switch_gain_low", gain_low, display=False)
glue("switch_gain_high", gain_high, display=False)
glue("switch_gain_noise", float(gain["CinCGAN"]["noise 20"].mean()), display=False)
glue("switch_gain_bm3d", float(gain["BM3D"]["mild"].mean()), display=False)
glue("switch_gain_bm3d_noise", float(gain["BM3D"]["noise 20"].mean()), display=False)
for own, short in (("noise 20", "n"), ("blur 4", "b")):
    for kind, other in (("noise 20", "n"), ("blur 4", "b")):
        glue(
            f"switch_paired_{short}{other}", 100 * float(np.mean(paired[own, kind])), display=False
        )
glue(
    "switch_seeds", ", ".join(f"{len(own)} {label}" for label, own in names.items()), display=False
)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: 95 % over contents for CinCGAN and BM3D, lowest to highest over training seeds for the networks trained with pairs.", "name": "fig-switch-verdict"}}
percent = {
    f"{title} left by CinCGAN, %": cincgan[title]
    for title in ("mild: noise", *unseen, "mild: blur")
} | {f"{title} left by BM3D, %": left["BM3D"][title] for title in ("mild: noise", "noise 20")}
seeds = {
    f"{kind} left, trained on {own}, %": 100 * np.array(shares)
    for (own, kind), shares in paired.items()
}
gained = {"PSNR gain of CinCGAN on mild, dB": gain["CinCGAN"]["mild"].mean()}
record(
    finding,
    checks={
        "CinCGAN restores mild: at most 50 % of its noise left, below 80 % of its blur, PSNR gained": (
            cincgan["mild: noise"].share <= 0.5
            and cincgan["mild: blur"].share < 0.8
            and gain_low > 0
        ),
        "CinCGAN leaves at least 80 % of noise 20, blur 4 and JPEG 30": (
            min(cincgan[title].share for title in unseen) >= 0.8
        ),
        "what BM3D leaves of the noise differs by at most 10 points": bm3d_gap <= 0.1,
        "trained with pairs: own degradation at most 50 % left, the other at least 80 %": (
            restored and untouched
        ),
    },
    measured={title: 100 * own.share for title, own in percent.items()}
    | gained
    | {title: values.mean() for title, values in seeds.items()},
    interval={title: tuple(100 * edge for edge in own.interval()) for title, own in percent.items()}
    | dict.fromkeys(gained, (gain_low, gain_high))
    | {title: span(values) for title, values in seeds.items()},
    paper={
        "mild: noise left by CinCGAN, %": "restored",
        "noise 20 left by CinCGAN, %": "left as it is",
    },
    image_set=image_set,
    parameters={"num_patches": num_patches, "size": size, "training_seeds": training_seeds},
    checkpoints=checkpoints,
)

# %% [markdown]
# ## What we have seen
#
# - On its own, mild degradation CinCGAN leaves {glue:text}`switch_own_noise:.0f` % of the noise and
#   {glue:text}`switch_own_blur:.0f` % of the blur. Its PSNR is {glue:text}`switch_gain:+.2f` dB from
#   that of bicubic enlargement ({glue:text}`switch_gain_low:+.2f` to
#   {glue:text}`switch_gain_high:+.2f`).
# - Of what it never met it leaves {glue:text}`switch_noise:.0f` % (noise 20),
#   {glue:text}`switch_blur:.0f` % (blur 4) and {glue:text}`switch_jpeg:.0f` % (JPEG 30); on noise 20
#   the change of PSNR is {glue:text}`switch_gain_noise:+.2f` dB.
# - BM3D leaves {glue:text}`switch_own_noise_bm3d:.0f` % of mild's noise and
#   {glue:text}`switch_noise_bm3d:.0f` % of noise 20 ({glue:text}`switch_gain_bm3d:+.2f` and
#   {glue:text}`switch_gain_bm3d_noise:+.2f` dB), and of the blur in mild
#   {glue:text}`switch_own_blur_bm3d:.0f` %: it smooths noise, whatever it came with.
# - Trained with pairs on noise 20, SRResNets leave {glue:text}`switch_paired_nn:.0f` % of it and
#   {glue:text}`switch_paired_nb:.0f` % of blur 4; trained on blur 4, {glue:text}`switch_paired_bb:.0f` %
#   of it and {glue:text}`switch_paired_bn:.0f` % of noise 20 (mean over the trainings:
#   {glue:text}`switch_seeds`).
# - A *kind* is not a *level*. The curves tell how far a network's own range reaches: noise that is
#   somewhat stronger than in training need not be foreign to it.
#
# ## Try it yourself
#
# - Set `blind = "srresnet-blind"`: a network trained with pairs on all blur widths to 4 and all noise
#   levels to 25. Which columns are still 100 %?
# - Add a fault of your own to `conditions`, for instance `Degradation(scale=4, blur_sigma=3,
#   jpeg_quality=50)`, and its name to `CONDITIONS`. Do parts that are removed alone stay when they
#   come together?
# - {doc}`degradations_cluster` looks at the features: does CinCGAN tell these inputs apart inside?
