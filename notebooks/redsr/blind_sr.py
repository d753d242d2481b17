# %% [markdown]
# (finding-blind-sr)=
# # Does ReDSR restore unknown blurs better than its rivals?
#
# *8 minutes. You learn how blind networks are compared fairly, and what a code adds to one. Read
# {doc}`redegradation` first.*
#
# ## The claim
#
# What is a good {term}`code` good for? For restoring pictures whose degradation is unknown. {cite:t}`liu2024preserving`
# (Sec. 4.2.1, Tab. 1) blur test pictures by eight Gaussian kernels ("Gaussian8": σ 1.8 to 3.2, after IKC) and compare
# ReDSR with other {term}`blind networks <blind network>`.
#
# | PSNR, dB, ×4 | parameters | Set5 | Set14 | B100 | Urban100 |
# |---|---|---|---|---|---|
# | DASR | 5.84 M | 31.46 | 28.11 | 27.44 | 25.36 |
# | KDSR | 5.80 M | 32.02 | 28.46 | 27.52 | 25.96 |
# | DCLS | 13.63 M | 32.12 | 28.54 | 27.60 | 26.15 |
# | ReDSR | 6.28 M | 32.18 | 28.50 | 27.55 | 26.27 |
# | ReDSR-L | 10.43 M | 32.30 | 28.75 | 27.79 | 26.47 |
#
# It also enlarges real pictures, whose degradation nobody knows, and finds sharper edges than by others (Sec. 4.4, Fig. 10).
#
# **Why it matters:** DASR and ReDSR are built alike. They differ in what their codes were taught: to tell degradations apart, or
# to repeat them. Which lesson helps more to restore?

# %% tags=["parameters", "hide-cell"] quick={"num_windows": 1, "num_codes": 9, "training_seeds": [0], "steps": [1000]}
image_set = "photographs"  # "set5", "set14", "b100", "urban100-30" are (of) the paper's
num_windows = 6  # contents of 192×192 HR pixels
whole = False  # True restores whole pictures, as in the paper, in place of windows
limit = None  # of the pictures of the set, only so many
training_seeds = [0, 1, 2]  # networks trained from different initializations and data orders
steps = [250, 500, 1000, 2500]  # snapshots of ReDSR for the ladder
real_set = "photographs"  # enlarged as they are; "city100" takes what real cameras took from afar
num_codes = 30  # windows whose codes are asked for the blur (the gate)
train = False  # True trains all networks here (half an hour each) instead of loading them
device = "auto"

# %% tags=["hide-cell"]
import numpy as np
import pandas as pd
import torch
from IPython.display import display

from srlab.attribution.targets import gradient_map
from srlab.data.datasets import load_images
from srlab.degradations.windows import Windows, windows
from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.dots import interval_dots
from srlab.figures.pictures import picture_grid, picture_row, sprite_sheet
from srlab.images import center_crop, crop_to_multiple, image_to_array
from srlab.metrics import psnr, ssim
from srlab.networks.cost import multiply_adds, parameter_count, seconds
from srlab.studies.frames import curves
from srlab.studies.networks import shipped_steps
from srlab.studies.redsr.blurs import gaussian8
from srlab.studies.redsr.codes import codes_of, gathering, linear_probe
from srlab.studies.redsr.intervals import by_picture, gain, trainings_interval
from srlab.studies.redsr.restoration import bicubic, psnr_by_degradation, restored_windows
from srlab.studies.study import Outcome, Study, exceeds, together

study = Study(
    "redsr/blind_sr",
    claim="Of blind networks, the one whose code can repeat the degradation restores best",
    source="ReDSR, Sec. 4.2.1, 4.4, Tab. 1, Fig. 10",
    claims={
        "dasr_psnr": "ReDSR is above DASR in PSNR, over the eight kernels",
        "dasr_ssim": "ReDSR is above DASR in SSIM, over the eight kernels",
        "others": "ReDSR is above MANet, DAN, DCLS, CDSR, CMDSR, MRDA and KDSR in PSNR",
        "real": "real pictures, enlarged as they are, have sharper edges by ReDSR than by DASR: a greater mean magnitude of the gradient",
    },
    controls={
        "gate": "DASR's codes gather by width above chance, without which it is no rival",
        "own_gate": "ReDSR's codes gather by width above chance",
        "one_psnr": "ReDSR is above one branch in PSNR",
        "one_ssim": "ReDSR is above one branch in SSIM",
        "clean": "ReDSR is above the clean-trained network in PSNR, under each kernel",
        "bicubic": "ReDSR is above bicubic enlargement in PSNR, under each kernel",
        "real_clean": "real pictures have sharper edges by ReDSR than by the clean-trained network",
    },
    says={
        "dasr_psnr": "Sec. 4.2.1: “As compared to DASR, our ReDSR produces significant accuracy improvements”; Tab. 1: by 0.11 dB (B100) to 0.91 dB (Urban100)",
        "dasr_ssim": "Sec. 4.2.1, Tab. 1: 0.8918 against 0.8789 on Set5, 0.8050 against 0.7506 on Urban100",
        "others": "Sec. 4.2.1: “From Table 1 we can see that our ReDSR achieves the best performance”",
        "real": "Sec. 4.4 (1), Fig. 10: “our ReDSR produces results with sharper edges of higher perceptual quality”",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

kinds = {f"σ {one.blur_sigma:g}": one for one in gaussian8(4)}
images = load_images(image_set, limit=limit)


def whole_picture(name, image):
    hr = crop_to_multiple(image, 4)[None]
    return Windows(hr, {kind: one(hr) for kind, one in kinds.items()}, (name,))


if whole:
    tests = [whole_picture(name, image).to(study.device) for name, image in images.items()]
else:
    tests = [windows(images, kinds, count=num_windows, size=192).to(study.device)]
contents = [name for part in tests for name in part.pictures]

NETWORKS = {
    "clean-trained": "srresnet-gr",
    "one branch": "blind-one-branch",
    "DASR": "dasr",
    "ReDSR": "redsr-8",
}
models = {title: study.trainings(name, training_seeds) for title, name in NETWORKS.items()}

METRICS = {"PSNR": psnr, "SSIM": ssim}  # of luma


def each(sr, hr, *, border):
    """(N, metrics)"""
    return torch.stack([one(sr, hr, border=border).cpu() for one in METRICS.values()], dim=1)


def judge(model):
    """(kernels, contents, metrics)"""
    found = [psnr_by_degradation(model, part, kinds, measure=each) for part in tests]
    return np.stack([np.concatenate([own[kind] for own in found]) for kind in kinds])


restorers = {"bicubic": [bicubic(4)] * len(models["ReDSR"]), **models}
judged = {title: np.stack([judge(one) for one in own]) for title, own in restorers.items()}
quality = {  # {metric: {title: (seeds, kernels, contents)}}
    metric: {title: own[..., at] for title, own in judged.items()}
    for at, metric in enumerate(METRICS)
}
db = quality["PSNR"]

# %% [markdown]
# ## Look first

# %% tags=["hide-cell"]
middle = int(np.argsort(db["bicubic"][0].mean(axis=0))[len(contents) // 2])
part = tests[middle] if whole else tests[0]
at = 0 if whole else middle
panels, notes = {}, {}
for kernel in (0, len(kinds) - 1):
    kind = list(kinds)[kernel]
    for title, (restorer, *_) in restorers.items():
        sr = restored_windows(restorer, part.lr[kind][[at]], kinds[kind])
        panels[kind, title] = image_to_array(sr[0])
        notes[kind, title] = f"{db[title][0, kernel, middle]:.2f} dB"
    panels[kind, "original"] = image_to_array(part.hr[at])

# %% tags=["hide-input"] mystnb={"figure": {"caption": "A typical window (of median PSNR after bicubic enlargement), under the narrowest and the widest kernel, restored by the first training seed of each network. Zoom in; the pictures move together.", "name": "fig-blind-pictures"}}
picture_grid(panels, notes=notes)

# %% [markdown]
# ## What we run, and what differs from the paper
#
# **The gate.** Both crops that contrast calls alike show one picture, so a code may tell pictures apart and leave the blur to
# chance. Our DASR learns by contrast alone for 10 000 steps. It counts as a rival only once its codes tell the blur: of the ten
# nearest codes of *other* pictures more than by chance have the same width ({term}`neighbour purity`, 95 % interval above
# chance). Until then the comparison stays undecided, for it would compare two generators rather than two lessons.
#
# Equally many trainings of each network are compared. Intervals are 95 %, bootstrapped over trainings and pictures.
#
# :::{dropdown} What differs from the paper
# | | paper | here |
# |---|---|---|
# | ReDSR, DASR | 6.28 M and 5.84 M parameters | narrow ones, counted below |
# | trained on | DIV2K and Flickr2K, σ 0.2 to 4, 1000 epochs | 174 pictures, σ 0.2 to 4, 4 000 steps; DASR 10 000 of contrast before them |
# | other rivals | MANet, DAN, DARSR, DCLS, CDSR, CMDSR, MRDA, KDSR | not rebuilt; that clause is left open |
# | controls | – | *one branch*: SRResNet on the same pictures without codes ({doc}`/book/findings/faig/one_branch`), with more multiply-adds than ReDSR and fewer parameters; SRResNet on clean pictures (577 of them, 6 000 steps, 32 channels); bicubic |
# | tested on | Gaussian8, PSNR and SSIM; of which channels is not stated | Gaussian8, windows (whole pictures by a parameter), PSNR and SSIM of luma |
# | real pictures | shown and described | the middle of each picture; sharpness is measured, perceptual quality is not |
# :::

# %% tags=["remove-input"]
study

# %% name="hero" tags=["remove-cell"] caption="A typical window under the widest kernel, enlarged and restored. How much of the original does ReDSR bring back?"
wide = list(kinds)[-1]
picture_row({title: panels[wide, title] for title in ("bicubic", "ReDSR", "original")})

# %% [markdown]
# ## Measured
#
# Kernel by kernel first. A clean-trained network cannot know that a blurry picture was sharp.

# %% tags=["hide-cell"]
TITLES = {"PSNR": "PSNR-Y, dB", "SSIM": "SSIM-Y"}
frame = pd.DataFrame(  # means over contents
    {"measure": TITLES[metric], "network": title, "sigma": kind.blur_sigma, "value": value}
    for metric, own in quality.items()
    for title, seeds in own.items()
    for kernels in seeds.mean(axis=2)
    for kind, value in zip(kinds.values(), kernels, strict=True)
)
lines, bands = curves(frame, panel="measure", line="network", x="sigma")

# %% tags=["hide-input"] mystnb={"figure": {"caption": "PSNR and SSIM by the width of the kernel, mean over windows and training seeds; bands from the lowest to the highest seed. Which networks hold their level as the blur widens?", "name": "fig-blind-kernels"}}
stacked_curves(frame.sigma.unique(), lines, bands=bands, x_title="σ of the kernel, HR pixels")

# %% tags=["hide-input"] mystnb={"figure": {"caption": "How many dB better than each rival ReDSR restores each window, mean over kernels and training seeds; point at a dot to see it under the narrowest kernel. Larger: the mean over windows. Right of the dashed line ReDSR is better.", "name": "fig-blind-ahead"}}
rivals = [title for title in restorers if title != "ReDSR"]
ahead = {  # {metric: {rival: (contents,)}}
    metric: {r: (own["ReDSR"].mean(axis=(0, 1)) - own[r].mean(axis=(0, 1))) for r in rivals}
    for metric, own in quality.items()
}
first = next(iter(kinds))


def thumbnail(lr):
    side = min(48, *lr.shape[-2:])
    return image_to_array(lr[:, :side, :side])


seen = [thumbnail(lr) for part in tests for lr in part.lr[first]]
sprites = sprite_sheet(np.stack(seen), zoom=2) if len({s.shape for s in seen}) == 1 else None
interval_dots(
    {f"ahead of {rival}": own for rival, own in ahead["PSNR"].items()},
    x_title="dB better",
    reference=0,
    sprites=sprites,
    pictures={f"ahead of {rival}": range(len(contents)) for rival in rivals} if sprites else None,
)

# %% [markdown]
# ## Quality and cost
#
# The form of Tab. 1, with the cost of each network: all parameters used at test time, multiply-adds and time for one LR window
# of 48×48 pixels on this machine.

# %% tags=["hide-cell"]
window = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(0)).to(study.device)


def price(model):
    return {
        "parameters": parameter_count(model),
        "million multiply-adds": multiply_adds(lambda: model(window)) / 1e6,
        "ms": 1000 * seconds(lambda: model(window)),
    }


prices = {title: price(own[0]) for title, own in models.items()}
mean = {metric: {t: v.mean() for t, v in own.items()} for metric, own in quality.items()}

# %% tags=["hide-input"]
rows = {"PSNR, dB": mean["PSNR"], "SSIM": mean["SSIM"]}
rows["trainings"] = {title: len(models.get(title, [])) for title in restorers}
digits = {"PSNR, dB": "{:.2f}", "SSIM": "{:.3f}", "trainings": "{:.0f}", "parameters": "{:,.0f}"}
digits |= dict.fromkeys(("million multiply-adds", "ms"), "{:.0f}")
pd.DataFrame(rows).join(pd.DataFrame(prices).T).style.format(digits, na_rep="–")

# %% [markdown]
# ## Along training
#
# ReDSR after fewer steps (training seed 0), beside the others at their end. Does it still climb where training stopped?

# %% tags=["hide-input"] mystnb={"figure": {"caption": "PSNR over the eight kernels along ReDSR's training, and what the others reach with all their steps. How steep is the right end?", "name": "fig-blind-ladder"}}
rungs = {} if train else shipped_steps(NETWORKS["ReDSR"], steps)
climb = [judge(study.network(file))[..., 0].mean() for file in rungs.values()]
ends = {title: np.full(len(climb), db[title][0].mean()) for title in restorers if title != "ReDSR"}
if rungs:
    panel = {"PSNR-Y, dB": {"ReDSR": np.array(climb)} | ends}
    display(stacked_curves([*rungs], panel, x_title="training step of ReDSR"))

# %% [markdown]
# ## The gate
#
# Do codes of windows under the eight kernels cluster by width at all? Beside it: R² of the width by a {term}`linear probe`, for
# pictures that it was not fitted on.

# %% tags=["hide-cell"]
asked = windows(images, kinds, count=num_codes, size=192).to(study.device)
sigmas = np.repeat([kind.blur_sigma for kind in kinds.values()], num_codes)
codes = {t: [codes_of(one, asked.stacked) for one in models[t]] for t in ("DASR", "ReDSR")}
gathered = {  # {title: (seeds, pictures)}
    title: np.stack([gathering(one, asked) for one in own]) for title, own in codes.items()
}
probes = {
    title: np.mean([linear_probe(one, sigmas, asked.picture_labels) for one in own])
    for title, own in codes.items()
}
chance = 1 / len(kinds)
gates = {title: exceeds(trainings_interval(own), chance) for title, own in gathered.items()}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Neighbour purity of the codes by width, a dot for each picture (mean over trainings), larger: the mean; dashed: chance. Are both networks right of the line, and how far?", "name": "fig-blind-gate"}}
shares = {title: own.mean(axis=0) for title, own in gathered.items()}
interval_dots(shares, x_title="neighbour purity", reference=chance)

# %% [markdown]
# ## Real pictures
#
# Here nothing is reduced or blurred first, so there is no original to compare with. What the paper says of such results is measured:
# the mean magnitude of the gradient, in multiples of bicubic enlargement's. Amplified noise counts as sharp, too, so look as well.

# %% tags=["hide-cell"]
real = {
    name: center_crop(image, 64)[None].to(study.device)
    for name, image in load_images(real_set).items()
    if real_set != "city100" or name.endswith("L")  # L: low quality
}
enlarged = {  # {title: [of each seed: [of each picture: (1, 3, 256, 256)]]}
    title: [[restored_windows(one, lr, kinds[first]) for lr in real.values()] for one in own]
    for title, own in restorers.items()
}
magnitudes = {
    title: np.array([[gradient_map(sr).mean().item() for sr in seed] for seed in own])
    for title, own in enlarged.items()
}
scenes = [name.split("/")[-1] for name in real]  # two cameras took each of City100's
sharpness = {  # {title: (seeds, scenes)}
    title: by_picture(own / magnitudes["bicubic"], scenes) for title, own in magnitudes.items()
}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Real pictures, enlarged four times (first seed), and how many times as sharp as by bicubic enlargement each network leaves them (the mean over all real pictures, the same in both rows). Is what is sharper also truer?", "name": "fig-blind-real"}}
panels = {
    (name, title): image_to_array(center_crop(own[0][at][0], 192))
    for at, name in enumerate([*real][:2])
    for title, own in enlarged.items()
}
told = {title: f"sharpness {own.mean():.2f}" for title, own in sharpness.items()}
picture_grid(panels, notes={place: told[place[1]] for place in panels})

# %% [markdown]
# ## Verdict

# %% tags=["hide-cell"]
apart = {  # {metric: {rival: (seeds, kernels, pictures)}}
    metric: {r: by_picture(gain(own["ReDSR"], own[r]), contents) for r in rivals}
    for metric, own in quality.items()
}
limits = {
    metric: {r: trainings_interval(own.mean(axis=1)) for r, own in values.items()}
    for metric, values in apart.items()
}


def at_each_kernel(rival):
    found = apart["PSNR"][rival]
    return together(*(exceeds(trainings_interval(found[:, k])) for k in range(len(kinds))))


def against_dasr(ahead):
    return exceeds(ahead) if gates["DASR"] is Outcome.HELD else Outcome.UNDECIDED


def sharper_than(rival):
    return trainings_interval(gain(sharpness["ReDSR"], sharpness[rival]))


KEYS = {title: title.lower().split("-")[0].split(" ")[0] for title in restorers}
for title, own in ahead["PSNR"].items():
    study.glue(**{f"blind_{KEYS[title]}_gain": own.mean()})
study.glue(blind_contents=len(contents), blind_pictures=len(set(contents)), blind_chance=chance)
for title, own in gathered.items():
    key = title.lower()
    study.glue(**{f"blind_gate_{key}": own.mean(), f"blind_probe_{key}": probes[title]})
if rungs:
    study.glue(blind_first=climb[0], blind_half=climb[len(climb) // 2], blind_end=climb[-1])

# %% tags=["hide-input"] mystnb={"figure": {"caption": "All measures of this run. Spread: lowest to highest over training seeds; for differences and purity the 95 % bootstrap interval over trainings and pictures.", "name": "fig-blind-verdict"}}
PRINTED = {("DASR", "dB"): "+0.72 Set5, +0.39 Set14, +0.11 B100, +0.91 Urban100"}
for metric, own in quality.items():
    for title, values in own.items():
        study.measure(f"{metric}-Y of {title}", values.mean(axis=(1, 2)))
for rival in rivals:
    for metric, unit in {"PSNR": "dB", "SSIM": "SSIM"}.items():
        study.measure(
            f"ReDSR ahead of {rival}, {unit}",
            apart[metric][rival],
            interval=limits[metric][rival],
            paper=PRINTED.get((rival, unit), ""),
        )
for price in ("parameters", "million multiply-adds"):
    for title, own in prices.items():
        study.measure(f"{price} of {title}", own[price])
for title, own in gathered.items():
    study.measure(f"neighbour purity of {title}", own, interval=trainings_interval)
    study.measure(f"R² of the width, {title}", probes[title])
for title, own in sharpness.items():
    name = f"sharpness of real pictures, {title}"
    study.measure(name, own, interval=trainings_interval, glue=f"blind_sharp_{KEYS[title]}")
spread = db["ReDSR"].mean(axis=(1, 2))
study.glue(blind_lowest=spread.min(), blind_highest=spread.max(), blind_trainings=len(spread))
study.verdict(
    dasr_psnr=against_dasr(limits["PSNR"]["DASR"]),
    dasr_ssim=against_dasr(limits["SSIM"]["DASR"]),
    real=against_dasr(sharper_than("DASR")),
    others=None,  # none of them is rebuilt here
    gate=gates["DASR"],
    own_gate=gates["ReDSR"],
    one_psnr=exceeds(limits["PSNR"]["one branch"]),
    one_ssim=exceeds(limits["SSIM"]["one branch"]),
    clean=at_each_kernel("clean-trained"),
    bicubic=at_each_kernel("bicubic"),
    real_clean=exceeds(sharper_than("clean-trained")),
)

# %% [markdown]
# ## What we have seen
#
# All numbers are means over {glue:text}`blind_contents` windows of {glue:text}`blind_pictures` pictures under eight kernels, and over
# {glue:text}`blind_trainings` trainings of each network.
#
# - **ReDSR minus its rivals**, in dB (intervals in the table above): DASR {glue:text}`blind_dasr_gain:+.2f`, one branch
#   {glue:text}`blind_one_gain:+.2f`, clean-trained {glue:text}`blind_clean_gain:+.2f`, bicubic
#   {glue:text}`blind_bicubic_gain:+.2f`. What the clean-trained network lacks is any experience of blur; what one branch lacks is a
#   code.
# - **The gate.** The neighbour purity is {glue:text}`blind_gate_dasr:.3f` for DASR and {glue:text}`blind_gate_redsr:.3f` for ReDSR;
#   chance is {glue:text}`blind_chance:.3f`. The R² of the width is {glue:text}`blind_probe_dasr:.2f` and
#   {glue:text}`blind_probe_redsr:.2f`. The gate asks for more than chance, not for how much: a lead over a rival just above chance says
#   little about which lesson is better.
# - **Seeds.** The trainings of ReDSR reach {glue:text}`blind_lowest:.2f` to {glue:text}`blind_highest:.2f` dB.
#   A lead within that range may be an accident of the seed.
# - **Real pictures** come out {glue:text}`blind_sharp_redsr:.2f` times as sharp as by bicubic enlargement with ReDSR,
#   {glue:text}`blind_sharp_dasr:.2f` with DASR, {glue:text}`blind_sharp_one:.2f` with one branch and
#   {glue:text}`blind_sharp_clean:.2f` with the clean-trained network.
# - **Steps.** ReDSR goes from {glue:text}`blind_first:.2f` over {glue:text}`blind_half:.2f` to {glue:text}`blind_end:.2f` dB. The
#   recipes `dasr-paper` and `redsr-paper` train both for longer.
#
# ## Exercises
#
# 1. ReDSR leads DASR by 0.05 dB, and its seeds lie 0.10 dB apart. One training of each is compared. What can be concluded?
# 2. Why is a purity "above chance" a low bar?
#
# ```{dropdown} Answers
# 1. Nothing about the lessons: a difference of that size arises between two seeds of the same recipe.
# 2. With many codes, even a weak dependence on the width is statistically certain. Certainty that an effect exists says nothing
#    about its size.
# ```
#
# ## Try it yourself
#
# - The paper's sets: `image_set = "set5"` (or `"set14"`, `"b100"`, `"urban100-30"`) with `whole = True`; `limit = 5` keeps it short.
# - Beyond the training range: replace `gaussian8(4)` by blurs of σ 4 to 5. Which network fails first?
# - The truth for ReDSR: `"oracle": "redsr-9"` in `NETWORKS` is told the kernel.
