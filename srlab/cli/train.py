"""Training: `srlab train`."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from srlab.cli.networks import Device
from srlab.cli.stopping import stopped


def train(
    name: Annotated[str, typer.Argument(help="A recipe; `srlab list recipes` shows them.")],
    folder: Annotated[Path | None, typer.Option(help="Default: runs/NAME.")] = None,
    device: Device = "auto",
    devices: Annotated[int, typer.Option(help="How many of them on each node.")] = 1,
    nodes: Annotated[int, typer.Option(help="Machines that Slurm or torchrun started.")] = 1,
    strategy: Annotated[str, typer.Option(help='How devices share a batch: "ddp".')] = "ddp",
    precision: Annotated[
        str | None,
        typer.Option(help='"auto", "float32" or "bfloat16". Default: what the recipe says.'),
    ] = None,
) -> None:
    """Train a recipe and save its checkpoints. Interrupted, the same command goes on.

    On any number of devices the recipe's batch is the same; they share it.
    """
    from srlab.training.fit import fit
    from srlab.training.processes import processes
    from srlab.training.recipes import recipe
    from srlab.training.ship import ship

    chosen, folder = recipe(name), folder or Path("runs", name)
    chosen = replace(chosen, precision=precision or chosen.precision)
    own = processes(chosen, device=device, devices=devices, nodes=nodes, strategy=strategy)
    words = f"The same command goes on from the last state saved in {folder}; "
    with stopped(f"{words}delete that folder to start anew."), own as fabric:
        result = fit(chosen, folder=folder, fabric=fabric)
    if not fabric.is_global_zero:
        return
    for path in ship(name, result, folder, steps=chosen.snapshots):
        typer.echo(str(path))
    typer.echo(f"{quality(result.history[-1])} after {chosen.steps} steps")


def quality(measured: Mapping[str, float]) -> str:
    """{"psnr": 27.1} or {"accuracy": 0.8} as people say it."""
    if "psnr" in measured:
        return f"{measured['psnr']:.2f} dB"
    return f"{measured['accuracy']:.1%} right"
