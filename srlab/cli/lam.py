"""Local attribution maps: `srlab lam`."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from srlab.cli.listing import aligned
from srlab.cli.networks import Device, as_option, device_named, from_here

if TYPE_CHECKING:
    from srlab.pages.explain import Comparison


Network = Annotated[
    list[str],
    typer.Option(
        metavar="NETWORK[,SETTING=VALUE…]",
        help="edsr, as `srlab list checkpoints` has it; official:imdn, as `srlab list "
        "official`; weights.pth, which spandrel knows; or yours, mynet:Net(64) or "
        "../folder/package.module:Net. Behind commas: weights=FILE, range=255 or [-1,1] (the "
        "values it takes), multiple=8 (of its heights and widths), output=0 (the image's place "
        "in its answer). Repeat for several networks.",
    ),
]
Image = Annotated[Path, typer.Option(help="The picture that the networks are given.")]
Patch = Annotated[
    str | None, typer.Option(metavar="TOP,LEFT,SIZE", help="In SR pixels. Default: centre, 16.")
]
Target = Annotated[
    str,
    typer.Option(
        help="What of the patch: gradient, edges:ANGLE, colour, band:LOW,HIGH, brightness; "
        "mask:FILE counts where a picture of the SR image's or the patch's size is white, or "
        "has an object's number; residual, or residual:edges:ANGLE and so on, is the same of SR "
        "less the bicubic enlargement, so that what a skip hands through does not count."
    ),
]
Raw = Annotated[
    Path | None, typer.Option(help="Write the raw attribution as well; of several, numbered.")
]
Reduce = Annotated[
    int,
    typer.Option(
        help="Shrink the picture by this first, if it is high resolution: exactly as Pillow's "
        "bicubic does with 8 bits."
    ),
]
Crop = Annotated[
    int | None, typer.Option(help="Take only so many LR pixels a side, around the patch.")
]
Tolerance = Annotated[
    float, typer.Option(help="Gradients are taken until the map's expected error is so small.")
]
Steps = Annotated[
    int | None, typer.Option(help="Take so many gradients instead; LAM's code takes 50.")
]
Rule = Annotated[
    str | None, typer.Option(help="Where --steps lie: arc-midpoint, or right as in LAM's code.")
]
Robust = Annotated[
    bool,
    typer.Option("--robust", help="Repeat each map with other baselines and windows (10 times)."),
]


def lam(
    network: Network,
    image: Image,
    patch: Patch = None,
    target: Target = "gradient",
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("map.html"),
    npz: Raw = None,
    scale: Annotated[int | None, typer.Option(help="Refuse a network of another scale.")] = None,
    reduce: Reduce = 1,
    crop: Crop = None,
    tolerance: Tolerance = 0.05,
    steps: Steps = None,
    rule: Rule = None,
    path: Annotated[str, typer.Option(help='"deblur" or "linear".')] = "deblur",
    baseline: Annotated[str, typer.Option(help='"blur" or "black".')] = "blur",
    robust: Robust = False,
    device: Device = "auto",
) -> None:
    """Map the LR pixels that decided a patch of the SR image, for any network.

    Several networks share one page, which compares them in their order.
    """
    from srlab.pages.maps import map_files

    spot = device_named(device)
    with from_here():
        compared, raw = map_files(
            out,
            network,
            image,
            npz=npz,
            patch=_whole_numbers(patch) if patch else None,
            target=target,
            scale=scale,
            reduce=reduce,
            crop=crop,
            device=spot,
            tell=lambda advice: typer.echo(advice.written(as_option), err=True),
            path=path,
            baseline=baseline,
            rule=rule,
            steps=steps,
            tolerance=tolerance,
            robust=robust,
        )
    _tell(compared, raw)
    typer.echo(f"open {out}")
    if compared.failed:
        raise typer.Exit(1)


def _tell(compared: "Comparison", raw: Mapping[str, Path]) -> None:
    """The numbers of one map, or of several as a table."""
    from srlab.pages.lam import percent

    rows = [
        (
            name,
            f"{found.diffusion_index:.2f}",
            percent(found.completeness_error),
            f"{raw.get(name, '')}",
        )
        for name, found in compared.found.items()
    ]
    if len(rows) + len(compared.failed) > 1:
        table = [("network", "diffusion index", "completeness error", "raw"), *rows]
        typer.echo(aligned(table if raw else [row[:-1] for row in table]))
    else:
        typer.echo(f"diffusion index     {rows[0][1]}\ncompleteness error  {rows[0][2]}")
    for name, why in compared.failed.items():
        typer.echo(f"{name} has no map: {why}", err=True)


def _whole_numbers(text: str) -> tuple[int, ...]:
    """The two or three numbers of --patch."""
    with suppress(ValueError):
        numbers = tuple(int(part) for part in text.split(","))
        if len(numbers) in (2, 3):
            return numbers
    raise ValueError(f"--patch takes 2 or 3 whole numbers, got {text!r}")
