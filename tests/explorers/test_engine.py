"""Whole maps in a page against srlab's own, from file:// and http://, and what the page refuses."""

import base64
import functools
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Error, Page

import srlab
from srlab.attribution.lam import Attribution
from srlab.checkpoints.export import export
from srlab.data.datasets import load_images
from srlab.degradations.filters import upsample
from srlab.explorers.engine import FILES, PAGE, source
from srlab.models import build

# Few steps and targets that hardly change do not add up, here and there alike.
pytestmark = pytest.mark.filterwarnings("ignore::srlab.attribution.integral.InexactWarning")

LIMIT = 60_000  # bytes of the engine
PLACE = {"top": 40, "left": 52, "size": 16}
SHOWN = """
function shown({ map, error, ...rest }) {
  const di = diffusionIndex(magnitude(map));
  return { ...rest, di, map: [...map], error: Number.isNaN(error) ? null : error };
}
"""
# Two workers share the nodes that an Integral wants; its answer is the page's whole work.
CREW = """
const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
async function compute({ name, lr, window, target, sigma, settings }) {
  const script = new Blob([srlabFiles.engine], { type: "text/javascript" });
  const picture = { ...lr, data: Float32Array.from(lr.data) };
  const integral = new Integral(deblurring(picture, sigma), settings);
  const workers = [0, 1].map(() => new Worker(URL.createObjectURL(script)));
  const ask = (worker) => {
    const positions = integral.wanted();
    const job = { job: 1, name, lr: picture, window, target, sigma, positions };
    waiting[positions.length ? "delete" : "add"](worker);
    if (positions.length) worker.postMessage({ kind: "differentiate", ...job });
  };
  const waiting = new Set();
  return new Promise((resolve, reject) => {
    for (const worker of workers) worker.onmessage = ({ data }) => {
      if (data.kind === "failed") reject(new Error(data.message));
      if (data.kind === "ready") {
        worker.postMessage({ kind: "network", name, bytes: bytesOf(srlabFiles[name]) });
        worker.postMessage({ kind: "enlarge", name, job: 1, lr: picture });
      }
      if (data.kind === "node") integral.add(data.position, data);
      if (integral.done) resolve(shown(integral.result()));
      else if (data.kind !== "ready") for (const own of new Set([worker, ...waiting])) ask(own);
    };
  });
}
"""


@pytest.fixture(scope="module")
def networks() -> dict[str, torch.nn.Module]:
    torch.manual_seed(0)
    small = build("rfdn", channels=8, num_blocks=1).eval()
    return {"rfdn": small} | {name: srlab.load(name) for name in ("fsrcnn", "edsr-c8-b2")}


@pytest.fixture(scope="module")
def page_folder(networks, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with the engine and the networks as scripts beside it."""
    folder = tmp_path_factory.mktemp("page")
    files = {"engine": source()}
    for name, network in networks.items():
        assert not export(network, folder / f"{name}.onnx").missing
        files[name] = base64.b64encode((folder / f"{name}.onnx").read_bytes()).decode()
    (folder / "files.js").write_text(f"globalThis.srlabFiles = {json.dumps(files)};")
    (folder / "page.js").write_text(source(*PAGE) + SHOWN + CREW)
    scripts = "".join(f'<script src="{name}.js"></script>' for name in ("files", "page"))
    (folder / "index.html").write_text(f"<!doctype html><link rel=icon href=data:,>{scripts}")
    return folder


@pytest.fixture(scope="module", params=["file", "http"])
def page(request, browser: Browser, page_folder: Path) -> Iterator[Page]:
    """The page from an address of each kind; it may ask for nothing else."""
    handler = functools.partial(QuietHandler, directory=str(page_folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        addresses = {"file": page_folder.as_uri(), "http": f"http://127.0.0.1:{server.server_port}"}
        opened = browser.new_page()
        asked: list[str] = []
        opened.goto(f"{addresses[request.param]}/index.html")
        opened.on("request", lambda own: asked.append(own.url))
        yield opened
        assert all(url.startswith(("blob:", "data:")) for url in asked), asked
        opened.close()
        server.shutdown()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Plain http, without headers of isolation."""

    def log_message(self, *_: object) -> None:
        pass


@functools.cache
def picture() -> torch.Tensor:
    hr = load_images("photographs", limit=1)["astronaut"][:, :128, 128:264]
    return (srlab.Degradation(scale=4)(hr)[None] * 255).round() / 255


def request(name: str, **given: Any) -> dict[str, Any]:
    lr = picture()
    shape = dict(zip("hw", lr.shape[-2:], strict=True))
    settings = {"target": "gradient", "sigma": 1.2, "settings": {}, **given}
    return {
        "name": name,
        "lr": {**shape, "data": lr.flatten().tolist()},
        "window": PLACE,
        **settings,
    }


def same(found: dict[str, Any], wanted: Attribution) -> None:
    """To a thousandth of the largest entry; a rectifier on the brink parts float32 from float64."""
    own, other = np.array(found["map"]), wanted.map.numpy().ravel()
    assert np.abs(own - other).max() < 1e-3 * np.abs(other).max()
    assert found["positions"] == pytest.approx(list(wanted.path.nodes), abs=1e-5)
    assert found["error"] == pytest.approx(wanted.map_error, rel=1e-2)
    assert [found["start"], found["end"]] == pytest.approx([wanted.start, wanted.end], rel=1e-4)
    assert found["completeness"] == pytest.approx(wanted.completeness_error, rel=1e-2, abs=1e-4)
    assert found["di"] == pytest.approx(wanted.diffusion_index, rel=1e-3)


def patch(target: str = "gradient") -> srlab.attribution.targets.PatchTarget:
    return srlab.patch(*PLACE.values(), measure=srlab.named_measure(target))


@pytest.mark.parametrize("name", ["fsrcnn", "edsr-c8-b2", "rfdn"])
def test_a_page_finds_the_nodes_and_the_map_that_srlab_finds(page, networks, name):
    """Its workers take nodes ahead of the decision that they are needed: the result is the same."""
    same(page.evaluate("compute", request(name)), srlab.lam(networks[name], picture(), patch()))


@pytest.mark.parametrize("steps", [1, 5])
def test_a_number_of_steps_is_what_it_is_in_python(engine, page_folder, networks, steps):
    path = srlab.deblur(steps=steps, sigma=2.0)
    found = on_one_thread(
        engine, page_folder, request("fsrcnn", sigma=2.0, settings={"steps": steps})
    )
    wanted = srlab.lam(networks["fsrcnn"], picture(), patch(), path=path)
    assert (found["error"] is None) == np.isnan(wanted.map_error)
    if steps > 1:
        same(found, wanted)


TARGETS = [
    *("gradient", "edges:30", "band", "band:0.1,0.3", "brightness", "colour"),
    *("residual", "residual:edges:90", "residual:band"),
]


class LessBicubic(torch.nn.Module):
    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        return self.network(lr) - upsample(lr, 4)


@pytest.mark.parametrize("target", TARGETS)
def test_targets_are_those_of_python(engine, page_folder, networks, target):
    asked = request("fsrcnn", target=target, settings={"steps": 4})
    first, _, rest = target.partition(":")
    of_residual = first == "residual"
    network = LessBicubic(networks["fsrcnn"]) if of_residual else networks["fsrcnn"]
    measured = patch((rest or "gradient") if of_residual else target)
    wanted = srlab.lam(network, picture(), measured, path=srlab.deblur(steps=4))
    same(on_one_thread(engine, page_folder, asked), wanted)


def on_one_thread(engine: Page, folder: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """`lam` of the engine, without workers."""
    content = base64.b64encode((folder / f"{asked['name']}.onnx").read_bytes()).decode()
    engine.add_script_tag(content=SHOWN)
    return engine.evaluate(
        """({ content, asked: { lr, window, target, sigma, settings } }) => {
          const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
          const picture = { ...lr, data: Float32Array.from(lr.data) };
          return shown(lam(new Network(bytes), picture, window, { target, sigma, ...settings }));
        }""",
        {"content": content, "asked": asked},
    )


def test_the_order_of_answers_does_not_matter(engine):
    """Nor how many are asked for at once: a made-up gradient, answered backwards."""
    found = engine.evaluate("""() => {
      const data = Float32Array.from({ length: 3 * 20 * 16 }, (_, i) => Math.abs(Math.sin(i * i)));
      const path = deblurring({ data, h: 20, w: 16 });
      const gradient = (position) => data.map((_, i) => +(position > (i % 17) / 17));
      return [1, 5].map((count) => {
        const integral = new Integral(path, { tolerance: 0.03 });
        while (!integral.done) {
          for (const own of integral.wanted(count).reverse()) {
            integral.add(own, { value: own, gradient: gradient(own) });
          }
        }
        const { map, positions } = integral.result();
        return [[...map], positions];
      });
    }""")
    assert found[0] == found[1]
    assert len(found[0][1]) > 17


def test_the_engine_is_small():
    assert len(source().encode()) <= LIMIT


def test_every_file_is_short_and_has_its_place():
    folder = Path(srlab.explorers.engine.__file__).parent
    assert {path.stem for path in folder.glob("*.js")} == set(FILES)
    for path in folder.glob("*.js"):
        assert len(path.read_text().splitlines()) <= 250, path.name


class WithSoftmax(torch.nn.Module):
    def forward(self, lr):
        return torch.nn.functional.interpolate(lr.softmax(dim=1), scale_factor=2.0)


def test_a_network_with_an_operator_that_is_missing_is_refused_by_its_name(engine, tmp_path):
    written = export(WithSoftmax(), tmp_path / "softmax.onnx")
    assert written.missing == ("Softmax",)
    assert f"{written}".endswith("the book's page cannot run it, it lacks Softmax")
    with pytest.raises(Error, match="the network uses Softmax, which this page cannot run"):
        engine.evaluate(
            "(bytes) => new Network(Uint8Array.from(bytes))",
            list((tmp_path / "softmax.onnx").read_bytes()),
        )


@pytest.mark.parametrize("content", [b"", b"<!doctype html>", b"\x08\x07\x3a\xff\xff\xff\xff\x07"])
def test_a_file_that_is_no_network_is_refused(engine, content):
    with pytest.raises(Error, match="no ONNX file, or a damaged one"):
        engine.evaluate("(bytes) => new Network(Uint8Array.from(bytes))", list(content))


def test_a_window_outside_the_picture_is_refused(engine, page_folder):
    asked = {**request("fsrcnn"), "window": {"top": 120, "left": 0, "size": 16}}
    with pytest.raises(Error, match="the target at row 120, column 0 leaves the picture"):
        on_one_thread(engine, page_folder, asked)


def test_a_target_that_is_not_known_is_refused(engine, page_folder):
    with pytest.raises(Error, match="unknown target sharpness; this page has gradient, edges"):
        on_one_thread(engine, page_folder, request("fsrcnn", target="sharpness"))
