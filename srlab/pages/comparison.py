"""The same patch under several networks, as one HTML file: no request leaves it."""

import html

from torch import Tensor

from srlab.attribution.lam import PatchTarget, magnitude
from srlab.pages.explain import Comparison, Explanation
from srlab.pages.lam import (
    Facts,
    attribution_radius,
    box,
    frame,
    overlay_url,
    percent,
    table,
    url,
    window_of,
)


def comparison_report(title: str, comparison: Comparison, facts: Facts) -> str:
    """The HTML page of the networks side by side, in the comparison's order.

    `facts` become tables, {title: {name: value}}; what was found out about each network follows.
    """
    first = next(iter(comparison.found.values()))
    lr, target = first.lr, first.target
    largest = max(_largest(own.attribution.map) for own in comparison.found.values())
    checks = {f"What {name} does": own.contract.checks() for name, own in comparison.found.items()}
    parts = {
        **frame(title, "local attribution maps", lr, target),
        "box": box(target, tuple(first.sr.shape[-2:])),
        "centre": _centre(target, tuple(first.sr.shape[-2:])),
        "count": f"{len(comparison.found)}",
        "failed": "".join(_failure(name, why) for name, why in comparison.failed.items()),
        "networks": "".join(_card(name, own, largest) for name, own in comparison.found.items()),
        "tables": "".join(table(name, rows) for name, rows in {**facts, **checks}.items()),
    }
    return PAGE.format_map(parts)


def _card(name: str, found: Explanation, largest: float) -> str:
    shown = magnitude(found.attribution).cpu()
    scale = found.contract.scale
    radius = attribution_radius(shown, found.target, scale)
    parts = {
        "name": html.escape(name),
        "map": overlay_url(shown),
        "window": url(window_of(found.sr, found.target)),
        "box": box(found.target, tuple(found.sr.shape[-2:])),
        "share": f"{_largest(found.attribution.map) / largest:.4g}",
        "di": f"{found.diffusion_index:.2f}",
        "half": f"{radius[0.5]:.1f}",
        "most": f"{radius[0.9]:.1f}",
        "error": percent(found.attribution.completeness_error),
        "map_error": percent(found.attribution.map_error),
    }
    return CARD.format_map(parts)


def _centre(target: PatchTarget, size: tuple[int, ...]) -> str:
    """The middle of the target in a picture of `size` (H, W), as CSS: across, then down."""
    corner = zip((target.top, target.left), target.shape, size, strict=True)
    down, across = (100 * (first + extent / 2) / whole for first, extent, whole in corner)
    return f"{across:.2f}% {down:.2f}%"


def _largest(signed: Tensor) -> float:
    """What `magnitude` divides a map (1, 3, h, w) by."""
    return signed.sum(dim=1).abs().max().item()


def _failure(name: str, why: str) -> str:
    return (
        f"<p class='failed'><strong>{html.escape(name)}</strong> has no map: {html.escape(why)}</p>"
    )


CARD = """<section class="network">
<h2>{name}</h2>
<div class="stack"><div class="near">
<div class="grey ground"></div>
<img class="overlay" data-share="{share}" src="{map}"
alt="Attribution map of {name}: half of it within {half} LR pixels of the window, 90 % in {most}.">
<div class="box" style="{box}"></div>
</div></div>
<div class="stack window"><img src="{window}" alt="The target window as {name} makes it"></div>
<dl>
<div><dt>Diffusion index</dt><dd class="di">{di}</dd></div>
<div><dt>50 % within</dt><dd>{half} px</dd></div>
<div><dt>90 % within</dt><dd>{most} px</dd></div>
<div><dt>Expected error of the map</dt><dd>{map_error}</dd></div>
<div><dt>Completeness error</dt><dd>{error}</dd></div>
</dl>
</section>"""

PAGE = """{head}
<body style="--ratio:{ratio};--shape:{shape};--lr:url({lr});--centre:{centre};--count:{count}">
<header>
<h1>Local attribution maps of {count} networks</h1>
<p>{title}</p>
</header>
<main>
{failed}
<div class="result given">
<figure>
<div class="stack"><img src="{lr}" alt="The LR picture"><div class="box" style="{box}"></div></div>
<figcaption>LR, what every network is given; framed, the target window: {place} in SR pixels
</figcaption>
</figure>
<div class="side">
<p>Below, orange marks the LR pixels that decided a network's SR image inside the frame; the more
opaque, the more. Under each map is the window as the network makes it.</p>
<p>The diffusion index is 100 where all pixels count alike and near 0 where one decides; it may be
compared here, since all maps are of one size, {size}. Radii are in LR pixels around the window's
centre. Two errors tell how exact a map is: the expected error of the map, from how much the
gradient changes along the path, and the completeness error, how far its sum is from what it should
explain. Above a few per cent ask for a smaller tolerance.</p>
</div>
</div>
<form class="controls" aria-label="All maps">
{sliders}
<label>Zoom on the window
<input id="zoom" type="range" min="1" max="6" step="0.1" value="1">
</label>
<label><input id="shared" type="checkbox"> One scale for all maps</label>
</form>
<p id="linear">At the left of the second slider, opacity is proportional to the attribution, as LAM
is published. Each map has its own scale, or all have that of the largest.</p>
<div class="networks">{networks}</div>
<details>
<summary>Settings, and what was found out about each network</summary>
<div class="tables">{tables}</div>
</details>
</main>
{end}
</body>
</html>
"""
