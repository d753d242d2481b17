"""Networks as ONNX: `srlab export`."""

from pathlib import Path
from typing import Annotated

import typer

from srlab.cli.networks import from_here


def export(
    network: Annotated[
        str, typer.Argument(help="As in `srlab lam`: edsr, official:rfdn, mynet:Net,range=255.")
    ],
    out: Annotated[Path, typer.Argument(help="The file to write.", metavar="OUT.onnx")],
) -> None:
    """Write a network as one ONNX file, its weights bit by bit, for the page that computes."""
    from srlab.checkpoints.export import export as write
    from srlab.checkpoints.load import load

    with from_here():
        typer.echo(write(load(network), out, about={"name": network}))
