# %% [markdown]
# (finding-distortion-identification)=
# # Can features of super-resolution identify a picture's distortion?
#
# *8 minutes. You learn to judge features by a simple classifier, and why pictures must not be on both
# sides of a split.*
#
# ## The claim
#
# If deep features describe degradations rather than contents, a simple classifier should name the
# distortion of a picture it has never seen. The paper reduces features of an SRGAN to 120 principal
# components, trains a linear support vector machine on the LIVE database, and reports higher accuracy than
# with BRISQUE or MLLNet, which were designed for this task ({cite:t}`liu2021discovering`, Sec. 5, Tab. 1).
#
# Why it matters: the super-resolution network was trained on clean pictures. Were its features better than
# those of BRISQUE ({cite:t}`mittal2012no`), they would be a ready-made tool for judging pictures.

# %% tags=["parameters", "hide-cell"] quick={"num_pictures": 5, "num_splits": 3, "block": 2, "training_seeds": [0]}
image_set = "pictures"  # 12 embedded ones; "live" for the real distortions, or "b100"
num_pictures = 12  # of the set
crops_each = 1  # of a distorted picture: the central one, and neighbours (LIVE holds up to 9)
networks = ["srgan-gr", "srgan-wogr"]  # the first is judged, the second lacks the residual
training_seeds = [0, 1, 2]  # of the first; of the other the first of these
block = 16  # residual block whose output is taken
dimensions = 120  # principal components, as in the paper
num_splits = 15  # random choices of a third of the pictures to judge on
train = False  # True trains the networks here instead of loading them
device = "auto"

# %% tags=["hide-cell"]
import numpy as np

from srlab.devices import pick_device
from srlab.figures.curves import stacked_curves
from srlab.figures.dots import interval_dots
from srlab.figures.embeddings import embedding_grid
from srlab.figures.pictures import picture_row, sprite_sheet
from srlab.figures.tables import Matrix, matrix_grid
from srlab.images import image_to_array
from srlab.representation.embedding import embed, layer_points, principal_components, separability
from srlab.representation.identification import content_splits, identify
from srlab.studies.ddr.clouds import network_title
from srlab.studies.ddr.distortions import distorted_crops
from srlab.studies.ddr.natural_statistics import brisque_features
from srlab.studies.study import Study, exceeds, mean_interval, reaches
from srlab.training.recipes import seed_name, seed_names

study = Study(
    "ddr/distortion_identification",
    claim="Deep features of super-resolution identify distortions better than BRISQUE's features",
    source="DDR, Sec. 5, A.5, Tab. 1",
    claims={
        "brisque": "features of SRGAN with GR (PCA to 120, linear SVM) name the distortion more often than BRISQUE's features with the same classifier: the lead, mean over seeds, lies above 0 with its interval over pictures",
        "mllnet": "they name it more often than MLLNet",
        "more": "with more than 120 components they name it more often than with 120: the gain, mean over seeds, lies above 0 with its interval over pictures",
    },
    says={
        "brisque": "Sec. 5, Tab. 1: “compared with BRISQUE and MLLNet (Liang et al., 2020), DDR features achieve excellent results on recognizing different distortion types”",
        "mllnet": "Sec. 5, Tab. 1: the same sentence",
        "more": "Sec. A.5: “the vector dimension can be even larger for better performance”",
    },
    controls={
        "right": "right at least 60 % of the time, mean over seeds",
        "pixels": "beats raw pixels in at least nine splits of ten, mean over seeds",
        "residual": "SRGAN with GR beats SRGAN without on average over splits",
    },
    image_set=image_set,
    device=pick_device(device),
    train=train,
)

# %% tags=["hide-cell"]
crops = distorted_crops(image_set, count=num_pictures, each=crops_each)
kinds, contents = crops.distortions, crops.contents
names = list(dict.fromkeys(kinds))
pictures = image_to_array(crops.images)
splits = content_splits(contents, count=num_splits)

layer, everything = f"body.{block - 1}", len(crops.images)
judged = seed_names(networks[0], training_seeds)
shown_networks = [seed_name(base, training_seeds[0]) for base in networks]
images = crops.images.to(study.device)
found, more, points, spaces = {}, {}, {}, {}
for name in dict.fromkeys([*judged, *shown_networks]):
    features = layer_points(study.network(name), images, [layer])[layer]
    compact = principal_components(features, everything)  # so many keep every distance
    found[name] = identify(compact, kinds, contents, splits, components=dimensions)
    if name in judged:
        more[name] = identify(compact, kinds, contents, splits, components=everything)
    if name in shown_networks:
        points[name] = compact[:, :50]
        maps = features.reshape(len(features), -1, images.shape[-1] ** 2)
        spaces[name] = np.concatenate([maps.mean(axis=-1), maps.std(axis=-1)], axis=1)

pixels, brisque = crops.images.flatten(1).numpy(), brisque_features(crops.images)
points["raw pixels"] = principal_components(pixels)
points["BRISQUE"] = (brisque - brisque.mean(axis=0)) / brisque.std(axis=0)
found["raw pixels"] = identify(pixels, kinds, contents, splits, components=dimensions)
found["BRISQUE"] = identify(brisque, kinds, contents, splits)
found["BRISQUE, RBF"] = identify(brisque, kinds, contents, splits, kernel="rbf")
found[f"{judged[0]}, channels"] = identify(spaces[judged[0]], kinds, contents, splits)
accuracy = {name: result.accuracy for name, result in found.items()}

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "Share of right answers about pictures that were not in training. Faint dots: single splits; large symbol: their mean; bar: from the lowest to the highest split; dashed: chance. “Channels” is our variation, mean and deviation of each channel. How do flattened features compare with BRISQUE, and with channel statistics, which forget where a feature was?", "name": "fig-identification-accuracy"}}
shown = {network_title(name): own for name, own in accuracy.items()}
interval_dots(shown, x_title="share of right answers", reference=1 / len(names))

# %% [markdown]
# ## What we run, and what differs from the paper
#
# | | paper | here |
# |---|---|---|
# | network | SRGAN, 64 channels in its own paper | SRGAN with global residual (GR), 32 channels, three training seeds; without it beside it |
# | pictures | LIVE: 29 references | 12 embedded ones, distorted by us; or 6 references of LIVE |
# | distortions | JPEG, JPEG2000, white noise, blur, fast fading | the same five; LIVE's public copy lacks JPEG2000 |
# | features | of the 96×96 centre crop, PCA to 120; layer not stated | the same, after ResBlock 16, every value of every channel; the components are fitted to the training crops, so there are at most as many |
# | classifier | linear SVM | the same; its penalty chosen on the training pictures |
# | split | not stated | by picture: none is on both sides |
# | rivals | BRISQUE, MLLNet | BRISQUE; **MLLNet's weights are not available**, so that claim stays open |
# | with more training | – | not shown: snapshots of these SRGANs do not ship. With so few pictures the classifier is short of examples, too |
#
# Our own distortions have four strengths each. JPEG2000 is Pillow's. Fast fading (in LIVE, a JPEG2000
# stream sent over a fading radio channel) is **simulated**: only the first part of the stream is kept.
# Rivals are BRISQUE's 36 features of natural scene statistics with the same linear classifier and with the
# curved one (RBF) that BRISQUE uses, and the raw pixels reduced to 120 components. Our variation forgets
# *where* a feature was: mean and deviation of each channel; it has no part in the verdict.

# %% tags=["remove-input"]
study

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One picture under every distortion, mild above and strong below. Zoom in to see their signatures: blocks, ripples, grain, softness, and regions that lost their detail.", "name": "fig-identification-crops"}}
shown = {kind: pictures[(contents == contents[-1]) & (kinds == kind)] for kind in names}
picture_row({k: np.concatenate([own[0], own[-1]]) for k, own in shown.items()}, height=380)

# %% [markdown]
# ## Which distortions are mistaken for which?

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Of each true distortion (row), the share that was called as in the column, over all splits. Which distortions are mixed up, and do the different features mix up the same ones?", "name": "fig-identification-confusion"}}
columns = [judged[0], "raw pixels", "BRISQUE"]
tables = {
    ("", network_title(name)): Matrix(found[name].confusion(kinds), names, names)
    for name in columns
}
grid = matrix_grid(tables, colour_title="share", axis_titles=("true", ""))
grid.update_xaxes(tickangle=-60)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The same answers by strength of the distortion, from mild to strong. Which features need a strong distortion to name it?", "name": "fig-identification-strength"}}
levels = sorted(set(crops.levels.tolist()))
by_level = {
    network_title(name): np.array([result.right(kinds, crops.levels == level) for level in levels])
    for name, result in found.items()
    if name in (*shown_networks, "raw pixels", "BRISQUE")
}
stacked_curves(levels, {"share of right answers": by_level}, x_title="strength")

# %% tags=["hide-input"] mystnb={"figure": {"caption": "t-SNE of what the classifiers see. Colour: distortion; symbol: picture. Above each panel the Caliński–Harabasz index (CHI) by distortion and by picture, in the plane and, in brackets, on 50 principal components (BRISQUE: its 36 values). Where colours separate, a classifier has an easy task; where symbols do, it sees pictures. Point at a dot to see its crop.", "name": "fig-identification-tsne"}}
near = min(30, len(kinds) // 4)
embeddings = {name: embed(points[name], perplexity=near) for name in columns}


def chi(name, labels):
    plane, full = separability(embeddings[name], labels), separability(points[name], labels)
    return f"{plane.index:.1f} ({full.index:.1f})"


notes = {
    ("", network_title(n)): f"distortion {chi(n, kinds)}<br>picture {chi(n, contents)}"
    for n in columns
}
panels = {("", network_title(name)): points_2d for name, points_2d in embeddings.items()}
sprites = sprite_sheet(pictures[:, 16:80:2, 16:80:2])
embedding_grid(panels, classes=kinds, contents=contents, sprites=sprites, notes=notes)

# %% [markdown]
# ## Verdict
#
# Answers about one picture are not independent, and splits share their pictures. So a lead is the mean
# over the training seeds of every picture's share of right answers, and its interval a bootstrap over
# pictures.


# %% tags=["hide-cell"]
def right(results):
    """(P,) share of right answers about each picture, mean over several networks."""
    return np.mean([result.by_content(kinds, contents) for result in results], axis=0)


deep, deeper = right([found[name] for name in judged]), right(more.values())
leads = {
    "lead over BRISQUE's features": deep - right([found["BRISQUE"]]),
    "lead over raw pixels": deep - right([found["raw pixels"]]),
    "gain by all components": deeper - deep,
}
ends = {name: mean_interval(own) for name, own in leads.items()}
by_split = np.mean([accuracy[name] for name in judged], axis=0)
above_pixels = (by_split > accuracy["raw pixels"]).mean()
rows = min(len(train) for train, _ in splits)  # hold one component less

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict, from this run. Spread: of leads and gains 95 % bootstrap over pictures; of networks and features 2.5 % to 97.5 % over the splits.", "name": "fig-identification-verdict"}}
MEASURED = {
    "right, SRGAN with GR": by_split,
    "right, BRISQUE's features": accuracy["BRISQUE"],
    "right, raw pixels": accuracy["raw pixels"],
    "right, SRGAN without GR": accuracy[shown_networks[1]],
    "right, BRISQUE's features, RBF": accuracy["BRISQUE, RBF"],
    "right, channel statistics of SRGAN with GR": accuracy[f"{judged[0]}, channels"],
}
PAPER = {"right, SRGAN with GR": "highest", "right, BRISQUE's features": "lower"}
for (name, own), short in zip(
    MEASURED.items(), ("deep", "brisque", "pixels", "without", "rbf", "channels")
):
    interval = tuple(np.quantile(own, [0.025, 0.975]))
    study.measure(name, own, interval=interval, paper=PAPER.get(name, ""))
    study.glue(**{f"ident_{short}": 100 * own.mean()})
for name, own in leads.items():
    paper = "" if "pixels" in name else "above 0"
    study.measure(name, own, interval=ends[name], paper=paper, headline="BRISQUE" in name)
study.measure("right, SRGAN with GR, over seeds", [accuracy[name].mean() for name in judged])
low, high = ends["lead over BRISQUE's features"]
study.glue(ident_lead_low=100 * low, ident_lead_high=100 * high)
study.glue(ident_splits=len(splits), ident_pictures=len(set(contents)), ident_rows=rows)
study.glue(ident_chance=100 / len(names), ident_gain=100 * leads["gain by all components"].mean())
study.verdict(
    brisque=exceeds(ends["lead over BRISQUE's features"]),
    mllnet=None,
    more=exceeds(ends["gain by all components"]) if rows - 1 > dimensions else None,
    right=reaches(mean_interval(deep), 0.6),
    pixels=above_pixels >= 0.9,
    residual=by_split.mean() > accuracy[shown_networks[1]].mean(),
    notes={"pictures shown": len(set(contents)), "crops in training": rows},
)

# %% [markdown]
# ## What we have seen
#
# | features | right, % of the distortions of unseen pictures |
# |---|---|
# | SRGAN with GR, flattened | {glue:text}`ident_deep:.0f` |
# | the same network, mean and deviation of each channel | {glue:text}`ident_channels:.0f` |
# | SRGAN without GR, flattened | {glue:text}`ident_without:.0f` |
# | BRISQUE's 36 numbers, linear; RBF | {glue:text}`ident_brisque:.0f`; {glue:text}`ident_rbf:.0f` |
# | raw pixels; chance | {glue:text}`ident_pixels:.0f`; {glue:text}`ident_chance:.0f` |
#
# - Over {glue:text}`ident_splits` splits of {glue:text}`ident_pictures` pictures, the lead of the deep
#   features over BRISQUE's lies between {glue:text}`ident_lead_low:.0f` and
#   {glue:text}`ident_lead_high:.0f` points; a negative lead is a lag.
# - All components instead of 120 change the share by {glue:text}`ident_gain:.1f` points; there are fewer
#   of them than training crops, of which a split has at least {glue:text}`ident_rows`.
#
# ## Exercises
#
# 1. Crops of one picture under several distortions are on both sides of a split. What could the classifier
#    learn from that?
# 2. Flattened features keep every pixel's place. Why can that hurt when there are few training pictures?
# 3. Which comparison tells whether the *network* sees distortions, and not merely its input?
#
# ```{dropdown} Answers
# 1. To recognize the picture instead of the distortion: whatever is peculiar to it would count as
#    evidence, and accuracy would be too high.
# 2. A ripple at another place is another feature, so the classifier must learn it anew for each place.
#    Means and deviations of channels forget the place.
# 3. The one with raw pixels, reduced and classified in the same way.
# ```
#
# To go on: `image_set = "live"` has real distortions (six references, downloaded on first use; `crops_each
# = 4` gives enough crops for 120 components); `block = 4` takes an earlier block.
