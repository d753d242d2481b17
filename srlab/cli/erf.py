"""Effective receptive fields: `srlab erf`."""

from pathlib import Path
from typing import Annotated

import typer

from srlab.cli.listing import aligned
from srlab.cli.networks import Device, device_named, from_here


def erf(
    networks: Annotated[
        list[str], typer.Argument(help="As `srlab lam --network` takes them, side by side.")
    ],
    images: Annotated[str, typer.Option(help="A folder of LR pictures, or an image set.")],
    size: Annotated[int, typer.Option(help="LR pixels a side, taken of each picture.")] = 120,
    limit: Annotated[int, typer.Option(help="Take only so many pictures.")] = 100,
    reduce: Annotated[
        int, typer.Option(help="Shrink the pictures by this first, if they are high resolution.")
    ] = 1,
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("erf.html"),
    device: Device = "auto",
) -> None:
    """Measure what an SR pixel listens to, beside what it could see and what decides a patch.

    Both conventions stand on the page: absolute gradients on cropped pictures, and what the
    published scripts do, positive gradients on stretched ones.
    """
    from srlab.attribution.effective_field import SHARES
    from srlab.pages.erf import field_files
    from srlab.pages.overlay import percent

    spot = device_named(device)
    with from_here():
        found = field_files(
            out, networks, images, size=size, limit=limit, reduce=reduce, device=spot
        )
    head = ("network", "field", *(f"{share:.0%}" for share in SHARES), "DI of LAM")
    rows = [
        (
            name,
            own.theoretical,
            *map(percent, own.effective["absolute"].area_ratios().values()),
            f"{own.diffusion_index:.2f}",
        )
        for name, own in found.items()
    ]
    typer.echo(f"{aligned([head, *rows])}\nopen {out}")
