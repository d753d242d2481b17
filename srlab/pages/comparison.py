"""The same patch under several networks, as one HTML file: no request leaves it."""

from torch import Tensor

from srlab.attribution.lam import PatchTarget
from srlab.pages.explain import Comparison
from srlab.pages.lam import box, frame, shown
from srlab.pages.templates import Facts, page


def comparison_report(title: str, comparison: Comparison, facts: Facts) -> str:
    """The HTML page of the networks side by side, in the comparison's order.

    `facts` become tables, {title: {name: value}}; what was found out about each network follows.
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
        facts={**facts, **checks},
    )


def _centre(target: PatchTarget, size: tuple[int, ...]) -> str:
    """The middle of the target in a picture of `size` (H, W), as CSS: across, then down."""
    corner = zip((target.top, target.left), target.shape, size, strict=True)
    down, across = (100 * (first + extent / 2) / whole for first, extent, whole in corner)
    return f"{across:.2f}% {down:.2f}%"


def _largest(signed: Tensor) -> float:
    """What `magnitude` divides a map (1, 3, h, w) by."""
    return signed.sum(dim=1).abs().max().item()
