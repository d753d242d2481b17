"""What the cells of an executed notebook show."""

from collections.abc import Iterator
from typing import Any

from nbformat import NotebookNode


def outputs(page: NotebookNode, kind: str) -> Iterator[tuple[NotebookNode, Any]]:
    """(cell, data) of each output of this MIME type."""
    for cell in page.cells:
        for output in cell.get("outputs", ()):
            if kind in output.get("data", {}):
                yield cell, output.data[kind]
