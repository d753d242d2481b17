"""The filters of each degradation as one HTML file: pictures inside it, no request leaves it."""

from pathlib import Path

import torch
from torch import Tensor, nn

from srlab.attribution.faig import filter_count, filter_depths
from srlab.checkpoints.files import versions
from srlab.degradations.windows import windows
from srlab.devices import hardware
from srlab.figures.theme import COLOURS
from srlab.files import picture_url, replace_text
from srlab.images import image_to_array
from srlab.networks.contract import Contract, ContractError, connect
from srlab.pages.filter_analysis import (
    TARGET,
    FilterAnalysis,
    analyse_filters,
    load_pair,
    parse_degradations,
    pictures,
    without,
    write_networks,
    write_scores,
)
from srlab.pages.lam import percent
from srlab.pages.templates import Facts, page
from srlab.studies.faig.outputs import restored

SHOWN = 4  # windows in the page
SCALES = (4, 2, 3, 8, 1)  # by which windows are made small to try a network


def analyse_files(
    out: Path,
    *,
    network: str | None,
    baseline: str,
    target: str,
    degradations: str,
    resampling: str = "bilinear",
    images: str = "photographs",
    count: int = 12,
    size: int = 128,
    fraction: float = 0.01,
    steps: int = 16,
    device: torch.device | str = "cpu",
) -> list[str]:
    """All of `srlab faig`, whose options these are; returns what there is to say."""
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file; name a folder to write to")
    pair = load_pair(network, baseline, target)
    model = pair.model.to(device)
    whole = {name: own.to(device) for name, own in pictures(images).items()}
    contract = _tried(model, next(iter(whole.values()))[None], size)
    kinds = parse_degradations(degradations, contract.scale, resampling)
    cut = windows(whole, kinds, count=count, size=size)
    out.mkdir(parents=True, exist_ok=True)
    analysis = analyse_filters(pair, cut, fraction=fraction, steps=steps)
    facts = {
        "Settings": {
            "network": network or (pair.provenance.architecture if pair.provenance else ""),
            "baseline": baseline,
            "target": target,
            "degradations": ", ".join(analysis.masks),
            "reduced by": f"{contract.scale}, {resampling}",
            "pictures": f"{count} windows of {size}×{size} from {images}, seed 0",
            "fraction of filters": f"{fraction:g}",
            "steps": f"{steps}, midpoints",
        },
        "What the network does": contract.checks(),
        "Made with": {**versions(), "hardware": hardware()},
    }
    write_scores(out / "scores.parquet", analysis, facts)
    networks = write_networks(out, analysis, pair.provenance)
    report = out / "report.html"
    replace_text(report, filter_report(f"{baseline} → {target}", model, analysis, facts))
    told = [*contract.doubts(), *_findings(analysis), *map(str, networks)]
    return [*told, f"{out / 'scores.parquet'}", f"open {report}"]


def _tried(model: nn.Module, hr: Tensor, size: int) -> Contract:
    """What the network does with windows of `size` HR pixels, made small by its own scale.

    Its scale is not known before: a network of one LR size answers to one of the SCALES alone.
    """

    def reduced(scale: int) -> Contract:
        side = max(size // scale, 1)
        return connect(model, hr[..., :side, :side])[1]

    failures = []
    for scale in SCALES:
        try:
            contract = reduced(scale)
        except ContractError as error:
            failures.append(error)
        else:
            return contract if contract.scale == scale else reduced(contract.scale)
    raise failures[0]


def filter_report(title: str, model: nn.Module, analysis: FilterAnalysis, facts: Facts) -> str:
    """The HTML page of an analysis of `model`; `facts` become tables at its end."""
    counts = {
        name: {layer: int(mask.sum()) for layer, mask in masks.items()}
        for name, masks in analysis.masks.items()
    }
    some = next(iter(analysis.masks.values()))
    return page(
        "faig.html",
        title=title,
        kind="discriminative filters",
        summary=" ".join(_findings(analysis)),
        analysis=analysis,
        without=without,
        names=analysis.windows.pictures[:SHOWN],
        pictures=_pictures(model, analysis),
        counts=counts,
        totals={layer: mask.numel() for layer, mask in some.items()},
        depths={name: filter_depths(masks).mean() for name, masks in analysis.masks.items()},
        colours=COLOURS,
        facts=facts,
    )


def _findings(analysis: FilterAnalysis) -> list[str]:
    """The result in sentences."""
    some = next(iter(analysis.masks.values()))
    count, total = filter_count(some), sum(mask.numel() for mask in some.values())
    error = max(own.error for own in analysis.attributions.values())
    return [
        f"{count} of {total} filters ({count / total:.2%}) are chosen for each degradation.",
        *(_effect(analysis, name) for name in analysis.masks),
        f"The completeness error of the attributions is at most {percent(error)}.",
    ]


def _effect(analysis: FilterAnalysis, kind: str) -> str:
    lost = {
        name: analysis.effects[TARGET, name].psnr.mean()
        - analysis.effects[without(kind), name].psnr.mean()
        for name in analysis.masks
    }
    others = ", ".join(f"{lost[name]:.2f} dB on {name}" for name in lost if name != kind)
    return f"Masking those for {kind} costs {lost[kind]:.2f} dB on {kind} and {others}."


def _pictures(model: nn.Module, analysis: FilterAnalysis) -> list[dict[str, dict[str, str]]]:
    """Of each of the first windows {kind of input: {what it is: its picture}}."""
    found: list[dict[str, dict[str, str]]] = [{} for _ in analysis.windows.pictures[:SHOWN]]
    for kind, lr in analysis.windows.lr.items():
        images = {
            "input": lr[:SHOWN],
            **{name: restored(model, own, lr[:SHOWN]) for name, own in analysis.networks.items()},
            "original": analysis.windows.hr[:SHOWN],
        }
        for number, own in enumerate(found):
            own[kind] = {
                name: picture_url(image_to_array(batch[number]), lossless=False)
                for name, batch in images.items()
            }
    return found
