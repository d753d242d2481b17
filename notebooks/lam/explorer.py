# %% [markdown]
# (explorer-lam)=
# # Explore: which pixels decide a patch
#
# A local attribution map (LAM) says which LR pixels made a small window of the SR image what it is.
# Choose a picture, a network and a window, and compare the networks at the same place. On a picture of
# your own, and at any window, maps are computed in {doc}`/book/your_picture`.
#
# This page claims nothing. For how LAM works and how well it can be trusted, with verdicts, see
# {doc}`/book/findings/lam/method` and {doc}`/book/findings/lam/sanity`; for what the networks have in
# common and what not, {doc}`/book/findings/lam/networks`; for what the picture decides,
# {doc}`/book/findings/lam/image_content`.

# %% tags=["parameters", "hide-cell"] quick={"networks": {"fsrcnn": "FSRCNN"}, "grid": 2, "steps": 4}
scenes = {  # name: [picture, top, left] of 192×192 HR pixels in an embedded picture
    "bricks": ["brick", 160, 160],
    "pagoda": ["china", 110, 100],
    "face": ["astronaut", 10, 120],
}
networks = {  # checkpoint: name; beside bicubic enlargement, from the oldest on
    "srcnn-3": "SRCNN",
    "fsrcnn": "FSRCNN",
    "srresnet-gr": "SRResNet",
    "edsr": "EDSR",
    "carn": "CARN",
    "rrdbnet": "RRDBNet",
    "pan": "PAN",
    "imdn": "IMDN",
    "rfdn": "RFDN",
    "rcan": "RCAN",
    "san": "SAN",
    "swinir": "SwinIR",
}
grid = 4  # precomputed targets a side
window = 16  # side of a target in SR pixels
steps = 4  # of the path integral; its completeness error is shown with each map
device = "auto"

# %% tags=["hide-cell"]
import numpy as np
import torch

from srlab.attribution.integral import gathered_inexactness
from srlab.attribution.lam import (
    diffusion_index,
    lam,
    lams,
    lams_of_whole,
    magnitude,
    patch,
)
from srlab.attribution.paths import deblur
from srlab.data.datasets import load_images
from srlab.degradations import Degradation
from srlab.degradations.filters import upsample
from srlab.devices import pick_device
from srlab.explorers.lam import LamExplorer, LocalMap, Picture, Place
from srlab.images import crop, image_to_array
from srlab.metrics import psnr
from srlab.studies.networks import network, obtainable
from srlab.studies.parameters import check_parameters

check_parameters()
device = pick_device(device)
SIZE, SCALE = 192, 4
SEE_LITTLE = ("bicubic", "SRCNN")  # of these a window's part is computed; others run whole
path = deblur(steps=steps)

images = load_images("photographs") | load_images("textures")
hr = {
    scene: crop(images[name], top, left, SIZE, SIZE)[None].to(device)
    for scene, (name, top, left) in scenes.items()
}
lr = {scene: Degradation(scale=SCALE)(image) for scene, image in hr.items()}
models = {"bicubic": lambda lr: upsample(lr, SCALE)}
models |= {networks[name]: network(name, device=device) for name in obtainable(networks)}
with torch.no_grad():
    sr = {scene: {name: model(lr[scene]) for name, model in models.items()} for scene in scenes}


def shown(place, attribution):
    pair = (sr[place.picture][place.network], hr[place.picture])
    here = (crop(image, place.top, place.left, window, window) for image in pair)
    return LocalMap(
        magnitude=magnitude(attribution).cpu().numpy(),
        diffusion_index=diffusion_index(attribution),
        completeness_error=attribution.completeness_error,
        psnr=psnr(*here, border=0).item(),
    )


def compute(place):
    target = patch(place.top, place.left, window)
    model, image = models[place.network], lr[place.picture]
    return shown(place, lam(model, image, target, path=path))


sides = np.linspace(window, SIZE - 2 * window - 1, grid, dtype=int).tolist()
corners = [(top, left) for top in sides for left in sides]
targets = [patch(*corner, window) for corner in corners]
maps = {}
for scene in scenes:
    for name, model in models.items():
        several = lams if name in SEE_LITTLE else lams_of_whole
        with gathered_inexactness():  # each map says below by how much it misses
            found = several(model, lr[scene], targets, path=path)
        for corner, attribution in zip(corners, found, strict=True):
            place = Place(scene, name, *corner)
            maps[place] = shown(place, attribution)

# %% tags=["hide-input"]
pictures = {
    scene: Picture(
        image_to_array(lr[scene][0]),
        {name: image_to_array(image[0]) for name, image in sr[scene].items()},
    )
    for scene in scenes
}
explorer = LamExplorer.from_maps(pictures, maps, window=window, compute=compute)
explorer

# %% [markdown]
# ## Things to try
#
# - Stay at one window and go through the **networks**. Bicubic enlargement, SRCNN and FSRCNN cannot
#   look further than their few layers reach. IMDN, RCAN and SAN could see the whole picture
#   by their attention, RFDN most of it, SwinIR its windows: how much of what they could see do they use?
# - Compare windows on **regular structure** (joints between bricks, the pagoda's railings) with
#   windows on the face or the sky. Where does the map follow an edge or a row of repetitions?
# - Compare the **diffusion index** (DI: 0 = a single pixel, 100 = all pixels alike) with the PSNR of the
#   window. Does the network with the wider map restore this window better?
# - Switch the **brightness** to linear: maps are dominated by few pixels, and the square root, the
#   default here, shows the faint ones. LAM's figures are linear.
# - Turn the **opacity** down to see what lies under the attribution.

# %% [markdown]
# ## Pictures, networks, and one map
#
# HR cut-outs are reduced by 4 and enlarged again by every network of the zoo. All are narrow; SRCNN,
# FSRCNN and SRResNet come from recipes of their own, the others were trained on equal terms. A map is
# the gradient of the window's gradient magnitude, integrated from the blurred LR image to the LR
# image itself.

# %% [markdown]
# ## What is precomputed, and what needs a kernel
#
# The page holds one map for each dot on the picture, each network and each scene. In a running
# notebook (JupyterLab, Colab, VS Code) a click anywhere on the SR picture computes a new map in
# about a second, and `explorer.picture`, `.network`, `.top` and `.left` can be read and set from
# Python.
#
# - DI depends on the LR size and on how colours are summed; compare it only between maps made alike,
#   as here: 48×48 LR pixels, colours summed before the absolute value as in LAM's public code.
# - Completeness: the map should sum to the change of the target between the blurred and the sharp
#   picture. The line below the pictures says by how much it misses; raise `steps` and it shrinks.
# - Put your own picture into `scenes`, or your own network: {doc}`/book/findings/your_network`.
