"""One local attribution map as one HTML file: pictures inside it, no request leaves it."""

import torch
from torch import Tensor

from srlab.attribution.lam import Attribution, PatchTarget, signed
from srlab.attribution.robustness import Robustness
from srlab.files import picture_url
from srlab.images import crop, image_to_array
from srlab.pages.overlay import FAINT, overlay_url, percent
from srlab.pages.robust import shown_robustness
from srlab.pages.templates import Facts, page

RADII = 0.5, 0.9  # of the attribution, within a circle around the target
LOSSLESS = 1024**2  # pixels above which a picture is stored as WebP


def lam_report(
    title: str,
    found: Attribution,
    target: PatchTarget,
    facts: Facts,
    robust: Robustness | None = None,
) -> str:
    """The HTML page for the attribution of `target`, and for its repetitions if there are any.

    `facts` become tables: settings, checks of the network, versions and whatever else.
    """
    own = shown(found, target)
    summary = (
        f"Half of the attribution lies within {own['half']} LR pixels of the window's centre, "
        f"90 % within {own['most']}."
    )
    given = frame(title, "local attribution map", found.lr, target)
    repeated = {"": shown_robustness(robust)} if robust else {}
    return page(
        "lam.html", **given, **own, sr=url(found.sr), summary=summary, facts=facts, robust=repeated
    )


def shown(found: Attribution, target: PatchTarget) -> dict[str, str]:
    """What a page shows and says of one map."""
    sr, directed = found.sr, signed(found).cpu()
    radius = attribution_radius(directed.abs(), target, sr.shape[-1] / found.lr.shape[-1])
    raised = float(directed.clamp(min=0).sum() / (directed.abs().sum() or 1))
    return {
        "map": overlay_url(directed),
        "raised": percent(raised),
        "window": url(crop(sr, target.top, target.left, *target.shape)),
        "box": box(target, tuple(sr.shape[-2:])),
        "half": f"{radius[0.5]:.1f}",
        "most": f"{radius[0.9]:.1f}",
        "di": f"{found.diffusion_index:.2f}",
        "error": percent(found.completeness_error),
        "map_error": percent(found.map_error),
    }


def frame(title: str, kind: str, lr: Tensor, target: PatchTarget) -> dict[str, str]:
    """What pages of one map and of several share: the LR picture, and where the target is."""
    (height, width), (rows, columns) = lr.shape[-2:], target.shape
    return {
        "title": title,
        "kind": kind,
        "faint": f"{FAINT:g}",
        "ratio": f"{width} / {height}",
        "shape": f"{columns} / {rows}",
        "lr": url(lr),
        "size": f"{width}×{height}",
        "place": f"{columns}×{rows} at row {target.top}, column {target.left}",
    }


def attribution_radius(shown: Tensor, target: PatchTarget, scale: float) -> dict[float, float]:
    """{share: radius in LR pixels around the target's centre that holds it} of a map (h, w)."""
    distance = target.distance(shown.shape, scale).flatten()
    order = distance.argsort()
    held = shown.flatten()[order].double().cumsum(0)
    return {
        share: distance[order][torch.searchsorted(held, share * held[-1])].item() for share in RADII
    }


def url(image: Tensor) -> str:
    """A picture (1, 3, h, w) as a data URL."""
    return picture_url(image_to_array(image[0]), lossless=image[0, 0].numel() <= LOSSLESS)


def box(target: PatchTarget, size: tuple[int, ...]) -> str:
    """Where the target lies in a picture of `size` (H, W), as CSS."""
    edges = zip(
        ("top", "left", "height", "width"),
        (target.top, target.left, *target.shape),
        (*size, *size),
        strict=True,
    )
    return ";".join(f"{name}:{100 * place / extent:.4f}%" for name, place, extent in edges)
