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
    return page("footer.html", rows=rows, ran=ran, finding=finding, title=title)
