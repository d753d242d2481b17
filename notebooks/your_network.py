# %% [markdown]
# (your-network)=
# # Your own network
#
# Everything in this book works on any `torch.nn.Module` that maps images (B, 3, h, w) to
# (B, 3, s·h, s·w), RGB in [0, 1]: SR networks of any scale, and restoration networks with s = 1.
# Three cells do it: **bring the network**, **map what a patch was made from**, **look at what its
# layers know**. To stay on the command line, `srlab lam` does the first two:
#
# ```sh
# srlab lam --network mynet:MyNetwork,weights=mynet.pth --image picture.png --patch 96,96,16
# ```
#
# This page claims nothing about a paper, so it ends without a verdict.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={"num_patches": 20, "steps": 4}
address = ""  # of your network, package.module:factory(64); empty: the one defined below
weights = ""  # its .safetensors or .pth file; empty: the factory loads them
multiple = 1  # the multiple of which it takes heights and widths
value_range = (0, 1)  # the values it was trained on, (0, 255) for instance
output = None  # which part of its answer is the image, where that is a tuple, list or dict
layers = []  # names of layers to look behind; none given: three of them, shallow to deep
image_set = "photographs"
picture = "china"  # of it, for the map
window = (100, 100)  # row and column of the picture's 256×256 window that is mapped
patch = (160, 112, 16)  # top, left and size of the target in it, SR pixels: roof tiles
steps = 16  # of the map's path integral
num_patches = 60  # contents for the embedding
perplexity = 30
device = "auto"

# %% tags=["hide-cell"]
from IPython.display import HTML, display
from myst_nb import glue
from torch import nn

import srlab
from srlab.attribution.lam import signed
from srlab.devices import pick_device
from srlab.figures.embeddings import embedding_grid
from srlab.figures.maps import attribution_grid
from srlab.figures.pictures import sprite_sheet
from srlab.images import crop_to_multiple, image_to_array
from srlab.representation.embedding import separability_level
from srlab.studies.parameters import check_parameters

check_parameters()
device = pick_device(device)

# %% [markdown]
# ## Bring the network
#
# Define it, or import it. So that there is something to see, the stand-in below is a residual
# network written from scratch with nothing of srlab in it, and its weights come from a file. The
# names in the file must be those of the network: where they are not, the message says which differ.


# %%
class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return x + self.conv2(self.conv1(x).relu())


class MyNetwork(nn.Module):
    def __init__(self, channels=32, blocks=16):
        super().__init__()
        conv, relu = (lambda a, b: nn.Conv2d(a, b, 3, padding=1)), nn.LeakyReLU(0.1)
        twice = [conv(channels, 4 * channels), nn.PixelShuffle(2), relu]
        again = [conv(channels, 4 * channels), nn.PixelShuffle(2), relu]
        self.head = nn.Sequential(conv(3, channels), relu)
        self.body = nn.Sequential(*(Block(channels) for _ in range(blocks)))
        self.upsampler = nn.Sequential(*twice, *again)
        self.tail = nn.Sequential(conv(channels, channels), relu, conv(channels, 3))

    def forward(self, lr):
        enlarged = nn.functional.interpolate(lr, scale_factor=4, mode="bilinear")
        return enlarged + self.tail(self.upsampler(self.body(self.head(lr))))


if address:
    network = srlab.load(address, weights=weights or None)
else:
    network = MyNetwork()
    srlab.load_weights(network, srlab.load("srresnet-gr").state_dict())

# %% [markdown]
# A published `.pth` file needs no class of yours: `srlab.load("RealESRGAN_x4plus.pth")` finds some
# fifty architectures by their weights, with the extra `srlab[foreign]` (spandrel).
#
# `connect` measures what the network does, on a real picture, before anything is concluded from
# it. Where it must, it wraps the network: mirrors the border up to a size multiple, feeds another
# range of values, picks one of several outputs. Where it cannot, it says what to change.

# %%
images = srlab.load_images(image_set)
top, left = window
hr = images[picture][None, :, top : top + 256, left : left + 256].to(device)
probe = hr[..., 64:128, 64:128]
adapt = {"multiple": multiple, "value_range": value_range, "output": output}
model, contract = srlab.connect(network.to(device), probe, **adapt)
display(contract)

# %% [markdown]
# ## Which pixels made this patch?
#
# The {doc}`local attribution map </book/findings/lam/method>` of one patch: the brighter an LR
# pixel, the more it had to do with what is inside the frame.

# %%
lr = srlab.Degradation(scale=contract.scale)(hr)
target = srlab.patch(*patch)
attribution = srlab.lam(model, lr, target, path=srlab.deblur(steps=steps))
print(f"DI {attribution.diffusion_index:.2f}")
print(f"completeness error {attribution.completeness_error:.2%}")

# %% tags=["hide-input"] mystnb={"figure": {"caption": "What the network was given, what it made of it, and the map; outlined is the target. The colours follow the square root of the attribution, so that faint pixels show. How far from the target do pixels still count? Point at one to read its share.", "name": "fig-yours-lam"}}
panels = {
    ("", "LR"): image_to_array(lr[0]),
    ("", "SR"): image_to_array(attribution.sr[0]),
    ("", "map"): signed(attribution).cpu().numpy(),
}
top, left, size = (extent / contract.scale for extent in (target.top, target.left, target.size))
attribution_grid(panels, size=lr.shape[-2:], window=(top, left, size, size)).update_layout(
    height=380
)

# %% [markdown]
# The diffusion index (DI) says how widely the network looked: 100 if all pixels counted alike.
# Compare it between networks on the same picture, patch and LR size only. The completeness error
# is the check that comes with every map: how far the map's sum is off; above a few per cent,
# take more `steps`.
#
# ## What do its layers know?
#
# Features can be taken after any module, by its dotted name:

# %% tags=["hide-input"]
names = srlab.layer_names(model)
HTML(f"<details><summary>{len(names)} layers</summary><code>{', '.join(names)}</code></details>")

# %% [markdown]
# Show the network the same contents clean, blurred and noisy, take what the chosen layers put out,
# and see whether its points sort by *content* or by *damage*.

# %%
own = [name for name in names if name.count(".") == 1 and name.startswith("body.")] or list(names)
layers = layers or [own[0], own[len(own) // 2], own[-1]]
degradations = {
    "clean": srlab.Degradation(),
    "blur 4": srlab.Degradation(blur_sigma=4),
    "noise 20/255": srlab.Degradation(noise_sigma=20 / 255),
}
scale = contract.scale
small = {
    name: srlab.Degradation(scale=scale)(crop_to_multiple(image, scale))
    for name, image in images.items()
}
found = srlab.windows(small, degradations, count=num_patches, size=32)
features = srlab.features(model, found.stacked.to(device), layers)
embeddings = {layer: srlab.embed(features[layer], perplexity=perplexity) for layer in layers}
chi = {layer: srlab.separability(embeddings[layer], found.kind_labels).index for layer in layers}

# %% tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE of your network's features. Colour: degradation; symbol: picture; the number is the Caliński–Harabasz index, with the levels of DDR in brackets. Do colours cluster more from panel to panel? Point at a dot to see its patch.", "name": "fig-yours-embedding"}}
notes = {("", name): f"CHI {chi[name]:.1f} ({separability_level(chi[name])})" for name in layers}
sprites = sprite_sheet(image_to_array(found.stacked))
panels = {("", name): embeddings[name] for name in layers}
labels = {"classes": found.kind_labels, "contents": found.picture_labels}
embedding_grid(panels, **labels, sprites=sprites, notes=notes)

# %% tags=["remove-cell"]
glue("yours_di", attribution.diffusion_index, display=False)
glue("yours_error", 100 * float(attribution.completeness_error), display=False)
glue("yours_first", chi[layers[0]], display=False)
glue("yours_last", chi[layers[-1]], display=False)

# %% [markdown]
# ## What we have seen
#
# - The map's diffusion index is {glue:text}`yours_di:.2f`, its completeness error
#   {glue:text}`yours_error:.2f` %.
# - The {term}`Caliński–Harabasz index` of the degradations goes from {glue:text}`yours_first:.2f`
#   after the first of the layers to {glue:text}`yours_last:.1f` after the last: below 20,
#   {doc}`DDR </book/findings/ddr/global_residual>` calls them not separated.
#
# ## Try it yourself
#
# - Set `address` and `weights` to yours, and leave the rest.
# - A message about sizes, ranges, outputs or gradients? Each names the parameter to set here;
#   `srlab lam --help` shows how to write the same after the network's address.
# - Move `patch` onto stripes, then onto sky: the diffusion index should follow.
# - Replace one of the `degradations` by the one your network was trained for.
