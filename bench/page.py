"""LAM in a page: the engine in Chromium, on one thread, against srlab in Python."""

import base64
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from playwright.sync_api import Page, sync_playwright
from torch import Tensor

import srlab
from bench.row import Row
from srlab.checkpoints.export import export
from srlab.data.datasets import load_images
from srlab.explorers.engine import FILES, source
from srlab.images import center_crop

NETWORKS = ("fsrcnn", "edsr", "srresnet-gr")
SIZE, STEPS, REPEATS = 64, 16, 3  # LR pixels a side; the same nodes on both sides
REACH = 1 / 1.5  # of Python's speed
ALLOWED = 1e-3  # of the largest entry: the order in which float32 is added
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
MAP = """({ content, lr, size, window, steps }) => {
  const network = new Network(Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0)));
  const picture = { data: Float32Array.from(lr), h: size, w: size };
  const begun = performance.now();
  const { map } = lam(network, picture, window, { steps });
  return { map: [...map], seconds: (performance.now() - begun) / 1000 };
}"""


def page() -> Iterator[Row]:
    """A map of each network in the page."""
    hr = center_crop(load_images("photographs")["astronaut"], 4 * SIZE)
    lr = srlab.Degradation(scale=4)(hr[None])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name in NETWORKS:
            opened = browser.new_page()
            opened.add_script_tag(content=source(*FILES[:-1]))
            yield _row(opened, name, lr)
        browser.close()


def _row(opened: Page, name: str, lr: Tensor) -> Row:
    network, centre = srlab.load(name), 2 * SIZE - 8
    with tempfile.TemporaryDirectory() as folder:
        written = export(network, Path(folder) / "network.onnx")
        content = base64.b64encode(written.path.read_bytes()).decode()
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
