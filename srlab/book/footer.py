"""The folded end of a notebook's page: how long it ran, on what, with which checkpoints."""

import json
from collections.abc import Mapping
from typing import Any

from srlab.pages.templates import page


def footer_html(ran: Mapping[str, Any], finding: str = "", title: str = "") -> str:
    """From what the runner keeps in an executed notebook's metadata; a finding can be cited."""
    versions = ", ".join(f"{name} {number}" for name, number in ran["versions"].items())
    rows = {"Run time": f"{ran['seconds']} s", "Hardware": ran["hardware"], "Versions": versions}
    if ran["parameters"]:
        rows["Parameters replaced"] = json.dumps(ran["parameters"])[1:-1]
    checkpoints = [  # headers without the curve of the training
        {key: _plain(value) for key, value in made.items() if value and key != "history"}
        for made in ran["checkpoints"]
    ]
    return page(
        "footer.html",
        rows=rows,
        checkpoints=checkpoints,
        finding=finding,
        title=title,
        version=ran["versions"].get("srlab", ""),
    )


def _plain(value: Any) -> str:
    """Nested values as `key value, key value`."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value)) or "none"
    return str(value)
