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
#
# :::{admonition} Criterion, set before the experiment
# :class: important
# In **every** point: behind ResBlock 16 the CHI with GR is at least **50 times** that without, reaches
# 20 with it, and stays below 20 without.
# :::

# %% tags=["hide-cell"]
from myst_nb import glue

from srlab.studies.ddr import RECORDED
from srlab.studies.parameters import check_parameters
from srlab.studies.study import Finding, record, span
from srlab.studies.sweeps import effects_figure, outcome_words, read_results

check_parameters()
finding = Finding(
    name="ddr/residual_everywhere",
    claim="The global residual separates degradations for other seeds, pictures and projections",
    source="srlab's own, after DDR, Sec. 4.3",
    criterion=(
        "In every point of seeds × image sets × projections, CHI behind ResBlock 16 with GR is at "
        "least 50 times that without, reaches 20 with it and stays below 20 without."
    ),
)
WITH, WITHOUT, RATIO = (
    *("CHI at RB16, with GR", "CHI at RB16, without GR"),
    "smallest ratio over seeds",
)

# %%
rows = read_results(results or RECORDED)
points = {row["point"]: row for row in rows}
values = {
    measure: {row["point"]: row["value"] for row in rows if row["measure"] == measure}
    for measure in (WITH, WITHOUT, RATIO)
}
made = next(iter(points.values()))
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

# %% tags=["remove-cell"]
outcomes = [outcome_words(row) for row in points.values()]
weakest = min(values[RATIO], key=values[RATIO].get)
glue("everywhere_points", len(points), display=False)
glue("everywhere_full", sum("✔" in outcome for outcome in outcomes), display=False)
glue("everywhere_ratio", values[RATIO][weakest], display=False)
glue("everywhere_weakest", weakest, display=False)
glue("everywhere_with", min(values[WITH].values()), display=False)
glue("everywhere_without", max(values[WITHOUT].values()), display=False)
glue("everywhere_date", str(made["date"]), display=False)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The verdict on the sweep shown above. Spread: lowest to highest over its points.", "name": "fig-everywhere-verdict"}}
complete = all(len(own) == len(points) for own in values.values())
record(
    finding,
    checks={
        "every point finished": complete,
        "CHI with GR is at least 50 times that without, in every point": (
            min(values[RATIO].values()) >= 50
        ),
        "level + (20) with GR, in every point": min(values[WITH].values()) >= 20,
        "below 20 without GR, in every point": max(values[WITHOUT].values()) < 20,
    },
    measured={
        "smallest ratio over points": min(values[RATIO].values()),
        "CHI with GR, mean over points": sum(values[WITH].values()) / len(values[WITH]),
        "CHI without GR, mean over points": sum(values[WITHOUT].values()) / len(values[WITHOUT]),
        "points that reproduced the page's own criterion": sum("✔" in own for own in outcomes),
    },
    interval={
        "CHI with GR, mean over points": span(values[WITH].values()),
        "CHI without GR, mean over points": span(values[WITHOUT].values()),
    },
    image_set=results or "photographs, b100, urban100-30",
    parameters={"results": results or "recorded", "recorded": made["date"]},
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
