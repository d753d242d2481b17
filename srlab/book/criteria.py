"""The register of criteria: a finding's cannot change without a line that says when and why.

`python -m srlab.book.criteria "revised: …"` registers those that are new or have changed.
"""

import ast
import csv
import hashlib
import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from srlab.book.project import find_notebooks, find_root
from srlab.files import replace_text

REGISTER = "book/criteria.csv"
REASONS = ("before the first run", "revised: ")  # how a reason begins


class Line(NamedTuple):
    """One criterion, and when and why it was set."""

    finding: str
    digest: str
    date: str  # 2026-11-29
    reason: str


def read_register(root: Path) -> list[Line]:
    """All lines, oldest first; a finding's last one is in force."""
    file = root / REGISTER
    rows = csv.DictReader(file.read_text("utf-8").splitlines()) if file.is_file() else []
    return [Line(**row) for row in rows]


STATED = ("claims", "controls", "says", "own_question")


def stated(source: Path) -> dict[str, Any] | None:
    """What of STATED a notebook gives its `Study(…)`; None where it has none.

    It is read from the script, so it must be literal.
    """
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Study":
            given = {word.arg: word.value for word in node.keywords}
            return {kind: ast.literal_eval(given[kind]) for kind in STATED if kind in given}
    return None


def criterion_digest(source: Path) -> str | None:
    """Of the claims and controls that a notebook states."""
    found = stated(source)
    if found is None:
        return None
    listed = {kind: [*found[kind].items()] for kind in ("claims", "controls") if kind in found}
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:16]


def unregistered(root: Path) -> dict[str, str]:
    """{finding: its digest} of those that are new or differ from their last line."""
    last = {line.finding: line.digest for line in read_register(root)}
    found = {one.name: criterion_digest(one.source) for one in find_notebooks(root)}
    return {name: digest for name, digest in found.items() if digest and digest != last.get(name)}


def register(root: Path, reason: str) -> list[Line]:
    """Add a line for each of those; returns the lines."""
    if not reason.startswith(REASONS) or not reason.removeprefix(REASONS[1]).strip():
        raise ValueError(f"a reason is {REASONS[0]!r} or begins {REASONS[1]!r}, got {reason!r}")
    today = datetime.now(UTC).date().isoformat()
    new = [Line(name, digest, today, reason) for name, digest in unregistered(root).items()]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerows([Line._fields, *read_register(root), *new])
    replace_text(root / REGISTER, text.getvalue())
    return new


if __name__ == "__main__":
    for line in register(find_root(), sys.argv[1]):
        print(line.finding)
