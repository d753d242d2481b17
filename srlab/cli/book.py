"""Notebooks: `srlab book`, `srlab run`, `srlab sweep`."""

import ast
import json
from contextlib import suppress
from typing import Annotated, Any

import typer

from srlab.cli.stopping import stopped

Names = Annotated[list[str], typer.Argument(help="ddr/global_residual, or ddr for all of it.")]
Quick = Annotated[bool, typer.Option("--quick", help="Short parameters, seconds a notebook.")]
Force = Annotated[bool, typer.Option("--force", help="Run again what is cached.")]
Workers = Annotated[int, typer.Option(help="Notebooks at a time.")]
Grid = Annotated[
    list[str] | None,
    typer.Option(
        "-p",
        metavar="NAME=VALUE",
        help="A value to try; repeat a name for more. All combinations are run.",
    ),
]


def book(quick: Quick = False, force: Force = False, workers: Workers = 2) -> None:
    """Run the notebooks that changed and compile the book."""
    from srlab.book.build import build_book

    with stopped("Finished pages stay; the same command does the others."):
        build_book(quick=quick, force=force, workers=workers)


def run(
    names: Names,
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="NAME=VALUE", help="Replace a parameter; repeat for more."),
    ] = None,
    quick: Quick = False,
    force: Force = False,
    workers: Workers = 2,
) -> None:
    """Execute notebooks, with other parameters if you like."""
    from srlab.book.runner import run_notebooks

    chosen = dict(_assignment(text) for text in parameter or ())
    with stopped("Finished pages stay; the same command does the others."):
        run_notebooks(names, parameters=chosen, quick=quick, force=force, workers=workers)


def sweep(
    names: Names,
    parameter: Grid = None,
    out: Annotated[
        str, typer.Option(help="Folder or address (s3://…, gs://…) that all workers reach.")
    ] = "sweep",
    workers: Annotated[int, typer.Option(help="Notebooks at a time, on this machine.")] = 2,
    memory: Annotated[
        str | None,
        typer.Option(help="What a notebook may take, 4GiB. Default: its share of the machine's."),
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="tcp://… of a running Dask cluster, in place of --workers.")
    ] = None,
    quick: Quick = False,
    force: Force = False,
) -> None:
    """Run notebooks under all combinations of parameters, on as many processes as you like.

    Each point leaves its notebook and outcome, all together results.parquet and index.html. Run
    again, it does what is missing, failed or out of date.
    """
    from tqdm.auto import tqdm

    from srlab.book.sweep import run_sweep
    from srlab.pages.sweep import PAGE
    from srlab.studies.sweeps import FAILED

    axes: dict[str, list[Any]] = {}
    for name, value in map(_assignment, parameter or ()):
        axes.setdefault(name, []).append(value)
    with stopped("Finished points stay; the same command does the others."):
        outcomes = run_sweep(
            names,
            axes,
            out,
            quick=quick,
            force=force,
            workers=workers,
            memory=memory,
            scheduler=scheduler,
            report=tqdm.write,  # above the bar
        )
    failed = sum(outcome["state"] == FAILED for outcome in outcomes)
    typer.echo(f"{len(outcomes) - failed} points finished, {failed} failed")
    typer.echo(f"open {out.rstrip('/')}/{PAGE}")
    if failed:
        raise typer.Exit(1)


def _assignment(text: str) -> tuple[str, Any]:
    """name=value; the value is a Python or JSON literal, else text."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise ValueError(f"-p takes name=value, got {text!r}")
    for read in (ast.literal_eval, json.loads):
        with suppress(ValueError, SyntaxError):
            return name, read(value)
    return name, value
