"""LAM and DDR in a page: the engine in Chromium, on one thread, against srlab in Python."""

import base64
import shutil
import tempfile
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from playwright.sync_api import Page, sync_playwright
from torch import Tensor, nn

import srlab
from bench.row import Row
from srlab.capture import capture
from srlab.checkpoints.export import export
from srlab.data.datasets import load_images
from srlab.explorers.engine import FILES, source
from srlab.images import center_crop
from srlab.representation.embedding import points
from srlab.representation.plane import principal_plane

NETWORKS = ("fsrcnn", "edsr", "srresnet-gr")
SIZE, STEPS, REPEATS = 64, 16, 3  # LR pixels a side; the same nodes on both sides
REACH = 1 / 1.5  # of Python's speed
MOVE_REACH = 1 / 2  # … where nothing can be left out: all of the patch is wanted
ALLOWED = 1e-3  # of the largest entry: the order in which float32 is added
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
MAP = """({ content, lr, size, window, steps }) => {
  const network = new Network(Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0)));
  const picture = { data: Float32Array.from(lr), h: size, w: size };
  const begun = performance.now();
  const { map } = lam(network, picture, window, { steps });
  return { map: [...map], seconds: (performance.now() - begun) / 1000 };
}"""

MOVED, LAYER, PATCH = "srresnet-gr", "body.15", 32  # LR pixels of what moves on the plane
MOVE = """({ content, axes, lr, ...plane }) => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  globalThis.moved ??= new Network(bytes(content));
  const onto = new Int8Array(bytes(axes).buffer);
  const side = Math.sqrt(lr.length / 3), picture = Float32Array.from(lr);
  const begun = performance.now();
  const { features } = moved.enlarge(picture, side, side);
  const place = placeOf(features, onto, plane);
  return { place, seconds: (performance.now() - begun) / 1000 };
}"""


def page() -> Iterator[Row]:
    """A map of each network in the page, and a move on a plane."""
    hr = center_crop(load_images("photographs")["astronaut"], 4 * SIZE)
    lr = srlab.Degradation(scale=4)(hr[None])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name in NETWORKS:
            opened = browser.new_page()
            opened.add_script_tag(content=source(*FILES[:-1]))
            yield _row(opened, name, lr)
        opened.add_script_tag(content=(files("srlab.explorers") / "plane.js").read_text("utf-8"))
        yield _move(opened, lr[..., :PATCH, :PATCH])
        browser.close()


def _row(opened: Page, name: str, lr: Tensor) -> Row:
    network, centre = srlab.load(name), 2 * SIZE - 8
    content = _content(network)
    window = {"top": centre, "left": centre, "size": 16}
    asked = {"content": content, "lr": lr.flatten().tolist(), "size": SIZE, "window": window}
    theirs, ours = [], []
    for _ in range(REPEATS):  # in turn, so that load hits both
        begun = time.perf_counter()
        wanted = srlab.lam(network, lr, srlab.patch(centre, centre), path=srlab.deblur(steps=STEPS))
        theirs.append(time.perf_counter() - begun)
        found = opened.evaluate(MAP, {**asked, "steps": STEPS})
        ours.append(found["seconds"])
    off = (torch.tensor(found["map"]).float() - wanted.map.flatten()).abs().max()
    return Row(
        f"LAM in a page, {name}, {SIZE}²",
        f"srlab in Python, {STEPS} nodes",
        min(theirs),
        min(ours),
        REACH,
        ALLOWED,
        float(off / wanted.map.abs().max()),
    )


def _content(network: nn.Module, layer: str = "") -> str:
    """The network's file in base 64."""
    with tempfile.TemporaryDirectory() as folder:
        written = export(network, Path(folder) / "network.onnx", layer=layer)
        return base64.b64encode(written.path.read_bytes()).decode()


def _move(opened: Page, lr: Tensor) -> Row:
    """What a slider's move takes: SR and the place of its features, of one network."""
    network = srlab.load(MOVED)
    others = torch.rand(9, *lr.shape[1:], generator=torch.Generator().manual_seed(0))
    plane = principal_plane(points(srlab.features(network, others, [LAYER])[LAYER]))
    axes = base64.b64encode(plane.packed()).decode()
    asked = {"content": _content(network, LAYER), "axes": axes, "lr": lr.flatten().tolist()}
    asked |= {"step": plane.step.tolist(), "origin": plane.origin.tolist()}
    theirs, ours = [], []
    for _ in range(2 * REPEATS):  # the first lays out the network's memory
        begun = time.perf_counter()
        with torch.no_grad(), capture(network, [LAYER]) as found:
            network(lr)
        (wanted,) = plane.places(points(found[LAYER]))
        theirs.append(time.perf_counter() - begun)
        moved = opened.evaluate(MOVE, asked)
        ours.append(moved["seconds"])
    off = np.abs(np.subtract(moved["place"], wanted)).max() / np.abs(wanted).max()
    return Row(
        f"DDR in a page, {MOVED}, {PATCH}²",
        "srlab in Python, SR and place",
        min(theirs),
        min(ours),
        MOVE_REACH,
        ALLOWED,
        float(off),
    )
