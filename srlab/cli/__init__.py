"""The command `srlab`: book · run · sweep · train · lam · faig · list.

Heavy modules load inside them.
"""

import ast
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from srlab.training.lifetime import ending_at_signals

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from srlab.attribution.targets import Measure
    from srlab.networks.contract import Contract
    from srlab.pages.explain import Comparison, Explanation

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
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a sign that the console lacks ends nothing
    try:
        with ending_at_signals():
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


@contextmanager
def _stopped(words: str) -> Iterator[None]:
    """Say what is kept where Ctrl-C or another signal ends the work."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as stopped:
        with suppress(OSError):  # the terminal may be gone
            typer.echo(f"\nStopped. {words}", err=True)
        if isinstance(stopped, SystemExit):
            raise
        raise typer.Exit(130) from None


@app.command()
def book(
    quick: Quick = False,
    force: Force = False,
    workers: Annotated[int, typer.Option(help="Notebooks at a time.")] = 2,
) -> None:
    """Run the notebooks that changed and compile the book."""
    from srlab.book.build import build_book

    with _stopped("Finished pages stay; the same command does the others."):
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
    from srlab.book.runner import run_notebooks

    chosen = dict(_assignment(text) for text in parameter or ())
    with _stopped("Finished pages stay; the same command does the others."):
        run_notebooks(names, parameters=chosen, quick=quick, force=force, workers=workers)


@app.command()
def sweep(
    names: Annotated[list[str], typer.Argument(help="ddr/global_residual, or ddr for all of it.")],
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "-p",
            metavar="NAME=VALUE",
            help="A value to try; repeat a name for more. All combinations are run.",
        ),
    ] = None,
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
    with _stopped("Finished points stay; the same command does the others."):
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


@app.command()
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
    with _stopped(f"{words}delete that folder to start anew."), own as fabric:
        result = fit(chosen, folder=folder, fabric=fabric)
    if not fabric.is_global_zero:
        return
    for path in ship(name, result, folder, steps=chosen.snapshots):
        typer.echo(str(path))
    typer.echo(f"{_quality(result.history[-1])} after {chosen.steps} steps")


class InOrder(TyperCommand):
    """Remembers in which order options were given: several networks have each its own."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As always, with the names of the options in `ctx.meta`."""
        _, _, order = self.make_parser(ctx).parse_args(list(args))
        ctx.meta["order"] = [parameter.name for parameter in order]
        return super().parse_args(ctx, args)


Texts = list[str] | None
Facts = Mapping[str, Mapping[str, str]]
CHECKS = "What the network does"


@app.command(cls=InOrder)
def lam(
    context: typer.Context,
    image: Annotated[Path, typer.Option(help="The picture that the network is given.")],
    model: Annotated[
        Texts,
        typer.Option(
            help="Your network: package.module:factory(channels=64), of this folder or of one that "
            "stands in front, ../other/package.module:factory."
        ),
    ] = None,
    weights: Annotated[Texts, typer.Option(help="Its .safetensors or .pth file.")] = None,
    checkpoint: Annotated[
        Texts,
        typer.Option(help="One of srlab's networks instead, official:NAME, or a file of its own."),
    ] = None,
    patch: Annotated[
        str | None, typer.Option(metavar="TOP,LEFT,SIZE", help="In SR pixels. Default: centre, 16.")
    ] = None,
    target: Annotated[
        str,
        typer.Option(
            help="What of the patch: gradient, edges:ANGLE, colour, band:LOW,HIGH, brightness; "
            "mask:FILE counts where a picture of the SR image's or the patch's size is white, or "
            "has an object's number."
        ),
    ] = "gradient",
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("map.html"),
    npz: Annotated[
        Path | None, typer.Option(help="Write the raw attribution as well; of several, numbered.")
    ] = None,
    scale: Annotated[int | None, typer.Option(help="Refuse a network of another scale.")] = None,
    reduce: Annotated[
        int,
        typer.Option(
            help="Shrink the picture by this first, if it is high resolution: exactly as Pillow's "
            "bicubic does with 8 bits."
        ),
    ] = 1,
    crop: Annotated[
        int | None, typer.Option(help="Take only so many LR pixels a side, around the patch.")
    ] = None,
    multiple: Annotated[
        Texts, typer.Option(help="The network takes sizes of this multiple.")
    ] = None,
    value_range: Annotated[
        Texts, typer.Option("--range", metavar="HIGH or LOW,HIGH", help="Values the network takes.")
    ] = None,
    output_index: Annotated[
        Texts, typer.Option(help="Which part of the network's answer is the image.")
    ] = None,
    tolerance: Annotated[
        float, typer.Option(help="Gradients are taken until the map's expected error is so small.")
    ] = 0.05,
    steps: Annotated[
        int | None, typer.Option(help="Take so many gradients instead; LAM's code takes 50.")
    ] = None,
    rule: Annotated[
        str | None, typer.Option(help="Where --steps lie: arc-midpoint, or right as in LAM's code.")
    ] = None,
    path: Annotated[str, typer.Option(help='"deblur" or "linear".')] = "deblur",
    baseline: Annotated[str, typer.Option(help='"blur" or "black".')] = "blur",
    device: Device = "auto",
) -> None:
    """Map the LR pixels that decided a patch of the SR image, for any network.

    Name several networks, by --model and --checkpoint as often as you like, and one page compares
    them in this order. --weights, --range, --multiple and --output-index belong to the network
    before them; ahead of the first, to all.
    """
    from srlab.checkpoints.files import versions
    from srlab.devices import hardware
    from srlab.images import read_image
    from srlab.pages.chosen import chosen_networks, whole_numbers
    from srlab.pages.explain import compare, prepare, reduce_picture

    belonging = {
        "model": model,
        "checkpoint": checkpoint,
        "weights": weights,
        "multiple": multiple,
        "value_range": value_range,
        "output_index": output_index,
    }
    chosen = chosen_networks(context.meta["order"], belonging)
    several, spot = len(chosen) > 1, _device(device)
    raw = _raw_files(npz, len(chosen))
    _check_writable(out, *raw)
    lr, questions = reduce_picture(read_image(image)[None], reduce).to(spot), {}
    measure, assumed = _measure(target)
    asked: dict[str, Any] = {
        "patch": whole_numbers("--patch", patch, 2, 3) if patch else None,
        "crop": crop,
        "measure": measure,
    }
    for name, one in chosen.items():
        with _about(name, several=several):
            adapt = {"scale": scale, **one.adapt()}
            questions[name] = prepare(one.network().to(spot), lr, adapt=adapt, **asked)
    settings = {"path": path, "baseline": baseline}
    quadrature: dict[str, Any] = {"rule": rule, "steps": steps, "tolerance": tolerance}
    cut = f"{crop} LR pixels a side around the patch" if crop else "the whole picture"
    facts = {
        "Settings": {
            "picture": f"{image}"
            + (f", reduced by {reduce} (bicubic, 8 bits)" if reduce > 1 else ""),
            "taken of it": cut,
            "patch in the whole SR image": patch or "the central 16×16",
            "explained of it": target + (f" ({assumed})" if assumed else ""),
            **settings,
            "steps": f"{steps}" if steps else f"until the expected error is {tolerance:.1%}",
            "rule": rule or ("arc-midpoint" if steps else "adaptive"),
            "device": f"{spot}",
        },
        "Made with": {**versions(), "hardware": hardware()},
    }
    if assumed:
        typer.echo(f"{target}: {assumed}", err=True)
    for name, question in questions.items():
        _warn(name, question.contract)
    if several:
        compared = compare(questions, **quadrature, **settings)
        _write_comparison(out, raw, image, compared, facts)
        if compared.failed:
            raise typer.Exit(1)
    else:
        ((name, question),) = questions.items()
        found = question.answer(**quadrature, **settings)
        _write_map(out, raw, name, image, found, facts)


@app.command()
def faig(
    baseline: Annotated[str, typer.Option(help="Weights before: a checkpoint's name or a file.")],
    target: Annotated[str, typer.Option(help="What fine-tuning on degradations made of them.")],
    model: Annotated[
        str | None,
        typer.Option(help="For weights not srlab's: package.module:factory(channels=64)."),
    ] = None,
    degradations: Annotated[
        str,
        typer.Option(help="Two or more of blur:SIGMA (HR pixels), noise:SIGMA, jpeg:QUALITY."),
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

    for line in analyse_files(
        out,
        address=model,
        baseline=baseline,
        target=target,
        degradations=degradations,
        resampling=resampling,
        images=images,
        windows=windows,
        size=size,
        fraction=fraction,
        steps=steps,
        device=_device(device),
    ):
        typer.echo(line)


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


@contextmanager
def _about(network: str, *, several: bool) -> Iterator[None]:
    """Errors say which of several networks they are about."""
    try:
        yield
    except EXPECTED as error:
        if not several:
            raise
        raise ValueError(f"{network}: {error}") from error


def _raw_files(npz: Path | None, networks: int) -> list[Path]:
    """Where the arrays of each network go; several are numbered."""
    if npz is None or networks == 1:
        return [npz] if npz else []
    return [npz.with_stem(f"{npz.stem}-{number + 1}") for number in range(networks)]


def _check_writable(*files: Path) -> None:
    """Refuse, before anything is computed, what could not be written afterwards."""
    if len(set(files)) < len(files):
        raise ValueError(f"{files[0]} is named twice; each output needs a file of its own")
    for file in files:
        if file.is_dir():
            raise ValueError(f"{file} is a folder; name a file in it to write to")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(f"there can be no folder {file.parent} for {file}: {error}") from error
        special = file.exists() and not file.is_file()  # /dev/stdout
        if not os.access(file if special else file.parent, os.W_OK):
            raise ValueError(f"{file} may not be written: no permission in {file.parent}")


def _write_map(
    out: Path, raw: Sequence[Path], name: str, image: Path, found: "Explanation", facts: Facts
) -> None:
    from srlab.files import replace_text
    from srlab.pages.lam import lam_report, percent

    told = {**facts, CHECKS: found.contract.checks()}
    pictures = (found.lr, found.sr, found.attribution, found.target)
    replace_text(out, lam_report(f"{name} · {image.name}", *pictures, told))
    for file in raw:
        found.save(file, told)
    typer.echo(f"diffusion index     {found.diffusion_index:.2f}")
    typer.echo(f"completeness error  {percent(found.attribution.completeness_error)}")
    typer.echo(f"open {out}")


def _write_comparison(
    out: Path, raw: Sequence[Path], image: Path, compared: "Comparison", facts: Facts
) -> None:
    from srlab.files import replace_text
    from srlab.pages.comparison import comparison_report
    from srlab.pages.lam import percent

    replace_text(out, comparison_report(image.name, compared, facts))
    rows = [("network", "diffusion index", "completeness error", "raw")]
    files = iter(raw)
    for name, found in compared.found.items():
        file = next(files, None)
        if file:
            found.save(file, {**facts, "Network": {"name": name}, CHECKS: found.contract.checks()})
        error = percent(found.attribution.completeness_error)
        rows.append((name, f"{found.diffusion_index:.2f}", error, f"{file or ''}"))
    typer.echo(_aligned(rows if raw else [row[:-1] for row in rows]))
    for name, why in compared.failed.items():
        typer.echo(f"{name} has no map: {why}", err=True)
    typer.echo(f"open {out}")


def _warn(name: str, contract: "Contract") -> None:
    """Tell of what will make its map doubtful."""
    for doubt in contract.doubts():
        option = " (--range)" if "values" in doubt else ""
        typer.echo(f"{name}: {doubt}{option}", err=True)


def _measure(target: str) -> tuple["Measure | Tensor", str | None]:
    """What is explained of the patch, or a boolean mask (H, W) of where; and what was assumed."""
    from srlab.attribution.masks import read_mask
    from srlab.attribution.targets import MEASURES, named_measure

    kind, _, file = target.partition(":")
    if kind == "mask":
        return read_mask(file)
    if kind not in MEASURES:
        known = ", ".join(MEASURES)
        raise ValueError(f"unknown target {target!r}; srlab has {known} and mask:FILE")
    return named_measure(target), None


def _device(name: str) -> "torch.device":
    import torch

    from srlab.devices import pick_device

    try:
        return torch.empty(0, device=pick_device(name)).device
    except Exception as error:
        raise ValueError(f"no device {name!r} on this machine: {error}") from error


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
    from srlab.checkpoints.files import WEIGHTS, read_provenance, shipped_checkpoints

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
    from srlab.data.assets import OFFICIAL_WEIGHTS
    from srlab.pages.chosen import PUBLISHED

    for name, file in OFFICIAL_WEIGHTS.items():
        named = f"{PUBLISHED}{name}"  # as --checkpoint takes it
        yield named, "download", f"{file.size / 1e6:.2f} MB", file.repository, file.licence


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
