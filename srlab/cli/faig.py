"""Filters of a degradation: `srlab faig`."""

from pathlib import Path
from typing import Annotated

import typer

from srlab.cli.networks import Device, device_named, from_here


def faig(
    baseline: Annotated[str, typer.Option(help="Weights before: a checkpoint's name or a file.")],
    target: Annotated[str, typer.Option(help="What fine-tuning on degradations made of them.")],
    network: Annotated[
        str | None,
        typer.Option(help="Whose weights they are, if not srlab's: package.module:factory(64)."),
    ] = None,
    degradations: Annotated[
        str, typer.Option(help="Two or more of blur:SIGMA (HR pixels), noise:SIGMA, jpeg:QUALITY.")
    ] = "blur:2,noise:0.1",
    resampling: Annotated[
        str, typer.Option(help='How HR pictures are made small: "bilinear" or "bicubic".')
    ] = "bilinear",
    images: Annotated[
        str, typer.Option(help="An image set or a folder of HR pictures.")
    ] = "photographs",
    windows: Annotated[int, typer.Option(help="How many windows to cut from them.")] = 12,
    size: Annotated[int, typer.Option(help="Side of a window, HR pixels.")] = 128,
    fraction: Annotated[float, typer.Option(help="The share of all filters to choose.")] = 0.01,
    steps: Annotated[int, typer.Option(help="Steps of the path integral.")] = 16,
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("filters"),
    device: Device = "auto",
) -> None:
    """Find the filters of each degradation between two states of a network, and mask them.

    Writes scores.parquet, the masked networks as .safetensors and report.html.
    """
    from srlab.pages.faig import analyse_files

    spot = device_named(device)
    with from_here():
        lines = analyse_files(
            out,
            network=network,
            baseline=baseline,
            target=target,
            degradations=degradations,
            resampling=resampling,
            images=images,
            count=windows,
            size=size,
            fraction=fraction,
            steps=steps,
            device=spot,
        )
    typer.echo("\n".join(lines))
