"""The filters of each degradation as one HTML file: pictures inside it, no request leaves it."""

import html
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from srlab.attribution.faig import Masks, filter_count, filter_depths
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
from srlab.pages.lam import HEAD, Facts, percent, source, table
from srlab.studies.faig.effects import Effect
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
    seed: int = 0,
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
    cut = windows(whole, kinds, count=count, size=size, seed=seed)
    out.mkdir(parents=True, exist_ok=True)
    analysis = analyse_filters(pair, cut, fraction=fraction, steps=steps)
    facts = {
        "Settings": {
            "network": network or (pair.provenance.architecture if pair.provenance else ""),
            "baseline": baseline,
            "target": target,
            "degradations": ", ".join(analysis.masks),
            "reduced by": f"{contract.scale}, {resampling}",
            "pictures": f"{count} windows of {size}×{size} from {images}, seed {seed}",
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
    return [
        *contract.doubts(),
        *_findings(analysis),
        *map(str, networks),
        f"{out / 'scores.parquet'}",
        f"open {report}",
    ]


def _tried(model: nn.Module, hr: Tensor, size: int) -> Contract:
    """What the network does with windows of `size` HR pixels, made small by its own scale.

    Its scale is not known before: a network of one LR size answers to one of the SCALES alone.
    """
    failures = []
    for scale in SCALES:
        side = max(size // scale, 1)
        try:
            contract = connect(model, hr[..., :side, :side])[1]
        except ContractError as error:
            failures.append(error)
            continue
        if contract.scale == scale:
            return contract
        side = max(size // contract.scale, 1)
        return connect(model, hr[..., :side, :side])[1]
    raise failures[0]


def filter_report(title: str, model: nn.Module, analysis: FilterAnalysis, facts: Facts) -> str:
    """The HTML page of an analysis of `model`; `facts` become tables at its end."""
    some = next(iter(analysis.masks.values()))
    parts = {
        "title": html.escape(title),
        "head": HEAD.format(
            title=html.escape(title),
            kind="discriminative filters",
            css=source("lam.css") + source("faig.css"),
        ),
        "summary": html.escape(" ".join(_findings(analysis))),
        "quality": _quality(analysis),
        "choice": _choice(analysis.windows.pictures[:SHOWN]),
        "pictures": _pictures(model, analysis),
        "count": f"{len(some)}",
        "places": "".join(
            _places(name, masks, colour)
            for (name, masks), colour in zip(analysis.masks.items(), COLOURS * 9, strict=False)
        ),
        "layers": _layers(analysis.masks),
        "facts": "".join(table(name, rows) for name, rows in facts.items()),
        "js": source("faig.js"),
    }
    return PAGE.format_map(parts)


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


def _quality(analysis: FilterAnalysis) -> str:
    kinds = list(analysis.windows.lr)
    head = "".join(f"<th scope='col'>{html.escape(kind)}</th>" for kind in kinds)
    rows = []
    for network in analysis.networks:
        cells = "".join(_cell(network, kind, analysis.effects[network, kind]) for kind in kinds)
        rows.append(f"<tr><th scope='row'>{html.escape(network)}</th>{cells}</tr>")
    return f"<thead><tr><th scope='col'>Network</th>{head}</tr></thead>{''.join(rows)}"


def _cell(network: str, kind: str, effect: Effect) -> str:
    own = " class=own" if network == without(kind) else ""
    return f"<td{own}>{effect.psnr.mean():.2f} <small>{effect.change.mean():.2f}</small></td>"


def _choice(names: Iterable[str]) -> str:
    options = (
        f"<option value='{number}'>{number + 1}: {html.escape(name)}</option>"
        for number, name in enumerate(names)
    )
    return f"<select id='picture'>{''.join(options)}</select>"


def _pictures(model: nn.Module, analysis: FilterAnalysis) -> str:
    """A block for each of the first windows, a row in it for each kind of input."""
    rows: list[list[str]] = [[] for _ in analysis.windows.pictures[:SHOWN]]
    hr = analysis.windows.hr[:SHOWN]
    for kind, lr in analysis.windows.lr.items():
        images = {
            "input": lr[:SHOWN],
            **{name: restored(model, own, lr[:SHOWN]) for name, own in analysis.networks.items()},
            "original": hr,
        }
        for number, own in enumerate(rows):
            own.append(_row(kind, {name: batch[number] for name, batch in images.items()}))
    return "".join(
        f"<div class='picture' data-number='{number}'{' hidden' if number else ''}>"
        f"{''.join(own)}</div>"
        for number, own in enumerate(rows)
    )


def _row(kind: str, outputs: Mapping[str, Tensor]) -> str:
    figures = "".join(
        f"<figure><img src='{_url(image)}' alt='{html.escape(f'{kind}: {name}', quote=True)}'"
        f"{' class=pixels' if name == 'input' else ''}>"
        f"<figcaption>{html.escape(name)}</figcaption></figure>"
        for name, image in outputs.items()
    )
    return f"<h3>{html.escape(kind)}</h3><div class='strip' tabindex='0'>{figures}</div>"


def _places(name: str, masks: Masks, colour: str) -> str:
    most = max(int(mask.sum()) for mask in masks.values())
    bars = "".join(
        f"<i style='height:{100 * int(mask.sum()) / most:.1f}%' "
        f"title='{html.escape(f'{layer}: {int(mask.sum())} of {mask.numel()}', quote=True)}'></i>"
        for layer, mask in masks.items()
    )
    depth = filter_depths(masks).mean()
    words = html.escape(f"{name}: mean depth {depth:.2f}, at most {most} filters in one layer")
    return (
        f"<figure class='places'><div class='bars' role='img' aria-label='{words}' "
        f"style='--colour:{colour}'>{bars}</div><figcaption>{words}</figcaption></figure>"
    )


def _layers(masks: Mapping[str, Masks]) -> str:
    head = "".join(f"<th scope='col'>{html.escape(name)}</th>" for name in masks)
    layers = next(iter(masks.values()))
    rows = "".join(
        f"<tr><th scope='row'>{html.escape(layer)}</th>"
        + "".join(f"<td>{int(own[layer].sum())}</td>" for own in masks.values())
        + f"<td>{mask.numel()}</td></tr>"
        for layer, mask in layers.items()
    )
    return (
        f"<thead><tr><th scope='col'>Convolution</th>{head}<th scope='col'>all filters</th></tr>"
        f"</thead>{rows}"
    )


def _url(image: Tensor) -> str:
    return picture_url(image_to_array(image), lossless=False)


PAGE = """{head}
<body>
<header>
<h1>Filters of each degradation</h1>
<p>{title}</p>
</header>
<main>
<p>{summary}</p>
<h2>What masking does</h2>
<p>Masked filters go back to the baseline's. PSNR of luma in dB; small, how far the output's
gradients are from the target network's (mean squared difference × 10⁻³). Framed: a degradation
whose own filters are masked. Filters were found on the same windows.</p>
<div class="wide" tabindex="0"><table class="grid">{quality}</table></div>
<h2>Pictures</h2>
<label>Window {choice}</label>
{pictures}
<h2>Where the filters sit</h2>
<p>Chosen filters in each of the {count} convolutions, the first at the left, the last at the right.
Depth counts from 0 to 1.</p>
<div class="depths">{places}</div>
<details><summary>The same as a table</summary>
<div class="wide" tabindex="0"><table class="grid">{layers}</table></div>
</details>
<div class="tables">{facts}</div>
</main>
<script>{js}</script>
</body>
</html>
"""
