"""The same patch under several networks, as one HTML file: no request leaves it."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from srlab.attribution.agreement import agreement
from srlab.attribution.lam import PatchTarget
from srlab.attribution.robustness import Robustness
from srlab.pages.explain import Comparison
from srlab.pages.lam import box, frame, shown
from srlab.pages.overlay import overlay_url, percent
from srlab.pages.robust import shown_robustness
from srlab.pages.templates import Facts, page


def comparison_report(
    title: str,
    comparison: Comparison,
    facts: Facts,
    repeated: Mapping[str, Robustness] | None = None,
) -> str:
    """The HTML page of the networks side by side, in the comparison's order.

    `facts` become tables, {title: {name: value}}; what was found out about each network follows,
    and `repeated` maps of each if there are any.
    """
    first = next(iter(comparison.found.values()))
    lr, target, size = first.lr, first.target, tuple(first.sr.shape[-2:])
    largest = max(_largest(own.map) for own in comparison.found.values())
    checks = {f"What {name} does": own.contract.checks() for name, own in comparison.found.items()}
    networks = {
        name: shown(own, own.target) | {"share": f"{_largest(own.map) / largest:.4g}"}
        for name, own in comparison.found.items()
    }
    return page(
        "comparison.html",
        **frame(title, "local attribution maps", lr, target),
        box=box(target, size),
        centre=_centre(target, size),
        failed=comparison.failed,
        networks=networks,
        shared=_shared(comparison),
        robust={name: shown_robustness(own) for name, own in (repeated or {}).items()},
        facts={**facts, **checks},
    )


def _shared(comparison: Comparison) -> dict[str, Any]:
    """The mean of several maps and their disagreement; nothing of one."""
    if len(comparison.found) < 2:
        return {}
    found = agreement([own.map for own in comparison.found.values()])
    mean, disagreement = (own.cpu() / (float(own.abs().max()) or 1) for own in found)
    return {
        "mean": overlay_url(mean),
        "disagreement": overlay_url(disagreement),
        "share": percent(found.share),
    }


def _centre(target: PatchTarget, size: tuple[int, ...]) -> str:
    """The middle of the target in a picture of `size` (H, W), as CSS: across, then down."""
    corner = zip((target.top, target.left), target.shape, size, strict=True)
    down, across = (100 * (first + extent / 2) / whole for first, extent, whole in corner)
    return f"{across:.2f}% {down:.2f}%"


def _largest(signed: Tensor) -> float:
    """What `magnitude` divides a map (1, 3, h, w) by."""
    return signed.sum(dim=1).abs().max().item()
