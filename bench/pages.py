"""What an executed notebook says, as plain values, and where two of them differ."""

import json
import math
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from srlab.studies.parameters import offered
from srlab.studies.study import MIME as RECORD

PLOTLY = "application/vnd.plotly.v1+json"
GLUE = "application/papermill.record/text/plain"
RECORDED = ("claim", "checks", "measurements", "paper", "parameters")
PARTS = ("titles", *RECORDED, "figures", "explorers", "glue")
OLD_WORDS = {"partly": "mixed", True: "held", False: "failed"}  # of records before studies
TOLERANCE = 1e-6  # relative

Page = dict[str, dict[str, Any]]  # {part: {name: value}}


def read_page(path: Path) -> Page:
    """An executed notebook in parts."""
    page: Page = {part: {} for part in PARTS}
    notebook = json.loads(path.read_text("utf-8"))
    page["explorers"] = explorers(notebook["metadata"].get("widgets", {}))
    for cell in notebook["cells"]:
        source, metadata = "".join(cell["source"]), cell["metadata"]
        if cell["cell_type"] == "markdown":
            titles = re.findall(r"^(?:# .*|\(.*\)=)$", source, re.MULTILINE)  # and their labels
            page["titles"] |= dict.fromkeys(titles, "there")
        if {"parameters", "injected-parameters"} & set(metadata.get("tags", ())):
            page["parameters"] |= offered(source)
        figure = metadata.get("mystnb", {}).get("figure", {})
        if figure:
            page["figures"][figure["name"]] = figure["caption"]
        label = figure.get("name") or metadata.get("name", "a cell without name")
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if PLOTLY in data:
                page["figures"].setdefault(f"drawn in {label}", []).append(drawn(data[PLOTLY]))
            if GLUE in data:
                page["glue"][output["metadata"]["scrapbook"]["name"]] = _value(data[GLUE])
            if RECORD in data:
                for part, values in read_record(data[RECORD]):
                    page[part] |= values
    return page


def read_record(record: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(part, its values): the only place that knows a record's form, and where a new one goes."""
    verdict = OLD_WORDS.get(record["verdict"], record["verdict"])
    yield "claim", {**{name: record[name] for name in ("claim", "source")}, "verdict": verdict}
    clauses = {**record["checks"], **record.get("controls", {})}
    yield "checks", {text: OLD_WORDS.get(held, held) for text, held in clauses.items()}
    yield "measurements", record["measured"]
    for name, (low, high) in record["interval"].items():
        yield "measurements", {f"{name}, from": low, f"{name}, to": high}
    yield "paper", record["paper"]
    for name, value in record["parameters"].items():
        yield "parameters", {f"recorded {name}": value}
    yield "parameters", {name: record[name] for name in ("image_set", "checkpoints")}


def drawn(figure: dict[str, Any]) -> list[float]:
    """How many numbers a figure's traces place along x, y and z, and the sum of their sizes."""
    parts = [figure, *figure.get("frames", ())]
    traces = [trace for part in parts for trace in part.get("data", ())]
    sizes = [abs(number) for trace in traces for axis in "xyz" for number in _flat(trace.get(axis))]
    return [len(sizes), float(np.nansum(sizes))]


def explorers(widgets: dict[str, Any]) -> dict[str, Any]:
    """What a page's explorer holds (there is one at most): traits, and the bytes sent apart."""
    found: dict[str, Any] = {}
    for model in (model for kept in widgets.values() for model in kept["state"].values()):
        if model["model_name"] == "AnyModel":
            traits = {k: v for k, v in model["state"].items() if k[0] != "_" and k != "layout"}
            found |= traits | {".".join(b["path"]): b["data"] for b in model.get("buffers", ())}
    return found


def _flat(values: Any) -> Iterable[float]:
    """The numbers of a list, nested or in plotly's binary form."""
    if isinstance(values, dict):
        return np.frombuffer(b64decode(values["bdata"]), values["dtype"]).astype(float).tolist()
    if isinstance(values, list):
        return [number for value in values for number in _flat(value)]
    return [values] if isinstance(values, int | float) else []


def _value(text: str | list[str]) -> float | str:
    """The number that a glued value's text shows, or the text; numpy's type counts for nothing."""
    bare = re.sub(r"^np\.\w+\((.*)\)$", r"\1", "".join(text))
    try:
        return float(bare)
    except ValueError:
        return bare


def differences(old: Page, new: Page) -> list[tuple[str, str]]:
    """(part, what differs in it), one for each thing that one side lacks or says otherwise."""
    found = []
    for part in PARTS:
        was, now = old[part], new[part]
        for name in {**was, **now}:
            if name not in was or name not in now:
                found.append((part, f"{name}: only in {'OLD' if name in was else 'NEW'}"))
            elif not equal(was[name], now[name]):
                found.append((part, f"{name}: {_short(was[name])} → {_short(now[name])}"))
    return found


def _short(value: Any, most: int = 300) -> str:
    text = str(value)
    return text if len(text) <= most else f"{text[:most]}…"


def equal(old: Any, new: Any) -> bool:
    """Equal values; numbers to TOLERANCE, in lists and mappings too."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(equal(old[key], new[key]) for key in old)
    if isinstance(old, list | tuple) and isinstance(new, list | tuple):
        return len(old) == len(new) and all(map(equal, old, new))
    if isinstance(old, int | float) and isinstance(new, int | float):
        close = math.isclose(old, new, rel_tol=TOLERANCE, abs_tol=1e-15)
        return close or (math.isnan(old) and math.isnan(new))
    return old == new
