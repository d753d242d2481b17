# %% [markdown]
# (finding-residual-everywhere)=
# # The residual's effect does not hang on one seed, one picture set or one projection
#
# ## The claim
#
# A finding shown once may be luck: one network, one set of pictures, one way to draw them. The paper
# shows its clouds for one network on one set under t-SNE ({cite:t}`liu2021discovering`, Sec. 4.3);
# {doc}`/book/findings/ddr/global_residual` adds training seeds. Here the whole notebook is run again
# for **every combination** of networks, pictures and projections. A finding that is worth its name
# comes out the same in all of them.
#
# | | the paper | here |
# |---|---|---|
# | networks of each kind | one | two, trained from different seeds |
# | pictures | one set | the embedded photographs, B100, 30 pictures of Urban100 |
# | projection to two dimensions | t-SNE | t-SNE, and the first two principal components |

# %% [markdown]
# ## Parameters

# %% tags=["parameters"] quick={}
results = ""  # a results.parquet of `srlab sweep` (file or address); "" shows the recorded sweep

# %% [markdown]
# ## What was run
#
# Twelve points of minutes are more than a page should wait for. So this page shows a **recorded** sweep,
# made by this command, which takes some minutes on two cores and runs again on yours:
#
# ```bash
# srlab sweep ddr/global_residual --out residual \
#     -p 'training_seeds=[0]' -p 'training_seeds=[1]' \
#     -p image_set=photographs -p image_set=b100 -p image_set=urban100-30 \
#     -p projection=tsne -p projection=pca
# ```

# %% tags=["hide-input"]
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
study

# %%
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

# %% [markdown]
# ## Twelve times the same notebook

# %% tags=["hide-input"] mystnb={"figure": {"caption": "One row a point of the grid: how the notebook judged itself, and what it measured behind ResBlock 16. Look at the gap between the first two panels: it holds in every row.", "name": "fig-everywhere"}}
effects_figure(rows, [WITH, WITHOUT, RATIO])

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
# - Of {glue:text}`everywhere_points` points, {glue:text}`everywhere_full` reproduce the whole criterion of
#   {doc}`/book/findings/ddr/global_residual`, growth with depth included.
# - With the residual the CHI is never below {glue:text}`everywhere_with:.0f`, without it never above
#   {glue:text}`everywhere_without:.2f`. The weakest ratio is {glue:text}`everywhere_ratio:.0f`, at
#   *{glue:text}`everywhere_weakest`*.
# - This sweep was recorded on {glue:text}`everywhere_date` and is not rerun with each build of the book;
#   the page of the finding itself is.
#
# ## Try it yourself
#
# - Run the command above, then this notebook with `results = "residual/results.parquet"`.
# - Any notebook and any of its parameters make a sweep: {doc}`/book/batch` tells how, on this machine or
#   on a cluster.
