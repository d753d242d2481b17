"""From networks, a picture and a patch to a page of local attribution maps: all of `srlab lam`."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from srlab.attribution.integral import TOLERANCE
from srlab.attribution.paths import ImagePath, deblur, straight
from srlab.attribution.robustness import Robustness, robustness
from srlab.attribution.targets import MEASURES, Measure, named_measure
from srlab.checkpoints.files import versions
from srlab.checkpoints.load import NetworkSpec, parse_specs
from srlab.devices import hardware
from srlab.files import replace_text
from srlab.images import read_image
from srlab.networks.advice import Advice, AdvisedError, Setting
from srlab.pages.comparison import comparison_report
from srlab.pages.explain import Comparison, Question, compare, prepare, reduce_picture
from srlab.pages.lam import lam_report
from srlab.pages.masks import read_mask
from srlab.pages.templates import Facts

MUCH = 2**30  # bytes for a gradient, from which on they are told
CHECKS = "What the network does"
CROP = Setting("crop", "128")  # which is enough for most maps


def map_files(
    out: Path,
    networks: Sequence[str],
    image: Path,
    *,
    npz: Path | None = None,
    patch: tuple[int, ...] | None = None,
    target: str = "gradient",
    scale: int | None = None,
    reduce: int = 1,
    crop: int | None = None,
    device: torch.device | str = "cpu",
    tell: Callable[[Advice], None] = print,
    path: str = "deblur",
    baseline: str = "blur",
    rule: str | None = None,
    steps: int | None = None,
    tolerance: float = TOLERANCE,
    robust: bool = False,
) -> tuple[Comparison, dict[str, Path]]:
    """Write one page of all networks, and the arrays of each if asked to: {network: its .npz}.

    `networks` are texts as `parse_spec` reads them, `target` as `read_target` does, and the path
    as `named_path`. `tell` hears of what is doubtful before anything is computed. `robust` repeats
    every map with other baselines and windows.
    """
    cut: dict[str, Any] = {"rule": rule, "steps": steps, "tolerance": tolerance}
    walk = named_path(path, baseline, **cut)
    specs = parse_specs(networks)
    raw = _raw_files(npz, list(specs))
    check_writable(out, *raw.values())
    lr = reduce_picture(read_image(image)[None], reduce).to(device)
    what = read_target(target)
    asked = {"measure": what.measure, "of_residual": what.of_residual, "patch": patch, "crop": crop}
    questions = _prepared(specs, lr, scale, asked)
    if what.assumed:
        tell(Advice(f"{target}: {what.assumed}"))
    for doubt in _doubts(questions):
        tell(doubt)
    settings = {
        "picture": f"{image}" + (f", reduced by {reduce} (bicubic, 8 bits)" if reduce > 1 else ""),
        "taken of it": f"{crop} LR pixels a side around the patch" if crop else "the whole picture",
        "patch in the whole SR image": ",".join(map(str, patch or ())) or "the central 16×16",
        "explained of it": target + (f" ({what.assumed})" if what.assumed else ""),
        **_told(path, baseline, **cut),
        "device": f"{lr.device}",
    }
    facts = {"Settings": settings, "Made with": {**versions(), "hardware": hardware()}}
    compared = compare(questions, walk)
    repeated = _repeated(questions, compared, what) if robust else {}
    _write(out, raw, image.name, compared, facts, repeated, several=len(questions) > 1)
    return compared, raw


class Explained(NamedTuple):
    """What of the patch is explained."""

    measure: Measure | Tensor  # or where, (H, W) of bool
    assumed: str | None  # of the mask, to read it
    of_residual: bool = False  # of SR − bicubic


def read_target(text: str) -> Explained:
    """A measure by name, or where a "mask:FILE" is white; behind "residual:" of SR − bicubic.

    >>> read_target("residual:edges:90").of_residual
    True
    """
    kind, _, rest = text.partition(":")
    if kind == "residual":
        return read_target(rest or "gradient")._replace(of_residual=True)
    if kind == "mask":
        return Explained(*read_mask(rest))
    if kind not in MEASURES:
        known = ", ".join(MEASURES)
        raise ValueError(
            f"unknown target {text!r}; srlab has {known}, mask:FILE, and residual or residual:… "
            "of any of them"
        )
    return Explained(named_measure(text), None)


def _repeated(
    questions: Mapping[str, Question], compared: Comparison, what: Explained
) -> dict[str, Robustness]:
    """Every map that there is, again with other baselines and, unless of a mask, other windows."""
    fixed: dict[str, Any] = {"windows": ()} if isinstance(what.measure, Tensor) else {}
    return {
        name: robustness(
            question.network, question.lr, question.target, recompute=question.recompute, **fixed
        )
        for name, question in questions.items()
        if name in compared.found
    }


def check_writable(*files: Path) -> None:
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


def _raw_files(npz: Path | None, names: Sequence[str]) -> dict[str, Path]:
    """Where the arrays of each network go; several are numbered."""
    if npz is None or len(names) == 1:
        return dict.fromkeys(names, npz) if npz else {}
    return {name: npz.with_stem(f"{npz.stem}-{place + 1}") for place, name in enumerate(names)}


def _prepared(
    specs: Mapping[str, NetworkSpec], lr: Tensor, scale: int | None, asked: Mapping[str, Any]
) -> dict[str, Question]:
    found = {}
    for name, spec in specs.items():
        with about(name, several=len(specs) > 1):
            network = spec.network().to(lr.device)
            found[name] = prepare(network, lr, adapt={"scale": scale, **spec.adapt}, **asked)
    return found


@contextmanager
def about(network: str, *, several: bool) -> Iterator[None]:
    """Errors say which of several networks they are about."""
    try:
        yield
    except (ValueError, OSError, ImportError) as error:
        if not several:
            raise
        said = error.advice.parts if isinstance(error, AdvisedError) else (error,)
        raise AdvisedError(f"{network}: ", *said) from error


def _doubts(questions: Mapping[str, Question]) -> Iterator[Advice]:
    """What makes a map doubtful, and what to try."""
    for name, question in questions.items():
        better, kept = question.contract.better_range, question.contract.kept
        if question.recompute:
            told = f"{name}: not all that a gradient needs fits into the free memory; parts of the "
            yield Advice(told, "network are run again for it, which takes longer than ", CROP)
        elif kept > MUCH:
            yield Advice(
                f"{name}: a map takes about {kept / 1e9:.1f} GB of memory; less with ", CROP
            )
        for doubt in question.contract.doubts():
            if better and "values" in doubt:
                tried = Setting("value_range", f"({better[0]:g}, {better[1]:g})")
                yield Advice(f"{name}: {doubt}: try ", tried)
            else:
                yield Advice(f"{name}: {doubt}")


def named_path(path: str, baseline: str, **cut: Any) -> ImagePath:
    """A path in words: "deblur", which begins at "blur", or "linear" from "blur" or "black"."""
    if path == "linear":
        return straight(baseline, **cut)
    if path != "deblur":
        raise ValueError(f'path is "deblur" or "linear", got {path!r}')
    if baseline != "blur":
        raise ValueError(
            f'the path "deblur" begins at baseline "blur", got {baseline!r}; use path="linear"'
        )
    return deblur(**cut)


def _told(
    path: str, baseline: str, *, rule: str | None, steps: int | None, tolerance: float
) -> dict[str, str]:
    """The path and how it was cut, for the page."""
    return {
        "path": path,
        "baseline": baseline,
        "steps": f"{steps}" if steps else f"until the expected error is {tolerance:.1%}",
        "rule": rule or ("arc-midpoint" if steps else "adaptive"),
    }


def _write(
    out: Path,
    raw: Mapping[str, Path],
    image: str,
    compared: Comparison,
    facts: Facts,
    repeated: Mapping[str, Robustness],
    *,
    several: bool,
) -> None:
    for name, found in compared.found.items():
        alone = {"Network": {"name": name}} if several else {}
        told = {**facts, **alone, CHECKS: found.contract.checks()}
        if not several:
            title = f"{name} · {image}"
            replace_text(out, lam_report(title, found, found.target, told, repeated.get(name)))
        if name in raw:
            found.save(raw[name], facts=told)
    if several:
        replace_text(out, comparison_report(image, compared, facts, repeated))
