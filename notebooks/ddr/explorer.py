# %% [markdown]
# (explorer-ddr)=
# # Explore: what the layers make of a degradation
#
# Each marker is a patch of 32×32 LR pixels as one layer of one network represents it, drawn in two
# dimensions. Choose network, layer, projection and training step; point at a marker to see its patch. GR is
# the global residual.

# %% tags=["parameters", "hide-cell"] quick={"num_patches": 20, "blocks": [1, 16], "snapshots": [1000], "methods": ["pca"]}
image_set = "photographs"  # none of these was seen in training; any name from `srlab list`
num_patches = 60  # contents; each is shown under all three degradations
blocks = [1, 4, 8, 12, 16]  # residual blocks whose output is taken (in a running notebook: all 16)
snapshots = [1000, 2500]  # training steps besides the untrained network and the last
methods = ["tsne", "pca"]  # "umap" as well takes half a minute more
perplexity = 30
device = "auto"

# %% tags=["hide-cell"]
from functools import cache
from itertools import product

import numpy as np

from srlab.checkpoints.files import load_checkpoint
from srlab.data.datasets import degraded_patches, load_images
from srlab.degradations import Degradation
from srlab.devices import pick_device
from srlab.explorers.embedding import EmbeddingExplorer, Setting
from srlab.explorers.scatter import EmbeddedState
from srlab.figures.pictures import sprite_sheet
from srlab.images import image_to_array
from srlab.representation.embedding import METHODS, embed, layer_components, separability
from srlab.studies.parameters import check_parameters
from srlab.training.initial import initial_model
from srlab.training.recipes import recipe

check_parameters()
device = pick_device(device)

degradations = [Degradation(), Degradation(blur_sigma=4), Degradation(noise_sigma=20 / 255)]
pairs = degraded_patches(load_images(image_set), degradations, count=num_patches)
kinds, lr = pairs.degradation_labels, pairs.lr.to(device)

NAMES = {"with GR": "srresnet-gr", "without GR": "srresnet-wogr"}
LAYERS = {f"ResBlock {block}": f"body.{block - 1}" for block in range(1, 17)}
LAST = str(recipe("srresnet-gr").steps)
STEPS = ["untrained", *map(str, snapshots), LAST]


@cache
def network(kind, step):
    name = NAMES[kind]
    if step == "untrained":
        return initial_model(recipe(name)).eval().to(device)
    return load_checkpoint(name if step == LAST else f"{name}@{step}")[0].to(device)


components = {}


def look(kind, step, layers):
    found = layer_components(network(kind, step), lr, [LAYERS[layer] for layer in layers])
    components.update({(kind, layer, step): found[LAYERS[layer]] for layer in layers})


def compute(setting, *, seed=0, perplexity=perplexity):
    kind, layer, projection, step = setting
    if (kind, layer, step) not in components:
        look(kind, step, [layer])
    points = components[kind, layer, step]
    method = next(key for key, name in METHODS.items() if name == projection)
    init = "random" if seed else "pca"  # from one start, seeds would hardly differ
    embedding = embed(points, method=method, seed=seed, perplexity=perplexity, init=init)
    return EmbeddedState(
        embedding, separability(embedding, kinds).index, separability(points, kinds).index
    )


layers = [f"ResBlock {block}" for block in blocks]
for kind in NAMES:
    for step in STEPS:
        look(kind, step, layers)
settings = [
    Setting(kind, layer, METHODS[method], step)
    for kind, method, layer, step in product(NAMES, methods, layers, STEPS)
]
states = {setting: compute(setting) for setting in settings}

# %% tags=["hide-input"]
explorer = EmbeddingExplorer.from_states(
    states,
    degradations=kinds,
    contents=pairs.content_labels,
    patches=np.repeat(np.arange(num_patches), len(degradations)),
    sprite=sprite_sheet(image_to_array(pairs.lr)),
    layers=list(LAYERS),
    perplexity=perplexity,
    compute=compute,
)
explorer

# %% [markdown]
# ## Things to try
#
# - **Play** the training of the network with GR at ResBlock 16: which degradation leaves first? Then switch
#   to the network without GR and play again.
# - Move the **layer** from 1 to 16 at the last step: where along the depth do the clouds separate?
# - Point at one marker and follow the **dashed lines** to the same patch under the other degradations.
#   While degradations are mixed, all three lie close together: content decides. Once they separate, the
#   lines cross the whole plot: degradation decides.
# - Select one **picture** in the legend. Does it form a cloud of its own in any state?
# - Switch to **PCA**. A linear projection cannot invent clusters; what is left of them?
#
# The table gives the {term}`Caliński–Harabasz index` (CHI) of all precomputed states of the chosen network
# and projection; a click on a cell goes there. t-SNE distorts distances, so the CHI of the 50 principal
# components stands beside that of the embedding.
#
# ## What is shown, and what needs a kernel
#
# The same contents are shown clean, blurred (σ 4 LR pixels) and noisy (σ 20/255) to an SRResNet with and
# without GR, before, during and after training. A layer's features are flattened, reduced to 50 principal
# components, and embedded; embeddings are turned and mirrored, never stretched, so that neighbouring states
# can be compared. The page claims nothing: criteria, seeds and intervals are in {doc}`global_residual` and
# {doc}`training_evolution`.
#
# In a running notebook (JupyterLab, Colab, VS Code) the same figure offers all 16 blocks, other seeds and
# other perplexities, computed when you ask for them, and `explorer.network`, `.layer`, `.projection` and
# `.step` can be read and set from Python. Replace `blur_sigma=4` by `jpeg_quality=30` there: does a
# degradation that no training picture showed separate from the others? For the layers of your own network,
# see {doc}`/book/findings/your_network`.
