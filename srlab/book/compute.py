"""What a paper's pages cost: trainings behind their networks, and the run that made them."""

from collections.abc import Sequence
from typing import Any

from srlab.studies.verdict import number

HOUR, MINUTE = 3600, 60


def compute_table(records: Sequence[dict[str, Any]]) -> str:
    """A Markdown table over the findings of one paper; each network counts once."""
    from srlab.checkpoints.files import read_provenance, shipped_file  # loads torch

    names = sorted({name.split("@")[0] for record in records for name in record["checkpoints"]})
    files = [shipped_file(name) for name in names]
    trained = [read_provenance(file) for file in files if file.is_file()]
    hardware = sorted({one.hardware for one in trained if one.hardware})
    pages = sorted({record["hardware"] for record in records})
    rows = [
        ("", "Sum", "On"),
        ("---",) * 3,
        ("Networks", str(len(trained)), "–"),
        ("Training steps", number(sum(one.step for one in trained)), "–"),
        ("Hours of training", _amount(trained, HOUR), "; ".join(hardware) or "–"),
        ("Minutes of the pages", _amount(records, MINUTE), "; ".join(pages) or "–"),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _amount(made: Sequence[Any], unit: int) -> str:
    seconds = [one["seconds"] if isinstance(one, dict) else one.seconds for one in made]
    return number(sum(seconds) / unit)
