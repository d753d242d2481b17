"""What there is: `srlab list`."""

import json
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated

import typer

from srlab.cli.train import quality

Rows = Iterable[Sequence[str]]


class Topic(StrEnum):
    """What `srlab list` can be asked for."""

    MODELS = "models"
    CHECKPOINTS = "checkpoints"
    OFFICIAL = "official"
    RECIPES = "recipes"
    IMAGES = "images"
    FINDINGS = "findings"


def show(topic: Annotated[Topic | None, typer.Argument()] = None) -> None:
    """What there is: models, checkpoints, published weights, recipes, image sets, findings."""
    tables = (_models, _checkpoints, _official, _recipes, _images, _findings)
    for own, rows in zip(Topic, tables, strict=True):
        if topic in (None, own):
            typer.echo(f"{own.value}\n{aligned(rows())}\n")


def aligned(rows: Rows) -> str:
    """A table whose columns stand below each other."""
    rows = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(f"  {line}" for line in lines) or "  none"


def _models() -> Rows:
    from srlab.models import CLASSIFIERS, MODELS

    for name, model in (MODELS | CLASSIFIERS).items():
        yield name, (model.__doc__ or "").split("\n")[0]


def _checkpoints() -> Rows:
    from srlab.checkpoints.files import read_provenance, shipped_checkpoints, shipped_file

    provenance = map(read_provenance, shipped_checkpoints())
    for made in sorted(provenance, key=lambda made: (made.name.partition("@")[0], made.step)):
        size = shipped_file(made.name).stat().st_size / 1e6
        measured = ", ".join(
            f"{quality({metric: value})} on {images}"
            for metric in ("psnr", "accuracy")
            for images, value in getattr(made, metric).items()
        )
        yield made.name, made.architecture, f"{size:.2f} MB", measured, f"{made.step} steps"


def _official() -> Rows:
    """As --network takes them."""
    from srlab.checkpoints.load import OFFICIAL
    from srlab.checkpoints.official import BROUGHT, on_board
    from srlab.data.assets import OFFICIAL_WEIGHTS

    for name, file in sorted(OFFICIAL_WEIGHTS.items(), key=lambda row: not on_board(row[0])):
        here = on_board(name)
        size = here.stat().st_size if here else file.size
        told = "on board" if here else "download", f"{size / 1e6:.2f} MB"
        yield f"{OFFICIAL}{name}", *told, file.repository, file.licence
    for name in BROUGHT:
        yield f"{OFFICIAL}{name},weights=FILE", "a file of yours", "", "", ""


def _recipes() -> Rows:
    from srlab.training.recipes import RECIPES

    for name, made in RECIPES.items():
        settings = ", ".join(f"{key}={value}" for key, value in made.hyperparameters.items())
        built = f"{made.architecture}({settings})"
        yield name, built, f"{made.steps} steps", " + ".join(made.image_sets)


def _images() -> Rows:
    from srlab.data.assets import IMAGE_SETS
    from srlab.data.datasets import EMBEDDED

    for name, pictures in EMBEDDED.items():
        packages = " and ".join(dict.fromkeys(part.split(".")[0] for part in pictures.values()))
        yield name, "embedded", "for tests", f"see {packages}"
    for name, images in IMAGE_SETS.items():
        yield name, "download", "for training" if images.trainable else "for tests", images.licence


def _findings() -> Rows:
    from srlab.book.project import find_notebooks, find_root

    try:
        notebooks = find_notebooks(find_root())
    except FileNotFoundError:
        yield ("in a checkout of srlab's repository only",)
        return
    for notebook in notebooks:
        record = json.loads(notebook.record.read_text("utf-8")) if notebook.record.is_file() else {}
        yield notebook.name, record.get("verdict", "run" if notebook.page.is_file() else "not run")
