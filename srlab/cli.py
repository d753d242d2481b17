"""The command `srlab`: book · run · train · lam · list. Heavy modules load inside each command."""

import ast
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


app = typer.Typer(
    help="What super-resolution networks know. Any command takes --debug: show where an error "
    "arose instead of one line about it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
EXPECTED = (ValueError, OSError, ImportError)  # raised with words for the reader

Quick = Annotated[bool, typer.Option("--quick", help="Short parameters, seconds a notebook.")]
Force = Annotated[bool, typer.Option("--force", help="Run again what is cached.")]
Device = Annotated[str, typer.Option(help='"auto", "cpu", "cuda", "cuda:1", "mps".')]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; an error is one message on stderr and exit code 1."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app([argument for argument in given if argument != "--debug"], prog_name="srlab")
    except Exception as error:
        if "--debug" in given:
            raise
        known = isinstance(error, EXPECTED) or type(error).__module__.startswith("srlab.")
        kind, hint = ("", "") if known else (f"{type(error).__name__}: ", " (--debug shows where)")
        if isinstance(error, ModuleNotFoundError):
            hint = "; pip install 'srlab[book]' brings what the book needs"
        typer.echo(f"srlab: {kind}{error}{hint}", err=True)
        sys.exit(1)


@app.command()
def book(
    quick: Quick = False,
    force: Force = False,
    workers: Annotated[int, typer.Option(help="Notebooks at a time.")] = 2,
) -> None:
    """Run the notebooks that changed and compile the book."""
    from srlab.bookkit.build import build_book

    build_book(quick=quick, force=force, workers=workers)


@app.command()
def run(
    names: Annotated[list[str], typer.Argument(help="ddr/global_residual, or ddr for all of it.")],
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="NAME=VALUE", help="Replace a parameter; repeat for more."),
    ] = None,
    quick: Quick = False,
    force: Force = False,
    workers: Annotated[int, typer.Option(help="Notebooks at a time.")] = 2,
) -> None:
    """Execute notebooks, with other parameters if you like."""
    from srlab.bookkit.runner import run_notebooks

    chosen = dict(_assignment(text) for text in parameter or ())
    run_notebooks(names, parameters=chosen, quick=quick, force=force, workers=workers)


@app.command()
def train(
    name: Annotated[str, typer.Argument(help="A recipe; `srlab list recipes` shows them.")],
    folder: Annotated[Path | None, typer.Option(help="Default: runs/NAME.")] = None,
    device: Device = "auto",
) -> None:
    """Train a recipe and save its checkpoints. Interrupted, the same command goes on."""
    from srlab.training.fit import fit
    from srlab.training.recipes import recipe
    from srlab.training.ship import ship

    chosen, folder = recipe(name), folder or Path("runs", name)
    try:
        result = fit(chosen, folder=folder, device=device)
    except KeyboardInterrupt:
        typer.echo(
            f"\nStopped. The same command goes on from the last state saved in {folder}; "
            "delete that folder to start anew.",
            err=True,
        )
        raise typer.Exit(130) from None
    for path in ship(name, result, folder, steps=chosen.snapshots):
        typer.echo(str(path))
    typer.echo(f"{_quality(result.history[-1])} after {chosen.steps} steps")


@app.command()
def lam(
    image: Annotated[Path, typer.Option(help="The picture that the network is given.")],
    model: Annotated[
        str | None, typer.Option(help="Your network: package.module:factory(channels=64).")
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="Its .safetensors or .pth file.")] = None,
    checkpoint: Annotated[
        str | None, typer.Option(help="One of srlab's networks instead, or a file of its own.")
    ] = None,
    patch: Annotated[
        str | None, typer.Option(metavar="TOP,LEFT,SIZE", help="In SR pixels. Default: centre, 16.")
    ] = None,
    target: Annotated[
        str,
        typer.Option(help="What of the patch: gradient, edges:ANGLE, colour, band:LOW,HIGH …"),
    ] = "gradient",
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("map.html"),
    npz: Annotated[Path | None, typer.Option(help="Write the raw attribution as well.")] = None,
    scale: Annotated[int | None, typer.Option(help="Refuse a network of another scale.")] = None,
    reduce: Annotated[
        int, typer.Option(help="Shrink the picture by this first, if it is high resolution.")
    ] = 1,
    crop: Annotated[
        int | None, typer.Option(help="Take only so many LR pixels a side, around the patch.")
    ] = None,
    multiple: Annotated[int, typer.Option(help="The network takes sizes of this multiple.")] = 1,
    value_range: Annotated[
        str, typer.Option("--range", metavar="HIGH or LOW,HIGH", help="Values the network takes.")
    ] = "1",
    output_index: Annotated[
        str | None, typer.Option(help="Which part of the network's answer is the image.")
    ] = None,
    rule: Annotated[str, typer.Option(help="Quadrature rule.")] = "arc-midpoint",
    steps: Annotated[int, typer.Option(help="Steps of the path integral.")] = 16,
    path: Annotated[str, typer.Option(help='"deblur" or "linear".')] = "deblur",
    baseline: Annotated[str, typer.Option(help='"blur" or "black".')] = "blur",
    device: Device = "auto",
) -> None:
    """Map the LR pixels that decided a patch of the SR image, for any network."""
    from srlab.attribution.targets import named_measure
    from srlab.checkpoints import versions
    from srlab.contract import UNLIKE
    from srlab.devices import hardware
    from srlab.explain import explain
    from srlab.report import lam_report, percent

    network, title = _network(model, weights, checkpoint)
    place, settings = _device(device), {"path": path, "baseline": baseline, "rule": rule}
    found = explain(
        network.to(place),
        _picture(image, reduce).to(place),
        patch=_numbers("--patch", patch, 2, 3) if patch else None,
        crop=crop,
        measure=named_measure(target),
        adapt={
            "scale": scale,
            "multiple": multiple,
            "value_range": _range(value_range),
            "output": output_index,
        },
        steps=steps,
        **settings,
    )
    checks = found.contract.checks()
    cut = f"{crop} LR pixels a side around the patch" if crop else "the whole picture"
    facts = {
        "Settings": {
            "picture": f"{image}" + (f", reduced by {reduce}" if reduce > 1 else ""),
            "taken of it": cut,
            "patch in the whole SR image": patch or "the central 16×16",
            "explained of it": target,
            **settings,
            "steps": f"{steps}",
            "device": f"{place}",
        },
        "What the network does": checks,
        "Made with": {**versions(), "hardware": hardware()},
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    pictures = (found.lr, found.sr, found.attribution, found.target)
    out.write_text(lam_report(f"{title} · {image.name}", *pictures, facts), "utf-8")
    if npz:
        found.save(npz, facts)
    if found.contract.unlikeness > UNLIKE:
        resembles = checks["output resembles the input"]
        typer.echo(f"Does the output resemble the input? {resembles} (--range)", err=True)
    typer.echo(f"diffusion index     {found.diffusion_index:.2f}")
    typer.echo(f"completeness error  {percent(found.attribution.completeness_error)}")
    typer.echo(f"open {out}")


class Topic(StrEnum):
    """What `srlab list` can be asked for."""

    MODELS = "models"
    CHECKPOINTS = "checkpoints"
    OFFICIAL = "official"
    RECIPES = "recipes"
    IMAGES = "images"
    FINDINGS = "findings"


@app.command("list")
def list_(topic: Annotated[Topic | None, typer.Argument()] = None) -> None:
    """What there is: models, checkpoints, published weights, recipes, image sets, findings."""
    tables = {
        Topic.MODELS: _models,
        Topic.CHECKPOINTS: _checkpoints,
        Topic.OFFICIAL: _official,
        Topic.RECIPES: _recipes,
        Topic.IMAGES: _images,
        Topic.FINDINGS: _findings,
    }
    for chosen in [topic] if topic else Topic:
        typer.echo(f"{chosen.value}\n{_aligned(tables[chosen]())}\n")


def _network(
    model: str | None, weights: Path | None, checkpoint: str | None
) -> "tuple[nn.Module, str]":
    """The network and what to call it."""
    from srlab.checkpoints import load_checkpoint
    from srlab.foreign import load_network

    if (model is None) == (checkpoint is None):
        raise ValueError(
            "name one network: --model package.module:factory for yours, "
            "or --checkpoint for one that `srlab list checkpoints` shows"
        )
    if model is None:
        if weights:
            raise ValueError("--weights belongs to --model; a checkpoint brings its own")
        network, provenance = load_checkpoint(str(checkpoint))
        return network, provenance.name
    sys.path.insert(0, str(Path.cwd()))
    return load_network(model, weights), f"{model} {weights.name if weights else ''}".strip()


def _device(name: str) -> "torch.device":
    import torch

    from srlab.devices import pick_device

    try:
        return torch.empty(0, device=pick_device(name)).device
    except Exception as error:
        raise ValueError(f"no device {name!r} on this machine: {error}") from error


def _picture(path: Path, reduce: int) -> "Tensor":
    from srlab.degradations import Degradation
    from srlab.images import crop_to_multiple, read_image

    return Degradation(scale=reduce)(crop_to_multiple(read_image(path)[None], reduce))


def _numbers(option: str, text: str, *counts: int) -> tuple[int, ...]:
    with suppress(ValueError):
        numbers = tuple(int(part) for part in text.split(","))
        if len(numbers) in counts:
            return numbers
    raise ValueError(f"{option} takes {' or '.join(map(str, counts))} whole numbers, got {text!r}")


def _range(text: str) -> tuple[float, float]:
    with suppress(ValueError):
        *low, high = (float(part) for part in text.split(","))
        if len(low) < 2:
            return (low[0] if low else 0.0, high)
    raise ValueError(f"--range takes HIGH or LOW,HIGH, as in 255 or -1,1; got {text!r}")


def _assignment(text: str) -> tuple[str, Any]:
    """name=value; the value is a Python or JSON literal, else text."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise ValueError(f"-p takes name=value, got {text!r}")
    for read in (ast.literal_eval, json.loads):
        with suppress(ValueError, SyntaxError):
            return name, read(value)
    return name, value


Rows = Iterable[Sequence[str]]


def _aligned(rows: Rows) -> str:
    rows = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(f"  {line}" for line in lines) or "  none"


def _quality(measured: Mapping[str, float]) -> str:
    """{"psnr": 27.1} or {"accuracy": 0.8} as people say it."""
    if "psnr" in measured:
        return f"{measured['psnr']:.2f} dB"
    return f"{measured['accuracy']:.1%} right"


def _models() -> Rows:
    from srlab.models import CLASSIFIERS, MODELS

    for name, model in (MODELS | CLASSIFIERS).items():
        yield name, (model.__doc__ or "").split("\n")[0]


def _checkpoints() -> Rows:
    from srlab.checkpoints import WEIGHTS, read_provenance, shipped_checkpoints

    provenance = {name: read_provenance(name) for name in shipped_checkpoints()}
    for name in sorted(
        provenance, key=lambda name: (name.partition("@")[0], provenance[name].step)
    ):
        made = provenance[name]
        size = (WEIGHTS / f"{name}.safetensors").stat().st_size / 1e6
        quality = ", ".join(
            f"{_quality({metric: value})} on {images}"
            for metric in ("psnr", "accuracy")
            for images, value in getattr(made, metric).items()
        )
        yield made.name, made.architecture, f"{size:.2f} MB", quality, f"{made.step} steps"


def _official() -> Rows:
    from srlab.assets import OFFICIAL_WEIGHTS

    for name, file in OFFICIAL_WEIGHTS.items():
        yield name, "download", f"{file.size / 1e6:.2f} MB", file.repository, file.licence


def _recipes() -> Rows:
    from srlab.training.recipes import RECIPES

    for name, made in RECIPES.items():
        settings = ", ".join(f"{key}={value}" for key, value in made.hyperparameters.items())
        built = f"{made.architecture}({settings})"
        yield name, built, f"{made.steps} steps", " + ".join(made.image_sets)


def _images() -> Rows:
    from srlab.assets import IMAGE_SETS
    from srlab.datasets import EMBEDDED

    for name, pictures in EMBEDDED.items():
        packages = " and ".join(dict.fromkeys(part.split(".")[0] for part in pictures.values()))
        yield name, "embedded", "for tests", f"see {packages}"
    for name, images in IMAGE_SETS.items():
        yield name, "download", "for training" if images.trainable else "for tests", images.licence


def _findings() -> Rows:
    from srlab.bookkit.project import find_notebooks, find_root

    try:
        notebooks = find_notebooks(find_root())
    except FileNotFoundError:
        yield ("in a checkout of srlab's repository only",)
        return
    for notebook in notebooks:
        record = json.loads(notebook.record.read_text("utf-8")) if notebook.record.is_file() else {}
        yield notebook.name, record.get("verdict", "run" if notebook.page.is_file() else "not run")
