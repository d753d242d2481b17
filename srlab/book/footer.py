"""The folded end of a notebook's page: how long it ran, on what, with which checkpoints."""

import html
import json
from collections.abc import Mapping
from typing import Any


def footer_html(ran: Mapping[str, Any]) -> str:
    """From what the runner keeps in an executed notebook's metadata."""
    versions = ", ".join(f"{name} {number}" for name, number in ran["versions"].items())
    rows = {"Run time": f"{ran['seconds']} s", "Hardware": ran["hardware"], "Versions": versions}
    if ran["parameters"]:
        rows["Parameters replaced"] = json.dumps(ran["parameters"])[1:-1]
    terms = "".join(
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd>" for name, text in rows.items()
    )
    checkpoints = "".join(map(_checkpoint_html, ran["checkpoints"]))
    return (
        "<details class='srlab-run'><summary>How this page was made</summary>"
        f"<dl>{terms}</dl>{checkpoints}</details>"
    )


def _checkpoint_html(provenance: Mapping[str, Any]) -> str:
    """One checkpoint, folded again: its header without the curve of its training."""
    shown = {key: value for key, value in provenance.items() if value and key != "history"}
    terms = "".join(
        f"<dt>{html.escape(key)}</dt><dd>{html.escape(_plain(value))}</dd>"
        for key, value in shown.items()
        if key != "name"
    )
    name = html.escape(str(provenance["name"]))
    return f"<details><summary>Checkpoint <code>{name}</code></summary><dl>{terms}</dl></details>"


def _plain(value: Any) -> str:
    """Nested values as `key value, key value`."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value)) or "none"
    return str(value)
