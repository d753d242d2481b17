"""Which networks a page asks: the narrow ones of this book, those that others trained, or both."""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import nn

from srlab.checkpoints.official import load_official, on_board
from srlab.data.assets import OFFICIAL_WEIGHTS, own_folder
from srlab.studies.networks import obtainable
from srlab.studies.study import Study

WEIGHTS = ("zoo", "published", "both", "present")
PUBLISHED = ("carn-m", "pan", "imdn", "rfdn")
SHOWN = {
    "fsrcnn-d56-m4": "FSRCNN",
    "fsrcnn-nhat": "FSRCNN",
    "rrdbnet": "RRDBNet",
    "swinir": "SwinIR",
    "lapsrn": "LapSRN",
    "srcnn-lam": "SRCNN",
    "srresnet-lam": "SRResNet",
}  # not in capitals


def chosen_networks(study: Study, zoo: Iterable[str], weights: str) -> dict[str, nn.Module]:
    """{label: network}: "IMDN" of this book, "IMDN, published" as its authors trained it.

    `weights` is "zoo" (those of `zoo` that `obtainable` knows), "published", "both", or "present":
    the zoo, and the published ones that need no download.
    """
    if weights not in WEIGHTS:
        raise ValueError(f"weights are one of {', '.join(WEIGHTS)}, got {weights!r}")
    found: dict[str, nn.Module] = {}
    if weights != "published":
        found |= {label(name): study.network(name) for name in obtainable(zoo, train=study.train)}
    if weights == "present":
        found |= published_networks(study.device, present((*PUBLISHED, "fsrcnn-nhat")))
    elif weights != "zoo":
        found |= published_networks(study.device)
    return found


def published_networks(
    device: torch.device | str = "cpu", names: Iterable[str] = PUBLISHED
) -> dict[str, nn.Module]:
    """{label: network} of ×4 networks whose published weights srlab fetches."""
    return {f"{label(name)}, published": _laid_out(name, device) for name in names}


def present(names: Sequence[str]) -> list[str]:
    """Those of `names` whose published weights ship with srlab or lie in $SRLAB_DATA."""
    folder = own_folder("weights")
    own = {n for n in names if folder and (folder / OFFICIAL_WEIGHTS[n].file).is_file()}
    return [name for name in names if name in own or on_board(name)]


def label(name: str) -> str:
    """What a figure calls the network of a recipe or of published weights."""
    return SHOWN.get(name, name.upper())


def family(shown: str) -> str:
    """ "CARN" of "CARN-M, published" and of "CARN"."""
    return shown.split(",")[0].split("-")[0]


def members(networks: Mapping[str, object], families: Iterable[str]) -> list[str]:
    """Labels of the networks that belong to these families, in the networks' order."""
    wanted = set(families)
    return [shown for shown in networks if family(shown) in wanted]


def _laid_out(name: str, device: torch.device | str) -> nn.Module:
    model = load_official(name)
    return model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
