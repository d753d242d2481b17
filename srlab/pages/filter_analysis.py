"""From two states of a network to the filters of each degradation: what `srlab faig` does."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import torch
from pyarrow import parquet
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm.auto import tqdm

from srlab.attribution.faig import (
    FilterAttribution,
    Masks,
    buffers_of,
    check_fraction,
    discriminative_scores,
    faig,
    filters_by_degradation,
    masked_weights,
    parameters_of,
)
from srlab.checkpoints.files import (
    Provenance,
    load_checkpoint,
    read_checkpoint,
    save_checkpoint,
    shipped_checkpoints,
)
from srlab.checkpoints.load import NetworkSpec, parse_spec
from srlab.data.datasets import image_sets, load_images
from srlab.degradations import Degradation
from srlab.degradations.windows import Windows
from srlab.files import picture_files, replace_file
from srlab.images import read_image
from srlab.networks.advice import AdvisedError, Setting
from srlab.networks.state_dicts import CheckpointError, load_weights, read_weights
from srlab.studies.faig.effects import Effect, effects

KINDS = {"blur": "blur_sigma", "noise": "noise_sigma", "jpeg": "jpeg_quality"}
CLEAN, TARGET, BASELINE = "clean", "target", "baseline"


@dataclass(frozen=True)
class Pair:
    """Two state dicts of one network."""

    model: nn.Module
    baseline: dict[str, Tensor]
    target: dict[str, Tensor]
    provenance: Provenance | None  # of the target, where srlab made it


@dataclass(frozen=True)
class FilterAnalysis:
    """The filters of each degradation, and what masking them does."""

    windows: Windows  # of each degradation, and clean
    attributions: dict[str, FilterAttribution]  # {degradation: …}
    masks: dict[str, Masks]  # {degradation: its discriminative filters}
    networks: dict[str, dict[str, Tensor]]  # {target, without …, baseline: weights}
    effects: dict[tuple[str, str], Effect]  # {(network, degradation or clean): …}


def load_pair(network: str | None, baseline: str, target: str) -> Pair:
    """Two states by checkpoint or file; `network` is the one that files of others belong to."""
    provenance = None
    if network:
        spec = parse_spec(network)
        if spec != NetworkSpec(spec.address):
            raise ValueError(
                f"{network}: name the network alone; baseline and target are its weights, and it "
                "is fed pictures in [0, 1] of the windows' size"
            )
        model = spec.network()
        weights = {name: _weights(name) for name in (baseline, target)}
    else:
        try:
            model, provenance = load_checkpoint(target)
            weights = {name: read_checkpoint(name)[0] for name in (baseline, target)}
        except CheckpointError as error:
            raise AdvisedError(
                f"{error}. Weights that srlab did not write need their network, ",
                Setting("network", "'package.module:factory'"),
            ) from error
    for name, own in weights.items():
        try:
            weights[name] = load_weights(model, own)
        except CheckpointError as error:
            raise ValueError(f"{name}: {error}") from error
    return Pair(model, weights[baseline], weights[target], provenance)


def _weights(name: str) -> dict[str, Tensor]:
    return read_checkpoint(name)[0] if name in shipped_checkpoints() else read_weights(name)


def parse_degradations(text: str, scale: int, resampling: str) -> dict[str, Degradation]:
    """{name: degradation} of "blur:2,noise:0.1,jpeg:30", at least two, after the clean one."""
    clean = Degradation(scale=scale, resampling=resampling)
    found = {CLEAN: clean}
    for part in text.split(","):
        kind, _, value = part.strip().partition(":")
        try:
            high, _, low = value.partition("/")
            amount = int(value) if kind == "jpeg" else float(high) / float(low or 1)
            given: dict[str, Any] = {KINDS[kind]: amount}
        except (KeyError, ValueError, ZeroDivisionError) as error:
            raise ValueError(
                f"cannot read the degradation {part.strip()!r}: write blur:SIGMA, noise:SIGMA "
                "(0.1 or 25/255) or jpeg:QUALITY, with commas between them"
            ) from error
        degradation = replace(clean, **given)
        found[str(degradation)] = degradation
    if len(found) < 3:
        raise ValueError(
            f"filters are specific compared with another degradation: name two that differ, as in "
            f"blur:2,noise:0.1; got {text!r}"
        )
    return found


def pictures(source: str) -> dict[str, Tensor]:
    """{name: (3, H, W)} of an image set or of the pictures in a folder."""
    if source in image_sets():
        return load_images(source)
    if not Path(source).is_dir():
        raise ValueError(
            f"{source!r} is neither a folder nor an image set; srlab has {', '.join(image_sets())}"
        )
    files = picture_files(Path(source))
    if not files:
        raise ValueError(f"there is no picture in {source!r}")
    return {path.name: read_image(path) for path in files}


def analyse_filters(
    pair: Pair, windows: Windows, *, fraction: float = 0.01, steps: int = 16
) -> FilterAnalysis:
    """Attribute, choose the top `fraction` for each degradation, mask, and measure on the same.

    All kinds of `windows` but the clean one are degradations to be told apart.
    """
    check_fraction(fraction)
    model = pair.model
    baseline, target = (
        parameters_of(model, own) | buffers_of(model, own) for own in (pair.baseline, pair.target)
    )
    attributions = {}
    for kind, lr in windows.lr.items():
        if kind != CLEAN:
            shown = tqdm(lr, f"attributing {kind}", unit="window")
            attributions[kind] = faig(model, baseline, target, shown, windows.hr, steps=steps)
    scores = {kind: own.scores() for kind, own in attributions.items()}
    masks = filters_by_degradation(scores, fraction)
    networks = {
        TARGET: target,
        **{without(kind): masked_weights(target, baseline, own) for kind, own in masks.items()},
        BASELINE: baseline,
    }
    found = effects(model, target, networks, windows)
    return FilterAnalysis(windows, attributions, masks, networks, found)


def without(kind: str) -> str:
    """What the network is called whose filters for a degradation are masked."""
    return f"without {kind}"


def write_scores(path: Path, analysis: FilterAnalysis, facts: Mapping[str, object]) -> None:
    """A row for each filter and degradation, as Parquet; `facts` go into its metadata as JSON."""
    tables = [pyarrow.table(_columns(analysis, name)) for name in analysis.attributions]
    table = pyarrow.concat_tables(tables)
    table = table.replace_schema_metadata({"srlab": json.dumps(facts, ensure_ascii=False)})
    with replace_file(path) as temporary:
        parquet.write_table(table, temporary, compression="zstd")


def _columns(analysis: FilterAnalysis, degradation: str) -> dict[str, object]:
    found = analysis.attributions[degradation]
    own = found.scores()
    others = [one.scores() for name, one in analysis.attributions.items() if name != degradation]
    beyond = discriminative_scores(own, others)
    shapes = [tuple(score.shape) for score in own.values()]
    sizes = [out * inputs for out, inputs in shapes]
    places = [np.indices(shape).reshape(2, -1) for shape in shapes]
    out, inputs = np.concatenate(places, axis=1).astype(np.int32)

    def flat(values: Mapping[str, Tensor]) -> np.ndarray:
        return torch.cat([value.flatten() for value in values.values()]).cpu().numpy()

    return {
        "degradation": np.repeat([degradation], sum(sizes)),
        "convolution": np.repeat(list(own), sizes),
        "layer": np.repeat(np.arange(len(sizes), dtype=np.int32), sizes),
        "out": out,
        "in": inputs,
        "score": flat(own),
        "discriminative_score": flat(beyond),
        "signed": flat({name: signed.mean(dim=0) for name, signed in found.signed.items()}),
        "chosen": flat(analysis.masks[degradation]),
    }


def write_networks(
    folder: Path, analysis: FilterAnalysis, provenance: Provenance | None
) -> list[Path]:
    """The masked networks as .safetensors; with the target's `provenance` as srlab checkpoints."""
    paths = []
    for kind in analysis.masks:
        network = without(kind)
        weights = analysis.networks[network]
        path = folder / f"{slug(network)}.safetensors"
        if provenance:
            title = f"{provenance.name} {network}"
            story = replace(provenance, name=title, psnr={}, history=[])
            save_checkpoint(path, weights, story)
        else:
            held = {key: own.detach().cpu().contiguous() for key, own in weights.items()}
            with replace_file(path) as temporary:
                save_file(held, temporary)
        paths.append(path)
    return paths


def slug(name: str) -> str:
    """A name fit for a file: "without noise 25.5/255" → "without-noise-25.5-255"."""
    return "".join(letter if letter.isalnum() or letter == "." else "-" for letter in name)
