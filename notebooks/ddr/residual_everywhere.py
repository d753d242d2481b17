# %% [markdown]
# (finding-residual-everywhere)=
# # Does the residual's effect hold for other seeds, pictures, projections?
#
# *4 minutes. You learn what a sweep is for. Builds on {doc}`global_residual`.*
#
# ## The claim
#
# A finding shown once may be luck: one network, one set of pictures, one way to draw them. The paper shows
# its clouds with and without a global residual (GR) for one network on one set under t-SNE
# ({cite:t}`liu2021discovering`, Sec. 4.3). Here the notebook of {doc}`global_residual` runs for **every
# combination** of two training seeds, three picture sets (the embedded photographs, B100, 30 pictures of
# Urban100) and two projections (t-SNE and the first two principal components).

# %% tags=["parameters", "hide-cell"] quick={}
results = ""  # a results.parquet of `srlab sweep` (file or address); "" shows the recorded sweep

# %% tags=["hide-cell"]
import pandas as pd

from srlab.studies.ddr import RECORDED
from srlab.studies.study import Study, reaches, span, stays_below
from srlab.studies.sweeps import effects_figure, outcome_words, read_results

study = Study(
    "ddr/residual_everywhere",
    claim="The global residual separates degradations for other seeds, pictures and projections",
    source="srlab's own, after DDR, Sec. 4.3",
    claims={
        "ratio": "CHI with GR is at least 50 times that without, in every point",
        "above": "level + (20) with GR, in every point",
        "below": "below 20 without GR, in every point",
    },
    controls={"finished": "every point finished"},
    own_question=True,
    image_set=results or "photographs, b100, urban100-30",
)

WITH, WITHOUT = "CHI at RB16, with GR", "CHI at RB16, without GR"
RATIO = "smallest ratio over seeds"
rows = read_results(results or RECORDED)
points = {row["point"]: row for row in rows}
table = pd.DataFrame(rows).pivot(index="point", columns="measure", values="value")
ratio, above, below = (table[measure] for measure in (RATIO, WITH, WITHOUT))
made = rows[0]
print(
    f"{len(points)} points on {made['hardware']}, {made['date']}:",
    f"{sum(row['seconds'] or 0 for row in points.values()) / 60:.0f} minutes of notebooks,",
    f"at most {max(row['memory'] or 0 for row in points.values()) / 2**30:.1f} GiB each",
)

# %% name="hero" tags=["hide-input"] mystnb={"figure": {"caption": "One row for each combination: the notebook's verdict, and what it measured after ResBlock 16, the Caliński–Harabasz index (CHI) with and without GR and their ratio. Dotted: what the criterion asks. Is there a row in which a dot comes close to its dotted line?", "name": "fig-everywhere"}}
effects_figure(rows, [WITH, WITHOUT, RATIO], {WITH: 20, WITHOUT: 20, RATIO: 50})

# %% [markdown]
# ## What was run
#
# The page shows a **recorded** sweep: twelve runs of several minutes take too long for a page. This
# command repeats it in some minutes on two cores:
#
# ```bash
# srlab sweep ddr/global_residual --out residual \
#     -p 'training_seeds=[0]' -p 'training_seeds=[1]' \
#     -p image_set=photographs -p image_set=b100 -p image_set=urban100-30 \
#     -p projection=tsne -p projection=pca
# ```

# %% tags=["remove-input"]
study

# %% [markdown]
# ## Verdict

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict on the sweep shown above. Spread: lowest to highest over its points.", "name": "fig-everywhere-verdict"}}
full = sum("✔" in outcome_words(row) for row in points.values())
study.measure("smallest ratio over points", ratio.min(), glue="everywhere_ratio")
study.measure("CHI with GR, mean over points", above.dropna())
study.measure("CHI without GR, mean over points", below.dropna())
study.measure("points that reproduced the page's own criterion", full, glue="everywhere_full")
study.glue(
    everywhere_points=len(points),
    everywhere_weakest=ratio.idxmin(),
    everywhere_with=above.min(),
    everywhere_without=below.max(),
    everywhere_date=str(made["date"]),
)
study.verdict(
    ratio=reaches(span(ratio.dropna()), 50),
    above=reaches(span(above.dropna()), 20),
    below=stays_below(span(below.dropna()), 20),
    finished=table[[RATIO, WITH, WITHOUT]].notna().all(axis=None),
    notes={"recorded": made["date"]},
)

# %% [markdown]
# ## What we have seen
#
# - Of {glue:text}`everywhere_points` combinations, {glue:text}`everywhere_full:.0f` reproduce the whole
#   criterion of {doc}`global_residual`, growth with depth included.
# - With GR CHI is {glue:text}`everywhere_with:.0f` or more, without it {glue:text}`everywhere_without:.2f`
#   or less. The smallest ratio is {glue:text}`everywhere_ratio:.0f`, at *{glue:text}`everywhere_weakest`*.
# - The sweep was recorded on {glue:text}`everywhere_date` and is not repeated with each build of the book.
#
# ## Exercises
#
# 1. Why are twelve combinations of two seeds not twelve independent confirmations?
# 2. Which of the three choices (seed, pictures, projection) asks whether the finding is about the network,
#    and which whether it is about our way of looking?
#
# ```{dropdown} Answers
# 1. Only two pairs of networks were trained; pictures and projections look at the same weights again and
#    again.
# 2. The seed and the pictures ask about the network; the projection is our way of looking.
# ```
#
# To go on: run the command above, then this notebook with `results = "residual/results.parquet"`.
# {doc}`/book/batch` tells how any notebook becomes a sweep.
