# %% [markdown]
# (explorer-redsr)=
# # Explore: the space of degradations
#
# A blind network of this chapter first describes, in a code of a few numbers, how its input was
# degraded, and then restores the input as the code says. Set a blur and a noise below. The map shows
# where the picture's code lies among the codes of other pictures; the two restorations show what the
# code is good for: one is told the truth, the other something false. The page opens at the setting where
# the false code costs most; it need not cost anything elsewhere.
#
# This page claims nothing. What codes know of a degradation, and what they know besides, is judged on
# the other pages of {doc}`/book/redsr`, with criteria set beforehand.

# %% tags=["parameters", "hide-cell"] quick={"windows": {"cat": ["chelsea", 16, 70]}, "widths": [0.2, 4], "angles": [0, 90], "noises": [0, 25], "num_codes": 40}
blind = "redsr-general"  # trained on blurs of any shape, with noise; or "dasr-general"
image_set = "photographs"  # none of these was seen in training
windows = {  # name: [picture, top, left] of 192×192 HR pixels
    "cat": ["chelsea", 16, 70],
    "pagoda": ["china", 110, 100],
}
widths = [0.2, 1.4, 2.8, 4]  # σ₁ and σ₂, HR pixels
angles = [0, 45, 90, 135]  # degrees
noises = [0, 10, 25]  # σ, of 255 grey levels
num_codes = 300  # of other pictures, in the background
device = "auto"

# %% tags=["hide-cell"]
from functools import cache
from itertools import product

import numpy as np
import torch
from scipy.spatial.distance import pdist
from sklearn.decomposition import PCA

from srlab.data.datasets import PatchSampler, load_images
from srlab.degradations import Degradation
from srlab.degradations.filters import gaussian_kernel
from srlab.devices import pick_device
from srlab.explorers.cloud import Cloud
from srlab.explorers.controls import Control
from srlab.explorers.pictures import PictureExplorer, PictureState
from srlab.images import center_crop, crop, image_to_array
from srlab.metrics import psnr
from srlab.studies.networks import network
from srlab.studies.parameters import check_parameters
from srlab.studies.redsr.codes import codes_of
from srlab.training.recipes import recipe

check_parameters()
device = pick_device(device)
SCALE, LR_SIZE, SHOWN = 4, 48, 26  # LR pixels that are encoded, and of these, restored

model, space = network(blind, device=device), recipe(blind).space
images = load_images(image_set)
shown = {picture for picture, _, _ in windows.values()}
others = [image for name, image in images.items() if name not in shown]
sampler = PatchSampler(others, space=space, lr_size=LR_SIZE, batch_size=num_codes, seed=0)
lr, _, drawn = sampler.drawn_batch(0, device)
codes = codes_of(model, lr)
plane = PCA(2).fit(codes)
typical = pdist(codes).mean()  # distance between two codes of the cloud


def told(degradation):
    along, across, angle = degradation.blur_axes
    blur = f"blur {along:.1f} × {across:.1f} at {np.degrees(angle):.0f}°"
    return f"{blur}, noise {255 * degradation.noise_sigma:.0f}/255"


shares = enumerate(plane.explained_variance_ratio_, start=1)
cloud = Cloud(
    plane.transform(codes),
    {
        "blur width": np.array([np.mean(one.blur_axes[:2]) for one in drawn]),
        "noise": np.array([255 * one.noise_sigma for one in drawn]),
    },
    axes=tuple(f"component {number} ({share:.0%} of the variance)" for number, share in shares),
    labels=[told(one) for one in drawn],
)


def degradation(along, across, angle, noise):
    """One value for what is the same: the wider axis first, and no angle for a round blur."""
    if along < across:
        along, across, angle = across, along, angle + 90
    angle = np.radians(angle % 180 if along > across else 0)
    return Degradation(
        SCALE, along, across, angle, kernel_size=space.kernel_size, noise_sigma=noise / 255
    )


def farther(limits, value):
    low, high = limits
    return low if value > (low + high) / 2 else high


def opposite(own):
    blur = farther(space.blur_sigma, np.mean(own.blur_axes[:2]))
    return degradation(blur, blur, 0, 255 * farther(space.noise_sigma, own.noise_sigma))


hr = {
    name: crop(images[picture], top, left, SCALE * LR_SIZE, SCALE * LR_SIZE)[None].to(device)
    for name, (picture, top, left) in windows.items()
}


@cache
@torch.no_grad()
def degraded(name, how):
    """The window's LR image, always with the same noise, and its code."""
    lr = how(hr[name], np.random.default_rng(0))
    return lr, model.represent(lr)


@cache
@torch.no_grad()
def look(name, how):
    lr, own = degraded(name, how)
    _, other = degraded(name, opposite(how))
    middle, target = center_crop(lr, SHOWN), center_crop(hr[name], SCALE * SHOWN)
    kernel = gaussian_kernel(*how.blur_axes, size=how.kernel_size)
    codes = {"own code": own, "opposite code": other}
    sr = {title: model.restore(middle, code) for title, code in codes.items()}
    pictures = {
        "blur kernel": (kernel / kernel.max()).expand(3, -1, -1),
        "LR input": middle[0],
        **{f"SR, {code}": image[0] for code, image in sr.items()},
        "original": target[0],
    }
    return PictureState(
        {title: image_to_array(picture) for title, picture in pictures.items()},
        {
            **{f"PSNR, {c}": psnr(image, target, border=SCALE).item() for c, image in sr.items()},
            "distance of the codes": (own - other).norm().item() / typical,
        },
        {code: plane.transform(found.cpu().numpy())[0] for code, found in codes.items()},
    )


def compute(setting):
    *dials, name = setting
    return look(
        name, degradation(*(float(dial.rstrip("°").removesuffix("/255")) for dial in dials))
    )


def words(values, unit=""):
    return [f"{value:g}{unit}" for value in values]


stops = [words(widths), words(widths), words(angles, "°"), words(noises, "/255"), list(windows)]
states = {setting: compute(setting) for setting in product(*stops)}


def cost_of_false(setting):
    found = states[setting].measures
    return found["PSNR, own code"] - found["PSNR, opposite code"]


# %% tags=["hide-input"]
sigmas = words(np.union1d(widths, np.linspace(0.2, 4, 20).round(2)))
finer = {
    "sigma_1": sigmas,
    "sigma_2": sigmas,
    "theta": words(np.union1d(angles, np.arange(0, 180, 15)), "°"),
    "noise": words(np.union1d(noises, np.arange(26)), "/255"),
}
DIALS = {"sigma_1": "Blur σ₁", "sigma_2": "Blur σ₂", "theta": "Angle θ", "noise": "Noise"}
explorer = PictureExplorer.from_states(
    states,
    controls=[*(Control(*dial, "slider") for dial in DIALS.items()), Control("picture", "Picture")],
    axes=finer,
    start=max(states, key=cost_of_false),
    units={
        "PSNR, own code": "dB",
        "PSNR, opposite code": "dB",
        "distance of the codes": "× typical",
        "blur width": "pixels",
        "noise": "grey levels",
    },
    cloud=cloud,
    compute=compute,
)
explorer

# %% [markdown]
# ## Things to try
#
# - Widen **σ₁ and σ₂ together** without noise. Where does the code go? Do wide blurs of the two
#   pictures meet, or does each picture keep a corner of its own?
# - Widen **σ₁ alone** and turn **θ**. How far does the code move, compared with the noise? (Where
#   σ₁ = σ₂ the blur is round and the angle means nothing.)
# - Add **noise** and colour the map by it. Does the noise hide the blur from the network?
# - Compare the two restorations: told that a blurred picture is sharp, told that a sharp picture is
#   blurred, and the same with noise. Which false code costs more? If neither costs anything, the
#   network ignores its code.

# %% [markdown]
# ## A map of codes
#
# Patches of the pictures that are *not* shown above, each under a degradation of its own, drawn from
# the space that the network was trained on. Their codes are drawn along their first two
# principal components. That map is linear, so every other code has its place in it too.

# %% [markdown]
# ## A code, and its opposite
#
# The network restores the middle of each window under two codes: the one that it gives the input, and
# the one that it would give the **same picture under an opposite degradation**. Opposite are the ends
# of the space that lie farther away: if the blur is wider than the middle of the range, none to speak
# of, else the widest; if the noise is stronger than its middle, none, else the strongest.

# %% [markdown]
# ## What is precomputed, and what needs a kernel
#
# The page holds the settings of the parameters above. In a running notebook (JupyterLab, Colab,
# VS Code) the sliders stop more often, what they ask for is computed in a tenth of a second, and
# `explorer.sigma_1`, `.sigma_2`, `.theta`, `.noise` and `.picture` can be read and set from Python.
#
# - The map shows two directions of a code that has more; the axes say what share of the variance they
#   hold. Points that lie together here may lie apart in the others. The line below the pictures tells
#   the mean blur and noise of the ten points next to a marker *on the map*. The **distance of the
#   codes** is the true one, in units of the mean distance between two codes of the cloud.
# - The code comes from the whole window of 192×192 HR pixels, the pictures show its middle. Blurs
#   are drawn by their two widths and the angle of the first, clockwise from the horizontal; the
#   colour *blur width* is the mean of both.
# - Set `blind = "dasr-general"`: the same data, but codes that were learned by contrast.
# - Put a picture of your own into `windows`, or other ends than the opposite ones into `opposite`.
