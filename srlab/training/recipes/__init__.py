"""Every run whose weights ship, as values, in a table for each paper: `ddr.toml`, `lam.toml`, …

A row is what a checkpoint's header says of a run, without defaults. A row that is `like` another
says only what differs, and keeps the hyperparameters that it does not name unless it names an
architecture: two findings' networks differ in one visible line. `seeds` makes so many runs of it,
"edsr", "edsr-s1", …; "{seed}" stands for that ending. A row without an architecture is no run, but
the terms that several share.
"""

import json
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from srlab.training.recipes.kinds import PRISTINE, Recipe, recipe_from, seed_name, seed_names

Row = dict[str, Any]


def _rows() -> Row:
    rows: Row = {"spaces": {}}
    for paper in ("ddr", "lam", "faig", "redsr"):
        own = tomllib.loads(files(__name__).joinpath(f"{paper}.toml").read_text("utf-8"))
        spaces = rows["spaces"] | own.pop("spaces", {})
        rows |= own | {"spaces": spaces}
    return rows


def _whole(name: str, rows: Row) -> Row:
    """A row with all that it takes from the one that it is like."""
    row = {**rows[name]}
    base = _whole(row.pop("like"), rows) if "like" in row else {}
    if "architecture" not in row:
        row["hyperparameters"] = base.get("hyperparameters", {}) | row.get("hyperparameters", {})
    return base | row


def _recipes(rows: Row) -> Iterator[tuple[str, Recipe]]:
    spaces = rows.pop("spaces")
    for name in rows:
        row: Row = {"type": "Recipe", "seeds": 1, **_whole(name, rows)}
        if "architecture" not in row:
            continue
        row |= {"space": spaces[row["space"]]} if "space" in row else {}
        for seed, own in enumerate(seed_names(name, range(row.pop("seeds")))):
            text = json.dumps(row).replace("{seed}", own.removeprefix(name))
            yield own, recipe_from(json.loads(text) | {"seed": seed})


RECIPES = dict(_recipes(_rows()))
MILD, GENERAL = RECIPES["cincgan"].space, RECIPES["redsr-general"].space
TABLED_WITH_SEEDS = ("redsr-1", "redsr-2", "redsr-3", "redsr-4", "redsr-8")  # of ReDSR, Tab. 2


def recipe(name: str) -> Recipe:
    """The recipe of that name; one that starts anew has any further seed, "fsrcnn-s7"."""
    base, _, seed = name.rpartition("-s")
    if name not in RECIPES and base in RECIPES and seed.isdecimal() and not RECIPES[base].start:
        return RECIPES[base].seeded(int(seed))
    if name not in RECIPES:
        raise ValueError(f"unknown recipe {name!r}; srlab has {', '.join(RECIPES)}")
    return RECIPES[name]
