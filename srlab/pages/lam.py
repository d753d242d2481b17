"""One local attribution map as one HTML file: pictures inside it, no request leaves it."""

import html
from collections.abc import Mapping
from importlib.resources import files

import numpy as np
import torch
from torch import Tensor

from srlab.attribution.lam import Attribution, PatchTarget, diffusion_index, magnitude
from srlab.files import picture_url
from srlab.images import crop, image_to_array

INK = (255, 64, 0)  # of the overlay, on a picture without colours
FAINT = 2.0  # the overlay's opacity is stored as magnitude^(1/FAINT), to keep faint pixels in 8 bit
LOSSLESS = 1024**2  # pixels above which a picture is stored as WebP

Facts = Mapping[str, Mapping[str, str]]  # {table title: {name: value}}


def lam_report(
    title: str,
    lr: Tensor,
    sr: Tensor,
    attribution: Attribution,
    target: PatchTarget,
    facts: Facts,
) -> str:
    """The HTML page for lr (1, 3, h, w), sr (1, 3, H, W) and the attribution of `target`.

    `facts` become tables: settings, checks of the network, versions and whatever else.
    """
    shown = magnitude(attribution).cpu()
    share = attribution_radius(shown, target, sr.shape[-1] / lr.shape[-1])
    summary = (
        f"Half of the attribution lies within {share[0.5]:.1f} LR pixels of the window's centre, "
        f"90 % within {share[0.9]:.1f}."
    )
    parts = {
        **frame(title, "local attribution map", lr, target),
        "sr": url(sr),
        "window": url(window_of(sr, target)),
        "map": overlay_url(shown),
        "box": box(target, tuple(sr.shape[-2:])),
        "summary": summary,
        "di": f"{diffusion_index(attribution):.2f}",
        "error": percent(attribution.completeness_error),
        "map_error": percent(attribution.map_error),
        "tables": "".join(table(name, rows) for name, rows in facts.items()),
    }
    return PAGE.format_map(parts)


def frame(title: str, kind: str, lr: Tensor, target: PatchTarget) -> dict[str, str]:
    """What pages of one map and of several share: head, controls, the LR picture, the target."""
    (height, width), (rows, columns) = lr.shape[-2:], target.shape
    return {
        "title": html.escape(title),
        "head": HEAD.format(title=html.escape(title), kind=kind, css=source("lam.css")),
        "sliders": SLIDERS,
        "end": END.format(js=source("lam.js"), faint=f"{FAINT:g}"),
        "ratio": f"{width} / {height}",
        "shape": f"{columns} / {rows}",
        "lr": url(lr),
        "size": f"{width}×{height}",
        "place": place(target),
    }


def attribution_radius(
    shown: Tensor, target: PatchTarget, scale: float, shares: tuple[float, ...] = (0.5, 0.9)
) -> dict[float, float]:
    """{share: radius in LR pixels around the target's centre that holds it} of a map (h, w)."""
    corner = zip((target.top, target.left), target.shape, strict=True)
    centre = [(start + extent / 2) / scale - 0.5 for start, extent in corner]
    rows, columns = torch.meshgrid(*(torch.arange(extent) for extent in shown.shape), indexing="ij")
    distance = torch.hypot(rows - centre[0], columns - centre[1]).flatten()
    order = distance.argsort()
    held = shown.flatten()[order].double().cumsum(0)
    return {
        share: distance[order][torch.searchsorted(held, share * held[-1])].item()
        for share in shares
    }


def overlay_url(shown: Tensor) -> str:
    """A map (h, w) in [0, 1] as a picture of one colour whose opacity is the map."""
    opacity = (shown ** (1 / FAINT) * 255).round().byte().numpy()
    colour = np.broadcast_to(np.array(INK, np.uint8), (*shown.shape, 3))
    return picture_url(np.dstack([colour, opacity]))


def percent(value: float) -> str:
    """0.0012 → "0.12 %"."""
    return f"{100 * value:.2g} %"


def url(image: Tensor) -> str:
    """A picture (1, 3, h, w) as a data URL."""
    return picture_url(image_to_array(image[0]), lossless=image[0, 0].numel() <= LOSSLESS)


def window_of(sr: Tensor, target: PatchTarget) -> Tensor:
    """What the target sees of the SR image."""
    return crop(sr, target.top, target.left, *target.shape)


def place(target: PatchTarget) -> str:
    """Size and corner of a target in words."""
    rows, columns = target.shape
    return f"{columns}×{rows} at row {target.top}, column {target.left}"


def box(target: PatchTarget, size: tuple[int, ...]) -> str:
    """Where the target lies in a picture of `size` (H, W), as CSS."""
    edges = zip(
        ("top", "left", "height", "width"),
        (target.top, target.left, *target.shape),
        (*size, *size),
        strict=True,
    )
    return ";".join(f"{name}:{100 * place / extent:.4f}%" for name, place, extent in edges)


def table(title: str, rows: Mapping[str, str]) -> str:
    """A titled table of names and values."""
    cells = "".join(
        f"<tr><th scope='row'>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
        for name, value in rows.items()
    )
    return f"<section><h2>{html.escape(title)}</h2><table>{cells}</table></section>"


def source(name: str) -> str:
    """A file that lies beside this one."""
    return files("srlab.pages").joinpath(name).read_text("utf-8")


SLIDERS = """<label>Opacity of the map
<input id="opacity" type="range" min="0" max="1" step="0.01" value="1">
</label>
<label>Reveal faint pixels
<input id="reveal" type="range" min="0" max="1" step="0.01" value="0" aria-describedby="linear">
</label>"""
HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · {kind}</title>
<link rel="icon" href="data:,">
<style>{css}</style>
</head>"""
END = """<svg width="0" height="0" aria-hidden="true"><filter id="faint"><feComponentTransfer>
<feFuncA id="gamma" type="gamma" exponent="{faint}"/></feComponentTransfer></filter></svg>
<script>{js}</script>"""
PAGE = """{head}
<body style="--ratio:{ratio}">
<header>
<h1>Local attribution map</h1>
<p>{title}</p>
</header>
<main>
<div class="result">
<figure class="map">
<div class="stack">
<img class="grey" src="{lr}" alt="The LR picture without colours">
<img class="overlay" src="{map}" alt="Attribution map. {summary}">
<div class="box" style="{box}"></div>
</div>
<figcaption>Orange: LR pixels that decided the SR image inside the frame; the more opaque, the more.
</figcaption>
</figure>
<div class="side">
<dl>
<div><dt>Diffusion index</dt><dd id="di">{di}</dd></div>
<div><dt>Expected error of the map</dt><dd>{map_error}</dd></div>
<div><dt>Completeness error</dt><dd>{error}</dd></div>
<div><dt>Target window, SR pixels</dt><dd class="small">{place}</dd></div>
</dl>
<p>{summary}</p>
<p>The diffusion index is 100 where all pixels count alike and near 0 where one decides; compare it
only between maps of equal size, here {size}. Two errors tell how exact the map is: the expected
error of the map, from how much the gradient changes along the path, and the completeness error, how
far the map's sum is from what it should explain. Above a few per cent ask for a smaller tolerance.
</p>
<form>
{sliders}
<p id="linear">At the left, opacity is proportional to the attribution, as LAM is published.</p>
</form>
</div>
</div>
<div class="pictures">
<figure>
<div class="stack"><img src="{lr}" alt="The LR picture"><div class="box" style="{box}"></div></div>
<figcaption>LR, what the network is given</figcaption>
</figure>
<figure>
<div class="stack"><img class="smooth" src="{sr}" alt="The SR image"><div class="box" style="{box}">
</div></div>
<figcaption>SR, what it makes of it; framed, the target window</figcaption>
</figure>
<figure>
<div class="stack" style="--ratio:{shape}">
<img src="{window}" alt="The target window of the SR image"></div>
<figcaption>The target window</figcaption>
</figure>
</div>
<div class="tables">{tables}</div>
</main>
{end}
</body>
</html>
"""
